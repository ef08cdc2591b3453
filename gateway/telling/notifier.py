"""Tells people what stays inside: each held or blocked mail once, to its recipients, and digests at set times of the day.

What is owed stands in the journal, so that no crash forgets it and no second process says it again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gateway.model import Transfer
from gateway.storage.blobs import Blobs
from gateway.storage.digests import Digest
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log
from gateway.telling.notices import Office, digest_notice, held_notice

_log = log.get(__name__)

_POLL_SECONDS: Final = 30.0


class Notifier:
    """`digest_at`: minutes since midnight. `queued` is told of each notice. Without `at_once` there are digests only."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        office: Office,
        *,
        at_once: bool = True,
        digest_at: Sequence[int] = (),
        clock: Callable[[], float] = time.time,
        queued: Callable[[], None] = lambda: None,
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._office = office
        self._at_once = at_once
        self._digest_at = digest_at
        self._clock = clock
        self._queued = queued
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something stays inside."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            await self.send_owed()
            try:
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def send_owed(self) -> None:
        """All that is owed by now. What cannot be written now stays owed."""
        try:
            if self._at_once:
                await self._send_notices()
            if self._digest_at:
                await self._send_digests(last_slot(self._clock(), self._digest_at))
        except StorageError as error:
            _log.error("notices have to wait", error=str(error))
        except Exception:  # noqa: BLE001 - a digest that cannot be written stays owed and ends nothing else
            _log.exception("digests have to wait")

    async def _send_notices(self) -> None:
        for transfer in await self._journal.owed_notices():
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

    async def _send_digests(self, slot: float) -> None:
        at = self._clock()
        held = await self._journal.owed_digests(slot)
        written = []
        for address, transfers in by_recipient(held).items():
            content = await self._blobs.put(digest_notice(address, transfers, self._office, at))
            written.append(Digest(address, transfers[-1].id, content))
        if await self._journal.queue_digests(slot, written, at=at) and written:
            _log.info("digests queued", mails=len(written), held=len(held))
            self._queued()


def last_slot(now: float, minutes: Iterable[int]) -> float:
    """The last moment at or before `now` at which the installation's own clocks showed one of these times of the day."""
    today = dt.datetime.fromtimestamp(now, dt.UTC).astimezone()
    slots = []
    for days in (0, 1):
        date = (today - dt.timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        slots += [(date + dt.timedelta(minutes=minute)).timestamp() for minute in minutes]
    return max(slot for slot in slots if slot <= now)


def by_recipient(transfers: Iterable[Transfer]) -> dict[str, list[Transfer]]:
    """What each address is to hear of, in the order of arrival."""
    found: dict[str, list[Transfer]] = {}
    for transfer in transfers:
        for address in transfer.recipients:
            found.setdefault(address, []).append(transfer)
    return found
