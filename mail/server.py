"""SMTP in: listens, admits clients, and hands what they bring to an `Intake`. A 250 comes after the commit."""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mail.clients import ClientLimits, Clients
from mail.intake import Intake
from mail.pace import Times
from mail.receiver import Ask, ReceiverSettings
from mail.session import Desk, Session

_BACKLOG: Final = 512
# After the time for draining: a commit that is under way, and last replies.
_LAST_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ServerSettings(ClientLimits):
    """`proxy_protocol`: trusted hops begin each connection with a PROXY header."""

    times: Times = field(default_factory=Times)
    proxy_protocol: bool = False


class Server:
    """Listens on any number of addresses. STARTTLS is offered where `tls` is given; `rule` may refuse any step (see `Receiver`)."""

    def __init__(
        self,
        intake: Intake,
        receiver: ReceiverSettings,
        settings: ServerSettings | None = None,
        tls: ssl.SSLContext | None = None,
        rule: Ask | None = None,
    ) -> None:
        """Raises ValueError when a trusted hop is not an address or a network."""
        settings = settings or ServerSettings()
        self._clients = Clients(settings, time.monotonic)
        self._listeners: list[asyncio.Server] = []
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._desk = Desk(
            intake=intake,
            receiver=dataclasses.replace(receiver, starttls=tls is not None),
            times=settings.times,
            clients=self._clients,
            joined=self._joined,
            rule=rule,
            tls=tls,
            proxied=settings.proxy_protocol,
        )

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [socket.getsockname()[:2] for listener in self._listeners for socket in listener.sockets]

    @property
    def sessions(self) -> int:
        """How many clients are being served."""
        return len(self._sessions)

    async def start(self, addresses: Sequence[tuple[str, int]]) -> None:
        """Raises OSError when an address cannot be had; then none is."""
        loop = asyncio.get_running_loop()
        try:
            for host, port in addresses:
                self._listeners.append(await loop.create_server(lambda: Session(self._desk), host, port, backlog=_BACKLOG))
        except OSError:
            self._close()
            raise

    async def stop(self, seconds: float) -> None:
        """Take no new connection, end idle ones, let transactions finish for `seconds`, then end them too."""
        self._close()
        for session in self._sessions:
            session.drain()
        tasks = list(self._sessions.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_LAST_SECONDS)

    def _close(self) -> None:
        for listener in self._listeners:
            listener.close()

    def _joined(self, session: Session) -> None:
        task = asyncio.get_running_loop().create_task(session.run())
        self._sessions[session] = task
        task.add_done_callback(lambda _: self._left(session))

    def _left(self, session: Session) -> None:
        del self._sessions[session]
        self._clients.left(session.client_ip)
