"""Every attack of the catalogue is gone from the result, said so in the report, and the rest is still there.

The samples stand in `tests/build/ooxml_cases.py`; those that are refused, and those that are no single part, have tests of their own below.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from xml.parsers import expat

import pytest
from oletools import msodde
from oletools.oleobj import find_customUI, find_external_relationships, find_ole
from oletools.olevba import VBA_Parser
from oletools.ooxml import XmlParser

from sanitizers.model import Kind, Reason, Verdict
from tests.build import ooxml as build
from tests.build.apart import both
from tests.build.context import run
from tests.build.ooxml import CANARY, MS, OFFICE, R_STRICT, W_STRICT, A, C, P, Pack, R, W, X
from tests.build.ooxml_cases import CASES
from tests.build.ooxml_samples import EVIL, cell, fallback, hyperlink, macro_sheet, ole_object, sheet_object

CATALOGUE = {
    "O01": "VBA under an odd name or type",
    "O02": "VBA without source",
    "O03": "macro sheets, dialog sheets and names that start them",
    "O04": "attached template, transitional and strict",
    "O05": "linked object by a moniker",
    "O06": "picture from outside",
    "O07": "hyperlink of another scheme",
    "O08": "DDE in fields, however written and wherever",
    "O09": "fields that include, link or import",
    "O10": "DDE and OLE links of workbooks",
    "O11": "formulas that call or reach out",
    "O12": "connections, queries, data model, DataMashup",
    "O13": "OLE package",
    "O14": "embedded Office files, three deep",
    "O15": "equation object",
    "O16": "ActiveX",
    "O17": "altChunk",
    "O18": "custom UI",
    "O19": "web extension",
    "O20": "actions on a click, sounds, videos",
    "O21": "DTD",
    "O22": "orphans, unknown types, thumbnail, printer settings, signature",
    "O23": "pictures and fonts of other kinds",
    "O24": "two parts of one name, paths",
    "O25": "other formats under an Office name",
    "O26": "encrypted package",
    "O27": "sub-documents, frames, slide updates, data sources",
    "O28": "kind and content type that disagree",
}
STRICT = {
    R: R_STRICT, W: W_STRICT, X: "http://purl.oclc.org/ooxml/spreadsheetml/main", P: "http://purl.oclc.org/ooxml/presentationml/main",
    A: "http://purl.oclc.org/ooxml/drawingml/main", C: "http://purl.oclc.org/ooxml/drawingml/chart",
}  # fmt: skip
GONE_TYPES = re.compile(r"vba|macro|dialog|activex|oleobject|webext|customui|connection|querytable|externallink|printer|signature|octet", re.IGNORECASE)


def test_every_case_of_the_catalogue_is_built() -> None:
    built = {name[:3] for name in CASES} | {found[1].upper() for name in globals() if (found := re.match(r"test_(o\d\d)_", name))}
    assert {name for name in built if name.startswith("O")} >= set(CATALOGUE)


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
    said = report.findings + tuple(finding for part in report.parts for finding in part.findings)
    assert code in {finding.code for finding in said}
    assert outcome.content is not None
    assert report.output is not None
    content = outcome.content.bytes()
    everything = _texts(content)
    assert CANARY.encode() not in everything
    assert b"\xd0\xcf\x11\xe0" not in everything
    assert any(word.encode() in everything for word in ("本文", "表1", "題名"))
    _nothing_active(content, tmp_path / f"out.{report.output.kind}")
    _walk(content)


def _nothing_active(content: bytes, path: Path) -> None:
    """What oletools see in the result: nothing."""
    path.write_bytes(content)
    parser = VBA_Parser(str(path), data=content)
    assert not parser.detect_vba_macros()
    assert not parser.detect_xlm_macros()
    parser.close()
    assert not msodde.process_file(str(path), msodde.FIELD_FILTER_DDE)
    assert not [ole for ole in find_ole(str(path), None) if ole is not None]
    relations = XmlParser(str(path))
    assert not list(find_external_relationships(relations))
    assert not list(find_customUI(relations))


def _walk(content: bytes) -> None:
    """What oletools are known to miss: external pictures, altChunk, connections; read by zipfile and expat alone."""
    found: list[tuple[str, dict[str, str]]] = []
    for name, data in build.members(content).items():
        if name.endswith((".xml", ".rels", ".vml")):
            parser = expat.ParserCreate(namespace_separator=" ")
            parser.StartElementHandler = lambda tag, attributes: found.append((tag.rpartition(" ")[2], attributes))
            parser.Parse(data, True)
    for tag, attributes in found:
        assert tag not in ("altChunk", "subDoc", "connection", "oleObject", "OLEObject", "control", "attachedTemplate", "ddeLink", "frame")
        if tag == "Relationship":
            assert attributes.get("TargetMode") != "External", attributes
        if tag in ("Default", "Override"):
            assert not GONE_TYPES.search(attributes["ContentType"])
        assert not any(name.startswith("http") and name.endswith((" link", " href")) for name in attributes)


@pytest.mark.parametrize("case", CASES)
def test_is_gone_from_strict_documents_too(case: str) -> None:
    make, code = CASES[case]
    pack = make()
    for transitional, strict in STRICT.items():
        pack.parts = {name: data.replace(transitional.encode(), strict.encode()) for name, data in pack.parts.items()}
        pack.links = {name: [(i, k.replace(transitional, strict), t, e) for i, k, t, e in links] for name, links in pack.links.items()}
    outcome = run(pack.bytes(), "様式")
    assert outcome.content is not None, outcome.report.findings
    assert CANARY.encode() not in _texts(outcome.content.bytes())
    said = outcome.report.findings + tuple(finding for part in outcome.report.parts for finding in part.findings)
    assert code in {finding.code for finding in said}


@pytest.mark.parametrize("case", CASES)
def test_is_gone_from_large_documents_too(case: str) -> None:
    whole, apart = both(CASES[case][0]().bytes(), "様式")
    assert apart == whole


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    once = run(CASES[case][0]().bytes(), "様式").content
    assert once is not None
    twice = run(once.bytes(), "様式")
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once.bytes()


def _clean(pack: Pack) -> bytes:
    content = run(pack.bytes(), "x").content
    assert content is not None
    return content.bytes()


def test_values_and_shown_text_stay() -> None:
    assert b"<v>42</v>" in _texts(_clean(cell(f'WEBSERVICE("{EVIL}")')))
    assert b"<v>42</v>" in _texts(_clean(CASES["O10 ddeLink"][0]()))
    assert b"shown" in _texts(_clean(CASES["O08 plain DDE"][0]()))
    assert b"shown" in _texts(_clean(CASES["O09 DATABASE"][0]()))
    assert "押す".encode() in _texts(_clean(CASES["O09 MACROBUTTON"][0]()))
    assert "文字".encode() in _texts(_clean(hyperlink("file:///x")))
    assert "旧".encode() in _texts(_clean(fallback()))


def test_picture_of_an_object_stays() -> None:
    parts = build.members(_clean(ole_object("Package")))
    assert b"imagedata" in parts["word/document.xml"]
    assert any(name.endswith(".png") for name in parts)


def test_a_picture_from_outside_leaves_a_neutral_one() -> None:
    parts = build.members(_clean(CASES["O06 picture by http"][0]()))
    assert b'<a:blip r:embed="' in parts["word/document.xml"]
    assert any(name.endswith(".png") for name in parts)


def test_a_vector_picture_that_cannot_be_rebuilt_leaves_the_picture_beside_it() -> None:
    pack = CASES["O23 SVG"][0]()
    pack.parts["word/media/a.svg"] = b"<svg"
    parts = build.members(_clean(pack))
    assert b"svgBlip" not in parts["word/document.xml"]
    assert b'<a:blip r:embed="rIdP"' in parts["word/document.xml"]


def test_picture_of_a_control_in_a_sheet_stays() -> None:
    pack = sheet_object()
    sheet = "xl/worksheets/sheet1.xml"
    text = pack.parts[sheet].decode().replace("oleObjects", "controls").replace("oleObject", "control").replace("objectPr", "controlPr")
    pack.parts[sheet] = re.sub(r"<mc:Fallback>.*?</mc:Fallback>", "", text).replace('progId="Package"', 'name="c"').encode()
    pack.links[sheet] = [(i, k.replace("oleObject", "control"), t, e) for i, k, t, e in pack.links[sheet]]
    parts = build.members(_clean(pack))
    assert "<xdr:pic>" in parts["xl/drawings/drawing1.xml"].decode()
    assert b"control" not in parts[sheet]


def test_picture_of_an_object_on_a_slide_stays_at_its_place() -> None:
    slide = build.members(_clean(CASES["O13 OLE package on a slide"][0]()))["ppt/slides/slide1.xml"].decode()
    assert 'r:embed="rIdI"' in slide
    assert '<a:ext cx="9" cy="9"/>' in slide.partition("<p:pic>")[2]
    assert "graphicFrame" not in slide


def test_picture_of_a_control_on_a_slide_stays() -> None:
    pack = CASES["O13 OLE package on a slide"][0]()
    name = "ppt/slides/slide1.xml"
    text = pack.parts[name].decode()
    (picture,) = re.findall("<p:pic>.*?</p:pic>", text)
    text = re.sub("<p:graphicFrame>.*?</p:graphicFrame>", "", text)
    text = text.replace("</p:cSld>", f'<p:controls><p:control spid="3" name="c">{picture}</p:control></p:controls></p:cSld>')
    pack.parts[name] = text.encode()
    slide = build.members(_clean(pack))[name].decode()
    assert 'r:embed="rIdI"' in slide
    assert "control" not in slide


def test_picture_of_an_object_in_a_sheet_stays_at_its_place() -> None:
    parts = build.members(_clean(sheet_object()))
    drawing = parts["xl/drawings/drawing1.xml"].decode()
    assert drawing.count("twoCellAnchor>") == 2
    assert "<xdr:pic>" in drawing
    assert "compatExt" not in drawing
    assert "media/image1.png" in parts["xl/drawings/_rels/drawing1.xml.rels"].decode()
    assert "xl/media/image1.png" in parts


def test_number_of_sheets_is_counted_anew() -> None:
    book = build.members(_clean(macro_sheet()))["xl/workbook.xml"].decode()
    assert 'localSheetId="0"' in book
    assert "M1" not in book


def test_a_table_of_a_query_stays_as_a_table_of_its_values() -> None:
    text = (
        f'<table xmlns="{X}" id="1" name="T" displayName="T" ref="A1:A2" tableType="queryTable"><tableColumns count="1">'
        '<tableColumn id="1" name="名"/></tableColumns></table>'
    )
    pack = build.xlsx(after='<tableParts count="7"><tablePart r:id="rIdT"/></tableParts>')
    pack.attach("xl/worksheets/sheet1.xml", "rIdT", "table", "xl/tables/table1.xml", text, f"{OFFICE}spreadsheetml.table+xml")
    content = run(pack.bytes(), "様式").content
    assert content is not None
    parts = build.members(content.bytes())
    (table,) = [data for name, data in parts.items() if "/tables/" in name]
    assert "名".encode() in table
    assert b"tableType" not in table
    assert b'<tableParts count="1">' in parts["xl/worksheets/sheet1.xml"]


def test_o14_three_deep() -> None:
    """A chart in a slide, in its workbook a chart, and in that one's workbook macros."""
    innermost = build.xlsx(kind="application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    innermost.attach("xl/workbook.xml", "rIdV", f"{MS}/vbaProject", "xl/vbaProject.bin", build.OLE)
    shown = build.chart_in_slide(build.chart_in_sheet(innermost.bytes()).bytes())
    outer = build.members(_clean(shown))
    middle = build.members(outer["ppt/embeddings/book.xlsx"])
    inner = build.members(middle["xl/embeddings/book.xlsx"])
    assert set(inner) == set(build.members(build.xlsx().bytes()))


def test_o22_a_root_that_does_not_belong_is_refused() -> None:
    pack = build.docx().attach("word/document.xml", "rIdS", "styles", "word/styles.xml", f"<w:hdr {build.SPACES}/>", f"{OFFICE}wordprocessingml.styles+xml")
    assert run(pack.bytes(), "x.docx").report.reason is Reason.MALFORMED


def test_o24_two_relationships_of_one_id_are_refused() -> None:
    pack = build.docx().link("word/document.xml", "rId1", "styles", "styles.xml").link("word/document.xml", "rId1", "settings", "settings.xml")
    assert run(pack.bytes(), "x.docx").report.reason is Reason.MALFORMED


def test_o24_two_content_types_of_one_part_are_refused() -> None:
    parts = build.members(build.docx().bytes())
    second = b'<Override PartName="/WORD/document.xml" ContentType="application/xml"/></Types>'
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", second)
    assert run(_zipped(parts), "x.docx").report.reason is Reason.MALFORMED


def _zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("where", ["word/document.xml", "docProps/core.xml", "_rels/.rels", "[Content_Types].xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_o21_doctype_anywhere_is_refused(where: str, encoding: str) -> None:
    pack = build.docx().attach("", "rIdC", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                               "docProps/core.xml", '<cp:coreProperties xmlns:cp="urn:x"/>')  # fmt: skip
    parts = build.members(pack.bytes())
    text = parts[where].decode().partition("?>")[2]
    parts[where] = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY e "{CANARY}">]>{text}'.encode(encoding)
    outcome = run(_zipped(parts), "x.docx")
    assert outcome.content is None
    assert outcome.report.reason is Reason.MALFORMED
    assert "xml.dtd" in {finding.code for finding in outcome.report.findings}


@pytest.mark.parametrize("twin", ["WORD/document.xml", "word\\document.xml", "/word/document.xml", "word/./document.xml"])
def test_o24_two_parts_of_one_name_are_refused(twin: str) -> None:
    assert run(_zipped({**build.members(build.docx().bytes()), twin: b"<a/>"}), "x.docx").report.reason is Reason.MALFORMED


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_o24_a_name_twice_is_refused() -> None:
    out = io.BytesIO(build.docx().bytes())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("word/document.xml", "<a/>")
    assert run(out.getvalue(), "x.docx").report.reason is Reason.MALFORMED


def test_o24_a_path_out_of_the_package_is_not_followed() -> None:
    outcome = run(_zipped({**build.members(build.docx().bytes()), f"../{CANARY}.xml": b"<a/>"}), "x.docx")
    assert outcome.content is None or CANARY.encode() not in _texts(outcome.content.bytes())


FLAT = (
    '<?xml version="1.0"?><?mso-application progid="Word.Document"?><pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">'
    '<pkg:part pkg:name="/word/vbaProject.bin" pkg:contentType="application/vnd.ms-office.vbaProject"><pkg:binaryData>0M8R4A==</pkg:binaryData></pkg:part>'
    "</pkg:package>"
)
WORD_2003 = (
    '<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml">'
    '<w:docSuppData><w:binData w:name="editdata.mso">QWN0aXZlTWltZQ==</w:binData></w:docSuppData></w:wordDocument>'
)


@pytest.mark.parametrize("name", ["a.docx", "a.doc", "a.xml"])
@pytest.mark.parametrize(("content", "kind"), [(FLAT, Kind.FLAT_OPC), (WORD_2003, Kind.WORD2003XML)])
def test_o25_flat_files_are_known_by_content_and_held(content: str, kind: Kind, name: str) -> None:
    outcome = run(content.encode(), name)
    assert outcome.report.input.kind is kind
    assert outcome.report.reason is Reason.UNSUPPORTED_KIND
    assert outcome.content is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (f"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<script>{CANARY}</script>\r\n--b--\r\n", Kind.MHT),
        (f"<html><head><script>{CANARY}</script></head><body>本文</body></html>", Kind.HTML),
    ],
)
def test_o25_web_pages_under_an_office_name_are_not_office_files(content: str, kind: Kind) -> None:
    outcome = run(content.encode(), "a.docx")
    assert outcome.report.input.kind is kind
    assert outcome.content is None or CANARY.encode() not in outcome.content.bytes()
    assert outcome.report.output is None or outcome.report.output.kind is not Kind.DOCX


