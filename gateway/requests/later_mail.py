"""PPAP: a locked file in one mail, its password in the next. Where policy says so, what the second mail says is tried on the first.

Only between mails of one sender to one of the same recipients, within a day, in the memory of this process; a service that stops in
between forgets it, and the recipient enters the password himself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.model import Door, IllegalTransitionError, State, Transfer
from gateway.policy import locked
from gateway.road.pipeline import Pipeline, StoppedByScannersError
from gateway.storage.faults import LeaseLostError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.telemetry import log

_log = log.get(__name__)

_AGE_SECONDS: Final = 86_400.0
# The second mail may overtake the first, which is larger: what is still at work is asked about again.
_PAUSE_SECONDS: Final = 10.0
_MOST_PAUSES: Final = 12
_MOST_TRANSFERS: Final = 20
_MOST_WAITING: Final = 1_000
_AT_WORK: Final = frozenset({State.RECEIVED, State.PROCESSING, State.RELEASED, State.DELIVERING, State.DEFERRED})


class _Heard(NamedTuple):
    mail: Transfer
    passwords: tuple[str, ...]
    pauses: int = 0
    due: float = 0.0


class LaterMail:
    """`heard` from the pipeline; `run` tries. `clock` gives seconds since 1970."""

    def __init__(self, journal: Journal, pipeline: Pipeline, clock: Callable[[], float], *, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._waiting: deque[_Heard] = deque(maxlen=_MOST_WAITING)
        self._woken = asyncio.Event()

    def heard(self, mail: Transfer, passwords: tuple[str, ...]) -> None:
        """Passwords that stand in `mail`. A mail without a sender's address opens nothing."""
        if mail.door is Door.SMTP and mail.sender:
            self._waiting.append(_Heard(mail, passwords))
            self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._woken.clear()
            for _ in range(len(self._waiting)):
                heard = self._waiting.popleft()
                if heard.due > self._clock():
                    self._waiting.append(heard)
                    continue
                try:
                    await self._try(heard)
                except Exception:  # noqa: BLE001 - what goes wrong with one mail ends neither the others nor the service
                    _log.exception("a later mail's passwords are not tried", receipt_no=heard.mail.receipt_no)
            try:
                async with asyncio.timeout(self._pause_seconds if self._waiting else None):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _try(self, heard: _Heard) -> None:
        mail, at_work = heard.mail, False
        for earlier in await self._earlier(mail):
            if earlier.state in _AT_WORK:
                at_work = True
            elif earlier.at_rest and earlier.blob is not None and locked(await self._journal.report(earlier.id)):
                await self._open(earlier, heard)
        if at_work and heard.pauses < _MOST_PAUSES:
            self._waiting.append(heard._replace(pauses=heard.pauses + 1, due=self._clock() + self._pause_seconds))

    async def _earlier(self, mail: Transfer) -> list[Transfer]:
        """Other mails of this sender to one of the recipients, from a day before it on."""
        since = mail.received_at - _AGE_SECONDS
        wanted = Filter(door=Door.SMTP, sender=mail.sender, organisation=mail.organisation, since=since, limit=_MOST_TRANSFERS)
        found = await self._journal.transfers(wanted)
        return [one for one in found if one.id != mail.id and set(one.recipients) & set(mail.recipients)]

    async def _open(self, earlier: Transfer, heard: _Heard) -> None:
        try:
            opened = await self._pipeline.unlock(earlier, heard.passwords, actor=f"mail {heard.mail.receipt_no}")
        except (IllegalTransitionError, LeaseLostError, StoppedByScannersError):
            return  # somebody else works on it, or a scanner keeps it: its recipient may still enter the password
        if opened:
            _log.info("a later mail opened a locked one", receipt_no=earlier.receipt_no, by=heard.mail.receipt_no)
