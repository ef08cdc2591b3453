"""The face of the drop: upload a file, see what became of one's own uploads. No route of it reaches the bytes of an original."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from functools import partial
from typing import Final, TypeVar
from urllib.parse import unquote

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from gateway.drop.resumable import Resumable
from gateway.model import PERSON
from gateway.people.accounts import Accounts
from gateway.people.permissions import Action, action
from gateway.people.roles import RefusedError
from gateway.requests.approvals import Approvals
from gateway.requests.asking import Asking
from gateway.requests.bringing import FIELDS, UNKNOWN, Bringing
from gateway.requests.unlocking import Unlocking
from gateway.road.uploads import TooLargeError, Uploads
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.unfinished import Unfinished
from gateway.web import entrance, words
from gateway.web.desks import Desk
from gateway.web.events import Events
from gateway.web.face import Readiness, face
from gateway.web.ownership import mine
from gateway.web.problem import Handler, problem
from gateway.web.routes import Route, install
from gateway.web.signin import SignIn, account_of
from gateway.web.transfer_deeds import Wishes
from gateway.web.transfer_page import TransferPage
from gateway.web.view import said

_T = TypeVar("_T")

NOT_PERMITTED: Final = (
    "このアカウントには取込みの利用が許可されていません。必要なときは所属長を通じて情報システム担当へ申し出てください。"
    " / this account may not use the drop: ask the system staff through your head of department"
)
_CHUNK: Final = 1 << 16
_RECENT: Final = 50
_LONGEST_FIELD: Final = 4_096
_MEANING: Final = {
    "purpose": "業務名: what it is needed for",
    "classification": "情報資産の分類",
    "reason": "why it is brought in",
    "folder": "its folder, where a whole one is brought",
}


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
        bringing: Bringing,
        asking: tuple[Approvals, Asking],
        readiness: Readiness,
        events: Events,
        desks: Sequence[Desk] = (),
        jail: bool,
    ) -> None:
        self._uploads = uploads
        self._bringing = bringing
        self._journal = journal
        self._signin = SignIn(accounts, "drop", "取込み / Drop", jail=jail)
        wishes = partial(Wishes, *asking, bringing)
        self._one = TransferPage(journal, unlocking, events, self._signin, clock=uploads.now, downloads=False, wishes=wishes)
        self._resumable = Resumable(uploads, unfinished, bringing)
        self.application = face(readiness)
        entrance.install(self.application, self._signin)
        self.application.middlewares.append(self._permitted)
        self._one.install(self.application)
        self.application.router.add_get("/", self._page)
        self.application.router.add_post("/", self._from_page)
        install(self.application, "drop", [*self._routes(), *(route for desk in desks for route in desk.routes)])
        for desk in desks:
            desk.install(self.application, self._signin)

    def _routes(self) -> tuple[Route, ...]:
        one_file = {"schema": {"type": "string", "format": "binary"}}
        faults = {400: "no file, or not a well-formed body", 413: "larger than the limit; nothing of it is kept",
                  422: "something has to be said of it", 503: "not accepting now"}  # fmt: skip
        said = {"to": "a destination besides the own box; may be repeated", **{name: _MEANING[name] for name in FIELDS}}
        return (
            Route("GET", "/api/v1/destinations", self._where, "where files may go besides the own box",
                  content={"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}),
            Route("POST", "/api/v1/transfers", self._receive, "bring files in: multipart, or one raw body named by X-File-Name", 202,
                  query=said, faults=faults, headers={"X-File-Name": "of a raw body: its name, UTF-8, percent-encoded"},
                  body={"multipart/form-data": {"schema": {"type": "object"}}, "application/octet-stream": one_file}),
            *self._resumable.routes(),
            *self._one.routes(),
        )  # fmt: skip

    @web.middleware
    async def _permitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Behind the sign-in: an account without the drop neither brings files in nor sees what it brought; its own account and requests
        stay open to it (小諸市 対策基準 5.1(2)③)."""
        resource = request.match_info.route.resource
        if resource is None or action("drop", request.method, resource.canonical) is not Action.DROP or account_of(request).may_drop:
            return await handler(request)
        if request.method == "GET" and resource.canonical == "/":
            return self._signin.page(request, "drop_closed.html", 403, error=NOT_PERMITTED)
        return problem(403, NOT_PERMITTED)

    async def _page(self, request: web.Request) -> web.Response:
        rows = [words.row(one) for one in await self._journal.transfers(mine(account_of(request), _RECENT))]
        destinations = await self._bringing.destinations(account_of(request))
        return self._signin.page(
            request,
            "drop.html",
            rows=rows,
            script_words={name: said(text) for name, text in words.DROP.items()},
            destinations=destinations,
            usage=self._bringing.usage,
            unknown=UNKNOWN,
            steps=words.STEPS,
            fills=await self._bringing.fills(account_of(request)),
        )

    async def _where(self, request: web.Request) -> web.Response:
        offered = await self._bringing.destinations(account_of(request))
        return web.json_response([{"to": address, "title": title} for address, title in offered.items()])

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
        account, client = account_of(request), request.remote or ""
        said = {name: request.query.get(name, "") for name in FIELDS}
        places = request.query.getall("to", [])
        try:
            async for name, content in _parts(request):
                if isinstance(content, str):
                    places = [*places, *_places(name, content)]
                    said[name] = content
                    continue
                to, slip = await self._bringing.chosen(account, places), self._bringing.slip(said)
                receipts.append(await self._uploads.take(account.login, name, client, content, to=to, slip=slip))
                await self._bringing.ask_or_leave(account, receipts[-1])
        except RefusedError as refusal:
            return problem(422, str(refusal), receipt_nos=receipts or None)
        except TooLargeError as error:
            return problem(413, str(error), receipt_nos=receipts or None)
        except StorageError:
            return problem(503, receipt_nos=receipts or None)
        return receipts or problem(400, "ファイルがありません / no file")


async def _parts(request: web.Request) -> AsyncIterator[tuple[str, AsyncIterator[bytes] | str]]:
    """Files, each by its name; of a form also the fields that say something of the files after them."""
    if not request.content_type.startswith("multipart/"):
        if request.body_exists:
            yield unquote(request.headers.get("X-File-Name", "file")), request.content.iter_chunked(_CHUNK)
        return
    reader = await _well_formed(request.multipart())
    while (part := await _well_formed(reader.next())) is not None:
        if isinstance(part, BodyPartReader) and part.filename:
            yield part.filename, _chunks(part)
        elif isinstance(part, BodyPartReader) and part.name in ("to", "persons", *FIELDS):
            yield part.name, (await _well_formed(part.read_chunk(_LONGEST_FIELD))).decode("utf-8", "replace")


def _places(name: str, content: str) -> list[str]:
    """Destinations of a form: one of the list, and log-in names of persons for whom alone a file is."""
    persons = [PERSON + one for one in re.split(r"[\s,、，]+", content) if one] if name == "persons" else []
    return [content] if name == "to" else persons


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await _well_formed(part.read_chunk(_CHUNK)):
        yield chunk
    if not part.at_eof():
        raise web.HTTPBadRequest


async def _well_formed(step: Awaitable[_T]) -> _T:
    """A step of reading a multipart body; one that is broken or ends too early is a bad request, and no file."""
    try:
        return await step
    except (ValueError, AssertionError, HttpProcessingError):
        raise web.HTTPBadRequest from None
