"""Markup as it is seldom written: alternatives, fields, sheets and drawings that lost what they spoke of, other encodings."""

from __future__ import annotations

import re

import pytest

from sanitizers.context import Outcome
from sanitizers.model import Reason, Verdict
from tests.build import ooxml as build
from tests.build import ooxml_samples as make
from tests.build.context import run
from tests.build.ooxml import OFFICE, Pack, X
from tests.sanitizers.formats.ooxml.test_parts import codes, parts

MAIN, SHEET, BOOK = "word/document.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"


def document(body: str) -> tuple[Outcome, str]:
    outcome = run(build.docx(body).bytes(), "様式")
    return outcome, parts(outcome)[MAIN].decode()


def sheet(after: str, pack: Pack | None = None) -> tuple[Outcome, str]:
    made = pack or build.xlsx()
    made.parts[SHEET] = made.parts[SHEET].replace(b"</worksheet>", after.encode() + b"</worksheet>")
    outcome = run(made.bytes(), "様式")
    return outcome, parts(outcome)[SHEET].decode()


# ---------------------------------------------------------------------------------------------------- alternatives

UNKNOWN = '<mc:AlternateContent><mc:Choice xmlns:q="urn:q" Requires="q">{inside}</mc:Choice>{fallback}</mc:AlternateContent>'


@pytest.mark.parametrize(
    ("body", "stays"),
    [
        (UNKNOWN.format(inside="<q:run/>", fallback=""), ""),                                                       # nothing to choose
        (UNKNOWN.format(inside="", fallback=f"<mc:Fallback>{build.paragraph('次')}</mc:Fallback>"), "次"),
        (UNKNOWN.format(inside=UNKNOWN.format(inside="", fallback="<mc:Fallback/>"), fallback=""), ""),             # one in one that goes
    ],
)  # fmt: skip
def test_alternatives_end_in_what_is_known_or_in_nothing(body: str, stays: str) -> None:
    _, made = document(body)
    assert "AlternateContent" not in made
    assert "urn:q" not in made
    assert stays in made


def test_of_the_alternatives_around_a_form_control_one_stays() -> None:
    control = '<control shapeId="1025" r:id="rIdC" name="選択"/>'
    space = 'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"'
    choice = f'<mc:Choice {space} Requires="x14" note="1">{control}</mc:Choice>'
    after = f'<controls><mc:AlternateContent q="1">{choice}<mc:Fallback><q:x xmlns:q="urn:q"/></mc:Fallback></mc:AlternateContent></controls>'
    text = f'<formControlPr {space.replace("xmlns:x14", "xmlns")} objectType="CheckBox"/>'
    pack = build.xlsx().attach(SHEET, "rIdC", "ctrlProp", "xl/ctrlProps/ctrlProp1.xml", text, "application/vnd.ms-excel.controlproperties+xml")
    outcome, made = sheet(after, pack)
    assert outcome.content is not None
    assert re.search(r"<mc:AlternateContent[^>]*><mc:Choice [^>]*Requires=\"x14\"[^>]*><control ", made)
    assert "Fallback" not in made
    assert " note=" not in made
    assert " q=" not in made


def test_containers_that_lose_all_go_once() -> None:
    body = f'<w:p><w:r><w:drawing><a:extLst><a:ext uri="x"><q:a xmlns:q="urn:q"/><q:b xmlns:q="urn:q"/></a:ext></a:extLst></w:drawing></w:r></w:p>{build.paragraph("後")}'
    _, made = document(body)
    assert "extLst" not in made
    assert "後" in made


# -------------------------------------------------------------------------------------------------------- encodings


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "shift_jis", "utf-8-sig"])
def test_what_is_not_plain_utf_8_is_judged_by_its_tree(codec: str) -> None:
    """The names are not guessed from bytes that spell them otherwise."""
    pack = build.docx('<w:p><q:evil xmlns:q="urn:q" q:a="1"/></w:p>')
    name = codec.removesuffix("-le").removesuffix("-sig")
    text = pack.parts[MAIN].decode().replace("UTF-8", name, 1)
    pack.parts[MAIN] = (b"\xff\xfe" if codec == "utf-16-le" else b"") + text.encode(codec)
    outcome = run(pack.bytes(), "様式")
    made = parts(outcome)[MAIN]
    assert "本文".encode() in made
    assert b"evil" not in made
    assert "ooxml.unknown_markup" in codes(outcome)


