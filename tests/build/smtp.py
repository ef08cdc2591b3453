"""Both ends of an SMTP conversation for tests: a client that sends octets as told, intakes and outboxes in memory, a next hop that misbehaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mail.envelope import Envelope
from mail.intake import Overloaded
from mail.outbox import Delivery, Recipient, Result
from mail.pace import Times
from mail.receiver import ReceiverSettings
from mail.server import Server, ServerSettings

OURS = "town.example.jp"
CONTENT = b"Subject: x\r\n\r\nbody\r\n"

# mail.md 4.3: what is around the dot. Only the first ends DATA.
TRUE_END = b"\r\n.\r\n"
FALSE_ENDS = {
    "LF.LF": b"\n.\n",
    "LF.CRLF": b"\n.\r\n",
    "CRLF.LF": b"\r\n.\n",
    "CR.CR": b"\r.\r",
    "CR.LF": b"\r.\n",
    "LF.CR": b"\n.\r",
    "CR.CRLF": b"\r.\r\n",
    "CRLF.CR": b"\r\n.\r",
    "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n",
    "CRLF.CRCRLF": b"\r\n.\r\r\n",
    "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
    "LF CRLF.LF": b"\n\r\n.\n",
    "CRLF SP.CRLF": b"\r\n .\r\n",
    "CRLF.SP CRLF": b"\r\n. \r\n",
    "CRLF..CRLF": b"\r\n..\r\n",
}


# ----------------------------------------------------------------------------------------------------------- towards us


@dataclass
class MemoryIntake:
    """Keeps what is committed. `fails`: an exception by step (accepts, begin, write, commit). `gate`: commits wait for it."""

    messages: list[tuple[Envelope, bytes]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    begun: int = 0
    aborted: int = 0
    committing: int = 0
    blocks: int = 0
    largest: int = 0

    def accepts(self, recipient: str) -> bool:
        self.fail("accepts")
        return recipient.rpartition("@")[2] == OURS

    def knows(self, recipient: str) -> bool:
        return not recipient.startswith("nobody@")

    def admits(self, recipient: str) -> bool:
        return not recipient.startswith("shut@")

    async def begin(self, envelope: Envelope) -> MemoryIncoming:
        self.fail("begin")
        self.begun += 1
        return MemoryIncoming(self, envelope)

    def fail(self, step: str) -> None:
        if step in self.fails:
            raise self.fails[step]


@dataclass
class MemoryIncoming:
    intake: MemoryIntake
    envelope: Envelope
    content: bytearray = field(default_factory=bytearray)

    async def write(self, chunk: bytes) -> None:
        self.intake.fail("write")
        self.intake.blocks += 1
        self.intake.largest = max(self.intake.largest, len(chunk))
        self.content += chunk

    async def commit(self) -> str:
        self.intake.committing += 1
        if self.intake.gate is not None:
            await self.intake.gate.wait()
        self.intake.fail("commit")
        self.intake.messages.append((self.envelope, bytes(self.content)))
        return f"20261120-{len(self.intake.messages):06d}"

    async def abort(self) -> None:
        self.intake.aborted += 1
        self.content.clear()


FULL_DISK = Overloaded("0 octets left in /var")


@asynccontextmanager
async def serving(
    intake: MemoryIntake | None = None,
    receiver: ReceiverSettings | None = None,
    settings: ServerSettings | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[tuple[Server, MemoryIntake]]:
    """A server on a port of its own."""
    intake = intake or MemoryIntake()
    settings = settings or ServerSettings(times=Times(linger_seconds=0.2))
    server = Server(intake, receiver or ReceiverSettings(hostname="mx.example.jp"), settings, tls)
    await server.start([("127.0.0.1", 0)])
    try:
        yield server, intake
    finally:
        await server.stop(0)


@dataclass
class Client:
    """Sends octets exactly as told and reads whole replies."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def reply(self) -> bytes:
        """One reply of one or more lines; empty when the server closed."""
        lines = b""
        async with asyncio.timeout(10):
            while line := await self.reader.readline():
                lines += line
                if line[3:4] != b"-":
                    break
        return lines

    async def says(self, line: bytes) -> bytes:
        await self.send(line + b"\r\n")
        return await self.reply()

    async def hello(self) -> bytes:
        await self.reply()
        return await self.says(b"EHLO client.example")

    async def begins(self, *recipients: str, sender: str = "taro@partner.example") -> bytes:
        """Up to the reply to DATA."""
        await self.says(f"MAIL FROM:<{sender}>".encode())
        for recipient in recipients or (f"clerk@{OURS}",):
            await self.says(f"RCPT TO:<{recipient}>".encode())
        return await self.says(b"DATA")

    async def rest(self) -> bytes:
        """All until the server closes."""
        async with asyncio.timeout(10):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


