"""会計年度任用職員 use the drop and receive mail on somebody's word only; who, when and why is written down, and the doors ask."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import delete

from gateway.conformity.facts import count
from gateway.drop.app import NOT_PERMITTED
from gateway.model import Door, Transfer
from gateway.people import roster
from gateway.people.accounts import Account, RefusedError, Role
from gateway.people.employment import Employment, Terms
from gateway.people.permissions import Action, action
from gateway.road.post import MailIntake
from gateway.storage import permits
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.tables import permits as permit_table
from gateway.web.ownership import own
from tests.build.face import PASSWORD, Town, client, csrf, log_in, quick_passwords, town
from tests.build.transfer import NOW, MemoryBlobs, arrival

FISCAL = Employment.FISCAL_YEAR
WORDS = NOT_PERMITTED.partition(" / ")[2]


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made


async def account_named(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def made(place: Town, login: str, *, mail: str = "", **said: object) -> Account:
    await place.accounts.add(login, f"{login}さん", Role.STAFF, "kanri", mail, terms=Terms(**said))  # type: ignore[arg-type]
    return await account_named(place, login)


async def known(place: Town, login: str, **said: object) -> Account:
    """The same, with PASSWORD chosen."""
    first = await place.accounts.add(login, f"{login}さん", Role.STAFF, "kanri", terms=Terms(**said))  # type: ignore[arg-type]
    await place.accounts.change_password(await account_named(place, login), first, PASSWORD)
    return await account_named(place, login)


async def changed(place: Town, login: str, **said: object) -> Account:
    account = await account_named(place, login)
    terms = Terms(**said)  # type: ignore[arg-type]
    await place.accounts.change(account, "kanri2", name=account.name, mail=account.mail, role=Role(account.role), terms=terms)
    return await account_named(place, login)


async def permitted(place: Town, login: str) -> list[tuple[str, float, str, str]]:
    account = await account_named(place, login)
    return [(one.feature, one.at, one.actor, one.reason) for one in await place.journal.ask(lambda c: permits.of(c, account.id))]


async def told(place: Town, login: str) -> list[tuple[str, str, str]]:
    return [(entry.actor, entry.action, json.loads(entry.detail)["feature"]) async for entry in place.journal.entries(subject=login)
            if entry.action.startswith("feature.")]  # fmt: skip


async def unpermitted(place: Town) -> tuple[int, int]:
    counted = await place.journal.ask(lambda connection: count(connection, NOW))
    return counted["fiscal_year"], counted["unpermitted"]


# ----------------------------------------------------------------------------------------------------------------- accounts


@pytest.mark.parametrize(
    ("employment", "has"), [(None, True), (Employment.REGULAR, True), (Employment.CONTRACTED, True), (FISCAL, False)]
)
async def test_what_a_new_account_begins_with(place: Town, employment: Employment | None, has: bool) -> None:
    account = await made(place, "tanaka", employment=employment)
    assert (account.employment, account.may_drop, account.may_mail) == (employment or "regular", has, has)
    assert await permitted(place, "tanaka") == []


async def test_what_is_permitted_is_somebodys_word(place: Town) -> None:
    with pytest.raises(RefusedError, match="use of the drop: no reason"):
        await made(place, "tanaka", employment=FISCAL, drop=True, reason=" ")
    assert await place.accounts.find("tanaka") is None, "nothing is left of it"
    with pytest.raises(RefusedError, match="too long"):
        await made(place, "tanaka", employment=FISCAL, drop=True, reason="x" * 501)
    account = await made(place, "tanaka", employment=FISCAL, drop=True, reason="国の調査票の取込み")
    assert (account.may_drop, account.may_mail) == (True, False)
    assert await permitted(place, "tanaka") == [("drop", place.clock(), "kanri", "国の調査票の取込み")]
    place.clock.pass_by(60)
    with pytest.raises(RefusedError, match="receiving mail: no reason"):
        await changed(place, "tanaka", mail=True)
    account = await changed(place, "tanaka", mail=True, reason="窓口の問合せ")
    assert (account.may_drop, account.may_mail) == (True, True)
    assert await permitted(place, "tanaka") == [("drop", place.clock() - 60, "kanri", "国の調査票の取込み"), ("mail", place.clock(), "kanri2", "窓口の問合せ")]
    account = await changed(place, "tanaka", drop=False)
    assert (account.may_drop, account.may_mail) == (False, True)
    assert [one[0] for one in await permitted(place, "tanaka")] == ["mail"]
    assert await told(place, "tanaka") == [
        ("kanri", "feature.permitted", "drop"), ("kanri2", "feature.permitted", "mail"), ("kanri2", "feature.withdrawn", "drop"),
    ]  # fmt: skip


async def test_what_stays_as_it_is_needs_no_word(place: Town) -> None:
    await made(place, "tanaka")
    account = await changed(place, "tanaka", drop=True, mail=True)
    assert (account.may_drop, account.may_mail) == (True, True)
    assert await told(place, "tanaka") == []
    account = await changed(place, "tanaka", drop=False)
    assert not account.may_drop
    with pytest.raises(RefusedError, match="no reason"):
        await changed(place, "tanaka", drop=True)
    assert (await changed(place, "tanaka", drop=True, reason="異動")).may_drop


async def test_nobody_permits_it_to_himself(place: Town) -> None:
    place.roles |= {"kanri2": Role.ADMINISTRATOR}
    await place.known("kanri2")
    await place.accounts.add("kanri3", "三", Role.STAFF, "kanri", person="kanri2", terms=Terms(employment=FISCAL))
    for login in ("kanri2", "kanri3"):
        await changed(place, login, drop=False)
        with pytest.raises(RefusedError, match="to himself"):
            await changed(place, login, drop=True, reason="必要")
        assert not (await account_named(place, login)).may_drop
    entries, faults = roster.read((HEADER + "kanri3,三,,1,,必要\n").encode())
    with pytest.raises(RefusedError, match="to himself"):
        await place.staff.follow(entries, (await place.staff.preview(entries, faults)).digest, "kanri2")
    assert (await changed(place, "kanri2", employment=Employment.CONTRACTED)).employment == "contracted", "all else he may"


async def test_a_class_alone_takes_nothing_away_and_the_sheet_says_so(place: Town) -> None:
    await made(place, "tanaka")
    await made(place, "suzuki", employment=FISCAL)
    assert await unpermitted(place) == (1, 0)
    account = await changed(place, "tanaka", employment=FISCAL)
    assert (account.employment, account.may_drop, account.may_mail) == (FISCAL, True, True)
    assert await unpermitted(place) == (2, 1)
    await changed(place, "tanaka", drop=True, mail=True)
    assert await permitted(place, "tanaka") == [], "without a reason it is nobody's word"
    await changed(place, "tanaka", drop=True, reason="調査票")
    assert await unpermitted(place) == (2, 1), "of mail nobody has said anything"
    await changed(place, "tanaka", mail=True, reason="窓口")
    assert await unpermitted(place) == (2, 0)
    assert [one[0] for one in await permitted(place, "tanaka")] == ["drop", "mail"]
    await changed(place, "tanaka", drop=True, reason="もう一度")
    assert [one[3] for one in await permitted(place, "tanaka")] == ["調査票", "窓口"], "who permitted it first stands there"
    await place.journal.write(lambda connection: connection.execute(delete(permit_table)))
    assert await unpermitted(place) == (2, 1)
    await place.accounts.disable(await account_named(place, "tanaka"), "kanri")
    assert await unpermitted(place) == (1, 0)


# ----------------------------------------------------------------------------------------------------------------- the drop


def addresses(application: web.Application, *, of_the_drop: bool) -> list[tuple[str, str]]:
    found = []
    for route in application.router.routes():
        if route.resource is not None and route.method != "*":
            is_drop = action("drop", route.method, route.resource.canonical) is Action.DROP
            path = route.resource.canonical.replace("{receipt_no}", "20261118-000001").replace("{number}", "0" * 32)
            found += [(route.method, path)] if is_drop is of_the_drop else []
    return found


async def test_every_address_of_the_drop_is_shut_to_an_account_without_it(place: Town) -> None:
    await known(place, "tanaka", employment=FISCAL)
    await known(place, "suzuki")
    shut, open_ = await place.token("tanaka"), await place.token("suzuki")
    wanted = addresses(place.faces["drop"], of_the_drop=True)
    assert {("POST", "/"), ("POST", "/api/v1/transfers"), ("POST", "/api/v1/uploads"), ("GET", "/transfers/20261118-000001")} <= set(wanted)
    async with client(place.faces["drop"]) as browser:
        for method, path in wanted:
            answer = await browser.request(method, path, headers=shut, allow_redirects=False)
            assert answer.status == 403, (method, path)
            assert method == "HEAD" or WORDS in await answer.text(), (method, path)
            other = await browser.request(method, path, headers=open_, allow_redirects=False)
            assert WORDS not in await other.text(), (method, path)
        sent = {"X-File-Name": "a.txt"}
        assert (await browser.post("/api/v1/transfers", data=b"text", headers=open_ | sent)).status == 202
        assert (await browser.post("/api/v1/transfers", data=b"text", headers=shut | sent)).status == 403
    assert [one.sender for one in await place.journal.transfers()] == ["suzuki"]


async def test_the_own_account_and_requests_stay_open_and_the_page_says_why(place: Town) -> None:
    await known(place, "tanaka", employment=FISCAL)
    async with client(place.faces["drop"]) as browser:
        assert (await log_in(browser, "tanaka")).status == 303
        page = await browser.get("/")
        assert page.status == 403
        text = await page.text()
        assert WORDS in text
        assert 'href="/account"' in text
        assert 'type="file"' not in text
        for path in ("/account", "/requests", "/password"):
            assert (await browser.get(path)).status == 200, path
        assert (await browser.post("/", data={"csrf": await csrf(browser)}, allow_redirects=False)).status == 403
        await changed(place, "tanaka", drop=True, reason="調査票")
        page = await browser.get("/")
        assert page.status == 200, "at once, and in the same session"
        assert 'type="file"' in await page.text()
        await changed(place, "tanaka", drop=False)
        assert (await browser.get("/")).status == 403


async def test_what_was_delivered_is_fetched_all_the_same(place: Town) -> None:
    """The clause is about bringing in: the other faces do not ask."""
    await known(place, "tanaka", employment=FISCAL)
    async with client(place.faces["pickup"]) as browser:
        await log_in(browser, "tanaka")
        assert (await browser.get("/")).status == 200


# --------------------------------------------------------------------------------------------------------------------- mail


async def test_for_whose_address_nothing_is_taken_in(place: Town) -> None:
    async def shut() -> frozenset[str]:
        return await place.journal.ask(permits.shut_addresses)

    await made(place, "kitei", mail="kitei@town.example.jp")
    await made(place, "kara", employment=FISCAL)
    assert await shut() == frozenset()
    await made(place, "kaikei", mail="Kaikei@town.example.jp", employment=FISCAL)
    await made(place, "madoguchi", mail="madoguchi@town.example.jp", employment=FISCAL)
    await made(place, "madoguchi2", mail="madoguchi@town.example.jp")
    assert await shut() == {"kaikei@town.example.jp"}, "an address of several people is open while one of them may"
    await place.accounts.disable(await account_named(place, "madoguchi2"), "kanri")
    assert await shut() == {"kaikei@town.example.jp", "madoguchi@town.example.jp"}
    await changed(place, "kaikei", mail=True, reason="窓口")
    assert await shut() == {"madoguchi@town.example.jp"}


async def test_the_intake_admits_all_others(place: Town) -> None:
    door = MailIntake(place.journal, MemoryBlobs(), ["town.example.jp"])
    assert door.admits("kaikei@town.example.jp")
    door.shut({"kaikei@town.example.jp", "postmaster@town.example.jp"})
    given = ("kaikei@town.example.jp", "KAIKEI@Town.Example.jp", "suzuki@town.example.jp", "Postmaster@town.example.jp")
    assert [door.admits(address) for address in given] == [False, False, True, True]
    door.shut(())
    assert door.admits("kaikei@town.example.jp")


async def test_a_mail_that_lies_here_already_is_not_handed_out(place: Town) -> None:
    number = (await place.journal.accept(arrival(recipients=("tanaka@town.example.jp",))))[1]

    async def found() -> Transfer:
        return await own(place.journal, await account_named(place, "tanaka"), number)

    await made(place, "tanaka", mail="tanaka@town.example.jp", employment=FISCAL, drop=True, reason="調査票")
    with pytest.raises(NoSuchTransferError):
        await found()
    await changed(place, "tanaka", mail=True, reason="窓口")
    assert (await found()).door is Door.SMTP


# ------------------------------------------------------------------------------------------------------------- lists, pages


HEADER = "ログイン名,氏名,任用区分,取込みの利用,メールの受信,許可の理由\n"


async def followed(place: Town, text: str) -> roster.Plan:
    entries, faults = roster.read(text.encode())
    plan = await place.staff.preview(entries, faults)
    if not plan.faults:
        await place.staff.follow(entries, plan.digest, "kanri")
    return plan


async def test_a_list_says_how_people_are_employed(place: Town) -> None:
    await made(place, "suzuki")
    plan = await followed(place, HEADER + "tanaka,田中,会計年度任用職員,,,\nsato,佐藤,fiscal_year,1,0,調査票\nsuzuki,suzukiさん,委託等,0,,\nkato,加藤,,,,\n")
    assert plan.faults == ()
    [move] = plan.moves
    assert move.changes == (("任用区分 / employment", "常勤", "委託等"), ("取込みの利用 / use of the drop", "可", "不可"))
    seen = {one.login: (one.employment, one.may_drop, one.may_mail) for one in await place.accounts.listed()}
    assert seen == {"tanaka": ("fiscal_year", False, False), "sato": ("fiscal_year", True, False), "suzuki": ("contracted", False, True),
                    "kato": ("regular", True, True)}  # fmt: skip
    assert [one[0::2] for one in await permitted(place, "sato")] == [("drop", "kanri")]
    again = await followed(place, "ログイン名,氏名\ntanaka,田中\nsato,佐藤\n")
    assert (again.moves, again.same) == ((), 2), "a list without these columns changes nothing of it"


async def test_a_list_says_why_or_is_not_followed(place: Town) -> None:
    await made(place, "suzuki", employment=FISCAL)
    lines = ("tanaka,田中,会計年度任用職員,1,,", "suzuki,suzukiさん,,,1,", "sato,佐藤,臨時,,,", "kato,加藤,,はい,,", "ito,伊藤,,,2,")
    plan = await followed(place, HEADER + "\n".join(lines) + "\n")
    assert [(one.line, one.why.partition(" / ")[2]) for one in plan.faults] == [
        (2, "use of the drop: no reason why"), (3, "receiving mail: no reason why"), (4, "unknown employment"), (5, "may_drop is 1, 0 or empty"),
        (6, "may_mail is 1, 0 or empty"),
    ]  # fmt: skip
    assert await place.accounts.find("tanaka") is None
    assert (await followed(place, HEADER.replace("氏名", "氏名,在籍") + "suzuki,suzukiさん,退職,,1,1,\n")).faults == (), "whoever leaves is given nothing"


async def test_a_list_gives_a_reason_for_what_was_there_before(place: Town) -> None:
    await made(place, "tanaka")
    await changed(place, "tanaka", employment=FISCAL)
    plan = await followed(place, HEADER + "tanaka,tanakaさん,会計年度任用職員,1,1,従来どおり\n")
    assert [one.changes for one in plan.moves] == [(("許可の理由 / reason", "", "従来どおり"),)]
    assert await unpermitted(place) == (1, 0)


async def test_on_the_pages_and_by_the_interface(place: Town) -> None:
    who = await place.token("kanri")
    async with client(place.faces["admin"]) as browser:
        new = {"login": "tanaka", "name": "田中", "employment": "fiscal_year"}
        assert (await browser.post("/api/v1/people", headers=who, json=new | {"may_drop": True})).status == 422
        for wrong in ({"employment": "king"}, {"may_drop": "yes"}, {"may_mail": 1}, {"reason": 7}):
            assert (await browser.post("/api/v1/people", headers=who, json=new | wrong)).status == 422, wrong
        assert (await browser.post("/api/v1/people", headers=who, json=new)).status == 201
        given = await browser.patch("/api/v1/people/tanaka", headers=who, json={"may_drop": True, "reason": "調査票"})
        assert given.status == 200
        row = await (await browser.get("/api/v1/people/tanaka", headers=who)).json()
        assert (row["employment"], row["may_drop"], row["may_mail"]) == ("fiscal_year", True, False)
        assert [(one["feature"], one["actor"], one["reason"]) for one in row["permits"]] == [("drop", "kanri", "調査票")]
        await log_in(browser, "kanri")
        word = {"csrf": await csrf(browser)}
        page = await (await browser.get("/people/tanaka")).text()
        assert "許可：kanri" in page
        assert "メールの受信" in await (await browser.get("/people")).text()
        form = word | {"name": "田中", "mail": "", "role": "staff", "employment": "fiscal_year", "may_drop": "no", "may_mail": "yes", "reason": ""}
        assert (await browser.post("/people/tanaka", data=form)).status == 422
        assert (await account_named(place, "tanaka")).may_drop, "refused as a whole"
        assert (await browser.post("/people/tanaka", data=form | {"reason": "窓口"}, allow_redirects=False)).status == 303
        account = await account_named(place, "tanaka")
        assert (account.may_drop, account.may_mail) == (False, True)
        added = word | {"login": "suzuki", "name": "鈴木", "role": "staff", "employment": "fiscal_year", "may_drop": "", "may_mail": "", "reason": ""}
        assert (await browser.post("/people", data=added)).status == 200
        assert not (await account_named(place, "suzuki")).may_drop
        shown = word | {"text": HEADER + "sato,佐藤,会計年度任用職員,,,\n"}
        assert "取込みの利用：不可" in await (await browser.post("/people-import", data=shown)).text()

