"""Backup and restore of an installation: journal, kept originals and results, the key of receipts; one sealed file.

The journal is taken first, as one moment of its life while the service goes on, from PostgreSQL too as a file of SQLite; then every blob
that this moment refers to, as it was before it was sealed at rest. Blobs never change, so both fit. What retention took away in between
is counted, not hidden. So a backup can be restored anywhere: into another kind of database, onto another shelf, under another key.
"""

from __future__ import annotations

import asyncio
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import IO, BinaryIO, Final, NamedTuple, cast

import msgspec
from sqlalchemy import Connection, text

from gateway import audit
from gateway.audit import Head
from gateway.model import rfc3339
from gateway.storage import copies, transplant
from gateway.storage.blobs import Blobs
from gateway.storage.faults import BlobMissingError
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.sealed import SealBrokenError, SealedReader, SealedWriter

_DATABASE: Final = "sekisho.db"
KEYS: Final = ("receipt.key", "receipt.pub", "secrets.key")
_NOTE: Final = "backup.json"
_BLOBS: Final = "blobs/"
_CHUNK: Final = 1 << 20
REFERRED: Final = (
    "SELECT blob FROM transfers WHERE blob IS NOT NULL UNION SELECT result_sha256 FROM transfers WHERE result_sha256 IS NOT NULL "
    "UNION SELECT blob FROM deliveries WHERE blob IS NOT NULL"
)


class Contents(msgspec.Struct, kw_only=True):
    """What a backup holds. `gone`: blobs that retention took while it was written. `audit_hash`: the head of the audit record."""

    taken_at: str = ""
    transfers: int = 0
    audit_entries: int = 0
    audit_hash: str = ""
    blobs: int = 0
    gone: int = 0


class RestoreError(Exception):
    """The backup does not hold what it says, or there is no room for it; one line."""


# -------------------------------------------------------------------------------------------------------------- backup


async def write(
    folder: Path, blobs: Blobs, target: BinaryIO, passphrase: str, at: float, *, journal: Journal | None = None
) -> Contents:
    """`folder`: the installation's storage path; `journal`: where it is not a file in there.

    Raises OSError, sqlite3.Error, StorageError.
    """
    sealed = SealedWriter(target, passphrase)
    with (
        tempfile.TemporaryDirectory(prefix=".backup", dir=folder) as scratch,
        tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="w|") as tar,
    ):
        snapshot = Path(scratch) / _DATABASE
        if journal is None or not journal.shared:
            await asyncio.to_thread(_snapshot, folder / _DATABASE, snapshot)
        else:
            await _transplanted(journal, snapshot)
        contents = _counted(snapshot, at)
        tar.add(snapshot, _DATABASE, filter=_nameless)
        for name in KEYS:
            if (folder / name).exists():
                tar.add(folder / name, name, filter=_nameless)
        for digest in _referred(snapshot):
            await _add_blob(tar, blobs, digest, contents)
        note = msgspec.json.encode(contents)
        tar.addfile(_entry(_NOTE, len(note)), io.BytesIO(note))
    sealed.close()
    return contents


def _snapshot(database: Path, target: Path) -> None:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


async def _transplanted(journal: Journal, target: Path) -> None:
    """One moment of a journal on PostgreSQL."""
    file = Journal(target)
    await file.start()
    try:
        await journal.ask(lambda source: _copied(source, file))
    finally:
        await file.stop()
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")


def _copied(source: Connection, file: Journal) -> None:
    with file.writer.begin() as target:
        transplant.copy(source, target)


def _counted(snapshot: Path, at: float) -> Contents:
    with closing(sqlite3.connect(snapshot)) as connection:
        (transfers,) = connection.execute("SELECT count(*) FROM transfers").fetchone()
        last = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
    return Contents(taken_at=rfc3339(at), transfers=transfers, audit_entries=last[0], audit_hash=last[1])


def _referred(database: Path) -> Iterator[str]:
    with closing(sqlite3.connect(database)) as connection:
        for (digest,) in connection.execute(REFERRED):
            yield digest


