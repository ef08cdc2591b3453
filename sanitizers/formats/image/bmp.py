"""BMP: every way of storing pixels read, one way written: rows without compression under a header of our own.

Spec: Microsoft BITMAPINFOHEADER and BITMAPV4HEADER.
"""

from __future__ import annotations

import struct
from typing import Final

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import bmp_header, bmp_pixels, codec, colour, palette, pixels, png
from sanitizers.model import Action, Kind
from sanitizers.source import Source

_RAW: Final = {1: "P;1", 4: "P;4", 8: "P"}
_BITFIELDS: Final = 3
_SRGB: Final = 0x7352_4742  # 'sRGB', LCS_sRGB


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new BMP of exactly the same pixels; as PNG if its bare pixels spell active text."""
    header = bmp_header.read(source.view, context)
    with codec.reading():
        picture = pixels.without_codes(bmp_pixels.decode(header, context), context)
    transform = colour.transform(header.icc, picture.mode, context)
    if context.second_pass:
        return Rebuilt(source, Kind.BMP)
    if picture.mode == "P":
        picture.putpalette(pixels.lowered_colours(transform.palette(header.palette) if transform else header.palette, context))
    else:
        picture = pixels.lowered(transform.apply(picture) if transform else picture, context)
    data = _encode(picture, header.density)
    if not codec.speaks(data):
        return Rebuilt(Source(data), Kind.BMP)
    context.found("image.active_text", "", Action.REWRITTEN)
    density = (*header.density, 1) if all(header.density) else None
    return Rebuilt(Source(png.encode(picture, png.Extras(density=density))), Kind.PNG)


def _encode(picture: Image.Image, density: tuple[int, int]) -> bytes:
    if picture.mode == "P":
        return _indexed(picture, density)
    raw, bits = ("BGRA", 32) if picture.mode == "RGBA" else ("BGR", 24)
    stride = (picture.width * bits + 31) // 32 * 4
    rows = picture.tobytes("raw", raw, stride, -1)
    if bits == 24:
        return _file(_info(picture, bits=bits, size=len(rows), density=density), rows)
    masks = struct.pack("<5I", 0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000, _SRGB) + bytes(48)
    return _file(_info(picture, bits=bits, size=len(rows), density=density, alpha=True) + masks, rows)


def _indexed(picture: Image.Image, density: tuple[int, int]) -> bytes:
    colours = bytes(picture.getpalette("RGB") or ())
    used = palette.used_indices(picture)
    order = palette.reordered(colours, b"", used)
    indexed = palette.mapped(picture, order)
    count = len(used)
    bits = 1 if count <= 2 else 4 if count <= 16 else 8
    stride = (picture.width * bits + 31) // 32 * 4
    rows = indexed.tobytes("raw", _RAW[bits], stride, -1)
    table = b"".join(bytes((*order.colours[3 * i : 3 * i + 3][::-1], 0)) for i in range(count))
    return _file(_info(picture, bits=bits, size=len(rows), density=density, colours=count) + table, rows)


def _info(picture: Image.Image, *, bits: int, size: int, density: tuple[int, int], colours: int = 0, alpha: bool = False) -> bytes:
    header, compression = (108, _BITFIELDS) if alpha else (40, 0)
    sides = picture.width, picture.height
    return struct.pack("<IiiHHIIiiII", header, *sides, 1, bits, compression, size, *density, colours, colours)


def _file(head: bytes, rows: bytes) -> bytes:
    at = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) + head + rows
