"""The walk of each night: when it is due, that one is enough, and that a walk which stumbles is tried again."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway import audit
from gateway.auditing import verification
from gateway.auditing.anchors import Anchor, Anchoring
from gateway.auditing.verification import VERIFIED, Verification
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from tests.build.transfer import DAY, NOW

MIDNIGHT = dt.datetime.fromtimestamp(NOW).astimezone().replace(hour=0, minute=0, second=0).timestamp()
FIVE = MIDNIGHT + 5 * 3_600


class Unsteady(Anchoring):
    """Its first walks fail with `faults`; then one takes until `ends`."""

    faults: tuple[Exception, ...] = ()
    ends: asyncio.Event | None = None

    async def verify(self, progress: Callable[[int], None] = lambda _: None) -> tuple[audit.Verified, list[Anchor], dict[str, str]]:
        if self.faults:
            error, *rest = self.faults
            self.faults = tuple(rest)
            raise error
        if self.ends is not None:
            await self.ends.wait()
        return await super().verify(progress)


class Night:
    """A walk at five, and the clock on the wall."""

    def __init__(self, journal: Journal) -> None:
        self.now = FIVE
        self.journal = journal
        self.anchoring = Unsteady(journal, [], lambda: self.now)
        self.walk = Verification(journal, self.anchoring, lambda: self.now)

    async def walks(self) -> list[str]:
        return [entry.actor async for entry in self.journal.entries() if entry.action == VERIFIED]


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield Night(journal)
    await journal.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0)


async def test_it_is_due_in_its_hour_and_once(night: Night) -> None:
    for minutes, due in ((-1, False), (0, True), (59, True), (60, False)):
        night.now = FIVE + 60 * minutes
        assert night.walk.due() is due, minutes
    night.now = FIVE
    await night.walk.verify("road")
    for later, due in ((60.0, False), (3_540.0, False), (DAY, True)):
        night.now = FIVE + later
        assert night.walk.due() is due, later


async def test_a_walk_that_stumbles_is_tried_again(night: Night, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(verification, "_LOOK_SECONDS", 0)
    night.anchoring.faults = (JournalUnavailableError("busy"), RuntimeError("a bug"))
    running = asyncio.ensure_future(night.walk.run())
    with caplog.at_level(logging.ERROR):
        await until(lambda: night.walk.last is not None)
    running.cancel()
    assert [record.getMessage() for record in caplog.records] == ["a chore has to wait", "a chore went wrong"]
    assert await night.walks() == ["road"]
    assert night.walk.walked is None


async def test_a_walk_of_a_page_ends_with_the_service(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_LOOK_SECONDS", 0)
    night.now = MIDNIGHT
    running = asyncio.ensure_future(night.walk.run())
    night.anchoring.ends = asyncio.Event()
    assert night.walk.begin("kansa")
    assert not night.walk.begin("kansa"), "one at a time"
    await until(lambda: night.walk.walked is not None)
    running.cancel()
    await until(lambda: not night.walk._walks)
    assert night.walk.walked is None
    assert (await night.walks(), night.walk.last) == ([], None)


async def test_a_walk_of_a_page_that_fails_is_said_and_may_be_asked_for_again(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    night.anchoring.faults = (JournalUnavailableError("busy"),)
    with caplog.at_level(logging.ERROR):
        assert night.walk.begin("kansa")
        await until(lambda: not night.walk._walks)
    assert [record.getMessage() for record in caplog.records] == ["the audit record could not be walked"]
    assert night.walk.begin("kansa")
    await until(lambda: not night.walk._walks)
    assert await night.walks() == ["kansa"]


async def test_a_report_uses_what_was_found_within_the_hour(night: Night) -> None:
    first = await night.walk.fresh()
    night.now += 3_599
    assert await night.walk.fresh() is first
    night.now += 1
    assert (await night.walk.fresh()).at == night.now
    assert await night.walks() == ["road", "road"]
