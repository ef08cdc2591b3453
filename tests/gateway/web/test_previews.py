"""Pages of safe previews on every face: who may see what, what is written down, and that a file stays text whatever it says."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from gateway.model import Door, State
from gateway.people.customs import Customs
from gateway.requests.approvals import Kind
from gateway.web import signin
from gateway.web.preview_desks import brought, looks
from sanitizers.model import Kind as FileKind
from sanitizers.model import Reason, Verdict
from tests.build import previews
from tests.build.face import Town, client, csrf, log_in, quick_passwords, town
from tests.build.transfer import NOW, report

# What no page may hold but text: elements and attributes of a file, and what turns the direction of the rest.
_LIVE = re.compile(r"<script(?! src=\"/static/)|<svg|<img(?! src=\"/api/v1/)|<iframe|<object|<b>| on\w+=\"|javascript:|\u202e")
ONE = "/api/v1/transfers/{}/preview"


# One town, and one jail, for all of these tests: to start a jail takes longer than most of them.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    with pytest.MonkeyPatch.context() as patches:
        quick_passwords(patches)
        async with town(tmp_path_factory.mktemp("town")) as made:
            yield made


async def stayed(place: Town, data: bytes, name: str, verdict: Verdict = Verdict.HELD, reason: Reason = Reason.MALFORMED, **more: Any) -> str:
    given = report(verdict, reason, source=data, kind=FileKind.PDF)
    return await previews.through(place, data, name, given=given, **more)


async def seen(place: Town, receipt_no: str) -> list[dict[str, str]]:
    """What the record says of looks: by whom, and the rest."""
    entries = [entry async for entry in place.journal.entries(subject=receipt_no) if entry.action == "file.previewed"]
    return [{"by": entry.actor, **json.loads(entry.detail)} for entry in entries]


async def test_an_operator_sees_both_sides_and_each_look_is_written_down_once(place: Town) -> None:
    number = await previews.through(place, previews.reaching_pdf(), "a.pdf")
    sousa = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for side in ("original", "result"):
            shown = await (await browser.get(ONE.format(number) + f"/{side}", headers=sousa)).json()
            assert (shown["receipt_no"], shown["pages"], shown["lines"]) == (number, 2, ["visible 1", "visible 2"])
            answer = await browser.get(ONE.format(number) + f"/{side}/page.png", params={"page": "2", "width": "300"}, headers=sousa)
            assert (answer.status, answer.content_type) == (200, "image/png")
            assert Image.open(io.BytesIO(await answer.read())).width == 300
        found = await (await browser.get(ONE.format(number) + "/difference", headers=sousa)).json()
        assert (found["alike"], found["changes"], found["equal"]) == ([1.0, 1.0], [], 2)
    assert await seen(place, number) == [{"by": "sousa", "side": "original"}, {"by": "sousa", "side": "result"}]
    place.clock.pass_by(700)
    async with client(place.faces["admin"]) as browser:
        await browser.get(ONE.format(number) + "/original", headers=sousa)
    assert len(await seen(place, number)) == 3


@pytest.mark.parametrize(("login", "may"), [("sousa", True), ("kanri", True), ("kansa", False)])
async def test_auditors_see_records_and_no_content(place: Town, login: str, may: bool) -> None:
    number = await previews.through(place, b"words", "a.txt")
    headers = await place.token(login)
    async with client(place.faces["admin"]) as browser:
        for path in ("/original", "/result", "/difference", "/original/page.png", "/result/page.png"):
            status = (await browser.get(ONE.format(number) + path, headers=headers)).status
            assert (status != 403) is may, path
        for path in ("", "/original", "/result"):
            assert ((await browser.get(f"/transfers/{number}/preview{path}", headers=headers)).status != 403) is may, path
    assert (await seen(place, number) != []) is may


async def test_an_administrator_elevates_himself_to_see_an_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick_passwords(monkeypatch)
    async with town(tmp_path, customs=Customs(second_factor="off")) as place:
        number = await previews.through(place, b"words", "a.txt")
        await place.known("kanri")
        async with client(place.faces["admin"]) as browser:
            await log_in(browser, "kanri")
            assert (await browser.get(f"/transfers/{number}/preview/result")).status == 200
            answer = await browser.get(f"/transfers/{number}/preview/original", allow_redirects=False)
            assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, "/elevate")
            assert (await browser.get(ONE.format(number) + "/original")).status == 403
        assert await seen(place, number) == [{"by": "kanri", "side": "result"}]


async def test_staff_see_before_and_after_of_what_they_brought_and_nobody_elses(place: Town) -> None:
    number = await previews.through(place, previews.reaching_pdf(), "a.pdf")
    async with client(place.faces["drop"]) as browser:
        mine, other = await place.token("tanaka"), await place.token("suzuki")
        page = await (await browser.get(f"/transfers/{number}/preview", headers=mine)).text()
        assert "100 %" in page
        for path in ("/original", "/result", "/difference", "/original/page.png", "/result/page.png"):
            assert (await browser.get(ONE.format(number) + path, headers=mine)).status == 200, path
            assert (await browser.get(ONE.format(number) + path, headers=other)).status == 404, path
        for path in ("", "/original", "/result"):
            assert (await browser.get(f"/transfers/{number}/preview{path}", headers=other)).status == 404, path
    assert await seen(place, number) == [{"by": "tanaka", "side": "original"}]


async def test_staff_see_no_original_of_a_mail_and_none_that_was_blocked(place: Town) -> None:
    tanaka = await place.token("tanaka")
    mail = await previews.through(place, previews.reaching_mail(), "message.eml", sender="tanaka", door=Door.SMTP)
    blocked = await stayed(place, previews.reaching_pdf(), "a.pdf", Verdict.BLOCKED, Reason.MALWARE)
    async with client(place.faces["drop"]) as browser:
        for number in (mail, blocked):
            assert (await browser.get(ONE.format(number) + "/original", headers=tanaka)).status == 404
        answer = await browser.get(f"/transfers/{blocked}/preview", headers=tanaka)
        assert answer.status == 404
        assert "表示できるファイルがありません" in await answer.text()


async def test_the_settings_may_keep_originals_from_staff(place: Town) -> None:
    number = await previews.through(place, b"words", "a.txt")
    await place.token("tanaka")
    request: Any = AskedFor({signin._ACCOUNT: await place.accounts.find("tanaka")}, number)
    for originals in (True, False):
        subject = await brought(place.journal, originals=originals)(request)
        assert subject is not None
        assert (subject.file("original") is not None) is originals
        assert subject.file("result") is not None


class AskedFor(dict[Any, Any]):
    """As much of a request as a finder looks at."""

    def __init__(self, known: dict[Any, Any], receipt_no: str) -> None:
        super().__init__(known)
        self.match_info = {"receipt_no": receipt_no}


async def test_the_pickup_shows_results_and_has_no_way_to_an_original(place: Town) -> None:
    paths = {resource.canonical for resource in place.faces["pickup"].router.resources()}
    assert any("preview" in path for path in paths)
    assert not any("original" in path or "difference" in path for path in paths)
    number = await previews.through(place, previews.reaching_pdf(), "a.pdf")
    held = await stayed(place, previews.reaching_pdf() + b"\n", "b.pdf")
    tanaka, suzuki = await place.token("tanaka"), await place.token("suzuki")
    async with client(place.faces["pickup"]) as browser:
        assert (await browser.get(ONE.format(number) + "/result/page.png", headers=tanaka)).status == 200
        page = await (await browser.get(f"/transfers/{number}/preview/result", headers=tanaka)).text()
        assert "原本" not in page
        assert (await browser.get(ONE.format(number) + "/result", headers=suzuki)).status == 403
        for path in ("/original", "/difference", "/original/page.png"):
            assert (await browser.get(ONE.format(number) + path, headers=tanaka)).status in (403, 404), path
        for path in (ONE.format(held) + "/result", f"/transfers/{held}/preview/result"):
            assert (await browser.get(path, headers=tanaka)).status == 403
    assert await seen(place, number) == []


async def test_a_result_that_waits_for_a_word_is_not_shown_to_staff(place: Town) -> None:
    number = await previews.through(place, b"words", "a.txt")
    await place.journal.hold((await place.journal.find(number)).id, at=NOW, actor="sousa", note="")
    async with client(place.faces["drop"]) as browser:
        assert (await browser.get(ONE.format(number) + "/result", headers=await place.token("tanaka"))).status == 404
        assert (await browser.get(ONE.format(number) + "/original", headers=await place.token("tanaka"))).status == 200


async def test_what_was_disposed_of_is_not_shown(place: Town) -> None:
    number = await stayed(place, b"words that go", "a.txt")
    transfer = await place.journal.find(number)
    sousa = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get(ONE.format(number) + "/original", headers=sousa)).status == 200
        await place.journal.dispose(transfer.id, at=NOW, actor="sousa", note="x")
        await place.blobs.delete(transfer.sha256)
        assert (await place.journal.find(number)).state is State.DISPOSED
        assert (await browser.get(ONE.format(number) + "/original", headers=sousa)).status == 404


async def test_whatever_a_file_is_called_or_says_stays_text(place: Town) -> None:
    number = await previews.through(place, previews.reaching_pdf(), previews.HOSTILE_NAME)
    html = await stayed(place, b'<html><body onload="alert(1)"><script>alert(2)</script></body></html>', "a.html")
    drawing = await previews.through(place, previews.reaching_drawing(), "a.svg")
    mail = await previews.through(place, previews.reaching_mail((previews.reaching_pdf(), b"<b>a</b>.pdf")), "a.eml")
    sousa = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for one in (number, html, drawing, mail):
            for path in ("", "/original", "/original?view=parts", "/original?view=bytes"):
                answer = await browser.get(f"/transfers/{one}/preview{path}", headers=sousa)
                page = await answer.text()
                assert answer.status == 200
                assert not _LIVE.search(page), path
                assert not re.search(r'(?:href|src)="(?![/#])', page)
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_structure_bytes_and_parts_by_address(place: Town) -> None:
    number = await previews.through(place, previews.reaching_mail((previews.reaching_pdf(), b"a.pdf")), "a.eml")
    sousa = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        async def ask(**query: str) -> Any:
            return await (await browser.get(ONE.format(number) + "/original", params=query, headers=sousa)).json()

        assert [(piece["part"], piece["name"], piece["kind"]) for piece in (await ask(view="parts"))["parts"]] == [([0], "a.pdf", "pdf")]
        assert (await ask(part="0"))["lines"] == ["visible 1", "visible 2"]
        assert (await ask(view="bytes", part="0", start="1"))["octets"].startswith("UERG")
        assert (await ask(part="7"))["fault"] == "malformed"
        page = await (await browser.get(f"/transfers/{number}/preview", headers=sousa)).text()
        assert "JavaScript" in page
        assert f"/transfers/{number}/preview?part=0&amp;other=0" in page
    assert {"by": "sousa", "side": "original", "part": "0"} in await seen(place, number)


@pytest.mark.parametrize(
    "query",
    ["view=x", "part=a", "part=-1", "part=0.9999", "part=0.0.0.0.0.0.0.0.0", "page=x", "page=0", "width=9999999", "start=-1", "width=1"],
)
async def test_questions_that_make_no_sense_are_a_bad_request(place: Town, query: str) -> None:
    number = await previews.through(place, b"words", "a.txt")
    sousa = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for path in (f"/api/v1/transfers/{number}/preview/original", f"/transfers/{number}/preview/original"):
            assert (await browser.get(f"{path}?{query}", headers=sousa)).status == 400
        if query.startswith("part"):
            assert (await browser.get(f"/api/v1/transfers/{number}/preview/difference?{query}", headers=sousa)).status == 400


async def test_what_cannot_be_drawn_says_why(place: Town) -> None:
    number = await stayed(place, b"MZ" + bytes(100), "a.exe")
    sousa = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get(ONE.format(number) + "/original/page.png", headers=sousa)
        assert (answer.status, (await answer.json())["receipt_no"]) == (422, number)
        assert (await browser.get(f"/transfers/{number}/preview", headers=sousa)).url.path.endswith("/preview/original")
        assert "16進" in await (await browser.get(f"/transfers/{number}/preview/original", headers=sousa)).text()


async def requested(place: Town) -> tuple[str, str]:
    """A confirmed original that its head is asked for: number of the request, receipt number."""
    receipt_no = await stayed(place, previews.reaching_pdf(), "a.pdf")
    await place.staff.add_department("税務課", "test")
    for login, head in (("tanaka", False), ("kacho", True)):
        await place.token(login)
        account = await place.accounts.find(login)
        assert account is not None
        await place.staff.move(account, ["税務課"], "test", head=head)
    asking = await place.accounts.find("tanaka")
    assert asking is not None
    return (await place.approvals.request(Kind.CONFIRMED, receipt_no, asking, "図面")).number, receipt_no


async def test_who_is_asked_looks_first_and_the_page_says_who_did(place: Town) -> None:
    number, receipt_no = await requested(place)
    kacho, suzuki = await place.token("kacho"), await place.token("suzuki")
    async with client(place.faces["drop"]) as browser:
        page = await (await browser.get(f"/requests/{number}", headers=kacho)).text()
        assert "まだ誰も開いていません" in page
        assert f"/requests/{number}/preview" in page
        assert (await browser.get(f"/requests/{number}/preview", headers=suzuki)).status == 404
        assert (await browser.get(f"/api/v1/requests/{number}/preview/original", headers=suzuki)).status == 404
        assert (await browser.get(f"/requests/{number}/preview", headers=kacho)).status == 200
        assert (await browser.get(f"/api/v1/requests/{number}/preview/original/page.png", headers=kacho)).status == 200
        assert (await browser.get(ONE.format(receipt_no) + "/original", headers=kacho)).status == 404     # only by way of the request
        page = await (await browser.get(f"/requests/{number}", headers=kacho)).text()
        assert "まだ誰も開いていません" not in page
        assert "kacho（令和" in page
    assert await seen(place, receipt_no) == [{"by": "kacho", "side": "original", "request": number}]
    assert [login for login, _ in await looks(place.journal, receipt_no)] == ["kacho"]


async def test_a_look_at_the_result_is_no_look_at_the_original(place: Town) -> None:
    number = await previews.through(place, b"words", "a.txt")
    async with client(place.faces["admin"]) as browser:
        await browser.get(ONE.format(number) + "/result", headers=await place.token("sousa"))
    assert await looks(place.journal, number) == []


async def test_pages_link_to_their_previews(place: Town) -> None:
    number = await previews.through(place, b"words", "a.txt")
    for face, login, link in (("admin", "sousa", "/preview"), ("drop", "tanaka", "/preview"), ("pickup", "tanaka", "/preview/result")):
        await place.token(login)
        async with client(place.faces[face]) as browser:
            await log_in(browser, login)
            assert f'href="/transfers/{number}{link}"' in await (await browser.get(f"/transfers/{number}")).text(), face
            assert await csrf(browser)
