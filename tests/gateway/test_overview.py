"""Is all well: each light goes to yellow and to red by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from sqlalchemy import Connection

from gateway import overview as overview_module
from gateway.doctor import timekeeping
from gateway.model import Door
from gateway.overview import Light, Overview, Period, Tone
from gateway.people.requests import Kind
from gateway.people.roles import Role
from gateway.scanners.interface import Answer, Clean, Failed
from gateway.scanners.panel import Panel, Seat
from gateway.storage import accounts as account_rows
from gateway.storage import approvals, crossings, publishing
from gateway.storage.accounts import Account
from gateway.storage.approvals import Request
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
        self.shown: dict[str, Path] = {}
        self.inner = False
        self.told: timekeeping.Clock | None = timekeeping.Clock(synchronised=True, offset=0.001, error=0.01)

    async def ready(self) -> list[str]:
        return self.wrong

    def overview(self) -> Overview:
        return Overview(
            self.journal,
            self.panel,
            versions=dict,
            ready=self.ready,
            folder=self.folder,
            clock=lambda: self.now,
            shown=self.shown,
            told=lambda: self.told,
            inner=self.inner,
        )

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
    assert [light.name for light in lights] == ["service", "queue", "next_hop", "held", "speed", "rules", "disk", "clock"]
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
    trend = await place.overview().trend(Period.TODAY)
    assert sum(sum(hour.values()) for hour in trend.stretches) == 3
    assert len(trend.stretches) == 24


@pytest.mark.parametrize(("period", "steps", "seen"), [(Period.TODAY, 24, 1), (Period.WEEK, 7, 2), (Period.MONTH, 30, 3)])
async def test_a_period_has_its_days_and_no_others(place: Place, period: Period, steps: int, seen: int) -> None:
    day = 86_400.0
    for at in (NOW - 60, NOW - 6 * day, NOW - 20 * day, NOW - 40 * day):
        await through(place, at=at)
    trend = await place.overview().trend(period)
    assert len(trend.stretches) == steps
    assert sum(sum(each.values()) for each in trend.stretches) == seen == sum(count for _, count in trend.ranks.senders)
    assert sum(trend.stretches[-1].values()) == (1 if period is not Period.TODAY else 0), "a day is a whole one of this place"


async def test_a_trend_is_kept_for_a_while(place: Place) -> None:
    overview = place.overview()
    await through(place, at=NOW - 60)
    first = await overview.trend(Period.WEEK)
    await through(place, at=NOW - 30)
    assert await overview.trend(Period.WEEK) is first
    place.now += 301
    assert sum((await overview.trend(Period.WEEK)).stretches[-1].values()) == 2


@pytest.mark.parametrize(
    ("told", "tone"),
    [
        (timekeeping.Clock(synchronised=True, offset=-0.02, error=0.1), Tone.OK),
        (timekeeping.Clock(synchronised=True, offset=-0.2, error=0.1), Tone.WAIT),
        (timekeeping.Clock(synchronised=True, offset=2.0, error=0.1), Tone.STOP),
        (timekeeping.Clock(synchronised=False, offset=0.0, error=16.0), Tone.WAIT),
        (None, Tone.WAIT),
    ],
)
async def test_a_clock_that_is_off(place: Place, told: timekeeping.Clock | None, tone: Tone) -> None:
    place.told = told
    assert (await place.light("clock")).tone is tone


@pytest.mark.parametrize(("days", "tone"), [(90, Tone.OK), (20, Tone.WAIT), (3, Tone.STOP), (-1, Tone.STOP)])
async def test_a_certificate_that_ends(place: Place, monkeypatch: pytest.MonkeyPatch, days: int, tone: Tone) -> None:
    monkeypatch.setattr(overview_module.certificates, "expires", lambda _: NOW + days * 86_400.0)
    place.shown = {"smtp": place.folder / "smtp.pem"}
    assert (await place.light("certificate:smtp")).tone is tone


async def test_a_certificate_that_cannot_be_read_is_red(place: Place) -> None:
    place.shown = {"smtp": place.folder / "none.pem"}
    assert (await place.light("certificate:smtp")).tone is Tone.STOP


async def test_what_the_next_hop_said_is_told(place: Place) -> None:
    await through(place, at=NOW - 100, door=Door.SMTP)
    [delivery] = await place.journal.claim_deliveries(1, at=NOW, lease_until=NOW + 60)
    [waiting] = delivery.recipients
    refused = msgspec.structs.replace(waiting, attempts=1, due=NOW + 600, code=451, text="4.7.1 greylisted")
    await place.journal.settle_delivery(delivery, [refused], None, at=NOW)
    light = await place.light("next_hop")
    assert "greylisted" in light.said[0]


async def test_rules_grow_old(place: Place) -> None:
    assert (await place.light("rules")).said[1] == "as they came with the product"
    files = {"a.yar": "rule A { condition: false }"}
    version = await place.journal.write(
        lambda connection: publishing.add(connection, publishing.Subject.RULES, files, "rules-2", at=NOW, author="sousa", note="")
    )
    await place.journal.write(
        lambda connection: publishing.put_in_force(connection, version, at=NOW, actor="kanri", reason="", action="rules.published")
    )
    for days, tone in ((1, Tone.OK), (91, Tone.WAIT), (366, Tone.WAIT)):
        place.now = NOW + days * 86_400
        light = await place.light("rules")
        assert (light.tone, str(days) in light.said[0]) == (tone, True)


async def test_the_other_side_that_falls_silent_is_seen(place: Place) -> None:
    assert "outer" not in [light.name for light in await place.overview().lights()]
    place.inner = True
    assert (await place.light("outer")).tone is Tone.WAIT
    record = crossings.Crossing(nonce="n", crossing="c", key="k", sha256="0" * 64, sent_at=NOW, at=NOW)
    await place.journal.write(lambda connection: crossings.again(connection, record))
    for days, tone in ((0, Tone.OK), (4, Tone.WAIT), (15, Tone.STOP)):
        place.now = NOW + days * 86_400
        assert (await place.light("outer")).tone is tone


async def test_an_emergency_exception_is_told_of_until_it_was_looked_at(place: Place) -> None:
    def known(connection: Connection) -> Account:
        number = account_rows.add(connection, login="kanri", name="", mail="", role=Role.ADMINISTRATOR, password_hash="", at=NOW, actor="a")
        made = account_rows.by_id(connection, number)
        assert made is not None
        return made

    who = await place.journal.write(known)

    def reported(connection: Connection, due: float, kind: Kind = Kind.EMERGENCY_REPORT) -> Request:
        return approvals.add(connection, kind=kind, subject="S-000001", detail={"due": due}, requester=who, persons=(), department_id=None,
                             reason="x", at=NOW, expires_at=NOW + 999)  # fmt: skip

    await place.journal.write(lambda connection: reported(connection, NOW - 1, Kind.REPORT))
    assert "emergency" not in [light.name for light in await place.overview().lights()]
    await place.journal.write(lambda connection: reported(connection, NOW + 50))
    first = await place.journal.write(lambda connection: reported(connection, NOW + 10))
    light = await place.light("emergency")
    assert (light.tone, light.said[0].startswith("CISOの確認待ち 2件（期限 20")) == (Tone.WAIT, True)
    place.now = NOW + 10
    assert (await place.light("emergency")).tone is Tone.STOP
    await place.journal.write(lambda connection: approvals.moved(connection, first, NOW, state=approvals.RequestState.APPROVED))
    assert (await place.light("emergency")).tone is Tone.WAIT
