"""One's own transfer on the faces of staff: passwords by page and by interface, what is asked for and reported, and what each refuses."""

from __future__ import annotations

import msgspec
import pytest

from gateway.model import Slip, SlipApproval
from gateway.requests.approvals import Kind
from gateway.road.pipeline import MOST_TRIES
from sanitizers.model import Job, Reason, Report, Verdict
from tests.build.face import Town, client, csrf, log_in
from tests.build.transfer import BODY, NOW, RESULT, arrival, claimed, held, report, settlement, signer

pytestmark = pytest.mark.asyncio

OWN = {"Sec-Fetch-Site": "same-origin"}
KEYS = {"a.zip": "asa", "b.zip": "ban"}


def locked_mail(job: Job, source: bytes) -> Report:
    """Two locked files in one, each with its own password."""
    parts = []
    for name, key in KEYS.items():
        part = report(source=name.encode()) if key in job.passwords else report(Verdict.HELD, Reason.ENCRYPTED, source=name.encode())
        parts.append(msgspec.structs.replace(part, input=msgspec.structs.replace(part.input, name=name)))
    return report(source=source, parts=tuple(parts), policy=job.policy)


async def locked(place: Town) -> str:
    place.workers.answer = locked_mail
    return await place.settled("tanaka", locked_mail(Job(name="x"), BODY))


# ------------------------------------------------------------------------------------------------------------ passwords


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'"asa"', b'{"password": 7}', b'{"password": ""}', b'{"password": "a\\u0000b"}'])
async def test_what_is_no_password_costs_no_try(place: Town, body: bytes) -> None:
    number, head = await locked(place), await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        path = f"/api/v1/transfers/{number}/password"
        assert (await browser.post(path, headers=head, data=body)).status == 400
        wrong = await browser.post(path, headers=head, json={"password": "no"})
        assert (wrong.status, (await wrong.json())["tries_left"]) == (422, MOST_TRIES - 1)


async def test_passwords_by_the_interface(place: Town) -> None:
    number, head = await locked(place), await place.token("tanaka")
    path = f"/api/v1/transfers/{number}"
    async with client(place.faces["drop"]) as browser:
        for password, left in (("asa", ["b.zip"]), ("ban", [])):
            answer = await browser.post(f"{path}/password", headers=head, json={"password": password})
            told = await answer.json()
            assert (answer.status, told["locked"], told["tries_left"]) == (200, left, MOST_TRIES)
        done = await browser.post(f"{path}/password", headers=head, json={"password": "asa"})
        assert (done.status, "パスワードを待っているものはありません" in (await done.json())["detail"]) == (409, True)
        assert (await (await browser.get(path, headers=head)).json())["locked"] == []


async def test_too_many_wrong_passwords_close_it(place: Town) -> None:
    number, head = await locked(place), await place.token("tanaka")
    path = f"/api/v1/transfers/{number}/password"
    async with client(place.faces["drop"]) as browser:
        said = []
        for _ in range(MOST_TRIES + 1):
            answer = await browser.post(path, headers=head, json={"password": "no"})
            said.append((answer.status, (await answer.json()).get("tries_left")))
        assert said == [(422, left) for left in range(MOST_TRIES - 1, -1, -1)] + [(429, None)]
        assert (await browser.post(path, headers=head, json={"password": "asa"})).status == 429, "not even with the right one"
        await log_in(browser, "tanaka")
        page = await browser.post(f"/transfers/{number}/password", headers=OWN, data={"password": "asa"})
        assert (page.status, "これ以上は試せません" in await page.text()) == (429, True)


async def test_passwords_from_the_page(place: Town) -> None:
    number = await locked(place)
    path = f"/transfers/{number}/password"
    await place.known("tanaka")
    async with client(place.faces["pickup"]) as browser:
        await log_in(browser, "tanaka")
        for password, status, said in (
            ("", 400, "パスワードを入力してください"),
            ("no", 422, f"あと{MOST_TRIES - 1}回試せます"),
            ("asa", 200, "一部を開きました"),
        ):
            answer = await browser.post(path, headers=OWN, data={"password": password}, allow_redirects=False)
            assert (answer.status, said in await answer.text()) == (status, True), password
        done = await browser.post(path, headers=OWN, data={"password": "ban"}, allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, f"/transfers/{number}")
        assert (await browser.post(path, headers=OWN, data={"password": "ban"})).status == 409
        garbled = await browser.post(path, headers=OWN | {"Content-Type": "application/x-www-form-urlencoded"}, data=b"password=\xff")
        assert garbled.status == 400


async def test_what_is_in_work_is_tried_later(place: Town) -> None:
    await place.blobs.put(BODY)
    _, number = await place.journal.accept(arrival(sender="tanaka", recipients=("tanaka",), door="drop"))
    head = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        answer = await browser.post(f"/api/v1/transfers/{number}/password", headers=head, json={"password": "asa"})
        assert (answer.status, "処理中です" in (await answer.json())["detail"]) == (409, True)


