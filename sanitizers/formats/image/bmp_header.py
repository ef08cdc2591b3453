"""The headers of a BMP: how large the picture is, how its pixels are stored, and what else lies in the file.

Spec: Microsoft BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER; OS/2 2.x bitmap header.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.model import Malformed, Unsupported

RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
_FILE_HEADER: Final = 14
_CORE, _INFO, _V5 = 12, 40, 124
_OS2: Final = frozenset({16, 64})
_HEADERS: Final = frozenset({_INFO, 52, 56, 108, _V5}) | _OS2
_BITS: Final = {
    RGB: (1, 2, 4, 8, 16, 24, 32), RLE8: (8,), RLE4: (4,), BITFIELDS: (16, 32), ALPHA_BITFIELDS: (16, 32),
}  # fmt: skip
_PLAIN_MASKS: Final = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF_0000, 0xFF00, 0xFF, 0)}
_MAX_METRES: Final = 1 << 20
_EMBEDDED, _LINKED = 0x4D42_4544, 0x4C49_4E4B  # 'MBED', 'LINK'


class Header(NamedTuple):
    """`masks`: red, green, blue, alpha of 16 and 32 bits; `palette`: RGB triplets; `density`: pixels a metre, 0 where unknown."""

    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, ...]
    palette: bytes
    pixels: memoryview
    density: tuple[int, int]
    icc: bytes | None

    @property
    def stride(self) -> int:
        """Bytes of a row, which are a multiple of four."""
        return (self.width * self.bits + 31) // 32 * 4


class _Fields(NamedTuple):
    """The fields that all headers have in some width, as they are stored."""

    width: int
    height: int
    bits: int
    compression: int = RGB
    x: int = 0
    y: int = 0
    colours: int = 0


def read(view: memoryview, context: Context) -> Header:
    """Checks sizes against the limits before anything is decoded. Records what the new file will not have. Raises Malformed."""
    if len(view) < 26:
        raise Malformed("ends inside the header", code="image.truncated")
    pixels_at, length = struct.unpack_from("<II", view, 10)
    fields = _fields(view, length)
    width, height = fields.width, abs(fields.height)
    context.budget.check_frame(width, height)
    if width <= 0 or not height:
        raise Malformed("size", code="image.malformed")
    if fields.bits not in _BITS[fields.compression] or (fields.height < 0 and fields.compression in (RLE8, RLE4)):
        raise Malformed(f"{fields.bits} bits in compression {fields.compression}", code="image.malformed")
    masks, palette_at = _masks(view, length, fields)
    if not palette_at <= pixels_at <= len(view):
        raise Malformed("pixels inside the header or outside the file", code="image.malformed")
    palette, palette_end = _palette(view, palette_at, pixels_at, length, fields)
    if any(view[palette_end:pixels_at]):
        context.found("image.hidden_data", "between header and pixels")
    if fields.compression in (RLE8, RLE4):
        icc = None  # where runs end shows when they are decoded: the size in the header is often wrong
    else:
        icc, end = _profile(view, length, pixels_at + (width * fields.bits + 31) // 32 * 4 * height, context)
        if any(view[end:]):
            context.found("image.trailing_data", "", detail=f"{len(view) - end} bytes")
    density = (fields.x, fields.y) if 0 < fields.x < _MAX_METRES and 0 < fields.y < _MAX_METRES else (0, 0)
    return Header(
        width, height, fields.height < 0, fields.bits, fields.compression, masks, palette, view[pixels_at:], density, icc
    )


def _fields(view: memoryview, length: int) -> _Fields:
    if length == _CORE:
        width, height, _, bits = struct.unpack_from("<HHHH", view, 18)
        return _Fields(width, height, bits)
    if length not in _HEADERS:
        raise Malformed(f"header of {length} bytes", code="image.malformed")
    if _FILE_HEADER + length > len(view):
        raise Malformed("ends inside the header", code="image.truncated")
    if length == 16:
        width, height, _, bits = struct.unpack_from("<iiHH", view, 18)
        return _Fields(width, height, bits)
    width, height, _, bits, compression, _, x, y, colours = struct.unpack_from("<iiHHIIiiI", view, 18)
    if compression not in _BITS or (length in _OS2 and compression not in (RGB, RLE8, RLE4)):
        raise Unsupported(f"BMP of compression {compression}")
    return _Fields(width, height, bits, compression, x, y, colours)


def _masks(view: memoryview, length: int, fields: _Fields) -> tuple[tuple[int, ...], int]:
    """(masks, offset of what follows them). They stand behind a short header and inside a long one."""
    at = _FILE_HEADER + _INFO
    behind = {BITFIELDS: 12, ALPHA_BITFIELDS: 16}.get(fields.compression, 0) if length == _INFO else 0
    following = _FILE_HEADER + length + behind
    if fields.compression not in (BITFIELDS, ALPHA_BITFIELDS):
        return _PLAIN_MASKS.get(fields.bits, ()), following
    if following > len(view):
        raise Malformed("ends inside the header", code="image.truncated")
    has_alpha = length >= 56 or behind == 16
    masks = struct.unpack_from("<4I" if has_alpha else "<3I", view, at)
    return (*masks, 0)[:4], following


def _palette(view: memoryview, at: int, pixels_at: int, length: int, fields: _Fields) -> tuple[bytes, int]:
    """(RGB triplets, offset after them). What a palette lacks is black, as every viewer paints it."""
    width = 3 if length in (_CORE, 16) else 4
    most = 1 << fields.bits if fields.bits <= 8 else 256
    given = fields.colours if fields.bits > 8 else fields.colours or most
    count = min(given, most, (pixels_at - at) // width)
    end = at + width * count
    if fields.bits > 8:
        return b"", end  # only a suggestion
    stored = view[at:end]
    planes = [bytes(stored[place::width]) for place in (2, 1, 0)]
    return bytes(value for colour in zip(*planes, strict=True) for value in colour).ljust(3 * most, b"\0"), end


def _profile(view: memoryview, length: int, end: int, context: Context) -> tuple[bytes | None, int]:
    """(ICC profile, offset after pixels and profile)."""
    if length != _V5:
        return None, end
    (space,) = struct.unpack_from("<I", view, _FILE_HEADER + 56)
    at, size = struct.unpack_from("<II", view, _FILE_HEADER + 112)
    at += _FILE_HEADER
    inside = end <= at and at + size <= len(view)
    if space in (_EMBEDDED, _LINKED) and not (space == _EMBEDDED and inside):
        context.found("image.color_profile", "")
    if space == _EMBEDDED and inside:
        if any(view[end:at]):
            context.found("image.hidden_data", "between pixels and profile")
        return bytes(view[at : at + size]), at + size
    return None, end
