"""Files hidden in plain text: uuencode, its base64 form, and yEnc, taken out as parts.

Some mail programs show such text as attachments (MS KB167393), others as text; here it is always an attachment, and sanitized.
BinHex is not decoded: its first line is made harmless and the letters stay text.
Spec: POSIX uuencode; yEnc draft 1.3.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers.charset import decode
from sanitizers.formats.message.transfer_encoding import decode_base64, uu_line
from sanitizers.formats.message.words import plain

_BEGIN: Final = re.compile(rb"^begin(-base64)? [0-7]{3,4} (\S[^\r\n]{0,500})\r?$", re.MULTILINE)
_YENC: Final = re.compile(rb"^=ybegin [^\r\n]{0,300}?name=([^\r\n]{1,300})\r?$", re.MULTILINE)
_UU_LINE: Final = re.compile(rb"[\x20-\x60]{1,90}")
_BASE64_LINE: Final = re.compile(rb"[A-Za-z0-9+/=]{1,1000}")


class Hidden(NamedTuple):
    """A file found in text."""

    name: str
    content: bytes


def take_out(body: bytes, where: str) -> tuple[bytes, list[Hidden]]:
    """The text without its files, and the files. What only looks like one stays text."""
    if b"begin" not in body:
        return body, []
    found: list[Hidden] = []
    for pattern, read in ((_BEGIN, _uuencoded), (_YENC, _yenc)):
        if read is _yenc and b"\n=yend" not in body:
            continue
        kept, at = [], 0
        for match in pattern.finditer(body):
            if match.start() < at:
                continue
            hidden = read(body, match, where)
            if hidden is None:
                continue
            kept.append(body[at : match.start()])
            found.append(Hidden(hidden[0], hidden[1]))
            at = hidden[2]
        body = b"".join([*kept, body[at:]])
    return body, found


def _uuencoded(body: bytes, match: re.Match[bytes], where: str) -> tuple[str, bytes, int] | None:
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
        return name, decode_base64(b"".join(lines), where), at
    return name, b"".join(uu_line(line, where) for line in lines if line.strip(b" `")), at


_MINUS_42: Final = bytes((byte - 42) & 0xFF for byte in range(256))
_ESCAPED: Final = re.compile(rb"=(.)", re.DOTALL)


def _yenc(body: bytes, match: re.Match[bytes], where: str) -> tuple[str, bytes, int] | None:  # noqa: ARG001 - one signature for both
    stop = body.find(b"\n=yend", match.end())
    if stop < 0:
        return None
    start = match.end() + 1
    if body.startswith(b"=ypart", start):
        start = body.find(b"\n", start) + 1
    data = body[start:stop].translate(None, b"\r\n")
    data = _ESCAPED.sub(lambda pair: bytes(((pair[1][0] - 64) & 0xFF,)), data).translate(_MINUS_42)
    end = body.find(b"\n", stop + 1)
    return plain(decode(match[1]).text, 200), data, len(body) if end < 0 else end + 1
