"""Signed data: who signed is said only of what holds together; each thing that does not has its own words."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.x509.oid import NameOID

from sanitizers import cms
from sanitizers.der import Broken
from tests.build import pdf_signing as signing
from tests.build.pdf_signing import by_hand, certified, der, identity, oid

CONTENT = b"what is signed"
DATA = "1.2.840.113549.1.7.1"
TOKEN = "1.2.840.113549.1.9.16.1.4"
SHA512 = der(0x30, oid("2.16.840.1.101.3.4.2.3"))
ORGANIZATION = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "小諸市")]
NOBODY = [x509.NameAttribute(NameOID.COUNTRY_NAME, "JP")]


def attribute(kind: str, *values: bytes) -> bytes:
    return der(0x30, oid(kind), der(0x31, *values))


def pss(*parameters: bytes) -> bytes:
    return der(0x30, oid("1.2.840.113549.1.1.10"), der(0x30, *parameters))


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed", "ed448", "dsa"])
@pytest.mark.parametrize("attributes", [True, False])
def test_every_kind_of_key_is_checked(kind: str, attributes: bool) -> None:
    sign = by_hand(signer=identity(kind), attributes=attributes)
    assert cms.check_detached(sign(CONTENT), [CONTENT]) == cms.Check(True, signing.SIGNER, "", False)
    assert not cms.check_detached(sign(CONTENT), [CONTENT[:-1], b"x"]).intact


@pytest.mark.parametrize(("subject", "said"), [(ORGANIZATION, "小諸市"), (NOBODY, "C=JP"), ([], "")])
def test_a_certificate_without_a_name_says_what_else_it_has(subject: list[x509.NameAttribute], said: str) -> None:
    key, _ = identity("ec")
    assert cms.check_detached(by_hand(signer=(key, certified(key, subject)))(CONTENT), [CONTENT]).signer == said


def test_a_certificate_without_a_key_identifier_is_found_by_its_key() -> None:
    key, _ = identity("ec")
    sign = by_hand(signer=(key, certified(key, ORGANIZATION, identified=False)), by_key=True)
    assert cms.check_detached(sign(CONTENT), [CONTENT]).intact


def test_the_time_is_the_signers_own_unless_an_authority_stamped_it() -> None:
    said = attribute("1.2.840.113549.1.9.5", der(0x17, b"261119000000Z"))
    alone = cms.check_detached(by_hand(more=said)(CONTENT), [CONTENT])
    assert (alone.time, alone.stamped) == ("2026-11-19T00:00:00Z", False)
    stamped = cms.check_detached(by_hand(more=said, stamp=signing.time_stamp())(CONTENT), [CONTENT])
    assert (stamped.time, stamped.stamped) == ("2026-11-20T01:02:03Z", True)
    for bad in (lambda _value: signing.time_stamp()(b"another"), lambda _value: b"\x05\x00"):
        other = cms.check_detached(by_hand(more=said, stamp=bad)(CONTENT), [CONTENT])
        assert (other.time, other.stamped) == ("2026-11-19T00:00:00Z", False)


def test_what_is_enclosed_is_checked_and_taken_out() -> None:
    data = by_hand(content=lambda signed: signed)(CONTENT)
    assert cms.enclosed(data) == CONTENT
    assert cms.check_enclosed(data).intact
    assert cms.enclosed(by_hand()(CONTENT)) is None
    assert cms.enclosed(signing.time_stamp()(CONTENT)) is None
    assert cms.enclosed(der(0x30, oid("1.2.840.113549.1.7.3"))) is None
    assert not cms.check_enclosed(data.replace(CONTENT, CONTENT[::-1])).intact


def test_a_time_stamp_by_itself_says_what_it_is_over() -> None:
    found = cms.time_stamp(signing.time_stamp()(CONTENT))
    assert (found.intact, found.time, found.imprint) == (True, "2026-11-20T01:02:03Z", hashlib.sha256(CONTENT).digest())
    assert found.certificates == (found.signer,)


def test_a_digest_that_is_signed_is_compared() -> None:
    data = signing.of_sha1(CONTENT)
    assert cms.check_sha1(data, [CONTENT]).intact
    assert not cms.check_sha1(data, [CONTENT, b"x"]).intact


def _token(algorithm: bytes, *, parts: int = 5, digest: bytes = b"") -> Callable[[bytes], bytes]:
    imprint = der(0x30, algorithm, der(4, digest)) if digest else der(0x30, algorithm)
    fields = [der(2, b"\1"), oid("1.2.3.4"), imprint, der(2, b"\5"), der(0x18, b"20261120010203Z")][:parts]
    return by_hand(kind=TOKEN, content=lambda _signed: der(0x30, *fields))


def _detached(**options: object) -> Callable[[], object]:
    return lambda: cms.check_detached(by_hand(**options)(CONTENT), [CONTENT])  # type: ignore[arg-type]


def _tampered(change: Callable[[bytes], bytes]) -> Callable[[], object]:
    return lambda: cms.check_detached(change(by_hand()(CONTENT)), [CONTENT])


SIGNED_DATA = oid("1.2.840.113549.1.7.2")
BROKEN: dict[str, tuple[Callable[[], object], str]] = {
    "more than four megabytes": (lambda: cms.check_detached(bytes((4 << 20) + 1), []), "too long"),
    "another kind of data": (_tampered(lambda data: data.replace(SIGNED_DATA, oid("1.2.840.113549.1.7.3"), 1)), "no signed data"),
    "content where none belongs": (lambda: cms.check_detached(by_hand(content=lambda signed: signed)(CONTENT), []), "not detached"),
    "no content where some belongs": (lambda: cms.check_enclosed(by_hand()(CONTENT)), "detached"),
    "no digest where one belongs": (lambda: cms.check_sha1(by_hand()(CONTENT), [CONTENT]), "no digest in it"),
    "an envelope of nothing": (lambda: cms.enclosed(der(0x30, SIGNED_DATA)), "shorter than its own structure"),
    "an envelope of too little": (lambda: cms.enclosed(der(0x30, SIGNED_DATA, der(0xA0, der(0x30, der(2, b"\3"))))), "shorter than its own structure"),
    "a signature of nothing": (lambda: cms.check_detached(der(0x30, SIGNED_DATA), []), "not enough values"),
    "an attribute twice": (_detached(more=attribute("1.2.840.113549.1.9.3", oid(DATA))), "an attribute twice"),
    "an attribute of nothing": (_detached(more=attribute("1.2.3")), "list index out of range"),
    "a time that is none": (_detached(more=attribute("1.2.840.113549.1.9.5", der(4, b"now"))), "a time that cannot be read"),
    "another certificate": (
        _tampered(lambda data: data.replace(der(2, (4711).to_bytes(2, "big")), der(2, (4712).to_bytes(2, "big")), 1)), "certificate is not in it",
    ),
    "an unknown digest": (_tampered(lambda data: data.replace(oid("2.16.840.1.101.3.4.2.1"), oid("2.16.840.1.101.3.4.2.99"))), "digest 2.16.840.1.101.3.4.2.99"),
    "attributes without a digest": (
        _tampered(lambda data: data.replace(oid("1.2.840.113549.1.9.4"), oid("1.2.840.113549.1.9.99"))), "attributes without a digest",
    ),
    "a key that cannot sign": (_detached(signer=identity("x25519")), "a key of an unknown kind"),
    "an unknown mask": (_detached(algorithm=pss(der(0xA1, der(0x30, oid("1.2.3"), SHA512)))), "an unknown mask"),
    "a salt longer than the key": (_detached(algorithm=pss(der(0xA2, der(2, b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff")))), "an algorithm that is not known"),
    "no parameters": (_detached(algorithm=der(0x30, oid("1.2.840.113549.1.1.10"))), "an algorithm that is not known"),
    "a time stamp that is none": (lambda: cms.check_time_stamp(by_hand(content=lambda signed: signed)(CONTENT), [CONTENT]), "no time stamp"),
    "a time stamp without a time": (lambda: cms.check_time_stamp(_token(SHA512, parts=4, digest=b"x")(CONTENT), [CONTENT]), "no time stamp"),
    "a time stamp over nothing": (lambda: cms.check_time_stamp(_token(SHA512)(CONTENT), [CONTENT]), "no time stamp"),
    "a time stamp over another digest": (lambda: cms.time_stamp(_token(SHA512, digest=bytes(64))(CONTENT)), "a time stamp over another digest"),
    "a certificate beside it that is none": (
        lambda: cms.time_stamp(by_hand(kind=TOKEN, content=signing._token, beside=der(0x30, b"\5\0"))(CONTENT)), "parsing asn1 value",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_checked_says_why(case: str) -> None:
    act, said = BROKEN[case]
    with pytest.raises(Broken, match=said):
        act()


@pytest.mark.parametrize("parameters", [(), (der(0xA2, der(2, b"\x20")),), (der(0xA1, der(0x30, oid("1.2.840.113549.1.1.8"), SHA512)),)], ids=["usual", "salt", "mask"])
def test_a_signature_that_claims_another_padding_is_not_intact(parameters: tuple[bytes, ...]) -> None:
    assert not cms.check_detached(by_hand(algorithm=pss(*parameters))(CONTENT), [CONTENT]).intact


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_content_type_that_is_not_the_true_one_is_not_intact(kind: str) -> None:
    assert not cms.check_detached(by_hand(signer=identity(kind), said="1.2.3.4")(CONTENT), [CONTENT]).intact


def test_the_keys_are_of_the_kinds_that_they_are_called() -> None:
    assert isinstance(identity("ec")[0], ec.EllipticCurvePrivateKey)
    assert isinstance(identity("dsa")[0], dsa.DSAPrivateKey)
    assert identity()[1].not_valid_after_utc - signing.SIGNED == dt.timedelta(days=9)
