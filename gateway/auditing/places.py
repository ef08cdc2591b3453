"""Where anchors of the audit record are put: a file, a syslog server, a timestamping authority."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from cryptography import x509

from gateway.auditing.anchors import Anchor, PlaceError, Prover
from gateway.auditing.timestamps import TimestampError, answered, question, verified
from gateway.storage.disk import Disk

# An anchor an hour for twenty years.
_MOST_BYTES: Final = 256 << 20
_SECONDS: Final = 10.0
_ANCHORS: Final = msgspec.json.Decoder(Anchor)      # not made in a thread (gateway.structs)


class FilePlace:
    """A file that is only appended to, one JSON object a line; best on a disk of another machine that this one may append to alone."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self.name = f"file {path}"
        self._path = path
        self._disk = disk or Disk()

    async def put(self, anchor: Anchor) -> Anchor:
        try:
            await asyncio.to_thread(self._append, msgspec.json.encode(anchor) + b"\n")
        except OSError as error:
            raise PlaceError(error.strerror or str(error)) from error
        return anchor

    def _append(self, line: bytes) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        before = os.fstat(fd).st_size
        try:
            self._disk.write(fd, line)
            self._disk.flush(fd)
        except OSError:
            with contextlib.suppress(OSError):      # half a line would make the whole place unreadable
                os.ftruncate(fd, before)
            raise
        finally:
            self._disk.close(fd)

    async def read(self) -> list[Anchor]:
        try:
            content = await asyncio.to_thread(self._content)
            return [_ANCHORS.decode(line) for line in content.splitlines() if line.strip()]
        except OSError as error:
            raise PlaceError(error.strerror or str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PlaceError(f"a line is no anchor: {error}") from error

    def _content(self) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            if self._path.stat().st_size > _MOST_BYTES:
                raise PlaceError("larger than any number of anchors")
            return self._path.read_bytes()
        return b""


class SyslogPlace:
    """A server of RFC 5424, by UDP (RFC 5426) or, as `tcp`, with octet counting (RFC 6587). Nothing can be read back from it."""

    def __init__(self, host: str, port: int, *, tcp: bool = False, hostname: str = "-", clock: Callable[[], float]) -> None:
        self.name = f"syslog {host}:{port}"
        self._where = (host, port)
        self._tcp = tcp
        self._hostname = hostname
        self._clock = clock

    async def put(self, anchor: Anchor) -> Anchor:
        line = syslog_line(anchor, self._hostname, self._clock())
        try:
            async with asyncio.timeout(_SECONDS):
                await (self._by_tcp(line) if self._tcp else self._by_udp(line))
        except (OSError, TimeoutError) as error:
            raise PlaceError(str(error) or "no answer in time") from error
        return anchor

    async def _by_tcp(self, line: bytes) -> None:
        _, writer = await asyncio.open_connection(*self._where)
        writer.write(b"%d %b" % (len(line), line))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _by_udp(self, line: bytes) -> None:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=self._where)
        transport.sendto(line)
        transport.close()

    async def read(self) -> list[Anchor]:
        return []


# Facility 13 (log audit), severity 6 (informational). 32473 is the number of RFC 5612 for what has none of its own.
_PRIORITY: Final = 13 * 8 + 6


def syslog_line(anchor: Anchor, hostname: str, at: float) -> bytes:
    """RFC 5424: all of an anchor in its structured data."""
    time = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"seq": str(anchor.seq), "hash": anchor.hash, "at": anchor.at, "organisation": anchor.organisation}
    data = " ".join(f'{name}="{_escaped(value)}"' for name, value in said.items())
    host = "".join(letter for letter in hostname if "!" <= letter <= "~")[:255] or "-"
    return f"<{_PRIORITY}>1 {time} {host} sekisho - anchor [anchor@32473 {data}] audit record {anchor.seq} {anchor.hash}".encode()


def _escaped(value: str) -> str:
    """RFC 5424 6.3.3."""
    return "".join("\\" + letter if letter in '"\\]' else letter for letter in value if letter.isprintable())


class TimestampPlace(Prover):
    """An authority that signs when it saw a hash (RFC 3161 over HTTP). Its word is kept with the anchor; `openssl ts -verify` proves it.
    `trusted`: certificates of which one stands behind its word; empty: any."""

    def __init__(self, url: str, trusted: Sequence[x509.Certificate] = ()) -> None:
        self.name = f"timestamp {url}"
        self._url = url
        self._trusted = tuple(trusted)

    async def put(self, anchor: Anchor) -> Anchor:
        nonce = secrets.randbits(63) | 1 << 62
        asked = question(bytes.fromhex(anchor.hash), nonce)
        try:
            reply = await self._posted(asked)
            answered(reply, bytes.fromhex(anchor.hash), nonce)
            verified(reply, bytes.fromhex(anchor.hash), self._trusted)
        except (aiohttp.ClientError, OSError, TimeoutError, TimestampError) as error:
            raise PlaceError(str(error) or "no answer in time") from error
        return msgspec.structs.replace(anchor, proof=base64.b64encode(reply).decode())

    async def _posted(self, asked: bytes) -> bytes:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_SECONDS)) as session:
            head = {"Content-Type": "application/timestamp-query"}
            async with session.post(self._url, data=asked, headers=head, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise PlaceError(f"HTTP {answer.status}")
                return await answer.content.read(1 << 16)

    async def read(self) -> list[Anchor]:
        return []
