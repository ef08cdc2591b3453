"""One node of several does what is to be done once: whoever holds an advisory lock of PostgreSQL, as long as its session lives.

The server itself ends the session of a leader that says nothing for a while (`idle_session_timeout`), be it stopped, cut off or gone; then
the next one leads. A leader that has heard nothing for as long gives up by itself, before the server does. What it does is written so that
two who meet for a moment do no harm. With SQLite there is one node, and it leads.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg

from gateway.storage.bells import connected
from gateway.telemetry import log

_log = log.get(__name__)

_LOCK: Final = 7_370_003
_ASK_SECONDS: Final = 5.0
_SILENT_SECONDS: Final = 20.0
# The node gives up so much earlier than the server gives it up.
_EARLIER: Final = 0.5


class Leader:
    """`url`: of the database that the nodes share; None: there is one node. `leads` may be asked at any time."""

    def __init__(self, url: str | None, *, ask_seconds: float = _ASK_SECONDS, silent_seconds: float = _SILENT_SECONDS) -> None:
        self._url = url
        self._ask_seconds = ask_seconds
        self._silent_seconds = silent_seconds
        self._said_at = float("inf") if url is None else 0.0
        self._changed = asyncio.Event()

    @property
    def leads(self) -> bool:
        return time.monotonic() - self._said_at < self._silent_seconds * _EARLIER

    async def run(self) -> None:
        """Ask for the lead and keep it, for ever."""
        while self._url is not None:
            try:
                async with await connected(self._url, idle_session_timeout=f"{int(self._silent_seconds * 1000)}ms") as connection:
                    await self._hold(connection)
            except (psycopg.Error, TimeoutError) as error:
                _log.warning("nobody can say who leads", error=str(error))
            finally:
                self._say(0.0)
            await asyncio.sleep(self._ask_seconds)

    async def _hold(self, connection: psycopg.AsyncConnection[Any]) -> None:
        held = False
        while True:
            asked = time.monotonic()
            async with asyncio.timeout(self._silent_seconds * _EARLIER):
                question = "SELECT true" if held else f"SELECT pg_try_advisory_lock({_LOCK})"
                row = await (await connection.execute(question)).fetchone()
            if not held and row is not None and row[0]:
                _log.info("this node leads")
                held = True
            if held:
                self._say(asked)
            await asyncio.sleep(self._ask_seconds)

    def _say(self, at: float) -> None:
        self._said_at = at
        self._changed.set()

    async def only(self, chore: Callable[[], Awaitable[object]]) -> None:
        """Does the chore while this node leads: begun when it comes to lead, cancelled when it does no more. For ever."""
        while True:
            while not self.leads:
                await self._wait()
            task = asyncio.ensure_future(chore())
            try:
                while self.leads and not task.done():
                    await self._wait(task)
                if task.done():
                    await task
                    return
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _wait(self, *tasks: asyncio.Future[Any]) -> None:
        self._changed.clear()
        waiter = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({waiter, *tasks}, timeout=self._ask_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
