"""What runs inside one jailed process: it reads its job, puts up the walls, answers once and dies."""

from __future__ import annotations

import errno
import mmap
import os
import signal
import traceback
from types import FrameType as StackFrame
from typing import Final, NoReturn

from sanitizers import preview, preview_words, wire
from sanitizers.context import Outcome
from sanitizers.engine import Engine
from sanitizers.findings import CODES
from sanitizers.jail import walls
from sanitizers.model import Action, Finding, Job, Kind, LimitExceeded, PartInfo, Reason, Refused, Report, Verdict
from sanitizers.preview_words import Look, Shown
from sanitizers.scan import Scanner
from sanitizers.source import Source
from sanitizers.wire import FrameType

# Where the parent puts the descriptors of a child; everything above is closed.
SOURCE_FD: Final = 3
OUTPUT_FD: Final = 4
REPORT_FD: Final = 5
JOB_FD: Final = 6

_FAILED: Final = 70
# Read for nothing but to have the memory at hand that reading a job needs.
_ANY_JOB: Final = wire.encode_job(Job(name=""))
_WRITE_BLOCK: Final = 1 << 20


class OutOfTime(BaseException):
    """The parent asked (SIGTERM at the wall-clock deadline) or the kernel did (SIGXCPU). No format may catch it."""


def prepare(ring: walls.OuterRing) -> None:
    """What can be done before there is a job. Raises OSError when a wall cannot be put up: this process must then end."""
    signal.signal(signal.SIGTERM, _out_of_time)
    signal.signal(signal.SIGXCPU, _out_of_time)
    walls.put_up_first(ring)
    wire.decode_job(_ANY_JOB)


def run(scanner: Scanner, ring: walls.OuterRing) -> NoReturn:
    """The one job of a prepared child. Never returns and never raises: whatever happens, this process ends here."""
    try:
        job = wire.decode_job(_read_all(JOB_FD))
        os.close(JOB_FD)
        source = _map(SOURCE_FD)
        walls.put_up_last(job.limits, ring)
        if job.look is not None:
            _show(job, job.look, source)
        else:
            _answer(job, source, scanner)
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the road must get a word even of a bug of ours; the exit status says the rest
        _fault(traceback.format_exc(limit=-6))
    os._exit(_FAILED)


def _out_of_time(_signal: int, _frame: StackFrame | None) -> NoReturn:
    raise OutOfTime


def _answer(job: Job, source: Source, scanner: Scanner) -> None:
    engine = Engine(job, scanner, len(source), _progress)
    try:
        outcome = engine.run(source)
        if outcome.content is not None:
            _write_output(outcome.content)
    except OutOfTime:
        outcome = _stopped(job, source, Reason.TIMEOUT, "file.timeout")
    except LimitExceeded as refusal:
        outcome = _stopped(job, source, refusal.reason, refusal.code, where=refusal.where, detail=refusal.detail)
    except Refused as refusal:
        # Only a refusal before the first part can come here; the engine turns all others into an Outcome.
        outcome = _stopped(job, source, refusal.reason, refusal.code, where=refusal.where, detail=refusal.detail)
    except MemoryError:
        detail = f"memory over {job.limits.memory_bytes} bytes"
        outcome = _stopped(job, source, Reason.LIMIT_EXCEEDED, "file.limit_exceeded", detail=detail)
    if engine.passwords_seen:
        _write_all(REPORT_FD, memoryview(wire.encode_passwords(engine.passwords_seen)))
    _write_all(REPORT_FD, memoryview(wire.encode_frame(FrameType.REPORT, wire.encode_report(outcome.report))))


def _show(job: Job, look: Look, source: Source) -> None:
    """Nothing is rebuilt and nothing judged: what is asked for goes out as letters and pixels."""
    pixels = b""
    try:
        shown, pixels = preview.show(job, look, source)
    except OutOfTime:
        shown = Shown(fault=Reason.TIMEOUT)
    except MemoryError:
        shown = Shown(fault=Reason.LIMIT_EXCEEDED)
    payload = preview_words.encode(shown)
    _write_all(OUTPUT_FD, memoryview(pixels))
    _write_all(REPORT_FD, memoryview(wire.encode_frame(FrameType.SHOWN, payload)))


def _stopped(job: Job, source: Source, reason: Reason, code: str, *, where: str = "", detail: str = "") -> Outcome:
    """Held as a whole, with nothing but the reason: parts that were done before do not count."""
    finding = Finding(code=code, severity=CODES[code].severity, action=Action.REFUSED, where=where[:500], detail=detail[:500])
    report = Report(
        path=job.name,
        verdict=Verdict.HELD,
        reason=reason,
        input=PartInfo(name=job.name, size=len(source), sha256=source.sha256, kind=Kind.UNKNOWN),
        output=None,
        findings=(finding,),
        policy=job.policy,
        rules=job.rules,
    )
    return Outcome(report, None)


def _progress(where: str) -> None:
    os.write(REPORT_FD, wire.encode_frame(FrameType.PROGRESS, where.encode("utf-8", "replace")))


def _fault(text: str) -> None:
    try:
        os.write(REPORT_FD, wire.encode_frame(FrameType.FAULT, text.encode("utf-8", "replace")[-4_000:]))
    except OSError:
        pass  # the road has gone or stopped listening: the exit status alone must do


def _map(fd: int) -> Source:
    size = os.fstat(fd).st_size
    return Source(mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)) if size else Source(b"")  # type: ignore[arg-type]


def _read_all(fd: int) -> bytes:
    blocks = []
    os.lseek(fd, 0, os.SEEK_SET)
    while block := os.read(fd, 1 << 20):
        blocks.append(block)
    return b"".join(blocks)


def _write_output(content: Source) -> None:
    try:
        for block in content.blocks():
            _write_all(OUTPUT_FD, memoryview(block))
        _settle()
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        raise LimitExceeded(f"output of {len(content)} bytes") from error


def _settle() -> None:
    """Taking a mapping away empties this processor's list of fresh pages: else sealing them waits for every processor to empty its own."""
    with mmap.mmap(-1, mmap.PAGESIZE) as page:
        page[0] = 1


def _write_all(fd: int, view: memoryview) -> None:
    while view:
        view = view[os.write(fd, view[:_WRITE_BLOCK]) :]
