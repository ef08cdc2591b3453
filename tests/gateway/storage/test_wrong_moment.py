"""Rows that are asked for something at the wrong moment, or twice: they say no by name, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from gateway.model import GROUP, IllegalTransitionError, State
from gateway.people.roles import Role
from gateway.requests.approvals import Approvals
from gateway.requests.approvals import Kind as RequestKind
from gateway.storage import (
    announcements,
    approvals,
    boxes,
    contacts,
    factors,
    incidents,
    investigations,
    ledger,
    letters,
    people,
    publishing,
    reviews,
)
from gateway.storage.blobs import Blob
from gateway.storage.faults import LeaseLostError
from gateway.storage.incidents import ClosedError, Kind
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError
from gateway.storage.upkeep import dispose_over_age
from tests.build import journals
from tests.build.face import Town, quick_passwords, town
from tests.build.people import hall
from tests.build.road import accepted, kept_inside, state_of
from tests.build.segments import ByHand, sides
from tests.build.transfer import DAY, NOW, settlement

CONTACT = {"level": 1, "title": "課長", "name": "山田", "mail": "", "phone": "1", "phone_after_hours": "", "minutes": 5, "note": ""}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal = await journals.new(tmp_path / "sekisho.db")
    yield journal
    await journal.stop()


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


async def recorded(journal: Journal) -> int:
    return len([entry async for entry in journal.entries()])


Deed = Callable[[Connection], Any]
REFUSED: dict[str, tuple[Deed, type[Exception]]] = {
    "a contact that is none": (lambda c: contacts.put(c, CONTACT, who="x", at=NOW, contact_id=7), contacts.NoSuchContactError),
    "a contact that is gone": (lambda c: contacts.remove(c, 7, who="x", at=NOW), contacts.NoSuchContactError),
    "a question without an investigation": (
        lambda c: investigations.queried(c, "IV-1", {}, 0, who="x", at=NOW), investigations.NoSuchInvestigationError),
    "an investigation that is over": (lambda c: investigations.end(c, "IV-1", who="x", at=NOW), investigations.NoSuchInvestigationError),
    "an incident that is none": (lambda c: incidents.note(c, "IN-1", "x", who="x", moment=NOW), incidents.NoSuchIncidentError),
    "files of a version that is none": (lambda c: publishing.files_of(c, 7), publishing.NoSuchVersionError),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_not_there_is_not_changed(journal: Journal, what: str) -> None:
    deed, error = REFUSED[what]
    with pytest.raises(error):
        await journal.write(deed)
    assert [entry async for entry in journal.entries()] == []


async def test_an_incident_is_taken_on_once_and_reopened_only_when_it_is_closed(journal: Journal) -> None:
    def opened(connection: Connection) -> str:
        return incidents.open_incident(connection, transfer=None, kind=Kind.ACCESS, text="x", who="road", moment=NOW).number

    number = await journal.write(opened)
    with pytest.raises(ClosedError):
        await journal.write(lambda c: incidents.reopen(c, number, "x", who="tanaka", moment=NOW))
    first = await journal.write(lambda c: incidents.acknowledge(c, number, who="tanaka", moment=NOW))
    before = await recorded(journal)
    again = await journal.write(lambda c: incidents.acknowledge(c, number, who="suzuki", moment=NOW + 1))
    same = await journal.write(lambda c: incidents.change(c, number, {"scope": first.scope}, who="suzuki", moment=NOW + 1))
    assert (again.acknowledged_by, same.changed_at, await recorded(journal)) == ("tanaka", first.changed_at, before)


async def test_to_nobody_and_of_nobody_nothing_is_written(journal: Journal) -> None:
    assert await journal.write(lambda c: letters.queue(c, [], b"x", about="x", at=NOW)) == 0
    assert await journal.write(lambda c: ledger.purge(c, before=NOW, at=NOW, actor="x")) is None
    assert await journal.write(lambda c: reviews.begin(c, [], at=NOW, actor="x", due_at=NOW + DAY))
    assert [entry.action async for entry in journal.entries()] == ["review.begun"]


async def test_announcements_that_are_over_are_left_out_where_that_is_asked(journal: Journal) -> None:
    def made(connection: Connection) -> None:
        for title, ends_at in (("over", NOW - 1), ("stands", NOW + 1), ("withdrawn", NOW + 1)):
            one = announcements.announce(
                connection, title=title, text="", tone=announcements.Tone.OK, faces=("drop",), starts_at=NOW - 9, ends_at=ends_at, who="x", at=NOW
            )
        announcements.withdraw(connection, one.id, who="x", at=NOW)

    await journal.write(made)
    assert [one.title for one in await journal.ask(lambda c: announcements.listed(c, NOW, over=False))] == ["stands"]
    assert len(await journal.ask(lambda c: announcements.listed(c, NOW))) == 3


async def test_authenticators_are_given_back_by_their_owner_alone(place: Town) -> None:
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    journal = place.journal
    number = await journal.write(lambda c: factors.added(c, account, kind="totp", title="電話", secret="x", at=NOW))
    (factor,) = await journal.ask(lambda c: factors.of_account(c, account.id, active=False))
    assert await journal.write(lambda c: factors.activated(c, account, factor, 1, title="電話", at=NOW))
    assert not await journal.write(lambda c: factors.activated(c, account, factor, 2, title="電話", at=NOW)), "it was"
    assert await journal.ask(factors.all_kinds) == {account.id: ["totp"]}
    assert not await journal.write(lambda c: factors.removed(c, account, number + 1, at=NOW, actor="x"))
    assert await journal.write(lambda c: factors.removed(c, account, number, at=NOW, actor="x"))
    actions = [entry.action async for entry in journal.entries()]
    assert (actions.count("factor.added"), actions.count("factor.removed")) == (1, 1)


async def test_members_of_a_shared_box_are_written_to(place: Town) -> None:
    for login in ("tanaka", "kansa"):
        await place.known(login)
    tanaka, kansa = [await place.accounts.find(login) for login in ("tanaka", "kansa")]
    assert tanaka is not None and kansa is not None
    await place.accounts.change(kansa, "test", name="監査", mail="kansa@town.example.jp", role=Role(kansa.role))
    group = await place.journal.write(lambda c: people.group_set(c, "窓口", [kansa.id, tanaka.id], at=NOW, actor="x"))
    assert await place.journal.ask(lambda c: boxes.mails(c, f"{GROUP}{group}")) == ["kansa@town.example.jp"]


# ------------------------------------------------------------------------------------------------------------ transfers


async def test_what_somebody_works_on_is_not_settled_a_second_time(journal: Journal) -> None:
    number = await accepted(journal)
    for _ in range(2):
        transfer = await journal.transfer(number)
        with pytest.raises(IllegalTransitionError):
            await journal.reopened(transfer, settlement(), at=NOW, actor="tanaka", note="x")
        await journal.claim(1, at=NOW, lease_until=NOW + 60)
    assert await state_of(journal, number) is State.PROCESSING


async def test_without_its_original_nothing_is_worked_on_again(tmp_path: Path) -> None:
    """At the inner side, where no original ever is."""
    async with sides(tmp_path) as two:
        await two.push(ByHand(two.taking), await two.file())
        (there,) = await two.arrived()
        await two.inner.hold(there.id, at=NOW, actor="tanaka")
        with pytest.raises(NotAllowedError, match="disposed of"):
            await two.inner.retry(there.id, at=NOW, actor="tanaka", note="", lease_until=NOW + 60)
        assert await state_of(two.inner, there.id) is State.HELD


async def test_a_notice_to_nobody_is_settled_all_the_same(journal: Journal) -> None:
    await kept_inside(journal, recipients=())
    for transfer in await journal.owed_notices():
        await journal.queue_notice(transfer.id, Blob("0" * 64, 1), at=NOW)
    assert await journal.owed_notices() == []
    assert await journal.claim_deliveries(10, at=NOW, lease_until=NOW + 60) == []


class Quicker(Journal):
    """An operator takes the first one before retention does."""

    errors: list[Exception]

    async def dispose(self, *given: Any, **named: Any) -> None:
        if self.errors:
            raise self.errors.pop()
        await super().dispose(*given, **named)


@pytest.mark.parametrize("error", [IllegalTransitionError("20261118-000001", State.PROCESSING, State.DISPOSED), LeaseLostError("x")], ids=["state", "lease"])
async def test_retention_goes_on_where_an_operator_was_quicker(tmp_path: Path, error: Exception) -> None:
    journal = Quicker(tmp_path / "sekisho.db")
    await journal.start()
    numbers = [await kept_inside(journal) for _ in range(2)]
    journal.errors = [error] * 3
    assert await dispose_over_age(journal, 1, NOW + 2 * DAY) == 0, "it does not try for ever"
    assert await dispose_over_age(journal, 1, NOW + 2 * DAY) == 2
    assert {await state_of(journal, number) for number in numbers} == {State.DISPOSED}
    await journal.stop()


# ------------------------------------------------------------------------------------------------------------- requests


async def test_of_two_who_decide_at_once_one_is_late(tmp_path: Path) -> None:
    async with hall(tmp_path) as made:
        await made.department("税務課")
        clerk = await made.account("tanaka", Role.STAFF, ("税務課", False))
        head = await made.account("kacho", Role.STAFF, ("税務課", True))
        requests = Approvals(made.journal, made.clock)
        asked = await requests.request(RequestKind.FILE, "20261118-000001", clerk, "国の調査票")
        assert not await made.journal.write(lambda c: approvals.carried_out(c, asked, NOW)), "nobody has decided"
        await requests.approve(asked.number, head, "確認した")
        before = await recorded(made.journal)
        with pytest.raises(approvals.NoLongerOpenError):
            await made.journal.write(lambda c: approvals.moved(c, asked, NOW, state=approvals.RequestState.REFUSED))
        with pytest.raises(approvals.NoLongerOpenError):
            await made.journal.write(lambda c: approvals.closed(c, asked, "x", NOW))
        assert await recorded(made.journal) == before, "what was said of it went with it"
        assert await made.journal.write(lambda c: approvals.carried_out(c, asked, NOW))
        assert not await made.journal.write(lambda c: approvals.carried_out(c, asked, NOW)), "it was before"
