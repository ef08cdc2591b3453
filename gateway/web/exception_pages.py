"""例外措置: those that count, asking for one, taking one back. Granting stands with the other requests (`approval_pages`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.model import rfc3339
from gateway.people.accounts import Account, Role
from gateway.policy import KindAction, feasible
from gateway.requests.approvals import RefusedError
from gateway.requests.exceptions import EMERGENCY_SECONDS, Exceptions, Grant, NoSuchExceptionError, Wanted
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.view import when
from sanitizers.model import Kind

_ALL: Final = "/api/v1/exceptions"
_ONE: Final = "/api/v1/exceptions/{number}"
# Who sees all of them; the others see what they asked for.
_OVERSEERS: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.CISO, Role.CSIRT, Role.AUDITOR})
_REVOKERS: Final = frozenset({Role.OPERATOR, Role.ADMINISTRATOR, Role.CISO, Role.CSIRT})
_ACTIONS: Final = {
    KindAction.CONFIRM: "原本のまま（構造確認） / the original, structure checked",
    KindAction.SANITIZE: "無害化して取込み / rebuilt",
    KindAction.TEXT: "文字のみ / text only",
    KindAction.PIXELS: "画像化 / as pictures",
    KindAction.HOLD: "保留 / held",
    KindAction.BLOCK: "遮断 / blocked",
}
_TICK: Final = "緊急例外であることを確認してください。 / say that it is an emergency"
_WRONG: Final = "入力に誤りがあります。 / something is missing or wrong"
_SOON_SECONDS: Final = 30 * 86_400.0
_TEXT: Final = {"type": "string"}
_WHAT: Final = {"kind": _TEXT, "action": {"enum": [*KindAction]}, "reason": _TEXT, "sha256": _TEXT, "sender": _TEXT, "account": _TEXT,
                "risk": _TEXT, "alternative": _TEXT}  # fmt: skip
_LAST_DAY: Final = {"until": {"type": "string", "format": "date"}}


def _body(properties: Mapping[str, object], *required: str) -> dict[str, dict[str, Any]]:
    return {"application/json": {"schema": {"type": "object", "required": [*required], "properties": properties}}}


_BODY: Final = _body(_WHAT | _LAST_DAY, "kind", "action", "until", "reason")
_NOW: Final = _body(_WHAT, "kind", "action", "reason")
_REASON: Final = _body({"reason": _TEXT}, "reason")


class Declared(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """緊急例外: what counts from now on, for a day."""

    kind: Kind
    action: KindAction
    reason: str
    sha256: str = ""
    sender: str = ""
    account: str = ""
    risk: str = ""
    alternative: str = ""

    def wanted(self, ends: float) -> Wanted:
        """`ends`: seconds since 1970."""
        return Wanted(
            kind=self.kind,
            action=self.action,
            until=ends,
            sha256=self.sha256,
            sender=self.sender,
            account=self.account,
            risk=self.risk,
            alternative=self.alternative,
        )


class Asked(Declared, forbid_unknown_fields=True, kw_only=True):
    """例外措置. `until`: the last day, as 2027-03-31."""

    until: dt.date

    @property
    def ends(self) -> float:
        """The end of that day, in the installation's own time."""
        try:
            return dt.datetime.combine(self.until + dt.timedelta(days=1), dt.time()).astimezone().timestamp()
        except (OverflowError, ValueError, OSError):
            return 0.0


class Why(msgspec.Struct, forbid_unknown_fields=True):
    reason: str