@pytest.mark.parametrize(("password", "given"), [("VelvetSweatshop", ()), ("秘密", ("違う", "秘密")), ("p" * 40, ("p" * 40,))])
def test_o26_an_encrypted_package_is_opened_and_cleaned(password: str, given: tuple[str, ...]) -> None:
    outcome = run(build.locked(CASES["O08 plain DDE"][0](), password), "様式.docx", passwords=given)
    assert outcome.content is not None, outcome.report.findings
    assert CANARY.encode() not in _texts(outcome.content.bytes())
    assert {"file.decrypted", "ooxml.dde"} <= {finding.code for finding in outcome.report.findings}


@pytest.mark.parametrize("given", [(), ("違う",)])
def test_o26_an_encrypted_package_without_its_password_is_held(given: tuple[str, ...]) -> None:
    outcome = run(build.locked(build.docx(), "秘密"), "様式.docx", passwords=given)
    assert outcome.content is None
    assert outcome.report.reason is Reason.ENCRYPTED
    assert outcome.report.verdict is Verdict.HELD


def test_o26_another_kind_under_a_password_is_held() -> None:
    binary = build.xlsx(kind="application/vnd.ms-excel.sheet.binary.macroEnabled.main")
    outcome = run(build.locked(binary, "VelvetSweatshop"), "様式.xlsb")
    assert outcome.content is None
    assert outcome.report.reason is Reason.UNSUPPORTED_KIND


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


def test_o28_a_plain_file_under_a_macro_name_gets_its_own_name() -> None:
    output = run(build.docx().bytes(), "様式.docm").report.output
    assert output is not None
    assert (output.kind, output.name) == (Kind.DOCX, "様式.docx")
