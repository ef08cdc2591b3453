"""Formulas that are filled down say what each of them would say alone; cells read straight from the stream are what they were."""

from __future__ import annotations

import io
import struct
from typing import Any

import openpyxl
import pytest
import xlwt
from hypothesis import example, given
from hypothesis import strategies as st

from sanitizers.formats.xls import formulas, markup, patterns
from sanitizers.model import LimitExceeded, Limits, Reason
from tests.build import xls as build
from tests.build.context import run
from tests.build.xls import number, record, sheet

ROWS = st.integers(0, 0xFFFF)


class _Book:
    """Workbook of one sheet that lies inside."""

    encoding: str | None = None

    def name(self, _: int) -> str:
        return "税率"

    def sheets(self, _: int) -> str:
        return "'100% (案)'!"

    def sheets_between(self, *_: int) -> str:
        return ""

    def other_name(self, *_: int) -> str:
        return ""


def _tokens(first: int, last: int, sheet_row: int, text: str = "a%d") -> bytes:
    """SUM(A…:$C…)&"text"&name&sheet!B…"""
    area = struct.pack("<BHHHHBBH", 0x25, first, last, 0xC000, 0x8002, 0x22, 1, 4)
    said = b"\x17" + struct.pack("<BB", len(text), 1) + text.encode("utf-16-le")
    other = b"\x3a" + struct.pack("<HHH", 0, sheet_row, 0x4001)
    return area + said + b"\x08" + b"\x23" + struct.pack("<HH", 1, 0) + b"\x08" + other + b"\x08"


def _said(tokens: bytes) -> bytes:
    return struct.pack("<H", len(tokens)) + tokens


@given(ROWS, ROWS, ROWS, ROWS)
@example(0, 0xFFFF, 0, 1)
@example(3, 7, 0xFFFF, 0xFFFF)
def test_a_pattern_writes_what_the_parser_would(first: int, last: int, row: int, other: int) -> None:
    learnt = _tokens(1, 5, 9)
    pattern = patterns.of(learnt, formulas.text(learnt, b"", _Book())[0], _Book())
    assert pattern is not None
    tokens = _tokens(first, last, row)
    alone, _ = formulas.text(tokens, b"", _Book())
    assert pattern.written(_said(tokens)) in ("", markup.content(alone))
    assert pattern.written(_said(tokens)) or 0xFFFF in (first, last, row)
    assert pattern.written(_said(_tokens(first, last, other, "a%s"))) == "", "another text"
    assert pattern.written(_said(tokens + b"\x14")) == "", "longer"


@pytest.mark.parametrize("text", ["\0", "\0\0"])
def test_a_text_with_the_mark_makes_no_pattern(text: str) -> None:
    tokens = _tokens(1, 5, 9, text)
    assert patterns.of(tokens, formulas.text(tokens, b"", _Book())[0], _Book()) is None


def test_whole_columns_old_workbooks_and_links_make_no_pattern() -> None:
    columns = struct.pack("<BHHHH", 0x25, 0, 0xFFFF, 0, 2)
    assert patterns.of(columns, "$A:$C", _Book()) is None
    place = struct.pack("<BHH", 0x24, 4, 0xC000)
    assert patterns.of(place, "A5", _Book()) is not None
    assert patterns.of(place, 'HYPERLINK("A5")', _Book()) is None
    assert patterns.of(place, "A6", _Book()) is None, "not what was read"
    old = _Book()
    old.encoding = "cp932"
    assert patterns.of(place, "A5", old) is None


def _filled(rows: int) -> bytes:
    """Columns of formulas, one with two sorts in turn, one that calls what is not allowed in some rows."""
    book = xlwt.Workbook()
    made = book.add_sheet("表")
    for row in range(rows):
        made.write(row, 0, row)
        made.write(row, 1, row / 4)
        made.write(row, 2, f"文字{row % 3}")
        made.write(row, 3, xlwt.Formula(f"SUM(A{row + 1}:B{row + 1})*2"))
        made.write(row, 4, xlwt.Formula(f"A{row + 1}+1" if row % 2 else f"B$1-A{row + 1}"))
        made.write(row, 5, xlwt.Formula(f'A{row + 1}&"<{row}>"'))
        made.write(row, 6, xlwt.Formula(f"SUM(A{row + 1}:B{row + 1})*{row % 2}"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _opened(data: bytes) -> Any:
    outcome = run(data, "集計.xls")
    assert outcome.content is not None, outcome.report.findings
    return openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()))["表"]


def test_columns_of_formulas_stay_each_in_its_row() -> None:
    made = _opened(_filled(300))
    for row in range(300):
        one = row + 1
        wanted = [row, row / 4, f"文字{row % 3}", f"=SUM(A{one}:B{one})*2", f"=A{one}+1" if row % 2 else f"=B$1-A{one}", f'=A{one}&"<{row}>"',
                  f"=SUM(A{one}:B{one})*{row % 2}"]  # fmt: skip
        assert [cell.value for cell in made[one]] == wanted


def test_a_cell_that_goes_on_is_refused() -> None:
    """No cell is too long for its record, so nobody knows what the rest is."""
    outcome = run(build.workbook(sheet(number(5, 5, 1.5) + record(0x3C, b"more"))), "x.xls")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


@pytest.mark.parametrize(("kind", "size"), [(0xFD, 9), (0x27E, 9), (0x203, 13), (0xBD, 5), (0x201, 5)])
def test_a_short_cell_is_refused(kind: int, size: int) -> None:
    outcome = run(build.workbook(sheet(record(kind, bytes(size)) + number(6, 6, 1.0))), "x.xls")
    assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)


def test_columns_that_excel_does_not_have_stay_behind() -> None:
    several = record(0xBD, struct.pack("<HH", 7, 0xFE) + struct.pack("<Hi", 0, 5 << 2 | 2) * 4 + b"\1\1")
    made = openpyxl.load_workbook(io.BytesIO(_content(build.workbook(sheet(number(7, 0x100, 3.0) + several)))))
    assert [(cell.column, cell.value) for cell in made.worksheets[0][8] if cell.value is not None] == [(255, 5), (256, 5)]


def _content(data: bytes) -> bytes:
    outcome = run(data, "x.xls")
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def test_cells_are_counted() -> None:
    many = b"".join(number(row, 3, 1.0) for row in range(60))
    with pytest.raises(LimitExceeded):
        run(build.workbook(sheet(many)), "x.xls", limits=Limits(cells=50))
    again = b"".join(number(3, 3, 1.0) for _ in range(60))
    with pytest.raises(LimitExceeded):
        run(build.workbook(sheet(again)), "x.xls", limits=Limits(cells=50))
