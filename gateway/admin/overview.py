"""The first page of the administration: the lights, today's numbers, the last transfers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.overview import Day, Overview
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.statistics import WAITING
from gateway.web import words
from gateway.web.routes import Route
from gateway.web.signin import SignIn
from sanitizers.model import Verdict

_RECENT: Final = 30
# Height of the chart of hours, in units of its drawing.
_HEIGHT: Final = 100
_TITLES: Final = {
    Verdict.CLEAN: ("無害化済み（除去なし）", "clean", "ok"),
    Verdict.SANITIZED: ("無害化済み", "sanitised", "ok"),
    Verdict.CONFIRMED: ("確認済み", "confirmed", "ok"),
    Verdict.HELD: ("保留", "held", "stop"),
    Verdict.BLOCKED: ("遮断", "blocked", "stop"),
    WAITING: ("処理中", "in work", "wait"),
}
_THROUGH: Final = (Verdict.CLEAN, Verdict.SANITIZED, Verdict.CONFIRMED)


class OverviewDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, journal: Journal, overview: Overview) -> None:
        self._journal = journal
        self._overview = overview
        self._signin: SignIn
        self.routes: Sequence[Route] = (Route("GET", "/api/v1/overview", self._tell, "lights, and today's numbers beside a week ago's"),)

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        application.router.add_get("/", self._page)

    async def _tell(self, _: web.Request) -> web.Response:
        lights, day = await self._overview.lights(), await self._overview.day()
        told = {"lights": msgspec.to_builtins(lights), "day": msgspec.to_builtins(day), "versions": self._overview.versions()}
        return web.json_response(told)

    async def _page(self, request: web.Request) -> web.Response:
        day = await self._overview.day()
        recent = await self._journal.transfers(Filter(limit=_RECENT))
        return self._signin.page(
            request,
            "admin.html",
            lights=await self._overview.lights(),
            numbers=[(*_TITLES[name], day.today[name], day.week_ago[name]) for name in _TITLES],
            totals=(sum(day.today.values()), sum(day.week_ago.values())),
            bars=_bars(day),
            stands=self._overview.versions(),
            rows=[words.row(transfer, await self._journal.report(transfer.id)) for transfer in recent],
        )


def _bars(day: Day) -> list[dict[str, Any]]:
    """What went through below, what stayed above it, hour by hour, in units of the chart."""
    highest = max((sum(hour.values()) for hour in day.hours), default=0) or 1
    bars = []
    for number, hour in enumerate(day.hours):
        through, all_ = sum(hour[verdict] for verdict in _THROUGH), sum(hour.values())
        low, high = round(_HEIGHT * through / highest), round(_HEIGHT * all_ / highest)
        bars.append({"hour": number, "low": low, "rest": high - low, "top": _HEIGHT - high, "base": _HEIGHT - low,
                     "through": through, "stayed": all_ - through})  # fmt: skip
    return bars
