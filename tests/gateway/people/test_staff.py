"""Departments, groups, and the mass move of 1 April: shown first, written whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.people import roster
from gateway.people.accounts import Account, RefusedError, Role
from tests.build.face import PASSWORD, Town, client, quick_passwords, town

HEADER = "ログイン名,氏名,メール,所属,兼務,所属長,在籍\n"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        for name in ("総務部", "税務課", "土木課"):
            await made.staff.add_department(name, "test", "総務部" if name.endswith("課") else "")
        yield made


async def account_named(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def places_of(place: Town, login: str) -> list[tuple[str, bool, bool]]:
    return [(one.department.name, one.main, one.head) for one in await place.accounts.places(await account_named(place, login))]


async def test_departments_stand_below_each_other_and_close_when_empty(place: Town) -> None:
    for name, why in (("税務課", "such a department"), (" ", "name"), ("x" * 101, "name")):
        with pytest.raises(RefusedError, match=why):
            await place.staff.add_department(name, "test")
    with pytest.raises(RefusedError, match="below itself"):
        await place.staff.place_department("総務部", "税務課", "test")
    with pytest.raises(RefusedError, match="below itself"):
        await place.staff.place_department("税務課", "税務課", "test")
    await place.known("tanaka")
    await place.staff.move(await account_named(place, "tanaka"), ["税務課"], "test")
    with pytest.raises(RefusedError, match="still belong"):
        await place.staff.close_department("税務課", "test")
    await place.staff.move(await account_named(place, "tanaka"), ["土木課"], "test")
    await place.staff.close_department("税務課", "test")
    with pytest.raises(RefusedError, match="no such department"):
        await place.staff.move(await account_named(place, "tanaka"), ["税務課"], "test")


async def test_main_and_other_departments(place: Town) -> None:
    await place.known("tanaka")
    await place.staff.move(await account_named(place, "tanaka"), ["税務課", "土木課", "税務課"], "test", head=True)
    assert await places_of(place, "tanaka") == [("税務課", True, True), ("土木課", False, False)]


async def test_a_privileged_holder_who_moves_chooses_a_new_password(place: Town) -> None:
    for login, changes in (("sousa", True), ("tanaka", False)):
        await place.known(login)
        value, _ = await place.accounts.log_in(login, PASSWORD, "admin", "")
        await place.staff.move(await account_named(place, login), ["税務課"], "test")
        assert (await account_named(place, login)).must_change is changes
        assert (await place.accounts.session(value, "admin") is None) is changes


async def test_groups(place: Town) -> None:
    for login in ("tanaka", "suzuki"):
        await place.known(login)
    await place.staff.set_group("選挙事務", ["tanaka", "suzuki"], "test")
    await place.staff.set_group("選挙事務", ["suzuki"], "test")
    assert await place.staff.groups() == {"選挙事務": ["suzuki"]}
    with pytest.raises(RefusedError, match="nobody"):
        await place.staff.set_group("選挙事務", ["nobody"], "test")
    assert await place.staff.dissolve_group("選挙事務", "test")
    assert not await place.staff.dissolve_group("選挙事務", "test")


# ------------------------------------------------------------------------------------------------------ the mass move


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp932"])
def test_a_list_is_read_in_every_charset_of_the_office(charset: str) -> None:
    entries, faults = roster.read((HEADER + "TANAKA,髙橋①,Tanaka@town.example.jp,税務課,土木課;総務部,1,\n").encode(charset))
    assert faults == []
    [entry] = entries
    assert (entry.login, entry.name, entry.mail, entry.head) == ("tanaka", "髙橋①", "tanaka@town.example.jp", True)
    assert entry.departments == ("税務課", "土木課", "総務部")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x81", "CP932"),
        (b"", "header"),
        ("ログイン名,課\nx,y\n".encode(), "header"),
        (f"{HEADER}tanaka,,,,,,\n".encode(), "no name"),
        (f"{HEADER}tanaka,田中,,,,2,\n".encode(), "head"),
        (f"{HEADER}tanaka,田中,,,,,休職\n".encode(), "status"),
        (f"{HEADER}tanaka,{'田' * 201},,,,,\n".encode(), "too long"),
        (f'{HEADER}tanaka,"田中\n'.encode(), "CSV"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(data: bytes, why: str) -> None:
    entries, faults = roster.read(data)
    assert entries == []
    assert why in faults[0].why
    assert any("ぁ" <= letter <= "ん" for letter in faults[0].why)


async def test_three_hundred_people_on_the_first_of_april(place: Town) -> None:
    for login in ("sousa", "kanri"):
        await place.known(login)
    old = HEADER + "".join(f"shokuin{number:03},職員{number},,税務課,,,\n" for number in range(300))
    entries, faults = roster.read(old.encode("cp932"))
    plan = await place.staff.preview(entries, faults)
    assert (len(plan.joins), plan.faults) == (300, ())
    assert await place.accounts.count() == 2, "nothing is written by looking"
    passwords = await place.staff.follow(entries, plan.digest, "kanri")
    assert len(set(passwords.values())) == 300
    assert await place.accounts.log_in("shokuin123", passwords["shokuin123"], "drop", "")
    new = HEADER + "".join(
        f"shokuin{number:03},職員{number},,{'土木課' if number < 100 else '税務課'},,{1 if number == 0 else ''},{'退職' if number >= 290 else ''}\n"
        for number in range(300)
    )
    entries, _ = roster.read((new + "shinnin,新任,,土木課,税務課,,\n").encode())
    plan = await place.staff.preview(entries)
    assert (len(plan.joins), len(plan.moves), len(plan.leaves), plan.same, plan.faults) == (1, 100, 10, 190, ())
    assert plan.moves[0].changes == (("所属 / department", "税務課（主務）", "土木課（主務）（所属長）"),)
    assert list(await place.staff.follow(entries, plan.digest, "kanri")) == ["shinnin"]
    assert await places_of(place, "shokuin000") == [("土木課", True, True)]
    assert (await account_named(place, "shokuin299")).disabled
    again = await place.staff.preview(entries)
    assert (again.joins, again.moves, again.leaves, again.same) == ((), (), (), 291)


async def test_unknown_departments_are_named_and_nothing_is_written(place: Town) -> None:
    entries, faults = roster.read((HEADER + "tanaka,田中,,企画課,,,\nsuzuki,鈴木,,税務課,夢の課,,\nok,よし,,税務課,,,\n").encode())
    plan = await place.staff.preview(entries, faults)
    assert [(one.line, one.why.split(" / ")[0]) for one in plan.faults] == [(2, "課「企画課」がありません"), (3, "課「夢の課」がありません")]
    with pytest.raises(RefusedError):
        await place.staff.follow(entries, plan.digest, "kanri")
    assert await place.accounts.count() == 0


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("tanaka,田中,,,,,\ntanaka,田中,,,,,\n", "twice"),
        ("root,誰か,,,,,\n", "may not be used"),
        ("tanaka,田中,not a mail,,,,\n", "mail address"),
        ("sousa,操作,,,,,退職\n", "by hand"),
    ],
)
async def test_a_list_that_must_not_be_followed(place: Town, lines: str, why: str) -> None:
    await place.known("sousa")
    entries, faults = roster.read((HEADER + lines).encode())
    plan = await place.staff.preview(entries, faults)
    assert why in plan.faults[0].why
    with pytest.raises(RefusedError):
        await place.staff.follow(entries, plan.digest, "kanri")


async def test_what_changed_since_it_was_seen_is_seen_again(place: Town) -> None:
    entries, _ = roster.read((HEADER + "tanaka,田中,,税務課,,,\n").encode())
    plan = await place.staff.preview(entries)
    await place.accounts.add("tanaka", "別の田中", Role.STAFF, "test")
    with pytest.raises(RefusedError, match="look again"):
        await place.staff.follow(entries, plan.digest, "kanri")


async def test_a_complete_list_lets_staff_go_and_nobody_else(place: Town) -> None:
    for login in ("tanaka", "suzuki", "sousa", "kanri"):
        await place.known(login)
    entries, _ = roster.read((HEADER + "tanaka,tanakaさん,,,,,\n").encode())
    plan = await place.staff.preview(entries, complete=True)
    assert [one.login for one in plan.leaves] == ["suzuki"]
    with pytest.raises(RefusedError):
        await place.staff.follow(entries, plan.digest, "kanri")
    await place.staff.follow(entries, plan.digest, "kanri", complete=True)
    assert (await account_named(place, "suzuki")).disabled


async def test_a_list_brings_somebody_back_and_gives_no_role(place: Town) -> None:
    await place.known("sousa")
    await place.accounts.disable(await account_named(place, "sousa"), "test")
    entries, _ = roster.read((HEADER + "sousa,sousaさん,,税務課,,,\n").encode())
    plan = await place.staff.preview(entries)
    assert ("状態 / state", "停止", "利用中") in plan.moves[0].changes
    await place.staff.follow(entries, plan.digest, "kanri")
    account = await account_named(place, "sousa")
    assert (account.disabled, account.role, account.must_change) == (False, "operator", True)


# ------------------------------------------------------------------------------------------------------ on the desk


async def test_an_administrator_makes_moves_and_stops_people(place: Town) -> None:
    who = await place.token("kanri")
    async with client(place.faces["admin"]) as browser:
        given = {"login": "hanako", "name": "山田花子", "role": "operator", "departments": ["税務課"], "head": False}
        made = await browser.post("/api/v1/people", json=given, headers=who)
        assert made.status == 201
        assert await place.accounts.log_in("hanako", (await made.json())["password"], "admin", "")
        for wrong in ({"login": "admin"}, {"login": "hanako"}, {"role": "king"}, {"departments": ["夢の課"]}, {"name": 5}, {"mail": "x"}):
            assert (await browser.post("/api/v1/people", json=given | {"login": "taro"} | wrong, headers=who)).status == 422, wrong
        shown = await (await browser.get("/api/v1/people/hanako", headers=who)).json()
        assert (shown["role"], shown["departments"], shown["must_change"]) == ("operator", ["税務課"], True)
        changed = await browser.patch("/api/v1/people/hanako", json={"departments": ["土木課", "税務課"], "head": True}, headers=who)
        assert ((await changed.json())["departments"], (await changed.json())["head"]) == (["土木課", "税務課"], True)
        for deed in ("disable", "enable", "unlock", "forget-factors", "end-sessions"):
            assert (await browser.post(f"/api/v1/people/hanako/{deed}", headers=who)).status == 200
        assert "password" in await (await browser.post("/api/v1/people/hanako/reset", headers=who)).json()
        assert (await browser.post("/api/v1/people/nobody/disable", headers=who)).status == 404
        assert (await browser.get("/api/v1/people/nobody", headers=who)).status == 404
        assert (await browser.post("/api/v1/people", data=b"[", headers=who)).status == 400


async def test_nobody_locks_himself_out_and_the_last_one_stays(place: Town) -> None:
    who = await place.token("kanri")
    async with client(place.faces["admin"]) as browser:
        for deed in ("disable", "reset", "forget-factors"):
            assert (await browser.post(f"/api/v1/people/kanri/{deed}", headers=who)).status == 422
        assert (await browser.patch("/api/v1/people/kanri", json={"role": "staff"}, headers=who)).status == 422
        await browser.post("/api/v1/people", json={"login": "kanri2", "name": "二人目", "role": "administrator"}, headers=who)
        assert (await browser.post("/api/v1/people/kanri2/disable", headers=who)).status == 200


async def test_the_list_over_the_interface(place: Town) -> None:
    who = await place.token("kanri")
    data = (HEADER + "tanaka,田中,,税務課,,,\n").encode()
    async with client(place.faces["admin"]) as browser:
        seen = await (await browser.post("/api/v1/people-import/preview", data=data, headers=who)).json()
        assert [one["login"] for one in seen["joins"]] == ["tanaka"]
        assert (await browser.post("/api/v1/people-import?seen=x", data=data, headers=who)).status == 422
        done = await browser.post(f"/api/v1/people-import?seen={seen['seen']}", data=data, headers=who)
        assert list((await done.json())["passwords"]) == ["tanaka"]


async def test_the_pages_do_the_same(place: Town) -> None:
    from tests.build.face import log_in

    await place.known("kanri")
    own = {"Sec-Fetch-Site": "same-origin"}
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "kanri")
        page = await browser.post("/people", data={"login": "hanako", "name": "<b>花子</b>", "role": "staff", "main": "税務課"}, headers=own)
        assert "初期パスワード" in await page.text()
        assert (await browser.post("/people", data={"login": "root", "name": "x"}, headers=own)).status == 422
        for path in ("/people?q=hana", "/people/hanako", "/departments", "/people-import"):
            answer = await browser.get(path)
            assert answer.status == 200
            assert "<b>花子</b>" not in await answer.text()
        moved = {"name": "花子", "mail": "", "role": "staff", "main": "土木課", "departments": "税務課", "head": "yes"}
        assert (await browser.post("/people/hanako", data=moved, headers=own, allow_redirects=False)).status == 303
        assert await places_of(place, "hanako") == [("土木課", True, True), ("税務課", False, False)]
        assert (await browser.post("/people/hanako/disable", headers=own, allow_redirects=False)).status == 303
        assert (await browser.post("/people/hanako/explode", headers=own)).status == 404
        assert (await browser.post("/departments", data={"name": "広報課", "below": "総務部"}, headers=own, allow_redirects=False)).status == 303
        assert (await browser.post("/departments", data={"name": "広報課"}, headers=own)).status == 422
        assert (await browser.post("/departments/place", data={"name": "広報課", "below": ""}, headers=own, allow_redirects=False)).status == 303
        assert (await browser.post("/departments/close", data={"name": "広報課"}, headers=own, allow_redirects=False)).status == 303
        assert (await browser.post("/groups", data={"name": "選挙", "members": "hanako"}, headers=own, allow_redirects=False)).status == 303
        assert (await browser.post("/groups/dissolve", data={"name": "選挙"}, headers=own, allow_redirects=False)).status == 303
        text = HEADER + "shinnin,新任,,税務課,,,\n"
        shown = await (await browser.post("/people-import", data={"text": text}, headers=own)).text()
        assert "まだ何も変更していません" in shown
        seen = shown.split('name="seen" value="')[1].split('"')[0]
        assert (await browser.post("/people-import/follow", data={"text": text, "seen": "x"}, headers=own)).status == 422
        assert "shinnin" in await (await browser.post("/people-import/follow", data={"text": text, "seen": seen}, headers=own)).text()
