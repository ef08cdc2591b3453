"""The first page of the administration: the lights, today's numbers, charts, the last transfers; kept up to date as long as it is open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import charts
from gateway.overview import Light, Overview, Period, Tone
from gateway.storage.faults import StorageError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.statistics import WAITING
from gateway.web import view, words
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from gateway.web.view import View
from sanitizers.model import Verdict

_RECENT: Final = 20
_TITLES: Final = {
    Verdict.CLEAN: ("無害化済み（除去なし）", "clean", "ok"),
    Verdict.SANITIZED: ("無害化済み", "sanitised", "ok"),
    Verdict.CONFIRMED: ("確認済み", "confirmed", "ok"),
    Verdict.HELD: ("保留", "held", "stop"),
    Verdict.BLOCKED: ("遮断", "blocked", "stop"),
    WAITING: ("処理中", "in work", "wait"),
}
_PERIODS: Final = {
    Period.TODAY: ("今日", "today"),
    Period.WEEK: ("7日間", "7 days"),
    Period.MONTH: ("30日間", "30 days"),
}
_LIVE: Final = "/api/v1/overview/events"
# How old the page may be. All who watch it see the same drawing of it.
_LIVE_SECONDS: Final = 5.0
_HEARTBEAT_SECONDS: Final = 15.0
_MOST_WATCHERS: Final = 100


class OverviewDesk:
    """Handlers; see gateway.web.desks.Desk. `live`: seconds between two looks."""

    def __init__(self, journal: Journal, overview: Overview, *, live: float = _LIVE_SECONDS) -> None:
        self._journal = journal
        self._overview = overview
        self._live = live
        self._signin: SignIn
        self._drawing = asyncio.Lock()
        self._drawn: dict[tuple[Period, View], tuple[float, dict[str, str]]] = {}
        self._watchers = 0
        self._closing = asyncio.Event()
        asked = {"period": "today, week or month"}
        stream = {"text/event-stream": {"schema": {"type": "string"}}}
        faults = {400: "no such period", 503: "too many watch already"}
        self.routes: Sequence[Route] = (
            Route("GET", "/api/v1/overview", self._tell, "lights, today's numbers beside a week ago's, and what stands first", query=asked,
                  faults={400: "no such period"}),
            Route("GET", _LIVE, self._stream, "the overview's page as it changes: server-sent events", content=stream, query=asked,
                  faults=faults),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        application.router.add_get("/", self._page)

        async def close(_: web.Application) -> None:
            self._closing.set()

        application.on_shutdown.append(close)

    async def _tell(self, request: web.Request) -> web.Response:
        overview, period = self._overview, _period(request)
        told = {"lights": await overview.lights(), "day": await overview.day(), "trend": await overview.trend(period)}
        return web.json_response(msgspec.to_builtins(told) | {"versions": overview.versions()})

    async def _page(self, request: web.Request) -> web.Response:
        period = _period(request)
        drawn = await self._now(period)
        titles = [(one.value, *said, one is period) for one, said in _PERIODS.items()]
        return self._signin.page(request, "admin.html", live=drawn["html"], stream=f"{_LIVE}?period={period}", periods=titles)

    # ------------------------------------------------------------------------------------------------------------ live

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        """`event: overview` with {html, alert} whenever it differs; `event: end` when whoever watches has done nothing for so long
        that his session would have ended: looking is not being there."""
        period, customs = _period(request), self._signin.accounts.customs
        if self._watchers >= _MOST_WATCHERS:
            raise web.HTTPServiceUnavailable
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        self._watchers += 1
        try:
            await response.prepare(request)
            async with asyncio.timeout(customs.idle_of(account_of(request))):
                await self._watched(request, response, period)
        except TimeoutError:
            await _send(response, "end", {})
        except (ConnectionError, StorageError):
            pass                        # the browser asks again by itself
        finally:
            self._watchers -= 1
        return response

    async def _watched(self, request: web.Request, response: web.StreamResponse, period: Period) -> None:
        told, silent = "", 0.0
        while not self._closing.is_set() and request.transport is not None and not request.transport.is_closing():
            drawn = await self._now(period)
            if drawn["html"] != told:
                told, silent = drawn["html"], 0.0
                await _send(response, "overview", drawn)
            elif silent >= _HEARTBEAT_SECONDS:
                silent = 0.0
                await response.write(b": \n\n")
            silent += self._live
            await _passed(self._closing.wait, self._live)

    async def _now(self, period: Period) -> dict[str, str]:
        """The part of the page that changes, and in words what does not burn green; drawn once for all who watch it alike."""
        async with self._drawing:
            kept, now = self._drawn.get((period, view.now())), asyncio.get_running_loop().time()
            if kept is None or now - kept[0] >= self._live:
                lights = await self._overview.lights()
                kept = now, {"html": await self._html(period, lights), "alert": _alert(lights)}
                self._drawn[period, view.now()] = kept
            return kept[1]

    async def _html(self, period: Period, lights: Sequence[Light]) -> str:
        overview = self._overview
        day, trend = await overview.day(), await overview.trend(period)
        recent = await self._journal.transfers(Filter(limit=_RECENT))
        return self._signin.fragment(
            "overview_live.html",
            lights=lights,
            numbers=[(*_TITLES[name], day.today[name], day.week_ago[name]) for name in _TITLES],
            totals=(sum(day.today.values()), sum(day.week_ago.values())),
            chart=charts.stacked(trend.stretches, trend.since, trend.step),
            period=_PERIODS[period],
            ranks=_ranks(trend.ranks),
            stands=overview.versions(),
            rows=[words.row(transfer, await self._journal.report(transfer.id)) for transfer in recent],
        )


def _ranks(ranks: Any) -> list[dict[str, Any]]:
    """Lists of the first, each with the condition of the search that its lines lead to."""
    return [
        {"ja": "検知ルール", "en": "rules", "by": "rule", "rows": charts.shares(ranks.rules)},
        {"ja": "差出人・利用者", "en": "senders", "by": "sender", "rows": charts.shares(ranks.senders)},
        {"ja": "課", "en": "departments", "by": "", "rows": charts.shares(ranks.departments)},
        {"ja": "形式", "en": "kinds", "by": "", "rows": charts.shares(ranks.kinds)},
    ]


def _alert(lights: Sequence[Light]) -> str:
    which = int(view.english())
    form = "{}: {}." if which else "{}：{}。"
    return " ".join(form.format(light.title[which], light.said[which]) for light in lights if light.tone is not Tone.OK)


def _period(request: web.Request) -> Period:
    try:
        return Period(request.query.get("period", Period.TODAY))
    except ValueError:
        raise web.HTTPBadRequest from None


async def _passed(ended: Callable[[], Any], seconds: float) -> None:
    """So long, or until it has ended."""
    try:
        await asyncio.wait_for(ended(), seconds)
    except TimeoutError:
        pass


async def _send(response: web.StreamResponse, event: str, data: dict[str, str]) -> None:
    await response.write(f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode())
