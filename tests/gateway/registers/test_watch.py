"""Critical alerts open a fault by themselves, once, and write down when it was over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.overview import Light, Tone
from gateway.registers import watch
from gateway.registers.incidents import Incident, Incidents, Kind
from gateway.registers.watch import Watch
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from tests.build.transfer import NOW


class House:
    """Lights that are switched by hand."""

    def __init__(self, journal: Journal) -> None:
        self.now = NOW
        self.stopped = False
        self.red: set[str] = set()
        self.incidents = Incidents(journal, lambda: self.now)
        self.watch = Watch(self.incidents, self.lights, self.halted)

    async def lights(self) -> list[Light]:
        names = ("service", "scanner:clamd", "disk", "next_hop")
        return [Light(name, (name, name), Tone.STOP if name in self.red else Tone.OK, ("言", "said")) for name in names]

    async def halted(self) -> bool:
        return self.stopped

    async def looked(self, times: int, *red: str) -> list[Incident]:
        self.red = set(red)
        for _ in range(times):
            self.now += 60
            await self.watch.look()
        return await self.incidents.listed()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield House(journal)
    await journal.stop()


async def test_a_fault_is_opened_once_and_recovers(house: House) -> None:
    assert await house.looked(2, "scanner:clamd", "service") == [], "no flicker"
    (one,) = await house.looked(5, "scanner:clamd", "service")
    assert (one.kind, one.recovered_at, one.opened_by) == (Kind.SCANNER, None, "road")
    (healed,) = await house.looked(1)
    assert (healed.state, healed.recovered_at) == ("open", house.now)
    found = await house.looked(3, "scanner:clamd")
    assert len(found) == 1, "it is written into the one that is open"
    assert len(await house.incidents.steps(found[0])) == 3


async def test_what_comes_and_goes_is_no_fault(house: House) -> None:
    for _ in range(5):
        await house.looked(2, "disk")
        assert await house.looked(1) == []


async def test_what_a_person_stopped_is_no_fault(house: House) -> None:
    house.stopped = True
    assert await house.looked(5, "service") == []
    house.stopped = False
    (one,) = await house.looked(3, "service")
    assert one.kind is Kind.SERVICE


async def test_what_a_person_owes_is_no_fault(house: House) -> None:
    assert await house.looked(5, "emergency") == []


async def test_a_new_start_knows_what_is_open(house: House) -> None:
    await house.looked(3, "disk")
    again = House.__new__(House)
    again.__dict__.update(house.__dict__)
    again.watch = Watch(again.incidents, again.lights, again.halted)
    assert len(await again.looked(3, "disk")) == 1
    (healed,) = await again.looked(1)
    assert healed.recovered_at is not None


async def test_two_troubles_are_two_faults(house: House) -> None:
    found = await house.looked(3, "disk", "next_hop")
    assert {one.kind for one in found} == {Kind.STORAGE, Kind.DELIVERY}


async def test_lights_that_cannot_be_looked_at_are_looked_at_again(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "_EVERY_SECONDS", 0)
    failures: list[Exception] = [OSError("no disk"), StorageError("busy")]

    async def lights() -> list[Light]:
        if failures:
            raise failures.pop()
        return [Light("disk", ("記憶域", "disk"), Tone.STOP, ("満杯", "full"))]

    running = asyncio.ensure_future(Watch(house.incidents, lights, house.halted).run())
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(20):
            while not await house.incidents.listed():
                await asyncio.sleep(0)
    running.cancel()
    assert [record.getMessage() for record in caplog.records] == ["a chore has to wait", "a chore went wrong"]
    assert [one.kind for one in await house.incidents.listed()] == [Kind.STORAGE]
