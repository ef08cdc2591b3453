"""Steps of transfers, told to a stand-in of a collector and read by OpenTelemetry's own definitions."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gateway import config, fittings
from gateway.config import ConfigError
from gateway.crossing.papers import RefusedError
from gateway.doctor import flows
from gateway.house import ROLES
from gateway.road.post import MailIntake, MailOutbox
from gateway.telemetry import log, tracing
from gateway.telemetry.tracing import Traces
from mail.envelope import Envelope
from mail.outbox import Result
from tests.build.segments import ByHand, handed, sides
from tests.build.transfer import BODY, claimed

NUMBER = "20261121-000001"


class Collector:
    """Takes traces in; `status` is what it answers."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.address = ""
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/json"
        self.requests.append(await request.read())
        return web.json_response({}, status=self.status)

    @property
    def spans(self) -> dict[str, Span]:
        """By name, as the protocol's own definitions read them."""
        return {span.name: span for one in self.documents for scope in one.resource_spans[0].scope_spans for span in scope.spans}

    @property
    def documents(self) -> list[ExportTraceServiceRequest]:
        return [json_format.ParseDict(_in_base64(json.loads(one)), ExportTraceServiceRequest()) for one in self.requests]


def _in_base64(document: Any) -> Any:
    """Ids as protobuf's own JSON has them; OTLP has hexadecimal instead."""
    for span in document["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for name, octets in (("traceId", 16), ("spanId", 8), ("parentSpanId", 8)):
            if name in span:
                raw = bytes.fromhex(span[name])
                assert len(raw) == octets
                span[name] = base64.b64encode(raw).decode()
    return document


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    application = web.Application()
    application.router.add_post("/v1/traces", made.take)
    async with TestServer(application) as server:
        made.address = str(server.make_url("")).rstrip("/")
        yield made
    tracing.tell(None)


def traces(collector: Collector, **options: object) -> Traces:
    made = Traces(collector.address, body="かすみ町", node="a.example.jp", version="1", **options)      # type: ignore[arg-type]
    tracing.tell(made)
    return made


async def test_steps_stand_in_the_trace_of_their_number(collector: Collector) -> None:
    told = traces(collector)
    before = time.time()
    tracing.taken_in(NUMBER, before, door="smtp")
    with log.about(NUMBER), tracing.step("work", attempts=1), tracing.step("sanitise") as facts:
        facts["verdict"] = "sanitized"
    with pytest.raises(RefusedError), tracing.step("come over", NUMBER):
        raise RefusedError("format", "a secret of a sender")
    await told.tell()
    spans = collector.spans
    assert set(spans) == {"take in", "work", "sanitise", "come over"}
    assert {span.trace_id for span in spans.values()} == {told.trace(NUMBER)}, "one trace"
    assert not spans["take in"].parent_span_id
    assert spans["work"].parent_span_id == spans["come over"].parent_span_id == spans["take in"].span_id
    assert spans["sanitise"].parent_span_id == spans["work"].span_id
    assert spans["work"].start_time_unix_nano <= spans["sanitise"].start_time_unix_nano <= spans["sanitise"].end_time_unix_nano
    assert abs(spans["work"].start_time_unix_nano / 1e9 - before) < 60
    said = {one.key: one.value.string_value or one.value.int_value for one in spans["sanitise"].attributes}
    assert said == {"verdict": "sanitized", "sekisho.receipt_no": NUMBER}
    assert (spans["come over"].status.code, spans["come over"].status.message) == (Status.STATUS_CODE_ERROR, "RefusedError")
    assert b"secret" not in b"".join(collector.requests)
    resource = {one.key: one.value.string_value for one in collector.documents[0].resource_spans[0].resource.attributes}
    assert resource == {"service.name": "sekisho", "service.version": "1", "service.instance.id": "a.example.jp"}


async def test_every_node_names_the_same_trace_and_chooses_the_same_ones(collector: Collector) -> None:
    one, other = traces(collector, one_in=10), traces(collector, one_in=10)
    numbers = [f"20261121-{number:06}" for number in range(1_000)]
    assert [one.trace(number) for number in numbers] == [other.trace(number) for number in numbers]
    chosen = [number for number in numbers if one.wanted(one.trace(number))]
    assert 50 < len(chosen) < 150
    for number in numbers:
        tracing.taken_in(number, 0.0)
    await other.tell()
    assert len({span.trace_id for document in collector.documents for span in document.resource_spans[0].scope_spans[0].spans}) == len(chosen)


async def test_without_a_collector_or_a_transfer_there_is_nothing_to_tell(collector: Collector) -> None:
    with tracing.step("work", NUMBER) as facts:
        facts["x"] = 1
    told = traces(collector)
    with tracing.step("upkeep"):
        pass
    await told.tell()
    assert not collector.requests


async def test_what_a_collector_does_not_take_is_counted_and_forgotten(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_WAITING", 3)
    told, before = traces(collector), tracing._lost._value.get()
    for _ in range(5):
        tracing.taken_in(NUMBER, 0.0)
    assert tracing._lost._value.get() == before + 2, "a collector that is slow costs spans, not memory"
    collector.status = 503
    await told.tell()
    assert tracing._lost._value.get() == before + 5
    tracing.tell(gone := Traces("http://127.0.0.1:9", body="", node="", version=""))
    tracing.taken_in(NUMBER, 0.0)
    await gone.tell()
    assert tracing._lost._value.get() == before + 6


async def test_what_waits_at_the_end_is_told(collector: Collector) -> None:
    told = traces(collector)
    running = asyncio.create_task(told.run())
    await asyncio.sleep(0)
    tracing.taken_in(NUMBER, 0.0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert set(collector.spans) == {"take in"}


async def test_the_road_of_a_mail_over_both_sides_is_one_trace(collector: Collector, tmp_path: Path) -> None:
    told = traces(collector)
    async with sides(tmp_path) as two:
        door = MailIntake(two.outer, two.outer_blobs, domains=["town.example.jp"], clock=two.clock)
        incoming = await door.begin(Envelope("taro@partner.example", ("hanako@town.example.jp",), "192.0.2.1", "x"))
        await incoming.write(BODY)
        receipt_no = await incoming.commit()
        await two.pipeline._work(claimed(await two.outer.claim(1, at=two.now, lease_until=two.now + 60)))
        transfer = await two.outer.find(receipt_no)
        await two.push(ByHand(two.taking), transfer.id)
        outbox = MailOutbox(two.inner, two.inner_blobs, clock=two.clock)
        (delivery,) = await outbox.claim(1, two.now)
        results = [Result(address, "delivered", 250, "2.0.0", "ok") for address in ("hanako@town.example.jp",)]
        await outbox.settle(delivery, results, None)
        with pytest.raises(RefusedError):
            await handed(two.taking, await two.sealed(lane="outbound"))
    await told.tell()
    assert {"take in", "work", "sanitise", "scan", "settle", "carry over", "come over", "hand on"} <= set(collector.spans)
    mine = [span for span in collector.spans.values() if span.trace_id == told.trace(receipt_no)]
    assert len(mine) >= 6
    everything = b"".join(collector.requests).decode()
    for word in ("taro", "hanako", "partner", "message.eml", "192.0.2"):
        assert word not in everything, "nobody can be known by a trace"


def test_the_setting_is_checked_and_stands_in_the_flow_table() -> None:
    with pytest.raises(ConfigError, match=r"tracing\.to"):
        fittings.traces(config.load(None, {"SEKISHO_TRACING_TO": "collector:4318"}))
    assert fittings.traces(config.load(None, {})) == []
    given = config.load(None, {"SEKISHO_TRACING_TO": "https://otel.example.jp:4318", "SEKISHO_MAIL_AUTHENTICATION": "off"})
    (row,) = [row for row in flows.flows(given, frozenset(ROLES), {}) if row.setting == "tracing.to"]
    assert (row.peers, row.port) == (("otel.example.jp",), 4318)
    for work in fittings.traces(given):
        work.close()
    tracing.tell(None)
