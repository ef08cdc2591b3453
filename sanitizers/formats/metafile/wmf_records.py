"""The parameters of one WMF record after the other, written anew: known fields, declared counts, and not a word more.

Spec: MS-WMF 2.3.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.metafile import dib

COMMENT: Final = 15  # MFCOMMENT, the escape that only carries data
# Function → words of its parameters, where that is always the same; the longer where Windows wrote a word of nothing behind.
FIXED: Final = {
    0x001E: 0, 0x0035: 0, 0x0103: 1, 0x0105: 0, 0x0108: 1, 0x0127: 1, 0x012A: 1, 0x012B: 1, 0x012C: 1, 0x012D: 1, 0x0139: 1, 0x0149: 2,
    0x01F0: 1, 0x0201: 2, 0x0209: 2, 0x020A: 2, 0x020B: 2, 0x020C: 2, 0x020D: 2, 0x020E: 2, 0x020F: 2, 0x0211: 2, 0x0213: 2, 0x0214: 2,
    0x0220: 2, 0x0228: 2, 0x0231: 2, 0x0234: 1, 0x02FA: 5, 0x02FC: 4, 0x0410: 4, 0x0412: 4, 0x0415: 4, 0x0416: 4, 0x0418: 4, 0x0419: 4,
    0x041B: 4, 0x041F: 4, 0x0429: 4, 0x0548: 5, 0x061C: 6, 0x061D: 6, 0x0817: 8, 0x081A: 8, 0x0830: 8,
    0x0102: 1, 0x0104: 1, 0x0106: 1, 0x0107: 1, 0x012E: 1,
}  # fmt: skip
PATTERN: Final = 0x0142  # DIBCREATEPATTERNBRUSH
# Pens, brushes, fonts, palettes and regions.
CREATES: Final = frozenset({0x00F7, PATTERN, 0x01F9, 0x02FA, 0x02FB, 0x02FC, 0x06FF})
NO_BRUSH: Final = (0x02FC, struct.pack("<HIH", 1, 0, 0))
_FONT: Final = 18  # bytes before the name
_LONGEST_NAME: Final = 31
_OPAQUE_OR_CLIPPED: Final = 0x0006
_MOST_SCANS: Final = 32_767
# Function → words before the bitmap, place of the colour usage in bytes (None: always RGB).
_BITMAPS: Final = {0x0940: (8, None), 0x0B41: (10, None), 0x0F43: (11, 4), 0x0D33: (9, 0)}
_WITHOUT_BITMAP: Final = {0x0940: 9, 0x0B41: 11, 0x0922: 9, 0x0B23: 11}


class Dropped(Exception):  # noqa: N818 - says what becomes of the record
    """The record stays behind."""


def made(function: int, data: bytes, context: Context) -> bytes:
    """The parameters anew. Raises Dropped, or struct.error where they are too short for their own counts."""
    if function in FIXED:
        return _slice(data, 0, 2 * FIXED[function])
    if len(data) == 2 * _WITHOUT_BITMAP.get(function, -1):
        return data  # painted with the brush alone
    if function in _BITMAPS:
        return _bitmap(function, data, context)
    if function == PATTERN:
        return _pattern(data, context)
    build = _VARIABLE.get(function)
    if build is None:
        raise Dropped
    body = build(data)
    return body + bytes(len(body) & 1)


def _slice(data: bytes, start: int, length: int) -> bytes:
    if start + length > len(data):
        raise Dropped
    return data[start : start + length]


def _points(data: bytes) -> bytes:
    (count,) = struct.unpack_from("<H", data)
    return _slice(data, 0, 2 + 4 * count)


def _polygons(data: bytes) -> bytes:
    (polygons,) = struct.unpack_from("<H", data)
    counts = struct.unpack_from(f"<{polygons}H", data, 2)
    return _slice(data, 0, 2 + 2 * polygons + 4 * sum(counts))


def _palette(data: bytes) -> bytes:
    start, count = struct.unpack_from("<HH", data)
    return struct.pack("<HH", start, count) + _slice(data, 4, 4 * count)


def _font(data: bytes) -> bytes:
    """The name ends at its first zero."""
    name = data[_FONT : _FONT + _LONGEST_NAME].partition(b"\0")[0]
    return _slice(data, 0, _FONT) + name.ljust(_LONGEST_NAME + 1, b"\0")


def _text(data: bytes) -> bytes:
    """TextOut: length, characters (an even number of them), place."""
    (count,) = struct.unpack_from("<H", data)
    padded = count + (count & 1)
    return struct.pack("<H", count) + _slice(data, 2, count) + bytes(padded - count) + _slice(data, 2 + padded, 4)


def _text_with_options(data: bytes) -> bytes:
    """ExtTextOut: place, length, options, rectangle where options need one, characters, distances where they are there."""
    count, options = struct.unpack_from("<HH", data, 4)
    start = 16 if options & _OPAQUE_OR_CLIPPED else 8
    padded = count + (count & 1)
    letters = _slice(data, start, count) + bytes(padded - count)
    after = start + padded
    distances = data[after : after + 2 * count] if len(data) >= after + 2 * count else b""
    return _slice(data, 0, start) + letters + distances


def _region(data: bytes) -> bytes:
    """A region of scans: 22 bytes, then for each scan its count, top, bottom, that many places, and the count again."""
    (scans,) = struct.unpack_from("<h", data, 10)
    if not 0 <= scans <= _MOST_SCANS:
        raise Dropped
    at, largest, parts = 22, 0, []
    for _ in range(scans):
        (count,) = struct.unpack_from("<H", data, at)
        scan = _slice(data, at, 8 + 2 * count)
        if count & 1 or struct.unpack_from("<H", scan, 6 + 2 * count)[0] != count:
            raise Dropped
        at, largest = at + len(scan), max(largest, count)
        parts.append(scan)
    size = 22 + sum(map(len, parts))
    head = struct.pack("<HHIHHH", 0, 6, 0, size & 0xFFFF, scans, largest) + data[14:22]
    return b"".join([head, *parts])


def _bitmap(function: int, data: bytes, context: Context) -> bytes:
    words, usage_at = _BITMAPS[function]
    fields = bytearray(_slice(data, 0, 2 * words))
    usage = struct.unpack_from("<H", fields, usage_at)[0] if usage_at is not None else 0
    picture = dib.packed(data[2 * words :], usage, context)
    if picture is None:
        raise Dropped
    if picture.turned and function == 0x0F43:
        height, _, y = struct.unpack_from("<3h", fields, 6)
        struct.pack_into("<h", fields, 10, picture.height - y - height)
    body = bytes(fields) + picture.info + picture.bits
    return body + bytes(len(body) & 1)


def _pattern(data: bytes, context: Context) -> bytes:
    """A brush of a bitmap; one that cannot be made anew paints nothing."""
    style, usage = struct.unpack_from("<HH", data)
    picture = dib.packed(data[4:], usage, context) if style != 3 else None
    if picture is None:
        return NO_BRUSH[1]
    body = struct.pack("<HH", 5, 0) + picture.info + picture.bits
    return body + bytes(len(body) & 1)


_VARIABLE: Final[dict[int, Callable[[bytes], bytes]]] = {
    0x0324: _points, 0x0325: _points, 0x0538: _polygons, 0x00F7: _palette, 0x0037: _palette, 0x0436: _palette, 0x02FB: _font,
    0x0521: _text, 0x0A32: _text_with_options, 0x06FF: _region,
}  # fmt: skip
