"""申請・承認 on the faces: who sees a request, who decides it, by page and by interface; another's is as unknown as none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.people.accounts import Account, Role
from gateway.requests.approvals import Kind, Request
from tests.build.face import Town, client, log_in, quick_passwords, town
from tests.build.transfer import NOW

OWN = {"Sec-Fetch-Site": "same-origin"}
ALL = "/api/v1/requests"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        made.roles |= {"kacho": Role.STAFF, "ciso": Role.CISO}
        await made.staff.add_department("税務課", "test")
        for login, head in (("tanaka", False), ("kacho", True)):
            await made.known(login)
            await made.staff.move(await account_named(made, login), ["税務課"], "test", head=head)
        # What follows an approval has its own tests, with real transfers.
        assert all(made.faces[name] for name in ("drop", "admin")), "they say what follows; here nothing shall"
        made.approvals._within.clear()
        made.approvals._then.clear()
        yield made


async def account_named(place: Town, login: str) -> Account:
    found = await place.accounts.find(login)
    assert found is not None
    return found


async def asked(place: Town, login: str = "tanaka", kind: Kind = Kind.FILE) -> Request:
    return await place.approvals.request(kind, "20261118-000001", await account_named(place, login), "<i>国の調査票</i>", detail={"file": "様式1.xlsm"})


async def test_a_clerk_asks_and_the_head_decides_by_page(place: Town) -> None:
    request = await asked(place)
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        page = await (await browser.get(f"/requests/{request.number}")).text()
        assert "<i>国" not in page
        assert "様式1.xlsm" in page
        assert "承認する" not in page
        assert "取り下げる" in page
        refused = await browser.post(f"/requests/{request.number}/approve", data={"note": ""}, headers=OWN)
        assert refused.status == 409
        assert "兼務の禁止" in await refused.text()
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "kacho")
        assert request.number in await (await browser.get("/requests")).text()
        assert "承認する" in await (await browser.get(f"/requests/{request.number}")).text()
        assert (await browser.post(f"/requests/{request.number}/refuse", data={"note": " "}, headers=OWN)).status == 409
        done = await browser.post(f"/requests/{request.number}/approve", data={"note": "よし"}, headers=OWN, allow_redirects=False)
        assert done.status == 303
        page = await (await browser.get(f"/requests/{request.number}")).text()
        assert "承認済み" in page
        assert "よし" in page
        assert (await browser.post(f"/requests/{request.number}/approve", headers=OWN)).status == 409
        assert (await browser.post(f"/requests/{request.number}/explode", headers=OWN)).status == 404


async def test_the_same_by_the_interface(place: Town) -> None:
    request, head, clerk = await asked(place), await place.token("kacho"), await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        one = f"{ALL}/{request.number}"
        assert [row["number"] for row in await (await browser.get(ALL, headers=head)).json()] == [request.number]
        assert await (await browser.get(ALL, headers=clerk)).json() == []
        assert len(await (await browser.get(f"{ALL}?of=mine", headers=clerk)).json()) == 1
        for wrong in ("all", "x"):
            assert (await browser.get(f"{ALL}?of={wrong}", headers=clerk)).status == 400
        shown = await (await browser.get(one, headers=clerk)).json()
        assert shown["asked"] == [{"login": "kacho", "name": "kachoさん", "for": ""}]
        for body in (b"", b"[]", b'{"note": 1}', b'{"inspected": "yes"}'):
            assert (await browser.post(f"{one}/approve", data=body, headers=head)).status == 400
        assert (await browser.post(f"{one}/approve", json={}, headers=clerk)).status == 409
        done = await browser.post(f"{one}/approve", json={"note": "よし"}, headers=head)
        assert (await done.json())["state"] == "approved"


async def test_another_departments_request_is_as_unknown_as_none(place: Town) -> None:
    request, stranger = await asked(place), await place.token("suzuki")
    async with client(place.faces["drop"]) as browser:
        for number in (request.number, "S-999999", "x"):
            assert (await browser.get(f"{ALL}/{number}", headers=stranger)).status == 404
            assert (await browser.get(f"/requests/{number}", headers=stranger)).status == 404
            for word in ("approve", "refuse", "withdraw", "proceed"):
                assert (await browser.post(f"{ALL}/{number}/{word}", json={"note": "x"}, headers=stranger)).status == 404
                assert (await browser.post(f"/requests/{number}/{word}", data={"note": "x"}, headers=stranger)).status == 404
    assert (await place.approvals.find(request.number)).state == "requested"


async def test_overseers_see_all_on_the_management_side_and_decide_nothing_by_that(place: Town) -> None:
    request = await asked(place)
    for login in ("kansa", "ciso", "kanri"):
        who = await place.token(login)
        async with client(place.faces["admin"]) as browser:
            assert len(await (await browser.get(f"{ALL}?of=all", headers=who)).json()) == 1
            assert (await browser.get(f"{ALL}/{request.number}", headers=who)).status == 200
    who = await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post(f"{ALL}/{request.number}/approve", json={}, headers=who)).status == 409
    who = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get(f"{ALL}?of=all", headers=who)).status == 400
        assert (await browser.get(f"{ALL}/{request.number}", headers=who)).status == 404


async def test_looking_is_recorded_with_the_word(place: Town) -> None:
    request, head = await asked(place, kind=Kind.CONFIRMED), await place.token("kacho")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "kacho")
        assert "目視で確認しました" in await (await browser.get(f"/requests/{request.number}")).text()
        assert (await browser.post(f"{ALL}/{request.number}/approve", json={}, headers=head)).status == 409
        unseen = await browser.post(f"/requests/{request.number}/approve", data={"inspected": "yes"}, headers=OWN, allow_redirects=False)
        assert (unseen.status, "先に" in await unseen.text()) == (409, True)
        await place.journal.record(at=NOW, actor="kacho", action="file.previewed", subject=request.subject, detail={"side": "original"})
        done = await browser.post(f"/requests/{request.number}/approve", data={"inspected": "yes"}, headers=OWN, allow_redirects=False)
        assert done.status == 303
        assert "目視確認済み" in await (await browser.get(f"/requests/{request.number}")).text()


async def test_the_unavoidable_way_is_shown_to_those_who_may_and_reported(place: Town) -> None:
    mine, clerks = await asked(place, "kacho"), await asked(place)
    await place.known("ciso")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "kacho")
        page = await (await browser.get(f"/requests/{mine.number}")).text()
        assert "止むを得ない" in page
        assert "止むを得ない" not in await (await browser.get(f"/requests/{clerks.number}")).text()
        done = await browser.post(f"/requests/{mine.number}/proceed", data={"note": "災害"}, headers=OWN, allow_redirects=False)
        assert done.status == 303
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "ciso")
        page = await (await browser.get("/requests")).text()
        assert "事後報告" in page
        assert "承認待ち" in page
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        assert "止むを得ない" not in await (await browser.get(f"/requests/{clerks.number}")).text()
