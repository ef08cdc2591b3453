"""Questions to a timestamping authority and what its answer says (RFC 3161), as far as it has to be understood to be kept.

The signature is not checked here but by whoever looks at the proof later, with the authority's certificate; that the answer is about our
hash and our question is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_SHA256: Final = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier of SHA-256, parameters NULL
_SEQUENCE, _INTEGER, _OCTETS, _BOOLEAN = 0x30, 0x02, 0x04, 0x01
_GRANTED: Final = (0, 1)  # granted, and granted with modifications
_CONSTRUCTED: Final = 0x20
_DEEPEST: Final = 24


class TimestampError(Exception):
    """The authority refused, or its answer is not about what was asked."""


def question(digest: bytes, nonce: int) -> bytes:
    """TimeStampReq: version 1, the SHA-256 `digest`, a nonce, and the certificate wanted in the answer."""
    imprint = _der(_SEQUENCE, _SHA256 + _der(_OCTETS, digest))
    return _der(_SEQUENCE, _der(_INTEGER, b"\x01") + imprint + _der(_INTEGER, _whole(nonce)) + _der(_BOOLEAN, b"\xff"))


def answered(reply: bytes, digest: bytes, nonce: int) -> None:
    """Raises TimestampError unless it is a TimeStampResp that was granted and carries our hash and nonce."""
    try:
        tag, body, rest = _read(reply)
        status_tag, status, token = _read(body)
        _, code, _ = _read(status)
    except (IndexError, ValueError):
        raise TimestampError("not a timestamp response") from None
    if tag != _SEQUENCE or status_tag != _SEQUENCE or rest:
        raise TimestampError("not a timestamp response")
    if int.from_bytes(code) not in _GRANTED or not token:
        raise TimestampError(f"refused with status {int.from_bytes(code[:4])}")
    info = next((inner for inner in _octets(token, 0) if _is_about(inner, digest, nonce)), None)
    if info is None:
        raise TimestampError("the answer is not about what was asked")


def _is_about(info: bytes, digest: bytes, nonce: int) -> bool:
    """Whether these bytes are a TSTInfo with that message imprint and that nonce."""
    return _der(_SEQUENCE, _SHA256 + _der(_OCTETS, digest)) in info and _der(_INTEGER, _whole(nonce)) in info


def _octets(data: bytes, depth: int) -> Iterator[bytes]:
    """The octet strings anywhere in it, without looking into them."""
    while data and depth < _DEEPEST:
        try:
            tag, body, data = _read(data)
        except (IndexError, ValueError):
            return
        if tag == _OCTETS:
            yield body
        elif tag & _CONSTRUCTED:
            yield from _octets(body, depth + 1)


def _read(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, content and what follows. Raises IndexError, ValueError."""
    tag, length, at = data[0], data[1], 2
    if length & 0x80:
        more = length & 0x7F
        if not 1 <= more <= 4:
            raise ValueError("length")
        length, at = int.from_bytes(data[2 : 2 + more]), 2 + more
    if at + length > len(data):
        raise ValueError("cut")
    return tag, data[at : at + length], data[at + length :]


def _der(tag: int, body: bytes) -> bytes:
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def _whole(value: int) -> bytes:
    """A positive INTEGER in as few octets as it needs."""
    return value.to_bytes(value.bit_length() // 8 + 1)
