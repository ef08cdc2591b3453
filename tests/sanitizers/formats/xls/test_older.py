"""Workbooks of Excel 5 and 95: what they say stays, by openpyxl and xlrd; what leads out of them goes."""

from __future__ import annotations

import io
import struct
from typing import Any

import openpyxl
import pytest
import xlrd

from sanitizers.model import Verdict
from tests.build import xls_older as build
from tests.build.context import run
from tests.build.xls import formula, record

INSIDE, OUTSIDE = -1, 1
NOTE = "備考：髙い"


def _opened(given: bytes, codes: tuple[str, ...] = ()) -> Any:
    outcome = run(given, "様式.xls")
    assert outcome.content is not None, outcome.report.findings
    assert tuple(finding.code for finding in outcome.report.findings) == codes
    assert (outcome.report.verdict is Verdict.CLEAN) == (not codes)
    return openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()))


def _place(outside: int, first: int, last: int) -> bytes:
    """$A$1 of sheets that the token names itself."""
    return b"\x3a" + struct.pack("<h8xHHHB", outside, first, last, 0, 0)


def test_texts_of_the_code_page() -> None:
    given = build.workbook(build.label(1, 0, "ソ能表①", rich=True), record(0x14, build.text("&C庁内", "B")))
    made = _opened(given).worksheets[0]
    before = xlrd.open_workbook(file_contents=given).sheet_by_index(0)
    for at, said in enumerate(("本文", "ソ能表①")):
        assert made.cell(at + 1, 1).value == before.cell_value(at, 0) == said
    assert (made.title, made.oddHeader.center.text) == ("集計表", "庁内")


def test_the_text_that_a_formula_last_had() -> None:
    waiting = struct.unpack("<d", bytes(6) + b"\xff\xff")[0]
    given = build.workbook(formula(2, 0, b"\x24" + struct.pack("<HB", 0xC000, 0), waiting) + record(0x0207, build.text("年度")))
    outcome = run(given, "x.xls")
    assert outcome.content is not None
    shown, said = (openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()), data_only=only).worksheets[0]["A3"].value for only in (True, False))
    assert (shown, said) == ("年度", "=A1")


def test_how_cells_look() -> None:
    own = build.cell_format(164, area=1 << 16 | 13 | 1 << 22 | 12 << 25, lines=2 << 3 | 10 << 16, turned=2)
    styles = [*build.STYLES, record(0x041E, struct.pack("<H", 164) + build.text("0.0年", "B")), own]
    cell = _opened(build.workbook(record(0x0203, struct.pack("<HHHd", 2, 0, 16, 1.5)), styles=styles)).worksheets[0]["A3"]
    assert (cell.font.name, cell.number_format) == ("ＭＳ ゴシック", "0.0年")
    assert (cell.fill.patternType, cell.fill.fgColor.indexed) == ("solid", 13)
    assert (cell.border.left.style, cell.border.left.color.indexed, cell.border.bottom.style) == ("medium", 10, "thin")
    assert (cell.alignment.textRotation, cell.alignment.horizontal) == (90, "center")


FORMULAS: dict[str, tuple[bytes, str]] = {
    "a place of this workbook": (_place(INSIDE, 0, 0), "=集計表!$A$1"),
    "a place of a sheet that is gone": (_place(INSIDE, 0xFFFF, 0xFFFF), "=#REF!$A$1"),
    "an area of this workbook": (b"\x3b" + struct.pack("<h8xHHHHBB", -1, 0, 0, 0, 0xC002, 0, 1), "=集計表!$A$1:B3"),
    "a name": (b"\x23" + struct.pack("<H12x", 1), "=税率"),
    "a name as of another workbook": (b"\x39" + struct.pack("<h8xH12x", -1, 1), "=税率"),
    "whole columns": (b"\x25" + struct.pack("<HHBB", 0, 0x3FFF, 0, 2), "=$A:$C"),
    "whole columns that move": (b"\x25" + struct.pack("<HHBB", 0x4000, 0x7FFF, 0, 2), "=A:C"),
    "whole rows": (b"\x25" + struct.pack("<HHBB", 1, 0x8002, 0, 0xFF), "=$2:3"),
    "a place that is gone": (b"\x2a" + bytes(3), "=#REF!"),
    "an area that is gone": (b"\x2b" + bytes(6), "=#REF!"),
    "a place of a sheet that is gone, and the place": (b"\x3c" + bytes(17), "=#REF!"),
    "an area of a sheet that is gone, and the area": (b"\x3d" + bytes(20), "=#REF!"),
    "a text": (b"\x17" + build.text("令和", "B"), '="令和"'),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMULAS)
def test_formulas_stay(case: str) -> None:
    tokens, wanted = FORMULAS[case]
    before = (build.SELF, build.name("税率", b"\x1e\x08\0"))
    assert _opened(build.workbook(formula(4, 2, tokens), before=before)).worksheets[0]["C5"].value == wanted


