"""What a clerk wrote is still there in the docx, by python-docx and in the XML itself; a clean document gives no finding."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from typing import Any

import docx
import pytest
from docx.shared import Pt, RGBColor, Twips

from sanitizers.formats.doc.fib import Part
from sanitizers.model import Kind, Verdict
from tests.build import doc as build
from tests.build.context import run
from tests.build.doc import SPECIAL, Run, cell, field, para, row, sprm
from tests.build.xls import properties

TEXT = "髙橋①㈱～－〜ソ能表 ABC ｶﾅ 😀 “引用” ―― 五霞町"
SUMMARY = "e0859ff2f94f6810ab9108002b27b3d9"
USER = "05d5cdd59c2e1b10939708002b2cf9ae"


def _made(given: bytes, *, clean: bool = True) -> bytes:
    outcome = run(given, "様式.doc")
    assert outcome.content is not None, outcome.report.findings
    if clean:
        assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    return outcome.content.bytes()


def _opened(given: bytes, **more: bool) -> Any:
    return docx.Document(io.BytesIO(_made(given, **more)))


def _part(given: bytes, name: str = "word/document.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(_made(given))) as archive:
        return archive.read(name).decode()


@pytest.mark.parametrize("cuts", [(), (1,), (3, 4, 7), tuple(range(1, 40))])
def test_text_from_any_pieces(cuts: tuple[int, ...]) -> None:
    given = build.document(para(TEXT), para("二つ目"), para(), cuts=cuts)
    assert [one.text for one in _opened(given).paragraphs] == [TEXT, "二つ目", ""]


@pytest.mark.parametrize("cuts", [(), (2, 5)])
def test_text_of_one_byte_for_each_character(cuts: tuple[int, ...]) -> None:
    given = build.document(para("Ordinary “quoted” – text € é"), narrow=True, cuts=cuts)
    assert _opened(given).paragraphs[0].text == "Ordinary “quoted” – text € é"


def test_a_template_stays_one() -> None:
    outcome = run(build.document(para(TEXT), flags=0x0201), "様式.dot")
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.DOTX, "様式.dotx")


CHARACTERS = {
    "bold": (sprm(0x0835, 1), "<w:b/>"), "not bold": (sprm(0x0835, 0), '<w:b w:val="0"/>'), "italic": (sprm(0x0836, 1), "<w:i/>"),
    "as the style": (sprm(0x0835, 0x80), ""), "not as the style": (sprm(0x0835, 0x81), "<w:b/>"),
    "underline": (sprm(0x2A3E, 11), '<w:u w:val="wave"/>'), "size": (sprm(0x4A43, 32), '<w:sz w:val="32"/>'),
    "colour": (sprm(0x6870, 0x0000FF), '<w:color w:val="FF0000"/>'), "indexed colour": (sprm(0x2A42, 2), '<w:color w:val="0000FF"/>'),
    "highlight": (sprm(0x2A0C, 7), '<w:highlight w:val="yellow"/>'), "superscript": (sprm(0x2A48, 1), '<w:vertAlign w:val="superscript"/>'),
    "spacing": (sprm(0x8840, -20), '<w:spacing w:val="-20"/>'), "scale": (sprm(0x4852, 80), '<w:w w:val="80"/>'),
    "kerning": (sprm(0x484B, 2), '<w:kern w:val="2"/>'), "raised": (sprm(0x4845, 6), '<w:position w:val="6"/>'),
    "emphasis": (sprm(0x2A34, 2), '<w:em w:val="comma"/>'), "caps": (sprm(0x083B, 1), "<w:caps/>"), "hidden": (sprm(0x083C, 1), "<w:vanish/>"),
    "strike": (sprm(0x0837, 1), "<w:strike/>"), "two strikes": (sprm(0x2A53, 1), "<w:dstrike/>"),
    "fonts": (sprm(0x4A4F, 1) + sprm(0x4A50, 0), '<w:rFonts w:ascii="Symbol" w:eastAsia="ＭＳ 明朝"/>'),
    "language": (sprm(0x4874, 0x0411), '<w:lang w:eastAsia="ja-JP"/>'), "shade": (sprm(0x4866, 0x0700 >> 0 & 0xFFFF | 8 << 5), "<w:shd "),
    "border": (sprm(0x6865, b"\x04\x01\x06\x00"), '<w:bdr w:val="single" w:sz="4" w:space="0" w:color="FF0000"/>'),
    "two lines in one": (sprm(0xCA78, struct.pack("<HI", 0x0102, 5)), '<w:eastAsianLayout w:id="5" w:combine="1" w:combineBrackets="round"/>'),
    "lying in standing text": (sprm(0xCA78, struct.pack("<HI", 0x1001, 5)), '<w:eastAsianLayout w:id="5" w:vert="1" w:vertCompress="1"/>'),
    "a border of nothing": (sprm(0x6865, b"\xff" * 4), ""),
    "a layout of nothing": (sprm(0xCA78, bytes(6)), ""), "a layout that is cut off": (sprm(0xCA78, bytes(4)), ""),
    "fitted": (sprm(0xCA76, struct.pack("<iI", 900, 7)), '<w:fitText w:val="900" w:id="7"/>'), "fitted to nothing": (sprm(0xCA76, bytes(8)), ""),
    "fitted without number": (sprm(0xCA76, bytes(4)), ""), "no border": (sprm(0x6865, b"\x04\x00\x06\x00"), '<w:bdr w:val="none"/>'),
    "a border that nobody knows": (sprm(0xCA72, bytes(4) + b"\x04\x3f\0\0"), '<w:bdr w:val="none"/>'), "half a border": (sprm(0xCA72, bytes(5)), ""),
}  # fmt: skip
PARAGRAPHS = {
    "centred": (sprm(0x2403, 1), '<w:jc w:val="center"/>'), "distributed": (sprm(0x2461, 4), '<w:jc w:val="distribute"/>'),
    "left": (sprm(0x840F, 420), '<w:ind w:left="420"/>'), "hanging": (sprm(0x8460, -210), '<w:ind w:hanging="210"/>'),
    "first line in letters": (sprm(0x4457, 100), '<w:ind w:firstLineChars="100"/>'),
    "exact lines": (sprm(0x6412, 0xFF10), '<w:spacing w:line="240" w:lineRule="exact"/>'),
    "lines": (sprm(0x6412, 0x000101E0), '<w:spacing w:line="480" w:lineRule="auto"/>'),
    "before": (sprm(0xA413, 120), '<w:spacing w:before="120"/>'), "keep": (sprm(0x2406, 1), "<w:keepNext/>"),
    "page": (sprm(0x2407, 1), "<w:pageBreakBefore/>"), "no grid": (sprm(0x2447, 0), '<w:snapToGrid w:val="0"/>'),
    "level": (sprm(0x2640, 2), '<w:outlineLvl w:val="2"/>'),
    "tab": (sprm(0xC60D, b"\0\x01" + struct.pack("<hB", 4000, 0x0A)), '<w:tab w:val="right" w:leader="dot" w:pos="4000"/>'),
    "no tab": (sprm(0xC60D, b"\x01" + struct.pack("<h", 4000) + b"\0"), '<w:tab w:val="clear" w:pos="4000"/>'),
    "box": (sprm(0x6424, b"\x04\x01\x01\x01"), '<w:top w:val="single" w:sz="4" w:space="1" w:color="000000"/>'),
    "shaded": (sprm(0xC64D, b"\0\0\0\xff\xff\xff\0\0\0\0"), '<w:shd w:val="clear" w:color="auto" w:fill="FFFF00"/>'),
    "frame": (sprm(0x841A, 2000) + sprm(0x261B, 0x20) + sprm(0x8418, -4 & 0xFFFF), '<w:framePr w:w="2000" w:vAnchor="text" w:hAnchor="text" w:xAlign="center"/>'),
    "a first letter": (sprm(0x442C, 3 << 3 | 1) + sprm(0x442B, 0x8000 | 600) + sprm(0x8419, 300),
                       '<w:framePr w:h="600" w:hRule="atLeast" w:dropCap="drop" w:lines="3" w:vAnchor="margin" w:hAnchor="text" w:y="300"/>'),
    "lines before": (sprm(0x4458, 50) + sprm(0x245C, 1), '<w:spacing w:beforeLines="50" w:afterAutospacing="1"/>'),
    "left in letters": (sprm(0x840F, 420) + sprm(0x4456, 200), '<w:ind w:left="420" w:leftChars="200"/>'),
}  # fmt: skip


@pytest.mark.parametrize("case", CHARACTERS)
def test_the_look_of_characters(case: str) -> None:
    look, said = CHARACTERS[case]
    xml = _part(build.document(para("前", Run("文字", look), "後")))
    assert re.search(rf"<w:r>(?:<w:rPr>[^文]*{re.escape(said)}[^文]*</w:rPr>)?<w:t xml:space=\"preserve\">文字<", xml), xml
    if not said:
        assert "<w:rPr>" not in xml


@pytest.mark.parametrize("case", PARAGRAPHS)
def test_the_look_of_paragraphs(case: str) -> None:
    look, said = PARAGRAPHS[case]
    assert said in _part(build.document(para("文字", grpprl=look)))


def test_a_style_and_what_it_is_based_on() -> None:
    styles = {
        0: build.NORMAL, 10: build.DEFAULT_FONT,
        1: build.style("見出し 1", 1, based=0, paragraph=sprm(0x2640, 0), characters=sprm(0x0835, 1) + sprm(0x4A43, 32)),
        11: build.style("強調", kind=2, based=10, characters=sprm(0x6870, 0x0000FF)),
    }  # fmt: skip
    made = _opened(build.document(para(Run("見出し", sprm(0x4A30, 11)), Run("戻し", sprm(0x0835, 0x81)), style=1), para("本文"), styles=styles))
    first, second = made.paragraphs
    assert (first.style.name, first.style.font.size, first.style.base_style.name) == ("Heading 1", Pt(16), "Normal")
    assert (first.runs[0].style.name, first.runs[0].style.font.color.rgb) == ("強調", RGBColor(255, 0, 0))
    assert first.runs[1].bold is False
    assert second.style.name == "Normal"


def test_a_style_that_is_based_on_itself() -> None:
    styles = {0: build.NORMAL, 1: build.style("甲", based=2), 2: build.style("乙", based=1), 10: build.DEFAULT_FONT}
    assert [one.text for one in _opened(build.document(para("甲", style=1), para("乙", style=2), styles=styles)).paragraphs] == ["甲", "乙"]


def _cell(flags: int = 0) -> bytes:
    return struct.pack("<HH", flags, 0) + bytes(16)


def test_a_table() -> None:
    wide = row(-108, 2000, 5000, 8000, cells=_cell(0x60) + _cell(1) + _cell(2))
    given = build.document(
        para("前"), cell("縦"), cell("横"), cell(), wide, cell(), cell("甲"), cell("乙"), row(-108, 2000, 5000, 8000, cells=_cell(0x20) + _cell() * 2), para("後"),
    )  # fmt: skip
    made = _opened(given)
    table = made.tables[0]
    assert [[one.text for one in line.cells] for line in table.rows] == [["縦", "横\n", "横\n"], ["縦", "甲", "乙"]]
    assert [column.width for column in table.columns] == [Twips(2108), Twips(3000), Twips(3000)]
    assert [one.text for one in made.paragraphs] == ["前", "後"]


def test_a_table_in_a_table() -> None:
    def deep(said: str, grpprl: bytes = b"") -> build.Para:
        return para(said, grpprl=sprm(0x2416, 1) + sprm(0x6649, 2) + grpprl)

    definition = sprm(0xD608, bytes((1,)) + struct.pack("<2h", 0, 3000))
    given = build.document(
        deep("内側", sprm(0x244B, 1)), deep("", sprm(0x244B, 1) + sprm(0x244C, 1) + definition), cell("外側"), row(-108, 5000), para("後"),
    )  # fmt: skip
    made = _opened(given)
    outer = made.tables[0].cell(0, 0)
    assert outer.text.endswith("外側")
    assert outer.tables[0].cell(0, 0).text == "内側"


def test_a_row_that_never_ends_stays_as_text() -> None:
    assert [one.text for one in _opened(build.document(cell("甲"), cell("乙"))).paragraphs] == ["甲", "乙"]


def test_a_table_with_more_edges_than_columns_may_be() -> None:
    """Every row is cut in other places: several tables, each with the columns that readers can count."""
    rows = [one for n in range(1, 60) for one in (cell(f"甲{n}"), cell(f"乙{n}"), row(0, 10 * n, 5000 + 7 * n))]
    made = _opened(build.document(*rows, para("後")))
    assert len(made.tables) == 2
    assert max(len(table.columns) for table in made.tables) <= 63
    assert [one.cells[0].text for table in made.tables for one in table.rows] == [f"甲{n}" for n in range(1, 60)]


def test_rows_with_looks() -> None:
    look = sprm(0x9407, -400) + sprm(0x3404, 1) + sprm(0x3403, 1) + sprm(0x5400, 1) + sprm(0xD613, (b"\0\0\0\0\x04\x01\0\0") * 6)
    shade = sprm(0xD612, b"\0\0\0\xff\xcc\xcc\xff\0\0\0")
    xml = _part(build.document(cell("甲"), row(0, 3000, more=look)._replace(), cell("乙"), row(0, 3000), para()))
    for said in ('<w:trHeight w:val="400" w:hRule="exact"/>', "<w:tblHeader/>", "<w:cantSplit/>", '<w:jc w:val="center"/>', "<w:tblBorders><w:top "):
        assert said in xml
    shaded = row(0, 3000)
    assert 'w:fill="CCCCFF"' in _part(build.document(cell("甲"), shaded._replace(grpprl=shaded.grpprl + shade), para()))


def test_sections() -> None:
    first = sprm(0xB01F, 11906) + sprm(0xB020, 16838) + sprm(0x9031, 360) + sprm(0x5032, 1) + sprm(0x500B, 1)
    second = sprm(0xB01F, 16838) + sprm(0xB020, 11906) + sprm(0x301D, 2) + sprm(0x5033, 1) + sprm(0x3011, 1) + sprm(0x501C, 5)
    given = build.document(para("一"), para("二", mark="\x0c"), para("三"), sections=(first, second), section_ends=(4,))
    made = _opened(given)
    assert [one.text for one in made.paragraphs] == ["一", "二", "三"]
    assert [(one.page_width, one.page_height) for one in made.sections] == [(Twips(11906), Twips(16838)), (Twips(16838), Twips(11906))]
    xml = _part(given)
    for said in ('<w:docGrid w:type="linesAndChars" w:linePitch="360"/>', '<w:cols w:num="2"', '<w:textDirection w:val="tbRl"/>', '<w:pgNumType w:start="5"/>'):
        assert said in xml


def test_headers_and_footers() -> None:
    texts = [para("偶数"), para(), para("奇数"), para(), para("最初"), para()]
    places = [0] * 7 + [4, 8, 8, 8, 12, 12, 13]
    given = build.document(
        para("本文"), stories={"headers": texts}, parts={Part.HEADERS: build.plc(places), Part.PROPERTIES: b"\1" + bytes(499)}, sections=(sprm(0x300A, 1),)
    )
    section = _opened(given).sections[0]
    assert [one.text for one in section.even_page_header.paragraphs] == ["偶数"]
    assert [one.text for one in section.header.paragraphs] == ["奇数"]
    assert [one.text for one in section.first_page_header.paragraphs] == ["最初"]
    assert section.different_first_page_header_footer


def test_notes() -> None:
    mark = Run("\x02", SPECIAL)
    given = build.document(
        para("本文", mark, "と", mark, "と", Run("※"), "。"),
        stories={"footnotes": (para(mark, "脚注"), para("※印の脚注")), "endnotes": (para(mark, "文末"),)},
        parts={
            Part.FOOTNOTE_REFERENCES: build.plc([2, 6, 9], [b"\1\0", b"\0\0"]), Part.FOOTNOTE_TEXTS: build.plc([0, 4, 10, 11]),
            Part.ENDNOTE_REFERENCES: build.plc([4, 9], [b"\1\0"]), Part.ENDNOTE_TEXTS: build.plc([0, 4, 5]),
        },
    )  # fmt: skip
    xml = _part(given)
    assert '<w:footnoteReference w:id="1"/>' in xml
    assert '<w:endnoteReference w:id="1"/>' in xml
    assert '<w:footnoteReference w:customMarkFollows="1" w:id="2"/><w:t xml:space="preserve">※</w:t>' in xml
    assert "<w:footnoteRef/>" in _part(given, "word/footnotes.xml")
    assert "脚注" in _part(given, "word/footnotes.xml")
    assert "文末" in _part(given, "word/endnotes.xml")


def test_comments() -> None:
    item = struct.pack("<H", 1) + "田".encode("utf-16-le").ljust(18, b"\0") + struct.pack("<HHHI", 0, 0, 0, 7)
    given = build.document(
        para("本文", Run("\x05", SPECIAL)),
        stories={"comments": (para(Run("\x05", SPECIAL), "意見"),)},
        parts={
            Part.COMMENT_REFERENCES: build.plc([2, 4], [item]), Part.COMMENT_TEXTS: build.plc([0, 4, 5]),
            Part.COMMENT_AUTHORS: struct.pack("<H", 2) + "田中".encode("utf-16-le"),
            Part.COMMENT_MARKS: build.strings("", beside=struct.pack("<HII", 0x100, 7, 0xFFFFFFFF)),
            Part.COMMENT_STARTS: build.plc([1, 4], [bytes(4)]), Part.COMMENT_ENDS: build.plc([2, 4]),
        },
    )  # fmt: skip
    comment = next(iter(_opened(given).comments))
    assert (comment.text, comment.author, comment.initials) == ("意見", "田中", "田")
    assert re.search(r'本</w:t></w:r><w:commentRangeStart w:id="1"/><w:r>.*文</w:t></w:r><w:commentRangeEnd w:id="1"/>', _part(given))


def test_what_a_document_says_of_itself() -> None:
    flags = 1 << 21 | 1 << 25
    xml = _part(build.document(para("本文"), parts={Part.PROPERTIES: struct.pack("<II2xH", 1, flags, 840).ljust(500, b"\0")}), "word/settings.xml")
    for said in ("<w:mirrorMargins/>", '<w:documentProtection w:edit="forms" w:enforcement="1"/>', '<w:defaultTabStop w:val="840"/>', "<w:evenAndOddHeaders/>"):
        assert said in xml


def test_tracked_changes() -> None:
    when = 30 | 9 << 6 | 1 << 11 | 4 << 16 | 126 << 20
    added = Run("足した", sprm(0x0801, 1) + sprm(0x4804, 1) + sprm(0x6805, when))
    xml = _part(build.document(para("本文", added, Run("消した", sprm(0x0800, 1))), parts={Part.REVISION_AUTHORS: build.strings("Unknown", "田中")}))
    assert re.search(r'<w:ins w:id="\d+" w:author="田中" w:date="2026-04-01T09:30:00Z"><w:r><w:t xml:space="preserve">足した</w:t></w:r></w:ins>', xml)
    assert re.search(r'<w:del w:id="\d+" w:author="Unknown"><w:r><w:delText xml:space="preserve">消した</w:delText></w:r></w:del>', xml)


def test_lists() -> None:
    def level(form: int, shown: str, look: bytes) -> bytes:
        places = bytes(n + 1 for n, one in enumerate(shown) if one < "\x09").ljust(9, b"\0")
        head = struct.pack("<iBB", 3, form, 0) + places + bytes(9) + struct.pack("<BBBB", 0, len(look), 0, 0)
        return head + look + struct.pack("<H", len(shown)) + shown.encode("utf-16-le")

    lists = struct.pack("<H", 1) + struct.pack("<ii", 77, 0) + bytes(18) + b"\1\0" + level(11, "第\0条", sprm(0x845E, 420))
    uses = struct.pack("<I", 1) + struct.pack("<iIIBBBB", 77, 0, 0, 0, 0, 0, 0) + b"\xff" * 4
    given = build.document(para("目的", grpprl=sprm(0x260A, 0) + sprm(0x460B, 1)), parts={Part.LISTS: lists, Part.LIST_OVERRIDES: uses})
    assert '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>' in _part(given)
    numbering = _part(given, "word/numbering.xml")
    for said in ('<w:start w:val="3"/><w:numFmt w:val="japaneseCounting"/>', '<w:lvlText w:val="第%1条"/>', '<w:ind w:left="420"/>'):
        assert said in numbering


def test_ruby() -> None:
    code = ' EQ \\* jc2 \\* "Font:ＭＳ 明朝" \\* hps10 \\o\\ad(\\s\\up 9(ごかまち),五霞町) '
    xml = _part(build.document(para("前", Run("\x13", SPECIAL), Run(code, sprm(0x4A43, 21)), Run("\x15", SPECIAL), "後")))
    assert '<w:rubyPr><w:rubyAlign w:val="distributeSpace"/><w:hps w:val="10"/><w:hpsRaise w:val="18"/><w:hpsBaseText w:val="21"/>' in xml
    assert re.search(r"<w:rt>.*ごかまち.*</w:rt><w:rubyBase>.*五霞町.*</w:rubyBase>", xml)
    assert "EQ" not in xml


@pytest.mark.parametrize("code", [" PAGE ", " = 1+2 ", ' DATE \\@ "ggge年M月d日" ', " REF 目印 ", " EQ \\f(1,2) ", ' TOC \\o "1-3" '])
def test_local_fields(code: str) -> None:
    xml = _part(build.document(para("前", *field(code, "12"), "後")))
    assert re.findall(r'fldCharType="(\w+)"', xml) == ["begin", "separate", "end"]
    assert f'<w:instrText xml:space="preserve">{code.replace("<", "&lt;")}</w:instrText>' in xml.replace("&quot;", '"')


@pytest.mark.parametrize("code", [' HYPERLINK "https://www.example.jp/" ', " HYPERLINK \\l 目印 ", ' HYPERLINK "mailto:a@example.jp" \\o "宛先" '])
def test_links_of_allowed_schemes(code: str) -> None:
    assert "HYPERLINK" in _part(build.document(para(*field(code, "こちら"))))


def test_bookmarks() -> None:
    parts = {
        Part.BOOKMARK_NAMES: build.strings("目印"), Part.BOOKMARK_STARTS: build.plc([1, 5], [struct.pack("<HH", 0, 0)]), Part.BOOKMARK_ENDS: build.plc([2, 5]),
    }  # fmt: skip
    xml = _part(build.document(para("本文の中"), parts=parts))
    assert re.search(r'本</w:t></w:r><w:bookmarkStart w:id="1" w:name="目印"/><w:r>.*文</w:t></w:r><w:bookmarkEnd w:id="1"/>', xml)


def test_symbols_and_breaks() -> None:
    symbol = Run("(", sprm(0x6A09, 2 | 0xF04A << 16) + SPECIAL)
    xml = _part(build.document(para("一\t二\x0b三\x0e四\x1e五\x1f", symbol)))
    for said in ("<w:tab/>", "<w:br/>", '<w:br w:type="column"/>', "<w:noBreakHyphen/>", "<w:softHyphen/>", '<w:sym w:font="Wingdings" w:char="F04A"/>'):
        assert said in xml


def test_a_form_field() -> None:
    said = struct.pack("<IHHH", 0xFFFFFFFF, 1 | 1 << 2, 0, 20) + struct.pack("<H", 1) + "印".encode("utf-16-le") + b"\0\0" + struct.pack("<H", 0) + bytes(20)
    data = struct.pack("<iH", 68 + len(said), 68).ljust(68, b"\0") + said
    inside = (Run("\x13", SPECIAL), " FORMCHECKBOX ", Run("\x01", SPECIAL + sprm(0x0806, 1) + sprm(0x6A03, 0)), Run("\x15", SPECIAL))
    xml = _part(build.document(para(*inside), data=data))
    assert '<w:ffData><w:name w:val="印"/><w:enabled/><w:calcOnExit w:val="0"/><w:checkBox><w:sizeAuto/><w:default/></w:checkBox></w:ffData>' in xml


def test_changes_that_a_piece_says() -> None:
    """In one byte, and in a list of its own."""
    assert "<w:b/>" in _part(build.document(para("文字"), prm=0x55 << 1 | 1 << 8))
    assert '<w:sz w:val="48"/>' in _part(build.document(para("文字"), prm=1, grpprls=(sprm(0x4A43, 48),)))


def test_marks_of_a_classification_stay() -> None:
    streams = {
        "\x05SummaryInformation": properties(SUMMARY, {2: "規程"}),
        "\x05DocumentSummaryInformation": properties(USER, {2: "機密性2"}, {2: "情報分類"}),
    }
    made = _made(build.document(para("本文"), streams=streams))
    assert docx.Document(io.BytesIO(made)).core_properties.title == "規程"
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert 'name="情報分類"' in archive.read("docProps/custom.xml").decode()
