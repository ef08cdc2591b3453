"""The road's side of the post: where the SMTP server hands messages in, where the queue finds what goes out, and the notices.

Implements the two protocols of `mail/`. A message is a sealed blob of kind eml; nobody here looks into it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final

from gateway import log, model
from gateway.model import Addressee, Arrival, Door, RecipientState, Transfer
from gateway.notices import Office, held_notice
from gateway.storage.blobs import Blobs, BlobWriter
from gateway.storage.faults import LeaseLostError, StorageError, StorageFullError
from gateway.storage.journal import Journal
from mail.envelope import Envelope
from mail.intake import Overloaded
from mail.outbox import Delivery, Recipient, Result, Status

_log = log.get(__name__)

_NAME: Final = "message.eml"
# Longer than the slowest conversation that the relay allows itself.
_LEASE_SECONDS: Final = 1800.0
_POLL_SECONDS: Final = 30.0
_LONGEST_TEXT: Final = 1_000
_STATES: Final[dict[Status, RecipientState]] = {
    "delivered": RecipientState.DELIVERED,
    "deferred": RecipientState.WAITING,
    "failed": RecipientState.FAILED,
}


class MailIntake:
    """Takes in mail for `domains`. `accepted` is told of each."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        domains: Collection[str],
        *,
        organisation: str = "",
        lane: str = model.INBOUND.name,
        clock: Callable[[], float] = time.time,
        accepted: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._domains = frozenset(domain.lower() for domain in domains)
        self._organisation = organisation
        self._lane = lane
        self._clock = clock
        self._accepted = accepted

    def accepts(self, recipient: str) -> bool:
        """Only a plain address in one of our domains: no spelling with a second destination in it is ours."""
        local, _, domain = recipient.rpartition("@")
        return bool(local) and not set(local) & set('@%!"<>,;:\\ ') and domain.lower() in self._domains

    async def begin(self, envelope: Envelope) -> MailIncoming:
        """Raises Overloaded when there is no room."""
        try:
            writer = await self._blobs.begin()
        except StorageFullError as error:
            raise Overloaded(str(error)) from error
        return MailIncoming(self, envelope, writer)

    async def accept(self, envelope: Envelope, writer: BlobWriter) -> str:
        """Body durable, then row durable, then the number. A crash in between leaves a blob that the sweep takes."""
        blob = await writer.commit()
        arrival = Arrival(
            door=Door.SMTP,
            name=_NAME,
            size=blob.size,
            sha256=blob.digest,
            received_at=self._clock(),
            sender=envelope.sender,
            recipients=tuple(dict.fromkeys(envelope.recipients)),
            organisation=self._organisation,
            lane=self._lane,
            client=envelope.client_ip,
            smtputf8=envelope.smtputf8,
        )
        _, receipt_no = await self._journal.accept(arrival)
        self._accepted()
        return receipt_no


class MailIncoming:
    """One message on its way in."""

    def __init__(self, intake: MailIntake, envelope: Envelope, writer: BlobWriter) -> None:
        self._intake = intake
        self._envelope = envelope
        self._writer = writer

    async def write(self, chunk: bytes) -> None:
        await self._writer.write(chunk)

    async def commit(self) -> str:
        return await self._intake.accept(self._envelope, self._writer)

    async def abort(self) -> None:
        try:
            await self._writer.abort()
        except StorageError as error:
            # The next start removes what is left of it.
            _log.warning("an unfinished message could not be removed", error=str(error))


class MailOutbox:
    """What the journal has for the next hop, in the post's words."""

    def __init__(self, journal: Journal, blobs: Blobs, *, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._blobs = blobs
        self._clock = clock
        self._leased: dict[str, model.Delivery] = {}

    async def claim(self, limit: int, now: float) -> list[Delivery]:
        claimed = await self._journal.claim_deliveries(limit, at=now, lease_until=now + _LEASE_SECONDS)
        self._leased |= {_lease_id(delivery): delivery for delivery in claimed}
        return [_as_mail(delivery) for delivery in claimed]

    async def read(self, delivery: Delivery) -> bytes:
        """Checked against its digest."""
        return await self._blobs.read(self._known(delivery).blob)

    async def settle(self, delivery: Delivery, results: Sequence[Result], notice: bytes | None) -> None:
        """Raises LeaseLostError when the lease ran out."""
        leased = self._known(delivery)
        bounce = None if notice is None or not leased.sender else await self._blobs.put(notice)
        await self._end(delivery, self._journal.settle_delivery(leased, [*map(_as_addressee, results)], bounce, at=self._clock()))

    async def next_due(self) -> float | None:
        return await self._journal.next_due()

    async def release(self, delivery: Delivery) -> None:
        await self._end(delivery, self._journal.give_back_delivery(self._known(delivery), at=self._clock()))

    async def _end(self, delivery: Delivery, step: Awaitable[None]) -> None:
        """The lease is over with this step, or was before; if the journal fails, the post may come again."""
        try:
            await step
        except LeaseLostError:
            del self._leased[delivery.id]
            raise
        del self._leased[delivery.id]

    def _known(self, delivery: Delivery) -> model.Delivery:
        try:
            return self._leased[delivery.id]
        except KeyError:
            raise LeaseLostError(delivery.receipt_no) from None


def _lease_id(delivery: model.Delivery) -> str:
    """Of this lease alone: whoever comes late with an older one is not taken for its successor."""
    return f"{delivery.id}-{delivery.token[:12]}"


def _as_mail(delivery: model.Delivery) -> Delivery:
    return Delivery(
        id=_lease_id(delivery),
        receipt_no=delivery.receipt_no,
        sender=delivery.sender,
        # The journal has counted this attempt already; the post asks how many there were before.
        recipients=tuple(Recipient(one.address, one.attempts - 1) for one in delivery.recipients),
        first_at=delivery.first_at,
        size=delivery.size,
        smtputf8=delivery.smtputf8,
    )


def _as_addressee(result: Result) -> Addressee:
    return Addressee(
        address=result.address,
        state=_STATES[result.status],
        due=result.retry_at,
        code=result.code,
        enhanced=result.enhanced,
        text=result.text[:_LONGEST_TEXT],
    )


class Notifier:
    """Writes the notices that held and blocked mails owe their recipients. `queued` is told of each."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        office: Office,
        *,
        clock: Callable[[], float] = time.time,
        queued: Callable[[], None] = lambda: None,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._office = office
        self._clock = clock
        self._queued = queued
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something stays inside."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. What is owed stands in the journal, so that no crash forgets it."""
        while True:
            self._woken.clear()
            await self.send_owed()
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def send_owed(self) -> None:
        try:
            owed = await self._journal.owed_notices()
        except StorageError as error:
            _log.error("notices have to wait", error=str(error))
            return
        for transfer in owed:
            try:
                await self._send(transfer)
            except Exception:  # noqa: BLE001 - one notice that cannot be written keeps no other back; it stays owed
                _log.exception("a notice has to wait", receipt_no=transfer.receipt_no)

    async def _send(self, transfer: Transfer) -> None:
        at = self._clock()
        report = await self._journal.report(transfer.id)
        content = await self._blobs.put(held_notice(transfer, report, self._office, at))
        await self._journal.queue_notice(transfer.id, content, at=at)
        _log.info("notice queued", receipt_no=transfer.receipt_no, recipients=len(transfer.recipients))
        self._queued()
