"""What staff do about a transfer of their own: its certificate, requests about it, an incident."""

from __future__ import annotations

import io
import json

import msgspec
import pikepdf
import pypdfium2
import pytest

from gateway.requests.approvals import RequestState
from gateway.storage import incidents, people
from gateway.storage.people import Place
from sanitizers.model import Action, Finding, Reason, Severity, Verdict
from sanitizers.model import Kind as FileKind
from tests.build.face import Town, client, csrf, log_in
from tests.build.transfer import BODY, RESULT, report

REASON = "国の調査票の署名を確かめるため"


def macros(**more):
    """Of a form whose macros were taken out."""

    finding = Finding(code="ooxml.vba", severity=Severity.HIGH, action=Action.REMOVED, where="word/vbaProject.bin")
    return msgspec.structs.replace(report(kind=FileKind.DOCM, **more), findings=(finding,))


async def chain(place: Town) -> None:
    """tanaka's department and its head."""
    for login in ("tanaka", "kacho", "kanri"):
        await place.known(login)

    def placed(connection):
        made = people.department_added(connection, organisation="関町", name="税務課", parent_id=None, at=place.clock(), actor="test")
        from gateway.storage import accounts

        for login in ("tanaka", "kacho"):
            account = accounts.by_login(connection, login)
            people.placed(connection, account, [Place(department_id=made.id, main=True, head=login == "kacho")], at=place.clock(), actor="test")

    await place.journal.write(placed)


# -------------------------------------------------------------------------------------------------------- certificate


@pytest.mark.parametrize("face", ["drop", "pickup"])
async def test_the_certificate_as_page_paper_and_record(place: Town, face: str) -> None:
    number = await place.settled(given=macros(output=RESULT))
    async with client(place.faces[face]) as browser:
        head = await place.token("tanaka")
        page = await (await browser.get(f"/transfers/{number}/receipt", headers=head)).text()
        record = await (await browser.get(f"/api/v1/transfers/{number}/receipt", headers=head)).text()
        answer = await browser.get(f"/api/v1/transfers/{number}/receipt.pdf", headers=head)
        paper = await answer.read()
    receipt = json.loads(record)
    assert receipt["receipt_no"] == number
    text = "".join(
        one.get_textpage().get_text_range() for one in pypdfium2.PdfDocument(paper)
    ).replace("\r\n", "")
    for known in (number, receipt["input_sha256"], receipt["output_sha256"], receipt["key"], "VBAマクロ"):
        assert known in page
        assert known in text
    assert answer.content_type == "application/pdf"
    with pikepdf.open(io.BytesIO(paper)) as document:
        assert not document.check_pdf_syntax()


async def test_there_is_none_of_what_was_not_delivered_nor_of_anothers(place: Town) -> None:
    held = await place.settled(given=report(Verdict.HELD, Reason.ENCRYPTED))
    other = await place.settled("suzuki")
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        for number in (held, other, "20990101-000001"):
            for path in (f"/transfers/{number}/receipt", f"/api/v1/transfers/{number}/receipt", f"/api/v1/transfers/{number}/receipt.pdf"):
                assert (await browser.get(path, headers=head)).status == 404


# ----------------------------------------------------------------------------------------------------------- requests


async def test_an_original_is_asked_for_approved_and_fetched_for_a_while(place: Town) -> None:
    await chain(place)
    number = await place.settled()
    path = f"/api/v1/transfers/{number}"
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        assert (await browser.get(f"{path}/original", headers=head)).status == 404
        page = await (await browser.get(f"/transfers/{number}", headers=head)).text()
        assert "原本の取出しを申請" in page
        assert '<option value="kacho">' in page
        asked = await browser.post(f"{path}/requests", headers=head, json={"kind": "file.original", "reason": REASON, "approver": "kacho"})
        assert asked.status == 202
        request = (await asked.json())["request"]
        again = await browser.post(f"{path}/requests", headers=head, json={"kind": "file.original", "reason": REASON})
        assert again.status == 409
        assert (await browser.get(f"{path}/original", headers=head)).status == 404, "asking opens nothing"
        approver = await place.token("kacho")
        assert (await browser.post(f"/api/v1/requests/{request}/approve", headers=approver, json={})).status == 200
        assert (await browser.get(f"{path}/original", headers=approver)).status == 404, "only to the one who asked"
        fetched = await browser.get(f"{path}/original", headers=head)
        assert (fetched.status, await fetched.read()) == (200, BODY)
        assert fetched.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in fetched.headers["Content-Security-Policy"]
        place.clock.pass_by(7 * 86_400 + 1)
        head = await place.token("tanaka")
        assert (await browser.get(f"{path}/original", headers=head)).status == 404
    deeds = [(entry.actor, entry.action) async for entry in place.journal.entries(subject=number)]
    assert deeds.count(("kacho", "original.opened")) == 1
    assert deeds.count(("tanaka", "original.taken")) == 1


