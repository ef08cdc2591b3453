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

from gateway.crossing import papers as crossing
from gateway.crossing.papers import Papers
from gateway.messenger import Custom, Messenger
from gateway.model import ACROSS, Addressee, Delivery, Lane, Purpose, RecipientState, Slip, Transfer, Way
from gateway.receipts import Signer
from gateway.storage import crossings as rows
from gateway.storage import settling, slips
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import NoSuchTransferError, StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log, tracing
from mail.retry import Schedule
from sanitizers.model import Verdict

_log = log.get(__name__)

_POLL_SECONDS: Final = 2.0
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
        """All that travels, in order. Raises CarryError."""
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
        self._clock = clock
        custom = Custom("inner", Way(ACROSS, hold), _AT_ONCE, _LEASE_SECONDS, _POLL_SECONDS)
        self._messenger = Messenger(journal, custom, self._all, schedule=schedule, before=self._queue, clock=clock, chance=chance)
        self.wake = self._messenger.wake
        self.drain = self._messenger.drain

    async def run(self) -> None:
        try:
            await self._messenger.run()
        finally:
            await self._carrier.close()

    async def _queue(self, now: float) -> None:
        await self._journal.write(lambda connection: rows.queue_boxes(connection, now, _BOXES_AT_ONCE))

    async def _all(self, delivery: Delivery) -> list[Addressee]:
        """All addressees of a delivery go over in one."""
        if why := await self._carried(delivery):
            return [self._messenger.late(delivery, one, why) for one in delivery.recipients]
        over = {"state": RecipientState.DELIVERED, "due": None, "text": "inner side"}
        return [msgspec.structs.replace(one, **over) for one in delivery.recipients]

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
