"""One EMF record after the other, written anew: the known fields, the declared counts, and not a byte more.

Spec: MS-EMF 2.3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.metafile import dib

# Record → its whole length in bytes, where that is always the same.
FIXED: Final = {
    9: 16, 10: 16, 11: 16, 12: 16, 13: 16, 15: 20, 16: 12, 17: 12, 18: 12, 19: 12, 20: 12, 21: 12, 22: 12, 23: 32, 24: 12, 25: 12,
    26: 16, 27: 16, 28: 8, 29: 24, 30: 24, 31: 24, 32: 24, 33: 8, 34: 12, 35: 32, 36: 36, 37: 12, 38: 28, 39: 24, 40: 12, 41: 28,
    42: 24, 43: 24, 44: 32, 45: 40, 46: 40, 47: 40, 48: 12, 51: 16, 52: 8, 53: 24, 54: 16, 55: 40, 57: 12, 58: 12, 59: 8, 60: 8,
    61: 8, 62: 24, 63: 24, 64: 24, 65: 8, 66: 8, 67: 12, 68: 8, 98: 12, 115: 12, 120: 16,
}  # fmt: skip
_SELECTS: Final = frozenset({37, 40, 48})
_CREATES: Final = frozenset({38, 39, 49, 50, 51, 82, 93, 94, 95})
_WITH_HANDLE: Final = _SELECTS | _CREATES
_STOCK: Final = 0x8000_0000
_LAST_STOCK: Final = 19
_TRANSFORMS: Final = frozenset({35, 36})
_POINTS: Final = {2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 85: 4, 86: 4, 87: 4, 88: 4, 89: 4}
_POLYGONS: Final = {7: 8, 8: 8, 90: 4, 91: 4}
_TYPED: Final = {56: 8, 92: 4}
# Record → (fixed length, place of the four offsets, place of the colour usage)
_BLITS: Final = {76: (100, 84, 80), 77: (108, 84, 80), 80: (76, 48, 64), 81: (80, 48, 64), 114: (108, 84, 80), 116: (108, 84, 80)}
# Counts its rows from the first that is stored, the others from the top.
_STRETCH_DIBITS: Final = 81
_ALPHA_BLEND: Final = 114
_NULL_BRUSH: Final = 1
_LOGFONT, _LOGFONT_PANOSE = 92, 320
_NO_RECTANGLE, _SMALL, _PAIRS = 0x100, 0x200, 0x2000


class Dropped(Exception):  # noqa: N818 - says what becomes of the record
    """The record stays behind."""


@dataclass(slots=True)
class Drawing:
    """What records of one drawing have in common. `handles`: number of places for objects, the first of which is the drawing itself."""

    context: Context
    handles: int


def made(kind: int, record: bytes, drawing: Drawing) -> bytes:
    """The record anew. Raises Dropped, or struct.error where it is too short for its own counts."""
    if kind in _WITH_HANDLE:
        _check_handle(struct.unpack_from("<I", record, 8)[0], drawing, stock=kind in _SELECTS)
    if kind in FIXED:
        return _fixed(kind, record)
    if kind in _POINTS:
        return _points(kind, record, _POINTS[kind])
    if kind in _BLITS:
        return _blit(kind, record, drawing)
    build = _VARIABLE.get(kind)
    if build is None:
        raise Dropped
    return build(kind, record, drawing)


def _whole(kind: int, body: bytes) -> bytes:
    """With its length in front and padding behind."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, 8 + len(body)) + body


def _slice(record: bytes, start: int, length: int) -> bytes:
    if start < 8 or start + length > len(record):
        raise Dropped
    return record[start : start + length]


def _check_handle(index: int, drawing: Drawing, *, stock: bool = False) -> None:
    if not (0 < index < drawing.handles or (stock and _STOCK <= index <= _STOCK | _LAST_STOCK)):
        raise Dropped


def _fixed(kind: int, record: bytes) -> bytes:
    body = _slice(record, 8, FIXED[kind] - 8) if FIXED[kind] > 8 else b""
    if kind in _TRANSFORMS and not all(math.isfinite(value) for value in struct.unpack_from("<6f", body)):
        raise Dropped
    return _whole(kind, body)


