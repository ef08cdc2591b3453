"""Uploads that go on after a cut: tus 1.0.0 with the extensions creation and termination (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import web

from gateway.bringing import Bringing
from gateway.people.roles import RefusedError
from gateway.storage.unfinished import Begun, NoSuchUploadError, Unfinished, WrongOffsetError
from gateway.uploads import Uploads
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import account_of

PATH: Final = "/api/v1/uploads"
_VERSION: Final = "1.0.0"
_MOST_OPEN: Final = 50
_PIECE: Final = 1 << 20
_OCTETS: Final = "application/offset+octet-stream"


class Resumable:
    """Handlers for the drop. One upload takes one PATCH at a time."""

    def __init__(self, uploads: Uploads, unfinished: Unfinished, bringing: Bringing) -> None:
        self._uploads = uploads
        self._bringing = bringing
        self._unfinished = unfinished
        self._busy: set[str] = set()

    def routes(self) -> tuple[Route, ...]:
        one, missing = PATH + "/{number}", {404: "never begun, finished or given up"}
        body = {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}
        return (
            Route("OPTIONS", PATH, self._offer, "what of tus is spoken here", 204, content={}),
            Route("POST", PATH, self._begin, "begin an upload that may be cut (tus creation)", 201, content={},
                  faults={400: "no length or name", 409: "too many open", 412: "another version of tus", 413: "too large",
                          422: "something has to be said of it", 503: "no room"}),
            Route("HEAD", one, self._tell, "how much of it is there", content={}, faults=missing),
            Route("PATCH", one, self._append, "the next bytes; the last ones answer with the receipt number", 204, content={}, body=body,
                  faults=missing | {400: "no offset", 409: "another offset", 412: "another version of tus", 415: "another media type"}),
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
        number, begun, offset = await self._own(request)
        return _answer(200, {"Upload-Offset": str(offset), "Upload-Length": str(begun.length), "Location": f"{PATH}/{number}"})

    async def _append(self, request: web.Request) -> web.Response:
        if (refused := _other_version(request)) is not None:
            return refused
        number, begun, _ = await self._own(request)
        offset = _number(request, "Upload-Offset")
        if offset is None:
            return problem(400, "Upload-Offset")
        if request.content_type != _OCTETS:
            return problem(415)
        if number in self._busy:
            return problem(409)
        self._busy.add(number)
        try:
            async for piece in _pieces(request):
                offset = await asyncio.to_thread(self._unfinished.append, number, offset, piece)
            headers = await self._finish(request, number, begun) if offset == begun.length else {}
        except WrongOffsetError:
            return problem(409)
        finally:
            self._busy.discard(number)
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
        await self._bringing.ask(account_of(request), receipt_no)
        await asyncio.to_thread(self._unfinished.remove, number)
        return {"Sekisho-Receipt-No": receipt_no}

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


def _other_version(request: web.Request) -> web.Response | None:
    if request.headers.get("Tus-Resumable") == _VERSION:
        return None
    refused = problem(412)
    refused.headers["Tus-Version"] = _VERSION
    return refused


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
        except (binascii.Error, UnicodeDecodeError):
            return None
    return said


def _answer(status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, headers={"Tus-Resumable": _VERSION} | headers)
