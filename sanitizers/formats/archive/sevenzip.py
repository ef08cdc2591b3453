"""7z archives with a password: our own reader for what 7-Zip makes of documents, since libarchive cannot open them.

Archives without encryption do not come here. Source: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from sanitizers.formats.archive.pack import What
from sanitizers.formats.archive.sevenzip_streams import AES, UNREADABLE, Coder, Folder, Keys, decoded, is_locked
from sanitizers.model import LimitExceeded, Malformed, Unsupported

_END, _HEADER, _ENCODED = 0x00, 0x01, 0x17
_MAIN_STREAMS, _FILES, _PACK, _UNPACK, _SUBSTREAMS = 0x04, 0x05, 0x06, 0x07, 0x08
_SIZE, _CRC, _FOLDER, _UNPACK_SIZE, _COUNT = 0x09, 0x0A, 0x0B, 0x0C, 0x0D
_EMPTY_STREAM, _EMPTY_FILE, _NAMES, _ATTRIBUTES = 0x0E, 0x0F, 0x11, 0x15
_LONGEST_HEADER: Final = 64 << 20
_UNIX: Final = 0x8000              # attribute: the upper half is a Unix mode


class Member(NamedTuple):
    """One member; its content is `size` bytes at `start` of folder number `folder` (-1: it has none)."""

    name: str
    what: What
    folder: int
    start: int
    size: int
    crc: int | None


class Archive:
    """An opened 7z file. `content` decodes folder by folder and keeps the last. `locked`: something in it is encrypted."""

    def __init__(self, data: bytes, folders: list[Folder], members: tuple[Member, ...], keys: Keys, locked: bool) -> None:
        self._data = data
        self._folders = folders
        self._keys = keys
        self._last: tuple[int, bytes] = (-1, b"")
        self.members = members
        self.locked = locked or any(map(is_locked, folders))

    def content(self, member: Member, cap: int) -> bytes:
        """Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
        if member.folder < 0:
            return b""
        if self._last[0] != member.folder:
            self._last = (-1, b"")
            self._last = (member.folder, decoded(self._data, self._folders[member.folder], self._keys, cap))
        content = self._last[1][member.start : member.start + member.size]
        if member.crc is not None and zlib.crc32(content) != member.crc:
            raise Malformed("7z member fails its checksum", where=member.name, code="archive.malformed")
        return content


