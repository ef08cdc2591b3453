"""The face of the drop: upload a file, see what became of one's own uploads. No route of it reaches the bytes of an original."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import unquote

import msgspec
from aiohttp import BodyPartReader, web

from gateway.people.accounts import Accounts, Role
from gateway.storage.faults import NoSuchTransferError, StorageError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.uploads import TooLargeError, Uploads
from gateway.web import words
from gateway.web.face import Readiness, face
from gateway.web.ownership import own, shown
from gateway.web.problem import problem
from gateway.web.signin import SignIn, account_of

_CHUNK: Final = 1 << 16
_ALLOWED: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
_RECENT: Final = 50


class Drop:
    """Handlers; `application` is what a listener serves."""

    def __init__(self, uploads: Uploads, journal: Journal, accounts: Accounts, readiness: Readiness, *, jail: bool) -> None:
        self._uploads = uploads
        self._journal = journal
        self._signin = SignIn(accounts, "drop", "取込み / Drop", _ALLOWED, jail=jail)
        self.application = face(readiness)
        self._signin.install(self.application)
        self.application.router.add_get("/", self._page)
        self.application.router.add_post("/", self._from_page)
        self.application.router.add_post("/api/v1/transfers", self._receive)
        self.application.router.add_get("/api/v1/transfers/{receipt_no}", self._show)

    async def _page(self, request: web.Request) -> web.Response:
        mine = await self._journal.transfers(Filter(sender=account_of(request).login, limit=_RECENT))
        return self._signin.page(request, "drop.html", rows=[words.row(transfer) for transfer in mine])

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        done = await self._take_all(request)
        return done if isinstance(done, web.Response) else web.HTTPSeeOther("/")

    async def _receive(self, request: web.Request) -> web.Response:
        """Multipart with any number of files, or one file as the raw body with its name in `X-File-Name` (percent-encoded UTF-8)."""
        done = await self._take_all(request)
        if isinstance(done, web.Response):
            return done
        first = {"receipt_no": done[0]} if len(done) == 1 else {}
        return web.json_response(first | {"receipt_nos": done}, status=202)

    async def _take_all(self, request: web.Request) -> list[str] | web.Response:
        receipts = []
        try:
            async for name, chunks in _files(request):
                receipts.append(await self._uploads.take(account_of(request).login, name, request.remote or "", chunks))
        except TooLargeError as error:
            return problem(413, str(error), receipt_nos=receipts or None)
        except StorageError:
            return problem(503, receipt_nos=receipts or None)
        return receipts or problem(400, "ファイルがありません / no file")

    async def _show(self, request: web.Request) -> web.Response:
        try:
            transfer = await own(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return problem(404)
        report = await self._journal.report(transfer.id)
        return web.json_response(shown(transfer) | {"report": msgspec.to_builtins(report)})


async def _files(request: web.Request) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    if not request.content_type.startswith("multipart/"):
        yield unquote(request.headers.get("X-File-Name", "file")), request.content.iter_chunked(_CHUNK)
        return
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename:
            yield part.filename, _chunks(part)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(_CHUNK):
        yield chunk
