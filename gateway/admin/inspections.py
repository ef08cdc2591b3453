"""点検 at the desk: what comes round each month and quarter, what there is to see, and the word of whoever signs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from gateway import periods
from gateway.admin import papers
from gateway.caretaking import Caretaking
from gateway.model import rfc3339
from gateway.people.roles import TITLES, RefusedError, Role
from gateway.periods import Period
from gateway.registers import papers as written
from gateway.registers.reviews import SUBJECTS, Due, Subject
from gateway.storage import documents, signoffs
from gateway.storage.signoffs import SignOff
from gateway.web.given import fields
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from gateway.web.words import when

_ALL: Final = "/api/v1/inspections"
_ONE: Final = _ALL + "/{subject}/{period}"
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_BODY: Final = {
    "application/json": {"schema": {"type": "object", "required": ["good"],
                                    "properties": {"good": {"type": "boolean"}, "note": {"type": "string"}}}}
}  # fmt: skip
_SHOWN: Final = 1_000


class InspectionsDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, care: Caretaking) -> None:
        self._care = care
        self._reviews = care.reviews
        self._signin: SignIn
        faults = {404: "no such subject or period"}
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "what is to be inspected, and who has signed it", content=_ROWS),
            Route("GET", _ONE, self._show, "what there is to see", faults=faults),
            Route(
                "POST", _ONE, self._sign, "sign it", body=_BODY, faults=faults | {400: "not understood", 422: "refused, with the reason"}
            ),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/inspections", "点検", "Inspections")
        application.router.add_get("/inspections", self._page)
        application.router.add_get("/inspections/{subject}/{period}", self._one_page)
        application.router.add_post("/inspections/{subject}/{period}", self._sign_from_page)
        application.router.add_post("/inspections/{subject}/{period}/print", self._print_from_page)

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([_told(one) for one in await self._reviews.due()])

    async def _show(self, request: web.Request) -> web.Response:
        subject, period = _named(request)
        signed = await self._signed(subject, period)
        return web.json_response({
            "subject": subject.name, "period": period.name, "rows": await self._reviews.rows(subject.name, period),
            "signed": None if signed is None else _signed_told(signed),
        })  # fmt: skip

    async def _sign(self, request: web.Request) -> web.Response:
        subject, period = _named(request)
        try:
            given = await fields(request)
            good = {"true": True, "false": False}[given["good"]]
            done = await self._reviews.sign(subject.name, period, account_of(request), good=good, note=given.get("note", ""))
        except (ValueError, KeyError):
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response(_signed_told(done))

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _page(self, request: web.Request) -> web.Response:
        found = await self._reviews.due()
        role = Role(account_of(request).role)
        return self._signin.page(
            request, "inspections.html", late=sum(one.overdue for one in found), rows=[_row(one, role) for one in found],
            current=[(subject, periods.of(subject.every, self._care.clock())) for subject in SUBJECTS.values()],
        )  # fmt: skip

    async def _one_page(self, request: web.Request) -> web.Response:
        return await self._rendered(request)

    async def _rendered(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        subject, period = _named(request)
        rows, signed = await self._reviews.rows(subject.name, period), await self._signed(subject, period)
        about = f"{subject.name} {period.name}"
        printed = await self._care.journal.ask(lambda connection: documents.listed(connection, kinds=("inspection",), subject=about))
        names = list(rows[0]) if rows else []
        return self._signin.page(
            request, "inspection.html", status, error=error, subject=subject, period=period, count=len(rows),
            signers="、".join(TITLES[role].ja for role in sorted(subject.signers)), over=period.until <= self._care.clock(),
            may=Role(account_of(request).role) in subject.signers, head=[written.COLUMNS.get(name, name) for name in names],
            rows=[[written.cell(row[name]) for name in names] for row in rows[:_SHOWN]], printed=papers.rows(printed),
            signed=None if signed is None else _signed_said(signed),
        )  # fmt: skip

    async def _sign_from_page(self, request: web.Request) -> web.StreamResponse:
        subject, period = _named(request)
        given = await fields(request)
        try:
            await self._reviews.sign(
                subject.name, period, account_of(request), good=given.get("good") == "true", note=given.get("note", "")
            )
        except RefusedError as refusal:
            return await self._rendered(request, 422, str(refusal))
        raise web.HTTPSeeOther(f"/inspections/{subject.name}/{period.name}")

    async def _print_from_page(self, request: web.Request) -> web.StreamResponse:
        subject, period = _named(request)
        rows, signed = await self._reviews.rows(subject.name, period), await self._signed(subject, period)
        made = await papers.printed(
            self._care,
            lambda head: written.review(head, subject, period, rows, signed),
            kind="inspection",
            subject=f"{subject.name} {period.name}",
            title=f"{subject.ja}　{period.ja}",
            actor=account_of(request).login,
        )
        raise web.HTTPSeeOther(f"/documents/{made.number}")

    async def _signed(self, subject: Subject, period: Period) -> SignOff | None:
        return await self._care.journal.ask(lambda connection: signoffs.of(connection, subject.name, period.name))


def _named(request: web.Request) -> tuple[Subject, Period]:
    try:
        subject, period = SUBJECTS[request.match_info["subject"]], periods.named(request.match_info["period"])
    except (KeyError, ValueError):
        raise web.HTTPNotFound from None
    if period.every is not subject.every:
        raise web.HTTPNotFound
    return subject, period


def _signed_told(one: SignOff) -> dict[str, Any]:
    return {"at": rfc3339(one.at), "actor": one.actor, "seen": one.seen, "sha256": one.sha256, "good": one.good, "note": one.note}


def _signed_said(one: SignOff) -> dict[str, Any]:
    return {"at": when(one.at), "actor": one.actor, "seen": one.seen, "sha256": one.sha256, "good": one.good, "note": one.note}


def _told(one: Due) -> dict[str, Any]:
    return {
        "subject": one.subject.name, "period": one.period.name, "by": rfc3339(one.by), "overdue": one.overdue,
        "signed": None if one.signed is None else _signed_told(one.signed),
    }  # fmt: skip


def _row(one: Due, role: Role) -> dict[str, Any]:
    if one.signed is not None:
        good = one.signed.good
        state, tone = ("確認済み・良 / signed, good", "ok") if good else ("確認済み・要対応 / signed, to be acted on", "wait")
    else:
        state, tone = ("期限超過 / overdue", "stop") if one.overdue else ("未確認 / to be signed", "wait")
    return {
        "ja": one.subject.ja, "en": one.subject.en, "link": f"/inspections/{one.subject.name}/{one.period.name}", "period": one.period,
        "by": when(one.by), "said": state, "tone": tone, "mine": one.signed is None and role in one.subject.signers,
        "who": "" if one.signed is None else f"{one.signed.actor}（{when(one.signed.at)}）",
    }  # fmt: skip
