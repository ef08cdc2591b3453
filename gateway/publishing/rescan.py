"""A second look: when rules, lists or signatures change, what is kept of the last days is looked at again, behind the service's own work.

Originals and results go through the jail with the rules in force and past the scanners from outside. What is known to be bad only now (a
late hit) is written into the record with who has received it, told to the postmaster, and stopped where it has not left yet.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from prometheus_client import Counter
from sqlalchemy import Connection

from gateway.model import IllegalTransitionError, Purpose, State, Transfer
from gateway.policy import Policy
from gateway.publishing.versions import Publishing, Subject
from gateway.road.orders import Orders
from gateway.road.workers import JailUnavailable, Workers
from gateway.scanners.interface import Found
from gateway.scanners.panel import Panel, Ruling
from gateway.storage import deliveries
from gateway.storage import rescans as rows
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import BlobDamagedError, BlobMissingError, LeaseLostError, NoSuchTransferError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.rescans import Rescan
from gateway.telemetry import log
from gateway.telling import notices
from gateway.telling.notices import Office
from sanitizers.model import Report, Severity

_log = log.get(__name__)

_LOOK_SECONDS: Final = 60.0
_LEASE_SECONDS: Final = 600.0
_PAGE: Final = 50
_DAY_SECONDS: Final = 86_400.0
# A scanner tells the date of its signatures as their age: what differs by less is the same date.
_SAME_SECONDS: Final = 600.0
_late = Counter("sekisho_late_hits", "渡した後に脅威が見つかった数 / transfers let through in which something was found later")


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What a look is with: numbers of versions, and dates. `signatures`: scanner → date of its signatures, seconds since 1970."""

    rules: int = 0
    lists: int = 0
    signatures: dict[str, float] = {}

    def same(self, other: Cause) -> bool:
        """Whether nothing new would be found for the other's sake; signatures made within `_SAME_SECONDS` count as the same."""
        return (
            (self.rules, self.lists) == (other.rules, other.lists)
            and self.signatures.keys() == other.signatures.keys()
            and all(abs(made - other.signatures[name]) < _SAME_SECONDS for name, made in self.signatures.items())
        )


