"""The second opinion on workbooks of Excel 97: a flat walk of the records counts what the result must have."""

from __future__ import annotations

import struct

import pytest

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import xls
from tests.build.cfb import compound

BOF, EOF, SHEET, LOCKED, NUMBER, LABEL, NUMBERS, BLANKS = 0x0809, 0x000A, 0x0085, 0x002F, 0x0203, 0x0204, 0x00BD, 0x00BE


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def cell(row: int, column: int, kind: int = NUMBER) -> bytes:
    return record(kind, struct.pack("<HHH", row, column, 0) + bytes(8))


def run(kind: int, row: int, first: int, cells: int, width: int) -> bytes:
    return record(kind, struct.pack("<HH", row, first) + bytes(cells * width) + b"\0\0")


def workbook(*sheets: bytes, kinds: tuple[int, ...] = (), before: bytes = b"") -> bytes:
    """Globals with an entry for each sheet (0 for a worksheet), and the sheets behind them."""
    entry = 4 + 8
    at = 4 + len(before) + entry * len(sheets) + 4
    listed = b""
    for number, sheet in enumerate(sheets):
        listed += record(SHEET, struct.pack("<IBBH", at, 0, kinds[number] if kinds else 0, 0))
        at += len(sheet)
    return record(BOF) + before + listed + record(EOF) + b"".join(sheets)


def sheet(*records: bytes) -> bytes:
    return record(BOF) + b"".join(records) + record(EOF)


def written(*cells: int) -> dict[str, bytes]:
    """The parts in no order that means anything."""
    sheets = {f"xl/worksheets/sheet{number}.xml": b'<c r="A1"/>' * count for number, count in enumerate(cells, 1)}
    return {"xl/workbook.xml": b'<c r="A1"/>'} | dict(reversed(sheets.items()))


def compare(monkeypatch: pytest.MonkeyPatch, stream: bytes, *cells: int) -> None:
    monkeypatch.setattr(xls, "_workbook", lambda _original: stream)
    xls.compare(written(*cells), Source(b""))


@pytest.mark.parametrize(
    ("records", "cells"),
    [
        ((), 0), ((cell(0, 0),), 1), ((cell(0, 0), cell(0, 0, LABEL)), 1), ((cell(0, 0), cell(0, 1), cell(1, 0)), 3), ((run(NUMBERS, 0, 0, 5, 6),), 5),
        ((run(BLANKS, 0, 0, 5, 2),), 5), ((run(BLANKS, 0, 250, 9, 2),), 6), ((cell(0, 2), run(BLANKS, 0, 0, 5, 2)), 5), ((cell(0, 256),), 0),
        ((record(NUMBER, bytes(5)),), 0), ((sheet(cell(0, 0)), cell(1, 1)), 1), ((cell(1, 0), cell(0, 0), cell(1, 0)), 2), ((cell(0, 255), cell(1, 0)), 2), ((cell(0, 300), cell(1, 0)), 1),
        ((run(BLANKS, 1, 0, 5, 2), run(BLANKS, 0, 9, 5, 2), run(BLANKS, 1, 3, 5, 2), cell(1, 1)), 13),
    ],
)  # fmt: skip
def test_different_cells_are_counted(records: tuple[bytes, ...], cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(monkeypatch, workbook(sheet(*records)), cells)
    with pytest.raises(VerificationFailed, match=f"{cells} cells before, {cells + 1} after"):
        compare(monkeypatch, workbook(sheet(*records)), cells + 1)


@pytest.mark.parametrize("kind", [0x0006, 0x0201, NUMBER, LABEL, 0x0205, 0x00D6, 0x00FD, 0x027E])
def test_every_record_of_a_cell_counts_as_one(kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for body in (bytes(6), bytes(14)):
        compare(monkeypatch, workbook(sheet(record(kind, body))), 1)


@pytest.mark.parametrize("kind", [0x0000, 0x0200, 0x0207, 0x0208, 0x020B, 0x00D7, 0x00FC, 0x027F])
def test_other_records_are_no_cells(kind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(monkeypatch, workbook(sheet(record(kind, bytes(16)), cell(0, 0))), 1)


def test_each_sheet_has_its_own_cells_in_the_order_of_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = tuple(range(1, 12))
    sheets = [sheet(run(BLANKS, 0, 0, count, 2)) for count in counts]
    compare(monkeypatch, workbook(*sheets), *counts)
    with pytest.raises(VerificationFailed, match="11 sheets before, 10 after"):
        compare(monkeypatch, workbook(*sheets), *counts[:10])
    compare(monkeypatch, workbook(sheet(cell(0, 0)), sheet(cell(0, 0), cell(0, 1)), kinds=(1, 0)), 2)


def test_entries_of_sheets_are_those_of_the_globals(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = sheet(cell(0, 0))
    at = 2 * len(record(BOF)) + len(record(SHEET, bytes(6)))
    for hidden in range(3):
        compare(monkeypatch, record(BOF) + record(SHEET, struct.pack("<IBB", at, hidden, 0)) + record(EOF) + cells, 1)
    compare(monkeypatch, workbook(sheet(record(SHEET, bytes(8)), cell(0, 0)), before=record(0x0086, bytes(8))), 1)


def test_what_is_cut_counts_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = workbook(sheet(cell(0, 0), cell(0, 1)))
    compare(monkeypatch, whole[:-4], 2)
    compare(monkeypatch, whole[:-7], 2)
    compare(monkeypatch, whole[:-14], 1)
    compare(monkeypatch, whole[:-20], 1)
    compare(monkeypatch, record(BOF) + record(SHEET, bytes(5)))
    compare(monkeypatch, (record(BOF) + record(SHEET, bytes(8)))[:-3])
    compare(monkeypatch, b"")


def test_a_locked_workbook_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compare(monkeypatch, workbook(sheet(cell(0, 0)), before=record(LOCKED)), 7, 7)
    compare(monkeypatch, record(BOF) + record(LOCKED), 7, 7)


@pytest.mark.parametrize("data", [b"", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), compound({"Storage/Workbook": b"other"})])
def test_a_file_without_a_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed, match="olefile"):
        xls.compare({}, Source(data))


def test_the_workbook_is_the_stream_of_that_name() -> None:
    for name in ("Workbook", "WORKBOOK", "Book", "BOOK"):
        assert xls._workbook(Source(compound({name: b"stream", "Storage/Workbook": b"other"}))) == b"stream"
    assert xls._workbook(Source(compound({"Book": b"old", "Workbook": b"new"}))) == b"new"
