"""Scanners from outside on the road: nothing passes a hit, nothing passes while a required one is silent, all goes on when it is back."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import msgspec
import pytest
from prometheus_client import REGISTRY

from gateway.model import State
from gateway.policy import Policy
from gateway.road import pipeline as road
from gateway.road.pipeline import Pipeline
from gateway.scanners.clamd import Clamd
from gateway.scanners.interface import Answer, Clean, Failed, Found
from gateway.scanners.panel import Panel, Seat
from gateway.storage.journal import Journal
from gateway.telling.alarm import Alarm
from gateway.telling.notices import Office
from sanitizers.model import Action, Finding, Reason, Severity, Verdict
from tests.build.clamd import Daemon, needs_clamd
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, MemoryBlobs, arrival, claimed, digest, report, signer


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


# ------------------------------------------------------------------------------------------------------- what is written of it


@pytest.mark.parametrize("where", ["original", "result"])
async def test_what_is_stopped_has_its_report(journal: Journal, where: str) -> None:
    pipeline, _, transfer_id = await taken(journal, Scripted(**{where: Found("Eicar")}))
    await once(journal, pipeline)
    kept = await journal.report(transfer_id)
    assert kept is not None
    assert (kept.verdict, kept.reason, kept.output, kept.input.sha256) == (Verdict.BLOCKED, Reason.MALWARE, None, digest(BODY))
    assert [(finding.code, finding.action, finding.detail) for finding in kept.findings] == [("file.malware", "refused", "other: Eicar")]
    assert [(match.rule, match.severity) for match in kept.matches] == [("other:Eicar", "high")]
    assert await journal.receipt(transfer_id) is None


async def test_what_was_removed_from_a_result_that_is_stopped_was_not_removed(journal: Journal) -> None:
    removed = Finding(code="pdf.javascript", severity=Severity.HIGH, action=Action.REMOVED, where="page 1")
    pipeline, workers, transfer_id = await taken(journal, Scripted(result=Found("Eicar")))
    workers.answer = lambda job, source: msgspec.structs.replace(report(source=source, policy=job.policy), findings=(removed,))
    await once(journal, pipeline)
    kept = await journal.report(transfer_id)
    assert kept is not None
    assert {finding.action for finding in kept.findings} == {Action.REFUSED}


async def test_what_no_scanner_could_look_into_says_so(journal: Journal) -> None:
    pipeline, _, transfer_id = await taken(journal, Scripted(original=Failed("too large", lasting=True)))
    await once(journal, pipeline)
    kept = await journal.report(transfer_id)
    assert kept is not None
    assert [(finding.code, finding.detail) for finding in kept.findings] == [("file.policy", "other: too large")]


# ------------------------------------------------------------------------------------------------------------- under load


async def test_while_it_is_down_nothing_is_begun_and_nothing_is_written(journal: Journal) -> None:
    """A queue that waits for a scanner does not fill the record with its waiting."""
    scanner = Scripted()
    pipeline, _, first = await taken(journal, scanner)
    ids = [first, *[(await journal.accept(arrival()))[0] for _ in range(30)]]
    scanner.up = False
    running = asyncio.ensure_future(pipeline.run())
    async with asyncio.timeout(20):
        while not pipeline._silent:
            await asyncio.sleep(0.005)
    before = len([entry async for entry in journal.entries()])
    await asyncio.sleep(0.3)
    after = len([entry async for entry in journal.entries()])
    assert after - before <= 4
    assert {(await journal.transfer(one)).attempts for one in ids} <= {0, 1}
    scanner.up = True
    async with asyncio.timeout(20):
        while (await journal.counts()).states[State.RELEASED] < len(ids):
            await asyncio.sleep(0.02)
        pipeline.drain()
        await running
    assert {(await journal.transfer(one)).attempts for one in ids} == {1}


@needs_clamd
async def test_clamd_is_killed_under_load_and_comes_back(journal: Journal, tmp_path: Path) -> None:
    """No delivery, the queue grows, the gauge tells; when it is back all goes on by itself, and no try was counted."""
    daemon = Daemon(tmp_path)
    daemon.write()
    blobs, workers = MemoryBlobs(), FakeWorkers()
    await blobs.put(BODY)
    panel = Panel([Seat(Clamd(daemon.socket, seconds=5), seconds=5)])
    pipeline = Pipeline(journal, blobs, workers, Policy(), signer(), panel=panel, clock=lambda: NOW, poll_seconds=0.01)
    ids = [(await journal.accept(arrival()))[0] for _ in range(40)]

    async def gone_out() -> int:
        return (await journal.counts()).states[State.RELEASED]

    try:
        await daemon.start()
        running = asyncio.ensure_future(pipeline.run())
        async with asyncio.timeout(60):
            while await gone_out() < 10:
                await asyncio.sleep(0.005)
            await daemon.stop(signal.SIGKILL)
            while _gauge() != 0 or pipeline._busy:
                await asyncio.sleep(0.01)
        stopped_at = await gone_out()
        ids += [(await journal.accept(arrival()))[0] for _ in range(20)]
        await asyncio.sleep(0.5)
        assert await gone_out() == stopped_at < 40
        assert (await journal.counts()).states[State.RECEIVED] >= len(ids) - stopped_at - 2
        await daemon.start()
        async with asyncio.timeout(60):
            while await gone_out() < len(ids):
                await asyncio.sleep(0.02)
            pipeline.drain()
            await running
    finally:
        await daemon.stop()
    assert {(await journal.transfer(one)).attempts for one in ids} == {1}
    assert _gauge() == 1


async def test_an_operator_is_told_once_and_of_the_end(journal: Journal) -> None:
    scanner, blobs, now = Scripted(), MemoryBlobs(), NOW
    await blobs.put(BODY)
    told: list[str] = []
    office = Office("postmaster@town.example.jp", "mx.example.jp")
    alarm = Alarm(journal, blobs, office, clock=lambda: now, told=lambda: told.append("mail"))
    pipeline = Pipeline(journal, blobs, FakeWorkers(), Policy(), signer(), panel=Panel([Seat(scanner)]), alarm=alarm, clock=lambda: now)
    first = (await journal.accept(arrival()))[0]
    for minutes in (0, 10, 20, 61):
        now, scanner.up = NOW + minutes * 60, False
        await once(journal, pipeline)
        await once(journal, pipeline)
        assert REGISTRY.get_sample_value("sekisho_required_scanner_silent") == 1
        scanner.up = True
        assert await pipeline._heard_again()
        assert REGISTRY.get_sample_value("sekisho_required_scanner_silent") == 0
    assert told == ["mail", "mail"], "not again within an hour"
    mails = await journal.deliveries(first)
    assert [(mail.sender, [to.address for to in mail.recipients]) for mail in mails] == [("", ["postmaster@town.example.jp"])] * 2
    text = message_from_bytes(await blobs.read(mails[0].blob), policy=default)
    assert "応答しません" in str(text["Subject"])
    assert "down" in text.get_content()
    actions = [entry.action async for entry in journal.entries()]
    assert (actions.count("scanner.silent"), actions.count("scanner.heard")) == (4, 4)
    await once(journal, pipeline)
    assert (await journal.transfer(first)).state is State.RELEASED


def _gauge() -> float | None:
    return REGISTRY.get_sample_value("sekisho_scanner_up", {"scanner": "clamav", "required": "yes"})
