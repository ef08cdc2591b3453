"""What desks of the administration and streams of all faces refuse, and what they show where there is nothing to show."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import text

from gateway.admin import originals, overview
from gateway.admin.app import admin
from gateway.admin.originals import OriginalsDesk
from gateway.model import Door
from gateway.people.roles import Role
from gateway.requests.operating import Deed, Operating
from gateway.web import events
from tests.build.face import PASSWORD, Town, client, csrf, log_in
from tests.build.transfer import BODY, NOW, arrival, claimed, digest, held, settlement

pytestmark = pytest.mark.asyncio

OWN = {"Sec-Fetch-Site": "same-origin"}


async def disposed(place: Town, number: str) -> None:
    await Operating(place.journal, place.seal, place.clock).act(Deed.DELETE, await place.journal.find(number), actor="sousa", note="x")


# ----------------------------------------------------------------------------------------------------------- originals


def alone(place: Town) -> web.Application:
    """A house where one person's word is enough."""

    async def ready() -> list[str]:
        return []

    return admin(place.accounts, ready, [OriginalsDesk(place.journal, place.blobs, place.approvals, place.clock, four_eyes=False)], jail=True)


async def test_without_a_reason_no_original_leaves(place: Town) -> None:
    number, head = await place.settled("tanaka", held()), await place.token("sousa")
    one, page = f"/api/v1/transfers/{number}/original", f"/transfers/{number}/original"
    async with client(alone(place)) as browser:
        assert (await (await browser.get(one, headers=head)).json())["may"] is True
        for path in (one, f"{one}/take"):
            assert (await browser.post(path, headers=head, json={"reason": " "})).status == 400, path
        answer = await browser.post(page, headers=head, data={"what": "take", "reason": " "})
        assert (answer.status, "理由を入力してください" in await answer.text()) == (409, True)
    assert [entry async for entry in place.journal.entries(subject=number) if entry.action.startswith("original.")] == []


@pytest.mark.parametrize("how", ["disposed of", "lost"])
async def test_a_ticket_for_what_is_gone_opens_nothing(place: Town, how: str) -> None:
    number, head = await place.settled("tanaka", held()), await place.token("sousa")
    one = f"/api/v1/transfers/{number}/original"
    async with client(alone(place)) as browser:
        told = await (await browser.post(f"{one}/take", headers=head, json={"reason": "解析"})).json()
        if how == "lost":
            await place.blobs.delete(digest(BODY))
        else:
            await disposed(place, number)
        answer = await browser.get(told["url"], headers=head)
        assert (answer.status, "廃棄されています" in (await answer.json())["detail"]) == (404, True)
        if how == "disposed of":
            assert (await browser.post(f"{one}/take", headers=head, json={"reason": "解析"})).status == 409
            page = await browser.post(f"/transfers/{number}/original", headers=head, data={"what": "take", "reason": "解析"})
            assert (page.status, "廃棄されています" in await page.text()) == (409, True)
    actions = [entry.action async for entry in place.journal.entries(subject=number) if entry.action.startswith("original.")]
    assert actions == ["original.taken"], "nothing was fetched"


