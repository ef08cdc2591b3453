"""What a clerk made is still there: content equality of built documents with everything in them, and real files by other readers."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import openpyxl
import pptx
import pytest

from sanitizers.context import Outcome
from sanitizers.model import Kind, LimitExceeded, Limits, Reason, Treatment, Verdict
from tests.build import ooxml as build
from tests.build.context import run
from tests.build.ooxml import OFFICE, A, C, Pack

CORPUS = Path(__file__).parents[5] / "shared" / "corpus"
W14 = 'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'

RUBY = (
    '<w:p><w:r><w:ruby><w:rubyPr><w:rubyAlign w:val="distributeSpace"/><w:hps w:val="10"/><w:hpsRaise w:val="18"/><w:hpsBaseText w:val="21"/>'
    '<w:lid w:val="ja-JP"/></w:rubyPr><w:rt><w:r><w:t>せきしょ</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>関所</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>'
)
TRACKED = (
    '<w:p><w:ins w:id="1" w:author="田中" w:date="2026-01-01T00:00:00Z"><w:r><w:t>挿入</w:t></w:r></w:ins>'
    '<w:del w:id="2" w:author="田中"><w:r><w:delText>削除</w:delText></w:r></w:del></w:p>'
)
TABLE = (
    '<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/><w:tblBorders><w:top w:val="single" w:sz="4"/></w:tblBorders></w:tblPr><w:tblGrid>'
    '<w:gridCol w:w="2000"/></w:tblGrid><w:tr><w:trPr><w:cantSplit/></w:trPr><w:tc><w:tcPr><w:textDirection w:val="tbRlV"/><w:vMerge '
    'w:val="restart"/></w:tcPr><w:p><w:r><w:t>縦書き</w:t></w:r></w:p></w:tc></w:tr></w:tbl>'
)
LINKS = (
    '<w:p><w:hyperlink r:id="rIdWeb" w:tooltip="外"><w:r><w:t>外部</w:t></w:r></w:hyperlink>'
    '<w:hyperlink w:anchor="しおり"><w:r><w:t>内部</w:t></w:r></w:hyperlink><w:bookmarkStart w:id="3" w:name="しおり"/><w:bookmarkEnd w:id="3"/></w:p>'
)
CONTROL = (
    '<w:sdt><w:sdtPr><w:alias w:val="氏名"/><w:dataBinding w:prefixMappings="xmlns:a=\'urn:town\'" w:xpath="/a:form/a:name" '
    'w:storeItemID="{11111111-2222-3333-4444-555555555555}"/><w:text/></w:sdtPr><w:sdtContent><w:p><w:r><w:t>関所花子</w:t></w:r></w:p></w:sdtContent>'
    "</w:sdt>"
)
FIELDS = "".join(
    build.field(instruction, shown="結果")
    for instruction in (
        " PAGE ", " TOC \\o &quot;1-3&quot; \\h \\z ", " REF しおり \\h ", " SEQ 図 \\* ARABIC ", ' HYPERLINK "https://example.jp/a?b=1" \\o "先" ',
        ' HYPERLINK \\l "しおり" ', " = SUM(ABOVE) ", ' DATE \\@ "ggge年M月d日" ', " EQ \\* jc2 \\o\\ad(\\s\\up 9(るび),字) ", " FORMTEXT ", "",
    )
)  # fmt: skip
TEXT_BOX = (
    '<w:p><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:extent cx="1" cy="1"/><wp:docPr id="9" name="箱"/>'
    f'<a:graphic xmlns:a="{A}"><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr/>'
    "<wps:spPr/><wps:txbx><w:txbxContent><w:p><w:r><w:t>箱の中</w:t></w:r></w:p></w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData>"
    "</a:graphic></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:rect><v:textbox><w:txbxContent><w:p><w:r><w:t>箱の中</w:t></w:r>"
    "</w:p></w:txbxContent></v:textbox></v:rect></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
)


def _document() -> Pack:
    body = RUBY + TRACKED + TABLE + LINKS + CONTROL + FIELDS + TEXT_BOX + build.inline_picture("rIdPic")
    body += f'<w:p w14:paraId="0A0B0C0D" {W14}><w:commentRangeStart w:id="0"/><w:r><w:t>評</w:t></w:r><w:commentRangeEnd w:id="0"/><w:r>'
    body += '<w:commentReference w:id="0"/></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    pack = build.docx(body)
    main = "word/document.xml"
    pack.parts[main] = pack.parts[main].replace(b"<w:sectPr/>", b'<w:sectPr><w:headerReference w:type="default" r:id="rIdH"/></w:sectPr>')
    word = f"{OFFICE}wordprocessingml."
    pack.attach(main, "rIdH", "header", "word/header1.xml", f"<w:hdr {build.SPACES}>{build.paragraph('自治体機密性２')}</w:hdr>", f"{word}header+xml")
    comment = f'<w:comments {build.SPACES}><w:comment w:id="0" w:author="田中" w:initials="T">{build.paragraph("意見")}</w:comment></w:comments>'
    pack.attach(main, "rIdC", "comments", "word/comments.xml", comment, f"{word}comments+xml")
    notes = f'<w:footnotes {build.SPACES}><w:footnote w:id="2">{build.paragraph("脚注")}</w:footnote></w:footnotes>'
    pack.attach(main, "rIdN", "footnotes", "word/footnotes.xml", notes, f"{word}footnotes+xml")
    pack.attach(main, "rIdPic", "image", "word/media/image1.png", build.png())
    pack.link(main, "rIdWeb", "hyperlink", "https://example.jp/a?b=1&c=2", external=True)
    pack.attach(main, "rIdX", "customXml", "customXml/item1.xml", '<a:form xmlns:a="urn:town"><a:name>関所花子</a:name></a:form>')
    space = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
    item = f'<ds:datastoreItem ds:itemID="{{11111111-2222-3333-4444-555555555555}}" xmlns:ds="{space}"/>'
    pack.attach("customXml/item1.xml", "rId1", "customXmlProps", "customXml/itemProps1.xml", item, f"{OFFICE}customXmlProperties+xml")
    return _with_properties(pack)


def _with_properties(pack: Pack) -> Pack:
    core = (
        '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>様式</dc:title><cp:keywords>機密性２</cp:keywords><cp:category>通知</cp:category>'
        "</cp:coreProperties>"
    )
    pack.attach("", "rIdCore", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties", "docProps/core.xml", core,
                "application/vnd.openxmlformats-package.core-properties+xml")  # fmt: skip
    vt = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
    custom = "".join(
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="{number}" name="{name}"><vt:lpwstr>{value}</vt:lpwstr></property>'
        for number, (name, value) in enumerate((("情報分類", "２"), ("MSIP_Label_1_Name", "内部")), 2)
    )
    text = f'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/custom-properties" xmlns:vt="{vt}">{custom}</Properties>'
    return pack.attach("", "rIdCustom", "custom-properties", "docProps/custom.xml", text, f"{OFFICE}custom-properties+xml")


def _made(pack: Pack, **treatment: object) -> Outcome:
    outcome = run(pack.bytes(), "様式", **treatment)
    assert outcome.content is not None, outcome.report.findings
    return outcome


def _texts(outcome: Outcome) -> str:
    assert outcome.content is not None
    return "\n".join(data.decode("utf-8", "replace") for data in build.members(outcome.content.bytes()).values())


def test_everything_in_a_document_stays() -> None:
    outcome = _made(_document())
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


def _workbook() -> Pack:
    cells = (
        '<row r="1" ht="20" customHeight="1"><c r="A1" t="s" ph="1"><v>0</v></c><c r="B1"><f>SUM(C1:C9)*2</f><v>4</v></c>'
        '<c r="C1"><f t="shared" ref="C1:C2" si="0">A1&amp;"[x]|y!"</f><v>1</v></c></row><row r="2"><c r="C2"><f t="shared" si="0"/><v>1</v></c>'
        '<c r="D2"><f>HYPERLINK("https://example.jp/","先")</f><v>0</v></c><c r="E2"><f>\'集計 表\'!A1+_xlfn.XLOOKUP(1,A:A,B:B)+表1[[#This Row],[金額]]</f>'
        '<v>0</v></c><c r="F2" t="inlineStr"><is><t>直書き</t></is></c></row>'
    )
    after = (
        '<mergeCells count="1"><mergeCell ref="A1:A2"/></mergeCells><phoneticPr fontId="1"/><conditionalFormatting sqref="A1"><cfRule type="expression" '
        'priority="1"><formula>$A$1&gt;3</formula></cfRule></conditionalFormatting><dataValidations count="1"><dataValidation type="list" '
        'sqref="B2"><formula1>"はい,いいえ"</formula1></dataValidation></dataValidations><hyperlinks><hyperlink ref="A1" location="表1!B1"/></hyperlinks>'
        '<pageSetup paperSize="9" orientation="landscape"/><headerFooter><oddFooter>&amp;C&amp;P</oddFooter></headerFooter>'
    )
    names = '<definedNames><definedName name="_xlnm.Print_Area" localSheetId="0">表1!$A$1:$F$9</definedName><definedName name="税率">0.1</definedName></definedNames>'
    pack = build.xlsx(cells, after=after, workbook=names)
    strings = (
        f'<sst xmlns="{build.X}" count="1" uniqueCount="1"><si><t>関所</t><rPh sb="0" eb="2"><t>セキショ</t></rPh><phoneticPr fontId="1"/></si></sst>'
    )
    pack.attach("xl/workbook.xml", "rIdS", "sharedStrings", "xl/sharedStrings.xml", strings, f"{OFFICE}spreadsheetml.sharedStrings+xml")
    return _with_properties(pack)


def test_everything_in_a_workbook_stays() -> None:
    outcome = _made(_workbook())
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


def _show() -> Pack:
    click = '<a:hlinkClick r:id="" action="ppaction://hlinkshowjump?jump=nextslide"/>'
    web = '<a:hlinkClick r:id="rIdWeb"/>'
    frame = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="9" name="図表"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" '
        f'y="0"/><a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData uri="{C}"><c:chart xmlns:c="{C}" r:id="rIdChart"/></a:graphicData>'
        "</a:graphic></p:graphicFrame>"
    )
    timing = (
        '<p:transition spd="slow"><p:fade/></p:transition><p:timing><p:tnLst><p:par><p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot">'
        '<p:childTnLst><p:seq concurrent="1" nextAc="seek"><p:cTn id="2" dur="indefinite" nodeType="mainSeq"/></p:seq></p:childTnLst></p:cTn></p:par>'
        "</p:tnLst></p:timing>"
    )
    pack = build.pptx(build.shape("次へ", click, 3) + build.shape("外へ", web, 4) + frame, after=timing)
    slide = "ppt/slides/slide1.xml"
    pack.link(slide, "rIdWeb", "hyperlink", "https://example.jp/", external=True)
    chart = (
        f'<c:chartSpace xmlns:c="{C}" xmlns:a="{A}" xmlns:r="{build.R}" xmlns:mc="{build.MC}"><mc:AlternateContent><mc:Choice Requires="c14" '
        'xmlns:c14="http://schemas.microsoft.com/office/drawing/2007/8/2/chart"><c14:style val="102"/></mc:Choice><mc:Fallback><c:style val="2"/>'
        '</mc:Fallback></mc:AlternateContent><c:chart><c:plotArea><c:barChart><c:barDir val="col"/><c:ser><c:idx val="0"/><c:order val="0"/><c:val>'
        '<c:numRef><c:f>Sheet1!$A$1</c:f><c:numCache><c:ptCount val="1"/><c:pt idx="0"><c:v>7</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser>'
        '<c:axId val="1"/><c:axId val="2"/></c:barChart></c:plotArea></c:chart><c:externalData r:id="rId1"><c:autoUpdate val="0"/></c:externalData>'
        "</c:chartSpace>"
    )
    pack.attach(slide, "rIdChart", "chart", "ppt/charts/chart1.xml", chart, f"{OFFICE}drawingml.chart+xml")
    pack.defaults["xlsx"] = f"{OFFICE}spreadsheetml.sheet"
    pack.attach("ppt/charts/chart1.xml", "rId1", "package", "ppt/embeddings/book.xlsx", build.xlsx().bytes())
    notes = f'<p:notes xmlns:p="{build.P}" xmlns:a="{A}"><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
    notes += f"<p:grpSpPr/>{build.shape('発言')}</p:spTree></p:cSld></p:notes>"
    pack.attach(slide, "rIdNotes", "notesSlide", "ppt/notesSlides/notesSlide1.xml", notes, f"{OFFICE}presentationml.notesSlide+xml")
    pack.link("ppt/notesSlides/notesSlide1.xml", "rId1", "slide", "../slides/slide1.xml")
    return pack


def test_everything_in_a_presentation_stays() -> None:
    outcome = _made(_show())
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


def test_embedded_macro_workbook_of_a_chart_becomes_plain() -> None:
    pack = _show()
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


def test_cells_are_limited() -> None:
    cells = '<row r="1">' + "<c/>" * 100 + "</row>"
    with pytest.raises(LimitExceeded):
        run(build.xlsx(cells).bytes(), "様式", limits=Limits(cells=99))
    assert Treatment().comments_kept


HELD = {
    "crash-f2efd9eaeb86cda597d07b5e3c3d81363633c2da": Reason.MALFORMED,
    "test.vsdx": Reason.UNSUPPORTED_KIND,
    "dde-test.xlsb": Reason.UNSUPPORTED_KIND,
    "embedded-simple-2007.xlsb": Reason.UNSUPPORTED_KIND,
    "excel4_sample_macro.xlsb": Reason.UNSUPPORTED_KIND,
    "embedded-simple-2007.xlam": Reason.FORBIDDEN_KIND,
    "presentation.xps": Reason.UNSUPPORTED_KIND,
}


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_real_files_are_delivered_or_held_for_a_right_reason() -> None:
    for path in sorted((CORPUS / "ooxml").rglob("*")):
        if path.is_file() and path.name != "null_archive.xlsx":
            report = run(path.read_bytes(), path.name).report
            assert report.reason is HELD.get(path.name), (path.name, report.reason, report.findings)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_real_encrypted_files() -> None:
    folder = CORPUS / "ooxml-encrypted"
    opened = run((folder / "msoffcrypto-tool/example_password.docx").read_bytes(), "a.docx", passwords=("wrong", "Password1234_"))
    assert opened.report.output is not None
    assert opened.report.output.kind is Kind.DOCX
    assert "file.decrypted" in {finding.code for finding in opened.report.findings}
    default = run((folder / "oletools/dde-test-encrypt-standardpassword.xlsm").read_bytes(), "a.xlsm")
    assert default.report.output is not None
    assert "ooxml.dde" in {finding.code for finding in default.report.findings}
    assert run((folder / "oletools/encrypted.docm").read_bytes(), "a.docm").report.reason is Reason.ENCRYPTED
