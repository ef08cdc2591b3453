"""What the registers' desks refuse, by hand and by the interface: each answer says why, and nothing is written."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from gateway import periods
from gateway.admin import papers
from gateway.model import rfc3339
from gateway.periods import Every
from gateway.printing.paper import Paper
from gateway.registers.papers import Head, contact_list
from gateway.storage import documents
from gateway.storage.incidents import Kind
from tests.build.face import Town, client, csrf, log_in
from tests.build.transfer import DAY, NOW

pytestmark = pytest.mark.asyncio

KNOWN = {"response": "隔離した", "cause": "標的型", "prevention": "訓練"}
# Moments that no clock of an installation shows: some cannot even be said in another time zone.
NO_MOMENTS = ("0001-01-01T00:00+09:00", "9999-12-31T23:59-09:00", "1969-12-31T00:00Z", "0226-11-20T10:00", "yesterday")
NO_OBJECT = "[]"


async def posted(browser: TestClient[Any, Any], path: str, page: str, **given: str) -> tuple[int, str]:
    """As a form of that page would; where it led, or what was said."""
    answer = await browser.post(path, data=given | {"csrf": await csrf(browser, page)}, allow_redirects=False)
    return answer.status, answer.headers.get("Location", "") if answer.status == 303 else await answer.text()


async def entered(place: Town, browser: TestClient[Any, Any], login: str) -> None:
    await place.known(login)
    assert (await log_in(browser, login)).status == 303


async def sent(browser: TestClient[Any, Any], path: str, head: dict[str, str], given: object) -> tuple[int, Any]:
    """By a machine; the answer's object."""
    answer = await browser.post(path, headers=head, json=given)
    return answer.status, await answer.json()


# ----------------------------------------------------------------------------------------------------------- incidents


async def test_an_incident_that_is_not_said_is_not_opened(place: Town) -> None:
    said = {"kind": "suspicious", "text": "不審"}
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "sousa")
        for given, status, why in (
            (said | {"kind": "nothing"}, 400, "入力に誤りがあります"),
            (said | {"receipt_no": "20200101-000001"}, 404, "その受付番号はありません"),
            (said | {"text": " "}, 422, "内容を入力してください"),
        ):
            answered, page = await posted(browser, "/incidents", "/incidents", **given)
            assert (answered, why in page) == (status, True), given
    assert await place.care.incidents.listed() == []


async def test_a_deed_on_an_incident_that_cannot_be_done(place: Town) -> None:
    one = await place.care.incidents.open(None, Kind.LEAK, "漏えい", who="tanaka")
    page, head = f"/incidents/{one.number}", await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        await log_in(browser, "sousa")
        assert (await posted(browser, page + "/change", page, noticed_at="someday"))[0] == 400
        assert (await sent(browser, f"/api/v1{page}/note", head, {"text": " "}))[0] == 422
        status, told = await sent(browser, f"/api/v1{page}/reopen", head, {"text": "x"})
        assert (status, "it is open" in told["detail"]) == (422, True)
        await place.care.incidents.change(one.number, KNOWN, who="sousa")
        assert (await posted(browser, page + "/close", page, text="済"))[0] == 303
        assert (await posted(browser, page + "/reopen", page, text="再発した"))[0] == 303
    steps = await place.care.incidents.steps(await place.care.incidents.find(one.number))
    assert [step.what for step in steps] == ["opened", "changed", "closed", "reopened"]


@pytest.mark.parametrize("when", NO_MOMENTS)
async def test_a_moment_that_cannot_be_is_not_kept(place: Town, when: str) -> None:
    """One that was kept could be shown on no page again."""
    one = await place.care.incidents.open(None, Kind.LEAK, "漏えい", who="tanaka")
    head, where = await place.token("kanri"), f"/api/v1/incidents/{one.number}"
    async with client(place.faces["admin"]) as browser:
        assert (await sent(browser, where + "/change", head, {"occurred_at": when}))[0] == 400
        assert (await browser.get(where, headers=head)).status == 200
        note = {"title": "x", "text": "x", "from": rfc3339(NOW), "until": rfc3339(NOW + DAY)}
        assert (await sent(browser, "/api/v1/announcements", head, note | {"from": when}))[0] == 400
        assert (await sent(browser, "/api/v1/announcements", head, note | {"until": when}))[0] == 400
        assert await (await browser.get("/api/v1/announcements", headers=head)).json() == []


# ------------------------------------------------------------------------------------------- contacts and announcements


