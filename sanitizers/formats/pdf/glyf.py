"""TrueType glyphs (OpenType 1.9.1, `glyf` and `loca`): each within its bounds, none made of itself, nothing between and behind them."""

from __future__ import annotations

import re
import struct
from itertools import pairwise
from typing import Final

from sanitizers.model import Malformed

_COMPOSITE_DEPTH: Final = 16
_MAX_COMPONENTS: Final = 1_000
_WORDS, _SCALE, _MORE, _TWO_SCALES, _FOUR_SCALES, _INSTRUCTIONS = 0x1, 0x8, 0x20, 0x40, 0x80, 0x100
# Everything up to the next instruction that pushes as many bytes or words as its operand says (NPUSHB, NPUSHW) or does not exist, over the
# operands of those that push a fixed number (PUSHB[abc], PUSHW[abc]).
_PUSHES: Final = b"|".join(
    rb"\x%02x[\x00-\xff]{%d}" % (first + few, size * (few + 1)) for size, first in ((1, 0xB0), (2, 0xB8)) for few in range(8)
)
_PLAIN: Final = re.compile(rb"(?:[^\x40\x41\x8f\x90\xb0-\xbf]++|" + _PUSHES + rb")*+")
# ADJUST, which no specification has and one system still runs (CVE-2023-41990).
_ADJUST: Final = re.compile(rb"[\x8f\x90]")


def check(tables: dict[bytes, bytes]) -> int:
    """Rewrites `glyf` and `loca`. A glyph that breaks its own bounds draws nothing in any reader and becomes empty; returns how many did.

    Raises Malformed without `head` and `maxp`, or for an instruction that does not exist.
    """
    head, maxp, glyf, loca = (tables.get(tag, b"") for tag in (b"head", b"maxp", b"glyf", b"loca"))
    if len(head) < 54 or len(maxp) < 6:
        raise Malformed("head or maxp is missing")
    (count,) = struct.unpack_from(">H", maxp, 4)
    long = struct.unpack_from(">h", head, 50)[0] != 0
    entries = min(count + 1, len(loca) // (4 if long else 2))
    offsets = list(struct.unpack_from(f">{entries}{'I' if long else 'H'}", loca))
    rising = _rising(offsets if long else [offset * 2 for offset in offsets], len(glyf))
    glyphs = [glyf[start:end] for start, end in pairwise(rising)]
    bad = _bad(glyphs)
    if bad or rising != (offsets if long else [offset * 2 for offset in offsets]) or (rising and (rising[0] or rising[-1] < len(glyf))):
        _put(tables, [b"" if index in bad else glyph for index, glyph in enumerate(glyphs)], head)
    return len(bad)


def _rising(offsets: list[int], size: int) -> list[int]:
    """The same offsets, rising and inside the table."""
    if offsets == sorted(offsets) and offsets[-1:] <= [size]:   # as in any sound font
        return offsets
    last, repaired = 0, []
    for offset in offsets:
        last = min(max(offset, last), size)
        repaired.append(last)
    return repaired


def _put(tables: dict[bytes, bytes], glyphs: list[bytes], head: bytes) -> None:
    offsets, body = [0], bytearray()
    for glyph in glyphs:
        body += glyph + bytes(-len(glyph) % 4)
        offsets.append(len(body))
    tables[b"glyf"] = bytes(body)
    tables[b"loca"] = struct.pack(f">{len(offsets)}I", *offsets)
    tables[b"head"] = head[:50] + b"\x00\x01" + head[52:]


def _bad(glyphs: list[bytes]) -> set[int]:
    """Glyphs that no reader draws."""
    bad: set[int] = set()
    parts: dict[int, list[int]] = {}
    for index, glyph in enumerate(glyphs):
        if not glyph:
            continue
        try:
            if struct.unpack_from(">h", glyph)[0] >= 0:
                _simple(glyph)
            else:
                parts[index] = _components(glyph, len(glyphs))
        except (struct.error, IndexError):
            bad.add(index)
    depths: dict[int, int] = {}
    return bad | {index for index in parts if _depth(index, parts, depths, 0) > _COMPOSITE_DEPTH}


def _simple(glyph: bytes) -> None:
    """Contours whose ends rise, and instructions inside the glyph. Raises IndexError."""
    (contours,) = struct.unpack_from(">h", glyph)
    if not contours:
        return
    ends = struct.unpack_from(f">{contours}H", glyph, 10)
    (length,) = struct.unpack_from(">H", glyph, 10 + 2 * contours)
    start = 12 + 2 * contours
    if list(ends) != sorted(ends) or start + length > len(glyph):
        raise IndexError
    refuse_unknown_instructions(glyph[start : start + length])


def _components(glyph: bytes, count: int) -> list[int]:
    """The glyphs of which one is made. Raises IndexError or struct.error."""
    found: list[int] = []
    position, flags = 10, _MORE
    while flags & _MORE:
        flags, part = struct.unpack_from(">HH", glyph, position)
        found.append(part)
        if part >= count or len(found) > _MAX_COMPONENTS:
            raise IndexError
        position += 8 if flags & _WORDS else 6
        position += 2 if flags & _SCALE else 4 if flags & _TWO_SCALES else 8 if flags & _FOUR_SCALES else 0
    if position > len(glyph):
        raise IndexError
    if flags & _INSTRUCTIONS:
        (length,) = struct.unpack_from(">H", glyph, position)
        refuse_unknown_instructions(glyph[position + 2 : position + 2 + length])
    return found


def _depth(index: int, parts: dict[int, list[int]], depths: dict[int, int], level: int) -> int:
    """How deep a composite glyph is nested; past the limit for one that is made of itself."""
    if index in depths:
        return depths[index]
    if level > _COMPOSITE_DEPTH:
        return level
    depths[index] = 1 + max((_depth(part, parts, depths, level + 1) for part in parts.get(index, ())), default=0)
    return depths[index]


def refuse_unknown_instructions(program: bytes) -> None:
    """Raises Malformed for ADJUST where instructions follow each other. What a jump would make of pushed data is not followed."""
    position = 0 if _ADJUST.search(program) else len(program)   # in most there is no such byte, pushed or not
    while position < len(program):
        match = _PLAIN.match(program, position)
        assert match is not None, "it matches the empty run too"
        position = match.end()
        if position >= len(program):
            return
        push = program[position]
        if push in (0x8F, 0x90):
            raise Malformed("TrueType: an instruction that does not exist")
        if push not in (0x40, 0x41):
            return      # operands that are cut off
        count = program[position + 1] if position + 1 < len(program) else 0
        position += 2 + count * (1 if push == 0x40 else 2)
