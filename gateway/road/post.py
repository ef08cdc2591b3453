"""The road's side of the post: where the SMTP server hands messages in, and where the queue finds what goes out.

Implements the two protocols of `mail/`. A message is a sealed blob of kind eml; nobody here looks into it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final

import msgspec
from sqlalchemy import Connection

from gateway import model
from gateway.model import Addressee, Arrival, Door, RecipientState, Transfer, Way
from gateway.storage.blobs import Blobs, BlobWriter
from gateway.storage.deliveries import POST
from gateway.storage.faults import LeaseLostError, StorageError, StorageFullError
from gateway.storage.journal import Journal
from gateway.telemetry import log, metrics, tracing
from mail.authentication import Checker, Results, taken_over
from mail.envelope import Envelope, Wishes
from mail.intake import Overloaded
from mail.outbox import Delivery, Recipient, Result, Status
from sanitizers.model import Authentication

_log = log.get(__name__)

_NAME: Final = "message.eml"
# Longer than the slowest conversation that the relay allows itself.
_LEASE_SECONDS: Final = 1800.0
# Longer than the queue itself tries to have something written down.
_OWED_SECONDS: Final = 30.0
_Step = Callable[..., Awaitable[None]]
_LONGEST_TEXT: Final = 1_000
_STATES: Final[dict[Status, RecipientState]] = {
    "delivered": RecipientState.DELIVERED,
    "deferred": RecipientState.WAITING,
    "failed": RecipientState.FAILED,
}


class MailIntake:
    """Takes in mail for `domains`, or for those of `recipients` alone where that is given. `accepted` is told of each.

    `beside` writes in the same transaction.
    """

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        domains: Collection[str],
        *,
        recipients: Collection[str] | None = None,
        organisation: str = "",
        lane: str = model.INBOUND.name,
        clock: Callable[[], float] = time.time,
        accepted: Callable[[], None] = lambda: None,
        beside: Callable[[Connection, Arrival], None] = lambda _connection, _arrival: None,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._domains = frozenset(domain.lower() for domain in domains)
        self._organisation = organisation
        self._lane = lane
        self.know(recipients)
        self.shut(())
        self._clock = clock
        self._accepted = accepted
        self._beside = beside

    def accepts(self, recipient: str) -> bool:
        """Only a plain address in one of our domains: no spelling with a second destination in it is ours."""
        local, _, domain = recipient.rpartition("@")
        return bool(local) and not set(local) & set('@%!"<>,;:\\ ') and domain.lower() in self._domains

    def know(self, recipients: Collection[str] | None) -> None:
        """From now on these; None: everybody in our domains."""
        self._recipients = None if recipients is None else frozenset(address.lower() for address in recipients)

    def knows(self, recipient: str) -> bool:
        """Upper and lower case are one; the postmaster is always there (RFC 5321 4.5.1)."""
        address = recipient.lower()
        return self._recipients is None or address in self._recipients or address.startswith("postmaster@")

    def shut(self, addresses: Collection[str]) -> None:
        """From now on nothing is taken for these: their people may not receive mail (小諸市 対策基準 5.1(2)③)."""
        self._shut = frozenset(addresses)

    def admits(self, recipient: str) -> bool:
        """Of the addresses that accounts have; upper and lower case are one, and the postmaster is always there."""
        address = recipient.lower()
        return address not in self._shut or address.startswith("postmaster@")

    async def begin(self, envelope: Envelope) -> MailIncoming:
        """Raises Overloaded when there is no room."""
        try:
            writer = await self._blobs.begin(owner=self._organisation)
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
            wishes="" if envelope.wishes == Wishes() else msgspec.json.encode(envelope.wishes).decode(),
        )
        _, receipt_no = await self._journal.accept(arrival, self._beside)
        metrics.received(Door.SMTP, blob.size)
        tracing.taken_in(receipt_no, arrival.received_at, door=Door.SMTP.value, size=blob.size)
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


class SenderCheck:
    """What can be known of a mail's sender before it is converted: found out by `checker`, or believed of `upstream` when that is set."""

    def __init__(self, server: str, checker: Checker | None, *, upstream: str = "") -> None:
        self._server = server
        self._checker = checker
        self._upstream = upstream

    async def __call__(self, transfer: Transfer, source_fd: int) -> Authentication | None:
        """None for what did not come by SMTP, and where nobody is asked."""
        if transfer.door != Door.SMTP or not (self._upstream or self._checker):
            return None
        message = await asyncio.to_thread(os.pread, source_fd, transfer.size, 0)
        results = Results()
        if self._upstream:
            results = taken_over(message, self._upstream)
        elif self._checker is not None:
            results = await self._checker.check(message, client=transfer.client, sender=transfer.sender)
        return Authentication(
            server=self._upstream or self._server,
            sender=transfer.sender,
            spf=results.spf,
            dkim=results.dkim,
            dmarc=results.dmarc,
            arc=results.arc,
        )


