"""The table of streams that 一太郎 keeps beside them (`\\x04JSRV_SegmentInformation`): it opens nothing whose sizes it finds different."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.model import Malformed

NAME: Final = "\x04JSRV_SegmentInformation"
_MARK: Final = b"VDA_DOC\0"
_FIRST, _ENTRY, _NAME = 0x90, 0x60, 64
_VERSIONS: Final = ((8, 14), (20, 36))  # of programs and of this table: all that the head says beside the count
_KINDS: Final = (0, 1, 2)


class Segment(NamedTuple):
    """`size` in bytes, 0 for a storage; `kind` as 一太郎 says it: 0 for a storage, 1 or 2 for streams."""

    name: str
    size: int
    kind: int


def read(table: bytes) -> list[Segment]:
    """Raises Malformed."""
    if len(table) < _FIRST or table[:8] != _MARK:
        raise _broken("head")
    first, size, count = struct.unpack_from("<HHH", table, 14)
    if (first, size) != (_FIRST, _ENTRY) or len(table) != _FIRST + _ENTRY * count:
        raise _broken("sizes")
    found = [_segment(table[at : at + _ENTRY]) for at in range(_FIRST, len(table), _ENTRY)]
    if len({one.name for one in found}) != count:
        raise _broken("two entries of one name")
    return found


def _segment(entry: bytes) -> Segment:
    name = entry[:_NAME].decode("utf-16-le", "replace").partition("\0")[0]
    zero, size, kind = struct.unpack_from("<III", entry, _NAME)
    if zero or kind not in _KINDS:
        raise _broken("entry")
    return Segment(name, size, kind)


def written(old: bytes, found: list[Segment]) -> bytes:
    """A table of these, with the versions of the old one."""
    head = bytearray(_FIRST)
    head[:8] = _MARK
    for start, end in _VERSIONS:
        head[start:end] = old[start:end]
    struct.pack_into("<HHH", head, 14, _FIRST, _ENTRY, len(found))
    entries = (one.name.encode("utf-16-le").ljust(_NAME, b"\0") + struct.pack("<III", 0, one.size, one.kind) for one in found)
    return bytes(head) + b"".join(entry.ljust(_ENTRY, b"\0") for entry in entries)


def _broken(what: str) -> Malformed:
    return Malformed(f"table of streams: {what}", code="jtd.malformed")
