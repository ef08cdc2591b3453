"""The face of the drop: upload a file, see what became of one's own uploads. No route of it reaches the bytes of an original."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Final, TypeVar
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from gateway.drop.resumable import Resumable
from gateway.people.accounts import Accounts, Role
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.unfinished import Unfinished
from gateway.unlocking import Unlocking
from gateway.uploads import TooLargeError, Uploads
from gateway.web import words
from gateway.web.events import Events
from gateway.web.face import Readiness, face
from gateway.web.ownership import mine
from gateway.web.problem import problem
from gateway.web.routes import Route, install
from gateway.web.signin import SignIn, account_of
from gateway.web.transfer_page import TransferPage

_T = TypeVar("_T")

_CHUNK: Final = 1 << 16
_ALLOWED: Final = frozenset({Role.STAFF, Role.ADMINISTRATOR})
_RECENT: Final = 50


class Drop:
    """Handlers; `application` is what a listener serves."""

    def __init__(
        self,
        uploads: Uploads,
        journal: Journal,
        unlocking: Unlocking,
        accounts: Accounts,
        *,
        unfinished: Unfinished,
        readiness: Readiness,
        events: Events,
        jail: bool,
    ) -> None:
        self._uploads = uploads
        self._journal = journal
        self._signin = SignIn(accounts, "drop", "取込み / Drop", _ALLOWED, jail=jail)
        self._one = TransferPage(journal, unlocking, events, self._signin, downloads=False)
        self._resumable = Resumable(uploads, unfinished)
        self.application = face(readiness)
        self._signin.install(self.application)
        self._one.install(self.application)
        self.application.router.add_get("/", self._page)
        self.application.router.add_post("/", self._from_page)
        install(self.application, "drop", self._routes())

    def _routes(self) -> tuple[Route, ...]:
        one_file = {"schema": {"type": "string", "format": "binary"}}
        faults = {400: "no file, or not a well-formed body", 413: "larger than the limit; nothing of it is kept", 503: "not accepting now"}
        return (
            Route("POST", "/api/v1/transfers", self._receive, "bring files in: multipart, or one raw body named by X-File-Name", 202,
                  body={"multipart/form-data": {"schema": {"type": "object"}}, "application/octet-stream": one_file}, faults=faults),
            *self._resumable.routes(),
            *self._one.routes(),
        )  # fmt: skip

    async def _page(self, request: web.Request) -> web.Response:
        found = await self._journal.transfers(mine(account_of(request), _RECENT))
        return self._signin.page(request, "drop.html", rows=[words.row(one) for one in found], script_words=words.DROP)

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        done = await self._take_all(request)
        if isinstance(done, web.Response):
            return done
        raise web.HTTPSeeOther("/")

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


async def _files(request: web.Request) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    if not request.content_type.startswith("multipart/"):
        if request.body_exists:
            yield unquote(request.headers.get("X-File-Name", "file")), request.content.iter_chunked(_CHUNK)
        return
    reader = await _well_formed(request.multipart())
    while (part := await _well_formed(reader.next())) is not None:
        if isinstance(part, BodyPartReader) and part.filename:
            yield part.filename, _chunks(part)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await _well_formed(part.read_chunk(_CHUNK)):
        yield chunk
    if not part.at_eof():
        raise web.HTTPBadRequest


async def _well_formed(step: Awaitable[_T]) -> _T:
    """A step of reading a multipart body; one that is broken or ends too early is a bad request, and no file."""
    try:
        return await step
    except (ValueError, AssertionError):
        raise web.HTTPBadRequest from None
