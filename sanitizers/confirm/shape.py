"""Shapefiles: geometry (.shp), its index (.shx) and its table (.dbf). Declared counts and lengths are what is there, to the last byte.

Refuses: tables with memo, binary, general (OLE) or picture fields, which lie in other files or hold programs
Spec: ESRI Shapefile Technical Description (1998); dBASE III/IV file structure
"""

from __future__ import annotations

import re
import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Malformed, Unsupported
from sanitizers.source import Source

_HEADER: Final = 100
_SHAPES: Final = frozenset((0, 1, 3, 5, 8, 11, 13, 15, 18, 21, 23, 25, 28, 31))
_FIXED: Final = {0: (4,), 1: (20,), 11: (36, 28), 21: (28,)}       # bytes of a record's content
_TYPES: Final = frozenset("CNFLDI@O+")
_CONTROL: Final = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_shp(source: Source, context: Context) -> str:
    """Raises Malformed."""
    context.budget.spend_bytes(len(source))
    kind = _main_header(source)
    view = source.view
    at, count = _HEADER, 0
    while at < len(view):
        if at + 12 > len(view):
            raise Malformed("record header is cut short")
        number, words = struct.unpack_from(">ii", view, at)
        (shape,) = struct.unpack_from("<i", view, at + 8)
        size = 2 * words
        count += 1
        if number != count or size < 4 or at + 8 + size > len(view) or shape not in (0, kind):
            raise Malformed(f"record {count}")
        _check_record(view[at + 8 : at + 8 + size], shape, count)
        at += 8 + size
    return f"{count} records"


def _main_header(source: Source) -> int:
    if len(source) < _HEADER:
        raise Malformed("header is cut short")
    code, *unused, words = struct.unpack(">7i", source.head(28))
    version, kind = struct.unpack("<ii", source.part(28, 8))
    if code != 9994 or any(unused) or version != 1000 or kind not in _SHAPES:
        raise Malformed("header")
    if 2 * words != len(source):
        raise Malformed(f"{len(source)} bytes, declared {2 * words}")
    return int(kind)


def _check_record(record: memoryview, shape: int, number: int) -> None:
    """The counts inside a record give exactly its length; measures (M) at the end may be left out."""
    size = len(record)
    if shape in _FIXED:
        if size not in _FIXED[shape]:
            raise Malformed(f"record {number}: length")
        return
    try:
        if shape in (8, 18, 28):
            (points,) = struct.unpack_from("<i", record, 36)
            plain, parts = 40 + 16 * points, 0
        else:
            parts, points = struct.unpack_from("<ii", record, 36)
            plain = 44 + 4 * parts * (2 if shape == 31 else 1) + 16 * points
    except struct.error:
        raise Malformed(f"record {number}: too short") from None
    heights = 16 + 8 * points if shape in (13, 15, 18, 31) else 0
    measures = 16 + 8 * points if shape in (13, 15, 18, 23, 25, 28, 31) else 0
    if points < 0 or parts < 0 or size not in (plain + heights, plain + heights + measures):
        raise Malformed(f"record {number}: {size} bytes for {parts} parts and {points} points")


def check_shx(source: Source, context: Context) -> str:
    """Raises Malformed."""
    context.budget.spend_bytes(len(source))
    _main_header(source)
    if (len(source) - _HEADER) % 8:
        raise Malformed("index of broken length")
    expected = _HEADER // 2
    for number, (offset, words) in enumerate(struct.iter_unpack(">ii", source.view[_HEADER:]), 1):
        if offset != expected or words < 2:
            raise Malformed(f"index entry {number}")
        expected = offset + 4 + words
    return f"{(len(source) - _HEADER) // 8} records"


def check_dbf(source: Source, context: Context) -> str:
    """Raises Malformed, Unsupported (`confirm.foreign`)."""
    context.budget.spend_bytes(len(source))
    head = source.head(32)
    if len(head) < 32 or head[0] not in (0x03, 0x04):
        raise Unsupported("table with memo fields, or of an unknown version", code="confirm.foreign")
    records, begin, width = struct.unpack_from("<IHH", head, 4)
    if begin < 33 or (begin - 33) % 32 or source.part(begin - 1, 1) != b"\r":
        raise Malformed("header of the table")
    fields = [source.part(at, 32) for at in range(32, begin - 1, 32)]
    for field in fields:
        if chr(field[11]) not in _TYPES:
            raise Unsupported(f"field of type {chr(field[11])!r}", code="confirm.foreign")
        if _CONTROL.search(field[:11].partition(b"\0")[0]):
            raise Malformed("name of a field")
    if width != 1 + sum(field[16] for field in fields):
        raise Malformed("width of a row")
    end = begin + records * width
    if len(source) - end not in (0, 1) or source.part(end, 1).strip(b"\x1a"):
        raise Malformed(f"{len(source)} bytes, {records} rows of {width} bytes")
    view = source.view
    for row in range(records):
        at = begin + row * width
        if view[at] not in b" *" or _CONTROL.search(view[at : at + width]):
            raise Malformed(f"row {row + 1}")
    return f"{records} rows of {len(fields)} fields"
