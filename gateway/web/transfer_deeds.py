"""What staff do about one of their own transfers: ask for an approval, its macros or its original; report an incident (ST-U5 to ST-U9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeGuard

from aiohttp import web

from gateway.model import SlipApproval, Transfer
from gateway.people.accounts import Account
from gateway.requests.approvals import RULES, Approvals, Kind, RefusedError, Request, RequestState
from gateway.requests.asking import ORIGINAL_DAYS, Asking, Wish
from gateway.requests.bringing import Bringing
from gateway.storage import incidents
from gateway.storage.journal import Journal
from gateway.web import view
from gateway.web.certificate import Finder
from gateway.web.given import sent
from gateway.web.handing import handed
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import account_of, posted

_ONE: Final = "/api/v1/transfers/{receipt_no}"
_LONGEST: Final = 2_000
_ASKABLE: Final = (Kind.FILE, Kind.MACRO, Kind.CONFIRMED, Kind.ORIGINAL)
_TEXT: Final = {"type": "string", "maxLength": _LONGEST}
_LOGIN: Final = {"type": "string", "maxLength": 64}
_REQUEST: Final = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["kind", "reason"],
            "properties": {"kind": {"enum": [kind.value for kind in _ASKABLE]}, "reason": _TEXT, "approver": _LOGIN},
        }
    }
}
_INCIDENT: Final = {"application/json": {"schema": {"type": "object", "required": ["text"], "properties": {"text": _TEXT}}}}
_OCTETS: Final = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_SAY: Final = f"何が起きたかを入力してください（{_LONGEST}文字まで） / say what happened, in at most {_LONGEST} characters"
_WHY: Final = {
    Kind.FILE: "無害化は済んでいます。承認されると受け取れます。 / It is sanitised, and can be fetched once approved.",
    Kind.MACRO: "マクロがないと使えない場合に申請します。所属長と情報システム管理者が承認すると、マクロ付きのまま取り込みます。"
    " / Where it is of no use without its macros: your head and an administrator decide.",
    Kind.CONFIRMED: "無害化できない形式です。構造を確認した原本のまま、承認を得て取り込みます。"
    " / Its kind cannot be rebuilt; the original, its structure checked, comes in when approved.",
    Kind.ORIGINAL: "署名の検証や電子納品などで原本が必要な場合に申請します。"
    f"承認後{ORIGINAL_DAYS}日間、この画面（インターネット側）で取り出せます。"
    f" / Where the original itself is needed: for {ORIGINAL_DAYS} days after the approval, on this side only.",
}


class Incidents:
    """インシデントを報告: on every face for staff."""

    def __init__(self, journal: Journal, seen: Finder, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._seen = seen
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        faults = {400: "nothing is said", 404: "not found"}
        return (Route("POST", f"{_ONE}/incident", self._api, "report an incident about it", 201, body=_INCIDENT, faults=faults),)

    def install(self, application: web.Application) -> None:
        application.router.add_post("/transfers/{receipt_no}/incident", self._from_page)

    async def _api(self, request: web.Request) -> web.Response:
        given = await _json(request)
        transfer = await self._seen(request)
        if transfer is None:
            return problem(404)
        number = None if given is None else await self._report(transfer, account_of(request), given.get("text"))
        return problem(400, _SAY) if number is None else web.json_response({"incident": number}, status=201)

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        transfer = await self._seen(request)
        if transfer is None:
            return problem(404)
        number = await self._report(transfer, account_of(request), given.get("text"))
        if number is None:
            raise web.HTTPSeeOther(f"/transfers/{transfer.receipt_no}#incident")
        raise web.HTTPSeeOther(f"/transfers/{transfer.receipt_no}?incident={number}")

    async def _report(self, transfer: Transfer, account: Account, text: object) -> str | None:
        """The number of the incident; None where nothing is said."""
        if not _writable(text) or not text.strip() or len(text) > _LONGEST:
            return None
        at = self._clock()
        opened = await self._journal.write(
            lambda connection: incidents.open_incident(
                connection, transfer=transfer, kind=incidents.Kind.SUSPICIOUS, text=text.strip(), who=account.login, moment=at
            )
        )
        return opened.number


class Wishes:
    """Requests about a transfer of one's own, and the original that one was let to; on the Internet side."""

    def __init__(self, approvals: Approvals, asking: Asking, bringing: Bringing, own: Finder) -> None:
        self._approvals = approvals
        self._asking = asking
        self._bringing = bringing
        self._own = own

    def routes(self) -> tuple[Route, ...]:
        faults = {400: "not understood", 404: "not found", 409: "cannot be asked for now"}
        return (
            Route("POST", f"{_ONE}/requests", self._api, "ask for an approval, its macros or its original", 202, body=_REQUEST,
                  faults=faults),
            Route("GET", f"{_ONE}/original", self._original, "the original, after an approved request", content=_OCTETS,
                  faults={404: "not found, or nobody approved it"}),
        )  # fmt: skip

    def install(self, application: web.Application) -> None:
        application.router.add_post("/transfers/{receipt_no}/requests", self._from_page)

    async def shown(self, account: Account, transfer: Transfer) -> dict[str, Any]:
        """What the page of a transfer says of it."""
        wishes = await self._all(transfer)
        until = await self._asking.original_until(account, transfer)
        return {
            "wishes": [
                {"kind": one.kind.value, "ja": RULES[one.kind].ja, "en": RULES[one.kind].en, "why": _WHY[one.kind],
                 "asked": one.asked.number if one.asked is not None else "",
                 "approvers": [] if one.asked is not None else await self._approvers(one.kind, account)}
                for one in wishes
            ],
            "original_until": None if until is None else view.when(until),
        }  # fmt: skip

    async def _approvers(self, kind: Kind, account: Account) -> list[tuple[str, str]]:
        """Log-in name and words; the nearest first."""
        found = []
        for seat in await self._approvals.candidates(kind, account):
            name = seat.account.name or seat.account.login
            behalf = seat.principal.name or seat.principal.login if seat.principal is not None else ""
            found.append((seat.account.login, f"{name}（{behalf}の代決） / {name} (for {behalf})" if behalf else name))
        return found

    async def _all(self, transfer: Transfer) -> list[Wish]:
        wishes = await self._asking.wishes(transfer)
        slip = await self._bringing.of(transfer)
        if slip is None or slip.approval is not SlipApproval.NEEDED:
            return wishes
        asked = await self._approvals.listed(subject=transfer.receipt_no, kinds=[Kind.FILE], states=[RequestState.REQUESTED])
        return [Wish(Kind.FILE, next(iter(asked), None)), *wishes]

    # ------------------------------------------------------------------------------------------------------- handlers

    async def _api(self, request: web.Request) -> web.Response:
        made = await self._asked(request, await _json(request))
        if isinstance(made, web.Response):
            return made
        return web.json_response({"request": made.number, "state": made.state}, status=202)

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        made = await self._asked(request, await posted(request))
        if isinstance(made, web.Response):
            return made
        raise web.HTTPSeeOther(f"/requests/{made.number}")

    async def _asked(self, request: web.Request, given: Mapping[str, object] | None) -> Request | web.Response:
        """The request that was made, or the answer that says why there is none."""
        transfer = await self._own(request)
        if transfer is None:
            return problem(404)
        try:
            return await self._ask(account_of(request), transfer, given or {})
        except ValueError:
            return problem(400)
        except RefusedError as refusal:
            return problem(409, str(refusal), receipt_no=transfer.receipt_no)

    async def _ask(self, account: Account, transfer: Transfer, given: Mapping[str, object]) -> Request:
        """Raises ValueError, RefusedError."""
        kind, reason, approver = given.get("kind"), given.get("reason"), given.get("approver", "")
        if not _writable(kind) or kind not in _ASKABLE or not _writable(reason) or not _writable(approver):
            raise ValueError("not a request")
        if kind == Kind.FILE:
            made = await self._bringing.ask(account, transfer.receipt_no, reason=reason, approver=approver)
            if made is None:
                raise RefusedError("承認を待っていません。 / it waits for no approval")
            return made
        return await self._asking.ask(Kind(str(kind)), account, transfer, reason, approver)

    async def _original(self, request: web.Request) -> web.StreamResponse:
        """As it came, as an attachment that no browser opens by itself; another's is as unknown as none."""
        transfer = await self._own(request)
        if transfer is None:
            return problem(404)
        try:
            held = await self._asking.original(account_of(request), transfer)
        except RefusedError:
            return problem(404)
        async with held as fd:
            return await handed(request, fd, transfer.name, transfer.size)


def _writable(text: object) -> TypeGuard[str]:
    """Text that every database takes: no half of a letter, which JSON can write, and no NUL."""
    return isinstance(text, str) and "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


async def _json(request: web.Request) -> dict[str, Any] | None:
    try:
        return await sent(request)
    except ValueError:
        return None
