"""Compact fonts (Adobe Technical Note 5176) put together byte by byte, so that each of their tables can be written in every way, or wrongly."""

from __future__ import annotations

import struct

from tests.build.pdf_fonts import _index, _operands, charstring

GLYPHS = tuple(charstring(index) for index in range(5))
ROS = b"\x8b\x8b\x8b\x0c\x1e"     # Registry, Ordering: .notdef; Supplement 0


def compact(
    *, charset: bytes | int = 1, encoding: bytes | int = 0, select: bytes | None = None, subrs: tuple[bytes, ...] = (),
    glyphs: tuple[bytes, ...] = GLYPHS, fonts: int = 1, top: bytes = b"", inner: bytes = b"",
) -> bytes:  # fmt: skip
    """A font of these glyphs. A table is given as its bytes, a predefined one by its number; with `select` (FDSelect) the font is CID-keyed
    and has so many `fonts` with one private dictionary; `top` and `inner` are more of the top and of the private dictionary."""
    private = b"\x8b\x14" + inner
    private += _operands(len(private) + 6) + b"\x13" if subrs else b""
    blocks = {
        b"\x0f": charset, b"\x10": encoding if select is None else 0, b"\x11": _index(list(glyphs)), b"\x0c\x25": select or 0,
        b"\x12": private + (_index(list(subrs)) if subrs else b""),
    }  # fmt: skip

    def head(places: dict[bytes, int]) -> bytes:
        said = (ROS if select is not None else b"") + top
        for operator, place in places.items():
            if operator == b"\x12":
                said += _operands(len(private), place) + operator if select is None else b""
            elif place:
                said += _operands(place) + operator
        said += _operands(places[b"\x12"] + len(blocks[b"\x12"])) + b"\x0c\x24" if select is not None else b""     # type: ignore[arg-type]
        return b"\x01\x00\x04\x04" + _index([b"Komoro"]) + _index([said]) + _index([]) + _index([])

    at = len(head({operator: 1 if isinstance(block, bytes) else block for operator, block in blocks.items()}))
    places = {}
    for operator, block in blocks.items():
        places[operator] = at if isinstance(block, bytes) else block
        at += len(block) if isinstance(block, bytes) else 0
    array = _index([_operands(len(private), places[b"\x12"]) + b"\x12"] * fonts) if select is not None else b""
    return head(places) + b"".join(block for block in blocks.values() if isinstance(block, bytes)) + array


def ranges(*starts: tuple[int, int], end: int = len(GLYPHS)) -> bytes:
    """FDSelect of format 3: from which glyph on which font."""
    return struct.pack(">BH", 3, len(starts)) + b"".join(struct.pack(">HB", first, font) for first, font in starts) + struct.pack(">H", end)