async def test_the_pickup_has_no_way_to_an_original(place: Town) -> None:
    number = await place.settled()
    async with client(place.faces["pickup"]) as browser:
        head = await place.token("tanaka")
        assert (await browser.get(f"/api/v1/transfers/{number}/original", headers=head)).status in (403, 404)
        assert (await browser.post(f"/api/v1/transfers/{number}/requests", headers=head, json={})).status in (403, 404)
        assert "原本" not in await (await browser.get(f"/transfers/{number}", headers=head)).text()
    paths = {resource.canonical for resource in place.faces["pickup"].router.resources()}
    assert not [path for path in paths if "original" in path and "preview" not in path]


async def test_of_malware_nobody_gets_the_original(place: Town) -> None:
    number = await place.settled(given=report(Verdict.BLOCKED, Reason.MALWARE))
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        asked = await browser.post(f"/api/v1/transfers/{number}/requests", headers=head, json={"kind": "file.original", "reason": REASON})
        assert asked.status == 409


async def test_macros_come_in_by_two_persons_and_an_exception_for_this_file(place: Town) -> None:
    await chain(place)
    number = await place.settled(given=macros(output=RESULT))
    path = f"/api/v1/transfers/{number}/requests"
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        asked = await browser.post(path, headers=head, json={"kind": "file.macro", "reason": "計算に要る", "approver": "kacho"})
        assert asked.status == 202, await asked.text()
        request = (await asked.json())["request"]
        for login in ("kacho", "kanri"):
            assert not await place.journal.ask(lambda c: __import__("gateway.storage.exceptions", fromlist=["live"]).live(c, place.clock()))
            await place.approvals.approve(request, await place.accounts.find(login))
    from gateway.storage import exceptions

    [grant] = await place.journal.ask(lambda connection: exceptions.live(connection, place.clock()))
    transfer = await place.journal.find(number)
    assert (grant.kind, grant.action, grant.sha256, grant.account, grant.approver) == ("docm", "confirm", transfer.sha256, "", "kanri")
    assert grant.expires_at == place.clock() + 30 * 86_400
    assert place.workers.jobs, "the original went through the jail once more"


async def test_macros_are_not_asked_for_where_there_were_none(place: Town) -> None:
    number = await place.settled()
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        assert "マクロ付き" not in await (await browser.get(f"/transfers/{number}", headers=head)).text()
        asked = await browser.post(f"/api/v1/transfers/{number}/requests", headers=head, json={"kind": "file.macro", "reason": "x"})
        assert asked.status == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400), ({"kind": "rules.publish", "reason": "x"}, 400), ({"kind": "file.original", "reason": 1}, 400),
        ({"kind": "file.original", "reason": "\ud800"}, 400), ({"kind": ["file.original"], "reason": "x"}, 400),
        ({"kind": "file.original", "reason": " "}, 409), ({"kind": "file.original", "reason": "x", "approver": "tanaka"}, 409),
        ({"kind": "file.original", "reason": "x", "approver": ["kacho"]}, 400), ({"kind": "file.import", "reason": "x"}, 409), ([], 400),
    ],
)  # fmt: skip
async def test_what_is_no_request(place: Town, body: object, status: int) -> None:
    await chain(place)
    number = await place.settled()
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(f"/api/v1/transfers/{number}/requests", headers=await place.token("tanaka"), json=body)
        assert answer.status == status
    assert await place.approvals.listed(states=[RequestState.REQUESTED]) == []


