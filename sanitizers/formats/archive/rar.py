"""The headers of a RAR file, as far as they must be known before libarchive sees it: version, encryption, volumes.

Sources: RAR 5.0 archive format; the technote of RAR 2.x to 4.x.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.model import LimitExceeded, Malformed, Unsupported

RAR4: Final = b"Rar!\x1a\x07\x00"
RAR5: Final = b"Rar!\x1a\x07\x01\x00"
MAIN5, FILE5, SERVICE5, CRYPT5, END5 = range(1, 6)
MAIN4, FILE4, SERVICE4, END4 = 0x73, 0x74, 0x7A, 0x7B
VOLUME4, LOCKED_HEADERS4 = 0x01, 0x80          # flags of a main header
LOCKED4, LARGE4, SALT4, HAS_DATA4 = 0x04, 0x100, 0x400, 0x8000
MOST_BLOCKS: Final = 100_000
_CRYPT: Final = 1                  # record of an extra area: this file is locked


class Block(NamedTuple):
    """One RAR 5 block; its data lies from `start` to `end`."""

    kind: int
    body: bytes       # the header after its general fields
    extra: bytes
    start: int
    end: int


def form(data: bytes) -> str:
    """libarchive's name for the version. Raises Malformed for neither."""
    if data.startswith(RAR5):
        return "rar5"
    if data.startswith(RAR4):
        return "rar"
    raise Malformed("no RAR signature at the start", code="archive.malformed")


def is_locked(data: bytes) -> bool:
    """Whether headers or members are encrypted. Raises Malformed, LimitExceeded, and Unsupported for a volume of a split set."""
    return _is_locked5(data) if form(data) == "rar5" else _is_locked4(data)


def _is_locked5(data: bytes) -> bool:
    if len(data) < len(RAR5) + 7:
        raise Malformed("RAR file without headers", code="archive.malformed")
    for block in blocks5(data):
        if block.kind == CRYPT5:
            return True
        if block.kind == MAIN5 and number(block.body, 0)[0] & 1:
            raise Unsupported("split archive", code="archive.multi_volume")
        if block.kind in (FILE5, SERVICE5) and any(kind == _CRYPT for kind, _ in records(block.extra)):
            return True
        if block.kind == END5:
            break
    return False


def blocks5(data: bytes) -> Iterator[Block]:
    """Of a RAR 5, up to the end of the file. Raises Malformed, LimitExceeded."""
    at = len(RAR5)
    for _ in range(MOST_BLOCKS):
        if at + 7 > len(data):
            return
        size, begin = number(data, at + 4)
        block = block5(data, at, begin + size)
        yield block
        at = block.end
    raise LimitExceeded(f"more than {MOST_BLOCKS} blocks")


def block5(data: bytes, at: int, stop: int) -> Block:
    """The block whose header lies from `at` to `stop`; its data follows. Raises Malformed."""
    _, place = number(data, at + 4)
    kind, place = number(data, place)
    flags, place = number(data, place)
    extra = packed = 0
    if flags & 1:
        extra, place = number(data, place)
    if flags & 2:
        packed, place = number(data, place)
    if not place <= stop <= len(data) or extra > stop - place:
        raise Malformed("RAR header runs over", code="archive.malformed")
    return Block(kind, data[place : stop - extra], data[stop - extra : stop], stop, stop + packed)


def records(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of an extra area: type and content."""
    at = 0
    while at < len(extra):
        size, begin = number(extra, at)
        kind, place = number(extra, begin)
        at = begin + max(size, 1)
        yield kind, extra[place:at]


def number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer, seven bits a byte, and where it ends. Raises Malformed."""
    value = 0
    for index, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise Malformed("RAR number runs over", code="archive.malformed")


def _is_locked4(data: bytes) -> bool:
    at = len(RAR4)
    if len(data) < at + 13 or data[at + 2] != MAIN4:
        raise Malformed("RAR file without its main header", code="archive.malformed")
    for _ in range(MOST_BLOCKS):
        if at + 7 > len(data):
            return False
        head = data[at : at + 36]
        kind, flags, size = head[2], int.from_bytes(head[3:5], "little"), int.from_bytes(head[5:7], "little")
        if size < 7:
            raise Malformed("RAR header too short", code="archive.malformed")
        if kind == MAIN4 and flags & VOLUME4:
            raise Unsupported("split archive", code="archive.multi_volume")
        if (kind == MAIN4 and flags & LOCKED_HEADERS4) or (kind == FILE4 and flags & LOCKED4):
            return True
        at += size + packed4(head)
        if kind == END4:
            return False
    raise LimitExceeded(f"more than {MOST_BLOCKS} blocks")


def packed4(head: bytes) -> int:
    """How many bytes of data follow a header."""
    kind, flags = head[2], int.from_bytes(head[3:5], "little")
    packed = int.from_bytes(head[7:11], "little") if flags & HAS_DATA4 or kind in (FILE4, SERVICE4) else 0
    if kind == FILE4 and flags & LARGE4 and len(head) >= 36:
        packed |= int.from_bytes(head[32:36], "little") << 32
    return packed
