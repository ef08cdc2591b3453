"""PPAP: the second mail of a sender opens the first, where policy asks for it, and no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model import Door, IllegalTransitionError, State
from gateway.policy import Policy
from gateway.requests.later_mail import LaterMail
from gateway.road.pipeline import Pipeline
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from sanitizers.model import Job, Report
from tests.build.transfer import BODY, NOW, FakeWorkers, MemoryBlobs, arrival, claimed, held, report, signer

ME = ("kakari@town.example.jp",)


def locked_file(job: Job, source: bytes) -> Report:
    return report(source=source, policy=job.policy) if "asa" in job.passwords else held()


class Road:
    def __init__(self, journal: Journal) -> None:
        self.journal, self.workers, self.now = journal, FakeWorkers(locked_file), NOW
        self.blobs = MemoryBlobs()
        self.pipeline = Pipeline(journal, self.blobs, self.workers, Policy(), signer(), clock=lambda: self.now)
        self.later = LaterMail(journal, self.pipeline, lambda: self.now, pause_seconds=0.02)

    async def mail(self, *, at: float = NOW, worked: bool = True, **changes: object) -> int:
        await self.blobs.put(BODY)
        transfer_id, _ = await self.journal.accept(arrival(**({"received_at": at, "recipients": ME} | changes)))  # type: ignore[arg-type]
        if worked:
            await self.work(at)
        return transfer_id

    async def work(self, at: float) -> None:
        await self.pipeline.process(claimed(await self.journal.claim(1, at=at, lease_until=at + 60)))

    async def says(self, transfer_id: int, *passwords: str) -> None:
        self.later.heard(await self.journal.transfer(transfer_id), passwords)

    async def state(self, transfer_id: int) -> State:
        return (await self.journal.transfer(transfer_id)).state


@pytest.fixture
async def road(tmp_path: Path) -> AsyncIterator[Road]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    road = Road(journal)
    running = asyncio.create_task(road.later.run())
    yield road
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await journal.stop()


async def soon(road: Road, transfer_id: int, state: State) -> None:
    async with asyncio.timeout(10):
        while await road.state(transfer_id) is not state:
            await asyncio.sleep(0.01)


async def quiet(road: Road) -> None:
    """Long enough for all that was heard to be tried."""
    await asyncio.sleep(0.15)


async def test_the_second_mail_opens_the_first(road: Road) -> None:
    first = await road.mail()
    second = await road.mail(at=NOW + 60)
    await road.says(second, "wrong", "asa")
    await soon(road, first, State.RELEASED)
    actors = {entry.actor async for entry in road.journal.entries(subject=(await road.journal.transfer(first)).receipt_no)}
    assert f"mail {(await road.journal.transfer(second)).receipt_no}" in actors
    everything = [str(entry) async for entry in road.journal.entries()]
    assert not [entry for entry in everything if "asa" in entry]


async def test_a_second_mail_that_is_faster_waits_for_the_first(road: Road) -> None:
    first = await road.mail(worked=False)
    second = await road.mail(at=NOW + 1, worked=False)
    await road.says(second, "asa")
    await quiet(road)
    assert await road.state(first) is State.RECEIVED
    await road.work(NOW)
    for _ in range(100):
        road.now += 0.02
        await asyncio.sleep(0.005)
    await soon(road, first, State.RELEASED)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"sender": "other@example.com"}),
        ({}, {"recipients": ("someone@town.example.jp",)}),
        ({"at": NOW - 86_500}, {}),
        ({"door": Door.DROP}, {}),
        ({}, {"door": Door.DROP}),
        ({"sender": ""}, {"sender": ""}),
        ({}, {"organisation": "another"}),
    ],
)
async def test_nothing_else_is_opened(road: Road, first: dict[str, object], second: dict[str, object]) -> None:
    locked = await road.mail(**first)  # type: ignore[arg-type]
    await road.says(await road.mail(**({"at": NOW + 60} | second)), "asa")  # type: ignore[arg-type]
    await quiet(road)
    assert await road.state(locked) is State.HELD


async def test_words_that_do_not_fit_change_nothing_and_cost_no_try(road: Road) -> None:
    first = await road.mail()
    await road.says(await road.mail(at=NOW + 60), "wrong", "also wrong")
    await quiet(road)
    assert await road.state(first) is State.HELD
    assert sum(1 for job in road.workers.jobs if "wrong" in job.passwords) == 1


async def test_a_bug_met_with_one_mail_ends_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> bool:
        raise ZeroDivisionError

    first = await road.mail()
    second = await road.mail(at=NOW + 60)
    with monkeypatch.context() as patch:
        patch.setattr(road.pipeline, "unlock", broken)
        await road.says(second, "asa")
        await quiet(road)
    assert await road.state(first) is State.HELD
    await road.says(second, "asa")
    await soon(road, first, State.RELEASED)


async def test_a_store_in_trouble_ends_nothing(road: Road) -> None:
    first = await road.mail()
    second = await road.mail(at=NOW + 60)
    kept = road.blobs.kept
    road.blobs.kept = {}
    await road.says(second, "asa")
    await quiet(road)
    assert await road.state(first) is State.HELD
    road.blobs.kept = kept
    await road.says(second, "asa")
    await soon(road, first, State.RELEASED)


@pytest.mark.parametrize("why", [IllegalTransitionError("1", State.DELIVERING, State.PROCESSING), LeaseLostError("1")], ids=["leaving", "lost"])
async def test_what_somebody_else_works_on_is_left_to_him(
    road: Road, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, why: Exception
) -> None:
    async def busy(*_: object, **__: object) -> bool:
        tried.set()
        raise why

    tried, first = asyncio.Event(), await road.mail()
    second = await road.mail(at=NOW + 60)
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(road.pipeline, "unlock", busy)
        await road.says(second, "asa")
        await asyncio.wait_for(tried.wait(), 10)
        await asyncio.sleep(0)
    assert [record.getMessage() for record in caplog.records if record.name.endswith("later_mail")] == []
    assert await road.state(first) is State.HELD
    await road.says(second, "asa")
    await soon(road, first, State.RELEASED)
