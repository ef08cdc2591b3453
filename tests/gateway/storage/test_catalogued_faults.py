"""A shelf and a catalogue that do not agree: what was swept in between is found in its younger copy, all else is told."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.storage.blobs import Blob
from gateway.storage.catalogued import CataloguedBlobs
from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring, Sealed
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.master import LocalMaster
from gateway.storage.sealed import Sealing
from tests.build.catalogued import MASTER, TOWN, catalogued
from tests.build.transfer import digest

CONTENT = b"My Number 1234"


class Shelf(LocalBlobs):
    """`before` is done once ahead of the next open; what it returns is opened instead."""

    before: Callable[[str], Awaitable[int | None]] | None = None

    async def open(self, digest: str, *, check: bool = False) -> int:
        before, self.before = self.before, None
        instead = None if before is None else await before(digest)
        return await super().open(digest, check=check) if instead is None else instead


@pytest.fixture
async def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "blobs")


@pytest.fixture
async def room(tmp_path: Path, shelf: Shelf) -> AsyncIterator[tuple[CataloguedBlobs, Journal]]:
    async with catalogued(tmp_path, shelf) as made:
        yield made


Room = tuple[CataloguedBlobs, Journal]


async def test_a_copy_that_was_swept_meanwhile_is_found_in_a_younger_one(room: Room, shelf: Shelf) -> None:
    store, _ = room
    blob = await store.put(CONTENT)

    async def put_again_and_swept(name: str) -> None:
        await store.put(CONTENT)
        await shelf.delete(name)

    shelf.before = put_again_and_swept
    assert await store.read(blob.digest) == CONTENT


async def test_a_copy_that_is_gone_without_another_is_missing(room: Room, shelf: Shelf) -> None:
    store, _ = room
    blob = await store.put(CONTENT)
    shelf.before = shelf.delete
    with pytest.raises(BlobMissingError):
        await store.read(blob.digest)

    async def given_up(_: str) -> None:
        await store.delete(blob.digest)

    blob = await store.put(CONTENT)
    shelf.before = given_up
    with pytest.raises(BlobMissingError):
        await store.read(blob.digest)


async def test_a_sealed_copy_is_not_opened_without_a_key(room: Room, shelf: Shelf) -> None:
    store, journal = room
    blob = await store.put(CONTENT)
    with pytest.raises(StorageError, match=r"storage\.key: a sealed blob, and no key is set"):
        await CataloguedBlobs(shelf, journal, None).open(blob.digest)


async def test_a_row_that_says_another_digest_is_damage(room: Room, shelf: Shelf) -> None:
    store, _ = room
    data_key = os.urandom(32)
    sealing = Sealing(AESGCM(data_key))
    name = (await shelf.put(sealing.add(CONTENT) + sealing.end())).digest
    other = digest(b"something else")
    await store.catalogue(Blob(other, len(CONTENT)), name, data_key, TOWN)
    with pytest.raises(BlobDamagedError, match="content does not match the digest"):
        await store.read(other)


async def test_a_disk_that_cannot_be_read_is_told_without_its_path(room: Room, shelf: Shelf) -> None:
    store, _ = room
    blob = await store.put(CONTENT)

    async def unreadable(_: str) -> int:
        return os.open("/proc/self/mem", os.O_RDONLY)       # its first page is never there: EIO

    shelf.before = unreadable
    with pytest.raises(StorageError, match=r"^blobs: Input/output error$"):
        await store.read(blob.digest)


class Turning(Keyring):
    """Somebody else turns the key each time between the sealing and the row."""

    async def wrap(self, data_key: bytes, organisation: str, digest: str) -> Sealed:
        made = await super().wrap(data_key, organisation, digest)
        await Keyring(self._journal, MASTER).turn(TOWN, actor="tanaka")
        return made


async def test_keys_that_turn_faster_than_anything_is_sealed_are_trouble(tmp_path: Path, room: Room, shelf: Shelf) -> None:
    store, journal = room
    with pytest.raises(StorageError, match="turn faster"):
        await CataloguedBlobs(shelf, journal, Turning(journal, MASTER), owner=TOWN).put(CONTENT)
    assert not await store.exists(digest(CONTENT))


async def test_a_master_key_is_not_changed_under_keys_that_are(room: Room) -> None:
    store, journal = room
    await store.put(CONTENT)

    ring = Keyring(journal, MASTER)
    ask = journal.ask

    async def asked(question):  # type: ignore[no-untyped-def]
        found = await ask(question)
        journal.ask = ask  # type: ignore[method-assign]
        await store.put(b"of another town", owner="となり町")
        return found

    journal.ask = asked  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="changed meanwhile"):
        await ring.move_to(LocalMaster(os.urandom(32)), actor="tanaka")
    assert await store.read(digest(b"of another town")) == b"of another town"
