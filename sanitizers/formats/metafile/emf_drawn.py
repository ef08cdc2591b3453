"""EMF as pixels: the records that we wrote ourselves, one after the other, drawn. MS-EMF 2.3."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from sanitizers.formats.metafile import emf_pictures, letters, mapping, objects
from sanitizers.formats.metafile.canvas import IDENTITY, Canvas, Point, Rectangle, angles, corners, times, unsupported
from sanitizers.formats.metafile.objects import Brush, Font, Pen

_STOCK: Final = 0x8000_0000
_CLOSE, _LINE_TO, _BEZIER_TO, _MOVE_TO = 1, 2, 4, 6
_SMALL, _NO_RECTANGLE = 0x200, 0x100
_PAIRS: Final = 0x2000


def draw(data: bytes) -> Any:
    """The root of a drawing in SVG. Raises Unsupported for a record that cannot be drawn, LimitExceeded."""
    left, top, right, bottom = struct.unpack_from("<4i", data, 24)
    across, down, wide, high = struct.unpack_from("<4i", data, 72)
    if min(across, down, wide, high) <= 0:
        raise unsupported("a device without a size")
    density = across / wide, down / high
    frame = (left / 100 * density[0], top / 100 * density[1], right / 100 * density[0], bottom / 100 * density[1])
    drawing = _Drawing(Canvas(frame), density)
    for kind, body in _records(data):
        drawing.play(kind, body)
    return drawing.canvas.root


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 108
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        yield kind, data[at : at + size]
        at += size


class _Drawing:
    def __init__(self, canvas: Canvas, density: Point) -> None:
        self.canvas = canvas
        self._density = density
        self._objects: dict[int, Pen | Brush | Font | None] = {}

    def play(self, kind: int, body: bytes) -> None:
        """One record, from its type on."""
        if kind in _QUIET:
            return
        if (call := _CALLS.get(kind)) is not None:
            call(self, body)
        elif kind in _POINTS:
            self._points(kind, body)
        elif kind in _POLYGONS:
            self._polygons(kind, body)
        elif kind in _BOXES:
            self._box(kind, body)
        else:
            raise unsupported(f"record {kind}")

    # ------------------------------------------------------------------------------------------------------------- state

    def remap(self, body: bytes) -> None:
        kind, state = struct.unpack_from("<I", body)[0], self.canvas.state
        numbers = struct.unpack_from(f"<{(len(body) - 8) // 4}i", body, 8)
        if kind in (9, 10, 11, 12):
            setattr(state, {9: "window", 10: "window_origin", 11: "viewport", 12: "viewport_origin"}[kind], tuple(map(float, numbers)))
        elif kind == 17:
            state.mode = numbers[0]
        elif kind == 31:
            state.viewport = mapping.scaled(state.viewport, numbers)
        else:
            state.window = mapping.scaled(state.window, numbers)
        mapping.remap(state, self._density)

    def transform(self, body: bytes) -> None:
        matrix, state = struct.unpack_from("<6f", body, 8), self.canvas.state
        mode = struct.unpack_from("<I", body, 32)[0] if body[0] == 36 else 4
        if mode == 1:
            state.world = IDENTITY
        elif mode in (2, 3, 4):
            state.world = matrix if mode == 4 else times(matrix, state.world) if mode == 2 else times(state.world, matrix)
        else:
            raise unsupported(f"transform {mode}")

    def select(self, body: bytes) -> None:
        (number,) = struct.unpack_from("<I", body, 8)
        found = objects.STOCK.get(number ^ _STOCK) if number & _STOCK else self._objects.get(number)
        if isinstance(found, Pen):
            self.canvas.state.pen = found
        elif isinstance(found, Brush):
            self.canvas.state.brush = found
        elif isinstance(found, Font):
            self.canvas.state.font = found

    def make(self, body: bytes) -> None:
        kind, number = struct.unpack_from("<I4xI", body)
        if kind == 38:
            style, width, _, value = struct.unpack_from("<IiiI", body, 12)
            made: Pen | Brush | Font = objects.pen(style, width, value)
        elif kind == 95:
            style, width, brush_style, value, _, entries = struct.unpack_from("<6I", body, 28)
            if brush_style not in (0, 1):
                raise unsupported("a pen with a pattern")
            made = objects.pen(style, width, value, struct.unpack_from(f"<{entries}I", body, 52)) if not brush_style else objects.NO_PEN
        elif kind == 39:
            made = objects.brush(*struct.unpack_from("<3I", body, 12))
        elif kind == 94:
            made = Brush("#000000", picture=emf_pictures.picture(body, 16))
        else:
            made = objects.wide_font(body[12:])
        self._objects[number] = made

    def delete(self, body: bytes) -> None:
        self._objects.pop(struct.unpack_from("<I", body, 8)[0], None)

    # ------------------------------------------------------------------------------------------------------------ shapes

    def _points(self, kind: int, body: bytes) -> None:
        shape, width = _POINTS[kind]
        points = _read(body, 28, struct.unpack_from("<I", body, 24)[0], width)
        canvas = self.canvas
        if not points:
            return
        if shape in ("polyline to", "curve to"):
            start = self._begin()
            path = canvas.line(points, start=False) if shape == "polyline to" else canvas.curve(points, start=False)
            canvas.draw(start + path, fill=False)
            canvas.state.at = points[-1]
        elif shape == "curve":
            canvas.draw(canvas.curve(points), fill=False)
        else:
            canvas.draw(canvas.line(points, closed=shape == "polygon"), fill=shape == "polygon")

    def _begin(self) -> str:
        """From where a line goes on: inside a bracket the path is there already, if it has begun."""
        canvas = self.canvas
        if canvas.path and canvas.path[-1] != _CLOSED:
            return ""
        return canvas.line([canvas.state.at])

    def _polygons(self, kind: int, body: bytes) -> None:
        closed, width = _POLYGONS[kind]
        count, total = struct.unpack_from("<II", body, 24)
        counts = struct.unpack_from(f"<{count}I", body, 32)
        points = _read(body, 32 + 4 * count, total, width)
        said, at = [], 0
        for one in counts:
            said.append(self.canvas.line(points[at : at + one], closed=closed))
            at += one
        self.canvas.draw("".join(said), fill=closed)

    def typed(self, body: bytes) -> None:
        """Lines and curves in one list, each point with its type."""
        width = 4 if body[0] == 92 else 8
        (count,) = struct.unpack_from("<I", body, 24)
        points = _read(body, 28, count, width)
        kinds = body[28 + width * count : 28 + (width + 1) * count]
        canvas, said, at = self.canvas, [self._begin()], 0
        while at < count:
            kind, step = kinds[at] & 6, 3 if kinds[at] & 6 == _BEZIER_TO else 1
            if kind not in (_LINE_TO, _BEZIER_TO, _MOVE_TO) or at + step > count:
                raise unsupported("points of an unknown type")
            if kind == _BEZIER_TO:
                said.append(canvas.curve(points[at : at + 3], start=False))
            else:
                said.append(canvas.line([points[at]], start=kind == _MOVE_TO))
            if kinds[at + step - 1] & _CLOSE:
                said.append("Z")
            at += step
        if points:
            canvas.state.at = points[-1]
        canvas.draw("".join(said), fill=False)

    def _box(self, kind: int, body: bytes) -> None:
        box = struct.unpack_from("<4i", body, 8)
        canvas = self.canvas
        if kind == 43:
            canvas.draw(canvas.line(corners(box), closed=True))
        elif kind == 42:
            canvas.draw(canvas.ellipse(box))
        elif kind == 44:
            canvas.draw(canvas.rounded(box, *struct.unpack_from("<2i", body, 24)))
        elif kind == 30:
            canvas.clip(canvas.line(corners(box), closed=True))
        elif kind == 29:
            canvas.exclude(box)
        else:
            start, end = struct.unpack_from("<2i", body, 24), struct.unpack_from("<2i", body, 32)
            self._arc(kind, box, start, end)

    def _arc(self, kind: int, box: Rectangle, start: Point, end: Point) -> None:
        """Arc, chord, pie, and the arc that goes on from where the pen is."""
        canvas = self.canvas
        centre, across, down, first, sweep = angles(box, start, end, clockwise=canvas.state.clockwise)
        if kind == 55:
            path = self._begin() + canvas.arc_between(centre, across, down, first, sweep, begin="L")
            canvas.state.at = (centre[0] + across * math.cos(first + sweep), centre[1] + down * math.sin(first + sweep))
            canvas.draw(path, fill=False)
            return
        path = canvas.arc_between(centre, across, down, first, sweep)
        if kind == 46:
            path += "Z"
        elif kind == 47:
            path += canvas.line([centre], start=False) + "Z"
        canvas.draw(path, fill=kind != 45)

    def angle_arc(self, body: bytes) -> None:
        x, y, radius, start, sweep = struct.unpack_from("<iiIff", body, 8)
        canvas = self.canvas
        if not (math.isfinite(start) and abs(sweep) <= 7200):
            raise unsupported("an arc without end")
        first, turn = -math.radians(start), -math.radians(sweep)
        path = self._begin() + canvas.arc_between((x, y), radius, radius, first, turn, begin="L")
        canvas.state.at = (x + radius * math.cos(first + turn), y + radius * math.sin(first + turn))
        canvas.draw(path, fill=False)

    def move(self, body: bytes) -> None:
        state = self.canvas.state
        state.at = struct.unpack_from("<2i", body, 8)
        if self.canvas.path is not None:
            self.canvas.path.append(self.canvas.line([state.at]))

    def line_to(self, body: bytes) -> None:
        point = struct.unpack_from("<2i", body, 8)
        self.canvas.draw(self._begin() + self.canvas.line([point], start=False), fill=False)
        self.canvas.state.at = point

    def pixel(self, body: bytes) -> None:
        x, y, value = struct.unpack_from("<iiI", body, 8)
        self.canvas.add("path", {"d": self.canvas.line(corners((x, y, x + 1, y + 1)), closed=True), "fill": objects.colour(value)})

    # ------------------------------------------------------------------------------------------------------------- paths

    def bracket(self, body: bytes) -> None:
        canvas, kind = self.canvas, body[0]
        if kind == 59:
            canvas.path = []
        elif kind == 60:
            canvas.ended, canvas.path = "".join(canvas.path or ()), None
        elif kind == 61 and canvas.path is not None:
            canvas.path.append(_CLOSED)
        elif kind == 68:
            canvas.path, canvas.ended = None, ""
        elif kind in (62, 63, 64):
            path, canvas.ended = canvas.ended, ""
            canvas.draw(path, fill=kind != 64, stroke=kind != 62)

    def clip_path(self, body: bytes) -> None:
        (mode,) = struct.unpack_from("<I", body, 8)
        if mode not in (1, 5):
            raise unsupported(f"a clip of mode {mode}")
        canvas = self.canvas
        canvas.clip(canvas.ended or "M0 0Z", also=mode == 1, even=not canvas.state.winding)
        canvas.ended = ""

    def clip_region(self, body: bytes) -> None:
        length, mode = struct.unpack_from("<II", body, 8)
        if length:
            self.canvas.clip_region(_rectangles(body, 16), mode)
        elif mode == 5:
            self.canvas.clip("", also=False)
        else:
            raise unsupported(f"a clip of mode {mode}")

    def keep_clip(self, _: bytes) -> None:
        state = self.canvas.state
        state.meta_clip, state.clip = state.clip or state.meta_clip, ""

    def region(self, body: bytes) -> None:
        """Filled with a brush of its own, or with that of now."""
        canvas, before = self.canvas, self.canvas.state.brush
        if body[0] == 71:
            number = struct.pack("<II", 0, 0) + body[28:32]
            self.select(number)
        pen, canvas.state.pen = canvas.state.pen, objects.NO_PEN
        page, canvas.state.page, world, canvas.state.world = canvas.state.page, canvas.state.page, canvas.state.world, canvas.state.world
        for box in _rectangles(body, 32 if body[0] == 71 else 28):
            canvas.draw(canvas.line(corners(box), closed=True))
        canvas.state.brush, canvas.state.pen, canvas.state.page, canvas.state.world = before, pen, page, world

    # -------------------------------------------------------------------------------------------------- text and pictures

    def text(self, body: bytes) -> None:
        x, y, count, at, options = struct.unpack_from("<iiIII", body, 36)
        (distances_at,) = struct.unpack_from("<I", body, 72)
        if body[0] == 84:
            text, units = _units(body[at : at + 2 * count])
        else:
            text, units = letters.narrow(body[at : at + count], self.canvas.state.font)
        step = 2 if options & _PAIRS else 1
        given = struct.unpack_from(f"<{step * count}i", body, distances_at)[::step] if distances_at else ()
        box = struct.unpack_from("<4i", body, 56)
        letters.write(self.canvas, letters.Line(text, (x, y), options, box, letters.gathered(given, units)))

    def small_text(self, body: bytes) -> None:
        x, y, count, options = struct.unpack_from("<iiII", body, 8)
        has_box = not options & _NO_RECTANGLE
        box = struct.unpack_from("<4i", body, 36) if has_box else (0, 0, 0, 0)
        start = 52 if has_box else 36
        raw = body[start : start + count * (1 if options & _SMALL else 2)]
        text = raw.decode("latin-1") if options & _SMALL else _units(raw)[0]
        if not has_box:
            options &= ~(letters.OPAQUE | letters.CLIPPED)
        letters.write(self.canvas, letters.Line(text, (x, y), options, box))


_CLOSED: Final = "Z"
# Palettes, modes of stretching, origins of brushes and the like: nothing of it is seen.
_QUIET: Final = frozenset({13, 14, 16, 21, 23, 48, 49, 50, 51, 52, 65, 98, 120})
_POINTS: Final = {
    2: ("curve", 8), 3: ("polygon", 8), 4: ("polyline", 8), 5: ("curve to", 8), 6: ("polyline to", 8),
    85: ("curve", 4), 86: ("polygon", 4), 87: ("polyline", 4), 88: ("curve to", 4), 89: ("polyline to", 4),
}  # fmt: skip
_POLYGONS: Final = {7: (False, 8), 8: (True, 8), 90: (False, 4), 91: (True, 4)}
_BOXES: Final = frozenset({29, 30, 42, 43, 44, 45, 46, 47, 55})
_Call = Callable[[_Drawing, bytes], None]


def _number(name: str) -> _Call:
    return lambda drawing, body: setattr(drawing.canvas.state, name, struct.unpack_from("<I", body, 8)[0])


def _colour(name: str) -> _Call:
    return lambda drawing, body: setattr(drawing.canvas.state, name, objects.colour(struct.unpack_from("<I", body, 8)[0]))


def _is(name: str, value: int) -> _Call:
    return lambda drawing, body: setattr(drawing.canvas.state, name, struct.unpack_from("<I", body, 8)[0] == value)


def _shift_clip(_: _Drawing, body: bytes) -> None:
    if any(body[8:16]):
        raise unsupported("a clip that is moved")


def _layout(_: _Drawing, body: bytes) -> None:
    if any(body[8:12]):
        raise unsupported("a drawing from right to left")


_CALLS: Final[dict[int, _Call]] = {
    **dict.fromkeys((9, 10, 11, 12, 17, 31, 32), _Drawing.remap),
    **dict.fromkeys((35, 36), _Drawing.transform),
    **dict.fromkeys((38, 39, 82, 94, 95), _Drawing.make),
    **dict.fromkeys((56, 92), _Drawing.typed),
    **dict.fromkeys((59, 60, 61, 62, 63, 64, 68), _Drawing.bracket),
    **dict.fromkeys((71, 74), _Drawing.region),
    **dict.fromkeys((83, 84), _Drawing.text),
    **dict.fromkeys(emf_pictures.BLITS, lambda drawing, body: emf_pictures.blit(drawing.canvas, body)),
    15: _Drawing.pixel, 18: _is("opaque", 2), 19: _is("winding", 2), 20: _number("operation"), 22: _number("align"),
    24: _colour("text_colour"), 25: _colour("back_colour"), 26: _shift_clip, 27: _Drawing.move, 28: _Drawing.keep_clip,
    33: lambda drawing, _: drawing.canvas.save(), 34: lambda drawing, body: drawing.canvas.restore(struct.unpack_from("<i", body, 8)[0]),
    37: _Drawing.select, 40: _Drawing.delete, 41: _Drawing.angle_arc, 54: _Drawing.line_to, 57: _is("clockwise", 2), 58: _number("miter"),
    67: _Drawing.clip_path, 75: _Drawing.clip_region, 108: _Drawing.small_text, 115: _layout,
    118: lambda drawing, body: emf_pictures.gradient(drawing.canvas, body),
}  # fmt: skip


def _read(body: bytes, at: int, count: int, width: int) -> list[Point]:
    """Points of 8 or 4 bytes."""
    numbers = struct.unpack_from(f"<{2 * count}{'i' if width == 8 else 'h'}", body, at)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _rectangles(body: bytes, at: int) -> list[Rectangle]:
    (count,) = struct.unpack_from("<I", body, at + 8)
    return [struct.unpack_from("<4i", body, at + 32 + 16 * index) for index in range(count)]


def _units(raw: bytes) -> tuple[str, list[int]]:
    """The text, and how many units each of its characters is."""
    text = raw.decode("utf-16-le", "replace")
    return text, [2 if ord(char) > 0xFFFF else 1 for char in text]
