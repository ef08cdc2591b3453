"""The way out: claims what is due from the outbox, has it relayed, settles per recipient, sleeps until the next is due."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from mail import dsn
from mail.answer import Answer
from mail.connection import Outgoing
from mail.outbox import Delivery, Outbox, Result
from mail.retry import Gate, Schedule, attempts_before, retry_at

_log = logging.getLogger(__name__)

# Between two looks at the outbox when nobody wakes us: leases of a dead node, another process's transfers.
_POLL_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 2.0
# What was delivered must be written down, or it is delivered twice: a locked database gets this long.
_SETTLE_PAUSES: Final = (0.1, 0.5, 2.0, 5.0)


class Deliverer(Protocol):
    """`mail.relay.Relay`, or what stands in for it."""

    async def deliver(self, mail: Outgoing) -> list[Answer]:
        """One answer per recipient. Does not raise."""

    async def close(self) -> None:
        """Ends what is kept open."""


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`postmaster` sends the notices to senders; `delay_seconds`: when a sender who asked for it hears that his mail is late."""

    hostname: str = "localhost"
    postmaster: str = "postmaster@localhost"
    concurrency: int = 10
    schedule: Schedule = field(default_factory=Schedule)
    delay_seconds: float = 4 * 3600


class Queue:
    """Run it once; `wake` when something became due; `drain` to stop. `chance` spreads retries, from 0 to 1."""

    def __init__(
        self,
        outbox: Outbox,
        relay: Deliverer,
        settings: QueueSettings,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._relay = relay
        self._settings = settings
        # The attempt after which a sender hears that it takes longer.
        self._late = attempts_before(settings.schedule, settings.delay_seconds)
        self._clock = clock
        self._chance = chance
        self._gate = Gate()
        self._woken = asyncio.Event()
        self._draining = False
        self._busy = 0
        # Whether more may be due than was claimed last.
        self._more = True

    def wake(self) -> None:
        self._woken.set()

    def drain(self) -> None:
        """Begin nothing more; `run` returns when what is on the wire has its answer."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as crew:
                while not self._draining:
                    self._woken.clear()
                    claimed = await self._claim()
                    for delivery in claimed:
                        self._busy += 1
                        crew.create_task(self._work(delivery))
                    if not (claimed and self._more):
                        await self._sleep()
        finally:
            await self._relay.close()

    async def _claim(self) -> list[Delivery]:
        now = self._clock()
        # While the gate is shut, the one that tries has to come back first.
        room = self._gate.room(self._settings.concurrency - self._busy, now) if not (self._gate.shut and self._busy) else 0
        self._more = True
        if room <= 0:
            return []
        try:
            claimed = await self._outbox.claim(room, now)
        except Exception:
            _log.exception("nothing can be claimed from the outbox")
            await self._nap(_PAUSE_SECONDS)
            return []
        self._more = len(claimed) == room
        return claimed

    async def _sleep(self) -> None:
        """Until woken, until the next is due, or until it is time to look again anyway."""
        seconds = _POLL_SECONDS
        shut = self._gate.waits(self._clock())
        if shut:
            seconds = min(seconds, max(0.05, shut))
        elif self._busy < self._settings.concurrency and not (self._gate.shut and self._busy):
            seconds = await self._until_due(seconds)
        await self._nap(seconds)

    async def _until_due(self, seconds: float) -> float:
        try:
            due = await self._outbox.next_due()
        except Exception:
            _log.exception("the outbox does not answer")
            return min(seconds, _PAUSE_SECONDS)
        return seconds if due is None else min(seconds, max(0.05, due - self._clock()))

    async def _nap(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass  # time to look again

    # ------------------------------------------------------------------------------------------------- one delivery

    async def _work(self, delivery: Delivery) -> None:
        """One delivery to its settlement. What goes wrong with one does not stop the others; its lease brings it back."""
        try:
            results = await self._delivered(delivery)
            notice = self._notice(delivery, results)
            await self._finished(self._settled(delivery, results, notice))
            # Due before anything that was known of: the notice at once, the next attempt perhaps.
            sooner = notice is not None or any(result.status == "deferred" for result in results)
        except asyncio.CancelledError:
            raise
        except Exception:
            _log.exception("a delivery could not be settled", extra={"facts": {"receipt_no": delivery.receipt_no}})
            sooner = True
        finally:
            self._busy -= 1
        if sooner or self._more or self._gate.shut:
            self.wake()

    async def _delivered(self, delivery: Delivery) -> list[Result]:
        addresses = [recipient.address for recipient in delivery.recipients]
        try:
            message = await self._outbox.read(delivery)
            answers = await self._relay.deliver(
                Outgoing(delivery.sender, addresses, message, smtputf8=delivery.smtputf8, wishes=delivery.wishes)
            )
        except asyncio.CancelledError:
            await self._finished(self._released(delivery))
            raise
        except Exception:
            _log.exception("a delivery could not be tried", extra={"facts": {"receipt_no": delivery.receipt_no}})
            answers = [Answer(address, "deferred", 0, "4.3.0", "the message could not be read") for address in addresses]
        if answers and all(answer.unreached for answer in answers):
            self._gate.unreached(self._clock())
        else:
            self._gate.reached()
        return self._judged(delivery, answers)

    async def _settled(self, delivery: Delivery, results: list[Result], notice: bytes | None) -> None:
        for pause in _SETTLE_PAUSES:
            try:
                return await self._outbox.settle(delivery, results, notice)
            except Exception:
                _log.warning("a delivery has to be settled again", exc_info=True, extra={"facts": {"receipt_no": delivery.receipt_no}})
                await asyncio.sleep(pause)
        return await self._outbox.settle(delivery, results, notice)

    async def _released(self, delivery: Delivery) -> None:
        try:
            await self._outbox.release(delivery)
        except Exception:
            _log.warning("a lease has to run out", exc_info=True, extra={"facts": {"receipt_no": delivery.receipt_no}})

    @staticmethod
    async def _finished(work: Awaitable[None]) -> None:
        """To its end even when we are told to stop: what is known is written down first."""
        task = asyncio.ensure_future(work)
        stopped = False
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                stopped = True
        if stopped and not task.exception():
            raise asyncio.CancelledError
        task.result()

    def _judged(self, delivery: Delivery, answers: list[Answer]) -> list[Result]:
        now = self._clock()
        tried = {recipient.address: recipient.attempts for recipient in delivery.recipients}
        return [self._result(delivery, answer, tried[answer.address] + 1, now) for answer in answers]

    def _result(self, delivery: Delivery, answer: Answer, attempts: int, now: float) -> Result:
        if answer.status != "deferred":
            return _as_result(answer)
        again = retry_at(self._settings.schedule, attempts, delivery.first_at, now, self._chance())
        if again is None:
            # RFC 3463: delivery time expired. What was said last stays in the text.
            last = f"gave up after {attempts} attempts; the last: {answer.enhanced} {answer.text}"
            return Result(answer.address, "failed", answer.code, "5.4.7", last)
        return replace(_as_result(answer), retry_at=again)

    def _notice(self, delivery: Delivery, results: list[Result]) -> bytes | None:
        if not delivery.sender and any(result.status == "failed" for result in results):
            _log.warning("a mail without a sender could not be delivered", extra={"facts": {"receipt_no": delivery.receipt_no}})
        tried = {recipient.address: recipient.attempts + 1 for recipient in delivery.recipients}
        told = []
        for result in results:
            event = dsn.event_of(result, late=tried[result.address] == self._late)
            if event is not None and delivery.wishes.notify(result.address).wants(event):
                told.append(dsn.Told(result, event))
        told_by = self._settings
        return dsn.notice(delivery, told, hostname=told_by.hostname, postmaster=told_by.postmaster, now=self._clock())


def _as_result(answer: Answer) -> Result:
    return Result(answer.address, answer.status, answer.code, answer.enhanced, answer.text, passed_on=answer.passed_on)