class ExceptionPages:
    """Handlers; a desk of the administration, and the same beside the drop. `clock`: seconds since 1970."""

    def __init__(self, exceptions: Exceptions, clock: Callable[[], float]) -> None:
        self._exceptions = exceptions
        self._clock = clock
        self._signin: SignIn | None = None
        rows = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
        faults = {400: "not understood", 422: "may not be asked for"}
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "exceptions", content=rows, query={"over": "1: those that are over too"}),
            Route("POST", _ALL, self._ask, "ask for one; another person grants it", 202, body=_BODY, faults=faults),
            Route("POST", f"{_ALL}/emergency", self._declare, "緊急例外: in force at once, for a day", 201, body=_NOW, faults=faults),
            Route("GET", _ONE, self._show, "one exception", faults={404: "not found"}),
            Route("POST", f"{_ONE}/revoke", self._revoke, "take it back", body=_REASON, faults={400: "bad", 404: "not found, or over"}),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/exceptions", "例外措置", "Exceptions")
        application.router.add_get("/exceptions", self._page)
        application.router.add_post("/exceptions", self._ask_from_page)
        application.router.add_post("/exceptions/emergency", self._declare_from_page)
        application.router.add_post("/exceptions/{number}/revoke", self._revoke_from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _list(self, request: web.Request) -> web.Response:
        found = await self._visible(account_of(request), over=request.query.get("over") == "1")
        return web.json_response([self._listed(one) for one in found])

    async def _show(self, request: web.Request) -> web.Response:
        found = await self._visible(account_of(request), over=True)
        one = next((one for one in found if one.number == request.match_info["number"]), None)
        return problem(404) if one is None else web.json_response(self._listed(one))

    async def _ask(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=Asked)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return problem(400)
        try:
            made = await self._exceptions.request(account_of(request), asked.wanted(asked.ends), asked.reason)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response({"request": made.number, "state": made.state}, status=202)

    async def _declare(self, request: web.Request) -> web.Response:
        try:
            declared = msgspec.json.decode(await request.read(), type=Declared)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return problem(400)
        try:
            return web.json_response(self._listed(await self._declared(account_of(request), declared)), status=201)
        except RefusedError as refusal:
            return problem(422, str(refusal))

    async def _revoke(self, request: web.Request) -> web.Response:
        account = account_of(request)
        try:
            reason = msgspec.json.decode(await request.read(), type=Why).reason
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return problem(400)
        try:
            return web.json_response(self._listed(await self._taken_back(account, request.match_info["number"], reason)))
        except RefusedError as refusal:
            return problem(400, str(refusal))
        except NoSuchExceptionError:
            return problem(404)

    # ------------------------------------------------------------------------------------------------------------ pages

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "", done: str = "") -> web.Response:
        assert self._signin is not None
        account = account_of(request)
        visible = await self._visible(account, over=True)
        rows = [self._listed(one) | {"said": _ACTIONS[KindAction(one.action)], "until": when(one.expires_at)} for one in visible]
        return self._signin.page(
            request,
            "exceptions.html",
            status,
            error=error,
            done=done,
            rows=rows,
            counts=_counts(visible, self._clock()),
            revokes=Role(account.role) in _REVOKERS,
            declares=await self._exceptions.may_declare(account),
            actions=_OFFERED,
            kinds=sorted(Kind),
            asked={name: request.query.get(name, "") for name in ("kind", "sha256")},
        )

    async def _ask_from_page(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        try:
            asked = msgspec.convert(_filled(given, Asked), Asked)
            made = await self._exceptions.request(account_of(request), asked.wanted(asked.ends), asked.reason)
        except msgspec.ValidationError:
            return await self._shown(request, 400, _WRONG)
        except RefusedError as refusal:
            return await self._shown(request, 422, str(refusal))
        return await self._shown(request, 202, done=f"申請しました: {made.number} / asked for")

    async def _declare_from_page(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        if given.get("emergency") != "yes":
            return await self._shown(request, 400, _TICK)
        try:
            made = await self._declared(account_of(request), msgspec.convert(_filled(given, Declared), Declared))
        except msgspec.ValidationError:
            return await self._shown(request, 400, _WRONG)
        except RefusedError as refusal:
            return await self._shown(request, 422, str(refusal))
        until = when(made.expires_at)
        return await self._shown(request, 201, done=f"緊急例外 {made.number} は有効です（{until}まで）。 / in force until {until}")

    async def _revoke_from_page(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        try:
            await self._taken_back(account_of(request), request.match_info["number"], str(given.get("reason", "")))
        except RefusedError as refusal:
            return await self._shown(request, 400, str(refusal))
        except NoSuchExceptionError:
            return await self._shown(request, 404, "その例外措置は有効ではありません。 / not in force")
        raise web.HTTPSeeOther("/exceptions")

    # ------------------------------------------------------------------------------------------------------------ steps

    async def _visible(self, account: Account, *, over: bool) -> list[Grant]:
        """Another's is as unknown as none."""
        every = Role(account.role) in _OVERSEERS
        return [one for one in await self._exceptions.listed(over=over) if every or one.requester == account.login]

    async def _declared(self, account: Account, declared: Declared) -> Grant:
        made = await self._exceptions.emergency(account, declared.wanted(self._clock() + EMERGENCY_SECONDS), declared.reason)
        return next(one for one in await self._exceptions.listed() if one.request == made.number)

    async def _taken_back(self, account: Account, number: str, reason: str) -> Grant:
        one = await self._exceptions.find(number)
        if one.requester != account.login and Role(account.role) not in _REVOKERS:
            raise NoSuchExceptionError(number)
        return await self._exceptions.revoke(number, account.login, reason)

    def _listed(self, one: Grant) -> dict[str, Any]:
        return listed(one, self._clock())


def _offered() -> tuple[tuple[str, str, str], ...]:
    """Treatments with their words and the kinds that they are for, which the words say too; no kinds: every one."""
    offered = []
    for action, words in _ACTIONS.items():
        of = [one for one in sorted(Kind) if feasible(action, one)]
        ja, _, en = words.partition(" / ")
        few = len(of) < len(Kind)
        offered.append((action.value, f"{ja}（{'・'.join(of)}） / {en} ({', '.join(of)})" if few else words, " ".join(of) if few else ""))
    return tuple(offered)


_OFFERED: Final = _offered()


def _counts(grants: Sequence[Grant], at: float) -> tuple[int, int, int]:
    """In force, of these ending soon, and over."""
    live = [one for one in grants if one.live(at)]
    return len(live), sum(one.expires_at < at + _SOON_SECONDS for one in live), len(grants) - len(live)


def listed(one: Grant, at: float) -> dict[str, Any]:
    """One exception as it is told."""
    told = msgspec.structs.asdict(one) | {"live": one.live(at), "emergency": one.emergency}
    for name in ("granted_at", "expires_at", "revoked_at", "used_at"):
        told[name] = None if told[name] is None else rfc3339(told[name])
    return told


def _filled(given: Mapping[str, object], shape: type[Declared]) -> dict[str, str]:
    return {name: str(value).strip() for name, value in given.items() if name in shape.__struct_fields__ and value}
