"""The desk of transfers: found in seconds, understood at a glance, acted on with a reason."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from gateway.model import Door, State
from gateway.operating import Deed
from sanitizers.model import Action, Finding, Reason, Severity, Verdict
from tests.build.face import Town, client
from tests.build.transfer import held, report

LIST = "/api/v1/transfers"


async def numbers(place: Town, query: str, login: str = "kansa") -> list[str]:
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get(LIST + query, headers=await place.token(login))
        assert answer.status == 200, await answer.text()
        return [row["receipt_no"] for row in await answer.json()]


async def test_every_condition_narrows(place: Town) -> None:
    one, other = await place.settled("tanaka"), await place.settled("a@example.com", held(), door=Door.SMTP)
    for query, found in {
        "?door=smtp": [other],
        "?verdict=sanitized": [one],
        "?reason=encrypted": [other],
        "?sender=tanaka": [one],
        "?recipient=a@example.com": [other],
        f"?sha256={(await place.journal.find(one)).sha256.upper()}": [other, one],
        "?rule=None_Such": [],
        "?organisation=elsewhere": [],
        "?since=2026-11-01&until=2026-11-30": [other, one],
        "?until=2026-11-01": [],
        "?since=2026-12-01T00:00:00%2B09:00": [],
        f"?before={other}": [one],
        "?q=tanaka%20%E9%A1%98%E6%9B%B8": [one],
        "?reason=&state=&since=": [other, one],
    }.items():
        assert await numbers(place, query) == found, query


@pytest.mark.parametrize("query", ["?since=yesterday", "?door=window", "?reason=none", "?before=20260101-000001", "?colour=red"])
async def test_a_condition_that_is_none_is_a_bad_request_on_both_ways(place: Town, query: str) -> None:
    who = await place.token("kansa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get(LIST + query, headers=who)).status == 400
        page = await browser.get("/transfers" + query, headers=who)
        assert page.status == 400
        assert "検索条件を確かめてください" in await page.text()


async def test_one_transfer_tells_its_whole_story(place: Town) -> None:
    number = await place.settled("tanaka", held())
    same = await place.settled("suzuki")
    async with client(place.faces["admin"]) as browser:
        who = await place.token("kansa")
        shown = await (await browser.get(f"{LIST}/{number}", headers=who)).json()
        page = await (await browser.get(f"/transfers/{number}", headers=who)).text()
    assert shown["same"] == [same]
    assert [entry["action"] for entry in shown["record"]] == ["transfer.received", "transfer.processing", "transfer.held"]
    assert set(shown["deeds"]) == {"retry", "delete"}
    for words in ("経過", "受付済み / received", "保留 / held", "暗号化", "同じファイル", same, "もう一度処理する"):
        assert words in page, words


async def act(place: Town, number: str, deed: str, reason: object = "電話で確認", login: str = "sousa") -> int:
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(f"{LIST}/{number}/{deed}", headers=await place.token(login), json={"reason": reason})
        return answer.status


async def test_deeds_are_done_and_written_down(place: Town) -> None:
    number = await place.settled("tanaka", report(Verdict.SANITIZED))
    assert await act(place, number, "hold") == 200
    assert (await place.journal.find(number)).state is State.HELD
    assert await act(place, number, "release") == 200
    assert (await place.journal.find(number)).state is State.RELEASED
    assert place.woken
    assert await act(place, number, "delete") == 200
    entries = [entry async for entry in place.journal.entries(subject=number)]
    assert [(entry.actor, "電話で確認" in entry.detail) for entry in entries[-3:]] == [("sousa", True)] * 3


async def test_retry_puts_it_back_to_work(place: Town) -> None:
    number = await place.settled("tanaka", held())
    assert await act(place, number, "retry") == 200
    assert (await place.journal.find(number)).state is State.PROCESSING


@pytest.mark.parametrize(
    ("deed", "reason", "status"),
    [
        ("hold", "", 400),
        ("hold", "  ", 400),
        ("hold", 7, 400),
        ("burn", "x", 400),
        ("hold", "x", 409),
        ("release", "x", 422),
        ("confirm", "x", 422),
        ("as-pixels", "x", 422),
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(place: Town, deed: str, reason: object, status: int) -> None:
    number = await place.settled("tanaka", held(Reason.MALWARE))
    before = await place.journal.find(number)
    assert await act(place, number, deed, reason) == status
    assert await place.journal.find(number) == before


@pytest.mark.parametrize("login", ["kansa", "tanaka"])
async def test_only_those_who_operate_act(place: Town, login: str) -> None:
    number = await place.settled("suzuki", held())
    assert await act(place, number, "delete", login=login) == 403
    assert (await place.journal.find(number)).state is State.HELD


async def test_from_the_page(place: Town) -> None:
    number, who = await place.settled("tanaka"), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        answer = await browser.post(f"/transfers/{number}", headers=who, data={"deed": "hold", "reason": "確認中"}, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, f"/transfers/{number}")
        again = await browser.post(f"/transfers/{number}", headers=who, data={"deed": "hold", "reason": "確認中"})
        assert again.status == 409
        assert "できませんでした" in await again.text()
        assert (await browser.post(f"/transfers/{number}", headers=who, data={"deed": "release", "reason": " "})).status == 409


async def test_nobody_confirms_what_he_brought_himself(place: Town) -> None:
    asks = Finding(code="confirm.approval_needed", severity=Severity.LOW, action=Action.REFUSED, where="")
    waiting = msgspec.structs.replace(held(Reason.POLICY), findings=(asks,))
    mine, theirs = await place.settled("sousa", waiting), await place.settled("tanaka", waiting)
    assert await act(place, mine, "confirm") == 422
    async with client(place.faces["admin"]) as browser:
        shown = await (await browser.get(f"{LIST}/{theirs}", headers=await place.token("kansa"))).json()
    assert Deed.CONFIRM in shown["deeds"]


async def test_the_export_is_a_table_that_runs_nothing(place: Town) -> None:
    await place.settled("=HYPERLINK(1)")
    await place.settled("tanaka", held())
    async with client(place.faces["admin"]) as browser:
        answer = await browser.get("/api/v1/transfers.csv?q=tanaka", headers=await place.token("kansa"))
        whole = await browser.get("/api/v1/transfers.csv", headers=await place.token("kansa"))
        assert answer.status == 200
        few, all_ = await answer.read(), await whole.read()
    assert few.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(few.decode("utf-8-sig"))))
    assert [(row["差出人・利用者"], row["状態"], row["理由"]) for row in rows] == [("tanaka", "held", "encrypted")]
    assert "'=HYPERLINK(1)" in all_.decode("utf-8-sig")
    assert [entry.actor async for entry in place.journal.entries() if entry.action == "transfers.exported"] == ["kansa", "kansa"]
