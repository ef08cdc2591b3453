"""The list of transfers as a table that goes elsewhere: CSV as a spreadsheet of a Japanese desk opens it, or an Excel workbook."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple

import msgspec

from gateway.admin import asking, workbook
from gateway.admin.workbook import Workbook
from gateway.model import Transfer
from gateway.storage.journal import Journal
from gateway.storage.search import Filter

# More rows than any spreadsheet opens with pleasure; the rest is asked for by its days.
MOST: Final = 100_000
# What a spreadsheet would run as a formula when it opens a CSV.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class _Column(NamedTuple):
    field: str
    title: str
    width: int


_COLUMNS: Final = (
    _Column("receipt_no", "受付番号", 18), _Column("received_at", "受付日時", 26), _Column("door", "入口", 8),
    _Column("organisation", "団体", 16), _Column("sender", "差出人・利用者", 30), _Column("recipients", "宛先", 40),
    _Column("subject", "件名", 40), _Column("name", "ファイル名", 36), _Column("size", "サイズ", 12), _Column("sha256", "SHA-256", 60),
    _Column("state", "状態", 12), _Column("verdict", "判定", 12), _Column("reason", "理由", 16), _Column("policy", "ポリシー版", 20),
    _Column("rules", "ルール版", 20), _Column("note", "備考", 30),
)  # fmt: skip


async def pages(journal: Journal, wanted: Filter) -> AsyncIterator[list[Transfer]]:
    """The youngest first, up to MOST."""
    wanted, left = msgspec.structs.replace(wanted, limit=asking.MOST), MOST
    while left > 0 and (page := await journal.transfers(wanted)):
        yield page[:left]
        left -= len(page)
        wanted = msgspec.structs.replace(wanted, before_id=page[-1].id)


async def as_csv(journal: Journal, wanted: Filter) -> AsyncIterator[bytes]:
    """UTF-8 with a mark, CR LF, nothing that a spreadsheet would run."""
    yield b"\xef\xbb\xbf" + written([[column.title for column in _COLUMNS]])
    async for page in pages(journal, wanted):
        yield written([[harmless("" if cell is None else str(cell)) for cell in row] for row in map(_row, page)])


async def as_workbook(journal: Journal, wanted: Filter) -> bytes:
    """Packed beside the event loop: it takes its time."""
    book = Workbook([column.title for column in _COLUMNS], [column.width for column in _COLUMNS])
    async for page in pages(journal, wanted):
        await asyncio.to_thread(book.add, [_row(transfer) for transfer in page])
    return await asyncio.to_thread(book.finish)


def written(rows: Sequence[Sequence[str]]) -> bytes:
    """Lines of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def harmless(text: str) -> str:
    """An apostrophe before what a spreadsheet would run."""
    return "'" + text if text.startswith(_RUNS) else text


def _row(transfer: Transfer) -> list[workbook.Cell]:
    told = transfer.listed()
    return [_cell(told[column.field]) for column in _COLUMNS]


def _cell(value: object) -> workbook.Cell:
    if value is None or isinstance(value, int):
        return value
    return "; ".join(value) if isinstance(value, list) else str(value)
