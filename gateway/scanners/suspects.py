"""Files under suspicion of taking a scanner down: each is looked at alone, so that no other is blamed, and given up after some times.

A file that makes clamd crash would otherwise be tried for ever: nothing that happens while a scanner is down counts against a file. So
every file that was in hand when one went down is a suspect, until it was scanned once with nobody beside it and the scanner still stands.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

# How often a scanner may go down while it is alone with a file.
TIMES: Final = 3
_MOST: Final = 10_000


class Suspects:
    """By SHA-256, in the memory of this process."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._times

    def add(self, sha256: str) -> None:
        """It was in hand when a scanner went down. The oldest is forgotten for it where there are very many."""
        if sha256 not in self._times and len(self._times) >= _MOST:
            del self._times[next(iter(self._times))]
        self._times.setdefault(sha256, 0)

    def convict(self, sha256: str) -> int:
        """A scanner went down alone with it; how often by now."""
        self._times[sha256] = self._times.get(sha256, 0) + 1
        return self._times[sha256]

    def clear(self, sha256: str) -> None:
        self._times.pop(sha256, None)


class Room:
    """Many at once, or one alone. Whoever wants to be alone is let in before those who come after him."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._within = 0
        self._alone = 0     # who is alone in it, or waits to be

    @asynccontextmanager
    async def shared(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError when those who want to be alone are not done in time."""
        async with self._changed, asyncio.timeout(seconds):
            await self._changed.wait_for(lambda: not self._alone)
            self._within += 1
        try:
            yield
        finally:
            await self._leave()

    @asynccontextmanager
    async def alone(self, seconds: float) -> AsyncIterator[None]:
        """Raises TimeoutError when it does not become empty in time."""
        async with self._changed:
            self._alone += 1
            try:
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(lambda: not self._within)
            except BaseException:
                self._alone -= 1
                self._changed.notify_all()
                raise
            self._within += 1
        try:
            yield
        finally:
            self._alone -= 1
            await self._leave()

    async def _leave(self) -> None:
        # At once: the lock may have to be waited for, and the whole may be cancelled meanwhile.
        self._within -= 1
        async with self._changed:
            self._changed.notify_all()
