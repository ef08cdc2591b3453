"""What must be known of a RAR file before libarchive sees it: its version, encryption, volumes.

Sources: RAR 5.0 archive format; the technote of RAR 2.x to 4.x.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.model import Encrypted, Malformed, Unsupported

_RAR4: Final = b"Rar!\x1a\x07\x00"
_RAR5: Final = b"Rar!\x1a\x07\x01\x00"
_LOCKED: Final = "encrypted RAR, which cannot be opened here even with its password"
_MOST_BLOCKS: Final = 100_000


class _Block(NamedTuple):
    kind: int
    flags: int
    body: bytes       # RAR5: header after the flags; RAR4: header after the size
    extra: bytes      # RAR5 only: the extra area


def form(data: bytes) -> str:
    """libarchive's name for the version. Raises Malformed for neither."""
    if data.startswith(_RAR5):
        return "rar5"
    if data.startswith(_RAR4):
        return "rar"
    raise Malformed("no RAR signature at the start", code="archive.malformed")


def refuse_locked(data: bytes) -> None:
    """Raise Encrypted for encrypted headers or members, Unsupported for a volume of a split set."""
    if form(data) == "rar5":
        _refuse_locked5(data)
    else:
        _refuse_locked4(data)


def _refuse_locked5(data: bytes) -> None:
    if len(data) < len(_RAR5) + 7:
        raise Malformed("RAR file without headers", code="archive.malformed")
    for block in _blocks5(data):
        if block.kind == 4:
            raise Encrypted(f"{_LOCKED}, list of members included")
        if block.kind == 1 and _number(block.body, 0)[0] & 1:
            raise Unsupported("split archive", code="archive.multi_volume")
        if block.kind in (2, 3) and any(record == 1 for record in _records(block.extra)):
            raise Encrypted(_LOCKED)
        if block.kind == 5:
            return


def _blocks5(data: bytes) -> Iterator[_Block]:
    at = len(_RAR5)
    for _ in range(_MOST_BLOCKS):
        if at + 7 > len(data):
            return
        size, begin = _number(data, at + 4)
        stop = begin + size
        kind, place = _number(data, begin)
        flags, place = _number(data, place)
        extra = packed = 0
        if flags & 1:
            extra, place = _number(data, place)
        if flags & 2:
            packed, place = _number(data, place)
        if not place <= stop <= len(data) or extra > stop - place:
            raise Malformed("RAR header runs over", code="archive.malformed")
        yield _Block(kind, flags, data[place : stop - extra], data[stop - extra : stop])
        at = stop + packed


def _records(extra: bytes) -> Iterator[int]:
    """The types of the records in an extra area."""
    at = 0
    while at < len(extra):
        size, begin = _number(extra, at)
        kind, _ = _number(extra, begin)
        yield kind
        at = begin + max(size, 1)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer, seven bits a byte, and where it ends."""
    value = 0
    for index, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise Malformed("RAR number runs over", code="archive.malformed")


def _refuse_locked4(data: bytes) -> None:
    at = len(_RAR4)
    if len(data) < at + 13 or data[at + 2] != 0x73:
        raise Malformed("RAR file without its main header", code="archive.malformed")
    for _ in range(_MOST_BLOCKS):
        if at + 7 > len(data):
            return
        kind = data[at + 2]
        flags = int.from_bytes(data[at + 3 : at + 5], "little")
        size = int.from_bytes(data[at + 5 : at + 7], "little")
        if size < 7:
            raise Malformed("RAR header too short", code="archive.malformed")
        if kind == 0x73 and flags & 0x80:
            raise Encrypted(f"{_LOCKED}, list of members included")
        if kind == 0x73 and flags & 0x01:
            raise Unsupported("split archive", code="archive.multi_volume")
        if kind == 0x74 and flags & 0x04:
            raise Encrypted(_LOCKED)
        packed = int.from_bytes(data[at + 7 : at + 11], "little") if flags & 0x8000 or kind in (0x74, 0x7A) else 0
        if kind == 0x74 and flags & 0x100 and at + 36 <= len(data):
            packed |= int.from_bytes(data[at + 32 : at + 36], "little") << 32
        at += size + packed
        if kind == 0x7B:
            return
