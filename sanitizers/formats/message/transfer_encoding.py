"""Content-Transfer-Encoding: bytes of a part out of its 7-bit clothes.

Where two readers could get different bytes (junk inside base64, data after its padding) the message is held; what all of them read
the same way (missing padding, odd line lengths, lower-case hexadecimal, spaces at line ends) is read.
Spec: RFC 2045 §6; uuencode: POSIX.
"""

from __future__ import annotations

import binascii
from typing import Final

import pybase64

from sanitizers.model import Malformed

_SPACE: Final = b"\r\n\t \x0b\x0c\0"
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FOREIGN: Final = bytes(set(range(256)) - set(_ALPHABET))
_UU_NAMES: Final = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
_KNOWN: Final = ("base64", "quoted-printable", *sorted(_UU_NAMES))


def encoding_of(raw: bytes, where: str) -> str:
    """`base64`, `quoted-printable`, `uuencode` or `identity`. Unknown names that hide a known one are ambiguous. Raises Malformed."""
    name = raw.split(b"(")[0].strip(b" \t;\"'").decode("ascii", "replace").lower()
    if name in _UU_NAMES:
        return "uuencode"
    if name in ("base64", "quoted-printable"):
        return name
    if any(known in name for known in _KNOWN):
        raise Malformed(f"Content-Transfer-Encoding: {name[:60]}", where=where, code="mail.ambiguous")
    return "identity"


def decode_body(body: bytes, encoding: str, where: str) -> bytes:
    """The body in octets; `encoding` that is none of those is no encoding (RFC 2045 section 6.2). `where` for what is found."""
    if encoding == "base64":
        return decode_base64(body, where)
    if encoding == "quoted-printable":
        return decode_quoted_printable(body)
    if encoding == "uuencode":
        return decode_uuencode(body, where)
    return body


def decode_base64(body: bytes, where: str) -> bytes:
    """Raises Malformed where readers that skip junk and readers that stop at it would see different bytes."""
    compact = body.translate(None, _SPACE)
    try:
        return pybase64.b64decode(compact, validate=True)  # nearly always: nothing foreign, right padding
    except binascii.Error:
        letters = compact.rstrip(b"=")
    if letters.translate(None, _ALPHABET):
        return _agreed(letters, where)
    if len(letters) % 4 == 1:
        letters = letters[:-1]  # six bits that hold no byte: every reader drops them
    return pybase64.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)


def plain_base64(data: bytes, start: int, end: int) -> bytes | None:
    """Nearly every body: lines of letters and padding at the very end, decoded five times as fast as by the careful way.

    The decoder skips what is no letter; one byte skipped makes the result shorter than the letters promise, and None is returned.
    """
    ends = data.count(b"\r", start, end) + data.count(b"\n", start, end)
    tail = data[max(start, end - 8) : end].rstrip(b"\r\n")
    padding = len(tail) - len(tail.rstrip(b"="))
    letters = end - start - ends - padding
    if (letters + padding) % 4 or padding > 2:
        return None
    try:
        decoded = pybase64.b64decode(memoryview(data)[start:end])
    except binascii.Error:
        return None
    return decoded if len(decoded) == letters * 3 // 4 else None


def _agreed(letters: bytes, where: str) -> bytes:
    """Base64 with foreign bytes in it: what all readings agree on, or a refusal."""
    skipped = letters.translate(None, _FOREIGN)
    stop = next(index for index, byte in enumerate(letters) if byte not in _ALPHABET)
    stopped = letters[:stop]
    if len(stopped) != len(skipped):
        raise Malformed("base64 with foreign characters inside", where=where, code="mail.ambiguous")
    stopped = stopped[: len(stopped) - (len(stopped) % 4 == 1)]
    return pybase64.b64decode(stopped + b"=" * (-len(stopped) % 4), validate=True)


def decode_quoted_printable(body: bytes) -> bytes:
    """Unknown escapes stay as they stand, as every reader shows them."""
    if b"= " in body or b"=\t" in body:  # spaces after a soft line break do not count (RFC 2045 §6.7 rule 3)
        body = b"\n".join(_soft(line) for line in body.split(b"\n"))
    return binascii.a2b_qp(body)


def _soft(line: bytes) -> bytes:
    bare = line.rstrip(b" \t\r")
    return bare if bare.endswith(b"=") else line


def decode_uuencode(body: bytes, where: str) -> bytes:
    """Everything between `begin` and `end`, or all lines where neither is given."""
    lines = body.splitlines()
    begin = next((index for index, line in enumerate(lines) if line.startswith(b"begin ")), -1)
    out = []
    for line in lines[begin + 1 :]:
        if line.strip() in (b"end", b"`", b""):
            if line.strip() == b"end":
                break
            continue
        out.append(uu_line(line, where))
    return b"".join(out)


def uu_line(line: bytes, where: str) -> bytes:
    """One line of uuencoded data. Its first byte says how many bytes it holds; encoders differ only in padding after them.

    Raises Malformed.
    """
    size = (line[0] - 32) & 63
    try:
        return binascii.a2b_uu(line[: 1 + (size + 2) // 3 * 4])
    except binascii.Error as error:
        raise Malformed(f"uuencode: {error}", where=where, code="mail.ambiguous") from error
