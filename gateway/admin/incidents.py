"""事案・障害 at the desk: open one from a transfer, see how far it reaches, write it down, print the draft of its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import papers
from gateway.caretaking import Caretaking
from gateway.model import Transfer, rfc3339
from gateway.people.permissions import permitted
from gateway.people.roles import RefusedError, Role
from gateway.registers import papers as written
from gateway.registers.incidents import CLOSED, KINDS, Incident, Kind, NoSuchIncidentError, Reach, Register
from gateway.reports.tables import Sheet, as_csv
from gateway.storage import contacts, documents
from gateway.storage.faults import NoSuchTransferError
from gateway.storage.incidents import FAULTS, MOMENTS, TEXTS
from gateway.web.given import fields, local, moment
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of
from gateway.web.words import when

_ALL: Final = "/api/v1/incidents"
_ONE: Final = _ALL + "/{number}"
_TEXT: Final = {"type": "string"}
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_OPENED: Final = {
    "application/json": {"schema": {"type": "object", "required": ["kind", "text"],
                                    "properties": {"kind": {"enum": [*Kind]}, "text": _TEXT, "receipt_no": _TEXT, "title": _TEXT}}}
}  # fmt: skip
_FIELDS: Final = {"application/json": {"schema": {"type": "object", "properties": dict.fromkeys(("text", *TEXTS, *MOMENTS), _TEXT)}}}
_FAULTS: Final = {400: "not understood", 404: "not found", 422: "refused, with the reason"}
_BAD: Final = "入力に誤りがあります（{}）。 / something is missing or wrong ({})"
_HOW: Final = {"mail": "メール / mail", "share": "共有フォルダ / share", "pickup": "受取り画面 / pickup"}


class IncidentsDesk:
    """Handlers; see gateway.web.desks.Desk."""

    def __init__(self, care: Caretaking) -> None:
        self._care = care
        self._incidents = care.incidents
        self._signin: SignIn
        query = {"register": "incident or fault"}
        deed = "change (any of the fields), note, acknowledge, close, reopen or print; `text` says why"
        self.routes: Sequence[Route] = (
            Route("GET", _ALL, self._list, "incidents and faults, open ones first", content=_ROWS, query=query, faults={400: "bad"}),
            Route(
                "GET",
                _ALL + ".csv",
                self._export,
                "the same as CSV",
                content={"text/csv": {"schema": _TEXT}},
                query=query,
                faults={400: "bad"},
            ),
            Route("POST", _ALL, self._open, "open one; a second of the same is added to the first", 201, body=_OPENED, faults=_FAULTS),
            Route("GET", _ONE, self._show, "one, with its history and how far it reaches", faults={404: "not found"}),
            Route("POST", _ONE + "/{deed}", self._act, deed, body=_FIELDS, faults=_FAULTS),
        )

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/incidents", "事案・障害", "Incidents")
        application.router.add_get("/incidents", self._page)
        application.router.add_post("/incidents", self._open_from_page)
        application.router.add_get("/incidents/{number}", self._one_page)
        application.router.add_post("/incidents/{number}/{deed}", self._act_from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _list(self, request: web.Request) -> web.Response:
        try:
            register = Register(request.query["register"]) if request.query.get("register") else None
        except ValueError:
            return problem(400)
        return web.json_response([_told(one) for one in await self._incidents.listed(register)])

    async def _export(self, request: web.Request) -> web.Response:
        """台帳 with every field, for a spreadsheet."""
        try:
            register = Register(request.query["register"]) if request.query.get("register") else None
        except ValueError:
            return problem(400)
        found = await self._incidents.listed(register)
        rows = tuple(tuple("" if value is None else str(value) for value in _told(one).values()) for one in found)
        names = tuple(name for name in Incident.__struct_fields__ if name not in ("id", "transfer_id"))
        content = as_csv([Sheet("incidents", "事案・障害の台帳 / incidents and faults", names, rows)])
        headers = {"Content-Disposition": 'attachment; filename="incidents.csv"'}
        return web.Response(body=content, content_type="text/csv", charset="utf-8", headers=headers)

    async def _open(self, request: web.Request) -> web.Response:
        try:
            made = await self._opened(request, await fields(request))
        except (ValueError, KeyError):
            return problem(400)
        except NoSuchTransferError:
            return problem(404)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response(_told(made), status=201)

    async def _show(self, request: web.Request) -> web.Response:
        one = await self._named(request)
        steps, reach = await self._incidents.steps(one), await self._incidents.scope(one)
        return web.json_response(
            _told(one) | {"steps": msgspec.to_builtins(steps), "scope_found": None if reach is None else _reached(reach)}
        )

    async def _act(self, request: web.Request) -> web.Response:
        try:
            await self._do(request, await fields(request))
        except ValueError:
            return problem(400)
        except RefusedError as refusal:
            return problem(422, str(refusal))
        return web.json_response(_told(await self._named(request)))

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _page(self, request: web.Request) -> web.Response:
        return await self._shown(request)

    async def _shown(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        found = await self._incidents.listed()
        query = request.query
        return self._signin.page(
            request, "incidents.html", status, error=error, keeps=_keeps(request), receipt_no=query.get("receipt_no", ""),
            counts=[(register, sum(one.register is register and one.state != CLOSED for one in found)) for register in Register],
            kinds=[(kind.value, f"{KINDS[kind][0]} / {KINDS[kind][1]}", kind in FAULTS) for kind in Kind],
            rows=[_row(one) for one in found],
        )  # fmt: skip

    async def _open_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            made = await self._opened(request, await fields(request))
        except (ValueError, KeyError) as error:
            return await self._shown(request, 400, _BAD.format(error, error))
        except NoSuchTransferError:
            return await self._shown(request, 404, "その受付番号はありません。 / no such receipt number")
        except RefusedError as refusal:
            return await self._shown(request, 422, str(refusal))
        raise web.HTTPSeeOther(f"/incidents/{made.number}")

    async def _one_page(self, request: web.Request) -> web.Response:
        return await self._rendered(request)

    async def _act_from_page(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._do(request, await fields(request))
        except ValueError as error:
            return await self._rendered(request, 400, _BAD.format(error, error))
        except RefusedError as refusal:
            return await self._rendered(request, 422, str(refusal))
        raise web.HTTPSeeOther(f"/incidents/{request.match_info['number']}")

    async def _rendered(self, request: web.Request, status: int = 200, error: str = "") -> web.Response:
        one = await self._named(request)
        steps, reach = await self._incidents.steps(one), await self._incidents.scope(one)
        printed = await self._care.journal.ask(lambda connection: documents.listed(connection, kinds=("incident",), subject=one.number))
        return self._signin.page(
            request, "incident.html", status, error=error, one=_row(one), keeps=_keeps(request), open=one.state != CLOSED,
            given={name: getattr(one, name) for name in TEXTS} | {name: local(getattr(one, name)) for name in MOMENTS},
            steps=[(when(step.at), step.actor, *written.step_said(step)) for step in steps],
            reach=None if reach is None else _reach_said(reach), printed=papers.rows(printed),
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------------- steps

    async def _named(self, request: web.Request) -> Incident:
        try:
            return await self._incidents.find(request.match_info["number"])
        except NoSuchIncidentError:
            raise web.HTTPNotFound from None

    async def _opened(self, request: web.Request, given: dict[str, str]) -> Incident:
        """Raises RefusedError, NoSuchTransferError, ValueError, KeyError."""
        number = given.get("receipt_no", "").strip()
        transfer: Transfer | None = await self._care.journal.find(number) if number else None
        return await self._incidents.open(
            transfer, Kind(given["kind"]), given["text"], who=account_of(request).login, title=given.get("title", "").strip()
        )

    async def _do(self, request: web.Request, given: dict[str, str]) -> None:
        """Raises RefusedError, ValueError."""
        one, who, text = await self._named(request), account_of(request).login, given.get("text", "")
        match request.match_info["deed"]:
            case "change":
                await self._incidents.change(one.number, _changes(given), who=who)
            case "note":
                await self._incidents.note(one.number, text, who=who)
            case "acknowledge":
                await self._incidents.acknowledge(one.number, text, who=who)
            case "close":
                await self._incidents.close(one.number, text, who=who)
            case "reopen":
                await self._incidents.reopen(one.number, text, who=who)
            case "print":
                await self._print(one, who)
            case _:
                raise web.HTTPNotFound

    async def _print(self, one: Incident, who: str) -> None:
        steps, reach = await self._incidents.steps(one), await self._incidents.scope(one)
        chain = await self._care.journal.ask(contacts.listed)
        await papers.printed(
            self._care,
            lambda head: written.incident(head, one, steps, reach, chain),
            kind="incident",
            subject=one.number,
            title=f"{KINDS[one.kind][0]}　報告書（案）",
            actor=who,
        )


def _changes(given: dict[str, str]) -> dict[str, Any]:
    """What is in the form; an empty moment is none, but 認知日時 always is. Raises ValueError."""
    changes: dict[str, Any] = {name: given[name].strip() for name in TEXTS if name in given}
    for name in MOMENTS:
        if name in given:
            changes[name] = moment(given[name]) if given[name].strip() or name == "noticed_at" else None
    return changes


def _keeps(request: web.Request) -> bool:
    return permitted("admin", "POST", "/incidents", Role(account_of(request).role))


def _told(one: Incident) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    del told["id"], told["transfer_id"]
    for name in (*MOMENTS, "opened_at", "changed_at", "acknowledged_at", "told_at", "closed_at"):
        told[name] = None if told[name] is None else rfc3339(told[name])
    return told


def _reached(reach: Reach) -> dict[str, Any]:
    return {
        "received": [one._asdict() for one in reach.received],
        "waiting": list(reach.waiting),
        "same": [one.receipt_no for one in reach.same],
        "same_sender": reach.sender,
        "late_hits": list(reach.late),
    }


def _row(one: Incident) -> dict[str, Any]:
    ja, en = KINDS[one.kind]
    state, tone = ("完了 / closed", "ok") if one.state == CLOSED else ("対応中 / being handled", "wait")
    if one.state != CLOSED and one.acknowledged_at is None:
        state, tone = "引受け待ち / nobody has it yet", "stop"
    return {
        "number": one.number, "kind": f"{ja} / {en}", "title": one.title, "receipt_no": one.receipt_no, "said": state, "tone": tone,
        "fault": one.register is Register.FAULT, "noticed": when(one.noticed_at), "opened_by": one.opened_by,
        "acknowledged": f"{one.acknowledged_by}（{when(one.acknowledged_at)}）" if one.acknowledged_at is not None else "",
        "closed": f"{one.closed_by}（{when(one.closed_at)}）" if one.closed_at is not None else "",
        "recovered": when(one.recovered_at) if one.recovered_at is not None else "",
    }  # fmt: skip


def _reach_said(reach: Reach) -> dict[str, Any]:
    return {
        "received": [
            (one.receipt_no, one.who, _HOW.get(one.how, one.how), "" if one.at is None else when(one.at)) for one in reach.received
        ],
        "waiting": reach.waiting,
        "same": [(one.receipt_no, when(one.received_at), one.sender, one.name) for one in reach.same],
        "sender": reach.sender,
        "late": reach.late,
    }
