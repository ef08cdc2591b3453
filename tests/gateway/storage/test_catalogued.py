"""Blobs that are sealed at rest: nothing to be read on the shelf, keys that turn, and what is given up is gone at that moment."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from gateway import audit
from gateway.storage import copies
from gateway.storage.blobs import Blob
from gateway.storage.catalogued import CataloguedBlobs
from gateway.storage.faults import BlobDamagedError, BlobMissingError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.keyring import Keyring
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.master import HookMaster, LocalMaster, Master, master
from gateway.storage.tables import blob_copies, organisation_keys
from tests.build.catalogued import MASTER, TOWN, catalogued
from tests.build.transfer import BODY, NOW, arrival, claimed, digest, held, settlement

SECRET = b"My Number 1234" * 100_000


class Room:
    def __init__(self, folder: Path, store: CataloguedBlobs, journal: Journal) -> None:
        self.folder, self.store, self.journal = folder, store, journal

    def files(self) -> list[Path]:
        return [path for path in (self.folder / "blobs").rglob("*") if path.is_file() and path.name != "placing.lock"]

    async def rows(self, table=blob_copies):  # type: ignore[no-untyped-def]
        return await self.journal.ask(lambda connection: connection.execute(select(table).order_by(table.c.id)).all())

    def again(self, key: Master = MASTER) -> CataloguedBlobs:
        """As another process would have it."""
        return CataloguedBlobs(LocalBlobs(self.folder / "blobs"), self.journal, Keyring(self.journal, key), owner=TOWN)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with catalogued(tmp_path, LocalBlobs(tmp_path / "blobs")) as (store, journal):
        yield Room(tmp_path, store, journal)
        assert (await audit.verify(journal)).broken is None


async def nobody(_: str) -> bool:
    return False


async def test_nothing_can_be_read_on_the_shelf(room: Room) -> None:
    blob = await room.store.put(SECRET)
    (path,) = room.files()
    assert b"My Number" not in path.read_bytes()
    assert path.name != blob.digest
    database = b"".join(path.read_bytes() for path in room.folder.glob("sekisho.db*"))
    assert b"My Number" not in database
    assert await room.again().read(blob.digest) == SECRET


async def test_what_was_there_before_is_found_still(room: Room) -> None:
    before = LocalBlobs(room.folder / "blobs")
    blob = await before.put(b"as it was")
    assert await room.store.exists(blob.digest)
    assert await room.store.read(blob.digest) == b"as it was"

    async def everybody(_: str) -> bool:
        return True

    await room.store.sweep(everybody, time.time() + 60)
    assert await room.store.read(blob.digest) == b"as it was"
    assert await room.store.sweep(nobody, time.time() + 60) == 1


async def test_of_several_copies_the_youngest_stays(room: Room) -> None:
    for _ in range(3):
        blob = await room.store.put(BODY)
    await room.journal.accept(arrival())
    assert len(room.files()) == 3
    assert await room.store.sweep(room.journal.blob_in_use, time.time() + 60) == 0
    assert [path.parent.parent.parent.name for path in room.files() if path.name == (await room.rows())[-1].name] == ["blobs"]
    assert [row.gone_at is None for row in await room.rows()] == [False, False, True]
    assert await room.store.read(blob.digest) == BODY


async def test_a_name_without_a_row_is_deleted_after_the_grace(room: Room) -> None:
    writer = await LocalBlobs(room.folder / "blobs").begin()
    await writer.write(b"a crash came before the row")
    orphan = await writer.commit()
    blob = await room.store.put(BODY)
    await room.journal.accept(arrival())
    assert await room.store.sweep(room.journal.blob_in_use, time.time() - 60) == 0
    assert await room.store.sweep(room.journal.blob_in_use, time.time() + 60) == 1
    assert not await LocalBlobs(room.folder / "blobs").exists(orphan.digest)
    assert await room.store.read(blob.digest) == BODY


# -------------------------------------------------------------------------------------------------------------- erasing


async def disposed(room: Room) -> tuple[Blob, str]:
    blob = await room.store.put(BODY)
    transfer_id, receipt_no = await room.journal.accept(arrival())
    claim = claimed(await room.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await room.journal.settle(claim, settlement(held()), at=NOW)
    await room.journal.dispose(transfer_id, at=NOW, actor="tanaka")
    return blob, receipt_no


async def test_what_is_disposed_of_is_unreadable_at_that_moment(room: Room) -> None:
    blob, receipt_no = await disposed(room)
    (path,) = room.files()      # the bytes are there still, and say nothing
    for store in (room.store, room.again()):
        with pytest.raises(BlobMissingError):
            await store.read(blob.digest)
    assert {(row.wrapped, row.gone_at) for row in await room.rows()} == {("", NOW)}
    actions = [(entry.action, entry.actor) async for entry in room.journal.entries(subject=receipt_no)]
    assert ("blob.erased", "tanaka") in actions
    await room.store.sweep(room.journal.blob_in_use, time.time() + 60)
    assert path not in room.files()


async def test_what_another_transfer_needs_stays(room: Room) -> None:
    await room.store.put(BODY)
    await room.journal.accept(arrival(sender="another@example.com", received_at=NOW + 9))
    blob, _ = await disposed(room)
    assert await room.store.read(blob.digest) == BODY


async def test_nobody_accepts_a_transfer_on_a_blob_that_is_going(room: Room) -> None:
    blob, _ = await disposed(room)
    with pytest.raises(BlobMissingError, match="meanwhile"):
        await room.journal.accept(arrival())
    await room.store.put(BODY)
    await room.journal.accept(arrival())
    assert await room.store.read(blob.digest) == BODY


async def test_an_organisation_is_erased_and_no_other(room: Room) -> None:
    ours = await room.store.put(b"ours")
    theirs = await room.store.put(b"theirs", owner="となり町")
    ring = Keyring(room.journal, MASTER)
    assert await ring.erase("となり町", actor="tanaka", reason="合併") == 1
    fresh = room.again()
    with pytest.raises(BlobMissingError, match="destroyed"):
        await fresh.read(theirs.digest)
    assert await fresh.read(ours.digest) == b"ours"
    assert [row.wrapped == "" for row in await room.rows(organisation_keys)] == [False, True]


# --------------------------------------------------------------------------------------------------------------- turning


async def test_a_turned_key_opens_everything_and_the_old_one_nothing(room: Room) -> None:
    blobs = [await room.store.put(os.urandom(100)) for _ in range(5)]
    names = {path.name for path in room.files()}
    before = {row.wrapped for row in await room.rows()}
    ring = Keyring(room.journal, MASTER)
    assert await ring.turn(TOWN, actor="tanaka") == 5
    old, new = await room.rows(organisation_keys)
    assert (old.wrapped, old.destroyed_at is None, new.destroyed_at) == ("", False, None)
    assert not before & {row.wrapped for row in await room.rows()}
    assert {path.name for path in room.files()} == names, "no byte of a blob was touched"
    for blob in blobs:
        assert len(await room.again().read(blob.digest)) == 100
    # A process that has not heard of it goes on, and what it seals is readable.
    late = await room.store.put(b"late")
    assert await room.again().read(late.digest) == b"late"


async def test_the_master_key_can_be_another_one(room: Room) -> None:
    blob = await room.store.put(BODY)
    new = LocalMaster(os.urandom(32))
    assert await Keyring(room.journal, MASTER).move_to(new, actor="tanaka") == 1
    await room.again(new).start()
    assert await room.again(new).read(blob.digest) == BODY
    with pytest.raises(StorageError, match="another master key"):
        await room.again(MASTER).start()
    # Who still has the old one makes no keys that nobody can open later.
    with pytest.raises(StorageError, match="started again"):
        await room.store.put(b"x", owner="となり町")


@pytest.mark.parametrize("how", ["flip", "cut", "grow", "swap"])
async def test_what_was_tampered_with_is_told(room: Room, how: str) -> None:
    blob, other = await room.store.put(SECRET), await room.store.put(SECRET[::-1])
    rows = await room.rows()
    (path,) = [path for path in room.files() if path.name == rows[0].name]
    held = bytearray(path.read_bytes())
    if how == "swap":
        by_id = {row.id: row.wrapped for row in rows}
        await room.journal.write(lambda c: c.execute(update(blob_copies).where(blob_copies.c.id == rows[0].id).values(name="x")))
        await room.journal.write(
            lambda c: c.execute(update(blob_copies).where(blob_copies.c.id == rows[1].id).values(name=rows[0].name, wrapped=by_id[rows[0].id]))
        )
        blob = other
    elif how == "flip":
        held[len(held) // 2] ^= 1
    elif how == "cut":
        del held[-(len(held) % (1 << 20)) :]
    else:
        held += b"x" * 100
    path.chmod(0o600)
    path.write_bytes(held)
    with pytest.raises(BlobDamagedError):
        await room.store.read(blob.digest)


# ------------------------------------------------------------------------------------------------------------ master keys


def test_a_key_comes_from_a_file_or_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = os.urandom(32)
    (tmp_path / "raw").write_bytes(key)
    (tmp_path / "hex").write_text(key.hex() + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    names = {master(where, tmp_path).name for where in ("file:raw", "file:hex", "credential:raw")}
    assert names == {LocalMaster(key).name}
    assert key.hex()[:16] not in names


@pytest.mark.parametrize("where", ["file:missing", "file:short", "credential:../raw", "raw", "", "kms:x", "file:"])
def test_what_is_no_key_is_refused(tmp_path: Path, where: str) -> None:
    (tmp_path / "short").write_bytes(b"x" * 31)
    with pytest.raises(StorageError, match=r"storage\.key"):
        master(where, tmp_path)


HOOK = """#!/bin/sh
read octets; read about
case "$1" in
wrap) printf '%s' "$about|$octets" | base64 -w0;;
unwrap) told=$(printf '%s' "$octets" | base64 -d)
  [ "${told%%|*}" = "$about" ] || exit 1
  printf '%s' "${told#*|}";;
esac
"""


def test_a_hook_wraps_what_it_never_gives_out(tmp_path: Path) -> None:
    program = tmp_path / "hook"
    program.write_text(HOOK)
    program.chmod(0o755)
    hook = master("hook:hook", tmp_path)
    assert isinstance(hook, HookMaster)
    wrapped = hook.wrap(b"k" * 32, "organisation かすみ町")
    assert hook.unwrap(wrapped, "organisation かすみ町") == b"k" * 32
    with pytest.raises(StorageError, match="unwrap"):
        hook.unwrap(wrapped, "organisation となり町")
    with pytest.raises(StorageError, match="FileNotFoundError"):
        HookMaster(tmp_path / "nowhere").wrap(b"k", "x")


async def test_a_copy_given_up_is_forgotten_a_day_later(room: Room) -> None:
    await disposed(room)
    assert await room.journal.write(lambda connection: copies.forget(connection, NOW)) == 0
    assert await room.journal.write(lambda connection: copies.forget(connection, NOW + 1)) == 1
    assert await room.rows() == []
    assert digest(BODY) == arrival().sha256
