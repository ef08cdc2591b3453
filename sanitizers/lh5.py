"""-lh5- alone, as Japanese programs put it into files of their own: blocks of Huffman codes over a window of eight kilobytes.

Spec: LHa for UNIX, header.doc.jp (methods); unpacked by libarchive.
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers import library
from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Malformed
from sanitizers.source import Source

METHOD: Final = b"-lh5-"
_SPARE: Final = 3  # bytes that a writer may leave behind the last code


def unpacked(packed: bytes, size: int, budget: Budget, crc: int | None = None) -> Source:
    """`size` bytes, of which `crc` is the CRC-16. Raises Malformed, also where bytes hide behind the last code, and LimitExceeded."""
    if size > budget.expanded_left:
        raise LimitExceeded(f"{size} bytes under {METHOD.decode()}")
    made = _read(packed, size, budget, crc)
    if len(packed) > _SPARE and _stands(packed[:-_SPARE], size, budget):
        raise Malformed("bytes behind the last code")
    return made


def _stands(packed: bytes, size: int, budget: Budget) -> bool:
    try:
        return len(_read(packed, size, budget, None)) == size
    except Malformed:
        return False


def _read(packed: bytes, size: int, budget: Budget, crc: int | None) -> Source:
    """Under a plain name, else libarchive would look for a table of characters; a head may end before the checksum."""
    fixed = METHOD + struct.pack("<IIIBBB", len(packed), size, 0, 0x20, 0, 1) + b"x" + (b"" if crc is None else struct.pack("<H", crc))
    member = bytes((len(fixed), sum(fixed) & 0xFF)) + fixed + packed + b"\0"
    with library.reading(member, "lha") as archive:
        for _ in archive.entries():
            made = archive.read(budget.expanded_left)
            budget.spend_bytes(len(made))
            if len(made) == size:
                return made
            break
    raise Malformed("compressed data that are cut off")
