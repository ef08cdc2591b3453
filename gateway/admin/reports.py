"""報告 at the desk: what was made of each day, month and fiscal year; make one now; fetch it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from gateway import periods
from gateway.admin import papers
from gateway.caretaking import Caretaking
from gateway.model import rfc3339
from gateway.reports.kinds import FORMS, Kind
from gateway.reports.reporting import Made
from gateway.storage.documents import Document
from gateway.web.given import fields
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of

_ALL: Final = "/api/v1/reports"
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_BODY: Final = {
    "application/json": {"schema": {"type": "object", "required": ["kind", "period"],
                                    "properties": {"kind": {"enum": [*Kind]}, "period": {"type": "string"}}}}
}  # fmt: skip
# So many periods of each kind are offered.
_OFFERED: Final = {Kind.DAILY: 14, Kind.MONTHLY: 13, Kind.YEARLY: 5}


class ReportsDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, care: Caretaking) -> None:
        self._care = care
        self._reporting = care.reporting
        self._signin: SignIn
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "reports that were made, the youngest first; fetched as documents", content=_ROWS),
            Route("POST", _ALL, self._make, "make one now: daily 2026-11-20, monthly 2026-11, yearly FY2026", 201, body=_BODY,
                  faults={400: "not understood"}),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/reports", "報告", "Reports")
        application.router.add_get("/reports", self._page)
        application.router.add_post("/reports", self._make_from_page)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([_told(one) for one in await self._reporting.listed()])

    async def _make(self, request: web.Request) -> web.Response:
        try:
            made = await self._made(await fields(request), account_of(request).login)
        except (ValueError, KeyError):
            return problem(400)
        return web.json_response({"paper": _told(made.paper), "tables": _told(made.tables)}, status=201)

    async def _made(self, given: Mapping[str, str], who: str) -> Made:
        """Raises ValueError, KeyError."""
        kind, period = Kind(given["kind"]), periods.named(given["period"].strip())
        if period.since > self._care.clock():
            raise ValueError("to come")
        return await self._reporting.make(kind, period, who)

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        now, offered = self._care.clock(), []
        for kind, form in FORMS.items():
            running = periods.of(form.every, now)
            offered.append((kind.value, f"{form.ja} / {form.en}", [*periods.ended(form.every, now, 0.0, _OFFERED[kind]), running]))
        return self._signin.page(
            request, "reports.html", status, error=error, rows=papers.rows(await self._reporting.listed()), offered=offered
        )

    async def _make_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._made(await fields(request), account_of(request).login)
        except (ValueError, KeyError):
            return await self._shown(request, 400, "期間を確かめてください。 / look at the period")
        raise web.HTTPSeeOther("/reports")


def _told(one: Document) -> dict[str, Any]:
    return {"number": one.number, "kind": one.kind.removeprefix("report."), "period": one.subject, "title": one.title, "actor": one.actor,
            "at": rfc3339(one.at), "media_type": one.media_type, "sha256": one.sha256}  # fmt: skip
