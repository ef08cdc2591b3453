"""Sealed bytes as objects of an S3 store, each under a random name of its own: `<prefix>/ab/<64 hexadecimal digits>`.

A name is given once and never again. So nothing is ever written over, what a reader has begun to fetch stays what it was, and whoever
sweeps can never meet somebody who puts: an object that no row refers to and that is older than the grace is nobody's, for ever. Which
blob lies under which names is kept by the catalogue (`gateway.storage.catalogued`), after the object is durable and before anybody is told.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gateway.road import memory
from gateway.storage.blobs import Blob, BlobWriter, InUse, stored
from gateway.storage.disk import blocks, to_the_end
from gateway.storage.faults import BlobMissingError, StorageError
from gateway.storage.s3 import Bucket
from gateway.telemetry import log

_log = log.get(__name__)

# A larger object goes in parts of so many bytes: more than the 5 MiB that S3 asks of each but the last.
_PART: Final = 8 << 20
_NAME: Final = re.compile(r"[0-9a-f]{64}")
# Fetched into memory up to here, above into a file without a name.
_SMALL: Final = 4 << 20


class ObjectShelf:
    """Objects by their own names. `spool`: folder for large ones while they are read, without a name, so that they go with their reader."""

    def __init__(self, bucket: Bucket, spool: Path) -> None:
        self._bucket = bucket
        self._spool = spool

    async def start(self) -> None:
        self._spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._bucket.start()

    async def stop(self) -> None:
        await self._bucket.stop()

    async def begin(self, *, owner: str = "") -> BlobWriter:  # noqa: ARG002 - of the contract
        return _Writer(self._bucket)

    async def put(self, content: bytes | int, *, owner: str = "") -> Blob:  # noqa: ARG002
        """Under a name of its own, which is what the Blob says."""
        return await stored(_Writer(self._bucket), content)

    async def open(self, name: str, *, check: bool = False) -> int:  # noqa: ARG002 - of the contract
        """What an object holds, fetched whole; `check` says nothing here: the name is no digest. Raises StorageError."""
        key, fd = _key(name), memory.create("object")
        try:
            held = 0
            async for block in self._bucket.get(key):
                if held <= _SMALL < held + len(block):
                    small, fd = fd, os.open(self._spool, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
                    await _moved(small, fd)
                await _written(fd, (block,))
                held += len(block)
            return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise StorageError(f"spool: {error.strerror}") from error
        finally:
            os.close(fd)

    async def read(self, name: str) -> bytes:
        fd = await self.open(name)
        try:
            return await asyncio.to_thread(lambda: b"".join(blocks(fd)))
        finally:
            os.close(fd)

    async def exists(self, name: str) -> bool:
        return bool(_NAME.fullmatch(name)) and await self._bucket.size(_key(name)) is not None

    async def delete(self, name: str) -> None:
        await self._bucket.delete(_key(name))

    async def sweep(self, in_use: InUse, older_than: float) -> int:
        """Delete every object put before `older_than`, by the store's clock, that nobody refers to; how many."""
        swept = 0
        async for listed in self._bucket.listed():
            name = listed.key.rpartition("/")[2]
            if listed.modified < older_than and _NAME.fullmatch(name) and listed.key == _key(name) and not await in_use(name):
                await self._bucket.delete(listed.key)
                swept += 1
        return swept


class _Writer:
    """A small object is sent whole at the end, a large one in parts as it comes."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._name = secrets.token_hex(32)
        self._gathered = bytearray()
        self._upload = ""
        self._tags: list[str] = []
        self._size = 0
        self._over = False

    async def write(self, chunk: bytes) -> None:
        self._gathered += chunk
        self._size += len(chunk)
        while len(self._gathered) > _PART:
            await self._part(bytes(self._gathered[:_PART]))
            del self._gathered[:_PART]

    async def commit(self) -> Blob:
        """Put, then looked at: it is there, with all its bytes. Raises StorageError."""
        if self._over:
            raise StorageError("object store: aborted")
        key = _key(self._name)
        try:
            if self._upload:
                await self._part(bytes(self._gathered))
                await self._bucket.end_parts(key, self._upload, self._tags)
            else:
                await self._bucket.put(key, bytes(self._gathered))
            if (found := await self._bucket.size(key)) != self._size:
                raise StorageError(f"object store: {self._size} bytes were put, {found} are there")
        except BaseException:
            await self.abort()
            raise
        self._over = True
        return Blob(self._name, self._size)

    async def abort(self) -> None:
        self._over, upload, self._upload = True, self._upload, ""
        self._gathered.clear()
        if upload:
            await asyncio.shield(self._abandon(upload))

    async def _part(self, body: bytes) -> None:
        if self._over:
            raise StorageError("object store: aborted")
        if not self._upload:
            self._upload = await self._bucket.begin_parts(_key(self._name))
        self._tags.append(await self._bucket.put_part(_key(self._name), self._upload, len(self._tags) + 1, body))

    async def _abandon(self, upload: str) -> None:
        try:
            await self._bucket.abandon_parts(_key(self._name), upload)
        except StorageError as error:
            # Stores give up parts by a rule of their own, as the operator sets it.
            _log.warning("parts of an object were left behind", error=str(error))


def _key(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BlobMissingError("not a name")
    return f"{name[:2]}/{name}"


async def _moved(small: int, file: int) -> None:
    """It is larger than what fits into memory."""
    try:
        await _written(file, blocks(small))
    finally:
        os.close(small)


async def _written(fd: int, content: Iterable[bytes]) -> None:
    await to_the_end(asyncio.ensure_future(asyncio.to_thread(_write, fd, content)))


def _write(fd: int, content: Iterable[bytes]) -> None:
    for block in content:
        view = memoryview(block)
        while view:
            view = view[os.write(fd, view) :]

