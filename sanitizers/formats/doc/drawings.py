"""Pictures and shapes: in the line from the data stream, floating from the drawings beside the text. → DrawingML, ECMA-376 part 1 §20.4."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.formats.doc import art, freeforms, markup, plc
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.geometries import ARROWS, GEOMETRIES, WORD_ART
from sanitizers.formats.office import blips, pictures
from sanitizers.formats.office.package import Package, Relations
from sanitizers.model import Action, LimitExceeded

_EMU: Final = 635  # of a twip
_POINT: Final = 12_700
_LARGEST: Final = 27_273_042  # EMU that a shape may be long: 22 inches and more are no page
_ANCHOR: Final = 26
_HEAD: Final = 0x44  # bytes of a PICF
_SHAPE, _SHAPE_FILE = 0x64, 0x66  # ways in which a picture is stored
_METAFILE: Final = frozenset({1, 2, 3, 4, 5, 6, 7, 8})  # … as a metafile of Windows
_NOT_SHOWN: Final = frozenset({0, 201})
_DASHES: Final = {
    1: "sysDash", 2: "sysDot", 3: "sysDashDot", 4: "sysDashDotDot", 5: "dot", 6: "dash", 7: "lgDash", 8: "dashDot", 9: "lgDashDot",
}  # fmt: skip
_FROM_X: Final = ("margin", "page", "column", "character")
_FROM_Y: Final = ("margin", "page", "paragraph", "line")
_ALIGN_X: Final = ("", "left", "center", "right", "inside", "outside")
_ALIGN_Y: Final = ("", "top", "center", "bottom", "inside", "outside")
_FLOWS: Final = {1: "eaVert", 2: "vert270", 3: "vert", 5: "eaVert"}
_MAIN: Final = "http://schemas.openxmlformats.org/drawingml/2006/"
_SPACES: Final = (
    f'xmlns:wp="{_MAIN}wordprocessingDrawing" xmlns:a="{_MAIN}main" xmlns:pic="{_MAIN}picture"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
_SHAPES: Final = "http://schemas.microsoft.com/office/word/2010/wordprocessingShape"
_NO_TEXT: Final = 0
_TEXT_BOX: Final = 202
_FLAT: Final = frozenset({20, 32, 33, 34})  # lines
_MOST: Final = 20_000  # drawings
_MOST_MEMBERS: Final = 200_000  # of groups, each as often as it is shown
_DEEPEST: Final = 8  # groups in groups
_LONGEST: Final = 1024  # bytes of the letters of WordArt

_Area = tuple[int, int, int, int]
_NO_WRAP: Final = 2


class Anchor(NamedTuple):
    """[MS-DOC] 2.9.253 (Spa): `area` in twips from where it counts."""

    identity: int
    area: _Area
    flags: int


class Spot(NamedTuple):
    """Where something floats: its anchor, whether in a header, and the relationships of the part around it."""

    anchor: Anchor
    header: bool
    relations: Relations


class Drawings:
    """`text_box`: number of a text box → what stands in it; set before anything floating is written."""

    def __init__(self, streams: Streams, package: Package, context: Context) -> None:
        self._streams = streams
        self._package = package
        self._context = context
        self._count = self._members = 0
        self._made: dict[tuple[bytes, str], pictures.Picture] = {}
        self._inline: dict[int, tuple[pictures.Picture | None, tuple[int, int], dict[int, int]]] = {}
        self._floating: dict[int, pictures.Picture | None] = {}
        self.text_box: Callable[[int, Spot], str] = lambda _number, _spot: ""
        self._store: list[memoryview] = []
        self._shapes: tuple[dict[int, art.Shape], dict[int, art.Shape]] = ({}, {})
        self._read(memoryview(streams.part(Part.DRAWINGS)))

    def anchors(self, header: bool, start: int) -> dict[int, Anchor]:
        """By place in the text; `start`: of the story."""
        found = plc.read(self._streams.part(Part.HEADER_SHAPES if header else Part.SHAPES), _ANCHOR)
        return {
            start + place: Anchor(values[0], values[1:5], values[5])
            for place, item in zip(found.places, found.items, strict=False)
            if (values := struct.unpack_from("<I4iH", item))
        }

    def _read(self, data: memoryview) -> None:
        group = next(iter(art.records(data)), None)
        if group is None or group.kind != art.DRAWING_GROUP:
            return
        for record in art.records(group.data):
            if record.kind == art.STORE:
                self._store = [entry.data for entry in art.records(record.data) if entry.kind == art.ENTRY]
        at = 8 + group.end
        while at + 9 <= len(data):
            header = data[at] == 1
            drawing = next(art.records(data[at + 1 :]), None)
            if drawing is None or drawing.kind != art.DRAWING:
                return
            self._collect(art.shapes(drawing.data), self._shapes[header])
            at += 9 + drawing.end

    def _collect(self, found: list[art.Shape], known: dict[int, art.Shape]) -> None:
        """The outermost group is the drawing itself; its members have places in the text."""
        for one in found:
            for member in (one, *one.children):
                known[member.identity] = member

    # in the line

    def inline(self, at: int, relations: Relations) -> str:
        """w:drawing for a picture of the data stream; empty, with a word, where there is none that can be shown."""
        data = self._streams.data
        if at + _HEAD > len(data):
            return self._lost("picture")
        if at not in self._inline:
            self._inline[at] = self._read_inline(at)
        picture, extent, options = self._inline[at]
        if picture is None:
            return ""
        inside = self._picture(picture, extent, options, relations)
        place = f'<wp:extent cx="{extent[0]}" cy="{extent[1]}"/><wp:docPr id="{self._count}" name="Picture {self._count}"/>'
        return f'<w:drawing {_SPACES}><wp:inline distT="0" distB="0" distL="0" distR="0">{place}{inside}</wp:inline></w:drawing>'

    def _read_inline(self, at: int) -> tuple[pictures.Picture | None, tuple[int, int], dict[int, int]]:
        """The picture of a PICF, its size in EMU and what else is said of it. [MS-DOC] 2.9.192."""
        data = self._streams.data
        size, head, mode = struct.unpack_from("<iHh", data, at)
        width, height, across, down = struct.unpack_from("<hhHH", data, at + 28)
        extent = (_emu(abs(width) * (across or 1000) // 1000), _emu(abs(height) * (down or 1000) // 1000))
        if size <= head or mode in _NOT_SHOWN:
            return None, extent, {}
        whole = at + size <= len(data) and head >= _HEAD
        picture, options = self._stored(memoryview(data)[at + head : at + size], mode) if whole else (None, {})
        if picture is None:
            self._lost("picture")
        return picture, extent, options

    def _stored(self, data: memoryview, mode: int) -> tuple[pictures.Picture | None, dict[int, int]]:
        """A PICF's own picture, by the way in which it is stored, and its crop."""
        if mode in _METAFILE:
            return self._rebuilt(bytes(data), "wmf"), {}
        if mode == _SHAPE_FILE and data:
            self._context.found("doc.linked_picture", "picture", Action.REWRITTEN, bytes(data[1 : 1 + data[0]]).decode("cp932", "replace"))
            data = data[1 + data[0] :]
        if mode not in (_SHAPE, _SHAPE_FILE):
            return None, {}
        options: dict[int, int] = {}
        for record in art.records(data):
            if record.kind == art.SHAPE:
                options = art.shape(record.data).options
            elif record.kind == art.ENTRY and (blip := self._entry(record.data)) is not None:
                return self._rebuilt(blip.content, blip.ending), options
            elif 0xF018 <= record.kind <= 0xF117:
                blip = blips.read(_whole(record), self._context.budget)
                if blip is not None:
                    return self._rebuilt(blip.content, blip.ending), options
        return None, options

    def _entry(self, data: memoryview) -> blips.Blip | None:
        """The picture of an FBSE: behind it, or in the main stream."""
        if len(data) < art.ENTRY_HEAD:
            return None
        start = art.ENTRY_HEAD + data[33]
        if len(data) > start + 8:
            return blips.read(data[start:], self._context.budget)
        (at,) = struct.unpack_from("<I", data, 28)
        main = memoryview(self._streams.main)
        return blips.read(main[at:], self._context.budget) if at < len(main) else None

    def _rebuilt(self, content: bytes, ending: str) -> pictures.Picture:
        self._context.budget.spend_bytes(len(content))
        key = (content, ending)
        if key not in self._made:
            name = f"picture{len(self._made) + 1}.{ending}"
            self._made[key] = pictures.rebuild(name, content, name, self._context, "doc.picture_replaced", pictures.TYPES)
        return self._made[key]

    def _picture(self, picture: pictures.Picture, extent: tuple[int, int], options: dict[int, int], relations: Relations) -> str:
        """a:graphic."""
        number = self._next()
        link = relations.add("image", self._package.add_picture(picture))
        sides = (("l", art.CROP_LEFT), ("t", art.CROP_TOP), ("r", art.CROP_RIGHT), ("b", art.CROP_BOTTOM))
        cut = "".join(f' {side}="{_signed(options[number]) * 100_000 // 65_536}"' for side, number in sides if options.get(number))
        crop = f"<a:srcRect{cut}/>" if cut else ""
        place = f'<a:xfrm><a:off x="0" y="0"/><a:ext cx="{extent[0]}" cy="{extent[1]}"/></a:xfrm>'
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        return (
            f'<a:graphic><a:graphicData uri="{_MAIN}picture"><pic:pic><pic:nvPicPr>'
            f'<pic:cNvPr id="{number}" name="Picture {number}"/><pic:cNvPicPr/></pic:nvPicPr>'
            f'<pic:blipFill><a:blip xmlns:r="{office}" r:embed="{link}"/>{crop}<a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
            f'<pic:spPr>{place}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        )

    def _lost(self, where: str) -> str:
        self._context.found("doc.drawing", where, Action.REMOVED)
        return ""

    def _from_store(self, number: int) -> pictures.Picture | None:
        """By its number in the table of pictures, from 1."""
        if number not in self._floating:
            blip = self._entry(self._store[number - 1]) if number <= len(self._store) else None
            self._floating[number] = None if blip is None else self._rebuilt(blip.content, blip.ending)
        return self._floating[number]

    def _next(self) -> int:
        """The number of a new drawing."""
        self._count += 1
        if self._count > _MOST:
            raise LimitExceeded(f"more than {_MOST} drawings")
        return self._count

    # floating

    def floating(self, spot: Spot) -> str:
        """One w:drawing for each shape that shows something."""
        shape = self._shapes[spot.header].get(spot.anchor.identity)
        if shape is None:
            return self._lost("shape")
        if shape.children:
            return self._grouped(shape, spot.anchor.area, spot, 0)
        return self._one(shape, spot.anchor.area, spot)

    def _grouped(self, group: art.Shape, area: _Area, spot: Spot, depth: int) -> str:
        """Each member by itself, where the group puts it."""
        left, top, right, bottom = group.inside
        if right <= left or bottom <= top or depth > _DEEPEST:
            return self._lost("group")
        self._members += len(group.children)
        if self._members > _MOST_MEMBERS:
            raise LimitExceeded(f"more than {_MOST_MEMBERS} members of groups")
        x, y = (area[2] - area[0]) / (right - left), (area[3] - area[1]) / (bottom - top)
        drawn: list[str] = []
        for child in group.children:
            place = (
                round(area[0] + (child.area[0] - left) * x), round(area[1] + (child.area[1] - top) * y),
                round(area[0] + (child.area[2] - left) * x), round(area[1] + (child.area[3] - top) * y),
            )  # fmt: skip
            drawn.append(self._grouped(child, place, spot, depth + 1) if child.children else self._one(child, place, spot))
        return "".join(drawn)

    def _one(self, shape: art.Shape, area: _Area, spot: Spot) -> str:
        extent = (_emu(area[2] - area[0]), _emu(area[3] - area[1]))
        picture = shape.options.get(art.PICTURE, 0)
        if picture:
            stored = self._from_store(picture)
            if stored is None:
                return self._lost("picture")
            inside = self._picture(stored, extent, shape.options, spot.relations)
        elif shape.kind in GEOMETRIES or shape.kind in WORD_ART:
            inside = self._shape(shape, f'<a:prstGeom prst="{GEOMETRIES.get(shape.kind, "rect")}"><a:avLst/></a:prstGeom>', extent, spot)
        elif free := freeforms.write(shape):
            inside = self._shape(shape, free, extent, spot)
        else:
            return self._lost("shape")
        number = self._count if picture else self._next()
        outer = self._shapes[spot.header].get(spot.anchor.identity, shape)  # the group around it says from where places count
        return f"<w:drawing {_SPACES}>{_anchored(outer, spot.anchor, area, extent, number)}{inside}</wp:anchor></w:drawing>"

    def _shape(self, shape: art.Shape, geometry: str, extent: tuple[int, int], spot: Spot) -> str:
        """a:graphic with geometry, fill, line and text."""
        turned = _signed(shape.options.get(art.ROTATION, 0)) * 60_000 // 65_536
        place = (f' rot="{turned}"' if turned else "") + (' flipH="1"' if shape.flip_x else "") + (' flipV="1"' if shape.flip_y else "")
        number = shape.options.get(art.TEXT, _NO_TEXT) >> 16
        said = self.text_box(number, spot) if number else ""
        if shape.kind in WORD_ART:
            self._context.found("doc.drawing", "shape", Action.REWRITTEN, "its letters stay")
            said = said or _word_art(shape, extent)
        text = f"<wps:txbx><w:txbxContent>{said}</w:txbxContent></wps:txbx>" if said else ""
        box = ' txBox="1"' if shape.kind == _TEXT_BOX else ""
        line = "<wps:cNvCnPr/>" if shape.kind in _FLAT else f"<wps:cNvSpPr{box}/>"
        return (
            f'<a:graphic><a:graphicData uri="{_SHAPES}"><wps:wsp>{line}<wps:spPr><a:xfrm{place}><a:off x="0" y="0"/>'
            f'<a:ext cx="{extent[0]}" cy="{extent[1]}"/></a:xfrm>{geometry}'
            f"{_fill(shape)}{_line(shape)}</wps:spPr>{text}{_body(shape)}</wps:wsp></a:graphicData></a:graphic>"
        )


def _whole(record: art.Record) -> bytes:
    return struct.pack("<HHI", record.instance << 4, record.kind, record.end) + bytes(record.data)


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value


def _emu(twips: int) -> int:
    return min(max(twips, 0) * _EMU, _LARGEST)


def _offset(twips: int) -> int:
    return min(max(twips * _EMU, -_LARGEST), _LARGEST)


def _is_on(value: int | None, bit: int, *, default: bool) -> bool:
    """A truth in a set of sixteen: the upper half says which are said at all."""
    if value is None or not value >> (16 + bit) & 1:
        return default
    return bool(value >> bit & 1)


def _colour(value: int) -> str:
    """Indexed and system colours become black."""
    red, green, blue, kind = value.to_bytes(4, "little")
    return f"{red:02X}{green:02X}{blue:02X}" if kind == 0 else "000000"


def _word_art(shape: art.Shape, extent: tuple[int, int]) -> str:
    """Letters that were drawn as large as their box become text of about that size."""
    letters = shape.complex.get(art.LETTERS, b"")[:_LONGEST].decode("utf-16-le", "replace").partition("\0")[0].split("\r")
    longest = max(map(len, letters), default=0)
    size = min(extent[1] // _POINT, extent[0] // _POINT // max(longest, 1))
    look = f'<w:rPr><w:sz w:val="{max(2 * size * 3 // 4, 2)}"/></w:rPr>'
    return "".join(f"<w:p><w:r>{look}{markup.text('t', line)}</w:r></w:p>" for line in letters if line)


def _fill(shape: art.Shape) -> str:
    if shape.kind in _FLAT or shape.kind in WORD_ART or not _is_on(shape.options.get(art.FILL), 4, default=True):
        return "<a:noFill/>"
    return f'<a:solidFill><a:srgbClr val="{_colour(shape.options.get(art.FILL_COLOUR, 0xFFFFFF))}"/></a:solidFill>'


def _line(shape: art.Shape) -> str:
    if shape.kind in WORD_ART or not _is_on(shape.options.get(art.LINE), 3, default=True):
        return "<a:ln><a:noFill/></a:ln>"
    width = min(shape.options.get(art.LINE_WIDTH, 9525), 20_116_800)
    dash = _DASHES.get(shape.options.get(art.LINE_DASH, 0))
    dashed = f'<a:prstDash val="{dash}"/>' if dash else ""
    colour = _colour(shape.options.get(art.LINE_COLOUR, 0))
    ends = "".join(
        f'<a:{name} type="{arrow}"/>'
        for name, number in (("headEnd", art.LINE_START), ("tailEnd", art.LINE_END))
        if (arrow := ARROWS.get(shape.options.get(number, 0)))
    )
    return f'<a:ln w="{width}"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>{dashed}{ends}</a:ln>'


def _body(shape: art.Shape) -> str:
    sides = (
        ("lIns", art.TEXT_LEFT, 91_440), ("tIns", art.TEXT_TOP, 45_720), ("rIns", art.TEXT_RIGHT, 91_440),
        ("bIns", art.TEXT_BOTTOM, 45_720),
    )  # fmt: skip
    measures = ((name, _signed(shape.options.get(number, default))) for name, number, default in sides)
    insets = "".join(f' {name}="{min(measure, _LARGEST)}"' for name, measure in measures)
    flow = _FLOWS.get(shape.options.get(art.TEXT_FLOW, 0))
    said = (f' vert="{flow}"' if flow else "") + (' wrap="none"' if shape.options.get(art.TEXT_WRAP) == _NO_WRAP else "")
    grows = _is_on(shape.options.get(art.TEXT_FIT), 1, default=False)
    return f"<wps:bodyPr{insets}{said}><a:spAutoFit/></wps:bodyPr>" if grows else f"<wps:bodyPr{insets}{said}/>"


def _anchored(shape: art.Shape, anchor: Anchor, area: _Area, extent: tuple[int, int], number: int) -> str:
    """wp:anchor up to where the graphic stands."""
    options = shape.options
    sides = (
        ("distT", art.WRAP_TOP, 0), ("distB", art.WRAP_BOTTOM, 0), ("distL", art.WRAP_LEFT, 114_300), ("distR", art.WRAP_RIGHT, 114_300),
    )  # fmt: skip
    distances = "".join(f' {name}="{min(options.get(key, default), _LARGEST)}"' for name, key, default in sides)
    behind = int(bool(anchor.flags & 0x4000) and anchor.flags >> 5 & 15 == 3)
    from_x = _FROM_X[min(options.get(art.FROM_X, min(anchor.flags >> 1 & 3, 2)), 3)]
    from_y = _FROM_Y[min(options.get(art.FROM_Y, min(anchor.flags >> 3 & 3, 2)), 3)]
    across = _axis("H", from_x, _ALIGN_X[min(options.get(art.ALIGN_X, 0), 5)], area[0])
    down = _axis("V", from_y, _ALIGN_Y[min(options.get(art.ALIGN_Y, 0), 5)], area[1])
    return (
        f'<wp:anchor{distances} simplePos="0" relativeHeight="{number}" behindDoc="{behind}" locked="0" layoutInCell="1" allowOverlap="1">'
        f'<wp:simplePos x="0" y="0"/>{across}{down}<wp:extent cx="{extent[0]}" cy="{extent[1]}"/><wp:effectExtent l="0" t="0" r="0" b="0"/>'
        f'{_wrap(anchor.flags)}<wp:docPr id="{number}" name="Shape {number}"/>'
    )


def _axis(axis: str, origin: str, aligned: str, twips: int) -> str:
    place = f"<wp:align>{aligned}</wp:align>" if aligned else f"<wp:posOffset>{_offset(twips)}</wp:posOffset>"
    return f'<wp:position{axis} relativeFrom="{origin}">{place}</wp:position{axis}>'


def _wrap(flags: int) -> str:
    """How text runs around: [MS-DOC] 2.9.253, wr and wrk."""
    kind, side = flags >> 5 & 15, ("bothSides", "left", "right", "largest")[flags >> 9 & 3]
    if kind == 3:
        return "<wp:wrapNone/>"
    if kind == 1:
        return "<wp:wrapTopAndBottom/>"
    return f'<wp:wrapSquare wrapText="{side}"/>'
