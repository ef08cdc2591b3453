"""The way over by an exchange folder, where no line is allowed: one side writes, the other takes; each file is whole or not there.

The outer side writes `.<name>.part`, flushes it, renames it to `<name>.sekisho`, flushes the folder: then it is delivered. The inner side
takes what it finds in the order of its names' arrival, puts away what is in, and moves what it refuses into `refused/`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from gateway.crossing.papers import RefusedError
from gateway.crossing.pushing import CarryError, Load
from gateway.crossing.taking import Taking
from gateway.storage.disk import Disk, to_the_end
from gateway.storage.faults import StorageError
from gateway.telemetry import log

_log = log.get(__name__)

SUFFIX: Final = ".sekisho"
REFUSED: Final = "refused"
_POLL_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 10.0
_PIECE: Final = 1 << 18


class IntoFolder:
    """The outer end (`pushing.Carrier`)."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self._folder = folder
        self._disk = disk or Disk()

    async def carry(self, load: Load) -> None:
        unfinished, whole = self._folder / f".{load.crossing}.part", self._folder / f"{load.crossing}{SUFFIX}"
        try:
            fd = await asyncio.to_thread(os.open, unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
            try:
                async for chunk in load.chunks():
                    await to_the_end(asyncio.ensure_future(asyncio.to_thread(self._disk.write, fd, chunk)))
                await to_the_end(asyncio.ensure_future(asyncio.to_thread(self._disk.flush, fd)))
            finally:
                self._disk.close(fd)
            await asyncio.to_thread(os.replace, unfinished, whole)
            await asyncio.to_thread(self._disk.flush_folder, self._folder)
        except OSError as error:
            raise CarryError(f"exchange folder: {error.strerror or error}") from None

    async def close(self) -> None:
        """Nothing is kept open."""


class FromFolder:
    """The inner end: run it once."""

    def __init__(self, folder: Path, taking: Taking, disk: Disk | None = None, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._folder = folder
        self._taking = taking
        self._disk = disk or Disk()
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Until it is cancelled. A folder that is not there is waited for."""
        while True:
            try:
                done = await self.look()
            except OSError as error:
                _log.error("the exchange folder cannot be read", error=error.strerror or str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if not done:
                await asyncio.sleep(self._poll_seconds)

    async def look(self) -> int:
        """Everything that lies there now, once; how many files were put away. Raises OSError."""
        files = await asyncio.to_thread(self._waiting)
        return sum([await self._one(file) for file in files])

    def _waiting(self) -> list[Path]:
        found = [Path(entry) for entry in os.scandir(self._folder) if entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False)]
        return sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name))

    async def _one(self, file: Path) -> bool:
        """Whether it is gone from there."""
        try:
            fd = await asyncio.to_thread(os.open, file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:        # the others need not wait for this one
            _log.error("a file in the exchange folder cannot be read", file=file.name, error=error.strerror or str(error))
            return False
        try:
            taken = await self._taking.take(_pieces(fd), via=file.name, file=True)
        except RefusedError as error:
            _log.warning("a file was put apart", file=file.name, error=str(error))
            await asyncio.to_thread(self._put_apart, file)
            return True
        except (StorageError, OSError) as error:
            _log.warning("a file waits in the exchange folder", file=file.name, error=str(error))
            return False
        finally:
            os.close(fd)
        await asyncio.to_thread(self._remove, file)
        await self._taking.put_away(taken)
        return True

    def _remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        self._disk.flush_folder(self._folder)

    def _put_apart(self, file: Path) -> None:
        apart = self._folder / REFUSED
        apart.mkdir(mode=0o700, exist_ok=True)
        file.replace(apart / file.name)
        self._disk.flush_folder(self._folder)


async def _pieces(fd: int) -> AsyncIterator[bytes]:
    offset = 0
    while piece := await asyncio.to_thread(os.pread, fd, _PIECE, offset):
        yield piece
        offset += len(piece)
