"""The outer side hands over what was released: claims what is due, writes its papers, has it carried, settles, sleeps.

It alone opens connections. Until the inner side has said that it has something, that is not delivered; what it has, it knows again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Final, NamedTuple, Protocol

import msgspec

from gateway import log, metrics, tracing
from gateway.crossing import papers as crossing
from gateway.crossing.papers import Papers
from gateway.model import ACROSS, Addressee, Delivery, Lane, Purpose, RecipientState, Slip, Transfer, Way
from gateway.receipts import Signer
from gateway.storage import crossings as rows
from gateway.storage import settling, slips
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import LeaseLostError, NoSuchTransferError, StorageError
from gateway.storage.journal import Journal
from mail.retry import Schedule, retry_at
from sanitizers.model import Verdict

_log = log.get(__name__)

_POLL_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 5.0
_AT_ONCE: Final = 4
_BLOCK: Final = 1 << 18
# One file at its slowest, and what its papers take.
_LEASE_SECONDS: Final = 1_800.0
_BOXES_AT_ONCE: Final = 100


class CarryError(Exception):
    """It did not get there, or nobody said so. One line. It is tried again."""


class Load(NamedTuple):
    """One thing ready to go. `head` is opening, papers and report; the content lies behind `fd`. Sizes in octets."""

    crossing: str
    receipt_no: str
    head: bytes
    fd: int
    size: int

    @property
    def length(self) -> int:
        return len(self.head) + self.size

    async def chunks(self) -> AsyncIterator[bytes]:
        """All that travels, in order."""
        yield self.head
        offset = 0
        while offset < self.size:
            block = await asyncio.to_thread(os.pread, self.fd, min(_BLOCK, self.size - offset), offset)
            if not block:
                raise CarryError("the content is shorter than its row says")
            yield block
            offset += len(block)


class Carrier(Protocol):
    """One way over."""

    async def carry(self, load: Load) -> None:
        """When this returns the other side has it, for good. Raises CarryError."""

    async def close(self) -> None: ...


class Pushing:
    """Run it once; `wake` when something was released; `drain` to stop."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        carrier: Carrier,
        signer: Signer,
        lane: Lane,
        *,
        schedule: Schedule,
        hold: float = 0.0,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._carrier = carrier
        self._signer = signer
        self._lane = lane
        self._schedule = schedule
        self._way = Way(ACROSS, hold)
        self._clock = clock
        self._chance = chance
        self._woken = asyncio.Event()
        self._draining = False

    def wake(self) -> None:
        self._woken.set()

    def drain(self) -> None:
        """Begin nothing more; `run` returns when what is on its way has its answer."""
        self._draining = True
        self.wake()

    async def run(self) -> None:
        try:
            while not self._draining:
                self._woken.clear()
                if claimed := await self._claim():
                    await asyncio.gather(*(self._work(delivery) for delivery in claimed))
                else:
                    await self._sleep()
        finally:
            await self._carrier.close()

    async def _claim(self) -> list[Delivery]:
        now = self._clock()
        try:
            await self._journal.write(lambda connection: rows.queue_boxes(connection, now, _BOXES_AT_ONCE))
            return await self._journal.claim_deliveries(_AT_ONCE, at=now, lease_until=now + _LEASE_SECONDS, way=self._way)
        except StorageError as error:
            _log.error("nothing can be claimed for the inner side", error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)
            return []

    async def _sleep(self) -> None:
        seconds = _POLL_SECONDS
        try:
            due = await self._journal.next_due(way=self._way)
        except StorageError:
            due = None
        if due is not None:
            seconds = min(seconds, max(0.05, due - self._clock()))
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _work(self, delivery: Delivery) -> None:
        """One delivery to its settlement. Nothing that goes wrong with one stops the others."""
        try:
            why = await self._carried(delivery)
            outcomes = [self._outcome(delivery, one, why) for one in delivery.recipients]
            await self._journal.settle_delivery(delivery, outcomes, None, at=self._clock())
            for outcome in outcomes:
                metrics.delivered("inner", outcome.state)
        except LeaseLostError:
            _log.warning("a late messenger was fenced off", receipt_no=delivery.receipt_no)
        except StorageError as error:
            # The lease runs out and it goes over once more: the inner side knows it again.
            _log.error("a delivery could not be settled", receipt_no=delivery.receipt_no, error=str(error))
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _carried(self, delivery: Delivery) -> str:
        """Why it is not over there; empty if it is."""
        try:
            async with opened(self._blobs, delivery.blob, check=True) as fd:
                with tracing.step("carry over", delivery.receipt_no, size=delivery.size):
                    await self._carrier.carry(await self._load(delivery, fd))
        except (CarryError, StorageError, NoSuchTransferError) as error:
            _log.warning("the inner side did not get something", receipt_no=delivery.receipt_no, error=str(error)[:300])
            return f"{type(error).__name__}: {error}"[:500]
        _log.info("the inner side has it", receipt_no=delivery.receipt_no, purpose=delivery.purpose)
        return ""

    def _outcome(self, delivery: Delivery, addressee: Addressee, why: str) -> Addressee:
        if not why:
            return msgspec.structs.replace(addressee, state=RecipientState.DELIVERED, due=None, text="inner side")
        again = retry_at(self._schedule, addressee.attempts, delivery.first_at, self._clock(), self._chance())
        state = RecipientState.FAILED if again is None else RecipientState.WAITING
        return msgspec.structs.replace(addressee, state=state, due=again, text=why)

    async def _load(self, delivery: Delivery, fd: int) -> Load:
        transfer = await self._journal.transfer(delivery.transfer_id)
        slip = await self._journal.ask(lambda connection: slips.of(connection, transfer.id))
        report, receipt = await self._journal.ask(lambda connection: settling.report_of(connection, transfer.id))
        carries = delivery.purpose.carries_transfer
        packed = settling.pack(report) if carries and report is not None else b""
        papers = self._papers(delivery, transfer, packed, receipt or "" if carries else "", slip)
        named = msgspec.structs.replace(papers, crossing=crossing.name_of(papers, delivery.id, delivery.first_at))
        head = crossing.sealed(named, self._signer, sent_at=self._clock()) + packed
        return Load(named.crossing, transfer.receipt_no, head, fd, delivery.size)

    def _papers(self, delivery: Delivery, transfer: Transfer, packed: bytes, receipt: str, slip: Slip | None) -> Papers:
        carries = delivery.purpose.carries_transfer
        return Papers(
            crossing="",
            nonce="",
            sent_at=0.0,
            key=self._signer.id,
            lane=self._lane.name,
            source=self._lane.source.name,
            target=self._lane.target.name,
            purpose=delivery.purpose,
            receipt_no=transfer.receipt_no,
            organisation=transfer.organisation,
            door=transfer.door,
            sender=transfer.sender,
            recipients=_recipients(delivery, transfer),
            received_at=transfer.received_at,
            name=transfer.name,
            input_sha256=transfer.sha256,
            input_size=transfer.size,
            smtputf8=transfer.smtputf8,
            wishes=delivery.wishes,
            sha256=delivery.blob,
            size=delivery.size,
            report_sha256=hashlib.sha256(packed).hexdigest(),
            report_size=len(packed),
            verdict=transfer.verdict or Verdict.HELD,
            reason=transfer.reason,
            policy=transfer.policy,
            rules=transfer.rules,
            message_id=transfer.message_id if carries else None,
            subject=transfer.subject if carries else None,
            slip=slip if carries else None,
            result=transfer.result if carries else None,
            receipt=receipt,
        )


def _recipients(delivery: Delivery, transfer: Transfer) -> tuple[str, ...]:
    """Of a file all of them: which are shares and which are boxes, the inner side knows."""
    if delivery.purpose in (Purpose.SHARE, Purpose.BOX):
        return transfer.recipients
    return tuple(one.address for one in delivery.recipients)
