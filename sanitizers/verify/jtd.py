"""The second opinion on 一太郎 documents: olefile for the streams, a search of its own for the words."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import compound

_TABLE, _TEXT, _COMPRESSED = "\x04JSRV_SegmentInformation", "DocumentText", "JSCompDocument"
_STREAMS: Final = frozenset({
    _TABLE, _TEXT, "Font", "Header", "Footnote", "DocumentViewStyles", "DocumentEditStyles", "DocumentPeripheralThree",
    "\x05SummaryInformation",
})  # fmt: skip
_ROW: Final = struct.Struct("<64s4xI24x")  # of the table: name and size
_STORES: Final = (_TEXT, "Header", "Footnote")


def verify(output: Source, original: Source, _context: Context) -> None:
    """Raises VerificationFailed for anything foreign, for a table of streams that is wrong, and where words are lost."""
    made = compound.streams(output)
    if not {_TABLE, _TEXT} <= made.keys() <= _STREAMS:
        raise VerificationFailed(f"streams {sorted(made)}")
    given = compound.streams(original)
    try:
        if _listed(made[_TABLE]) != sorted((name, len(data)) for name, data in made.items() if name != _TABLE):
            raise VerificationFailed("the table of streams says something else")
        if _COMPRESSED in given:
            return  # only the sanitizer has unpacked it
        lost = [name for name in _STORES if name in given and runs(given[name]) != runs(made.get(name, b""))]
    except (struct.error, UnicodeDecodeError) as error:
        raise VerificationFailed(f"streams: {type(error).__name__}") from None
    if lost:
        raise VerificationFailed(f"words are lost in {lost[0]}")


def _listed(table: bytes) -> list[tuple[str, int]]:
    (count,) = struct.unpack_from("<H", table, 18)
    rows = sorted((name.decode("utf-16-le").rstrip("\0"), size) for name, size in _ROW.iter_unpack(table[0x90:]))
    if len(rows) != count:
        raise VerificationFailed("the table of streams has another length")
    return rows


def runs(stream: bytes) -> list[tuple[int, bytes]]:
    """Number and bytes of each run, found through the directory behind the blocks; none in an empty stream. Raises struct.error."""
    if not stream:
        return []
    size, blocks = struct.unpack_from(">II", stream, 12)
    at = 20 + size * blocks
    found: list[tuple[int, bytes]] = []
    while at + 20 <= len(stream):
        number, _, length, count = struct.unpack_from(">IIII", stream, at)
        places = struct.unpack_from(f">{count}I", stream, at + 20)
        found.append((number, b"".join(stream[20 + size * one : 20 + size * (one + 1)] for one in places)[:length]))
        at += 20 + 4 * count
    return found
