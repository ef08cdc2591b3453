"""The road: what came in is worked on once, decided, settled; and whatever goes wrong, it stays inside."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import receipts
from gateway.model import Door, RecipientState, State, Transfer
from gateway.policy import KindAction, Policy
from gateway.road import pipeline as road
from gateway.road.pipeline import Pipeline
from gateway.road.workers import Sanitized
from gateway.storage.faults import JournalUnavailableError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from sanitizers.model import Job, Kind, MailFacts, Reason, Report, Verdict
from tests.build.transfer import BODY, NOW, RESULT, FakeWorkers, FaultyDisk, MemoryBlobs, arrival, digest, lost, report, signer

Seen = Callable[[str], None]


def unseen(_: str) -> None:
    """Nobody watches."""


class Road:
    """A road with everything it stands on, and a clock that the test turns."""

    def __init__(self, journal: Journal, blobs: MemoryBlobs | LocalBlobs) -> None:
        self.journal, self.blobs = journal, blobs
        self.now = NOW
        self.woken: list[str] = []

    def pipeline(self, workers: FakeWorkers | None = None, policy: Policy | None = None, **options: Any) -> Pipeline:
        return Pipeline(
            self.journal,
            self.blobs,
            workers or FakeWorkers(),
            policy or Policy(),
            signer(),
            clock=lambda: self.now,
            released=lambda: self.woken.append("released"),
            stayed=lambda: self.woken.append("stayed"),
            poll_seconds=0.01,
            **options,
        )

    async def take(self, content: bytes = BODY, **changes: object) -> int:
        await self.blobs.put(content)
        return (await self.journal.accept(arrival(content, **changes)))[0]

    async def settled(self, pipeline: Pipeline, *transfer_ids: int) -> list[Transfer]:
        """Run until none of them waits or is worked on, then drain."""
        async with asyncio.timeout(10):
            running = asyncio.ensure_future(pipeline.run())
            while True:
                transfers = [await self.journal.transfer(transfer_id) for transfer_id in transfer_ids]
                if all(transfer.state not in (State.RECEIVED, State.PROCESSING) for transfer in transfers):
                    break
                await asyncio.sleep(0.005)
            pipeline.drain()
            await running
        return transfers

    async def one(self, pipeline: Pipeline, **changes: object) -> Transfer:
        (transfer,) = await self.settled(pipeline, await self.take(**changes))  # type: ignore[arg-type]
        return transfer


@pytest.fixture
async def the_road(tmp_path: Path) -> AsyncIterator[Road]:
    journal = Journal(tmp_path / "sekisho.db", busy_seconds=0.05)
    await journal.start()
    yield Road(journal, MemoryBlobs())
    await journal.stop()


def memory_descriptors() -> int:
    """Outputs of workers and blobs in memory that somebody holds open."""
    links = Path("/proc/self/fd").iterdir()
    return sum(1 for link in links if link.is_symlink() and "memfd:" in str(link.readlink()))


def _files_with(folder: Path, content: bytes) -> list[Path]:
    return [path for path in folder.iterdir() if content in path.read_bytes()]


async def test_a_mail_is_released_with_result_and_receipt(the_road: Road) -> None:
    def answer(job: Job, source: bytes) -> Report:
        facts = MailFacts(message_id="<1@example.com>", subject="お知らせ")
        return msgspec.structs.replace(report(source=source, policy=job.policy), mail=facts)

    workers = FakeWorkers(answer)
    transfer = await the_road.one(the_road.pipeline(workers))
    assert (transfer.state, transfer.verdict, transfer.reason) == (State.RELEASED, Verdict.SANITIZED, None)
    assert (transfer.policy, transfer.rules, transfer.message_id) == (Policy().version, "rules-1", "<1@example.com>")
    assert transfer.subject == "お知らせ"
    assert await the_road.blobs.read(digest(RESULT)) == RESULT
    (delivery,) = await the_road.journal.deliveries(transfer.id)
    assert delivery.blob == digest(RESULT)
    receipt = msgspec.json.decode(await the_road.journal.receipt(transfer.id) or "", type=receipts.Receipt)
    assert (receipt.output_sha256, receipt.input_sha256, receipt.receipt_no) == (digest(RESULT), digest(BODY), transfer.receipt_no)
    assert the_road.woken == ["released"]
    (job,) = workers.jobs
    assert (job.name, job.door, job.policy, job.rules) == ("message.eml", "smtp", Policy().version, "rules-1")
    assert job.treatment.receipt_no == transfer.receipt_no
    assert job.treatment.received_at


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.WORKER_CRASHED])
async def test_every_reason_stays_inside_at_the_first_attempt(the_road: Road, reason: Reason) -> None:
    verdict = Verdict.BLOCKED if reason in (Reason.MALWARE, Reason.FORBIDDEN_KIND) else Verdict.HELD
    workers = FakeWorkers(lambda job, source: report(verdict, reason, source=source))
    transfer = await the_road.one(the_road.pipeline(workers))
    assert (transfer.verdict, transfer.reason, transfer.attempts, transfer.result) == (verdict, reason, 1, None)
    assert transfer.state is (State.BLOCKED if verdict is Verdict.BLOCKED else State.HELD)
    assert await the_road.journal.deliveries(transfer.id) == []
    assert await the_road.journal.receipt(transfer.id) is None
    assert set(the_road.blobs.kept) == {digest(BODY)}  # type: ignore[union-attr]
    assert "stayed" in the_road.woken


async def test_a_lost_child_is_tried_again_and_then_held(the_road: Road) -> None:
    workers = FakeWorkers(lost)
    transfer = await the_road.one(the_road.pipeline(workers, Policy(attempts=3)))
    assert len(workers.jobs) == 3
    assert (transfer.state, transfer.reason, transfer.attempts) == (State.HELD, Reason.WORKER_CRASHED, 3)
    assert await the_road.journal.report(transfer.id) is not None


async def test_a_child_lost_once_does_no_harm(the_road: Road) -> None:
    workers = FakeWorkers()
    healthy = workers.answer
    workers.answer = lambda job, source: lost(job, source) if len(workers.jobs) == 1 else healthy(job, source)
    transfer = await the_road.one(the_road.pipeline(workers))
    assert (transfer.state, transfer.attempts) == (State.RELEASED, 2)


@pytest.mark.parametrize(
    "answer",
    [
        lambda job, source: report(output=b"another output"),
        lambda job, source: report(source=b"another input"),
        lambda job, source: msgspec.structs.replace(report(), verdict=Verdict.CONFIRMED),
        lambda job, source: msgspec.structs.replace(report(), output=None),
    ],
    ids=["another output", "another input", "confirmed", "no output"],
)
async def test_a_report_that_does_not_fit_the_bytes_is_held(the_road: Road, answer: Any) -> None:
    before = memory_descriptors()
    transfer = await the_road.one(the_road.pipeline(FakeWorkers(answer)))
    assert (transfer.state, transfer.reason, transfer.result) == (State.HELD, Reason.VERIFICATION_FAILED, None)
    assert transfer.note
    assert await the_road.journal.deliveries(transfer.id) == []
    assert memory_descriptors() == before


async def test_what_policy_holds_keeps_its_result_for_the_operator(the_road: Road) -> None:
    policy = Policy(kinds={Kind.EML: KindAction.HOLD})
    transfer = await the_road.one(the_road.pipeline(policy=policy))
    assert (transfer.state, transfer.reason) == (State.HELD, Reason.POLICY)
    assert transfer.result is not None
    assert await the_road.blobs.read(transfer.result.sha256) == RESULT
    assert await the_road.journal.receipt(transfer.id) is None


async def test_an_original_that_is_gone_is_held_with_that_reason(the_road: Road) -> None:
    transfer_id = (await the_road.journal.accept(arrival()))[0]
    (transfer,) = await the_road.settled(the_road.pipeline(), transfer_id)
    assert (transfer.state, transfer.reason) == (State.HELD, Reason.VERIFICATION_FAILED)
    entries = [entry async for entry in the_road.journal.entries(subject=transfer.receipt_no)]
    assert "original" in entries[-1].detail


async def test_no_more_at_a_time_than_there_are_lanes(the_road: Road) -> None:
    all_lanes = asyncio.Event()

    class Slow(FakeWorkers):
        busy = most = 0

        async def sanitize(self, source_fd: int, job: Job, progress: Seen = unseen) -> Sanitized:
            self.busy += 1
            self.most = max(self.most, self.busy)
            if self.busy == 4:
                all_lanes.set()
            async with asyncio.timeout(30):
                await all_lanes.wait()
            await asyncio.sleep(0)
            self.busy -= 1
            return await super().sanitize(source_fd, job, progress)

    workers = Slow()
    before = memory_descriptors()
    ids = [await the_road.take(b"%d" % number) for number in range(30)]
    transfers = await the_road.settled(the_road.pipeline(workers, concurrency=4), *ids)
    assert {transfer.state for transfer in transfers} == {State.RELEASED}
    assert workers.most == 4
    assert len(workers.jobs) == 30
    assert memory_descriptors() == before


async def test_a_drain_finishes_what_is_at_hand_and_begins_nothing(the_road: Road) -> None:
    going, may_end = asyncio.Event(), asyncio.Event()

    class Waiting(FakeWorkers):
        async def sanitize(self, source_fd: int, job: Job, progress: Seen = unseen) -> Sanitized:
            going.set()
            await may_end.wait()
            return await super().sanitize(source_fd, job, progress)

    first, second = await the_road.take(), await the_road.take(b"second")
    pipeline = the_road.pipeline(Waiting(), concurrency=1)
    running = asyncio.ensure_future(pipeline.run())
    await going.wait()
    pipeline.drain()
    may_end.set()
    await running
    assert (await the_road.journal.transfer(first)).state is State.RELEASED
    assert (await the_road.journal.transfer(second)).state is State.RECEIVED


async def test_what_is_cut_off_goes_back_and_costs_no_attempt(the_road: Road) -> None:
    going = asyncio.Event()

    class Stuck(FakeWorkers):
        async def sanitize(self, source_fd: int, job: Job, progress: Seen = unseen) -> Sanitized:
            going.set()
            await asyncio.Event().wait()
            raise AssertionError

    transfer_id = await the_road.take()
    running = asyncio.ensure_future(the_road.pipeline(Stuck()).run())
    await going.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    transfer = await the_road.journal.transfer(transfer_id)
    assert (transfer.state, transfer.attempts) == (State.RECEIVED, 0)


async def test_a_bug_met_in_one_transfer_stops_nobody_else(the_road: Road) -> None:
    class Buggy(FakeWorkers):
        async def sanitize(self, source_fd: int, job: Job, progress: Seen = unseen) -> Sanitized:
            if os.pread(source_fd, 3, 0) == b"bad":
                raise ZeroDivisionError
            return await super().sanitize(source_fd, job, progress)

    bad, good = await the_road.take(b"bad"), await the_road.take(b"good")
    first, second = await the_road.settled(the_road.pipeline(Buggy(), Policy(attempts=2)), bad, good)
    assert (first.state, first.reason, first.attempts) == (State.HELD, Reason.WORKER_CRASHED, 2)
    assert second.state is State.RELEASED


async def test_a_late_worker_changes_nothing(the_road: Road) -> None:
    class Late(FakeWorkers):
        async def sanitize(self, source_fd: int, job: Job, progress: Seen = unseen) -> Sanitized:
            # Meanwhile its lease runs out, and an operator's word has settled the matter otherwise.
            the_road.now += 10_000
            await the_road.journal.return_leases(at=the_road.now, attempts=1)
            return await super().sanitize(source_fd, job, progress)

    transfer = await the_road.one(the_road.pipeline(Late()))
    assert (transfer.state, transfer.reason) == (State.HELD, Reason.WORKER_CRASHED)
    assert await the_road.journal.deliveries(transfer.id) == []


async def test_a_worker_that_died_with_its_process_is_replaced(the_road: Road) -> None:
    transfer_id = await the_road.take()
    await the_road.journal.claim(1, at=the_road.now, lease_until=the_road.now + 60)
    the_road.now += 61
    (transfer,) = await the_road.settled(the_road.pipeline(), transfer_id)
    assert (transfer.state, transfer.attempts) == (State.RELEASED, 2)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", ["free_bytes", "create", "write", "flush", "move", "flush_folder", "open"])
async def test_a_disk_that_fails_is_waited_out(
    the_road: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: int
) -> None:
    monkeypatch.setattr(road, "_PAUSE_SECONDS", 0.01)
    healthy = LocalBlobs(tmp_path / "blobs")
    await healthy.start()
    the_road.blobs = healthy
    transfer_id = await the_road.take()
    disk = FaultyDisk(step, error, times=5)
    the_road.blobs = LocalBlobs(tmp_path / "blobs", disk=disk)
    (transfer,) = await the_road.settled(the_road.pipeline(), transfer_id)
    # However often the disk failed, it was not the transfer's fault.
    assert (transfer.state, transfer.attempts) == (State.RELEASED, 1)
    assert disk.times == 0
    assert await healthy.read(digest(RESULT)) == RESULT
    await healthy.stop()
    await the_road.blobs.stop()


async def test_what_cannot_go_back_into_the_queue_goes_back_as_soon_as_the_journal_answers(
    the_road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still, so its lease never runs out: nothing else would bring the transfer back."""
    monkeypatch.setattr(road, "_PAUSE_SECONDS", 0.01)
    silent, put_back = 3, the_road.journal.put_back
    workers = FakeWorkers(lambda job, source: lost(job, source) if len(workers.jobs) == 1 else report(source=source, policy=job.policy))

    async def unheard(*given: Any, **more: Any) -> None:
        nonlocal silent
        silent -= 1
        if silent >= 0:
            raise StorageError("the journal does not answer")
        await put_back(*given, **more)

    monkeypatch.setattr(the_road.journal, "put_back", unheard)
    transfer = await the_road.one(the_road.pipeline(workers))
    assert (transfer.state, transfer.attempts) == (State.RELEASED, 1)
    assert silent < 0


