"""Signed data (RFC 5652) and time stamps (RFC 3161), checked against what they sign. Whom a certificate belongs to is not judged."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import NameOID

from sanitizers import der
from sanitizers.der import Broken, Node

Pieces = Sequence[bytes | memoryview]

_SIGNED_DATA, _TIME_STAMP = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_PLAIN_DATA: Final = "1.2.840.113549.1.7.1"
_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
_STAMP_ATTRIBUTE: Final = "1.2.840.113549.1.9.16.2.14"
_RSA_PSS, _RSA_MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
_SHA1: Final = hashes.SHA1()  # noqa: S303 - what others signed with
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "1.3.14.3.2.26": _SHA1, "2.16.840.1.101.3.4.2.4": hashes.SHA224(), "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(), "2.16.840.1.101.3.4.2.3": hashes.SHA512(), "2.16.840.1.101.3.4.2.8": hashes.SHA3_256(),
    "2.16.840.1.101.3.4.2.9": hashes.SHA3_384(), "2.16.840.1.101.3.4.2.10": hashes.SHA3_512(),
}
# What a hostile certificate makes the library raise, besides what a list that is too short does.
_UNREADABLE: Final = (
    IndexError, ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType,
)
_LARGEST: Final = 4 << 20


class Check(NamedTuple):
    """What a signature says. `intact`: it is by the certificate that it carries and over exactly these bytes."""

    intact: bool
    signer: str
    time: str           # RFC 3339; empty when it says none
    stamped: bool       # the time is a time stamp authority's, not the signer's own


class Stamp(NamedTuple):
    """A time stamp, for whoever judges whom its certificate belongs to. `imprint`: what it is over, by SHA-256; `certificates`: all that
    came with it."""

    intact: bool
    time: str
    imprint: bytes
    signer: x509.Certificate
    certificates: tuple[x509.Certificate, ...]


class _Signer(NamedTuple):
    certificate: x509.Certificate
    hash: hashes.HashAlgorithm
    attributes: dict[str, Node]     # signed ones: identifier -> the one value
    signed: bytes                   # the encoding that was signed; empty when there are no attributes
    algorithm: list[Node]
    signature: bytes
    stamp: bytes                    # a time stamp over the signature, if any


class _Data(NamedTuple):
    kind: str                       # content type
    content: bytes | None           # None: detached
    signer: _Signer
    certificates: list[Node]


def check_detached(data: bytes, content: Pieces) -> Check:
    """`adbe.pkcs7.detached`, `ETSI.CAdES.detached` and multipart/signed. Raises Broken when it cannot be checked."""
    found = _read(data)
    if found.content is not None:
        raise Broken("not detached")
    return _checked(found, _verify(found, content), "")


def enclosed(data: bytes) -> bytes | None:
    """What signed data carries inside; None for other content of CMS, a detached signature or an inner type of its own. Raises Broken."""
    try:
        kind, *wrapped = der.sequence(der.parse(data))
        if der.identifier(kind) != _SIGNED_DATA:
            return None
        inner = der.sequence(der.sequence(der.items(wrapped[0])[0])[2])
        return der.octets(der.items(inner[1])[0]) if len(inner) > 1 and der.identifier(inner[0]) == _PLAIN_DATA else None
    except IndexError as error:
        raise Broken("shorter than its own structure") from error


def check_enclosed(data: bytes) -> Check:
    """A signature over what it carries inside (opaque S/MIME). Raises Broken when it cannot be checked."""
    found = _read(data)
    if found.content is None:
        raise Broken("detached")
    return _checked(found, _verify(found, [found.content]), "")


def check_sha1(data: bytes, content: Pieces) -> Check:
    """`adbe.pkcs7.sha1`: what is signed is the digest. Raises Broken."""
    found = _read(data)
    if found.content is None:
        raise Broken("no digest in it")
    same = found.content == _digest(_SHA1, content)
    return _checked(found, _verify(found, [found.content]) and same, "")


def check_time_stamp(data: bytes, content: Pieces) -> Check:
    """`ETSI.RFC3161`. Raises Broken."""
    found, imprint, algorithm, time = _stamp_of(data)
    same = imprint == _digest(algorithm, content)
    return _checked(found, _verify(found, [found.content or b""]) and same, time)


def time_stamp(data: bytes) -> Stamp:
    """A token by itself, over a SHA-256. Raises Broken."""
    found, imprint, algorithm, time = _stamp_of(data)
    if not isinstance(algorithm, hashes.SHA256):
        raise Broken("a time stamp over another digest")
    try:
        sent = tuple(x509.load_der_x509_certificate(node.whole) for node in found.certificates)
    except _UNREADABLE as error:
        raise Broken(str(error)[:100] or "a certificate that cannot be read") from error
    return Stamp(_verify(found, [found.content or b""]), time, imprint, found.signer.certificate, sent)


def _stamp_of(data: bytes) -> tuple[_Data, bytes, hashes.HashAlgorithm, str]:
    """What is signed, the imprint and its algorithm, and the time (RFC 3161, 2.4.2)."""
    found = _read(data)
    if found.kind != _TIME_STAMP or found.content is None:
        raise Broken("no time stamp")
    information = der.sequence(der.parse(found.content))
    imprint = der.sequence(information[2]) if len(information) >= 5 else []
    if len(imprint) != 2:
        raise Broken("no time stamp")
    return found, der.octets(imprint[1]), _hash(imprint[0]), der.time(information[4])


def _checked(found: _Data, intact: bool, stamped: str) -> Check:
    signer = found.signer
    if not stamped and signer.stamp:
        stamped = _stamped(signer)
    time = stamped
    if not time and _SIGNING_TIME in signer.attributes:
        time = der.time(signer.attributes[_SIGNING_TIME])
    return Check(intact, _subject(signer.certificate), time, bool(stamped))


def _stamped(signer: _Signer) -> str:
    """When a time stamp authority saw the signature; empty when its stamp is not over this one."""
    try:
        token = check_time_stamp(signer.stamp, [signer.signature])
    except Broken:
        return ""
    return token.time if token.intact else ""


def _subject(certificate: x509.Certificate) -> str:
    try:
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
            for attribute in certificate.subject.get_attributes_for_oid(kind):
                return str(attribute.value)
        return certificate.subject.rfc4514_string()
    except _UNREADABLE as error:
        raise Broken("a subject that cannot be read") from error


def _read(data: bytes) -> _Data:
    if len(data) > _LARGEST:
        raise Broken("too long")
    try:
        kind, wrapped = der.sequence(der.parse(data))[:2]
        if der.identifier(kind) != _SIGNED_DATA:
            raise Broken("no signed data")
        fields = der.sequence(der.items(wrapped)[0])
        inner = der.sequence(fields[2])
        content = der.octets(der.items(inner[1])[0]) if len(inner) > 1 else None
        certificates = [item for field in fields[3:] if field.tag == 0xA0 for item in der.items(field) if item.tag == der.SEQUENCE]
        (signer,) = der.items(der.expect(fields[-1], der.SET))
        return _Data(der.identifier(inner[0]), content, _signer(der.sequence(signer), certificates), certificates)
    except _UNREADABLE as error:
        raise Broken(str(error)[:100] or "cannot be read") from error


def _signer(fields: list[Node], certificates: list[Node]) -> _Signer:
    rest = fields[3:]
    attributes: dict[str, Node] = {}
    signed = b""
    if rest[0].tag == 0xA0:
        attributes = _attributes(rest[0])
        signed = bytes((der.SET,)) + rest.pop(0).whole[1:]
    unsigned = _attributes(rest[2]) if len(rest) > 2 and rest[2].tag == 0xA1 else {}
    stamp = unsigned[_STAMP_ATTRIBUTE].whole if _STAMP_ATTRIBUTE in unsigned else b""
    certificate = _certificate(fields[1], certificates)
    return _Signer(certificate, _hash(fields[2]), attributes, signed, der.sequence(rest[0]), der.octets(rest[1]), stamp)


def _attributes(node: Node) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for item in der.items(node):
        kind, values = der.sequence(item)[:2]
        if der.identifier(kind) in found:
            raise Broken("an attribute twice")
        found[der.identifier(kind)] = der.items(values)[0]
    return found


def _certificate(identifier: Node, certificates: list[Node]) -> x509.Certificate:
    """The one that the signer names, by issuer and serial number or by its key."""
    for node in certificates:
        certificate = x509.load_der_x509_certificate(node.whole)
        if identifier.tag == der.SEQUENCE:
            issuer, serial = der.sequence(identifier)
            if certificate.issuer.public_bytes() == issuer.whole and certificate.serial_number == der.integer(serial):
                return certificate
        elif _key_identifier(certificate) == identifier.body:
            return certificate
    raise Broken("the signer's certificate is not in it")


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _hash(algorithm: Node) -> hashes.HashAlgorithm:
    kind = "".join(map(der.identifier, der.sequence(algorithm)[:1]))
    if kind not in _HASHES:
        raise Broken(f"digest {kind}")
    return _HASHES[kind]


def _digest(algorithm: hashes.HashAlgorithm, pieces: Pieces) -> bytes:
    machine = hashlib.new(algorithm.name.replace("sha3-", "sha3_"))
    for piece in pieces:
        machine.update(piece)
    return machine.digest()


def _verify(found: _Data, content: Pieces) -> bool:
    """Digest in the signed attributes and signature over them; without attributes the signature is over the content itself."""
    signer = found.signer
    signed: Pieces = content
    if signer.attributes:
        if not {_CONTENT_TYPE, _MESSAGE_DIGEST} <= signer.attributes.keys():
            raise Broken("attributes without a digest")
        if der.identifier(signer.attributes[_CONTENT_TYPE]) != found.kind:
            return False
        if der.octets(signer.attributes[_MESSAGE_DIGEST]) != _digest(signer.hash, content):
            return False
        signed = [signer.signed]
    try:
        _verify_value(signer, signed)
    except InvalidSignature:
        return False
    except Broken:
        raise
    except (*_UNREADABLE, TypeError, KeyError, OverflowError) as error:
        raise Broken("an algorithm that is not known") from error
    return True


def _verify_value(signer: _Signer, signed: Pieces) -> None:
    key = signer.certificate.public_key()
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signer.signature, b"".join(signed))
        return
    known, digest = Prehashed(signer.hash), _digest(signer.hash, signed)
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signer.signature, digest, _padding(signer), known)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signer.signature, digest, ec.ECDSA(known))
    elif isinstance(key, dsa.DSAPublicKey):
        key.verify(signer.signature, digest, known)
    else:
        raise Broken("a key of an unknown kind")


def _padding(signer: _Signer) -> padding.AsymmetricPadding:
    if der.identifier(signer.algorithm[0]) != _RSA_PSS:
        return padding.PKCS1v15()
    parameters = {item.tag: der.items(item)[0] for item in der.sequence(signer.algorithm[1])}
    masked = der.sequence(parameters[0xA1]) if 0xA1 in parameters else []
    if masked and der.identifier(masked[0]) != _RSA_MGF1:
        raise Broken("an unknown mask")
    salt = der.integer(parameters[0xA2]) if 0xA2 in parameters else 20
    return padding.PSS(padding.MGF1(_hash(masked[1]) if masked else _SHA1), salt)
