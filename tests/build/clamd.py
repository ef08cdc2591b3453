"""A clamd of our own: its own folder, its own signatures, on a unix socket and a port of the loopback."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.road import memory
from gateway.scanners.clamd import Clamd
from gateway.scanners.interface import Answer, Clean
from tests.build.ports import free_port

MARKER = b"SEKISHO-TEST-MARKER"
HASHED = b"known by its digest alone\n"
CLAMD = shutil.which("clamd") or "/usr/sbin/clamd"
needs_clamd = pytest.mark.skipif(not Path(CLAMD).exists(), reason="clamd is not installed")


async def scan(scanner: Clamd, content: bytes, size: int | None = None) -> Answer:
    with memory.filled("sample", content) as fd:
        return await scanner.scan(fd, len(content) if size is None else size)


async def answers(scanner: Clamd) -> bool:
    return await scan(scanner, b"is anybody there") == Clean()


class Daemon:
    """A clamd with its own folder, on a unix socket and a port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, str(folder / "clamd.sock")
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None

    def write(self, settings: str = "") -> None:
        database = self.folder / "database"
        database.mkdir()
        (database / "ours.ndb").write_text(f"Sekisho.Test.Marker:0:*:{MARKER.hex()}\n")
        (database / "ours.hdb").write_text(f"{hashlib.md5(HASHED).hexdigest()}:{len(HASHED)}:Sekisho.Test.Digest\n")
        (self.folder / "clamd.conf").write_text(
            f"LocalSocket {self.socket}\nTCPSocket {self.port}\nTCPAddr 127.0.0.1\nDatabaseDirectory {database}\n"
            f"Foreground yes\nMaxThreads 2\nStreamMaxLength 1M\nMaxFileSize 2M\n{settings}"
        )

    async def start(self) -> None:
        log = (self.folder / "log").open("ab")
        with log:
            self.process = await asyncio.create_subprocess_exec(CLAMD, "-c", str(self.folder / "clamd.conf"), stdout=log, stderr=log)
        async with asyncio.timeout(60):
            while not await answers(Clamd(self.socket, seconds=5)):
                assert self.process.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.05)

    async def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        if self.process is None or self.process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(with_signal)
        try:
            async with asyncio.timeout(10):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
