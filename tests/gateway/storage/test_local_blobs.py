"""Blobs on disk: modes, order of the durable steps, and trouble at each of them."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.storage.blobs import BlobWriter
from gateway.storage.faults import BlobMissingError, StorageError, StorageFullError
from gateway.storage.local_blobs import LocalBlobs
from tests.build.transfer import FaultyDisk, digest

BIG = os.urandom(600_000)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Callable[..., LocalBlobs]]:
    made: list[LocalBlobs] = []

    def make(disk: FaultyDisk | None = None, reserve: int = 0) -> LocalBlobs:
        made.append(LocalBlobs(tmp_path / "store", reserve=reserve, disk=disk))
        return made[-1]

    await make().start()
    yield make
    for blobs in made:
        await blobs.stop()


def files(folder: Path, below: str = "") -> list[Path]:
    found = (path for path in (folder / "store" / below).rglob("*") if path.is_file())
    return [path for path in found if path.name != "placing.lock"]


async def _write(writer: BlobWriter, content: bytes) -> None:
    await writer.write(content)
    await writer.commit()


async def test_only_the_owner_may_look(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    await store().put(b"secret")
    (path,) = files(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    while path != tmp_path:
        path = path.parent
        if path != tmp_path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o700


async def test_content_is_durable_before_its_name_and_the_name_before_the_answer(store: Callable[..., LocalBlobs]) -> None:
    disk = FaultyDisk()
    await store(disk).put(b"in order")
    steps = [call for call in disk.calls if call in ("write", "flush", "move", "flush_folder")]
    made_folders = steps.index("move") - steps.index("flush") - 1
    assert steps == ["write", "flush", *["flush_folder"] * made_folders, "move", "flush_folder"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("step", ["create", "write", "flush", "make_folder", "move"])
@pytest.mark.parametrize("content", [b"small", BIG], ids=["small", "big"])
async def test_trouble_at_any_step_leaves_nothing(
    store: Callable[..., LocalBlobs], tmp_path: Path, step: str, error: int, content: bytes
) -> None:
    blobs = store(FaultyDisk(step, error))
    expected = StorageError if error == errno.EIO else StorageFullError
    with pytest.raises(expected):
        await blobs.put(content)
    writer = await blobs.begin()
    with pytest.raises(expected):
        await _write(writer, content)
    await writer.abort()
    assert files(tmp_path) == []


async def test_a_name_that_may_not_be_durable_is_not_acknowledged(store: Callable[..., LocalBlobs]) -> None:
    healthy = store()
    await healthy.put(b"x")
    with pytest.raises(StorageError):
        await store(FaultyDisk("flush_folder")).put(b"x")


async def test_trouble_that_passes_is_forgotten(store: Callable[..., LocalBlobs]) -> None:
    blobs = store(FaultyDisk("flush", errno.EIO, times=1))
    with pytest.raises(StorageError):
        await blobs.put(b"again")
    assert await blobs.read((await blobs.put(b"again")).digest) == b"again"


async def test_below_the_reserve_nothing_is_begun(store: Callable[..., LocalBlobs]) -> None:
    blobs = store(reserve=1 << 62)
    with pytest.raises(StorageFullError):
        await blobs.begin()
    with pytest.raises(StorageFullError):
        await blobs.put(b"x")


async def test_what_a_dead_process_began_is_gone_after_the_next_start(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    writer = await store().begin()
    await writer.write(BIG)
    [unfinished] = files(tmp_path, "incoming")
    long_ago = time.time() - 2 * 3600
    os.utime(unfinished, (long_ago, long_ago))
    await store().start()
    assert files(tmp_path) == []


async def test_what_another_process_is_writing_survives_a_start(store: Callable[..., LocalBlobs]) -> None:
    writer = await store().begin()
    await writer.write(BIG)
    await store().start()
    blob = await writer.commit()
    assert await store().read(blob.digest) == BIG


async def test_a_cancelled_commit_is_whole_or_nothing(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    blobs = store()
    for wait in (0.0, 0.0005, 0.001, 0.002):
        writer = await blobs.begin()
        await writer.write(BIG)
        commit = asyncio.ensure_future(writer.commit())
        await asyncio.sleep(wait)
        commit.cancel()
        await asyncio.gather(commit, return_exceptions=True)
        assert files(tmp_path, "incoming") == []
        if await blobs.exists(digest(BIG)):
            assert await blobs.read(digest(BIG)) == BIG


async def test_lost_and_found_keeps_for_a_day_what_nobody_uses(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    blobs = store()
    blob = await blobs.put(b"orphan")

    async def nobody(_: str) -> bool:
        return False

    now = time.time()
    assert await blobs.sweep(nobody, now + 1) == 1
    (put_aside,) = files(tmp_path, "lost+found")
    assert put_aside.read_bytes() == b"orphan"
    await blobs.sweep(nobody, now + 3600)
    assert put_aside.exists()
    await blobs.sweep(nobody, now + 86_400 + 3600)
    assert not put_aside.exists()
    with pytest.raises(BlobMissingError):
        await blobs.read(blob.digest)


async def test_a_link_in_the_place_of_a_blob_is_not_followed(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    blobs = store()
    blob = await blobs.put(b"target")
    (path,) = files(tmp_path)
    outside = tmp_path / "outside"
    outside.write_bytes(b"target")
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(StorageError):
        await blobs.open(blob.digest)


async def test_a_put_of_another_process_waits_for_the_step_of_a_sweep(store: Callable[..., LocalBlobs]) -> None:
    """Two stores on one folder, as two processes have them: a sweep never moves away what the other has just put."""
    sweeping, putting = store(), store()
    with sweeping._shelf._placing:
        put = asyncio.create_task(putting.put(b"same"))
        done, _ = await asyncio.wait({put}, timeout=0.3)
        assert not done
    async with asyncio.timeout(10):
        blob = await put
    assert await sweeping.read(blob.digest) == b"same"


async def test_what_a_broken_disk_keeps_is_removed_by_a_later_start(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    writer = await store(FaultyDisk("remove")).begin()
    await writer.write(BIG)
    await writer.abort()
    (left,) = files(tmp_path, "incoming")
    os.utime(left, (0, 0))
    await store().start()
    assert files(tmp_path) == []


async def test_a_turn_that_cannot_be_taken_is_given_back(store: Callable[..., LocalBlobs], tmp_path: Path) -> None:
    blobs, lock = store(), tmp_path / "store" / "placing.lock"
    lock.symlink_to(tmp_path / "elsewhere")
    for _ in range(2):      # the second would wait for ever
        with pytest.raises(StorageError, match="symbolic links"):
            await blobs.put(b"x")
    lock.unlink()
    assert await blobs.read((await blobs.put(b"x")).digest) == b"x"
    assert not (tmp_path / "elsewhere").exists()
