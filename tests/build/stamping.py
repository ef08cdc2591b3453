"""Timestamping authorities by hand (RFC 3161): certificates of every kind, and what they answer, at a moment that stands still."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.build.pdf_signing import der, oid

AT = dt.datetime(2026, 11, 20, 1, 2, 3, tzinfo=dt.UTC)
STAMPS = (ExtendedKeyUsageOID.TIME_STAMPING,)
_DAY = dt.timedelta(days=1)
_SHA256 = der(0x30, oid("2.16.840.1.101.3.4.2.1"), der(5))
_ECDSA = der(0x30, oid("1.2.840.10045.4.3.2"))
_SIGNED_DATA, _TIME_STAMP = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE, _MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")


class Holder(NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(
    name: str, above: Holder | None = None, *, key: ec.EllipticCurvePrivateKey | None = None, ca: bool | None = None,
    uses: Sequence[x509.ObjectIdentifier] = (), critical: bool = True, days: tuple[int, int] = (-1, 5),
) -> Holder:  # fmt: skip
    """`ca`: what its basic constraints say, None: it has none. `days`: valid from when to when, from AT. Without `above` by itself."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(above.certificate.subject if above else subject)
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(AT + days[0] * _DAY).not_valid_after(AT + days[1] * _DAY)
    if ca is not None:
        made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if uses:
        made = made.add_extension(x509.ExtendedKeyUsage(uses), critical=critical)
    return Holder(made.sign(above.key if above else key, hashes.SHA256()), key)


def twice(holder: Holder) -> Holder:
    """The same with an extension that it has twice: nothing that asks for its extensions may be answered."""
    subject, key = holder.certificate.subject, holder.key
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(holder.certificate.issuer).public_key(key.public_key())
    made = made.serial_number(holder.certificate.serial_number).not_valid_before(AT - _DAY).not_valid_after(AT + _DAY)
    for last in (4, 5):
        made = made.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.3.{last}"), b"\5\0"), critical=False)
    data = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return Holder(x509.load_der_x509_certificate(data.replace(oid("1.2.3.5"), oid("1.2.3.4"))), key)


def _whole(number: int) -> bytes:
    return der(2, number.to_bytes(number.bit_length() // 8 + 1))


def reply(signer: Holder, digest: bytes, nonce: int, *sent: x509.Certificate, status: int = 0) -> bytes:
    """TimeStampResp: about `digest` and `nonce`, at AT. `sent`: certificates that go along with the signer's own."""
    imprint = der(0x30, _SHA256, der(4, digest))
    info = der(0x30, der(2, b"\1"), oid("1.2.3.4"), imprint, der(2, b"\5"), der(0x18, f"{AT:%Y%m%d%H%M%SZ}".encode()), _whole(nonce))
    attributes = der(0x30, _CONTENT_TYPE, der(0x31, _TIME_STAMP)) + der(
        0x30, _MESSAGE_DIGEST, der(0x31, der(4, hashlib.sha256(info).digest()))
    )
    value = signer.key.sign(der(0x31, attributes), ec.ECDSA(hashes.SHA256()))
    who = der(0x30, signer.certificate.issuer.public_bytes(), _whole(signer.certificate.serial_number))
    said = der(0x30, der(2, b"\1"), who, _SHA256, der(0xA0, attributes), _ECDSA, der(4, value))
    certificates = b"".join(one.public_bytes(serialization.Encoding.DER) for one in (signer.certificate, *sent))
    inside = der(0x30, _TIME_STAMP, der(0xA0, der(4, info)))
    data = der(0x30, der(2, b"\3"), der(0x31, _SHA256), inside, der(0xA0, certificates), der(0x31, said))
    token = der(0x30, _SIGNED_DATA, der(0xA0, data))
    return der(0x30, der(0x30, der(2, bytes([status]))), token)
