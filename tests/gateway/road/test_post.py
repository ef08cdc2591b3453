"""The road's side of the post: intake, outbox and notices, against the protocols of mail/."""

from __future__ import annotations

import dataclasses
import errno
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.model import RecipientState, State
from gateway.road.post import MailIntake, MailOutbox
from gateway.storage import disposals, upkeep
from gateway.storage.faults import JournalUnavailableError, LeaseLostError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from mail.envelope import Envelope, Notify, Wishes
from mail.intake import Intake, Overloaded
from mail.outbox import Delivery, Outbox, Result
from sanitizers.model import Reason, Verdict
from tests.build.transfer import NOW, RESULT, FaultyDisk, MemoryBlobs, MemoryWriter, claimed, digest, report, settlement

ENVELOPE = Envelope(sender="sender@example.com", recipients=("a@town.example.jp", "b@town.example.jp"), client_ip="192.0.2.9", helo="x")
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield journal
    await journal.stop()


def intake(journal: Journal, blobs: MemoryBlobs | LocalBlobs | None = None) -> MailIntake:
    return MailIntake(journal, blobs or MemoryBlobs(), ["town.example.jp", "City.Example.JP"], clock=lambda: NOW)


async def post(door: Intake, envelope: Envelope = ENVELOPE) -> str:
    incoming = await door.begin(envelope)
    for byte in MESSAGE:
        await incoming.write(bytes([byte]))
    return await incoming.commit()


async def released(journal: Journal, blobs: MemoryBlobs) -> int:
    receipt_no = await post(intake(journal, blobs))
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    await blobs.put(RESULT)
    await journal.settle(claim, settlement(), at=NOW)
    return (await journal.find(receipt_no)).id


# -------------------------------------------------------------------------------------------------------------- intake


async def test_a_receipt_number_means_that_body_and_envelope_are_there(journal: Journal) -> None:
    blobs, woken = MemoryBlobs(), []
    door = MailIntake(journal, blobs, ["town.example.jp"], organisation="町", clock=lambda: NOW, accepted=lambda: woken.append(1))
    transfer = await journal.find(await post(door))
    assert await blobs.read(transfer.blob or "") == MESSAGE
    assert (transfer.sender, transfer.recipients, transfer.client) == ("sender@example.com", ENVELOPE.recipients, "192.0.2.9")
    assert (transfer.state, transfer.size, transfer.organisation) == (State.RECEIVED, len(MESSAGE), "町")
    assert woken == [1]


@pytest.mark.parametrize("ours", ["a@town.example.jp", "A.B+c@TOWN.example.jp", "x@city.example.jp", "役場@town.example.jp"])
def test_our_recipients_are_accepted(journal: Journal, ours: str) -> None:
    assert intake(journal).accepts(ours)


@pytest.mark.parametrize(
    "theirs",
    [
        "", "@", "a", "@town.example.jp", "a@", "a@example.com", "a@evil.town.example.jp", "a@town.example.jp.evil", "a@town.example.jp.",
        "a%example.com@town.example.jp", "example.com!a@town.example.jp", '"a@example.com"@town.example.jp',
        "a@example.com@town.example.jp",
        "@example.com:a@town.example.jp", "a b@town.example.jp", "a,b@town.example.jp", "a@[town.example.jp]",
    ],
)  # fmt: skip
def test_no_spelling_makes_us_a_relay(journal: Journal, theirs: str) -> None:
    assert not intake(journal).accepts(theirs)


