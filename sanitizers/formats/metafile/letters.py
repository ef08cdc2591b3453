"""Text of a metafile, set in the font that is there: each letter where the drawing wants it, if it says where."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sanitizers.formats.metafile.canvas import Canvas, Matrix, Point, Rectangle, corners, times, unsupported, written
from sanitizers.formats.metafile.objects import Font

OPAQUE, CLIPPED, GLYPHS, RIGHT_TO_LEFT = 0x02, 0x04, 0x10, 0x80
_CURRENT, _RIGHT, _CENTRE, _BOTTOM, _BASE = 0x01, 0x02, 0x06, 0x08, 0x18
_ASCENT, _DESCENT = 0.88, 0.12  # of the letters' size
_BOLDER: Final = 0.035  # of the letters' size: a line around each, as the font has one weight
_SLANT: Final = (1.0, 0.0, -0.21, 1.0, 0.0, 0.0)
_LONGEST: Final = 100_000
_NO_LETTERS: Final = frozenset({"Cc", "Cn", "Cs"})  # controls, and what no document in XML may hold


class Line(NamedTuple):
    """`at`, `box`: in logical units; `distances`: from each letter to the next, or none."""

    text: str
    at: Point
    options: int
    box: Rectangle
    distances: Sequence[float] = ()


def write(canvas: Canvas, line: Line) -> None:
    """Raises Unsupported."""
    if line.options & GLYPHS:
        raise unsupported("text by numbers of glyphs")
    if line.options & RIGHT_TO_LEFT or any(unicodedata.bidirectional(char) in ("R", "AL") for char in line.text):
        raise unsupported("text from right to left")
    if len(line.text) > _LONGEST:
        raise unsupported("a text without end")
    if canvas.path is not None:
        raise unsupported("text as a path")
    state = canvas.state
    if line.options & OPAQUE:
        _ground(canvas, corners(line.box))
    before = state.clip
    if line.options & CLIPPED:
        canvas.clip(canvas.line(corners(line.box), closed=True))
    if line.text.strip("\0"):
        _line(canvas, line)
    state.clip = before


def _ground(canvas: Canvas, points: Sequence[Point]) -> None:
    canvas.add("path", {"d": canvas.line(points, closed=True), "fill": canvas.state.back_colour})


def _line(canvas: Canvas, line: Line) -> None:
    state, font = canvas.state, canvas.state.font
    text, distances = line.text, line.distances
    at = state.at if state.align & _CURRENT else line.at
    font.check()
    size = font.em
    width = sum(distances) if distances else size * sum(map(_breadth, text))
    angle = math.radians(-font.escapement / 10)
    up = -1.0 if canvas.matrix[3] < 0 else 1.0  # letters stand upright where y runs up
    start = -width if state.align & _CENTRE == _RIGHT else -width / 2 if state.align & _CENTRE == _CENTRE else 0.0
    drop = 0.0 if state.align & _BASE == _BASE else -_DESCENT * size if state.align & _BOTTOM else _ASCENT * size
    turn = (math.cos(angle), up * math.sin(angle), -math.sin(angle), up * math.cos(angle), at[0], at[1])
    if state.opaque and not line.options & OPAQUE:
        low, high = drop - _ASCENT * size, drop + _DESCENT * size
        _ground(canvas, [_turned(turn, one) for one in corners((start, low, start + width, high))])
    _spans(canvas, text, times(times((1.0, 0.0, 0.0, 1.0, start, drop), turn), canvas.matrix), size, distances)
    if state.align & _CURRENT:
        state.at = _turned(turn, (width + start if state.align & _CENTRE != _RIGHT else start, 0.0))


def _spans(canvas: Canvas, text: str, matrix: Matrix, size: float, distances: Sequence[float]) -> None:
    state, font = canvas.state, canvas.state.font
    if font.italic:
        matrix = times(_SLANT, matrix)
    # resvg takes no letters of less than a pixel, nor of the size of a page: the matrix carries the size.
    factor = size / 100
    a, b, c, d, e, f = matrix
    turn = written((a * factor, b * factor, c * factor, d * factor, e, f))
    given = {"transform": turn, "font-size": "100", "fill": state.text_colour}
    if font.bold:
        given |= {"stroke": state.text_colour, "stroke-width": f"{100 * _BOLDER:g}"}
    lines = " ".join(name for name, is_on in (("underline", font.underlined), ("line-through", font.struck)) if is_on)
    if lines:
        given["text-decoration"] = lines
    shown = "".join(char if unicodedata.category(char) not in _NO_LETTERS else " " for char in text)
    made: Any = canvas.add("text", given)
    made.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    if not distances:
        made.text = shown
        return
    places, so_far = [], 0.0
    for distance in distances:
        places.append(f"{so_far / factor:.6g}")
        so_far += distance
    made.set("x", " ".join(places[: len(shown)]))
    made.text = shown


def _turned(matrix: Matrix, point: Point) -> Point:
    a, b, c, d, e, f = matrix
    return a * point[0] + c * point[1] + e, b * point[0] + d * point[1] + f


def _breadth(char: str) -> float:
    """Of the letters' size, where nothing says how wide a letter is."""
    return 1.0 if unicodedata.east_asian_width(char) in ("W", "F") else 0.5


def narrow(raw: bytes, font: Font) -> tuple[str, list[int]]:
    """Text in the character set of its font, and how many bytes each character is. Raises Unsupported."""
    try:
        text = raw.decode(font.codec)
        return text, [len(char.encode(font.codec)) for char in text]
    except UnicodeError:
        raise unsupported(f"text that is none in {font.codec}") from None


def gathered(distances: Sequence[float], units: Sequence[int]) -> list[float]:
    """Of each character, from those of its bytes or units; none where there are not enough."""
    if len(distances) < sum(units):
        return []
    found, at = [], 0
    for count in units:
        found.append(float(sum(distances[at : at + count])))
        at += count
    return found