@asynccontextmanager
async def calling(server: Server, *, hello: bool = True) -> AsyncIterator[Client]:
    host, port = server.addresses[0]
    client = Client(*await asyncio.open_connection(host, port))
    try:
        if hello:
            await client.hello()
        yield client
    finally:
        client.close()


# ----------------------------------------------------------------------------------------------------------- out of us


NOW = 1_790_000_000.0


def delivery(*recipients: str, sender: str = "taro@partner.example", attempts: int = 0, number: int = 1, first_at: float = NOW) -> Delivery:
    people = tuple(Recipient(address, attempts) for address in recipients or (f"clerk@{OURS}",))
    return Delivery(f"d{number}", f"20261120-{number:06d}", sender, people, first_at, len(CONTENT), smtputf8=False)


@dataclass
class MemoryOutbox:
    """Deliveries that are due at once. `fails`: how often a step raises before it works."""

    waiting: list[Delivery] = field(default_factory=list)
    due: float | None = None
    settled: list[tuple[Delivery, list[Result], bytes | None]] = field(default_factory=list)
    released: list[Delivery] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    fails: dict[str, int] = field(default_factory=dict)
    leased: int = 0
    most_leased: int = 0

    async def claim(self, limit: int, now: float) -> list[Delivery]:
        self._fail("claim")
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self.claims.append(limit)
        self.leased += len(taken)
        self.most_leased = max(self.most_leased, self.leased)
        return taken

    async def read(self, delivery: Delivery) -> bytes:
        self._fail("read")
        return CONTENT

    async def settle(self, delivery: Delivery, results: Sequence[Result], notice: bytes | None) -> None:
        self._fail("settle")
        self.leased -= 1
        self.settled.append((delivery, list(results), notice))

    async def next_due(self) -> float | None:
        self._fail("next_due")
        return self.due

    async def release(self, delivery: Delivery) -> None:
        self._fail("release")
        self.leased -= 1
        self.released.append(delivery)

    def _fail(self, step: str) -> None:
        if self.fails.get(step, 0):
            self.fails[step] -= 1
            raise OSError(f"{step} fails")


HANGS = b""
DROPS = b"drop"


@dataclass
class RawHop:
    """A next hop that says exactly what it is told: octets by verb (CONNECT, EHLO, …, `.`); HANGS, DROPS; anything else is 250."""

    script: dict[str, bytes] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "CONNECT", b"220 hop ESMTP\r\n")
        while line := await reader.readline():
            self.heard.append(line)
            verb = line.split()[0].decode().upper()
            right = {"EHLO": b"250-hop\r\n250 SIZE\r\n", "DATA": b"354 go\r\n", "QUIT": b"221 bye\r\n"}.get(verb, b"250 2.0.0 ok\r\n")
            said = await self._say(writer, verb, right)
            if verb == "QUIT":
                break
            if verb == "DATA" and b"354" in said:
                self.contents.append(await reader.readuntil(b"\r\n.\r\n"))
                await self._say(writer, ".", b"250 2.0.0 queued\r\n")

    async def _say(self, writer: asyncio.StreamWriter, verb: str, right: bytes) -> bytes:
        said = self.script.get(verb, right)
        if said == HANGS:
            await asyncio.sleep(60)
        if said == DROPS:
            raise ConnectionResetError
        writer.write(said)
        await writer.drain()
        return said


@asynccontextmanager
async def hop(**script: bytes) -> AsyncIterator[RawHop]:
    """`end` stands for the end of the content."""
    raw = RawHop({{"end": "."}.get(verb, verb.upper()): said for verb, said in script.items()})
    server = await asyncio.start_server(raw._serve, "127.0.0.1", 0, limit=1 << 24)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()


# ------------------------------------------------------------------------------------------------------------- general


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Raises TimeoutError when it does not become true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


async def within(work: Awaitable[object], seconds: float = 10.0) -> object:
    async with asyncio.timeout(seconds):
        return await work


def certificate(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server, and of a client that trusts it and nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    client = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return server, client


def on_loop(work: Coroutine[Any, Any, None], loop: str) -> None:
    """Runs it on `asyncio` or `uvloop`."""
    if loop == "uvloop":
        uvloop.run(work)
    else:
        asyncio.run(work)
