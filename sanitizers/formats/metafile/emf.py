"""EMF: a header, records that are calls of the drawing interface, and an end.

Spec: MS-EMF 2.3 (records), 3.2 (their order).
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.metafile import emf_records
from sanitizers.formats.metafile.emf_records import Drawing, Dropped
from sanitizers.model import LimitExceeded, Malformed, Unsupported

_HEADER, _EOF, _COMMENT = 1, 14, 70
_SHORTEST_HEADER: Final = 88
_NEW_HEADER: Final = 108
_END: Final = struct.pack("<5I", _EOF, 20, 0, 16, 20)
_SIGNATURE: Final = 0x464D_4520  # ' EMF'
_VERSION: Final = 0x1_0000
_MAX_RECORDS: Final = 2_000_000
_PLUS: Final = b"EMF+"
_PLUS_HEADER: Final = 0x4001
# Calls that leave the drawing, or that carry what is not drawn. Everything else that is not known is reported as such.
_ESCAPES: Final = frozenset({102, 103, 104, 105, 106, 109, 110, 111, 112, 113, 119, 121})


def rebuild(view: memoryview, context: Context) -> bytes:
    """The same drawing in new records. Raises Malformed and LimitExceeded."""
    if len(view) < _SHORTEST_HEADER:
        raise Malformed("ends inside the header", code="metafile.malformed")
    drawing = Drawing(context, handles=struct.unpack_from("<H", view, 56)[0])
    at, end, records = _header_length(view), 0, []
    if struct.unpack_from("<I", view, 60)[0]:
        context.found("metafile.metadata", "description")
    while not end:
        kind, record = _record(view, at)
        at += len(record)
        if kind == _EOF:
            end = at
        elif made := _made(kind, record, drawing):
            records.append(made)
        if len(records) > _MAX_RECORDS:
            raise LimitExceeded(f"more than {_MAX_RECORDS} records")
    if end < len(view) and any(view[end:]):
        context.found("metafile.trailing_data", "", detail=f"{len(view) - end} bytes")
    body = b"".join([*records, _END])
    return _new_header(view, len(body), len(records) + 2) + body


def _record(view: memoryview, at: int) -> tuple[int, bytes]:
    if at + 8 > len(view):
        raise Malformed("ends before its last record", code="metafile.malformed")
    kind, size = struct.unpack_from("<II", view, at)
    if size < 8 or size % 4 or at + size > len(view):
        raise Malformed(f"record {kind} of {size} bytes", code="metafile.malformed")
    return kind, bytes(view[at : at + size])


def _made(kind: int, record: bytes, drawing: Drawing) -> bytes | None:
    """The record anew; None when it stays behind, which is reported."""
    context = drawing.context
    if kind == _COMMENT:
        _comment(record, context)
        return None
    if kind in _ESCAPES:
        context.found("metafile.escape", detail=f"record {kind}")
        return None
    try:
        return emf_records.made(kind, record, drawing)
    except (Dropped, struct.error):
        context.found("metafile.record", detail=f"record {kind}")
        return None


def _comment(record: bytes, context: Context) -> None:
    """EMF+ beside EMF is a second way to draw the same; alone it is the only one, and then nothing would be left."""
    if record[12:16] != _PLUS:
        context.found("metafile.comment", detail=record[12:16].decode("ascii", "replace"))
        return
    kind, flags = struct.unpack_from("<HH", record.ljust(20, b"\0"), 16)
    if kind == _PLUS_HEADER and not flags & 1:
        raise Unsupported("drawn by EMF+ alone")
    context.found("metafile.emfplus", "")


def _header_length(view: memoryview) -> int:
    kind, size = struct.unpack_from("<II", view)
    signature, version = struct.unpack_from("<II", view, 40)
    if kind != _HEADER or signature != _SIGNATURE or version != _VERSION or not _SHORTEST_HEADER <= size <= len(view) or size % 4:
        raise Malformed("header", code="metafile.malformed")
    return int(size)


def _new_header(view: memoryview, body: int, records: int) -> bytes:
    """Bounds, frame and the size of the device are taken over; without description, pixel format and OpenGL."""
    bounds, frame, (handles,) = bytes(view[8:24]), bytes(view[24:40]), struct.unpack_from("<H", view, 56)
    device, millimetres = bytes(view[72:80]), bytes(view[80:88])
    micrometres = bytes(view[100:108]) if _header_length(view) >= _NEW_HEADER else _micrometres(millimetres)
    counts = struct.pack("<IIIIHHIII", _SIGNATURE, _VERSION, _NEW_HEADER + body, records, max(1, handles), 0, 0, 0, 0)
    return struct.pack("<II", _HEADER, _NEW_HEADER) + bounds + frame + counts + device + millimetres + bytes(12) + micrometres


def _micrometres(millimetres: bytes) -> bytes:
    return struct.pack("<II", *(min(value * 1000, 0xFFFF_FFFF) for value in struct.unpack("<II", millimetres)))