async def test_a_mail_that_was_given_up_leaves_nothing(journal: Journal, tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    await blobs.start()
    incoming = await intake(journal, blobs).begin(ENVELOPE)
    await incoming.write(b"x" * 1_000_000)
    await incoming.abort()
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert await journal.transfers() == []
    await blobs.stop()


async def test_below_the_reserve_the_client_is_told_to_come_again(journal: Journal, tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs", reserve=1 << 62)
    await blobs.start()
    with pytest.raises(Overloaded):
        await intake(journal, blobs).begin(ENVELOPE)
    await blobs.stop()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", ["create", "write", "flush", "move", "flush_folder"])
async def test_without_a_durable_body_there_is_no_row(journal: Journal, tmp_path: Path, step: str, error: int) -> None:
    healthy = LocalBlobs(tmp_path / "blobs")
    await healthy.start()
    blobs = LocalBlobs(tmp_path / "blobs", disk=FaultyDisk(step, error))
    incoming = await intake(journal, blobs).begin(ENVELOPE)
    await incoming.write(MESSAGE)
    with pytest.raises(StorageError):
        await incoming.commit()
    await incoming.abort()
    assert await journal.transfers() == []
    await blobs.stop()
    await healthy.stop()


async def test_a_body_without_a_row_is_swept_after_the_grace(journal: Journal, tmp_path: Path) -> None:
    """The crash between body and row, and the journal that fails there."""
    blobs = LocalBlobs(tmp_path / "blobs")
    await blobs.start()
    kept = await post(intake(journal, blobs), Envelope(sender="", recipients=("a@town.example.jp",), client_ip="", helo=""))
    closed = Journal(tmp_path / "other.db")
    incoming = await intake(closed, blobs).begin(ENVELOPE)
    await incoming.write(b"orphan")
    with pytest.raises(JournalUnavailableError):
        await incoming.commit()
    await incoming.abort()
    orphan, row = digest(b"orphan"), (await journal.find(kept)).sha256
    assert await upkeep.sweep(journal, blobs, time.time()) == 0
    assert await blobs.exists(orphan)
    assert await upkeep.sweep(journal, blobs, time.time() + upkeep.GRACE_SECONDS + 1) == 1
    assert not await blobs.exists(orphan)
    assert await blobs.exists(row)
    await blobs.stop()


# -------------------------------------------------------------------------------------------------------------- outbox


async def claim(outbox: Outbox, now: float = NOW) -> Delivery:
    (delivery,) = await outbox.claim(5, now)
    return delivery


async def test_what_was_released_goes_out_and_ends(journal: Journal) -> None:
    blobs = MemoryBlobs()
    transfer_id = await released(journal, blobs)
    outbox = MailOutbox(journal, blobs, clock=lambda: NOW)
    assert await outbox.next_due() == NOW
    delivery = await claim(outbox)
    assert [(one.address, one.attempts) for one in delivery.recipients] == [("a@town.example.jp", 0), ("b@town.example.jp", 0)]
    assert (delivery.sender, delivery.size, delivery.first_at) == ("sender@example.com", len(RESULT), NOW)
    assert delivery.receipt_no == (await journal.transfer(transfer_id)).receipt_no
    assert await outbox.read(delivery) == RESULT
    results = [
        Result("a@town.example.jp", "delivered", 250, "2.0.0", "ok"),
        Result("b@town.example.jp", "deferred", 451, "4.3.0", "later", NOW + 60),
    ]
    await outbox.settle(delivery, results, None)
    assert (await journal.transfer(transfer_id)).state is State.DEFERRED
    assert await outbox.next_due() == NOW + 60
    again = await claim(outbox, NOW + 60)
    assert [(one.address, one.attempts) for one in again.recipients] == [("b@town.example.jp", 1)]
    await outbox.settle(again, [Result("b@town.example.jp", "failed", 550, "5.1.1", "x" * 5000)], b"bounce")
    assert (await journal.transfer(transfer_id)).state is State.UNDELIVERABLE
    bounce = await claim(outbox, NOW + 60)
    assert (bounce.sender, [one.address for one in bounce.recipients]) == ("", ["sender@example.com"])
    assert await outbox.read(bounce) == b"bounce"
    await outbox.settle(bounce, [Result("sender@example.com", "failed", 550, "5.1.1", "no")], b"never sent")
    assert await outbox.next_due() is None
    mail, _ = await journal.deliveries(transfer_id)
    assert [one.state for one in mail.recipients] == [RecipientState.DELIVERED, RecipientState.FAILED]


async def test_a_delivery_given_back_is_due_unchanged(journal: Journal) -> None:
    blobs = MemoryBlobs()
    await released(journal, blobs)
    outbox = MailOutbox(journal, blobs, clock=lambda: NOW)
    await outbox.release(await claim(outbox))
    assert (await claim(outbox)).recipients[0].attempts == 0


async def test_a_late_result_is_fenced_off(journal: Journal) -> None:
    blobs = MemoryBlobs()
    transfer_id = await released(journal, blobs)
    outbox = MailOutbox(journal, blobs, clock=lambda: NOW)
    late = await claim(outbox)
    await journal.return_leases(at=NOW + 10_000, attempts=3)
    second = await claim(outbox, NOW + 10_000)
    failed = [Result(one.address, "failed", 550, "5.1.1", "no") for one in late.recipients]
    for step in (outbox.settle(late, failed, None), outbox.settle(late, failed, None), outbox.release(late)):
        with pytest.raises(LeaseLostError):
            await step
    await outbox.settle(second, [Result(one.address, "delivered", 250, "2.0.0", "ok") for one in second.recipients], None)
    assert (await journal.transfer(transfer_id)).state is State.DELIVERED


@pytest.mark.parametrize("end", ["handed on", "given back", "fenced off"])
async def test_what_the_journal_could_not_hear_is_made_up_for(journal: Journal, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """A database that was away for longer than the queue tries: nobody waits for the lease, and what was handed on is not once more."""
    blobs, now = MemoryBlobs(), [NOW]
    transfer_id = await released(journal, blobs)
    outbox = MailOutbox(journal, blobs, clock=lambda: now[0])
    mail = await claim(outbox)
    away, write = [True], journal.write

    async def perhaps(*given: Any, **said: Any) -> Any:
        if away[0]:
            raise JournalUnavailableError("journal: away")
        return await write(*given, **said)

    monkeypatch.setattr(journal, "write", perhaps)
    delivered = [Result(one.address, "delivered", 250, "2.0.0", "ok") for one in mail.recipients]
    with pytest.raises(JournalUnavailableError):
        await (outbox.release(mail) if end == "given back" else outbox.settle(mail, delivered, None))
    now[0] += 60
    with pytest.raises(JournalUnavailableError):
        await outbox.claim(1, now[0])
    away[0] = False
    if end == "fenced off":
        await journal.return_leases(at=NOW + 10_000, attempts=3)
    again = await outbox.claim(1, now[0])
    assert (await journal.transfer(transfer_id)).state is (State.DELIVERED if end == "handed on" else State.DELIVERING)
    assert len(again) == (0 if end == "handed on" else 1)
    assert [one.recipients[0].attempts for one in again] == ([] if end == "handed on" else [0 if end == "given back" else 1])
    with pytest.raises(LeaseLostError):
        await outbox.read(mail)


async def test_what_a_sender_wants_to_hear_goes_with_his_mail_and_no_other(journal: Journal) -> None:
    blobs = MemoryBlobs()
    wishes = Wishes("id 1", "HDRS", {"a@town.example.jp": Notify(("SUCCESS", "DELAY"), "rfc822;old@town.example.jp")})
    receipt_no = await post(intake(journal, blobs), dataclasses.replace(ENVELOPE, wishes=wishes))
    await blobs.put(RESULT)
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), settlement(), at=NOW)
    outbox = MailOutbox(journal, blobs, clock=lambda: NOW)
    mail = await claim(outbox, NOW)
    assert (mail.receipt_no, mail.wishes) == (receipt_no, wishes)
    results = [Result(one.address, "failed", 550, "5.1.1", "no") for one in mail.recipients]
    await outbox.settle(mail, results, b"a bounce")
    assert (await claim(outbox, NOW)).wishes == Wishes()


async def test_retention_gives_up_what_is_over_age(journal: Journal) -> None:
    blobs = MemoryBlobs()
    held = (await journal.find(await post(intake(journal)))).id
    locked = settlement(report(Verdict.HELD, Reason.ENCRYPTED))
    await journal.settle(claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60)), locked, at=NOW)
    on_its_way = await released(journal, blobs)
    assert await upkeep.dispose_over_age(journal, 90, NOW + 89 * 86_400) == 0
    assert await upkeep.dispose_over_age(journal, 90, NOW + 91 * 86_400) == 1
    assert (await journal.transfer(held)).state is State.DISPOSED
    assert (await journal.transfer(on_its_way)).state is State.RELEASED
    last = [(entry.actor, entry.action) async for entry in journal.entries()][-2:]
    assert last == [("retention", "transfer.disposed"), ("retention", "disposal.recorded")]
    (record,) = await journal.ask(disposals.listed)
    assert (record.what, record.count, record.oldest, record.number[:3]) == ("originals", 1, (await journal.transfer(held)).receipt_no, "DP-")


