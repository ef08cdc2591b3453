"""The only compound-file reader a format may use: [MS-CFB] with no tolerance for anything that two readers could see differently.

Every sector belongs to one chain at most, every chain ends where the size of its stream says, every entry hangs in the tree once. Files
that hide something live where these rules are broken. Slack, free sectors and what stands behind the last sector are never read.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded, Malformed
from sanitizers.source import Source

MAGIC: Final = bytes.fromhex("d0cf11e0a1b11ae1")

_HEADER: Final = 512
_LAST: Final = 0xFFFF_FFFA  # MAXREGSECT
_END: Final = 0xFFFF_FFFE  # ENDOFCHAIN
_NONE: Final = 0xFFFF_FFFF  # NOSTREAM, FREESECT
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_ENTRY: Final = 128
_MINI: Final = 64
_CUTOFF: Final = 4096
_IN_HEADER: Final = 109  # FAT sectors that the header itself lists
_MOST_ENTRIES: Final = 65_536
_DEEPEST: Final = 32

Path = tuple[str, ...]


class Stream(NamedTuple):
    """`start`: its first sector, or mini sector below 4,096 bytes; `size` in bytes."""

    start: int
    size: int


class _Entry(NamedTuple):
    name: str
    kind: int
    left: int
    right: int
    child: int
    class_id: bytes
    stream: Stream


class Compound:
    """`streams` and `storages` by path, in the spelling of the file; `class_id` of the root."""

    def __init__(self, source: Source, budget: Budget) -> None:
        self._data = source.view
        self._budget = budget
        self._size = _sector_size(self._data)
        self._sectors = (len(self._data) - 1) // self._size  # behind the header, the last one perhaps short
        self._taken = bytearray(self._sectors)
        self._fat = self._table()
        directory = self._chain(self._header(48), None)
        if len(directory) % _ENTRY:
            raise Malformed("a directory that is cut off", code="cfb.malformed")
        entries = [_entry(directory, at) for at in range(0, len(directory), _ENTRY)]
        if not entries or len(entries) > _MOST_ENTRIES or entries[0].kind != _ROOT:
            raise Malformed("compound file without a root", code="cfb.malformed")
        self.class_id = entries[0].class_id
        self._mini_fat = self._mini_table()
        self._mini = self._chain(entries[0].stream.start, entries[0].stream.size)
        self._mini_taken = bytearray(-(-len(self._mini) // _MINI))
        self.streams: dict[Path, Stream] = {}
        self.storages: dict[Path, bytes] = {}
        self._walk(entries)

    def find(self, *names: str) -> Path | None:
        """The path of a stream, whatever the case of its letters."""
        wanted = tuple(name.lower() for name in names)
        return next((path for path in self.streams if tuple(name.lower() for name in path) == wanted), None)

    def read(self, path: Path) -> bytes:
        """Once per stream. Raises Malformed where its chain is broken, and LimitExceeded."""
        stream = self.streams[path]
        if stream.size > len(self._data):
            raise Malformed("a stream is larger than its file", code="cfb.malformed")
        self._budget.spend_bytes(stream.size)
        if stream.size >= _CUTOFF:
            return self._chain(stream.start, stream.size)
        return self._mini_chain(stream)

    def _header(self, offset: int) -> int:
        value: int = struct.unpack_from("<I", self._data, offset)[0]
        return value

    def _sector(self, number: int) -> memoryview:
        """Each may be read once: it belongs to one chain."""
        if number >= self._sectors or self._taken[number]:
            raise Malformed(f"sector {number} is missing or in two chains", code="cfb.malformed")
        self._taken[number] = 1
        start = (number + 1) * self._size
        return self._data[start : start + self._size]

    def _table(self) -> list[int]:
        numbers = list(struct.unpack_from(f"<{_IN_HEADER}I", self._data, 76))
        following = self._header(68)
        while following < _LAST:
            listed = self._numbers(following)
            numbers += listed[:-1]
            following = listed[-1]
        fat: list[int] = []
        for number in numbers[: self._header(44)]:
            fat += self._numbers(number)
        return fat

    def _numbers(self, sector: int) -> list[int]:
        found = self._sector(sector)
        return list(struct.unpack(f"<{self._size // 4}I", bytes(found).ljust(self._size, b"\xff")))

    def _mini_table(self) -> tuple[int, ...]:
        table = self._chain(self._header(60), None) if self._header(64) else b""
        if len(table) % 4:
            raise Malformed("a table of mini sectors that is cut off", code="cfb.malformed")
        return struct.unpack(f"<{len(table) // 4}I", table)

    def _chain(self, sector: int, size: int | None) -> bytes:
        """The content from a first sector on: to its end, or as many bytes as the size says."""
        if size == 0:
            return b""
        pieces: list[memoryview] = []
        while sector < _LAST:
            pieces.append(self._sector(sector))
            if size is not None and len(pieces) * self._size >= size:
                break
            sector = self._fat[sector] if sector < len(self._fat) else _NONE
        else:
            if size is not None or sector != _END:
                raise Malformed("a chain of sectors is cut off", code="cfb.malformed")
        content = b"".join(pieces)
        # Writers leave out what would fill up the last sector of the file. No other sector can be short.
        return content.ljust(size, b"\0")[:size] if size is not None else content

    def _mini_chain(self, stream: Stream) -> bytes:
        pieces: list[bytes] = []
        sector = stream.start
        for _ in range(-(-stream.size // _MINI)):
            if sector >= len(self._mini_taken) or sector >= len(self._mini_fat) or self._mini_taken[sector]:
                raise Malformed(f"mini sector {sector} is missing or in two chains", code="cfb.malformed")
            self._mini_taken[sector] = 1
            pieces.append(self._mini[sector * _MINI : (sector + 1) * _MINI])
            sector = self._mini_fat[sector]
        content = b"".join(pieces)[: stream.size]
        if len(content) < stream.size:
            raise Malformed("a stream is cut off", code="cfb.malformed")
        return content

    def _walk(self, entries: list[_Entry]) -> None:
        """Every entry below the root, by the trees of siblings; red and black do not matter to a reader."""
        seen = {0}
        waiting: list[tuple[int, Path]] = [(entries[0].child, ())]
        while waiting:
            number, folder = waiting.pop()
            if number == _NONE:
                continue
            if number in seen or number >= len(entries):
                raise Malformed("an entry hangs in the directory twice", code="cfb.malformed")
            seen.add(number)
            entry = entries[number]
            waiting += ((entry.left, folder), (entry.right, folder))
            path = (*folder, entry.name)
            if entry.kind == _STORAGE:
                if len(path) > _DEEPEST:
                    raise LimitExceeded(f"storages nested deeper than {_DEEPEST}")
                self.storages[path] = entry.class_id
                waiting.append((entry.child, path))
            elif entry.kind == _STREAM:
                self.streams[path] = entry.stream
            else:
                raise Malformed(f"an entry of type {entry.kind}", code="cfb.malformed")
        names = [tuple(name.upper() for name in path) for path in (*self.streams, *self.storages)]
        if len(set(names)) != len(names) or len(names) != len(seen) - 1:
            raise Malformed("two entries of one name", code="cfb.malformed")


def _sector_size(data: memoryview) -> int:
    if len(data) < _HEADER + _ENTRY or data[:8] != MAGIC:
        raise Malformed("no compound file", code="cfb.malformed")
    version, order, shift, mini = struct.unpack_from("<HHHH", data, 26)
    cutoff = struct.unpack_from("<I", data, 56)[0]
    if order != 0xFFFE or (version, shift) not in ((3, 9), (4, 12)) or mini != 6 or cutoff != _CUTOFF:
        raise Malformed("header of a compound file", code="cfb.malformed")
    return 1 << int(shift)


def _entry(directory: bytes, at: int) -> _Entry:
    length, kind = struct.unpack_from("<HB", directory, at + 64)
    left, right, child = struct.unpack_from("<III", directory, at + 68)
    start, size = struct.unpack_from("<II", directory, at + 116)  # the upper half of a size is rubbish in version 3, and too large in 4
    if kind and (length > _MINI or length % 2):
        raise Malformed("name of an entry", code="cfb.malformed")
    name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
    return _Entry(name, kind, left, right, child, directory[at + 80 : at + 96], Stream(start, size))
