"""Looks up now and then what only the stores and the machine know, and puts it where /metrics finds it.

Not when somebody asks: monitoring that asks often, or many who do, may not cost the journal anything.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from gateway.doctor import certificates, timekeeping
from gateway.storage import watching
from gateway.storage.faults import StorageError
from gateway.storage.halts import Halt
from gateway.storage.journal import Journal
from gateway.telemetry import log, metrics

_log = log.get(__name__)

_EVERY_SECONDS: Final = 15.0
# How often it is seen whether the event loop comes in time.
_TICK_SECONDS: Final = 0.5


class Watch:
    """`ready`: what stops the service, empty if nothing; `versions` and `walls`: what is in force and what stands now; `shown`: use →
    file of a certificate. `clock`: seconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        *,
        ready: Callable[[], Awaitable[list[str]]],
        versions: Callable[[], tuple[str, str]],
        walls: Callable[[], tuple[str, ...]],
        folder: Path,
        reserve: int,
        shown: Mapping[str, Path],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._ready = ready
        self._versions = versions
        self._walls = walls
        self._folder = folder
        self._shown = shown
        self._clock = clock
        metrics.disk_reserve.set(reserve)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.look()
            for _ in range(int(_EVERY_SECONDS / _TICK_SECONDS)):
                began = time.monotonic()
                await asyncio.sleep(_TICK_SECONDS)
                metrics.loop_lag.observe(max(0.0, time.monotonic() - began - _TICK_SECONDS))

    async def look(self) -> None:
        """Once. What cannot be looked up keeps its last value, and the moment of the last look is not moved."""
        self._house()
        _clock()
        metrics.ready.set(0 if await self._ready() else 1)
        try:
            await asyncio.to_thread(self._machine)
            await self._stores()
        except (StorageError, OSError, certificates.CertificateError) as error:
            _log.warning("not everything could be looked up", error=str(error))
            return
        metrics.watched.set(self._clock())

    def _house(self) -> None:
        rules, policy = self._versions()
        metrics.build.clear()
        metrics.build.labels(rules, policy).set(1)
        metrics.walls.clear()
        for wall in self._walls():
            metrics.walls.labels(wall).set(1)

    def _machine(self) -> None:
        usage = shutil.disk_usage(self._folder)
        metrics.disk_free.set(usage.free)
        metrics.disk_size.set(usage.total)
        for use, file in self._shown.items():
            metrics.certificate.labels(use).set(certificates.expires(file))

    async def _stores(self) -> None:
        now, standing = self._clock(), await self._journal.ask(watching.standing)
        for state, count in standing.states.items():
            metrics.transfers.labels(state.value).set(count)
            metrics.oldest.labels(state.value).set(max(0.0, now - standing.since.get(state, now)))
        for what in Halt:
            metrics.halted.labels(what.value).set(what in standing.halted)
        metrics.owed_notices.set(standing.owed_notices)
        metrics.undelivered.set(standing.undelivered)
        metrics.audit_entries.set(standing.audit_entries)


def _clock() -> None:
    known = timekeeping.clock()
    if known is not None:
        metrics.clock_synchronised.set(known.synchronised)
        metrics.clock_offset.set(known.offset)
        metrics.clock_error.set(known.error)
