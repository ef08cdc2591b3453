"""What every messenger of the road does between two deliveries: claims what is due for one way, settles what came of it, sleeps.

Post has rounds of its own (`mail.queue`): a next hop that refuses is left alone there.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import msgspec

from gateway.model import Addressee, Delivery, RecipientState, Way
from gateway.storage.faults import LeaseLostError, StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log, metrics
from mail.retry import Schedule, retry_at

_log = log.get(__name__)

# After trouble with the journal.
_PAUSE_SECONDS: Final = 5.0
# Between "it is due" and the question for it: a clock that runs a little behind must not make a busy loop.
_SHORTEST_SECONDS: Final = 0.05

Carry = Callable[[Delivery], Awaitable[list[Addressee]]]


class Custom(NamedTuple):
    """How one messenger goes about it. `name`: as meters and the log call it. Seconds."""

    name: str
    way: Way
    at_once: int
    lease_seconds: float
    poll_seconds: float


class Messenger:
    """Run it once; `wake` when something became due; `drain` to stop.

    `carry` brings one delivery to all its addressees and says what became of each; StorageError of it counts as not settled.
    `before` is called ahead of each claim: rows may have to be made due first.
    """

    def __init__(
        self,
        journal: Journal,
        custom: Custom,
        carry: Carry,
        *,
        schedule: Schedule,
        before: Callable[[float], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._journal = journal
        self._custom = custom
        self._carry = carry
        self._before = before
        self._schedule = schedule
        self._clock = clock
        self._chance = chance
        self._woken = asyncio.Event()
        self._draining = False
        self._busy = 0

    def wake(self) -> None:
        self._woken.set()

    def drain(self) -> None:
        """Begin nothing more; `run` returns when what is on its way has its answer."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        """Until `drain`. A slow delivery keeps one place, and the others go on."""
        async with asyncio.TaskGroup() as crew:
            while not self._draining:
                self._woken.clear()
                claimed = await self._claim()
                for delivery in claimed:
                    self._busy += 1
                    crew.create_task(self._work(delivery))
                if not claimed:
                    await self._sleep()

    def late(self, delivery: Delivery, addressee: Addressee, why: str) -> Addressee:
        """Tried again by the schedule; given up at its end."""
        again = retry_at(self._schedule, addressee.attempts, delivery.first_at, self._clock(), self._chance())
        state = RecipientState.FAILED if again is None else RecipientState.WAITING
        return msgspec.structs.replace(addressee, state=state, due=again, text=why)

    async def _claim(self) -> list[Delivery]:
        now, free = self._clock(), self._custom.at_once - self._busy
        if free <= 0:
            return []
        try:
            if self._before is not None:
                await self._before(now)
            return await self._journal.claim_deliveries(free, at=now, lease_until=now + self._custom.lease_seconds, way=self._custom.way)
        except StorageError as error:
            _log.error("nothing can be claimed", way=self._custom.name, error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            return []

    async def _sleep(self) -> None:
        """Until woken, until the next is due, or until it is time to look again anyway; at work with all hands, until one is free."""
        seconds = self._custom.poll_seconds
        if self._busy < self._custom.at_once:
            try:
                due = await self._journal.next_due(way=self._custom.way)
            except StorageError:
                due = None
            if due is not None:
                seconds = min(seconds, max(_SHORTEST_SECONDS, due - self._clock()))
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass    # time to look again

    async def _work(self, delivery: Delivery) -> None:
        """One delivery to its settlement. Nothing that goes wrong with one stops the others."""
        try:
            outcomes = await self._carry(delivery)
            await self._journal.settle_delivery(delivery, outcomes, None, at=self._clock())
            for outcome in outcomes:
                metrics.delivered(self._custom.name, outcome.state)
        except LeaseLostError:
            _log.warning("a late messenger was fenced off", receipt_no=delivery.receipt_no)
        except StorageError as error:
            # The lease runs out and it is brought once more: who has it knows it again.
            _log.error("a delivery could not be settled", receipt_no=delivery.receipt_no, error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
        except Exception:  # noqa: BLE001 - a bug met in one delivery: its lease brings it back, and the others go on
            _log.exception("a delivery could not be brought", receipt_no=delivery.receipt_no)
        finally:
            self._busy -= 1
            self.wake()
