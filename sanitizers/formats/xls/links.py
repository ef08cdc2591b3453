"""Hyperlinks of cells: [MS-XLS] 2.4.140, [MS-OSHARED] 2.3.7."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.formats.office import links
from sanitizers.formats.xls.records import Record

HLINK: Final = 0x1B8

_MONIKER, _PLACE, _DISPLAY, _FRAME, _AS_TEXT = 0x01, 0x08, 0x10, 0x80, 0x100
_URL: Final = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b")
_LONGEST: Final = 4096


class Link(NamedTuple):
    """`area`: first row, last row, first column, last column; `target`: a URL or ""; `place`: in the workbook or in the target."""

    area: tuple[int, int, int, int]
    target: str
    place: str
    allowed: bool


def read(record: Record, schemes: tuple[str, ...]) -> Link:
    """Never raises: a link that cannot be read is one that is not allowed."""
    data = record.data
    area = struct.unpack_from("<HHHH", data.ljust(8, b"\0"))
    try:
        target, place = _target(data)
    except (struct.error, ValueError):
        return Link(area, "", "", False)
    inside = target == "" and bool(place) and links.is_place(place)
    outside = bool(target) and links.allowed(target, schemes) and links.is_place(place)
    return Link(area, target, place, inside or outside)


def _target(data: bytes) -> tuple[str, str]:
    """Raises ValueError for a file or anything else that is no URL."""
    flags, at = struct.unpack_from("<I", data, 28)[0], 32
    for flag in (_DISPLAY, _FRAME):
        if flags & flag:
            _, at = _string(data, at)
    target = place = ""
    if flags & _MONIKER and flags & _AS_TEXT:
        target, at = _string(data, at)
    elif flags & _MONIKER:
        if data[at : at + 16] != _URL:
            raise ValueError("no URL")
        (size,) = struct.unpack_from("<I", data, at + 16)
        target = data[at + 20 : at + 20 + size].decode("utf-16-le").partition("\0")[0]
        at += 20 + size
    if flags & _PLACE:
        place, at = _string(data, at)
    return target, place


def _string(data: bytes, at: int) -> tuple[str, int]:
    (count,) = struct.unpack_from("<I", data, at)
    if count > _LONGEST or at + 4 + 2 * count > len(data):
        raise ValueError("a string is cut off")
    return data[at + 4 : at + 4 + 2 * count].decode("utf-16-le").partition("\0")[0], at + 4 + 2 * count
