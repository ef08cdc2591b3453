"""Passwords given later: what fits opens, what does not is counted, and nothing of a password is ever written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.model import Door, Purpose, RecipientState, State, Transfer
from gateway.policy import Policy
from gateway.requests.unlocking import LONGEST, MOST_TRIES, BusyError, Unlocking
from gateway.road.pipeline import Pipeline
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError
from sanitizers.model import Action, Finding, Job, Kind, Reason, Report, Severity, Treatment, Verdict
from tests.build.transfer import (
    BODY,
    NOW,
    RESULT,
    FakeWorkers,
    MemoryBlobs,
    arrival,
    claimed,
    digest,
    held,
    lost,
    report,
    settlement,
    signer,
)

KEYS = {"a.zip": "asa", "b.zip": "ban"}


def locked_mail(job: Job, source: bytes) -> Report:
    """A mail with two locked attachments, each with its own password."""
    parts = []
    for name, key in KEYS.items():
        part = report(source=name.encode()) if key in job.passwords else report(Verdict.HELD, Reason.ENCRYPTED, source=name.encode())
        parts.append(msgspec.structs.replace(part, input=msgspec.structs.replace(part.input, name=name)))
    return report(source=source, parts=tuple(parts), policy=job.policy)


def locked_file(job: Job, source: bytes) -> Report:
    return report(source=source, policy=job.policy) if "asa" in job.passwords else held()


class Desk:
    """Everything a password needs, without a jail."""

    def __init__(self, journal: Journal, answer: object) -> None:
        self.journal, self.blobs, self.workers = journal, MemoryBlobs(), FakeWorkers(answer)  # type: ignore[arg-type]
        self.pipeline = Pipeline(journal, self.blobs, self.workers, Policy(), signer(), clock=lambda: NOW)
        self.unlocking = Unlocking(journal, self.pipeline, lambda: NOW)

    async def arrived(self, door: Door) -> int:
        """Sanitised without any password."""
        await self.blobs.put(BODY)
        transfer_id, _ = await self.journal.accept(arrival(door=door))
        await self.pipeline.process(claimed(await self.journal.claim(1, at=NOW, lease_until=NOW + 60)))
        return transfer_id

    async def sent(self, transfer_id: int) -> None:
        """The next hop takes every mail that is due."""
        for delivery in await self.journal.claim_deliveries(10, at=NOW, lease_until=NOW + 60):
            outcomes = [msgspec.structs.replace(one, state="delivered", code=250) for one in delivery.recipients]
            await self.journal.settle_delivery(delivery, outcomes, None, at=NOW)
        assert (await self.journal.transfer(transfer_id)).state is State.DELIVERED

    async def attempt(self, transfer_id: int, password: str) -> tuple[bool, tuple[str, ...], int]:
        return tuple(await self.unlocking.attempt(await self.journal.transfer(transfer_id), password, actor="tanaka"))  # type: ignore[return-value]

    async def now(self, transfer_id: int) -> Transfer:
        return await self.journal.transfer(transfer_id)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = Journal(tmp_path / "sekisho.db")
    await made.start()
    yield made
    await made.stop()


async def test_a_locked_upload_opens_and_can_be_fetched(journal: Journal) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    assert (await desk.now(upload)).reason is Reason.ENCRYPTED
    assert await desk.attempt(upload, "wrong") == (False, ("message.eml",), MOST_TRIES - 1)
    assert (await desk.now(upload)).state is State.HELD
    assert await desk.attempt(upload, "asa") == (True, (), MOST_TRIES)
    opened = await desk.now(upload)
    assert (opened.state, opened.verdict, opened.reason) == (State.RELEASED, Verdict.SANITIZED, None)
    assert opened.result is not None
    assert await journal.receipt(upload) is not None
    with pytest.raises(NotAllowedError, match="nothing"):
        await desk.attempt(upload, "asa")


async def test_a_delivered_mail_is_sent_again_with_each_part_that_opens(journal: Journal) -> None:
    desk = Desk(journal, locked_mail)
    mail = await desk.arrived(Door.SMTP)
    with pytest.raises(BusyError):      # it is about to leave
        await desk.attempt(mail, "asa")
    await desk.sent(mail)
    assert await desk.attempt(mail, "asa") == (True, ("b.zip",), MOST_TRIES)
    await desk.sent(mail)
    assert await desk.attempt(mail, "ban") == (True, (), MOST_TRIES)
    assert desk.workers.jobs[-1].passwords == ("asa", "ban"), "the first is needed again for the whole mail"
    await desk.sent(mail)
    sent = await journal.deliveries(mail)
    assert [one.purpose for one in sent] == [Purpose.MAIL] * 3
    assert {one.blob for one in sent} == {digest(RESULT)}
    assert all(one.state is RecipientState.DELIVERED for delivery in sent for one in delivery.recipients)


async def test_five_wrong_ones_close_it_and_a_restart_does_not_open_it(journal: Journal, tmp_path: Path) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    for left in reversed(range(MOST_TRIES)):
        assert (await desk.attempt(upload, f"wrong {left}"))[2] == left
    for place in (desk.unlocking, Unlocking(journal, desk.pipeline, lambda: NOW)):
        with pytest.raises(NotAllowedError, match="5 passwords"):
            await place.attempt(await desk.now(upload), "asa", actor="tanaka")
    assert len(desk.workers.jobs) == 1 + MOST_TRIES
    assert (await desk.now(upload)).state is State.HELD


async def test_no_password_is_written_anywhere(journal: Journal, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    desk = Desk(journal, locked_mail)
    mail = await desk.arrived(Door.SMTP)
    await desk.sent(mail)
    secret = "himitsu-no-kagi"
    await desk.attempt(mail, secret)
    await desk.attempt(mail, "asa")
    await journal.stop()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"transfer.password" in written, "that one was tried is recorded"
    said = "".join(capfd.readouterr())
    for word in (secret, '"asa"'):
        assert word.encode() not in written
        assert word not in said


async def test_a_lost_child_changes_nothing_but_the_count(journal: Journal) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    desk.workers.answer = lost
    assert await desk.attempt(upload, "asa") == (False, ("message.eml",), MOST_TRIES - 1)
    assert (await desk.now(upload)).reason is Reason.ENCRYPTED


async def test_what_opens_into_malware_is_blocked(journal: Journal) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    desk.workers.answer = lambda job, source: report(Verdict.BLOCKED, Reason.MALWARE, source=source, policy=job.policy)
    assert (await desk.attempt(upload, "asa"))[0]
    assert (await desk.now(upload)).state is State.BLOCKED


@pytest.mark.parametrize("password", ["", "x" * (LONGEST + 1), "a\0b"])
async def test_what_is_no_password_is_not_counted(journal: Journal, password: str) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    with pytest.raises(ValueError, match="not a password"):
        await desk.attempt(upload, password)
    assert (await desk.attempt(upload, "wrong"))[2] == MOST_TRIES - 1


async def test_a_transfer_that_moved_on_meanwhile_is_left_alone(journal: Journal) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    stale = await desk.now(upload)
    await journal.dispose(upload, at=NOW, actor="sousa")
    with pytest.raises(BusyError):
        await desk.unlocking.attempt(stale, "asa", actor="tanaka")
    assert (await desk.now(upload)).state is State.DISPOSED


async def test_a_settled_transfer_keeps_its_first_receipt_number(journal: Journal) -> None:
    desk = Desk(journal, locked_file)
    upload = await desk.arrived(Door.DROP)
    before = await desk.now(upload)
    await desk.attempt(upload, "asa")
    assert (await desk.now(upload)).receipt_no == before.receipt_no
    assert settlement().result is not None


# ------------------------------------------------------------------------------------------------------------- 確認済み

AWAITS = Finding(code="confirm.approval_needed", severity=Severity.LOW, action=Action.REFUSED, where="a.dxf")
DRAWINGS = Policy(treatment=Treatment(confirmed_kinds=(Kind.DXF,)))


def drawing(job: Job, source: bytes) -> Report:
    if job.treatment.confirmed_by:
        return report(Verdict.CONFIRMED, source=source, output=source, kind=Kind.DXF, policy=job.policy)
    waits = report(Verdict.HELD, Reason.UNSUPPORTED_KIND, source=source, kind=Kind.DXF, policy=job.policy)
    return msgspec.structs.replace(waits, findings=(AWAITS,))


@pytest.mark.parametrize(("policy", "passes"), [(DRAWINGS, True), (Policy(), False)])
async def test_an_original_passes_on_a_persons_word_that_is_written_down(journal: Journal, policy: Policy, passes: bool) -> None:
    desk = Desk(journal, drawing)
    desk.workers.output = BODY
    desk.pipeline.policy = policy
    transfer = await journal.transfer(await desk.arrived(Door.DROP))
    assert (transfer.state, transfer.reason) == (State.HELD, Reason.UNSUPPORTED_KIND)
    await desk.pipeline.confirm(transfer, actor="shinsa", note="checked by eye")
    after = await journal.transfer(transfer.id)
    assert [job.treatment.confirmed_by for job in desk.workers.jobs] == ["", "shinsa"]
    if not passes:
        assert (after.state, after.verdict, after.reason) == (State.HELD, Verdict.HELD, Reason.VERIFICATION_FAILED)
        return
    assert (after.state, after.verdict) == (State.RELEASED, Verdict.CONFIRMED)
    assert after.result is not None
    assert after.result.sha256 == after.sha256
    said = [(entry.actor, entry.detail) async for entry in journal.entries(subject=after.receipt_no)]
    assert any(actor == "shinsa" and "confirmed: checked by eye" in str(detail) for actor, detail in said)
    receipt = await journal.receipt(after.id)
    assert receipt is not None
    assert "confirmed" in receipt


async def test_nothing_to_confirm_changes_nothing(journal: Journal) -> None:
    desk = Desk(journal, locked_file)
    transfer = await journal.transfer(await desk.arrived(Door.DROP))
    assert not await desk.pipeline.confirm(transfer, actor="shinsa", note="x")
    assert await journal.transfer(transfer.id) == transfer


async def test_a_pdf_that_cannot_be_rebuilt_passes_as_pixels(journal: Journal) -> None:
    def broken(job: Job, source: bytes) -> Report:
        if job.treatment.pdf_strict_pixels:
            return report(source=source, kind=Kind.PDF, policy=job.policy)
        return report(Verdict.HELD, Reason.MALFORMED, source=source, kind=Kind.PDF, policy=job.policy)

    desk = Desk(journal, broken)
    transfer = await journal.transfer(await desk.arrived(Door.DROP))
    assert transfer.state is State.HELD
    assert await desk.pipeline.as_pixels(transfer, actor="shinsa", note="asked for")
    assert (await journal.transfer(transfer.id)).state is State.RELEASED
    assert [job.treatment.pdf_strict_pixels for job in desk.workers.jobs] == [False, True]
