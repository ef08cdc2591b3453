"""例外措置: nobody grants his own, none without an end, and what is over never counts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, update

from gateway import audit
from gateway.model import Door, State
from gateway.people.requests import RULES, Rank
from gateway.people.roles import Role
from gateway.policy import KindAction, Policy, load
from gateway.requests.approvals import Approvals, RefusedError, RequestState
from gateway.requests.approvals import Kind as RequestKind
from gateway.requests.exceptions import Exceptions, NoSuchExceptionError, Wanted
from gateway.road.orders import Orders, binding
from gateway.road.pipeline import Pipeline
from gateway.storage import exceptions as rows
from gateway.storage.accounts import Account
from gateway.storage.exceptions import Grant
from gateway.storage.tables import accounts
from sanitizers.model import Job, Kind, Reason, Report, Verdict
from tests.build.people import DAY, Hall, hall
from tests.build.transfer import BODY, NOW, FakeWorkers, MemoryBlobs, arrival, claimed, digest, report, signer, transfer

HASH = digest(BODY)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall(tmp_path) as made:
        await made.department("総務部")
        await made.department("税務課", "総務部")
        yield made
        assert (await audit.verify(made.journal)).broken is None


@pytest.fixture
async def clerk(place: Hall) -> Account:
    return await place.account("tanaka", Role.STAFF, ("税務課", False))


@pytest.fixture
async def ciso(place: Hall) -> Account:
    return await place.account("fukucho", Role.CISO)


@pytest.fixture
def approvals(place: Hall) -> Approvals:
    return Approvals(place.journal, place.clock)


@pytest.fixture
def desk(place: Hall, approvals: Approvals) -> Exceptions:
    return Exceptions(place.journal, approvals, place.clock)


def wanted(place: Hall, **changes: object) -> Wanted:
    given = {"kind": Kind.SVG, "action": KindAction.SANITIZE, "until": place.clock() + 30 * DAY, "sha256": HASH}
    return Wanted(**(given | changes))  # type: ignore[arg-type]


async def granted(place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account, **changes: object) -> Grant:
    request = await desk.request(clerk, wanted(place, **changes), "設計図面の受領")
    await approvals.approve(request.number, ciso, "許可")
    return (await desk.listed())[0]


async def test_asked_by_one_and_granted_by_the_ciso(place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account) -> None:
    request = await desk.request(clerk, wanted(place), "設計図面の受領")
    assert await desk.listed() == [], "asking allows nothing"
    await approvals.approve(request.number, ciso)
    (one,) = await desk.listed()
    assert (one.requester, one.approver, one.request, one.sha256) == ("tanaka", "fukucho", request.number, HASH)
    assert one.number.startswith("EX-20") and one.number.endswith("-0001")
    assert ("fukucho", "exception.granted", one.number) in await place.deeds()


async def test_nobody_grants_his_own(place: Hall, desk: Exceptions, approvals: Approvals, ciso: Account) -> None:
    request = await desk.request(ciso, wanted(place), "理由")
    with pytest.raises(RefusedError):
        await approvals.approve(request.number, ciso)
    with pytest.raises(RefusedError):
        await approvals.proceed(request.number, ciso, "急ぎ")
    assert await desk.listed() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": ""},
        {"sha256": "abc"},
        {"sha256": "", "sender": "two words"},
        {"sha256": "", "account": "<script>"},
        {"kind": Kind.PE, "action": KindAction.CONFIRM},
        {"kind": Kind.UNKNOWN, "action": KindAction.CONFIRM},
        {"kind": Kind.DOCX, "action": KindAction.PIXELS},
        {"until": 0.0},
        {"until": float("inf")},
        {"until": float("nan")},
        {"until": NOW + 400 * 365 * DAY},
    ],
)
async def test_what_may_not_be_asked_for(place: Hall, desk: Exceptions, clerk: Account, changes: dict[str, object]) -> None:
    with pytest.raises(RefusedError):
        await desk.request(clerk, wanted(place, **changes), "理由")


async def test_what_ran_out_while_it_waited_is_not_granted(place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account) -> None:
    request = await desk.request(clerk, wanted(place, until=place.clock() + DAY), "理由")
    place.clock.now += 2 * DAY
    with pytest.raises(RefusedError):
        await approvals.approve(request.number, ciso)
    assert await desk.listed(over=True) == []


async def test_it_ends_and_can_be_revoked(place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account) -> None:
    first = await granted(place, desk, approvals, clerk, ciso, until=place.clock() + DAY)
    second = await granted(place, desk, approvals, clerk, ciso)
    assert first.number != second.number
    place.clock.now += DAY
    assert [one.number for one in await desk.listed()] == [second.number]
    with pytest.raises(NoSuchExceptionError):
        await desk.revoke(first.number, "fukucho", "終わった")
    with pytest.raises(RefusedError):
        await desk.revoke(second.number, "fukucho", " ")
    await desk.revoke(second.number, "fukucho", "不要")
    assert await desk.listed() == []
    assert await place.journal.ask(lambda connection: rows.live(connection, place.clock())) == []
    assert len(await desk.listed(over=True)) == 2
    with pytest.raises(NoSuchExceptionError):
        await desk.revoke(second.number, "fukucho", "不要")


# --------------------------------------------------------------------------------------------------------------- whom it fits


def grant(**bound: str) -> Grant:
    given = {"sha256": "", "sender": "", "account": ""} | bound
    return Grant(number="EX-1", request="S-1", kind="svg", action="sanitize", reason="", requester="a", approver="b", granted_at=NOW,
                 expires_at=NOW + DAY, **given)  # fmt: skip


@pytest.mark.parametrize(
    ("bound", "fits"),
    [
        ({"sha256": "0" * 64}, True),       # it may be the digest of a part: decided there
        ({"sender": "sender@example.com"}, True),
        ({"sender": "@example.com"}, True),
        ({"sender": "@example.org"}, False),
        ({"account": "kakari@town.example.jp"}, True),
        ({"account": "other@town.example.jp"}, False),
        ({"sender": "@example.com", "account": "other@town.example.jp"}, False),
    ],
)
def test_all_that_it_is_bound_to_has_to_fit(bound: dict[str, str], fits: bool) -> None:
    assert bool(binding([grant(**bound)], transfer())) is fits


def test_one_for_a_user_is_not_for_those_who_get_the_same_mail() -> None:
    both = transfer(recipients=("kakari@town.example.jp", "other@town.example.jp"))
    assert binding([grant(account="kakari@town.example.jp")], both) == ()
    assert binding([grant(account="@town.example.jp")], both)


# --------------------------------------------------------------------------------------------------------------- on the road

HELD_SVG = "[kinds]\nsvg = 'hold'"


def svg(job: Job, source: bytes) -> Report:
    return report(source=source, kind=Kind.SVG, policy=job.policy)


async def passed(place: Hall, workers: FakeWorkers, policy: Policy, **changes: object) -> int:
    blobs = MemoryBlobs()
    await blobs.put(BODY)
    given = arrival(door=Door.DROP, sender="tanaka", recipients=("tanaka",), received_at=place.clock(), **changes)
    transfer_id = (await place.journal.accept(given))[0]
    pipeline = Pipeline(place.journal, blobs, workers, policy, signer(), clock=place.clock)
    await pipeline.process(claimed(await place.journal.claim(1, at=place.clock(), lease_until=place.clock() + 60)))
    return transfer_id


@pytest.mark.parametrize("bound", [{"sha256": HASH}, {"sha256": "", "sender": "tanaka"}, {"sha256": "", "account": "tanaka"}])
async def test_every_use_stands_in_report_and_record(
    place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account, bound: dict[str, str]
) -> None:
    before = await passed(place, FakeWorkers(svg), load(HELD_SVG))
    assert (await place.journal.transfer(before)).state is State.HELD
    one = await granted(place, desk, approvals, clerk, ciso, **bound)
    after = await passed(place, FakeWorkers(svg), load(HELD_SVG))
    found = await place.journal.transfer(after)
    assert found.state is State.RELEASED
    kept = await place.journal.report(after)
    assert kept is not None
    assert [(note.code, note.action, one.number in note.detail) for note in kept.findings] == [("road.exception", "kept", True)]
    used = await desk.find(one.number)
    assert (used.uses, used.used_at) == (1, place.clock())
    assert ("road", "exception.used", one.number) in await place.deeds()


async def test_what_is_over_never_counts(place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account) -> None:
    one = await granted(place, desk, approvals, clerk, ciso)
    await desk.revoke(one.number, "fukucho", "不要")
    await granted(place, desk, approvals, clerk, ciso, until=place.clock() + DAY)
    place.clock.now += DAY
    transfer_id = await passed(place, FakeWorkers(svg), load(HELD_SVG))
    found = await place.journal.transfer(transfer_id)
    assert (found.state, found.reason) == (State.HELD, Reason.POLICY)


async def test_an_original_of_that_digest_goes_out_by_the_exception_alone(
    place: Hall, desk: Exceptions, approvals: Approvals, clerk: Account, ciso: Account
) -> None:
    def drawing(job: Job, source: bytes) -> Report:
        let = dict(job.treatment.confirmed_digests)
        if digest(source) in let:
            return report(Verdict.CONFIRMED, source=source, output=source, kind=Kind.DXF, policy=job.policy)
        return report(Verdict.HELD, Reason.UNSUPPORTED_KIND, source=source, kind=Kind.DXF, policy=job.policy)

    assert (await place.journal.transfer(await passed(place, FakeWorkers(drawing, output=BODY), Policy()))).state is State.HELD
    await granted(place, desk, approvals, clerk, ciso, kind=Kind.DXF, action=KindAction.CONFIRM)
    found = await place.journal.transfer(await passed(place, FakeWorkers(drawing, output=BODY), Policy()))
    assert (found.state, found.verdict) == (State.RELEASED, Verdict.CONFIRMED)


async def test_departments_come_from_the_journal(place: Hall, clerk: Account) -> None:
    policy = load('[organisations."関町".departments."総務部".kinds]\nsvg = "hold"')
    orders = Orders(place.journal, policy, clock=place.clock)
    inside = transfer(door=Door.DROP, sender=clerk.login, recipients=(clerk.login,), organisation="関町")
    named = "organisations.関町.departments.総務部"
    assert (await orders.policy_for(inside)).applied == (named,), "the department above his own"
    for elsewhere in ({"sender": "sato", "recipients": ("sato",)}, {"organisation": "隣町"}):
        assert (await orders.policy_for(msgspec.structs.replace(inside, **elsewhere))).applied == ()

    def write(connection: Connection) -> None:
        connection.execute(update(accounts).where(accounts.c.login == clerk.login).values(mail="tanaka@town.example.jp"))

    mail = transfer(recipients=("Tanaka@town.example.jp",), organisation="関町")
    assert (await orders.policy_for(mail)).applied == ()
    await place.journal.write(write)
    assert (await orders.policy_for(mail)).applied == (named,)


async def test_nobody_grants_his_own_whatever_the_approvals_are_set_to(
    place: Hall, desk: Exceptions, approvals: Approvals, ciso: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the unavoidable way (止むを得ない場合) were opened to exceptions."""
    rule = RULES[RequestKind.EXCEPTION]
    monkeypatch.setitem(RULES, RequestKind.EXCEPTION, rule._replace(unavoidable=True, steps=((Rank.CISO,),)))
    request = await desk.request(ciso, wanted(place), "理由")
    with pytest.raises(RefusedError, match="nobody may approve what he asked for himself"):
        await approvals.proceed(request.number, ciso, "急ぎ")
    assert await desk.listed() == []
    assert (await approvals.find(request.number)).state is RequestState.REQUESTED


