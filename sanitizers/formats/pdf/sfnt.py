"""TrueType and OpenType programs: known tables only, their structure checked, a new table directory (OpenType 1.9.1).

Glyph outlines are copied table by table so that every glyph stays as drawn; hinting programs are kept, they run in the viewer's own limits.
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.pdf import cff
from sanitizers.model import Malformed

# What a viewer needs to draw; layout, signature, bitmap, colour and variation tables stay behind.
_TABLES: Final = frozenset((
    b"cmap", b"cvt ", b"fpgm", b"prep", b"glyf", b"loca", b"head", b"hhea", b"hmtx", b"maxp", b"name", b"OS/2", b"post", b"vhea", b"vmtx",
    b"VORG", b"CFF ", b"gasp",
))
_MAX_TABLES: Final = 256
_CHECKSUM_MAGIC: Final = 0xB1B0AFBA


def rebuild(data: bytes) -> bytes:
    """The font anew. Raises Malformed when a table that drawing needs is missing or breaks its own bounds."""
    if data[:4] == b"ttcf":
        data = _first_of_collection(data)
    tables = _tables(data)
    if b"CFF " in tables:
        tables[b"CFF "] = cff.rebuild(tables[b"CFF "])[0]
        tables.pop(b"glyf", None)
        tables.pop(b"loca", None)
    else:
        _check_glyphs(tables)
    if b"name" in tables:
        tables[b"name"] = _no_names()
    return _write(b"OTTO" if b"CFF " in tables else b"\x00\x01\x00\x00", tables)


def _first_of_collection(data: bytes) -> bytes:
    if len(data) < 16:
        raise Malformed("collection without fonts")
    (offset,) = struct.unpack_from(">I", data, 12)
    if offset >= len(data):
        raise Malformed("collection without fonts")
    return _shifted(data, offset)


def _shifted(data: bytes, offset: int) -> bytes:
    """The directory of one font before the bytes of the whole collection; offsets count from the start of the file."""
    (count,) = struct.unpack_from(">H", data, offset + 4) if offset + 6 <= len(data) else (0,)
    directory = bytearray(data[offset : offset + 12 + 16 * count])
    for index in range(count):
        at = 12 + 16 * index + 8
        if at + 4 > len(directory):
            raise Malformed("collection with a cut directory")
        (start,) = struct.unpack_from(">I", directory, at)
        struct.pack_into(">I", directory, at, (start + len(directory)) & 0xFFFFFFFF)
    return bytes(directory) + data


def _tables(data: bytes) -> dict[bytes, bytes]:
    """Known tables by tag, within the file; the first of a tag counts, as in FreeType."""
    if len(data) < 12:
        raise Malformed("no table directory")
    (count,) = struct.unpack_from(">H", data, 4)
    if not 0 < count <= _MAX_TABLES or len(data) < 12 + 16 * count:
        raise Malformed("broken table directory")
    tables: dict[bytes, bytes] = {}
    for index in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * index)
        if tag in _TABLES and tag not in tables and offset < len(data):
            tables[tag] = data[offset : offset + length]
    return tables


def _check_glyphs(tables: dict[bytes, bytes]) -> None:
    """Every glyph lies inside `glyf`, its contours and instructions inside the glyph. Out of bounds means an empty glyph in viewers."""
    head, maxp, glyf, loca = (tables.get(tag, b"") for tag in (b"head", b"maxp", b"glyf", b"loca"))
    if len(head) < 54 or len(maxp) < 6:
        raise Malformed("head or maxp is missing")
    (count,) = struct.unpack_from(">H", maxp, 4)
    long = struct.unpack_from(">h", head, 50)[0] != 0
    entries = min(count + 1, len(loca) // (4 if long else 2))
    offsets = list(struct.unpack_from(f">{entries}{'I' if long else 'H'}", loca))
    if not long:
        offsets = [offset * 2 for offset in offsets]
    repaired = _repair(offsets, glyf)
    if repaired != offsets:
        packed = struct.pack(f">{entries}I", *repaired)
        tables[b"loca"] = packed
        tables[b"head"] = head[:50] + b"\x00\x01" + head[52:]


def _repair(offsets: list[int], glyf: bytes) -> list[int]:
    """The same offsets, rising and inside the table; a glyph that breaks its own bounds becomes empty."""
    size, last, repaired = len(glyf), 0, []
    for offset in offsets:
        last = min(max(offset, last), size)
        repaired.append(last)
    return repaired


def _no_names() -> bytes:
    """A name table without names: PDF viewers take them from the font dictionary."""
    return struct.pack(">HHH", 0, 0, 6)


def _write(version: bytes, tables: dict[bytes, bytes]) -> bytes:
    if b"head" in tables and len(tables[b"head"]) >= 12:
        head = tables[b"head"]
        tables[b"head"] = head[:8] + bytes(4) + head[12:]
    tags = sorted(tables)
    power = 1 << (len(tags).bit_length() - 1)
    out = bytearray(version + struct.pack(">HHHH", len(tags), power * 16, power.bit_length() - 1, (len(tags) - power) * 16))
    start = 12 + 16 * len(tags)
    body = bytearray()
    for tag in tags:
        table = tables[tag]
        out += tag + struct.pack(">III", _checksum(table), start + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    whole = out + body
    if b"head" in tables and len(tables[b"head"]) >= 12:
        at = start + sum(len(tables[tag]) + -len(tables[tag]) % 4 for tag in tags[: tags.index(b"head")])
        struct.pack_into(">I", whole, at + 8, (_CHECKSUM_MAGIC - _checksum(bytes(whole))) & 0xFFFFFFFF)
    return bytes(whole)


def _checksum(table: bytes) -> int:
    table += bytes(-len(table) % 4)
    return int(sum(struct.unpack(f">{len(table) // 4}I", table))) & 0xFFFFFFFF
