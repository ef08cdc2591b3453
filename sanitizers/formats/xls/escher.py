"""Drawings inside records: [MS-ODRAW] 2.2. Of shapes only what is drawn again is read; pictures go round the engine."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.budget import Budget
from sanitizers.model import LimitExceeded

_CONTAINER: Final = 0x0F
_BSE, _SP_CONTAINER, _GROUP_CONTAINER, _FSP, _FOPT, _ANCHOR, _DATA = 0xF007, 0xF004, 0xF003, 0xF00A, 0xF00B, 0xF010, 0xF011
_BSE_HEAD: Final = 36
_DEEPEST: Final = 16
_MOST: Final = 65_536
# Type of a blip → its file name's ending, the instance with a second id, bytes between the ids and the content.
_BLIPS: Final = {
    0xF01A: ("emf", 0x3D5, 34), 0xF01B: ("wmf", 0x217, 34), 0xF01D: ("jpeg", 0x46B, 1), 0xF01E: ("png", 0x6E1, 1),
    0xF01F: ("bmp", 0x7A9, 1), 0xF02A: ("jpeg", 0x6E3, 1),
}  # fmt: skip
_METAFILES: Final = frozenset({"emf", "wmf"})
PICTURE, FILL_COLOUR, FILL, LINE_COLOUR, LINE_WIDTH, LINE = 0x104, 0x181, 0x1BF, 0x1C0, 0x1CB, 0x1FF


class Blip(NamedTuple):
    """A picture as a file of its own: its bytes and the usual ending of its name."""

    content: bytes
    ending: str


class Shape(NamedTuple):
    """`kind`: its geometry (MSOSPT); `anchor`: column, x, row, y, column, x, row, y; `drawn`: an OBJ record belongs to it."""

    kind: int
    anchor: tuple[int, ...]
    options: dict[int, int]
    drawn: bool
    grouped: bool


class _Node(NamedTuple):
    kind: int
    instance: int
    data: bytes
    depth: int


def blips(data: bytes, budget: Budget) -> list[Blip | None]:
    """The pictures of the drawing group in order; None for one of a kind that nobody can show or that is broken."""
    return [
        _blip(node.data[_BSE_HEAD + node.data[33] :], budget) if len(node.data) > _BSE_HEAD else None
        for node in _walk(data)
        if node.kind == _BSE
    ]


def shapes(data: bytes) -> list[Shape]:
    """The shapes of one sheet in the order of their OBJ records."""
    return [_shape(node) for node in _walk(data) if node.kind == _SP_CONTAINER]


def _walk(data: bytes) -> Iterator[_Node]:
    """Every record, containers before what they hold. A record that is cut off ends it."""
    ends = [len(data)]
    at = count = 0
    while at + 8 <= len(data):
        while len(ends) > 1 and at >= ends[-1]:
            ends.pop()
        head, kind, size = struct.unpack_from("<HHI", data, at)
        count += 1
        if count > _MOST or len(ends) > _DEEPEST:
            raise LimitExceeded("records of a drawing")
        yield _Node(kind, head >> 4, data[at + 8 : at + 8 + size], len(ends))
        at += 8
        if head & 0x0F == _CONTAINER:
            ends.append(min(at + size, ends[-1]))
        else:
            at += size


def _shape(container: _Node) -> Shape:
    kind, anchor, options, drawn = 0, (), dict[int, int](), False
    for node in _walk(container.data):
        if node.kind == _FSP:
            kind = node.instance
        elif node.kind == _FOPT:
            options = _options(node)
        elif node.kind == _ANCHOR and len(node.data) >= 18:
            anchor = struct.unpack_from("<8H", node.data, 2)
        drawn = drawn or node.kind == _DATA
    return Shape(kind, anchor, options, drawn, container.depth > 3)


def _options(node: _Node) -> dict[int, int]:
    """Simple ones only; what a complex one says stands behind the table and is left there."""
    entries = struct.iter_unpack("<HI", node.data[: len(node.data) // 6 * 6][: 6 * node.instance])
    return {number & 0x3FFF: value for number, value in entries if not number & 0x8000}


def _blip(data: bytes, budget: Budget) -> Blip | None:
    if len(data) < 8:
        return None
    head, kind, size = struct.unpack_from("<HHI", data)
    if kind not in _BLIPS:
        return None
    ending, doubled, between = _BLIPS[kind]
    start = 8 + (32 if head >> 4 == doubled else 16) + between
    content = data[start : 8 + size]
    if ending in _METAFILES:
        head = data[start - between : start]
        content = _inflated(content, budget) if len(head) == between and head[32] == 0 else content
    if ending == "bmp" and len(content) > 40:
        content = _with_head(content)
    return Blip(content, ending) if content else None


def _with_head(bitmap: bytes) -> bytes:
    """A device-independent bitmap as a file: [MS-WMF] 2.2.2.9, with the offset of its pixels."""
    size, bits, packing, colours = (
        struct.unpack_from(shape, bitmap, at)[0] for shape, at in (("<I", 0), ("<H", 14), ("<I", 16), ("<I", 32))
    )
    table = 4 * (colours or (1 << bits if bits <= 8 else 0)) + (12 if packing == 3 and size == 40 else 0)
    return struct.pack("<2sIHHI", b"BM", 14 + len(bitmap), 0, 0, min(14 + size + table, 0xFFFFFFFF)) + bitmap


def _inflated(packed: bytes, budget: Budget) -> bytes:
    """Empty for what is broken. Raises LimitExceeded."""
    coder = zlib.decompressobj()
    try:
        content = coder.decompress(packed, budget.expanded_left + 1)
    except zlib.error:
        return b""
    budget.spend_bytes(len(content))
    return content
