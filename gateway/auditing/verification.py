"""The whole record walked: each night, whenever somebody asks, and for a report. What was found stands in the record itself."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from gateway.audit import Verified
from gateway.auditing.anchors import Anchor, Anchoring
from gateway.chores import now_and_then
from gateway.storage.journal import Journal
from gateway.telemetry import log

_log = log.get(__name__)

VERIFIED: Final = "audit.verified"
# A report may use what was found so long ago.
_FRESH_SECONDS: Final = 3_600.0
_LOOK_SECONDS: Final = 60.0


class Proof(NamedTuple):
    """What a walk showed. `faults`: place → why its anchors could not be read; `at`: seconds since 1970."""

    verified: Verified
    anchors: tuple[Anchor, ...]
    faults: dict[str, str]
    at: float


class Verification:
    """`at`: minutes since midnight, of the walk of each night. `broken`: told when it is not whole. `clock`: seconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        anchoring: Anchoring,
        clock: Callable[[], float],
        *,
        at: int = 5 * 60,
        broken: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._journal = journal
        self._anchoring = anchoring
        self._clock = clock
        self._at = at
        self._broken = broken
        self._one = asyncio.Lock()
        self._walks: set[asyncio.Task[Proof]] = set()
        self.last: Proof | None = None
        self.walked: int | None = None

    @property
    def places(self) -> list[str]:
        return [place.name for place in self._anchoring.places]

    async def verify(self, actor: str) -> Proof:
        """One walk at a time; recorded. Raises StorageError."""
        async with self._one:
            self.walked = 0
            try:
                verified, anchors, faults = await self._anchoring.verify(self._progress)
                proof = Proof(verified, tuple(anchors), faults, self._clock())
                detail: dict[str, object] = {
                    "entries": verified.entries, "broken": verified.broken, "why": verified.why, "anchors": len(anchors), "faults": faults,
                }  # fmt: skip
                await self._journal.record(at=proof.at, actor=actor, action=VERIFIED, subject=str(verified.head.seq), detail=detail)
            finally:
                self.walked = None
        self.last = proof
        if verified.broken is not None:
            _log.error("the audit record is not whole", row=verified.broken, why=verified.why)
            if self._broken is not None:
                await self._broken(f"row {verified.broken}: {verified.why}")
        return proof

    def begin(self, actor: str) -> bool:
        """A walk in the background; False if one is under way."""
        if self._one.locked() or self._walks:
            return False
        walk = asyncio.ensure_future(self.verify(actor))
        self._walks.add(walk)
        walk.add_done_callback(self._ended)
        return True

    async def fresh(self) -> Proof:
        """What was found within the last hour, else a new walk."""
        if self.last is not None and self._clock() - self.last.at < _FRESH_SECONDS:
            return self.last
        return await self.verify("road")

    async def run(self) -> None:
        """Each night at its time, until cancelled; a walk that was begun for a page ends with it."""
        try:
            await asyncio.sleep(_LOOK_SECONDS)
            await now_and_then("walk of the record", _LOOK_SECONDS, self._tonight, whatever=True)
        finally:
            for walk in list(self._walks):
                walk.cancel()

    async def _tonight(self) -> None:
        if self.due():
            await self.verify("road")

    def due(self) -> bool:
        """Whether tonight's walk is still to be done. After a start it waits for the next night."""
        now = self._clock()
        today = dt.datetime.fromtimestamp(now, dt.UTC).astimezone()
        minutes = today.hour * 60 + today.minute - self._at
        return 0 <= minutes < 60 and (self.last is None or now - self.last.at > 2 * _FRESH_SECONDS)

    def _progress(self, entries: int) -> None:
        self.walked = entries

    def _ended(self, walk: asyncio.Task[Proof]) -> None:
        self._walks.discard(walk)
        if not walk.cancelled() and (error := walk.exception()) is not None:
            _log.error("the audit record could not be walked", error=str(error))
