"""The records of a workbook stream: [MS-XLS] 2.1.4. A record and the CONTINUE records behind it are one."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import ClassVar, Final, NamedTuple, Protocol

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
_NOTHING, _TAKEN = -1, -2  # instead of the kind of a record: none was read yet, or those that `Cells` took


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


class Cells(Protocol):
    """Takes many records at once, straight from the stream."""

    KINDS: ClassVar[frozenset[int]]

    def take(self, stream: bytes, at: int) -> int:
        """The offset of the first record that it did not take; none if that is `at`. Raises Malformed."""


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


def substream(stream: bytes, at: int, cells: Cells | None = None) -> Iterator[Record]:
    """The records from the BOF at an offset up to its own EOF, both included; charts inside have a pair of their own.

    Directly inside, `cells` takes what it can; that is not given. Raises Malformed.
    """
    depth, end, unpack = 0, len(stream), _NUMBER_AND_SIZE.unpack_from
    kinds = cells.KINDS if cells is not None else frozenset[int]()
    begin, kind, pieces, start = at, _NOTHING, list[bytes](), at
    while at + _HEAD <= end:
        number, size = unpack(stream, at)
        if at + _HEAD + size > end:
            raise Malformed(f"record {number:04X} at {at} is cut off", code="xls.malformed")
        if number == CONTINUE and kind != _NOTHING:
            if kind == _TAKEN:
                raise Malformed(f"a cell that goes on at {at}", code="xls.malformed")
            pieces.append(stream[at + _HEAD : at + _HEAD + size])
            at += _HEAD + size
            continue
        if kind >= 0:
            yield Record(kind, tuple(pieces), start)
        if kind == EOF and depth == 0:
            return
        if depth == 1 and number in kinds and cells is not None and (behind := cells.take(stream, at)) != at:
            kind, at = _TAKEN, behind
            continue
        if number == BOF:
            depth += 1
        elif kind == _NOTHING:
            raise Malformed(f"no sheet at {at}", code="xls.malformed")
        elif number == EOF:
            depth -= 1
        kind, pieces, start = number, [stream[at + _HEAD : at + _HEAD + size]], at
        at += _HEAD + size
    if kind == EOF and depth == 0:
        yield Record(kind, tuple(pieces), start)
        return
    raise Malformed(f"the sheet at {begin} has no end", code="xls.malformed")
