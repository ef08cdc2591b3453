"""The overview that keeps itself up to date: what it sends, when it stops, and what it costs."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from gateway.admin import charts
from gateway.admin.overview import OverviewDesk
from gateway.people.customs import Customs
from sanitizers.model import Verdict
from tests.build.face import Town, client, quick_passwords, town
from tests.build.transfer import NOW, held

EVENTS = "/api/v1/overview/events"


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    monkeypatch.setattr(OverviewDesk.__init__, "__kwdefaults__", {"live": 0.05})
    async with town(tmp_path) as made:
        yield made


async def told(stream: ClientResponse) -> tuple[str, dict[str, Any]]:
    """The next event, past heartbeats."""
    async with asyncio.timeout(20):
        while not (line := (await stream.content.readline()).decode()).startswith("event: "):
            assert line, "the stream ended"
        data = (await stream.content.readline()).decode()
    return line[7:].strip(), json.loads(data[6:])


async def test_a_new_transfer_is_told_and_silence_is_not(place: Town) -> None:
    async with client(place.faces["admin"]) as browser, browser.get(EVENTS, headers=await place.token("kansa")) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        name, first = await told(stream)
        assert (name, "まだありません" in first["html"]) == ("overview", True)
        number = await place.settled("<b>x</b>", held())
        shown = ""
        async with asyncio.timeout(20):
            while number not in shown:      # its first steps may be told before it waits for somebody
                shown = (await told(stream))[1]["html"]
        assert "<b>x</b>" not in shown, "what a sender says is text"


async def test_who_only_looks_is_not_kept_logged_in(place: Town) -> None:
    customs = Customs(second_factor="off", elevation=0, idle_privileged=0.5)
    async with town(place.folder / "other", customs=customs) as other, client(other.faces["admin"]) as browser:
        stream = await browser.get(EVENTS, headers=await other.token("kansa"))
        while (await told(stream))[0] != "end":
            pass
        assert await stream.content.read() == b"\n"


@pytest.mark.parametrize(("query", "login", "status"), [("?period=year", "kansa", 400), ("", "tanaka", 403)])
async def test_what_is_refused(place: Town, query: str, login: str, status: int) -> None:
    async with client(place.faces["admin"]) as browser:
        assert (await browser.get(EVENTS + query, headers=await place.token(login))).status == status


async def test_all_who_watch_cost_one_look(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    drawn = OverviewDesk._html

    async def counted(*given: Any) -> str:
        nonlocal looks
        looks += 1
        return await drawn(*given)

    monkeypatch.setattr(OverviewDesk, "_html", counted)
    monkeypatch.setattr(OverviewDesk.__init__, "__kwdefaults__", {"live": 1_000.0})
    async with town(place.folder / "other") as other, client(other.faces["admin"]) as browser:
        who = await other.token("kansa")
        pages = await asyncio.gather(*(browser.get("/", headers=who) for _ in range(8)))
        assert {page.status for page in pages} == {200}
    assert looks == 1


async def test_the_interface_tells_the_same(place: Town) -> None:
    await place.settled()
    async with client(place.faces["admin"]) as browser:
        answer = await (await browser.get("/api/v1/overview?period=month", headers=await place.token("kansa"))).json()
    assert len(answer["trend"]["stretches"]) == 30
    assert answer["trend"]["ranks"]["senders"] == [["tanaka", 1]]
    assert answer["day"]["today"]["sanitized"] == 1


def counts(**given: int) -> dict[str, int]:
    return dict.fromkeys((*Verdict, "waiting"), 0) | given


def test_a_chart_stands_on_its_floor_and_under_its_ceiling() -> None:
    made = charts.stacked([counts(clean=30, held=10, waiting=5), counts(), counts(sanitized=1)], NOW, 3600.0)
    assert [meant for _, meant in made.lines] == ["25", "50"]
    tall = made.bars[0].pieces
    assert [piece.look for piece in tall] == ["through", "stayed", "waiting"]
    assert tall[0].top + tall[0].height == charts.HEIGHT
    for below, above in itertools.pairwise(tall):
        assert above.top + above.height == pytest.approx(below.top, abs=0.2)
    assert made.bars[1].pieces == ()
    assert "通過 30、保留・遮断 10、処理中 5" in made.bars[0].said


@pytest.mark.parametrize(("highest", "line"), [(0, "2"), (2, "2"), (3, "5"), (10, "10"), (11, "20"), (99, "100"), (101, "200"), (5_001, "10,000")])
def test_the_line_above_means_a_round_number(highest: int, line: str) -> None:
    assert charts.stacked([counts(clean=highest)], NOW, 86_400.0).lines[-1][1] == line


def test_shares_are_of_the_longest_and_the_smallest_is_seen() -> None:
    assert [one.percent for one in charts.shares([("a", 1_000), ("b", 500), ("c", 1)])] == [100, 50, 1]
    assert charts.shares([]) == []
