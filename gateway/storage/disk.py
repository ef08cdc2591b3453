"""The calls by which the stores touch a disk, each one alone, so that a test can make any of them fail.

Every file is made for its owner only (0600, folders 0700) and never through a link.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_BLOCK: Final = 1 << 20


class Disk:
    """The real disk. All calls raise OSError."""

    def make_folder(self, folder: Path) -> None:
        """Durably, with the parents that are missing."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return
        self.flush_folder(folder.parent)

    def create(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def write(self, fd: int, content: bytes | bytearray | memoryview) -> None:
        """All of it."""
        view = memoryview(content)
        while view:
            written = os.write(fd, view)
            if written == 0:
                raise OSError(errno.EIO, "nothing written")
            view = view[written:]

    def flush(self, fd: int) -> None:
        os.fdatasync(fd)

    def close(self, fd: int) -> None:
        os.close(fd)

    def flush_folder(self, folder: Path) -> None:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def move(self, old: Path, new: Path) -> None:
        old.rename(new)

    def remove(self, path: Path) -> None:
        """A file that is gone already is as good."""
        path.unlink(missing_ok=True)

    def free_bytes(self, folder: Path) -> int:
        """What an ordinary user may still write."""
        seen = os.statvfs(folder)
        return seen.f_bavail * seen.f_frsize


def blocks(fd: int) -> Iterator[bytes]:
    """The content of a descriptor from its start, wherever its position is."""
    offset = 0
    while block := os.pread(fd, _BLOCK, offset):
        yield block
        offset += len(block)


async def to_the_end(work: asyncio.Future[T], undo: Callable[[T], None] = lambda _: None) -> T:
    """What a thread's `work` comes to. A thread cannot be stopped: who is cancelled waits for it, so that no descriptor is closed under
    its hands and is another file by then; what it came to, and nobody will have, is given to `undo`."""
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({work})
        if not work.cancelled() and work.exception() is None:
            undo(work.result())
        raise
