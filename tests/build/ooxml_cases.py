"""The catalogue of attacks on Office packages (O01 to O28): what makes each sample, and the finding that must say so."""

from __future__ import annotations

from collections.abc import Callable

from tests.build import ooxml as build
from tests.build import ooxml_samples as make
from tests.build.ooxml import CANARY, MS, OFFICE, OLE, Pack, X
from tests.build.ooxml_samples import ACTIVE_X, EVIL

CASES: dict[str, tuple[Callable[[], Pack], str]] = {
    "O01 VBA under another name": (lambda: make.doc(f"{MS}/vbaProject", "word/a.dat"), "ooxml.vba"),
    "O01 VBA without any known type": (lambda: make.doc("http://example.com/rel", "word/a.dat"), "ooxml.unknown_part"),
    "O02 purged VBA": (lambda: make.doc(f"{MS}/vbaProject", "word/vbaProject.bin", OLE), "ooxml.vba"),
    "O03 macro sheet": (make.macro_sheet, "ooxml.macro_sheet"),
    "O03 Auto_Open": (make.macro_sheet, "ooxml.macro_name"),
    "O03 dialog sheet": (make.dialog_sheet, "ooxml.macro_sheet"),
    "O03 name that is a macro": (lambda: make.name('name="n" function="1" vbProcedure="1"'), "ooxml.macro_name"),
    "O03 built-in name that is none": (lambda: make.name('name="_xlnm.Start"'), "ooxml.macro_name"),
    "O03 international macro sheet": (lambda: make.macro_sheet("xlIntlMacrosheet"), "ooxml.macro_sheet"),
    "O04 template by http": (lambda: make.settings(False, EVIL), "ooxml.external_template"),
    "O04 template by UNC, strict": (lambda: make.settings(True, f"\\\\192.0.2.1\\{CANARY}"), "ooxml.external_template"),
    "O05 linked object": (lambda: make.outside("oleObject", f"mhtml:{EVIL}!x-usc:{EVIL}!"), "ooxml.ole_object"),
    "O05 linked object, strict": (lambda: make.outside("oleObject", f"ms-msdt:/{CANARY}", strict=True), "ooxml.ole_object"),
    "O06 picture by http": (lambda: make.linked_picture(EVIL), "ooxml.external_image"),
    "O06 picture by UNC": (lambda: make.linked_picture(f"file://///192.0.2.1/{CANARY}"), "ooxml.external_image"),
    **{
        f"O07 link {target[:12]}": (lambda target=target: make.hyperlink(target + CANARY), "ooxml.hyperlink")
        for target in ("file:///c:/", "\\\\host\\", "search-ms:q=", "ms-officecmd:", "javascript:", "vbscript:", "java\tscript:", "data:", "../", "http:\\\\h")
    },
    "O06 VML picture by href": (lambda: make.vml(image=f'o:href="{EVIL}"'), "ooxml.external_reference"),
    "O06 VML picture by src": (lambda: make.vml(image=f'src="{EVIL}"'), "ooxml.external_reference"),
    "O06 VML style": (lambda: make.vml(f'style="width:9pt;behavior:url({EVIL})"'), "ooxml.external_reference"),
    "O07 place in another file": (lambda: build.docx(f'<w:p><w:hyperlink w:anchor="\\\\host\\{CANARY}"><w:r><w:t>文字</w:t></w:r></w:hyperlink></w:p>'), "ooxml.hyperlink"),
    "O07 place in another workbook": (lambda: build.xlsx(after=f'<hyperlinks><hyperlink ref="A1" location="[{CANARY}.xlsx]S!A1"/></hyperlinks>'), "ooxml.hyperlink"),
    "O08 DDEAUTO over runs": (lambda: build.docx(build.field("DDE", "AUTO c:\\\\cmd ", CANARY)), "ooxml.dde"),
    "O08 plain DDE": (lambda: build.docx(build.field(f' DDE "cmd" "{CANARY}"')), "ooxml.dde"),
    "O08 lower case": (lambda: build.docx(build.field(f"\tddeauto cmd {CANARY}")), "ooxml.dde"),
    "O08 header": (make.header_field, "ooxml.dde"),
    "O08 footnote": (lambda: make.in_part("footnotes", "footnotes", "footnotes"), "ooxml.dde"),
    "O08 text box": (make.text_box, "ooxml.dde"),
    "O08 deleted text": (lambda: build.docx(build.field(f"DDE cmd {CANARY}").replace("instrText", "delInstrText")), "ooxml.dde"),
    "O08 name out of a field": (make.nested_field, "ooxml.field"),
    "O08 name out of a field before an allowed one": (lambda: make.nested_field("PAGE"), "ooxml.field"),
    "O08 simple field": (lambda: build.docx(f'<w:p><w:fldSimple w:instr="DDE cmd {CANARY}"/></w:p>'), "ooxml.dde"),
    **{
        f"O09 {word}": (lambda word=word: build.docx(f'<w:p><w:fldSimple w:instr="{word} {EVIL}"><w:r><w:t>shown</w:t></w:r></w:fldSimple></w:p>'), "ooxml.external_field")
        for word in ("INCLUDETEXT", "INCLUDE", "IMPORT", "EMBED", "DATABASE", "RD")
    },
    "O09 INCLUDEPICTURE": (lambda: build.docx(build.field(f'INCLUDEPICTURE "{EVIL}" \\d')), "ooxml.external_field"),
    "O09 LINK": (lambda: build.docx(build.field(f"LINK Excel.Sheet {EVIL}")), "ooxml.external_field"),
    "O09 HYPERLINK field": (lambda: build.docx(build.field(f'HYPERLINK "file:///{CANARY}"')), "ooxml.hyperlink"),
    "O09 MACROBUTTON": (lambda: build.docx(build.field(f"MACROBUTTON {CANARY} 押す")), "ooxml.field"),
    "O10 ddeLink": (make.dde_link, "ooxml.dde"),
    "O10 oleLink": (make.ole_link, "ooxml.external_link"),
    **{
        f"O11 {formula[:12]}": (lambda formula=formula: make.cell(formula), "ooxml.formula")
        for formula in (
            f'WEBSERVICE("{EVIL}")', f'_xlfn.IMAGE("{EVIL}")', f'RTD("{CANARY}",,"x")', f'CALL("{CANARY}","a","b")', f'REGISTER("{CANARY}")',
            f'1+EXEC("{CANARY}")', f'FILTERXML("{CANARY}","/")', f'_xll.ADDIN("{CANARY}")', f'SUM(1,Unknown("{CANARY}"))',
        )
    },
    "O11 HYPERLINK": (lambda: make.cell(f'HYPERLINK("file://{CANARY}","x")'), "ooxml.hyperlink"),
    "O11 HYPERLINK put together": (lambda: make.cell(f'HYPERLINK("ht"&amp;"tp://{CANARY}","x")'), "ooxml.hyperlink"),
    "O11 other workbook": (lambda: make.cell(f"'\\\\192.0.2.1\\[{CANARY}.xlsx]Sheet1'!A1"), "ooxml.external_link"),
    "O11 other workbook by number": (make.other_workbook, "ooxml.external_link"),
    "O11 DDE formula": (lambda: make.cell(f"cmd|'/c {CANARY}'!A0"), "ooxml.dde"),
    "O12 connections": (make.connection, "ooxml.connection"),
    "O12 pivot table of another workbook": (make.pivot, "ooxml.connection"),
    "O12 query table": (make.query_table, "ooxml.connection"),
    "O12 data model": (lambda: make.beside_workbook(f"{MS}/powerPivotData", "xl/model/item.data", CANARY), "ooxml.connection"),
    "O12 XML maps": (lambda: make.beside_workbook("xmlMaps", "xl/xmlMaps.xml", f'<MapInfo xmlns="{X}">{CANARY}</MapInfo>'), "ooxml.connection"),
    "O12 DataMashup": (make.data_mashup, "ooxml.custom_xml"),
    "O13 OLE package": (lambda: make.ole_object("Package"), "ooxml.ole_object"),
    "O13 OLE package on a slide": (make.slide_object, "ooxml.ole_object"),
    "O13 OLE package in a sheet": (make.sheet_object, "ooxml.ole_object"),
    "O14 embedded workbook": (lambda: make.ole_object("Excel.Sheet.12", "package", build.xlsx().bytes() + CANARY.encode(), "word/embeddings/a.xlsx"), "ooxml.embedded_file"),
    "O15 equation": (lambda: make.ole_object("Equation.3", content=OLE + bytes.fromhex("02CE020000000000C000000000000046")), "ooxml.ole_object"),
    "O16 ActiveX": (lambda: make.doc("control", "word/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml"), "ooxml.activex"),
    "O16 ActiveX in a picture": (lambda: make.doc("control", "word/activeX/activeX1.xml", ACTIVE_X, "application/vnd.ms-office.activeX+xml",
                                                 '<w:p><w:r><w:pict><v:shape/><w:control r:id="rIdBad"/></w:pict></w:r></w:p>'), "ooxml.activex"),
    "O16 ActiveX in a sheet": (make.sheet_control, "ooxml.activex"),
    "O16 ActiveX on a slide": (make.slide_control, "ooxml.activex"),
    "O17 altChunk MHT": (lambda: make.alt_chunk(f"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n{CANARY}", "message/rfc822"), "ooxml.alt_chunk"),
    "O17 altChunk RTF": (lambda: make.alt_chunk("{\\rtf1 " + CANARY + "}", "application/rtf"), "ooxml.alt_chunk"),
    "O17 altChunk HTML": (lambda: make.alt_chunk(f"<script>{CANARY}</script>", "text/html"), "ooxml.alt_chunk"),
    "O18 custom UI": (make.custom_ui, "ooxml.custom_ui"),
    "O19 web extension": (make.web_extension, "ooxml.web_extension"),
    "O20 program": (lambda: make.click("ppaction://program", f"file:///{CANARY}"), "ooxml.action"),
    "O20 macro": (lambda: make.click(f"ppaction://macro?name={CANARY}"), "ooxml.action"),
    "O20 other show": (lambda: make.click("ppaction://hlinkpres?slideindex=1", f"file:///{CANARY}"), "ooxml.action"),
    "O20 OLE verb": (lambda: make.click(f"ppaction://ole?verb=0{CANARY}"), "ooxml.action"),
    "O20 file": (lambda: make.click("ppaction://hlinkfile", f"file:///{CANARY}"), "ooxml.action"),
    "O20 mouse over": (make.hover, "ooxml.action"),
    "O20 linked video": (make.media, "ooxml.media"),
    "O20 sound": (make.sound, "ooxml.media"),
    "O20 unknown action": (lambda: make.click(f"x{CANARY}"), "ooxml.action"),
    "O22 foreign type of a known word": (lambda: make.doc("http://example.com/relationships/styles", "word/styles.xml", f"<w:styles {build.SPACES} w:x='{CANARY}'/>", f"{OFFICE}wordprocessingml.styles+xml"), "ooxml.unknown_part"),
    "O22 known type, other content type": (lambda: make.doc("styles", "word/styles.xml", f"<w:styles {build.SPACES}><w:style w:styleId='{CANARY}'/></w:styles>", "application/x-foo"), "ooxml.unknown_part"),
    "O22 unknown element": (lambda: build.docx(f'<w:p><w:foo w:val="{CANARY}"/></w:p>'), "ooxml.unknown_markup"),
    "O22 unknown attribute": (lambda: build.docx(f'<w:p w:foo="{CANARY}"/>'), "ooxml.unknown_markup"),
    "O22 orphan": (lambda: build.docx().part(f"word/{CANARY}.bin", OLE), "ooxml.unreferenced_part"),
    "O22 thumbnail": (lambda: build.docx().attach("", "rIdT", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail", "docProps/thumbnail.emf", CANARY), "ooxml.thumbnail"),
    "O22 printer settings": (lambda: build.xlsx().attach("xl/worksheets/sheet1.xml", "rIdP", "printerSettings", "xl/printerSettings/p1.bin", CANARY), "ooxml.printer_settings"),
    "O22 signature": (make.signature, "ooxml.signature"),
    "O22 unknown content type": (lambda: make.doc("image", "word/media/a.dat", CANARY, body=build.inline_picture("rIdBad")), "ooxml.picture_replaced"),
    "O23 EMF": (lambda: make.metafile("emf", build.emf()), "metafile.comment"),
    "O23 WMF": (lambda: make.metafile("wmf", build.wmf()), "metafile.escape"),
    "O23 SVG": (make.svg, "svg.script"),
    "O23 font": (make.embedded_font, "ooxml.embedded_font"),
    "O23 EPS": (lambda: build.docx(build.inline_picture("rIdE")).attach("word/document.xml", "rIdE", "image", "word/media/a.eps", f"%!PS-Adobe-3.0 EPSF-3.0\n{CANARY}"), "ooxml.picture_replaced"),
    "O27 sub-document": (lambda: make.outside("subDocument", EVIL, '<w:subDoc r:id="rIdBad"/>'), "ooxml.sub_document"),
    "O27 frameset": (make.frameset, "ooxml.frame"),
    "O27 mail merge": (make.mail_merge, "ooxml.mail_merge"),
    "document variables": (lambda: make.word_settings(f'<w:docVars><w:docVar w:name="a" w:val="{CANARY}"/></w:docVars>'), "ooxml.custom_data"),
    "O27 frame": (lambda: make.outside("frame", EVIL), "ooxml.frame"),
    "O27 slide update": (lambda: build.pptx().link("ppt/slides/slide1.xml", "rIdS", "slideUpdateUrl", EVIL, external=True), "ooxml.external_reference"),
    "O27 chart data outside": (make.chart_link, "ooxml.ole_object"),
    "alternative content": (make.fallback, "ooxml.external_field"),
}  # fmt: skip

