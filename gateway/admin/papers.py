"""Papers at the desk: print one under a number, list them, hand them out again as they were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Connection

from gateway.caretaking import Caretaking
from gateway.model import rfc3339
from gateway.printing.document import printed as drawn
from gateway.printing.paper import Paper
from gateway.registers.papers import Head, exception
from gateway.reports.reporting import PDF, said_name
from gateway.storage import approvals, documents, exceptions
from gateway.storage.approvals import Request
from gateway.storage.documents import Document, NoSuchDocumentError
from gateway.storage.exceptions import Grant
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from gateway.web.words import when

_ALL: Final = "/api/v1/documents"
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_BYTES: Final = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}, "text/csv": {"schema": {"type": "string"}}}


async def printed(care: Caretaking, paper: Callable[[Head], Paper], *, kind: str, subject: str, title: str, actor: str) -> Document:
    """Drawn under the next number, kept, and recorded."""
    while True:
        at = care.clock()
        number = await care.journal.ask(lambda connection: documents.next_number(connection, at))  # noqa: B023 - awaited here
        content = await asyncio.to_thread(lambda: drawn(paper(Head(number, care.office.organisation, at))))  # noqa: B023 - awaited here

        def keep(connection: Connection) -> Document | None:
            if documents.next_number(connection, at) != number:  # noqa: B023 - awaited below
                return None
            return documents.keep(connection, content, kind=kind, subject=subject, title=title, media_type=PDF, at=at, actor=actor)  # noqa: B023

        if (kept := await care.journal.write(keep)) is not None:
            return kept


def rows(found: Sequence[Document]) -> list[dict[str, Any]]:
    """For a table of a page."""
    return [
        {"number": one.number, "title": one.title, "at": when(one.at), "actor": one.actor, "sha256": one.sha256,
         "kind": "PDF" if one.media_type == PDF else "CSV", "subject": one.subject}
        for one in found
    ]  # fmt: skip


class PapersDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, care: Caretaking) -> None:
        self._care = care
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "papers that were printed, the youngest first", content=_ROWS),
            Route("GET", _ALL + "/{number}", self._fetch, "one as it was printed", content=_BYTES, faults={404: "not found"}),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:  # noqa: ARG002 - its links stand on others' pages
        application.router.add_get("/documents/{number}", self._fetch)
        application.router.add_post("/exceptions/{number}/print", self._print_exception)

    async def _list(self, _: web.Request) -> web.Response:
        found = await self._care.journal.ask(documents.listed)
        told = ("number", "kind", "subject", "title", "actor", "media_type", "sha256")
        return web.json_response([{name: getattr(one, name) for name in told} | {"at": rfc3339(one.at)} for one in found])

    async def _fetch(self, request: web.Request) -> web.Response:
        """Recorded: papers name people."""
        number = request.match_info["number"]
        try:
            one, content = await self._care.journal.ask(lambda connection: documents.find(connection, number))
        except NoSuchDocumentError:
            return problem(404)
        await self._care.journal.record(
            at=self._care.clock(), actor=account_of(request).login, action="document.fetched", subject=number, detail={"sha256": one.sha256}
        )
        headers = {"Content-Disposition": f'attachment; filename="{said_name(one)}"'}
        return web.Response(body=content, content_type=one.media_type, headers=headers)

    async def _print_exception(self, request: web.Request) -> web.StreamResponse:
        """例外措置申請書 of one that was granted."""
        number = request.match_info["number"]

        def known(connection: Connection) -> tuple[Grant, Request | None]:
            one = exceptions.find(connection, number)
            try:
                return one, approvals.find(connection, one.request)
            except approvals.NoSuchRequestError:
                return one, None

        try:
            one, asked = await self._care.journal.ask(known)
        except exceptions.NoSuchExceptionError:
            raise web.HTTPNotFound from None
        made = await printed(
            self._care,
            lambda head: exception(head, one, asked, asked.department if asked is not None else ""),
            kind="exception",
            subject=number,
            title=f"例外措置申請書　{number}",
            actor=account_of(request).login,
        )
        raise web.HTTPSeeOther(f"/documents/{made.number}")
