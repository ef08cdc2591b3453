"""Office packages with one danger each, built from clean ones. Every sample carries `CANARY` where the danger is."""

from __future__ import annotations

from tests.build import ooxml as build
from tests.build.ooxml import CANARY, MS, OFFICE, OLE, R_STRICT, A, C, Pack, X

ACTIVE_X = '<ax:ocx xmlns:ax="http://schemas.microsoft.com/office/2006/activeX" ax:classid="{' + CANARY + '}"/>'
EVIL = f"http://192.0.2.1/{CANARY}"
OBJECT = (
    '<w:p><w:r><w:object><v:shape style="width:10pt"><v:imagedata r:id="rIdPic"/></v:shape>'
    '<o:OLEObject Type="Embed" ProgID="{prog}" ShapeID="_1" DrawAspect="Icon" ObjectID="_1" r:id="rIdOle"/></w:object></w:r></w:p>'
)


def doc(kind: str, name: str, content: bytes | str = OLE, content_type: str = "application/x-foo", body: str = "") -> Pack:
    return build.docx(body).attach("word/document.xml", "rIdBad", kind, name, content, content_type)


def outside(kind: str, target: str, body: str = "", *, strict: bool = False, part: str = "word/document.xml") -> Pack:
    kind = f"{R_STRICT}/{kind}" if strict else kind
    return build.docx(body, strict=strict).link(part, "rIdBad", kind, target, external=True)


def settings(strict: bool, target: str) -> Pack:
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


def dialog_sheet() -> Pack:
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


def dde_link() -> Pack:
    pack = build.xlsx('<row r="1"><c r="A1"><f>[1]!x</f><v>42</v></c></row>', workbook='<externalReferences><externalReference r:id="rIdE"/></externalReferences>')
    text = f'<externalLink xmlns="{X}"><ddeLink ddeService="cmd" ddeTopic="/c {CANARY}"><ddeItems><ddeItem name="x"/></ddeItems></ddeLink></externalLink>'
    return pack.attach("xl/workbook.xml", "rIdE", "externalLink", "xl/externalLinks/externalLink1.xml", text, f"{OFFICE}spreadsheetml.externalLink+xml")


def connection() -> Pack:
    text = f'<connections xmlns="{X}"><connection id="1" name="q" type="1"><dbPr connection="{EVIL}"/></connection></connections>'
    return build.xlsx().attach("xl/workbook.xml", "rIdC", "connections", "xl/connections.xml", text, f"{OFFICE}spreadsheetml.connections+xml")


def click(action: str, target: str = "", kind: str = "hyperlink") -> Pack:
    click = f'<a:hlinkClick r:id="{"rIdL" if target else ""}" action="{action}"/>'
    pack = build.pptx(build.shape("押す", click, 3))
    return pack.link("ppt/slides/slide1.xml", "rIdL", kind, target, external=True) if target else pack


def web_extension() -> Pack:
    text = f'<we:webextension xmlns:we="http://schemas.microsoft.com/office/webextensions/webextension/2010/11" id="{CANARY}"/>'
    panes = '<wetp:taskpanes xmlns:wetp="http://schemas.microsoft.com/office/webextensions/taskpanes/2010/11"/>'
    pack = build.docx().attach("", "rIdW", "http://schemas.microsoft.com/office/2011/relationships/webextensiontaskpanes",
                               "word/webextensions/taskpanes.xml", panes, "application/vnd.ms-office.webextensiontaskpanes+xml")  # fmt: skip
    return pack.attach("word/webextensions/taskpanes.xml", "rId1", "http://schemas.microsoft.com/office/2011/relationships/webextension",
                       "word/webextensions/webextension1.xml", text, "application/vnd.ms-office.webextension+xml")  # fmt: skip


def custom_ui() -> Pack:
    text = f'<customUI xmlns="http://schemas.microsoft.com/office/2009/07/customui" onLoad="{CANARY}"/>'
    return build.docx().attach("", "rIdU", "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility", "customUI/customUI14.xml", text)


def data_mashup() -> Pack:
    text = f'<DataMashup xmlns="http://schemas.microsoft.com/DataMashup">{CANARY}</DataMashup>'
    return build.xlsx().attach("xl/workbook.xml", "rIdD", "customXml", "customXml/item1.xml", text)


def linked_picture(target: str) -> Pack:
    return build.docx(build.inline_picture("rIdBad", "link")).link("word/document.xml", "rIdBad", "image", target, external=True)


def hyperlink(target: str) -> Pack:
    body = '<w:p><w:hyperlink r:id="rIdBad"><w:r><w:t>文字</w:t></w:r></w:hyperlink></w:p>'
    return build.docx(body).link("word/document.xml", "rIdBad", "hyperlink", target, external=True)


