"""Blobs as files below one folder.

    incoming/<random>        being written; nothing refers to it
    blobs/ab/cd/<sha256>     durable: content flushed, then renamed here, then the folder flushed
    placing.lock             held for the moment of a rename
    lost+found/<sha256>      referred to by no row for longer than the grace; removed a day later

No outside name ever becomes a path. Putting the same bytes twice keeps one file, the younger one: a sweep never races with a put.
All that blocks, hashing included, runs in threads of the store's own.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from gateway.storage.blobs import Blob, BlobWriter, InUse
from gateway.storage.disk import Disk, blocks, to_the_end
from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError, StorageFullError

T = TypeVar("T")

# Up to here a blob is gathered in memory and costs one visit to a thread; a larger one is written as it comes.
_GATHERED: Final = 256 << 10
_THREADS: Final = 4
# How much longer than the grace a blob stays in lost+found.
_LOST_SECONDS: Final = 86_400.0
# An unfinished file that was not written to for so long is a dead process's.
_ABANDONED_SECONDS: Final = 3_600.0
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def _told() -> Iterator[None]:
    """Disk trouble in the road's words; no path goes along."""
    try:
        yield
    except FileNotFoundError as error:
        raise BlobMissingError("no such blob") from error
    except OSError as error:
        kind = StorageFullError if error.errno in _FULL else StorageError
        raise kind(f"blobs: {error.strerror or type(error).__name__}") from error


class LocalBlobs:
    """The store. `reserve`: free bytes below which nothing new is begun."""

    def __init__(self, folder: Path, *, reserve: int = 0, disk: Disk | None = None) -> None:
        self._shelf = _Shelf(folder, disk or Disk(), reserve)
        self._threads = ThreadPoolExecutor(_THREADS, "blobs")

    async def start(self) -> None:
        """Make the folders and throw away what a dead process had begun."""
        await self.visit(self._shelf.prepare)

    async def stop(self) -> None:
        """Waits for calls at work."""
        await asyncio.to_thread(self._threads.shutdown)

    async def begin(self, *, owner: str = "") -> BlobWriter:  # noqa: ARG002 - of the contract
        await self.visit(self._shelf.check_reserve)
        return _Writer(self, self._shelf)

    async def put(self, content: bytes | int, *, owner: str = "") -> Blob:  # noqa: ARG002
        return await self.visit(self._shelf.put, blocks(content) if isinstance(content, int) else (content,))

    async def open(self, digest: str, *, check: bool = False) -> int:
        opening = self.visit(self._shelf.open_checked if check else self._shelf.open, digest)
        return await to_the_end(asyncio.ensure_future(opening), os.close)

    async def read(self, digest: str) -> bytes:
        return await self.visit(self._shelf.read, digest)

    async def exists(self, digest: str) -> bool:
        return await self.visit(self._shelf.exists, digest)

    async def delete(self, digest: str) -> None:
        await self.visit(self._shelf.remove, digest)

    async def sweep(self, in_use: InUse, older_than: float) -> int:
        swept = 0
        for path in await self.visit(self._shelf.older, "blobs", older_than):
            if not await in_use(path.name):
                swept += await self.visit(self._shelf.put_aside, path, older_than)
        await self.visit(self._shelf.empty_lost_and_found, older_than - _LOST_SECONDS)
        return swept

    async def visit(self, call: Callable[..., T], *arguments: object) -> T:
        """Run `call` in one of the store's own threads."""

        def work() -> T:
            with _told():
                return call(*arguments)

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class _Writer:
    """Gathers a small blob in memory; writes a larger one as it comes."""

    def __init__(self, store: LocalBlobs, shelf: _Shelf) -> None:
        self._store = store
        self._shelf = shelf
        self._gathered = bytearray()
        self._unfinished: _Unfinished | None = None
        self._over = False
        # A cancelled caller leaves its thread at work: the next step waits for it.
        self._one_at_a_time = threading.Lock()

    async def write(self, chunk: bytes) -> None:
        self._gathered += chunk
        if len(self._gathered) >= _GATHERED:
            gathered, self._gathered = self._gathered, bytearray()
            await self._store.visit(self._spill, gathered)

    async def commit(self) -> Blob:
        try:
            return await self._store.visit(self._finish)
        except BaseException:
            await self.abort()
            raise

    async def abort(self) -> None:
        self._gathered = bytearray()
        await asyncio.shield(self._store.visit(self._discard))

    # ------------------------------------------------------------------------------------------- in a thread from here on

    def _spill(self, gathered: bytearray) -> None:
        with self._one_at_a_time:
            self._written(gathered)

    def _finish(self) -> Blob:
        with self._one_at_a_time:
            blob = self._shelf.place(self._written(self._gathered))
            self._unfinished, self._over = None, True
            return blob

    def _discard(self) -> None:
        with self._one_at_a_time:
            unfinished, self._unfinished, self._over = self._unfinished, None, True
            if unfinished is not None:
                unfinished.discard()

    def _written(self, gathered: bytearray) -> _Unfinished:
        if self._over:
            raise StorageError("blobs: aborted")
        if self._unfinished is None:
            self._unfinished = _Unfinished(self._shelf)
        self._unfinished.write(gathered)
        return self._unfinished


