"""What is given up after its time goes by the one job alone, leaves a record of the disposal, and the rest stays whole."""

from __future__ import annotations

import hashlib
from functools import partial

import msgspec
import pytest
from sqlalchemy import delete
from sqlalchemy.exc import DBAPIError

from gateway import audit
from gateway.auditing.retention import Kept, Retention
from gateway.model import State
from gateway.storage import disposals, documents, incidents, ledger, letters
from gateway.storage.faults import JournalUnavailableError, NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.tables import audit as audit_rows
from tests.build.transfer import DAY, NOW, arrival, claimed, held, settlement

pytestmark = pytest.mark.asyncio


async def filled(journal: Journal, days: int) -> None:
    for day in range(days):
        await journal.record(at=NOW + day * DAY, actor="tanaka", action="login", subject=str(day), detail={})


async def test_the_record_loses_its_beginning_and_stays_whole(journal: Journal) -> None:
    await filled(journal, 20)
    now = [NOW + 20 * DAY]
    keeper = Retention(journal, Kept(audit=10, documents=0), lambda: now[0])
    assert await keeper.run_once() == 10
    left = [entry.subject async for entry in journal.entries() if entry.action == "login"]
    assert left == [str(day) for day in range(10, 20)]
    found = await audit.verify(journal)
    assert (found.broken, found.entries) == (None, 12)
    assert [(await audit.verify_end(journal, after)).broken for after in (0, 5, 10, 11, 15, 21)] == [None] * 6
    (record,) = await journal.ask(disposals.listed)
    assert (record.what, record.count, record.oldest, record.youngest, record.actor) == ("audit", 10, "1", "10", "retention")
    assert await keeper.run_once() == 0, "once a day"
    now[0] += 2 * DAY
    assert await keeper.run_once() == 2
    assert (await audit.verify(journal)).broken is None
    assert len(await journal.ask(disposals.listed)) == 2


async def test_nobody_else_takes_a_row(journal: Journal) -> None:
    await filled(journal, 3)
    with pytest.raises((DBAPIError, JournalUnavailableError)):
        await journal.write(lambda connection: connection.execute(delete(audit_rows).where(audit_rows.c.seq == 1)))
    assert [entry.seq async for entry in journal.entries()] == [1, 2, 3]


async def test_what_is_kept_for_good_stays(journal: Journal) -> None:
    await filled(journal, 3)
    assert await Retention(journal, Kept(0, 0), lambda: NOW + 4_000 * DAY).run_once() == 0
    assert await journal.ask(ledger.cut) is None


async def test_papers_go_and_their_numbers_stay(journal: Journal) -> None:
    for day in (0, 5):
        kept = partial(
            documents.keep,
            content=b"%PDF",
            kind="incident",
            subject="x",
            title="t",
            media_type="application/pdf",
            at=NOW + day * DAY,
            actor="a",
        )
        await journal.write(kept)
    await journal.write(lambda connection: letters.queue(connection, ["a@town.example.jp"], b"x", about="x", at=NOW))
    assert await Retention(journal, Kept(0, 3), lambda: NOW + 4 * DAY).run_once() == 1
    assert [one.number for one in await journal.ask(documents.listed)] == ["DOC-2026-0002"]
    with pytest.raises(documents.NoSuchDocumentError):
        await journal.ask(lambda connection: documents.find(connection, "DOC-2026-0001"))
    (record,) = await journal.ask(disposals.listed)
    assert (record.what, record.detail["numbers"]) == ("documents", ["DOC-2026-0001"])
    assert await journal.ask(letters.waiting) == 1, "a letter that is not at its end never goes"


async def test_letters_at_their_end_go(journal: Journal) -> None:
    await journal.write(lambda connection: letters.queue(connection, ["a@town.example.jp"], b"x", about="x", at=NOW))
    (one,) = await journal.write(lambda connection: letters.claim(connection, 1, NOW, NOW + 60))
    await journal.write(lambda connection: letters.settle(connection, one, letters.DELIVERED, "250", again=None, at=NOW))
    keeper = Retention(journal, Kept(0, 0), lambda: NOW + 91 * DAY)
    assert await keeper.run_once() == 1
    assert not await journal.ask(lambda connection: letters.written_about(connection, "x"))


async def gone_through(journal: Journal, name: str) -> str:
    """A mail that was delivered and whose files were then given up; its receipt number."""
    _, number = await journal.accept(arrival(name=name, recipients=("a@city.example.jp", "b@city.example.jp")))
    claim = claimed(await journal.claim(1, at=NOW, lease_until=NOW + 60))
    await journal.settle(claim, msgspec.structs.replace(settlement(held()), matches=frozenset({"A_Rule"})), at=NOW)
    await journal.dispose(claim.transfer.id, at=NOW, actor="retention")
    return number


async def test_transfers_are_forgotten_after_their_time_and_all_that_is_said_of_them(journal: Journal) -> None:
    numbers = [await gone_through(journal, f"古い{number}.docx") for number in range(3)]
    _, alive = await journal.accept(arrival(name="古いが残る.docx"))
    keeper = Retention(journal, Kept(0, 0, transfers=10), lambda: NOW + 11 * DAY)
    assert await Retention(journal, Kept(0, 0, transfers=12), lambda: NOW + 11 * DAY).run_once() == 0
    assert await keeper.run_once() == 3
    assert [one.receipt_no for one in await journal.transfers(Filter())] == [alive]
    assert [one.receipt_no for one in await journal.transfers(Filter(text="古い"))] == [alive]
    for number in numbers:
        with pytest.raises(NoSuchTransferError):
            await journal.find(number)
        assert [entry.action async for entry in journal.entries(subject=number)][-1] == "transfer.disposed", "the record keeps it"
    (record,) = await journal.ask(disposals.listed)
    assert (record.what, record.count, record.oldest, record.youngest) == ("transfers", 3, numbers[0], numbers[-1])
    assert record.detail["sha256"] == hashlib.sha256("\n".join(numbers).encode()).hexdigest()
    assert (await audit.verify(journal)).broken is None
    assert await keeper.run_once() == 0


async def test_what_an_incident_is_about_is_not_forgotten(journal: Journal) -> None:
    number = await gone_through(journal, "検体.docx")
    transfer = await journal.find(number)
    await journal.write(
        lambda connection: incidents.open_incident(
            connection, transfer=transfer, kind=incidents.Kind.SUSPICIOUS, text="x", who="tanaka", moment=NOW
        )
    )
    assert await Retention(journal, Kept(0, 0, transfers=1), lambda: NOW + 99 * DAY).run_once() == 0
    assert (await journal.find(number)).state is State.DISPOSED
