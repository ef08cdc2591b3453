"""What a clerk made is still there in the xlsx, by openpyxl; where xlwt or xlrd wrote or read the old one, three libraries agree."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from typing import Any

import openpyxl
import pytest
import xlrd
import xlwt

from sanitizers.model import Verdict
from tests.build import xls as build
from tests.build.context import run
from tests.build.ooxml import png
from tests.build.xls import record, sheet, text

FORMULAS = (
    "A1+B1*2-3/4^2", "-(A1+1)%", 'A1&"文""字"', "SUM(A1:B2)", "IF(A1>=1,TRUE,FALSE)", "SUM($A$1:B$2,$C3)", "VLOOKUP(A1,$A$1:$B$9,2,0)",
    "'別 紙'!A1", "SUM('別 紙'!A1:B2)", "ROUND(1.5,0)", 'COUNTIF(A1:A9,"<>"&B1)', "SUM(A1:B2,C3:D4)", "1<>2", "INDEX(A1:B2,1,2)",
    'IF(ISERROR(A1/B1),"",A1/B1)', "TODAY()", "DATE(2026,4,1)", 'TEXT(A1,"0.0")', "LEFT(A1,2)&MID(A1,1,3)", "AND(A1>0,OR(B1<0,NOT(C1=1)))",
    "SUMPRODUCT((A1:A9>1)*(B1:B9))",
)  # fmt: skip


def _opened(given: bytes, *, clean: bool = True) -> Any:
    outcome = run(given, "様式.xls")
    assert outcome.content is not None, outcome.report.findings
    if clean:
        assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    return openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()))


def _xlwt(fill: Any) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    first, second = book.add_sheet("表"), book.add_sheet("別 紙")
    second.write(0, 0, 1)
    fill(book, first)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_reads_the_same(formula: str) -> None:
    given = _xlwt(lambda _, first: first.write(4, 3, xlwt.Formula(formula)))
    assert _opened(given)["表"]["D5"].value == f"={formula}"


def test_values_of_every_kind() -> None:
    values = ["文字", "", "髙橋①㈱～－〜ソ能表", 1, -5, 0.1, 1e300, 123456789012, 0.07, True, False, "😀", "=1", " 前 後 ", "a\nb", "_x0041_"]
    given = _xlwt(lambda _, first: [first.write(row, 0, value) for row, value in enumerate(values)])
    made = _opened(given)["表"]
    before = xlrd.open_workbook(file_contents=given).sheet_by_name("表")
    for row, value in enumerate(values):
        assert made.cell(row + 1, 1).value == (value or None) or (value is False and made.cell(row + 1, 1).value is False)
        assert before.cell_value(row, 0) == value


def test_how_cells_look() -> None:
    style = xlwt.easyxf(
        "font: name ＭＳ 明朝, height 280, bold on, italic on, underline on, colour red; align: horiz center, vert top, wrap on, rotation 45; "
        "borders: left thin, right medium, top dashed, bottom double, bottom_colour blue; pattern: pattern solid, fore_colour yellow; "
        "protection: cell_locked off",
        num_format_str="#,##0.00",
    )
    dates = xlwt.easyxf(num_format_str='[$-411]ggge"年"m"月"d"日"')

    def fill(_: Any, first: Any) -> None:
        first.write(0, 0, 1234.5, style)
        first.write(1, 0, dt.date(2026, 4, 1), dates)

    made = _opened(_xlwt(fill))["表"]
    cell = made["A1"]
    assert (cell.font.name, cell.font.sz, cell.font.b, cell.font.i, cell.font.u) == ("ＭＳ 明朝", 14, True, True, "single")
    assert (cell.font.color.indexed, cell.fill.fgColor.indexed, cell.fill.patternType) == (10, 13, "solid")
    borders = (cell.border.left.style, cell.border.right.style, cell.border.top.style, cell.border.bottom.style, cell.border.bottom.color.indexed)
    assert borders == ("thin", "medium", "dashed", "double", 12)
    alignment = cell.alignment
    assert (alignment.horizontal, alignment.vertical, alignment.wrap_text, alignment.textRotation) == ("center", "top", True, 45)
    assert not cell.protection.locked
    assert cell.number_format == "#,##0.00"
    assert made["A2"].number_format == '[$-411]ggge"年"m"月"d"日"'
    assert made["A2"].value.date() == dt.date(2026, 4, 1)


def test_how_the_sheet_looks() -> None:
    def fill(_: Any, first: Any) -> None:
        first.write_merge(0, 1, 0, 2, "結合")
        first.col(1).width = 20 * 256
        first.col(2).hidden = True
        first.row(5).height_mismatch, first.row(5).height = True, 600
        first.set_panes_frozen(True)
        first.set_horz_split_pos(2)
        first.set_vert_split_pos(1)
        first.set_portrait(False)
        first.set_paper_size_code(9)
        first.set_header_str(b"&CMark &P")
        first.set_top_margin(0.25)
        first.set_print_centered_horz(True)
        first.set_horz_page_breaks([(10, 0, 255)])
        first.set_protect(True)
        first.set_show_grid(False)

    made = _opened(_xlwt(fill))["表"]
    assert [str(area) for area in made.merged_cells.ranges] == ["A1:C2"]
    assert (made.column_dimensions["B"].width, made.column_dimensions["C"].hidden) == (20, True)
    assert made.row_dimensions[6].height == 30
    assert (made.freeze_panes, made.page_setup.orientation, made.page_setup.paperSize) == ("B3", "landscape", 9)
    assert (made.oddHeader.center.text, made.page_margins.top, made.print_options.horizontalCentered) == ("Mark &P", 0.25, True)
    assert [one.id for one in made.row_breaks.brk] == [10]
    assert made.protection.sheet
    assert not made.sheet_view.showGridLines


def test_a_template_stays_one() -> None:
    outcome = run(build.workbook(before=(record(0x60),)), "様式.xlt")
    assert outcome.report.output is not None, outcome.report.findings
    assert outcome.report.output.name == "様式.xltx"


def test_a_header_in_japanese() -> None:
    made = _opened(build.workbook(sheet(record(0x14, text("&C自治体機密性２"))))).worksheets[0]
    assert made.oddHeader.center.text == "自治体機密性２"


def test_links_of_allowed_schemes() -> None:
    def link(row: int, flags: int, rest: bytes) -> bytes:
        head = struct.pack("<HHHH", row, row, 0, 0) + bytes.fromhex("d0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<II", 2, flags)
        return record(0x1B8, head + rest)

    url = "https://example.jp/?a=1&b=2\0".encode("utf-16-le")
    place = "'別 紙'!A1\0"
    outside = link(0, 3, bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<I", len(url)) + url)
    inside = link(1, 8, struct.pack("<I", len(place)) + place.encode("utf-16-le"))
    made = _opened(build.workbook(sheet(build.number(1, 0, 1), outside, inside))).worksheets[0]
    assert made["A1"].hyperlink.target == "https://example.jp/?a=1&b=2"
    assert made["A2"].hyperlink.location == "'別 紙'!A1"


def test_links_with_all_that_they_can_say() -> None:
    """What is shown, the frame, an address as text, a place in it; each of them ends where it says."""
    head = struct.pack("<HHHH", 0, 0, 0, 0) + bytes.fromhex("d0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<II", 2, 0x01 | 0x08 | 0x10 | 0x80 | 0x100)
    said = [struct.pack("<I", len(one) + 1) + (one + "\0").encode("utf-16-le") for one in ("市", "_top", "https://example.jp/", "top")]
    made = _opened(build.workbook(sheet(record(0x1B8, head + b"".join(said))))).worksheets[0]
    assert (made["A1"].hyperlink.target, made["A1"].hyperlink.location) == ("https://example.jp/", "top")
    for cut in (head + b"".join(said)[:-1], head + struct.pack("<I", 5000) + bytes(12_000), head[:-2], head[:9]):
        outcome = run(build.workbook(sheet(record(0x1B8, cut[:8000]))), "x.xls")
        assert outcome.content is not None
        assert [finding.code for finding in outcome.report.findings] == ["xls.hyperlink"]


def test_sheets_of_one_name() -> None:
    """No reader opens a workbook that has two; letters that no name may have become a line."""
    long = "長" * 31
    book = _opened(build.workbook(*(build.Sheet(name) for name in ("a", "A", "A", long, long, "b/c", "''"))))
    assert book.sheetnames == ["a", "A_2", "A_3", long, f"{'長' * 25}_2", "b_c", "Sheet"]


def test_the_workbook_says_how_it_counts_and_opens() -> None:
    before = (record(0x22, b"\1\0"), record(0x12, b"\1\0"), record(0x3D, struct.pack("<9H", 0, 0, 0, 0, 0, 1, 0, 1, 600)))
    book = _opened(build.workbook(sheet(), build.Sheet("次"), before=before))
    assert (book.epoch.year, book.security.lockStructure, book.active.title) == (1904, True, "次")


def test_every_sheet_hidden() -> None:
    """One must show."""
    book = _opened(build.workbook(build.Sheet("奥", state=2), build.Sheet("隠", state=1)))
    assert [one.sheet_state for one in book.worksheets] == ["visible", "hidden"]


def test_a_validation_with_its_input_method() -> None:
    """全角ひらがな, a list, a message."""
    nothing, told = text("\0"), text("選べ")
    listed = b"\x17" + text("一\0二", "B")
    body = struct.pack("<I", 3 | 0x80 | 4 << 10 | 1 << 19) + nothing * 3 + told + struct.pack("<HH", len(listed), 0) + listed + struct.pack("<HH", 0, 0)
    made = _opened(build.workbook(sheet(record(0x1BE, body + struct.pack("<HHHHH", 1, 1, 9, 2, 2))))).worksheets[0]
    rule, = made.data_validations.dataValidation
    assert (str(rule.sqref), rule.type, rule.formula1, rule.imeMode, rule.error) == ("C2:C10", "list", '"一,二"', "hiragana", "選べ")


def test_a_conditional_format() -> None:
    area = struct.pack("<HHHH", 1, 9, 1, 1)
    look = struct.pack("<IH", 1 << 29 | 1 << 16 | 1 << 17, 0) + struct.pack("<I", 10 << 23)       # a background only
    limit = b"\x4c" + struct.pack("<HH", 0, 0xC0FF)        # the cell to the left
    rule = record(0x1B1, struct.pack("<BBHH", 1, 5, len(limit), 0) + look + limit)
    made = _opened(build.workbook(sheet(record(0x1B0, struct.pack("<HH", 1, 0) + area + struct.pack("<H", 1) + area), rule))).worksheets[0]
    (found,) = made.conditional_formatting
    one, = found.rules
    assert (str(found.sqref), one.type, one.operator, one.formula) == ("B2:B10", "cellIs", "greaterThan", ["A2"])
    assert one.dxf.fill.bgColor.indexed == 10


def test_hidden_sheets_stay_hidden() -> None:
    given = build.workbook(sheet(), build.Sheet("隠", state=1), build.Sheet("奥", state=2))
    book = _opened(given)
    assert [(one.title, one.sheet_state) for one in book.worksheets] == [("表1", "visible"), ("隠", "hidden"), ("奥", "veryHidden")]


def test_names_of_the_workbook_and_of_a_sheet() -> None:
    area = b"\x3b" + struct.pack("<HHHHH", 0, 0, 8, 0, 2)
    before = (build.INSIDE, build.references((0, 0, 0)), build.name("範囲", area), build.name("", area, built_in=6, scope=1))
    book = _opened(build.workbook(sheet(), before=before))
    assert book.defined_names["範囲"].attr_text == "表1!$A$1:$C$9"
    assert book.worksheets[0].print_area == "'表1'!$A$1:$C$9"


def test_shared_formulas_are_written_out() -> None:
    """Relative places count from the cell that the formula stands in."""
    tokens = b"\x4c" + struct.pack("<HH", 0xFFFF, 0xC0FF) + b"\x1e\x02\0\x05"      # the cell above to the left, times 2
    shared = record(0x04BC, struct.pack("<HHBBBBH", 2, 4, 1, 1, 0, 3, len(tokens)) + tokens)
    follow = b"\x01" + struct.pack("<HH", 2, 1)
    first, *others = (build.formula(row, 1, follow, row) for row in (2, 3, 4))
    made = _opened(build.workbook(sheet(first + shared, *others))).worksheets[0]
    assert [made[f"B{row}"].value for row in (3, 4, 5)] == ["=A2*2", "=A3*2", "=A4*2"]


def test_an_array_stands_in_its_first_cell() -> None:
    tokens = b"\x25" + struct.pack("<HHHH", 0, 1, 0xC000, 0xC001) + b"\x1e\x02\0\x05"
    array = record(0x0221, struct.pack("<HHBBHIH", 2, 3, 0, 1, 0, 0, len(tokens)) + tokens)
    follow = b"\x01" + struct.pack("<HH", 2, 0)
    cells = [build.formula(row, col, follow, 7) for row in (2, 3) for col in (0, 1)]
    made = _opened(build.workbook(sheet(cells[0] + array, *cells[1:]))).worksheets[0]
    assert (made["A3"].value.ref, made["A3"].value.text) == ("A3:B4", "=A1:B2*2")
    assert made["B4"].value == 7


def test_constants_in_braces() -> None:
    values = b"".join(b"\x01" + struct.pack("<d", one) for one in (1, 2)) + b"\x02" + text("三") + b"\x04\x01" + bytes(7)
    tokens = b"\x60" + bytes(7)
    given = build.workbook(sheet(build.formula(1, 0, tokens, extra=struct.pack("<BH", 1, 1) + values)))
    assert _opened(given).worksheets[0]["A2"].value == '={1,2;"三",TRUE}'


def _rich(plain: str, runs: bytes = b"", guides: bytes = b"") -> bytes:
    flags = 1 | (8 if runs else 0) | (4 if guides else 0)
    head = struct.pack("<HB", len(plain), flags) + (struct.pack("<H", len(runs) // 4) if runs else b"") + (struct.pack("<I", len(guides)) if guides else b"")
    return head + plain.encode("utf-16-le") + runs + guides


def _guides(reading: str, *runs: tuple[int, int, int]) -> bytes:
    body = struct.pack("<HHHHH", 0, 0x37, len(runs), len(reading), len(reading)) + reading.encode("utf-16-le")
    body += b"".join(struct.pack("<HHH", *run_) for run_ in runs)
    return struct.pack("<HH", 1, len(body)) + body


def test_runs_and_phonetic_guides() -> None:
    texts = (_rich("赤と黒", struct.pack("<HHHH", 0, 1, 1, 0)), _rich("東京都庁", guides=_guides("トウキョウトチョウ", (0, 0, 2), (5, 2, 2))))
    styles = (build.font(), build.font(weight=700, colour=10), *[build.cell_format()] * 16)
    given = build.cfb.compound({"Workbook": build.stream(build.Sheet("表", build.label(0, 0, 0), build.label(1, 0, 1)), texts=texts, styles=styles)})
    outcome = run(given, "x.xls")
    assert outcome.content is not None, outcome.report.findings
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        strings = archive.read("xl/sharedStrings.xml").decode()
    assert "<t>赤</t></r>" in strings
    assert "<t>と黒</t></r>" in strings
    assert '<b/><sz val="11"/><color indexed="10"/>' in strings
    assert '<rPh sb="0" eb="2"><t>トウキョウ</t></rPh><rPh sb="2" eb="4"><t>トチョウ</t></rPh>' in strings
    assert openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]["A2"].value == "東京都庁"


@pytest.mark.parametrize(
    "guides",
    [_guides("かん"), _guides("かん", (0, 0, 9)), _guides("かん", (0, 0, 1))[:-4], _guides("かん", (0, 0, 1)).replace(b"\2\0\2\0", b"\2\0\3\0"), b"\1\0\0\0"],
    ids=["for no letters", "for more letters than there are", "cut off", "two lengths", "no room"],
)
def test_guides_that_fit_no_letters_are_left_out(guides: bytes) -> None:
    """The text stays, on every sheet that shows it."""
    given = build.stream(*(build.Sheet(name, build.label(0, 0, 0)) for name in "ab"), texts=(_rich("漢字", guides=guides),))
    outcome = run(build.cfb.compound({"Workbook": given}), "x.xls")
    assert outcome.content is not None, outcome.report.findings
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        assert b"<si><t>\xe6\xbc\xa2\xe5\xad\x97</t></si>" in archive.read("xl/sharedStrings.xml")
    assert [one["A1"].value for one in openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets] == ["漢字"] * 2


@pytest.mark.parametrize("at", [8, *range(11, 51, 4), 51])
def test_texts_that_run_over_into_the_next_record(at: int) -> None:
    """What goes on inside a text begins with a byte that tells the width anew."""
    whole = build.shared(["あいうえおかきくけこさしすせそたちつてと", "abc"])[4:]
    again = b"" if at in (8, 51) else b"\x01"
    table = record(0xFC, whole[:at]) + record(0x3C, again + whole[at:])
    given = build.stream(build.Sheet("表", build.label(0, 0, 0), build.label(1, 0, 1)), table=table)
    made = _opened(build.cfb.compound({"Workbook": given})).worksheets[0]
    assert (made["A1"].value, made["A2"].value) == ("あいうえおかきくけこさしすせそたちつてと", "abc")


def test_a_text_that_goes_on_in_another_width() -> None:
    table = record(0xFC, struct.pack("<IIHB", 1, 1, 4, 1) + "日本".encode("utf-16-le")) + record(0x3C, b"\0ab")
    given = build.stream(build.Sheet("表", build.label(0, 0, 0)), table=table)
    assert _opened(build.cfb.compound({"Workbook": given})).worksheets[0]["A1"].value == "日本ab"


def test_classification_marks() -> None:
    summary = build.properties("e0859ff2f94f6810ab9108002b27b3d9", {2: "題", 3: "件名", 5: "自治体機密性２", 18: "Microsoft Excel"})
    document = build.properties("02d5cdd59c2e1b10939708002b2cf9ae", {2: "区分"})
    user = build.properties("05d5cdd59c2e1b10939708002b2cf9ae", {2: "２", 3: "社外秘"}, {2: "情報分類", 3: "MSIP_Label_1_Name"})
    both = document[:24] + struct.pack("<I", 2) + document[28:44] + struct.pack("<I", 68) + user[28:44] + struct.pack("<I", 68 + len(document) - 48) + document[48:] + user[48:]
    book = _opened(build.workbook(streams={"\x05SummaryInformation": summary, "\x05DocumentSummaryInformation": both}))
    properties = book.properties
    assert (properties.title, properties.subject, properties.keywords, properties.category) == ("題", "件名", "自治体機密性２", "区分")
    assert {one.name: one.value for one in book.custom_doc_props} == {"情報分類": "２", "MSIP_Label_1_Name": "社外秘"}


def _node(kind: int, data: bytes, *, instance: int = 0, version: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4 | version, kind, len(data)) + data


def _shape(geometry: int, options: dict[int, int], kind: int, *after: bytes) -> bytes:
    """A sheet's records of one shape from B2 to D5."""
    table = b"".join(struct.pack("<HI", number, value) for number, value in options.items())
    anchor = _node(0xF010, struct.pack("<9H", 0, 1, 512, 1, 128, 3, 0, 4, 0))
    inside = _node(0xF00A, bytes(8), instance=geometry, version=2) + _node(0xF00B, table, instance=len(options), version=3)
    shape = _node(0xF004, inside + anchor + _node(0xF011, b""), version=15)
    drawing = _node(0xF002, _node(0xF003, shape, version=15), version=15)
    one = struct.pack("<HHHHH12x", 0x15, 18, kind, 1, 0x6011) + bytes(4)
    return b"".join((record(0xEC, drawing), record(0x5D, one), *after))