def _points(kind: int, record: bytes, width: int) -> bytes:
    (count,) = struct.unpack_from("<I", record, 24)
    return _whole(kind, record[8:28] + _slice(record, 28, width * count) if count else record[8:28])


def _polygons(kind: int, record: bytes, _: Drawing) -> bytes:
    polygons, points = struct.unpack_from("<II", record, 24)
    counts = _slice(record, 32, 4 * polygons) if polygons else b""
    if sum(struct.unpack(f"<{polygons}I", counts)) != points:
        raise Dropped
    return _whole(kind, record[8:32] + counts + (_slice(record, 32 + 4 * polygons, _POLYGONS[kind] * points) if points else b""))


def _typed_points(kind: int, record: bytes, _: Drawing) -> bytes:
    (count,) = struct.unpack_from("<I", record, 24)
    width = _TYPED[kind]
    types = bytes(value & 7 for value in _slice(record, 28 + width * count, count)) if count else b""
    return _whole(kind, record[8:28] + (_slice(record, 28, width * count) if count else b"") + types)


def _palette(kind: int, record: bytes, _: Drawing) -> bytes:
    (count,) = struct.unpack_from("<H", record, 14)
    return _whole(kind, record[8:12] + struct.pack("<HH", 0x300, count) + _slice(record, 16, 4 * count))


def _entries(kind: int, record: bytes, _: Drawing) -> bytes:
    (count,) = struct.unpack_from("<I", record, 16)
    return _whole(kind, record[8:20] + _slice(record, 20, 4 * count))


def _region(record: bytes, at: int, length: int) -> bytes:
    """RGNDATA: a header and as many rectangles as it says."""
    data = _slice(record, at, length)
    size, kind, count, _ = struct.unpack_from("<4I", data)
    if (size, kind) != (32, 1) or 32 + 16 * count > length:
        raise Dropped
    return struct.pack("<4I", 32, 1, count, 16 * count) + data[16 : 32 + 16 * count]


def _clip(kind: int, record: bytes, _: Drawing) -> bytes:
    length, mode = struct.unpack_from("<II", record, 8)
    region = _region(record, 16, length) if length else b""
    return _whole(kind, struct.pack("<II", len(region), mode) + region)


def _painted_region(kind: int, record: bytes, drawing: Drawing) -> bytes:
    """Fill, frame (both with a brush), invert, paint."""
    start = {71: 32, 72: 40, 73: 28, 74: 28}[kind]
    (length,) = struct.unpack_from("<I", record, 24)
    if start > 28:
        _check_handle(struct.unpack_from("<I", record, 28)[0], drawing, stock=True)
    region = _region(record, start, length)
    return _whole(kind, record[8:24] + struct.pack("<I", len(region)) + record[28:start] + region)


def _font(kind: int, record: bytes, _: Drawing) -> bytes:
    """The logical font alone, whose name ends at its first zero; what follows is about design and script."""
    font = _slice(record, 12, _LOGFONT)
    letters = struct.unpack_from("<32H", font, 28)
    name = letters[: letters.index(0)] if 0 in letters else letters[:31]
    return _whole(kind, record[8:12] + font[:28] + struct.pack(f"<{len(name)}H", *name).ljust(_LOGFONT_PANOSE - 28, b"\0"))


def _text(kind: int, record: bytes, _: Drawing) -> bytes:
    """ExtTextOut: reference point, options and rectangle; then the characters; then their distances."""
    count, at, options = struct.unpack_from("<III", record, 44)
    (distances_at,) = struct.unpack_from("<I", record, 72)
    letters = _slice(record, at, count * (2 if kind == 84 else 1)) if count else b""
    letters += bytes(-len(letters) % 4)
    distances = _slice(record, distances_at, 4 * count * (2 if options & _PAIRS else 1)) if count and distances_at else b""
    fields = record[8:44] + struct.pack("<III", count, 76, options & ~(_NO_RECTANGLE | _SMALL)) + record[56:72]
    return _whole(kind, fields + struct.pack("<I", 76 + len(letters) if distances else 0) + letters + distances)


def _small_text(kind: int, record: bytes, _: Drawing) -> bytes:
    count, options = struct.unpack_from("<II", record, 16)
    start = 36 if options & _NO_RECTANGLE else 52
    letters = _slice(record, start, count * (1 if options & _SMALL else 2)) if count else b""
    return _whole(kind, _slice(record, 8, start - 8) + letters)


