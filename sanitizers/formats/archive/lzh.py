"""LHa archives (.lzh): our own reader for headers and names, libarchive for the bit streams of -lh5- to -lh7-.

libarchive cannot give CP932 names without opening a character set table, so each member's data is handed to it alone, under a plain
name. -lh4- is -lh5- with a smaller window and read as such; -lh0- and -lz4- are stored. -lh1-, -lz5- and older ones: Unsupported.
Source: the LHa header description of LHa for UNIX 1.14i (header.doc.md), levels 0 to 3.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers import library, names
from sanitizers.formats.archive.pack import What
from sanitizers.model import LimitExceeded, Malformed, Unsupported
from sanitizers.source import Source

_STORED: Final = (b"-lh0-", b"-lz4-")
_SQUEEZED: Final = {b"-lh4-": b"-lh5-", b"-lh5-": b"-lh5-", b"-lh6-": b"-lh6-", b"-lh7-": b"-lh7-"}
_FOLDER: Final = b"-lhd-"
_NAME, _FOLDER_NAME, _UNICODE_NAME, _UNICODE_FOLDER, _UNIX_MODE = 0x01, 0x02, 0x44, 0x45, 0x50
_SYMLINK_MODE: Final = 0o120000
_SEPARATOR: Final = b"\xff"        # between folders in extended headers; the lead byte of no CP932 character


class Member(NamedTuple):
    """One member; `start` and `packed` in bytes locate its data."""

    name: str
    guessed: bool
    what: What
    method: bytes
    packed: int
    size: int
    crc: int
    start: int


class _Header(NamedTuple):
    """The fixed part, the same in all levels but for where the name and the extended headers lie."""

    method: bytes
    packed: int
    size: int
    name: bytes
    crc: int
    fields: dict[int, bytes]
    start: int


def members(data: bytes, most: int) -> tuple[Member, ...]:
    """All members up to the end byte. `most`: LimitExceeded beyond it. Raises Malformed."""
    found: list[Member] = []
    at = 0
    while at < len(data) and data[at]:
        if len(found) >= most:
            raise LimitExceeded(f"more than {most} members")
        header = _header(data, at)
        if header.start + header.packed > len(data):
            raise Malformed("LZH member is cut short", code="archive.malformed")
        found.append(_member(header))
        at = header.start + header.packed
    if not found:
        raise Malformed("no LZH member", code="archive.malformed")
    if data[at:].strip(b"\0\x1a"):
        raise Malformed("data after the end of the LZH archive", code="archive.trailing_data")
    return tuple(found)


def read(data: bytes, member: Member, cap: int) -> Source:
    """A file's content, its size and CRC-16 checked. Raises Malformed, Unsupported, LimitExceeded."""
    packed = data[member.start : member.start + member.packed]
    if member.size > cap:
        raise LimitExceeded(f"member of {member.size} bytes", where=member.name)
    if member.method in _STORED:
        method = b"-lh0-"
    elif member.method in _SQUEEZED:
        method = _SQUEEZED[member.method]
    else:
        raise Unsupported(f"LZH method {member.method.decode('ascii', 'replace')}", where=member.name)
    with library.reading(_alone(method, packed, member), "lha") as opened:
        content = opened.first(member.size)
    if len(content) != member.size:
        raise Malformed("LZH member has another size than declared", where=member.name, code="archive.malformed")
    return content


def _alone(method: bytes, packed: bytes, member: Member) -> bytes:
    """An archive of this member alone: level 0, named "x"."""
    body = method + struct.pack("<IIIBBB", len(packed), member.size, 0, 0x20, 0, 1) + b"x" + struct.pack("<H", member.crc)
    return bytes([len(body), sum(body) & 0xFF]) + body + packed + b"\0"