def _picture(content: bytes) -> tuple[bytes, bytes]:
    """The drawing group with one PNG, and the shape that shows it."""
    blip = _node(0xF01E, bytes(16) + b"\xff" + content, instance=0x6E0)
    store = _node(0xF001, _node(0xF007, bytes(36) + blip, instance=6, version=2), instance=1, version=15)
    return record(0xEB, _node(0xF000, store, version=15)), _shape(75, {0x4104: 1}, 8)


def test_a_picture_stays_in_its_place() -> None:
    group, shown = _picture(png())
    book = _opened(build.workbook(sheet(shown), before=(group,)))
    image, = book.worksheets[0]._images
    start, end = image.anchor._from, image.anchor.to
    assert ((start.col, start.row), (end.col, end.row)) == ((1, 1), (3, 4))
    assert image._data().startswith(b"\x89PNG")


def test_a_broken_picture_leaves_a_neutral_one() -> None:
    group, shown = _picture(b"\x89PNG broken")
    outcome = run(build.workbook(sheet(shown), before=(group,)), "x.xls")
    assert outcome.content is not None
    assert [finding.code for finding in outcome.report.findings] == ["xls.picture_replaced"]
    assert len(openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]._images) == 1


@pytest.mark.parametrize("shown", [True, False])
def test_a_filter_stays_where_its_arrows_show(shown: bool) -> None:
    """The hidden name alone is left behind by every filter that was ever there."""
    area = b"\x3b" + struct.pack("<HHHHH", 0, 0, 8, 0, 2)
    before = (build.INSIDE, build.references((0, 0, 0)), build.name("", area, flags=1, built_in=13, scope=1))
    arrows = [record(0x9D, b"\3\0")] if shown else []
    made = _opened(build.workbook(sheet(*arrows), before=before)).worksheets[0]
    assert made.auto_filter.ref == ("A1:C9" if shown else None)


