"""The second opinion on workbooks that came as compound files: olefile and a flat walk of the records count what the xlsx must have."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import compound

# Records of cells → bytes of each one that follows its row and column, 0 where there is one only.
_WIDTHS: Final = {**dict.fromkeys((0x0006, 0x0201, 0x0203, 0x0204, 0x0205, 0x00D6, 0x00FD, 0x027E), 0), 0x00BD: 6, 0x00BE: 2}
_BOUNDSHEET, _FILEPASS, _BOF, _EOF = 0x0085, 0x002F, 0x0809, 0x000A
_COLUMNS: Final = 256
_HEAD: Final = struct.Struct("<HH")


def compare(parts: dict[str, bytes], original: Source) -> None:
    """Raises VerificationFailed where sheets or cells are lost."""
    stream = _workbook(original)
    sheets = _worksheets(stream)
    if sheets is None:
        return  # locked: only the sanitizer has seen it
    written = sorted((name for name in parts if name.startswith("xl/worksheets/sheet")), key=_number)
    if len(written) != len(sheets):
        raise VerificationFailed(f"{len(sheets)} sheets before, {len(written)} after")
    for index, name in enumerate(written):
        before, after = _cells(stream, sheets[index]), parts[name].count(b"<c ")
        if before != after:
            raise VerificationFailed(f"{before} cells before, {after} after")


def _number(name: str) -> tuple[int, str]:
    return len(name), name


def _workbook(original: Source) -> bytes:
    with compound.opened(original) as streams:
        found: bytes = streams.openstream("Workbook" if streams.exists("Workbook") else "Book").read()
        return found


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and body; the last one may be cut."""
    while at + _HEAD.size <= len(stream):
        kind, size = _HEAD.unpack_from(stream, at)
        at += _HEAD.size + size
        yield kind, stream[at - size : at]


def _worksheets(stream: bytes) -> list[int] | None:
    """Offsets of the worksheets, macro sheets and charts left out; None for a locked workbook."""
    found: list[int] = []
    for kind, body in _records(stream, 0):
        if kind == _FILEPASS:
            return None
        if kind == _BOUNDSHEET and len(body) > 5 and body[5] == 0:
            found.append(int.from_bytes(body[:4], "little"))
        if kind == _EOF:
            break
    return found


def _cells(stream: bytes, at: int) -> int:
    """Different cells: one may be written twice."""
    stretches: list[tuple[int, int]] = []  # of cells beside each other, row and column in one number
    start = stop = depth = 0
    for kind, body in _records(stream, at):
        if depth == 1 and kind in _WIDTHS and len(body) > 5:
            row, column = _HEAD.unpack_from(body)
            width, first = _WIDTHS[kind], row * _COLUMNS + column
            if cells := range(first, first + min((len(body) - 6) // width if width else 1, _COLUMNS - column)):
                if first != stop:
                    stretches.append((start, stop))
                    start = first
                stop = cells.stop
        elif kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth == 0:
                break
    stretches.append((start, stop))
    found = end = 0
    for start, stop in sorted(stretches):
        found += max(0, stop - max(start, end))
        end = max(stop, end)
    return found
