"""A next hop that keeps what it is given in memory: for the demonstration and for tests. Never part of the service."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from mail.envelope import Envelope
from mail.receiver import ReceiverSettings
from mail.server import Server


@dataclass(slots=True)
class _Kept:
    """One message on its way into the sink."""

    sink: Sink
    envelope: Envelope
    content: bytearray = field(default_factory=bytearray)

    async def write(self, chunk: bytes) -> None:
        self.content += chunk

    async def commit(self) -> str:
        self.sink.messages.append((self.envelope, bytes(self.content)))
        return f"sink-{next(self.sink.numbers)}"

    async def abort(self) -> None:
        self.content.clear()


@dataclass(slots=True)
class Sink:
    """Takes mail for anybody."""

    messages: list[tuple[Envelope, bytes]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def accepts(self, recipient: str) -> bool:
        return bool(recipient)

    async def begin(self, envelope: Envelope) -> _Kept:
        return _Kept(self, envelope)

    async def listen(self, host: str, port: int) -> Server:
        """Raises OSError when the address is taken."""
        server = Server(self, ReceiverSettings(hostname="sink.localhost", size_limit=64 << 20))
        await server.start([(host, port)])
        return server