def _gradient(kind: int, record: bytes, _: Drawing) -> bytes:
    vertices, shapes, mode = struct.unpack_from("<III", record, 24)
    if mode > 2:
        raise Dropped
    corners = 3 if mode == 2 else 2
    indices = _slice(record, 36 + 16 * vertices, 4 * corners * shapes)
    if any(index >= vertices for index in struct.unpack(f"<{corners * shapes}I", indices)):
        raise Dropped
    padding = bytes(4 * shapes) if mode < 2 else b""
    return _whole(kind, record[8:36] + _slice(record, 36, 16 * vertices) + indices + padding)


def _pen(kind: int, record: bytes, _: Drawing) -> bytes:
    """Its lines alone: a pattern becomes the colour beside it."""
    style, width, brush, colour, hatch, entries = struct.unpack_from("<6I", record, 28)
    dashes = _slice(record, 52, 4 * entries) if entries else b""
    brush = brush if brush <= 2 else 0
    return _whole(kind, record[8:12] + bytes(16) + struct.pack("<6I", style, width, brush, colour, hatch, entries) + dashes)


def _pattern_brush(kind: int, record: bytes, drawing: Drawing) -> bytes:
    """With its bitmap made anew; without one, a brush that paints nothing keeps its place."""
    handle, usage = struct.unpack_from("<II", record, 8)
    picture = _picture(record, 16, usage, drawing)
    if picture is None:
        return _no_brush(handle)
    at = 32 + len(picture.info)
    return _whole(kind, struct.pack("<6I", handle, 0, 32, len(picture.info), at, len(picture.bits)) + picture.info + picture.bits)


def _no_brush(handle: int) -> bytes:
    """Paints nothing and keeps the place of one that is left behind."""
    return _whole(39, struct.pack("<IIII", handle, _NULL_BRUSH, 0, 0))


def _mono_brush(_kind: int, record: bytes, drawing: Drawing) -> bytes:
    """Its two colours are numbers of the moment of painting, which no bitmap made anew keeps."""
    drawing.context.found("metafile.picture_dropped", "brush")
    return _no_brush(struct.unpack_from("<I", record, 8)[0])


def _picture(record: bytes, place: int, usage: int, drawing: Drawing, *, alpha: bool = False) -> dib.Dib | None:
    info_at, info_length, bits_at, bits_length = struct.unpack_from("<4I", record, place)
    info, bits = _slice(record, info_at, info_length), _slice(record, bits_at, bits_length)
    return dib.rebuilt(info, bits, usage, drawing.context, alpha=alpha)


def _blit(kind: int, record: bytes, drawing: Drawing) -> bytes:
    length, place, usage_at = _BLITS[kind]
    fields = bytearray(_slice(record, 8, length - 8))
    (usage,) = struct.unpack_from("<I", record, usage_at)
    if not struct.unpack_from("<I", record, place + 4)[0]:
        struct.pack_into("<4I", fields, place - 8, 0, 0, 0, 0)  # a pattern alone, without a bitmap
        return _whole(kind, bytes(fields))
    picture = _picture(record, place, usage, drawing, alpha=kind == _ALPHA_BLEND)
    if picture is None:
        raise Dropped
    if picture.turned and kind == _STRETCH_DIBITS:
        y, _, height = struct.unpack_from("<3i", record, 36)
        struct.pack_into("<i", fields, 36 - 8, picture.height - y - height)
    struct.pack_into("<I", fields, usage_at - 8, 0)
    at = length + len(picture.info)
    struct.pack_into("<4I", fields, place - 8, length, len(picture.info), at, len(picture.bits))
    return _whole(kind, bytes(fields) + picture.info + picture.bits)


_VARIABLE: Final[dict[int, Callable[[int, bytes, Drawing], bytes]]] = {
    **dict.fromkeys(_POLYGONS, _polygons),
    **dict.fromkeys(_TYPED, _typed_points),
    49: _palette, 50: _entries, 71: _painted_region, 72: _painted_region, 73: _painted_region, 74: _painted_region, 75: _clip,
    82: _font, 83: _text, 84: _text, 93: _mono_brush, 94: _pattern_brush, 95: _pen, 108: _small_text, 118: _gradient,
}  # fmt: skip
