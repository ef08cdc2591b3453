"""The exchange folder: whole files only, each taken once, whatever happens in between; what is refused is put apart."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.crossing.folder import REFUSED, FromFolder, IntoFolder
from gateway.model import State
from gateway.storage.disk import Disk
from gateway.storage.halts import Halt
from tests.build.segments import Sides, sides
from tests.build.transfer import NOW


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Sides]:
    async with sides(tmp_path) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "exchange").mkdir()
    return tmp_path / "exchange"


def lying(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_file_is_written_and_taken_and_gone(two: Sides, folder: Path) -> None:
    numbers = [await two.mail(), await two.file()]
    await two.push(IntoFolder(folder), *numbers)
    assert len(lying(folder)) == 2
    assert all(name.endswith(".sekisho") for name in lying(folder))
    assert await FromFolder(folder, two.taking).look() == 2
    assert lying(folder) == []
    assert len(await two.arrived()) == 2


async def test_what_is_not_whole_yet_is_left_alone(two: Sides, folder: Path) -> None:
    (folder / ".x.part").write_bytes(b"half")
    (folder / "readme.txt").write_bytes(b"not ours")
    os.symlink("/etc/passwd", folder / "x.sekisho")
    assert await FromFolder(folder, two.taking).look() == 0
    assert lying(folder) == [".x.part", "readme.txt", "x.sekisho"]


async def test_a_stop_between_taking_and_putting_away(two: Sides, folder: Path) -> None:
    number = await two.mail()
    await two.push(IntoFolder(folder), number)
    (name,) = lying(folder)
    shutil.copy(folder / name, folder.parent / "kept")

    class Stops(FromFolder):
        def _remove(self, file: Path) -> None:
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        await Stops(folder, two.taking).look()
    assert await FromFolder(folder, two.taking).look() == 1
    assert len(await two.arrived()) == 1
    assert not two.told, "it was only seen twice"
    shutil.copy(folder.parent / "kept", folder / name)
    assert await FromFolder(folder, two.taking).look() == 1
    assert [why for why, *_ in two.told] == ["replay"], "and now somebody brought it once more"
    assert lying(folder) == [REFUSED]
    assert lying(folder / REFUSED) == [name]
    assert len(await two.arrived()) == 1


async def test_what_was_altered_is_put_apart(two: Sides, folder: Path) -> None:
    number = await two.mail()
    await two.push(IntoFolder(folder), number)
    (name,) = lying(folder)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1] + b"?")
    assert await FromFolder(folder, two.taking).look() == 1
    (folder / name).write_bytes(whole[:-1])
    assert await FromFolder(folder, two.taking).look() == 1
    assert [why for why, *_ in two.told] == ["content", "format"]
    assert await two.arrived() == []


async def test_what_cannot_be_taken_now_waits_there(two: Sides, folder: Path) -> None:
    number = await two.mail()
    await two.push(IntoFolder(folder), number)
    await two.inner.halt(Halt.INTAKE, at=NOW, actor="somebody", reason="drill")
    assert await FromFolder(folder, two.taking).look() == 0
    assert len(lying(folder)) == 1
    await two.inner.resume(Halt.INTAKE, at=NOW, actor="somebody", reason="over")
    assert await FromFolder(folder, two.taking).look() == 1
    assert len(await two.arrived()) == 1


async def test_a_folder_that_is_full_or_gone_delivers_nothing(two: Sides, folder: Path) -> None:
    class Full(Disk):
        def flush(self, fd: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    number = await two.mail()
    await two.push(IntoFolder(folder, Full()), number, state=State.DEFERRED)
    assert [name for name in lying(folder) if not name.startswith(".")] == []
    two.now += 100
    await two.push(IntoFolder(folder / "gone"), number, state=State.DEFERRED)
    two.now += 100
    await two.push(IntoFolder(folder), number)
    assert await FromFolder(folder, two.taking).look() == 1
    assert len(await two.arrived()) == 1
