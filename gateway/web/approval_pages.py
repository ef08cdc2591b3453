"""申請と承認: what waits for my word, what I asked for, and one request with its words. The same on every face that shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiohttp import web

from gateway.people.accounts import Account, Role
from gateway.people.roles import TITLES
from gateway.requests.approvals import RULES, Approvals, Kind, NoSuchRequestError, RefusedError, Request, RequestState, Seat
from gateway.web.given import sent
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.words import when

STATES: Final = {
    RequestState.REQUESTED: ("承認待ち", "waiting", "wait"),
    RequestState.APPROVED: ("承認済み", "approved", "ok"),
    RequestState.REFUSED: ("差戻し", "refused", "stop"),
    RequestState.WITHDRAWN: ("取下げ", "withdrawn", "stop"),
    RequestState.EXPIRED: ("期限切れ", "ran out", "stop"),
    RequestState.CLOSED: ("自動終了", "closed by itself", "stop"),
}
_WORDS: Final = {"approved": "承認 / approved", "refused": "差戻し / refused", "approved_alone": "止むを得ない自己承認 / approved alone"}
_DETAILS: Final = {
    "kind": "形式 / kind",
    "action": "取扱い / treated as",
    "from": "開始 / from",
    "until": "終了 / until",
    "login": "委託事業者 / vendor",
    "risk": "想定されるリスク / risk",
    "alternative": "代替策 / instead",
    "sha256": "SHA-256",
    "sender": "差出人 / sender",
    "account": "利用者 / user",
    "number": "申請番号 / request",
    "about": "対象 / about",
    "delegate": "代決者 / delegate",
    "role": "権限 / role",
    "receipt_nos": "受付番号 / receipts",
    "due": "確認の期限 / to be looked at by",
}
_MOMENTS: Final = frozenset({"from", "until", "due"})
_INNER: Final = frozenset({"account_id", "absence"})
_OPEN_FIRST: Final = "先に「安全なプレビューを開く」から原本を確認してください。 / open the safe preview of the original first"
_ALL: Final = "/api/v1/requests"
_ONE: Final = "/api/v1/requests/{number}"
_DEEDS: Final = ("approve", "refuse", "withdraw", "proceed")
# Requests about one transfer, whose receipt number is their subject.
ABOUT_A_FILE: Final = frozenset((Kind.FILE, Kind.CONFIRMED, Kind.ORIGINAL, Kind.MACRO))
# Receipt number → login and moment of each who looked.
Looks = Callable[[str], Awaitable[list[tuple[str, str]]]]
# Who may read every request, to answer for it or to examine it.
_OVERSEERS: Final = frozenset({Role.AUDITOR, Role.CISO, Role.ADMINISTRATOR})
_BODY: Final = {
    "application/json": {
        "schema": {"type": "object", "properties": {"note": {"type": "string", "maxLength": 2_000}, "inspected": {"type": "boolean"}}}
    }
}


class ApprovalPages:
    """Handlers; a desk of the administration, and the same beside the drop. `overseen`: whether all requests are shown to overseers;
    `looks`: who looked at the safe preview of a transfer's original, and when (目視確認)."""

    def __init__(self, approvals: Approvals, *, overseen: bool = False, looks: Looks | None = None) -> None:
        self._approvals = approvals
        self._overseen = overseen
        self._looks = looks
        self._signin: SignIn | None = None
        rows = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
        faults = {400: "not a word, or a reason is missing", 404: "not found", 409: "not yours to decide, or decided before"}
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "requests", content=rows, query={"of": "waiting (for me), mine, or all"}, faults={400: "bad"}),
            Route("GET", _ONE, self._show, "one request", faults={404: "not found"}),
            *(Route("POST", f"{_ONE}/{deed}", self._word, f"{deed} it", body=_BODY, faults=faults) for deed in _DEEDS),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/requests", "申請・承認", "Requests")
        application.router.add_get("/requests", self._page)
        application.router.add_get("/requests/{number}", self._one)
        application.router.add_post("/requests/{number}/{word}", self._from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _list(self, request: web.Request) -> web.Response:
        account, wanted = account_of(request), request.query.get("of", "waiting")
        if wanted == "waiting":
            found = await self._approvals.waiting_for(account)
        elif wanted == "mine":
            found = await self._approvals.listed(requester=account)
        elif wanted == "all" and self._oversees(account):
            found = await self._approvals.listed()
        else:
            return problem(400)
        return web.json_response([_listed(one) for one in found])

    async def _show(self, request: web.Request) -> web.Response:
        found = await self._visible(request)
        return problem(404) if found is None else web.json_response(_listed(found[0]) | {"asked": [_seat(one) for one in found[1]]})

    async def _word(self, request: web.Request) -> web.Response:
        found = await self._visible(request)
        if found is None:
            return problem(404)
        try:
            given = await sent(request)
            note, inspected = given.get("note", ""), given.get("inspected", False)
        except ValueError:
            return problem(400)
        if not isinstance(note, str) or not isinstance(inspected, bool):
            return problem(400)
        try:
            done = await self._deed(request.path.rpartition("/")[2], found[0], account_of(request), note, inspected=inspected)
        except RefusedError as refusal:
            return problem(409, str(refusal), number=found[0].number)
        return web.json_response(_listed(done))

    # ------------------------------------------------------------------------------------------------------------ pages

    async def _page(self, request: web.Request) -> web.Response:
        account = account_of(request)
        waiting, mine = await self._approvals.waiting_for(account), await self._approvals.listed(requester=account)
        every = await self._approvals.listed() if self._oversees(account) else None
        return self._face.page(
            request,
            "requests.html",
            waiting=[row(one) for one in waiting],
            mine=[row(one) for one in mine],
            every=None if every is None else [row(one) for one in every],
        )

    async def _one(self, request: web.Request) -> web.Response:
        found = await self._visible(request)
        return problem(404) if found is None else await self._shown(request, *found)

    async def _shown(self, request: web.Request, one: Request, asked: Sequence[Seat], status: int = 200, error: str = "") -> web.Response:
        account, rule = account_of(request), RULES[Kind(one.kind)]
        decides = any(seat.account.id == account.id for seat in asked)
        return self._face.page(
            request,
            "request.html",
            status,
            error=error,
            row=row(one),
            detail=_told(one.detail),
            asked=[_seat(seat) for seat in asked],
            decisions=[
                {"who": each.name or each.login, "for": each.principal, "said": _WORDS[each.decision], "note": each.note,
                 "at": when(each.at), "inspected": each.inspected}
                for each in one.decisions
            ],
            decides=decides,
            previews=self._looks is not None and Kind(one.kind) in ABOUT_A_FILE,
            looked=await self._looks(one.subject) if self._looks is not None and Kind(one.kind) in ABOUT_A_FILE else [],
            inspects=rule.inspected,
            about=Kind(one.kind) in ABOUT_A_FILE and (self._overseen or one.requester.id == account.id),
            owns=one.requester.id == account.id and one.state is RequestState.REQUESTED,
            alone=await self._approvals.may_stand_alone(one, account),
        )  # fmt: skip

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        found, word = await self._visible(request), request.match_info["word"]
        if found is None or word not in _DEEDS:
            return problem(404)
        given = await posted(request)
        try:
            await self._deed(word, found[0], account_of(request), str(given.get("note", "")), inspected=given.get("inspected") == "yes")
        except RefusedError as refusal:
            return await self._shown(request, *found, 409, str(refusal))
        raise web.HTTPSeeOther(f"/requests/{found[0].number}")

    # ------------------------------------------------------------------------------------------------------------ steps

    @property
    def _face(self) -> SignIn:
        assert self._signin is not None
        return self._signin

    def _oversees(self, account: Account) -> bool:
        return self._overseen and Role(account.role) in _OVERSEERS

    async def _visible(self, request: web.Request) -> tuple[Request, list[Seat]] | None:
        """The request and who is asked, if it concerns this account; another's is as unknown as none."""
        account = account_of(request)
        try:
            one = await self._approvals.find(request.match_info["number"])
        except NoSuchRequestError:
            return None
        asked = await self._approvals.asked(one) if one.state is RequestState.REQUESTED else []
        concerned = {one.requester.login, *(seat.account.login for seat in asked), *(decision.login for decision in one.decisions)}
        return (one, asked) if account.login in concerned or self._oversees(account) else None

    async def _check_look(self, one: Request, account: Account, *, inspected: bool) -> None:
        """Nobody says that he looked at it who has not opened its preview. Raises RefusedError."""
        if self._looks is None or not inspected or not RULES[Kind(one.kind)].inspected:
            return
        if account.login not in dict(await self._looks(one.subject)):
            raise RefusedError(_OPEN_FIRST)

    async def _deed(self, word: str, one: Request, account: Account, note: str, *, inspected: bool) -> Request:
        if word == "approve":
            await self._check_look(one, account, inspected=inspected)
            return await self._approvals.approve(one.number, account, note, inspected=inspected)
        if word == "refuse":
            return await self._approvals.refuse(one.number, account, note)
        if word == "withdraw":
            return await self._approvals.withdraw(one.number, account)
        return await self._approvals.proceed(one.number, account, note)


def row(one: Request) -> dict[str, Any]:
    """One line of a list."""
    ja, en, tone = STATES[one.state]
    rule = RULES[Kind(one.kind)]
    return {"number": one.number, "kind": f"{rule.ja} / {rule.en}", "subject": one.subject, "said": f"{ja} / {en}", "tone": tone,
            "who": one.requester.name or one.requester.login, "department": one.department, "reason": one.reason,
            "at": when(one.requested_at), "until": when(one.expires_at), "unavoidable": one.unavoidable}  # fmt: skip


def _told(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What was asked for, by the name and in the words that people read; what only the program needs is left out."""
    flat = {**{name: value for name, value in detail.items() if name != "bound"}, **detail.get("bound", {})}
    told = {name: _as_told(name, value) for name, value in flat.items() if value not in ("", None) and name not in _INNER}
    return [(_DETAILS.get(name, name), value) for name, value in told.items()]


def _as_told(name: str, value: Any) -> str:
    if name == "role":
        return str(TITLES[Role(value)])
    if isinstance(value, list):
        return "、".join(map(str, value))
    return when(value) if name in _MOMENTS else str(value)


def _listed(one: Request) -> dict[str, Any]:
    decisions = [
        {"step": each.step, "login": each.login, "for": each.principal, "decision": each.decision, "inspected": each.inspected,
         "note": each.note, "at": each.at}
        for each in one.decisions
    ]  # fmt: skip
    return {"number": one.number, "kind": one.kind, "subject": one.subject, "state": one.state, "requester": one.requester.login,
            "department": one.department, "reason": one.reason, "detail": one.detail, "step": one.step, "unavoidable": one.unavoidable,
            "requested_at": one.requested_at, "expires_at": one.expires_at, "decisions": decisions}  # fmt: skip


def _seat(seat: Seat) -> dict[str, str]:
    return {"login": seat.account.login, "name": seat.account.name, "for": seat.principal.login if seat.principal else ""}
