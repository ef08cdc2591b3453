"""Backup and restore: everything is there again and was checked; a file that is not exactly the backup restores nothing."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway import backup
from gateway.backup import Contents, RestoreError
from gateway.model import Door
from gateway.storage import transplant
from gateway.storage.journal import Journal
from gateway.storage.keys import signing_key
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.sealed import SealBrokenError, SealedReader, SealedWriter
from tests.build.catalogued import catalogued
from tests.build.face import town
from tests.build.postgres import fresh
from tests.build.road import released
from tests.build.transfer import BODY, NOW, RESULT, digest

PASSPHRASE = "kasumi-no-seki 2026"


async def installation(folder: Path) -> tuple[bytes, Contents]:
    """A small town with a key, two transfers and a large blob; its backup, taken while its stores are open."""
    async with town(folder) as made:
        signing_key(folder)
        await made.settled("tanaka")
        await made.settled("sender@example.com", door=Door.SMTP, result=bytes(3_000_000))
        sealed = io.BytesIO()
        contents = await backup.write(folder, made.blobs, sealed, PASSPHRASE, NOW)
    return sealed.getvalue(), contents


async def test_everything_is_there_again(tmp_path: Path) -> None:
    sealed, contents = await installation(tmp_path / "old")
    assert (contents.transfers, contents.blobs, contents.gone) == (2, 3, 0)
    for secret in (BODY, RESULT, b"tanaka", b"SQLite format"):
        assert secret not in sealed
    new = tmp_path / "new"
    assert await backup.restore(io.BytesIO(sealed), new, PASSPHRASE) == contents
    assert signing_key(new).private_bytes_raw() == signing_key(tmp_path / "old").private_bytes_raw()
    assert (new / "receipt.key").stat().st_mode & 0o077 == 0
    journal, blobs = Journal(new / "sekisho.db"), LocalBlobs(new / "blobs")
    await journal.start()
    await blobs.start()
    found = await journal.transfers()
    assert {transfer.sender for transfer in found} == {"tanaka", "sender@example.com"}
    assert await blobs.read(digest(BODY)) == BODY
    assert (await blobs.read(digest(bytes(3_000_000)))) == bytes(3_000_000)
    await journal.stop()
    await blobs.stop()


@pytest.mark.parametrize("there", ["sqlite", "postgresql"])
@pytest.mark.parametrize("here", ["sqlite", "postgresql"])
async def test_it_is_restored_into_any_database_onto_any_shelf(
    tmp_path: Path, request: pytest.FixtureRequest, here: str, there: str
) -> None:
    """The drill: every row and every byte is compared, from an installation that seals into one that does not, and back."""
    folder = tmp_path / "old"
    old = Journal(fresh(request.getfixturevalue("postgres")) if here == "postgresql" else folder / "sekisho.db")
    await old.start()
    sealed_backup = io.BytesIO()
    async with catalogued(folder, LocalBlobs(folder / "blobs"), journal=old) as (blobs, _):
        signing_key(folder)
        for content in (BODY, RESULT):
            await blobs.put(content)
        await released(old)
        contents = await backup.write(folder, blobs, sealed_backup, PASSPHRASE, NOW, journal=old)
        before = await old.ask(transplant.tallies)
    await old.stop()
    assert (contents.transfers, contents.blobs, contents.gone) == (1, 2, 0)
    new = Journal(fresh(request.getfixturevalue("postgres")) if there == "postgresql" else tmp_path / "new" / "sekisho.db")

    @asynccontextmanager
    async def stores() -> AsyncIterator[tuple[Journal, LocalBlobs]]:
        await new.start()
        shelf = LocalBlobs(tmp_path / "new" / "blobs")
        await shelf.start()
        yield new, shelf
        await shelf.stop()

    try:
        assert await backup.restore(io.BytesIO(sealed_backup.getvalue()), tmp_path / "new", PASSPHRASE, stores) == contents
        after = await new.ask(transplant.tallies)
    finally:
        await new.stop()
    here_only = {"organisation_keys", "blob_copies"}
    assert {name for name in before if before[name] != after[name]} == here_only
    assert {path.name for path in (tmp_path / "new" / "blobs").rglob("*") if path.is_file()} == {digest(BODY), digest(RESULT), "placing.lock"}
    assert (tmp_path / "new" / "sekisho.db").exists() == (there == "sqlite")


async def test_what_retention_took_meanwhile_is_counted(tmp_path: Path) -> None:
    async with town(tmp_path / "old") as made:
        await made.settled("tanaka")
        await made.blobs.delete(digest(BODY))
        sealed = io.BytesIO()
        contents = await backup.write(tmp_path / "old", made.blobs, sealed, PASSPHRASE, NOW)
    assert (contents.blobs, contents.gone) == (1, 1)
    assert await backup.restore(io.BytesIO(sealed.getvalue()), tmp_path / "new", PASSPHRASE) == contents


async def test_only_exactly_the_backup_is_restored(tmp_path: Path) -> None:
    sealed, _ = await installation(tmp_path / "old")
    flipped = bytearray(sealed)
    flipped[len(sealed) // 2] ^= 1
    swapped = sealed[:33] + sealed[33 + 4 + (1 << 20) + 16 :]      # without its first block
    for number, (given, passphrase) in enumerate([
        (sealed, PASSPHRASE + "x"), (bytes(flipped), PASSPHRASE), (sealed[:-1], PASSPHRASE), (sealed + b"x", PASSPHRASE),
        (swapped, PASSPHRASE), (b"", PASSPHRASE), (b"x" * 1000, PASSPHRASE),
    ]):  # fmt: skip
        with pytest.raises(RestoreError):
            await backup.restore(io.BytesIO(given), tmp_path / f"new {number}", passphrase)


async def test_nothing_is_restored_over_something(tmp_path: Path) -> None:
    sealed, _ = await installation(tmp_path / "old")
    with pytest.raises(RestoreError, match="not empty"):
        await backup.restore(io.BytesIO(sealed), tmp_path / "old", PASSPHRASE)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_sealed_stream_cut_at_any_block_is_noticed(size: int) -> None:
    target = io.BytesIO()
    writer = SealedWriter(target, PASSPHRASE)
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    writer.write(data)
    writer.close()
    sealed = target.getvalue()
    reader = SealedReader(io.BytesIO(sealed), PASSPHRASE)
    assert reader.read(size + 1) == data
    reader.finish()
    for end in range(33, len(sealed), (1 << 20) + 20):
        with pytest.raises(SealBrokenError):
            SealedReader(io.BytesIO(sealed[:end]), PASSPHRASE).read(size + 1)
