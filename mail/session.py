"""One connection: the transport's callbacks on one side, one task that drives the receiver on the other.

A client that vanishes after its last dot loses nothing: the commit goes on, and the message is kept (a repetition is then a
duplicate, never a loss). A client that vanishes before it leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from mail import proxy
from mail.actions import Act, Action, Begin, Send, Write
from mail.clients import Clients
from mail.intake import Incoming, Intake, Overloaded
from mail.pace import Pace, Times
from mail.receiver import Ask, Receiver, ReceiverSettings
from mail.replies import Reply, Trouble

_log = logging.getLogger(__name__)
_Outcome = TypeVar("_Outcome")

# Reading stops above: so much of one client's octets is held in memory at most, beside the block that is being written.
_HIGH_WATER: Final = 1 << 18
_HANDSHAKE_SECONDS: Final = 30.0
_TURNS: Final = 64


@dataclass(frozen=True, slots=True)
class Desk:
    """What every session of a server shares. `rule` is asked first at each step; `proxied`: trusted hops send a PROXY header."""

    intake: Intake
    receiver: ReceiverSettings
    times: Times
    clients: Clients
    joined: Callable[[Session], None]
    rule: Ask | None = None
    tls: ssl.SSLContext | None = None
    proxied: bool = False
    late: set[asyncio.Task[Any]] = field(default_factory=set)


class Session(asyncio.Protocol):
    """Of one client. The server runs `run` as a task once the connection is admitted."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(desk.times)
        self._received: list[bytes] = []
        self._waiting = 0
        self._listening: asyncio.Future[None] | None = None  # done as soon as anything happens
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = False  # nothing more will come
        self._lost = False  # nor can anything be said
        self._deaf = False
        self._draining = False
        self._secured = False
        self._turns = 0
        self._transport: asyncio.Transport
        self._receiver: Receiver
        self._incoming: Incoming | None = None
        self.client_ip = ""

    # --------------------------------------------------------------------------------------------- transport callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.client_ip = peer[0] if peer else ""
        trouble = self._desk.clients.admit(self.client_ip)
        if trouble is not None:
            self._note(logging.WARNING, "not admitted", reason=trouble.value.reason)
            self._gone = self._deaf = True
            self._transport.write(trouble.value.line())
            self._transport.close()
            return
        self._desk.joined(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._received.append(data)
        self._waiting += len(data)
        self._pace.heard(len(data))
        if self._waiting > _HIGH_WATER:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """A client may close its half after the last dot and still wait for the answer; TLS knows no halves."""
        self._gone = True
        self._wake()
        return not self._secured

    def connection_lost(self, _: Exception | None) -> None:
        self._gone = self._lost = True
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def drain(self) -> None:
        """End as soon as no transaction is open."""
        self._draining = True
        self._wake()

    # ------------------------------------------------------------------------------------------------------- the task

    async def run(self) -> None:
        """From greeting to goodbye. Whatever happens, an unfinished message is forgotten and the socket closed."""
        try:
            if await self._introduced():
                while await self._act():
                    pass
        except asyncio.CancelledError:
            self._transport.write(Trouble.CLOSING.value.line())
        except Exception:  # noqa: BLE001 - the outermost net: whatever fails, the client hears 4xx
            self._failed("a session failed")
            self._transport.write(Trouble.NOT_NOW.value.line())
        finally:
            await self._abort()
            await self._leave()

    async def _introduced(self) -> bool:
        """Whom we speak with; False when a trusted hop does not say it as agreed."""
        desk = self._desk
        if desk.proxied and desk.clients.trusts(self.client_ip) and not await self._behind_proxy():
            return False
        self._receiver = Receiver(desk.receiver, self.client_ip, self._asked, trusted=desk.clients.trusts(self.client_ip))
        return True

    async def _behind_proxy(self) -> bool:
        octets = b""
        header = None
        try:
            while header is None and not (self._gone and not self._received) and await self._wait() is None:
                octets += self._taken()
                header = proxy.read(octets)
        except ValueError:
            self._note(logging.WARNING, "no PROXY header from a trusted hop")
        if header is None:
            return False
        if octets[header.length :]:
            self._received.insert(0, octets[header.length :])
        if header.client_ip:
            self._desk.clients.left(self.client_ip)
            self.client_ip, hop = header.client_ip, self.client_ip
            trouble = self._desk.clients.admit(self.client_ip)
            if trouble is not None:
                self.client_ip = hop
                self._desk.clients.admit(hop)
                self._transport.write(trouble.value.line())
                return False
        return True

    async def _act(self) -> bool:
        """One action, or one wait for the client. False ends the session."""
        action = self._receiver.next()
        if action is None:
            return await self._listen()
        goes_on = await self._do(action)
        self._turns += 1
        if not self._turns % _TURNS:
            await asyncio.sleep(0)  # a block may hold thousands of commands, and others wait
        self._pace.turn(content=self._receiver.in_data)
        return goes_on

    async def _listen(self) -> bool:
        if self._draining and self._receiver.idle and not self._received:
            self._receiver.end(Trouble.CLOSING)
            return True
        if not self._received:
            if self._gone:
                return False
            trouble = await self._wait()
            if trouble is not None:
                self._receiver.end(trouble)
                return True
        self._receiver.receive(self._taken())
        return True

    async def _wait(self) -> Trouble | None:
        """Until the client speaks, leaves or takes too long; the last is a trouble."""
        stressed = self._desk.clients.stressed
        began = self._loop.time()
        if not self._received and not self._gone:
            await self._news(max(0.0, self._pace.patience(stressed=stressed)))
        self._pace.waited(self._loop.time() - began)
        return None if self._gone else self._pace.verdict(stressed=stressed)

    async def _news(self, seconds: float) -> None:
        """Until anything happens, or for so long."""
        listening = self._listening = self._loop.create_future()
        alarm = self._loop.call_later(seconds, self._wake)
        try:
            await listening
        finally:
            self._listening = None
            alarm.cancel()

    def _wake(self) -> None:
        if self._listening is not None and not self._listening.done():
            self._listening.set_result(None)

    def _taken(self) -> bytes:
        octets = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        self._received.clear()
        self._waiting = 0
        if not self._transport.is_closing():
            self._transport.resume_reading()
        return octets

    async def _do(self, action: Action) -> bool:
        if isinstance(action, Send):
            if action.reason:
                self._note(logging.INFO, "refused", reason=action.reason)
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
        if not self._writable.is_set():
            try:
                async with asyncio.timeout(self._desk.times.reply_seconds):
                    await self._writable.wait()
            except TimeoutError:
                # Who asks and does not listen would hold its slot for ever.
                self._received.clear()
                self._transport.abort()
                self._gone = True

    async def _begin(self, action: Begin) -> None:
        trouble, self._incoming = await self._tried("begin", self._desk.intake.begin(action.envelope))
        if trouble is not None:
            self._receiver.refused(trouble)
            return
        if self._received:
            self._receiver.receive(self._taken())
        self._receiver.begun()

    async def _write(self, content: bytes) -> None:
        assert self._incoming is not None
        trouble, _ = await self._tried("write", self._incoming.write(content))
        if trouble is not None:
            await self._abort()
            self._receiver.refused(trouble)

    async def _commit(self) -> None:
        """In a task of its own, waited for whatever happens to us: a stop or a lost client must not cut a commit in two."""
        incoming, self._incoming = self._incoming, None
        assert incoming is not None
        commit = self._loop.create_task(self._tried("commit", incoming.commit()))
        stopped = await self._outlasted(commit)
        if not commit.done():
            # Nobody knows how it ends, so the client keeps the message too.
            self._desk.late.add(commit)
            commit.add_done_callback(self._desk.late.discard)
            self._note(logging.ERROR, "a commit takes too long")
            self._receiver.refused(Trouble.NOT_NOW)
        else:
            trouble, receipt_no = commit.result()
            if trouble is not None or receipt_no is None:
                await self._forgotten(incoming)
                self._receiver.refused(trouble or Trouble.NOT_NOW)
            else:
                self._note(logging.WARNING if self._lost else logging.INFO, "taken in", receipt_no=receipt_no, heard=not self._lost)
                self._receiver.committed(receipt_no)
        if stopped:
            while (reply := self._receiver.next()) is not None and isinstance(reply, Send):
                self._transport.write(reply.octets)
            raise asyncio.CancelledError

    async def _outlasted(self, commit: asyncio.Task[tuple[Trouble | None, str | None]]) -> bool:
        """Waits for a commit within its time; whether we were told to stop meanwhile."""
        stopped = False
        deadline = self._loop.time() + self._desk.times.commit_seconds
        while not commit.done() and self._loop.time() < deadline:
            try:
                await asyncio.wait({commit}, timeout=deadline - self._loop.time())
            except asyncio.CancelledError:
                stopped = True
        return stopped

    async def _tried(self, step: str, work: Awaitable[_Outcome]) -> tuple[Trouble | None, _Outcome | None]:
        """Any failure of the intake is temporary to the client and its text is ours alone."""
        try:
            return None, await work
        except Overloaded as error:
            self._note(logging.WARNING, "no room", step=step, why=str(error))
            return Trouble.FULL, None
        except Exception:  # noqa: BLE001 - the intake is another room's: whatever it raises is not the client's fault
            self._failed("the intake failed", step=step)
            return Trouble.NOT_NOW, None

    async def _abort(self) -> None:
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            await self._forgotten(incoming)

    async def _forgotten(self, incoming: Incoming) -> None:
        """An intake that cannot even forget is no reason to keep a client's connection."""
        await self._tried("abort", incoming.abort())

    async def _secure(self) -> bool:
        assert self._desk.tls is not None
        if self._received:
            return False
        try:
            transport = await self._loop.start_tls(
                self._transport, self, self._desk.tls, server_side=True, ssl_handshake_timeout=_HANDSHAKE_SECONDS
            )
        except OSError as error:
            self._note(logging.INFO, "no TLS", why=type(error).__name__)
            return False
        if transport is None:
            return False
        self._transport = transport
        self._secured = True
        self._receiver.secured()
        return True

    async def _leave(self) -> None:
        """Closing on unread input resets the connection under our last reply: wait a moment for the client to take it and go."""
        seconds = self._desk.times.linger_seconds
        self._deaf = True
        self._received.clear()
        if not self._lost and not self._transport.is_closing() and not self._secured:
            with suppress(OSError):
                self._transport.write_eof()
                self._transport.resume_reading()
                until = self._loop.time() + seconds
                while not self._gone and (left := until - self._loop.time()) > 0:
                    await self._news(left)
        self._transport.close()
        if not self._lost:
            self._loop.call_later(seconds, self._transport.abort)

    # -------------------------------------------------------------------------------------------------------- small

    def _asked(self, verb: str, recipient: str) -> Reply | None:
        """The rules of the server itself, after those it was given."""
        desk = self._desk
        answer = desk.rule(verb, recipient) if desk.rule is not None else None
        if answer is not None:
            return answer
        if verb == "MAIL":
            trouble = desk.clients.message(self.client_ip)
            return trouble.value if trouble is not None else None
        if verb != "RCPT":
            return None
        try:
            trouble = self._unwelcome(recipient)
        except Exception:  # noqa: BLE001 - see _tried
            self._failed("the intake failed", step="accepts")
            trouble = Trouble.NOT_NOW
        return None if trouble is None else trouble.value

    def _unwelcome(self, recipient: str) -> Trouble | None:
        """Why there is no mail for him; None if there is."""
        intake = self._desk.intake
        if not intake.accepts(recipient):
            return Trouble.NO_RELAY
        if not intake.knows(recipient):
            return Trouble.NO_SUCH_RECIPIENT
        return None if intake.admits(recipient) else Trouble.NO_MAIL

    def _note(self, level: int, event: str, **facts: object) -> None:
        _log.log(level, event, extra={"facts": {"client": self.client_ip, "session": hex(id(self))[-6:]} | facts})

    def _failed(self, event: str, **facts: object) -> None:
        _log.exception(event, extra={"facts": {"client": self.client_ip, "session": hex(id(self))[-6:]} | facts})
