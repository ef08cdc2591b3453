"""People, passwords and lists: what is refused whichever way it is asked, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.admin.people import PeopleDesk
from gateway.people import roster
from gateway.people.accounts import Account, RefusedError
from gateway.people.roles import Role
from gateway.people.roster import Entry, Plan
from tests.build.face import PASSWORD, Town, client, csrf, log_in, quick_passwords, town

ONE = "/api/v1/people/tanaka"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


async def named(place: Town, login: str) -> Account:
    if await place.accounts.find(login) is None:
        await place.known(login)
    found = await place.accounts.find(login)
    assert found is not None
    return found


# -------------------------------------------------------------------------------------------------------------- accounts


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"mail": "no address"}, "not a mail address"),
        ({"name": 7}, "name: "),
        ({"name": "x" * 501}, "too long"),
        ({"role": "king"}, "no such role"),
        ({"role": ["staff"]}, "role: "),
        ({"departments": "税務課"}, "not a list of names"),
        ({"departments": [7]}, "not a list of names"),
        ({"departments": ["ない課"]}, "no such department"),
    ],
)
async def test_an_account_that_cannot_be_so(place: Town, given: dict[str, Any], why: str) -> None:
    head, before = await place.token("kanri"), await named(place, "tanaka")
    async with client(place.faces["admin"]) as browser:
        for answer in (
            await browser.patch(ONE, headers=head, json=given),
            await browser.post("/api/v1/people", headers=head, json={"login": "new", "name": "新"} | given),
        ):
            assert (answer.status, why in (await answer.json())["detail"]) == (422, True)
        for body in (b"", b"[]", b"{"):
            assert (await browser.patch(ONE, headers=head, data=body)).status == 400
        assert (await browser.patch("/api/v1/people/nobody", headers=head, json={})).status == 404
        assert (await browser.post("/api/v1/people/nobody/disable", headers=head)).status == 404
    assert await place.accounts.find("tanaka") == before
    assert await place.accounts.find("new") is None


async def test_deeds_on_others_accounts(place: Town) -> None:
    head = await place.token("kanri")
    account = await named(place, "tanaka")
    value, _ = await place.accounts.log_in("tanaka", PASSWORD, "drop", "")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post(f"{ONE}/end-sessions", headers=head)).status == 200
        assert await place.accounts.session(value, "drop") is None
        await place.accounts.add("yamada", "山田", Role.STAFF, "test", directory="uid=yamada,dc=x")
        for login, why in (("yamada", "in the directory"), ("kanri", "not on yourself")):
            answer = await browser.post(f"/api/v1/people/{login}/reset", headers=head)
            assert (answer.status, why in (await answer.json())["detail"]) == (422, True)
        answer = await browser.put("/api/v1/groups/班", headers=head, json={"members": ["tanaka"]})
        assert (answer.status, await answer.json()) == (200, {"班": ["tanaka"]})
        for members, status in ((["nobody"], 422), ("tanaka", 422)):
            assert (await browser.put("/api/v1/groups/班", headers=head, json={"members": members})).status == status
        await log_in(browser, "kanri")
        word = await csrf(browser)
        for deed, status in (("end-sessions", 303), ("explode", 404), ("reset", 200)):
            answer = await browser.post(f"/people/tanaka/{deed}", data={"csrf": word}, allow_redirects=False)
            assert answer.status == status, deed
        assert (await browser.post("/people/nobody/reset", data={"csrf": word})).status == 404
        assert (await browser.post("/people/nobody", data={"csrf": word})).status == 404
        for path, given, why in (("/people/kanri/disable", {}, "自分自身には行えません"), ("/people/tanaka", {"mail": "no address"}, "メールアドレスではありません")):
            answer = await browser.post(path, data={"csrf": word, "name": "x", "role": "staff"} | given)
            assert (answer.status, why in await answer.text()) == (422, True), path
    assert account.login == "tanaka"


async def test_somebody_is_left_who_can_let_others_in(place: Town) -> None:
    """Whoever asks: the desk itself sees to it."""
    desk = PeopleDesk(place.accounts, place.staff, place.clock)
    last, other = await named(place, "kanri"), await named(place, "sousa")
    for deed in (desk.do("disable", last, other), desk.change(last, {"role": "staff"}, other)):
        with pytest.raises(RefusedError, match="the last administrator"):
            await deed
    assert (await named(place, "kanri")).disabled is False


async def test_a_password_is_changed_where_it_is_kept(place: Town) -> None:
    account = await named(place, "tanaka")
    await place.accounts.disable(account, "test")
    with pytest.raises(RefusedError):
        await place.accounts.admit(await named(place, "tanaka"), "drop", "", "sso")
    await place.accounts.enable(account, "test")
    for _ in range(5):
        with pytest.raises(RefusedError):
            await place.accounts.change_password(await named(place, "tanaka"), "wrong", "another long phrase")
    locked = await named(place, "tanaka")
    assert locked.locked_until > place.clock()
    with pytest.raises(RefusedError):
        await place.accounts.change_password(locked, PASSWORD, "another long phrase")
    await place.accounts.add("yamada", "山田", Role.STAFF, "test", directory="uid=yamada,dc=x")
    with pytest.raises(RefusedError, match="changed in the directory"):
        await place.accounts.change_password(await named(place, "yamada"), PASSWORD, "another long phrase")


async def test_what_is_refused_in_part_is_refused_as_a_whole(place: Town) -> None:
    head, before = await place.token("kanri"), await named(place, "tanaka")
    async with client(place.faces["admin"]) as browser:
        answer = await browser.patch(ONE, headers=head, json={"name": "別の名", "role": "operator", "departments": ["ない課"]})
        assert answer.status == 422
    assert await named(place, "tanaka") == before


# ----------------------------------------------------------------------------------------------------------------- lists


async def test_a_list_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "_MOST", 2)
    lines = "".join(f"tanaka{number},田中\n" for number in range(4))
    found, faults = roster.read(f"login,name\n{lines}".encode())
    assert len(found) == 2
    assert [(fault.line, "too many people" in fault.why) for fault in faults] == [(4, True)]


@pytest.mark.parametrize("wrong", ["faults", "department", "nobody"])
async def test_a_plan_that_does_not_hold_any_more_writes_nothing(place: Town, wrong: str) -> None:
    """Each of its lines is looked at again where it is followed."""
    await named(place, "tanaka")
    entries = [Entry(line=1, login="suzuki", name="鈴木", department="税務課" if wrong == "department" else "")]
    plan = await place.staff.preview(entries)
    if wrong == "faults":
        plan = await place.staff.preview([Entry(line=1, login="two words", name="x")])
    elif wrong == "nobody":
        plan = Plan(joins=(), moves=(), leaves=(Entry(line=0, login="nobody", name="x"),), same=0, faults=())
    else:
        plan = Plan(joins=tuple(entries), moves=(), leaves=(), same=0, faults=())
    with pytest.raises(RefusedError):
        await place.journal.write(lambda connection: roster.follow(connection, plan, {"suzuki": "-"}, at=0.0, actor="test"))
    assert await place.accounts.find("suzuki") is None
