"""A document, a workbook and a presentation with everything in them that must stay, and nothing that must not."""

from __future__ import annotations

from tests.build import ooxml as build
from tests.build.ooxml import OFFICE, A, Pack

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


LIST = (
    '<w:p><w:pPr><w:pStyle w:val="a1"/><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:rPr><w:em w:val="comma"/>'
    '<w:eastAsianLayout w:vert="1" w:vertCompress="1"/></w:rPr><w:t>箇条</w:t></w:r></w:p>'
)
MATH = (
    '<w:p><m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t>'
    "</m:r></m:den></m:f></m:oMath></w:p>"
)
SECTION = (
    '<w:sectPr><w:headerReference w:type="default" r:id="rIdH"/><w:footerReference w:type="default" r:id="rIdFt"/><w:pgSz w:w="16838" w:h="11906" '
    'w:orient="landscape"/><w:textDirection w:val="tbRl"/><w:docGrid w:type="linesAndChars" w:linePitch="360"/></w:sectPr>'
)


def _drawn(graphic: str, identity: int) -> str:
    return (
        f'<w:p><w:r><w:drawing><wp:inline><wp:extent cx="900000" cy="900000"/><wp:docPr id="{identity}" name="図{identity}"/>{graphic}</wp:inline></w:drawing>'
        "</w:r></w:p>"
    )


def document() -> Pack:
    body = LIST + MATH + RUBY + TRACKED + TABLE + LINKS + CONTROL + FIELDS + TEXT_BOX + build.inline_picture("rIdPic") + _drawn(build.CHART_GRAPHIC, 41) + _drawn(_SMART_ART, 42)
    body += f'<w:p w14:paraId="0A0B0C0D" {W14}><w:commentRangeStart w:id="0"/><w:r><w:t>評</w:t></w:r><w:commentRangeEnd w:id="0"/><w:r>'
    body += '<w:commentReference w:id="0"/></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    pack = build.docx(body)
    main = "word/document.xml"
    pack.parts[main] = pack.parts[main].replace(b"<w:sectPr/>", SECTION.encode())
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
    numbering = (
        f'<w:numbering {build.SPACES}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="aiueoFullWidth"/>'
        '<w:lvlText w:val="（%1）"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
    )
    pack.attach(main, "rIdNu", "numbering", "word/numbering.xml", numbering, f"{word}numbering+xml")
    styles = (
        f'<w:styles {build.SPACES}><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:eastAsia="ＭＳ 明朝"/></w:rPr></w:rPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:styleId="a1"><w:name w:val="公印欄"/><w:pPr><w:jc w:val="right"/></w:pPr></w:style></w:styles>'
    )
    pack.attach(main, "rIdSt", "styles", "word/styles.xml", styles, f"{word}styles+xml")
    pack.attach(main, "rIdFt", "footer", "word/footer1.xml", f"<w:ftr {build.SPACES}>{build.paragraph('頁の下')}</w:ftr>", f"{word}footer+xml")
    build.attach_chart(pack, main, build.xlsx().bytes())
    _attach_smart_art(pack, main)
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


