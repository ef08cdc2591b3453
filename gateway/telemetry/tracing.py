"""Traces, by option: what happened to each transfer, when, for how long and on which node, told to a collector of OpenTelemetry.

A step is a span of the trace that its receipt number names: every node reckons the same trace from the same number, so that what one takes
in, another works on and a third hands on stands in one trace, and in that of the inner side too. A span holds the receipt number, our own
words (verdict, state, way) and numbers; no address, no name and nothing of a file, as the log. Without a collector a step costs a look at a
variable; with one, spans wait in memory and go every few seconds, and what cannot be told is counted and forgotten: no mail waits for it.

Spec: OpenTelemetry Protocol 1.x, OTLP/HTTP with JSON (opentelemetry.io/docs/specs/otlp/#otlphttp).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from prometheus_client import Counter

from gateway.telemetry import log

_log = log.get(__name__)

_WAITING: Final = 8_192
_AT_ONCE: Final = 512
_EVERY_SECONDS: Final = 5.0
_CALL_SECONDS: Final = 10.0
_INTERNAL: Final = 1            # SpanKind
_ERROR: Final = 2               # StatusCode
_NANOSECONDS: Final = 1_000_000_000

_lost = Counter("sekisho_spans_lost", "収集先へ送れなかったトレースの数 / steps of traces that no collector took")
# The span that further steps of this task stand under.
_above: ContextVar[bytes] = ContextVar("span", default=b"")

Fact = str | int


class Span(NamedTuple):
    """Ids as octets (16 and 8, `above` empty at the root); moments in nanoseconds since 1970; `error`: the name of its kind, or nothing."""

    trace: bytes
    id: bytes
    above: bytes
    name: str
    began: int
    ended: int
    facts: dict[str, Fact]
    error: str = ""


class Traces:
    """`where`: of the collector, http://host:4318 or https://…; `body`: the organisation; of `one_in` transfers one is traced."""

    def __init__(self, where: str, *, body: str, node: str, version: str, one_in: int = 1) -> None:
        self._url = where.rstrip("/") + "/v1/traces"
        self._body = body
        self._one_in = one_in
        self._resource = _attributes({"service.name": "sekisho", "service.version": version, "service.instance.id": node})
        self._waiting: deque[Span] = deque()

    def trace(self, receipt_no: str) -> bytes:
        """Of that transfer: the same on every node."""
        return hashlib.sha256(f"sekisho\0{self._body}\0{receipt_no}".encode()).digest()[:16]

    def wanted(self, trace: bytes) -> bool:
        """The same answer on every node."""
        return int.from_bytes(trace[:8], "big") % self._one_in == 0

    def add(self, span: Span) -> None:
        """Never waits."""
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft()
            _lost.inc()
        self._waiting.append(span)

    async def run(self) -> None:
        """For ever; what waits when it is cancelled gets a moment to go."""
        try:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                await self.tell()
        finally:
            await asyncio.shield(self.tell())

    async def tell(self) -> None:
        """All that waits. What the collector does not take is lost."""
        timeout = aiohttp.ClientTimeout(total=_CALL_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while self._waiting:
                spans = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                if why := await self._sent(session, spans):
                    _lost.inc(len(spans))
                    _log.warning("the collector of traces took nothing", why=why, spans=len(spans))
                    return

    async def _sent(self, session: aiohttp.ClientSession, spans: Sequence[Span]) -> str:
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(self._url, data=self.document(spans), headers=headers, allow_redirects=False) as answer:
                return "" if answer.status == 200 else f"answered with {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__

    def document(self, spans: Sequence[Span]) -> bytes:
        """ExportTraceServiceRequest."""
        scope = {"scope": {"name": "sekisho"}, "spans": [_as_json(span) for span in spans]}
        return msgspec.json.encode({"resourceSpans": [{"resource": {"attributes": self._resource}, "scopeSpans": [scope]}]})


_told: Traces | None = None


def tell(traces: Traces | None) -> None:
    """From now on every step goes there; None: nowhere."""
    global _told  # noqa: PLW0603 - like the log, of which there is one
    _told = traces


@contextmanager
def step(name: str, receipt_no: str = "", **facts: Fact) -> Iterator[dict[str, Fact]]:
    """Something that is done to one transfer: the one that the log is about, unless it is named. Facts that are put into what comes out
    are told too."""
    number = receipt_no or log.subject()
    if _told is None or not number or not _told.wanted(trace := _told.trace(number)):
        yield facts
        return
    span, began, error = secrets.token_bytes(8), time.time_ns(), ""
    above = _above.get()
    token = _above.set(span)
    try:
        yield facts
    except BaseException as raised:
        error = type(raised).__name__
        raise
    finally:
        _above.reset(token)
        facts["sekisho.receipt_no"] = number
        _told.add(Span(trace, span, above or _root(trace), name, began, time.time_ns(), facts, error))


def taken_in(receipt_no: str, began: float, **facts: Fact) -> None:
    """The root of a trace, once the number is known. `began`: seconds since 1970."""
    if _told is not None and _told.wanted(trace := _told.trace(receipt_no)):
        facts["sekisho.receipt_no"] = receipt_no
        _told.add(Span(trace, _root(trace), b"", "take in", int(began * _NANOSECONDS), time.time_ns(), facts))


def was(name: str, receipt_no: str, began: float, **facts: Fact) -> None:
    """A step that is over. `began`: seconds since 1970."""
    if _told is not None and _told.wanted(trace := _told.trace(receipt_no)):
        facts["sekisho.receipt_no"] = receipt_no
        _told.add(Span(trace, secrets.token_bytes(8), _root(trace), name, int(began * _NANOSECONDS), time.time_ns(), facts))


def _root(trace: bytes) -> bytes:
    return hashlib.sha256(b"root" + trace).digest()[:8]


def _as_json(span: Span) -> dict[str, Any]:
    """Ids in hexadecimal, 64-bit numbers as text: what OTLP makes of JSON otherwise than protobuf does."""
    told = {
        "traceId": span.trace.hex(),
        "spanId": span.id.hex(),
        "name": span.name,
        "kind": _INTERNAL,
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(max(span.began, span.ended)),
        "attributes": _attributes(span.facts),
    }
    if span.above:
        told["parentSpanId"] = span.above.hex()
    if span.error:
        told["status"] = {"code": _ERROR, "message": span.error}
    return told


def _attributes(facts: dict[str, Fact]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(log.clean(key, value))} for key, value in facts.items()]


def _value(value: object) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}
