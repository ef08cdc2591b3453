"""Files hidden in plain text: uuencode, its base64 form, yEnc and BinHex, taken out as parts.

Some mail programs show such text as attachments (MS KB167393), others as text; here it is always an attachment, and sanitized.
Spec: POSIX uuencode; yEnc draft 1.3; RFC 1741 (BinHex 4.0).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from sanitizers.charset import decode
from sanitizers.formats.message import binhex
from sanitizers.formats.message.transfer_encoding import decode_base64, uu_line
from sanitizers.formats.message.words import plain

_BEGIN: Final = re.compile(rb"^begin() [0-7]{3,4} (\S[^\r\n]{0,500})\r?$", re.MULTILINE)
_BEGIN64: Final = re.compile(rb"^begin(-base64) [0-7]{3,4} (\S[^\r\n]{0,500})\r?$", re.MULTILINE)
_BINHEX: Final = re.compile(b"^" + re.escape(binhex.BANNER), re.MULTILINE)
_YENC: Final = re.compile(rb"^=ybegin [^\r\n]{0,300}?name=([^\r\n]{1,300})\r?$", re.MULTILINE)
_UU_LINE: Final = re.compile(rb"[\x20-\x60]{1,90}")
_BASE64_LINE: Final = re.compile(rb"[A-Za-z0-9+/=]{1,1000}")


class Hidden(NamedTuple):
    """A file found in text, and the place after it."""

    name: str
    content: bytes
    end: int


def suspicious(text: str) -> bool:
    """Whether a text that was made out of something else is worth a look."""
    return "begin" in text or "BinHex" in text


def take_out(body: bytes, where: str, limit: int) -> tuple[bytes, list[Hidden]]:
    """The text without its files, and the files. What only looks like one stays text. Raises LimitExceeded past `limit` bytes."""
    found: list[Hidden] = []
    for form in _FORMS:
        last = body.rfind(form.ending) if form.beginning in body else -1
        kept, at = [], 0
        for match in form.first_line.finditer(body, 0, max(last, 0)):
            if match.start() < at:
                continue
            hidden = form.read(body, match, where, limit)
            if hidden is None:
                continue
            kept.append(body[at : match.start()])
            found.append(hidden)
            at = hidden.end
        body = b"".join([*kept, body[at:]])
    return body, _whole(found)


def _whole(found: list[Hidden]) -> list[Hidden]:
    """Neighbours of one name are the pieces of one file: yEnc cuts large ones."""
    joined: list[Hidden] = []
    for hidden in found:
        if joined and hidden.name == joined[-1].name:
            joined[-1] = hidden._replace(content=joined[-1].content + hidden.content)
        else:
            joined.append(hidden)
    return joined


def _uuencoded(body: bytes, match: re.Match[bytes], where: str, limit: int) -> Hidden | None:  # noqa: ARG001 - one signature for all
    """Read line by line, so that text which only begins like a file costs one line."""
    shape, last = (_BASE64_LINE, b"====") if match[1] else (_UU_LINE, b"end")
    lines: list[bytes] = []
    at = match.end() + 1
    while at < len(body):
        stop = body.find(b"\n", at)
        stop = len(body) if stop < 0 else stop
        line = body[at:stop].rstrip(b"\r")
        at = stop + 1
        if line == last:
            break
        if line and not shape.fullmatch(line):
            return None
        lines.append(line)
    else:
        return None
    name = plain(decode(match[2]).text, 200)
    if match[1]:
        return Hidden(name, decode_base64(b"".join(lines), where), at)
    return Hidden(name, b"".join(uu_line(line, where) for line in lines if line.strip(b" `")), at)


_MINUS_42: Final = bytes((byte - 42) & 0xFF for byte in range(256))
_ESCAPED: Final = re.compile(rb"=(.)", re.DOTALL)


def _yenc(body: bytes, match: re.Match[bytes], where: str, limit: int) -> Hidden:  # noqa: ARG001 - as above
    stop = body.index(b"\n=yend", match.end())  # no first line is looked at behind the last ending
    start = match.end() + 1
    if body.startswith(b"=ypart", start):
        start = body.find(b"\n", start) + 1
    data = body[start:stop].translate(None, b"\r\n")
    data = _ESCAPED.sub(lambda pair: bytes(((pair[1][0] - 64) & 0xFF,)), data).translate(_MINUS_42)
    end = body.find(b"\n", stop + 1)
    return Hidden(plain(decode(match[1]).text, 200), data, len(body) if end < 0 else end + 1)


def _binhex(body: bytes, match: re.Match[bytes], where: str, limit: int) -> Hidden | None:  # noqa: ARG001 - as above
    fork = binhex.read(body, match.start(), limit)
    return None if fork is None else Hidden(plain(fork.name, 200), fork.content, fork.end)


class _Form(NamedTuple):
    """How one kind of hidden file begins, how it ends, and who reads it."""

    beginning: bytes
    first_line: re.Pattern[bytes]
    ending: bytes
    read: Callable[[bytes, re.Match[bytes], str, int], Hidden | None]


_FORMS: Final = (
    _Form(b"begin", _BEGIN, b"\nend", _uuencoded),
    _Form(b"begin-base64", _BEGIN64, b"\n====", _uuencoded),
    _Form(b"=ybegin", _YENC, b"\n=yend", _yenc),
    _Form(binhex.BANNER, _BINHEX, b":", _binhex),
)