def _header(data: bytes, at: int) -> _Header:
    if at + 22 > len(data) or data[at + 2 : at + 3] != b"-":
        raise Malformed("LZH header", code="archive.malformed")
    level = data[at + 20]
    if level in (2, 3):
        return _level2(data, at, wide=level == 3)
    if level > 3:
        raise Unsupported(f"LZH header level {level}")
    stop = at + 2 + data[at]
    length = data[at + 21]
    name_end = at + 22 + length
    if name_end + 2 > stop or stop > len(data) or sum(data[at + 2 : stop]) & 0xFF != data[at + 1]:
        raise Malformed("LZH header checksum", code="archive.malformed")
    packed, size = struct.unpack_from("<II", data, at + 7)
    crc = int.from_bytes(data[name_end : name_end + 2], "little")
    fields: dict[int, bytes] = {}
    start = stop
    if level == 1:      # the last two bytes of the base header give the size of the first extended one; `packed` counts them all
        start, fields = _fields(data, stop - 2)
        packed -= start - stop
    if packed < 0:
        raise Malformed("LZH header sizes", code="archive.malformed")
    return _Header(data[at + 2 : at + 7], packed, size, data[at + 22 : name_end], crc, fields, start)


def _level2(data: bytes, at: int, *, wide: bool) -> _Header:
    """Levels 2 and 3, which differ in the width of their sizes."""
    packed, size = struct.unpack_from("<II", data, at + 7)
    crc = int.from_bytes(data[at + 21 : at + 23], "little")
    if wide:
        if data[at : at + 2] != b"\x04\x00" or at + 32 > len(data):
            raise Malformed("LZH header", code="archive.malformed")
        end, fields = _fields(data, at + 28, 4)
        start = at + int.from_bytes(data[at + 24 : at + 28], "little")
    else:
        end, fields = _fields(data, at + 24)
        start = at + int.from_bytes(data[at : at + 2], "little")
    if not end <= start <= min(end + 1, len(data)):     # one byte of padding is allowed, so that the size never ends in a zero byte
        raise Malformed("LZH header sizes", code="archive.malformed")
    return _Header(data[at + 2 : at + 7], packed, size, b"", crc, fields, start)


def _fields(data: bytes, at: int, width: int = 2) -> tuple[int, dict[int, bytes]]:
    """The chain of extended headers whose first size lies at `at`; where it ends, and the headers by type."""
    fields: dict[int, bytes] = {}
    while True:
        size = int.from_bytes(data[at : at + width], "little")
        at += width
        if not size:
            return at, fields
        if size < width + 1 or at + size > len(data):
            raise Malformed("LZH extended header", code="archive.malformed")
        kind = data[at]
        if kind in fields:
            raise Malformed("LZH extended header twice", code="archive.malformed")
        fields[kind] = data[at + 1 : at + size - width]
        at += size - width


def _member(header: _Header) -> Member:
    name, guessed = _name(header)
    mode = int.from_bytes(header.fields.get(_UNIX_MODE, b""), "little")
    what = What.FILE
    if mode & 0o170000 == _SYMLINK_MODE or "|" in name:     # LHa writes a link as "name|target"
        what = What.OTHER
    elif header.method == _FOLDER:
        what = What.FOLDER
    return Member(name, guessed, what, header.method, header.packed, header.size, header.crc, header.start)


def _name(header: _Header) -> tuple[str, bool]:
    fields = header.fields
    if _UNICODE_NAME in fields or _UNICODE_FOLDER in fields:
        folder = _utf16(fields.get(_UNICODE_FOLDER, b""))
        return folder + _utf16(fields.get(_UNICODE_NAME, b"")), False
    folder_raw = fields.get(_FOLDER_NAME, b"")
    raw = fields.get(_NAME, header.name)
    if b"\0" in raw or b"\0" in folder_raw:     # Amiga: a comment after the name
        raw = raw.partition(b"\0")[0]
        folder_raw = folder_raw.partition(b"\0")[0]
    steps = [names.decode_unmarked(step) for step in (*folder_raw.split(_SEPARATOR), raw)]
    joined = "/".join(text for text, _ in steps if text)
    return joined.replace("\\", "/"), any(guessed for _, guessed in steps)


def _utf16(raw: bytes) -> str:
    try:
        return raw.decode("utf-16-le").replace("\uffff", "/")
    except UnicodeDecodeError:
        raise Malformed("LZH Unicode name", code="archive.malformed") from None
