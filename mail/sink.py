"""A next hop that keeps what it is given in memory: for the demonstration and for tests. Never part of the service.

It is the same receiver as the product's. `faults` script what goes wrong: `Fault("RCPT", Reply(550, "5.1.1", "No such user"),
"a@b", times=1)`, `Fault("CONNECT", HANG_UP)`, `Fault(".", HANG)`.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from mail.envelope import Envelope
from mail.pace import Times
from mail.receiver import ReceiverSettings
from mail.replies import Reply
from mail.server import Server, ServerSettings

# No answer at all; only where the sink itself has the word: DATA and the end of the content.
HANG: Final = Reply(0, "", "", "never answers")


@dataclass(slots=True)
class Fault:
    """What is answered to a verb (`.` for the end of the content, CONNECT for the greeting) in place of the right thing.

    `address`: only for this recipient. `times`: how often; below 0 for ever.
    """

    verb: str
    reply: Reply
    address: str = ""
    times: int = -1

    def take(self, verb: str, address: str) -> bool:
        if verb != self.verb or not self.times or (self.address and address != self.address):
            return False
        self.times -= 1
        return True


@dataclass(slots=True)
class _Kept:
    """One message on its way into the sink."""

    sink: Sink
    envelope: Envelope
    content: bytearray = field(default_factory=bytearray)

    async def write(self, chunk: bytes) -> None:
        self.content += chunk

    async def commit(self) -> str:
        await self.sink.hang(".")
        self.sink.messages.append((self.envelope, bytes(self.content)))
        return f"sink-{next(self.sink.numbers)}"

    async def abort(self) -> None:
        self.content.clear()


@dataclass(slots=True)
class Sink:
    """Takes mail for anybody. `steps` are the verbs heard, in order; `freed` lets go on what a HANG holds; `dsn`: RFC 3461 is offered."""

    messages: list[tuple[Envelope, bytes]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    freed: asyncio.Event = field(default_factory=asyncio.Event)
    dsn: bool = False

    def accepts(self, recipient: str) -> bool:
        return bool(recipient)

    def knows(self, recipient: str) -> bool:
        return bool(recipient)

    def admits(self, recipient: str) -> bool:
        return bool(recipient)

    async def begin(self, envelope: Envelope) -> _Kept:
        await self.hang("DATA")
        return _Kept(self, envelope)

    async def hang(self, verb: str) -> None:
        """Until freed or ended from outside, if so scripted."""
        if self._taken(verb, "", (fault for fault in self.faults if fault.reply is HANG)):
            await self.freed.wait()

    def answer(self, verb: str, address: str) -> Reply | None:
        """What the script says; None for the right thing."""
        self.steps.append(verb)
        fault = self._taken(verb, address, (fault for fault in self.faults if fault.reply is not HANG))
        return fault.reply if fault is not None else None

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> Server:
        """Raises OSError when the address is taken."""
        receiver = ReceiverSettings(hostname="sink.localhost", size_limit=64 << 20, dsn=self.dsn)
        limits = ServerSettings(max_per_client=0, times=Times(commit_seconds=3600, linger_seconds=0.2))
        server = Server(self, receiver, limits, tls, rule=self.answer)
        await server.start([(host, port)])
        return server

    @staticmethod
    def _taken(verb: str, address: str, faults: Iterable[Fault]) -> Fault | None:
        return next((fault for fault in faults if fault.take(verb, address)), None)
