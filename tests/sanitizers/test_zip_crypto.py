"""Locked members that no password can open: too short for their lock, or locked in a way that nobody uses."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest

from sanitizers import zip as archive
from sanitizers import zip_crypto
from sanitizers.budget import Budget
from sanitizers.model import Encrypted, Limits, Malformed, Reason
from sanitizers.source import Source
from tests.build.context import run
from tests.build.zip import Entry, aes, build, traditional

A = Entry(b"a.txt", b"harmless")


def read(entry: Entry, *passwords: str) -> bytes:
    opened = archive.open_archive(Source(build(entry)))
    return opened.read(opened.members[0], Budget(Limits(), 1 << 20), passwords)


@pytest.mark.parametrize("flag", [0x41, 0x2001, 0x2041])
def test_strong_encryption_is_held_as_locked_whatever_the_password(flag: int) -> None:
    entry = replace(A, flags=flag, packed=bytes(40))
    with pytest.raises(Encrypted, match="PKWARE strong encryption"):
        read(entry, "pass")
    report = run(build(entry), "x.zip", passwords=("pass",)).report
    assert report.reason is Reason.ENCRYPTED


@pytest.mark.parametrize("locked", [traditional(A, b"pass"), aes(A, b"pass", 1), aes(A, b"pass", 3)])
def test_what_is_too_short_for_its_lock_is_broken(locked: Entry) -> None:
    assert locked.packed is not None
    locked = replace(locked, packed=locked.packed[:11])
    with pytest.raises(Malformed) as caught:
        read(locked, "pass")
    assert caught.value.code == "zip.size"


def test_a_password_that_japanese_tools_cannot_write_is_tried_as_utf_8_alone() -> None:
    assert list(zip_crypto.spellings(("鍵😀", "鍵", "key"))) == ["鍵😀".encode(), "鍵".encode(), "鍵".encode("cp932"), b"key"]
    assert read(traditional(A, "鍵😀".encode()), "鍵", "鍵😀") == A.data


def test_a_wrong_password_that_passes_the_check_byte_opens_nothing() -> None:
    """One in 256 does: what then comes out is garbage, and the next password is tried."""
    locked = traditional(A, b"pass")
    assert locked.packed is not None
    told = zip_crypto.Locked(1, 0, zlib.crc32(A.data), len(A.data), 8, None, memoryview(locked.packed))
    lucky = [f"{number}" for number in range(2000) if zip_crypto._fits(told, f"{number}".encode())]
    assert lucky
    assert read(locked, *lucky, "pass") == A.data
    with pytest.raises(Encrypted, match="no password opens it"):
        read(locked, *lucky)


@pytest.mark.parametrize("password", ["", "pa\0ss"])
def test_a_password_that_libarchive_cannot_be_given_opens_nothing(password: str) -> None:
    with pytest.raises(Encrypted):
        read(traditional(A, password.encode()), password)


def test_an_authenticated_member_that_is_broken_is_refused_as_broken() -> None:
    """The password is right, so nobody is asked for another one."""
    with pytest.raises(Malformed):
        read(aes(replace(A, packed=b"\xff" * 20), b"pass"), "pass")
