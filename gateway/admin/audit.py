"""監査ログ at the desk: is it whole, where is it anchored, what was given up of it; and questions to it under the number of a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import papers
from gateway.auditing.events import EVENTS, TITLES, said
from gateway.auditing.investigations import MOST, Asked, Investigation, NoSuchInvestigationError, asked_of
from gateway.auditing.verification import Proof
from gateway.caretaking import Caretaking
from gateway.model import rfc3339
from gateway.people.permissions import permitted
from gateway.people.roles import RefusedError, Role
from gateway.registers import papers as written
from gateway.storage import disposals, documents, ledger
from gateway.storage.ledger import Entry
from gateway.web.given import fields, local, moment
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from gateway.web.words import when

_AUDIT: Final = "/api/v1/audit"
_CASES: Final = _AUDIT + "/cases"
_TEXT: Final = {"type": "string"}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_CASE: Final = {
    "application/json": {"schema": {"type": "object", "required": ["purpose", "ordered_by"],
                                    "properties": {"purpose": _TEXT, "ordered_by": _TEXT}}}
}  # fmt: skip
_ASKED: Final = {
    "application/json": {"schema": {"type": "object",
                                    "properties": dict.fromkeys(("since", "until", "actor", "action", "subject", "text"), _TEXT)}}
}  # fmt: skip
_NOTHING: Final = {"application/json": {"schema": {"type": "object"}}}
_FAULTS: Final = {400: "not understood", 404: "not found", 422: "refused, with the reason"}
_SHOWN: Final = 100
_UNDERWAY: Final = "検証はすでに実行中です。 / a walk is under way"


class AuditDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, care: Caretaking) -> None:
        self._care = care
        self._cases = care.investigations
        self._signin: SignIn
        self.routes: Sequence[Route] = (
            Route("GET", _AUDIT, self._tell, "how the record was found last, its anchors, where it begins"),
            Route("POST", _AUDIT + "/verify", self._verify, "walk the whole record now", 202, body=_NOTHING, faults={409: "under way"}),
            Route("GET", _AUDIT + "/events", self._events, "what the record can say", content=_ROWS),
            Route("GET", _AUDIT + "/disposals", self._disposals, "what was given up after its time, or by hand", content=_ROWS),
            Route("GET", _CASES, self._list, "investigations", content=_ROWS),
            Route("POST", _CASES, self._begin, "open one", 201, body=_CASE, faults=_FAULTS),
            Route("POST", _CASES + "/{number}/query", self._query, "ask the record under its number; recorded", content=_ROWS, body=_ASKED,
                  faults=_FAULTS),
            Route("POST", _CASES + "/{number}/export", self._export, "the same as CSV with all hashes; its SHA-256 stands in the record",
                  content={"text/csv": {"schema": _TEXT}}, body=_ASKED, faults=_FAULTS),
            Route("POST", _CASES + "/{number}/close", self._close, "end one", body=_NOTHING, faults=_FAULTS),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/audit", "監査ログ", "Audit record")
        add = application.router
        add.add_get("/audit", self._page)
        add.add_post("/audit/verify", self._verify_from_page)
        add.add_post("/audit/definition", self._define_from_page)
        add.add_get("/audit/cases", self._cases_page)
        add.add_post("/audit/cases", self._begin_from_page)
        add.add_get("/audit/cases/{number}", self._case_page)
        add.add_post("/audit/cases/{number}/query", self._query_from_page)
        add.add_post("/audit/cases/{number}/export", self._export_from_page)
        add.add_post("/audit/cases/{number}/close", self._close_from_page)

    # ------------------------------------------------------------------------------------------------------- is it whole

    async def _tell(self, _: web.Request) -> web.Response:
        verification, cut = self._care.verification, await self._care.journal.ask(ledger.cut)
        proof = verification.last
        return web.json_response({
            "walking": verification.walked, "places": verification.places, "retention_days": self._care.kept.audit,
            "retention": self._care.kept._asdict(),
            "begins_after": None if cut is None else {"seq": cut.seq, "hash": cut.hash, "at": rfc3339(cut.at)},
            "last": None if proof is None else _proved(proof),
        })  # fmt: skip

    async def _verify(self, request: web.Request) -> web.Response:
        begun = self._care.verification.begin(account_of(request).login)
        return web.json_response({"walking": True}, status=202) if begun else problem(409, _UNDERWAY)

    async def _events(self, _: web.Request) -> web.Response:
        return web.json_response([{"action": name, "class": event.of, "ja": event.ja, "en": event.en, "subject": event.subject,
                                   "detail": event.detail} for name, event in EVENTS.items()])  # fmt: skip

    async def _disposals(self, _: web.Request) -> web.Response:
        found = await self._care.journal.ask(disposals.listed)
        return web.json_response([msgspec.to_builtins(one) | {"at": rfc3339(one.at)} for one in found])

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        journal, verification = self._care.journal, self._care.verification
        cut, head = await journal.ask(ledger.cut), await journal.ask(ledger.head)
        gone = await journal.ask(lambda connection: disposals.listed(connection, limit=_SHOWN))
        printed = await journal.ask(lambda connection: documents.listed(connection, kinds=("log-definition",), limit=5))
        role = Role(account_of(request).role)
        return self._signin.page(
            request, "audit.html", status, error=error, walking=verification.walked, places=verification.places,
            proof=None if verification.last is None else _proof_said(verification.last), head=head,
            cut=None if cut is None else (cut.seq, when(cut.at)), days=self._care.kept.audit, printed=papers.rows(printed),
            transfer_days=self._care.kept.transfers,
            disposals=[(one.number, one.what, when(one.at), one.actor, one.count, one.oldest, one.youngest, one.method) for one in gone],
            verifies=permitted("admin", "POST", "/audit/verify", role), investigates=permitted("admin", "GET", "/audit/cases", role),
        )  # fmt: skip

    async def _verify_from_page(self, request: web.Request) -> web.StreamResponse:
        if not self._care.verification.begin(account_of(request).login):
            return await self._shown(request, 409, _UNDERWAY)
        raise web.HTTPSeeOther("/audit")

    async def _define_from_page(self, request: web.Request) -> web.StreamResponse:
        made = await papers.printed(
            self._care,
            lambda head: written.log_definition(head, self._care.kept, self._care.verification.places),
            kind="log-definition",
            subject="audit",
            title="ログ定義書",
            actor=account_of(request).login,
        )
        raise web.HTTPSeeOther(f"/documents/{made.number}")

    # --------------------------------------------------------------------------------------------------- investigations

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response([_told(one) for one in await self._cases.listed()])

    async def _begin(self, request: web.Request) -> web.Response:
        try:
            made = await self._begun(request)
        except ValueError:
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response(_told(made), status=201)

    async def _query(self, request: web.Request) -> web.Response:
        try:
            found = await self._cases.query((await self._case(request)).number, await self._asked(request), account_of(request).login)
        except ValueError:
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response([msgspec.to_builtins(entry) for entry in found])

    async def _export(self, request: web.Request) -> web.Response:
        number = (await self._case(request)).number
        try:
            content, digest = await self._cases.export(number, await self._asked(request), account_of(request).login)
        except ValueError:
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        headers = {"Content-Disposition": f'attachment; filename="audit_{number}.csv"', "X-Content-SHA256": digest}
        return web.Response(body=content, content_type="text/csv", charset="utf-8", headers=headers)

    async def _close(self, request: web.Request) -> web.Response:
        try:
            await self._cases.end((await self._case(request)).number, account_of(request).login)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response({"closed": True})

    async def _cases_page(self, request: web.Request) -> web.Response:
        return await self._cases_shown(request)

    async def _cases_shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        return self._signin.page(request, "cases.html", status, error=error, rows=[_said(one) for one in await self._cases.listed()])

    async def _begin_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            made = await self._begun(request)
        except RefusedError as refusal:
            return await self._cases_shown(request, 422, str(refusal))
        raise web.HTTPSeeOther(f"/audit/cases/{made.number}")

    async def _case_page(self, request: web.Request) -> web.Response:
        return await self._case_shown(request)

    async def _case_shown(
        self,
        request: web.Request,
        status: int = 200,
        error: str = "",
        *,
        found: Sequence[Entry] | None = None,
        given: Mapping[str, str] | None = None,
    ) -> web.Response:
        one, now = await self._case(request), self._care.clock()
        usual = dict.fromkeys(("actor", "action", "subject", "text"), "") | {"since": local(now - 7 * 86_400), "until": local(now + 60)}
        actions = [(f"{of.value}", TITLES[of], [(name, event.ja) for name, event in EVENTS.items() if event.of is of]) for of in TITLES]
        return self._signin.page(
            request, "case.html", status, error=error, one=_said(one), given=usual | dict(given or {}), actions=actions, most=MOST,
            rows=None if found is None else [(entry.seq, entry.at[:19].replace("T", " "), entry.actor, said(entry.action), entry.subject,
                                              "" if entry.detail == "{}" else entry.detail) for entry in found],
        )  # fmt: skip

    async def _query_from_page(self, request: web.Request) -> web.StreamResponse:
        number, given = (await self._case(request)).number, await fields(request)
        try:
            found = await self._cases.query(number, await self._asked(request), account_of(request).login)
        except ValueError:
            return await self._case_shown(request, 400, "期間を確かめてください。 / look at the time", given=given)
        except RefusedError as refusal:
            return await self._case_shown(request, 422, str(refusal), given=given)
        return await self._case_shown(request, found=found, given=given)

    async def _export_from_page(self, request: web.Request) -> web.StreamResponse:
        return await self._export(request)

    async def _close_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._cases.end((await self._case(request)).number, account_of(request).login)
        except RefusedError as refusal:
            return await self._case_shown(request, 422, str(refusal))
        raise web.HTTPSeeOther("/audit/cases")

    async def _begun(self, request: web.Request) -> Investigation:
        """Raises RefusedError, ValueError."""
        given = await fields(request)
        return await self._cases.begin(given.get("purpose", ""), given.get("ordered_by", ""), account_of(request).login)

    async def _case(self, request: web.Request) -> Investigation:
        try:
            return await self._cases.find(request.match_info["number"])
        except NoSuchInvestigationError:
            raise web.HTTPNotFound from None

    async def _asked(self, request: web.Request) -> Asked:
        """Raises ValueError."""
        return asked_of(await fields(request), self._care.clock(), moment)


def _proved(proof: Proof) -> dict[str, Any]:
    found = proof.verified
    last = proof.anchors[-1] if proof.anchors else None
    return {
        "at": rfc3339(proof.at), "entries": found.entries, "seq": found.head.seq, "hash": found.head.hash, "broken": found.broken,
        "why": found.why, "anchors": len(proof.anchors), "last_anchor": None if last is None else msgspec.to_builtins(last),
        "unreadable": proof.faults,
    }  # fmt: skip


def _proof_said(proof: Proof) -> dict[str, Any]:
    found, last = proof.verified, proof.anchors[-1] if proof.anchors else None
    return {
        "good": found.broken is None, "broken": found.broken, "why": found.why, "entries": f"{found.entries:,}", "at": when(proof.at),
        "hash": found.head.hash, "anchors": len(proof.anchors), "anchored": "" if last is None else when(moment(last.at)),
        "faults": list(proof.faults.items()),
    }  # fmt: skip


def _told(one: Investigation) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return told | {"opened_at": rfc3339(one.opened_at), "closed_at": None if one.closed_at is None else rfc3339(one.closed_at)}


def _said(one: Investigation) -> dict[str, Any]:
    return {
        "number": one.number, "purpose": one.purpose, "ordered_by": one.ordered_by, "opened": f"{when(one.opened_at)}　{one.opened_by}",
        "closed": "" if one.closed_at is None else f"{when(one.closed_at)}　{one.closed_by}", "queries": one.queries,
    }  # fmt: skip
