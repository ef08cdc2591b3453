"""The shell around the receiver: sockets, clocks, limits on clients, and the one rule that a 250 comes after the commit.

A client that vanishes after its last dot loses nothing: the commit goes on, and the message is kept (a repetition is then a duplicate, never a
loss). A client that vanishes before it leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mail.intake import Incoming, Intake, Overloaded
from mail.receiver import Act, Action, Begin, Receiver, ReceiverSettings, Send, Write
from mail.replies import Trouble

_log = logging.getLogger(__name__)

# Reading stops above, and goes on below: so much of one client's octets is held in memory at most.
_HIGH_WATER: Final = 1 << 20
_LOW_WATER: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Times in seconds, rates in octets per second. `max_connections` over all clients, `max_per_client` per address."""

    max_connections: int = 200
    max_per_client: int = 50
    idle_seconds: float = 300.0
    data_seconds: float = 1800.0
    least_rate: float = 500.0
    rate_grace_seconds: float = 30.0


class Server:
    """Listens on any number of addresses and hands messages to `intake`."""

    def __init__(
        self, intake: Intake, receiver: ReceiverSettings, settings: ServerSettings = ServerSettings(), tls: ssl.SSLContext | None = None  # noqa: B008
    ) -> None:
        self.intake = intake
        self.receiver = receiver
        self.settings = settings
        self.tls = tls
        self._listeners: list[asyncio.Server] = []
        self._sessions: dict[_Session, asyncio.Task[None]] = {}
        self._clients: Counter[str] = Counter()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [socket.getsockname()[:2] for listener in self._listeners for socket in listener.sockets]

    async def start(self, addresses: Sequence[tuple[str, int]]) -> None:
        """Raises OSError when an address cannot be had."""
        loop = asyncio.get_running_loop()
        for host, port in addresses:
            self._listeners.append(await loop.create_server(lambda: _Session(self), host, port, backlog=512))

    async def stop(self, seconds: float) -> None:
        """Take no new connection, end idle ones, let transactions finish for `seconds`, then end them too."""
        for listener in self._listeners:
            listener.close()
        for session in self._sessions:
            session.drain()
        tasks = list(self._sessions.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def admits(self, client_ip: str) -> bool:
        return len(self._sessions) < self.settings.max_connections and self._clients[client_ip] < self.settings.max_per_client

    def joined(self, session: _Session) -> None:
        self._clients[session.client_ip] += 1
        task = asyncio.get_running_loop().create_task(session.run())
        self._sessions[session] = task
        task.add_done_callback(lambda _: self._left(session))

    def _left(self, session: _Session) -> None:
        del self._sessions[session]
        self._clients[session.client_ip] -= 1
        if not self._clients[session.client_ip]:
            del self._clients[session.client_ip]


class _Session(asyncio.Protocol):
    """One connection: the transport's callbacks on one side, one task that drives the receiver on the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._received: list[bytes] = []
        self._waiting = 0
        self._heard = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = False
        self._draining = False
        self._transport: asyncio.Transport
        self._receiver: Receiver
        self._incoming: Incoming | None = None
        self._data_since = 0.0
        self._data_octets = 0
        self.client_ip = ""

    # --------------------------------------------------------------------------------------------- transport callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername")
        self.client_ip = peer[0] if peer else ""
        if not self._server.admits(self.client_ip):
            self._transport.write(Trouble.TOO_MANY_CONNECTIONS.value.line())
            self._transport.close()
            self._gone = True
            return
        self._receiver = Receiver(self._server.receiver, self.client_ip, self._server.intake.accepts)
        self._server.joined(self)

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._waiting += len(data)
        self._data_octets += len(data)
        if self._waiting > _HIGH_WATER:
            self._transport.pause_reading()
        self._heard.set()

    def eof_received(self) -> bool:
        """A client may close its half after the last dot and still wait for the answer."""
        self._gone = True
        self._heard.set()
        return True

    def connection_lost(self, _: Exception | None) -> None:
        self._gone = True
        self._writable.set()
        self._heard.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def drain(self) -> None:
        self._draining = True
        self._heard.set()

    # ------------------------------------------------------------------------------------------------------- the task

    async def run(self) -> None:
        """From greeting to goodbye. Whatever happens, an unfinished message is forgotten and the socket closed."""
        try:
            while await self._act():
                pass
        except asyncio.CancelledError:
            self._transport.write(Trouble.CLOSING.value.line())
        except Exception:
            _log.exception("a session failed")
            self._transport.write(Trouble.NOT_NOW.value.line())
        finally:
            await self._abort()
            self._transport.close()

    async def _act(self) -> bool:
        """One action, or one wait for the client. False ends the session."""
        action = self._receiver.next()
        if action is None:
            return await self._listen()
        return await self._do(action)

    async def _listen(self) -> bool:
        if self._draining and self._receiver.idle and not self._received:
            self._receiver.end(Trouble.CLOSING)
            return True
        if not self._received:
            if self._gone:
                return False
            self._heard.clear()
            try:
                async with asyncio.timeout(self._patience()):
                    await self._heard.wait()
            except TimeoutError:
                self._receiver.end(Trouble.TIMED_OUT)
                return True
        if self._received:
            self._receiver.receive(b"".join(self._received))
            self._received.clear()
            self._waiting = 0
            if not self._transport.is_closing():
                self._transport.resume_reading()
        if self._too_slow():
            self._receiver.end(Trouble.TOO_SLOW)
        return True

    def _patience(self) -> float:
        settings = self._server.settings
        if not self._receiver.in_data:
            return settings.idle_seconds
        left = self._data_since + settings.data_seconds - self._loop.time()
        return max(0.01, min(settings.idle_seconds, settings.rate_grace_seconds, left))

    def _too_slow(self) -> bool:
        if not self._receiver.in_data:
            return False
        settings = self._server.settings
        lasted = self._loop.time() - self._data_since
        if lasted > settings.data_seconds:
            return True
        return lasted > settings.rate_grace_seconds and self._data_octets < settings.least_rate * lasted

    async def _do(self, action: Action) -> bool:
        if isinstance(action, Send):
            await self._send(action.octets)
        elif isinstance(action, Write):
            await self._write(action.content)
        elif isinstance(action, Begin):
            await self._begin(action)
        elif action is Act.COMMIT:
            await self._commit()
        elif action is Act.ABORT:
            await self._abort()
        elif action is Act.STARTTLS:
            return await self._secure()
        else:
            return False
        return True

    async def _send(self, octets: bytes) -> None:
        if self._transport.is_closing():
            self._gone = True
            return
        self._transport.write(octets)
        await self._writable.wait()

    async def _begin(self, action: Begin) -> None:
        try:
            self._incoming = await self._server.intake.begin(action.envelope)
        except Overloaded:
            self._receiver.refused(Trouble.FULL)
        except Exception:
            _log.exception("intake failed to begin")
            self._receiver.refused(Trouble.NOT_NOW)
        else:
            self._data_since, self._data_octets = self._loop.time(), 0
            self._receiver.begun()

    async def _write(self, content: bytes) -> None:
        if self._incoming is None:
            return
        try:
            await self._incoming.write(content)
        except Exception as error:
            if not isinstance(error, Overloaded):
                _log.exception("intake failed to write")
            await self._abort()
            self._receiver.refused(Trouble.FULL if isinstance(error, Overloaded) else Trouble.NOT_NOW)

    async def _commit(self) -> None:
        incoming, self._incoming = self._incoming, None
        assert incoming is not None
        try:
            # Shielded: a stop must not cut a commit in two; the answer is true even if nobody hears it.
            receipt_no = await asyncio.shield(incoming.commit())
        except Exception as error:
            if not isinstance(error, Overloaded):
                _log.exception("intake failed to commit")
            await incoming.abort()
            self._receiver.refused(Trouble.FULL if isinstance(error, Overloaded) else Trouble.NOT_NOW)
        else:
            self._receiver.committed(receipt_no)

    async def _abort(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            await incoming.abort()

    async def _secure(self) -> bool:
        assert self._server.tls is not None
        try:
            transport = await self._loop.start_tls(self._transport, self, self._server.tls, server_side=True, ssl_handshake_timeout=30)
        except (OSError, ssl.SSLError):
            return False
        if transport is None:
            return False
        self._transport = transport
        self._received.clear()
        self._receiver.secured()
        return True
