"""期限前の廃棄: on another person's word, in one transaction with it, with a record of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.model import State, Transfer
from gateway.people.accounts import Account, Role
from gateway.requests.approvals import Kind, RefusedError, RequestState
from gateway.requests.disposing import Disposing
from gateway.requests.pointless import Pointless
from gateway.storage import disposals, evidence, forgetting
from gateway.storage.settling import NotAllowedError
from tests.build.face import ROLES, Town, client, quick_passwords, town
from tests.build.house import Open, opened
from tests.build.transfer import NOW, arrival, claimed, held, settlement

LIST = "/api/v1/transfers"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    monkeypatch.setitem(ROLES, "fukucho", Role.CISO)
    async with town(tmp_path) as made:
        yield made
        assert (await audit.verify(made.journal)).broken is None


@pytest.fixture
def desk(place: Town) -> Disposing:
    return Disposing(place.journal, place.approvals, place.clock)


async def person(place: Town, login: str) -> Account:
    await place.known(login)
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def three(place: Town) -> list[Transfer]:
    return [await place.journal.find(await place.settled("suzuki", held())) for _ in range(3)]


async def states(place: Town, wanted: list[Transfer]) -> list[State]:
    return [(await place.journal.find(one.receipt_no)).state for one in wanted]


async def test_nothing_goes_until_another_person_says_so(place: Town, desk: Disposing) -> None:
    wanted, asker, other = await three(place), await person(place, "kanri"), await person(place, "fukucho")
    numbers = [one.receipt_no for one in wanted]
    await place.journal.write(lambda connection: evidence.keep(connection, wanted[0], at=NOW, actor="a", reason="r"))
    asked = await desk.ask(wanted, asker, " 誤って届いたもの ")
    assert (asked.request.kind, asked.request.subject, asked.request.detail) == (Kind.DISPOSAL, numbers[1], {"receipt_nos": numbers[1:]})
    assert list(asked.refused) == numbers[:1]
    assert await states(place, wanted) == [State.HELD] * 3
    with pytest.raises(RefusedError, match="兼務"):
        await place.approvals.approve(asked.request.number, asker)
    with pytest.raises(RefusedError, match="another person"):
        await place.approvals.proceed(asked.request.number, asker, "急ぎ")
    assert await states(place, wanted) == [State.HELD] * 3
    assert (await place.approvals.approve(asked.request.number, other)).carried_out_at is not None
    assert await states(place, wanted) == [State.HELD, State.DISPOSED, State.DISPOSED]
    (record,) = await place.journal.ask(disposals.listed)
    assert (record.count, record.actor, record.detail) == (
        2, "fukucho", {"reason": "誤って届いたもの", "receipt_nos": numbers[1:], "request": asked.request.number, "requester": "kanri"},
    )  # fmt: skip


async def test_what_cannot_be_disposed_of_is_not_asked_about(place: Town, desk: Disposing) -> None:
    (one, *_), asker = await three(place), await person(place, "sousa")
    with pytest.raises(RefusedError, match="reason"):
        await desk.ask([one], asker, " ")
    await place.journal.dispose(one.id, at=NOW, actor="a")
    with pytest.raises(NotAllowedError, match="disposed of already"):
        await desk.ask([await place.journal.find(one.receipt_no)], asker, "x")
    assert await place.approvals.listed() == []


async def test_what_became_evidence_meanwhile_stays_and_the_rest_goes(place: Town, desk: Disposing) -> None:
    wanted, asker, other = await three(place), await person(place, "sousa"), await person(place, "kanri")
    asked = await desk.ask(wanted, asker, "x")
    await place.journal.write(lambda connection: evidence.keep(connection, wanted[1], at=NOW, actor="a", reason="r"))
    await place.approvals.approve(asked.request.number, other)
    assert await states(place, wanted) == [State.DISPOSED, State.HELD, State.DISPOSED]


async def test_where_nothing_can_go_any_more_the_word_is_not_given(place: Town, desk: Disposing) -> None:
    (one, *_), asker, other = await three(place), await person(place, "sousa"), await person(place, "kanri")
    asked = await desk.ask([one], asker, "x")
    await place.journal.write(lambda connection: evidence.keep(connection, one, at=NOW, actor="a", reason="r"))
    with pytest.raises(RefusedError, match="kept as evidence"):
        await place.approvals.approve(asked.request.number, other)
    assert (await place.approvals.find(asked.request.number)).state is RequestState.REQUESTED
    assert await place.journal.ask(disposals.listed) == []


async def test_a_record_that_is_over_is_passed_over(place: Town, desk: Disposing) -> None:
    first, second, _ = await three(place)
    asker, other = await person(place, "sousa"), await person(place, "kanri")
    both, alone = await desk.ask([first, second], asker, "x"), await desk.ask([first], asker, "x")
    await place.journal.dispose(first.id, at=NOW - 1, actor="a")
    assert await place.journal.write(lambda connection: forgetting.forget(connection, before=NOW, limit=9)) == [first.receipt_no]
    with pytest.raises(RefusedError, match="nothing is kept"):
        await place.approvals.approve(alone.request.number, other)
    await place.approvals.approve(both.request.number, other)
    assert (await place.journal.find(second.receipt_no)).state is State.DISPOSED


async def test_a_request_for_what_is_gone_closes_itself(place: Town, desk: Disposing) -> None:
    (one, two, _), asker = await three(place), await person(place, "sousa")
    asked = await desk.ask([one, two], asker, "x")
    Pointless(place.journal, place.approvals)
    await place.journal.dispose(one.id, at=NOW, actor="a")
    await place.approvals.tick()
    assert (await place.approvals.find(asked.request.number)).state is RequestState.REQUESTED, "there is another one"
    await place.journal.dispose(two.id, at=NOW, actor="a")
    await place.approvals.tick()
    assert (await place.approvals.find(asked.request.number)).state is RequestState.CLOSED


# ---------------------------------------------------------------------------------------------------------------- at the desk


async def waiting(house: Open, count: int) -> list[str]:
    numbers = []
    for _ in range(count):
        _, number = await house.house.journal.accept(arrival(received_at=house.clock()))
        claim = claimed(await house.house.journal.claim(1, at=house.clock(), lease_until=house.clock() + 60))
        await house.house.journal.settle(claim, settlement(held()), at=house.clock())
        numbers.append(number)
    return numbers


@pytest.mark.parametrize(("disposal", "status"), [("true", 202), ("false", 200)])
async def test_the_setting_says_whether_a_second_person_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disposal: str, status: int
) -> None:
    async with opened(tmp_path, monkeypatch, APPROVALS_DISPOSAL=disposal) as house:
        await house.known("sousa", Role.OPERATOR)
        headers, (one, two, three_) = await house.token("sousa"), await waiting(house, 3)
        async with client(house.faces["admin"]) as browser:
            answer = await browser.post(f"{LIST}/{one}/delete", headers=headers, json={"reason": "誤送"})
            assert answer.status == status
            many = await browser.post(LIST, headers=headers, json={"deed": "delete", "receipt_nos": [two, three_], "reason": "誤送"})
            assert many.status == status
            assert (await browser.post(f"{LIST}/{one}/delete", headers=headers, json={"reason": ""})).status == 400
            told = [await answer.json(), await many.json()]
        gone = [(await house.house.journal.find(number)).state is State.DISPOSED for number in (one, two, three_)]
        assert gone == [status == 200] * 3
        assert [one.get("request") for one in told] == (["S-000001", "S-000002"] if status == 202 else [None, None])


async def test_from_the_pages_it_leads_to_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path, monkeypatch) as house:
        await house.known("sousa", Role.OPERATOR)
        headers, (one, two) = await house.token("sousa"), await waiting(house, 2)
        given = {"deed": "delete", "reason": "誤送", "sure": "yes"}
        async with client(house.faces["admin"]) as browser:
            single = await browser.post(f"/transfers/{one}", headers=headers, data=given, allow_redirects=False)
            assert (single.status, single.headers["Location"]) == (303, "/requests/S-000001")
            many = await browser.post("/transfers", headers=headers, data=[*given.items(), ("receipt_no", one), ("receipt_no", two)], allow_redirects=False)
            assert (many.status, many.headers["Location"]) == (303, "/requests/S-000002")
            page = await (await browser.get("/requests/S-000002", headers=headers)).text()
        assert "期限前の廃棄" in page
        assert f"{one}、{two}" in page
        assert [(await house.house.journal.find(number)).state for number in (one, two)] == [State.HELD] * 2
