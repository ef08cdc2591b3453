"""WMF: an optional placeable header, a header, and records of 16-bit words.

Objects have no numbers of their own here: each takes the first free place. A record that makes one is therefore never left out; what
cannot be made anew becomes a brush that paints nothing.
Spec: MS-WMF 2.3.
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.metafile import wmf_records
from sanitizers.formats.metafile.wmf_records import Dropped
from sanitizers.model import LimitExceeded, Malformed

_PLACEABLE: Final = 0x9AC6_CDD7
_PLACEABLE_LENGTH, _HEADER_LENGTH = 22, 18
_ESCAPE, _EOF = 0x0626, 0x0000
_END: Final = struct.pack("<IH", 3, 0)
_MAX_RECORDS: Final = 2_000_000


def rebuild(view: memoryview, context: Context) -> bytes:
    """The same drawing in new records. Raises Malformed and LimitExceeded."""
    placeable, at = _placeable(view)
    at, objects = _header(view, at)
    records: list[bytes] = []
    while True:
        function, parameters, at = _record(view, at)
        if function == _EOF:
            break
        if made := _made(function, parameters, context):
            records.append(made)
        if len(records) > _MAX_RECORDS:
            raise LimitExceeded(f"more than {_MAX_RECORDS} records")
    if any(view[at:]):
        context.found("metafile.trailing_data", "", detail=f"{len(view) - at} bytes")
    records.append(_END)
    words = (_HEADER_LENGTH + sum(map(len, records))) // 2
    header = struct.pack("<HHHIHIH", 1, 9, 0x300, words, objects, max(map(len, records)) // 2, 0)
    return b"".join([placeable, header, *records])


def _placeable(view: memoryview) -> tuple[bytes, int]:
    """Bounds and units for the page, with a checksum of our own."""
    if len(view) < 4 or struct.unpack_from("<I", view)[0] != _PLACEABLE:
        return b"", 0
    if len(view) < _PLACEABLE_LENGTH:
        raise Malformed("ends inside the header", code="metafile.malformed")
    body = struct.pack("<IH", _PLACEABLE, 0) + bytes(view[6:16]) + bytes(4)
    checksum = 0
    for word in struct.unpack("<10H", body):
        checksum ^= word
    return body + struct.pack("<H", checksum), _PLACEABLE_LENGTH


def _header(view: memoryview, at: int) -> tuple[int, int]:
    """(offset of the first record, number of objects)."""
    if at + _HEADER_LENGTH > len(view):
        raise Malformed("ends inside the header", code="metafile.malformed")
    kind, length, version, _, objects, _, _ = struct.unpack_from("<HHHIHIH", view, at)
    if kind not in (1, 2) or length != _HEADER_LENGTH // 2 or version not in (0x100, 0x300):
        raise Malformed("header", code="metafile.malformed")
    return at + _HEADER_LENGTH, objects


def _record(view: memoryview, at: int) -> tuple[int, bytes, int]:
    """(function, parameters, offset of the next). A file that ends after a whole record has ended."""
    if at == len(view):
        return _EOF, b"", at
    if at + 6 > len(view):
        raise Malformed("ends inside a record", code="metafile.malformed")
    words, function = struct.unpack_from("<IH", view, at)
    end = at + 2 * words
    if words < 3 or end > len(view):
        raise Malformed(f"record {function:04X} of {words} words", code="metafile.malformed")
    return function, bytes(view[at + 6 : end]), end


def _made(function: int, parameters: bytes, context: Context) -> bytes | None:
    """The record anew; None when it stays behind, which is reported."""
    if function == _ESCAPE:
        (number,) = struct.unpack_from("<H", parameters.ljust(2, b"\0"))
        context.found("metafile.comment" if number == wmf_records.COMMENT else "metafile.escape", detail=f"escape {number}")
        return None
    try:
        body = wmf_records.made(function, parameters, context)
    except (Dropped, struct.error):
        context.found("metafile.record", detail=f"record {function:04X}")
        if function not in wmf_records.CREATES:
            return None
        function, body = wmf_records.NO_BRUSH
    if function == wmf_records.PATTERN and body == wmf_records.NO_BRUSH[1]:
        function = wmf_records.NO_BRUSH[0]
    return struct.pack("<IH", 3 + len(body) // 2, function) + body