def header_field() -> Pack:
    pack = build.docx()
    text = f'<w:hdr {build.SPACES}>{build.field("D", "DEA", f"UTO cmd {CANARY}")}</w:hdr>'
    pack.parts["word/document.xml"] = pack.parts["word/document.xml"].replace(
        b"<w:sectPr/>", b'<w:sectPr><w:headerReference w:type="default" r:id="rIdH"/></w:sectPr>')  # fmt: skip
    return pack.attach("word/document.xml", "rIdH", "header", "word/header9.xml", text, f"{OFFICE}wordprocessingml.header+xml")


def nested_field(words: str = "cmd") -> Pack:
    """The name of the outer field comes out of an inner one: { { QUOTE 68 68 69 } cmd }."""
    inner = build.field("QUOTE 68 68 69", shown="x").removeprefix("<w:p>").removesuffix("</w:p>")
    begin, end = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>', '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    return build.docx(f"<w:p>{begin}{inner}<w:r><w:instrText> {words} {CANARY}</w:instrText></w:r>{end}</w:p>")


def embedded_font() -> Pack:
    text = (
        f'<w:fonts {build.SPACES}><w:font w:name="明朝"><w:embedRegular r:id="rId1" w:fontKey="{{302EE813-EB4A-4642-A93A-89EF99B2457E}}"/>'
        "</w:font></w:fonts>"
    )
    pack = build.docx().attach("word/document.xml", "rIdF", "fontTable", "word/fontTable.xml", text, f"{OFFICE}wordprocessingml.fontTable+xml")
    return pack.attach("word/fontTable.xml", "rId1", "font", "word/fonts/font1.odttf", CANARY, "application/vnd.openxmlformats-officedocument.obfuscatedFont")


def alt_chunk(content: str, content_type: str) -> Pack:
    return doc("aFChunk", "word/afchunk.dat", content, content_type, '<w:altChunk r:id="rIdBad"/>')


def fallback() -> Pack:
    """The dangerous branch of an alternative is not the one that old readers see."""
    body = (
        '<mc:AlternateContent><mc:Choice xmlns:q="urn:q" Requires="q"><q:run/></mc:Choice><mc:Fallback>'
        f'<w:p><w:fldSimple w:instr="INCLUDETEXT {EVIL}"><w:r><w:t>旧</w:t></w:r></w:fldSimple></w:p></mc:Fallback></mc:AlternateContent>'
    )
    return build.docx(body)


def chart_link() -> Pack:
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


def ole_link() -> Pack:
    pack = build.xlsx('<row r="1"><c r="A1"><f>[1]!\'!x\'</f><v>42</v></c></row>', workbook='<externalReferences><externalReference r:id="rIdE"/></externalReferences>')
    text = f'<externalLink xmlns="{X}" xmlns:r="{build.R}"><oleLink r:id="rId1" progId="{CANARY}"/></externalLink>'
    pack.attach("xl/workbook.xml", "rIdE", "externalLink", "xl/externalLinks/externalLink1.xml", text, f"{OFFICE}spreadsheetml.externalLink+xml")
    return pack.link("xl/externalLinks/externalLink1.xml", "rId1", "oleObject", f"file:///{CANARY}", external=True)


def other_workbook() -> Pack:
    pack = cell("[1]表!A1")
    text = f'<externalLink xmlns="{X}" xmlns:r="{build.R}"><externalBook r:id="rId1"><sheetNames><sheetName val="表"/></sheetNames></externalBook></externalLink>'
    pack.attach("xl/workbook.xml", "rIdE", "externalLink", "xl/externalLinks/externalLink1.xml", text, f"{OFFICE}spreadsheetml.externalLink+xml")
    return pack.link("xl/externalLinks/externalLink1.xml", "rId1", "externalLinkPath", f"file:///\\\\192.0.2.1\\{CANARY}.xlsx", external=True)


def beside_workbook(kind: str, name: str, text: str, content_type: str = "application/x-foo") -> Pack:
    return build.xlsx().attach("xl/workbook.xml", "rIdB", kind, name, text, content_type)


def query_table() -> Pack:
    text = f'<queryTable xmlns="{X}" name="{CANARY}" connectionId="1"/>'
    name = "xl/queryTables/queryTable1.xml"
    return build.xlsx().attach("xl/worksheets/sheet1.xml", "rIdQ", "queryTable", name, text, f"{OFFICE}spreadsheetml.queryTable+xml")