class _Unfinished:
    """A file under a random name that nobody knows yet, hashed while it is written."""

    def __init__(self, shelf: _Shelf) -> None:
        self._disk = shelf.disk
        self.path = shelf.folder / "incoming" / secrets.token_hex(16)
        self._fd = shelf.disk.create(self.path)
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, content: bytes | bytearray) -> None:
        self._disk.write(self._fd, content)
        self._hash.update(content)
        self._size += len(content)

    def seal(self) -> Blob:
        self._disk.flush(self._fd)
        self._close()
        return Blob(self._hash.hexdigest(), self._size)

    def discard(self) -> None:
        self._close()
        # What a broken disk keeps, the next start removes.
        try:
            self._disk.remove(self.path)
        except OSError:
            pass

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class _Turn:
    """One at a time: of the threads of this process, and of all processes that share the folder, over NFS too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = threading.Lock()
        self._fd = -1

    def __enter__(self) -> None:
        self._thread.acquire()
        try:
            if self._fd < 0:
                self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except BaseException:
            self._thread.release()
            raise

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self._thread.release()

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)


class _Shelf:
    """The files themselves. Everything here blocks and raises OSError."""

    def __init__(self, folder: Path, disk: Disk, reserve: int) -> None:
        self.folder = folder
        self.disk = disk
        self._reserve = reserve
        # Held by a sweep for its two steps and by a put for its rename: a blob that was just put is never swept.
        self._placing = _Turn(folder / "placing.lock")

    def prepare(self) -> None:
        for name in ("incoming", "blobs", "lost+found"):
            self.disk.make_folder(self.folder / name)
        # Only what nobody can still be writing: another process of this installation may be taking in right now.
        for unfinished in self.older("incoming", time.time() - _ABANDONED_SECONDS):
            self.disk.remove(unfinished)

    def check_reserve(self) -> None:
        if self.disk.free_bytes(self.folder) < self._reserve:
            raise StorageFullError("blobs: less free space than the reserve")

    def put(self, content: Iterable[bytes]) -> Blob:
        self.check_reserve()
        unfinished = _Unfinished(self)
        try:
            for block in content:
                unfinished.write(block)
            return self.place(unfinished)
        except BaseException:
            unfinished.discard()
            raise

    def place(self, unfinished: _Unfinished) -> Blob:
        """Durable content first, then the name, then the folder that holds the name."""
        blob = unfinished.seal()
        path = self._path(blob.digest)
        self.disk.make_folder(path.parent)
        with self._placing:
            self.disk.move(unfinished.path, path)
        self.disk.flush_folder(path.parent)
        return blob

    def open(self, digest: str) -> int:
        return self.disk.open(self._path(digest))

    def open_checked(self, digest: str) -> int:
        fd = self.open(digest)
        try:
            _check(digest, blocks(fd))
        except BaseException:
            os.close(fd)
            raise
        return fd

    def read(self, digest: str) -> bytes:
        fd = self.open(digest)
        try:
            content = b"".join(blocks(fd))
        finally:
            os.close(fd)
        _check(digest, (content,))
        return content

    def exists(self, digest: str) -> bool:
        return bool(_SHA256.fullmatch(digest)) and self._path(digest).exists()

    def remove(self, digest: str) -> None:
        self.disk.remove(self._path(digest))

    def older(self, below: str, moment: float) -> list[Path]:
        return [path for path in (self.folder / below).rglob("*") if path.is_file() and path.lstat().st_mtime < moment]

    def put_aside(self, path: Path, older_than: float) -> bool:
        with self._placing:
            if path.lstat().st_mtime >= older_than:
                return False
            os.utime(path)      # from now on its age counts from being put aside
            self.disk.move(path, self.folder / "lost+found" / path.name)
            return True

    def empty_lost_and_found(self, older_than: float) -> None:
        for path in self.older("lost+found", older_than):
            self.disk.remove(path)

    def _path(self, digest: str) -> Path:
        if not _SHA256.fullmatch(digest):
            raise BlobMissingError("not a digest")
        return self.folder / "blobs" / digest[:2] / digest[2:4] / digest


def _check(digest: str, content: Iterable[bytes]) -> None:
    seen = hashlib.sha256()
    for block in content:
        seen.update(block)
    if seen.hexdigest() != digest:
        raise BlobDamagedError(f"{digest[:12]}: content does not match the digest")
