"""One warm parent process, seen from the road: start it, hand it descriptors, hear how its children ended, let it go."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import msgspec

from gateway.road import memory
from gateway.telemetry import log
from sanitizers import wire
from sanitizers.wire import Ended, Kill, Ready, Start, WireError

_log = log.get(__name__)

# Isolated from the environment and the working folder: nothing there can slip a module in.
COMMAND: Final = (sys.executable, "-I", "-m", "sanitizers.parent")
_START_SECONDS: Final = 90.0
# How long after a child's deadline the parent may take to ask, kill and reap it before the parent itself counts as hung.
_GRACE_SECONDS: Final = 10.0
_MAX_MESSAGE: Final = 65_536
_GROWTH: Final = 1.5
# Nothing of the road's environment (which may hold keys) reaches the jail. Large pages: a child touches all of its memory for the first
# time, and of large pictures a quarter of the time went into that.
ENVIRONMENT: Final = {
    "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "MALLOC_ARENA_MAX": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}  # fmt: skip


class JailUnavailable(Exception):  # noqa: N818 - says what is the case
    """The jail cannot be built here; the text says what is missing."""


class WarmParent:
    """`run` forks one child and waits for its end. After `alive` has become False every `run` ends at once with a killed child."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket, ready: Ready) -> None:
        self.ready = ready
        self.alive = True
        self.transfers = 0
        self._process = process
        self._pages_at_start = _resident_pages(process.pid)
        self._control = control
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Ended]] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(control.fileno(), self._hear)

    @classmethod
    async def start(cls, rules: Mapping[str, str], command: Sequence[str] = COMMAND) -> Self:
        """Raises JailUnavailable if it does not come up, ValueError if the rules do not compile."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs, memory.filled("rules", msgspec.json.encode(dict(rules))) as rules_fd:
            process = await _spawn(command, theirs.fileno(), rules_fd)
        try:
            async with asyncio.timeout(_START_SECONDS):
                ready = wire.decode_answer(await asyncio.get_running_loop().sock_recv(ours, _MAX_MESSAGE))
            if isinstance(ready, Ready):
                return cls(process, ours, ready)
            raise WireError("no ready message")
        except (TimeoutError, WireError, OSError):
            ours.close()
            raise await _why_not(process) from None
        except asyncio.CancelledError:
            ours.close()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
            raise

    async def run(self, wall_seconds: float, fds: tuple[int, int, int, int]) -> tuple[int, asyncio.Future[Ended]]:
        """Fork a child with these descriptors: source, output, report pipe, job. Returns its number and its end to come."""
        number = next(self._numbers)
        ended: asyncio.Future[Ended] = self._loop.create_future()
        self._waiting[number] = ended
        self._idle.clear()
        self.transfers += 1
        try:
            if self.alive:
                socket.send_fds(self._control, [wire.encode_message(Start(number, wall_seconds))], fds)
            else:
                self._end(Ended(number, signal.SIGKILL, deadline=False, cpu=0.0, rss_kb=0))
        except OSError as error:
            _log.error("the warm parent cannot be reached", error=str(error))
            self._lost()
        return number, ended

    async def wait(self, number: int, ended: asyncio.Future[Ended], wall_seconds: float) -> Ended:
        """How that child ended. A parent that does not say so in time is killed with all its children."""
        try:
            async with asyncio.timeout(wall_seconds + _GRACE_SECONDS):
                return await asyncio.shield(ended)
        except TimeoutError:
            _log.error("the warm parent does not answer and is killed")
            self._kill_all()
            return Ended(number, signal.SIGKILL, deadline=True, cpu=0.0, rss_kb=0)
        finally:
            self._waiting.pop(number, None)
            if not self._waiting:
                self._idle.set()

    @property
    def grown(self) -> bool:
        """It holds half as much memory again as when it was ready: whatever that is, a fresh one does not have it."""
        return _resident_pages(self._process.pid) > _GROWTH * self._pages_at_start > 0

    def kill(self, number: int) -> None:
        """That child is no longer wanted; its end still comes through its future."""
        with contextlib.suppress(OSError):
            self._control.send(wire.encode_message(Kill(number)))

    async def retire(self) -> None:
        """Wait for its children, then let it go."""
        if self.alive:
            await self._idle.wait()
        self._lost()
        try:
            async with asyncio.timeout(_GRACE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._kill_all()
            await self._process.wait()

    def _hear(self) -> None:
        try:
            message = self._control.recv(_MAX_MESSAGE)
            answer = wire.decode_answer(message) if message else None
        except (BlockingIOError, InterruptedError):
            return
        except (WireError, OSError) as error:
            _log.error("the warm parent speaks nonsense", error=str(error))
            self._kill_all()
            return
        if isinstance(answer, Ended):
            self._end(answer)
        else:
            self._lost()

    def _end(self, ended: Ended) -> None:
        future = self._waiting.get(ended.id)
        if future is not None and not future.done():
            future.set_result(ended)

    def _kill_all(self) -> None:
        """Its children die with it (PDEATHSIG)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._lost()

    def _lost(self) -> None:
        """No word will come from it any more: closing our end makes a healthy parent leave, and ends every wait."""
        if not self.alive:
            return
        self.alive = False
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        for number in list(self._waiting):
            self._end(Ended(number, signal.SIGKILL, deadline=False, cpu=0.0, rss_kb=0))


def _resident_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, IndexError):
        return 0  # it is gone; its socket says so


async def _spawn(command: Sequence[str], control_fd: int, rules_fd: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        f"--control={control_fd}",
        f"--rules={rules_fd}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(control_fd, rules_fd),
        env=ENVIRONMENT,
        start_new_session=True,
    )


async def _why_not(process: asyncio.subprocess.Process) -> Exception:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    _, errors = await process.communicate()
    last = wire.printable(errors.strip().rpartition(b"\n")[2][-2_000:])
    if last.startswith("ValueError: "):
        return ValueError(last.removeprefix("ValueError: "))
    return JailUnavailable(f"the warm parent did not start: {last}")
