"""The contract of a store of sealed bytes, written once and named by their SHA-256. Its suite: tests/contract/test_blobs.py."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from gateway.storage.disk import blocks

# Whether any row still refers to the blob of that digest.
InUse = Callable[[str], Awaitable[bool]]


class Blob(NamedTuple):
    """What a blob is called and how many bytes it has."""

    digest: str
    size: int


class BlobWriter(Protocol):
    """One blob being written. Ends with exactly one commit or abort; abort after a failure is always allowed."""

    async def write(self, chunk: bytes) -> None:
        """Raises StorageError; then only abort is left."""

    async def commit(self) -> Blob:
        """When this returns, the bytes survive a power cut. Raises StorageError; then nothing is visible."""

    async def abort(self) -> None:
        """Nothing remains. Never raises."""


class Blobs(Protocol):
    """A store of sealed bytes. Any call raises StorageError when the store fails. `owner`: the organisation under whose key it is kept."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def begin(self, *, owner: str = "") -> BlobWriter:
        """Raises StorageFullError below the reserve of free space."""

    async def put(self, content: bytes | int, *, owner: str = "") -> Blob:
        """Bytes, or all that a descriptor holds; it stays the caller's. As durable as a commit."""

    async def open(self, digest: str, *, check: bool = False) -> int:
        """A descriptor for reading only, the caller's. BlobMissingError; with `check` also BlobDamagedError."""

    async def read(self, digest: str) -> bytes:
        """All bytes, checked. BlobMissingError, BlobDamagedError."""

    async def exists(self, digest: str) -> bool: ...

    async def delete(self, digest: str) -> None:
        """At once, whoever refers to it; a missing blob is as good as deleted."""

    async def sweep(self, in_use: InUse, older_than: float) -> int:
        """Put aside every blob last put before `older_than` (seconds since 1970) that nobody uses; how many."""


@asynccontextmanager
async def opened(blobs: Blobs, digest: str, *, check: bool = False) -> AsyncIterator[int]:
    """The descriptor of a blob, closed at the end."""
    fd = await blobs.open(digest, check=check)
    try:
        yield fd
    finally:
        os.close(fd)


async def stored(writer: BlobWriter, content: bytes | int) -> Blob:
    """All of `content` (see `Blobs.put`), or nothing. Raises StorageError."""
    try:
        for block in blocks(content) if isinstance(content, int) else (content,):
            await writer.write(block)
        return await writer.commit()
    except BaseException:
        await writer.abort()
        raise
