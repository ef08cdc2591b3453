"""Questions to a timestamping authority, and whether its answer proves what it says (RFC 3161).

That an answer is about our hash and our question is looked at when it comes (`answered`). Its signature is checked then and at every walk
of the record (`verified`): it fits, its certificate is for time stamps and was valid when it stamped, and, where the installation says
whom it trusts, it is one of those or was issued by one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from sanitizers import cms, der

_SHA256: Final = bytes.fromhex("300d06096086480165030402010500")  # AlgorithmIdentifier of SHA-256, parameters NULL
_SEQUENCE, _INTEGER, _OCTETS, _BOOLEAN = 0x30, 0x02, 0x04, 0x01
_GRANTED: Final = (0, 1)  # granted, and granted with modifications
_CONSTRUCTED: Final = 0x20
_DEEPEST: Final = 24
_LONGEST_CHAIN: Final = 6
# What a hostile certificate makes the library raise, when one asks it for this or that.
_UNREADABLE: Final = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)  # fmt: skip


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


class Proven(NamedTuple):
    """When (RFC 3339, the authority's clock) and by whom."""

    time: str
    signer: str


def verified(reply: bytes, digest: bytes, trusted: Sequence[x509.Certificate] = ()) -> Proven:
    """What a kept TimeStampResp proves of the SHA-256 `digest`. `trusted`: whom the installation trusts; empty: it does not say, and the
    certificate that came along is taken. Raises TimestampError."""
    try:
        token = der.sequence(der.parse(reply))[1]
        stamp = cms.time_stamp(token.whole)
        at = dt.datetime.fromisoformat(stamp.time)
    except (ValueError, IndexError) as error:
        raise TimestampError(f"the proof cannot be read: {error}") from None
    if not stamp.intact:
        raise TimestampError("the signature of the timestamp does not fit")
    if stamp.imprint != digest:
        raise TimestampError("the timestamp is about another hash")
    try:
        if not _for_stamps(stamp.signer) or not stamp.signer.not_valid_before_utc <= at <= stamp.signer.not_valid_after_utc:
            raise TimestampError("the certificate is not one for time stamps, or was not valid at that time")
        if trusted and not _leads_to(stamp.signer, stamp.certificates, trusted):
            raise TimestampError("the timestamp is by nobody who is trusted")
        return Proven(stamp.time, stamp.signer.subject.rfc4514_string())
    except _UNREADABLE as error:
        raise TimestampError(f"its certificate cannot be read: {str(error)[:100]}") from None


def _for_stamps(certificate: x509.Certificate) -> bool:
    """RFC 3161, 2.3: for nothing else, and said so that nobody may overlook it."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return found.critical and list(found.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def _leads_to(signer: x509.Certificate, sent: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate]) -> bool:
    """Whether it is one of those that are trusted, or was issued by one, step by step."""
    current = signer
    for _ in range(_LONGEST_CHAIN):
        if current in trusted or any(_issued(current, one) for one in trusted):
            return True
        above = next((one for one in sent if one != current and _issues(one) and _issued(current, one)), None)
        if above is None:
            return False
        current = above
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*_UNREADABLE, InvalidSignature):
        return False
    return True


def _issues(certificate: x509.Certificate) -> bool:
    """Whether it may sign others at all."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (*_UNREADABLE, x509.ExtensionNotFound):
        return False


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
    """Of less than 128 octets, as everything in a question is."""
    return bytes([tag, len(body)]) + body


def _whole(value: int) -> bytes:
    """A positive INTEGER in as few octets as it needs."""
    return value.to_bytes(value.bit_length() // 8 + 1)