def in_part(kind: str, name: str, root: str) -> Pack:
    """A DDE field somewhere else than in the body."""
    inside = build.field(f"DDEAUTO cmd {CANARY}")
    inside = f'<w:footnote w:id="1">{inside}</w:footnote>' if root == "footnotes" else inside
    text = f"<w:{root} {build.SPACES}>{inside}</w:{root}>"
    return build.docx().attach("word/document.xml", "rIdF", kind, f"word/{name}.xml", text, f"{OFFICE}wordprocessingml.{kind}+xml")


def text_box() -> Pack:
    inside = f"<v:textbox><w:txbxContent>{build.field(f'DDE cmd {CANARY}')}</w:txbxContent></v:textbox>"
    return build.docx(f"<w:p><w:r><w:pict><v:rect>{inside}</v:rect></w:pict></w:r></w:p>")


def sheet_control() -> Pack:
    pack = build.xlsx(after=f'<controls><control shapeId="1025" r:id="rIdC" name="{CANARY}"/></controls>')
    pack.attach("xl/worksheets/sheet1.xml", "rIdC", "control", "xl/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml")
    return pack.attach("xl/activeX/activeX1.xml", "rId1", f"{MS}/activeXControlBinary", "xl/activeX/activeX1.bin", OLE, "application/vnd.ms-office.activeX")


def slide_control() -> Pack:
    pack = build.pptx()
    slide = "ppt/slides/slide1.xml"
    control = f'<p:controls><p:control spid="3" name="{CANARY}" r:id="rIdC"/></p:controls></p:cSld>'
    pack.parts[slide] = pack.parts[slide].replace(b"</p:cSld>", control.encode())
    return pack.attach(slide, "rIdC", "control", "ppt/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml")


def slide_object() -> Pack:
    ole = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="4" name="表"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/>'
        '<a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/presentationml/2006/ole"><p:oleObj '
        'progId="Package" r:id="rIdO"><p:embed/><p:pic><p:nvPicPr><p:cNvPr id="0" name=""/><p:cNvPicPr/><p:nvPr/></p:nvPicPr><p:blipFill>'
        '<a:blip r:embed="rIdI"/></p:blipFill><p:spPr/></p:pic></p:oleObj></a:graphicData></a:graphic></p:graphicFrame>'
    )
    pack = build.pptx(ole).attach("ppt/slides/slide1.xml", "rIdO", "oleObject", "ppt/embeddings/oleObject1.bin", OLE, OFFICE + "oleObject")
    return pack.attach("ppt/slides/slide1.xml", "rIdI", "image", "ppt/media/image1.png", build.png())


def media() -> Pack:
    video = '<p:pic><p:nvPicPr><p:cNvPr id="5" name="動"/><p:cNvPicPr/><p:nvPr><a:videoFile r:link="rIdV"/></p:nvPr></p:nvPicPr><p:blipFill/><p:spPr/></p:pic>'
    return build.pptx(video).link("ppt/slides/slide1.xml", "rIdV", "video", f"file:///{CANARY}.avi", external=True)


def sound() -> Pack:
    return build.pptx(build.shape("音", '<a:hlinkClick r:id=""><a:snd r:embed="rIdS" name="x"/></a:hlinkClick>', 3)).attach(
        "ppt/slides/slide1.xml", "rIdS", "audio", "ppt/media/audio1.wav", b"RIFF" + CANARY.encode(), "audio/x-wav")  # fmt: skip


def hover() -> Pack:
    return build.pptx(build.shape("触", f'<a:hlinkHover r:id="" action="ppaction://macro?name={CANARY}"/>', 3))


def metafile(extension: str, content: bytes) -> Pack:
    pack = build.docx(build.inline_picture("rIdE")).attach("word/document.xml", "rIdE", "image", f"word/media/a.{extension}", content)
    pack.defaults[extension] = f"image/x-{extension}"
    return pack


def svg() -> Pack:
    picture = build.inline_picture("rIdP").replace('<a:blip r:embed="rIdP"/>', (
        '<a:blip r:embed="rIdP"><a:extLst><a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}"><asvg:svgBlip '
        'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" r:embed="rIdV"/></a:ext></a:extLst></a:blip>'))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>{CANARY}</script><rect width="9" height="9"/></svg>'
    pack = build.docx(picture).attach("word/document.xml", "rIdP", "image", "word/media/a.png", build.png())
    return pack.attach("word/document.xml", "rIdV", "image", "word/media/a.svg", svg, "image/svg+xml")


def word_settings(inside: str, kind: str = "settings", root: str = "settings") -> Pack:
    text = f"<w:{root} {build.SPACES}>{inside}</w:{root}>"
    return build.docx().attach("word/document.xml", "rIdS", kind, f"word/{kind}.xml", text, f"{OFFICE}wordprocessingml.{kind}+xml")


