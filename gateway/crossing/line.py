"""The way over by a line of its own: HTTPS, each side with a certificate, the outer one dials (TLS 1.3 alone).

    PUT /crossings/{crossing}       201 taken · 200 it is here already · 4xx refused · 503 not now

Whatever is not one of the first two is no delivery. An answer that is lost makes the outer side come again, and the inner one say 200.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
import msgspec
from aiohttp import web

from gateway.crossing.papers import LARGEST_REPORT, LONGEST_PAPERS, OPENING, RefusedError
from gateway.crossing.pushing import CarryError, Load
from gateway.crossing.taking import BrokenOffError, Taking
from gateway.storage.faults import StorageError
from gateway.web.problem import problem, problems

_CONNECT_SECONDS: Final = 10.0
# Between two pieces, and for the answer: the other side flushes to its disk before it speaks.
_SILENT_SECONDS: Final = 120.0
_PIECE: Final = 1 << 18
_LONGEST_ANSWER: Final = 16 << 10


class Certificates(NamedTuple):
    """Files (PEM): what this side shows, and who may sign for the other."""

    certificate: Path
    key: Path | None
    authority: Path


def client_context(files: Certificates) -> ssl.SSLContext:
    """Raises OSError, ssl.SSLError among them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _fitted(context, files)


def server_context(files: Certificates) -> ssl.SSLContext:
    """Nobody without a certificate gets as far as a request. Raises OSError, ssl.SSLError among them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _fitted(context, files)


def _fitted(context: ssl.SSLContext, files: Certificates) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(files.authority)
    context.load_cert_chain(files.certificate, files.key)
    return context


class Line:
    """The outer end (`pushing.Carrier`). `where`: https://host:port; `context`: anew for each try, as a certificate may be renewed."""

    def __init__(self, where: str, context: Callable[[], ssl.SSLContext]) -> None:
        self._where = where.rstrip("/")
        self._context = context

    async def carry(self, load: Load) -> None:
        timeout = aiohttp.ClientTimeout(total=None, connect=_CONNECT_SECONDS, sock_connect=_CONNECT_SECONDS, sock_read=_SILENT_SECONDS)
        headers = {"Content-Length": str(load.length), "Content-Type": "application/vnd.sekisho.crossing"}
        url = f"{self._where}/crossings/{load.crossing}"
        try:
            connector = aiohttp.TCPConnector(ssl=self._context(), force_close=True)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False, auto_decompress=False) as session,
                session.put(url, data=load.chunks(), headers=headers, allow_redirects=False) as answer,
            ):
                said = await answer.content.read(_LONGEST_ANSWER)
                if answer.status not in (200, 201) or _named(said) != load.crossing:
                    raise CarryError(f"the inner side answered {answer.status}: {said[:200].decode('utf-8', 'replace')}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CarryError(f"{type(error).__name__}: {error}"[:300]) from None

    async def close(self) -> None:
        """Nothing is kept open."""


def _named(said: bytes) -> str:
    try:
        return str(msgspec.json.decode(said, type=dict[str, object]).get("crossing", ""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


class Gate:
    """The inner end: `application` is what a listener serves. `clients`: names that a certificate must have one of; empty: any that is
    signed by the authority. `largest`: octets of one content."""

    def __init__(
        self, taking: Taking, clients: Collection[str], ready: Callable[[], Awaitable[list[str]]], *, largest: int = 1 << 30
    ) -> None:
        self._taking = taking
        self._clients = frozenset(clients)
        self._ready = ready
        self._most = largest + LARGEST_REPORT + LONGEST_PAPERS + OPENING.size
        self.application = web.Application(middlewares=[problems])
        self.application.router.add_get("/readyz", self._readiness)
        self.application.router.add_put("/crossings/{crossing}", self._put)

    async def _readiness(self, request: web.Request) -> web.Response:
        self._let_speak(request)
        reasons = await self._ready()
        return problem(503) if reasons else web.json_response({"ready": True})

    async def _put(self, request: web.Request) -> web.Response:
        via = self._let_speak(request)
        if request.content_length is None or request.content_length > self._most:
            return problem(413)
        pieces = _pieces(request)
        try:
            taken = await self._taking.take(pieces, via=via)
        except RefusedError as error:
            await _drained(pieces)
            return problem(409 if error.why == "replay" else 422, error.why)
        except BrokenOffError:
            return problem(400, "broken off")
        except StorageError as error:
            await _drained(pieces)
            return problem(503, type(error).__name__)
        # An answer before the end of what is sent would not be heard.
        await _drained(pieces)
        return web.json_response({"crossing": taken.crossing, "again": taken.again}, status=200 if taken.again else 201)

    def _let_speak(self, request: web.Request) -> str:
        """Who it is, by its certificate."""
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        names: set[str] = {value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind in ("DNS", "IP Address")}
        if not names or (self._clients and not names & self._clients):
            raise web.HTTPForbidden
        return min(names & self._clients or names)


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """What comes over the line; a line that breaks ends it."""
    try:
        while True:
            async with asyncio.timeout(_SILENT_SECONDS):
                piece = await request.content.read(_PIECE)
            if not piece:
                return
            yield piece
    except (aiohttp.ClientError, ConnectionError, TimeoutError):
        return


async def _drained(pieces: AsyncIterator[bytes]) -> None:
    async for _ in pieces:
        pass