async def test_an_announcement_is_taken_down_by_a_machine_once(place: Town) -> None:
    head = await place.token("kanri")
    given = {"title": "点検", "text": "x", "from": rfc3339(NOW + DAY), "until": rfc3339(NOW + 2 * DAY)}
    async with client(place.faces["admin"]) as browser:
        made = await sent(browser, "/api/v1/announcements", head, given)
        assert (made[0], made[1]["shown"]) == (201, False)
        await log_in(browser, "kanri")
        assert "予定" in await (await browser.get("/announcements")).text()
        place.clock.pass_by(3 * DAY)
        head = await place.token("kanri")
        page = await (await browser.get("/announcements", headers=head)).text()
        assert "終了" in page
        for status in (200, 404):
            assert (await sent(browser, "/api/v1/announcements/1/withdraw", head, {}))[0] == status
        for number in ("9", "x", "0" * 16):
            assert (await sent(browser, f"/api/v1/announcements/{number}/withdraw", head, {}))[0] == 404
        for missing in ("title", "text", "until"):
            assert (await sent(browser, "/api/v1/announcements", head, given | {missing: " "}))[0] == 400


@pytest.mark.parametrize(
    "wrong", [{"level": "100"}, {"level": "-1"}, {"minutes": "1441"}, {"minutes": "0"}, {"level": "一番"}, {"mail": "kacho"}, {"mail": "@x"}, {"name": ""}]
)
async def test_a_contact_that_cannot_be_called_is_not_kept(place: Town, wrong: dict[str, str]) -> None:
    head, good = await place.token("kanri"), {"level": "1", "title": "課長", "name": "佐藤", "mail": "kacho@town.example.jp", "minutes": "30"}
    async with client(place.faces["admin"]) as browser:
        assert (await sent(browser, "/api/v1/contacts", head, good | wrong))[0] == 400
        number = (await sent(browser, "/api/v1/contacts", head, good))[1]["id"]
        assert (await sent(browser, f"/api/v1/contacts/{number}/change", head, good | wrong))[0] == 400
        await log_in(browser, "kanri")
        status, page = await posted(browser, f"/contacts/{number}/change", "/contacts", **(good | wrong))
        assert (status, "入力に誤りがあります" in page) == (400, True)
        (kept,) = await (await browser.get("/api/v1/contacts", headers=head)).json()
        assert {name: str(kept[name]) for name in good} == good


async def test_a_contact_is_changed_and_removed_from_the_page(place: Town) -> None:
    given = {"level": "1", "title": "課長", "name": "佐藤"}
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "kanri")
        assert (await posted(browser, "/contacts", "/contacts", **given))[0] == 303
        assert (await posted(browser, "/contacts/1/change", "/contacts", **given | {"name": "鈴木"}))[1] == "/contacts"
        assert "鈴木" in await (await browser.get("/contacts")).text()
        assert (await posted(browser, "/contacts/1/nothing", "/contacts"))[0] == 404
        assert (await posted(browser, "/contacts/1/remove", "/contacts"))[1] == "/contacts"
        status, page = await posted(browser, "/contacts/1/remove", "/contacts")
        assert (status, "すでに削除されています" in page, "鈴木" in page) == (404, True, False)


# --------------------------------------------------------------------------------------------------------- inspections


async def test_an_inspection_is_signed_by_a_machine_as_by_hand(place: Town) -> None:
    month = periods.of(Every.MONTH, NOW)
    where = f"/api/v1/inspections/log.failures/{month.name}"
    async with client(place.faces["admin"]) as browser:
        head = await place.token("kansa")
        assert (await sent(browser, where, head, {"good": True}))[0] == 422, "the month is not over"
        place.clock.now = month.until + DAY
        head = await place.token("kansa")
        bad: list[object] = [{}, {"good": "maybe"}, [], {"good": None}, {"good": True, "note": []}]
        for given in bad:
            assert (await sent(browser, where, head, given))[0] == 400
        status, told = await sent(browser, where, head, {"good": True, "note": "異常なし"})
        assert (status, told["actor"], told["good"], told["note"]) == (200, "kansa", True, "異常なし")
        status, told = await sent(browser, where, head, {"good": True})
        assert status == 422, "once"
        listed = await (await browser.get("/api/v1/inspections", headers=head)).json()
        signed = {one["subject"]: one["signed"] for one in listed if one["period"] == month.name}
        assert signed["log.failures"]["note"] == "異常なし"
        assert {name: one for name, one in signed.items() if one is not None}.keys() == {"log.failures"}
        assert (await browser.post(where.removeprefix("/api/v1"), headers=head, json=NO_OBJECT)).status == 400