@pytest.mark.parametrize(("prefix", "reason"), [(b"\n \t", None), (b"\xef\xbb\xbf", None), (b"x", Reason.MALFORMED), (b"\0", Reason.MALFORMED)])
def test_what_stands_before_the_markup(prefix: bytes, reason: Reason | None) -> None:
    pack = build.docx("<w:p><w:evil/></w:p>")
    pack.parts[MAIN] = prefix + pack.parts[MAIN].partition(b"?>")[2]
    outcome = run(pack.bytes(), "様式")
    assert outcome.report.reason == reason
    if reason is None:
        assert b"evil" not in parts(outcome)[MAIN]


def test_what_only_looks_like_a_declaration_of_a_namespace() -> None:
    _, made = document('<w:p><w:r><w:t>xmlns:q = kein</w:t></w:r></w:p><w:p><w:evil xmlnsq="1"/></w:p>')
    assert "xmlns:q = kein" in made
    assert "evil" not in made


# ------------------------------------------------------------------------------------------------- fields, revisions


def test_an_instruction_outside_of_a_field_goes() -> None:
    outcome, made = document('<w:p><w:r><w:instrText>DDEAUTO cmd</w:instrText></w:r></w:p><w:p><w:fldSimple w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p>')
    assert codes(outcome) == {"ooxml.field"}
    assert "DDEAUTO" not in made
    assert 'w:instr="PAGE"' in made


def test_an_instruction_in_the_shown_result_goes() -> None:
    shown = "<w:r><w:instrText>DDEAUTO cmd</w:instrText></w:r>"
    outcome, made = document(build.field("PAGE").replace("<w:r><w:t>shown", shown + "<w:r><w:t>shown"))
    assert codes(outcome) == {"ooxml.field"}
    assert "DDEAUTO" not in made
    assert "PAGE" in made


def test_fields_in_the_shown_result_of_a_field_are_judged_by_themselves() -> None:
    inner = build.field("DDE cmd x", shown="内").removeprefix("<w:p>").removesuffix("</w:p>")
    outcome, made = document(build.field("PAGE").replace("<w:r><w:t>shown</w:t></w:r>", inner))
    assert codes(outcome) == {"ooxml.dde"}
    assert "PAGE" in made
    assert "内" in made
    assert "cmd" not in made


def test_fields_that_end_in_what_went_with_another() -> None:
    """Two that nobody closed, one within the instruction of the other."""
    begin = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>DDE {}</w:instrText></w:r>'
    outcome, made = document(f"{build.paragraph('前')}<w:p>{begin.format('a')}{begin.format('b')}</w:p>")
    assert codes(outcome) == {"ooxml.dde"}
    assert "fldChar" not in made
    assert "前" in made


def test_changes_within_deleted_text_go_with_it() -> None:
    body = '<w:p><w:del w:id="1"><w:ins w:id="2"><w:r><w:t>消</w:t></w:r></w:ins></w:del><w:ins w:id="3"><w:r><w:t>残</w:t></w:r></w:ins></w:p>'
    outcome = run(build.docx(body).bytes(), "様式", comments_kept=False)
    made = parts(outcome)[MAIN].decode()
    assert codes(outcome) == {"ooxml.comments"}
    assert "消" not in made
    assert "残" in made
    assert "w:ins" not in made


def test_the_boxes_of_comments_go_with_them() -> None:
    text = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:x="urn:schemas-microsoft-com:office:excel"><v:shape id="a"><x:ClientData ObjectType="Note"/>'
        '</v:shape><v:shape id="b"><x:ClientData ObjectType="Button"/></v:shape></xml>'
    )
    pack = build.xlsx(after='<legacyDrawing r:id="rIdV"/>')
    pack.attach(SHEET, "rIdV", "vmlDrawing", "xl/drawings/vmlDrawing1.vml", text, f"{OFFICE}vmlDrawing")
    outcome = run(pack.bytes(), "様式", comments_kept=False)
    made = parts(outcome)["xl/drawings/vmlDrawing1.vml"]
    assert codes(outcome) == {"ooxml.comments"}
    assert b'id="a"' not in made
    assert b'id="b"' in made


def test_an_object_without_anything_behind_it_is_said() -> None:
    outcome, made = document('<w:p><w:r><w:object><v:shape/><o:OLEObject Type="Link" ProgID="Package"/></w:object></w:r></w:p>')
    assert codes(outcome) == {"ooxml.ole_object"}
    assert "OLEObject" not in made


