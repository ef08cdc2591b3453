"""PDF files signed by code: a certificate of our own, the signature value by `cryptography`, the wrapping written by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from collections.abc import Callable
from functools import cache

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from pikepdf import Array, Dictionary, Name, String

from tests.build import pdf as build

SIGNER = "小諸 太郎"
SIGNED = dt.datetime(2026, 11, 20, 1, 2, 3, tzinfo=dt.UTC)
_ROOM = 8192
_HOLE = re.compile(rb"/Contents ?<([0-9a-fA-F]{%d})>" % (2 * _ROOM))
_RANGE = re.compile(rb"/ByteRange ?\[[^\]]*\]")
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey | dsa.DSAPrivateKey | x25519.X25519PrivateKey
Signing = Callable[[bytes], bytes]


@cache
def identity(kind: str = "rsa") -> tuple[Key, x509.Certificate]:
    """A key and a certificate that it signed for itself."""
    key = _MADE.get(kind, _MADE["rsa"])()
    return key, certified(key, [x509.NameAttribute(NameOID.COMMON_NAME, SIGNER)])


_MADE: dict[str, Callable[[], Key]] = {
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048), "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed": ed25519.Ed25519PrivateKey.generate, "ed448": ed448.Ed448PrivateKey.generate, "dsa": lambda: dsa.generate_private_key(1024),
    "x25519": x25519.X25519PrivateKey.generate,
}  # fmt: skip


def certified(key: Key, subject: list[x509.NameAttribute], *, identified: bool = True) -> x509.Certificate:
    """A certificate for the key, by itself where it can sign; `identified`: it says its key identifier."""
    name = x509.Name(subject)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(4711)
    built = built.not_valid_before(SIGNED).not_valid_after(SIGNED + dt.timedelta(days=9))
    if identified:
        built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    signer = identity()[0] if isinstance(key, x25519.X25519PrivateKey) else key
    assert not isinstance(signer, x25519.X25519PrivateKey)
    return built.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256())


def detached(kind: str = "rsa", *, pss: bool = False) -> Signing:
    """By the library: signed attributes with digest and time of signing."""
    def sign(content: bytes) -> bytes:
        key, certificate = identity(kind)
        more = {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA384()), 48)} if pss else {}
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content).add_signer(certificate, key, hashes.SHA384(), **more)  # type: ignore[arg-type]
        return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    return sign


def of_sha1(content: bytes) -> bytes:
    """`adbe.pkcs7.sha1`: the digest is what is signed, and is in it."""
    key, certificate = identity()
    builder = pkcs7.PKCS7SignatureBuilder().set_data(hashlib.sha1(content).digest()).add_signer(certificate, key, hashes.SHA256())  # type: ignore[arg-type]
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def der(tag: int, *parts: bytes, endless: bool = False) -> bytes:
    body = b"".join(parts)
    if endless:
        return bytes((tag, 0x80)) + body + b"\0\0"
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    return bytes((tag,)) + (size if len(body) < 128 else bytes((0x80 | len(size),)) + size) + body


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for number in (40 * first + second, *rest):
        septets = [number & 127]
        while number := number >> 7:
            septets.append(number & 127 | 128)
        out += bytes(reversed(septets))
    return der(6, out)


_SHA256 = der(0x30, oid("2.16.840.1.101.3.4.2.1"), der(5))
_RSA = der(0x30, oid("1.2.840.113549.1.1.1"), der(5))


def _attribute(kind: str, value: bytes) -> bytes:
    return der(0x30, oid(kind), der(0x31, value))


def by_hand(
    *, kind: str = "1.2.840.113549.1.7.1", content: Callable[[bytes], bytes] | None = None, attributes: bool = True, endless: bool = False,
    by_key: bool = False, stamp: Signing | None = None, said: str = "", more: bytes = b"", algorithm: bytes = b"", beside: bytes = b"",
    signer: tuple[Key, x509.Certificate] | None = None,
) -> Signing:
    """Signed data as other programs write it. `content`: what is inside; None: detached. `said`: a content type that is not the true one.
    `more`: further attributes that are signed; `algorithm`: another one than is true; `beside`: what stands beside the certificate."""
    def sign(signed: bytes) -> bytes:
        key, certificate = signer or identity()
        inner = content(signed) if content else None
        subject = signed if inner is None else inner
        digest = hashlib.sha256(subject).digest()
        extra = b""
        if attributes:
            extra = _attribute("1.2.840.113549.1.9.3", oid(said or kind)) + _attribute("1.2.840.113549.1.9.4", der(4, digest)) + more
            subject = der(0x31, extra)
        value = _value(key, subject)
        who = der(0x80, _key_identifier(certificate)) if by_key else der(
            0x30, certificate.issuer.public_bytes(), der(2, certificate.serial_number.to_bytes(2, "big"))
        )
        parts = [der(2, b"\1"), who, _SHA256, der(0xA0, extra) if extra else b"", algorithm or _RSA, der(4, value)]
        if stamp is not None:
            parts.append(der(0xA1, _attribute("1.2.840.113549.1.9.16.2.14", stamp(value))))
        inside = oid(kind) + (b"" if inner is None else der(0xA0, der(4, inner)))
        data = der(
            0x30, der(2, b"\3"), der(0x31, _SHA256), der(0x30, inside, endless=endless),
            der(0xA0, certificate.public_bytes(serialization.Encoding.DER), beside, endless=endless), der(0x31, der(0x30, *parts)), endless=endless,
        )
        return der(0x30, oid("1.2.840.113549.1.7.2"), der(0xA0, data, endless=endless), endless=endless)
    return sign


def _value(key: Key, subject: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(subject, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return key.sign(subject)
    if isinstance(key, dsa.DSAPrivateKey):
        return key.sign(subject, hashes.SHA256())
    return key.sign(subject, ec.ECDSA(hashes.SHA256())) if isinstance(key, ec.EllipticCurvePrivateKey) else bytes(64)


def _key_identifier(certificate: x509.Certificate) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _token(signed: bytes) -> bytes:
    imprint = der(0x30, _SHA256, der(4, hashlib.sha256(signed).digest()))
    return der(0x30, der(2, b"\1"), oid("1.2.3.4"), imprint, der(2, b"\5"), der(0x18, b"20261120010203Z"))


def time_stamp(**options: bool) -> Signing:
    """RFC 3161: 2026-11-20 01:02:03."""
    return by_hand(kind="1.2.840.113549.1.9.16.1.4", content=_token, **options)  # type: ignore[arg-type]


def placed(subfilter: str, document: pikepdf.Pdf | None = None, name: str = "Signature1", **options: object) -> bytes:
    """A document with a signature field on its first page whose signature is still to be put in."""
    document = document or build.clean()
    value = document.make_indirect(Dictionary(
        Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), SubFilter=Name(f"/{subfilter}"), ByteRange=Array([0] + [10**9 + 1] * 3),
        Contents=String(b"\0" * _ROOM), Name=String("someone"), M=String("D:20261120100203+09'00'"), Reason=String("承認"),
    ))
    looks = document.make_stream(
        b"1 0.8 0.8 rg 0 0 100 40 re f", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 100, 40], Resources=Dictionary()
    )
    field = document.make_indirect(Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String(name), V=value, Rect=[50, 500, 150, 540], F=132, AP=Dictionary(N=looks),
    ))
    page = document.pages[0].obj
    page.Annots = Array([*page.get("/Annots", []), field])
    if "/AcroForm" not in document.Root:
        document.Root.AcroForm = Dictionary(Fields=Array())
    document.Root.AcroForm.Fields.append(field)
    document.Root.AcroForm.SigFlags = 3
    stream = io.BytesIO()
    document.save(stream, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def signed(sign: Signing, subfilter: str = "adbe.pkcs7.detached", data: bytes | None = None) -> bytes:
    """`data`, or a small document, with its open signature put in."""
    data = placed(subfilter) if data is None else data
    hole = [match for match in _HOLE.finditer(data) if not match[1].strip(b"0")][-1]
    first, second = hole.start(1) - 1, hole.end(1) + 1
    ranges = b"/ByteRange [0 %d %d %d" % (first, second, len(data) - second)
    old = min(_RANGE.finditer(data), key=lambda match: abs(match.start() - hole.start()))
    data = data[: old.start()] + ranges.ljust(old.end() - old.start() - 1) + b"]" + data[old.end() :]
    value = sign(data[:first] + data[second:]).hex().encode()
    return data[: first + 1] + value.ljust(2 * _ROOM, b"0") + data[second - 1 :]


def added(data: bytes, objects: bytes = b"99 0 obj\n<</Added true>>\nendobj\n") -> bytes:
    """One more revision behind the file: what anyone may do after signing."""
    previous = int(data[data.rfind(b"startxref") + 10 :].split()[0])
    root = re.findall(rb"/Root ([0-9]+) 0 R", data)[-1]
    size = re.findall(rb"/Size ([0-9]+)", data)[-1]
    start = len(data) + len(objects)
    tail = b"xref\n99 1\n%010d 00000 n \ntrailer <</Size 100/Root %b 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(data), root, previous, start,
    )
    assert int(size) < 99
    return data + objects + tail
