"""A closed loop of SMTP clients: so many sessions, each sending mail after mail and waiting for every reply.

`bench_intake.py --port 2525` loads a running service.
Without a port it measures our protocol layer alone (an intake that drops what it gets)
beside the floor: a bare asyncio server that answers the same conversation without looking at it. The ratio is the figure. Memory is that of
a server process of its own at its highest.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from mail.envelope import Envelope
from mail.receiver import ReceiverSettings
from mail.server import Server, ServerSettings

LIMIT = 64 << 20


class Drain:
    """An intake that drops everything."""

    def accepts(self, _recipient: str) -> bool:
        return True

    def knows(self, _recipient: str) -> bool:
        return True

    async def begin(self, _envelope: Envelope) -> Drain:
        return self

    async def write(self, _chunk: bytes) -> None:
        return

    async def commit(self) -> str:
        return "20261120-000001"

    async def abort(self) -> None:
        return


async def ours(report: Callable[[int], None]) -> None:
    server = Server(Drain(), ReceiverSettings(size_limit=LIMIT), ServerSettings(max_connections=1000, max_per_client=1000))
    await server.start([("127.0.0.1", 0)])
    report(server.addresses[0][1])
    await asyncio.Event().wait()


class _Floor(asyncio.Protocol):
    """Five commands by line, content until the last octets of a chunk are the end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._content = False
        self._transport.write(b"220 floor\r\n")

    def data_received(self, data: bytes) -> None:
        if self._content:
            if data.endswith(b"\r\n.\r\n"):
                self._content = False
                self._transport.write(b"250 ok\r\n")
        elif data.startswith(b"DATA"):
            self._content = True
            self._transport.write(b"354 go\r\n")
        else:
            self._transport.write(b"250 ok\r\n")


async def floor(report: Callable[[int], None]) -> None:
    server = await asyncio.get_running_loop().create_server(_Floor, "127.0.0.1", 0)
    report(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


def run_server(which: str, pipe: Connection) -> None:
    def report(port: int) -> None:
        pipe.send(port)
        asyncio.get_running_loop().add_reader(pipe.fileno(), answer)

    def answer() -> None:
        pipe.recv()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))

    uvloop.run({"ours": ours, "floor": floor}[which](report))


async def session(port: int, host: str, recipient: str, content: bytes, mails: int, refused: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    await reader.readline()
    await said(reader, writer, b"EHLO load.example\r\n")
    for _ in range(mails):
        for line in (b"MAIL FROM:<load@partner.example>\r\n", f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n", content):
            reply = await said(reader, writer, line)
            if reply[:1] not in b"23":
                refused.append(reply)
                break
    writer.close()


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: bytes) -> bytes:
    writer.write(octets)
    await writer.drain()
    while (line := await reader.readline())[3:4] == b"-":
        pass
    return line


async def load(port: int, content: bytes, arguments: argparse.Namespace, mails: int) -> float:
    """Mails per second."""
    refused: list[bytes] = []
    each = max(1, mails // arguments.sessions)
    began = time.perf_counter()
    await asyncio.gather(
        *(session(port, arguments.host, arguments.recipient, content, each, refused) for _ in range(arguments.sessions))
    )
    if refused:
        print(f"{len(refused)} refused, the first: {refused[0]!r}", file=sys.stderr)
    return (each * arguments.sessions - len(refused)) / (time.perf_counter() - began)


def message(size: int) -> bytes:
    line = b"x" * 70 + b"\r\n"
    return b"Subject: load\r\n\r\n" + line * (size // len(line)) + b".\r\n"


def compare(name: str, content: bytes, mails: int, arguments: argparse.Namespace) -> None:
    rates = {}
    for which in ("floor", "ours"):
        near, far = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=run_server, args=(which, far), daemon=True)
        process.start()
        port = near.recv()
        rates[which] = uvloop.run(load(port, content, arguments, mails))
        near.send("usage")
        seconds, memory = near.recv()
        process.kill()
        process.join()
        octets = rates[which] * len(content) / 1e6
        spent = 1000 * seconds / mails
        print(f"{name:18} {which:6} {rates[which]:9.0f} mails/s {octets:8.1f} MB/s {spent:8.3f} ms CPU/mail {memory:6.0f} MB")
    print(f"{name:18} ratio  {rates['ours'] / rates['floor']:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int)
    parser.add_argument("--recipient", default="clerk@town.example.jp")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--size", type=int, default=5 << 10)
    arguments = parser.parse_args()
    if arguments.port is not None:
        rate = uvloop.run(load(arguments.port, message(arguments.size), arguments, arguments.mails))
        print(f"{rate:.0f} mails/s of {arguments.size} octets over {arguments.sessions} sessions")
        return
    compare("5 KB", message(5 << 10), 4000, arguments)
    compare("10 MB", message(10 << 20), 20, arguments)
    compare("10 MB of CR LF", b"\r\n" * (5 << 20) + b".\r\n", 20, arguments)


if __name__ == "__main__":
    main()