# ---------------------------------------------------------------------------------------------------------- sheets


def test_a_workbook_of_macro_sheets_alone_is_refused() -> None:
    pack = make.macro_sheet()
    pack.parts[BOOK] = pack.parts[BOOK].replace('<sheet name="表1" sheetId="1" r:id="rId1"/>'.encode(), b"")
    outcome = run(pack.bytes(), "様式")
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)


def test_what_counts_sheets_is_counted_anew() -> None:
    pack = make.macro_sheet()
    views = '<bookViews><workbookView activeTab="1" firstSheet="0"/><workbookView activeTab="x"/>' + f'<workbookView activeTab="{"9" * 5_000}"/></bookViews>'
    names = (
        '<definedName name="消" localSheetId="0">表1!$A$1</definedName><definedName name="怪" localSheetId="x">表1!$A$1</definedName>'
        f'<definedName name="長" localSheetId="{"9" * 5_000}">表1!$A$1</definedName><definedName name="残">表1!$A$1</definedName></definedNames>'
    )
    book = pack.parts[BOOK].decode().replace("</definedNames>", names).replace("</workbook>", views + "</workbook>")
    pack.parts[BOOK] = book.replace('sheetId="1" r:id', 'sheetId="1" state="hidden" r:id').encode()
    made = parts(run(pack.bytes(), "様式"))[BOOK].decode()
    assert re.findall(r'activeTab="(\w+)"', made) == ["0", "0", "0"]
    assert re.findall(r'firstSheet="(\w+)"', made) == ["0"]
    assert re.findall(r'<definedName name="(\w+)"(?: localSheetId="(\w+)")?', made) == [("範囲", "0"), ("残", "")]
    assert "state=" not in made     # the one sheet that is left is seen


RULE = '<cfRule type="expression" priority="{}"><formula>{}</formula></cfRule>'
RULES = '<conditionalFormatting sqref="A1">{}</conditionalFormatting>'
CHECK = '<dataValidation sqref="A1" type="custom"><formula1>{}</formula1></dataValidation>'


@pytest.mark.parametrize(
    ("after", "stays"),
    [
        ("<formula>EXEC(1)</formula>", ""),  # of nothing
        (RULES.format(RULE.format(1, "EXEC(1)")), ""),
        (RULES.format(RULE.format(1, "EXEC(1)") + RULE.format(2, "A1&gt;1")), 'priority="2"'),
        (f'<dataValidations count="2">{CHECK.format("EXEC(1)")}{CHECK.format("A1&gt;1")}</dataValidations>', '<dataValidations count="1">'),
    ],
)
def test_what_a_formula_belongs_to_goes_with_it(after: str, stays: str) -> None:
    outcome, made = sheet(after)
    assert codes(outcome) == {"ooxml.formula"}
    assert "EXEC" not in made
    assert stays in made
    assert stays or "conditionalFormatting" not in made


def test_a_link_that_leads_out_by_its_place_keeps_its_allowed_target() -> None:
    pack = build.xlsx().link(SHEET, "rIdH", "hyperlink", "https://example.jp/", external=True)
    outcome, made = sheet('<hyperlinks><hyperlink ref="A1" r:id="rIdH" location="[x.xlsx]S!A1"/></hyperlinks>', pack)
    assert codes(outcome) == {"ooxml.hyperlink"}
    assert "[x.xlsx]" not in made
    assert b"https://example.jp/" in parts(outcome)["xl/worksheets/_rels/sheet1.xml.rels"]


def test_settings_of_a_printer_go_without_the_page_setup() -> None:
    outcome, made = sheet('<pageSetup paperSize="9" r:id="rIdNone"/>')
    assert outcome.report.verdict is Verdict.CLEAN
    assert '<pageSetup paperSize="9"/>' in made


def test_tables_that_are_not_there_are_not_counted() -> None:
    text = f'<table xmlns="{X}" id="1" name="t" displayName="t" ref="A1:A2"><tableColumns count="1"><tableColumn id="1" name="a"/></tableColumns></table>'
    pack = build.xlsx().attach(SHEET, "rIdT", "table", "xl/tables/table1.xml", text, f"{OFFICE}spreadsheetml.table+xml")
    _, made = sheet('<tableParts count="2"><tablePart r:id="rIdT"/><tablePart r:id="rIdNone"/></tableParts>', pack)
    assert re.search(r'<tableParts count="1"><tablePart [^>]*r:id="rIdT"/></tableParts>', made)
    _, made = sheet('<tableParts count="1"><tablePart r:id="rIdNone"/></tableParts>')
    assert "tablePart" not in made


