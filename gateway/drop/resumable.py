"""Uploads that go on after a cut: tus 1.0.0 with the extensions creation and termination (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from aiohttp import web

from gateway.people.roles import RefusedError
from gateway.requests.bringing import Bringing
from gateway.road.uploads import Uploads
from gateway.storage.faults import StorageError
from gateway.storage.unfinished import Begun, NoSuchUploadError, Unfinished, WrongOffsetError
from gateway.telemetry import log
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import account_of

_log = log.get(__name__)

PATH: Final = "/api/v1/uploads"
_VERSION: Final = "1.0.0"
_MOST_OPEN: Final = 50
_PIECE: Final = 1 << 20
# How long somebody who asks waits for what has come to be on disk.
_PATIENCE_SECONDS: Final = 10.0
_OCTETS: Final = "application/offset+octet-stream"


class _Piece(NamedTuple):
    """A PATCH at work: the line that it comes on, and whether it has ended."""

    line: asyncio.Transport | None
    over: asyncio.Event


class Resumable:
    """Handlers for the drop. One upload takes one PATCH at a time."""

    def __init__(self, uploads: Uploads, unfinished: Unfinished, bringing: Bringing) -> None:
        self._uploads = uploads
        self._bringing = bringing
        self._unfinished = unfinished
        self._busy: dict[str, _Piece] = {}

    def routes(self) -> tuple[Route, ...]:
        one, missing, tus = PATH + "/{number}", {404: "never begun or given up"}, {"Tus-Resumable": _VERSION}
        body = {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}
        version, done = {412: "another version of tus"}, {"Sekisho-Receipt-No": "once all of it is there"}
        where = {"Upload-Offset": "how many bytes are there"}
        return (
            Route("OPTIONS", PATH, self._offer, "what of tus is spoken here", 204, content={},
                  told=tus | {"Tus-Version": "those that are spoken", "Tus-Extension": "", "Tus-Max-Size": "bytes"}),
            Route("POST", PATH, self._begin, "begin an upload that may be cut (tus creation)", 201, content={},
                  headers=tus | {"Upload-Length": "bytes", "Upload-Metadata": "filename, to and what is said of it, in base64"},
                  told=tus | done | {"Location": "where its bytes go"},
                  faults=version | {400: "no length or name", 409: "too many open", 413: "too large", 422: "something has to be said of it",
                                    503: "no room"}),
            Route("HEAD", one, self._tell, "how much of it is there", content={}, faults=missing,
                  told=tus | where | done | {"Upload-Length": "bytes"}),
            Route("PATCH", one, self._append, "the next bytes; the last ones answer with the receipt number", 204, content={}, body=body,
                  headers=tus | {"Upload-Offset": "where these bytes begin"}, told=tus | where | done,
                  faults=missing | version | {400: "no offset", 409: "another offset, or another piece is on its way",
                                              415: "another media type"}),
            Route("DELETE", one, self._give_up, "give it up", 204, content={}, faults=missing),
        )  # fmt: skip

    async def _offer(self, _: web.Request) -> web.Response:
        told = {"Tus-Version": _VERSION, "Tus-Extension": "creation,termination", "Tus-Max-Size": str(self._uploads.most)}
        return web.Response(status=204, headers={"Tus-Resumable": _VERSION} | told)

    async def _begin(self, request: web.Request) -> web.Response:
        if (refused := _other_version(request)) is not None:
            return refused
        account, length, said = account_of(request), _number(request, "Upload-Length"), _metadata(request)
        if length is None or said is None or "filename" not in said:
            return problem(400, "Upload-Length, Upload-Metadata")
        owner, name = account.login, said["filename"]
        if length > self._uploads.most:
            return problem(413)
        if await asyncio.to_thread(self._unfinished.of, owner) >= _MOST_OPEN:
            return problem(409, f"途中のアップロードが{_MOST_OPEN}件あります / {_MOST_OPEN} uploads are open")
        try:
            to, slip = await self._bringing.chosen(account, said.get("to", "").split(",")), self._bringing.slip(said)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        begun = Begun(owner=owner, name=name, length=length, at=self._uploads.now(), to=to, slip=slip)
        number = await asyncio.to_thread(self._unfinished.begin, begun)
        headers = {"Location": f"{PATH}/{number}"}
        if length == 0:
            headers |= await self._finish(request, number, begun)
        return _answer(201, headers)

    async def _tell(self, request: web.Request) -> web.Response:
        await self._interrupt((await self._own(request))[0])
        number, begun, offset = await self._own(request)
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(begun.length), "Location": f"{PATH}/{number}"}
        return _answer(200, headers | _receipt(begun.receipt_no))

    async def _append(self, request: web.Request) -> web.Response:
        number, _, _ = await self._own(request)
        if (refused := _not_ours(request)) is not None:
            return refused
        if number in self._busy:
            return problem(409)
        self._busy[number] = piece = _Piece(request.transport, asyncio.Event())
        try:
            return await self._go_on(request)
        except WrongOffsetError:
            return problem(409)
        finally:
            del self._busy[number]
            piece.over.set()

    async def _interrupt(self, number: str) -> None:
        """Its sender asks how far it is: so the line on which a piece was coming is dead, which we may learn in minutes or never."""
        piece = self._busy.get(number)
        if piece is None:
            return
        if piece.line is not None:
            piece.line.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await piece.over.wait()

    async def _go_on(self, request: web.Request) -> web.Response:
        """Nobody else appends meanwhile. Raises WrongOffsetError."""
        number, begun, there = await self._own(request)
        offset = _number(request, "Upload-Offset")
        if offset is None or offset != there:
            raise WrongOffsetError(number)
        if begun.receipt_no:            # the answer to the last bytes was lost on its way
            return _answer(204, {"Upload-Offset": str(offset)} | _receipt(begun.receipt_no))
        async for piece in _pieces(request):
            offset = await asyncio.to_thread(self._unfinished.append, number, offset, piece)
        headers = await self._finish(request, number, begun) if offset == begun.length else {}
        return _answer(204, {"Upload-Offset": str(offset)} | headers)

    async def _give_up(self, request: web.Request) -> web.Response:
        number, _, _ = await self._own(request)
        await asyncio.to_thread(self._unfinished.remove, number)
        return _answer(204, {})

    async def _own(self, request: web.Request) -> tuple[str, Begun, int]:
        """Another's upload is as unknown as none."""
        number = request.match_info["number"]
        try:
            begun, offset = await asyncio.to_thread(self._unfinished.about, number)
        except NoSuchUploadError:
            raise web.HTTPNotFound from None
        if begun.owner != account_of(request).login:
            raise web.HTTPNotFound
        return number, begun, offset

    async def _finish(self, request: web.Request, number: str, begun: Begun) -> dict[str, str]:
        """All of it is there: now it is a transfer."""
        client, content = request.remote or "", self._content(number)
        receipt_no = await self._uploads.take(begun.owner, begun.name, client, content, to=begun.to, slip=begun.slip)
        try:
            await asyncio.to_thread(self._unfinished.become, number, receipt_no)
        except StorageError as error:
            _log.error("an upload that is a transfer cannot be put away", receipt_no=receipt_no, error=str(error))
        await self._bringing.ask_or_leave(account_of(request), receipt_no)
        return _receipt(receipt_no)

    async def _content(self, number: str) -> AsyncIterator[bytes]:
        blocks = self._unfinished.blocks(number)
        while (block := await asyncio.to_thread(next, blocks, b"")) != b"":
            yield block


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """The body as it comes; what has come when the connection is cut is kept."""
    gathered = bytearray()
    try:
        async for chunk in request.content.iter_any():
            gathered += chunk
            if len(gathered) >= _PIECE:
                yield bytes(gathered)
                gathered.clear()
    except ConnectionError:
        pass
    if gathered:
        yield bytes(gathered)


def _receipt(receipt_no: str) -> dict[str, str]:
    return {"Sekisho-Receipt-No": receipt_no} if receipt_no else {}


def _other_version(request: web.Request) -> web.Response | None:
    if request.headers.get("Tus-Resumable") == _VERSION:
        return None
    refused = problem(412)
    refused.headers["Tus-Version"] = _VERSION
    return refused


def _not_ours(request: web.Request) -> web.Response | None:
    """What is no PATCH of tus."""
    if (refused := _other_version(request)) is not None:
        return refused
    if _number(request, "Upload-Offset") is None:
        return problem(400, "Upload-Offset")
    return problem(415) if request.content_type != _OCTETS else None


def _number(request: web.Request, name: str) -> int | None:
    value = request.headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _metadata(request: web.Request) -> dict[str, str] | None:
    """Upload-Metadata: pairs of a key and base64, separated by commas; `filename`, and what is said of the file."""
    said = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        try:
            said[key] = base64.b64decode(value, validate=True).decode("utf-8")
        except ValueError:      # no base64, letters that are not ASCII, or no UTF-8
            return None
    return said


def _answer(status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, headers={"Tus-Resumable": _VERSION} | headers)
