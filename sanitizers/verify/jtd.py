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
_STORES: Final = (_TEXT, "Header", "Footnote")


def verify(output: Source, original: Source, _context: Context) -> None:
    """Raises VerificationFailed for anything foreign, for a table of streams that is wrong, and where words are lost."""
    made = compound.streams(output)
    if not {_TABLE, _TEXT} <= made.keys() <= _STREAMS:
        raise VerificationFailed(f"streams {sorted(made)}")
    given = compound.streams(original)
    try:
        if dict(_listed(made[_TABLE])) != {name: len(data) for name, data in made.items() if name != _TABLE}:
            raise VerificationFailed("the table of streams says something else")
        if _COMPRESSED in given:
            return  # only the sanitizer has unpacked it
        lost = [name for name in _STORES if name in given and _runs(given[name]) != _runs(made.get(name, b""))]
    except (struct.error, IndexError, ValueError) as error:
        raise VerificationFailed(f"streams: {type(error).__name__}") from None
    if lost:
        raise VerificationFailed(f"words are lost in {lost[0]}")


def _listed(table: bytes) -> list[tuple[str, int]]:
    (count,) = struct.unpack_from("<H", table, 18)
    entries = [table[at : at + 0x60] for at in range(0x90, 0x90 + 0x60 * count, 0x60)]
    return [(entry[:64].decode("utf-16-le").rstrip("\0"), int.from_bytes(entry[68:72], "little")) for entry in entries]


def _runs(stream: bytes) -> list[bytes]:
    """The bytes of each run, found through the directory behind the blocks."""
    if len(stream) < 20:
        return []
    _, size, blocks = struct.unpack_from(">III", stream, 8)
    at = 20 + size * blocks
    found: list[bytes] = []
    while at + 20 <= len(stream):
        _, _, length, count = struct.unpack_from(">IIII", stream, at)
        numbers = struct.unpack_from(f">{count}I", stream, at + 20)
        found.append(b"".join(stream[20 + size * one : 20 + size * (one + 1)] for one in numbers)[:length])
        at += 20 + 4 * count
    return found
