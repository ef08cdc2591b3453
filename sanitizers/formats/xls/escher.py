"""Drawings inside records: [MS-ODRAW] 2.2. Of shapes only what is drawn again is read; pictures go round the engine."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.budget import Budget
from sanitizers.formats.office import blips
from sanitizers.model import LimitExceeded

_CONTAINER: Final = 0x0F
_BSE, _SP_CONTAINER, _GROUP_CONTAINER, _FSP, _FOPT, _ANCHOR, _DATA = 0xF007, 0xF004, 0xF003, 0xF00A, 0xF00B, 0xF010, 0xF011
_BSE_HEAD: Final = 36
_DEEPEST: Final = 16
_MOST: Final = 65_536
PICTURE, FILL_COLOUR, FILL, LINE_COLOUR, LINE_WIDTH, LINE = 0x104, 0x181, 0x1BF, 0x1C0, 0x1CB, 0x1FF


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


def pictures(data: bytes, budget: Budget) -> list[blips.Blip | None]:
    """The pictures of the drawing group in order; None for one of a kind that nobody can show or that is broken."""
    return [
        blips.read(node.data[_BSE_HEAD + node.data[33] :], budget) if len(node.data) > _BSE_HEAD else None
        for node in _walk(data)
        if node.kind == _BSE
    ]


def shapes(data: bytes) -> list[Shape]:
    """The shapes of one sheet in the order of their OBJ records."""
    return [_shape(node) for node in _walk(data) if node.kind == _SP_CONTAINER]


def _walk(data: bytes) -> Iterator[_Node]:
    """Every record, containers before what they hold; none reaches further than its container. A record that is cut off ends it."""
    ends = [len(data)]
    at = count = 0
    while at + 8 <= len(data):
        while len(ends) > 1 and at >= ends[-1]:
            ends.pop()
        head, kind, size = struct.unpack_from("<HHI", data, at)
        count += 1
        if count > _MOST or len(ends) > _DEEPEST:
            raise LimitExceeded("records of a drawing")
        at += 8
        end = min(at + size, ends[-1])
        yield _Node(kind, head >> 4, data[at:end], len(ends))
        if head & 0x0F == _CONTAINER:
            ends.append(end)
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
