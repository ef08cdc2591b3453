"""Everything that crossed, at the desk: find one in seconds, see why it stands where it stands, act on it with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from gateway.admin import asking, drafting, exports, saying, workbook
from gateway.model import IllegalTransitionError, Transfer, rfc3339
from gateway.people.permissions import permitted
from gateway.people.roles import Role
from gateway.policy import locked
from gateway.requests.disposing import Asked, Disposing
from gateway.requests.operating import BACK, MANY, Deed, Operating, Way, possible
from gateway.road.pipeline import StoppedByScannersError
from gateway.storage import evidence, settling
from gateway.storage.faults import LeaseLostError, NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.settling import NotAllowedError
from gateway.web import words
from gateway.web.given import sent
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of, posted
from sanitizers.model import Report

_LIST: Final = "/api/v1/transfers"
_ONE: Final = _LIST + "/{receipt_no}"
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_BODY: Final = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["reason"],
            "properties": {"reason": {"type": "string"}, "way": {"enum": [*Way], "description": "of `again`"},
                           "password": {"type": "string", "description": "of `again`: used once, written nowhere"}},
        }
    }
}  # fmt: skip
_FAULTS: Final = {400: "no reason, or not a deed", 404: "not found", 409: "not possible in this state", 422: "it cannot be done"}
_SAME: Final = 50
_LONGEST_REASON: Final = 500
# So many at once, as one page of the search shows.
_MOST_AT_ONCE: Final = 200
_MANY: Final = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["deed", "reason", "receipt_nos"],
            "properties": {"deed": {"enum": sorted(MANY)}, "reason": {"type": "string"},
                           "receipt_nos": {"type": "array", "items": {"type": "string"}, "maxItems": _MOST_AT_ONCE}},
        }
    }
}  # fmt: skip


class NoReasonError(ValueError):
    """Nothing is done at the desk without saying why."""


class TransfersDesk:
    """Handlers; see `Desk` in gateway.admin.app. `disposing`: with it what is deleted is asked for, and goes on another person's word."""

    def __init__(self, journal: Journal, operating: Operating, clock: Callable[[], float], disposing: Disposing | None = None) -> None:
        self._journal = journal
        self._operating = operating
        self._disposing = disposing
        self._clock = clock
        self._signin: SignIn
        deed = f"{', '.join(Deed)}; what is possible now stands in `deeds` of the transfer"
        sheet = {workbook.KIND: {"schema": {"type": "string", "format": "binary"}}}
        self.routes: Sequence[Route] = (
            Route("GET", _LIST, self._list, "transfers, the youngest first", content=_ROWS, query=asking.QUERY, faults={400: "bad"}),
            Route("GET", "/api/v1/transfers.csv", self._export, "the same as CSV", content={"text/csv": {"schema": {"type": "string"}}},
                  query=asking.QUERY, faults={400: "bad"}),
            Route("GET", "/api/v1/transfers.xlsx", self._export_workbook, "the same as an Excel workbook", content=sheet,
                  query=asking.QUERY, faults={400: "bad"}),
            Route("POST", _LIST, self._act_on_many, "one deed on many; which it could not be done on, and why", body=_MANY,
                  faults={400: "no reason, not a deed for many, or too many", 404: "one of them is not found"}),
            Route("GET", _ONE, self._show, "one transfer: report, receipt, deliveries, record", faults={404: "not found"}),
            Route("POST", _ONE + "/{deed}", self._act, deed, body=_BODY, faults=_FAULTS),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/transfers", "転送の検索", "Transfers")
        application.router.add_get("/transfers", self._search_page)
        application.router.add_post("/transfers", self._many_from_page)
        application.router.add_get("/transfers/{receipt_no}", self._page)
        application.router.add_post("/transfers/{receipt_no}", self._from_page)

    # ------------------------------------------------------------------------------------------------------------- API

    async def _list(self, request: web.Request) -> web.Response:
        try:
            found = await self._journal.transfers(await self._asked(request))
        except ValueError as error:
            return problem(400, str(error))
        return web.json_response([transfer.listed() for transfer in found])

    async def _show(self, request: web.Request) -> web.Response:
        transfer = await self._named(request)
        report, receipt = await self._journal.report(transfer.id), await self._journal.receipt(transfer.id)
        kept = await self._journal.ask(lambda connection: evidence.kept(connection, transfer.id))
        shown = transfer.listed() | {
            "report": msgspec.to_builtins(report),
            "receipt": json.loads(receipt) if receipt else None,
            "deliveries": [_delivered(one) for one in await self._journal.deliveries(transfer.id)],
            "record": [msgspec.to_builtins(entry) async for entry in self._journal.entries(subject=transfer.receipt_no)],
            "same": [one.receipt_no for one in await self._same(transfer)],
            "kept": kept._asdict() if kept is not None else None,
            "deeds": list(possible(transfer, report, kept=kept is not None)),
        }
        return web.json_response(shown)

    async def _act(self, request: web.Request) -> web.Response:
        transfer = await self._named(request)
        try:
            given = await sent(request)
            deed, reason = Deed(request.match_info["deed"]), given["reason"]
            if asked := await self._asked_first(request, deed, [transfer], reason):
                return web.json_response({"request": asked.request.number, "state": asked.request.state}, status=202)
            await self._do(request, deed, transfer, reason, given)
        except (NoReasonError, ValueError, KeyError, TypeError) as error:
            return problem(400, str(error) if isinstance(error, NoReasonError) else "", receipt_no=transfer.receipt_no)
        except (IllegalTransitionError, LeaseLostError) as error:
            return problem(409, str(error), receipt_no=transfer.receipt_no)
        except (NotAllowedError, StoppedByScannersError) as error:
            return problem(422, str(error), receipt_no=transfer.receipt_no)
        return web.json_response((await self._journal.transfer(transfer.id)).listed())

    async def _act_on_many(self, request: web.Request) -> web.Response:
        try:
            given = await sent(request)
            deed, reason, numbers = Deed(given["deed"]), given["reason"], given["receipt_nos"]
            wanted = await self._chosen(numbers)
            if asked := await self._asked_first(request, deed, wanted, reason):
                return web.json_response({"request": asked.request.number, "refused": asked.refused}, status=202)
            refused = await self._do_on_many(request, deed, wanted, reason)
        except (NoReasonError, NotAllowedError, ValueError, KeyError, TypeError) as error:
            return problem(400, str(error) if isinstance(error, NoReasonError | NotAllowedError) else "")
        done = [transfer.receipt_no for transfer in wanted if transfer.receipt_no not in refused]
        return web.json_response({"done": done, "refused": refused})

    async def _export(self, request: web.Request) -> web.StreamResponse:
        """Recorded, as everything is that leaves in bulk."""
        try:
            wanted = await self._asked(request)
        except ValueError as error:
            return problem(400, str(error))
        await self._exported(request)
        response = web.StreamResponse(
            headers={"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="transfers.csv"'}
        )
        await response.prepare(request)
        async for lines in exports.as_csv(self._journal, wanted):
            await response.write(lines)
        await response.write_eof()
        return response

    async def _export_workbook(self, request: web.Request) -> web.StreamResponse:
        try:
            wanted = await self._asked(request)
        except ValueError as error:
            return problem(400, str(error))
        await self._exported(request)
        headers = {"Content-Disposition": 'attachment; filename="transfers.xlsx"'}
        return web.Response(body=await exports.as_workbook(self._journal, wanted), content_type=workbook.KIND, headers=headers)

    async def _exported(self, request: web.Request) -> None:
        actor, detail = account_of(request).login, dict[str, object](request.query)
        await self._journal.record(at=self._clock(), actor=actor, action="transfers.exported", subject=request.path, detail=detail)

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _search_page(self, request: web.Request) -> web.Response:
        return await self._found(request)

    async def _found(self, request: web.Request, status: int = 200, error: str = "", done: str = "", back: Any = None) -> web.Response:
        found = list[Transfer]()
        try:
            found = await self._journal.transfers(await self._asked(request))
        except ValueError as fault:
            status, error = 400, f"検索条件を確かめてください（{fault}） / please check the conditions"
        exported = [(title, request.rel_url.with_path(path).with_query(request.query)) for title, path in _EXPORTS]
        return self._signin.page(
            request, "search.html", status, error=error, done=done, back=back, exported=exported, choices=saying.CHOICES,
            asked=dict.fromkeys(asking.QUERY, "") | dict(request.query),
            here=request.rel_url, older=request.rel_url.update_query(before=found[-1].receipt_no) if found else "",
            rows=[self._row(transfer, await self._journal.report(transfer.id)) for transfer in found],
            deeds=[(deed, saying.DEEDS[deed]) for deed in Deed if deed in MANY] if self._may_act(request) else [],
        )  # fmt: skip

    @staticmethod
    def _row(transfer: Transfer, report: Report | None) -> dict[str, Any]:
        first, *others = transfer.recipients or ("",)
        return words.row(transfer, report) | {"to": first, "others": len(others), "size": transfer.size}

    async def _many_from_page(self, request: web.Request) -> web.StreamResponse:
        given = await posted(request)
        numbers = [str(one) for one in given.getall("receipt_no", [])]
        try:
            deed = Deed(str(given.get("deed", "")))
            if deed is Deed.DELETE and given.get("sure") != "yes":
                raise NoReasonError(_SURE)
            wanted = await self._chosen(numbers)
            if asked := await self._asked_first(request, deed, wanted, given.get("reason", "")):
                raise web.HTTPSeeOther(f"/requests/{asked.request.number}")
            refused = await self._do_on_many(request, deed, wanted, given.get("reason", ""))
        except (NoReasonError, NotAllowedError, ValueError) as error:
            return await self._found(request, 409, f"できませんでした：{error} / could not be done")
        done = f"{saying.DEEDS[deed][0]}：{len(wanted) - len(refused)}件 / {saying.DEEDS[deed][1]}: {len(wanted) - len(refused)}"
        why = "".join(f" {text}。" for text in refused.values())
        gone = [one.receipt_no for one in wanted if one.receipt_no not in refused]
        back = (BACK[deed].value, gone, " / ".join(saying.DEEDS[BACK[deed]][:2])) if deed in BACK and gone else None
        return await self._found(request, error=f"できなかったもの {len(refused)}件：{why}" if refused else "", done=done, back=back)

    async def _page(self, request: web.Request) -> web.Response:
        return await self._rendered(request, await self._named(request))

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        transfer, given = await self._named(request), await posted(request)
        try:
            deed, reason = Deed(str(given.get("deed", ""))), str(given.get("reason", ""))
            if asked := await self._asked_first(request, deed, [transfer], reason):
                raise web.HTTPSeeOther(f"/requests/{asked.request.number}")
            await self._do(request, deed, transfer, reason, given)
        except (NoReasonError, IllegalTransitionError, LeaseLostError, NotAllowedError, StoppedByScannersError, ValueError) as error:
            now = await self._journal.transfer(transfer.id)
            return await self._rendered(request, now, 409, f"できませんでした：{error} / could not be done")
        raise web.HTTPSeeOther(f"/transfers/{transfer.receipt_no}?done={deed}")

    async def _rendered(self, request: web.Request, transfer: Transfer, status: int = 200, error: str = "") -> web.Response:
        report, receipt = await self._journal.ask(lambda connection: settling.report_of(connection, transfer.id))
        entries = [entry async for entry in self._journal.entries(subject=transfer.receipt_no)]
        kept = await self._journal.ask(lambda connection: evidence.kept(connection, transfer.id))
        deeds = possible(transfer, report, kept=kept is not None) if self._may_act(request) else ()
        return self._signin.page(
            request,
            "one.html",
            status,
            error=error,
            one=transfer.listed(),
            row=words.row(transfer),
            parts=words.parts(report) if report is not None else [],
            matches=[match | {"severity": saying.SEVERITIES[match["severity"]]} for match in _matches(report)],
            mail=report.mail if report is not None else None,
            receipt=_laid_out(receipt),
            kept=kept,
            takes_out=self._may(request, "GET", "/transfers/{receipt_no}/original"),
            drafted=drafting.draft(transfer, report, account_of(request).login) if self._may(request, "POST", "/rules") else None,
            excepted=_excepted(transfer, report) if self._may(request, "POST", "/exceptions") else "",
            deliveries=[saying.delivery(delivery) for delivery in await self._journal.deliveries(transfer.id)],
            timeline=[saying.step(entry) for entry in entries],
            same=[words.row(other) for other in await self._same(transfer)],
            deeds=[(deed, saying.DEEDS[deed]) for deed in deeds if deed is not Deed.AGAIN],
            ways=[(way.value, *said) for way, said in saying.WAYS.items()] if Deed.AGAIN in deeds else [],
            locked=[part.input.name for part in locked(report)],
            back=_back(request, deeds),
        )

    # ----------------------------------------------------------------------------------------------------------- small

    async def _asked(self, request: web.Request) -> Filter:
        """Raises ValueError."""
        before = request.query.get("before", "").strip()
        try:
            return asking.read(request, (await self._journal.find(before)).id if before else None)
        except NoSuchTransferError:
            raise ValueError("before: no such transfer") from None

    async def _named(self, request: web.Request) -> Transfer:
        try:
            return await self._journal.find(request.match_info["receipt_no"])
        except NoSuchTransferError:
            raise web.HTTPNotFound from None

    async def _same(self, transfer: Transfer) -> list[Transfer]:
        """Who else got these very bytes."""
        found = await self._journal.transfers(Filter(sha256=transfer.sha256, limit=_SAME + 1))
        return [other for other in found if other.id != transfer.id][:_SAME]

    async def _asked_first(self, request: web.Request, deed: Deed, wanted: Sequence[Transfer], reason: object) -> Asked | None:
        """The request, where a deed needs another person's word. Raises NoReasonError, NotAllowedError."""
        if self._disposing is None or deed is not Deed.DELETE:
            return None
        return await self._disposing.ask(wanted, account_of(request), _reason(reason))

    async def _do(self, request: web.Request, deed: Deed, transfer: Transfer, reason: object, given: Mapping[str, object]) -> None:
        """`given`: how, where a deed can be done in several ways. Raises NoReasonError, ValueError and what `Operating.act` raises."""
        way, password = Way(str(given.get("way") or Way.POLICY)), given.get("password") or ""
        if not isinstance(password, str):
            raise ValueError("password")
        await self._operating.act(
            deed, transfer, actor=account_of(request).login, note=_reason(reason), way=way, password=password
        )

    async def _do_on_many(self, request: web.Request, deed: Deed, wanted: Sequence[Transfer], reason: object) -> dict[str, str]:
        """Raises NoReasonError, NotAllowedError."""
        return await self._operating.act_on_many(deed, wanted, actor=account_of(request).login, note=_reason(reason))

    async def _chosen(self, numbers: object) -> list[Transfer]:
        """Raises NoReasonError for none or too many, ValueError for what are no receipt numbers."""
        if not isinstance(numbers, list) or not all(isinstance(one, str) for one in numbers):
            raise ValueError("receipt numbers")
        chosen = list(dict.fromkeys(numbers))
        if not 0 < len(chosen) <= _MOST_AT_ONCE:
            raise NoReasonError(f"1件から{_MOST_AT_ONCE}件まで選んでください / choose 1 to {_MOST_AT_ONCE}")
        try:
            return [await self._journal.find(one) for one in chosen]
        except NoSuchTransferError:
            raise web.HTTPNotFound from None

    def _may_act(self, request: web.Request) -> bool:
        return self._may(request, "POST", "/transfers")

    @staticmethod
    def _may(request: web.Request, method: str, path: str) -> bool:
        return permitted("admin", method, path, Role(account_of(request).role))


def _back(request: web.Request, deeds: Sequence[Deed]) -> tuple[str, str, str] | None:
    """What was just done, in words, and the deed that takes it back, if that can be done now."""
    done = request.query.get("done", "")
    if done not in set(Deed):
        return None
    back, said = BACK.get(Deed(done)), " / ".join(saying.DEEDS[Deed(done)][:2])
    return (said, back.value, " / ".join(saying.DEEDS[back][:2])) if back in deeds and back is not None else (said, "", "")


def _reason(given: object) -> str:
    """Raises NoReasonError."""
    if not isinstance(given, str) or not given.strip():
        raise NoReasonError("理由を入力してください / a reason is needed")
    return " ".join(given.split())[:_LONGEST_REASON]


def _matches(report: Report | None) -> list[dict[str, Any]]:
    """With what was seen, in hex and as letters."""
    if report is None:
        return []
    return [
        {"part": part.input.name, "rule": match.rule, "severity": match.severity, "where": match.where,
         "seen": [drafting.dump(one) for one in match.seen]}
        for part in report.tree() for match in part.matches
    ]  # fmt: skip


def _laid_out(document: str | None) -> str:
    """A receipt for the eye: one value in a line."""
    return "" if not document else json.dumps(json.loads(document), ensure_ascii=False, indent=2)


def _excepted(transfer: Transfer, report: Report | None) -> str:
    """The form of an exception, filled with what is known of this file."""
    known = {"sha256": transfer.sha256, "kind": str(report.input.kind) if report is not None else ""}
    return "/exceptions?" + urlencode({name: value for name, value in known.items() if value}) + "#ask"


_SURE: Final = "廃棄は取り消せません。確認欄に印を付けてください。 / deleting cannot be undone: tick that you are sure"
_EXPORTS: Final = (("CSV", "/api/v1/transfers.csv"), ("Excel", "/api/v1/transfers.xlsx"))


def _delivered(delivery: Any) -> dict[str, Any]:
    return {
        "purpose": str(delivery.purpose),
        "first_at": rfc3339(delivery.first_at),
        "recipients": [
            {"address": one.address, "state": str(one.state), "attempts": one.attempts, "code": one.code, "text": one.text,
             "due": rfc3339(one.due) if one.due is not None else None}
            for one in delivery.recipients
        ],
    }  # fmt: skip

