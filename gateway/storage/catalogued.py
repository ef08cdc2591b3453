"""Blobs whose place and key stand in the journal: in an object store, or sealed at rest, or both.

    put:   sealed as it comes → durable on the shelf under a name of its own → a row says so → the caller is told
    gone:  the key in the row is destroyed, in the transaction that gives the blob up; then what lay under the name is deleted

Every put makes another copy under another name and key; of several the sweep leaves the youngest. So nothing that is put is ever
somewhere in between: a crash leaves a name without a row, which the sweep deletes after the grace. What lay on the shelf under its
digest before all this was switched on is found there still.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection

from gateway.road import memory
from gateway.storage import copies
from gateway.storage.blobs import Blob, Blobs, BlobWriter, InUse, stored
from gateway.storage.copies import Copy
from gateway.storage.disk import blocks, to_the_end
from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring
from gateway.storage.sealed import Opening, SealBrokenError, Sealing
from gateway.storage.search import blob_in_use

_DATA_KEY: Final = 32
_TURNS: Final = 3
_TOMB_SECONDS: Final = 86_400.0
_ACTOR: Final = "blobs"


class CataloguedBlobs:
    """`shelf`: a store that calls what is put by names of its own. `keyring`: None leaves the bytes as they are. `owner`: the organisation
    of what is put without naming one."""

    def __init__(
        self, shelf: Blobs, journal: Journal, keyring: Keyring | None, *, owner: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._shelf = shelf
        self._journal = journal
        self._keyring = keyring
        self._owner = owner
        self._clock = clock

    async def start(self) -> None:
        """Behind the journal. Raises StorageError, also when the master key is another than that of the keys."""
        await self._shelf.start()
        if self._keyring is not None:
            await self._keyring.start()

    async def stop(self) -> None:
        await self._shelf.stop()

    async def begin(self, *, owner: str = "") -> BlobWriter:
        return _Writer(self, await self._shelf.begin(), sealed=self._keyring is not None, owner=owner or self._owner)

    async def put(self, content: bytes | int, *, owner: str = "") -> Blob:
        return await stored(await self.begin(owner=owner), content)

    async def open(self, digest: str, *, check: bool = False) -> int:
        copy = await self._find(digest)
        if copy is None:
            return await self._shelf.open(digest, check=check)
        try:
            fd = await self._shelf.open(copy.name)
        except BlobMissingError:
            # A sweep took an older copy between the question and the answer, or all of them.
            if (youngest := await self._find(digest)) is None or youngest.id == copy.id:
                raise
            return await self.open(digest, check=check)
        try:
            if copy.key_id is not None:
                return await self._unsealed(fd, copy)
            if check:
                await asyncio.to_thread(_check, fd, digest)
            return os.dup(fd)
        finally:
            os.close(fd)

    async def read(self, digest: str) -> bytes:
        fd = await self.open(digest, check=True)
        try:
            return await asyncio.to_thread(lambda: b"".join(blocks(fd)))
        finally:
            os.close(fd)

    async def exists(self, digest: str) -> bool:
        return await self._find(digest) is not None or await self._shelf.exists(digest)

    async def delete(self, digest: str) -> None:
        names = await self._journal.write(lambda connection: copies.give_up(connection, digest, self._clock()))
        for name in (*names, digest):
            await self._shelf.delete(name)

    async def sweep(self, in_use: InUse, older_than: float) -> int:
        """Give up what nobody uses, copies that have a younger one, and what lies on the shelf under a name that no row knows."""
        swept, after = 0, 0
        while page := await self._journal.ask(lambda connection: copies.unused(connection, older_than, after)):  # noqa: B023
            for digest in {copy.digest for copy in page}:
                swept += 0 if await in_use(digest) else await self._give_up(digest, older_than)
            after = page[-1].id
        await self._give_up_superseded(older_than)

        async def known(name: str) -> bool:
            stands = await self._journal.ask(lambda connection: copies.name_stands(connection, name))
            return await in_use(name) if stands is None else stands

        swept += await self._shelf.sweep(known, older_than)
        await self._journal.write(lambda connection: copies.forget(connection, older_than - _TOMB_SECONDS))
        if self._keyring is not None:
            await self._keyring.tidy(actor=_ACTOR)
        return swept

    async def _give_up(self, digest: str, older_than: float) -> int:
        def give_up(connection: Connection) -> list[str]:
            # Asked again where nothing can change in between: whoever refers to it from now on is told that it is gone.
            return [] if blob_in_use(connection, digest) else copies.give_up(connection, digest, self._clock(), made_before=older_than)

        names = await self._journal.write(give_up)
        for name in names:
            await self._shelf.delete(name)
        return int(bool(names))

    async def _give_up_superseded(self, older_than: float) -> None:
        for digest in await self._journal.ask(lambda connection: copies.superseded(connection, older_than)):
            for name in await self._journal.write(
                lambda connection: copies.give_up_superseded(connection, digest, self._clock(), made_before=older_than)  # noqa: B023
            ):
                await self._shelf.delete(name)

    async def catalogue(self, blob: Blob, name: str, data_key: bytes, owner: str) -> None:
        """The bytes are durable; now they can be found. Raises StorageError."""
        for _ in range(_TURNS):
            key_id, wrapped = (None, "") if self._keyring is None else await self._keyring.wrap(data_key, owner, blob.digest)
            row = partial(copies.add, digest=blob.digest, size=blob.size, name=name, key_id=key_id, wrapped=wrapped, at=self._clock())
            if await self._journal.write(row, narrow=True):
                return
            # Somebody turned the key since this process last asked for it.
            if self._keyring is not None:
                self._keyring.forget(owner)
        raise StorageError("blobs: the keys turn faster than anything can be sealed")

    async def _find(self, digest: str) -> Copy | None:
        return await self._journal.ask(lambda connection: copies.find(connection, digest))

    async def _unsealed(self, fd: int, copy: Copy) -> int:
        if self._keyring is None:
            raise StorageError("storage.key: a sealed blob, and no key is set")
        opening = asyncio.to_thread(_opened, fd, await self._keyring.unwrap(copy), copy.digest)
        return await to_the_end(asyncio.ensure_future(opening), os.close)


class _Writer:
    """Seals what comes, and reckons the digest of what it was."""

    def __init__(self, store: CataloguedBlobs, shelved: BlobWriter, *, sealed: bool, owner: str) -> None:
        self._store = store
        self._shelved = shelved
        self._owner = owner
        self._data_key = secrets.token_bytes(_DATA_KEY)
        self._sealing = Sealing(AESGCM(self._data_key)) if sealed else None
        self._hash = hashlib.sha256()
        self._size = 0

    async def write(self, chunk: bytes) -> None:
        kept = await asyncio.to_thread(self._take, chunk) if len(chunk) > _IN_PASSING else self._take(chunk)
        if kept:
            await self._shelved.write(kept)

    def _take(self, chunk: bytes) -> bytes:
        self._hash.update(chunk)
        self._size += len(chunk)
        return chunk if self._sealing is None else self._sealing.add(chunk)

    async def commit(self) -> Blob:
        if self._sealing is not None:
            await self._shelved.write(self._sealing.end())
        kept = await self._shelved.commit()
        blob = Blob(self._hash.hexdigest(), self._size)
        await self._store.catalogue(blob, kept.digest, self._data_key, self._owner)
        return blob

    async def abort(self) -> None:
        await self._shelved.abort()


# More than this is hashed and sealed in a thread.
_IN_PASSING: Final = 64 << 10


def _opened(fd: int, data_key: bytes, digest: str) -> int:
    """What was sealed, in memory only: nothing of it is ever written to a disk."""
    plain, seen = memory.create("blob"), hashlib.sha256()
    try:
        with os.fdopen(os.dup(fd), "rb") as source:
            opening = Opening(source, AESGCM(data_key))
            while block := opening.next():
                seen.update(block)
                _write(plain, block)
            if source.read(1):
                raise SealBrokenError("more than was sealed")
        if seen.hexdigest() != digest:
            raise BlobDamagedError(f"{digest[:12]}: content does not match the digest")
        return os.open(f"/proc/self/fd/{plain}", os.O_RDONLY | os.O_CLOEXEC)
    except SealBrokenError:
        raise BlobDamagedError(f"{digest[:12]}: not what was sealed") from None
    except OSError as error:
        raise StorageError(f"blobs: {error.strerror}") from error
    finally:
        os.close(plain)


def _write(fd: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(fd, view) :]


def _check(fd: int, digest: str) -> None:
    seen = hashlib.sha256()
    for block in blocks(fd):
        seen.update(block)
    if seen.hexdigest() != digest:
        raise BlobDamagedError(f"{digest[:12]}: content does not match the digest")
