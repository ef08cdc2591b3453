"""A journal in another database: every row is there, what differs is noticed, and the old one is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, text, update

from gateway import audit
from gateway.model import State
from gateway.storage import contacts, transplant
from gateway.storage.faults import HaltedError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.tables import accounts, departments, organisations, transfers
from tests.build.postgres import fresh
from tests.build.road import accepted, kept_inside, released
from tests.build.transfer import NOW, arrival


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[Journal]:
    """A small town: transfers in several states, a chief department that is younger than what belongs to it."""
    journal = Journal(tmp_path / "old" / "sekisho.db")
    await journal.start()
    await released(journal, recipients=("a@town.example.jp", "課@town.example.jp"))
    await kept_inside(journal, name="髙橋の見積.docx")
    await accepted(journal)
    gone = await accepted(journal)

    def fill(connection):  # type: ignore[no-untyped-def]
        connection.execute(insert(organisations), {"name": "かすみ町"})
        rows = [{"id": 1, "organisation_id": 1, "parent_id": None, "name": "戸籍係"}, {"id": 2, "organisation_id": 1, "parent_id": None, "name": "市民部"}]
        connection.execute(insert(departments), rows)
        connection.execute(update(departments).where(departments.c.id == 1).values(parent_id=2))
        for table in ("search_texts", "transfer_recipients"):
            connection.execute(text(f"DELETE FROM {table} WHERE transfer_id = {gone}"))
        connection.execute(delete(transfers).where(transfers.c.id == gone))

    await journal.write(fill)
    yield journal
    await journal.stop()


@pytest.fixture(params=["postgresql", "sqlite"])
async def new(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(fresh(request.getfixturevalue("postgres")) if request.param == "postgresql" else tmp_path / "new" / "sekisho.db")
    await journal.start()
    yield journal
    await journal.stop()


async def test_every_row_is_there_and_life_goes_on(old: Journal, new: Journal) -> None:
    before = await old.ask(transplant.tallies)
    last = max(transfer.id for transfer in await old.transfers())
    sent = transplant.move(old.writer, new.writer, at=NOW, actor="test", where="elsewhere")
    assert sent == before == await new.ask(transplant.tallies)
    assert sent["transfers"].rows == 3 and sent["departments"].rows == 2
    assert [one.receipt_no for one in await new.transfers(Filter(text="高橋"))] == [one.receipt_no for one in await old.transfers(Filter(text="高橋"))] != []
    assert (await audit.verify(new)).broken is None
    # An id that was given once is not given again, and receipt numbers go on.
    transfer_id, receipt_no = await new.accept(arrival())
    assert (transfer_id, receipt_no[-6:]) == (last + 2, "000005")
    assert await new.claim(9, at=NOW, lease_until=NOW + 1)


async def test_the_old_one_is_stopped(old: Journal, new: Journal) -> None:
    transplant.move(old.writer, new.writer, at=NOW, actor="test", where="elsewhere")
    with pytest.raises(HaltedError):
        await old.accept(arrival())
    assert not await old.claim_deliveries(9, at=NOW, lease_until=NOW + 1)
    assert await new.halted() == {}
    assert [one.state for one in await new.transfers(Filter(states=(State.RELEASED,)))] == [State.RELEASED]


async def test_what_is_not_empty_is_left_alone(old: Journal, new: Journal) -> None:
    await new.accept(arrival())
    with pytest.raises(StorageError, match=r"not empty: .*transfers"):
        transplant.move(old.writer, new.writer, at=NOW, actor="test", where="elsewhere")
    assert len(await new.transfers()) == 1
    assert await old.halted() == {}


@pytest.mark.parametrize("deed", [
    update(transfers).where(transfers.c.id == 1).values(note="x"), delete(accounts), insert(organisations).values(name="霞市"),
    update(transfers).where(transfers.c.id == 2).values(size=transfers.c.size + 1),
], ids=["text", "row less", "row more", "number"])  # fmt: skip
async def test_what_differs_is_noticed(old: Journal, new: Journal, deed: object) -> None:
    await old.write(lambda connection: connection.execute(insert(accounts), _ACCOUNT))
    with old.writer.begin() as left, new.writer.begin() as right:
        sent = transplant.copy(left, right)
        transplant.check(right, sent)
        right.execute(deed)  # type: ignore[call-overload]
        with pytest.raises(transplant.DifferentError):
            transplant.check(right, sent)


_ACCOUNT = {"login": "tanaka", "name": "田中", "role": "clerk", "password_hash": "", "must_change": True, "failures": 0, "locked_until": 0.0,
            "last_login_from": "", "disabled": False, "created_at": NOW}  # fmt: skip


async def test_departments_in_a_circle_are_not_carried_over(old: Journal, new: Journal) -> None:
    await old.write(lambda connection: connection.execute(update(departments).where(departments.c.id == 2).values(parent_id=1)))
    with old.writer.begin() as left, new.writer.begin() as right, pytest.raises(StorageError, match=r"departments: .* in a circle"):
        transplant.copy(left, right)


async def test_many_rows_go_in_batches_and_no_number_is_given_twice(old: Journal, new: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one of a table that is empty by now."""
    monkeypatch.setattr(transplant, "_BATCH", 2)
    gone = await old.write(lambda connection: contacts.put(connection, _CONTACT, who="x", at=NOW))
    await old.write(lambda connection: connection.execute(text("DELETE FROM contacts")))
    before = await old.ask(transplant.tallies)
    assert transplant.move(old.writer, new.writer, at=NOW, actor="test", where="elsewhere") == before
    assert await new.write(lambda connection: contacts.put(connection, _CONTACT, who="x", at=NOW)) > gone


_CONTACT = {"level": 1, "title": "課長", "name": "山田", "mail": "", "phone": "1", "phone_after_hours": "", "minutes": 5, "note": ""}
