"""How large a picture is and how many frames it has, read from its headers alone: for comparing an original with its rebuilt copy.

Lenient on purpose: what cannot be read here compares with nothing. Sides are unordered, because turning a picture upright swaps
them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from sanitizers.model import Kind


class Measure(NamedTuple):
    """`sides`: candidates of (shorter, longer) in pixels; empty where unknown. `frames`: 0 where unknown."""

    sides: frozenset[tuple[int, int]]
    frames: int


UNKNOWN: Final = Measure(frozenset(), 0)
_SOF: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
_ALONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9), 0xFF})      # markers without a length


def measure(data: bytes, kind: Kind) -> Measure:
    """Of a file of this kind."""
    reader = _READERS.get(kind)
    try:
        return reader(data) if reader is not None else UNKNOWN
    except (struct.error, IndexError):
        return UNKNOWN


def _one(width: int, height: int, frames: int = 1) -> Measure:
    return Measure(frozenset({(min(width, height), max(width, height))}), frames)


def _jpeg(data: bytes) -> Measure:
    at = 2
    while True:
        at = data.index(b"\xff", at) if b"\xff" in data[at : at + 65_536] else len(data)
        marker = data[at + 1]
        if marker in _SOF:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return _one(width, height)
        if marker in _ALONE:
            at += 1     # and on to the next 0xFF, which may be the fill byte just read
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])


def _png(data: bytes) -> Measure:
    width, height = struct.unpack_from(">II", data, 16)
    at, frames, name = 8, 0, b""
    while name != b"IEND" and at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        frames += name == b"fcTL"
        at += 12 + length
    return _one(width, height, max(1, frames))


def _gif(data: bytes) -> Measure:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 * (2 << (flags & 7)) if flags & 0x80 else 0)
    frames = 0
    while at < len(data) and data[at] != 0x3B:
        if data[at] == 0:
            at += 1
            continue
        if data[at] == 0x2C:
            frames += 1
            flags = data[at + 9]
            at += 11 + (3 * (2 << (flags & 7)) if flags & 0x80 else 0)
        else:
            at += 2
        while data[at]:     # the zero after the last block is skipped like any other
            at += 1 + data[at]
    return _one(width, height, frames) if width and height else Measure(frozenset(), frames)


def _bmp(data: bytes) -> Measure:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return _one(*struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    return _one(width, abs(height))


def _tiff(data: bytes) -> Measure:
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    counter, pointer, entry = (order + "Q", order + "Q", 20) if big else (order + "H", order + "I", 12)
    (at,) = struct.unpack_from(pointer, data, 8 if big else 4)
    first: tuple[int, int] | None = None
    pages = 0
    while at and pages <= 10_000:
        (count,) = struct.unpack_from(counter, data, at)
        start = at + struct.calcsize(counter)
        tags = {}
        for place in range(start, start + entry * count, entry):
            tag, kind = struct.unpack_from(order + "HH", data, place)
            tags[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, place + (12 if big else 8))[0]
        reduced = pages and tags.get(254, 0) & 1
        first = first or (tags.get(256, 0), tags.get(257, 0))
        pages += not reduced
        (at,) = struct.unpack_from(pointer, data, start + entry * count)
    return _one(*first, pages) if first else UNKNOWN


def _webp(data: bytes) -> Measure:
    at, frames = 12, 0
    size: tuple[int, int] | None = None
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if name == b"VP8X":
            size = 1 + int.from_bytes(data[at + 12 : at + 15], "little"), 1 + int.from_bytes(data[at + 15 : at + 18], "little")
        elif name == b"VP8 ":
            width, height = struct.unpack_from("<HH", data, at + 14)
            size = width & 0x3FFF, height & 0x3FFF
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, at + 9)
            size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        frames += name == b"ANMF"
        at += 8 + length + (length & 1)
    return _one(*size, max(1, frames)) if size else UNKNOWN


def _heif(data: bytes) -> Measure:
    """Every size that a property of the file declares; a clean aperture (crop) makes them say nothing."""
    if b"clap" in data[:65_536]:
        return UNKNOWN
    sides = set()
    for found in re.finditer(rb"\0\0\0\x14ispe", data[: 1 << 20]):
        width, height = struct.unpack_from(">II", data, found.end() + 4)
        sides.add((min(width, height), max(width, height)))
    return Measure(frozenset(sides), 1)


def _jp2(data: bytes) -> Measure:
    at = data.find(b"\xff\x4f\xff\x51")
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    return _one(right - left, bottom - top) if at >= 0 else UNKNOWN


def _ico(data: bytes) -> Measure:
    return Measure(frozenset(), int(struct.unpack_from("<H", data, 4)[0]))


_READERS: Final[dict[Kind, Callable[[bytes], Measure]]] = {
    Kind.JPEG: _jpeg,
    Kind.PNG: _png,
    Kind.GIF: _gif,
    Kind.BMP: _bmp,
    Kind.TIFF: _tiff,
    Kind.WEBP: _webp,
    Kind.HEIC: _heif,
    Kind.AVIF: _heif,
    Kind.JP2: _jp2,
    Kind.ICO: _ico,
}
