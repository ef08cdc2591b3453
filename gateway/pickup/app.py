"""The face of the pickup: list, report and download of delivered files. No route of it can reach an original."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.model import Door, Transfer
from gateway.people.accounts import Accounts
from gateway.pickup.zip_stream import Stored, stream
from gateway.receipts import ReceiptError, verify
from gateway.requests.unlocking import Unlocking
from gateway.road.boxes import Boxes
from gateway.storage.blobs import Blobs, opened
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.telemetry import log
from gateway.web import entrance, words
from gateway.web.desks import Desk
from gateway.web.events import Events
from gateway.web.face import Readiness, face
from gateway.web.handing import attachment, handed
from gateway.web.ownership import boxes, delivered, meant_for, not_yours, shown, strangers
from gateway.web.problem import problem
from gateway.web.routes import Route, install
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.transfer_page import TransferPage

_log = log.get(__name__)

_QUERY: Final = {"box": "one of one's boxes; all of them if left out", "q": "words of its name, sender or receipt number"}
_RECENT: Final = 50
_MOST_AT_ONCE: Final = 200
_UNPROVEN: Final = "無害化証明を確認できません。システム担当へ連絡してください / its receipt does not verify: tell the system staff"
_DAY_SECONDS: Final = 86_400.0


class Pickup:
    """Handlers; `application` is what a listener serves. `days`: how long a delivered file may be fetched; `public_key` (PEM, or several
    by their ids): without a receipt that verifies with it nothing is handed out; `boxes`: how full they are."""

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
        days: int,
        public_key: bytes | Mapping[str, Ed25519PublicKey],
        boxes: Boxes | None = None,
        desks: Sequence[Desk] = (),
        jail: bool,
    ) -> None:
        self._clock = clock
        self._days = days
        self._public_key = public_key
        self._quotas = boxes
        self._blobs = blobs
        self._journal = journal
        self._signin = SignIn(accounts, "pickup", "受取 / Pickup", jail=jail)
        self._one = TransferPage(journal, unlocking, events, self._signin, clock=clock, downloads=True)
        self.application = face(readiness)
        entrance.install(self.application, self._signin)
        self.application.middlewares.append(strangers)
        self._one.install(self.application)
        self.application.router.add_get("/", self._page)
        self.application.router.add_post("/zip", self._zip)
        install(self.application, "pickup", [*self._routes(), *(route for desk in desks for route in desk.routes)])
        for desk in desks:
            desk.install(self.application, self._signin)

    def _routes(self) -> tuple[Route, ...]:
        rows = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        one = "/api/v1/transfers/{receipt_no}"
        return (
            Route("GET", "/api/v1/boxes", self._boxes, "one's boxes", content=rows),
            Route("GET", "/api/v1/transfers", self._list, "what lies in one's boxes, the youngest first", content=rows, query=_QUERY),
            *self._one.routes(),
            Route("GET", f"{one}/file", self._download, "the delivered file", content=content,
                  faults={409: "not delivered, or its receipt does not verify", 410: "its time is over"}),
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------------- lists

    async def _page(self, request: web.Request) -> web.Response:
        own, box = await boxes(self._journal, account_of(request)), request.query.get("box", "")
        rows = []
        for transfer in await self._found(request, own):
            row = words.row(transfer, await self._journal.report(transfer.id))
            row["ready"] = row["ready"] and await self._proven(transfer)
            rows.append(row | {"over": self._over(transfer), "until": words.when(self._until(transfer)), "size": _size(transfer)})
        fills = [] if self._quotas is None else await self._quotas.of(account_of(request))
        return self._signin.page(
            request, "pickup.html", rows=rows, boxes=own, box=box, q=request.query.get("q", ""), days=self._days, fills=fills
        )

    async def _boxes(self, request: web.Request) -> web.Response:
        own = await boxes(self._journal, account_of(request))
        return web.json_response([{"box": address, "title": title} for address, title in own.items()])

    async def _list(self, request: web.Request) -> web.Response:
        found = await self._found(request, await boxes(self._journal, account_of(request)))
        return web.json_response([shown(transfer) for transfer in found])

    async def _found(self, request: web.Request, own: dict[str, str]) -> list[Transfer]:
        """Of one box, or of all. What others brought is listed once it may be fetched; another's box is as unknown as none."""
        box, account = request.query.get("box", ""), account_of(request)
        if box and box not in own:
            raise web.HTTPForbidden
        places = (box,) if box else tuple(own)
        found = await self._journal.transfers(
            Filter(door=Door.DROP, recipients=places, text=request.query.get("q") or None, limit=_RECENT)
        )
        return [one for one in found if one.sender == account.login or (delivered(one) and await self._proven(one))]

    # -------------------------------------------------------------------------------------------------------- handing out

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """The rebuilt file, its digest checked as it is opened; always as an attachment, never shown in the browser."""
        try:
            transfer = await meant_for(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return not_yours()
        if not delivered(transfer) or transfer.result is None:
            return problem(409, receipt_no=transfer.receipt_no)
        if self._over(transfer):
            return problem(410, receipt_no=transfer.receipt_no)
        if not await self._proven(transfer):
            return problem(409, _UNPROVEN, receipt_no=transfer.receipt_no)
        async with opened(self._blobs, transfer.result.sha256, check=True) as fd:
            await self._journal.collected(transfer, at=self._clock(), actor=account_of(request).login)
            return await handed(request, fd, transfer.result.name, transfer.result.size)

    async def _zip(self, request: web.Request) -> web.StreamResponse:
        """The files that were ticked, in one archive. One that may not be fetched any more spoils the whole, before its first byte."""
        asked = list(dict.fromkeys(str(one) for one in (await posted(request)).getall("receipt_no", [])))
        if not 0 < len(asked) <= _MOST_AT_ONCE:
            return problem(400, f"1件から{_MOST_AT_ONCE}件まで選んでください / choose 1 to {_MOST_AT_ONCE} files")
        account = account_of(request)
        async with AsyncExitStack() as held:
            files = []
            for receipt_no in asked:
                try:
                    transfer = await meant_for(self._journal, account, receipt_no)
                except NoSuchTransferError:
                    return not_yours()
                if not delivered(transfer) or transfer.result is None or self._over(transfer) or not await self._proven(transfer):
                    return problem(409, receipt_no=receipt_no)
                fd = await held.enter_async_context(opened(self._blobs, transfer.result.sha256, check=True))
                files.append((transfer, Stored(transfer.result.name, transfer.result.size, fd)))
            for transfer, _ in files:
                await self._journal.collected(transfer, at=self._clock(), actor=account.login)
            response = attachment("files.zip")
            await response.prepare(request)
            async for piece in stream([file for _, file in files], _read):
                await response.write(piece)
            await response.write_eof()
        return response

    async def _proven(self, transfer: Transfer) -> bool:
        """Whether its receipt (無害化証明) verifies."""
        if transfer.result is None:
            return False
        try:
            verify(transfer.result.sha256, await self._journal.receipt(transfer.id) or "", self._public_key)
        except ReceiptError as error:
            _log.error("a file without a valid receipt is not handed out", receipt_no=transfer.receipt_no, error=str(error))
            return False
        return True

    def _until(self, transfer: Transfer) -> float:
        return transfer.changed_at + self._days * _DAY_SECONDS

    def _over(self, transfer: Transfer) -> bool:
        return self._clock() > self._until(transfer)


async def _read(fd: int, size: int, offset: int) -> bytes:
    return await asyncio.to_thread(os.pread, fd, size, offset)


def _size(transfer: Transfer) -> str:
    size = transfer.result.size if transfer.result is not None else transfer.size
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{size / 1_000:,.1f} KB"
