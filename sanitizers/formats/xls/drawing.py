"""Comments, pictures and simple shapes of a worksheet; of all other objects the report tells. [MS-XLS] 2.4.181, 2.4.179, 2.4.329."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from sanitizers.formats.office import pictures
from sanitizers.formats.xls import escher, markup, strings
from sanitizers.formats.xls.book import Workbook
from sanitizers.formats.xls.formulas import column
from sanitizers.formats.xls.records import Record
from sanitizers.model import Action

OBJ, DRAWING, TXO, NOTE, AUTOFILTER_INFO = 0x5D, 0xEC, 0x1B6, 0x1C, 0x9D

CHART, _BUTTON, _PICTURE, _DROP_DOWN, _COMMENT = 5, 7, 8, 20, 25
_CONTROLS: Final = frozenset({_BUTTON, *range(11, 21)})
_GEOMETRIES: Final = {
    1: "rect", 2: "roundRect", 3: "ellipse", 4: "diamond", 5: "triangle", 6: "rtTriangle", 7: "parallelogram", 8: "trapezoid", 9: "hexagon",
    10: "octagon", 11: "plus", 13: "rightArrow", 15: "homePlate", 20: "line", 32: "straightConnector1", 66: "leftArrow", 67: "downArrow",
    68: "upArrow", 69: "leftRightArrow", 70: "upDownArrow", 75: "rect", 185: "bracketPair", 186: "bracePair", 202: "rect",
}  # fmt: skip
_PICTURE_FORMULA: Final = 0x09  # of an OBJ: the picture is the face of an object or shows other cells
_MAIN: Final = "http://schemas.openxmlformats.org/drawingml/2006/"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_VML: Final = {"v": "vml", "o": "office:office", "x": "office:excel"}
_LONGEST: Final = 32_767
_GOES_ON: Final = 0xFFFF  # row of a record of BIFF5 with more text of the note before it
_PAPER: Final = 65  # a colour's number
_EMU: Final = 9525  # of a pixel at 96 dpi
_POINT: Final = 12_700  # EMU


@dataclass(slots=True)
class _Object:
    """One OBJ record and the text of its TXO."""

    kind: int
    number: int
    linked: bool
    text: str = ""
    chart: str = ""


class Comment(NamedTuple):
    row: int
    col: int
    author: str
    text: str
    shown: bool


class Drawing:
    """Collects the records of one sheet. `shown`: the pictures and charts (as XML) of its shapes, in the order of their relationships."""

    def __init__(self, book: Workbook, where: str) -> None:
        self._book = book
        self._where = where
        self._objects: list[_Object] = []
        self._notes: list[Comment] = []
        self._older: list[tuple[int, int, bytearray]] = []  # row, column and text of BIFF5
        self._pieces: list[bytes] = []
        self.filtered = False
        self._arrows = 1  # drop-downs that a filter or a validation draws by itself
        self._texts: dict[int, str] = {}  # of comments, by the number of their shape
        self._links: dict[int, int] = {}  # number of a picture in the book → of its relationship
        self.shown: list[pictures.Picture | str] = []

    def add(self, record: Record) -> None:
        """One more record of the sheet's drawing: shapes, objects, their text, notes, arrows of filters."""
        if record.kind == DRAWING:
            self._pieces.append(record.data)
        elif record.kind == OBJ:
            self._object(record)
        elif record.kind == TXO:
            self._text(record)
        elif record.kind == NOTE:
            self._note(record)
        elif record.kind == AUTOFILTER_INFO:
            self.filtered = True
            self._arrows += record.unpack("<H")[0]

    def chart(self, xml: str) -> bool:
        """Of the last object; False where none is a chart that waits for it."""
        last = self._objects[-1] if self._objects else None
        if last is None or last.kind != CHART or last.chart or not xml:
            return False
        last.chart = xml
        return True

    def _object(self, record: Record) -> None:
        data = record.data
        if self._book.encoding is not None:
            kind = data[4] if len(data) > 4 else 0
            self._objects.append(_Object(kind, 0, False))
            return
        kind, number = record.unpack("<4xHH")
        self._objects.append(_Object(kind, number, _has(data, _PICTURE_FORMULA)))

    def _text(self, record: Record) -> None:
        if not self._objects or self._book.encoding is not None:
            return
        (length,) = record.unpack("<10xH")
        if length and len(record.pieces) > 1:
            last = self._objects[-1]
            last.text = strings.Reader(record.pieces[1:]).text(length).plain[:_LONGEST]
            if last.kind == _COMMENT:
                self._texts[last.number] = last.text

    def _note(self, record: Record) -> None:
        if self._book.encoding is not None:
            row, col, length = record.unpack("<HHH")
            if row == _GOES_ON and self._older:
                self._older[-1][2].extend(record.data[6 : 6 + length])
            else:
                self._older.append((row, col, bytearray(record.data[6 : 6 + length])))
            return
        row, col, flags, number = record.unpack("<HHHH")
        author, _ = strings.long(record.data, 8, None)
        self._notes.append(Comment(row, col, author, self._texts.get(number, ""), bool(flags & 2)))

    # writing

    def comments(self) -> list[Comment]:
        """One for each cell, in the order of the cells; none where policy does not want any."""
        older = [Comment(row, col, "", said.decode(self._book.encoding or "", "replace"), False) for row, col, said in self._older]
        found = {(one.row, one.col): one for one in (*self._notes, *older) if one.col <= 255}
        if found and not self._book.context.treatment.comments_kept:
            self._book.context.found("xls.comments", self._where, Action.REMOVED)
            return []
        return [found[place] for place in sorted(found)]

    def shapes(self, sizes: Sizes) -> str:
        """The content of the drawing part; empty where nothing can be drawn. What cannot is reported."""
        data = b"".join(self._pieces)
        drawn = [shape for shape in escher.shapes(data) if shape.drawn] if self._book.encoding is None else []
        lines: list[str] = []
        for index, one in enumerate(self._objects):
            shape = drawn[index] if index < len(drawn) else None
            line = self._shape(one, shape, len(lines) + 2, sizes) if shape is not None and shape.anchor and not shape.grouped else ""
            if line:
                lines.append(line)
            else:
                self._report(one)
        return "".join(lines)

    def _report(self, one: _Object) -> None:
        if one.kind == _COMMENT:
            return  # a comment is a shape too
        if one.kind == CHART:
            self._book.context.found("xls.chart", self._where)
            return
        if one.kind == _DROP_DOWN and self._arrows:
            self._arrows -= 1
            return
        code = "xls.object" if one.kind in _CONTROLS or one.linked else "xls.drawing"
        self._book.context.found(code, self._where, Action.REMOVED)

    def _shape(self, one: _Object, shape: escher.Shape, number: int, sizes: Sizes) -> str:
        if one.kind == CHART:
            inside = self._frame(one, number)
            return f"<xdr:twoCellAnchor>{_anchor(shape.anchor, sizes)}{inside}<xdr:clientData/></xdr:twoCellAnchor>" if inside else ""
        if one.kind == _COMMENT or one.kind in _CONTROLS or shape.kind not in _GEOMETRIES:
            return ""
        if one.kind == _PICTURE or escher.PICTURE in shape.options:
            inside = self._picture(shape, number)
            if inside and one.linked:
                self._book.context.found("xls.object", self._where, Action.REWRITTEN, "its picture stays")
        else:
            inside = _plain_shape(shape, one.text, number)
        return f"<xdr:twoCellAnchor>{_anchor(shape.anchor, sizes)}{inside}<xdr:clientData/></xdr:twoCellAnchor>" if inside else ""

    def _picture(self, shape: escher.Shape, number: int) -> str:
        which = shape.options.get(escher.PICTURE, 0)
        made = self._book.picture(which, self._where)
        if made is None:
            return ""
        if which not in self._links:
            self.shown.append(made)
            self._links[which] = len(self.shown)
        link = self._links[which]
        return (
            f'<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="{number}" name="Picture {number}"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
            f'<a:blip r:embed="rId{link}"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:prstGeom prst="rect"><a:avLst/>'
            "</a:prstGeom></xdr:spPr></xdr:pic>"
        )

    def _frame(self, one: _Object, number: int) -> str:
        """Around a chart, which is a part of its own."""
        if not one.chart:
            return ""
        self._book.context.found("xls.chart_redrawn", self._where, Action.REWRITTEN)
        self.shown.append(one.chart)
        place = '<xdr:xfrm><a:off x="0" y="0"/><a:ext cx="0" cy="0"/></xdr:xfrm>'
        named = f'<xdr:nvGraphicFramePr><xdr:cNvPr id="{number}" name="Chart {number}"/><xdr:cNvGraphicFramePr/></xdr:nvGraphicFramePr>'
        inside = f'<c:chart xmlns:c="{_MAIN}chart" r:id="rId{len(self.shown)}"/>'
        graphic = f'<a:graphic><a:graphicData uri="{_MAIN}chart">{inside}</a:graphicData></a:graphic>'
        return f'<xdr:graphicFrame macro="">{named}{place}{graphic}</xdr:graphicFrame>'


