"""The records of a ZIP file as they lie in its bytes, each checked for its own shape. APPNOTE.TXT 6.3.10, section 4.3."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.model import Malformed, Unsupported

LOCAL: Final = b"PK\x03\x04"
CENTRAL: Final = b"PK\x01\x02"
END: Final = b"PK\x05\x06"
END64: Final = b"PK\x06\x06"
LOCATOR64: Final = b"PK\x06\x07"
DESCRIPTOR: Final = b"PK\x07\x08"

LOCAL_RECORD: Final = struct.Struct("<4s5H3I2H")
CENTRAL_RECORD: Final = struct.Struct("<4s6H3I5H2I")
END_RECORD: Final = struct.Struct("<4s4H2IH")
_END64_RECORD: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64_RECORD: Final = struct.Struct("<4sIQI")

FLAG_ENCRYPTED: Final = 1 << 0
FLAG_DESCRIPTOR: Final = 1 << 3
FLAG_PATCHED: Final = 1 << 5
FLAG_STRONG: Final = 1 << 6
FLAG_UTF8: Final = 1 << 11
FLAG_MASKED: Final = 1 << 13

STORED: Final = 0

MAX16: Final = 0xFFFF
MAX32: Final = 0xFFFFFFFF
_EXTRA_ZIP64: Final = 0x0001
_EXTRA_UNICODE_PATH: Final = 0x7075
_EXTRA_AES: Final = 0x9901


class End(NamedTuple):
    """Where the central directory is and what ends the file."""

    members: int
    offset: int           # of the first central record
    size: int             # of all central records, bytes
    comment: int          # length of the archive comment, bytes
    directory_end: int    # where the end records begin


class Aes(NamedTuple):
    """The 0x9901 field: AE-1 or AE-2, key strength (1, 2, 3 for 128, 192, 256 bits), the real compression method."""

    vendor: int
    strength: int
    method: int


class Header(NamedTuple):
    """What a local and a central record both say. Sizes in bytes, already widened by ZIP64."""

    flags: int
    method: int
    time: int             # of change, in DOS form
    crc: int
    packed: int
    size: int
    name: bytes
    unicode_path: str | None
    aes: Aes | None
    fields: frozenset[int]    # ids of its extra fields


class Central(NamedTuple):
    header: Header
    offset: int           # of the local record
    attributes: int       # external
    comment: int          # bytes of entry comment


def find_end(data: memoryview) -> End:
    """The one end record. Raises Malformed where two could be meant or bytes follow it, Unsupported for a split set."""
    tail_start = max(0, len(data) - END_RECORD.size - MAX16)
    tail = bytes(data[tail_start:])
    at = tail.rfind(END)
    if at < 0:
        raise Malformed("no end of central directory", code="zip.malformed")
    if at + END_RECORD.size > len(tail):
        raise Malformed("truncated end of central directory", code="zip.malformed")
    _, disk, start_disk, here, count, size, offset, comment = END_RECORD.unpack_from(tail, at)
    if at + END_RECORD.size + comment != len(tail):
        raise Malformed("the file does not end where its end record says", code="zip.trailing_data")
    _refuse_second_end(tail, at)
    if b"PK" in tail[at + END_RECORD.size :] and any(mark in tail[at + 22 :] for mark in (LOCAL, CENTRAL, END64, LOCATOR64)):
        raise Malformed("records hidden in the archive comment", code="zip.two_ends")
    end = End(count, offset, size, comment, tail_start + at)
    locator = end.directory_end - _LOCATOR64_RECORD.size
    if locator >= 0 and bytes(data[locator : locator + 4]) == LOCATOR64:
        return _widened(data, end, (disk, start_disk, here), locator)
    if disk or start_disk or here != count:
        raise Unsupported("multi-volume archive", code="archive.multi_volume")
    return end


def _refuse_second_end(tail: bytes, at: int) -> None:
    """An earlier end record whose comment also reaches the end of the file exactly is a second reading of the same bytes."""
    earlier = tail.rfind(END, 0, at)
    while earlier >= 0:
        if earlier + END_RECORD.size + int.from_bytes(tail[earlier + 20 : earlier + 22], "little") == len(tail):
            raise Malformed("two end records", code="zip.two_ends")
        earlier = tail.rfind(END, 0, earlier)


def _widened(data: memoryview, end: End, narrow: tuple[int, int, int], locator: int) -> End:
    """The ZIP64 end record; every 32-bit field beside it is either at its maximum or says the same."""
    _, disk_of_end, end_offset, disks = _LOCATOR64_RECORD.unpack_from(data, locator)
    if end_offset + _END64_RECORD.size != locator or bytes(data[end_offset : end_offset + 4]) != END64:
        raise Malformed("ZIP64 end record is not where its locator says", code="zip.zip64")
    _, length, _, _, disk, start_disk, here, count, size, offset = _END64_RECORD.unpack_from(data, end_offset)
    if disk_of_end or disks > 1 or disk or start_disk or here != count:
        raise Unsupported("multi-volume archive", code="archive.multi_volume")
    pairs = ((narrow[0], 0, MAX16), (narrow[1], 0, MAX16), (narrow[2], count, MAX16), (end.members, count, MAX16))
    wide = ((end.size, size, MAX32), (end.offset, offset, MAX32))
    if length + 12 != _END64_RECORD.size or any(said not in (meant, top) for said, meant, top in (*pairs, *wide)):
        raise Malformed("ZIP64 and plain end record disagree", code="zip.zip64")
    return End(count, offset, size, end.comment, end_offset)


def centrals(data: memoryview, end: End) -> Iterator[Central]:
    """Every central record; together they fill the central directory exactly. Raises Malformed."""
    if end.offset + end.size != end.directory_end:
        raise Malformed("the central directory is not where the end record says", code="zip.directory")
    at, stop = end.offset, end.directory_end
    for _ in range(end.members):
        if at + CENTRAL_RECORD.size > stop or bytes(data[at : at + 4]) != CENTRAL:
            raise Malformed("fewer members than the end record counts", code="zip.count")
        fields = CENTRAL_RECORD.unpack_from(data, at)
        name_at = at + CENTRAL_RECORD.size
        extra_at = name_at + fields[10]
        after = extra_at + fields[11]
        at = after + fields[12]
        if at > stop:
            raise Malformed("central record runs over", code="zip.malformed")
        yield _central(fields, bytes(data[name_at:extra_at]), bytes(data[extra_at:after]))
    if at != stop:
        raise Malformed("more members than the end record counts", code="zip.count")


def _central(fields: tuple[int, ...], name: bytes, extra: bytes) -> Central:
    _, _, _, flags, method, time, _, crc, packed, size, _, _, comment, disk, _, attributes, offset = fields
    table = _extras(extra)
    size, packed, offset, disk = _wide_central(table.get(_EXTRA_ZIP64), size, packed, offset, disk)
    if disk:
        raise Unsupported("multi-volume archive", code="archive.multi_volume")
    header = Header(flags, method, time, crc, packed, size, name, _unicode_path(table, name), _aes(table), frozenset(table))
    return Central(header, offset, attributes, comment)


def local(data: memoryview, offset: int) -> tuple[Header, int]:
    """The local record at `offset` and where its data begins. Raises Malformed."""
    if offset + LOCAL_RECORD.size > len(data) or bytes(data[offset : offset + 4]) != LOCAL:
        raise Malformed("no local record where the central one says", code="zip.local_header")
    _, _, flags, method, time, _, crc, packed, size, named, extras = LOCAL_RECORD.unpack_from(data, offset)
    name_at = offset + LOCAL_RECORD.size
    start = name_at + named + extras
    if start > len(data):
        raise Malformed("local record runs over", code="zip.local_header")
    name = bytes(data[name_at : name_at + named])
    table = _extras(bytes(data[name_at + named : start]))
    wide = table.get(_EXTRA_ZIP64)
    if wide is not None:
        size, packed = _wide_local(wide, size, packed)
    return Header(flags, method, time, crc, packed, size, name, _unicode_path(table, name), _aes(table), frozenset(table)), start


def descriptors(header: Header) -> Iterator[bytes]:
    """The data descriptors that may follow a member's data: with or without signature, short or long. APPNOTE 4.3.9."""
    for shape in ("<IQQ", "<III"):
        try:
            plain = struct.pack(shape, header.crc, header.packed, header.size)
        except struct.error:
            continue
        yield DESCRIPTOR + plain
        yield plain


