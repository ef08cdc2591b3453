"""緊急停止 at the desk: intake, delivery or both, or the mail of one sender (中継停止), at once and for every process, and on again; each
with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp import web

from gateway.model import rfc3339
from gateway.people.permissions import permitted
from gateway.people.roles import Role
from gateway.storage import senders
from gateway.storage.halts import Halt, Halted
from gateway.storage.journal import Journal
from gateway.web.given import sent
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.words import when

_ALL: Final = "/api/v1/emergency"
_BODY: Final = {
    "application/json": {
        "schema": {"type": "object", "required": ["reason"],
                   "properties": {"what": {"type": "array", "items": {"enum": [*Halt]}}, "sender": {"type": "string"},
                                  "reason": {"type": "string"}}}
    }
}  # fmt: skip
_WORDS: Final = {
    Halt.INTAKE: ("受付（メール・取込み画面・API）", "intake: mail, drop and interface"),
    Halt.DELIVERY: ("配送と受取り（次の中継先・共有フォルダー・受取画面）", "delivery: next hop, shares and pickup"),
}
_LONGEST: Final = 500
_LONGEST_SENDER: Final = 320
_NEEDED: Final = "対象を選び、理由を入力してください。 / choose what, and say why"


class EmergencyDesk:
    """Handlers; see gateway.web.desks.Desk. `wake` is told when work may go on. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float], wake: Callable[[], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._wake = wake
        self._signin: SignIn
        faults = {400: "not what can be stopped, or no reason"}
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._show, "what is stopped, since when, by whom and why"),
            Route("POST", f"{_ALL}/stop", self._act, "stop it at once", body=_BODY, faults=faults),
            Route("POST", f"{_ALL}/resume", self._act, "let it go on", body=_BODY, faults=faults),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/emergency", "緊急停止", "Emergency stop")
        application.router.add_get("/emergency", self._page)
        application.router.add_post("/emergency", self._from_page)

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(await self._told())

    async def _told(self) -> dict[str, Any]:
        standing = await self._journal.halted()
        told: dict[str, Any] = {
            what: {"since": rfc3339(one.since), "actor": one.actor, "reason": one.reason} if (one := standing.get(what)) else None
            for what in Halt
        }
        stops = await self._journal.ask(senders.listed)
        return told | {"senders": [one._asdict() | {"since": rfc3339(one.since)} for one in stops]}

    async def _act(self, request: web.Request) -> web.Response:
        try:
            given = await sent(request)
            what, sender, reason = [Halt(one) for one in given.get("what", [])], given.get("sender", ""), given["reason"]
            if not isinstance(reason, str) or not isinstance(sender, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return problem(400)
        if not await self._done(request, what, sender, reason, stop=request.path.endswith("/stop")):
            return problem(400, _NEEDED)
        return web.json_response(await self._told())

    async def _done(self, request: web.Request, what: Sequence[Halt], sender: str, reason: str, *, stop: bool) -> bool:
        """`sender`: an address, or empty. False without a reason, for nothing, or for what is no address."""
        why, sender = " ".join(reason.split())[:_LONGEST], sender.strip()
        if not why or not (what or sender) or (sender and ("@" not in sender or len(sender) > _LONGEST_SENDER)):
            return False
        at, actor = self._clock(), account_of(request).login
        change = self._journal.halt if stop else self._journal.resume
        for one in what:
            await change(one, at=at, actor=actor, reason=why)
        if sender:
            change_sender = senders.stop if stop else senders.release
            await self._journal.write(lambda connection: change_sender(connection, sender, at=at, actor=actor, reason=why))
        if not stop:
            self._wake()
        return True

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        standing = await self._journal.halted()
        rows = [_row(what, standing.get(what)) for what in Halt]
        acts = permitted("admin", "POST", "/emergency", Role(account_of(request).role))
        stops = [one._asdict() | {"since": when(one.since)} for one in await self._journal.ask(senders.listed)]
        return self._signin.page(request, "emergency.html", status, error=error, rows=rows, stops=stops, acts=acts)

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        try:
            what = [Halt(str(one)) for one in given.getall("what", [])]
        except ValueError:
            raise web.HTTPBadRequest from None
        sender, reason = str(given.get("sender", "")), str(given.get("reason", ""))
        if not await self._done(request, what, sender, reason, stop=given.get("deed") == "stop"):
            return await self._shown(request, 400, _NEEDED)
        raise web.HTTPSeeOther("/emergency")


def _row(what: Halt, one: Halted | None) -> dict[str, Any]:
    row: dict[str, Any] = {"what": what.value, "words": " / ".join(_WORDS[what]), "stopped": one is not None}
    if one is None:
        return row | {"since": "", "actor": "", "reason": ""}
    return row | {"since": when(one.since), "actor": one.actor, "reason": one.reason}
