"""Shapes of free lines: [MS-ODRAW] 2.3.6 (pVertices, pSegmentInfo) → a:custGeom, ECMA-376 part 1 §20.1.9.8."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from sanitizers.formats.doc import art

_SHORT: Final = 0xFFF0  # size of a point that is two numbers of sixteen bits
_LINE, _CURVE, _MOVE, _CLOSE, _END = 0, 1, 2, 3, 4
_MOST: Final = 20_000  # points
_LARGEST: Final = 21_600

Point = tuple[int, int]


def write(shape: art.Shape) -> str:
    """a:custGeom; empty for a shape without points."""
    points = _points(shape.complex.get(art.POINTS, b""))
    if not points:
        return ""
    said = shape.options.get
    left, top = _signed(said(art.FREE_LEFT, 0)), _signed(said(art.FREE_TOP, 0))
    width, height = _signed(said(art.FREE_RIGHT, _LARGEST)) - left, _signed(said(art.FREE_BOTTOM, _LARGEST)) - top
    if width <= 0 or height <= 0:
        return ""
    segments = _segments(shape.complex.get(art.SEGMENTS, b"")) or [(_MOVE, 0), (_LINE, len(points) - 1)]
    lines = "".join(_path([(x - left, y - top) for x, y in points], segments))
    return (
        '<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/>'
        f'<a:pathLst><a:path w="{width}" h="{height}">{lines}</a:path></a:pathLst></a:custGeom>'
    )


def _path(points: list[Point], segments: list[tuple[int, int]]) -> Iterator[str]:
    """Each segment takes its points; what goes on without points ends the path."""
    at = 0
    for kind, count in segments:
        if kind == _END:
            return
        if kind == _CLOSE:
            yield "<a:close/>"
        elif kind == _MOVE:
            yield f"<a:moveTo>{_written(points[at : at + 1])}</a:moveTo>" if at < len(points) else ""
            at += 1
        elif kind in (_LINE, _CURVE):
            step, name = (1, "lnTo") if kind == _LINE else (3, "cubicBezTo")
            for _ in range(min(max(count, 1), len(points))):
                if at + step > len(points):
                    return
                yield f"<a:{name}>{_written(points[at : at + step])}</a:{name}>"
                at += step


def _written(points: list[Point]) -> str:
    return "".join(f'<a:pt x="{x}" y="{y}"/>' for x, y in points)


def _points(data: bytes) -> list[Point]:
    if len(data) < 6:
        return []
    count, _, size = struct.unpack_from("<HHH", data)
    form = "<hh" if size in (_SHORT, 4) else "<ii"
    each = struct.calcsize(form)
    inside = data[6 : 6 + each * min(count, _MOST)]
    return list(struct.iter_unpack(form, inside[: len(inside) // each * each]))


def _segments(data: bytes) -> list[tuple[int, int]]:
    """(kind, count) of each."""
    if len(data) < 6:
        return []
    count = min(struct.unpack_from("<H", data)[0], _MOST)
    inside = data[6 : 6 + 2 * count]
    return [(one >> 13, one & 0x1FFF) for (one,) in struct.iter_unpack("<H", inside[: len(inside) // 2 * 2])]


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value
