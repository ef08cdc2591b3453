"""Everything that crossed, at the desk: find one in seconds, see why it stands where it stands, act on it with a reason."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from aiohttp import web

from gateway.admin import asking, saying
from gateway.model import IllegalTransitionError, Transfer, rfc3339
from gateway.operating import Deed, Operating, possible
from gateway.pipeline import StoppedByScannersError
from gateway.storage.faults import LeaseLostError, NoSuchTransferError
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.settling import NotAllowedError
from gateway.web import words
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn, account_of

_LIST: Final = "/api/v1/transfers"
_ONE: Final = _LIST + "/{receipt_no}"
_ROWS: Final = {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
_BODY: Final = {"application/json": {"schema": {"type": "object", "required": ["reason"], "properties": {"reason": {"type": "string"}}}}}
_FAULTS: Final = {400: "no reason, or not a deed", 404: "not found", 409: "not possible in this state", 422: "it cannot be done"}
_SAME: Final = 50
_LONGEST_REASON: Final = 500
# More rows than any spreadsheet opens with pleasure; the rest is asked for by its days.
_MOST_EXPORTED: Final = 100_000
_COLUMNS: Final = (
    "receipt_no", "received_at", "door", "organisation", "sender", "recipients", "subject", "name", "size", "sha256", "state", "verdict",
    "reason", "policy", "rules", "note",
)  # fmt: skip
_TITLES: Final = (
    "受付番号", "受付日時", "入口", "団体", "差出人・利用者", "宛先", "件名", "ファイル名", "サイズ", "SHA-256", "状態", "判定",
    "理由", "ポリシー版", "ルール版", "備考",
)  # fmt: skip
# What a spreadsheet would run as a formula.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class NoReasonError(ValueError):
    """Nothing is done at the desk without saying why."""


class TransfersDesk:
    """Handlers; see `Desk` in gateway.admin.app."""

    def __init__(self, journal: Journal, operating: Operating, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._operating = operating
        self._clock = clock
        self._signin: SignIn
        deed = "release, hold, retry, as-pixels, confirm or delete; what is possible now stands in `deeds` of the transfer"
        self.routes: Sequence[Route] = (
            Route("GET", _LIST, self._list, "transfers, the youngest first", content=_ROWS, query=asking.QUERY, faults={400: "bad"}),
            Route("GET", "/api/v1/transfers.csv", self._export, "the same as CSV", content={"text/csv": {"schema": {"type": "string"}}},
                  query=asking.QUERY, faults={400: "bad"}),
            Route("GET", _ONE, self._show, "one transfer: report, receipt, deliveries, record", faults={404: "not found"}),
            Route("POST", _ONE + "/{deed}", self._act, deed, body=_BODY, faults=_FAULTS),
        )  # fmt: skip

    def install(self, application: web.Application, signin: SignIn) -> None:
        self._signin = signin
        signin.link("/transfers", "転送の検索", "Transfers")
        application.router.add_get("/transfers", self._search_page)
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
        shown = transfer.listed() | {
            "report": msgspec.to_builtins(report),
            "receipt": json.loads(receipt) if receipt else None,
            "deliveries": [_delivered(one) for one in await self._journal.deliveries(transfer.id)],
            "record": [msgspec.to_builtins(entry) async for entry in self._journal.entries(subject=transfer.receipt_no)],
            "same": [one.receipt_no for one in await self._same(transfer)],
            "deeds": list(possible(transfer, report)),
        }
        return web.json_response(shown)

    async def _act(self, request: web.Request) -> web.Response:
        transfer = await self._named(request)
        try:
            reason = (await request.json())["reason"]
            deed = Deed(request.match_info["deed"])
            await self._do(request, deed, transfer, reason)
        except (NoReasonError, ValueError, KeyError, TypeError) as error:
            return problem(400, str(error) if isinstance(error, NoReasonError) else "", receipt_no=transfer.receipt_no)
        except (IllegalTransitionError, LeaseLostError) as error:
            return problem(409, str(error), receipt_no=transfer.receipt_no)
        except (NotAllowedError, StoppedByScannersError) as error:
            return problem(422, str(error), receipt_no=transfer.receipt_no)
        return web.json_response((await self._journal.transfer(transfer.id)).listed())

    async def _export(self, request: web.Request) -> web.StreamResponse:
        """As a spreadsheet of a Japanese desk opens it: UTF-8 with a mark, CR LF, nothing that it would run. Recorded."""
        try:
            wanted = await self._asked(request)
        except ValueError as error:
            return problem(400, str(error))
        await self._journal.record(
            at=self._clock(), actor=account_of(request).login, action="transfers.exported", subject="", detail=dict(request.query)
        )
        response = web.StreamResponse(
            headers={"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="transfers.csv"'}
        )
        await response.prepare(request)
        await response.write(b"\xef\xbb\xbf" + _csv([_TITLES]))
        wanted = msgspec.structs.replace(wanted, limit=asking.MOST)
        left = _MOST_EXPORTED
        while left > 0 and (page := await self._journal.transfers(wanted)):
            await response.write(_csv([[_cell(transfer.listed()[column]) for column in _COLUMNS] for transfer in page[:left]]))
            left -= len(page)
            wanted = msgspec.structs.replace(wanted, before_id=page[-1].id)
        await response.write_eof()
        return response

    # ----------------------------------------------------------------------------------------------------------- pages

    async def _search_page(self, request: web.Request) -> web.Response:
        error, found = "", list[Transfer]()
        try:
            found = await self._journal.transfers(await self._asked(request))
        except ValueError as fault:
            error = f"検索条件を確かめてください（{fault}） / please check the conditions"
        asked = dict.fromkeys(asking.QUERY, "") | dict(request.query)
        rows = [words.row(transfer, await self._journal.report(transfer.id)) for transfer in found]
        older = request.rel_url.update_query(before=found[-1].receipt_no) if found else ""
        exported = request.rel_url.with_path("/api/v1/transfers.csv").with_query(request.query)
        return self._signin.page(
            request, "search.html", 400 if error else 200, error=error, rows=rows, asked=asked, older=older, exported=exported,
            choices=saying.CHOICES,
        )  # fmt: skip

    async def _page(self, request: web.Request) -> web.Response:
        return await self._rendered(request, await self._named(request))

    async def _from_page(self, request: web.Request) -> web.StreamResponse:
        transfer, given = await self._named(request), await request.post()
        try:
            await self._do(request, Deed(str(given.get("deed", ""))), transfer, str(given.get("reason", "")))
        except (NoReasonError, IllegalTransitionError, LeaseLostError, NotAllowedError, StoppedByScannersError, ValueError) as error:
            now = await self._journal.transfer(transfer.id)
            return await self._rendered(request, now, 409, f"できませんでした：{error} / could not be done")
        raise web.HTTPSeeOther(f"/transfers/{transfer.receipt_no}")

    async def _rendered(self, request: web.Request, transfer: Transfer, status: int = 200, error: str = "") -> web.Response:
        report = await self._journal.report(transfer.id)
        entries = [entry async for entry in self._journal.entries(subject=transfer.receipt_no)]
        return self._signin.page(
            request,
            "one.html",
            status,
            error=error,
            one=transfer.listed(),
            row=words.row(transfer),
            parts=words.parts(report) if report is not None else [],
            matches=[(part.input.name, match) for part in report.tree() for match in part.matches] if report is not None else [],
            deliveries=[_delivered(delivery) for delivery in await self._journal.deliveries(transfer.id)],
            timeline=[saying.step(entry) for entry in entries],
            same=[words.row(other) for other in await self._same(transfer)],
            deeds=[(deed, saying.DEEDS[deed]) for deed in possible(transfer, report)],
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

    async def _do(self, request: web.Request, deed: Deed, transfer: Transfer, reason: object) -> None:
        """Raises NoReasonError and what `Operating.act` raises."""
        if not isinstance(reason, str) or not reason.strip():
            raise NoReasonError("理由を入力してください / a reason is needed")
        await self._operating.act(deed, transfer, actor=account_of(request).login, note=" ".join(reason.split())[:_LONGEST_REASON])


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


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> str:
    text = "" if value is None else "; ".join(value) if isinstance(value, list) else str(value)
    return "'" + text if text.startswith(_RUNS) else text
