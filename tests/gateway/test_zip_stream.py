"""The zip of delivered files: made as it is sent, read alike by everybody."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from gateway.pickup import zip_stream
from gateway.pickup.zip_stream import Stored, stream
from sanitizers import zip as strict
from sanitizers.source import Source
from tests.build.context import context


class Files:
    """Contents by descriptor."""

    def __init__(self, *contents: bytes) -> None:
        self.contents = contents

    async def read(self, fd: int, size: int, offset: int) -> bytes:
        return self.contents[fd][offset : offset + size]


async def made(files: Files, *names: str) -> bytes:
    stored = [Stored(name, len(files.contents[number]), number) for number, name in enumerate(names)]
    return b"".join([piece async for piece in stream(stored, files.read)])


async def test_every_reader_sees_the_same(tmp_path: Path) -> None:
    contents = (b"", b"a" * 3_000_000, "表".encode() * 7)
    archive = await made(Files(*contents), "空.txt", "様式①.docx", "様式①.docx")
    names = ["空.txt", "様式①.docx", "様式① (2).docx"]
    read = zipfile.ZipFile(io.BytesIO(archive))
    assert read.testzip() is None
    assert [(name, read.read(name)) for name in read.namelist()] == list(zip(names, contents, strict=True))
    opened = strict.open_archive(Source(archive))
    assert [(member.name, opened.read(member, context().budget)) for member in opened.members] == list(zip(names, contents, strict=True))
    (tmp_path / "a.zip").write_bytes(archive)
    done = subprocess.run(["unzip", "-tqq", str(tmp_path / "a.zip")], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


async def test_names_are_made_safe(tmp_path: Path) -> None:
    archive = await made(Files(b"1", b"2", b"3"), "../../etc/passwd", "con.txt", "a\u202eb.pdf")
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert not any("/" in name or "\u202e" in name or name.startswith(".") for name in names)
    assert len(set(names)) == 3


async def test_a_file_that_shrinks_ends_the_whole() -> None:
    files = Files(b"abc")
    with pytest.raises(ValueError, match="shorter"):
        [piece async for piece in stream([Stored("a", 10, 0)], files.read)]


async def test_beyond_four_gigabytes_the_long_forms_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the border moved down: the same code paths, without the bytes."""
    monkeypatch.setattr(zip_stream, "_BIG", 1_000)
    archive = await made(Files(b"a" * 2_000, b"b" * 10), "big", "small")
    assert b"PK\x06\x06" in archive
    assert b"PK\x06\x07" in archive


async def test_really_long_values_are_read_back() -> None:
    head = zip_stream._central(Stored("a", 5_000_000_000, 0), 7, 6_000_000_000)
    assert head.count((5_000_000_000).to_bytes(8, "little")) == 2
    assert (6_000_000_000).to_bytes(8, "little") in head