class MailOutbox:
    """What the journal has for the next hop, in the post's words."""

    def __init__(self, journal: Journal, blobs: Blobs, *, way: Way = POST, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._blobs = blobs
        self._way = way
        self._clock = clock
        # With the moment since when, in seconds since 1970.
        self._leased: dict[str, tuple[model.Delivery, float]] = {}
        # How leases end that the journal has not heard of yet, and since when.
        self._owed: dict[str, tuple[_Step, float]] = {}

    async def claim(self, limit: int, now: float) -> list[Delivery]:
        await self._make_up(now)
        claimed = await self._journal.claim_deliveries(limit, at=now, lease_until=now + _LEASE_SECONDS, way=self._way)
        self._leased |= {_lease_id(delivery): (delivery, now) for delivery in claimed}
        return [_as_mail(delivery) for delivery in claimed]

    async def read(self, delivery: Delivery) -> bytes:
        """Checked against its digest."""
        return await self._blobs.read(self._known(delivery).blob)

    async def settle(self, delivery: Delivery, results: Sequence[Result], notice: bytes | None) -> None:
        """Raises LeaseLostError when the lease ran out."""
        leased, since = self._known(delivery), self._leased[delivery.id][1]
        bounce = None if notice is None or not leased.sender else await self._blobs.put(notice)
        outcomes = [_as_addressee(result) for result in results]
        await self._end(delivery.id, partial(self._journal.settle_delivery, leased, outcomes, bounce))
        for outcome in outcomes:
            metrics.delivered("mail", outcome.state)
        tracing.was("hand on", delivery.receipt_no, since, recipients=len(outcomes))

    async def next_due(self) -> float | None:
        return await self._journal.next_due(way=self._way)

    async def release(self, delivery: Delivery) -> None:
        await self._end(delivery.id, partial(self._journal.give_back_delivery, self._known(delivery)))

    async def _end(self, lease_id: str, step: _Step) -> None:
        """The lease is over with this step, or was before; if the journal fails, the post may come again, or `_make_up` does it."""
        at = self._clock()
        self._owed.setdefault(lease_id, (step, at))
        try:
            await step(at=at)
        except LeaseLostError:
            self._forget(lease_id)
            raise
        self._forget(lease_id)

    async def _make_up(self, now: float) -> None:
        """What the journal could not hear when it happened: nobody waits for a lease to run out whose end is known here."""
        for lease_id, (step, since) in list(self._owed.items()):
            if now - since >= _OWED_SECONDS:
                try:
                    await self._end(lease_id, step)
                except LeaseLostError:
                    _log.warning("a late messenger was fenced off", lease=lease_id.partition("-")[0])

    def _forget(self, lease_id: str) -> None:
        self._leased.pop(lease_id, None)
        self._owed.pop(lease_id, None)

    def _known(self, delivery: Delivery) -> model.Delivery:
        try:
            return self._leased[delivery.id][0]
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
        wishes=msgspec.json.decode(delivery.wishes, type=Wishes) if delivery.wishes else Wishes(),
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
