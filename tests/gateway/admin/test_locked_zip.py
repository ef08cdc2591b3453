"""A zip that only its password opens: opened by 7-Zip and by libarchive, neither of which is ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.admin import locked_zip

SEVEN = shutil.which("7z") or shutil.which("7zz") or ""
BSDTAR = shutil.which("bsdtar") or ""


async def pieces(data: bytes, length: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), length):
        yield data[start : start + length]


async def archive(data: bytes, word: str, name: str = "願書.docm", length: int = 1_000) -> bytes:
    return b"".join([piece async for piece in locked_zip.stream(name, len(data), pieces(data, length), word)])


@pytest.mark.skipif(not SEVEN, reason="needs 7z")
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100_001])
async def test_seven_zip_opens_it_with_the_password_alone(tmp_path: Path, size: int) -> None:
    data, word = bytes(number * 7 % 251 for number in range(size)), locked_zip.password()
    (tmp_path / "a.zip").write_bytes(await archive(data, word, length=777))

    def taken(given: str) -> int:
        return subprocess.run([SEVEN, "x", "-y", f"-p{given}", "-oout", "a.zip"], cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode

    assert taken(word) == 0
    assert (tmp_path / "out" / "願書.docm").read_bytes() == data
    assert taken("other-word") != 0


@pytest.mark.skipif(not BSDTAR, reason="needs bsdtar")
async def test_libarchive_opens_it_too(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(await archive(b"content" * 1_000, "word"))
    ran = subprocess.run([BSDTAR, "-xOf", "a.zip", "--passphrase", "word"], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert ran.stdout == b"content" * 1_000, ran.stderr


async def test_nothing_of_the_content_shows() -> None:
    written = await archive(b"secret words of a sender" * 50, "word")
    assert b"secret" not in written
    assert await archive(b"same", "word") != await archive(b"same", "word"), "each has a salt of its own"


async def test_a_file_of_another_length_is_not_closed_properly() -> None:
    with pytest.raises(ValueError, match="long"):
        [piece async for piece in locked_zip.stream("a", 5, pieces(b"four", 4), "word")]
    with pytest.raises(ValueError, match="large"):
        [piece async for piece in locked_zip.stream("a", 5 << 30, pieces(b"", 1), "word")]


def test_passwords_are_long_and_differ() -> None:
    words = {locked_zip.password() for _ in range(100)}
    assert len(words) == 100
    assert {len(word) for word in words} == {29}