def _extras(extra: bytes) -> dict[int, bytes]:
    """Extra fields by id. Fewer than four bytes at the end are padding (zipalign); a field that runs over is not."""
    table: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        field, length = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if len(body) != length:
            raise Malformed("extra field runs over", code="zip.extra_field")
        if field in table and field in (_EXTRA_ZIP64, _EXTRA_UNICODE_PATH, _EXTRA_AES):
            raise Malformed("extra field twice", code="zip.extra_field")
        table[field] = body
        at += 4 + length
    return table


def _wide_central(body: bytes | None, size: int, packed: int, offset: int, disk: int) -> tuple[int, int, int, int]:
    """The ZIP64 field: only the values that the record leaves at their maximum, in order; or all, agreeing with the record."""
    if body is None:
        return size, packed, offset, disk
    said = [size, packed, offset]
    missing = [index for index, value in enumerate(said) if value == MAX32]
    widths = 8 * len(missing)
    if len(body) == widths or (len(body) == widths + 4 and disk == MAX16):
        for index, value in zip(missing, struct.unpack_from(f"<{len(missing)}Q", body), strict=True):
            said[index] = value
        disk = int.from_bytes(body[widths:], "little") if len(body) > widths else disk
        return said[0], said[1], said[2], disk
    if len(body) not in (8, 16, 24, 28):
        raise Malformed("ZIP64 field has a wrong length", code="zip.zip64")
    values = struct.unpack_from(f"<{min(len(body) // 8, 3)}Q", body)
    if len(values) <= max(missing, default=-1) or any(old not in (new, MAX32) for old, new in zip(said, values, strict=False)):
        raise Malformed("ZIP64 field and record disagree", code="zip.zip64")
    said[: len(values)] = values
    return said[0], said[1], said[2], 0 if disk == MAX16 else disk


