"""Is all well: each light goes to yellow and to red by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import overview as overview_module
from gateway.model import Door
from gateway.overview import Light, Overview, Tone
from gateway.scanners.interface import Answer, Clean, Failed
from gateway.scanners.panel import Panel, Seat
from gateway.storage.journal import Journal
from tests.build.transfer import NOW, arrival, claimed, held, settlement


class Usage(NamedTuple):
    total: int
    used: int
    free: int


class Scanner:
    name = "clamav"

    def __init__(self, answer: Answer, age: float | None = 0.0) -> None:
        self.answer, self.told = answer, age

    async def scan(self, _fd: int, _size: int) -> Answer:
        return self.answer

    async def age(self) -> float | None:
        return self.told


class Place:
    def __init__(self, journal: Journal, folder: Path) -> None:
        self.journal, self.folder, self.now, self.wrong = journal, folder, NOW, list[str]()
        self.panel = Panel()

    async def ready(self) -> list[str]:
        return self.wrong

    def overview(self) -> Overview:
        return Overview(self.journal, self.panel, versions=dict, ready=self.ready, folder=self.folder, clock=lambda: self.now)

    async def light(self, name: str) -> Light:
        (found,) = [light for light in await self.overview().lights() if light.name == name]
        return found


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield Place(journal, tmp_path)
    await journal.stop()


async def through(place: Place, *, at: float, seconds: float = 1.0, stays: bool = False, door: Door = Door.DROP) -> None:
    await place.journal.accept(arrival(received_at=at, door=door, recipients=("a",)))
    claim = claimed(await place.journal.claim(1, at=at, lease_until=at + 60))
    await place.journal.settle(claim, settlement(held()) if stays else settlement(), at=at + seconds)


async def test_an_empty_house_is_well(place: Place) -> None:
    lights = await place.overview().lights()
    assert [light.name for light in lights] == ["service", "queue", "next_hop", "speed", "disk"]
    assert {light.tone for light in lights if light.name != "disk"} == {Tone.OK}


async def test_what_stops_the_service_is_red_and_named(place: Place) -> None:
    place.wrong = ["intake is stopped"]
    light = await place.light("service")
    assert (light.tone, "intake is stopped" in light.said[0]) == (Tone.STOP, True)


@pytest.mark.parametrize(("age", "tone"), [(10, Tone.OK), (200, Tone.WAIT), (2_000, Tone.STOP)])
async def test_a_queue_that_does_not_move(place: Place, age: float, tone: Tone) -> None:
    await place.journal.accept(arrival(received_at=NOW - age))
    light = await place.light("queue")
    assert (light.tone, light.said[0][:2]) == (tone, "1件")


@pytest.mark.parametrize(("seconds", "tone"), [(1, Tone.OK), (100, Tone.WAIT), (1_000, Tone.STOP)])
async def test_slowness(place: Place, seconds: float, tone: Tone) -> None:
    for number in range(20):
        await through(place, at=NOW - 5_000 + number, seconds=seconds)
    assert (await place.light("speed")).tone is tone


async def test_one_slow_transfer_of_many_is_no_slowness(place: Place) -> None:
    for number in range(40):
        await through(place, at=NOW - 5_000 + number, seconds=1_000 if number == 3 else 1)
    assert (await place.light("speed")).tone is Tone.OK


@pytest.mark.parametrize(
    ("answer", "required", "tone"),
    [(Clean(), True, Tone.OK), (Failed("connection refused"), True, Tone.STOP), (Failed("connection refused"), False, Tone.WAIT)],
)
async def test_scanners(place: Place, answer: Answer, required: bool, tone: Tone) -> None:
    place.panel = Panel([Seat(Scanner(answer), required)])
    assert (await place.light("scanner:clamav")).tone is tone


async def test_old_signatures_are_red(place: Place) -> None:
    place.panel = Panel([Seat(Scanner(Clean(), age=10 * 86_400.0), stale_seconds=86_400.0)])
    assert (await place.light("scanner:clamav")).tone is Tone.STOP


@pytest.mark.parametrize(("free", "tone"), [(50, Tone.OK), (15, Tone.WAIT), (5, Tone.STOP)])
async def test_a_full_disk(place: Place, monkeypatch: pytest.MonkeyPatch, free: int, tone: Tone) -> None:
    monkeypatch.setattr(overview_module.shutil, "disk_usage", lambda _: Usage(100 << 30, 0, free << 30))
    light = await place.light("disk")
    assert (light.tone, f"空き {free}.0 GiB" in light.said[0]) == (tone, True)


async def test_today_stands_beside_the_same_time_a_week_ago(place: Place) -> None:
    week = 7 * 86_400.0
    for at in (NOW - 60, NOW - week - 60, NOW - week - 120):
        await through(place, at=at)
    await through(place, at=NOW - week + 3_600)         # later than now, that day
    await through(place, at=NOW - 30, stays=True)
    await place.journal.accept(arrival(received_at=NOW - 10))
    day = await place.overview().day()
    assert (day.today["sanitized"], day.today["held"], day.today["waiting"]) == (1, 1, 1)
    assert (day.week_ago["sanitized"], day.week_ago["held"]) == (2, 0)
    assert sum(sum(hour.values()) for hour in day.hours) == 3
    assert len(day.hours) == 24
