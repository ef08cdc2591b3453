"""委託事業者の作業 at the desk: who comes when and why; ask for a visit, end one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.people.accounts import Account, Accounts
from gateway.people.permissions import permitted
from gateway.people.roles import RefusedError, Role
from gateway.requests.approvals import Request
from gateway.requests.visits import Visit, Visits
from gateway.web.given import moment, sent
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.words import when

_ALL: Final = "/api/v1/visits"
_TEXT: Final = {"type": "string"}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_ASKED: Final = {
    "application/json": {
        "schema": {"type": "object", "required": ["login", "from", "until", "purpose"],
                   "properties": {"login": _TEXT, "from": _TEXT, "until": _TEXT, "purpose": _TEXT}}
    }
}  # fmt: skip
_REASON: Final = {"application/json": {"schema": {"type": "object", "required": ["reason"], "properties": {"reason": _TEXT}}}}


class VisitsDesk:
    """Handlers; see gateway.web.desks.Desk. `clock`: seconds since 1970."""

    def __init__(self, visits: Visits, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._visits = visits
        self._accounts = accounts
        self._clock = clock
        self._signin: SignIn
        faults = {400: "not understood", 422: "refused, with the reason"}
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "visits of vendors, the youngest first", content=_ROWS),
            Route("POST", _ALL, self._ask, "ask for one (moments as RFC 3339, or local: 2026-12-01T09:00)", 202, body=_ASKED,
                  faults=faults),
            Route("POST", _ALL + "/{number}/end", self._end, "end one before its time", body=_REASON,
                  faults=faults | {404: "not found, or over"}),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/visits", "委託事業者の作業", "Vendor visits")
        application.router.add_get("/visits", self._page)
        application.router.add_post("/visits", self._from_page)
        application.router.add_post("/visits/{number}/end", self._end_from_page)

    async def _list(self, request: web.Request) -> web.Response:
        now = self._clock()
        return web.json_response([msgspec.to_builtins(one) | {"lasts": one.lasts(now)} for one in await self._seen(request)])

    async def _ask(self, request: web.Request) -> web.Response:
        try:
            given = await sent(request)
            fields = {name: given[name] for name in ("login", "from", "until", "purpose")}
            if not all(isinstance(value, str) for value in fields.values()):
                raise TypeError
            made = await self._asked(fields, account_of(request))
        except (KeyError, ValueError, TypeError):
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response({"request": made.number, "state": made.state}, status=202)

    async def _end(self, request: web.Request) -> web.Response:
        try:
            reason = (await sent(request))["reason"]
            if not isinstance(reason, str):
                raise TypeError
            ended = await self._visits.end(_number(request), account_of(request), reason)
        except (KeyError, ValueError, TypeError):
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response({"ended": True}) if ended else problem(404)

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "", done: str = "") -> web.Response:
        vendors = [one for one in await self._accounts.listed() if one.role == Role.CONTRACTOR and not one.disabled]
        asks = permitted("admin", "POST", "/visits", Role(account_of(request).role))
        return self._signin.page(
            request, "visits.html", status, error=error, done=done, asks=asks, vendors=[(one.login, one.name) for one in vendors],
            rows=[self._row(one) for one in await self._seen(request)], shut=self._accounts.customs.visits,
        )  # fmt: skip

    async def _from_page(self, request: web.Request) -> web.Response:
        given = {name: str(value) for name, value in (await posted(request)).items()}
        try:
            made = await self._asked(given, account_of(request))
        except (KeyError, ValueError):
            return await self._shown(request, 400, "日時を確かめてください。 / look at the dates")
        except RefusedError as refusal:
            return await self._shown(request, 422, str(refusal))
        return await self._shown(request, 202, done=f"申請しました：{made.number} / asked for: {made.number}")

    async def _end_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            ended = await self._visits.end(_number(request), account_of(request), str((await posted(request)).get("reason", "")))
        except RefusedError as refusal:
            return await self._shown(request, 422, str(refusal))
        if not ended:
            return await self._shown(request, 404, "終わった作業です。 / it is over")
        raise web.HTTPSeeOther("/visits")

    # ----------------------------------------------------------------------------------------------------------- steps

    async def _seen(self, request: web.Request) -> list[Visit]:
        """A vendor sees his own."""
        account = account_of(request)
        own = Role(account.role) is Role.CONTRACTOR
        return [one for one in await self._visits.listed() if not own or one.login == account.login]

    async def _asked(self, given: dict[str, str], account: Account) -> Request:
        """Raises RefusedError, KeyError, ValueError."""
        vendor = await self._accounts.find(given["login"])
        if vendor is None:
            raise RefusedError("委託事業者のアカウントではありません。 / not a vendor's account")
        return await self._visits.request(
            account, vendor, from_at=moment(given["from"]), until_at=moment(given["until"]), purpose=given["purpose"]
        )

    def _row(self, one: Visit) -> dict[str, Any]:
        now = self._clock()
        state = ("作業中 / open now", "ok") if one.lasts(now) else ("予定 / to come", "wait") if one.to_come(now) else ("終了 / over", "")
        until = one.until_at if one.ended_at is None else one.ended_at
        return {"id": one.id, "login": one.login, "name": one.name, "from": when(one.from_at), "until": when(until), "purpose": one.purpose,
                "request": one.request, "requester": one.requester, "approver": one.approver, "said": state[0], "tone": state[1],
                "live": one.lasts(now) or one.to_come(now), "ended_by": one.ended_by}  # fmt: skip


def _number(request: web.Request) -> int:
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise web.HTTPNotFound
    return int(text)