def mail_merge() -> Pack:
    pack = word_settings(f'<w:mailMerge><w:query w:val="{CANARY}"/><w:dataSource r:id="rId1"/></w:mailMerge><w:zoom w:percent="90"/>')
    return pack.link("word/settings.xml", "rId1", "mailMergeSource", f"file:///{CANARY}", external=True)


def frameset() -> Pack:
    pack = word_settings('<w:frameset><w:frame><w:sourceFileName r:id="rId1"/></w:frame></w:frameset>', "webSettings", "webSettings")
    return pack.link("word/webSettings.xml", "rId1", "frame", EVIL, external=True)


def signature() -> Pack:
    package = "http://schemas.openxmlformats.org/package/2006"
    pack = build.docx().attach("", "rIdO", f"{package}/relationships/digital-signature/origin", "_xmlsignatures/origin.sigs", "",
                               "application/vnd.openxmlformats-package.digital-signature-origin")  # fmt: skip
    return pack.attach("_xmlsignatures/origin.sigs", "rId1", f"{package}/relationships/digital-signature/signature", "_xmlsignatures/sig1.xml",
                       f"<Signature>{CANARY}</Signature>", "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml")  # fmt: skip


def linked_chart() -> Pack:
    """A chart of values of another workbook."""
    pack = build.chart_in_sheet(build.xlsx().bytes())
    name = "xl/charts/chart1.xml"
    pack.parts[name] = pack.parts[name].replace(b"Sheet1!$A$1", f"'[{CANARY}.xlsx]S'!$A$1".encode())
    return pack


def macro_shape() -> Pack:
    pack = build.chart_in_sheet(build.xlsx().bytes())
    name = "xl/drawings/drawing1.xml"
    pack.parts[name] = pack.parts[name].replace(b'macro=""', f'macro="[0]!{CANARY}"'.encode())
    return pack


def pivot() -> Pack:
    """A pivot table whose data lie in another workbook."""
    pack = build.xlsx(workbook='<pivotCaches><pivotCache cacheId="1" r:id="rIdC"/></pivotCaches>')
    cache = (
        f'<pivotCacheDefinition xmlns="{X}" xmlns:r="{build.R}"><cacheSource type="worksheet"><worksheetSource ref="A1:B2" sheet="表" r:id="rId1"/>'
        "</cacheSource><cacheFields/></pivotCacheDefinition>"
    )
    name = "xl/pivotCache/pivotCacheDefinition1.xml"
    pack.attach("xl/workbook.xml", "rIdC", "pivotCacheDefinition", name, cache, f"{OFFICE}spreadsheetml.pivotCacheDefinition+xml")
    pack.link(name, "rId1", "externalLinkPath", f"file:///{CANARY}.xlsx", external=True)
    table = f'<pivotTableDefinition xmlns="{X}" name="p" cacheId="1" dataCaption="{CANARY}"><location ref="D1:E2"/></pivotTableDefinition>'
    where = "xl/pivotTables/pivotTable1.xml"
    pack.attach("xl/worksheets/sheet1.xml", "rIdP", "pivotTable", where, table, f"{OFFICE}spreadsheetml.pivotTable+xml")
    return pack.link(where, "rId1", "pivotCacheDefinition", f"/{name}")


def name(attributes: str, content: str = f'"{CANARY}"') -> Pack:
    return build.xlsx(workbook=f"<definedNames><definedName {attributes}>{content}</definedName></definedNames>")


def vml(attributes: str = "", image: str = "") -> Pack:
    body = f'<w:p><w:r><w:pict><v:shape {attributes}><v:imagedata r:id="rIdPic" {image}/></v:shape></w:pict></w:r></w:p>'
    return build.docx(body).attach("word/document.xml", "rIdPic", "image", "word/media/image1.png", build.png())


def calculated_field() -> Pack:
    """A pivot table of its own workbook with a field that is calculated from another one."""
    pack = build.xlsx(workbook='<pivotCaches><pivotCache cacheId="1" r:id="rIdC"/></pivotCaches>')
    cache = (
        f'<pivotCacheDefinition xmlns="{X}"><cacheSource type="worksheet"><worksheetSource ref="A1:B2" sheet="表"/></cacheSource>'
        f"""<cacheFields count="1"><cacheField name="計" numFmtId="0" formula="'[{CANARY}.xlsx]S'!A1" databaseField="0"/></cacheFields>"""
        "</pivotCacheDefinition>"
    )
    name = "xl/pivotCache/pivotCacheDefinition1.xml"
    return pack.attach("xl/workbook.xml", "rIdC", "pivotCacheDefinition", name, cache, f"{OFFICE}spreadsheetml.pivotCacheDefinition+xml")
