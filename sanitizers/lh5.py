"""-lh5- alone, as Japanese programs put it into files of their own: blocks of Huffman codes over a window of eight kilobytes.

Spec: LHa for UNIX, header.doc.jp (methods). libarchive unpacks it.
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers import library
from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Malformed
from sanitizers.source import Source

METHOD: Final = b"-lh5-"


def unpacked(packed: bytes, size: int, budget: Budget, crc: int | None = None) -> Source:
    """`size` bytes; `crc`: their CRC-16 where it is known. Raises Malformed, also where there is more than that, and LimitExceeded."""
    made = _read(packed, size, budget, crc)
    if made is None:
        raise Malformed("compressed data that are cut off")
    if _read(packed, size + 1, budget, None) is not None:
        raise Malformed("more compressed data than are told of")
    return made


def _read(packed: bytes, size: int, budget: Budget, crc: int | None) -> Source | None:
    """None where there is less. libarchive sees a member under a plain name: it would look for a table of characters for any other.

    A head may end before the checksum.
    """
    if size > budget.expanded_left:
        raise LimitExceeded(f"{size} bytes under {METHOD.decode()}")
    fixed = METHOD + struct.pack("<IIIBBB", len(packed), size, 0, 0x20, 0, 1) + b"x" + (b"" if crc is None else struct.pack("<H", crc))
    member = bytes((len(fixed), sum(fixed) & 0xFF)) + fixed + packed + b"\0"
    with library.reading(member, "lha") as archive:
        try:
            made = archive.first(budget.expanded_left)
        except Malformed:
            return None
    budget.spend_bytes(len(made))
    return made if len(made) == size else None