def _attach_to_sheet(pack: Pack) -> None:
    """A chart, a comment with its box, a table."""
    sheet = "xl/worksheets/sheet1.xml"
    pack.attach(sheet, "rIdD", "drawing", "xl/drawings/drawing1.xml", build.CHART_DRAWING, f"{OFFICE}drawing+xml")
    build.attach_chart(pack, "xl/drawings/drawing1.xml", build.xlsx().bytes())
    comment = f'<comments xmlns="{build.X}"><authors><author>田中</author></authors><commentList><comment ref="A1" authorId="0"><text><t>意見</t></text></comment>'
    pack.attach(sheet, "rIdC", "comments", "xl/comments1.xml", f"{comment}</commentList></comments>", f"{OFFICE}spreadsheetml.comments+xml")
    box = (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:x="urn:schemas-microsoft-com:office:excel">'
        '<v:shape id="_x0000_s1025" type="#_x0000_t202" style="position:absolute;visibility:hidden" fillcolor="infoBackground"><v:textbox/><x:ClientData '
        'ObjectType="Note"><x:Anchor>1,0,0,0,3,0,4,0</x:Anchor><x:Row>0</x:Row><x:Column>0</x:Column></x:ClientData></v:shape></xml>'
    )
    pack.attach(sheet, "rIdV", "vmlDrawing", "xl/drawings/vmlDrawing1.vml", box, f"{OFFICE}vmlDrawing")
    table = (
        f'<table xmlns="{build.X}" id="1" name="表1" displayName="表1" ref="H1:H2"><autoFilter ref="H1:H2"/><tableColumns count="1"><tableColumn id="1" '
        'name="金額"/></tableColumns><tableStyleInfo name="TableStyleMedium2" showRowStripes="1"/></table>'
    )
    pack.attach(sheet, "rIdT", "table", "xl/tables/table1.xml", table, f"{OFFICE}spreadsheetml.table+xml")
    styles = (
        f'<styleSheet xmlns="{build.X}"><numFmts count="1"><numFmt numFmtId="176" formatCode="[$-411]ggge&quot;年&quot;m&quot;月&quot;"/></numFmts><fonts count="2">'
        '<font><sz val="11"/><name val="游ゴシック"/></font><font><sz val="6"/><name val="ＭＳ Ｐゴシック"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders '
        'count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="176" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle '
        'name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )
    pack.attach("xl/workbook.xml", "rIdSt", "styles", "xl/styles.xml", styles, f"{OFFICE}spreadsheetml.styles+xml")


def workbook() -> Pack:
    cells = (
        '<row r="1" ht="20" customHeight="1"><c r="A1" t="s" ph="1"><v>0</v></c><c r="B1" s="1"><f>SUM(C1:C9)*2</f><v>4</v></c>'
        '<c r="C1"><f t="shared" ref="C1:C2" si="0">A1&amp;"[x]|y!"</f><v>1</v></c><c r="H1" t="inlineStr"><is><t>金額</t></is></c></row><row r="2"><c r="C2"><f t="shared" si="0"/><v>1</v></c>'
        '<c r="D2"><f>HYPERLINK("https://example.jp/","先")</f><v>0</v></c><c r="E2"><f>\'集計 表\'!A1+_xlfn.XLOOKUP(1,A:A,B:B)+表1[[#This Row],[金額]]</f>'
        '<v>0</v></c><c r="F2" t="inlineStr"><is><t>直書き</t></is></c></row>'
    )
    after = (
        '<mergeCells count="1"><mergeCell ref="A1:A2"/></mergeCells><phoneticPr fontId="1"/><conditionalFormatting sqref="A1"><cfRule type="expression" '
        'priority="1"><formula>$A$1&gt;3</formula></cfRule></conditionalFormatting><dataValidations count="1"><dataValidation type="list" '
        'sqref="B2"><formula1>"はい,いいえ"</formula1></dataValidation></dataValidations><hyperlinks><hyperlink ref="A1" location="表1!B1"/></hyperlinks>'
        '<pageSetup paperSize="9" orientation="landscape"/><headerFooter><oddFooter>&amp;C&amp;P</oddFooter></headerFooter>'
        '<drawing r:id="rIdD"/><legacyDrawing r:id="rIdV"/><tableParts count="1"><tablePart r:id="rIdT"/></tableParts>'
    )
    names = '<definedNames><definedName name="_xlnm.Print_Area" localSheetId="0">表1!$A$1:$F$9</definedName><definedName name="税率">0.1</definedName></definedNames>'
    pack = build.xlsx(cells, after=after, workbook=names)
    strings = (
        f'<sst xmlns="{build.X}" count="1" uniqueCount="1"><si><t>関所</t><rPh sb="0" eb="2"><t>セキショ</t></rPh><phoneticPr fontId="1"/></si></sst>'
    )
    _attach_to_sheet(pack)
    pack.attach("xl/workbook.xml", "rIdS", "sharedStrings", "xl/sharedStrings.xml", strings, f"{OFFICE}spreadsheetml.sharedStrings+xml")
    return _with_properties(pack)


TIMING = (
    '<p:transition spd="slow"><p:fade/></p:transition><p:timing><p:tnLst><p:par><p:cTn id="1" dur="indefinite" restart="never" nodeType="tmRoot">'
    '<p:childTnLst><p:seq concurrent="1" nextAc="seek"><p:cTn id="2" dur="indefinite" nodeType="mainSeq"><p:childTnLst><p:par><p:cTn id="3" '
    'presetID="1" presetClass="entr" presetSubtype="0" fill="hold" nodeType="clickEffect"><p:stCondLst><p:cond delay="0"/></p:stCondLst><p:childTnLst>'
    '<p:set><p:cBhvr><p:cTn id="4" dur="1" fill="hold"/><p:tgtEl><p:spTgt spid="3"/></p:tgtEl><p:attrNameLst><p:attrName>style.visibility</p:attrName>'
    '</p:attrNameLst></p:cBhvr><p:to><p:strVal val="visible"/></p:to></p:set></p:childTnLst></p:cTn></p:par></p:childTnLst></p:cTn></p:seq>'
    "</p:childTnLst></p:cTn></p:par></p:tnLst></p:timing>"
)
_SLIDE_TABLE = (
    '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="20" name="表"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/>'
    '<a:ext cx="900000" cy="400000"/></p:xfrm><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl><a:tblPr/>'
    '<a:tblGrid><a:gridCol w="900000"/></a:tblGrid><a:tr h="400000"><a:tc><a:txBody><a:bodyPr/><a:p><a:r><a:rPr lang="ja-JP" kumimoji="1"/><a:t>升目</a:t></a:r>'
    '</a:p></a:txBody><a:tcPr vert="eaVert"/></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>'
)
_DGM = "http://schemas.openxmlformats.org/drawingml/2006/diagram"


# The graphic of a diagram of two points.
_SMART_ART = (
    f'<a:graphic><a:graphicData uri="{_DGM}"><dgm:relIds xmlns:dgm="{_DGM}" r:dm="rIdDm" r:lo="rIdLo" r:qs="rIdQs" r:cs="rIdCs"/></a:graphicData></a:graphic>'
)
_SMART_ART_FRAME = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="30" name="図解"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="900000" cy="900000"/></p:xfrm>{_SMART_ART}</p:graphicFrame>'
)


