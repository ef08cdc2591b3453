"""The face of the pickup: list, report and download of delivered files. No route of it can reach an original."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec
from aiohttp import web

from gateway.people.accounts import Accounts, Role
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.web import words
from gateway.web.face import Readiness, face
from gateway.web.ownership import own, shown
from gateway.web.problem import problem
from gateway.web.signin import SignIn, account_of

_CHUNK: Final = 1 << 20
_RECENT: Final = 50


class Pickup:
    """Handlers; `application` is what a listener serves."""

    def __init__(
        self, blobs: Blobs, journal: Journal, accounts: Accounts, readiness: Readiness, clock: Callable[[], float], *, jail: bool
    ) -> None:
        self._clock = clock
        self._blobs = blobs
        self._journal = journal
        self._signin = SignIn(accounts, "pickup", "受取 / Pickup", frozenset({Role.STAFF, Role.ADMINISTRATOR}), jail=jail)
        self.application = face(readiness)
        self._signin.install(self.application)
        self.application.router.add_get("/", self._page)
        self.application.router.add_get("/api/v1/transfers", self._list)
        self.application.router.add_get("/api/v1/transfers/{receipt_no}", self._show)
        self.application.router.add_get("/api/v1/transfers/{receipt_no}/file", self._download)

    async def _page(self, request: web.Request) -> web.Response:
        mine = await self._journal.transfers(Filter(sender=account_of(request).login, limit=_RECENT))
        rows = [words.row(transfer, await self._journal.report(transfer.id)) for transfer in mine]
        return self._signin.page(request, "pickup.html", rows=rows)

    async def _list(self, request: web.Request) -> web.Response:
        mine = await self._journal.transfers(Filter(sender=account_of(request).login, limit=_RECENT))
        return web.json_response([shown(transfer) for transfer in mine])

    async def _show(self, request: web.Request) -> web.Response:
        try:
            transfer = await own(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return problem(404)
        return web.json_response(shown(transfer) | {"report": msgspec.to_builtins(await self._journal.report(transfer.id))})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """The rebuilt file, its digest checked as it is opened; always as an attachment, never shown in the browser."""
        try:
            transfer = await own(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return problem(404)
        if transfer.result is None or transfer.verdict is None or not transfer.verdict.delivers:
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
            await response.prepare(request)
            offset = 0
            while chunk := await asyncio.to_thread(os.pread, fd, _CHUNK, offset):
                await response.write(chunk)
                offset += len(chunk)
        await self._journal.record(
            at=self._clock(), actor=account_of(request).login, action="file.collected", subject=transfer.receipt_no, detail={}
        )
        await response.write_eof()
        return response
