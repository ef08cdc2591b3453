"""BinHex 4.0, in which Macintosh programs sent files as text. Only the data fork is taken out.

Spec: RFC 1741 (application/mac-binhex40).
"""

from __future__ import annotations

import binascii
import re
import struct
from typing import Final, NamedTuple

from sanitizers.charset import decode
from sanitizers.model import LimitExceeded

BANNER: Final = b"(This file must be converted with BinHex"
_LETTERS: Final = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_TO_BASE64: Final = bytes.maketrans(_LETTERS, _BASE64)
_WHOLE: Final = re.compile(rb"\(This file must be converted with BinHex[^\n]*\n\s*:([^:]*):[ \t\r]*(?:\n|\Z)", re.IGNORECASE)
_COUNT: Final = re.compile(rb"\x90(.)", re.DOTALL)
_MARK: Final = 0x90


class Fork(NamedTuple):
    """A file's name and data, and the place after it in the text that held it."""

    name: str
    content: bytes
    end: int


def read(body: bytes, start: int, limit: int) -> Fork | None:
    """The file whose first line begins at `start`; None for what only looks like one (letters, lengths and check sums must be right)."""
    match = _WHOLE.match(body, start)
    if match is None:
        return None
    letters = match[1].translate(None, b" \t\r\n")
    if letters.translate(None, _LETTERS):
        return None
    coded = letters.translate(_TO_BASE64)
    coded = coded[: len(coded) - (len(coded) % 4 == 1)]
    found = _file(_expanded(binascii.a2b_base64(coded + b"=" * (-len(coded) % 4)), limit))
    return None if found is None else Fork(*found, match.end())


def _expanded(data: bytes, limit: int) -> bytes:
    """Runs: a byte, the mark and a count. A mark with the count 0 is the mark itself."""
    size = len(data) + sum(count[1][0] for count in _COUNT.finditer(data))
    if size > limit:
        raise LimitExceeded(f"BinHex of {size} bytes")
    out = bytearray()
    at = 0
    while (mark := data.find(b"\x90", at)) >= 0:
        out += data[at:mark]
        count = data[mark + 1] if mark + 1 < len(data) else 1
        out += bytes((_MARK,)) if count == 0 else out[-1:] * (count - 1)
        at = mark + 2
    return bytes(out + data[at:])


def _file(data: bytes) -> tuple[str, bytes] | None:
    """Header, data fork, resource fork; each with its check sum behind it."""
    if not data or len(data) < data[0] + 22:
        return None
    name = data[0]
    size = struct.unpack_from(">I", data, name + 12)[0]
    start = name + 22
    header, content = data[: start - 2], data[start : start + size]
    sums = data[start - 2 : start], data[start + size : start + size + 2]
    if any(int.from_bytes(stored, "big") != binascii.crc_hqx(piece, 0) for piece, stored in zip((header, content), sums, strict=True)):
        return None
    return decode(data[1 : 1 + name]).text, content
