"""Another engine behind ICAP (RFC 3507): the file is shown as the answer of a web server (RESPMOD), or as an upload to one (REQMOD).

The server is asked once in a while what it can do (OPTIONS). The file is handed over after a preview, where the server wants one. Its word:

* 204, nothing to change: clean. We always say that we understand it (`Allow: 204`).
* an answer that names what was found (`X-Infection-Found`, `X-Virus-ID`, …), whatever its status: malware.
* 200 with the very bytes that it was shown, to the last: clean, from a server that does not know 204.
* 200 with anything else, and no name: no opinion, and asking again will not help. A person has to look.
* all else, a connection that breaks, an answer that does not end: no opinion.

Nothing of an answer is kept in memory but its head, of at most 64 KiB; a body is compared as it comes.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from gateway.scanners.connection import Line, connected
from gateway.scanners.interface import Answer, Clean, Failed, Found

_PORT: Final = 1344
_BLOCK: Final = 1 << 16
_HEAD_BYTES: Final = 1 << 16
_LINES: Final = 200
_LARGEST_PREVIEW: Final = 1 << 16
_OPTIONS_SECONDS: Final = 300.0
_LONGEST_OPTIONS_SECONDS: Final = 3600.0
_SERVICE: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]{0,255}")
_STATUS: Final = re.compile(rb"ICAP/1\.0 (\d{3})(?: [\x20-\x7e]*)?")
_FIELD: Final = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}):[ \t]*([^\r\n\0]*)")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\x20-\x7e]*)?\r\n")
_THREAT: Final = re.compile(r"Threat\s*=\s*([^;]+)", re.IGNORECASE)
# In the order in which they are believed to name it best; the first is of the drafts, the others of products.
_NAMING: Final = ("x-infection-found", "x-virus-id", "x-virus-name", "x-threat-name", "x-violations-found", "x-blocked-reason")


class _UntrueError(Exception):
    """The server did not keep to its protocol."""


class _Head(NamedTuple):
    status: int
    fields: Mapping[str, str]


class _Options(NamedTuple):
    """What a server can do; `until` in monotonic seconds."""

    method: str
    preview: int | None
    until: float


class Icap:
    """A service at `icap://host:port/service`. One answer takes at most `seconds`. Raises ValueError for another address."""

    def __init__(self, url: str, *, name: str = "icap", seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        where = urlsplit(url)
        if where.scheme != "icap" or not where.hostname or where.username or not _SERVICE.fullmatch(where.path or "/"):
            raise ValueError(f"icap: must be an address such as icap://127.0.0.1:1344/avscan, not {url!r}")
        self.name = name
        self._host, self._port = where.hostname, where.port or _PORT
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self._url = f"icap://{shown}:{self._port}{where.path or '/'}"
        self._authority = f"{shown}:{self._port}"
        self._seconds = seconds
        self._clock = clock
        self._options: _Options | None = None

    async def scan(self, fd: int, size: int) -> Answer:
        """See `OutsideScanner`."""
        try:
            async with asyncio.timeout(self._seconds):
                options = await self._asked()
                async with self._connection() as (reader, writer):
                    return await self._modified(options, fd, size, reader, writer)
        except TimeoutError:
            return Failed(f"no answer in {self._seconds:g} s")
        except (OSError, EOFError, asyncio.LimitOverrunError, _UntrueError) as error:
            self._options = None
            return Failed(_line(error))

    async def age(self) -> float | None:
        """ICAP has no word for it."""
        return None

    # ------------------------------------------------------------------------------------------------------- the talk

    async def _asked(self) -> _Options:
        """Raises OSError, EOFError, _UntrueError."""
        known = self._options
        if known is not None and self._clock() < known.until:
            return known
        async with self._connection() as (reader, writer):
            writer.write(self._request("OPTIONS", "Encapsulated: null-body=0\r\n"))
            await writer.drain()
            head = await _head(reader)
        if head.status != 200:
            raise _UntrueError(f"answers {head.status} to OPTIONS")
        methods = {method.strip().upper() for method in head.fields.get("methods", "").split(",")}
        method = next((one for one in ("RESPMOD", "REQMOD") if one in methods), None)
        if method is None:
            raise _UntrueError("offers neither RESPMOD nor REQMOD")
        lasts = _number(head.fields.get("options-ttl"), _OPTIONS_SECONDS)
        preview = head.fields.get("preview")
        wanted = None if preview is None else min(int(_number(preview, 0)), _LARGEST_PREVIEW)
        self._options = _Options(method, wanted, self._clock() + min(lasts, _LONGEST_OPTIONS_SECONDS))
        return self._options

    async def _modified(
        self, options: _Options, fd: int, size: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer:
        preview = options.preview
        begun = size if preview is None else min(preview, size)
        writer.write(self._shown(options, size))
        if preview is not None:
            await _send(writer, fd, 0, begun)
            writer.write(b"0; ieof\r\n\r\n" if begun == size else b"0\r\n\r\n")
            await writer.drain()
            head = await _head(reader)
            if head.status != 100:
                return await _judged(head, reader, fd, size)
            if begun == size:
                raise _UntrueError("wants more than there is")
        # It may answer before it was shown everything; then the rest is not wanted.
        sending = asyncio.ensure_future(_send_all(writer, fd, 0 if preview is None else begun, size))
        try:
            return await _judged(await _head(reader), reader, fd, size)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, OSError, _UntrueError):
                await sending

    def _shown(self, options: _Options, size: int) -> bytes:
        length = f"Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
        if options.method == "RESPMOD":
            asked = "GET http://sekisho.invalid/file HTTP/1.1\r\nHost: sekisho.invalid\r\n\r\n"
            told = f"HTTP/1.1 200 OK\r\n{length}"
            parts = f"req-hdr=0, res-hdr={len(asked)}, res-body={len(asked) + len(told)}"
        else:
            asked, told = f"POST http://sekisho.invalid/file HTTP/1.1\r\nHost: sekisho.invalid\r\n{length}", ""
            parts = f"req-hdr=0, req-body={len(asked)}"
        preview = "" if options.preview is None else f"Preview: {options.preview}\r\n"
        return self._request(options.method, f"Allow: 204\r\n{preview}Encapsulated: {parts}\r\n") + (asked + told).encode()

    def _request(self, method: str, fields: str) -> bytes:
        return f"{method} {self._url} ICAP/1.0\r\nHost: {self._authority}\r\nConnection: close\r\n{fields}\r\n".encode()

    def _connection(self) -> AbstractAsyncContextManager[Line]:
        return connected(asyncio.open_connection(self._host, self._port, limit=_HEAD_BYTES))


# ------------------------------------------------------------------------------------------------------------- sending


async def _send(writer: asyncio.StreamWriter, fd: int, offset: int, until: int) -> None:
    """That stretch of the file, in chunks; an empty one is none."""
    while offset < until:
        block = await asyncio.to_thread(os.pread, fd, min(_BLOCK, until - offset), offset)
        if not block:
            raise _UntrueError("the file became shorter")
        writer.write(b"%x\r\n%b\r\n" % (len(block), block))
        await writer.drain()
        offset += len(block)


async def _send_all(writer: asyncio.StreamWriter, fd: int, offset: int, size: int) -> None:
    """To the end. A server that has heard enough may close; what it said is still to be read."""
    with suppress(ConnectionError):
        await _send(writer, fd, offset, size)
        writer.write(b"0\r\n\r\n")
        await writer.drain()


# ------------------------------------------------------------------------------------------------------------- hearing


async def _head(reader: asyncio.StreamReader) -> _Head:
    """Raises EOFError, _UntrueError."""
    try:
        untrusted = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise EOFError("closed without an answer" if not error.partial else "closed in mid-answer") from None
    except asyncio.LimitOverrunError:
        raise _UntrueError("a head without end") from None
    lines = untrusted[:-4].split(b"\r\n")
    status = _STATUS.fullmatch(lines[0])
    if status is None or len(lines) > _LINES:
        raise _UntrueError("an answer that means nothing")
    fields: dict[str, str] = {}
    # A line that goes on the next is of X-Violations-Found, which is written over several.
    for line in re.sub(rb"\r\n[ \t]+", b" ", b"\r\n".join(lines[1:])).split(b"\r\n") if lines[1:] else ():
        field = _FIELD.fullmatch(line)
        if field is None:
            raise _UntrueError("an answer that means nothing")
        fields.setdefault(field[1].decode("ascii").lower(), field[2].decode("latin-1").strip())
    return _Head(int(status[1]), fields)


async def _judged(head: _Head, reader: asyncio.StreamReader, fd: int, size: int) -> Answer:
    """Raises OSError, EOFError, _UntrueError."""
    if name := _named(head.fields):
        return Found(name)
    if head.status == 204:
        return Clean()
    if head.status in (200, 201):
        if await _is_same(head, reader, fd, size):
            return Clean()
        return Failed("answers with other content and names nothing that it found", lasting=True)
    raise _UntrueError(f"answers {head.status}")


def _named(fields: Mapping[str, str]) -> str:
    for field in _NAMING:
        if (said := fields.get(field)) and said not in ("-", "0", "None", "none"):
            threat = _THREAT.search(said)
            name = (threat[1] if threat else said).strip()
            return "".join(c for c in name if c.isascii() and c.isprintable())[:256] or "unnamed"
    return ""


async def _is_same(head: _Head, reader: asyncio.StreamReader, fd: int, size: int) -> bool:
    """Whether what comes back is the file, to the last byte, under a head that says 200 or is a request as it was shown."""
    parts = dict(_part(part) for part in head.fields.get("encapsulated", "").split(","))
    body = next((at for name, at in parts.items() if name in ("res-body", "req-body")), None)
    if body is None or not 0 < body <= _HEAD_BYTES:
        return False
    first = (await reader.readexactly(body)).split(b"\r\n", 1)[0]
    if not re.fullmatch(rb"HTTP/1\.[01] 200(?: .*)?|POST .*", first):
        return False
    offset = 0
    while length := await _chunk_length(reader):
        if offset + length > size:
            return False
        while length:
            block = await reader.read(min(length, _BLOCK))
            if not block:
                raise EOFError("closed in mid-answer")
            if block != await asyncio.to_thread(os.pread, fd, len(block), offset):
                return False
            offset, length = offset + len(block), length - len(block)
        if await reader.readexactly(2) != b"\r\n":
            raise _UntrueError("a chunk that does not end")
    return offset == size


async def _chunk_length(reader: asyncio.StreamReader) -> int:
    length = _CHUNK.fullmatch(await reader.readuntil(b"\r\n"))
    if length is None:
        raise _UntrueError("a chunk without a length")
    return int(length[1], 16)


def _part(text: str) -> tuple[str, int]:
    name, _, at = text.strip().partition("=")
    return name.lower(), int(at) if at.isdecimal() and at.isascii() and len(at) < 10 else -1


def _number(text: str | None, otherwise: float) -> float:
    return float(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 10 else otherwise


def _line(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"not reachable: {error.strerror or type(error).__name__}"
    if isinstance(error, asyncio.LimitOverrunError):
        return "a line without end"
    return str(error)
