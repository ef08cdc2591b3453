"""What happens to one transfer, as server-sent events: each state it comes to and each part that is begun, until it stands still."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from aiohttp import web

from gateway.model import State
from gateway.road.progress import Progress
from gateway.storage.journal import Journal
from gateway.web.ownership import shown
from gateway.web.words import said

_LOOK_SECONDS: Final = 0.25
# Proxies close what is silent for a minute.
_HEARTBEAT_SECONDS: Final = 15.0
# The browser opens the stream again by itself.
_LONGEST_SECONDS: Final = 600.0
_MOST_WATCHERS: Final = 500
_MOVING: Final = (State.RECEIVED, State.PROCESSING)


class Events:
    """The streams of one face."""

    def __init__(self, journal: Journal, progress: Progress) -> None:
        self._journal = journal
        self._progress = progress
        self._watchers = 0
        self._closing = False

    def install(self, application: web.Application) -> None:
        """Streams end when the face closes, so that nothing waits for their watchers."""

        async def close(_: web.Application) -> None:
            self._closing = True

        application.on_shutdown.append(close)

    async def stream(self, request: web.Request, transfer_id: int) -> web.StreamResponse:
        """`event: state` with the transfer as the API shows it, `event: part` with {parts, name}; ends after the last state."""
        if self._watchers >= _MOST_WATCHERS:
            raise web.HTTPServiceUnavailable
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        self._watchers += 1
        try:
            await response.prepare(request)
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._tell(request, response, transfer_id)
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self._watchers -= 1
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse, transfer_id: int) -> None:
        told: object = None
        parts, silent = 0, 0.0
        while not self._closing and request.transport is not None and not request.transport.is_closing():
            transfer, step = await self._journal.transfer(transfer_id), self._progress.of(transfer_id)
            silent += _LOOK_SECONDS
            if step.parts > parts:
                parts, silent = step.parts, 0.0
                await _send(response, "part", {"parts": step.parts, "name": step.name})
            if (transfer.state, transfer.verdict) != told:
                told, silent = (transfer.state, transfer.verdict), 0.0
                await _send(response, "state", shown(transfer) | said(transfer))
            if transfer.state not in _MOVING:
                return
            if silent >= _HEARTBEAT_SECONDS:
                silent = 0.0
                await response.write(b": \n\n")
            await asyncio.sleep(_LOOK_SECONDS)


async def _send(response: web.StreamResponse, event: str, data: dict[str, object]) -> None:
    await response.write(f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode())
