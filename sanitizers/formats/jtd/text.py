"""Text in a block store: units of UTF-16 with records among them, then where the look changes. All of it must add up exactly.

`TextV.01` is one piece, `QLSTV.01` a list of pieces, each in a run of its own; a record may begin in one and end in the next.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from sanitizers.formats.jtd.store import Run
from sanitizers.model import Malformed, Unsupported

_ONE, _MANY = b"TextV.01", b"QLSTV.01"
_RECORD, _INSIDE, _OUTSIDE, _START = 0x1C, 0x1D, 0x1E, 0x1F
# What may stand between words: end of text, tab, end of a paragraph, page break, end of a ruled line, start of text.
_CONTROLS: Final = frozenset({0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x0E, _START})
_TAB: Final = 0x09
_BEFORE, _WORDS, _LINE, _AREA, _CELL = 0x00, 0x01, 0x10, 0x20, 0x30  # classes of records
_KEEP, _CHANGE, _END = 0x00, 0xFE, 0xFF  # of the look
_PROPERTIES: Final = range(1, 33)
_LONGEST: Final = 8  # bytes of a property
_HEAD_OF_WORDS: Final = 7
_FOOT_OF_WORDS: Final = (_OUTSIDE, 5, 0, _WORDS, _START)
_SHORTEST: Final = 7  # words of a record, head and foot


def check(runs: list[Run], left: list[int] | None = None) -> str:
    """The words of a store of text, without its records; a tab stands for a cell of a ruled line.

    `left`: takes the classes of records that are not known and that stay behind. Raises Malformed, and Unsupported for such records
    where nobody takes them.
    """
    if not runs:
        raise _broken("nothing at all")
    by_number = {run.number: run.data for run in runs}
    if by_number.get(0, b"")[:8] == _MANY:
        return _words(_pieces(by_number[0], by_number), left)
    if any(run.data[:8] != _ONE for run in runs):
        raise Unsupported("something else beside a text", code="jtd.unproven")
    return "\n".join(_words(_piece(run.data[8:], None), left) for run in runs)


def _pieces(listed: bytes, by_number: dict[int, bytes]) -> list[int]:
    if len(listed) < 12:
        raise _broken("list of pieces")
    (count,) = struct.unpack_from(">I", listed, 8)
    if len(listed) != 12 + 8 * count:
        raise _broken("list of pieces")
    units: list[int] = []
    seen = {0}
    for length, number in struct.iter_unpack(">II", listed[12:]):
        if number in seen or number not in by_number:
            raise _broken("piece that is missing or named twice")
        seen.add(number)
        units += _piece(by_number[number], length)
    if seen != set(by_number):
        raise _broken("piece that nobody names")
    return units


def _piece(data: bytes, length: int | None) -> list[int]:
    """Its units. Without a `length` the piece says it itself."""
    at = 0
    if length is None:
        if len(data) < 4:
            raise _broken("piece without length")
        (length,) = struct.unpack_from(">I", data)
        at = 4
    end = at + 2 * length
    if end > len(data):
        raise _broken("piece that is cut off")
    if _covered(data, end) != length:
        raise _broken("looks that do not cover the text")
    return list(struct.unpack_from(f">{length}H", data, at))


def _covered(data: bytes, at: int) -> int:
    """How many units the list of looks is for."""
    covered = 0
    while at < len(data):
        kind = data[at]
        if kind == _KEEP and at + 5 <= len(data):
            covered += int.from_bytes(data[at + 1 : at + 5], "big")
            at += 5
        elif kind == _CHANGE:
            at = _changes(data, at + 1)
            covered += 1
        elif kind == _END and at + 1 == len(data):
            at += 1
        else:
            raise _broken("look")
    return covered


def _changes(data: bytes, at: int) -> int:
    """Behind the properties of one change."""
    while at + 2 <= len(data):
        number, size = data[at], data[at + 1]
        at += 2
        if (number, size) == (_END, 0):
            return at
        if number not in _PROPERTIES or size > _LONGEST or at + size > len(data):
            break
        at += size
    raise _broken("property of a look")


def _words(units: list[int], left: list[int] | None) -> str:
    """The words between the records, once every record is what it says."""
    shown: list[int] = []
    at = 0
    while at < len(units):
        unit = units[at]
        if unit == _RECORD:
            at = _record(units, at, shown, left)
            continue
        if unit < 0x20 and unit not in _CONTROLS:
            raise Unsupported(f"control {unit:04X} in the text", code="jtd.unproven")
        shown.append(unit)
        at += 1
    return struct.pack(f"<{len(shown)}H", *shown).decode("utf-16-le", "replace")


def _record(units: list[int], at: int, shown: list[int], left: list[int] | None) -> int:
    """Behind the record at `at`."""
    if at + 3 > len(units):
        raise _broken("record that is cut off")
    kind, length = units[at + 1], units[at + 2]
    if kind == _WORDS:
        return _inline(units, at, shown)
    check = _KNOWN.get(kind)
    if check is None and left is None:
        raise Unsupported(f"record of class {kind:04X} in the text", code="jtd.unproven")
    end = at + length
    if length < _SHORTEST or end > len(units) or units[end - 4 : end] != [length, 0, kind, _START]:
        raise _broken("record that contradicts itself")
    if check is not None:
        check(units[at + 3 : end - 4])
    elif left is not None:
        left.append(kind)
    if kind == _CELL:
        shown.append(_TAB)
    return end


def _inline(units: list[int], at: int, shown: list[int]) -> int:
    """Words inside a record: ruby, what it stands above, what a form wants to be told."""
    head = units[at + 2 : at + _HEAD_OF_WORDS]
    if len(head) < 5 or head[0] != _HEAD_OF_WORDS or units[at + 6 : at + 7] != [_INSIDE]:
        raise _broken("words in a record")
    at += _HEAD_OF_WORDS
    while at < len(units) and units[at] != _OUTSIDE:
        if units[at] < 0x20 and units[at] not in _CONTROLS:
            raise Unsupported(f"control {units[at]:04X} in a record", code="jtd.unproven")
        shown.append(units[at])
        at += 1
    if tuple(units[at : at + 5]) != _FOOT_OF_WORDS:
        raise _broken("end of the words in a record")
    return at + 5


def _line(payload: list[int]) -> None:
    """A zero, then tags with so many values each, up to the end mark."""
    at = 1
    while at + 2 <= len(payload) and payload[at] != 0xFFFF:
        at += 2 + payload[at + 1]
    if payload[:1] != [0] or payload[at:] != [0xFFFF, 0]:
        raise _broken("head of a line")


def _cell(payload: list[int]) -> None:
    if len(payload) != 5 or payload[0] or payload[4]:
        raise _broken("cell of a ruled line")


def _numbers(payload: list[int]) -> None:
    if len(payload) > 64:
        raise _broken("record that is too long")


_KNOWN: Final[dict[int, Callable[[list[int]], None]]] = {_BEFORE: _numbers, _LINE: _line, _AREA: _numbers, _CELL: _cell}


def _broken(what: str) -> Malformed:
    return Malformed(f"text: {what}", code="jtd.malformed")