class _Cursor:
    """Reads forward through a header; past its end is Malformed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise Malformed("7z header is cut short", code="archive.malformed")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """The leading one bits of the first byte say how many more bytes follow; its rest is the highest part."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * index)
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        """A number of things of at least one byte or bit each that are still to come."""
        value = self.number()
        if value > 8 * (len(self._data) - self._at):
            raise Malformed("7z header counts too much", code="archive.malformed")
        return value

    def bits(self, count: int) -> list[bool]:
        raw = self.take((count + 7) // 8)
        return [bool(raw[index // 8] & 0x80 >> index % 8) for index in range(count)]

    def marked(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def checksums(self, count: int) -> list[int | None]:
        return [int.from_bytes(self.take(4), "little") if there else None for there in self.marked(count)]

    def expect(self, wanted: int) -> None:
        if self.byte() != wanted:
            raise Malformed("7z header", code="archive.malformed")


def open_archive(data: bytes, passwords: tuple[str, ...], most: int) -> Archive:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded (more than `most` members)."""
    keys = Keys(passwords)
    offset, size, crc = struct.unpack_from("<QQI", data, 12)
    header = data[32 + offset : 32 + offset + size]
    if len(header) != size or zlib.crc32(header) != crc:
        raise Malformed("7z header checksum", code="archive.malformed")
    locked = False
    for _ in range(4):       # a header may be packed more than once, but nobody does it more often than this
        cursor = _Cursor(header)
        kind = cursor.byte() if header else _END
        if kind in (_HEADER, _END):
            return _opened(data, cursor, keys, most, locked) if header else Archive(data, [], (), keys, locked=False)
        folders = _streams(cursor, most) if kind == _ENCODED else []
        if len(folders) != 1:
            break
        locked |= is_locked(folders[0])
        header = decoded(data, folders[0], keys, _LONGEST_HEADER)
    raise Malformed("7z header", code="archive.malformed")


def _opened(data: bytes, cursor: _Cursor, keys: Keys, most: int, locked: bool) -> Archive:
    folders: list[Folder] = []
    kind = cursor.byte()
    if kind == _MAIN_STREAMS:
        folders = _streams(cursor, most)
        kind = cursor.byte()
    members = _files(cursor, folders, most) if kind == _FILES else ()
    return Archive(data, folders, members, keys, locked)


def _streams(cursor: _Cursor, most: int) -> list[Folder]:
    """PackInfo, UnpackInfo and SubStreamsInfo."""
    at, packed = 0, list[int]()
    folders: list[Folder] = []
    kind = cursor.byte()
    if kind == _PACK:
        at, packed = 32 + cursor.number(), _packed(cursor)
        kind = cursor.byte()
    if kind == _UNPACK:
        folders = _folders(cursor, most)
        kind = cursor.byte()
    if len(folders) != len(packed):
        raise Unsupported("7z folder of several packed streams")
    for folder, size in zip(folders, packed, strict=True):
        folder.start, folder.packed = at, size
        at += size
    if kind == _SUBSTREAMS:
        _substreams(cursor, folders, most)
        kind = cursor.byte()
    else:
        for folder in folders:
            folder.parts = [(folder.sizes[-1], folder.crc)]
    if kind != _END:
        raise Malformed("7z header", code="archive.malformed")
    return folders


def _packed(cursor: _Cursor) -> list[int]:
    count = cursor.count()
    sizes: list[int] = []
    while (kind := cursor.byte()) != _END:
        if kind == _SIZE:
            sizes = [cursor.number() for _ in range(count)]
        elif kind == _CRC:
            cursor.checksums(count)
        else:
            raise Malformed("7z header", code="archive.malformed")
    return sizes


def _folders(cursor: _Cursor, most: int) -> list[Folder]:
    cursor.expect(_FOLDER)
    count = cursor.count()
    if count > most:
        raise LimitExceeded(f"more than {most} members")
    cursor.expect(0)         # not stored elsewhere
    chains = [_chain(cursor) for _ in range(count)]
    cursor.expect(_UNPACK_SIZE)
    for folder, order in chains:
        sizes = [cursor.number() for _ in order]
        folder.sizes = [sizes[index] for index in order]
    while (kind := cursor.byte()) != _END:
        if kind != _CRC:
            raise Malformed("7z header", code="archive.malformed")
        for (folder, _), crc in zip(chains, cursor.checksums(count), strict=True):
            folder.crc = crc
    return [folder for folder, _ in chains]


def _chain(cursor: _Cursor) -> tuple[Folder, list[int]]:
    """One folder's coders in the order in which they are undone, and their places in the header."""
    coders = []
    several = False
    for _ in range(cursor.count()):
        flags = cursor.byte()
        method = cursor.take(flags & 0x0F)
        if flags & 0x10:
            several = (cursor.number(), cursor.number()) != (1, 1) or several
        coders.append(Coder(method, cursor.take(cursor.count()) if flags & 0x20 else b""))
    if several:
        locked = any(coder.method == AES for coder in coders)
        raise Unsupported(UNREADABLE, code="archive.locked") if locked else Unsupported("7z coder with several streams")
    feeds = {}               # coder that gives -> coder that takes
    for _ in range(len(coders) - 1):
        takes = cursor.number()
        feeds[cursor.number()] = takes
    first = set(range(len(coders))) - set(feeds.values())
    order = [min(first)] if len(first) == 1 else []
    while order and order[-1] in feeds and len(order) <= len(coders):
        order.append(feeds[order[-1]])
    if not order or sorted(order) != list(range(len(coders))):
        raise Malformed("7z folder is no chain", code="archive.malformed")
    return Folder([coders[index] for index in order]), order


def _substreams(cursor: _Cursor, folders: list[Folder], most: int) -> None:
    counts = [1] * len(folders)
    kind = cursor.byte()
    if kind == _COUNT:
        counts = [cursor.number() for _ in folders]
        kind = cursor.byte()
    if sum(counts) > most:
        raise LimitExceeded(f"more than {most} members")
    sizes = []
    for folder, count in zip(folders, counts, strict=True):
        given = [cursor.number() if kind == _SIZE else 0 for _ in range(count - 1)]
        sizes.append([*given, folder.sizes[-1] - sum(given)] if count else [])
    kind = cursor.byte() if kind == _SIZE else kind
    known = [count == 1 and folder.crc is not None for folder, count in zip(folders, counts, strict=True)]
    crcs: list[int | None] = []
    while kind != _END:
        if kind != _CRC:
            raise Malformed("7z header", code="archive.malformed")
        crcs = cursor.checksums(sum(count for count, there in zip(counts, known, strict=True) if not there))
        kind = cursor.byte()
    left = iter(crcs)
    for folder, part, there in zip(folders, sizes, known, strict=True):
        if any(size < 0 for size in part):
            raise Malformed("7z sizes", code="archive.malformed")
        folder.parts = [(size, folder.crc if there else next(left, None)) for size in part]


def _files(cursor: _Cursor, folders: list[Folder], most: int) -> tuple[Member, ...]:
    count = cursor.number()
    if count > most:
        raise LimitExceeded(f"more than {most} members")
    names, attributes = list[str](), [0] * count
    empty, files = [False] * count, list[bool]()
    while (kind := cursor.number()) != _END:
        inner = _Cursor(cursor.take(cursor.count()))
        if kind == _EMPTY_STREAM:
            empty = inner.bits(count)
        elif kind == _EMPTY_FILE:
            files = inner.bits(sum(empty))
        elif kind == _NAMES:
            inner.expect(0)
            names = _names(inner, count)
        elif kind == _ATTRIBUTES:
            there = inner.marked(count)
            inner.expect(0)
            attributes = [int.from_bytes(inner.take(4), "little") if known else 0 for known in there]
    if len(names) != count:
        raise Malformed("7z names", code="archive.malformed")
    contents = iter(_contents(folders))
    plain = iter(files)
    members = []
    for name, attribute, nothing in zip(names, attributes, empty, strict=True):
        place = (-1, 0, 0, None) if nothing else next(contents, None)
        if place is None:
            raise Malformed("more 7z members than contents", code="archive.malformed")
        folder = nothing and not next(plain, False)
        members.append(Member(name, _what(attribute, folder), *place))
    return tuple(members)


def _names(cursor: _Cursor, count: int) -> list[str]:
    names = []
    for _ in range(count):
        raw = bytearray()
        while (unit := cursor.take(2)) != b"\0\0":
            raw += unit
        try:
            names.append(raw.decode("utf-16-le"))
        except UnicodeDecodeError:
            raise Malformed("7z name", code="archive.malformed") from None
    return names


def _contents(folders: list[Folder]) -> list[tuple[int, int, int, int | None]]:
    places = []
    for index, folder in enumerate(folders):
        start = 0
        for size, crc in folder.parts:
            places.append((index, start, size, crc))
            start += size
    return places


def _what(attribute: int, folder: bool) -> What:
    kind = attribute >> 16 & 0o170000 if attribute & _UNIX else 0
    if kind not in (0, 0o100000, 0o040000):
        return What.OTHER
    return What.FOLDER if folder else What.FILE


