"""Jailed children, seen from the road: hand over descriptors, wait, believe nothing, always come back with a Report.

A crash, a hang, a flood or an answer that does not hold is turned into a Report with `worker_crashed`, `timeout` or
`limit_exceeded`; no exception of a child ever reaches the caller. The output lies in a memory descriptor that the road made, that
no child can change once it is sealed, and that is sealed before the road checks its size and digest against the report.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, Self

from gateway.road import memory
from gateway.road.warm_parent import COMMAND, JailUnavailable, WarmParent
from gateway.telemetry import log
from sanitizers import preview_words, wire
from sanitizers.findings import CODES
from sanitizers.model import Action, Finding, Job, Kind, PartInfo, Reason, Report, Verdict
from sanitizers.preview_words import Shown
from sanitizers.wire import Ended, FrameType, WireError

__all__ = ["JailUnavailable", "Sanitized", "Workers"]

_log = log.get(__name__)

# Without these there is no jail; the trial in the warm parent proves that they hold.
REQUIRED_WALLS: Final = ("no-new-privs", "limits", "seccomp")
# A parent is replaced after this many transfers, so that whatever it may have gathered does not stay.
_TRANSFERS_PER_PARENT: Final = 20_000
_RESTART_PAUSE_SECONDS: Final = 0.2
# How long a child may take to end once it has said all.
_LINGER_SECONDS: Final = 2.0
# What is read and hashed without a thread of its own, in bytes: that takes less time than to start one.
_AT_ONCE: Final = 256 << 10
_READ_BLOCK: Final = 1 << 16
_HASH_BLOCK: Final = 1 << 20


class Sanitized(NamedTuple):
    """What came of one transfer. `output_fd`: a sealed memory descriptor, then the caller's, present exactly if the verdict delivers.

    `passwords`: what looks like passwords of other files in a mail, where policy asks for it; for this process's memory only.
    """

    report: Report
    output_fd: int | None
    passwords: tuple[str, ...] = ()


class Workers:
    """`concurrency` children at a time under one warm parent. `rules` maps file names to YARA source."""

    def __init__(
        self, rules: Mapping[str, str], concurrency: int, *, jail_required: bool = True, command: Sequence[str] = COMMAND
    ) -> None:
        self._rules = dict(rules)
        self._command = command
        self._slots = asyncio.Semaphore(concurrency)
        self._jail_required = jail_required
        self._parent: WarmParent | None = None
        self._turnover = asyncio.Lock()
        self._endings: set[asyncio.Task[Ended]] = set()
        self.rules_version = ""
        self.walls: tuple[str, ...] = ()

    async def start(self) -> None:
        """Raises JailUnavailable when a required wall does not stand and the jail is required, ValueError for bad rules."""
        self._parent = await self._new_parent(self._rules)

    async def stop(self) -> None:
        """Waits for the children at work."""
        async with self._turnover:      # a reload that has a fresh parent in hand puts it in its place first: nothing is left running
            parent, self._parent = self._parent, None
        if parent is not None:
            await parent.retire()
        if self._endings:
            await asyncio.wait(self._endings)

    async def reload(self, rules: Mapping[str, str]) -> None:
        """New rules for transfers that start from now on. Raises ValueError and keeps the old ones when they do not compile."""
        async with self._turnover:
            fresh = await self._new_parent(rules)
            old, self._parent, self._rules = self._parent, fresh, dict(rules)
        if old is not None:
            await old.retire()

    async def sanitize(self, source_fd: int, job: Job, progress: Callable[[str], None] = lambda _: None) -> Sanitized:
        """One transfer through one jailed child. `source_fd`: open for reading only (else ValueError); it stays the caller's."""
        if fcntl.fcntl(source_fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
            raise ValueError("a child may not be handed a source that it could change")
        output_fd = memory.create("output")
        try:
            with _Answer(progress) as answer:
                ended = await self._hear(source_fd, output_fd, job, answer)
            report = await _concluded(job, source_fd, output_fd, answer, ended)
        except BaseException:
            os.close(output_fd)
            raise
        if report.verdict.delivers:
            return Sanitized(report, output_fd, answer.passwords)
        os.close(output_fd)
        return Sanitized(report, None, answer.passwords)

    async def show(self, source_fd: int, job: Job) -> tuple[Shown, bytes]:
        """What `job.look` asks for, through one jailed child, and the pixels of its picture. A child that fails shows a `fault`."""
        output_fd = memory.create("pixels")
        try:
            with _Answer(lambda _: None) as answer:
                ended = await self._hear(source_fd, output_fd, job, answer)
            return await asyncio.to_thread(_shown, job, output_fd, answer, ended)
        finally:
            os.close(output_fd)

    async def _hear(self, source_fd: int, output_fd: int, job: Job, answer: _Answer) -> Ended | None:
        """Lets one child speak. Returns how it ended; None while one is still ending that has said all: nobody need wait for that."""
        ending = await self._begin(source_fd, output_fd, job, answer)
        answer.listen()
        try:
            await asyncio.wait((ending, answer.complete), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            answer.kill()       # it has its slot until it is dead, and nobody will hear what it says
            raise
        if ending.done():
            return ending.result()
        killing = asyncio.get_running_loop().call_later(_LINGER_SECONDS, answer.kill)
        ending.add_done_callback(lambda _: killing.cancel())
        return None

    async def _begin(self, source_fd: int, output_fd: int, job: Job, answer: _Answer) -> asyncio.Task[Ended]:
        """Starts a child, which has its slot until it is dead. Returns its end to come."""
        await self._slots.acquire()
        try:
            parent = await self._living_parent()
            with memory.filled("job", wire.encode_job(job)) as job_fd:
                number, ended = await parent.run(job.limits.wall_seconds, (source_fd, output_fd, answer.write_end, job_fd))
        except BaseException:
            self._slots.release()
            raise
        answer.kill = partial(parent.kill, number)
        ending = asyncio.create_task(parent.wait(number, ended, job.limits.wall_seconds))
        ending.add_done_callback(self._ended)
        self._endings.add(ending)
        return ending

    def _ended(self, ending: asyncio.Task[Ended]) -> None:
        self._endings.discard(ending)
        self._slots.release()

    async def _living_parent(self) -> WarmParent:
        async with self._turnover:
            parent = self._parent
            if parent is None:
                raise RuntimeError("workers are not started")
            if parent.alive and parent.transfers < _TRANSFERS_PER_PARENT and not parent.grown:
                return parent
            if not parent.alive:
                _log.error("the warm parent died and is started again")
                await asyncio.sleep(_RESTART_PAUSE_SECONDS)
            fresh = self._parent = await self._new_parent(self._rules)
        await parent.retire()
        return fresh

    async def _new_parent(self, rules: Mapping[str, str]) -> WarmParent:
        parent = await WarmParent.start(rules, self._command)
        self.walls = parent.ready.standing
        missing = [wall for wall in REQUIRED_WALLS if wall not in self.walls]
        if (missing or parent.ready.broken) and self._jail_required:
            await parent.retire()
            raise JailUnavailable(_what_is_wrong(missing, parent.ready.broken))
        self.rules_version = parent.ready.rules
        return parent


def _what_is_wrong(missing: list[str], broken: tuple[str, ...]) -> str:
    parts = []
    if missing:
        parts.append("missing walls: " + ", ".join(missing))
    if broken:
        parts.append("a jailed process could: " + ", ".join(broken))
    return "; ".join(parts)


class _Answer:
    """What one child says over its pipe, bounded and checked as it comes. Owns both ends of the pipe while it is entered."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self.report: bytes | None = None
        self.shown: bytes | None = None
        self.fault = ""
        self.passwords: tuple[str, ...] = ()
        self.garbage = ""
        self.kill: Callable[[], None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self.complete: asyncio.Future[None] = self._loop.create_future()    # the report is here: nothing may follow it
        self._progress = progress
        self._frames = wire.FrameReader()
        self._read_end, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(self.write_end, True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """What a child that has ended left in the pipe still counts."""
        self._loop.remove_reader(self._read_end)
        while self._read():
            pass
        os.close(self._read_end)
        if self.write_end >= 0:
            os.close(self.write_end)

    def listen(self) -> None:
        """From now on the child alone can write."""
        os.close(self.write_end)
        self.write_end = -1
        self._loop.add_reader(self._read_end, self._read)

    def _read(self) -> bool:
        """One block; False when there is nothing now."""
        try:
            block = os.read(self._read_end, _READ_BLOCK)
        except BlockingIOError:
            return False
        if block and not self.garbage:
            self._take(block)
        return bool(block)

    def _take(self, untrusted_block: bytes) -> None:
        try:
            for frame in self._frames.feed(untrusted_block):
                if frame.type is FrameType.REPORT:
                    self.report = frame.payload
                    self.complete.set_result(None)
                elif frame.type is FrameType.SHOWN:
                    self.shown = frame.payload
                    self.complete.set_result(None)
                elif frame.type is FrameType.FAULT:
                    self.fault = wire.printable(frame.payload)
                elif frame.type is FrameType.PASSWORDS:
                    self.passwords = wire.decode_passwords(frame.payload)
                else:
                    self._progress(wire.printable(frame.payload))
        except WireError as error:
            self.garbage = str(error)
            self.kill()


async def _concluded(job: Job, source_fd: int, output_fd: int, answer: _Answer, ended: Ended | None) -> Report:
    """In a thread where there is much to read."""
    much = max(os.fstat(source_fd).st_size, os.fstat(output_fd).st_size, len(answer.report or b"")) > _AT_ONCE
    if much:
        return await asyncio.to_thread(_conclude, job, source_fd, output_fd, answer, ended)
    return _conclude(job, source_fd, output_fd, answer, ended)


def _conclude(job: Job, source_fd: int, output_fd: int, answer: _Answer, ended: Ended | None) -> Report:
    """Reads the output once. The child is dead by now or has said all that it may, and the output is sealed before it is believed."""
    if answer.report is not None and not answer.garbage and (ended is None or ended.status == 0):
        try:
            report = wire.decode_report(answer.report, job)
            _check_input(report, source_fd)
            if report.output is not None:
                _check_output(report.output, output_fd)
            return report
        except (WireError, OSError) as error:
            answer.garbage = str(error)
    ending = "ended with an answer that does not hold" if ended is None else _ending(ended)
    reason = Reason.TIMEOUT if ended is not None and _ran_out_of_time(ended, job) else Reason.WORKER_CRASHED
    detail = answer.garbage or answer.fault or ending
    _log.warning("a jailed child failed", name=job.name, reason=reason, detail=detail, status=ended and ended.status)
    return lost_report(job, os.fstat(source_fd).st_size, _digest(source_fd), reason, ending)


def _shown(job: Job, output_fd: int, answer: _Answer, ended: Ended | None) -> tuple[Shown, bytes]:
    """Believed only within its bounds, and with just the pixels that it announces."""
    if answer.shown is not None and not answer.garbage and (ended is None or ended.status == 0):
        try:
            memory.seal(output_fd)
            size = os.fstat(output_fd).st_size
            return preview_words.decode(answer.shown, size), os.pread(output_fd, size, 0)
        except (ValueError, OSError) as error:
            answer.garbage = str(error)
    reason = Reason.TIMEOUT if ended is not None and _ran_out_of_time(ended, job) else Reason.WORKER_CRASHED
    detail = answer.garbage or answer.fault or ("" if ended is None else _ending(ended))
    _log.warning("nothing could be shown", name=job.name, reason=reason, detail=detail)
    return Shown(fault=reason), b""


def _check_input(report: Report, source_fd: int) -> None:
    if report.input.size != os.fstat(source_fd).st_size:
        raise WireError("report about another size")


def _check_output(untrusted_output: PartInfo, output_fd: int) -> None:
    memory.seal(output_fd)
    if os.fstat(output_fd).st_size != untrusted_output.size:
        raise WireError("output of another size than reported")
    if _digest(output_fd) != untrusted_output.sha256:
        raise WireError("output of another digest than reported")


def _digest(fd: int) -> str:
    digest, offset = hashlib.sha256(), 0
    while block := os.pread(fd, _HASH_BLOCK, offset):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()


def _ran_out_of_time(ended: Ended, job: Job) -> bool:
    if ended.deadline:
        return True
    killed_by = ended.status & 0x7F
    return killed_by in (signal.SIGXCPU, signal.SIGKILL) and ended.cpu >= job.limits.cpu_seconds


def _ending(ended: Ended) -> str:
    killed_by = ended.status & 0x7F
    return f"ended by signal {killed_by}" if killed_by else f"ended with status {ended.status >> 8}"


def lost_report(job: Job, size: int, sha256: str, reason: Reason, detail: str) -> Report:
    """The road's own report about a transfer whose child did not give one: held, with the reason."""
    code = CODES[f"file.{reason}"]
    return Report(
        path=job.name,
        verdict=Verdict.HELD,
        reason=reason,
        input=PartInfo(name=job.name, size=size, sha256=sha256, kind=Kind.UNKNOWN),
        output=None,
        findings=(Finding(code=code.code, severity=code.severity, action=Action.REFUSED, where="", detail=detail),),
        policy=job.policy,
        rules=job.rules,
    )
