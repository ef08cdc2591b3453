"""Backup and restore of an installation: journal, kept originals and results, the key of receipts; one sealed file.

The journal is taken first, as one moment of its life while the service goes on; then every blob that this moment refers to. Blobs never
change, so both fit. What retention took away in between is counted, not hidden.
"""

from __future__ import annotations

import asyncio
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

import msgspec

from gateway import audit
from gateway.model import rfc3339
from gateway.storage.faults import BlobMissingError
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.storage.sealed import SealBrokenError, SealedReader, SealedWriter

_DATABASE: Final = "sekisho.db"
_KEYS: Final = ("receipt.key", "receipt.pub", "secrets.key")
_NOTE: Final = "backup.json"
_BLOBS: Final = "blobs/"
_CHUNK: Final = 1 << 20
_REFERRED: Final = (
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


async def write(folder: Path, blobs: LocalBlobs, target: BinaryIO, passphrase: str, at: float) -> Contents:
    """`folder`: the installation's storage path. Raises OSError, sqlite3.Error, BlobDamagedError."""
    sealed = SealedWriter(target, passphrase)
    with (
        tempfile.TemporaryDirectory(prefix=".backup", dir=folder) as scratch,
        tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="w|") as tar,
    ):
        snapshot = Path(scratch) / _DATABASE
        await asyncio.to_thread(_snapshot, folder / _DATABASE, snapshot)
        contents = _counted(snapshot, at)
        tar.add(snapshot, _DATABASE, filter=_nameless)
        for name in _KEYS:
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


def _counted(snapshot: Path, at: float) -> Contents:
    with closing(sqlite3.connect(snapshot)) as connection:
        (transfers,) = connection.execute("SELECT count(*) FROM transfers").fetchone()
        last = connection.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
    return Contents(taken_at=rfc3339(at), transfers=transfers, audit_entries=last[0], audit_hash=last[1])


def _referred(database: Path) -> Iterator[str]:
    with closing(sqlite3.connect(database)) as connection:
        for (digest,) in connection.execute(_REFERRED):
            yield digest


async def _add_blob(tar: tarfile.TarFile, blobs: LocalBlobs, digest: str, contents: Contents) -> None:
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


async def restore(source: BinaryIO, folder: Path, passphrase: str) -> Contents:
    """Into an empty folder, everything checked against what the backup says of itself. Raises RestoreError, OSError."""
    await asyncio.to_thread(_make_empty, folder)
    blobs = LocalBlobs(folder / "blobs")
    await blobs.start()
    try:
        sealed = SealedReader(source, passphrase)
        contents = await _unpack(sealed, folder, blobs)
        sealed.finish()
        await _check(contents, folder, blobs)
    except (SealBrokenError, tarfile.TarError, msgspec.DecodeError, sqlite3.Error) as error:
        raise RestoreError(str(error)) from None
    finally:
        await blobs.stop()
    return contents


def _make_empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise RestoreError(f"{folder.name}: not empty")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


async def _unpack(sealed: SealedReader, folder: Path, blobs: LocalBlobs) -> Contents:
    contents = None
    with tarfile.open(fileobj=cast("IO[bytes]", sealed), mode="r|") as tar:
        for entry in tar:
            stream = tar.extractfile(entry)
            if stream is None or contents is not None:
                raise RestoreError(f"{entry.name}: does not belong there")
            if entry.name.startswith(_BLOBS):
                await _put(stream, entry.name.removeprefix(_BLOBS), blobs)
            elif entry.name == _NOTE:
                contents = msgspec.json.decode(stream.read(), type=Contents)
            elif entry.name in (_DATABASE, *_KEYS):
                _copy(stream, folder / entry.name)
            else:
                raise RestoreError(f"{entry.name}: does not belong there")
    if contents is None:
        raise RestoreError("cut off")
    # What fills the tar's last record.
    while sealed.read(_CHUNK):
        pass
    return contents


async def _put(stream: IO[bytes], digest: str, blobs: LocalBlobs) -> None:
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


async def _check(contents: Contents, folder: Path, blobs: LocalBlobs) -> None:
    """The drill: counts, the chain of the audit record, and every blob that a row refers to."""
    database = folder / _DATABASE
    found = _counted(database, 0.0)
    for name in ("transfers", "audit_entries", "audit_hash"):
        if getattr(found, name) != getattr(contents, name):
            raise RestoreError(f"{name}: {getattr(found, name)}, not {getattr(contents, name)}")
    missing = [digest for digest in _referred(database) if not await blobs.exists(digest)]
    if len(missing) != contents.gone:
        raise RestoreError(f"{len(missing)} blobs are missing, not {contents.gone}")
    journal = Journal(database)
    await journal.start()
    try:
        verified = await audit.verify(journal)
    finally:
        await journal.stop()
    if verified.broken is not None:
        raise RestoreError(f"the audit record is broken at {verified.broken}: {verified.why}")
