"""Office packages part by part, so that any part, content type and relationship can be what it should not be."""

from __future__ import annotations

import io
import posixpath
import random
import struct
import zipfile
import zlib
from xml.sax.saxutils import quoteattr

from msoffcrypto.format.ooxml import OOXMLFile

R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
R_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
MS = "http://schemas.microsoft.com/office/2006/relationships"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
X = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
OFFICE = "application/vnd.openxmlformats-officedocument."
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
CANARY = "CANARY-3f9c"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + CANARY.encode()

SPACES = (
    f'xmlns:w="{W}" xmlns:r="{R}" xmlns:a="{A}" xmlns:mc="{MC}" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" mc:Ignorable="w14"'
)


class Pack:
    """A package to be. `parts`: name → bytes; `types`: name → content type; `links`: name of the part → its relationships."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.links: dict[str, list[tuple[str, str, str, bool]]] = {}
        self.defaults = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml", "png": "image/png"}

    def part(self, name: str, content: bytes | str, content_type: str = "") -> Pack:
        self.parts[name] = content.encode() if isinstance(content, str) else content
        if content_type:
            self.types[name] = content_type
        return self

    def link(self, source: str, identity: str, kind: str, target: str, *, external: bool = False) -> Pack:
        """`kind`: the last part of an ordinary type, or a whole URI."""
        kind = kind if ":" in kind else f"{R}/{kind}"
        self.links.setdefault(source, []).append((identity, kind, target, external))
        return self

    def attach(self, source: str, identity: str, kind: str, name: str, content: bytes | str, content_type: str = "") -> Pack:
        """A part and the relationship to it."""
        return self.part(name, content, content_type).link(source, identity, kind, f"/{name}")

    def bytes(self) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {"[Content_Types].xml": self._content_types(), **self.parts}.items():
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
            for source, links in self.links.items():
                folder, base = posixpath.split(source)
                archive.writestr(zipfile.ZipInfo(posixpath.join(folder, "_rels", f"{base}.rels")), _relationships(links))
        return out.getvalue()

    def _content_types(self) -> bytes:
        lines = [f"<Default Extension={quoteattr(e)} ContentType={quoteattr(t)}/>" for e, t in self.defaults.items()]
        lines += [f"<Override PartName={quoteattr('/' + n)} ContentType={quoteattr(t)}/>" for n, t in self.types.items()]
        space = "http://schemas.openxmlformats.org/package/2006/content-types"
        return f'{HEAD}<Types xmlns="{space}">{"".join(lines)}</Types>'.encode()


def _relationships(links: list[tuple[str, str, str, bool]]) -> bytes:
    lines = [
        f"<Relationship Id={quoteattr(i)} Type={quoteattr(k)} Target={quoteattr(t)}" + (' TargetMode="External"/>' if external else "/>")
        for i, k, t, external in links
    ]
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'{HEAD}<Relationships xmlns="{space}">{"".join(lines)}</Relationships>'.encode()


def png(width: int = 2, height: int = 2, colour: bytes = b"\x20\x40\x80") -> bytes:
    """A plain RGB picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = (b"\0" + colour * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def emf() -> bytes:
    """A header, a comment that carries the canary, and the end."""
    comment = CANARY.encode().ljust(16)
    record = struct.pack("<III", 70, 12 + len(comment), len(comment)) + comment
    end = struct.pack("<5I", 14, 20, 0, 16, 20)
    size = 88 + len(record) + len(end)
    return struct.pack("<2I8i4s3I2HI2I4i", 1, 88, 0, 0, 9, 9, 0, 0, 99, 99, b" EMF", 0x10000, size, 3, 1, 0, 0, 0, 0, 9, 9, 9, 9) + record + end


def wmf() -> bytes:
    """META_ESCAPE with the function SETABORTPROC, and the end. [MS-WMF] 2.3.6"""
    data = CANARY.encode().ljust(12)
    escape = struct.pack("<IHHH", 5 + len(data) // 2, 0x0626, 9, len(data)) + data
    return struct.pack("<HHHIHIH", 1, 9, 0x300, 9 + len(escape) // 2 + 3, 0, len(escape) // 2, 0) + escape + struct.pack("<IH", 3, 0)


def paragraph(text: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def field(*pieces: str, shown: str = "shown") -> str:
    """A complex field whose instruction lies in several runs."""
    instruction = "".join(f'<w:r><w:instrText xml:space="preserve">{piece}</w:instrText></w:r>' for piece in pieces)
    return (
        f'<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r>{instruction}<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
        f'<w:r><w:t>{shown}</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )


def docx(body: str = "", *, kind: str = "wordprocessingml.document.main+xml", strict: bool = False) -> Pack:
    """A document of the paragraph 「本文」 and what is given."""
    pack = Pack()
    document = f"{HEAD}<w:document {SPACES}><w:body>{paragraph('本文')}{body}<w:sectPr/></w:body></w:document>"
    relations = R_STRICT if strict else R
    if strict:
        document = document.replace(W, W_STRICT).replace(R, R_STRICT)
    kind = kind if "/" in kind else OFFICE + kind
    return pack.part("word/document.xml", document, kind).link("", "rId1", f"{relations}/officeDocument", "word/document.xml")


def xlsx(
    cells: str = '<row r="1"><c r="A1"><v>1</v></c></row>',
    *,
    after: str = "",
    workbook: str = "",
    sheets: str = '<sheet name="表1" sheetId="1" r:id="rId1"/>',
    kind: str = "spreadsheetml.sheet.main+xml",
) -> Pack:
    """A workbook of one sheet."""
    pack = Pack()
    book = f'{HEAD}<workbook xmlns="{X}" xmlns:r="{R}"><sheets>{sheets}</sheets>{workbook}</workbook>'
    pack.part("xl/workbook.xml", book, kind if "/" in kind else OFFICE + kind).link("", "rId1", "officeDocument", "xl/workbook.xml")
    sheet = f'{HEAD}<worksheet xmlns="{X}" xmlns:r="{R}" xmlns:mc="{MC}"><sheetData>{cells}</sheetData>{after}</worksheet>'
    return pack.attach("xl/workbook.xml", "rId1", "worksheet", "xl/worksheets/sheet1.xml", sheet, f"{OFFICE}spreadsheetml.worksheet+xml")


_TREE = (
    '<p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shapes}</p:spTree>'
)


def shape(text: str, click: str = "", identity: int = 2) -> str:
    """A text box; `click` stands in its non-visual properties."""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{identity}" name="箱">{click}</p:cNvPr><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    )


def pptx(shapes: str = "", *, after: str = "", kind: str = "presentationml.presentation.main+xml") -> Pack:
    """One slide with a layout, a master and a theme, as PowerPoint wants it."""
    pack = Pack()
    spaces = f'xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{R}" xmlns:mc="{MC}"'
    show = (
        f'{HEAD}<p:presentation {spaces}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId1"/></p:sldMasterIdLst>'
        '<p:sldIdLst><p:sldId id="256" r:id="rId2"/></p:sldIdLst><p:sldSz cx="9144000" cy="6858000"/>'
        '<p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
    )
    main = "ppt/presentation.xml"
    pack.part(main, show, kind if "/" in kind else OFFICE + kind).link("", "rId1", "officeDocument", main)
    mapping = " ".join(f'{n}="{t}"' for n, t in zip(
        "bg1 tx1 bg2 tx2 accent1 accent2 accent3 accent4 accent5 accent6 hlink folHlink".split(),
        "lt1 dk1 lt2 dk2 accent1 accent2 accent3 accent4 accent5 accent6 hlink folHlink".split(), strict=True))  # fmt: skip
    master = (
        f"{HEAD}<p:sldMaster {spaces}><p:cSld>{_TREE.format(shapes='')}</p:cSld><p:clrMap {mapping}/>"
        '<p:sldLayoutIdLst><p:sldLayoutId id="2147483649" r:id="rId1"/></p:sldLayoutIdLst></p:sldMaster>'
    )
    base = f"{OFFICE}presentationml."
    pack.attach(main, "rId1", "slideMaster", "ppt/slideMasters/slideMaster1.xml", master, f"{base}slideMaster+xml")
    layout = f"{HEAD}<p:sldLayout {spaces}><p:cSld>{_TREE.format(shapes='')}</p:cSld></p:sldLayout>"
    pack.attach("ppt/slideMasters/slideMaster1.xml", "rId1", "slideLayout", "ppt/slideLayouts/slideLayout1.xml", layout,
                f"{base}slideLayout+xml")  # fmt: skip
    pack.link("ppt/slideLayouts/slideLayout1.xml", "rId1", "slideMaster", "../slideMasters/slideMaster1.xml")
    pack.attach("ppt/slideMasters/slideMaster1.xml", "rId2", "theme", "ppt/theme/theme1.xml", theme(), f"{OFFICE}theme+xml")
    slide = f"{HEAD}<p:sld {spaces}><p:cSld>{_TREE.format(shapes=shape('題名') + shapes)}</p:cSld>{after}</p:sld>"
    pack.attach(main, "rId2", "slide", "ppt/slides/slide1.xml", slide, f"{base}slide+xml")
    return pack.link("ppt/slides/slide1.xml", "rId1", "slideLayout", "../slideLayouts/slideLayout1.xml")


def theme() -> str:
    names = "dk1 lt1 dk2 lt2 accent1 accent2 accent3 accent4 accent5 accent6 hlink folHlink".split()
    colours = "".join(f'<a:{name}><a:srgbClr val="112233"/></a:{name}>' for name in names)
    fonts = "".join(f'<a:{n}><a:latin typeface="Arial"/><a:ea typeface="ＭＳ ゴシック"/><a:cs typeface=""/></a:{n}>' for n in ("majorFont", "minorFont"))
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    return (
        f'{HEAD}<a:theme xmlns:a="{A}" name="t"><a:themeElements><a:clrScheme name="c">{colours}</a:clrScheme><a:fontScheme name="f">{fonts}'
        f'</a:fontScheme><a:fmtScheme name="m"><a:fillStyleLst>{fill * 3}</a:fillStyleLst><a:lnStyleLst>{f"<a:ln>{fill}</a:ln>" * 3}'
        f"</a:lnStyleLst><a:effectStyleLst>{'<a:effectStyle><a:effectLst/></a:effectStyle>' * 3}</a:effectStyleLst><a:bgFillStyleLst>"
        f"{fill * 3}</a:bgFillStyleLst></a:fmtScheme></a:themeElements></a:theme>"
    )


def inline_picture(identity: str, attribute: str = "embed") -> str:
    return (
        '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="914400" cy="914400"/><wp:docPr id="7" name="図"/><a:graphic><a:graphicData '
        'uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr><pic:cNvPr id="7" name="図"/><pic:cNvPicPr/>'
        f'</pic:nvPicPr><pic:blipFill><a:blip r:{attribute}="{identity}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr/>'
        "</pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
    )


def locked(pack: Pack, password: str) -> bytes:
    """The package under agile encryption, filled up to the size of a real file: what encrypts here gets very small ones wrong."""
    pack.part("filling.png", random.Random(0).randbytes(9000))
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(pack.bytes())).encrypt(password, out)
    return out.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    """The parts of a package, read by the standard library."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _axis(kind: str, identity: int, other: int, side: str) -> str:
    return (
        f'<c:{kind}><c:axId val="{identity}"/><c:scaling><c:orientation val="minMax"/></c:scaling><c:delete val="0"/><c:axPos val="{side}"/>'
        f'<c:crossAx val="{other}"/></c:{kind}>'
    )


def attach_chart(pack: Pack, owner: str, book: bytes) -> Pack:
    """A chart of the owner (relationship `rIdChart`), with the workbook that holds its data."""
    folder = owner.partition("/")[0]
    text = (
        f'<c:chartSpace xmlns:c="{C}" xmlns:a="{A}" xmlns:r="{R}" xmlns:mc="{MC}"><mc:AlternateContent><mc:Choice Requires="c14" '
        'xmlns:c14="http://schemas.microsoft.com/office/drawing/2007/8/2/chart"><c14:style val="102"/></mc:Choice><mc:Fallback><c:style val="2"/>'
        '</mc:Fallback></mc:AlternateContent><c:chart><c:plotArea><c:layout/><c:barChart><c:barDir val="col"/><c:ser><c:idx val="0"/>'
        '<c:order val="0"/><c:val><c:numRef><c:f>Sheet1!$A$1</c:f><c:numCache><c:ptCount val="1"/><c:pt idx="0"><c:v>7</c:v></c:pt></c:numCache></c:numRef>'
        '</c:val></c:ser><c:axId val="1"/><c:axId val="2"/></c:barChart>'
        f'{_axis("catAx", 1, 2, "b")}{_axis("valAx", 2, 1, "l")}</c:plotArea></c:chart><c:externalData r:id="rId1"><c:autoUpdate val="0"/>'
        "</c:externalData></c:chartSpace>"
    )
    pack.attach(owner, "rIdChart", "chart", f"{folder}/charts/chart1.xml", text, f"{OFFICE}drawingml.chart+xml")
    pack.defaults["xlsx"] = f"{OFFICE}spreadsheetml.sheet"
    return pack.attach(f"{folder}/charts/chart1.xml", "rId1", "package", f"{folder}/embeddings/book.xlsx", book)


CHART_GRAPHIC = f'<a:graphic><a:graphicData uri="{C}"><c:chart xmlns:c="{C}" r:id="rIdChart"/></a:graphicData></a:graphic>'


CHART_FRAME = (
    '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="9" name="図表"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr><p:xfrm><a:off x="0" '
    f'y="0"/><a:ext cx="900000" cy="900000"/></p:xfrm>{CHART_GRAPHIC}</p:graphicFrame>'
)
_XDR = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_CORNER = "<xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>1</xdr:row><xdr:rowOff>0</xdr:rowOff>"
CHART_DRAWING = (
    f'<xdr:wsDr xmlns:xdr="{_XDR}" xmlns:a="{A}" xmlns:r="{R}"><xdr:twoCellAnchor><xdr:from>{_CORNER}</xdr:from><xdr:to>{_CORNER}</xdr:to><xdr:graphicFrame '
    'macro=""><xdr:nvGraphicFramePr><xdr:cNvPr id="2" name="図表"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr><xdr:xfrm><a:off x="0" y="0"/>'
    f'<a:ext cx="0" cy="0"/></xdr:xfrm>{CHART_GRAPHIC}</xdr:graphicFrame><xdr:clientData/></xdr:twoCellAnchor></xdr:wsDr>'
)


def chart_in_slide(book: bytes) -> Pack:
    return attach_chart(pptx(CHART_FRAME), "ppt/slides/slide1.xml", book)


def chart_in_sheet(book: bytes) -> Pack:
    pack = xlsx(after='<drawing r:id="rIdD"/>')
    pack.attach("xl/worksheets/sheet1.xml", "rIdD", "drawing", "xl/drawings/drawing1.xml", CHART_DRAWING, f"{OFFICE}drawing+xml")
    return attach_chart(pack, "xl/drawings/drawing1.xml", book)