def _attach_smart_art(pack: Pack, owner: str) -> None:
    folder = owner.partition("/")[0]
    spaces = f'xmlns:dgm="{_DGM}" xmlns:a="{A}"'
    point = '<dgm:pt modelId="{n}"><dgm:prSet/><dgm:spPr/><dgm:t><a:bodyPr/><a:p><a:r><a:t>{t}</a:t></a:r></a:p></dgm:t></dgm:pt>'
    texts = {
        "Dm": ("diagramData", "diagramData", (f'<dgm:dataModel {spaces}><dgm:ptLst><dgm:pt modelId="0" type="doc"><dgm:prSet/><dgm:spPr/></dgm:pt>'
               f'{point.format(n=1, t="受付")}{point.format(n=2, t="決裁")}</dgm:ptLst><dgm:cxnLst><dgm:cxn modelId="3" srcId="0" destId="1" srcOrd="0" '
               'destOrd="0"/></dgm:cxnLst><dgm:bg/><dgm:whole/></dgm:dataModel>')),
        "Lo": ("diagramLayout", "diagramLayout", (f'<dgm:layoutDef {spaces} uniqueId="urn:layout/default"><dgm:title val=""/><dgm:desc val=""/><dgm:catLst/>'
               '<dgm:layoutNode name="diagram"><dgm:alg type="snake"/><dgm:shape/><dgm:presOf/></dgm:layoutNode></dgm:layoutDef>')),
        "Qs": ("diagramQuickStyle", "diagramStyle", f'<dgm:styleDef {spaces} uniqueId="urn:style/simple1"><dgm:title val=""/><dgm:desc val=""/></dgm:styleDef>'),
        "Cs": ("diagramColors", "diagramColors", f'<dgm:colorsDef {spaces} uniqueId="urn:colors/accent1_2"><dgm:title val=""/><dgm:desc val=""/></dgm:colorsDef>'),
    }  # fmt: skip
    for name, (kind, content_type, text) in texts.items():
        pack.attach(owner, f"rId{name}", kind, f"{folder}/diagrams/{kind}1.xml", text, f"{OFFICE}drawingml.{content_type}+xml")


def show() -> Pack:
    click = '<a:hlinkClick r:id="" action="ppaction://hlinkshowjump?jump=nextslide"/>'
    web = '<a:hlinkClick r:id="rIdWeb"/>'
    pack = build.pptx(build.shape("次へ", click, 3) + build.shape("外へ", web, 4) + build.CHART_FRAME + _SLIDE_TABLE + _SMART_ART_FRAME, after=TIMING)
    slide = "ppt/slides/slide1.xml"
    pack.link(slide, "rIdWeb", "hyperlink", "https://example.jp/", external=True)
    build.attach_chart(pack, slide, build.xlsx().bytes())
    notes = f'<p:notes xmlns:p="{build.P}" xmlns:a="{A}"><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr>'
    notes += f"<p:grpSpPr/>{build.shape('発言')}</p:spTree></p:cSld></p:notes>"
    pack.attach(slide, "rIdNotes", "notesSlide", "ppt/notesSlides/notesSlide1.xml", notes, f"{OFFICE}presentationml.notesSlide+xml")
    pack.link("ppt/notesSlides/notesSlide1.xml", "rId1", "slide", "../slides/slide1.xml")
    _attach_smart_art(pack, slide)
    authors = f'<p:cmAuthorLst xmlns:p="{build.P}"><p:cmAuthor id="0" name="田中" initials="T" lastIdx="1" clrIdx="0"/></p:cmAuthorLst>'
    pack.attach("ppt/presentation.xml", "rIdA", "commentAuthors", "ppt/commentAuthors.xml", authors, f"{OFFICE}presentationml.commentAuthors+xml")
    comment = f'<p:cmLst xmlns:p="{build.P}"><p:cm authorId="0" idx="1"><p:pos x="1" y="1"/><p:text>意見</p:text></p:cm></p:cmLst>'
    pack.attach(slide, "rIdCm", "comments", "ppt/comments/comment1.xml", comment, f"{OFFICE}presentationml.comments+xml")
    return _with_properties(pack)
