"""Palettes in an order of their own: by a digest of each colour, without the colours that no pixel uses.

A palette is bytes that an author chooses freely, three a colour; kept in order it carries any text through a re-encoding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from PIL import Image


class Palette(NamedTuple):
    """`colours`: RGB triplets; `alpha`: one byte a colour; `table`: old index -> new index, 256 bytes."""

    colours: bytes
    alpha: bytes
    table: bytes


def in_order(colours: bytes, used: Iterable[int], alpha: bytes = b"") -> list[int]:
    """The used indices in their new order: the see-through ones first (tRNS then stays short), black, then by digest.

    Readers of metafiles take index 0 of a bitmap of two colours for black, whatever its palette says.
    """

    def rank(index: int) -> tuple[bool, bool, bytes]:
        opacity, colour = alpha[index : index + 1] or b"\xff", colours[3 * index : 3 * index + 3]
        return opacity == b"\xff", colour != b"\0\0\0", hashlib.sha256(colour + opacity).digest()

    return sorted(used, key=rank)


def reordered(colours: bytes, alpha: bytes, used: Iterable[int]) -> Palette:
    """The used colours alone. Every index in `used` must be in `colours`."""
    order = in_order(colours, used, alpha)
    table = bytearray(256)
    for new, old in enumerate(order):
        table[old] = new
    return Palette(
        b"".join(colours[3 * old : 3 * old + 3] for old in order),
        b"".join(alpha[old : old + 1] or b"\xff" for old in order),
        bytes(table),
    )


def used_indices(picture: Image.Image) -> list[int]:
    """Of a picture of mode P, in rising order."""
    return [index for index, count in enumerate(picture.histogram()) if count]


def mapped(picture: Image.Image, palette: Palette) -> Image.Image:
    """The same pixels with new indices and the new palette."""
    changed = Image.frombytes("P", picture.size, picture.tobytes().translate(palette.table))
    changed.putpalette(palette.colours)
    return changed