async def test_a_retry_uses_the_passwords_and_forgets_them(the_road: Road, tmp_path: Path) -> None:
    def answer(job: Job, source: bytes) -> Report:
        if "himitsu-1234" in job.passwords:
            return report(source=source, policy=job.policy)
        return report(Verdict.HELD, Reason.ENCRYPTED, source=source, policy=job.policy)

    pipeline = the_road.pipeline(FakeWorkers(answer))
    transfer = await the_road.one(pipeline, door=Door.DROP, recipients=())
    assert transfer.state is State.HELD
    wrong = await pipeline.retry(transfer.id, actor="clerk", passwords=("wrong",))
    assert wrong is not None
    assert wrong.reason is Reason.ENCRYPTED
    right = await pipeline.retry(transfer.id, actor="clerk", passwords=("himitsu-1234",))
    assert right is not None
    assert right.verdict is Verdict.SANITIZED
    assert (await the_road.journal.transfer(transfer.id)).state is State.RELEASED
    await the_road.journal.stop()
    assert not _files_with(tmp_path, b"himitsu-1234")


async def test_a_new_policy_holds_for_what_begins_from_now_on(the_road: Road) -> None:
    workers = FakeWorkers()
    pipeline = the_road.pipeline(workers)
    pipeline.policy = Policy(name="new", kinds={Kind.EML: KindAction.BLOCK})
    transfer = await the_road.one(pipeline)
    assert (transfer.state, transfer.reason, transfer.policy) == (State.BLOCKED, Reason.FORBIDDEN_KIND, pipeline.policy.version)


