"""Scanners from outside on the road: nothing passes a hit, nothing passes while a required one is silent, all goes on when it is back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import pipeline as road
from gateway.model import State
from gateway.pipeline import Pipeline
from gateway.policy import Policy
from gateway.scanners.interface import Answer, Clean, Failed, Found
from gateway.scanners.panel import Panel, Seat
from gateway.storage.journal import Journal
from sanitizers.model import Reason, Verdict
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, MemoryBlobs, arrival, claimed, signer


class Scripted:
    name = "other"

    def __init__(self, **answers: Answer) -> None:
        self.answers = {key.encode(): answer for key, answer in answers.items()}
        self.up = True

    async def scan(self, fd: int, size: int) -> Answer:
        content = os.pread(fd, size, 0)
        known = {BODY: b"original", RESULT: b"result"}.get(content, b"")
        return self.answers.get(known, Clean()) if self.up else Failed("down")

    async def age(self) -> float | None:
        return None


@pytest.fixture
async def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Journal]:
    monkeypatch.setattr(road, "_PAUSE_SECONDS", 0.01)
    journal = Journal(tmp_path / "sekisho.db", busy_seconds=0.05)
    await journal.start()
    yield journal
    await journal.stop()


async def taken(journal: Journal, scanner: Scripted, *, required: bool = True) -> tuple[Pipeline, FakeWorkers, int]:
    blobs, workers = MemoryBlobs(), FakeWorkers()
    await blobs.put(BODY)
    transfer_id = (await journal.accept(arrival()))[0]
    panel = Panel([Seat(scanner, required=required)])
    return Pipeline(journal, blobs, workers, Policy(), signer(), panel=panel, clock=lambda: NOW, poll_seconds=0.01), workers, transfer_id


def memory_descriptors() -> int:
    links = Path("/proc/self/fd").iterdir()
    return sum(1 for link in links if link.is_symlink() and "memfd:" in str(link.readlink()))


async def once(journal: Journal, pipeline: Pipeline) -> None:
    await pipeline.process(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)))


async def test_clean_goes_on(journal: Journal) -> None:
    pipeline, workers, transfer_id = await taken(journal, Scripted())
    await once(journal, pipeline)
    assert ((await journal.transfer(transfer_id)).state, len(workers.jobs)) == (State.RELEASED, 1)


@pytest.mark.parametrize(("where", "jobs"), [("original", 0), ("result", 1)])
@pytest.mark.parametrize("required", [True, False])
async def test_a_hit_before_or_after_the_jail_is_blocked(journal: Journal, where: str, jobs: int, required: bool) -> None:
    pipeline, workers, transfer_id = await taken(journal, Scripted(**{where: Found("Eicar")}), required=required)
    before = memory_descriptors()
    await once(journal, pipeline)
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.verdict, transfer.reason) == (State.BLOCKED, Verdict.BLOCKED, Reason.MALWARE)
    assert (transfer.note, transfer.result, len(workers.jobs)) == ("other: Eicar", None, jobs)
    assert await journal.deliveries(transfer_id) == []
    assert memory_descriptors() == before


@pytest.mark.parametrize("where", ["original", "result"])
async def test_what_cannot_be_scanned_is_held(journal: Journal, where: str) -> None:
    pipeline, _, transfer_id = await taken(journal, Scripted(**{where: Failed("too large", lasting=True)}))
    await once(journal, pipeline)
    transfer = await journal.transfer(transfer_id)
    assert (transfer.state, transfer.reason, transfer.note) == (State.HELD, Reason.POLICY, "other: too large")


@pytest.mark.parametrize("where", ["original", "result"])
async def test_a_file_that_fails_its_scanner_is_tried_and_then_held(journal: Journal, where: str) -> None:
    pipeline, _, transfer_id = await taken(journal, Scripted(**{where: Failed("crashed")}))
    for attempt in (1, 2, 3):
        await once(journal, pipeline)
        transfer = await journal.transfer(transfer_id)
        assert transfer.attempts == attempt
        assert transfer.state is (State.HELD if attempt == 3 else State.RECEIVED)
    assert transfer.reason is Reason.POLICY


async def test_a_scanner_that_is_down_delivers_nothing_and_all_goes_on_by_itself(journal: Journal) -> None:
    scanner = Scripted()
    scanner.up = False
    pipeline, workers, transfer_id = await taken(journal, scanner)
    running = asyncio.ensure_future(pipeline.run())
    await asyncio.sleep(0.3)
    assert (await journal.transfer(transfer_id)).state in (State.RECEIVED, State.PROCESSING)
    assert (await journal.deliveries(transfer_id), workers.jobs) == ([], [])
    scanner.up = True
    async with asyncio.timeout(10):
        while (transfer := await journal.transfer(transfer_id)).state is not State.RELEASED:
            await asyncio.sleep(0.01)
        pipeline.drain()
        await running
    assert transfer.attempts == 1


async def test_an_optional_one_that_is_down_stops_nobody(journal: Journal) -> None:
    scanner = Scripted()
    scanner.up = False
    pipeline, _, transfer_id = await taken(journal, scanner, required=False)
    await once(journal, pipeline)
    assert (await journal.transfer(transfer_id)).state is State.RELEASED
