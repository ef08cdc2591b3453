"""BMP: decoded by Pillow, written row by row with a header of our own.

Spec: Microsoft BITMAPINFOHEADER and BITMAPV4HEADER.
"""

from __future__ import annotations

import struct
from typing import Final

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, palette, png
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source

_RAW: Final = {1: "P;1", 4: "P;4", 8: "P"}
_BITFIELDS: Final = 3
_SRGB: Final = 0x7352_4742  # 'sRGB', LCS_sRGB
_PLAIN: Final = frozenset({"1", "L", "P", "RGB", "RGBA"})


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new BMP of exactly the same pixels; as PNG if its bare pixels spell active text."""
    density, size = _walk(source.view, context)
    picture = codec.decoded(source.bytes(), "BMP", context, size)
    if picture.mode not in _PLAIN:
        picture = picture.convert("RGB")
    if picture.mode in ("1", "L"):
        picture = picture.convert("L")
        picture = Image.frombytes("P", picture.size, picture.tobytes())
        picture.putpalette(bytes(value for grey in range(256) for value in (grey, grey, grey)))
    data = _encode(picture, density)
    if not codec.speaks(data):
        return Rebuilt(Source(data), Kind.BMP)
    context.found("image.active_text", "", Action.REWRITTEN)
    return Rebuilt(Source(png.encode(picture, png.Extras(density=(*density, 1) if all(density) else None))), Kind.PNG)


def _walk(view: memoryview, context: Context) -> tuple[tuple[int, int], tuple[int, int]]:
    """(pixels a metre, size). Records what the new file will not have."""
    if len(view) < 26:
        raise Malformed("ends inside the header", code="image.truncated")
    pixels_at, header = struct.unpack_from("<II", view, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", view, 18)
        compression, stored, density, colours, entry = 0, 0, (0, 0), 1 << bits if bits <= 8 else 0, 3
    elif header in (40, 52, 56, 64, 108, 124) and len(view) >= 14 + header:
        width, height, _, bits, compression, stored, x, y, colours = struct.unpack_from("<iiHHIIiiI", view, 18)
        density = (x, y) if 0 < x < 1 << 20 and 0 < y < 1 << 20 else (0, 0)
        colours = (colours or 1 << bits) if bits <= 8 else 0
        entry = 4
    else:
        raise Malformed(f"header of {header} bytes", code="image.malformed")
    height = abs(height)
    context.budget.check_frame(width, height)
    if width <= 0 or height == 0:
        raise Malformed("size", code="image.malformed")
    masks = 12 if header == 40 and compression == _BITFIELDS else 0
    if pixels_at > 14 + header + masks + entry * min(colours, 256):
        _gap(view[14 + header + masks + entry * min(colours, 256) : pixels_at], context)
    end = pixels_at + (stored if compression in (1, 2) else (width * bits + 31) // 32 * 4 * height)
    if header == 124 and struct.unpack_from("<I", view, 14 + 56)[0] not in (0, _SRGB, 0x5769_6E20):
        context.found("image.color_profile", "")
    if pixels_at < end < len(view) and any(view[end:]):
        context.found("image.trailing_data", "", detail=f"{len(view) - end} bytes")
    return density, (width, height)


def _gap(between: memoryview, context: Context) -> None:
    if any(between):
        context.found("image.hidden_data", "between header and pixels")


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
    if used[-1] >= len(colours) // 3:
        raise Malformed("a pixel has a colour that is not in the palette", code="image.malformed")
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
