"""The writer and the readers of the journal when the machine under them fails: every caller is told, and the writer goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, event, text

from gateway.storage.committer import Committer
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from tests.build.transfer import arrival


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield journal
    await journal.stop()


def one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


async def test_a_database_that_cannot_be_reached_is_tried_again_for_the_next() -> None:
    away = [True, True]

    def connect() -> sqlite3.Connection:
        if away and away.pop():
            raise sqlite3.OperationalError("unable to open database file")
        return sqlite3.connect(":memory:", check_same_thread=False)

    committer = Committer(create_engine("sqlite://", creator=connect))
    committer.start()
    for _ in range(2):
        with pytest.raises(JournalUnavailableError, match="unable to open"):
            await committer.submit(one)
    assert await committer.submit(one) == 1
    committer.stop()
    committer.stop()
    with pytest.raises(JournalUnavailableError, match="closed"):
        await committer.submit(one)


async def test_a_connection_that_cannot_even_be_closed_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(":memory:", check_same_thread=False))

    broken = ["invalidate", "commit"]

    def fails(name: str) -> None:
        if broken and broken[-1] == name:
            raise sqlite3.OperationalError(broken.pop())

    event.listen(engine.pool, "invalidate", lambda *_: fails("invalidate"))
    event.listen(engine, "commit", lambda *_: fails("commit"))
    committer = Committer(engine)
    committer.start()
    with pytest.raises(JournalUnavailableError, match="commit"):
        await committer.submit(one)
    assert "could not be closed" in caplog.text
    assert await committer.submit(one) == 1
    committer.stop()


async def test_callers_whose_loop_is_closed_hold_nobody_up(journal: Journal) -> None:
    busy, over = threading.Event(), threading.Event()

    def held(_: Connection) -> None:
        busy.set()
        over.wait(10)

    slow = asyncio.create_task(journal.write(held))
    while not busy.is_set():
        await asyncio.sleep(0.001)

    def left() -> None:
        loop = asyncio.new_event_loop()
        asked = loop.create_task(journal.accept(arrival()))
        loop.run_until_complete(asyncio.sleep(0))
        asked.cancel()
        loop.run_until_complete(asyncio.gather(asked, return_exceptions=True))
        loop.close()

    await asyncio.to_thread(left)
    over.set()
    await slow
    await journal.accept(arrival())
    assert len(await journal.transfers()) == 2, "what was asked was done"


async def test_more_readers_than_there_are_places_are_told_so(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal._reader.pool, "_timeout", 0.05)
    with ExitStack() as all_of_them:
        for _ in range(15):         # as many as the pool has
            all_of_them.enter_context(journal._reader.connect())
        with pytest.raises(JournalUnavailableError, match="all readers are at work"):
            await journal.ask(one)
    assert await journal.ask(one) == 1


async def test_a_question_that_cannot_be_answered_is_trouble_of_the_journal(journal: Journal) -> None:
    with pytest.raises(JournalUnavailableError, match="no such table"):
        await journal.ask(lambda connection: connection.execute(text("SELECT 1 FROM nowhere")))