@pytest.mark.parametrize(("face", "status"), [("drop", 404), ("pickup", 403)])
async def test_anothers_is_as_unknown_as_none(place: Town, face: str, status: int) -> None:
    number, head = await place.settled("suzuki", held()), await place.token("tanaka")
    async with client(place.faces[face]) as browser:
        for one in (number, "20990101-000001"):
            path = f"/transfers/{one}"
            for shown in (path, f"/api/v1{path}", f"/api/v1{path}/events"):
                assert (await browser.get(shown, headers=head)).status == status
            for deed in (f"{path}/password", f"{path}/incident"):
                assert (await browser.post(deed, headers=head, data={"password": "x", "text": "x"})).status == status
                assert (await browser.post(f"/api/v1{deed}", headers=head, json={"password": "x", "text": "x"})).status == status
    assert await place.care.incidents.listed() == []


# ------------------------------------------------------------------------------------- what is reported and asked for


async def test_an_incident_about_ones_own_says_something(place: Town) -> None:
    number = await place.settled("tanaka")
    head, path = await place.token("tanaka"), f"/transfers/{number}/incident"
    async with client(place.faces["drop"]) as browser:
        bad: list[object] = [{}, [], {"text": " "}, {"text": 7}, {"text": "x" * 100_000}, {"text": "\ud800"}]
        for given in bad:
            assert (await browser.post(f"/api/v1{path}", headers=head, json=given)).status == 400
        await log_in(browser, "tanaka")
        word = await csrf(browser)
        empty = await browser.post(path, data={"csrf": word, "text": " "}, allow_redirects=False)
        assert (empty.status, empty.headers["Location"]) == (303, f"/transfers/{number}#incident")
        assert await place.care.incidents.listed() == []
        told = await browser.post(path, data={"csrf": word, "text": "身に覚えがない"}, allow_redirects=False)
        assert told.headers["Location"] == f"/transfers/{number}?incident=IN-2026-0001"


async def brought(place: Town) -> str:
    """A file that waits for an approval, with its road behind it."""
    for content in (BODY, RESULT):
        await place.blobs.put(content)
    slip = Slip(purpose="調査", approval=SlipApproval.NEEDED)
    _, number = await place.journal.accept(arrival(sender="tanaka", recipients=("tanaka",), name="様式.docm", door="drop", slip=slip))
    claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
    await place.journal.settle(claim, place.signed(number, settlement(report()), report()), at=NOW)
    return number


async def test_the_approval_that_a_file_waits_for_is_asked_for_once(place: Town) -> None:
    await place.staff.add_department("税務課", "test")
    for login, leads in (("tanaka", False), ("kacho", True)):
        await place.known(login)
        account = await place.accounts.find(login)
        assert account is not None
        await place.staff.move(account, ["税務課"], "test", head=leads)
    number = await brought(place)
    head, path = await place.token("tanaka"), f"/transfers/{number}/requests"
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        assert 'value="file.import"' in await (await browser.get(f"/transfers/{number}")).text()
        word = await csrf(browser)
        refused = await browser.post(path, data={"csrf": word, "kind": "file.import", "reason": "x", "approver": "tanaka"})
        assert refused.status == 409
        asked = await browser.post(
            path, data={"csrf": word, "kind": "file.import", "reason": "", "approver": "kacho"}, allow_redirects=False
        )
        assert (asked.status, asked.headers["Location"]) == (303, "/requests/S-000001")
        again = await browser.post(f"/api/v1{path}", headers=head, json={"kind": "file.import", "reason": "急ぎ"})
        assert (again.status, (await again.json())["request"]) == (202, "S-000001")
        assert "S-000001" in await (await browser.get(f"/transfers/{number}")).text()
    (only,) = await place.approvals.listed(subject=number)
    assert (only.reason, only.requester.login) == ("調査", "tanaka")


async def test_a_request_is_withdrawn_from_its_page(place: Town) -> None:
    number = await place.settled("tanaka")
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    request = await place.approvals.request(Kind.ORIGINAL, number, account, "x")
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        done = await browser.post(f"/requests/{request.number}/withdraw", headers=OWN, data={"note": ""}, allow_redirects=False)
        assert done.status == 303
        assert (await browser.post(f"/requests/{request.number}/withdraw", headers=OWN, data={"note": ""})).status == 409
    assert (await place.approvals.find(request.number)).state == "withdrawn"


async def test_what_was_not_let_through_or_has_no_receipt_is_in_no_archive(place: Town) -> None:
    through, kept = await place.settled("tanaka"), await place.settled("tanaka", held())
    await place.known("tanaka")
    async with client(place.faces["pickup"]) as browser:
        await log_in(browser, "tanaka")

        async def status(*numbers: str) -> int:
            return (await browser.post("/zip", headers=OWN, data=[("receipt_no", one) for one in numbers])).status

        assert await status(through) == 200
        assert await status(through, kept) == 409, "one spoils the whole"
        assert await status() == 400
        place.seal = signer()
        forged = await place.settled("tanaka")
        assert await status(through, forged) == 409
        assert (await browser.get(f"/api/v1/transfers/{forged}/file")).status == 409
    actions = [(entry.subject, entry.action) async for entry in place.journal.entries() if entry.action == "file.collected"]
    assert actions == [(through, "file.collected")]