def _wide_local(body: bytes, size: int, packed: int) -> tuple[int, int]:
    """In a local record the ZIP64 field has both sizes, even if only one of them needs it. APPNOTE 4.5.3."""
    if len(body) < 16:
        raise Malformed("ZIP64 field has a wrong length", code="zip.zip64")
    wide_size, wide_packed = struct.unpack_from("<QQ", body)
    if size not in (wide_size, MAX32) or packed not in (wide_packed, MAX32):
        raise Malformed("ZIP64 field and record disagree", code="zip.zip64")
    return wide_size, wide_packed


def _unicode_path(table: dict[int, bytes], name: bytes) -> str | None:
    """The 0x7075 field's name, if it was made for this very raw name. Info-ZIP; APPNOTE 4.6.9."""
    body = table.get(_EXTRA_UNICODE_PATH)
    if body is None:
        return None
    if len(body) < 5 or body[0] != 1:
        raise Malformed("Unicode path field is broken", code="zip.extra_field")
    if int.from_bytes(body[1:5], "little") != zlib.crc32(name):
        return None
    try:
        return body[5:].decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("Unicode path field is not UTF-8", code="zip.name") from None


def _aes(table: dict[int, bytes]) -> Aes | None:
    """WinZip's AE-x field: version, "AE", strength, method."""
    body = table.get(_EXTRA_AES)
    if body is None:
        return None
    if len(body) != 7 or body[2:4] != b"AE" or body[4] not in (1, 2, 3):
        raise Malformed("AES field is broken", code="zip.extra_field")
    return Aes(int.from_bytes(body[:2], "little"), body[4], int.from_bytes(body[5:], "little"))
