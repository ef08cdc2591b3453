"""Compound files laid out anew from their streams: [MS-CFB] version 3, sectors of 512 bytes.

The same streams always make the same bytes: no times, no class ids but the root's, one order of sectors, zeros where a sector is not full.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sanitizers.cfb import MAGIC, Path
from sanitizers.model import LimitExceeded, Malformed

_SECTOR: Final = 512
_MINI: Final = 64
_CUTOFF: Final = 4096
_FAT_SECTOR, _DIFAT_SECTOR, _END, _NONE = 0xFFFF_FFFD, 0xFFFF_FFFC, 0xFFFF_FFFE, 0xFFFF_FFFF
_PER_SECTOR: Final = _SECTOR // 4  # numbers
_IN_HEADER: Final = 109  # FAT sectors that the header itself lists
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_RED, _BLACK = 0, 1
_LONGEST: Final = 31  # characters of a name
_FORBIDDEN: Final = frozenset("/\\:!")
_MOST: Final = (1 << 31) - 1  # bytes of a file of version 3


@dataclass(slots=True)
class _Entry:
    name: str
    kind: int
    data: bytes = b""
    children: dict[str, _Entry] = field(default_factory=dict)
    colour: int = _BLACK
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    start: int = _END


def write(streams: Mapping[Path, bytes], class_id: bytes = bytes(16)) -> bytes:
    """A compound file of these streams, by path; `class_id` of the root, 16 bytes. Raises Malformed for a name that may not be one."""
    if sum(map(len, streams.values())) > _MOST - (_MOST >> 5):
        raise LimitExceeded("streams of more than 2 GB")
    return _Layout(_tree(streams), class_id).whole()


def _tree(streams: Mapping[Path, bytes]) -> _Entry:
    root = _Entry("Root Entry", _ROOT)
    for path, data in streams.items():
        place = root
        for name in path[:-1]:
            place = place.children.setdefault(name, _Entry(name, _STORAGE))
        if place.kind == _STREAM or path[-1] in place.children:
            raise Malformed("a stream in the place of a storage", code="cfb.malformed")
        place.children[path[-1]] = _Entry(path[-1], _STREAM, data)
    return root


class _Layout:
    """The sectors behind the header, and the chain of each."""

    def __init__(self, root: _Entry, class_id: bytes) -> None:
        self._sectors: list[bytes] = []
        self._fat: list[int] = []
        self._class_id = class_id
        self._entries = [root]
        self._number(root)
        mini, mini_fat = self._mini_streams()
        for entry in self._entries:
            if entry.kind == _STREAM and len(entry.data) >= _CUTOFF:
                entry.start = self._chain(entry.data)
        root.data = mini
        root.start = self._chain(mini)
        self._mini_fat = self._chain(_table(mini_fat)), -(-len(mini_fat) // _PER_SECTOR)
        self._directory = self._chain(b"".join(self._written(entry) for entry in self._padded()))

    def whole(self) -> bytes:
        """The file."""
        difat = self._finish_fat()
        listed = difat[:_IN_HEADER] + [_NONE] * (_IN_HEADER - len(difat))
        extra = self._difat(difat[_IN_HEADER:])
        head = MAGIC + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
        head += struct.pack("<IIIIII", 0, len(difat), self._directory, 0, _CUTOFF, self._mini_fat[0])
        head += struct.pack(f"<III{_IN_HEADER}I", self._mini_fat[1], *extra, *listed)
        return head + b"".join(self._sectors) + _table(self._fat).ljust(len(difat) * _SECTOR, b"\xff") + self._difat_sectors(difat)

    def _number(self, storage: _Entry) -> None:
        """Numbers of the entries below a storage, and its tree of them: balanced, its lowest row red."""
        ordered = sorted(storage.children.values(), key=lambda entry: _order(entry.name))
        if len({_order(entry.name) for entry in ordered}) != len(ordered):
            raise Malformed("two entries of one name", code="cfb.malformed")
        first = len(self._entries)
        self._entries += ordered
        storage.child = _balanced(ordered, first)
        for entry in ordered:
            if entry.kind == _STORAGE:
                self._number(entry)

    def _mini_streams(self) -> tuple[bytes, list[int]]:
        """The small streams one after the other, and the chains of their mini sectors."""
        pieces: list[bytes] = []
        table: list[int] = []
        for entry in self._entries:
            if entry.kind == _STREAM and 0 < len(entry.data) < _CUTOFF:
                entry.start = len(table)
                count = -(-len(entry.data) // _MINI)
                pieces.append(entry.data.ljust(count * _MINI, b"\0"))
                table += [*range(entry.start + 1, entry.start + count), _END]
        return b"".join(pieces), table

    def _chain(self, data: bytes) -> int:
        """The number of its first sector."""
        if not data:
            return _END
        start, count = len(self._fat), -(-len(data) // _SECTOR)
        self._sectors.append(data.ljust(count * _SECTOR, b"\0"))
        self._fat += [*range(start + 1, start + count), _END]
        return start

    def _padded(self) -> Iterator[_Entry | None]:
        yield from self._entries
        yield from [None] * (-len(self._entries) % (_SECTOR // 128))

    def _written(self, entry: _Entry | None) -> bytes:
        if entry is None:
            return bytes(68) + struct.pack("<III", _NONE, _NONE, _NONE) + bytes(48)
        name = entry.name.encode("utf-16-le")
        if not 0 < len(name) <= 2 * _LONGEST or _FORBIDDEN & set(entry.name):
            raise Malformed("name of an entry", code="cfb.malformed")
        head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2, entry.kind, entry.colour)
        head += struct.pack("<III", entry.left, entry.right, entry.child)
        start = 0 if entry.kind == _STORAGE else entry.start
        return head + (self._class_id if entry.kind == _ROOT else bytes(16)) + bytes(20) + struct.pack("<IQ", start, len(entry.data))

    def _finish_fat(self) -> list[int]:
        """The FAT says of its own sectors, and of those that list it, what they are. Returns their numbers."""
        used, count, more = len(self._fat), 0, 0
        while count * _PER_SECTOR < used + count + more:
            count += 1
            more = -(-max(count - _IN_HEADER, 0) // (_PER_SECTOR - 1))
        self._fat += [_FAT_SECTOR] * count + [_DIFAT_SECTOR] * more
        return list(range(used, used + count))

    def _difat(self, beyond: list[int]) -> tuple[int, int]:
        """Where the list of FAT sectors goes on, and in how many sectors."""
        count = -(-len(beyond) // (_PER_SECTOR - 1))
        return (beyond[-1] + 1 if beyond else _END), count

    def _difat_sectors(self, numbers: list[int]) -> bytes:
        beyond, step = numbers[_IN_HEADER:], _PER_SECTOR - 1
        made: list[bytes] = []
        for at in range(0, len(beyond), step):
            listed = beyond[at : at + step]
            following = numbers[-1] + 2 + len(made) if at + step < len(beyond) else _END
            made.append(_table(listed + [_NONE] * (step - len(listed)) + [following]))
        return b"".join(made)


def _table(numbers: list[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers).ljust(-(-len(numbers) // _PER_SECTOR) * _SECTOR, b"\xff")


def _order(name: str) -> tuple[int, bytes]:
    """Shorter names first, then by their capital letters: [MS-CFB] 2.6.4."""
    units = name.encode("utf-16-le")
    return len(units), "".join(one.upper() if len(one.upper()) == 1 else one for one in name).encode("utf-16-be")


def _balanced(entries: list[_Entry], first: int) -> int:
    """A red-black tree over entries in order: every level full but the last, whose entries are red. Returns the number of its top."""
    deepest = len(entries).bit_length() - 1

    def place(low: int, high: int, depth: int) -> int:
        if low >= high:
            return _NONE
        middle = (low + high) // 2
        entry = entries[middle]
        entry.colour = _RED if depth == deepest and depth else _BLACK
        entry.left, entry.right = place(low, middle, depth + 1), place(middle + 1, high, depth + 1)
        return first + middle

    return place(0, len(entries), 0)
