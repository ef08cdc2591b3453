"""Where a metafile is drawn: the state of the drawing interface, and a drawing in SVG whose units are the pixels of its device.

Every call is drawn as it is meant or raises Unsupported: a drawing is never half of one.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lxml import etree
from PIL import Image, ImageChops

from sanitizers import vector
from sanitizers.formats.metafile import objects
from sanitizers.formats.metafile.objects import Brush, Font, Pen
from sanitizers.model import LimitExceeded, Unsupported

Point = tuple[float, float]
Matrix = tuple[float, float, float, float, float, float]  # x' = a·x + c·y + e, y' = b·x + d·y + f
Rectangle = tuple[float, float, float, float]  # left, top, right, bottom

IDENTITY: Final[Matrix] = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MOST_ELEMENTS: Final = 200_000
_MOST_LETTERS: Final = 4_000_000  # of the drawing as it is written
_MOST_SAVED: Final = 4_096
_COPY_PEN, _NOTHING, _BLACK, _WHITE = 13, 11, 1, 16
_CURVE: Final = 4 / 3 * (math.sqrt(2) - 1)
_THINNEST: Final = 1.0  # of a pixel of the picture
_AND, _COPY = 1, 5
_FARTHEST: Final = 1e9  # pixels of the device
BLACKNESS, WHITENESS, PATTERN_COPY, SOURCE_COPY, SOURCE_AND, LEAVE = 0x42, 0xFF0062, 0xF00021, 0xCC0020, 0x8800C6, 0xAA0029
_ON_BLACK: Final = frozenset({0xEE0086, 0x660046})  # SRCPAINT, SRCINVERT: the picture itself, where the ground is black


def unsupported(what: str) -> Unsupported:
    return Unsupported(f"cannot be drawn: {what}", code="metafile.not_drawn")


def times(one: Matrix, other: Matrix) -> Matrix:
    """First `one`, then `other`."""
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


@dataclass(slots=True)
class State:
    """What SaveDC keeps. `clips`: names of the clips that all hold."""

    pen: Pen = objects.BLACK_PEN
    brush: Brush = objects.WHITE_BRUSH
    font: Font = objects.PLAIN_FONT
    text_colour: str = "#000000"
    back_colour: str = "#ffffff"
    opaque: bool = True
    winding: bool = False
    operation: int = _COPY_PEN
    align: int = 0
    at: Point = (0.0, 0.0)
    world: Matrix = IDENTITY
    page: Matrix = IDENTITY
    clip: str = ""
    meta_clip: str = ""
    clockwise: bool = False
    miter: float = 10.0
    mode: int = 1
    window_origin: Point = (0.0, 0.0)
    window: Point = (1.0, 1.0)
    viewport_origin: Point = (0.0, 0.0)
    viewport: Point = (1.0, 1.0)


@dataclass(slots=True)
class Canvas:
    """`frame`: what of the device is shown."""

    frame: Rectangle
    state: State = field(default_factory=State)
    saved: list[State] = field(default_factory=list)
    path: list[str] | None = None
    ended: str = ""
    _open: Any = None
    _open_clip: str | None = None
    _count: int = 0
    _letters: int = 0
    _masked: tuple[Rectangle, Image.Image] | None = None
    root: Any = None
    _defs: Any = None

    def __post_init__(self) -> None:
        left, top, right, bottom = self.frame
        width, height = right - left, bottom - top
        if not (0 < width < 1e7 and 0 < height < 1e7):
            raise unsupported("a frame without a size")
        scale = vector.LEAST / max(width, height)
        self.root = etree.Element(
            f"{{{vector.SVG}}}svg", {"viewBox": f"{left:g} {top:g} {width:g} {height:g}"}, nsmap={None: vector.SVG}
        )
        self.root.set("width", f"{max(1, round(width * scale))}")
        self.root.set("height", f"{max(1, round(height * scale))}")
        self._defs = etree.SubElement(self.root, f"{{{vector.SVG}}}defs")

    # ------------------------------------------------------------------------------------------------------------- state

    def save(self) -> None:
        """Puts the state aside. Raises LimitExceeded if that never ends."""
        if len(self.saved) >= _MOST_SAVED:
            raise LimitExceeded("states that are saved without end")
        self.saved.append(copy.copy(self.state))

    def restore(self, which: int) -> None:
        """`which`: −1 for the last, −2 for the one before it; a number from 1 on for that one."""
        index = len(self.saved) + which if which < 0 else which - 1
        if not 0 <= index < len(self.saved):
            return  # as Windows: nothing happens
        self.state = self.saved[index]
        del self.saved[index:]

    @property
    def matrix(self) -> Matrix:
        """From logical units to the device."""
        return times(self.state.world, self.state.page)

    def place(self, point: Point) -> Point:
        a, b, c, d, e, f = self.matrix
        return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f

    def scale(self) -> float:
        """How many pixels of the device one logical unit is."""
        a, b, c, d, _, _ = self.matrix
        return math.sqrt(abs(a * d - b * c))

    # ------------------------------------------------------------------------------------------------------------- paths

    def line(self, points: Iterable[Point], *, closed: bool = False, start: bool = True) -> str:
        """`start`: the first point is one to go to without a line."""
        said = [_point(self.place(one)) for one in points]
        if not said:
            return ""
        return ("M" if start else "L") + "L".join(said) + ("Z" if closed else "")

    def curve(self, points: Sequence[Point], *, start: bool = True) -> str:
        """Béziers: a first point where `start`, then three for each."""
        said = [_point(self.place(one)) for one in points]
        head = f"M{said.pop(0)}" if start and said else ""
        return head + "".join("C" + " ".join(said[at : at + 3]) for at in range(0, len(said) - len(said) % 3, 3))

    def ellipse(self, box: Rectangle) -> str:
        left, top, right, bottom = box
        return self.arc_between(((left + right) / 2, (top + bottom) / 2), (right - left) / 2, (bottom - top) / 2, 0, 2 * math.pi) + "Z"

    def arc_between(self, centre: Point, across: float, down: float, start: float, sweep: float, *, begin: str = "M") -> str:
        """From an angle on (radians, clockwise as the device's y runs down), as Béziers of a quarter at most."""
        count = max(1, math.ceil(abs(sweep) / (math.pi / 2) - 1e-9))
        step = sweep / count
        handle = 4 / 3 * math.tan(step / 4)

        def at(angle: float, along: float = 0.0) -> str:
            x, y = math.cos(angle) - along * math.sin(angle), math.sin(angle) + along * math.cos(angle)
            return _point(self.place((centre[0] + across * x, centre[1] + down * y)))

        said = [begin + at(start)]
        for index in range(count):
            first, last = start + index * step, start + (index + 1) * step
            said.append(f"C{at(first, handle)} {at(last, -handle)} {at(last)}")
        return "".join(said)

    def rounded(self, box: Rectangle, across: float, down: float) -> str:
        """Path of a rectangle whose corners are quarters of an ellipse `across` wide and `down` high."""
        left, top, right, bottom = min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])
        rx, ry = min(abs(across) / 2, (right - left) / 2), min(abs(down) / 2, (bottom - top) / 2)
        corners = ((right - rx, top + ry, -0.5), (right - rx, bottom - ry, 0.0), (left + rx, bottom - ry, 0.5), (left + rx, top + ry, 1.0))
        said = [
            self.arc_between((x, y), rx, ry, turn * math.pi, math.pi / 2, begin="L" if index else "M")
            for index, (x, y, turn) in enumerate(corners)
        ]
        return "".join(said) + "Z"

    def draw(self, path: str, *, fill: bool = True, stroke: bool = True) -> None:
        """A path of the device: into the bracket where one is open, or painted."""
        if self.path is not None:
            self.path.append(path)
            self._letters += len(path)
            return
        operation = self.state.operation
        if operation == _NOTHING or not path:
            return
        attributes = {"d": path}
        attributes |= self._fill(operation) if fill else {"fill": "none"}
        attributes |= self._stroke(operation) if stroke else {}
        if attributes.get("fill") != "none" or "stroke" in attributes:
            self.add("path", attributes)

    def _paint(self, colour: str, operation: int) -> str:
        if operation not in (_COPY_PEN, _BLACK, _WHITE):
            raise unsupported(f"paint that mixes with what is there ({operation})")
        return colour if operation == _COPY_PEN else "#000000" if operation == _BLACK else "#ffffff"

    def _fill(self, operation: int) -> dict[str, str]:
        brush = self.state.brush
        if not brush.colour:
            return {"fill": "none"}
        paint = self._paint(brush.colour, operation)
        if brush.hatch or brush.picture is not None:
            paint = f"url(#{self._pattern(brush, paint)})"
        return {"fill": paint, "fill-rule": "nonzero" if self.state.winding else "evenodd"}

    def _pattern(self, brush: Brush, paint: str) -> str:
        """Repeated in pixels of the device."""
        size = brush.picture.size if brush.picture is not None else (8, 8)
        name = f"p{self._new()}"
        made = etree.SubElement(self._defs, f"{{{vector.SVG}}}pattern", {"id": name, "patternUnits": "userSpaceOnUse"})
        made.set("width", str(size[0]))
        made.set("height", str(size[1]))
        if brush.picture is not None:
            self._image(made, brush.picture, {"width": str(size[0]), "height": str(size[1])})
            return name
        if self.state.opaque:
            etree.SubElement(made, f"{{{vector.SVG}}}path", {"d": "M0 0H8V8H0Z", "fill": self.state.back_colour})
        etree.SubElement(made, f"{{{vector.SVG}}}path", {"d": brush.hatch, "stroke": paint, "fill": "none"})
        return name

    def _stroke(self, operation: int) -> dict[str, str]:
        pen = self.state.pen
        if not pen.colour:
            return {}
        least = _THINNEST * max(self.frame[2] - self.frame[0], self.frame[3] - self.frame[1]) / vector.LEAST
        width = max(pen.width * self.scale(), least)
        made = {"stroke": self._paint(pen.colour, operation), "stroke-width": f"{width:g}"}
        made |= {"stroke-linecap": pen.cap, "stroke-linejoin": pen.join, "stroke-miterlimit": f"{max(1.0, self.state.miter):g}"}
        if pen.dashes:
            unit = self.scale() if pen.measured else max(width, least)
            made["stroke-dasharray"] = " ".join(f"{max(one * unit, least):g}" for one in pen.dashes)
            made["stroke-linecap"] = "butt"
        return made

    def gradient(self, start: Point, end: Point, first: str, last: str) -> str:
        """The name of a paint that changes between two points of the device."""
        name = f"g{self._new()}"
        ends = dict(zip(("x1", "y1", "x2", "y2"), (f"{one:g}" for one in (*start, *end)), strict=True))
        made = etree.SubElement(self._defs, f"{{{vector.SVG}}}linearGradient", {"id": name, "gradientUnits": "userSpaceOnUse"} | ends)
        for offset, colour in (("0", first), ("1", last)):
            etree.SubElement(made, f"{{{vector.SVG}}}stop", {"offset": offset, "stop-color": colour})
        return name

    # ---------------------------------------------------------------------------------------------------------- elements

    def add(self, name: str, attributes: dict[str, str]) -> Any:
        """An element under the clip that holds. Raises LimitExceeded if the drawing grows too large."""
        self._new()
        self._masked = None
        self._letters += sum(map(len, attributes.values()))
        if self._letters > _MOST_LETTERS:
            raise LimitExceeded("a drawing that grows too large")
        clip = self.state.clip or self.state.meta_clip
        if self._open is None or clip != self._open_clip:
            self._open = etree.SubElement(self.root, f"{{{vector.SVG}}}g", {"clip-path": f"url(#{clip})"} if clip else {})
            self._open_clip = clip
        return etree.SubElement(self._open, f"{{{vector.SVG}}}{name}", attributes)

    def _new(self) -> int:
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise LimitExceeded(f"more than {_MOST_ELEMENTS} elements in a drawing")
        return self._count

    # ------------------------------------------------------------------------------------------------------------- clips

    def clip(self, path: str, *, also: bool = True, even: bool = False) -> None:
        """`also`: what was clipped before stays so. `path`: of the device; empty: everything is shown again."""
        before = self.state.clip if also and self.state.clip else self.state.meta_clip
        if not path:
            self.state.clip = before
            return
        name = f"c{self._new()}"
        within = {"clip-path": f"url(#{before})"} if before else {}
        made = etree.SubElement(self._defs, f"{{{vector.SVG}}}clipPath", {"id": name} | within)
        etree.SubElement(made, f"{{{vector.SVG}}}path", {"d": path, "clip-rule": "evenodd" if even else "nonzero"})
        self.state.clip = name

    def clip_region(self, rectangles: Sequence[Rectangle], mode: int) -> None:
        """Rectangles of the device."""
        if mode not in (_AND, _COPY):
            raise unsupported(f"a clip of mode {mode}")
        self.clip("".join(map(boxed, rectangles)) or "M0 0Z", also=mode == _AND)

    def exclude(self, box: Rectangle) -> None:
        """A rectangle in logical units is not drawn in any more."""
        left, top, right, bottom = self.frame
        around = boxed((2 * left - right - 1, 2 * top - bottom - 1, 2 * right - left + 1, 2 * bottom - top + 1))
        self.clip(around + self.line(corners(box), closed=True), even=True)

    # ---------------------------------------------------------------------------------------------------------- pictures

    def blit(self, box: Rectangle, operation: int, image: Image.Image | None) -> None:
        """Raster operations that are drawn alike on any ground. `box`: left, top, right, bottom in logical units, perhaps turned round."""
        if operation == LEAVE:
            return
        if image is None or operation in (BLACKNESS, WHITENESS, PATTERN_COPY):
            self._painted(box, operation)
            return
        if operation == SOURCE_AND:
            mask = image.convert("L")
            if any(mask.histogram()[1:255]):
                raise unsupported("a picture that mixes with what is there")
            image = Image.merge("LA", (Image.new("L", mask.size), ImageChops.invert(mask)))
            self._shown(box, image)
            self._masked = (box, mask)
            return
        if operation in _ON_BLACK:
            image = self._unmasked(box, image)
        elif operation != SOURCE_COPY:
            raise unsupported(f"a picture that mixes with what is there ({operation:06X})")
        self._shown(box, image)

    def _painted(self, box: Rectangle, operation: int) -> None:
        if operation not in (BLACKNESS, WHITENESS, PATTERN_COPY):
            raise unsupported(f"a rectangle that mixes with what is there ({operation:06X})")
        before = self.state
        colours = {BLACKNESS: Brush("#000000"), WHITENESS: Brush("#ffffff")}
        self.state = replace(before, brush=colours.get(operation, before.brush), operation=_COPY_PEN)
        self.draw(self.line(corners(box), closed=True), stroke=False)
        self.state = before

    def _unmasked(self, box: Rectangle, image: Image.Image) -> Image.Image:
        """What is painted over the black of a mask that was drawn right before; nothing else may be seen of it."""
        if self._masked is None or self._masked[0] != box or self._masked[1].size != image.size:
            raise unsupported("a picture that mixes with what is there")
        free = ImageChops.invert(self._masked[1])
        shown = image.convert("RGB")
        if ImageChops.composite(Image.new("RGB", shown.size), shown, free).getbbox() is not None:
            raise unsupported("a picture that mixes with what is there")
        shown.putalpha(free)
        return shown

    def _shown(self, box: Rectangle, image: Image.Image) -> None:
        left, top, right, bottom = box
        a, b, c, d, _, _ = self.matrix
        e, f = self.place((left, top))
        across, down = (right - left) / image.width, (bottom - top) / image.height
        turn = written((a * across, b * across, c * down, d * down, e, f))
        size = {"width": str(image.width), "height": str(image.height), "transform": turn}
        self._image(self.add("g", {}), image, size)

    def _image(self, parent: Any, image: Image.Image, attributes: dict[str, str]) -> None:
        url = objects.data_url(image)
        etree.SubElement(parent, f"{{{vector.SVG}}}image", {"preserveAspectRatio": "none", "href": url} | attributes)


