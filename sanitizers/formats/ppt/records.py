"""The record tree of a presentation: [MS-PPT] 2.3. What is read is checked to its end, what is written is laid out anew."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.model import LimitExceeded, Malformed

HEAD: Final = 8
_HEAD: Final = struct.Struct("<HHI")
CONTAINER: Final = 0x0F
_MOST: Final = 1 << 20  # records of one container

Data = bytes | memoryview


class Record(NamedTuple):
    """`kind`: its recType; `version` and `instance` of its head; `data`: its content, a view that costs nothing."""

    kind: int
    version: int
    instance: int
    data: memoryview


def children(data: Data) -> list[Record]:
    """All records of a container's content, one level deep. Raises Malformed for one that is cut off, and LimitExceeded."""
    view = memoryview(data)
    size = len(view)
    found: list[Record] = []
    unpack, record, append = _HEAD.unpack_from, Record, found.append
    at, last = 0, size - HEAD
    for _ in range(_MOST + 1):
        if at > last:
            break
        head, kind, length = unpack(view, at)
        start = at + HEAD
        at = start + length
        append(record(kind, head & 0x0F, head >> 4, view[start:at]))
    else:
        raise LimitExceeded("records of a container")
    if at != size:
        raise Malformed("a container ends within a record", code="ppt.malformed")
    return found


def one(data: Data, at: int) -> Record:
    """The record at an offset. Raises Malformed."""
    view = memoryview(data)
    if at + HEAD > len(view):
        raise Malformed(f"no record at {at}", code="ppt.malformed")
    head, kind, size = _HEAD.unpack_from(view, at)
    start = at + HEAD
    if start + size > len(view):
        raise Malformed(f"record {kind:04X} at {at} is cut off", code="ppt.malformed")
    return Record(kind, head & 0x0F, head >> 4, view[start : start + size])


def written(kind: int, content: bytes, version: int = 0, instance: int = 0) -> bytes:
    """A record with its head."""
    return _HEAD.pack(instance << 4 | version, kind, len(content)) + content


def container(kind: int, content: bytes, instance: int = 0) -> bytes:
    return written(kind, content, CONTAINER, instance)


def again(record: Record) -> bytes:
    """The same record, as it was."""
    return written(record.kind, bytes(record.data), record.version, record.instance)
