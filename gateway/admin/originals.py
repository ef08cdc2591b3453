"""An original taken out for analysis: in an archive that only a password opens, on another person's word where that is asked, recorded.

The password is shown once, on the page; the archive is fetched by an address that works once. Neither is kept.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from aiohttp import web

from gateway.admin import locked_zip
from gateway.model import Transfer
from gateway.people.accounts import Account
from gateway.requests.approvals import Approvals, Kind, RefusedError, Request, RequestState
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import BlobMissingError, NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.web import words
from gateway.web.given import sent
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted

_ONE: Final = "/api/v1/transfers/{receipt_no}/original"
_REASON: Final = {"application/json": {"schema": {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}}}}
_ZIP: Final = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_TICKET_SECONDS: Final = 300.0
_MOST_TICKETS: Final = 100
# How long a yes holds.
_WORD_SECONDS: Final = 7 * 86_400.0
_CHUNK: Final = 1 << 18
_GONE: Final = "原本はすでに廃棄されています / the original was disposed of"
_NOT_YET: Final = "承認がまだありません / not approved yet"


class _Ticket(NamedTuple):
    account_id: int
    receipt_no: str
    word: str
    until: float


class OriginalsDesk:
    """Handlers; see gateway.web.desks.Desk. `four_eyes`: whether another person has to say yes. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, blobs: Blobs, approvals: Approvals, clock: Callable[[], float], *, four_eyes: bool) -> None:
        self._journal = journal
        self._blobs = blobs
        self._approvals = approvals
        self._clock = clock
        self._four_eyes = four_eyes
        self._tickets: dict[str, _Ticket] = {}
        self._signin: SignIn
        faults = {400: "a reason is needed", 404: "not found", 409: "there is no original any more, or nobody has said yes yet"}
        self.routes: Sequence[Route] = (
            Route("GET", _ONE, self._show, "whether it may be taken out, and the request for it", faults={404: "not found"}),
            Route("POST", _ONE, self._ask, "ask for it", 202, body=_REASON, faults=faults),
            Route("POST", f"{_ONE}/take", self._take, "a password, told once, and where the archive is fetched, once", body=_REASON,
                  faults=faults),
            Route("GET", f"{_ONE}.zip", self._fetch, "the original in an archive that the password opens (AES-256)", content=_ZIP,
                  query={"ticket": "as `take` told it"}, faults={404: "no such ticket, or it was used"}),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        application.router.add_get("/transfers/{receipt_no}/original", self._page)
        application.router.add_post("/transfers/{receipt_no}/original", self._from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _show(self, request: web.Request) -> web.Response:
        transfer = await self._named(request)
        asked = await self._asked(transfer, account_of(request))
        told = None if asked is None else {"number": asked.number, "state": asked.state}
        return web.json_response({"there": transfer.blob is not None, "request": told, "may": self._may(asked)})

    async def _ask(self, request: web.Request) -> web.Response:
        transfer = await self._named(request)
        try:
            made = await self._requested(transfer, account_of(request), await _reason(request))
        except RefusedError as refusal:
            return problem(400, str(refusal))
        return problem(409, _GONE) if made is None else web.json_response({"number": made.number, "state": made.state}, status=202)

    async def _take(self, request: web.Request) -> web.Response:
        transfer = await self._named(request)
        reason = await _reason(request)
        if not reason.strip():
            return problem(400)
        ticket = await self._ticket(transfer, account_of(request), reason)
        if isinstance(ticket, str):
            return problem(409, ticket)
        name, one = ticket
        return web.json_response({"password": one.word, "url": f"/api/v1/transfers/{transfer.receipt_no}/original.zip?ticket={name}"})

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        transfer, account = await self._named(request), account_of(request)
        ticket = self._tickets.pop(request.query.get("ticket", ""), None)
        if ticket is None or ticket.account_id != account.id or ticket.receipt_no != transfer.receipt_no or ticket.until < self._clock():
            return problem(404)
        if transfer.blob is None:
            return problem(404, _GONE)
        named = f"{transfer.receipt_no}.zip"
        headers = {"Content-Type": "application/zip", "Content-Disposition": f"attachment; filename*=UTF-8''{quote(named)}"}
        try:
            async with opened(self._blobs, transfer.blob, check=True) as fd:
                await self._record("original.fetched", transfer, account)
                response = web.StreamResponse(headers=headers)
                await response.prepare(request)
                async for piece in locked_zip.stream(transfer.name, transfer.size, _blocks(fd), ticket.word):
                    await response.write(piece)
        except BlobMissingError:
            return problem(404, _GONE)
        await response.write_eof()
        return response

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request, await self._named(request))

    async def _from_page(self, request: web.Request) -> web.Response:
        transfer, account, given = await self._named(request), account_of(request), await posted(request)
        reason = str(given.get("reason", ""))
        if given.get("what") == "take":
            ticket = await self._ticket(transfer, account, reason)
            if isinstance(ticket, str):
                return await self._shown(request, transfer, 409, error=ticket)
            return await self._shown(request, transfer, word=ticket[1].word, ticket=ticket[0])
        try:
            made = await self._requested(transfer, account, reason)
        except RefusedError as refusal:
            return await self._shown(request, transfer, 400, error=str(refusal))
        return await self._shown(request, transfer, 409 if made is None else 202, error=_GONE if made is None else "")

    async def _shown(self, request: web.Request, transfer: Transfer, status: int = 200, **more: str) -> web.Response:
        asked = await self._asked(transfer, account_of(request))
        told = {"error": "", "word": "", "ticket": ""} | more
        return self._signin.page(
            request, "original.html", status, one=transfer.listed(), row=words.row(transfer), there=transfer.blob is not None,
            asked=asked, may=self._may(asked), four_eyes=self._four_eyes, minutes=int(_TICKET_SECONDS // 60), **told,
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------------- steps

    async def _named(self, request: web.Request) -> Transfer:
        try:
            return await self._journal.find(request.match_info["receipt_no"])
        except NoSuchTransferError:
            raise web.HTTPNotFound from None

    async def _asked(self, transfer: Transfer, account: Account) -> Request | None:
        """The youngest request of this person for this transfer."""
        found = await self._approvals.listed(kinds=[Kind.ANALYSIS], subject=transfer.receipt_no, requester=account, limit=1)
        return found[0] if found else None

    def _may(self, asked: Request | None) -> bool:
        if not self._four_eyes:
            return True
        approved = asked is not None and asked.state is RequestState.APPROVED and bool(asked.decisions)
        return approved and asked is not None and self._clock() < asked.decisions[-1].at + _WORD_SECONDS

    async def _requested(self, transfer: Transfer, account: Account, reason: str) -> Request | None:
        """None where there is nothing left to take. Raises RefusedError."""
        if transfer.blob is None:
            return None
        asked = await self._asked(transfer, account)
        if asked is not None and (asked.state is RequestState.REQUESTED or self._may(asked)):
            return asked
        return await self._approvals.request(Kind.ANALYSIS, transfer.receipt_no, account, reason, detail={"sha256": transfer.sha256})

    async def _ticket(self, transfer: Transfer, account: Account, reason: str) -> tuple[str, _Ticket] | str:
        """Its name and itself; or why there is none. Recorded before the password is told."""
        if transfer.blob is None:
            return _GONE
        if not self._may(await self._asked(transfer, account)):
            return _NOT_YET
        if not reason.strip():
            return "理由を入力してください / a reason is needed"
        await self._record("original.taken", transfer, account, note=" ".join(reason.split())[:500])
        now = self._clock()
        self._tickets = {name: one for name, one in self._tickets.items() if one.until >= now}
        while len(self._tickets) >= _MOST_TICKETS:
            self._tickets.pop(next(iter(self._tickets)))
        name, ticket = secrets.token_urlsafe(), _Ticket(account.id, transfer.receipt_no, locked_zip.password(), now + _TICKET_SECONDS)
        self._tickets[name] = ticket
        return name, ticket

    async def _record(self, action: str, transfer: Transfer, account: Account, **detail: Any) -> None:
        detail |= {"sha256": transfer.sha256}
        await self._journal.record(at=self._clock(), actor=account.login, action=action, subject=transfer.receipt_no, detail=detail)


async def _reason(request: web.Request) -> str:
    try:
        given = (await sent(request))["reason"]
    except (ValueError, KeyError, TypeError):
        raise web.HTTPBadRequest from None
    if not isinstance(given, str):
        raise web.HTTPBadRequest
    return given


async def _blocks(fd: int) -> AsyncIterator[bytes]:
    offset = 0
    while block := await asyncio.to_thread(os.pread, fd, _CHUNK, offset):
        yield block
        offset += len(block)
