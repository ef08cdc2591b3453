"""What an operator has to know at once: a required scanner is silent, and everything waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import Connection

from gateway.model import Purpose, State, Transfer
from gateway.storage import deliveries, ledger
from gateway.storage.blobs import Blobs
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.telemetry import log
from gateway.telling import notices
from gateway.telling.notices import Office

_log = log.get(__name__)
# A scanner that comes and goes is told of once in this time.
_AGAIN_SECONDS: Final = 3600.0

_silent = Gauge("sekisho_required_scanner_silent", "必須の検査エンジンを待って止まっているか（1か0） / everything waits for a scanner")


class Alarm:
    """Told by the road when it stops for a scanner and when it goes on; `told`: a mail waits. `clock`: seconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        blobs: Blobs,
        office: Office,
        *,
        clock: Callable[[], float] = time.time,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._blobs = blobs
        self._office = office
        self._clock = clock
        self._told = told
        self._mailed_at = float("-inf")

    async def silent(self, transfer: Transfer, note: str) -> None:
        """`transfer`: the one that met it. Never raises for a store: what cannot be mailed stands in the log and in the metrics."""
        _silent.set(1)
        at = self._clock()
        mails = at - self._mailed_at >= _AGAIN_SECONDS
        try:
            waiting = (await self._journal.counts()).states[State.RECEIVED]
            content = await self._blobs.put(notices.scanner_notice(note, waiting, self._office, at)) if mails else None

            def recorded(connection: Connection) -> None:
                detail: dict[str, object] = {"why": note, "waiting": waiting}
                ledger.append(connection, at=at, actor="road", action="scanner.silent", subject="", detail=detail)
                if content is not None:
                    to = (self._office.sender,)
                    deliveries.queue(
                        connection, transfer.id, Purpose.NOTICE, sender="", recipients=to, blob=content, smtputf8=False, at=at
                    )

            await self._journal.write(recorded)
        except StorageError as error:
            _log.error("nobody could be told that a scanner is silent", error=str(error))
            return
        if mails:
            self._mailed_at = at
            self._told()

    async def heard(self) -> None:
        """All required scanners answer again."""
        _silent.set(0)
        try:
            await self._journal.record(at=self._clock(), actor="road", action="scanner.heard", subject="", detail={})
        except StorageError as error:
            _log.error("that all scanners answer could not be recorded", error=str(error))
