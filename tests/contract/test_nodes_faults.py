"""A database that several nodes share and that fails, is set wrongly or is away: nobody leads, nobody is deaf for good, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from gateway.storage import bells, postgresql
from gateway.storage import nodes as nodes_
from gateway.storage.bells import Bell
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from gateway.storage.leader import Leader
from tests.build.postgres import fresh
from tests.build.transfer import arrival

BOUND = 20.0
NOWHERE = "postgresql://sekisho@127.0.0.1:1/postgres"


@pytest.fixture
def url(postgres: str) -> str:
    return fresh(postgres)


@pytest.fixture
async def journal(url: str) -> AsyncIterator[Journal]:
    made = Journal(url)
    await made.start()
    yield made
    await made.stop()


@contextlib.asynccontextmanager
async def running(work: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    try:
        async with asyncio.timeout(BOUND):
            yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(over: Callable[[], object]) -> None:
    while not over():
        await asyncio.sleep(0.01)


# ---------------------------------------------------------------------------------------------------------- connections


def test_what_is_no_address_is_refused() -> None:
    for make in (postgresql.writer_engine, postgresql.reader_engine):
        with pytest.raises(JournalUnavailableError, match="not an address"):
            make("::no address::")


async def test_a_database_that_answers_before_it_has_flushed_is_not_used(postgres: str, url: str) -> None:
    role = psycopg.conninfo.conninfo_to_dict(url)["user"]
    with psycopg.connect(postgres, autocommit=True) as superuser:
        superuser.execute(f'ALTER ROLE "{role}" SET synchronous_commit = off'.encode())
        try:
            with pytest.raises(JournalUnavailableError, match="synchronous_commit is off, must be local or on"):
                await Journal(url).start()
        finally:
            superuser.execute(f'ALTER ROLE "{role}" RESET synchronous_commit'.encode())


async def test_an_older_server_is_not_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_LEAST_VERSION", 1_000_000)
    with pytest.raises(JournalUnavailableError, match="15 or later"):
        await Journal(url).start()


async def test_the_connection_that_counts_may_break_and_no_number_is_given_twice(journal: Journal, postgres: str) -> None:
    _, first = await journal.accept(arrival())
    with psycopg.connect(postgres, autocommit=True) as superuser:
        ended = superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO receipt_numbers%' AND pid <> pg_backend_pid()"
        ).fetchall()
    assert ended == [(True,)]
    with pytest.raises(JournalUnavailableError):
        await journal.accept(arrival())
    _, second = await journal.accept(arrival())
    assert int(second[-6:]) > int(first[-6:])


async def test_wide_and_narrow_transactions_are_not_mixed(journal: Journal) -> None:
    """Whatever is asked at once is done, each kind in transactions of its own."""
    seen: list[tuple[str, int]] = []

    def kind(name: str) -> Callable[[Connection], None]:
        def noted(connection: Connection) -> None:
            seen.append((name, connection.execute(text("SELECT txid_current()")).scalar_one()))

        return noted

    calls = [journal.write(kind("narrow" if number % 2 else "wide"), narrow=bool(number % 2)) for number in range(12)]
    await asyncio.gather(*calls)
    assert len(seen) == 12
    assert not {at for name, at in seen if name == "wide"} & {at for name, at in seen if name == "narrow"}


# ----------------------------------------------------------------------------------------------------- being one of several


async def test_a_node_says_that_it_is_there_and_again_after_trouble(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(nodes_, "_BEAT_SECONDS", 0.01)
    await journal.write(lambda connection: connection.execute(text("ALTER TABLE nodes RENAME TO nodes_away")))
    async with running(nodes_.keep(journal, "deliver,worker", "0.1.0")):
        await until(lambda: "do not hear of this one" in caplog.text)
        await journal.write(lambda connection: connection.execute(text("ALTER TABLE nodes_away RENAME TO nodes")))
        while [one.roles for one in await journal.ask(nodes_.all_of_them)] != ["deliver,worker"]:
            await asyncio.sleep(0.01)


async def test_bells_that_fell_silent_are_listened_to_again(
    journal: Journal, url: str, postgres: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bells, "_AGAIN_SECONDS", 0.01)
    heard = asyncio.Event()
    async with running(bells.listen(url, {Bell.WORK: heard.set})):
        await heard.wait()
        heard.clear()
        with psycopg.connect(postgres, autocommit=True) as superuser:
            superuser.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        await heard.wait()      # what rang meanwhile is looked for
        assert "the other nodes are not heard" in caplog.text
        heard.clear()
        await journal.accept(arrival())
        await heard.wait()


async def test_nobody_leads_while_nobody_can_be_asked(caplog: pytest.LogCaptureFixture) -> None:
    leader = Leader(NOWHERE, ask_seconds=0.01, silent_seconds=2.0)
    async with running(leader.run()):
        await until(lambda: caplog.text.count("nobody can say who leads") >= 2)
        assert not leader.leads


async def test_a_single_node_leads_without_asking_and_a_chore_may_end() -> None:
    alone, done = Leader(None, ask_seconds=0.01), []

    async def chore() -> None:
        done.append("once")

    await alone.run()
    assert alone.leads
    await alone.only(chore)
    assert done == ["once"]