async def _add_blob(tar: tarfile.TarFile, blobs: Blobs, digest: str, contents: Contents) -> None:
    try:
        fd = await blobs.open(digest, check=True)
    except BlobMissingError:
        contents.gone += 1
        return
    with os.fdopen(fd, "rb") as stream:
        tar.addfile(_entry(_BLOBS + digest, os.fstat(fd).st_size), stream)
    contents.blobs += 1


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _nameless(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    return _entry(entry.name, entry.size)


# ------------------------------------------------------------------------------------------------------------- restore


Stores = Callable[[], AbstractAsyncContextManager[tuple[Journal, Blobs]]]


def in_folder(folder: Path) -> Stores:
    """A journal and blobs in files of that folder."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Journal, Blobs]]:
        journal, blobs = Journal(folder / _DATABASE), LocalBlobs(folder / "blobs")
        try:
            await journal.start()
            await blobs.start()
            yield journal, blobs
        finally:
            await blobs.stop()
            await journal.stop()

    return opened


async def restore(source: BinaryIO, folder: Path, passphrase: str, stores: Stores | None = None) -> Contents:
    """Into an empty folder, everything checked against what the backup says of itself. Raises RestoreError, OSError.

    `stores`: opens journal and blobs of the new installation, where those are not files of the folder; an empty journal.
    """
    await asyncio.to_thread(_make_empty, folder)
    try:
        sealed = SealedReader(source, passphrase)
        with tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="r|") as tar:
            found = _unpack_files(tar, folder)
            await _take_in(folder / _DATABASE)
            async with (stores or in_folder(folder))() as (journal, blobs):
                if journal.shared:
                    await _move(folder / _DATABASE, journal)
                contents = await _unpack_blobs(tar, found.entry, blobs)
                # What fills the tar's last record.
                while sealed.read(_CHUNK):
                    pass
                sealed.finish()
                await _check(contents, found.counted, journal, blobs)
    except (SealBrokenError, tarfile.TarError, msgspec.DecodeError, sqlite3.Error) as error:
        raise RestoreError(str(error)) from None
    return contents


def _make_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise RestoreError(f"{folder.name}: not empty")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


class _Found(NamedTuple):
    """`counted`: what the journal of the backup holds; `entry`: the first that is not one of its files."""

    counted: Contents
    entry: tarfile.TarInfo


def _unpack_files(tar: tarfile.TarFile, folder: Path) -> _Found:
    """The journal and the keys, which stand first."""
    while (entry := tar.next()) is not None:
        stream = tar.extractfile(entry)
        if entry.name not in (_DATABASE, *KEYS) or stream is None:
            if not (folder / _DATABASE).exists():
                break
            return _Found(_counted(folder / _DATABASE, 0.0), entry)
        _copy(stream, folder / entry.name)
    raise RestoreError("cut off" if entry is None else f"{entry.name}: does not belong there")


async def _take_in(file: Path) -> None:
    """What it says of shelves and keys is not so here: blobs are put anew, as this installation keeps them."""
    journal = Journal(file)
    await journal.start()
    try:
        await journal.write(copies.forget_all)
    finally:
        await journal.stop()


async def _move(file: Path, target: Journal) -> None:
    source = Journal(file)
    await source.start()
    try:
        await asyncio.to_thread(_transplant, source, target)
    finally:
        await source.stop()
    for ending in ("", "-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)


def _transplant(source: Journal, target: Journal) -> None:
    with source.writer.connect() as left, left.begin(), target.writer.begin() as right:
        transplant.copy(left, right)


async def _unpack_blobs(tar: tarfile.TarFile, entry: tarfile.TarInfo | None, blobs: Blobs) -> Contents:
    """From that entry on, and the note at the end."""
    contents = None
    while entry is not None:
        stream = tar.extractfile(entry)
        if stream is None or contents is not None:
            raise RestoreError(f"{entry.name}: does not belong there")
        if entry.name == _NOTE:
            contents = msgspec.json.decode(stream.read(), type=Contents)
        elif entry.name.startswith(_BLOBS):
            await _put(stream, entry.name.removeprefix(_BLOBS), blobs)
        else:
            raise RestoreError(f"{entry.name}: does not belong there")
        entry = tar.next()
    if contents is None:
        raise RestoreError("cut off")
    return contents


async def _put(stream: IO[bytes], digest: str, blobs: Blobs) -> None:
    writer = await blobs.begin()
    while chunk := stream.read(_CHUNK):
        await writer.write(chunk)
    if (await writer.commit()).digest != digest:
        raise RestoreError(f"{digest}: other bytes than were kept")


def _copy(stream: IO[bytes], path: Path) -> None:
    mode = 0o644 if path.suffix == ".pub" else 0o600
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
        while chunk := stream.read(_CHUNK):
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())


def _transfers(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM transfers")).scalar_one())


async def _check(contents: Contents, found: Contents, journal: Journal, blobs: Blobs) -> None:
    """The drill: counts, the chain of the audit record, and every blob that a row refers to."""
    for name in ("transfers", "audit_entries", "audit_hash"):
        if getattr(found, name) != getattr(contents, name):
            raise RestoreError(f"{name}: {getattr(found, name)}, not {getattr(contents, name)}")
    referred = await journal.ask(lambda connection: list(connection.execute(text(REFERRED)).scalars()))
    missing = [digest for digest in referred if not await blobs.exists(digest)]
    if len(missing) != contents.gone:
        raise RestoreError(f"{len(missing)} blobs are missing, not {contents.gone}")
    if await journal.ask(_transfers) != contents.transfers:
        raise RestoreError("transfers are missing")
    verified = await audit.verify(journal, Head(contents.audit_entries, contents.audit_hash) if contents.audit_entries else None)
    if verified.broken is not None:
        raise RestoreError(f"the audit record is broken at {verified.broken}: {verified.why}")