# ------------------------------------------------------------------------------------------------------------------ 緊急例外


@pytest.fixture
async def admin(place: Hall) -> Account:
    return await place.account("kanri", Role.ADMINISTRATOR)


async def test_an_emergency_counts_at_once_for_a_day_and_the_ciso_is_asked_to_look(
    place: Hall, desk: Exceptions, approvals: Approvals, admin: Account, ciso: Account
) -> None:
    request = await desk.emergency(admin, wanted(place, until=place.clock() + DAY, risk=" 図面 "), " 災害対応 ")
    assert (request.state, request.unavoidable, request.kind) == (RequestState.APPROVED, True, RequestKind.EMERGENCY)
    assert request.carried_out_at is not None
    (one,) = await desk.listed()
    assert (one.requester, one.approver, one.emergency, one.reason, one.risk) == ("kanri", "kanri", True, "災害対応", "図面")
    assert one.expires_at - one.granted_at == DAY
    (report,) = await approvals.waiting_for(ciso)
    assert (report.kind, report.subject, report.reason) == (RequestKind.EMERGENCY_REPORT, request.number, "災害対応")
    assert report.detail["due"] == place.clock() + DAY
    with pytest.raises(RefusedError):
        await approvals.approve(report.number, admin)
    assert (await approvals.approve(report.number, ciso, "確認した")).carried_out_at is not None
    assert ("kanri", "exception.granted", one.number) in await place.deeds()
    place.clock.pass_by(DAY)
    assert await desk.listed() == [], "it is over by itself"


