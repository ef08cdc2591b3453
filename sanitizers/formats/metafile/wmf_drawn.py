"""WMF as pixels: the records that we wrote ourselves, one after the other, drawn. MS-WMF 2.3; parameters stand in reverse order there.

A WMF says nothing about a device. Its window is drawn as large as the placeable header says, or as the first window where there is none.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from sanitizers.formats.metafile import dib, letters, mapping, objects
from sanitizers.formats.metafile.canvas import Canvas, Point, Rectangle, angles, corners, unsupported
from sanitizers.formats.metafile.emf_pictures import cut
from sanitizers.formats.metafile.objects import Brush, Font, Pen

_PLACEABLE: Final = b"\xd7\xcd\xc6\x9a"
_ANY: Final = 8  # mapping
_WINDOW_ORIGIN, _WINDOW = 0x020B, 0x020C
_REGION: Final = 22  # bytes before the scans of one
_MOST_OBJECTS: Final = 65_536


def draw(data: bytes) -> Any:
    """The root of a drawing in SVG. Raises Unsupported for a record that cannot be drawn, LimitExceeded."""
    at, bounds = (22, struct.unpack_from("<4h", data, 6)) if data[:4] == _PLACEABLE else (0, None)
    records = list(_records(data, at + 18))
    origin, size = _first_window(records)
    if bounds is not None:
        left, top, right, bottom = bounds
        frame: Rectangle = (0, 0, abs(right - left), abs(bottom - top))
        window = (left, top), (right - left, bottom - top)
    elif size is not None:
        frame, window = (0, 0, abs(size[0]), abs(size[1])), (origin, size)
    else:
        raise unsupported("a drawing without a size")
    canvas = Canvas(frame)
    canvas.state.mode, canvas.state.viewport = _ANY, (frame[2], frame[3])
    canvas.state.window_origin, canvas.state.window = window
    mapping.remap(canvas.state, (1.0, 1.0))
    drawing = _Drawing(canvas)
    for function, body in records:
        drawing.play(function, body)
    return canvas.root


def _records(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at < len(data):
        words, function = struct.unpack_from("<IH", data, at)
        yield function, data[at + 6 : at + 2 * words]
        at += 2 * words


def _first_window(records: list[tuple[int, bytes]]) -> tuple[Point, Point | None]:
    origin: Point = (0.0, 0.0)
    for function, body in records:
        if function == _WINDOW_ORIGIN:
            origin = _pair(body)
        elif function == _WINDOW:
            return origin, _pair(body)
    return origin, None


def _pair(body: bytes, at: int = 0) -> Point:
    """x and y, of which y comes first."""
    y, x = struct.unpack_from("<2h", body, at)
    return float(x), float(y)


class _Drawing:
    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self._objects: list[Pen | Brush | Font | list[Rectangle] | None] = []
        self._free: list[int] = []

    def play(self, function: int, body: bytes) -> None:
        """One record."""
        if function in _QUIET:
            return
        call = _CALLS.get(function)
        if call is None:
            raise unsupported(f"record {function:04X}")
        call(self, body)

    # ----------------------------------------------------------------------------------------------------------- objects

    def keep(self, made: Pen | Brush | Font | list[Rectangle]) -> None:
        """In the first free place; an empty list for what takes one and is never seen (a palette)."""
        place = heapq.heappop(self._free) if self._free else len(self._objects)
        if place >= _MOST_OBJECTS:
            raise unsupported("objects without end")
        self._objects[place : place + 1] = [made]

    def select(self, body: bytes) -> None:
        (number,) = struct.unpack_from("<H", body)
        found = self._objects[number] if number < len(self._objects) else None
        state = self.canvas.state
        if isinstance(found, Pen):
            state.pen = found
        elif isinstance(found, Brush):
            state.brush = found
        elif isinstance(found, Font):
            state.font = found
        elif found:
            self.clip_region(found)

    def delete(self, body: bytes) -> None:
        (number,) = struct.unpack_from("<H", body)
        if number < len(self._objects) and self._objects[number] is not None:
            self._objects[number] = None
            heapq.heappush(self._free, number)

    def pen(self, body: bytes) -> None:
        style, width, _, value = struct.unpack_from("<HhhI", body)
        self.keep(objects.pen(style & 0x0F, width, value))

    def brush(self, body: bytes) -> None:
        style, value, hatch = struct.unpack_from("<HIH", body)
        self.keep(objects.brush(style, value, hatch))

    def pattern(self, body: bytes) -> None:
        end = 4 + dib.info_length(body[4:])
        self.keep(Brush("#000000", picture=objects.picture(body[4:end], body[end:])))

    def region(self, body: bytes) -> None:
        """Scans: count, top, bottom, and as many places of left and right."""
        (scans,) = struct.unpack_from("<h", body, 10)
        at, found = _REGION, []
        for _ in range(scans):
            count, top, bottom = struct.unpack_from("<3H", body, at)
            places = struct.unpack_from(f"<{count}H", body, at + 6)
            found += [(float(left), float(top), float(right), float(bottom)) for left, right in zip(places[::2], places[1::2], strict=True)]
            at += 8 + 2 * count
        self.keep(found)

    def _regions(self, body: bytes, at: int = 0) -> list[Rectangle]:
        (number,) = struct.unpack_from("<H", body, at)
        found = self._objects[number] if number < len(self._objects) else None
        return found if isinstance(found, list) else []

    def clip_region(self, rectangles: list[Rectangle]) -> None:
        canvas = self.canvas
        canvas.clip("".join(canvas.line(corners(one), closed=True) for one in rectangles) or "M0 0Z", also=False)

    def select_clip(self, body: bytes) -> None:
        """Number 0 with no region there shows everything again."""
        found = self._regions(body)
        if found:
            self.clip_region(found)
        else:
            self.canvas.clip("", also=False)

    def paint_region(self, body: bytes) -> None:
        canvas, pen = self.canvas, self.canvas.state.pen
        canvas.state.pen = objects.NO_PEN
        for one in self._regions(body):
            canvas.draw(canvas.line(corners(one), closed=True))
        canvas.state.pen = pen

    # ------------------------------------------------------------------------------------------------------------- state

    def remap(self, function: int, body: bytes) -> None:
        state = self.canvas.state
        x, y = _pair(body)
        if function == _WINDOW_ORIGIN:
            state.window_origin = (x, y)
        elif function == _WINDOW:
            state.window = (x, y)
        elif function == 0x020F:
            state.window_origin = (state.window_origin[0] + x, state.window_origin[1] + y)
        else:
            down_by, down, across_by, across = struct.unpack_from("<4h", body)
            state.window = mapping.scaled(state.window, (across, across_by, down, down_by))
        mapping.remap(state, (1.0, 1.0))

    # ------------------------------------------------------------------------------------------------------------ shapes

    def move(self, body: bytes) -> None:
        self.canvas.state.at = _pair(body)

    def line_to(self, body: bytes) -> None:
        canvas, point = self.canvas, _pair(body)
        canvas.draw(canvas.line([canvas.state.at, point]), fill=False)
        canvas.state.at = point

    def points(self, body: bytes, *, closed: bool) -> None:
        (count,) = struct.unpack_from("<H", body)
        self.canvas.draw(self.canvas.line(_points(body, 2, count), closed=closed), fill=closed)

    def polygons(self, body: bytes) -> None:
        (count,) = struct.unpack_from("<H", body)
        counts = struct.unpack_from(f"<{count}H", body, 2)
        at, said = 2 + 2 * count, []
        for one in counts:
            said.append(self.canvas.line(_points(body, at, one), closed=True))
            at += 4 * one
        self.canvas.draw("".join(said))

    def rectangle(self, body: bytes) -> None:
        self.canvas.draw(self.canvas.line(corners(_box(body)), closed=True))

    def rounded(self, body: bytes) -> None:
        across, down = _pair(body)
        self.canvas.draw(self.canvas.rounded(_box(body, 4), across, down))

    def arc(self, function: int, body: bytes) -> None:
        """Arc, pie and chord: against the clock."""
        canvas = self.canvas
        end, start, box = _pair(body), _pair(body, 4), _box(body, 8)
        centre, across, down, first, sweep = angles(box, start, end, clockwise=False)
        path = canvas.arc_between(centre, across, down, first, sweep)
        if function == 0x081A:
            path += canvas.line([centre], start=False) + "Z"
        elif function == 0x0830:
            path += "Z"
        canvas.draw(path, fill=function != 0x0817)

    def pixel(self, body: bytes) -> None:
        (value,) = struct.unpack_from("<I", body)
        x, y = _pair(body, 4)
        self.canvas.add("path", {"d": self.canvas.line(corners((x, y, x + 1, y + 1)), closed=True), "fill": objects.colour(value)})

    # -------------------------------------------------------------------------------------------------- text and pictures

    def text(self, body: bytes) -> None:
        (count,) = struct.unpack_from("<H", body)
        said, _ = letters.narrow(body[2 : 2 + count], self.canvas.state.font)
        letters.write(self.canvas, letters.Line(said, _pair(body, 2 + count + (count & 1)), 0, (0, 0, 0, 0)))

    def text_with_options(self, body: bytes) -> None:
        count, options = struct.unpack_from("<HH", body, 4)
        has_box = bool(options & (letters.OPAQUE | letters.CLIPPED))
        box = struct.unpack_from("<4h", body, 8) if has_box else (0, 0, 0, 0)
        start = 16 if has_box else 8
        said, units = letters.narrow(body[start : start + count], self.canvas.state.font)
        after = start + count + (count & 1)
        given = struct.unpack_from(f"<{count}h", body, after) if len(body) >= after + 2 * count else ()
        letters.write(self.canvas, letters.Line(said, _pair(body), options, box, letters.gathered(given, units)))

    def paint(self, body: bytes) -> None:
        """PatBlt, and the blits without a bitmap."""
        (operation,) = struct.unpack_from("<I", body)
        (down, across), (x, y) = struct.unpack_from("<2h", body, len(body) - 8), _pair(body, len(body) - 4)
        self.canvas.blit((x, y, x + across, y + down), operation & 0xFFFFFF, None)

    def picture(self, function: int, body: bytes) -> None:
        """DIBBITBLT, DIBSTRETCHBLT and STRETCHDIB."""
        words = {0x0940: 8, 0x0B41: 10, 0x0F43: 11}[function]
        (operation,) = struct.unpack_from("<I", body)
        at = 6 if function == 0x0F43 else 4
        sizes = struct.unpack_from(f"<{words - at // 2}h", body, at)
        if function == 0x0940:
            top, left, down, across, y, x = sizes
            high, wide = down, across
        else:
            high, wide, top, left, down, across, y, x = sizes
        info = body[2 * words :]
        end = dib.info_length(info)
        image = objects.picture(info[:end], info[end:])
        image = cut(image, left, image.height - top - high if function == 0x0F43 else top, wide, high)
        self.canvas.blit((x, y, x + across, y + down), operation & 0xFFFFFF, image)


_Call = Callable[[_Drawing, bytes], None]
# Palettes, modes of stretching and the like: nothing of it is seen.
_QUIET: Final = frozenset({0x0000, 0x0035, 0x0037, 0x0105, 0x0107, 0x0139, 0x0231, 0x0234, 0x0436, 0x020A})


def _points(body: bytes, at: int, count: int) -> list[Point]:
    numbers = struct.unpack_from(f"<{2 * count}h", body, at)
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _box(body: bytes, at: int = 0) -> Rectangle:
    """Bottom, right, top, left."""
    bottom, right, top, left = struct.unpack_from("<4h", body, at)
    return left, top, right, bottom


def _number(name: str) -> _Call:
    return lambda drawing, body: setattr(drawing.canvas.state, name, struct.unpack_from("<H", body)[0])


def _colour(name: str) -> _Call:
    return lambda drawing, body: setattr(drawing.canvas.state, name, objects.colour(struct.unpack_from("<I", body)[0]))


def _is(name: str, value: int) -> _Call:
    return lambda drawing, body: setattr(drawing.canvas.state, name, struct.unpack_from("<H", body)[0] == value)


def _map_mode(_: _Drawing, body: bytes) -> None:
    """The window is what a picture is drawn into: modes that measure by themselves would draw beside it."""
    if struct.unpack_from("<H", body)[0] not in (1, 7, _ANY):
        raise unsupported("a drawing that measures by itself")


def _only_nothing(what: str) -> _Call:
    def call(_: _Drawing, body: bytes) -> None:
        if any(body):
            raise unsupported(what)

    return call


def _with_function(call: Callable[[_Drawing, int, bytes], None], function: int) -> _Call:
    return lambda drawing, body: call(drawing, function, body)


_CALLS: Final[dict[int, _Call]] = {
    0x001E: lambda drawing, _: drawing.canvas.save(),
    0x0127: lambda drawing, body: drawing.canvas.restore(struct.unpack_from("<h", body)[0]),
    0x00F7: lambda drawing, _: drawing.keep([]), 0x0102: _is("opaque", 2), 0x0103: _map_mode, 0x0104: _number("operation"),
    0x0106: _is("winding", 2), 0x0108: _only_nothing("text that is spread"), 0x012B: _Drawing.paint_region, 0x012C: _Drawing.select_clip,
    0x012D: _Drawing.select, 0x012E: _number("align"), 0x0142: _Drawing.pattern, 0x01F0: _Drawing.delete,
    0x0149: _only_nothing("a drawing from right to left"), 0x0201: _colour("back_colour"), 0x0209: _colour("text_colour"),
    0x0213: _Drawing.line_to, 0x0214: _Drawing.move, 0x0220: _only_nothing("a clip that is moved"), 0x02FA: _Drawing.pen,
    0x02FC: _Drawing.brush, 0x06FF: _Drawing.region,
    0x02FB: lambda drawing, body: drawing.keep(objects.narrow_font(body)),
    0x0324: lambda drawing, body: drawing.points(body, closed=True), 0x0325: lambda drawing, body: drawing.points(body, closed=False),
    0x0415: lambda drawing, body: drawing.canvas.exclude(_box(body)),
    0x0416: lambda drawing, body: drawing.canvas.clip(drawing.canvas.line(corners(_box(body)), closed=True)),
    0x0418: lambda drawing, body: drawing.canvas.draw(drawing.canvas.ellipse(_box(body))),
    0x041B: _Drawing.rectangle, 0x041F: _Drawing.pixel, 0x0521: _Drawing.text, 0x0538: _Drawing.polygons, 0x061C: _Drawing.rounded,
    0x061D: _Drawing.paint, 0x0922: _Drawing.paint, 0x0B23: _Drawing.paint, 0x0A32: _Drawing.text_with_options,
    **{one: _with_function(_Drawing.arc, one) for one in (0x0817, 0x081A, 0x0830)},
    **{one: _with_function(_Drawing.remap, one) for one in (0x020B, 0x020C, 0x020F, 0x0410)},
    **{one: _with_function(_Drawing.picture, one) for one in (0x0940, 0x0B41, 0x0F43)},
}  # fmt: skip