@pytest.mark.parametrize("source", ["", '<cacheSource type="consolidation"/>', '<cacheSource type="external" connectionId="1"/>'])
def test_pivot_tables_of_anything_but_a_range_of_this_workbook_go(source: str) -> None:
    pack = make.pivot()
    name = "xl/pivotCache/pivotCacheDefinition1.xml"
    pack.parts[name] = re.sub(rb"<cacheSource.*</cacheSource>", source.encode(), pack.parts[name])
    outcome = run(pack.bytes(), "様式")
    assert "ooxml.connection" in codes(outcome)
    assert not any("pivot" in name for name in parts(outcome))


# ---------------------------------------------------------------------------------------------------------- slides


def test_the_picture_of_an_object_without_properties_takes_no_name() -> None:
    pack = make.slide_object()
    slide = "ppt/slides/slide1.xml"
    pack.parts[slide] = pack.parts[slide].replace(b'<p:cNvPr id="0" name=""/>', b"")
    outcome = run(pack.bytes(), "様式")
    assert "ooxml.ole_object" in codes(outcome)
    assert b"<p:pic>" in parts(outcome)[slide]


def test_an_object_of_2007_without_any_drawing_leaves_nothing() -> None:
    pack = make.slide_object()
    slide = "ppt/slides/slide1.xml"
    pack.parts[slide] = re.sub(rb"<p:pic>.*?</p:pic>", b"", pack.parts[slide]).replace(b"<p:oleObj ", b'<p:oleObj spid="_x0000_s1026" ')
    for link in (None, "none.vml"):
        if link:
            pack.link(slide, "rIdV", "vmlDrawing", link)
        outcome = run(pack.bytes(), "様式")
        assert "ooxml.ole_object" in codes(outcome)
        assert b"graphicFrame" not in parts(outcome)[slide]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<objectPr defaultSize="0" r:id="rIdI">', b'<objectPr defaultSize="0" r:id="rIdO">'),     # its picture is none
        (b'<objectPr defaultSize="0" r:id="rIdI">', b'<objectPr defaultSize="0">'),
        (b"<xdr:row>2</xdr:row>", b"<xdr:row>two</xdr:row>"),
        (b"<xdr:row>2</xdr:row>", b""),
    ],
)
def test_an_object_of_a_sheet_without_a_picture_or_a_place_leaves_none(old: bytes, new: bytes) -> None:
    pack = make.sheet_object()
    pack.parts[SHEET] = pack.parts[SHEET].replace(old, new)
    outcome = run(pack.bytes(), "様式")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert "ooxml.ole_object" in codes(outcome)
    assert not any("media" in name for name in parts(outcome))


def test_traces_of_revisions_go_without_a_word() -> None:
    text = f'<w:settings xmlns:w="{build.W}"><w:rsids><w:rsidRoot w:val="001"/><w:rsid w:val="002"/></w:rsids><w:zoom w:percent="90"/></w:settings>'
    pack = build.docx().attach(MAIN, "rIdS", "settings", "word/settings.xml", text, f"{OFFICE}wordprocessingml.settings+xml")
    outcome = run(pack.bytes(), "様式")
    assert outcome.report.verdict is Verdict.CLEAN
    assert b"rsid" not in parts(outcome)["word/settings.xml"]
    assert b"zoom" in parts(outcome)["word/settings.xml"]


@pytest.mark.parametrize(("said", "found"), [("", set()), ("<cp:lastModifiedBy/>", set()), ("<cp:lastModifiedBy>山田</cp:lastModifiedBy>", {"file.metadata"})])
def test_properties_that_say_nothing_are_not_worth_a_word(said: str, found: set[str]) -> None:
    spaces = 'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    text = f"<cp:coreProperties {spaces}><dc:title>題</dc:title>{said}<cp:revision>3</cp:revision></cp:coreProperties>"
    kind = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
    pack = build.docx().attach("", "rIdC", kind, "docProps/core.xml", text, "application/vnd.openxmlformats-package.core-properties+xml")
    outcome = run(pack.bytes(), "様式")
    assert codes(outcome) == found
    assert "題".encode() in parts(outcome)["docProps/core.xml"]
