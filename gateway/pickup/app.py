"""The face of the pickup: list, report and download of delivered files. No route of it can reach an original."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from aiohttp import web

from gateway.model import State
from gateway.people.accounts import Accounts
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.unlocking import Unlocking
from gateway.web import entrance, words
from gateway.web.events import Events
from gateway.web.face import Readiness, face
from gateway.web.ownership import mine, own, shown
from gateway.web.problem import problem
from gateway.web.routes import Route, install
from gateway.web.signin import SignIn, account_of
from gateway.web.transfer_page import TransferPage

_CHUNK: Final = 1 << 20
_RECENT: Final = 50
# An operator may have stopped it after its verdict, which then stays as it was. What is late for a share can be fetched here.
_DELIVERED: Final = (State.RELEASED, State.DELIVERING, State.DELIVERED, State.DEFERRED, State.UNDELIVERABLE)


class Pickup:
    """Handlers; `application` is what a listener serves."""

    def __init__(
        self,
        blobs: Blobs,
        journal: Journal,
        unlocking: Unlocking,
        accounts: Accounts,
        readiness: Readiness,
        *,
        clock: Callable[[], float],
        events: Events,
        jail: bool,
    ) -> None:
        self._clock = clock
        self._blobs = blobs
        self._journal = journal
        self._signin = SignIn(accounts, "pickup", "受取 / Pickup", jail=jail)
        self._one = TransferPage(journal, unlocking, events, self._signin, downloads=True)
        self.application = face(readiness)
        entrance.install(self.application, self._signin)
        self._one.install(self.application)
        self.application.router.add_get("/", self._page)
        install(self.application, "pickup", self._routes())

    def _routes(self) -> tuple[Route, ...]:
        rows = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        one, missing = "/api/v1/transfers/{receipt_no}", {404: "not found"}
        return (
            Route("GET", "/api/v1/transfers", self._list, "one's own transfers, the youngest first", content=rows),
            *self._one.routes(),
            Route("GET", f"{one}/file", self._download, "the delivered file", content=content, faults=missing | {409: "not delivered"}),
        )

    async def _page(self, request: web.Request) -> web.Response:
        found = await self._journal.transfers(mine(account_of(request), _RECENT))
        rows = [words.row(transfer, await self._journal.report(transfer.id)) for transfer in found]
        return self._signin.page(request, "pickup.html", rows=rows)

    async def _list(self, request: web.Request) -> web.Response:
        found = await self._journal.transfers(mine(account_of(request), _RECENT))
        return web.json_response([shown(transfer) for transfer in found])

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """The rebuilt file, its digest checked as it is opened; always as an attachment, never shown in the browser."""
        try:
            transfer = await own(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return problem(404)
        if transfer.state not in _DELIVERED or transfer.result is None or transfer.verdict is None or not transfer.verdict.delivers:
            return problem(409, receipt_no=transfer.receipt_no)
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(transfer.result.size),
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(transfer.result.name, safe='')}",
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "sandbox; default-src 'none'",
            }
        )
        async with opened(self._blobs, transfer.result.sha256, check=True) as fd:
            await self._journal.collected(transfer, at=self._clock(), actor=account_of(request).login)
            await response.prepare(request)
            offset = 0
            while chunk := await asyncio.to_thread(os.pread, fd, _CHUNK, offset):
                await response.write(chunk)
                offset += len(chunk)
        await response.write_eof()
        return response
