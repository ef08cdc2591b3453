"""権限棚卸し: of every account something is said, by somebody else; closed by another person, once it is true."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.people.accounts import Account, Role
from gateway.people.reviews import Decision, Reviews
from gateway.people.roles import RefusedError
from tests.build.face import Town, client, quick_passwords, town

DAY = 86_400.0


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        made.roles |= {"ciso": Role.CISO}
        await made.staff.add_department("税務課", "test")
        for login in ("tanaka", "suzuki", "kanri", "ciso"):
            await made.known(login)
        yield made


async def person(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


def desk(place: Town) -> Reviews:
    return Reviews(place.journal, place.accounts, place.clock)


async def test_from_beginning_to_sign_off(place: Town) -> None:
    reviews, kanri, ciso = desk(place), await person(place, "kanri"), await person(place, "ciso")
    assert await reviews.due_at() == 0.0
    number = await reviews.begin(kanri)
    with pytest.raises(RefusedError, match=number):
        await reviews.begin(kanri)
    for login in ("tanaka", "suzuki", "ciso"):
        await reviews.decide(number, login, Decision.KEEP, "", kanri)
    with pytest.raises(RefusedError, match="1"):
        await reviews.close(number, "", ciso)
    with pytest.raises(RefusedError, match="himself"):
        await reviews.decide(number, "kanri", Decision.KEEP, "", kanri)
    await reviews.decide(number, "kanri", Decision.KEEP, "", ciso)
    with pytest.raises(RefusedError, match="another person"):
        await reviews.close(number, "", kanri)
    await reviews.close(number, "令和8年度上期", ciso)
    closed = await reviews.find(number)
    assert (closed.closed_by, closed.note, closed.left, closed.rows) == ("ciso", "令和8年度上期", 0, 4)
    assert await reviews.due_at() == place.clock() + 183 * DAY
    for late in (reviews.decide(number, "tanaka", Decision.KEEP, "", ciso), reviews.close(number, "", ciso)):
        with pytest.raises(RefusedError, match="closed"):
            await late
    actions = [entry.action async for entry in place.journal.entries(subject=number)]
    assert actions == ["review.begun", *["review.decided"] * 4, "review.closed"]


async def test_it_is_closed_only_when_what_was_said_was_done(place: Town) -> None:
    reviews, kanri, ciso = desk(place), await person(place, "kanri"), await person(place, "ciso")
    number = await reviews.begin(kanri)
    for login, who in (("ciso", kanri), ("kanri", ciso)):
        await reviews.decide(number, login, Decision.KEEP, "", who)
    with pytest.raises(RefusedError, match="why"):
        await reviews.decide(number, "tanaka", Decision.REMOVE, " ", kanri)
    await reviews.decide(number, "tanaka", Decision.REMOVE, "退職", kanri)
    await reviews.decide(number, "suzuki", Decision.CHANGE, "異動", kanri)
    with pytest.raises(RefusedError, match="suzuki, tanaka"):
        await reviews.close(number, "", ciso)
    await place.accounts.disable(await person(place, "tanaka"), "kanri")
    with pytest.raises(RefusedError, match=r"suzuki$"):
        await reviews.close(number, "", ciso)
    await place.staff.move(await person(place, "suzuki"), ["税務課"], "kanri", head=False)
    await reviews.close(number, "", ciso)
    again = await reviews.begin(kanri)
    assert [line.login for line in await reviews.lines(await reviews.find(again))] == ["ciso", "kanri", "suzuki"], "who left is not asked of"


async def test_what_stands_out_is_as_it_was_when_it_began(place: Town) -> None:
    place.clock.pass_by(91 * DAY)
    number = await desk(place).begin(await person(place, "kanri"))
    lines = {line.login: line.facts for line in await desk(place).lines(await desk(place).find(number))}
    assert all(facts["unused"] for facts in lines.values())
    assert (lines["kanri"]["privileged"], lines["kanri"]["factors"], lines["tanaka"]["privileged"]) == (True, [], False)
    async with client(place.faces["admin"]) as browser:
        page = await (await browser.get(f"/reviews/{number}", headers=await place.token("kansa"))).text()
        table = await (await browser.get(f"/reviews/{number}/table.csv", headers=await place.token("kansa"))).read()
    for words in ("90日以上未使用", "二要素なし", "所属なし"):
        assert words in page, words
        assert words in table.decode("utf-8-sig"), words


async def test_by_the_interface(place: Town) -> None:
    kanri, ciso = await place.token("kanri"), await place.token("ciso")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post("/api/v1/reviews", headers=await place.token("kansa"))).status == 403
        made = await browser.post("/api/v1/reviews", headers=kanri)
        number = (await made.json())["number"]
        assert made.status == 201
        assert (await browser.post("/api/v1/reviews", headers=kanri)).status == 422
        one = f"/api/v1/reviews/{number}"
        for wrong in ({}, {"login": "tanaka"}, {"login": "tanaka", "decision": "burn"}, {"login": 7, "decision": "keep"}):
            assert (await browser.post(one + "/decide", headers=kanri, json=wrong)).status == 400
        assert (await browser.post(one + "/decide", headers=kanri, json={"login": "nobody", "decision": "keep"})).status == 422
        for login, who in (("tanaka", kanri), ("suzuki", kanri), ("ciso", kanri), ("kanri", ciso), ("kansa", kanri)):
            told = await browser.post(one + "/decide", headers=who, json={"login": login, "decision": "keep"})
            assert told.status == 200, await told.text()
        assert (await browser.post(one + "/close", headers=kanri, json={})).status == 422
        assert (await browser.post(one + "/close", headers=ciso, json={"note": "確認"})).status == 200
        assert (await browser.get("/api/v1/reviews/PR-2026-9999", headers=kanri)).status == 404
        assert len((await (await browser.get(one, headers=kanri)).json())["lines"]) == 5


async def test_from_the_pages(place: Town) -> None:
    kanri, ciso = await place.token("kanri"), await place.token("ciso")
    async with client(place.faces["admin"]) as browser:
        assert "まだ一度も行われていません" in await (await browser.get("/reviews", headers=kanri)).text()
        begun = await browser.post("/reviews", headers=kanri, allow_redirects=False)
        path = begun.headers["Location"]
        refused = await browser.post("/reviews", headers=kanri)
        assert (refused.status, "終わっていない棚卸し" in await refused.text()) == (422, True)
        said = {"decision:tanaka": "keep", "decision:suzuki": "remove", "note:suzuki": "", "decision:ciso": "keep"}
        assert (await browser.post(path, headers=kanri, data=said)).status == 422
        said |= {"note:suzuki": "退職", "decision:kanri": ""}
        assert (await browser.post(path, headers=kanri, data=said, allow_redirects=False)).status == 303
        assert (await browser.post(path, headers=kanri, data={"decision:tanaka": "burn"})).status == 400
        assert "まだ実施されていません" in await (await browser.get(path, headers=kanri)).text()
        await place.accounts.disable(await person(place, "suzuki"), "kanri")
        await browser.post(path, headers=ciso, data={"decision:kanri": "keep"})
        assert (await browser.post(path, headers=ciso, data={"what": "close", "note": "済"}, allow_redirects=False)).status == 303
        assert "完了" in await (await browser.get("/reviews", headers=kanri)).text()
