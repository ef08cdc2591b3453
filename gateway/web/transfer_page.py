"""One transfer of one's own: what became of it and of each part, and the password that a locked one waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.model import Door, Transfer
from gateway.requests.unlocking import BusyError, Tried, Unlocking
from gateway.road.pipeline import LONGEST, MOST_TRIES
from gateway.storage import slips
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.settling import NotAllowedError
from gateway.web import words
from gateway.web.certificate import CertificatePages, Finder
from gateway.web.events import Events
from gateway.web.given import sent
from gateway.web.ownership import meant_for, own, shown
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.transfer_deeds import Incidents, Wishes

_ONE: Final = "/api/v1/transfers/{receipt_no}"
_EVENTS: Final = {"text/event-stream": {"schema": {"type": "string"}}}
_PASSWORD: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST}
_BODY: Final = {"application/json": {"schema": {"type": "object", "required": ["password"], "properties": {"password": _PASSWORD}}}}
_WRONG: Final = "パスワードが違います。あと{left}回試せます / wrong password; {left} more tries"
_CLOSED: Final = (
    f"{MOST_TRIES}回間違えたため、これ以上は試せません。システム担当へお問い合わせください"
    " / too many wrong passwords: please ask the system staff"
)
_BUSY: Final = "処理中です。しばらくしてからもう一度お試しください / it is being worked on, please try again later"
_NO_WISHES: Final[Mapping[str, Any]] = {"wishes": [], "original_until": None}
_NONE_LOCKED: Final = "パスワードを待っているものはありません / nothing waits for a password"
_NOT_ONE: Final = "パスワードを入力してください（512文字まで） / enter a password of at most 512 characters"
_PART: Final = "一部を開きました。残りのパスワードを入力してください / part of it was opened; the rest needs another password"


class TransferPage:
    """Handlers that a face for staff installs. `downloads`: whether this face hands files out, and so shows those of one's boxes too;
    `wishes`: what one may ask for about one's own, where that is possible; `clock`: seconds since 1970."""

    def __init__(
        self,
        journal: Journal,
        unlocking: Unlocking,
        events: Events,
        signin: SignIn,
        *,
        clock: Callable[[], float],
        downloads: bool,
        wishes: Callable[[Finder], Wishes] | None = None,
    ) -> None:
        self._journal = journal
        self._unlocking = unlocking
        self._events = events
        self._signin = signin
        self._downloads = downloads
        self._certificates = CertificatePages(journal, signin, self._seen)
        self._incidents = Incidents(journal, self._seen, clock)
        self._wishes = None if wishes is None else wishes(self._own)

    def routes(self) -> tuple[Route, ...]:
        faults = {400: "not a password", 404: "not found", 409: "nothing waits for a password, or it is at work", 422: "wrong password",
                  429: "too many wrong passwords"}  # fmt: skip
        return (
            Route("GET", _ONE, self._show, "state and report of one's own transfer", faults={404: "not found"}),
            Route("GET", f"{_ONE}/events", self._watch, "what happens to it, as it happens (server-sent events)", content=_EVENTS,
                  faults={404: "not found", 503: "too many watch"}),
            Route("POST", f"{_ONE}/password", self._try, "a password for what is locked in it", body=_BODY, faults=faults),
            *self._certificates.routes(),
            *self._incidents.routes(),
            *(() if self._wishes is None else self._wishes.routes()),
        )  # fmt: skip

    def install(self, application: web.Application) -> None:
        self._events.install(application)
        self._certificates.install(application)
        self._incidents.install(application)
        if self._wishes is not None:
            self._wishes.install(application)
        application.router.add_get("/transfers/{receipt_no}", self._page)
        application.router.add_post("/transfers/{receipt_no}/password", self._from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _show(self, request: web.Request) -> web.Response:
        transfer = await self._seen(request)
        if transfer is None:
            return problem(404)
        report = msgspec.to_builtins(await self._journal.report(transfer.id))
        return web.json_response(shown(transfer) | {"report": report, "locked": list(await self._unlocking.waiting(transfer))})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        transfer = await self._seen(request)
        return problem(404) if transfer is None else await self._events.stream(request, transfer.id)

    async def _try(self, request: web.Request) -> web.Response:
        transfer = await self._own(request)
        if transfer is None:
            return problem(404)
        try:
            password = (await sent(request))["password"]
        except (ValueError, KeyError, TypeError):
            return problem(400, _NOT_ONE)
        status, said, tried = await self._attempt(request, transfer, password)
        if tried is None:
            return problem(status, said, receipt_no=transfer.receipt_no)
        if not tried.opened:
            return problem(422, said, receipt_no=transfer.receipt_no, tries_left=tried.left)
        now = await self._journal.transfer(transfer.id)
        return web.json_response(shown(now) | {"locked": list(tried.locked), "tries_left": tried.left})

    # ------------------------------------------------------------------------------------------------------------ page

    async def _page(self, request: web.Request) -> web.StreamResponse:
        transfer = await self._seen(request)
        return problem(404) if transfer is None else await self._rendered(request, transfer)

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        transfer = await self._own(request)
        if transfer is None:
            return problem(404)
        given: Mapping[str, Any] = await posted(request)
        status, said, tried = await self._attempt(request, transfer, given.get("password", ""))
        if tried is not None and tried.opened and not tried.locked:
            raise web.HTTPSeeOther(f"/transfers/{transfer.receipt_no}")
        return await self._rendered(request, await self._journal.transfer(transfer.id), status, said)

    async def _rendered(self, request: web.Request, transfer: Transfer, status: int = 200, error: str = "") -> web.Response:
        report, account = await self._journal.report(transfer.id), account_of(request)
        slip = await self._journal.ask(lambda connection: slips.of(connection, transfer.id))
        mine = self._wishes is not None and transfer.sender == account.login and transfer.door is not Door.SMTP
        wished = await self._wishes.shown(account, transfer) if self._wishes is not None and mine else _NO_WISHES
        return self._signin.page(
            request,
            "transfer.html",
            status,
            error=error,
            row=words.row(transfer, report),
            slip=slip,
            steps=words.STEPS,
            certified=bool(await self._journal.receipt(transfer.id)),
            incident=request.query.get("incident", "")[:40],
            **wished,
            parts=words.parts(report) if report is not None else [],
            locked=await self._unlocking.waiting(transfer),
            downloads=self._downloads,
        )

    # ----------------------------------------------------------------------------------------------------------- steps

    async def _seen(self, request: web.Request) -> Transfer | None:
        """What may be looked at: one's own, and where files are fetched what lies in one's boxes."""
        try:
            find = meant_for if self._downloads else own
            return await find(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return None

    async def _own(self, request: web.Request) -> Transfer | None:
        try:
            return await own(self._journal, account_of(request), request.match_info["receipt_no"])
        except NoSuchTransferError:
            return None

    async def _attempt(self, request: web.Request, transfer: Transfer, password: object) -> tuple[int, str, Tried | None]:
        """Status and words for people; no Tried when nothing was tried."""
        if not isinstance(password, str):
            return 400, _NOT_ONE, None
        try:
            tried = await self._unlocking.attempt(transfer, password, actor=account_of(request).login)
        except ValueError:
            return 400, _NOT_ONE, None
        except BusyError:
            return 409, _BUSY, None
        except NotAllowedError:
            return (429, _CLOSED, None) if await self._unlocking.waiting(transfer) else (409, _NONE_LOCKED, None)
        if not tried.opened:
            return 422, _WRONG.format(left=tried.left) if tried.left else _CLOSED, tried
        return 200, _PART if tried.locked else "", tried
