"""What happens, told to those who watch over many systems (SOC): the log and the audit record as CEF in syslog.

Each event is one message of RFC 5424 whose text is one line of the Common Event Format, version 0. By UDP (RFC 5426), TCP (RFC 6587, octet
counting) or TLS (RFC 5425). It is sent by a thread of its own from a bounded queue: a collector that is silent costs events, which are
counted and told when it is back, and never a mail.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import queue
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from prometheus_client import Counter

from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.ledger import Entry
from gateway.telemetry import log
from sanitizers.model import ENGINE_VERSION

_log = log.get(__name__)

_FACILITY: Final = 13               # log audit
# Level of the log → severity of syslog (0 is the gravest), severity of CEF (10 is).
_SEVERITIES: Final = {
    logging.DEBUG: (7, 1), logging.INFO: (6, 3), logging.WARNING: (4, 6), logging.ERROR: (3, 8), logging.CRITICAL: (2, 10)
}  # fmt: skip
_WAITING: Final = 10_000
_LONGEST: Final = 8_000
_CONNECT_SECONDS: Final = 5.0
_PAUSES: Final = (1.0, 2.0, 5.0, 15.0)
_PORTS: Final = {"udp": 514, "tcp": 601, "tls": 6514}
_FOLLOW_SECONDS: Final = 5.0
_NAME: Final = re.compile(r"[^!-~]")
# Deeds that somebody should see at once, by the beginning of their names.
_GRAVE: Final = ("emergency.", "crossing.refused", "audit.", "transfer.blocked", "keys.", "signin.failed", "signin.locked")

_lost = Counter("sekisho_soc_lost", "SOCへ送れなかった出来事の数 / events that no collector took")


class AddressError(ValueError):
    """Not where a collector can be."""


def _place(where: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises AddressError."""
    try:
        parts = urlsplit(where)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        raise AddressError("udp://, tcp:// or tls://host:port") from None
    if not host or not port or parts.scheme not in _PORTS:
        raise AddressError("udp://, tcp:// or tls://host:port")
    return parts.scheme, host, port


class Collector(logging.Handler):
    """A handler of the log. `where`: udp://, tcp:// or tls://host[:port]. Raises AddressError, or OSError for bad certificates."""

    def __init__(self, where: str, hostname: str, *, authority: Path | None = None, level: int = logging.INFO) -> None:
        # Before the handler is one: what cannot be is not there to be closed at the end either.
        self._scheme, host, port = _place(where)
        self._tls = ssl.create_default_context(cafile=authority) if self._scheme == "tls" else None
        super().__init__(level)
        self._place = host, port
        self._hostname = _NAME.sub("_", hostname)[:255] or "-"
        self._queue: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self._socket: socket.socket | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="soc", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits."""
        facts = log.facts_of(record)
        text = cef(record.name, log.plain(record.getMessage()), _SEVERITIES.get(record.levelno, (6, 3))[1], facts, record.created)
        self._put(message(self._hostname, record.levelno, "log", text, record.created))

    def tell(self, entry: Entry) -> None:
        """One entry of the audit record; who did it and what with are in it, as there."""
        level = logging.WARNING if entry.action.startswith(_GRAVE) else logging.INFO
        at = dt.datetime.fromisoformat(entry.at).timestamp()
        facts = {"seq": entry.seq, "suser": entry.actor, "receipt_no": entry.subject, "detail": entry.detail, "hash": entry.hash}
        self._put(message(self._hostname, level, "audit", cef(entry.action, entry.action, _SEVERITIES[level][1], facts, at), at))

    def close(self) -> None:
        """What waits gets a moment to go."""
        with suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(_CONNECT_SECONDS)
        self._stop.set()
        super().close()

    def _put(self, line: bytes) -> None:
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            _lost.inc()

    # ------------------------------------------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            for pause in (*_PAUSES, None):
                try:
                    self._send(line)
                    break
                except OSError:
                    self._hang_up()
                    if pause is None:
                        _lost.inc()
                    elif self._stop.wait(pause):
                        return
        self._hang_up()

    def _send(self, line: bytes) -> None:
        if self._socket is None:
            self._socket = self._dial()
        self._socket.sendall(line if self._scheme == "udp" else b"%d %b" % (len(line), line))

    def _dial(self) -> socket.socket:
        if self._scheme == "udp":
            family, kind, protocol, _, address = socket.getaddrinfo(*self._place, type=socket.SOCK_DGRAM)[0]
            plain = socket.socket(family, kind, protocol)
            plain.connect(address)
            return plain
        plain = socket.create_connection(self._place, timeout=_CONNECT_SECONDS)
        return plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=self._place[0])

    def _hang_up(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None


def message(hostname: str, level: int, kind: str, text: str, at: float) -> bytes:
    """RFC 5424; `kind` is its MSGID."""
    priority = _FACILITY * 8 + _SEVERITIES.get(level, (6, 3))[0]
    moment = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"<{priority}>1 {moment} {hostname} sekisho - {kind} - \ufeff{text}".encode("utf-8", "replace")[:_LONGEST]


def cef(identifier: str, name: str, severity: int, facts: Mapping[str, Any], at: float) -> str:
    """One line: nothing in a name or a fact ends its field."""
    extension: dict[str, str] = {"rt": str(round(at * 1000))}
    for key, value in facts.items():
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        extension[_KNOWN.get(key) or f"sekisho{re.sub(r'[^A-Za-z0-9]', '', key.title())}"] = said
    head = "|".join(_header(part) for part in ("Sekisho", "Sekisho", ENGINE_VERSION, identifier, name))
    return f"CEF:0|{head}|{severity}|" + " ".join(f"{key}={_value(value)}" for key, value in extension.items())


# Facts that the format has a name for.
_KNOWN: Final = {"receipt_no": "externalId", "suser": "suser", "reason": "reason", "verdict": "act", "error": "msg", "detail": "msg"}


def _header(text: str) -> str:
    return _flat(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return _flat(text).replace("\\", "\\\\").replace("=", "\\=")


def _flat(text: str) -> str:
    return "".join(" " if ord(letter) < 0x20 or letter in "\x7f\x85\u2028\u2029" else letter for letter in text)


class Following:
    """Tells a collector the log, and what is appended to the audit record from where it was when it stopped; `file` remembers the place.

    `leads`: of several nodes one tells the record, and the others remember how far it came.
    """

    def __init__(self, journal: Journal, collector: Collector, file: Path, leads: Callable[[], bool] = lambda: True) -> None:
        self._journal = journal
        self._collector = collector
        self._file = file
        self._leads = leads

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            with log.also(self._collector):
                while True:
                    try:
                        await self.tell()
                    except (StorageError, OSError) as error:
                        _log.error("the audit record could not be told to the collector", error=str(error))
                    await asyncio.sleep(_FOLLOW_SECONDS)
        finally:
            await asyncio.to_thread(self._collector.close)

    async def tell(self) -> int:
        """What is new; how many."""
        after = await asyncio.to_thread(self._place)
        told = 0
        async for entry in self._journal.entries(after):
            if self._leads():
                self._collector.tell(entry)
            after, told = entry.seq, told + 1
        if told:
            await asyncio.to_thread(self._remember, after)
        return told

    def _place(self) -> int:
        try:
            return int(self._file.read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    def _remember(self, seq: int) -> None:
        unfinished = self._file.with_suffix(".part")
        unfinished.write_text(str(seq), "ascii")
        unfinished.replace(self._file)
