"""How a sheet and its conditions look: what Excel 97 said is said again, by openpyxl; what is cut off is refused."""

from __future__ import annotations

import io
import struct
from typing import Any

import openpyxl
import pytest

from tests.build import xls as build
from tests.build.context import run
from tests.build.xls import record, sheet, text

NUMBER, FONT, ALIGNMENT, BORDER, PATTERN, PROTECTION = (1 << bit for bit in range(25, 31))
LIMIT = b"\x1e\x05\0"


def _opened(given: bytes, *codes: str) -> Any:
    outcome = run(given, "様式.xls")
    assert outcome.content is not None, outcome.report.findings
    assert tuple(finding.code for finding in outcome.report.findings) == codes
    return openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()))


def _condition(look: bytes, *, kind: int = 1, operator: int = 5, tokens: bytes = LIMIT, second: bytes = b"") -> bytes:
    area = struct.pack("<HHHH", 1, 9, 1, 1)
    rule = struct.pack("<BBHH", kind, operator, len(tokens), len(second)) + look + tokens + second
    return record(0x01B0, struct.pack("<HH", 1, 0) + area + struct.pack("<H", 1) + area) + record(0x01B1, rule)


def _font(*, italic: bool = False, weight: int = 400, underline: int = 0, colour: int = 0xFFFFFFFF, same: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """DXFFntD: [MS-XLS] 2.5.91. `same`: of style, underline and weight, those that stay what they are."""
    body = bytearray(118)
    struct.pack_into("<IH", body, 68, 2 * italic | 0x80, weight)
    struct.pack_into("<B", body, 76, underline)
    struct.pack_into("<I", body, 80, colour)
    struct.pack_into("<I", body, 88, same[0])
    struct.pack_into("<II", body, 96, same[1], same[2])
    return bytes(body)


def _look(flags: int, *pieces: bytes, options: int = 0) -> bytes:
    return struct.pack("<IH", flags, options) + b"".join(pieces)


def _rule(look: bytes) -> Any:
    (found,) = _opened(build.workbook(sheet(_condition(look)))).worksheets[0].conditional_formatting
    (one,) = found.rules
    assert (one.operator, one.formula) == ("greaterThan", ["5"])
    return one.dxf


def test_the_font_and_border_of_a_condition() -> None:
    border = struct.pack("<II", 1 | 2 << 4 | 10 << 16 | 12 << 23, 0)
    format_of_its_own = struct.pack("<H", 6) + b"\0" * 4
    made = _rule(_look(NUMBER | FONT | ALIGNMENT | BORDER | PROTECTION | 1 << 12 | 1 << 13, format_of_its_own, _font(italic=True, weight=700, underline=1, colour=10),
                       bytes(8), border, bytes(2), options=1))  # fmt: skip
    assert (made.font.b, made.font.i, made.font.strike, made.font.u, made.font.color.indexed) == (True, True, True, "single", 10)
    assert (made.border.left.style, made.border.left.color.indexed, made.border.right.style, made.border.right.color.indexed) == ("thin", 10, "medium", 12)
    assert (made.border.top, made.border.bottom) == (None, None)


def test_the_pattern_of_a_condition() -> None:
    made = _rule(_look(PATTERN, struct.pack("<I", 2 << 10 | 10 << 16 | 12 << 23))).fill
    assert (made.patternType, made.fgColor.indexed, made.bgColor.indexed) == ("mediumGray", 10, 12)


@pytest.mark.parametrize(
    ("flags", "piece"),
    [(FONT, _font(same=(0x82, 1, 1))), (BORDER | 0xF << 10, bytes(8)), (FONT, b"cut off"), (NUMBER, b"\5\0"), (ALIGNMENT, bytes(8)), (PATTERN | 7 << 16, bytes(4))],
    ids=["the same font", "the same border", "a font that is cut off", "a number", "an alignment", "the same pattern"],
)
def test_a_condition_that_changes_nothing(flags: int, piece: bytes) -> None:
    made = _rule(_look(flags, piece))
    assert made is None or (made.font, made.border) == (None, None)


def test_a_condition_whose_own_number_format_is_missing() -> None:
    """It says that one follows, and nothing does."""
    made = _rule(_look(NUMBER, options=1))
    assert made is None or made.numFmt is None


@pytest.mark.parametrize(("operator", "wanted"), [(1, "between"), (2, "notBetween")])
def test_a_condition_between_two_values(operator: int, wanted: str) -> None:
    given = build.workbook(sheet(_condition(_look(0), operator=operator, second=b"\x1e\x09\0")))
    (found,) = _opened(given).worksheets[0].conditional_formatting
    assert [(one.operator, one.formula) for one in found.rules] == [(wanted, ["5", "9"])]


@pytest.mark.parametrize(
    "rule",
    [
        _condition(_look(0), kind=3),
        _condition(_look(0), operator=0),
        _condition(_look(0), operator=9),
        record(0x01B1, struct.pack("<BBHH", 1, 5, 900, 900) + _look(0)),
        record(0x01B1, struct.pack("<BBHH", 1, 5, 0, 0) + _look(0)),
    ],
    ids=["kind", "no comparison", "a comparison too many", "longer than it is", "without areas"],
)
def test_a_condition_that_says_nothing_stays_behind(rule: bytes) -> None:
    assert len(list(_opened(build.workbook(sheet(rule))).worksheets[0].conditional_formatting)) == 0


def test_areas_that_no_sheet_has() -> None:
    areas = struct.pack("<H4H4H", 2, 5, 2, 0, 0, 0, 9, 0, 300)
    given = build.workbook(sheet(record(0x01B0, struct.pack("<HH4H", 1, 0, 0, 0, 0, 0) + areas), record(0x01B1, struct.pack("<BBHH", 1, 5, 3, 0) + _look(0) + LIMIT)))
    assert len(list(_opened(given).worksheets[0].conditional_formatting)) == 0


@pytest.mark.parametrize(
    "cut",
    [record(0x01B0, bytes(8)), record(0x01B1, bytes(3)), record(0x01BE, bytes(2)), record(0x01BE, bytes(4) + text("\0") * 3),
     record(0x01BE, bytes(4) + text("\0") * 4 + bytes(8))],
    ids=["areas", "rule", "validation", "its texts", "its areas"],
)  # fmt: skip
def test_conditions_that_are_cut_off_are_refused(cut: bytes) -> None:
    outcome = run(build.workbook(sheet(cut)), "x.xls")
    assert (outcome.content, [finding.code for finding in outcome.report.findings]) == (None, ["xls.malformed"])


VIEW = (
    record(0x55, struct.pack("<H", 12)), record(0x225, struct.pack("<HH", 3, 400)), record(0x23E, struct.pack("<HHHH", 0x840, 4, 2, 0)),
    record(0xA0, struct.pack("<HH", 3, 2)), record(0x41, struct.pack("<HHHHB", 900, 600, 4, 2, 9)), record(0x1D, struct.pack("<BHH", 3, 1, 1)),
    record(0x1D, struct.pack("<BHH", 2, 6, 3)), record(0x1D, struct.pack("<BHH", 7, 6, 3)), record(0x1D, struct.pack("<BHH", 1, 6, 300)),
    record(0x862, bytes(16) + struct.pack("<I", 10)), record(0x81, struct.pack("<H", 0x0101)),
)  # fmt: skip


def test_how_the_sheet_stands_in_its_window() -> None:
    made = _opened(build.workbook(sheet(*VIEW))).worksheets[0]
    view = made.sheet_view
    assert (view.zoomScale, view.rightToLeft, view.view, view.topLeftCell, view.showGridLines) == (150, True, "pageBreakPreview", "C5", False)
    assert (view.pane.state, view.pane.xSplit, view.pane.ySplit, view.pane.activePane) == ("split", 900, 600, "topLeft")
    assert [(one.pane, one.activeCell) for one in view.selection] == [(None, "B2"), ("bottomLeft", "D7")]
    assert (made.sheet_format.baseColWidth, made.sheet_format.defaultRowHeight, made.sheet_format.zeroHeight) == (12, 20, True)
    assert (made.sheet_properties.tabColor.indexed, made.sheet_properties.outlinePr.summaryBelow, made.sheet_properties.pageSetUpPr.fitToPage) == (10, False, True)


def test_a_width_for_all_columns() -> None:
    made = _opened(build.workbook(sheet(record(0x99, struct.pack("<H", 2560)), record(0xA0, struct.pack("<HH", 1, 0)), record(0xA0, struct.pack("<HH", 9, 1))))).worksheets[0]
    assert (made.sheet_format.defaultColWidth, made.sheet_view.zoomScale) == (10, None)


def test_rows_and_columns_with_a_look_of_their_own() -> None:
    bold = (build.font(weight=700), *[build.cell_format()] * 16, build.cell_format(used=0, number_format=10))
    row = record(0x208, struct.pack("<8H", 4, 0, 1, 600, 0, 0, 0x0040 | 0x0080 | 0x0010 | 2, 16))
    columns = [record(0x7D, struct.pack("<5H", first, last, 2560, 16, flags)) for first, last, flags in ((2, 3, 0x1300), (7, 5, 0), (3, 3, 0), (9, 9, 1))]
    given = build.cfb.compound({"Workbook": build.stream(sheet(row, *columns), styles=bold)})
    made = _opened(given).worksheets[0]
    assert (made.row_dimensions[5].height, made.row_dimensions[5].outlineLevel, made.row_dimensions[5].collapsed) == (30, 2, True)
    assert made.row_dimensions[5].number_format == "0.00%"
    found = {name: (one.min, one.max, one.width, one.outlineLevel, one.hidden) for name, one in made.column_dimensions.items()}
    assert found == {"C": (3, 4, 10, 3, False), "J": (10, 10, 10, 0, True)}


def test_how_the_sheet_is_printed() -> None:
    setup = struct.pack("<6H", 9, 80, 7, 1, 2, 0x80 | 8 | 2 | 1) + struct.pack("<HHdd", 600, 600, 0.25, float("nan"))
    pages = (record(0x81, struct.pack("<H", 0x0100)), record(0xA1, setup), record(0x2B, b"\1\0"), record(0x2A, b"\1\0"), record(0x2A, b"\1\0"),
             record(0x27, struct.pack("<d", 99)), record(0x15, text("&C&P 頁")), record(0x14, b""), record(0x14, text("")), record(0x1A, struct.pack("<HHHH", 9, 3, 0, 5)))  # fmt: skip
    made = _opened(build.workbook(sheet(*pages))).worksheets[0]
    page = made.page_setup
    assert (page.paperSize, page.scale, page.orientation, page.firstPageNumber, page.blackAndWhite) == (9, 80, "portrait", 7, True)
    assert (page.pageOrder, page.fitToWidth, page.fitToHeight) == ("overThenDown", 1, 2)
    assert (made.print_options.gridLines, made.print_options.headings, made.page_margins.header, made.page_margins.footer, made.page_margins.right) == (True, True, 0.25, 0.5, 0.5)
    assert (made.oddFooter.center.text, made.oddHeader.center.text) == ("&P 頁", None)
    assert [one.id for one in made.col_breaks.brk] == [3]


def test_rows_that_say_nothing_of_their_height() -> None:
    """Those that are hidden keep that; levels are the reader's to count."""
    rows = [record(0x208, struct.pack("<8H", number, 0, 1, 0x80FF, 0, 0, flags, 15)) for number, flags in ((4, 0x20), (5, 3), (6, 0))]
    made = _opened(build.workbook(sheet(*rows))).worksheets[0]
    assert [(made.row_dimensions[n].height, made.row_dimensions[n].hidden, made.row_dimensions[n].outlineLevel) for n in (5, 6, 7)] == [(None, True, 0), (None, False, 3), (None, False, 0)]
    assert made.sheet_format.outlineLevelRow == 3


@pytest.mark.parametrize(("over", "under"), [(1, 0), (1, 50), (9, 2)])
def test_scales_that_no_window_has(over: int, under: int) -> None:
    assert _opened(build.workbook(sheet(record(0xA0, struct.pack("<HH", over, under))))).worksheets[0].sheet_view.zoomScale is None


def test_locks_of_a_sheet() -> None:
    locks = [record(kind, struct.pack("<H", value)) for kind, value in ((0x12, 1), (0xDD, 1), (0x63, 1), (0x13, 0xCBEB))]
    made = _opened(build.workbook(sheet(*locks))).worksheets[0].protection
    assert (made.sheet, made.objects, made.scenarios, made.password) == (True, True, True, "CBEB")


def test_fonts_and_colours_of_a_workbook() -> None:
    """A palette that ends early, a font of many marks, numbers that no table has."""
    palette = record(0x92, struct.pack("<H", 56) + bytes.fromhex("11223300aabbcc00"))
    marked = record(0x31, struct.pack("<HHHHHBBBB", 0, 2 | 8 | 16 | 32, 0x7FFF, 700, 1, 34, 2, 128, 0) + text("ＭＳ ゴシック", "B"))
    filled = record(0xE0, struct.pack("<HHHBBBBIIH", 99, 999, 3, 0x82, 90, 0x51, 0, 1 << 30, 1 << 21 | 10 << 14, 0x7FFF))
    given = build.cfb.compound({"Workbook": build.stream(sheet(build.number(3, 0, 1, 16)), styles=(palette, marked, *[build.cell_format()] * 16, filled))})
    book = _opened(given)
    cell = book.worksheets[0]["A4"]
    assert (cell.font.name, cell.font.sz, cell.font.i, cell.font.strike, cell.font.outline, cell.font.shadow) == ("ＭＳ ゴシック", 1, True, True, True, True)
    assert (cell.font.u, cell.font.vertAlign, cell.font.charset) == ("doubleAccounting", "superscript", 128)
    assert (cell.number_format, cell.fill.patternType, cell.border.diagonal.style, cell.border.diagonalDown) == ("General", None, "thin", True)
    assert (cell.alignment.horizontal, cell.alignment.textRotation, cell.alignment.shrinkToFit, cell.alignment.indent, cell.protection.hidden) == ("center", 90, True, 1, True)
    assert book._colors[8:] == ["00112233", "00AABBCC"]


def test_a_workbook_of_few_formats() -> None:
    """Without the fifteen that Excel always has, numbers are those of the file."""
    given = build.cfb.compound({"Workbook": build.stream(build.Sheet("表", build.number(0, 0, 1, 1), build.number(0, 1, 1, 9)), styles=(build.cell_format(), build.cell_format(10)))})
    made = _opened(given).worksheets[0]
    assert (made["A1"].number_format, made["B1"].number_format) == ("0.00%", "General")
