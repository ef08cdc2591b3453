"""What stays inside is told: once, to its recipients, and in digests at set times, whatever happens in between."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.model import Door, Purpose, State
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from gateway.telling.notices import Office
from gateway.telling.notifier import Notifier, last_slot
from sanitizers.model import Reason, Verdict
from tests.build.transfer import NOW, FaultyDisk, MemoryBlobs, arrival, claimed, report, settlement

OFFICE = Office(sender="postmaster@town.example.jp", hostname="sekisho.town.example.jp")
RECIPIENTS = ("a@town.example.jp", "b@town.example.jp")
NINE, ONE = 9 * 60, 13 * 60


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield journal
    await journal.stop()


@pytest.fixture
def tokyo() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


async def kept_inside(
    journal: Journal, verdict: Verdict = Verdict.HELD, reason: Reason = Reason.ENCRYPTED, at: float = NOW, **changes: object
) -> int:
    _, receipt_no = await journal.accept(arrival(**({"recipients": RECIPIENTS, "received_at": at} | changes)))
    await journal.settle(claimed(await journal.claim(1, at=at, lease_until=at + 60)), settlement(report(verdict, reason)), at=at)
    return (await journal.find(receipt_no)).id


async def test_each_kept_mail_is_told_once(journal: Journal) -> None:
    held, blocked = await kept_inside(journal), await kept_inside(journal, Verdict.BLOCKED, Reason.MALWARE)
    blobs, queued = MemoryBlobs(), []
    notifier = Notifier(journal, blobs, OFFICE, clock=lambda: NOW, queued=lambda: queued.append(1))
    for _ in range(3):
        await notifier.send_owed()
    assert queued == [1, 1]
    for transfer_id, subject in ((held, "【保留】"), (blocked, "【受け取れません】")):
        (delivery,) = await journal.deliveries(transfer_id)
        assert (delivery.purpose, delivery.sender) == (Purpose.NOTICE, "")
        assert [one.address for one in delivery.recipients] == list(RECIPIENTS)
        message = email.message_from_bytes(await blobs.read(delivery.blob), policy=email.policy.default)
        assert message["Subject"].startswith(subject)
    assert (await journal.transfer(held)).state is State.HELD


async def test_notices_are_written_when_somebody_says_so(journal: Journal) -> None:
    queued = asyncio.Event()
    notifier = Notifier(journal, MemoryBlobs(), OFFICE, clock=lambda: NOW, queued=queued.set)
    async with asyncio.timeout(10):
        running = asyncio.ensure_future(notifier.run())
        await asyncio.sleep(0.01)
        transfer_id = await kept_inside(journal)
        notifier.wake()
        await queued.wait()
        assert len(await journal.deliveries(transfer_id)) == 1
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_notice_that_cannot_be_stored_stays_owed(journal: Journal, tmp_path: Path) -> None:
    await kept_inside(journal)
    broken = LocalBlobs(tmp_path / "nowhere", disk=FaultyDisk("create"))
    await Notifier(journal, broken, OFFICE, clock=lambda: NOW).send_owed()
    assert len(await journal.owed_notices()) == 1
    await Notifier(journal, MemoryBlobs(), OFFICE, clock=lambda: NOW).send_owed()
    assert await journal.owed_notices() == []
    await broken.stop()


# ------------------------------------------------------------------------------------------------------------- digests


def japan(day: int, hour: int, minute: int = 0) -> float:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.timezone(dt.timedelta(hours=9))).timestamp()


@pytest.mark.usefixtures("tokyo")
def test_the_last_time_of_the_day() -> None:
    times = (NINE, ONE)
    assert last_slot(japan(20, 9), times) == japan(20, 9)
    assert last_slot(japan(20, 12, 59), times) == japan(20, 9)
    assert last_slot(japan(20, 23), times) == japan(20, 13)
    assert last_slot(japan(20, 8, 59), times) == japan(19, 13)


@pytest.mark.usefixtures("tokyo")
async def test_a_digest_tells_each_recipient_what_is_held_for_him_alone(journal: Journal) -> None:
    night = japan(20, 2)
    first = await kept_inside(journal, at=night)
    second = await kept_inside(journal, reason=Reason.MALFORMED, at=night + 60, recipients=("b@town.example.jp",), sender="x@other.example")
    await kept_inside(journal, Verdict.BLOCKED, Reason.MALWARE, at=night + 120)
    await kept_inside(journal, at=night + 180, door=Door.DROP)
    blobs, queued = MemoryBlobs(), []
    for _ in range(2):
        await digests(journal, blobs, japan(20, 9, 1), queued).send_owed()
    told = [delivery for one in (first, second) for delivery in await journal.deliveries(one) if delivery.purpose is Purpose.DIGEST]
    assert queued == [1]
    assert sorted((one.recipients[0].address, len(one.recipients), one.sender) for one in told) == [
        ("a@town.example.jp", 1, ""), ("b@town.example.jp", 1, ""),
    ]
    texts = {}
    for one in told:
        message = email.message_from_bytes(await blobs.read(one.blob), policy=email.policy.default)
        assert message.defects == []
        assert message["To"].addresses[0].addr_spec == one.recipients[0].address
        assert message["Auto-Submitted"] == "auto-generated"
        texts[one.recipients[0].address] = (message["Subject"], message.get_content())
    assert texts["a@town.example.jp"][0] == "【保留】お届けしていないメールが1通あります"
    assert texts["b@town.example.jp"][0] == "【保留】お届けしていないメールが2通あります"
    both = texts["b@town.example.jp"][1]
    for said in ("パスワードで保護されています", "形式が壊れているか、あいまいです", "other[.]example", "20261120-000001", "20261120-000002"):
        assert said in both
    assert "other[.]example" not in texts["a@town.example.jp"][1]
    for stranger in ("x@other.example", "sender@example.com", "20261120-000003", "20261120-000004"):
        assert stranger not in both


@pytest.mark.usefixtures("tokyo")
async def test_a_digest_has_what_is_new_and_still_held(journal: Journal) -> None:
    blobs, queued = MemoryBlobs(), []
    old = await kept_inside(journal, at=japan(20, 8))
    await digests(journal, blobs, japan(20, 9), queued).send_owed()
    gone, new = await kept_inside(journal, at=japan(20, 10)), await kept_inside(journal, at=japan(20, 11))
    await journal.dispose(gone, at=japan(20, 12), actor="admin", note="not wanted")
    await digests(journal, blobs, japan(20, 12, 59), queued).send_owed()
    assert queued == [1]
    await digests(journal, blobs, japan(20, 13), queued).send_owed()
    assert [len(await digests_of(journal, one)) for one in (old, gone, new)] == [2, 0, 2]
    # Nothing new: nobody is written to.
    await digests(journal, blobs, japan(21, 9), queued).send_owed()
    assert queued == [1, 1]
    assert (await journal.transfer(old)).state is State.HELD


@pytest.mark.usefixtures("tokyo")
async def test_two_nodes_send_one_digest(journal: Journal) -> None:
    await kept_inside(journal, at=japan(20, 8))
    blobs, queued = MemoryBlobs(), []
    await asyncio.gather(*(digests(journal, blobs, japan(20, 9), queued).send_owed() for _ in range(4)))
    assert queued == [1]


@pytest.mark.usefixtures("tokyo")
async def test_a_digest_that_cannot_be_stored_stays_owed(journal: Journal, tmp_path: Path) -> None:
    held = await kept_inside(journal, at=japan(20, 8))
    broken = LocalBlobs(tmp_path / "nowhere", disk=FaultyDisk("create"))
    await digests(journal, broken, japan(20, 9), []).send_owed()
    assert await digests_of(journal, held) == []
    await digests(journal, MemoryBlobs(), japan(20, 9, 5), []).send_owed()
    assert len(await digests_of(journal, held)) == 2
    await broken.stop()


async def test_without_a_time_there_is_none_and_a_notice_can_be_switched_off(journal: Journal) -> None:
    held = await kept_inside(journal)
    await Notifier(journal, MemoryBlobs(), OFFICE, at_once=False, clock=lambda: NOW).send_owed()
    assert await journal.deliveries(held) == []


async def test_a_journal_that_does_not_answer_stops_nobody(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> list[object]:
        raise JournalUnavailableError("away")

    held = await kept_inside(journal)
    monkeypatch.setattr(journal, "owed_digests", silent)
    await digests(journal, MemoryBlobs(), NOW, []).send_owed()
    assert await digests_of(journal, held) == []


async def test_a_digest_that_cannot_be_written_ends_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    held = await kept_inside(journal)
    with monkeypatch.context() as patch:
        patch.setattr("gateway.telling.notifier.digest_notice", lambda *_: 1 / 0)
        await digests(journal, MemoryBlobs(), NOW + 86_000, []).send_owed()
    assert await digests_of(journal, held) == []
    await digests(journal, MemoryBlobs(), NOW + 86_000, []).send_owed()
    assert len(await digests_of(journal, held)) == 2


def digests(journal: Journal, blobs: MemoryBlobs | LocalBlobs, now: float, queued: list[int]) -> Notifier:
    return Notifier(
        journal, blobs, OFFICE, at_once=False, digest_at=(NINE, ONE), clock=lambda: now, queued=lambda: queued.append(1)
    )


async def digests_of(journal: Journal, transfer_id: int) -> list[str]:
    return [one.recipients[0].address for one in await journal.deliveries(transfer_id) if one.purpose is Purpose.DIGEST]
