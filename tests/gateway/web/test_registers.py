"""Incidents, contacts, announcements, inspections, the audit record and reports at the desk: by hand and by the interface."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from gateway import periods
from gateway.people.roles import Role
from gateway.periods import Every
from gateway.storage import incidents, ledger
from gateway.storage.incidents import Kind
from tests.build.face import Town, client, csrf, log_in
from tests.build.transfer import BODY, DAY, NOW, arrival, digest

pytestmark = pytest.mark.asyncio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def posted(browser: TestClient[Any, Any], path: str, page: str, **given: str) -> tuple[int, str]:
    """As a form of that page would; where it led, or what was said."""
    answer = await browser.post(path, data=given | {"csrf": await csrf(browser, page)}, allow_redirects=False)
    return answer.status, answer.headers.get("Location", "") if answer.status == 303 else await answer.text()


async def entered(place: Town, browser: TestClient[Any, Any], login: str) -> None:
    if await place.accounts.find(login) is None:
        await place.known(login)
    assert (await log_in(browser, login)).status == 303


# ----------------------------------------------------------------------------------------------------------- incidents


async def test_an_incident_from_a_transfer_to_its_report(place: Town) -> None:
    receipt_no = await place.settled("tanaka")
    _, twin = await place.journal.accept(arrival(BODY, sender="x@example.com", recipients=("y@town.example.jp",)))
    await place.journal.collected(await place.journal.find(receipt_no), at=NOW + 5, actor="tanaka")
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "sousa")
        said = {"kind": "suspicious", "receipt_no": receipt_no, "title": "不審な願書", "text": "開いたら<b>変</b>だった"}
        status, where = await posted(browser, "/incidents", "/incidents", **said)
        assert (status, where) == (303, "/incidents/IN-2026-0001")
        page = await (await browser.get(where)).text()
        assert "開いたら&lt;b&gt;変&lt;/b&gt;だった" in page
        assert "受取り画面" in page, "who has it"
        assert twin in page, "the same bytes elsewhere"
        assert (await posted(browser, where + "/acknowledge", where))[0] == 303
        status, text = await posted(browser, where + "/close", where, text="済")
        assert status == 422
        assert "対応、原因、再発防止を記入してから" in text
        known = {
            "response": "隔離した",
            "cause": "標的型",
            "prevention": "訓練",
            "scope": "1名",
            "noticed_at": "2026-11-18T20:00",
            "recovered_at": "",
        }
        assert (await posted(browser, where + "/change", where, **known))[0] == 303
        assert (await posted(browser, where + "/print", where))[0] == 303
        assert (await posted(browser, where + "/close", where, text="完了"))[0] == 303
        page = await (await browser.get(where)).text()
        assert "完了" in page
        assert "DOC-2026-0001" in page
        answer = await browser.get("/documents/DOC-2026-0001")
        content = await answer.read()
        assert (answer.content_type, content[:5]) == ("application/pdf", b"%PDF-")
        assert 'filename="DOC-2026-0001_IN-2026-0001.pdf"' in answer.headers["Content-Disposition"]
        actions = [(entry.action, entry.actor) async for entry in place.journal.entries(subject="DOC-2026-0001")]
        assert actions == [("document.printed", "sousa"), ("document.fetched", "sousa")]


async def test_incidents_by_the_interface(place: Town) -> None:
    receipt_no, head = await place.settled(), await place.token("sousa")
    async with client(place.faces["admin"]) as machine:
        bad = [{"kind": "suspicious"}, {"kind": "nothing", "text": "x"}, [], {"kind": "leak", "text": ["x"]}]
        for given in bad:
            assert (await machine.post("/api/v1/incidents", json=given, headers=head)).status == 400
        assert (await machine.post("/api/v1/incidents", json={"kind": "leak", "text": " "}, headers=head)).status == 422
        missing = {"kind": "leak", "text": "x", "receipt_no": "20260101-000001"}
        assert (await machine.post("/api/v1/incidents", json=missing, headers=head)).status == 404
        answer = await machine.post("/api/v1/incidents", json={"kind": "leak", "text": "x", "receipt_no": receipt_no}, headers=head)
        assert answer.status == 201
        number = (await answer.json())["number"]
        one = await (await machine.get(f"/api/v1/incidents/{number}", headers=head)).json()
        assert (one["kind"], one["register"], one["receipt_no"], one["steps"][0]["what"]) == ("leak", "incident", receipt_no, "opened")
        assert one["scope_found"]["same_sender"] == 0
        assert (await machine.post(f"/api/v1/incidents/{number}/note", json={"text": "続報"}, headers=head)).status == 200
        assert (await machine.post(f"/api/v1/incidents/{number}/nothing", json={}, headers=head)).status == 404
        assert (await machine.post("/api/v1/incidents/IN-2026-9999/note", json={"text": "x"}, headers=head)).status == 404
        assert (await machine.post(f"/api/v1/incidents/{number}/change", json={"noticed_at": ""}, headers=head)).status == 400
        await machine.post("/api/v1/incidents", json={"kind": "storage", "text": "満杯"}, headers=head)
        rows = await (await machine.get("/api/v1/incidents?register=fault", headers=head)).json()
        assert [row["number"][:2] for row in rows] == ["FA"]
        assert (await machine.get("/api/v1/incidents?register=x", headers=head)).status == 400
        table = (await (await machine.get("/api/v1/incidents.csv?register=fault", headers=head)).read()).decode("utf-8-sig").split("\r\n")
        assert table[1].startswith("number,register,kind,state")
        assert table[2].startswith("FA-2026-0002,fault,storage,open")
        assert (await machine.get("/api/v1/incidents.csv?register=x", headers=head)).status == 400


# ------------------------------------------------------------------------------------------- contacts and announcements


async def test_the_chain_is_called_until_somebody_takes_it_on(place: Town) -> None:
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "kanri")
        first = {"level": "1", "title": "課長", "name": "佐藤", "mail": "kacho@town.example.jp", "minutes": "30"}
        second = {"level": "2", "title": "CISO", "name": "鈴木", "mail": "ciso@town.example.jp", "minutes": "60"}
        for row in (first, second):
            assert (await posted(browser, "/contacts", "/contacts", **row))[0] == 303
        bad = (
            await posted(browser, "/contacts", "/contacts", **(first | {"mail": "a b@c"})),
            await posted(browser, "/contacts", "/contacts", name="x"),
        )
        assert [status for status, _ in bad] == [400, 400]
        page = await (await browser.get("/contacts")).text()
        assert page.index("佐藤") < page.index("鈴木")
        assert (await posted(browser, "/contacts/print", "/contacts"))[1] == "/documents/DOC-2026-0001"
    one = await place.care.incidents.open(None, Kind.OTHER, "何か", who="tanaka")
    escalation = place.care._escalation
    assert await escalation.tick() == 1
    assert await escalation.tick() == 0, "half an hour is not over"
    place.clock.pass_by(31 * 60)
    assert await escalation.tick() == 1
    place.clock.pass_by(61 * 60)
    assert await escalation.tick() == 0, "nobody is above"
    steps = await place.care.incidents.steps(one)
    assert [step.text for step in steps if step.what == "told"] == [
        "1: 課長 佐藤 <kacho@town.example.jp>", "2: CISO 鈴木 <ciso@town.example.jp>",
    ]  # fmt: skip
    other = await place.care.incidents.open(None, Kind.LEAK, "何か", who="tanaka")
    await escalation.tick()
    await place.care.incidents.acknowledge(other.number, "", who="kanri")
    place.clock.pass_by(31 * 60)
    assert await escalation.tick() == 0, "somebody has it"


async def test_without_contacts_the_postmaster_is_told_once(place: Town) -> None:
    one = await place.care.incidents.open(None, Kind.OTHER, "何か", who="tanaka")
    escalation = place.care._escalation
    assert await escalation.tick() == 1
    place.clock.pass_by(DAY)
    assert await escalation.tick() == 0
    assert (await place.care.incidents.steps(one))[-1].text == "1: sekisho@town.example.jp"


async def test_contacts_by_the_interface(place: Town) -> None:
    head = await place.token("sousa")
    async with client(place.faces["admin"]) as machine:
        made = await (await machine.post("/api/v1/contacts", json={"level": 0, "title": "県", "name": "窓口"}, headers=head)).json()
        changed = {"title": "県", "name": "CSIRT窓口", "phone": "000-0000"}
        assert (await machine.post(f"/api/v1/contacts/{made['id']}/change", json=changed, headers=head)).status == 200
        (row,) = await (await machine.get("/api/v1/contacts", headers=head)).json()
        assert (row["name"], row["phone"], row["changed_by"]) == ("CSIRT窓口", "000-0000", "sousa")
        assert (await machine.post(f"/api/v1/contacts/{made['id']}/remove", json={}, headers=head)).status == 200
        assert (await machine.post(f"/api/v1/contacts/{made['id']}/remove", json={}, headers=head)).status == 404
        assert (await machine.post("/api/v1/contacts/x/remove", json={}, headers=head)).status == 404
        assert await (await machine.get("/api/v1/contacts", headers=head)).json() == []


async def test_staff_read_what_is_announced(place: Town) -> None:
    async with client(place.faces["admin"]) as desk, client(place.faces["drop"]) as drop, client(place.faces["pickup"]) as pickup:
        await entered(place, desk, "kanri")
        await place.known("tanaka")
        for face in (drop, pickup):
            await log_in(face, "tanaka")
        given = {"title": "<停止>のお知らせ", "text": "土曜は\n止まります", "tone": "wait", "where": "drop", "until": "2026-12-31T17:00"}
        assert (await posted(desk, "/announcements", "/announcements", **given))[0] == 303
        place.clock.pass_by(11)
        assert "&lt;停止&gt;のお知らせ" in await (await drop.get("/")).text()
        assert "停止" not in await (await pickup.get("/")).text()
        assert await (await drop.get("/api/v1/announcements")).json() == [
            {"title": "<停止>のお知らせ", "text": "土曜は\n止まります", "tone": "wait"}
        ]
        assert (await posted(desk, "/announcements", "/announcements", **(given | {"until": "2026-01-01T00:00"})))[0] == 400
        assert (await posted(desk, "/announcements/1/withdraw", "/announcements"))[0] == 303
        assert (await posted(desk, "/announcements/1/withdraw", "/announcements"))[0] == 404
        place.clock.pass_by(11)
        assert "停止" not in await (await drop.get("/")).text()


async def test_an_announcement_has_its_time(place: Town) -> None:
    head = await place.token("kanri")
    async with client(place.faces["admin"]) as machine, client(place.faces["drop"]) as drop:
        await place.known("tanaka")
        await log_in(drop, "tanaka")
        begins, ends = ledger.moment(NOW + DAY), ledger.moment(NOW + 2 * DAY)
        given = {"title": "点検", "text": "x", "from": begins, "until": ends}
        assert (await machine.post("/api/v1/announcements", json=given, headers=head)).status == 201
        seen = []
        for _ in range(3):
            seen.append("点検" in await (await drop.get("/account")).text())
            place.clock.pass_by(DAY + 60)
            await log_in(drop, "tanaka")
        assert seen == [False, True, False]


# ---------------------------------------------------------------------------------------------------------- exceptions


async def test_an_exception_is_printed_with_its_risk_and_what_is_done_instead(place: Town) -> None:
    place.roles["fukucho"] = Role.CISO
    clerk, ciso = await place.token("sousa"), await place.token("fukucho")
    asked = {"kind": "svg", "action": "sanitize", "sender": "a@example.com", "until": "2026-12-31", "reason": "設計図面", "risk": "改変",
             "alternative": "目視確認"}  # fmt: skip
    async with client(place.faces["admin"]) as machine:
        number = (await (await machine.post("/api/v1/exceptions", json=asked, headers=clerk)).json())["request"]
        assert (await machine.post(f"/api/v1/requests/{number}/approve", json={"note": "許可する"}, headers=ciso)).status == 200
        (one,) = await (await machine.get("/api/v1/exceptions", headers=clerk)).json()
        assert (one["risk"], one["alternative"]) == ("改変", "目視確認")
        answer = await machine.post(f"/exceptions/{one['number']}/print", headers=clerk, allow_redirects=False)
        assert answer.headers["Location"] == "/documents/DOC-2026-0001"
        assert (await machine.post("/exceptions/EX-2026-9999/print", headers=clerk)).status == 404
        (kept,) = await (await machine.get("/api/v1/documents", headers=clerk)).json()
        assert (kept["kind"], kept["subject"]) == ("exception", one["number"])
    now = await place.care.reviews.rows("exceptions", periods.of(Every.QUARTER, NOW))
    assert [(row["number"], row["risk"]) for row in now] == [(one["number"], "改変")]
    assert await place.care.reviews.rows("exceptions", periods.before(periods.of(Every.QUARTER, NOW))) == []


# --------------------------------------------------------------------------------------------------------- inspections


async def test_an_inspection_is_signed_once_by_whose_it_is(place: Town) -> None:
    for _ in range(6):
        await place.journal.record(at=NOW, actor="tanaka", action="login.failed", subject="tanaka", detail={"client": "10.1.2.3"})
    month = periods.of(Every.MONTH, NOW)
    where = f"/inspections/log.failures/{month.name}"
    async with client(place.faces["admin"]) as auditor, client(place.faces["admin"]) as chief:
        await entered(place, auditor, "kansa")
        await entered(place, chief, "kanri")
        page = await (await auditor.get(where)).text()
        assert "10.1.2.3" in page
        assert (await posted(auditor, where, where, good="false", note=""))[0] == 422, "the month is not over"
        place.clock.now = month.until + DAY
        for browser, login in ((auditor, "kansa"), (chief, "kanri")):
            await log_in(browser, login)
        assert (await posted(chief, where, where, good="true"))[0] == 422, "not his"
        assert (await posted(auditor, where, where, good="false", note=" "))[0] == 422, "what was found?"
        assert (await posted(auditor, where, where, good="false", note="本人に確認した"))[0] == 303
        assert (await posted(auditor, where, where, good="true"))[0] == 422, "once"
        assert (await posted(auditor, where + "/print", where))[1].startswith("/documents/DOC-")
        page = await (await auditor.get("/inspections")).text()
        assert "確認済み・要対応" in page
        assert (await auditor.get("/inspections/log.failures/2026-Q3")).status == 404
        assert (await auditor.get("/inspections/nothing/2026-11")).status == 404
        told = await (await auditor.get("/api/v1/inspections/log.failures/" + month.name)).json()
        assert (told["signed"]["actor"], told["signed"]["good"], told["signed"]["seen"]) == ("kansa", False, len(told["rows"]))


async def test_what_nobody_signs_is_reminded_of_once(place: Town) -> None:
    await place.known("kansa")
    month = periods.of(Every.MONTH, NOW)
    place.clock.now = month.until + 16 * DAY
    reminders = place.care._reminders
    assert await reminders.tick() > 0
    assert await reminders.tick() == 0
    actions = [entry.subject async for entry in place.journal.entries() if entry.action == "inspection.overdue"]
    assert "log.after_hours" in actions


# ------------------------------------------------------------------------------------------------------ the audit record


async def walked(place: Town) -> None:
    for walk in list(place.care.verification._walks):
        await asyncio.wait_for(walk, 20)


async def test_the_record_is_walked_at_the_desk(place: Town) -> None:
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "kansa")
        assert "まだ検証していません" in await (await browser.get("/audit")).text()
        assert (await posted(browser, "/audit/verify", "/audit"))[0] == 303
        await walked(place)
        page = await (await browser.get("/audit")).text()
        assert "監査ログの検証：正常" in page
        assert "設定されていません" in page, "no anchors"
        told = await (await browser.get("/api/v1/audit")).json()
        assert (told["last"]["broken"], told["walking"]) == (None, None)
        assert (await posted(browser, "/audit/definition", "/audit"))[1].startswith("/documents/DOC-")


async def test_a_byte_that_was_changed_in_the_database_is_an_incident(place: Town) -> None:
    await place.known("kansa")
    with sqlite3.connect(place.folder / "sekisho.db") as raw:
        raw.execute("DROP TRIGGER audit_refuses_update")
        raw.execute("UPDATE audit SET detail = replace(detail, 'auditor', 'Auditor') WHERE seq = 1")
    raw.close()
    await place.care.verification.verify("kansa")
    (one,) = await place.care.incidents.listed()
    assert (one.kind, one.register) == (Kind.RECORD, incidents.Register.INCIDENT)
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "kansa")
        page = await (await browser.get("/audit")).text()
        assert "監査ログの検証：異常" in page
        assert "content does not match its hash" in page


async def test_nobody_asks_without_a_case_and_every_question_is_written_down(place: Town) -> None:
    await place.journal.record(at=NOW, actor="tanaka", action="login", subject="tanaka", detail={"client": "=1+1"})
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "kansa")
        assert (await posted(browser, "/audit/cases", "/audit/cases", purpose="x", ordered_by=""))[0] == 422
        status, where = await posted(browser, "/audit/cases", "/audit/cases", purpose="苦情の調査", ordered_by="CISO 情政第12号")
        assert (status, where) == (303, "/audit/cases/CASE-2026-0001")
        asked = {"actor": "tanaka", "since": "2026-11-01T00:00", "until": "2026-12-01T00:00", "action": "login"}
        status, page = await posted(browser, where + "/query", where, **asked)
        assert (status, "=1+1" in page) == (200, True)
        answer = await browser.post(where + "/export", data=asked | {"csrf": await csrf(browser, where)})
        content = await answer.read()
        assert content.startswith(b"\xef\xbb\xbf")
        assert hashlib.sha256(content).hexdigest() == answer.headers["X-Content-SHA256"]
        assert (await posted(browser, where + "/query", where, since="2026-12-01T00:00", until="2026-11-01T00:00"))[0] == 400
        assert (await posted(browser, where + "/close", where))[0] == 303
        assert (await posted(browser, where + "/query", "/audit/cases", **asked))[0] == 422, "it is closed"
    steps = [(entry.action, entry.detail) async for entry in place.journal.entries(subject="CASE-2026-0001")]
    assert [action for action, _ in steps] == [
        "investigation.opened", "investigation.queried", "investigation.queried", "audit.exported", "investigation.closed",
    ]  # fmt: skip
    assert '"actor":"tanaka"' in steps[1][1]
    assert digest(content) in steps[3][1]


@pytest.mark.parametrize(
    ("login", "cases", "audit", "incidents_kept"),
    [("kansa", 200, 200, 403), ("kanri", 403, 200, 201), ("sousa", 403, 403, 201), ("tanaka", 403, 403, 403)],
)
async def test_who_may(place: Town, login: str, cases: int, audit: int, incidents_kept: int) -> None:
    head = await place.token(login)
    async with client(place.faces["admin"]) as machine:
        assert (await machine.get("/api/v1/audit/cases", headers=head)).status == cases
        assert (await machine.get("/api/v1/audit", headers=head)).status == audit
        answer = await machine.post("/api/v1/incidents", json={"kind": "other", "text": "x"}, headers=head)
        assert answer.status == incidents_kept


# ------------------------------------------------------------------------------------------------------------- reports


async def test_a_report_is_made_at_the_desk(place: Town) -> None:
    await place.settled()
    async with client(place.faces["admin"]) as browser:
        await entered(place, browser, "kansa")
        for kind, period in (("daily", "2026-11-18"), ("monthly", "2026-11"), ("yearly", "FY2026")):
            assert (await posted(browser, "/reports", "/reports", kind=kind, period=period))[0] == 303
        for kind, period in (("daily", "2026-11"), ("monthly", "2027-11"), ("weekly", "2026-11"), ("daily", "nonsense")):
            assert (await posted(browser, "/reports", "/reports", kind=kind, period=period))[0] == 400
        rows = await (await browser.get("/api/v1/reports")).json()
        assert [(row["kind"], row["period"], row["media_type"]) for row in rows][:2] == [
            ("yearly", "FY2026", "text/csv"),
            ("yearly", "FY2026", "application/pdf"),
        ]
        table = (await (await browser.get(f"/documents/{rows[0]['number']}")).read()).decode("utf-8-sig")
        assert "通過と判定" in table
        assert "特権IDの一覧" in table
        page = await (await browser.get("/reports")).text()
        assert "令和8年度" in page
