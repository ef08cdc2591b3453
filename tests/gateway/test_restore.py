"""A backup that was sealed with the right passphrase and still is not what a backup is: each rule of the drill, broken alone."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, cast

import msgspec
import pytest

from gateway import backup
from gateway.backup import Contents, RestoreError
from gateway.storage.sealed import SealedReader, SealedWriter
from tests.build.transfer import RESULT, digest
from tests.gateway.test_backup import PASSPHRASE, installation

Entries = dict[str, bytes | None]


def entries_of(sealed: bytes) -> Entries:
    with tarfile.open(fileobj=cast("IO[bytes]", SealedReader(io.BytesIO(sealed), PASSPHRASE)), mode="r|") as tar:
        return {entry.name: stream.read() for entry in tar if (stream := tar.extractfile(entry)) is not None}


def sealed_of(entries: Entries, filler: int = 0) -> io.BytesIO:
    """None as content makes a folder."""
    target = io.BytesIO()
    writer = SealedWriter(target, PASSPHRASE)
    with tarfile.open(fileobj=cast("IO[bytes]", writer), mode="w|") as tar:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content or b"")
            entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            tar.addfile(entry, io.BytesIO(content or b""))
    writer.write(bytes(filler))
    writer.close()
    return io.BytesIO(target.getvalue())


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> Entries:
    """Of one backup: nobody changes them, and to seal one is slow by design."""
    sealed, _ = asyncio.run(installation(tmp_path_factory.mktemp("old")))
    return entries_of(sealed)


def noted(entries: Entries, **changes: object) -> Entries:
    """With a note that says otherwise."""
    note = msgspec.json.decode(entries[backup._NOTE] or b"", type=Contents)
    return entries | {backup._NOTE: msgspec.json.encode(msgspec.structs.replace(note, **changes))}


def without(entries: Entries, *names: str) -> Entries:
    return {name: content for name, content in entries.items() if name not in names}


_BLOB = backup._BLOBS + digest(RESULT)
BROKEN: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "nothing in it": (lambda given: {}, "cut off"),
    "keys and no journal": (lambda given: without(given, *(name for name in given if not name.startswith("receipt"))), "cut off"),
    "a blob before the journal": (lambda given: {_BLOB: RESULT} | given, "does not belong there"),
    "a folder in its place": (lambda given: {"sekisho.db": None}, "does not belong there"),
    "a stranger among the blobs": (lambda given: {**without(given, backup._NOTE), "../evil": b"x", backup._NOTE: given[backup._NOTE]},
                                   "evil: does not belong there"),
    "a folder among the blobs": (lambda given: without(given, backup._NOTE) | {"blobs/": None}, "does not belong there"),
    "something after the note": (lambda given: given | {backup._BLOBS + "0" * 64: b""}, "does not belong there"),
    "no note": (lambda given: without(given, backup._NOTE), "cut off"),
    "a note that is none": (lambda given: given | {backup._NOTE: b"{"}, "truncated"),
    "other bytes under a digest": (lambda given: given | {_BLOB: b"other"}, "other bytes than were kept"),
    "a blob too few": (lambda given: without(given, _BLOB), "1 blobs are missing, not 0"),
    "a transfer too few": (lambda given: noted(given, transfers=3), "transfers: 2, not 3"),
    "an entry too few": (lambda given: noted(given, audit_entries=99), "audit_entries: "),
    "another end of the record": (lambda given: noted(given, audit_hash="0" * 64), "audit_hash: "),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
async def test_what_is_no_backup_is_refused_with_what_is_wrong(entries: Entries, tmp_path: Path, how: str) -> None:
    broken, why = BROKEN[how]
    with pytest.raises(RestoreError, match=why):
        await backup.restore(sealed_of(broken(entries)), tmp_path / "new", PASSPHRASE)
    assert not (tmp_path / "evil").exists()


async def test_the_drill_itself_holds_and_filler_is_nothing(entries: Entries, tmp_path: Path) -> None:
    contents = await backup.restore(sealed_of(entries, filler=100_000), tmp_path / "new", PASSPHRASE)
    assert (contents.transfers, contents.blobs) == (2, 3)


async def test_a_journal_that_did_not_take_the_rows_is_noticed(entries: Entries, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match="transfers are missing"):
        await backup.restore(sealed_of(entries), tmp_path / "new", PASSPHRASE, backup.in_folder(tmp_path / "elsewhere"))


async def test_a_record_that_was_changed_before_the_backup_is_noticed(entries: Entries, tmp_path: Path) -> None:
    file = tmp_path / "changed.db"
    file.write_bytes(entries["sekisho.db"] or b"")
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("DROP TRIGGER audit_refuses_update")
        raw.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    with pytest.raises(RestoreError, match="the audit record is broken at 1"):
        await backup.restore(sealed_of(entries | {"sekisho.db": file.read_bytes()}), tmp_path / "new", PASSPHRASE)
