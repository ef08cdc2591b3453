"""安全なプレビュー: pages that show a file without opening it: its text, pictures of its pages, structure, bytes, differences.

Everything on them was made in a jail from letters and pixels (`gateway.road.previews`). Which transfer a request is about, and whether its
original may be shown too, says a `Finder`, one for each face; where there are no originals there are no routes to them either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple

import msgspec
from aiohttp import web

from gateway.model import Door, Transfer
from gateway.road.previews import BusyError, File, Previews, Seen
from gateway.road.workers import JailUnavailable
from gateway.storage.faults import BlobMissingError
from gateway.storage.journal import Journal
from gateway.web import preview_saying as told
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from sanitizers.preview_words import Look, Place, Shown, View, line

Side = Literal["original", "result"]

ACTION: Final = "file.previewed"
# Pictures and further pages that one person asks for within this time belong to the same look; seconds.
_ONE_LOOK: Final = 600.0
_MOST_REMEMBERED: Final = 10_000
_PNG: Final = {"image/png": {"schema": {"type": "string", "format": "binary"}}}
_QUERY: Final = {
    "view": "content, parts or bytes", "part": "which of the parts in it: an index for each depth, as 0.2", "page": "of its pages, from 1",
    "start": "of bytes: the first one that is shown", "width": "of a picture: how wide it may be, in pixels",
}  # fmt: skip
_FAULTS: Final = {400: "no such view, part or page", 404: "not found, or not to be shown here", 422: "it cannot be shown: see `detail`",
                  503: "too many look at once"}  # fmt: skip
_VIEWS: Final = (View.CONTENT, View.PARTS, View.BYTES)


class Subject(NamedTuple):
    """What is looked at. `original`: whether that may be shown; `recorded`: whose looks are written down, and with what."""

    transfer: Transfer
    back: str
    original: bool
    recorded: frozenset[Side] = frozenset({"original"})
    detail: Mapping[str, object] = {}

    def file(self, side: Side) -> File | None:
        """None where there is none, or none to be shown."""
        mail = self.transfer.door is Door.SMTP
        if side == "original":
            return File(self.transfer.blob, self.transfer.name, mail) if self.original and self.transfer.blob else None
        result = self.transfer.result
        return File(result.sha256, result.name, mail) if result is not None else None


Finder = Callable[[web.Request], Awaitable[Subject | None]]


class PreviewPages:
    """A desk of a face. `under`: the path of the thing whose previews these are; `find`: says which transfer that is, None for nobody's."""

    def __init__(
        self, previews: Previews, journal: Journal, clock: Callable[[], float], find: Finder, *, under: str, originals: bool
    ) -> None:
        self._previews = previews
        self._journal = journal
        self._clock = clock
        self._find = find
        self._under = under
        self._sides: tuple[Side, ...] = ("original", "result") if originals else ("result",)
        self._looked: dict[tuple[str, str, str, str], float] = {}
        self._signin: SignIn | None = None
        self.routes: Sequence[Route] = tuple(self._routes(f"/api/v1{under}/preview"))

    def _routes(self, root: str) -> list[Route]:
        made = []
        for side in self._sides:
            made += [
                Route("GET", f"{root}/{side}", self._api(side), f"what the {side} says or consists of, as text", query=_QUERY,
                      faults=_FAULTS),
                Route("GET", f"{root}/{side}/page.png", self._picture(side), f"one page of the {side} as pixels", content=_PNG,
                      query=_QUERY, faults=_FAULTS),
            ]  # fmt: skip
        if "original" in self._sides:
            both = {"part": "of the original", "other": "of the result"}
            made.append(Route("GET", f"{root}/difference", self._api_difference, "what differs between original and result",
                              query=both, faults=_FAULTS))  # fmt: skip
        return made

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        root = f"{self._under}/preview"
        if "original" in self._sides:
            application.router.add_get(root, self._both)
        for side in self._sides:
            application.router.add_get(f"{root}/{side}", self._page(side))

    # ------------------------------------------------------------------------------------------------------------- API

    def _api(self, side: Side) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            subject, seen = await self._seen(request, side, _asked(request))
            return web.json_response(msgspec.to_builtins(seen.shown) | {"receipt_no": subject.transfer.receipt_no})

        return answer

    def _picture(self, side: Side) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            subject, seen = await self._seen(request, side, msgspec.structs.replace(_asked(request), view=View.PAGE))
            if not seen.png:
                return problem(422, told.fault(seen.shown.fault), receipt_no=subject.transfer.receipt_no)
            return web.Response(body=seen.png, content_type="image/png", headers={"Content-Security-Policy": "sandbox; default-src 'none'"})

        return answer

    async def _api_difference(self, request: web.Request) -> web.StreamResponse:
        subject = await self._subject(request)
        shown = await self._compared(request, subject, _place(request, "part"), _place(request, "other"))
        if shown.difference is None:
            return problem(422, told.fault(shown.fault), receipt_no=subject.transfer.receipt_no)
        return web.json_response(msgspec.to_builtins(shown.difference) | {"fault": shown.fault})

    # ----------------------------------------------------------------------------------------------------------- pages

    def _page(self, side: Side) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            look, subject = _asked(request), await self._subject(request)
            if subject.file(side) is None:
                return self._nothing(request, subject)
            seen = await self._look(request, subject, side, look)
            report = await self._journal.report(subject.transfer.id)
            said = told.one_side(seen.shown, look, report, side)
            return self._face.page(request, "preview.html", **self._frame(request, subject, side), **said)

        return answer

    async def _both(self, request: web.Request) -> web.StreamResponse:
        subject = await self._subject(request)
        sides = [side for side in self._sides if subject.file(side) is not None]
        if not sides:
            return self._nothing(request, subject)
        if len(sides) == 1:
            raise web.HTTPSeeOther(f"{request.path}/{sides[0]}")
        part, other = _place(request, "part"), _place(request, "other")
        shown = await self._compared(request, subject, part, other)
        report = await self._journal.report(subject.transfer.id)
        trees = [(await self._look(request, subject, side, Look(view=View.PARTS))).shown for side in sides]
        said = told.both_sides(shown, trees[0], trees[1], report, part=part, other=other, page=_number(request, "page"))
        return self._face.page(request, "preview_both.html", **self._frame(request, subject, "both"), **said)

    def _nothing(self, request: web.Request, subject: Subject) -> web.Response:
        return self._face.page(request, "preview_none.html", 404, **self._frame(request, subject, "none"))

    def _frame(self, request: web.Request, subject: Subject, here: str) -> dict[str, Any]:
        """What all of these pages show around the thing itself."""
        root = request.path.partition("/preview")[0]
        sides = [side for side in self._sides if subject.file(side) is not None]
        return {"receipt_no": subject.transfer.receipt_no, "back": subject.back, "base": f"{root}/preview", "api": f"/api/v1{root}/preview",
                "sides": sides, "here": here, "transfer_name": line(subject.transfer.subject or subject.transfer.name)}  # fmt: skip

    # ----------------------------------------------------------------------------------------------------------- steps

    @property
    def _face(self) -> SignIn:
        assert self._signin is not None
        return self._signin

    async def _subject(self, request: web.Request) -> Subject:
        subject = await self._find(request)
        if subject is None:
            raise web.HTTPNotFound
        return subject

    async def _seen(self, request: web.Request, side: Side, look: Look) -> tuple[Subject, Seen]:
        subject = await self._subject(request)
        return subject, await self._look(request, subject, side, look)

    async def _look(self, request: web.Request, subject: Subject, side: Side, look: Look) -> Seen:
        file = subject.file(side)
        if file is None:
            raise web.HTTPNotFound
        await self._record(request, subject, side, look.part)
        with _faults():
            return await self._previews.look(file, look)

    async def _compared(self, request: web.Request, subject: Subject, part: tuple[int, ...], other: tuple[int, ...]) -> Shown:
        before, after = subject.file("original"), subject.file("result")
        if before is None or after is None:
            raise web.HTTPNotFound
        await self._record(request, subject, "original", part)
        with _faults():
            return await self._previews.compare(before, after, part, other)

    async def _record(self, request: web.Request, subject: Subject, side: Side, part: tuple[int, ...]) -> None:
        """Before anything is shown: who looked at what, once for each look."""
        if side not in subject.recorded:
            return
        actor, place, now = account_of(request).login, ".".join(map(str, part)), self._clock()
        key = (actor, subject.transfer.receipt_no, side, place)
        if now - self._looked.get(key, float("-inf")) < _ONE_LOOK:
            return
        detail = {"side": side, "part": place, **subject.detail}
        await self._journal.record(at=now, actor=actor, action=ACTION, subject=subject.transfer.receipt_no,
                                   detail={name: value for name, value in detail.items() if value})  # fmt: skip
        if len(self._looked) >= _MOST_REMEMBERED:
            self._looked.clear()
        self._looked[key] = now


