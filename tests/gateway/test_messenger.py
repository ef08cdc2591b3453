"""A messenger whose journal fails, whose lease is over, or who meets a bug: nothing is lost, and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from gateway import messenger
from gateway.messenger import Custom, Messenger
from gateway.model import Addressee, Delivery, RecipientState, State
from gateway.storage.deliveries import POST
from gateway.storage.faults import JournalUnavailableError, LeaseLostError, StorageError
from gateway.storage.journal import Journal
from mail.retry import Schedule
from tests.build.road import released, state_of
from tests.build.transfer import NOW


class Failing(Journal):
    """The call named first in `faults` fails with the error beside it, once."""

    faults: list[tuple[str, Exception]]

    def _maybe(self, call: str) -> None:
        if self.faults and self.faults[0][0] == call:
            raise self.faults.pop(0)[1]

    async def claim_deliveries(self, *given: object, **named: object) -> list[Delivery]:
        self._maybe("claim")
        return await super().claim_deliveries(*given, **named)  # type: ignore[arg-type]

    async def settle_delivery(self, *given: object, **named: object) -> None:
        self._maybe("settle")
        await super().settle_delivery(*given, **named)  # type: ignore[arg-type]

    async def next_due(self, *given: object, **named: object) -> float | None:
        self._maybe("due")
        return await super().next_due(*given, **named)  # type: ignore[arg-type]


class Road:
    """Messengers of the post's way that carry by nodding, one at a time."""

    def __init__(self, journal: Failing) -> None:
        self.journal, self.now, self.carried = journal, NOW, 0
        self.lost: list[Exception] = []

    async def _carry(self, delivery: Delivery) -> list[Addressee]:
        self.carried += 1
        if self.lost:
            raise self.lost.pop()
        return [msgspec.structs.replace(one, state=RecipientState.DELIVERED, due=None, text="said") for one in delivery.recipients]

    async def until(self, over: Callable[[], Awaitable[bool]]) -> None:
        """One of them at work until then."""
        custom = Custom("test", POST, at_once=1, lease_seconds=60.0, poll_seconds=0.01)
        at_work = Messenger(self.journal, custom, self._carry, schedule=Schedule((60.0,), 600.0), clock=lambda: self.now)
        running = asyncio.create_task(at_work.run())
        async with asyncio.timeout(30):
            while not await over():
                assert not running.done(), running
                await asyncio.sleep(0.005)
            at_work.drain()
            await running

    async def until_delivered(self, number: int) -> None:
        async def there() -> bool:
            return await state_of(self.journal, number) is State.DELIVERED

        await self.until(there)

    async def until_told(self, log: pytest.LogCaptureFixture, text: str) -> None:
        async def told() -> bool:
            return text in log.text

        await self.until(told)


@pytest.fixture
async def road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Road]:
    monkeypatch.setattr(messenger, "_PAUSE_SECONDS", 0.0)
    journal = Failing(tmp_path / "sekisho.db")
    journal.faults = []
    await journal.start()
    yield Road(journal)
    await journal.stop()


async def test_a_journal_that_cannot_be_claimed_from_is_asked_again(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    road.journal.faults = [("claim", JournalUnavailableError("journal: away"))]
    await road.until_delivered(await released(road.journal))
    assert "nothing can be claimed" in caplog.text
    assert road.carried == 1


async def test_a_journal_that_does_not_know_what_is_due_is_looked_at_as_often_as_ever(road: Road) -> None:
    async def asked() -> bool:
        return not road.journal.faults

    road.journal.faults = [("due", JournalUnavailableError("journal: away"))]
    await road.until(asked)
    await road.until_delivered(await released(road.journal))
    assert road.carried == 1


async def test_what_could_not_be_settled_comes_again_with_its_next_lease(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    number = await released(road.journal)
    road.journal.faults = [("settle", StorageError("journal: full"))]
    await road.until_told(caplog, "a delivery could not be settled")
    assert (road.carried, await state_of(road.journal, number)) == (1, State.DELIVERING)
    road.now += 61
    await road.journal.return_leases(at=road.now, attempts=3)
    await road.until_delivered(number)
    assert road.carried == 2


async def test_a_late_messenger_is_fenced_off_and_takes_nothing_away(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    number = await released(road.journal)
    road.lost = [LeaseLostError("20261118-000001")]
    await road.until_told(caplog, "a late messenger was fenced off")
    assert await state_of(road.journal, number) is State.DELIVERING


async def test_a_bug_met_in_one_does_not_stop_the_others(road: Road, caplog: pytest.LogCaptureFixture) -> None:
    await released(road.journal)
    second = await released(road.journal, sender="another@example.com")
    road.lost = [ZeroDivisionError("a bug")]
    await road.until_delivered(second)
    assert "a delivery could not be brought" in caplog.text
    assert road.carried == 2
