"""Records of drawings: [MS-ODRAW] 2.2. Of a shape what is drawn again is read: kind, place, size, picture, text, fill and line."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sanitizers.model import LimitExceeded

DRAWING_GROUP, STORE, DRAWING, GROUP, SHAPE, ENTRY = 0xF000, 0xF001, 0xF002, 0xF003, 0xF004, 0xF007
_FSP, _FOPT, _CHILD, _FSPGR, _MORE = 0xF00A, 0xF00B, 0xF00F, 0xF009, 0xF122
_MOST: Final = 65_536
_DEEPEST: Final = 32
ENTRY_HEAD: Final = 36

ROTATION, TEXT, PICTURE, FILL_COLOUR, FILL = 0x04, 0x80, 0x104, 0x181, 0x1BF
LINE_COLOUR, LINE_WIDTH, LINE_DASH, LINE_START, LINE_END, LINE = 0x1C0, 0x1CB, 0x1CE, 0x1D0, 0x1D1, 0x1FF
LETTERS, POINTS, SEGMENTS = 0xC0, 0x145, 0x146
FREE_LEFT, FREE_TOP, FREE_RIGHT, FREE_BOTTOM = 0x140, 0x141, 0x142, 0x143
TEXT_LEFT, TEXT_TOP, TEXT_RIGHT, TEXT_BOTTOM, TEXT_WRAP, TEXT_FLOW, TEXT_FIT = 0x81, 0x82, 0x83, 0x84, 0x85, 0x88, 0xBF
CROP_TOP, CROP_BOTTOM, CROP_LEFT, CROP_RIGHT = 0x100, 0x101, 0x102, 0x103
ALIGN_X, FROM_X, ALIGN_Y, FROM_Y = 0x38F, 0x390, 0x391, 0x392
WRAP_LEFT, WRAP_TOP, WRAP_RIGHT, WRAP_BOTTOM = 0x384, 0x385, 0x386, 0x387
_FLIP_X, _FLIP_Y = 0x40, 0x80


class Record(NamedTuple):
    kind: int
    instance: int
    data: memoryview

    @property
    def end(self) -> int:
        return len(self.data)


@dataclass(slots=True)
class Shape:
    """`area`: left, top, right, bottom in the measure of the group around; `children` of a group, `inside` the measure of those;
    `complex`: letters of WordArt, points and segments of a free form.
    """

    kind: int = 0
    identity: int = 0
    flags: int = 0
    options: dict[int, int] = field(default_factory=dict)
    complex: dict[int, bytes] = field(default_factory=dict)
    area: tuple[int, int, int, int] = (0, 0, 0, 0)
    inside: tuple[int, int, int, int] = (0, 0, 0, 0)
    children: list[Shape] = field(default_factory=list)

    @property
    def flip_x(self) -> bool:
        return bool(self.flags & _FLIP_X)

    @property
    def flip_y(self) -> bool:
        return bool(self.flags & _FLIP_Y)


def records(data: memoryview) -> Iterator[Record]:
    """Those that follow each other. A record that is cut off ends it. Raises LimitExceeded."""
    at = count = 0
    while at + 8 <= len(data):
        head, kind, size = struct.unpack_from("<HHI", data, at)
        count += 1
        if count > _MOST:
            raise LimitExceeded("records of a drawing")
        if at + 8 + size > len(data):
            return
        yield Record(kind, head >> 4, data[at + 8 : at + 8 + size])
        at += 8 + size


def shapes(data: memoryview, depth: int = 0) -> list[Shape]:
    """The shapes of a drawing or of a group, groups with those inside them. Raises LimitExceeded."""
    if depth > _DEEPEST:
        raise LimitExceeded(f"shapes grouped deeper than {_DEEPEST}")
    found: list[Shape] = []
    for record in records(data):
        if record.kind == SHAPE:
            found.append(shape(record.data))
        elif record.kind == GROUP:
            members = shapes(record.data, depth + 1)
            if members:
                members[0].children = members[1:]
                found.append(members[0])
    return found


def shape(data: memoryview) -> Shape:
    made = Shape()
    for record in records(data):
        if record.kind == _FSP and record.end >= 8:
            made.kind = record.instance
            made.identity, made.flags = struct.unpack_from("<II", record.data)
        elif record.kind in (_FOPT, _MORE):
            made.options |= _options(record)
            made.complex |= _complex(record)
        elif record.kind == _CHILD and record.end >= 16:
            made.area = struct.unpack_from("<4i", record.data)
        elif record.kind == _FSPGR and record.end >= 16:
            made.inside = struct.unpack_from("<4i", record.data)
    return made


def _options(record: Record) -> dict[int, int]:
    """Simple ones only; what a complex one says stands behind the table and is left there."""
    entries = struct.iter_unpack("<HI", record.data[: record.end // 6 * 6][: 6 * record.instance])
    return {number & 0x3FFF: value for number, value in entries if not number & 0x8000}


def _complex(record: Record) -> dict[int, bytes]:
    """Those that are asked for; they stand behind the table, in its order."""
    found: dict[int, bytes] = {}
    at = 6 * record.instance
    for number, size in struct.iter_unpack("<HI", record.data[: record.end // 6 * 6][: 6 * record.instance]):
        if not number & 0x8000:
            continue
        if number & 0x3FFF in (LETTERS, POINTS, SEGMENTS):
            found[number & 0x3FFF] = bytes(record.data[at : at + size])
        at += size
    return found
