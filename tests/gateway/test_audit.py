"""The chained record: every kind of tampering is found."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway import audit
from gateway.audit import Head
from gateway.storage.journal import Journal
from gateway.storage.ledger import Entry
from tests.build.transfer import NOW, arrival

ROWS = 6


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    for number in range(ROWS - 1):
        await journal.accept(arrival(sender=f"差出人{number}@example.com"))
    await journal.record(at=NOW, actor="auditor", action="audit.export", subject="", detail={"b": 1, "a": [None, "件"]})
    yield journal
    await journal.stop()


def tamper(path: Path, *statements: str) -> None:
    """As somebody with the file in his hands would."""
    with sqlite3.connect(path / "sekisho.db") as raw:
        for trigger in ("update", "delete", "replace"):
            raw.execute(f"DROP TRIGGER audit_refuses_{trigger}")
        for statement in statements:
            raw.execute(statement)
    raw.close()


async def test_an_untouched_record_is_whole(journal: Journal) -> None:
    verified = await audit.verify(journal)
    assert (verified.entries, verified.broken, verified.head.seq) == (ROWS, None, ROWS)


COLUMNS = ("at", "actor", "action", "subject", "detail", "prev_hash", "hash")


@pytest.mark.parametrize("column", COLUMNS)
async def test_one_changed_byte_is_found(journal: Journal, tmp_path: Path, column: str) -> None:
    tamper(tmp_path, f"UPDATE audit SET {column} = {column} || ' ' WHERE seq = 3")
    verified = await audit.verify(journal)
    # A changed hash shows at its own row, because the row is computed again.
    assert verified.broken == 3
    assert verified.why


@pytest.mark.parametrize("row", [1, 3, 5])
async def test_a_missing_row_is_found(journal: Journal, tmp_path: Path, row: int) -> None:
    tamper(tmp_path, f"DELETE FROM audit WHERE seq = {row}")
    assert (await audit.verify(journal)).broken == row


async def test_rows_that_changed_places_are_found(journal: Journal, tmp_path: Path) -> None:
    swap = ((2, 100), (3, 2), (100, 3))
    tamper(tmp_path, *(f"UPDATE audit SET seq = {new} WHERE seq = {old}" for old, new in swap))
    assert (await audit.verify(journal)).broken == 2


async def test_a_row_forged_with_its_own_hash_breaks_the_next(journal: Journal, tmp_path: Path) -> None:
    entries = [entry async for entry in journal.entries()]
    forged = msgspec.structs.replace(entries[2], actor="nobody")
    tamper(tmp_path, f"UPDATE audit SET actor = 'nobody', hash = '{forged.computed()}' WHERE seq = 3")
    assert (await audit.verify(journal)).broken == 4


async def test_a_cut_off_end_is_found_with_an_anchor(journal: Journal, tmp_path: Path) -> None:
    anchor = (await audit.verify(journal)).head
    assert (await audit.verify(journal, anchor)).broken is None
    await journal.accept(arrival())
    assert (await audit.verify(journal, anchor)).broken is None
    tamper(tmp_path, f"DELETE FROM audit WHERE seq >= {ROWS}")
    assert (await audit.verify(journal)).broken is None
    assert (await audit.verify(journal, anchor)).broken == ROWS
    assert (await audit.verify(journal, Head(3, "0" * 64))).broken == 3


async def test_an_export_can_be_checked_by_itself(journal: Journal) -> None:
    lines = [line async for line in audit.export(journal)]
    assert len(lines) == ROWS

    async def read(texts: list[str]) -> AsyncIterator[Entry]:
        for text in texts:
            yield msgspec.json.decode(text, type=Entry)

    assert (await audit.check(read(lines))).broken is None
    assert (await audit.check(read([lines[0].replace("差出人0", "差出人9"), *lines[1:]]))).broken == 1


async def test_what_an_entry_says_stands_in_fixed_order(journal: Journal) -> None:
    last = [entry async for entry in journal.entries(after=ROWS - 1)]
    assert last[0].detail == '{"a":[null,"件"],"b":1}'
    assert last[0].at == "2026-11-18T11:06:40.000000+00:00"
