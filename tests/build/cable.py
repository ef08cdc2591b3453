"""A cable between a client and a service on loopback that can be pulled at a given byte, and put in again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_PIECE = 1 << 16


@dataclass
class Cable:
    """`cut_at`: the connection on which that many bytes have gone to the service is reset, once; `sent`: bytes that went there."""

    to: int
    cut_at: int | None = None
    sent: int = 0
    cuts: int = 0
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def _plug(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
                await asyncio.gather(self._up(reader, far_writer, writer), _down(far_reader, writer))
        finally:
            self._tasks.discard(task)

    async def _up(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, near: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                self.sent += len(piece)
                far.write(piece)
                await far.drain()
                if self.cut_at is not None and self.sent >= self.cut_at:
                    self.cut_at, self.cuts = None, self.cuts + 1
                    near.transport.abort()
                    break
        far.close()


async def _down(far: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await far.read(_PIECE):
            near.write(piece)
            await near.drain()
    near.close()


@contextlib.asynccontextmanager
async def cable(to: int) -> AsyncIterator[Cable]:
    """To that port of loopback."""
    made = Cable(to)
    server = await asyncio.start_server(made._plug, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(made._tasks):
            task.cancel()
        await asyncio.gather(*made._tasks, return_exceptions=True)
