"""The frames between road and jail. No I/O: both sides import it.

A child answers over a pipe with frames of one type byte, four length bytes (big-endian) and a payload. The road believes nothing of it:
every type, length, code and number is checked here against the road's own limits, and anything else is `WireError`, which means that the
transfer is held as `worker_crashed`.

    PROGRESS  the part that is being worked on, UTF-8, at most 500 bytes
    FAULT     one line for the operator's log when the child fails, at most 4,000 bytes
    PASSWORDS what looks like passwords of other files, a JSON list of at most 8 texts; only where policy asks for it
    REPORT    the Report as JSON, at most 64 MiB; nothing may follow it
    SHOWN     instead of a report, where a file was only to be shown: `preview_words.Shown` as JSON, at most 8 MiB
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple

import msgspec

from sanitizers.findings import CODES
from sanitizers.model import BLOCKING_REASONS, REPORT_SCHEMA, Job, Match, PartInfo, Reason, Report, Verdict

_HEADER: Final = struct.Struct(">BI")
# At most one progress frame for each part, twice (the second pass).
_MAX_FRAMES: Final = 50_000
_MAX_TEXT: Final = 2_000
_MAX_NAME: Final = 4_096
_MAX_SEEN: Final = 4                        # pieces of a match, …
_MAX_SEEN_TEXT: Final = 64                  # … letters of the name of one
_HEX: Final = re.compile(r"(?:[0-9a-f]{2}){0,32}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class FrameType(IntEnum):
    PROGRESS = 1
    FAULT = 2
    REPORT = 3
    PASSWORDS = 4
    SHOWN = 5


_MAX_PAYLOAD: Final = {
    FrameType.PROGRESS: 500, FrameType.FAULT: 4_000, FrameType.REPORT: 64 << 20, FrameType.PASSWORDS: 4_000, FrameType.SHOWN: 8 << 20,
}  # fmt: skip
# What a child says last.
_LAST: Final = (FrameType.REPORT, FrameType.SHOWN)
_MOST_PASSWORDS: Final = 8
_LONGEST_PASSWORD: Final = 64


# Made once: a decoder for each message would learn its type anew, and in a child every page that this touches is copied.
_JOBS: Final = msgspec.json.Decoder(Job)
_REPORTS: Final = msgspec.json.Decoder(Report)
_PASSWORDS: Final = msgspec.json.Decoder(tuple[str, ...])


class WireError(Exception):
    """The child answered something that no honest child answers."""


class Frame(NamedTuple):
    type: FrameType
    payload: bytes


def encode_frame(kind: FrameType, payload: bytes) -> bytes:
    """One frame; PROGRESS and FAULT payloads are cut to their limit, a report over its limit is a ValueError."""
    limit = _MAX_PAYLOAD[kind]
    if kind in _LAST and len(payload) > limit:
        raise ValueError(f"report of {len(payload)} bytes")
    return _HEADER.pack(kind, len(payload[:limit])) + payload[:limit]


class FrameReader:
    """Turns untrusted bytes into frames. `feed` raises WireError at the first byte that is out of order."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._frames = 0
        self._closed = False

    def feed(self, untrusted_bytes: bytes) -> list[Frame]:
        """The frames that are whole now, in order. Raises WireError for one that cannot be."""
        self._buffer += untrusted_bytes
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        if self._closed and self._buffer:
            raise WireError("bytes after the report")
        if len(self._buffer) < _HEADER.size:
            return None
        untrusted_type, untrusted_length = _HEADER.unpack_from(self._buffer)
        try:
            kind = FrameType(untrusted_type)
        except ValueError:
            raise WireError(f"frame type {untrusted_type}") from None
        if untrusted_length > _MAX_PAYLOAD[kind]:
            raise WireError(f"{kind.name} frame of {untrusted_length} bytes")
        end = _HEADER.size + untrusted_length
        if len(self._buffer) < end:
            return None
        self._frames += 1
        if self._frames > _MAX_FRAMES:
            raise WireError("too many frames")
        payload = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        self._closed = kind in _LAST
        return Frame(kind, payload)


def printable(untrusted_bytes: bytes) -> str:
    """Text for logs and progress lines: UTF-8, without control characters."""
    return "".join(c if c.isprintable() else " " for c in untrusted_bytes.decode("utf-8", "replace"))


def encode_job(job: Job) -> bytes:
    return msgspec.json.encode(job)


def decode_job(data: bytes) -> Job:
    return _JOBS.decode(data)


def encode_passwords(seen: Iterable[str]) -> bytes:
    """One frame, with the first of them."""
    fitting = [one for one in seen if 0 < len(one) <= _LONGEST_PASSWORD and one.isprintable()]
    return encode_frame(FrameType.PASSWORDS, msgspec.json.encode(fitting[:_MOST_PASSWORDS]))


