"""A message that could be read in several ways is held; before that, everything that any reading could find in it goes to the rules.

So a hold for a person never hides what a rule would have known. Readings: each run of base64 letters whole, up to its first padding, and
without its junk; quoted-printable; uuencode. Linear: every byte is decoded a fixed number of times.
"""

from __future__ import annotations

import re
from typing import Final

import pybase64

from sanitizers.context import Context
from sanitizers.formats.message.transfer_encoding import decode_quoted_printable, uu_line
from sanitizers.model import Malware, Severity

_LEAST: Final = 16  # bytes worth a look
_LAYERS: Final = 2000
_BLOCK: Final = re.compile(rb"(?:^[^\r\n:]{4,}\r?$\n?)+", re.MULTILINE)
_LETTERS: Final = bytes((*range(48, 58), *range(65, 91), *range(97, 123), 43, 47))
_JUNK: Final = bytes(set(range(256)) - set(_LETTERS))
_UU_LINE: Final = re.compile(rb"^[\x20-\x60]{2,90}\r?$", re.MULTILINE)


def scan(data: bytes, context: Context) -> None:
    """Raises Malware when a rule of high severity matches in any reading."""
    layers = 0
    if b"=" in data:
        context.scan_layer(decode_quoted_printable(data), "message read as quoted-printable")
    context.scan_layer(b"".join(uu_line(line, "") for line in _UU_LINE.findall(data)), "message read as uuencode")
    for block in _BLOCK.finditer(data):
        for reading, content in _readings(block[0]):
            if len(content) >= _LEAST and layers < _LAYERS:
                layers += 1
                context.budget.spend_bytes(len(content))
                context.scan_layer(content, f"message read as {reading} at {block.start()}")
    for match in context.matches:
        if match.severity is Severity.HIGH:
            raise Malware(match.rule, where=match.where)


def _readings(block: bytes) -> list[tuple[str, bytes]]:
    found = [("base64", _base64(block.translate(None, _JUNK)))]
    pieces = [piece for piece in (part.translate(None, _JUNK) for part in block.split(b"=")) if piece]
    if len(pieces) > 1:
        found += [("base64 after padding", b"".join(_base64(piece) for piece in pieces)), ("base64 before padding", _base64(pieces[0]))]
    return found


def _base64(letters: bytes) -> bytes:
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return pybase64.b64decode(letters + b"=" * (-len(letters) % 4))
