"""What a clerk made is still there: content equality of built documents with everything in them, and real files by other readers."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Callable

import docx
import openpyxl
import pptx
import pytest
from lxml import etree
from PIL import Image

from sanitizers.context import Outcome
from sanitizers.model import Kind, Reason, Verdict
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.ooxml import MC, Pack
from tests.build.ooxml_kept import RUBY, document, show, workbook


def _made(pack: Pack, **treatment: object) -> Outcome:
    outcome = run(pack.bytes(), "様式", **treatment)
    assert outcome.content is not None, outcome.report.findings
    return outcome


def _texts(outcome: Outcome) -> str:
    assert outcome.content is not None
    return "\n".join(data.decode("utf-8", "replace") for data in build.members(outcome.content.bytes()).values())


def test_everything_in_a_document_stays() -> None:
    outcome = _made(document())
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    text = _texts(outcome)
    for word in (
        "せきしょ", "distributeSpace", "挿入", "削除", "縦書き", "tbRlV", "外部", "内部", "https://example.jp/a?b=1&amp;c=2", "関所花子", "storeItemID",
        "自治体機密性２", "意見", "脚注", "箱の中", "機密性２", "通知", "情報分類", "MSIP_Label_1_Name", "TOC \\o", "SEQ 図", "ggge年M月d日",
        "るび", "customXml/itemProps1.xml", "media/image1.png",
    ):  # fmt: skip
        assert word in text, word
    assert text.count("fldCharType") == 33
    assert outcome.content is not None
    read = docx.Document(io.BytesIO(outcome.content.bytes()))
    assert len(read.tables) == 1
    assert read.core_properties.category == "通知"


@pytest.mark.filterwarnings("ignore:Unable to read chart:UserWarning")   # openpyxl knows no data behind a chart
def test_everything_in_a_workbook_stays() -> None:
    outcome = _made(workbook())
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    book = openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()))
    sheet = book["表1"]
    assert sheet["A1"].value == "関所"
    assert sheet["B1"].value == "=SUM(C1:C9)*2"
    assert sheet["C1"].value == '=A1&"[x]|y!"'
    assert sheet["E2"].value.startswith("='集計 表'!A1+_xlfn.XLOOKUP")
    assert sheet["F2"].value == "直書き"
    assert sheet.merged_cells.ranges
    assert sheet.conditional_formatting
    assert sheet.data_validations.dataValidation[0].formula1 == '"はい,いいえ"'
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_area == "'表1'!$A$1:$F$9"
    assert "セキショ" in _texts(outcome)
    assert book.properties.keywords == "機密性２"


def test_everything_in_a_presentation_stays() -> None:
    outcome = _made(show())
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    text = _texts(outcome)
    for word in ("次へ", "hlinkshowjump?jump=nextslide", "https://example.jp/", "発言", "<p:fade/>", "mainSeq", "externalData"):
        assert word in text, word
    read = pptx.Presentation(io.BytesIO(outcome.content.bytes()))
    chart = next(shape for shape in read.slides[0].shapes if shape.has_chart).chart
    assert list(chart.plots[0].series[0].values) == [7.0]
    inner = chart.part.chart_workbook.xlsx_part.blob
    assert openpyxl.load_workbook(io.BytesIO(inner)).active["A1"].value == 1


def _plain(data: bytes) -> bytes:
    """The canonical form, each alternative as readers of today take it."""
    root = etree.fromstring(data)
    for alternative in list(root.iter(f"{{{MC}}}AlternateContent")):
        chosen = alternative[0] if alternative[0].get("Requires") == "wps" else alternative[1]
        for child in list(chosen):
            alternative.addprevious(child)
        alternative.getparent().remove(alternative)
    return etree.tostring(root, method="c14n", exclusive=True)


def _relations(parts: dict[str, bytes], name: str) -> set[tuple[str, str, str]]:
    """Id, type and the target as seen from the package."""
    folder = posixpath.dirname(posixpath.dirname(name))
    found = [element.attrib for element in etree.fromstring(parts[name])]
    inside = {one["Id"]: posixpath.normpath(posixpath.join("/", folder, one["Target"])) for one in found if "TargetMode" not in one}
    return {(one["Id"], one["Type"], inside.get(one["Id"], one["Target"])) for one in found}


def _same(given: bytes, made: bytes) -> None:
    before, after = build.members(given), build.members(made)
    assert set(before) == set(after)
    for name, data in before.items():
        if name.endswith(".rels"):
            assert _relations(before, name) == _relations(after, name)
        elif name.endswith(".xlsx"):
            _same(data, after[name])
        elif name.endswith(".png"):
            assert Image.open(io.BytesIO(data)).convert("RGB").tobytes() == Image.open(io.BytesIO(after[name])).convert("RGB").tobytes()
        elif not name.startswith(("docProps/", "[")):
            assert _plain(after[name]) == _plain(data), name


@pytest.mark.parametrize("make", [document, workbook, show])
def test_every_part_says_the_same(make: Callable[[], Pack]) -> None:
    outcome = _made(make())
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    _same(make().bytes(), outcome.content.bytes())


def test_marks_are_the_same() -> None:
    content = _made(document()).content
    assert content is not None
    parts = build.members(content.bytes())
    custom = etree.fromstring(parts["docProps/custom.xml"])
    assert {(one.get("name"), one[0].text) for one in custom} == {("情報分類", "２"), ("MSIP_Label_1_Name", "内部")}


def test_embedded_macro_workbook_of_a_chart_becomes_plain() -> None:
    pack = show()
    inner = build.xlsx(kind="application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    inner.attach("xl/workbook.xml", "rIdV", f"{build.MS}/vbaProject", "xl/vbaProject.bin", build.OLE)
    pack.parts["ppt/embeddings/book.xlsx"] = inner.bytes()
    outcome = _made(pack)
    assert outcome.content is not None
    book = build.members(build.members(outcome.content.bytes())["ppt/embeddings/book.xlsx"])
    assert "xl/vbaProject.bin" not in book
    assert any(finding.code == "ooxml.vba" for part in outcome.report.parts for finding in part.findings)


def test_strict_documents_stay_strict() -> None:
    outcome = _made(build.docx(RUBY, strict=True))
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert "http://purl.oclc.org/ooxml/wordprocessingml/main" in _texts(outcome)
    assert "せきしょ" in _texts(outcome)


def test_author_company_and_path_go() -> None:
    pack = build.docx()
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>山田太郎</dc:creator><cp:lastModifiedBy>山田</cp:lastModifiedBy></cp:coreProperties>'
    )
    pack.attach("", "rIdCore", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties", "docProps/core.xml", core)
    app = (
        '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Company>某社</Company>'
        "<Template>C:\\Users\\yamada\\t.dotx</Template><AppVersion></AppVersion></Properties>"
    )
    pack.attach("", "rIdApp", "extended-properties", "docProps/app.xml", app)
    vt = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
    custom = (
        f'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="{vt}"><property '
        'fmtid="{D5CDD505-2E9C-101B-9397-08002B2CF9AE}" pid="2" name="担当"><vt:lpwstr>山田</vt:lpwstr></property></Properties>'
    )
    pack.attach("", "rIdCu", "custom-properties", "docProps/custom.xml", custom)
    outcome = _made(pack)
    text = _texts(outcome)
    assert not any(word in text for word in ("山田", "某社", "yamada"))
    assert "<AppVersion>16.0000</AppVersion>" in text
    assert {finding.code for finding in outcome.report.findings} == {"file.metadata"}


@pytest.mark.parametrize("part", ["word/document.xml", "_rels/.rels", "[Content_Types].xml"])
@pytest.mark.parametrize("damage", [b"", b"<a>", b"<a/>", b"\xff\xfe\x00", b"PK\x03\x04"])
def test_broken_packages_are_refused(part: str, damage: bytes) -> None:
    pack = build.docx()
    members = {**build.members(pack.bytes()), part: damage}
    outcome = run(_zipped(members), "様式.docx")
    assert outcome.content is None or outcome.report.output is None or outcome.report.output.kind is Kind.ZIP
    if part != "[Content_Types].xml":   # without them it is an archive like any other
        assert outcome.report.reason is Reason.MALFORMED


def _zipped(members: dict[str, bytes]) -> bytes:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()