async def test_nobody_asks_about_anothers(place: Town) -> None:
    number = await place.settled("suzuki")
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        for deed in ("requests", "incident"):
            body = {"kind": "file.original", "reason": "x", "text": "x"}
            assert (await browser.post(f"/api/v1/transfers/{number}/{deed}", headers=head, json=body)).status == 404
    assert await place.approvals.listed() == []


# ----------------------------------------------------------------------------------------------------------- incident


@pytest.mark.parametrize("face", ["drop", "pickup"])
async def test_an_incident_is_reported_from_the_page(place: Town, face: str) -> None:
    number = await place.settled()
    await place.known("tanaka")
    async with client(place.faces[face]) as browser:
        await log_in(browser, "tanaka")
        page = await browser.post(
            f"/transfers/{number}/incident", data={"csrf": await csrf(browser), "text": "開いたら見知らぬ画面が出た"}
        )
        text = await page.text()
    [one] = await place.journal.ask(incidents.listed)
    assert (one.receipt_no, one.opened_by, one.kind) == (number, "tanaka", incidents.Kind.SUSPICIOUS)
    assert one.number in text


async def test_an_incident_needs_words(place: Town) -> None:
    number = await place.settled()
    async with client(place.faces["drop"]) as browser:
        for body in ({}, {"text": " "}, {"text": 3}, {"text": "x" * 2_001}, "x", {"text": "\ud800"}, {"text": "a\0b"}):
            answer = await browser.post(f"/api/v1/transfers/{number}/incident", headers=await place.token("tanaka"), json=body)
            assert answer.status == 400
    assert await place.journal.ask(incidents.listed) == []


# ------------------------------------------------------------------------------------------- 確認済み, and pages of one's own


async def test_a_confirmed_original_is_asked_for_and_needs_a_look(place: Town) -> None:
    await chain(place)
    waiting = Finding(code="confirm.approval_needed", severity=Severity.LOW, action=Action.REFUSED, where="")
    held = msgspec.structs.replace(report(Verdict.HELD, Reason.UNSUPPORTED_KIND, kind=FileKind.DXF), findings=(waiting,))
    number = await place.settled(given=held)
    async with client(place.faces["drop"]) as browser:
        head = await place.token("tanaka")
        assert "確認済みの取込み" in await (await browser.get(f"/transfers/{number}", headers=head)).text()
        asked = await browser.post(f"/api/v1/transfers/{number}/requests", headers=head, json={"kind": "file.confirmed", "reason": "図面"})
        request = (await asked.json())["request"]
        approver = await place.token("kacho")
        path = f"/api/v1/requests/{request}/approve"
        assert (await browser.post(path, headers=approver, json={})).status == 409, "without a look there is no word"
        assert not place.workers.jobs
        head_of = await place.accounts.find("kacho")
        assert head_of is not None
        await place.approvals.approve(request, head_of, inspected=True)
    [job] = place.workers.jobs
    assert job.treatment.confirmed_by == "kacho"
    assert (await place.journal.find(number)).verdict is not Verdict.HELD


async def test_how_pages_are_is_kept_with_the_account(place: Town) -> None:
    await place.known("tanaka")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        chosen = {"csrf": await csrf(browser), "language": "en", "era": "western", "look": "dark", "large": "yes"}
        text = await (await browser.post("/account/view", data=chosen)).text()
        assert '<html lang="en" data-look="dark" data-letters="large">' in text
        assert "Your account" in text
        assert "利用者情報" not in text
        assert (await browser.post("/account/stay", headers={"X-CSRF-Token": await csrf(browser)})).status == 204
        assert (await browser.post("/account/stay", headers={"X-CSRF-Token": "x"})).status == 403
    async with client(place.faces["pickup"]) as browser:
        assert "Pick up" in await (await browser.get("/", headers=await place.token("tanaka"))).text()
        assert "受取箱" in await (await browser.get("/", headers=await place.token("suzuki"))).text(), "nobody else's pages change"
        strange = {"language": "<script>", "look": "purple", "era": "x"}
        account = await place.accounts.find("tanaka")
        assert account is not None
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        await browser.post("/account/view", data=strange | {"csrf": await csrf(browser)})
    assert (await place.accounts.find("tanaka")).preferences == ""


async def test_staying_is_for_those_who_are_there(place: Town) -> None:
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post("/account/stay", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/login")
