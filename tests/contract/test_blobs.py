"""What every store of blobs must do. Run on all implementations."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.storage.blobs import Blobs, opened
from gateway.storage.catalogued import CataloguedBlobs
from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.s3_blobs import ObjectShelf
from tests.build.catalogued import bucket_of, catalogued
from tests.build.transfer import MemoryBlobs, digest

BIG = os.urandom(700_000)


@pytest.fixture(params=["local", "memory", "sealed", "objects", "sealed objects"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "memory":
        store = MemoryBlobs()
        store.now = time.time()
        yield store
        return
    if request.param == "local":
        local = LocalBlobs(tmp_path / "store")
        await local.start()
        yield local
        await local.stop()
        return
    shelf: Blobs = LocalBlobs(tmp_path / "store")
    if "objects" in request.param:
        shelf = ObjectShelf(bucket_of(request.getfixturevalue("swift").endpoint), tmp_path / "spool")
    async with catalogued(tmp_path, shelf, sealed="sealed" in request.param) as (kept, _):
        yield kept


@pytest.mark.parametrize("content", [b"", b"small", BIG], ids=["empty", "small", "big"])
async def test_what_was_committed_is_read(blobs: Blobs, content: bytes) -> None:
    writer = await blobs.begin()
    for start in range(0, len(content), 100_001):
        await writer.write(content[start : start + 100_001])
    blob = await writer.commit()
    assert blob == (digest(content), len(content))
    assert await blobs.exists(blob.digest)
    assert await blobs.read(blob.digest) == content


async def test_put_takes_bytes_and_descriptors(blobs: Blobs) -> None:
    from_bytes = await blobs.put(BIG)
    async with opened(blobs, from_bytes.digest) as fd:
        os.lseek(fd, 5, os.SEEK_SET)
        assert await blobs.put(fd) == from_bytes


async def test_nothing_is_seen_before_commit(blobs: Blobs) -> None:
    writer = await blobs.begin()
    await writer.write(BIG)
    assert not await blobs.exists(digest(BIG))
    await writer.abort()
    await writer.abort()
    assert not await blobs.exists(digest(BIG))


@pytest.mark.parametrize("content", [b"", b"small", BIG], ids=["empty", "small", "big"])
async def test_what_was_given_up_cannot_be_committed(blobs: Blobs, content: bytes) -> None:
    """Nor does an empty blob come of it."""
    writer = await blobs.begin()
    await writer.write(content)
    await writer.abort()
    with pytest.raises(StorageError, match="aborted"):
        await writer.commit()
    assert not await blobs.exists(digest(content))
    assert not await blobs.exists(digest(b""))


async def test_a_descriptor_cannot_change_the_blob(blobs: Blobs) -> None:
    blob = await blobs.put(b"sealed")
    async with opened(blobs, blob.digest, check=True) as fd:
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
        with pytest.raises(OSError):
            os.write(fd, b"x")
        assert os.pread(fd, 100, 0) == b"sealed"


async def test_the_same_bytes_are_one_blob(blobs: Blobs) -> None:
    first, second = await asyncio.gather(blobs.put(BIG), blobs.put(BIG))
    assert first == second
    await blobs.delete(first.digest)
    assert not await blobs.exists(first.digest)


async def test_many_at_once(blobs: Blobs) -> None:
    contents = [os.urandom(1000 + number) for number in range(60)]
    names = [blob.digest for blob in await asyncio.gather(*(blobs.put(content) for content in contents))]
    assert await asyncio.gather(*(blobs.read(name) for name in names)) == contents


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n", "/" + "a" * 63])
async def test_no_outside_name_is_a_blob(blobs: Blobs, name: str) -> None:
    assert not await blobs.exists(name)
    for call in (blobs.open(name), blobs.read(name), blobs.delete(name)):
        with pytest.raises(BlobMissingError):
            await call


async def test_a_missing_blob_is_said_to_be_missing(blobs: Blobs) -> None:
    nobody = digest(b"nobody put this")
    await blobs.delete(nobody)
    with pytest.raises(BlobMissingError):
        await blobs.open(nobody)
    with pytest.raises(BlobMissingError):
        await blobs.read(nobody)


async def test_a_sweep_takes_what_is_old_and_unused(blobs: Blobs) -> None:
    used, unused = await blobs.put(b"used"), await blobs.put(b"unused")

    async def in_use(name: str) -> bool:
        return name == used.digest

    assert await blobs.sweep(in_use, time.time() - 60) == 0
    assert await blobs.sweep(in_use, time.time() + 60) == 1
    assert await blobs.exists(used.digest)
    assert not await blobs.exists(unused.digest)


async def test_what_is_put_during_a_sweep_stays(blobs: Blobs) -> None:
    blob = await blobs.put(b"put again")
    began = time.time() + 0.05
    await asyncio.sleep(0.1)

    async def in_use(_: str) -> bool:
        # Between the question and the answer somebody puts the same bytes.
        if isinstance(blobs, MemoryBlobs):
            pytest.skip("nothing runs beside the one in memory")
        await blobs.put(b"put again")
        return False

    await blobs.sweep(in_use, began)
    assert await blobs.exists(blob.digest)


async def _damage(blobs: Blobs, folder: Path, digest: str) -> None:
    if isinstance(blobs, MemoryBlobs):
        blobs.kept[digest] = b"whale"
        return
    if isinstance(blobs, CataloguedBlobs):
        copy = await blobs._find(digest)
        assert copy is not None
        digest = copy.name
        if isinstance(blobs._shelf, ObjectShelf):
            await blobs._shelf._bucket.put(f"{digest[:2]}/{digest}", b"whale")
            return
    (path,) = folder.rglob(digest)
    path.write_bytes(b"whale")


async def test_damage_is_told(blobs: Blobs, tmp_path: Path) -> None:
    blob = await blobs.put(b"whole")
    await _damage(blobs, tmp_path, blob.digest)
    with pytest.raises(BlobDamagedError):
        await blobs.read(blob.digest)
    with pytest.raises(BlobDamagedError):
        await blobs.open(blob.digest, check=True)
    # Whoever has the bytes again heals it.
    await blobs.put(b"whole")
    assert await blobs.read(blob.digest) == b"whole"