class Rescans:
    """`new_workers` makes workers of low priority. `policy`: the one in force. `days`: how far back; 0: never. `crosses`: what
    was let through is on the inner side, which is another installation and has to hear of it. `told`: a notice waits."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        panel: Panel,
        office: Office,
        publishing: Publishing,
        *,
        new_workers: Callable[[Mapping[str, str]], Workers],
        policy: Callable[[], Policy],
        clock: Callable[[], float],
        days: int,
        crosses: bool = False,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._panel = panel
        self._office = office
        self._publishing = publishing
        self._new_workers = new_workers
        self._policy = policy
        self._clock = clock
        self._days = days
        self._crosses = crosses
        self._told = told
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something came in force."""
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while self._days:
            self._woken.clear()
            try:
                await self.look()
            except (StorageError, JailUnavailable, ValueError) as error:
                _log.error("what is kept cannot be looked at again", error=str(error))
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def look(self) -> Rescan | None:
        """If something has changed since the last time, or that one was not finished: look at all that is kept."""
        cause, at = await self._cause(), self._clock()
        last = await self._journal.ask(rows.last)
        if last is None or not msgspec.json.decode(last.cause, type=Cause).same(cause):
            written, baseline = msgspec.json.encode(cause).decode(), last is None
            await self._journal.write(lambda connection: rows.begin(connection, written, at=at, baseline=baseline))
        until = at + _LEASE_SECONDS
        taken = await self._journal.write(lambda connection: rows.take(connection, at=at, lease_until=until))
        if taken is None:
            return None
        async with self._workers() as workers:
            await self._through(taken, workers)
        at = self._clock()
        await self._journal.write(lambda connection: rows.end(connection, taken.id, at=at))
        return await self._journal.ask(rows.last)

    async def _cause(self) -> Cause:
        made = {}
        for seat in self._panel.seats:
            age = await seat.scanner.age()
            if age is not None:
                made[seat.scanner.name] = self._clock() - age
        standing = await self._publishing.standing()
        return Cause(rules=standing.get(Subject.RULES, 0), lists=standing.get(Subject.LISTS, 0), signatures=made)

    @asynccontextmanager
    async def _workers(self) -> AsyncIterator[Workers]:
        workers = self._new_workers(await self._publishing.files_in_force(Subject.RULES) or {})
        await workers.start()
        try:
            yield workers
        finally:
            await workers.stop()

    async def _through(self, taken: Rescan, workers: Workers) -> None:
        since = taken.started_at - self._days * _DAY_SECONDS
        below, scanned, found = taken.next_id, taken.scanned, taken.hits
        while ids := await self._page(since, below):
            for below in ids:
                found += await self._one(below, workers)
                scanned += 1
                if not await self._advance(taken, below, scanned, found):
                    return

    async def _page(self, since: float, below: int | None) -> list[int]:
        return await self._journal.ask(lambda connection: rows.candidates(connection, since=since, below=below, limit=_PAGE))

    async def _advance(self, taken: Rescan, below: int, scanned: int, found: int) -> bool:
        until = self._clock() + _LEASE_SECONDS
        return await self._journal.write(
            lambda connection: rows.advance(connection, taken.id, next_id=below, scanned=scanned, found=found, lease_until=until)
        )

    # ---------------------------------------------------------------------------------------------------- one transfer

    async def _one(self, transfer_id: int, workers: Workers) -> bool:
        """Whether there was a late hit in it."""
        try:
            transfer = await self._journal.transfer(transfer_id)
        except NoSuchTransferError:
            return False
        then = await self._journal.report(transfer_id)
        names: set[str] = set()
        blobs = dict.fromkeys(filter(None, (transfer.blob, transfer.result.sha256 if transfer.result else None)))
        for digest in blobs:
            try:
                async with opened(self._blobs, digest) as fd:
                    names |= await self._found(fd, digest, transfer, workers)
            except (BlobMissingError, BlobDamagedError):
                continue                # retention was quicker
        names -= _high(then)
        return bool(names) and await self._late(transfer, names)

    async def _found(self, fd: int, digest: str, transfer: Transfer, workers: Workers) -> set[str]:
        names = set()
        judgement = await self._panel.judge(fd, os.fstat(fd).st_size, digest)
        if judgement.ruling is Ruling.MALWARE:
            said = [f"{one.scanner}: {one.answer.name}" for one in judgement.heard if isinstance(one.answer, Found)]
            names |= set(said or [judgement.note])
        orders = Orders(self._journal, self._policy(), clock=self._clock)
        sanitized = await workers.sanitize(fd, orders.job(transfer, await orders.policy_for(transfer), workers.rules_version))
        if sanitized.output_fd is not None:
            os.close(sanitized.output_fd)
        return names | _high(sanitized.report)

    async def _late(self, transfer: Transfer, names: set[str]) -> bool:
        at = self._clock()
        new, received = await self._journal.write(lambda connection: rows.hit(connection, transfer, names, at=at))
        if not new:
            return False
        if transfer.state is State.HELD:
            _log.warning("found late, in what is held", receipt_no=transfer.receipt_no, found=list(new))
            return True
        _late.inc()
        got = (*received.delivered, *received.collected)
        _log.error("found late, in what was let through", receipt_no=transfer.receipt_no, found=list(new), received_by=list(got))
        stopped = await self._stop(transfer, new)
        await self._tell(transfer, new, got)
        if self._crosses and not (stopped and transfer.state is State.RELEASED):
            await self._recall(transfer, new)
        return True

    async def _stop(self, transfer: Transfer, new: tuple[str, ...]) -> bool:
        """What has not left yet stays; what is leaving just now, when it comes back (`deliveries.settle`)."""
        if not transfer.can_be_stopped:
            return False
        try:
            await self._journal.hold(transfer.id, at=self._clock(), actor="rescan", note=f"found late: {', '.join(new)}"[:300])
        except (IllegalTransitionError, LeaseLostError):
            _log.warning("it is leaving just now", receipt_no=transfer.receipt_no)
            return False
        return True

    async def _tell(self, transfer: Transfer, new: tuple[str, ...], got: tuple[str, ...]) -> None:
        letter = notices.late_hit_notice(transfer, new, got, self._office, self._clock())
        await self._queue(transfer, Purpose.NOTICE, self._office.sender, letter)

    async def _recall(self, transfer: Transfer, new: tuple[str, ...]) -> None:
        """The inner side looks for itself who has got it, and keeps back what is still there (`storage.crossings.recall`)."""
        await self._queue(transfer, Purpose.RECALL, transfer.receipt_no, msgspec.json.encode(new))

    async def _queue(self, transfer: Transfer, purpose: Purpose, to: str, content: bytes) -> None:
        at, blob = self._clock(), await self._blobs.put(content)

        def queued(connection: Connection) -> int:
            return deliveries.queue(
                connection, transfer.id, purpose, sender="", recipients=(to,), blob=blob, smtputf8=False, at=at
            )

        await self._journal.write(queued)
        self._told()


def _high(report: Report | None) -> set[str]:
    """Rules of severity high: what a part is blocked for."""
    if report is None:
        return set()
    return {match.rule for part in report.tree() for match in part.matches if match.severity is Severity.HIGH}
