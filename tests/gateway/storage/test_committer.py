"""Group commit: trouble of the database, and what is durable when the writer is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway import audit
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from tests.build.transfer import arrival

ROOT = Path(__file__).parents[3]
ROUNDS = 5


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db", busy_seconds=0.05)
    await journal.start()
    yield journal
    await journal.stop()


async def test_a_locked_database_is_temporary(journal: Journal, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "sekisho.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = await asyncio.gather(*(journal.accept(arrival()) for _ in range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [JournalUnavailableError] * 5
    assert await journal.transfers() == []
    other.execute("ROLLBACK")
    assert (await journal.accept(arrival()))[1].endswith("-000001")


async def test_a_full_database_is_temporary(journal: Journal) -> None:
    await journal.accept(arrival())
    # The writer's connection is told that the file may not grow: SQLite answers as for a full disk.
    await journal.write(lambda connection: _limit(connection, 1))
    big = arrival(name="x" * 100_000)
    answers = await asyncio.gather(*(journal.accept(big) for _ in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {JournalUnavailableError}
    assert len(await journal.transfers()) == 1
    await journal.write(lambda connection: _limit(connection, 1 << 30))
    assert (await journal.accept(big))[1].endswith("-000002")
    assert (await audit.verify(journal)).broken is None


def _limit(connection: Connection, pages: int) -> None:
    connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def test_a_failed_commit_answers_nobody_with_success(journal: Journal) -> None:
    def cannot_be_committed(connection: Connection) -> str:
        # A deferred constraint is looked at by COMMIT only.
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        connection.exec_driver_sql("INSERT INTO reports VALUES (12345, NULL, NULL)")
        return "done"

    answers = await asyncio.gather(
        *(journal.accept(arrival()) for _ in range(3)), journal.write(cannot_be_committed), return_exceptions=True
    )
    stored = len(await journal.transfers())
    assert isinstance(answers[-1], JournalUnavailableError)
    assert sum(not isinstance(answer, Exception) for answer in answers) == stored
    assert (await audit.verify(journal)).broken is None
    await journal.accept(arrival())


async def test_an_operation_that_raises_is_undone_alone(journal: Journal) -> None:
    def half(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO receipt_numbers VALUES ('19990101', 7)")
        raise LookupError("half-way")

    answers = await asyncio.gather(journal.accept(arrival()), journal.write(half), journal.accept(arrival()), return_exceptions=True)
    assert isinstance(answers[1], LookupError)
    assert len(await journal.transfers()) == 2
    assert await journal.ask(lambda c: c.exec_driver_sql("SELECT count(*) FROM receipt_numbers WHERE day='19990101'").scalar()) == 0


async def test_a_caller_who_went_away_stops_nobody(journal: Journal) -> None:
    asked = [asyncio.ensure_future(journal.accept(arrival())) for _ in range(10)]
    await asyncio.sleep(0)
    for request in asked[::2]:
        request.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    numbers = {answer[1] for answer in answers if isinstance(answer, tuple)}
    assert len(numbers) == 5
    assert numbers <= {transfer.receipt_no for transfer in await journal.transfers()}


async def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sekisho.db")
    with pytest.raises(JournalUnavailableError):
        await journal.accept(arrival())
    await journal.start()
    last = asyncio.ensure_future(journal.accept(arrival()))
    await asyncio.sleep(0)
    await journal.stop()
    await last
    with pytest.raises(JournalUnavailableError):
        await journal.accept(arrival())


async def test_two_journals_on_one_file_share_numbers_and_record(journal: Journal, tmp_path: Path) -> None:
    other = Journal(tmp_path / "sekisho.db")
    await other.start()
    both = [(journal if number % 2 else other).accept(arrival()) for number in range(100)]
    answers = await asyncio.gather(*both, return_exceptions=True)
    numbers = [answer[1] for answer in answers if isinstance(answer, tuple)]
    assert len(set(numbers)) == len(numbers)
    assert len(numbers) > 50
    assert (await audit.verify(other)).broken is None
    await other.stop()


WRITER = """
import asyncio, os, sys
from pathlib import Path
from gateway.storage.journal import Journal
from tests.build.transfer import arrival

async def client(journal):
    while True:
        _, receipt_no = await journal.accept(arrival())
        os.write(1, receipt_no.encode() + b"\\n")

async def main():
    journal = Journal(Path(sys.argv[1]))
    await journal.start()
    async with asyncio.TaskGroup() as group:
        for _ in range(16):
            group.create_task(client(journal))

asyncio.run(main())
"""


def _told_before_kill(path: Path, acknowledgements: int) -> list[str]:
    """The receipt numbers that a writer of its own process gave before it was killed."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=ROOT) as writer:
        assert writer.stdout is not None
        told = b""
        while told.count(b"\n") < acknowledgements:
            told += os.read(writer.stdout.fileno(), 4096)
        writer.send_signal(signal.SIGKILL)
        told += writer.stdout.read()
    return told.decode().rpartition("\n")[0].split("\n")


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path, round_: int) -> None:
    path = tmp_path / "sekisho.db"
    acknowledged = await asyncio.to_thread(_told_before_kill, path, 40 + 67 * round_)
    assert len(set(acknowledged)) == len(acknowledged)
    journal = Journal(path)
    await journal.start()
    stored = {transfer.receipt_no for transfer in await journal.transfers(Filter(limit=1_000_000))}
    assert set(acknowledged) <= stored
    # More may be stored than was told: at most what sixteen clients had asked for.
    assert len(stored) - len(acknowledged) <= 16
    assert (await audit.verify(journal)).entries == len(stored)
    assert await journal.ask(lambda c: c.exec_driver_sql("PRAGMA integrity_check").scalar()) == "ok"
    await journal.stop()


LIMITED = """
import asyncio, resource, signal, sys
from pathlib import Path
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from tests.build.transfer import arrival

async def main():
    journal = Journal(Path(sys.argv[1]))
    await journal.start()
    told = [(await journal.accept(arrival()))[1] for _ in range(3)]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        await journal.accept(arrival())
        print("accepted on a broken disk")
    except JournalUnavailableError as error:
        print("refused:", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    told.append((await journal.accept(arrival()))[1])
    print(*told)
    await journal.stop()

asyncio.run(main())
"""


def _on_a_limited_disk(path: Path) -> list[str]:
    command = [sys.executable, "-c", LIMITED, str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=60).stdout.splitlines()


async def test_a_disk_error_is_temporary(tmp_path: Path) -> None:
    """Writes past a limit fail with EFBIG, which SQLite answers with "disk I/O error" or "disk is full"."""
    path = tmp_path / "sekisho.db"
    first, second = await asyncio.to_thread(_on_a_limited_disk, path)
    assert first.startswith("refused: journal: d")
    journal = Journal(path)
    await journal.start()
    assert sorted(transfer.receipt_no for transfer in await journal.transfers()) == second.split()
    assert (await audit.verify(journal)).broken is None
    await journal.stop()
