"""Looks that cannot be had: each is an answer of its own, and each was written down before."""

from __future__ import annotations

import msgspec
import pytest

from gateway.requests.operating import Deed, Operating
from gateway.road.previews import BusyError, Previews, Seen
from gateway.road.workers import JailUnavailable
from gateway.web import preview_pages
from sanitizers.model import Job
from sanitizers.preview_words import Look, Shown
from tests.build.face import Town, client
from tests.build.transfer import BODY, NOW, digest, held

pytestmark = pytest.mark.asyncio

ONE = "/api/v1/transfers/{}/preview"


async def looks(place: Town, number: str) -> int:
    return len([entry async for entry in place.journal.entries(subject=number) if entry.action == "file.previewed"])


@pytest.mark.parametrize(
    ("error", "status"),
    [(BusyError(), 503), (JailUnavailable("no walls"), 503), (msgspec.ValidationError("part"), 400)],
    ids=["too many look", "no jail", "no such part"],
)
async def test_what_stops_a_look(place: Town, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    async def stopped(*_: object) -> Seen:
        raise error

    monkeypatch.setattr(Previews, "_asked", stopped)
    number, head = await place.settled(), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for path in ("/original", "/original/page.png", "/result", "/difference"):
            assert (await browser.get(ONE.format(number) + path, headers=head)).status == status, path
        for path in ("", "/original"):
            assert (await browser.get(f"/transfers/{number}/preview{path}", headers=head)).status == status, path
    assert await looks(place, number) == 2, "one look at each side"


async def test_a_file_that_is_gone_is_not_shown(place: Town) -> None:
    number, head = await place.settled(), await place.token("sousa")
    await place.blobs.delete(digest(BODY))
    async with client(place.faces["admin"]) as browser:
        for path in ("/original", "/original/page.png", "/difference"):
            assert (await browser.get(ONE.format(number) + path, headers=head)).status == 404, path


async def test_a_page_that_cannot_be_drawn_is_no_picture(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def undrawn(_: Previews, __: int, job: Job) -> Seen:
        assert isinstance(job.look, Look)
        return Seen(Shown(name=job.name, kind="pdf", fault="malformed"))

    monkeypatch.setattr(Previews, "_asked", undrawn)
    number, head = await place.settled(), await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for path in ("/original/page.png", "/difference"):
            answer = await browser.get(ONE.format(number) + path, headers=head)
            told = await answer.json()
            assert (answer.status, told["receipt_no"], bool(told["detail"])) == (422, number, True), path


async def test_what_has_neither_side_any_more_has_a_page_that_says_so(place: Town) -> None:
    number, head = await place.settled(given=held()), await place.token("sousa")
    await Operating(place.journal, place.seal, place.clock).act(Deed.DELETE, await place.journal.find(number), actor="sousa", note="x")
    async with client(place.faces["admin"]) as browser:
        for path in ("", "/original", "/result"):
            answer = await browser.get(f"/transfers/{number}/preview{path}", headers=head)
            assert (answer.status, number in await answer.text()) == (404, True), path
        for path in ("/original", "/result", "/difference"):
            assert (await browser.get(ONE.format(number) + path, headers=head)).status == 404, path
    assert await looks(place, number) == 0


async def test_many_who_look_are_all_written_down(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered so that one look is one line is given up before it grows."""
    async def empty(_: Previews, __: int, job: Job) -> Seen:
        return Seen(Shown(name=job.name, kind="txt"))

    monkeypatch.setattr(Previews, "_asked", empty)
    monkeypatch.setattr(preview_pages, "_MOST_REMEMBERED", 1)
    numbers, head = [await place.settled() for _ in range(2)], await place.token("sousa")
    async with client(place.faces["admin"]) as browser:
        for number in (*numbers, numbers[0]):
            assert (await browser.get(ONE.format(number) + "/original", headers=head)).status == 200
    assert [await looks(place, number) for number in numbers] == [2, 1]
    assert place.clock() == NOW
