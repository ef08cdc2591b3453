"""The way out: claims what is due from the outbox, has it relayed, settles per recipient, sleeps until the next is due."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mail import dsn
from mail.outbox import Delivery, Outbox, Result
from mail.relay import Answer, Relay
from mail.retry import Schedule, retry_at

_log = logging.getLogger(__name__)

# Between two looks at the outbox when nobody wakes us: leases of a dead node, another process's transfers.
_POLL_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`postmaster` sends the notices to senders."""

    hostname: str = "localhost"
    postmaster: str = "postmaster@localhost"
    concurrency: int = 10
    schedule: Schedule = field(default_factory=Schedule)


class Queue:
    """Run it once; `wake` when something became due; `drain` to stop."""

    def __init__(self, outbox: Outbox, relay: Relay, settings: QueueSettings, clock: Callable[[], float] = time.time) -> None:
        self._outbox = outbox
        self._relay = relay
        self._settings = settings
        self._clock = clock
        self._woken = asyncio.Event()
        self._draining = False
        self._busy = 0

    def wake(self) -> None:
        self._woken.set()

    def drain(self) -> None:
        """Begin nothing more; `run` returns when what is on the wire has its answer."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as crew:
            while not self._draining:
                self._woken.clear()
                claimed = await self._claim()
                for delivery in claimed:
                    self._busy += 1
                    crew.create_task(self._work(delivery))
                if not claimed:
                    await self._sleep()
        await self._relay.close()

    async def _claim(self) -> list[Delivery]:
        free = self._settings.concurrency - self._busy
        if free <= 0:
            return []
        try:
            return await self._outbox.claim(free, self._clock())
        except Exception:
            _log.exception("nothing can be claimed from the outbox")
            await asyncio.sleep(_PAUSE_SECONDS)
            return []

    async def _sleep(self) -> None:
        seconds = _POLL_SECONDS
        if self._busy < self._settings.concurrency:
            try:
                due = await self._outbox.next_due()
            except Exception:
                _log.exception("the outbox does not answer")
                due = None
            if due is not None:
                seconds = min(seconds, max(0.05, due - self._clock()))
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass  # time to look again

    async def _work(self, delivery: Delivery) -> None:
        """One delivery to its settlement. What goes wrong with one does not stop the others; its lease brings it back."""
        try:
            message = await self._outbox.read(delivery)
            addresses = [recipient.address for recipient in delivery.recipients]
            answers = await self._relay.deliver(delivery.sender, addresses, message, smtputf8=delivery.smtputf8)
            results = self._judged(delivery, answers)
            await self._outbox.settle(delivery, results, self._notice(delivery, results))
        except asyncio.CancelledError:
            await asyncio.shield(self._outbox.release(delivery))
            raise
        except Exception:
            _log.exception("a delivery could not be settled: %s", delivery.receipt_no)
        finally:
            self._busy -= 1
            self.wake()

    def _judged(self, delivery: Delivery, answers: list[Answer]) -> list[Result]:
        now = self._clock()
        tried = {recipient.address: recipient.attempts for recipient in delivery.recipients}
        return [self._result(delivery, answer, tried[answer.address] + 1, now) for answer in answers]

    def _result(self, delivery: Delivery, answer: Answer, attempts: int, now: float) -> Result:
        if answer.status != "deferred":
            return Result(*answer)
        again = retry_at(self._settings.schedule, attempts, delivery.first_at, now, random.random())  # noqa: S311 - only spreads load
        if again is None:
            return Result(answer.address, "failed", answer.code, answer.enhanced, f"{answer.text} (gave up)")
        return Result(*answer, retry_at=again)

    def _notice(self, delivery: Delivery, results: list[Result]) -> bytes | None:
        failed = [result for result in results if result.status == "failed"]
        settings = self._settings
        return dsn.notice(delivery, failed, hostname=settings.hostname, postmaster=settings.postmaster, now=self._clock())
