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
    if size > budget.expanded_left:
        raise LimitExceeded(f"{size} bytes under {METHOD.decode()}")
    with library.reading(_alone(packed, size + 1, crc), "lha") as archive:      # one byte more than that would be told of, too
        try:
            made = archive.first(budget.expanded_left)
        except Malformed as refusal:
            raise Malformed(f"compressed data: {refusal.detail}") from None
    budget.spend_bytes(len(made))
    if len(made) < size:
        raise Malformed("compressed data that are cut off")
    if len(made) > size:
        raise Malformed("more compressed data than are told of")
    return made


def _alone(packed: bytes, size: int, crc: int | None) -> bytes:
    """An archive of this alone, under a plain name: for any other libarchive would look for a table of characters.

    A head may end before the checksum.
    """
    fixed = METHOD + struct.pack("<IIIBBB", len(packed), size, 0, 0x20, 0, 1) + b"x" + (b"" if crc is None else struct.pack("<H", crc))
    return bytes((len(fixed), sum(fixed) & 0xFF)) + fixed + packed + b"\0"
