"""Several delivered files as one zip, made as it is sent: stored, not compressed, with UTF-8 names, nothing but what APPNOTE 6.3 needs.

Sizes and check sums stand before each file, so that programs that read from the front agree with those that read from the end.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from sanitizers import names

_BLOCK: Final = 1 << 20
_UTF8: Final = 0x0800
_NEEDED: Final = 45                     # zip64
_DATE: Final = 0x0021                   # 1980-01-01, midnight: as our own archives have it
_BIG: Final = 0xFFFFFFFF
_MANY: Final = 0xFFFF


# (descriptor, bytes, offset) -> a block: os.pread in a thread.
Read = Callable[[int, int, int], Awaitable[bytes]]


class Stored(NamedTuple):
    """One file: the name it is to have, its size, and where its bytes are."""

    name: str
    size: int
    fd: int


def stream(files: Sequence[Stored], read: Read) -> AsyncIterator[bytes]:
    """The archive in pieces; each file is read twice. Raises ValueError when a file is not as long as it was said to be."""
    return _pieces(_named(files), read)


def _named(files: Sequence[Stored]) -> list[Stored]:
    """Safe names, each once."""
    taken: dict[str, int] = {}
    return [file._replace(name=names.numbered(names.safe(file.name), taken)) for file in files]


async def _pieces(files: Sequence[Stored], read: Read) -> AsyncIterator[bytes]:
    directory, offset = [], 0
    for file in files:
        crc = await _crc(file, read)
        head = _local(file, crc)
        directory.append(_central(file, crc, offset))
        yield head
        async for block in _blocks(file, read):
            yield block
        offset += len(head) + file.size
    central = b"".join(directory)
    yield central + _end(len(directory), len(central), offset)


async def _blocks(file: Stored, read: Read) -> AsyncIterator[bytes]:
    offset = 0
    while offset < file.size and (block := await read(file.fd, min(_BLOCK, file.size - offset), offset)):
        yield block
        offset += len(block)
    if offset != file.size:
        raise ValueError("a file is shorter than it was")


async def _crc(file: Stored, read: Read) -> int:
    crc = 0
    async for block in _blocks(file, read):
        crc = zlib.crc32(block, crc)
    return crc


def _local(file: Stored, crc: int) -> bytes:
    name = file.name.encode()
    extra = struct.pack("<HHQQ", 1, 16, file.size, file.size) if file.size >= _BIG else b""
    size = min(file.size, _BIG)
    fixed = struct.pack("<IHHHHHIIIHH", 0x04034B50, _NEEDED, _UTF8, 0, 0, _DATE, crc, size, size, len(name), len(extra))
    return fixed + name + extra


def _central(file: Stored, crc: int, offset: int) -> bytes:
    name = file.name.encode()
    long = [value for value in (file.size, file.size, offset) if value >= _BIG]
    extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    size = min(file.size, _BIG)
    fixed = struct.pack(
        "<IHHHHHHIIIHHHHHII", 0x02014B50, _NEEDED, _NEEDED, _UTF8, 0, 0, _DATE, crc, size, size, len(name), len(extra), 0, 0, 0, 0,
        min(offset, _BIG),
    )  # fmt: skip
    return fixed + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    last = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, min(count, _MANY), min(count, _MANY), min(size, _BIG), min(offset, _BIG), 0)
    if count < _MANY and size < _BIG and offset < _BIG:
        return last
    long = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, _NEEDED, _NEEDED, 0, 0, count, count, size, offset)
    return long + struct.pack("<IIQI", 0x07064B50, 0, offset + size, 1) + last
