"""A browser that watches its transfer sees each state and part as it comes, and nobody else's."""

from __future__ import annotations

import asyncio
import json

from gateway.web import events
from tests.build.face import Town, client
from tests.build.transfer import NOW, claimed, held


async def test_the_way_of_an_upload(place: Town) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        told = await (await browser.post("/api/v1/transfers", data=b"content", headers=tanaka)).json()
        stream = await browser.get(f"/api/v1/transfers/{told['receipt_no']}/events", headers=tanaka)
        assert stream.content_type == "text/event-stream"
        seen = [await stream.content.readuntil(b"\n\n")]
        assert place.pipeline is not None
        place.workers.answer = lambda _job, _source: held()
        claim = claimed(await place.journal.claim(1, at=NOW, lease_until=NOW + 60))
        place.pipeline.progress.part(claim.transfer.id, "図面/a.dxf")
        seen += [await stream.content.readuntil(b"\n\n"), await stream.content.readuntil(b"\n\n")]
        await place.pipeline.process(claim)
        seen += (await stream.content.read()).strip().split(b"\n\n")
    said = [(lines[0].removeprefix(b"event: "), json.loads(lines[1].removeprefix(b"data: "))) for lines in (one.split(b"\n") for one in seen if one)]
    assert [data["state"] for event, data in said if event == b"state"] == ["received", "processing", "held"]
    assert next(data for event, data in said if event == b"part") == {"parts": 1, "name": "図面/a.dxf"}
    assert said[-1][1]["reason"] == "encrypted", "and then it is over"


async def test_what_stands_still_is_told_once(place: Town) -> None:
    tanaka, receipt_no = await place.token("tanaka"), await place.settled()
    async with client(place.faces["pickup"]) as browser:
        text = await (await browser.get(f"/api/v1/transfers/{receipt_no}/events", headers=tanaka)).text()
    assert text.count("event: state") == 1
    assert '"state": "released"' in text


async def test_anothers_transfer_cannot_be_watched(place: Town) -> None:
    suzuki, receipt_no = await place.token("suzuki"), await place.settled()
    for face, status in (("drop", 404), ("pickup", 403)):
        async with client(place.faces[face]) as browser:
            assert (await browser.get(f"/api/v1/transfers/{receipt_no}/events", headers=suzuki)).status == status


async def test_watchers_are_limited_and_leave(place: Town, monkeypatch: object) -> None:
    tanaka = await place.token("tanaka")
    async with client(place.faces["drop"]) as browser:
        told = await (await browser.post("/api/v1/transfers", data=b"content", headers=tanaka)).json()
        path = f"/api/v1/transfers/{told['receipt_no']}/events"
        monkeypatch.setattr(events, "_MOST_WATCHERS", 1)  # type: ignore[attr-defined]
        first = await browser.get(path, headers=tanaka)
        assert (await browser.get(path, headers=tanaka)).status == 503
        first.close()
        for _ in range(40):
            await asyncio.sleep(0.05)
            again = await browser.get(path, headers=tanaka)
            again.close()
            if again.status == 200:
                break
        assert again.status == 200