def test_a_shared_formula_counts_upwards_too() -> None:
    tokens = b"\x4c" + struct.pack("<HB", 0x3FFF | 0xC000, 0xFF)     # the cell above to the left
    shared = record(0x04BC, struct.pack("<HHBBBBH", 2, 3, 1, 1, 0, 2, len(tokens)) + tokens)
    follow = b"\x01" + struct.pack("<HH", 2, 1)
    made = _opened(build.workbook(formula(2, 1, follow) + shared, formula(3, 1, follow))).worksheets[0]
    assert [made[at].value for at in ("B3", "B4")] == ["=A2", "=A3"]


def test_constants_in_braces() -> None:
    values = b"\x02" + build.text("一", "B") + b"\x01" + struct.pack("<d", 2)
    given = build.workbook(formula(1, 0, b"\x60" + bytes(7), extra=struct.pack("<BH", 2, 1) + values))
    assert _opened(given).worksheets[0]["A2"].value == '={"一",2}'


@pytest.mark.parametrize(
    ("tokens", "code"),
    [
        (_place(OUTSIDE, 0, 0), "xls.external_link"),
        (_place(INSIDE, 0, 7), "xls.formula"),
        (b"\x39" + struct.pack("<h8xH12x", 1, 1), "xls.external_link"),
        (b"\x39" + struct.pack("<h8xH12x", -1, 7), "xls.formula"),
        (b"\x23" + struct.pack("<H12x", 9), "xls.formula"),
    ],
)
def test_what_leads_out_is_lost_and_its_value_stays(tokens: bytes, code: str) -> None:
    assert _opened(build.workbook(formula(1, 0, tokens)), (code,)).worksheets[0]["A2"].value == 42


@pytest.mark.parametrize(("said", "codes"), [(b"\x02", ()), (b"\x03\x8fW\x8cv", ()), (b":", ()), (b"\x01data.xls", ("xls.external_link",))])
def test_sheets_of_another_workbook_are_said(said: bytes, codes: tuple[str, ...]) -> None:
    """[MS-XLS] names its own sheets with 02, 03 or nothing in front; everything else is a file."""
    book = _opened(build.workbook(before=(record(0x0017, struct.pack("<B", len(said) - 1) + said),)), codes)
    assert book.worksheets[0]["A1"].value == "本文"


def test_comments_and_objects() -> None:
    note = record(0x001C, struct.pack("<HHH", 0, 0, len(NOTE.encode("cp932"))) + NOTE.encode("cp932"))
    made = _opened(build.workbook(note)).worksheets[0]
    assert made["A1"].comment.text == NOTE
    drawn = record(0x005D, struct.pack("<IHH", 1, 2, 1) + bytes(30))
    button = record(0x005D, struct.pack("<IHH", 1, 7, 1) + bytes(30))
    text_box = record(0x01B6, bytes(18))
    made = _opened(build.workbook(drawn, text_box, button), ("xls.drawing", "xls.object")).worksheets[0]
    assert made["A1"].value == "本文"


def test_a_comment_that_goes_on_in_the_next_record() -> None:
    """No record holds more than 2,048 bytes of it, and the cut may lie within a character."""
    said = "a" + "長い備考" * 400
    raw = said.encode("cp932")
    pieces = [record(0x001C, struct.pack("<HHH", 4, 2, len(raw)) + raw[:2048]), record(0x001C, struct.pack("<HHH", 0xFFFF, 0, len(raw) - 2048) + raw[2048:])]
    made = _opened(build.workbook(*pieces)).worksheets[0]
    assert made["C5"].comment.text == said
    alone = _opened(build.workbook(record(0x001C, struct.pack("<HHH", 0xFFFF, 0, 1) + b"a"))).worksheets[0]
    assert alone["A1"].comment is None


def test_records_that_only_later_workbooks_have() -> None:
    """A condition of Excel 97 has no meaning here, and none crosses."""
    later = [record(kind, b"\xff" * 40) for kind in (0x01BE, 0x01B0, 0x01B1)]
    made = _opened(build.workbook(*later)).worksheets[0]
    assert (len(list(made.conditional_formatting)), len(made.data_validations.dataValidation)) == (0, 0)


def test_breaks_of_pages() -> None:
    made = _opened(build.workbook(record(0x1B, struct.pack("<HHHH", 3, 9, 0, 20)))).worksheets[0]
    assert [one.id for one in made.row_breaks.brk] == [9, 20]


@pytest.mark.parametrize("at", [0, 60, 200, 330, -3, -20])
def test_cut_workbooks_are_refused(at: int) -> None:
    given = build.cfb.compound({"Book": build.stream()[:at]})
    outcome = run(given, "x.xls")
    assert (outcome.content, outcome.report.reason) == (None, "malformed")


def test_a_text_that_leaves_its_record_is_refused() -> None:
    outcome = run(build.workbook(record(0x0204, struct.pack("<HHHH", 3, 3, 15, 90) + b"abc")), "x.xls")
    assert (outcome.content, outcome.report.reason) == (None, "malformed")
