"""The pickup hands out exactly the rebuilt file, to whom it belongs, and nothing else ever."""

from __future__ import annotations

import os

import pytest

from gateway.model import Door
from sanitizers.model import Reason, Verdict
from tests.build.face import Town, client
from tests.build.transfer import BODY, NOW, RESULT, digest, held, report

DOWN = "/api/v1/transfers"


async def test_exactly_the_result_as_an_attachment(place: Town) -> None:
    tanaka, receipt_no = await place.token("tanaka"), await place.settled()
    async with client(place.faces["pickup"]) as browser:
        answer = await browser.get(f"{DOWN}/{receipt_no}/file", headers=tanaka)
        assert answer.status == 200
        assert await answer.read() == RESULT
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    recorded = [(entry.actor, entry.subject) async for entry in place.journal.entries() if entry.action == "file.collected"]
    assert recorded == [("tanaka", receipt_no)]


async def test_large_files_are_whole(place: Town) -> None:
    large = os.urandom(5_000_001)
    tanaka, receipt_no = await place.token("tanaka"), await place.settled(result=large)
    async with client(place.faces["pickup"]) as browser:
        assert await (await browser.get(f"{DOWN}/{receipt_no}/file", headers=tanaka)).read() == large


async def test_what_is_not_delivered_is_refused(place: Town) -> None:
    tanaka = await place.token("tanaka")
    waiting = [await place.settled(given=held()), await place.settled(given=report(Verdict.BLOCKED, Reason.MALWARE))]
    stopped = await place.settled()
    await place.journal.hold((await place.journal.find(stopped)).id, at=NOW, actor="sousa", note="疑わしい")
    disposed = await place.settled(given=held())
    await place.journal.dispose((await place.journal.find(disposed)).id, at=NOW, actor="sousa")
    async with client(place.faces["pickup"]) as browser:
        for receipt_no in (*waiting, stopped, disposed):
            answer = await browser.get(f"{DOWN}/{receipt_no}/file", headers=tanaka)
            told = await answer.json()
            assert (answer.status, told["receipt_no"]) == (409, receipt_no)
        page = await (await browser.get("/", headers=tanaka)).text()
        assert "/file" not in page
        assert all(receipt_no in page for receipt_no in waiting)


async def test_no_route_reaches_an_original(place: Town) -> None:
    tanaka = await place.token("tanaka")
    numbers = [await place.settled(), await place.settled(given=held())]
    async with client(place.faces["pickup"]) as browser:
        for route in place.faces["pickup"].router.routes():
            for receipt_no in (*numbers, digest(BODY)):
                assert route.resource is not None
                path = route.resource.canonical.replace("{receipt_no}", receipt_no)
                if route.method in ("GET", "HEAD"):
                    content = await (await browser.request(route.method, path, headers=tanaka)).read()
                    assert BODY not in content
        for path in (f"{DOWN}/{numbers[0]}/original", f"{DOWN}/{numbers[0]}/file?original=1", f"{DOWN}/..%2f{digest(BODY)}/file"):
            assert BODY not in await (await browser.get(path, headers=tanaka)).read()
        assert (await browser.head(f"{DOWN}/{numbers[0]}/file", headers=tanaka)).status == 405


async def test_anothers_file_is_as_unknown_as_none(place: Town) -> None:
    suzuki, mine = await place.token("suzuki"), await place.settled("tanaka")
    mail = await place.settled("suzuki", door=Door.SMTP)
    async with client(place.faces["pickup"]) as browser:
        for receipt_no in (mine, mail, "20261118-999999"):
            for path in (f"{DOWN}/{receipt_no}", f"{DOWN}/{receipt_no}/file"):
                answer = await browser.get(path, headers=suzuki)
                assert answer.status == 403
                assert receipt_no not in await answer.text()
        assert await (await browser.get(DOWN, headers=suzuki)).json() == []
        listed = await (await browser.get(DOWN, headers=await place.token("tanaka"))).json()
    assert [row["receipt_no"] for row in listed] == [mine]
    assert not {"recipients", "client", "note", "sender"} & set(listed[0])


@pytest.mark.parametrize("damage", ["changed", "missing"])
async def test_a_damaged_file_gives_no_byte(place: Town, damage: str) -> None:
    tanaka, receipt_no = await place.token("tanaka"), await place.settled()
    (path,) = place.folder.glob(f"blobs/blobs/**/{digest(RESULT)}")
    path.unlink()
    if damage == "changed":
        path.write_bytes(RESULT[:-1] + b"X")
    async with client(place.faces["pickup"]) as browser:
        answer = await browser.get(f"{DOWN}/{receipt_no}/file", headers=tanaka)
        content = await answer.read()
    assert answer.status == 500
    assert RESULT[:5] not in content
    assert digest(RESULT)[:12].encode() not in content
    assert not [entry async for entry in place.journal.entries() if entry.action == "file.collected"]


async def test_the_page_offers_what_is_ready(place: Town) -> None:
    tanaka, receipt_no = await place.token("tanaka"), await place.settled()
    async with client(place.faces["pickup"]) as browser:
        page = await (await browser.get("/", headers=tanaka)).text()
        assert f"{DOWN}/{receipt_no}/file" in page
        assert "無害化済み" in page
        shown = await (await browser.get(f"{DOWN}/{receipt_no}", headers=tanaka)).json()
    assert (shown["state"], shown["output"], shown["report"]["verdict"]) == ("released", "message.eml", "sanitized")