async def test_registers_and_contacts_are_inspected_each_quarter(place: Town) -> None:
    now = periods.of(Every.QUARTER, NOW)
    head, contact = await place.token("kanri"), {"level": "1", "title": "課長", "name": "佐藤", "phone": "03-0000-0000"}
    one = await place.care.incidents.open(None, Kind.STORAGE, "満杯", who="road")
    await place.care.incidents.change(one.number, KNOWN, who="sousa")
    await place.care.incidents.close(one.number, "済", who="sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await sent(browser, "/api/v1/contacts", head, contact))[0] == 201
        rows = (await (await browser.get(f"/api/v1/inspections/contacts/{now.name}", headers=head)).json())["rows"]
        assert [(row["name"], row["phone"], row["changed_by"]) for row in rows] == [("佐藤", "03-0000-0000", "kanri")]
        rows = (await (await browser.get(f"/api/v1/inspections/incidents/{now.name}", headers=head)).json())["rows"]
        assert [(row["number"], row["state"], row["closed_at"], row["response"]) for row in rows] == [
            (one.number, "closed", rfc3339(NOW), "隔離した"),
        ]  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the audit record


async def test_an_investigation_by_the_interface(place: Town) -> None:
    async with client(place.faces["admin"]) as browser:
        head, cases = await place.token("kansa"), "/api/v1/audit/cases"
        await log_in(browser, "kansa")
        assert (await sent(browser, cases, head, []))[0] == 400
        assert (await sent(browser, cases, head, {"purpose": "\ud800", "ordered_by": "CISO"}))[0] == 400
        assert (await browser.post(cases, headers=head | {"Content-Type": "application/json"}, data=b"{")).status == 400
        assert (await sent(browser, cases, head, {"purpose": "苦情の調査"}))[0] == 422
        status, told = await sent(browser, cases, head, {"purpose": "苦情の調査", "ordered_by": "CISO"})
        assert (status, told["number"], told["closed_at"], told["opened_at"]) == (201, "CASE-2026-0001", None, rfc3339(NOW))
        one = f"{cases}/{told['number']}"
        status, found = await sent(browser, one + "/query", head, {"actor": "kansa", "until": rfc3339(NOW + 60)})
        assert (status, "investigation.opened" in {entry["action"] for entry in found}) == (200, True)
        bad: list[object] = [[], {"since": "2027-01-01T00:00"}, {"until": "whenever"}]
        for deed in ("query", "export"):
            for given in bad:
                assert (await sent(browser, f"{one}/{deed}", head, given))[0] == 400
        assert (await sent(browser, cases + "/CASE-2026-0009/query", head, {}))[0] == 404
        assert (await sent(browser, one + "/close", head, {})) == (200, {"closed": True})
        for deed in ("query", "export", "close"):
            status, told = await sent(browser, f"{one}/{deed}", head, {})
            assert (status, "開いている調査" in told["detail"]) == (422, True)
        status, page = await posted(browser, one.removeprefix("/api/v1") + "/close", "/audit/cases")
        assert (status, "開いている調査" in page) == (422, True)
        told = await (await browser.get(cases, headers=head)).json()
        assert [(case["number"], case["closed_at"], case["queries"]) for case in told] == [("CASE-2026-0001", rfc3339(NOW), 1)]
        for path in ("/audit/cases", "/audit/cases/CASE-2026-0001/query"):
            assert (await browser.post(path, headers=head, json=NO_OBJECT)).status == 400


async def test_one_walk_of_the_record_at_a_time(place: Town) -> None:
    async with client(place.faces["admin"]) as browser:
        head, verification = await place.token("kansa"), place.care.verification
        await log_in(browser, "kansa")
        word = await csrf(browser)
        async with verification._one:
            assert (await browser.post("/api/v1/audit/verify", headers=head)).status == 409
            answer = await browser.post("/audit/verify", data={"csrf": word})
            assert answer.status == 409
        assert verification.last is None


# -------------------------------------------------------------------------------------------------- papers and reports


async def test_a_report_by_the_interface(place: Town) -> None:
    async with client(place.faces["admin"]) as browser:
        head = await place.token("kansa")
        bad: list[object] = [{}, {"kind": "daily", "period": "2027-01-01"}, {"kind": "hourly", "period": "2026-11-18"}, []]
        for given in bad:
            assert (await sent(browser, "/api/v1/reports", head, given))[0] == 400
        status, told = await sent(browser, "/api/v1/reports", head, {"kind": "daily", "period": "2026-11-18"})
        assert (status, told["paper"]["media_type"], told["tables"]["media_type"]) == (201, "application/pdf", "text/csv")
        assert (await browser.get("/api/v1/documents/DOC-2026-0099", headers=head)).status == 404


async def test_two_who_print_at_once_get_two_numbers(place: Town) -> None:
    """Another paper took the number while this one was drawn: it is drawn again under the next."""
    loop, begun, goes_on, seen = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), list[str]()

    def slow(head: Head) -> Paper:
        seen.append(head.number)
        loop.call_soon_threadsafe(begun.set)
        assert goes_on.wait(20)
        return contact_list(head, [])

    async def printed(paper: Callable[[Head], Paper], who: str) -> str:
        return (await papers.printed(place.care, paper, kind="contacts", subject="contacts", title="緊急連絡網", actor=who)).number

    first = asyncio.ensure_future(printed(slow, "kanri"))
    await begun.wait()
    second = await printed(lambda head: contact_list(head, []), "sousa")
    goes_on.set()
    assert (second, await first, seen) == ("DOC-2026-0001", "DOC-2026-0002", ["DOC-2026-0001", "DOC-2026-0002"])
    found = await place.journal.ask(documents.listed)
    assert {one.number: one.actor for one in found} == {"DOC-2026-0001": "sousa", "DOC-2026-0002": "kanri"}