@contextmanager
def _faults() -> Iterator[None]:
    """Around a look: what stops it, as an answer over HTTP."""
    try:
        yield
    except BlobMissingError:
        raise web.HTTPNotFound from None
    except (BusyError, JailUnavailable):
        raise web.HTTPServiceUnavailable from None
    except msgspec.ValidationError:
        raise web.HTTPBadRequest from None


def _asked(request: web.Request) -> Look:
    """Raises HTTPBadRequest."""
    view = request.query.get("view", View.CONTENT)
    if view not in _VIEWS:
        raise web.HTTPBadRequest
    asked = {"view": view, "part": _place(request, "part"), "page": _number(request, "page") - 1,
             "start": _number(request, "start", 0), "width": _number(request, "width", 1_000)}  # fmt: skip
    try:
        return msgspec.convert(asked, Look)
    except msgspec.ValidationError:
        raise web.HTTPBadRequest from None


def _place(request: web.Request, name: str) -> tuple[int, ...]:
    """`0.2` → (0, 2). Raises HTTPBadRequest."""
    pieces = [piece for piece in request.query.get(name, "").split(".") if piece]
    if not all(piece.isascii() and piece.isdecimal() and len(piece) < 6 for piece in pieces):
        raise web.HTTPBadRequest
    try:
        return msgspec.convert(tuple(map(int, pieces)), Place)
    except msgspec.ValidationError:
        raise web.HTTPBadRequest from None


def _number(request: web.Request, name: str, otherwise: int = 1) -> int:
    """Raises HTTPBadRequest."""
    said = request.query.get(name, "")
    if not said:
        return otherwise
    if not said.isascii() or not said.isdecimal() or len(said) > 12:
        raise web.HTTPBadRequest
    return int(said)