def test_merged_cells_that_lie_over_each_other() -> None:
    """Excel takes them for damage in an xlsx."""
    areas = [(0, 1, 0, 1), (1, 2, 1, 2), (5, 5, 5, 5), (3, 4, 0, 1), (0, 1, 2, 3)]
    merged = record(0xE5, struct.pack("<H", len(areas)) + b"".join(struct.pack("<HHHH", *area) for area in areas))
    made = _opened(build.workbook(sheet(merged))).worksheets[0]
    assert {str(area) for area in made.merged_cells.ranges} == {"A1:B2", "C1:D2", "A4:B5"}


def test_a_cell_that_is_written_twice() -> None:
    made = _opened(build.workbook(sheet(build.number(0, 1, 7)))).worksheets[0]
    assert made["B1"].value == 7


def test_a_text_box_stays() -> None:
    said = record(0x1B6, struct.pack("<HHHHHHHI", 0, 0, 0, 0, 0, 3, 0, 0)), record(0x3C, b"\1" + "枠内文".encode("utf-16-le"))
    outcome = run(build.workbook(sheet(_shape(202, {0x181: 0x0000FFFF}, 6, *said))), "x.xls")
    assert outcome.content is not None
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        drawing = archive.read("xl/drawings/drawing1.xml").decode()
    for wanted in ("<a:t>枠内文</a:t>", 'prst="rect"', 'val="FFFF00"', "<xdr:col>1</xdr:col>", "<xdr:row>4</xdr:row>"):
        assert wanted in drawing
