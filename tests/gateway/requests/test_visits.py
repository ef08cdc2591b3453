"""A vendor's account opens for the time of a visit that another person approved, and is shut else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.people.accounts import Account, Role
from gateway.people.customs import Customs
from gateway.people.roles import RefusedError
from gateway.requests.visits import Visits
from tests.build.face import PASSWORD, Town, client, csrf, log_in, quick_passwords, town
from tests.build.transfer import NOW

HOUR, DAY = 3_600.0, 86_400.0


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(second_factor="off", elevation=0)) as made:
        made.roles |= {"itaku": Role.CONTRACTOR, "ciso": Role.CISO}
        for login in ("itaku", "sousa", "kanri", "ciso", "kansa"):
            await made.known(login)
        yield made


async def person(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def granted(place: Town, begins: float = 0.0, lasts: float = 2 * HOUR) -> None:
    visits = Visits(place.journal, place.approvals, place.clock)
    asked = await visits.request(
        await person(place, "sousa"), await person(place, "itaku"), from_at=place.clock() + begins, until_at=place.clock() + begins + lasts, purpose="定期保守"
    )
    await place.approvals.approve(asked.number, await person(place, "kanri"))


async def test_without_a_visit_the_account_is_shut_with_the_words_of_a_wrong_password(place: Town) -> None:
    async with client(place.faces["admin"]) as browser:
        shut = await log_in(browser, "itaku")
        wrong = await log_in(browser, "itaku", "another password")
        assert shut.status == wrong.status == 401
    token = await place.accounts.issue_token(await person(place, "itaku"), "test", HOUR, "test")
    assert await place.accounts.by_token(token) is None


async def test_it_opens_for_the_visit_and_not_a_moment_longer(place: Town) -> None:
    await granted(place, begins=HOUR)
    async with client(place.faces["admin"]) as browser:
        assert (await log_in(browser, "itaku")).status == 401, "not before"
        place.clock.pass_by(HOUR + 1)
        assert (await log_in(browser, "itaku")).status == 303
        assert (await browser.get("/transfers")).status == 200
        for _ in range(9):
            place.clock.pass_by(12 * 60)
            assert (await browser.get("/transfers")).status == 200
        place.clock.pass_by(12 * 60)
        over = await browser.get("/transfers", allow_redirects=False)
        assert (over.status, over.headers["Location"]) == (303, "/login")
        assert (await log_in(browser, "itaku")).status == 401


async def test_a_visit_that_is_ended_ends_at_once(place: Town) -> None:
    await granted(place)
    async with client(place.faces["admin"]) as vendor, client(place.faces["admin"]) as operator:
        await log_in(vendor, "itaku")
        await log_in(operator, "sousa")
        assert "作業中" in await (await operator.get("/visits")).text()
        word = await csrf(operator)
        assert (await operator.post("/visits/1/end", data={"csrf": word, "reason": " "})).status == 422
        ended = await operator.post("/visits/1/end", data={"csrf": word, "reason": "作業中止"}, allow_redirects=False)
        assert ended.status == 303
        assert (await operator.post("/visits/1/end", data={"csrf": word, "reason": "x"})).status == 404
        assert (await vendor.get("/transfers", allow_redirects=False)).status == 303
    actions = [entry.action async for entry in place.journal.entries(subject="itaku")]
    assert [one for one in actions if one.startswith("visit")] == ["visit.granted", "visit.ended"]


@pytest.mark.parametrize(
    ("who", "begins", "lasts"),
    [("kansa", 0.0, HOUR), ("itaku", -2 * HOUR, HOUR), ("itaku", 0.0, 8 * DAY), ("itaku", 91 * DAY, HOUR), ("itaku", HOUR, -HOUR)],
)
async def test_what_is_no_visit_is_refused(place: Town, who: str, begins: float, lasts: float) -> None:
    visits = Visits(place.journal, place.approvals, place.clock)
    at = place.clock() + begins
    with pytest.raises(RefusedError):
        await visits.request(await person(place, "sousa"), await person(place, who), from_at=at, until_at=at + lasts, purpose="保守")


async def test_one_approved_too_late_opens_nothing(place: Town) -> None:
    visits = Visits(place.journal, place.approvals, place.clock)
    asked = await visits.request(
        await person(place, "sousa"), await person(place, "itaku"), from_at=NOW, until_at=NOW + HOUR, purpose="保守"
    )
    place.clock.pass_by(2 * HOUR)
    with pytest.raises(RefusedError):
        await place.approvals.approve(asked.number, await person(place, "kanri"))
    assert await visits.listed() == []


async def test_by_the_interface(place: Town) -> None:
    who = await place.token("sousa")
    asked = {"login": "itaku", "from": "2026-11-19T09:00:00+09:00", "until": "2026-11-19T12:00:00+09:00", "purpose": "保守"}
    async with client(place.faces["admin"]) as browser:
        for wrong in ({}, asked | {"from": 7}, asked | {"until": "later"}):
            assert (await browser.post("/api/v1/visits", headers=who, json=wrong)).status == 400, wrong
        assert (await browser.post("/api/v1/visits", headers=who, json=asked | {"login": "nobody"})).status == 422
        assert (await browser.post("/api/v1/visits", headers=await place.token("kansa"), json=asked)).status == 403
        made = await browser.post("/api/v1/visits", headers=who, json=asked)
        assert made.status == 202
        await place.approvals.approve((await made.json())["request"], await person(place, "kanri"))
        [listed] = await (await browser.get("/api/v1/visits", headers=who)).json()
        assert (listed["login"], listed["approver"], listed["lasts"]) == ("itaku", "kanri", False)
        assert (await browser.post("/api/v1/visits/1/end", headers=who, json={"reason": "中止"})).status == 200
        for number in ("1", "2", "x", "9" * 30):
            assert (await browser.post(f"/api/v1/visits/{number}/end", headers=who, json={"reason": "中止"})).status == 404


async def test_where_the_settings_say_so_vendors_come_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as place:
        place.roles |= {"itaku": Role.CONTRACTOR}
        await place.known("itaku")
        async with client(place.faces["admin"]) as browser:
            assert (await log_in(browser, "itaku", PASSWORD)).status == 303
            assert "people.visits" in await (await browser.get("/visits")).text()
