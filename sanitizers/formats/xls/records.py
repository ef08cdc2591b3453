"""The records of a workbook stream: [MS-XLS] 2.1.4. A record and the CONTINUE records behind it are one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.model import Malformed

BOF: Final = 0x0809
EOF: Final = 0x000A
CONTINUE: Final = 0x003C
FILEPASS: Final = 0x002F

GLOBALS, WORKSHEET, CHART, MACRO_SHEET, VBA_MODULE = 0x0005, 0x0010, 0x0020, 0x0040, 0x0006
BIFF8: Final = 0x0600
BIFF5: Final = 0x0500

_HEAD: Final = 4
_NUMBER_AND_SIZE: Final = struct.Struct("<HH")


class Record(NamedTuple):
    """`pieces`: its data, then the data of each CONTINUE; strings know where one piece ends. `at`: offset in the stream."""

    kind: int
    pieces: tuple[bytes, ...]
    at: int

    @property
    def data(self) -> bytes:
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)

    def unpack(self, shape: str, offset: int = 0) -> tuple[int, ...]:
        """Raises Malformed for a record that is too short."""
        try:
            return struct.unpack_from(shape, self.pieces[0] if len(self.pieces) == 1 else self.data, offset)
        except struct.error:
            raise Malformed(f"record {self.kind:04X} of {len(self.data)} bytes", code="xls.malformed") from None


def heads(stream: bytes, at: int = 0) -> Iterator[tuple[int, int, int]]:
    """(kind, offset of the data, its size) of each record from an offset on. Raises Malformed for one that is cut off."""
    end, unpack = len(stream), _NUMBER_AND_SIZE.unpack_from
    while at + _HEAD <= end:
        kind, size = unpack(stream, at)
        at += _HEAD
        if at + size > end:
            raise Malformed(f"record {kind:04X} at {at - _HEAD} is cut off", code="xls.malformed")
        yield kind, at, size
        at += size


def substream(stream: bytes, at: int) -> Iterator[Record]:
    """The records from the BOF at an offset up to its own EOF, both included; charts inside have a pair of their own."""
    depth = 0
    kind, pieces, start = -1, tuple[bytes, ...](), at
    more: list[bytes] = []
    for number, offset, size in heads(stream, at):
        if number == CONTINUE and kind >= 0:
            more.append(stream[offset : offset + size])
            continue
        if more:
            pieces += tuple(more)
            more = []
        if kind >= 0:
            yield Record(kind, pieces, start)
        if kind == EOF and depth == 0:
            return
        if number == BOF:
            depth += 1
        elif kind < 0:
            raise Malformed(f"no sheet at {at}", code="xls.malformed")
        elif number == EOF:
            depth -= 1
        kind, pieces, start = number, (stream[offset : offset + size],), offset - _HEAD
    if kind == EOF and depth == 0:
        yield Record(kind, (*pieces, *more), start)
        return
    raise Malformed(f"the sheet at {at} has no end", code="xls.malformed")