async def test_tickets_are_not_heaped_up(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(originals, "_MOST_TICKETS", 2)
    number, head = await place.settled("tanaka", held()), await place.token("sousa")
    take = f"/api/v1/transfers/{number}/original/take"
    async with client(alone(place)) as browser:
        urls = [(await (await browser.post(take, headers=head, json={"reason": "x"})).json())["url"] for _ in range(3)]
        assert [(await browser.get(url, headers=head)).status for url in urls] == [404, 200, 200]


# ----------------------------------------------------------------------------------------------------------- transfers


@pytest.mark.parametrize(
    "query",
    ["since=soon", "until=9999-12-31", "since=0001-01-01T00:00%2B09:00", "since=1969-01-01", "before=x", "limit=x", "state=x", "door=x", "other=x"],
)
async def test_a_search_that_makes_no_sense(place: Town, query: str) -> None:
    head = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for path in ("/api/v1/transfers", "/api/v1/transfers.csv", "/api/v1/transfers.xlsx"):
            assert (await browser.get(f"{path}?{query}", headers=head)).status == 400, path
        assert (await browser.get(f"/search?{query}", headers=head)).status in (200, 400, 404)


async def test_what_was_only_taken_in_and_what_was_delivered(place: Town) -> None:
    head = await place.token("sousa")
    await place.blobs.put(BODY)
    _, waiting = await place.journal.accept(arrival(b"other", sender="x@example.com"))
    _, mail = await place.journal.accept(arrival(door=Door.SMTP))
    claims = await place.journal.claim(2, at=NOW, lease_until=NOW + 60)
    claim = claimed([one for one in claims if one.transfer.receipt_no == mail])
    await place.journal.settle(claim, settlement(), at=NOW)
    async with client(place.faces["admin"]) as browser:
        for number in (waiting, mail):
            assert (await browser.get(f"/transfers/{number}", headers=head)).status == 200
        told = await (await browser.get(f"/api/v1/transfers/{mail}", headers=head)).json()
    (delivery,) = told["deliveries"]
    assert (delivery["purpose"], [one["address"] for one in delivery["recipients"]]) == ("mail", ["kakari@town.example.jp"])


# ----------------------------------------------------------------------------------------- reviews, visits, exceptions


async def test_a_review_is_decided_line_by_line(place: Town) -> None:
    place.roles["ciso"] = Role.CISO
    head = await place.token("kanri")
    await place.known("tanaka")
    async with client(place.faces["admin"]) as browser:
        number = (await (await browser.post("/api/v1/reviews", headers=head, json={})).json())["number"]
        one = f"/api/v1/reviews/{number}"
        bad: list[Any] = [{}, {"login": "tanaka"}, {"login": "tanaka", "decision": "x"}, {"login": 7, "decision": "keep"},
                          {"login": "tanaka", "decision": "keep", "note": 7}]  # fmt: skip
        for given in bad:
            assert (await browser.post(f"{one}/decide", headers=head, json=given)).status == 400
        for path in ("decide", "close"):
            for body in (b"", b"[]"):
                assert (await browser.post(f"{one}/{path}", headers=head, data=body)).status == 400
        assert (await browser.post(f"{one}/close", headers=head, json={"note": 7})).status == 400
        assert (await browser.post(f"{one}/close", headers=head, json={"note": "x"})).status == 422


@pytest.mark.parametrize("given", [{}, [], {"reason": 7}])
async def test_a_visit_is_ended_for_a_reason(place: Town, given: object) -> None:
    head = await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        assert (await browser.post("/api/v1/visits/1/end", headers=head, json=given)).status == 400
        assert (await browser.post("/api/v1/visits/1/end", headers=head, json={"reason": " "})).status == 422
        assert (await browser.post("/api/v1/visits/1/end", headers=head, json={"reason": "x"})).status == 404
        for number in ("x", "9" * 16):
            assert (await browser.post(f"/api/v1/visits/{number}/end", headers=head, json={"reason": "x"})).status == 404
        asked = {"login": "tanaka", "from": "9999-12-31T23:59-09:00", "until": "2026-12-01T17:00", "purpose": "x"}
        await place.known("tanaka")
        assert (await browser.post("/api/v1/visits", headers=head, json=asked)).status == 400
        refused = await browser.post("/visits/1/end", headers=head, data={"reason": " "})
        assert refused.status == 422
        over = await browser.post("/visits/1/end", headers=head, data={"reason": "x"})
        assert (over.status, "終わった作業です" in await over.text()) == (404, True)


# ------------------------------------------------------------------------------------------------------------- streams


async def test_too_many_who_watch(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_MOST_WATCHERS", 0)
    monkeypatch.setattr(events, "_MOST_WATCHERS", 0)
    number, head, own = await place.settled(), await place.token("sousa"), await place.token("tanaka")
    async with client(place.faces["admin"]) as desk, client(place.faces["drop"]) as drop:
        assert (await desk.get("/api/v1/overview/events", headers=head)).status == 503
        assert (await drop.get(f"/api/v1/transfers/{number}/events", headers=own)).status == 503


async def test_a_long_silence_is_no_dead_line(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment now and then, so that whatever stands between keeps the line; and after long enough the end."""
    monkeypatch.setattr(events, "_HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(events, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(events, "_LONGEST_SECONDS", 0.2)
    await place.blobs.put(BODY)
    _, number = await place.journal.accept(arrival(sender="tanaka", recipients=("tanaka",), door=Door.DROP))
    async with client(place.faces["drop"]) as browser:
        said = await (await browser.get(f"/api/v1/transfers/{number}/events", headers=await place.token("tanaka"))).text()
    assert said.count("event: state") == 1
    assert said.count("\n: \n") > 1


async def test_the_overview_says_that_it_lives(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(overview.OverviewDesk.__init__, "__kwdefaults__", {"live": 0.01})
    async with client(place.faces["admin"]) as browser, browser.get("/api/v1/overview/events", headers=await place.token("kansa")) as stream:
        async with asyncio.timeout(20):
            while await stream.content.readline() != b": \n":
                pass


# ------------------------------------------------------------------------------------------------------ what all share


async def test_pages_are_shown_when_announcements_cannot_be_read(place: Town, caplog: pytest.LogCaptureFixture) -> None:
    await place.known("tanaka")
    await place.journal.write(lambda connection: connection.execute(text("ALTER TABLE announcements RENAME TO gone")))
    async with client(place.faces["drop"]) as browser:
        await log_in(browser, "tanaka")
        with caplog.at_level(logging.ERROR):
            assert (await browser.get("/account")).status == 200
    assert "announcements cannot be read" in [record.getMessage() for record in caplog.records]


async def test_an_endpoint_that_nobody_named_is_nobodys(place: Town, caplog: pytest.LogCaptureFixture) -> None:
    async def open_to_all(_: web.Request) -> web.Response:
        return web.Response(text="secret")

    place.faces["admin"].router.add_get("/unnamed", open_to_all)
    async with client(place.faces["admin"]) as browser:
        with caplog.at_level(logging.ERROR):
            for login in ("kanri", "sousa", "kansa"):
                answer = await browser.get("/unnamed", headers=await place.token(login))
                assert (answer.status, "secret" in await answer.text()) == (403, False), login
    assert {record.getMessage() for record in caplog.records} == {"an endpoint that people.permissions does not name is nobody's"}


async def test_the_last_log_in_and_log_out_are_shown(place: Town) -> None:
    await place.staff.add_department("税務課", "test")
    await place.known("tanaka")
    account = await place.accounts.find("tanaka")
    assert account is not None
    await place.staff.move(account, ["税務課"], "test", head=True)
    async with client(place.faces["drop"]) as browser:
        for _ in range(2):
            await log_in(browser, "tanaka", PASSWORD)
            page = await (await browser.get("/account")).text()
            place.clock.pass_by(60)
            await browser.post("/logout", data={"csrf": await csrf(browser)})
            place.clock.pass_by(60)
    assert "前回のログアウト" in page
    assert "所属長" in page