def corners(box: Rectangle) -> tuple[Point, Point, Point, Point]:
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def boxed(box: Rectangle) -> str:
    """A rectangle of the device as a path."""
    left, top, right, bottom = box
    return f"M{left:g} {top:g}H{right:g}V{bottom:g}H{left:g}Z"


def written(matrix: Matrix) -> str:
    """As a transform of SVG."""
    if not all(abs(one) < _FARTHEST for one in matrix):
        raise unsupported("a transform that leads too far away")
    return f"matrix({' '.join(f'{one:.6g}' for one in matrix)})"


def _point(point: Point) -> str:
    x, y = point
    if not (abs(x) < _FARTHEST and abs(y) < _FARTHEST):
        raise unsupported("a point that is too far away")
    return f"{x:.7g} {y:.7g}"


def angles(box: Rectangle, start: Point, end: Point, *, clockwise: bool) -> tuple[Point, float, float, float, float]:
    """Centre, radii, first angle and sweep of an arc whose ends lie on the rays to two points. Equal rays are the whole ellipse."""
    left, top, right, bottom = box
    centre, across, down = ((left + right) / 2, (top + bottom) / 2), abs(right - left) / 2, abs(bottom - top) / 2
    if not across or not down:
        raise unsupported("an arc without a size")
    first, last = (math.atan2((y - centre[1]) / down, (x - centre[0]) / across) for x, y in (start, end))
    sweep = (last - first) % (2 * math.pi) if clockwise else -((first - last) % (2 * math.pi))
    return centre, across, down, first, sweep or 2 * math.pi
