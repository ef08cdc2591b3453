"""What is done now and then, for as long as the service runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gateway.storage.faults import StorageError
from gateway.telemetry import log

_log = log.get(__name__)


async def now_and_then(what: str, seconds: float, do: Callable[[], Awaitable[object]], *, whatever: bool = False) -> None:
    """`do` at once and then with pauses of `seconds`, until it is cancelled. Where the stores fail it waits for the next time. Any other
    error is a bug and stops the service, but for chores that go on `whatever` happens: one that fails keeps no later one back."""
    while True:
        try:
            await do()
        except StorageError as error:
            _log.error("a chore has to wait", chore=what, error=str(error))
        except Exception:
            if not whatever:
                raise
            _log.exception("a chore went wrong", chore=what)
        await asyncio.sleep(seconds)
