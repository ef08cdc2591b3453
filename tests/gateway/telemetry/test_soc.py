"""What goes to a SOC: each event one whole message on every kind of line, nothing ends its field, and a silent collector stops nobody."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from gateway.storage.ledger import Entry
from gateway.telemetry import log, soc
from gateway.telemetry.soc import AddressError, Collector, Following, cef, message
from tests.build import journals
from tests.build.certificates import Authority
from tests.build.transfer import NOW, arrival

HEADER = re.compile(rb"<(\d+)>1 (\S+) (\S+) sekisho - (\S+) - \xef\xbb\xbfCEF:0\|Sekisho\|Sekisho\|")


def record(event: str, level: int = logging.WARNING, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("gateway.road.pipeline", level, "", 0, event, None, None)
    made.facts = facts
    return made


class Listening:
    """A collector that keeps what it gets."""

    def __init__(self) -> None:
        self.got = b""
        self.heard = asyncio.Event()
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while block := await reader.read(4096):
            self.got += block
            self.heard.set()
        writer.close()

    async def until(self, what: bytes) -> None:
        async with asyncio.timeout(20):
            while what not in self.got:
                self.heard.clear()
                await self.heard.wait()


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[Listening]:
    made = Listening()
    server = await asyncio.start_server(made.take, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


async def test_by_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        collector = Collector(f"udp://127.0.0.1:{server.getsockname()[1]}", "sekisho.town.example.jp")
        collector.emit(record("settled", receipt_no="20261118-000001", verdict="held", reason="encrypted"))
        got = await asyncio.to_thread(server.recv, 65_535)
        await asyncio.to_thread(collector.close)
    match = HEADER.match(got)
    assert match is not None
    assert (match[1], match[3], match[4]) == (b"108", b"sekisho.town.example.jp", b"log")
    assert b"|gateway.road.pipeline|settled|6|" in got
    assert b"externalId=20261118-000001 act=held reason=encrypted" in got


async def test_by_tcp_each_message_says_how_long_it_is() -> None:
    async with listening() as server:
        collector = Collector(f"tcp://127.0.0.1:{server.port}", "host")
        collector.emit(record("one"))
        collector.emit(record("two"))
        await server.until(b"|two|")
        await asyncio.to_thread(collector.close)
        rest = server.got
        for _ in range(2):
            length, _, rest = rest.partition(b" ")
            assert HEADER.match(rest[: int(length)])
            rest = rest[int(length) :]
        assert rest == b""


async def test_by_tls_to_the_right_server_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    held = authority.issue("127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(held.certificate, held.key)
    async with listening(context) as server:
        collector = Collector(f"tls://127.0.0.1:{server.port}", "host", authority=authority.file)
        collector.emit(record("one"))
        await server.until(b"|one|")
        await asyncio.to_thread(collector.close)
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other", "another")
    async with listening(context) as server:
        stranger = Collector(f"tls://127.0.0.1:{server.port}", "host", authority=other.file)
        with pytest.raises(ssl.SSLError):
            await asyncio.to_thread(stranger._dial)
        await asyncio.to_thread(stranger.close)
        assert server.got == b""


async def test_a_collector_that_comes_back_gets_what_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soc, "_PAUSES", (0.02,) * 500)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    collector = Collector(f"tcp://127.0.0.1:{port}", "host")
    collector.emit(record("early"))
    made = Listening()
    server = await asyncio.start_server(made.take, "127.0.0.1", port)
    await made.until(b"|early|")
    await asyncio.to_thread(collector.close)
    server.close()


def test_a_silent_collector_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soc, "_WAITING", 5)
    monkeypatch.setattr(soc, "_PAUSES", (0.01,))
    collector = Collector("tcp://127.0.0.1:1", "host")
    before = REGISTRY.get_sample_value("sekisho_soc_lost_total") or 0
    for number in range(200):
        collector.emit(record(f"event {number}"))
    collector._stop.set()
    collector.close()
    assert (REGISTRY.get_sample_value("sekisho_soc_lost_total") or 0) > before


@pytest.mark.parametrize("where", ["http://host", "tcp://", "host:514", ""])
def test_no_address(where: str) -> None:
    with pytest.raises(AddressError):
        Collector(where, "host")


def test_nothing_ends_its_field() -> None:
    line = cef("a|b", "name | with\nlines\\", 3, {"error": "x=1\r\nCEF:0|forged|", "Odd key!": {"a": "b=c"}}, NOW)
    assert "\n" not in line
    assert "\r" not in line
    assert r"|a\|b|name \| with lines\\|3|" in line
    assert r"msg=x\=1  CEF:0|forged|" in line
    assert r'sekishoOddKey={"a": "b\=c"}' in line


def test_a_host_name_that_is_none() -> None:
    assert message("a b\nc", logging.INFO, "log", "x", NOW).startswith(b"<110>1 2026-11-18T")


async def test_the_log_goes_there_without_what_a_person_is_known_by() -> None:
    async with listening() as server:
        collector = Collector(f"tcp://127.0.0.1:{server.port}", "host")
        logger = logging.getLogger("gateway.test_soc")
        logger.setLevel(logging.INFO)
        with log.also(collector):
            log.get("gateway.test_soc").info("it is for tanaka@city.example.jp", name="見積.docx")
        log.get("gateway.test_soc").info("not this")
        await server.until(b"[redacted]@city.example.jp")
        await asyncio.to_thread(collector.close)
        assert b"tanaka" not in server.got
        assert b"not this" not in server.got


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    made = await journals.new(tmp_path / "sekisho.db")
    yield made
    await made.stop()


async def test_the_audit_record_is_told_once_and_goes_on_where_it_was(journal: Journal, tmp_path: Path) -> None:
    async with listening() as server:
        collector = Collector(f"tcp://127.0.0.1:{server.port}", "host")
        following = Following(journal, collector, tmp_path / "soc.seq")
        await journal.accept(arrival())
        assert await following.tell() == 1
        assert await following.tell() == 0
        await journal.record(at=NOW, actor="somebody", action="emergency.halt", subject="intake", detail={"reason": "drill"})
        again = Following(journal, collector, tmp_path / "soc.seq")
        assert await again.tell() == 1
        await server.until(b"emergency.halt")
        await asyncio.to_thread(collector.close)
        assert server.got.count(b"|transfer.received|") == 1
        assert b"suser=somebody" in server.got
        assert b"<108>" in server.got, "what somebody should see at once is graver"


async def test_who_does_not_lead_remembers_and_says_nothing(journal: Journal, tmp_path: Path) -> None:
    async with listening() as server:
        collector = Collector(f"tcp://127.0.0.1:{server.port}", "host")
        leads = False
        following = Following(journal, collector, tmp_path / "soc.seq", lambda: leads)
        await journal.accept(arrival())
        assert await following.tell() == 1
        leads = True
        await journal.record(at=NOW, actor="somebody", action="x.y", subject="", detail={})
        assert await following.tell() == 1
        await server.until(b"|x.y|")
        await asyncio.to_thread(collector.close)
        assert b"transfer.received" not in server.got


class Away(Journal):
    """It does not answer the first time."""

    asked = 0

    async def entries(self, after: int = 0, subject: str | None = None) -> AsyncIterator[Entry]:
        self.asked += 1
        if self.asked == 1:
            raise JournalUnavailableError("journal: away")
        async for entry in super().entries(after, subject):
            yield entry


async def test_a_journal_that_is_away_is_asked_again_and_the_log_goes_there_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soc, "_FOLLOW_SECONDS", 0.01)
    away = Away(tmp_path / "away.db")
    await away.start()
    await away.record(at=NOW, actor="somebody", action="x.y", subject="", detail={})
    async with listening() as server:
        following = Following(away, Collector(f"tcp://127.0.0.1:{server.port}", "host"), tmp_path / "soc.seq")
        running = asyncio.create_task(following.run())
        await server.until(b"|x.y|")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert b"msg=journal: away" in server.got
    await away.stop()