def decode_passwords(untrusted_bytes: bytes) -> tuple[str, ...]:
    """Raises WireError."""
    try:
        seen = _PASSWORDS.decode(untrusted_bytes)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise WireError("passwords") from None
    if len(seen) > _MOST_PASSWORDS or not all(0 < len(one) <= _LONGEST_PASSWORD and one.isprintable() for one in seen):
        raise WireError("passwords")
    return seen


def encode_report(report: Report) -> bytes:
    return msgspec.json.encode(report)


def decode_report(untrusted_bytes: bytes, job: Job) -> Report:
    """The report of a child about `job`, every field checked. Raises WireError."""
    try:
        report = _REPORTS.decode(untrusted_bytes)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(f"report: {printable(str(error).encode())[:200]}") from None
    if report.path != job.name or (report.policy, report.rules) != (job.policy, job.rules):
        raise WireError("report about another job")
    _check(report, job, depth=0)
    return report


def _check(report: Report, job: Job, depth: int) -> None:
    if depth > job.limits.depth + 1:
        raise WireError("report nested too deep")
    if report.schema != REPORT_SCHEMA:
        raise WireError("report schema")
    _check_verdict(report, job)
    _check_info(report.input)
    if report.output is not None:
        _check_info(report.output)
    for finding in report.findings:
        code = CODES.get(finding.code)
        if code is None or code.severity is not finding.severity or code.code.startswith("road."):
            raise WireError("undeclared finding code")
        if max(len(finding.where), len(finding.detail)) > _MAX_TEXT:
            raise WireError("finding too long")
    if any(max(len(match.rule), len(match.where)) > _MAX_TEXT or not _modest(match) for match in report.matches):
        raise WireError("match too long")
    if report.elapsed_ms < 0:
        raise WireError("negative time")
    for part in report.parts:
        _check(part, job, depth + 1)


def _modest(match: Match) -> bool:
    """What it shows of the input is little, and is bytes."""
    return len(match.seen) <= _MAX_SEEN and all(
        len(one.name) <= _MAX_SEEN_TEXT and one.offset >= 0 and _HEX.fullmatch(one.bytes) for one in match.seen
    )


def _check_verdict(report: Report, job: Job) -> None:
    """Delivery means an output and no reason; anything else a reason and no output; `confirmed` is never the jail's own idea."""
    if report.verdict is Verdict.CONFIRMED and not _may_confirm(report, job):
        raise WireError("the jail may not confirm")
    if report.verdict.delivers != (report.output is not None) or report.verdict.delivers != (report.reason is None):
        raise WireError("verdict, reason and output disagree")
    if (report.verdict is Verdict.BLOCKED) != (report.reason in BLOCKING_REASONS):
        raise WireError("verdict and reason disagree")
    if report.reason is Reason.WORKER_CRASHED:
        raise WireError("a living child has not crashed")


def _may_confirm(report: Report, job: Job) -> bool:
    """Somebody approved, policy lets the kind or an exception this digest through, and what comes out is what came in."""
    approved = bool(job.treatment.confirmed_by) and report.input.kind in job.treatment.confirmed_kinds
    approved = approved or report.input.sha256 in dict(job.treatment.confirmed_digests)
    return approved and report.output is not None and report.output.sha256 == report.input.sha256


def _check_info(info: PartInfo) -> None:
    if info.size < 0 or not _SHA256.fullmatch(info.sha256):
        raise WireError("size or digest")
    if len(info.name) > _MAX_NAME or info.path is not None:
        raise WireError("name")


# ------------------------------------------------------------------------------------------ between the road and the warm parent


class Start(msgspec.Struct, frozen=True, tag="start"):
    """Road → parent, with four descriptors: source, output, report pipe, job. Fork a child and watch its clock."""

    id: int
    wall_seconds: float


class Kill(msgspec.Struct, frozen=True, tag="kill"):
    """Road → parent: that child answered garbage or is no longer wanted."""

    id: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Parent → road, once: which walls stand, which forbidden deeds succeeded in the trial (none, or there is no jail), which rules."""

    standing: tuple[str, ...]
    broken: tuple[str, ...]
    rules: str


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """Parent → road: how a child ended. Its wait status, whether its deadline had passed, CPU seconds, peak memory in KiB."""

    id: int
    status: int
    deadline: bool
    cpu: float
    rss_kb: int


_REQUESTS: Final[msgspec.json.Decoder[Start | Kill]] = msgspec.json.Decoder(Start | Kill)
_ANSWERS: Final[msgspec.json.Decoder[Ready | Ended]] = msgspec.json.Decoder(Ready | Ended)


def encode_message(message: Start | Kill | Ready | Ended) -> bytes:
    return msgspec.json.encode(message)


def decode_request(data: bytes) -> Start | Kill:
    return _REQUESTS.decode(data)


def decode_answer(data: bytes) -> Ready | Ended:
    """Raises WireError."""
    try:
        return _ANSWERS.decode(data)
    except msgspec.DecodeError as error:
        raise WireError(str(error)) from None
