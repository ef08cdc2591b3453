"""The block store that most streams of a document are (`SsmgV.01`): numbered runs of bytes in blocks, a directory of them behind.

Every block belongs to one run at most, every run ends where its length says, the directory ends where the stream ends.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.model import Malformed

MAGIC: Final = b"SsmgV.01"
_HEAD: Final = struct.Struct(">8sIII")
_ENTRY: Final = struct.Struct(">IIIII")
_BLOCK: Final = 256
_MOST: Final = 1 << 16  # runs of one store


class Run(NamedTuple):
    """`number`: its own, which others refer to."""

    number: int
    data: bytes


def read(stream: bytes) -> list[Run]:
    """The runs in the order of the directory. Raises Malformed for anything that does not fit exactly."""
    if len(stream) < _HEAD.size:
        raise _broken("head")
    magic, count, size, blocks = _HEAD.unpack_from(stream)
    at = _HEAD.size + size * blocks
    if magic != MAGIC or size != _BLOCK or count > _MOST or at + 4 > len(stream):
        raise _broken("head")
    taken = bytearray(blocks)
    found: list[Run] = []
    for _ in range(count):
        run, at = _run(stream, at, taken)
        found.append(run)
    if stream[at:] != bytes(4) or len({run.number for run in found}) != count:
        raise _broken("end of the directory")
    return found


def _run(stream: bytes, at: int, taken: bytearray) -> tuple[Run, int]:
    """The run of the directory's entry at `at`, and where the next entry is."""
    if at + _ENTRY.size > len(stream):
        raise _broken("directory")
    number, zero, length, count, again = _ENTRY.unpack_from(stream, at)
    at += _ENTRY.size
    if zero or count != again or count != -(-length // _BLOCK) or at + 4 * count > len(stream):
        raise _broken("entry of the directory")
    pieces: list[bytes] = []
    for block in struct.unpack_from(f">{count}I", stream, at):
        if block >= len(taken) or taken[block]:
            raise _broken("block that is missing or in two runs")
        taken[block] = 1
        start = _HEAD.size + block * _BLOCK
        pieces.append(stream[start : start + _BLOCK])
    return Run(number, b"".join(pieces)[:length]), at + 4 * count


def written(runs: list[Run]) -> bytes:
    """The runs one after the other, zeros where a block is not full."""
    blocks: list[bytes] = []
    directory: list[bytes] = []
    first = 0
    for run in runs:
        count = -(-len(run.data) // _BLOCK)
        blocks.append(run.data.ljust(count * _BLOCK, b"\0"))
        numbers = range(first, first + count)
        directory.append(_ENTRY.pack(run.number, 0, len(run.data), count, count) + struct.pack(f">{count}I", *numbers))
        first += count
    return b"".join((_HEAD.pack(MAGIC, len(runs), _BLOCK, first), *blocks, *directory, bytes(4)))


def _broken(what: str) -> Malformed:
    return Malformed(f"block store: {what}", code="jtd.malformed")
