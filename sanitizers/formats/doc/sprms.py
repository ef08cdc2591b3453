"""Single changes of a property: [MS-DOC] 2.2.5, 2.6. A list of them, in order, makes the look of characters, paragraphs, rows, sections."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from sanitizers.model import Malformed

Sprm = tuple[int, bytes]
Properties = dict[int, bytes]

_SIZES: Final = (1, 1, 2, 4, 2, 2, 0, 3)  # of the operand, by the three bits on top; 0: it says itself
_TABLE: Final = 0xD608  # sprmTDefTable: two bytes of size
_TABS: Final = 0xC615  # sprmPChgTabs: may be longer than a byte can say
_UNSAID: Final = 255


def read(grpprl: bytes) -> Iterator[Sprm]:
    """Each change with its operand, without the operand's own size. What is cut off at the end is left out, as readers do."""
    at = 0
    while at + 2 <= len(grpprl):
        (number,) = struct.unpack_from("<H", grpprl, at)
        at += 2
        size = _SIZES[number >> 13]
        if size == 0:
            head, size = _said(grpprl, at, number)
            at += head
        if at + size > len(grpprl):
            return
        yield number, grpprl[at : at + size]
        at += size


def _said(grpprl: bytes, at: int, number: int) -> tuple[int, int]:
    """How many bytes say the size, and the size."""
    if number == _TABLE:
        if at + 2 > len(grpprl):
            return 2, 0
        return 2, max(struct.unpack_from("<H", grpprl, at)[0] - 1, 0)
    if at >= len(grpprl):
        return 1, 0
    if number == _TABS and grpprl[at] == _UNSAID:
        deleted = grpprl[at + 1] if at + 1 < len(grpprl) else 0
        place = at + 2 + 4 * deleted
        added = grpprl[place] if place < len(grpprl) else 0
        return 1, 2 + 4 * deleted + 3 * added
    return 1, grpprl[at]


def merged(*lists: bytes) -> Properties:
    """The last word on each property."""
    return {number: operand for grpprl in lists for number, operand in read(grpprl)}


def unsigned(operand: bytes) -> int:
    return int.from_bytes(operand, "little")


def signed(operand: bytes) -> int:
    return int.from_bytes(operand, "little", signed=True)


def unpack(shape: str, data: bytes, at: int = 0) -> tuple[int, ...]:
    """Raises Malformed for what is too short."""
    try:
        return struct.unpack_from(shape, data, at)
    except struct.error:
        raise Malformed("a structure is cut off", code="doc.malformed") from None