async def test_a_report_stays_until_it_was_looked_at(place: Hall, desk: Exceptions, approvals: Approvals, admin: Account, ciso: Account) -> None:
    await desk.emergency(admin, wanted(place, until=place.clock() + DAY), "災害対応")
    place.clock.pass_by(300 * DAY)
    await approvals.tick()
    assert [one.kind for one in await approvals.waiting_for(ciso)] == [RequestKind.EMERGENCY_REPORT]


async def test_the_cisos_own_emergency_is_looked_at_by_an_administrator(
    place: Hall, desk: Exceptions, approvals: Approvals, admin: Account, ciso: Account
) -> None:
    await desk.emergency(ciso, wanted(place, until=place.clock() + DAY), "災害対応")
    assert await approvals.waiting_for(ciso) == []
    assert [one.kind for one in await approvals.waiting_for(admin)] == [RequestKind.EMERGENCY_REPORT]


async def test_an_emergency_is_for_few_short_and_with_a_reason(
    place: Hall, desk: Exceptions, approvals: Approvals, admin: Account, clerk: Account
) -> None:
    head, operator = await place.account("kacho", Role.STAFF, ("税務課", True)), await place.account("sousa", Role.OPERATOR)
    closed = Exceptions(place.journal, elsewhere := Approvals(place.journal, place.clock, unavoidable=False), place.clock)
    day = place.clock() + DAY
    cases = [
        (desk, clerk, {}, "急ぎ", "not yours"), (desk, head, {}, "急ぎ", "not yours"), (desk, operator, {}, "急ぎ", "not yours"),
        (desk, admin, {}, " ", "reason"), (desk, admin, {"until": day + 1}, "急ぎ", "a day at most"), (desk, admin, {"until": day - DAY}, "急ぎ", "has to end"),
        (desk, admin, {"sha256": ""}, "急ぎ", "which file"), (closed, admin, {}, "急ぎ", "another person"),
    ]  # fmt: skip
    for where, who, changes, reason, why in cases:
        with pytest.raises(RefusedError, match=why):
            await where.emergency(who, wanted(place, **({"until": day} | changes)), reason)
    assert await desk.listed() == []
    assert await approvals.listed() == [], "nothing is left of what was refused"
    assert elsewhere is not approvals
    assert [await desk.may_declare(who) for who in (admin, clerk, head, operator)] == [True, False, False, False]
    assert not await closed.may_declare(admin)
