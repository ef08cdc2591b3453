"""One asks, another decides: on the human being, never on the log-in name; never twice; upwards when nobody answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway import audit
from gateway.people.roles import Role
from gateway.requests.approvals import RULES, Approvals, Kind, NoSuchRequestError, RefusedError, Request, RequestState
from gateway.storage import approvals as rows
from gateway.storage import people
from gateway.storage.accounts import Account
from gateway.storage.faults import StorageError
from tests.build.people import DAY, HOUR, Hall, hall
from tests.build.transfer import NOW

SAME, NOT_YOURS, OVER = "asked for himself", "not yours", "decided before"


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as made:
        await made.department("総務部")
        await made.department("税務課", "総務部")
        await made.department("土木課", "総務部")
        yield made
        assert (await audit.verify(made.journal)).broken is None


@pytest.fixture
async def clerk(place: Hall) -> Account:
    return await place.account("tanaka", Role.STAFF, ("税務課", False))


@pytest.fixture
async def head(place: Hall) -> Account:
    return await place.account("kacho", Role.STAFF, ("税務課", True))


@pytest.fixture
def approvals(place: Hall) -> Approvals:
    return Approvals(place.journal, place.clock)


async def ask(approvals: Approvals, who: Account, kind: Kind = Kind.FILE, subject: str = "20261118-000001") -> Request:
    return await approvals.request(kind, subject, who, "国の調査票")


async def names(approvals: Approvals, request: Request) -> list[str]:
    return [seat.account.login + (f" for {seat.principal.login}" if seat.principal else "") for seat in await approvals.asked(request)]


async def test_the_head_of_the_department_approves(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    other = await place.account("doboku", Role.STAFF, ("土木課", True))
    request = await ask(approvals, clerk)
    assert (request.number, request.state, request.department) == ("S-000001", RequestState.REQUESTED, "税務課")
    assert await names(approvals, request) == ["kacho"]
    assert [one.number for one in await approvals.waiting_for(head)] == [request.number]
    assert await approvals.waiting_for(other) == await approvals.waiting_for(clerk) == []
    for stranger in (other, clerk):
        for deed in (approvals.approve(request.number, stranger), approvals.refuse(request.number, stranger, "x")):
            with pytest.raises(RefusedError, match=SAME if stranger is clerk else NOT_YOURS):
                await deed
    done = await approvals.approve(request.number, head, "確認した")
    assert (done.state, [(one.login, one.decision, one.note) for one in done.decisions]) == ("approved", [("kacho", "approved", "確認した")])
    assert await approvals.waiting_for(head) == []
    assert await place.deeds() == [*(await place.deeds())[:-2], ("tanaka", "request.made", "S-000001"), ("kacho", "request.approved", "S-000001")]


async def test_decided_once_and_never_again(approvals: Approvals, clerk: Account, head: Account) -> None:
    for first in ("approve", "refuse", "withdraw"):
        request = await ask(approvals, clerk)
        if first == "withdraw":
            await approvals.withdraw(request.number, clerk)
        else:
            await getattr(approvals, first)(request.number, head, "理由")
        for again in (
            approvals.approve(request.number, head),
            approvals.refuse(request.number, head, "x"),
            approvals.withdraw(request.number, clerk),
            approvals.proceed(request.number, clerk, "x"),
        ):
            with pytest.raises(RefusedError, match=OVER):
                await again


async def test_two_words_at_the_same_moment_count_once(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    carried: list[str] = []
    approvals.when_approved(Kind.FILE, within=lambda _, request: carried.append(request.number))
    second = await place.account("fuku", Role.STAFF, ("税務課", True))
    request = await ask(approvals, clerk)
    words = [approvals.approve(request.number, who) for who in (head, second, head, second)]
    outcomes = await asyncio.gather(*words, return_exceptions=True)
    assert [isinstance(one, RefusedError) for one in outcomes].count(False) == 1
    assert carried == [request.number]


async def test_only_the_requester_withdraws(approvals: Approvals, clerk: Account, head: Account) -> None:
    request = await ask(approvals, clerk)
    with pytest.raises(RefusedError, match=NOT_YOURS):
        await approvals.withdraw(request.number, head)
    assert (await approvals.withdraw(request.number, clerk)).state is RequestState.WITHDRAWN


async def test_nobody_approves_his_own_with_a_second_account(place: Hall, approvals: Approvals, head: Account) -> None:
    other = await place.account("kacho2", Role.STAFF, ("税務課", False), person="kacho")
    request = await ask(approvals, other)
    with pytest.raises(RefusedError, match=SAME):
        await approvals.approve(request.number, head)
    assert await approvals.waiting_for(head) == []


async def test_nobody_approves_what_a_shared_account_asked_that_he_may_use(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    window = await place.account("madoguchi", Role.STAFF, ("税務課", False))
    await place.journal.write(lambda c: people.shared_by(c, window, [clerk.id, head.id], at=place.clock(), actor="test"))
    request = await ask(approvals, (await place.journal.ask(lambda c: people.accounts_of_person(c, "madoguchi")))[0])
    with pytest.raises(RefusedError, match=SAME):
        await approvals.approve(request.number, head)
    # Leaving the shared account afterwards does not help.
    await place.journal.write(lambda c: people.shared_by(c, window, [clerk.id], at=place.clock(), actor="test"))
    with pytest.raises(RefusedError, match=SAME):
        await approvals.approve(request.number, head)


async def test_a_shared_account_decides_nothing(place: Hall, approvals: Approvals, clerk: Account) -> None:
    window = await place.account("madoguchi", Role.STAFF, ("税務課", True))
    await place.journal.write(lambda c: people.shared_by(c, window, [], at=place.clock(), actor="test"))
    request = await ask(approvals, clerk)
    with pytest.raises(RefusedError, match=NOT_YOURS):
        await approvals.approve(request.number, window)


async def test_a_delegate_acts_while_the_head_is_away_and_at_no_other_time(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    deputy = await place.account("hosa", Role.STAFF, ("税務課", False))
    request = await ask(approvals, clerk)
    with pytest.raises(RefusedError, match=NOT_YOURS):
        await approvals.approve(request.number, deputy)
    await place.away(head, deputy, days=2)
    assert await names(approvals, request) == ["kacho", "hosa for kacho"]
    done = await approvals.approve(request.number, deputy)
    assert (done.decisions[0].login, done.decisions[0].principal) == ("hosa", "kacho")
    later = await ask(approvals, clerk)
    place.clock.pass_by(2 * DAY)
    later = await ask(approvals, clerk)
    with pytest.raises(RefusedError, match=NOT_YOURS):
        await approvals.approve(later.number, deputy)


async def test_a_delegate_is_not_the_requester_and_does_not_act_for_the_requester(place: Hall, approvals: Approvals, head: Account) -> None:
    deputy = await place.account("hosa", Role.STAFF, ("税務課", False))
    await place.away(head, deputy)
    for who, decides in ((deputy, deputy), (head, deputy)):
        request = await ask(approvals, who)
        with pytest.raises(RefusedError, match=SAME if who is decides else NOT_YOURS):
            await approvals.approve(request.number, decides)
    assert await names(approvals, await ask(approvals, deputy)) == ["kacho"], "his principal is another human being"


async def test_a_heads_own_request_goes_to_the_one_above(place: Hall, approvals: Approvals, head: Account) -> None:
    above = await place.account("bucho", Role.STAFF, ("総務部", True))
    request = await ask(approvals, head)
    assert await names(approvals, request) == ["bucho"]
    assert (await approvals.approve(request.number, above)).state is RequestState.APPROVED


async def test_nobody_answers_and_the_next_is_asked(place: Hall, clerk: Account, head: Account) -> None:
    above = await place.account("bucho", Role.STAFF, ("総務部", True))
    heard: list[tuple[str, list[str]]] = []

    async def hear(request: Request, asked: object) -> None:
        heard.append((request.state, [account.login for account in asked]))  # type: ignore[attr-defined]

    approvals = Approvals(place.journal, place.clock, patience=8 * HOUR, heard=hear)
    request = await ask(approvals, clerk)
    with pytest.raises(RefusedError, match=NOT_YOURS):
        await approvals.approve(request.number, above)
    await approvals.tick()
    place.clock.pass_by(8 * HOUR)
    await approvals.tick()
    await approvals.tick()
    assert heard == [("requested", ["kacho"]), ("requested", ["kacho", "bucho"])]
    assert (await approvals.find(request.number)).level == 1
    assert [deed for deed in await place.deeds() if deed[1] == "request.escalated"] == [("sekisho", "request.escalated", request.number)]
    assert (await approvals.approve(request.number, above)).state is RequestState.APPROVED


async def test_an_absent_head_without_a_delegate_is_passed_over(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    await place.account("bucho", Role.STAFF, ("総務部", True))
    await place.away(head)
    assert await names(approvals, await ask(approvals, clerk)) == ["kacho", "bucho"]


async def test_it_runs_out(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    request = await ask(approvals, clerk)
    place.clock.pass_by(RULES[Kind.FILE].days * DAY)
    with pytest.raises(RefusedError, match=OVER):
        await approvals.approve(request.number, head)
    await approvals.tick()
    assert (await approvals.find(request.number)).state is RequestState.EXPIRED


async def test_macros_need_two_persons_besides_the_requester(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    admin = await place.account("kanri", Role.ADMINISTRATOR)
    await place.account("kacho-kanri", Role.ADMINISTRATOR, person="kacho")
    request = await ask(approvals, clerk, Kind.MACRO)
    half = await approvals.approve(request.number, head)
    assert (half.state, half.step) == (RequestState.REQUESTED, 1)
    assert await names(approvals, half) == ["kanri"], "the head's other account is the same human being"
    with pytest.raises(RefusedError):
        await approvals.approve(request.number, head)
    done = await approvals.approve(request.number, admin)
    assert (done.state, [one.login for one in done.decisions]) == (RequestState.APPROVED, ["kacho", "kanri"])


async def test_a_confirmed_original_needs_somebody_who_looked(approvals: Approvals, clerk: Account, head: Account) -> None:
    request = await ask(approvals, clerk, Kind.CONFIRMED)
    with pytest.raises(RefusedError, match="look at it first"):
        await approvals.approve(request.number, head)
    assert (await approvals.find(request.number)).decisions == ()
    done = await approvals.approve(request.number, head, inspected=True)
    assert done.decisions[0].inspected


async def test_an_exception_is_the_cisos(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    admin = await place.account("kanri", Role.ADMINISTRATOR)
    ciso = await place.account("ciso", Role.CISO)
    request = await ask(approvals, clerk, Kind.EXCEPTION)
    for who in (head, admin):
        with pytest.raises(RefusedError, match=NOT_YOURS):
            await approvals.approve(request.number, who)
    assert (await approvals.approve(request.number, ciso)).state is RequestState.APPROVED


async def test_a_disabled_approver_has_no_word(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    from gateway.storage import accounts as account_rows

    request = await ask(approvals, clerk)
    await place.journal.write(lambda c: account_rows.disabled(c, head, at=place.clock(), actor="test"))
    with pytest.raises(RefusedError, match=NOT_YOURS):
        await approvals.approve(request.number, head)


async def test_the_unavoidable_way_is_reported_upwards(place: Hall, approvals: Approvals, head: Account) -> None:
    above = await place.account("bucho", Role.STAFF, ("総務部", True))
    request = await ask(approvals, head)
    with pytest.raises(RefusedError, match="reason"):
        await approvals.proceed(request.number, head, "  ")
    done = await approvals.proceed(request.number, head, "災害対応のため")
    assert (done.state, done.unavoidable, done.decisions[0].decision) == (RequestState.APPROVED, True, "approved_alone")
    [report] = await approvals.waiting_for(above)
    assert (report.kind, report.subject, report.reason) == (Kind.REPORT, request.number, "災害対応のため")
    with pytest.raises(RefusedError, match=SAME):
        await approvals.approve(report.number, head)
    assert (await approvals.approve(report.number, above)).carried_out_at is not None


async def test_the_unavoidable_way_is_not_for_everybody_and_not_for_everything(
    place: Hall, approvals: Approvals, clerk: Account, head: Account
) -> None:
    admin = await place.account("kanri", Role.ADMINISTRATOR)
    closed = Approvals(place.journal, place.clock, unavoidable=False)
    cases = [
        (approvals, await ask(approvals, clerk), clerk, NOT_YOURS),                     # no authority of his own
        (approvals, await ask(approvals, clerk), head, "another person"),               # not his request
        (approvals, await ask(approvals, admin, Kind.MACRO), admin, "another person"),  # not of this kind
        (approvals, await ask(approvals, head, Kind.CONFIRMED), head, "another person"),
        (closed, await ask(approvals, head), head, "another person"),                   # not in this installation
    ]
    for engine, request, who, why in cases:
        with pytest.raises(RefusedError, match=why):
            await engine.proceed(request.number, who, "急ぎ")
        assert (await approvals.find(request.number)).state is RequestState.REQUESTED


async def test_the_consequence_stands_or_falls_with_the_word(approvals: Approvals, clerk: Account, head: Account) -> None:
    def broken(_: Connection, request: Request) -> None:
        raise StorageError(request.number)

    approvals.when_approved(Kind.FILE, within=broken)
    request = await ask(approvals, clerk)
    with pytest.raises(StorageError):
        await approvals.approve(request.number, head)
    assert (await approvals.find(request.number)).state is RequestState.REQUESTED
    done: list[str] = []
    approvals.when_approved(Kind.FILE, within=lambda _, one: done.append(one.number))
    assert (await approvals.approve(request.number, head)).carried_out_at is not None
    await approvals.tick()
    assert done == [request.number]


async def test_what_follows_is_tried_until_it_was_done(approvals: Approvals, clerk: Account, head: Account) -> None:
    tries: list[str] = []

    async def follow(request: Request) -> None:
        tries.append(request.number)
        if len(tries) == 1:
            raise OSError("no")

    approvals.when_approved(Kind.FILE, then=follow)
    request = await ask(approvals, clerk)
    with pytest.raises(OSError, match="no"):
        await approvals.approve(request.number, head)
    assert (await approvals.find(request.number)).state is RequestState.APPROVED
    await approvals.tick()
    await approvals.tick()
    assert len(tries) == 2
    assert (await approvals.find(request.number)).carried_out_at is not None


async def test_a_reason_and_a_known_number_are_needed(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    for wrong in ("", " \n", "x" * 2_001):
        with pytest.raises(RefusedError, match="reason"):
            await approvals.request(Kind.FILE, "x", clerk, wrong)
    request = await ask(approvals, clerk)
    with pytest.raises(RefusedError, match="reason"):
        await approvals.refuse(request.number, head, "")
    for number in ("S-999999", "S-1", "'; --", "", "S-" + "9" * 30):
        with pytest.raises(NoSuchRequestError):
            await approvals.approve(number, head)
    with pytest.raises(RefusedError, match="department"):
        await approvals.request(Kind.FILE, "x", clerk, "y", department_id=place.departments["土木課"].id)


async def test_every_kind_is_declared_and_every_chain_ends_with_a_person() -> None:
    assert set(RULES) == set(Kind)
    for rule in RULES.values():
        assert rule.ja
        assert rule.en
        assert all(rule.steps)


# ------------------------------------------------------------------------------------------------- a chosen approver


async def test_whom_one_may_choose(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    director = await place.account("bucho", Role.STAFF, ("総務部", True))
    deputy = await place.account("dairi", Role.STAFF, ("税務課", False))
    await place.account("kanri", Role.ADMINISTRATOR)
    assert [seat.account.login for seat in await approvals.candidates(Kind.FILE, clerk)] == ["kacho", "bucho", "kanri"]
    await place.away(head, deputy)
    found = await approvals.candidates(Kind.FILE, clerk)
    assert [seat.account.login for seat in found] == ["dairi", "bucho", "kanri"]
    assert found[0].principal is not None
    assert found[0].principal.login == "kacho"
    assert "kacho" not in [seat.account.login for seat in await approvals.candidates(Kind.FILE, head)], "nobody his own"
    assert director.login in [seat.account.login for seat in await approvals.candidates(Kind.FILE, head)]


async def test_the_chosen_one_is_told_and_may_decide_and_so_may_the_others(
    place: Hall, approvals: Approvals, clerk: Account, head: Account
) -> None:
    director = await place.account("bucho", Role.STAFF, ("総務部", True))
    told: list[list[str]] = []

    async def heard(_: Request, asked: object) -> None:
        told.append([one.login for one in asked])  # type: ignore[attr-defined]

    approvals.heard = heard
    request = await approvals.request(Kind.FILE, "20261118-000001", clerk, "国の調査票", approver="bucho")
    assert told == [["bucho"]]
    assert await names(approvals, request) == ["kacho", "bucho"]
    done = await approvals.approve(request.number, director)
    assert done.state is RequestState.APPROVED


async def test_nobody_chooses_himself_or_a_stranger(place: Hall, approvals: Approvals, clerk: Account, head: Account) -> None:
    await place.account("doboku", Role.STAFF, ("土木課", True))
    for login in ("tanaka", "doboku", "nobody"):
        with pytest.raises(RefusedError, match="may not decide it"):
            await approvals.request(Kind.FILE, "20261118-000001", clerk, "国の調査票", approver=login)
    assert await approvals.listed(requester=clerk) == [], "nothing was asked for"


async def test_one_that_fails_keeps_no_other_back(
    approvals: Approvals, clerk: Account, head: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """A consequence that cannot be had stays owed, and those behind it come about."""
    done: list[str] = []
    failures: dict[str, Exception] = {}

    async def follow(request: Request) -> None:
        if request.number in failures:
            raise failures[request.number]
        done.append(request.number)

    requests = [await ask(approvals, clerk, subject=f"20261118-00000{number}") for number in range(3)]
    for one, error in zip(requests, (OSError("no disk"), RefusedError("somebody was quicker"), None), strict=True):
        if error is not None:
            failures[one.number] = error
        await approvals.approve(one.number, head)
    approvals.when_approved(Kind.FILE, then=follow)
    with caplog.at_level(logging.ERROR):
        await approvals.tick()
    assert done == [requests[2].number]
    assert [record.getMessage() for record in caplog.records] == ["a request has to wait"]
    failures.clear()
    await approvals.tick()
    assert sorted(done) == [one.number for one in requests]


async def test_what_ends_while_another_is_told_of_is_not_ended_twice(place: Hall, approvals: Approvals, clerk: Account) -> None:
    first, second = await ask(approvals, clerk), await ask(approvals, clerk, subject="20261118-000002")
    told: list[str] = []

    async def heard(request: Request, _: object) -> None:
        told.append(f"{request.number} {request.state}")
        if request.number == first.number:
            def withdrawn(connection: Connection) -> Request:
                return rows.moved(connection, rows.find(connection, second.number), NOW, state=RequestState.WITHDRAWN)

            await place.journal.write(withdrawn)

    approvals.heard = heard
    place.clock.pass_by(60 * DAY)
    await approvals.tick()
    assert told == [f"{first.number} expired"]
    assert (await approvals.find(second.number)).state is RequestState.WITHDRAWN