class Sizes(NamedTuple):
    """Widths of columns in pixels and heights of rows in points, those that are not the default, and the defaults."""

    widths: dict[int, float]
    heights: dict[int, float]
    width: float
    height: float


def part(inside: str) -> str:
    """The drawing part."""
    spaces = f'xmlns:xdr="{_MAIN}spreadsheetDrawing" xmlns:a="{_MAIN}main" xmlns:r="{_OFFICE}"'
    return f"<xdr:wsDr {spaces}>{inside}</xdr:wsDr>"


def _anchor(anchor: tuple[int, ...], sizes: Sizes) -> str:
    """Parts of a column are counted in 1024ths, of a row in 256ths: [MS-XLS] 2.5.193."""
    pieces: list[str] = []
    for tag, (col, across, row, down) in (("from", anchor[:4]), ("to", anchor[4:])):
        x = round(sizes.widths.get(col, sizes.width) * _EMU * min(across, 1024) / 1024)
        y = round(sizes.heights.get(row, sizes.height) * _POINT * min(down, 256) / 256)
        place = f"<xdr:col>{min(col, 255)}</xdr:col><xdr:colOff>{x}</xdr:colOff><xdr:row>{row}</xdr:row><xdr:rowOff>{y}</xdr:rowOff>"
        pieces.append(f"<xdr:{tag}>{place}</xdr:{tag}>")
    return "".join(pieces)


