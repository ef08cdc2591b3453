"""What keeps an installation in order: backups and drills (復元訓練), and the sheet of what can be watched (監視項目一覧)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin.exports import harmless, written
from gateway.people.permissions import permitted
from gateway.people.roles import Role
from gateway.storage import drills
from gateway.storage.drills import Drill, Outcome
from gateway.storage.journal import Journal
from gateway.telemetry import metrics
from gateway.web import guarded
from gateway.web.given import sent
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from gateway.web.words import when

_TEXT: Final = {"type": "string"}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_HELD: Final = {
    "application/json": {
        "schema": {"type": "object", "required": ["kind", "day", "minutes", "outcome"],
                   "properties": {"kind": {"enum": ["restore", "failover", "halt", "incident"]}, "minutes": {"type": "number"},
                                  "day": {"type": "string", "format": "date"}, "outcome": {"enum": [*Outcome]}, "note": _TEXT}}
    }
}  # fmt: skip
KINDS: Final = {
    "restore": "バックアップからの復元 / restoring a backup",
    "failover": "系の切替え / failover",
    "halt": "緊急停止と再開 / emergency stop and resume",
    "incident": "インシデント対応 / incident response",
}
OUTCOMES: Final = {
    Outcome.GOOD: ("成功 / good", "ok"),
    Outcome.PARTLY: ("一部 / partly", "wait"),
    Outcome.FAILED: ("失敗 / failed", "stop"),
}
_OLD_BACKUP: Final = 2 * 86_400.0
# A restore that nobody tried for a year is a hope.
_OLD_DRILL: Final = 366 * 86_400.0
_LONGEST_MINUTES: Final = 100_000
_SHEET: Final = "/api/v1/monitored.csv"
_MONITORED: Final = ("名称", "種類", "内容", "内容（英語）")


class CareDesk:
    """Handlers; see gateway.web.desks.Desk. `clock`: seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        self._signin: SignIn
        self.routes: Sequence[Route] = (
            Route("GET", "/api/v1/drills", self._list, "drills, the youngest first", content=_ROWS),
            Route("POST", "/api/v1/drills", self._add, "write one down", 201, body=_HELD, faults={400: "not as it should be"}),
            Route("GET", "/api/v1/monitored", self._monitored, "what /metrics exports", content=_ROWS),
            Route("GET", _SHEET, self._sheet, "the same as CSV", content={"text/csv": {"schema": _TEXT}}),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/drills", "バックアップ・訓練", "Backups, drills")
        signin.link("/monitored", "監視項目", "Monitored items")
        application.router.add_get("/drills", self._page)
        application.router.add_post("/drills", self._from_page)
        application.router.add_get("/monitored", self._monitored_page)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([msgspec.to_builtins(one) for one in await self._journal.ask(drills.listed)])

    async def _add(self, request: web.Request) -> web.Response:
        try:
            number = await self._written(await sent(request), account_of(request).login)
        except (ValueError, KeyError, TypeError):
            return problem(400)
        return web.json_response({"number": number}, status=201)

    async def _written(self, given: Mapping[str, Any], actor: str) -> str:
        """Raises ValueError, KeyError, TypeError."""
        kind, note, minutes, at = given["kind"], given.get("note", ""), float(given["minutes"]), self._clock()
        day = dt.date.fromisoformat(given["day"])
        held_at = dt.datetime.combine(day, dt.time(12)).astimezone().timestamp()
        if kind not in KINDS or not isinstance(note, str) or not 0 <= minutes <= _LONGEST_MINUTES or held_at > at + 86_400:
            raise ValueError
        outcome = Outcome(given["outcome"])
        return await self._journal.write(
            lambda connection: drills.add(
                connection, kind=kind, held_at=held_at, seconds=60 * minutes, outcome=outcome, note=note.strip()[:2_000], at=at, actor=actor
            )
        )

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        found, backup, now = await self._journal.ask(drills.listed), await self._journal.ask(drills.last_backup), self._clock()
        backed_up = dt.datetime.fromisoformat(backup).timestamp() if backup else None
        tried = next((one for one in found if one.kind == "restore" and one.outcome == Outcome.GOOD), None)
        return self._signin.page(
            request, "drills.html", status, error=error, rows=[_row(one) for one in found], kinds=list(KINDS.items()),
            outcomes=[(one.value, said) for one, (said, _) in OUTCOMES.items()],
            backup=_light(backed_up, now, _OLD_BACKUP), restore=_light(tried.at if tried else None, now, _OLD_DRILL),
            adds=permitted("admin", "POST", "/drills", Role(account_of(request).role)),
        )  # fmt: skip

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        given = {name: str(value) for name, value in (await posted(request)).items()}
        try:
            await self._written(given, account_of(request).login)
        except (ValueError, KeyError, TypeError):
            return await self._shown(request, 400, "入力を確かめてください。 / something is missing or wrong")
        raise web.HTTPSeeOther("/drills")

    # ------------------------------------------------------------------------------------------------------- monitored

    async def _monitored(self, _: web.Request) -> web.Response:
        told = [{"name": one.name, "kind": one.kind, "ja": one.title[0], "en": one.title[1]} for one in metrics.monitored()]
        return web.json_response(told)

    async def _sheet(self, request: web.Request) -> web.Response:
        await guarded.taken(request, self._journal, self._clock())
        table = [_MONITORED, *((one.name, one.kind, harmless(one.title[0]), harmless(one.title[1])) for one in metrics.monitored())]
        return guarded.table("監視項目一覧", b"\xef\xbb\xbf" + written(table))

    async def _monitored_page(self, request: web.Request) -> web.Response:
        exports = guarded.may_take(request, _SHEET)
        return self._signin.page(request, "monitored.html", rows=metrics.monitored(), at=when(self._clock()), exports=exports)


def _light(at: float | None, now: float, old: float) -> tuple[str, str]:
    """When it was, and how that looks."""
    if at is None:
        return "記録がありません / none on record", "stop"
    return when(at), "ok" if now - at <= old else "stop"


def _row(one: Drill) -> dict[str, Any]:
    said, tone = OUTCOMES[Outcome(one.outcome)]
    return {"number": one.number, "kind": KINDS.get(one.kind, one.kind), "at": when(one.at)[:-6], "minutes": f"{one.seconds / 60:,.0f}",
            "said": said, "tone": tone, "actor": one.actor, "note": one.note}  # fmt: skip
