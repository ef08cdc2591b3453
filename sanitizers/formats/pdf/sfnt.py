"""TrueType and OpenType programs: known tables only, their structure checked, a new table directory (OpenType 1.9.1).

Glyph outlines are copied so that every glyph stays as drawn. Hinting programs are kept too: some Japanese and Chinese fonts put their
strokes together by them, so a font without them would show other characters.
"""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.pdf import cff, glyf
from sanitizers.model import Malformed

# What a viewer needs to draw; layout, signature, bitmap, colour and variation tables stay behind.
_TABLES: Final = frozenset((
    b"cmap", b"cvt ", b"fpgm", b"prep", b"glyf", b"loca", b"head", b"hhea", b"hmtx", b"maxp", b"name", b"OS/2", b"post", b"vhea", b"vmtx",
    b"VORG", b"CFF ", b"gasp",
))
# A name table without names: PDF viewers take them from the font dictionary.
_REPLACED: Final = {b"name": struct.pack(">HHH", 0, 0, 6)}
_MAX_TABLES: Final = 256
_CHECKSUM_MAGIC: Final = 0xB1B0AFBA


def rebuild(data: bytes) -> tuple[bytes, int]:
    """The font anew and how many glyphs could not be kept. Raises Malformed when a table that drawing needs is missing or broken."""
    if data[:4] == b"ttcf":
        data = _first_of_collection(data)
    tables = _tables(data)
    if b"CFF " in tables:
        tables[b"CFF "], _, emptied = cff.rebuild(tables[b"CFF "])
        tables.pop(b"glyf", None)
        tables.pop(b"loca", None)
    else:
        emptied = glyf.check(tables)
    for tag in (b"fpgm", b"prep"):
        glyf.refuse_unknown_instructions(tables.get(tag, b""))
    tables.update({tag: table for tag, table in _REPLACED.items() if tag in tables})
    return _write(b"OTTO" if b"CFF " in tables else b"\x00\x01\x00\x00", tables), emptied


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
