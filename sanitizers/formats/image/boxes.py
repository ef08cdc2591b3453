"""Boxes of the ISO base media file format, as HEIF, AVIF and JPEG 2000 have them.

Spec: ISO/IEC 14496-12 section 4.2, ITU-T T.800 annex I.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from sanitizers.model import Malformed


class Box(NamedTuple):
    name: bytes
    start: int  # of the body
    end: int


def run(view: memoryview, at: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets. What is no box raises Malformed."""
    while at < end:
        if at + 8 > end:
            raise Malformed("ends inside a box", code="image.truncated")
        size, name = struct.unpack_from(">I4s", view, at)
        start = at + 8
        if size == 1 and at + 16 <= end:
            (size,) = struct.unpack_from(">Q", view, at + 8)
            start = at + 16
        elif size == 0:
            size = end - at
        if size < start - at or at + size > end:
            raise Malformed("box longer than what is around it", code="image.truncated")
        yield Box(name, start, at + size)
        at += size
