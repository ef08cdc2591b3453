"""The second opinion on workbooks that came as compound files: olefile and a flat walk of the records count what the xlsx must have."""

from __future__ import annotations

import io
import struct
from itertools import pairwise
from typing import Final

import olefile

from sanitizers.model import VerificationFailed
from sanitizers.source import Source

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
    written = [content for name, content in sorted(parts.items(), key=_number) if name.startswith("xl/worksheets/sheet")]
    if len(written) != len(sheets):
        raise VerificationFailed(f"{len(sheets)} sheets before, {len(written)} after")
    for at, content in zip(sheets, written, strict=True):
        before, after = _cells(stream, at), content.count(b"<c ")
        if before != after:
            raise VerificationFailed(f"{before} cells before, {after} after")


def _number(part: tuple[str, bytes]) -> tuple[int, str]:
    return len(part[0]), part[0]


def _workbook(original: Source) -> bytes:
    try:
        with olefile.OleFileIO(io.BytesIO(original.bytes())) as compound:
            names = {path[0].lower(): path for path in compound.listdir() if len(path) == 1}
            found: bytes = compound.openstream(names.get("workbook") or names["book"]).read()
            return found
    except (OSError, KeyError, IndexError, ValueError, struct.error) as error:
        raise VerificationFailed(f"olefile: {type(error).__name__}") from None


def _worksheets(stream: bytes) -> list[int] | None:
    """Offsets of the worksheets, macro sheets and charts left out; None for a locked workbook."""
    found: list[int] = []
    at = 0
    while at + 4 <= len(stream):
        kind, size = _HEAD.unpack_from(stream, at)
        if kind == _FILEPASS:
            return None
        if kind == _BOUNDSHEET and size > 5 and stream[at + 9] == 0:
            found.append(int.from_bytes(stream[at + 4 : at + 8], "little"))
        at += 4 + size
        if kind == _EOF:
            break
    return found


def _cells(stream: bytes, at: int) -> int:
    """Different cells: one may be written twice."""
    stretches: list[range] = []  # of cells beside each other, row and column in one number
    start = stop = depth = 0
    while at + 4 <= len(stream):
        kind, size = _HEAD.unpack_from(stream, at)
        at += 4
        width = _WIDTHS.get(kind)
        if width is not None and depth == 1 and size > 5:
            row, col = _HEAD.unpack_from(stream, at)
            first = row * _COLUMNS + col
            count = min((size - 6) // width if width else 1, _COLUMNS - col)
            if first != stop and count > 0:
                stretches.append(range(start, stop))
                start = first
            stop = first + count if count > 0 else stop
        elif kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
            if depth == 0:
                break
        at += size
    stretches.append(range(start, stop))
    if all(one.stop <= other.start for one, other in pairwise(stretches)):
        return sum(map(len, stretches))
    return len(set[int]().union(*stretches))
