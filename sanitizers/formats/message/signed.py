"""The content inside an opaque S/MIME signature. The signature itself is not checked: the text it covered is about to change.

Spec: RFC 5652 §5 (SignedData), X.690 (BER with definite and indefinite lengths).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sanitizers.model import Malformed

_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_DATA: Final = bytes.fromhex("2a864886f70d010701")
_DEPTH: Final = 16


class _Element(NamedTuple):
    """One BER element: its identifier byte, the place of its content, and the place after it."""

    tag: int
    start: int
    stop: int
    after: int


def signed_content(data: bytes) -> bytes | None:
    """The eContent of a SignedData; None for any other CMS content. Raises Malformed for broken BER."""
    try:
        info = _element(data, 0, 0)
        kind = _element(data, info.start, 0)
        if kind.tag != 0x06 or data[kind.start : kind.stop] != _SIGNED_DATA:
            return None
        signed = _element(data, _element(data, kind.after, 0).start, 0)
        version = _element(data, signed.start, 0)
        digests = _element(data, version.after, 0)
        inner = _element(data, digests.after, 0)
        oid = _element(data, inner.start, 0)
        if data[oid.start : oid.stop] != _DATA or oid.after >= inner.stop:
            return None
        octets = _element(data, _element(data, oid.after, 0).start, 0)
        return b"".join(_octets(data, octets, 0))
    except IndexError as error:
        raise Malformed("truncated S/MIME", code="mail.ambiguous") from error


def _element(data: bytes, at: int, depth: int) -> _Element:
    if depth > _DEPTH:
        raise Malformed("S/MIME nested too deep", code="mail.ambiguous")
    tag, size = data[at], data[at + 1]
    start = at + 2
    if size == 0x80:
        stop = start
        while data[stop : stop + 2] != b"\0\0":
            stop = _element(data, stop, depth + 1).after
        return _Element(tag, start, stop, stop + 2)
    if size > 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[start : start + count], "big") if count <= 8 else len(data) + 1
        start += count
    if start + size > len(data):
        raise Malformed("S/MIME longer than its data", code="mail.ambiguous")
    return _Element(tag, start, start + size, start + size)


def _octets(data: bytes, element: _Element, depth: int) -> list[bytes]:
    """An OCTET STRING, in one piece or in many."""
    if element.tag == 0x04:
        return [data[element.start : element.stop]]
    pieces, at = [], element.start
    while at < element.stop:
        piece = _element(data, at, depth + 1)
        pieces += _octets(data, piece, depth + 1)
        at = piece.after
    return pieces