def test_only_those_on_the_list_are_known_and_the_postmaster(journal: Journal) -> None:
    door = MailIntake(journal, MemoryBlobs(), ["town.example.jp"], recipients=["Clerk@town.example.jp"])
    assert [door.knows(address) for address in ("clerk@TOWN.example.jp", "nobody@town.example.jp", "postmaster@town.example.jp")] == [
        True, False, True,
    ]
    door.know(None)
    assert door.knows("nobody@town.example.jp")


async def test_mail_goes_before_notices(journal: Journal) -> None:
    blobs = MemoryBlobs()
    await released(journal, blobs)
    outbox = MailOutbox(journal, blobs, clock=lambda: NOW)
    mail = await claim(outbox, NOW)
    failed = [Result(one.address, "failed", 550, "5.1.1", "no") for one in mail.recipients]
    await outbox.settle(mail, failed, b"a bounce")
    await released(journal, blobs)
    assert [one.sender for one in await outbox.claim(5, NOW)] == ["sender@example.com", ""]


async def test_a_body_that_cannot_be_removed_is_left_to_the_next_start(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(MemoryBlobs):
        async def begin(self, *, owner: str = "") -> MemoryWriter:
            writer = await super().begin(owner=owner)

            async def abort() -> None:
                raise StorageError("blobs: Input/output error")

            writer.abort = abort  # type: ignore[method-assign]
            return writer

    incoming = await intake(journal, Stuck()).begin(ENVELOPE)
    await incoming.write(MESSAGE)
    await incoming.abort()
    assert "an unfinished message could not be removed" in caplog.text
    assert await journal.transfers() == []


async def test_what_was_just_told_is_not_told_again_so_soon(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The post itself may still come again with it."""
    blobs, now = MemoryBlobs(), NOW
    await released(journal, blobs)
    outbox = MailOutbox(journal, blobs, clock=lambda: now)
    (delivery,) = await outbox.claim(1, now)

    async def away(*_: object, **__: object) -> None:
        raise JournalUnavailableError("journal: away")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "give_back_delivery", away)
        with pytest.raises(JournalUnavailableError):
            await outbox.release(delivery)
    assert await outbox.claim(1, now + 0.01) == []
    assert len(outbox._owed) == 1
    await outbox.release(delivery)
    assert outbox._owed == {}
    assert len(await outbox.claim(1, now + 0.02)) == 1