def _plain_shape(shape: escher.Shape, text: str, number: int) -> str:
    fill = _fill(shape.options.get(escher.FILL_COLOUR, 0xFFFFFF)) if _is_on(shape.options.get(escher.FILL), 4) else "<a:noFill/>"
    width = shape.options.get(escher.LINE_WIDTH, 9525)
    line = _fill(shape.options.get(escher.LINE_COLOUR, 0)) if _is_on(shape.options.get(escher.LINE), 3) else "<a:noFill/>"
    paragraphs = "".join(map(_paragraph, text.replace("\r", "\n").split("\n")))
    look = f'<a:prstGeom prst="{_GEOMETRIES[shape.kind]}"><a:avLst/></a:prstGeom>{fill}<a:ln w="{min(width, 20_116_800)}">{line}</a:ln>'
    return (
        f'<xdr:sp macro="" textlink=""><xdr:nvSpPr><xdr:cNvPr id="{number}" name="Shape {number}"/><xdr:cNvSpPr/></xdr:nvSpPr>'
        f"<xdr:spPr>{look}</xdr:spPr><xdr:txBody><a:bodyPr/>{paragraphs}</xdr:txBody></xdr:sp>"
    )


def _paragraph(text: str) -> str:
    return f"<a:p><a:r><a:rPr/><a:t>{markup.content(text)}</a:t></a:r></a:p>" if text else "<a:p/>"


def _is_on(flags: int | None, bit: int) -> bool:
    """A switch that holds only where its twin, sixteen bits higher, says so; on where nothing is said."""
    return flags is None or not flags >> (bit + 16) & 1 or bool(flags >> bit & 1)


def _fill(colour: int) -> str:
    """[MS-ODRAW] 2.2.2: red, green, blue. Of the colours by number only those of the window are told apart: black text, white paper."""
    of_paper = colour >> 24 and colour & 0xFF == _PAPER
    rgb = struct.pack("<I", colour)[:3].hex().upper() if not colour >> 24 else "FFFFFF" if of_paper else "000000"
    return f'<a:solidFill><a:srgbClr val="{rgb}"/></a:solidFill>'


def _has(data: bytes, wanted: int) -> bool:
    """A sub-record of an OBJ."""
    at = 0
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        if kind == wanted:
            return True
        at += 4 + size
    return False


def comments_part(comments: list[Comment]) -> str:
    """The part of a sheet's comments (ECMA-376 part 1, 18.7.6)."""
    authors = {author: index for index, author in enumerate(dict.fromkeys(one.author for one in comments))}
    listed = "".join(markup.element("author", author) for author in authors)
    lines = "".join(
        f'<comment ref="{column(one.col)}{one.row + 1}" authorId="{authors[one.author]}">'
        f"<text>{markup.element('t', one.text)}</text></comment>"
        for one in comments
    )
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<comments xmlns="{space}"><authors>{listed}</authors><commentList>{lines}</commentList></comments>'


def notes_part(comments: list[Comment]) -> str:
    """The boxes of the comments, which Excel still wants in VML: one of the usual size beside each cell."""
    boxes = "".join(
        f'<v:shape type="#_x0000_t202" style="position:absolute;width:108pt;height:60pt;visibility:{"visible" if one.shown else "hidden"}" '
        f'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:textbox/><x:ClientData ObjectType="Note"><x:MoveWithCells/>'
        f"<x:SizeWithCells/><x:AutoFill>False</x:AutoFill><x:Row>{one.row}</x:Row><x:Column>{one.col}</x:Column></x:ClientData></v:shape>"
        for one in comments
    )
    spaces = " ".join(f'xmlns:{prefix}="urn:schemas-microsoft-com:{name}"' for prefix, name in _VML.items())
    outline = '<v:path o:connecttype="rect"/>'
    kind = f'<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">{outline}</v:shapetype>'
    return f"<xml {spaces}>{kind}{boxes}</xml>"
