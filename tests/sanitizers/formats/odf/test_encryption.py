"""Documents under a password: opened with the right one, whatever office program locked them; else held."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sanitizers.model import LimitExceeded, Reason
from tests.build import odf as build
from tests.build.context import run
from tests.build.odf import Pack
from tests.build.ooxml import png

LOCKS: dict[str, Callable[[Pack, str], Pack]] = {
    "AES, PBKDF2": lambda pack, password: pack.encrypt(password),
    "Blowfish": lambda pack, password: pack.encrypt(password, build.blowfish),
    "whole package, Argon2id": lambda pack, password: pack.encrypt_whole(password),
}


def _pack() -> Pack:
    return build.odt('<text:p><draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame></text:p>').member("Pictures/a.png", png(), "image/png")


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_it_needs_its_password(lock: Callable[[Pack, str], Pack]) -> None:
    given = lock(_pack(), "春").bytes()
    assert "本文".encode() not in build.texts(given)
    assert run(given, "x.odt").report.reason is Reason.ENCRYPTED
    assert run(given, "x.odt", passwords=("夏",)).report.reason is Reason.ENCRYPTED
    outcome = run(given, "x.odt", passwords=("夏", "春"))
    assert outcome.content is not None, outcome.report.findings
    assert "本文".encode() in build.texts(outcome.content.bytes())
    assert {finding.code for finding in outcome.report.findings} == {"file.decrypted"}
    assert "encryption-data" not in {node.local for node in build.walk(outcome.content.bytes())}


def test_without_a_checksum_the_content_itself_tells() -> None:
    """`manifest:checksum` is optional."""
    members = build.members(build.odt().encrypt("春").bytes())
    before, _, after = members["META-INF/manifest.xml"].partition(b" manifest:checksum-type=")
    members["META-INF/manifest.xml"] = before + b">" + after.partition(b">")[2]
    assert run(build.zipped(members), "x.odt", passwords=("夏",)).report.reason is Reason.ENCRYPTED
    assert run(build.zipped(members), "x.odt", passwords=("夏", "春")).content is not None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"aes256-cbc", b"aes512-cbc", Reason.ENCRYPTED), (b'"PBKDF2"', b'"scrypt"', Reason.ENCRYPTED), (b'"PBKDF2"', b'"argon2id"', Reason.MALFORMED),
        (b'count="1000"', b'count="-1"', Reason.MALFORMED), (b'size="', b'size="x', Reason.MALFORMED), (b'salt="', b'salt="!', Reason.MALFORMED),
        (b'salt="', 'salt="あ'.encode(), Reason.MALFORMED), (b'key-size="32" manifest:it', b'key-size="8" manifest:it', Reason.ENCRYPTED),
        (b'vector="', b'vector="AAAA', Reason.MALFORMED), (b'#sha256"', b'#md5"', Reason.ENCRYPTED),
    ],
)  # fmt: skip
def test_unusual_encryption_is_held(old: bytes, new: bytes, reason: Reason) -> None:
    members = build.members(build.odt().encrypt("春").bytes())
    assert old in members["META-INF/manifest.xml"]
    members["META-INF/manifest.xml"] = members["META-INF/manifest.xml"].replace(old, new)
    assert run(build.zipped(members), "x.odt", passwords=("春",)).report.reason is reason


@pytest.mark.parametrize(
    ("lock", "old", "new"),
    [
        ("AES, PBKDF2", b'count="1000"', b'count="1000001"'), ("whole package, Argon2id", b'iterations="1"', b'iterations="99"'),
        ("whole package, Argon2id", b'memory="64"', b'memory="99999999"'), ("whole package, Argon2id", b'lanes="4"', b'lanes="99"'),
    ],
)  # fmt: skip
def test_password_hashing_is_limited(lock: str, old: bytes, new: bytes) -> None:
    members = build.members(LOCKS[lock](build.odt(), "春").bytes())
    assert old in members["META-INF/manifest.xml"]
    members["META-INF/manifest.xml"] = members["META-INF/manifest.xml"].replace(old, new)
    with pytest.raises(LimitExceeded):
        run(build.zipped(members), "x.odt", passwords=("春",))


@pytest.mark.parametrize(("old", "new"), [(b'memory="64"', b'memory="31"'), (b'salt="', b'salt="YQ==" x="')])
def test_password_hashing_with_impossible_numbers_is_refused(old: bytes, new: bytes) -> None:
    """RFC 9106 §3.1: at least eight KiB for each lane, and a salt of eight octets."""
    members = build.members(build.odt().encrypt_whole("春").bytes())
    assert old in members["META-INF/manifest.xml"]
    members["META-INF/manifest.xml"] = members["META-INF/manifest.xml"].replace(old, new)
    outcome = run(build.zipped(members), "x.odt", passwords=("春",))
    assert (outcome.report.reason, outcome.report.findings[-1].code) == (Reason.MALFORMED, "odf.package")


def test_a_stream_cipher_without_a_checksum_is_told_by_its_content() -> None:
    """A wrong password leaves noise, which nothing inflates."""
    members = build.members(build.odt().encrypt("春", build.blowfish).bytes())
    before, _, after = members["META-INF/manifest.xml"].partition(b" manifest:checksum-type=")
    members["META-INF/manifest.xml"] = before + b">" + after.partition(b">")[2]
    assert run(build.zipped(members), "x.odt", passwords=("夏", "秋")).report.reason is Reason.ENCRYPTED
    assert run(build.zipped(members), "x.odt", passwords=("夏", "秋", "春")).content is not None


def test_a_changed_package_is_held() -> None:
    """AES-GCM proves what it decrypts."""
    members = build.members(build.odt().encrypt_whole("春").bytes())
    members["encrypted-package"] = members["encrypted-package"][:-1] + bytes([members["encrypted-package"][-1] ^ 1])
    assert run(build.zipped(members), "x.odt", passwords=("春",)).report.reason is Reason.ENCRYPTED


def test_dangers_under_a_password_are_gone_too() -> None:
    given = build.odt().member("Basic/Standard/M.xml", "<m/>").encrypt_whole("春").bytes()
    outcome = run(given, "x.odt", passwords=("春",))
    assert {finding.code for finding in outcome.report.findings} == {"file.decrypted", "odf.macro"}