async def test_passwords_of_a_mail_are_told_on_and_a_retry_of_a_delivery_works_on_nothing(the_road: Road) -> None:
    class Telling(FakeWorkers):
        async def sanitize(self, *given: Any, **more: Any) -> Sanitized:
            return (await super().sanitize(*given, **more))._replace(passwords=("ひらけごま",))

    seen: list[tuple[str, tuple[str, ...]]] = []
    workers = Telling()
    pipeline = the_road.pipeline(workers, passwords_seen=lambda mail, words: seen.append((mail.receipt_no, words)))
    transfer = await the_road.one(pipeline)
    assert seen == [(transfer.receipt_no, ("ひらけごま",))]
    (delivery,) = await the_road.journal.claim_deliveries(1, at=NOW, lease_until=NOW + 60)
    gone = [msgspec.structs.replace(one, state=RecipientState.FAILED, due=None) for one in delivery.recipients]
    await the_road.journal.settle_delivery(delivery, gone, None, at=NOW)
    assert (await the_road.journal.transfer(transfer.id)).state is State.UNDELIVERABLE
    the_road.woken.clear()
    assert await pipeline.retry(transfer.id, actor="tanaka") is None
    assert (the_road.woken, len(workers.jobs)) == (["released"], 1), "it is only sent again"


async def test_a_journal_that_cannot_be_claimed_from_is_waited_out(the_road: Road, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("gateway.road.pipeline._PAUSE_SECONDS", 0.01)
    real, away = the_road.journal.claim, [True]

    async def claim(*given: Any, **more: Any) -> Any:
        if away and away.pop():
            raise JournalUnavailableError("journal: away")
        return await real(*given, **more)

    monkeypatch.setattr(the_road.journal, "claim", claim)
    assert (await the_road.one(the_road.pipeline())).state is State.RELEASED
    assert "no work can be claimed" in caplog.text
