"""Several nodes on one PostgreSQL: nothing lost, nothing twice but in the documented window, and a late node changes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psycopg
import pytest
from sqlalchemy import text

from gateway import audit
from gateway.model import RecipientState, State
from gateway.storage import bells, postgresql
from gateway.storage import nodes as nodes_
from gateway.storage.bells import Bell
from gateway.storage.faults import HaltedError, LeaseLostError
from gateway.storage.halts import Halt
from gateway.storage.journal import Journal
from gateway.storage.leader import Leader
from gateway.storage.narrow import WIDE
from gateway.storage.search import Filter
from tests.build.nodes import nodes
from tests.build.postgres import fresh
from tests.build.transfer import NOW, RESULT, arrival, digest, settlement

BOUND = 20.0


@pytest.fixture
def url(postgres: str) -> str:
    return fresh(postgres)


@pytest.fixture
async def three(url: str) -> AsyncIterator[list[Journal]]:
    """As many nodes see it."""
    journals = [Journal(url) for _ in range(3)]
    for journal in journals:
        await journal.start()
    yield journals
    assert (await audit.verify(journals[0])).broken is None
    for journal in journals:
        await journal.stop()


async def test_nodes_at_once_number_claim_and_record_without_a_gap(three: list[Journal]) -> None:
    accepted = await asyncio.gather(*(three[number % 3].accept(arrival()) for number in range(45)))
    assert sorted(int(receipt_no[-6:]) for _, receipt_no in accepted) == list(range(1, 46))
    claims = [claim for some in await asyncio.gather(*(journal.claim(15, at=NOW, lease_until=NOW + 60) for journal in three)) for claim in some]
    claims += await three[0].claim(45, at=NOW, lease_until=NOW + 60)
    assert sorted(claim.transfer.id for claim in claims) == sorted(transfer_id for transfer_id, _ in accepted)
    await asyncio.gather(*(three[number % 3].settle(claim, settlement(), at=NOW) for number, claim in enumerate(claims)))
    deliveries = [one for some in await asyncio.gather(*(journal.claim_deliveries(15, at=NOW, lease_until=NOW + 60) for journal in three)) for one in some]
    deliveries += await three[1].claim_deliveries(45, at=NOW, lease_until=NOW + 60)
    assert len({one.transfer_id for one in deliveries}) == len(deliveries) == 45
    said = [(one, [msgspec.structs.replace(to, state=RecipientState.DELIVERED) for to in one.recipients]) for one in deliveries]
    await asyncio.gather(*(three[n % 3].settle_delivery(one, outcomes, None, at=NOW) for n, (one, outcomes) in enumerate(said)))
    assert {one.state for one in await three[2].transfers(Filter(limit=100))} == {State.DELIVERED}


async def test_a_stop_holds_for_all_at_once(three: list[Journal]) -> None:
    """Whatever was accepted was accepted before the stop: the record has no arrival behind it."""
    taken = [asyncio.create_task(three[number % 2].accept(arrival())) for number in range(40)]
    await three[2].halt(Halt.INTAKE, at=NOW, actor="tanaka", reason="test")
    answers = await asyncio.gather(*taken, return_exceptions=True)
    assert {type(answer) for answer in answers} <= {tuple, HaltedError}
    actions = [entry.action async for entry in three[0].entries()]
    assert "transfer.received" not in actions[actions.index("emergency.halt") :]


async def test_an_operation_that_fails_leaves_nothing_in_the_record(three: list[Journal]) -> None:
    broken = msgspec.structs.replace(arrival(), sender=None)
    answers = await asyncio.gather(*(three[0].accept(broken if number % 2 else arrival()) for number in range(10)), return_exceptions=True)
    assert sum(isinstance(answer, tuple) for answer in answers) == 5
    assert [entry.action async for entry in three[1].entries()] == ["transfer.received"] * 5


async def test_a_late_worker_is_fenced_off(three: list[Journal]) -> None:
    early, late, _ = three
    await early.accept(arrival())
    (lost,) = await late.claim(1, at=NOW, lease_until=NOW + 5)
    assert await early.return_leases(at=NOW + 6, attempts=3) == 1
    (claim,) = await early.claim(1, at=NOW + 6, lease_until=NOW + 60)
    with pytest.raises(LeaseLostError):
        await late.settle(lost, settlement(), at=NOW + 7)
    await early.settle(claim, settlement(), at=NOW + 7)
    (post,) = await late.claim_deliveries(1, at=NOW + 7, lease_until=NOW + 8)
    assert await early.return_leases(at=NOW + 9, attempts=3) == 1
    with pytest.raises(LeaseLostError):
        await late.settle_delivery(post, post.recipients, None, at=NOW + 9)


async def test_what_a_lost_node_had_in_hand_returns_before_its_leases_end(three: list[Journal], monkeypatch: pytest.MonkeyPatch) -> None:
    here, there, _ = three
    await here.accept(arrival())
    await here.accept(arrival())
    monkeypatch.setattr(nodes_, "PROCESS", "deadbeef")
    await there.write(lambda connection: nodes_.beat(connection, "worker", "0.1.0"), narrow=True)
    (lost,) = await there.claim(1, at=NOW, lease_until=NOW + 3600)
    monkeypatch.undo()
    await here.write(lambda connection: nodes_.beat(connection, "deliver,worker", "0.1.0"), narrow=True)
    (own,) = await here.claim(1, at=NOW, lease_until=NOW + 3600)
    assert await here.return_leases(at=NOW, attempts=3) == 0, "both are there"
    await here.write(lambda connection: connection.execute(text("UPDATE nodes SET seen_at = seen_at - 121 WHERE process = 'deadbeef'")))
    assert {(one.roles, one.lost) for one in await here.ask(nodes_.all_of_them)} == {("worker", True), ("deliver,worker", False)}
    assert await here.return_leases(at=NOW, attempts=3) == 1
    with pytest.raises(LeaseLostError):
        await there.settle(lost, settlement(), at=NOW)
    await here.settle(own, settlement(), at=NOW)
    await here.write(lambda connection: connection.execute(text("UPDATE nodes SET seen_at = seen_at - 90000 WHERE process = 'deadbeef'")))
    await here.write(lambda connection: nodes_.forget(connection, nodes_.lost(connection)))
    assert [one.lost for one in await here.ask(nodes_.all_of_them)] == [False]


async def test_a_node_that_forgot_its_transaction_holds_nobody_up_for_long(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_FORGOTTEN", "500ms")
    journal, forgetful = Journal(url), Journal(url)
    await journal.start()
    with forgetful.writer.connect() as connection:
        connection.begin()
        held = connection.exec_driver_sql(f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {WIDE}").scalar()
        assert held == 1
        async with asyncio.timeout(BOUND):
            await journal.accept(arrival())
        with pytest.raises(Exception, match=r"idle-in-transaction|terminat|closed|consuming"):
            connection.exec_driver_sql("SELECT 1")
        connection.invalidate()
    await journal.stop()


async def test_a_line_that_is_cut_without_a_word_is_noticed(three: list[Journal]) -> None:
    """Both ends of the journal ask TCP to, or a primary that was lost would hold a node up for a quarter of an hour."""
    for engine in (three[0].writer, three[0]._reader):
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)
            told = raw.info.get_parameters()
            assert (told["keepalives_idle"], told["tcp_user_timeout"]) == ("10", "20000")


async def test_who_takes_something_in_wakes_the_others(three: list[Journal], url: str) -> None:
    work, post = asyncio.Event(), asyncio.Event()
    listening = asyncio.create_task(bells.listen(url, {Bell.WORK: work.set, Bell.POST: post.set}))
    try:
        async with asyncio.timeout(BOUND):
            await asyncio.gather(work.wait(), post.wait())      # it listens now
            work.clear(), post.clear()
            await three[1].accept(arrival())
            await work.wait()
            assert not post.is_set()
            (claim,) = await three[1].claim(1, at=NOW, lease_until=NOW + 60)
            await three[1].settle(claim, settlement(), at=NOW)
            await post.wait()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_one_node_leads_and_another_follows_it(url: str) -> None:
    first, second = (Leader(url, ask_seconds=0.05, silent_seconds=2.0) for _ in range(2))
    done: list[str] = []

    async def chore(name: str) -> None:
        done.append(name)
        await asyncio.Event().wait()

    running = asyncio.create_task(first.run())
    async with asyncio.timeout(BOUND):
        while not first.leads:
            await asyncio.sleep(0.02)
        tasks = [asyncio.create_task(work) for work in (second.run(), first.only(lambda: chore("first")), second.only(lambda: chore("second")))]
        while done != ["first"]:
            await asyncio.sleep(0.02)
        assert not second.leads
        running.cancel()
        while not second.leads or done != ["first", "second"]:
            await asyncio.sleep(0.02)
        assert not first.leads
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, running, return_exceptions=True)
    assert Leader(None).leads


async def test_a_leader_that_says_nothing_is_deposed_by_the_server(url: str) -> None:
    """As a process that is stopped: its connection stands, and nobody speaks on it."""
    silent = await bells.connected(url, idle_session_timeout="300ms")
    await silent.execute("SELECT pg_try_advisory_lock(7370003)")
    second = Leader(url, ask_seconds=0.05, silent_seconds=2.0)
    running = asyncio.create_task(second.run())
    async with asyncio.timeout(BOUND):
        while not second.leads:
            await asyncio.sleep(0.02)
    with pytest.raises(psycopg.Error):
        await silent.execute("SELECT 1")
    running.cancel()
    await asyncio.gather(running, silent.close(), return_exceptions=True)


@pytest.mark.slow
def test_nodes_are_killed_and_paused_and_nothing_is_lost(url: str, tmp_path: Path) -> None:
    """One is paused beyond its leases, and goes on; one is killed in the middle; a third brings everything to its end. Longer, and with
    everything else that can fail: tests/e2e/test_failover.py."""
    with nodes(tmp_path, url, lease=2.0) as several:
        for name in ("a", "b"):
            several.start(name)
        assert several.wait(lambda: len(several.delivered) > 5 and len(several.lines("started")) == 2, 60)
        several.pause("b")
        paused = time.monotonic()
        count = len(several.delivered)
        assert several.wait(lambda: len(several.delivered) > count + 5 and time.monotonic() - paused > 4.0, 60), "the other goes on"
        several.go_on("b")
        count = len(several.delivered)
        assert several.wait(lambda: len(several.delivered) > count + 5, 60)
        several.kill("a")
        several.stop()
        # Nobody takes anything in any more; what was accepted is all delivered by whoever is left.
        several.start("d", rate=0)
        assert several.wait(lambda: several.accepted <= set(several.delivered), 60), several.accepted - set(several.delivered)
    assert several.digests == {digest(RESULT)}, "nothing but results was handed on"
    twice = sum(count - 1 for count in several.delivered.values())
    # What a lost node had handed on and not yet recorded: at most what each of the two had in hand.
    assert twice <= 2 * 4
    asyncio.run(_consistent(url, several.accepted))


async def _consistent(url: str, accepted: set[str]) -> None:
    journal = Journal(url)
    await journal.start()
    try:
        found = {one.receipt_no: one.state for one in await journal.transfers(Filter(limit=100_000))}
        assert accepted <= set(found)
        assert {found[number] for number in accepted} == {State.DELIVERED}
        assert (await audit.verify(journal)).broken is None
    finally:
        await journal.stop()
