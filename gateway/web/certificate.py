"""無害化証明書: the signed receipt of one delivered file as a page, a paper (PDF), and the document itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple
from urllib.parse import quote

import msgspec
from aiohttp import web

from gateway.model import Transfer
from gateway.printing.document import printed
from gateway.printing.paper import Facts, Heading, Paper, Paragraph, Table
from gateway.receipts import Receipt
from gateway.storage.journal import Journal
from gateway.web import words
from gateway.web.problem import problem
from gateway.web.routes import Route
from gateway.web.signin import SignIn
from gateway.web.view import english, said, when
from sanitizers.model import Report

_JSON: Final = "/api/v1/transfers/{receipt_no}/receipt"
_PDF: Final = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
_TITLE: Final = "無害化証明書 / Certificate of sanitisation"
_HOW: Final = (
    "この証明書は、無害化の結果に電子署名（Ed25519）した記録を書面にしたものです。"
    "ファイルとの対応は「sekisho receipt verify」で確かめられます。"
    " / This paper shows a record that is signed electronically (Ed25519). `sekisho receipt verify` checks the file against it."
)

# The transfer that a request is about, if whoever asks may see it.
Finder = Callable[[web.Request], Awaitable[Transfer | None]]


class _Known(NamedTuple):
    transfer: Transfer
    receipt: Receipt
    document: str
    report: Report | None


class CertificatePages:
    """Handlers of one face. `seen` says whose transfer it is."""

    def __init__(self, journal: Journal, signin: SignIn, seen: Finder) -> None:
        self._journal = journal
        self._signin = signin
        self._seen = seen

    def routes(self) -> tuple[Route, ...]:
        faults = {404: "not found, or nothing was delivered"}
        return (
            Route("GET", _JSON, self._document, "the signed receipt (無害化証明) of what was delivered", faults=faults),
            Route("GET", f"{_JSON}.pdf", self._paper, "the same as a paper", content=_PDF, faults=faults),
        )

    def install(self, application: web.Application) -> None:
        application.router.add_get("/transfers/{receipt_no}/receipt", self._page)

    async def _document(self, request: web.Request) -> web.Response:
        known = await self._known(request)
        return problem(404) if known is None else web.json_response(text=known.document)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        known = await self._known(request)
        if known is None:
            return problem(404)
        parts = words.parts(known.report) if known.report is not None else []
        return self._signin.page(
            request, "certificate.html", facts=_facts(known), parts=parts, receipt_no=known.transfer.receipt_no, how=_HOW
        )

    async def _paper(self, request: web.Request) -> web.Response:
        known = await self._known(request)
        if known is None:
            return problem(404)
        parts = words.parts(known.report) if known.report is not None else []
        rows = tuple(("　" * part["depth"] + part["name"], said(part["said"]), "\n".join(map(said, part["findings"]))) for part in parts)
        paper = Paper(
            title=said(_TITLE),
            number=known.transfer.receipt_no,
            issued=when(_moment(known.receipt)),
            organisation=known.receipt.organisation,
            blocks=(
                Facts(tuple((said(name), value) for name, value in _facts(known))),
                Heading(said("処理の内容 / What was done")),
                Table(tuple(map(said, ("ファイル / File", "結果 / Result", "内容 / Details"))), rows, widths=(3, 3, 5)),
                Paragraph(said(_HOW), small=True),
            ),
        )
        name = quote(f"{'receipt' if english() else '無害化証明書'}-{known.transfer.receipt_no}.pdf", safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
        return web.Response(body=printed(paper), content_type="application/pdf", headers=headers)

    async def _known(self, request: web.Request) -> _Known | None:
        transfer = await self._seen(request)
        document = None if transfer is None else await self._journal.receipt(transfer.id)
        if transfer is None or not document:
            return None
        try:
            receipt = msgspec.json.decode(document, type=Receipt)
        except msgspec.DecodeError:
            return None
        return _Known(transfer, receipt, document, await self._journal.report(transfer.id))


def _facts(known: _Known) -> list[tuple[str, str]]:
    """Name and value, as page and paper show them."""
    transfer, receipt = known.transfer, known.receipt
    output = transfer.result.name if transfer.result is not None else ""
    verdict = said(words.VERDICTS_SAID[receipt.verdict])
    rows = [
        ("受付番号 / Receipt", receipt.receipt_no),
        ("結果 / Result", verdict),
        ("元のファイル / Original", f"{transfer.subject or transfer.name}\n{receipt.input_size:,} B\nSHA-256 {receipt.input_sha256}"),
        ("無害化後のファイル / Result file", f"{output}\n{receipt.output_size:,} B\nSHA-256 {receipt.output_sha256}".lstrip("\n")),
        ("検出の件数 / Findings", str(receipt.findings)),
        ("承認 / Approved by", receipt.approved_by),
        ("電子署名の確認 / Electronic signatures", "\n".join(receipt.signatures)),
        ("発行日時 / Issued", when(_moment(receipt))),
        ("ポリシー・ルール・エンジン / Policy, rules, engine", f"{receipt.policy}\n{receipt.rules}\n{receipt.engine}"),
        ("署名（鍵） / Signature (key)", f"{receipt.signature}\n（{receipt.key}）"),
    ]
    return [(name, value) for name, value in rows if value]


def _moment(receipt: Receipt) -> float:
    return dt.datetime.fromisoformat(receipt.issued_at).timestamp()
