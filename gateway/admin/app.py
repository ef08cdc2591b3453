"""The face of the administration: counts, recent transfers with their findings, and the walls that stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
from aiohttp import web

from gateway.model import State
from gateway.people.accounts import Accounts
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.web import entrance, words
from gateway.web.face import Readiness, face
from gateway.web.problem import problem
from gateway.web.routes import Route, install
from gateway.web.signin import SignIn

_RECENT: Final = 100
_MOST: Final = 1_000

# Name → what stands: walls of the jail, versions of rules and policy.
Versions = Callable[[], dict[str, str]]


class Desk(Protocol):
    """One subject of the administration: its rows of the interface, and its pages."""

    routes: Sequence[Route]

    def install(self, application: web.Application, signin: SignIn) -> None:
        """Add the pages."""


class Admin:
    """Handlers; `application` is what a listener serves. `desks`: what else stands on this face."""

    def __init__(
        self,
        journal: Journal,
        accounts: Accounts,
        readiness: Readiness,
        versions: Versions,
        desks: Sequence[Desk] = (),
        *,
        jail: bool,
    ) -> None:
        self._journal = journal
        self._versions = versions
        self._signin = SignIn(accounts, "admin", "管理 / Administration", jail=jail)
        self.application = face(readiness)
        entrance.install(self.application, self._signin)
        self.application.router.add_get("/", self._page)
        install(self.application, "admin", [*self._routes(), *(route for desk in desks for route in desk.routes)])
        for desk in desks:
            desk.install(self.application, self._signin)

    def _routes(self) -> tuple[Route, ...]:
        rows = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
        query = {"limit": f"at most so many, up to {_MOST}", "state": "may be repeated", "q": "in sender, subject, name and receipt number"}
        one = "/api/v1/transfers/{receipt_no}"
        return (
            Route("GET", "/api/v1/transfers", self._list, "transfers, the youngest first", content=rows, query=query, faults={400: "bad"}),
            Route("GET", one, self._show, "one transfer and its report", faults={404: "not found"}),
        )

    async def _page(self, request: web.Request) -> web.Response:
        counts = (await self._journal.counts()).states
        recent = await self._journal.transfers(Filter(limit=_RECENT))
        rows = [words.row(transfer, await self._journal.report(transfer.id)) for transfer in recent]
        stands = self._versions()
        return self._signin.page(request, "admin.html", counts=[(state, counts[state]) for state in State], rows=rows, stands=stands)

    async def _list(self, request: web.Request) -> web.Response:
        try:
            limit = max(1, min(int(request.query.get("limit", "100")), _MOST))
            states = tuple(State(value) for value in request.query.getall("state", []))
        except ValueError:
            return problem(400)
        found = await self._journal.transfers(Filter(limit=limit, states=states, text=request.query.get("q")))
        return web.json_response([transfer.listed() for transfer in found])

    async def _show(self, request: web.Request) -> web.Response:
        try:
            transfer = await self._journal.find(request.match_info["receipt_no"])
        except NoSuchTransferError:
            return problem(404)
        report = msgspec.to_builtins(await self._journal.report(transfer.id))
        return web.json_response(transfer.listed() | {"report": report})
