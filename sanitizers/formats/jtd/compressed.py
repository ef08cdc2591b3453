"""Compressed documents (.jtdc, .jttc): one member of an LHa archive in the stream `JSCompDocument`, a document of its own."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers import lh5
from sanitizers.context import Context
from sanitizers.model import Malformed, Unsupported
from sanitizers.source import Source

_MARK: Final = b"JustCompressedDocument"
_FIXED: Final = 22  # bytes of the member's head before its name
_CRC_AND_SYSTEM: Final = 3


def inner(stream: bytes, context: Context) -> Source:
    """The document inside. Raises Malformed, Unsupported, LimitExceeded."""
    if len(stream) < 2 + len(_MARK) or stream[2 : 2 + len(_MARK)] != _MARK:
        raise Malformed("no compressed document", code="jtd.malformed")
    at = int.from_bytes(stream[:2], "little")
    head = stream[at : at + _FIXED]
    if len(head) < _FIXED or head[20] != 1 or head[2:7] != lh5.METHOD:
        raise Unsupported("a document that is compressed in an unusual way", code="jtd.unproven")
    packed, size = struct.unpack_from("<II", head, 7)
    start = at + 2 + head[0]
    name_end = at + _FIXED + head[21]
    (crc,) = struct.unpack_from("<H", stream.ljust(name_end + 2, b"\0"), name_end)
    more = stream[name_end + _CRC_AND_SYSTEM : start]
    if more != bytes(2) or sum(stream[at + 2 : start]) & 0xFF != head[1] or stream[start + packed :].strip(b"\0"):
        raise Malformed("head of a compressed document", code="jtd.malformed")
    return lh5.unpacked(stream[start : start + packed], size, context.budget, crc)
