"""What seldom happens to a session: intakes that cannot even forget, rules that break, octets at the wrong moment, a balancer's word."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mail.clients import ClientLimits, Clients
from mail.envelope import Envelope
from mail.pace import Times
from mail.receiver import ReceiverSettings
from mail.replies import Reply
from mail.server import Server, ServerSettings
from mail.session import Desk, Session
from tests.build.smtp import CONTENT, OURS, MemoryIncoming, MemoryIntake, calling, certificate, serving, until

SHORT = Times(idle_seconds=0.2, data_seconds=0.2, linger_seconds=0.1)
PROXIED = ServerSettings(trusted_hops=["127.0.0.1"], proxy_protocol=True, max_per_client=1, times=Times(linger_seconds=0.1))


class Forgetless(MemoryIntake):
    """Cannot give up what it has begun."""

    async def begin(self, envelope: Envelope) -> MemoryIncoming:
        self.fail("begin")
        self.begun += 1
        return _Forgetless(self, envelope)


class _Forgetless(MemoryIncoming):
    async def abort(self) -> None:
        await super().abort()
        raise OSError(5, "Input/output error: /var/spool/x")


@pytest.mark.parametrize("ends", ["half", "close", "idle", "write", "commit", "stop"])
async def test_an_intake_that_cannot_forget_keeps_no_connection_open(ends: str, caplog: pytest.LogCaptureFixture) -> None:
    intake = Forgetless()
    async with serving(intake, settings=ServerSettings(times=SHORT)) as (server, _), calling(server) as client:
        await client.begins()
        intake.fails = {ends: OSError(28, "full")} if ends in ("write", "commit") else {}
        await client.send(CONTENT + (b".\r\n" if ends in ("write", "commit") else b""))
        if ends == "half":
            await until(lambda: intake.blocks)
            client.writer.write_eof()
        if ends == "close":
            client.close()
        if ends == "stop":
            await until(lambda: intake.blocks)
            await server.stop(0.05)
        said = b"" if ends == "close" else await client.rest()
        assert said[:3] == {"idle": b"421", "write": b"451", "commit": b"451", "stop": b"421"}.get(ends, b"")
        assert b"var" not in said
        await until(lambda: not server.sessions)
        assert (intake.messages, intake.aborted) == ([], 1)
    assert [record.facts["step"] for record in caplog.records if record.levelno == logging.ERROR and hasattr(record, "facts")][-1] == "abort"


async def test_a_rule_that_breaks_is_temporary_to_the_client(caplog: pytest.LogCaptureFixture) -> None:
    def rule(verb: str, _address: str) -> Reply | None:
        if verb == "MAIL":
            raise ZeroDivisionError
        return None

    server = Server(MemoryIntake(), ReceiverSettings(), ServerSettings(times=SHORT), rule=rule)
    await server.start([("127.0.0.1", 0)])
    async with calling(server) as client:
        assert (await client.says(b"MAIL FROM:<a@b.example>")).startswith(b"451 4.3.0")
        assert await client.rest() == b""
        await until(lambda: not server.sessions)
    await server.stop(0)
    assert "a session failed" in caplog.messages


async def test_recipients_of_others_are_not_relayed() -> None:
    async with serving() as (server, intake), calling(server) as client:
        await client.says(b"MAIL FROM:<a@b.example>")
        assert (await client.says(b"RCPT TO:<x@elsewhere.example>")).startswith(b"550 5.7.1")
        assert intake.begun == 0


class SlowIntake(MemoryIntake):
    """Opens a message only when it may."""

    async def begin(self, envelope: Envelope) -> MemoryIncoming:
        self.begun += 1
        assert self.gate is not None
        await self.gate.wait()
        return MemoryIncoming(self, envelope)


async def test_content_that_comes_while_a_message_is_being_opened_is_early() -> None:
    intake = SlowIntake(gate=asyncio.Event())
    async with serving(intake) as (server, _), calling(server) as client:
        await client.says(b"MAIL FROM:<>")
        await client.says(f"RCPT TO:<clerk@{OURS}>".encode())
        await client.send(b"DATA\r\n")
        await until(lambda: intake.begun)
        [session] = server._sessions
        await client.send(b"Subject: x\r\n.\r\n")
        await until(lambda: session._waiting)
        assert intake.gate is not None
        intake.gate.set()
        assert (await client.rest()).startswith(b"554 5.5.0")
        assert (intake.messages, intake.aborted) == ([], 1)


# ------------------------------------------------------------------------------------------------------ balancers


def _proxied(address: str = "198.51.100.7") -> bytes:
    return f"PROXY TCP4 {address} 192.0.2.1 4000 25\r\n".encode()


async def test_a_greeting_behind_the_header_in_one_segment() -> None:
    async with serving(receiver=ReceiverSettings(strict_pipelining=False), settings=PROXIED) as (server, intake), calling(server, hello=False) as client:
        await client.send(_proxied() + b"EHLO c.example\r\n")
        assert (await client.reply()).startswith(b"220")
        assert (await client.reply()).startswith(b"250")
        await client.begins()
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")
        assert intake.messages[0][0].client_ip == "198.51.100.7"


async def test_a_balancer_that_speaks_for_itself_is_the_client() -> None:
    async with serving(settings=PROXIED) as (server, intake), calling(server, hello=False) as client:
        await client.send(b"PROXY UNKNOWN\r\n")
        await client.hello()
        await client.begins()
        await client.send(CONTENT)
        assert (await client.says(b".")).startswith(b"250")
        assert intake.messages[0][0].client_ip == "127.0.0.1"


async def test_limits_bind_the_client_behind_the_balancer() -> None:
    async with serving(settings=PROXIED) as (server, _), calling(server, hello=False) as first, calling(server, hello=False) as second:
        await first.send(_proxied())
        await first.hello()
        await second.send(_proxied())
        assert (await second.rest()).startswith(b"421 4.7.0")
        async with calling(server, hello=False) as other:
            await other.send(_proxied("198.51.100.8"))
            assert (await other.reply()).startswith(b"220")
        first.close()
        await until(lambda: not server.sessions)
        async with calling(server, hello=False) as third:      # every place was given back, those of the balancer too
            await third.send(_proxied())
            assert (await third.reply()).startswith(b"220")


async def test_a_balancer_that_leaves_within_its_header() -> None:
    async with serving(settings=PROXIED) as (server, intake), calling(server, hello=False) as client:
        await client.send(_proxied()[:20])
        client.writer.write_eof()
        assert await client.rest() == b""
        await until(lambda: not server.sessions)
        assert intake.begun == 0


# ---------------------------------------------------------------------------------------------------- the transport


class Wire(asyncio.Transport):
    """A transport that takes what it is given; `full` makes it say so after each write."""

    def __init__(self, session: Session, *, full: bytes = b"") -> None:
        super().__init__()
        self.said = b""
        self.closed = False
        self._session = session
        self._full = full

    def write(self, data: Any) -> None:
        self.said += data
        if self._full and self._full in data:
            self._session.pause_writing()

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._session.connection_lost(None)

    abort = close
    write_eof = resume_reading = pause_reading = lambda self: None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 4000) if name == "peername" else default


def _connected(tls: Any = None, *, full: bytes = b"") -> tuple[Session, Wire, asyncio.Task[None]]:
    settings = ReceiverSettings(hostname="mx.example.jp", starttls=tls is not None)
    clients = Clients(ClientLimits(), lambda: 0.0)
    tasks: list[asyncio.Task[None]] = []
    begin: Callable[[Session], None] = lambda session: tasks.append(asyncio.get_running_loop().create_task(session.run()))  # noqa: E731
    session = Session(Desk(MemoryIntake(), settings, Times(linger_seconds=0.0), clients, begin, tls=tls))
    wire = Wire(session, full=full)
    session.connection_made(wire)
    return session, wire, tasks[0]


async def test_a_client_that_listens_late_hears_everything() -> None:
    session, wire, running = _connected(full=b"250 2.0.0")
    session.data_received(b"NOOP\r\n")
    await until(lambda: b"250 2.0.0" in wire.said)
    session.data_received(b"QUIT\r\n")
    await asyncio.sleep(0)
    assert b"221" not in wire.said
    session.resume_writing()
    await until(running.done)
    assert wire.said.splitlines()[1:] == [b"250 2.0.0 Ok", b"221 2.0.0 Bye"]


async def test_what_comes_between_220_and_the_handshake_is_never_a_command(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path)
    session, wire, running = _connected(tls, full=b"220 2.0.0")
    session.data_received(b"EHLO c\r\n")
    await until(lambda: b"STARTTLS" in wire.said)
    session.data_received(b"STARTTLS\r\n")
    await until(lambda: b"220 2.0.0" in wire.said)
    session.data_received(b"MAIL FROM:<evil@x.example>\r\n")
    session.resume_writing()
    await until(running.done)
    assert wire.closed
    assert wire.said.splitlines()[-1].startswith(b"220 2.0.0")


async def test_a_handshake_that_leaves_no_transport_ends_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the loop answers when the connection went while it shook hands."""

    async def gone(*_: object, **__: object) -> None:
        return None

    tls, _ = certificate(tmp_path)
    session, wire, running = _connected(tls)
    monkeypatch.setattr(asyncio.get_running_loop(), "start_tls", gone)
    session.data_received(b"STARTTLS\r\n")
    await until(running.done)
    assert wire.closed
    assert wire.said.splitlines()[-1].startswith(b"220 2.0.0")


async def test_nothing_is_said_on_a_connection_that_closes() -> None:
    session, wire, running = _connected()
    wire.closed = True
    session.data_received(b"NOOP\r\n")
    session.eof_received()
    await until(running.done)
    assert wire.said == b""


