"""Taking mail in, beside others, all loaded by Postfix's own `smtp-source` in the same run.

`ours` is the receiver alone with an intake that drops; `durable` is the same receiver over the real journal and blob store, where each 250
comes after the mail is flushed to disk; `smtp-sink` and aiosmtpd keep nothing. Ratios are to smtp-sink.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.handlers import Sink as DropAll

from gateway.road.post import MailIntake
from gateway.storage.journal import Journal
from gateway.storage.local_blobs import LocalBlobs
from mail.intake import Intake
from mail.receiver import ReceiverSettings
from mail.server import Server, ServerSettings
from perf.bench_intake import Drain
from tests.build.ports import free_port

LIMIT = 64 << 20
SESSIONS = 20


async def listen(intake: Intake, report: Callable[[int], None]) -> None:
    server = Server(intake, ReceiverSettings(size_limit=LIMIT), ServerSettings(max_connections=1000, max_per_client=1000))
    await server.start([("127.0.0.1", 0)])
    report(server.addresses[0][1])
    await asyncio.Event().wait()


async def ours(report: Callable[[int], None]) -> None:
    await listen(Drain(), report)


async def durable(report: Callable[[int], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal, blobs = Journal(Path(folder) / "sekisho.db"), LocalBlobs(Path(folder) / "blobs", reserve=0)
        await blobs.start()
        await journal.start()
        await listen(MailIntake(journal, blobs, ["town.example.jp"]), report)


async def aiosmtpd(report: Callable[[int], None]) -> None:
    port = free_port()
    controller = UnthreadedController(DropAll(), hostname="127.0.0.1", port=port, loop=asyncio.get_running_loop(), data_size_limit=LIMIT)
    controller.server = await controller._create_server()  # noqa: SLF001 - the one way to run it in this loop
    report(port)
    await asyncio.Event().wait()


def serve(which: Callable[[Callable[[int], None]], object], pipe: Connection) -> None:
    def report(port: int) -> None:
        pipe.send(port)
        asyncio.get_running_loop().add_reader(pipe.fileno(), answer)

    def answer() -> None:
        pipe.recv()
        pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)

    uvloop.run(which(report))  # type: ignore[arg-type]


def source(port: int, size: int, mails: int) -> float:
    """Mails per second."""
    load = ["-s", str(SESSIONS), "-m", str(mails), "-l", str(size)]
    words = ["smtp-source", *load, "-f", "a@partner.example", "-t", "clerk@town.example.jp"]
    began = time.perf_counter()
    subprocess.run([*words, f"127.0.0.1:{port}"], check=True, timeout=300)
    return mails / (time.perf_counter() - began)


def measure(which: Callable[[Callable[[int], None]], object], size: int, mails: int) -> tuple[float, float]:
    """Mails per second, and the peak memory of the server in MB."""
    near, far = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(which, far), daemon=True)
    process.start()
    port = near.recv()
    rate = source(port, size, mails)
    near.send("memory")
    memory = near.recv()
    process.kill()
    process.join()
    return rate, memory


def sink(size: int, mails: int) -> float:
    port = free_port()
    process = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1000"])
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.02)
    try:
        return source(port, size, mails)
    finally:
        process.kill()
        process.wait()


def main() -> None:
    if shutil.which("smtp-source") is None:
        print("smtp-source (Postfix) is not here: nothing is compared")
        return
    for name, size, mails in (("5 KB", 5 << 10, 4_000), ("10 MB", 10 << 20, 40)):
        floor = sink(size, mails)
        print(f"{name:6} smtp-sink {floor:8.0f} mails/s {floor * size / 1e6:8.0f} MB/s   1.00")
        for which in (ours, durable, aiosmtpd):
            rate, memory = measure(which, size, mails)
            print(f"{name:6} {which.__name__:9} {rate:8.0f} mails/s {rate * size / 1e6:8.0f} MB/s {rate / floor:6.2f} {memory:6.0f} MB")


if __name__ == "__main__":
    main()
