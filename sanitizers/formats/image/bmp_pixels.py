"""The pixels of a BMP, whatever way they are stored.

Spec: Microsoft "Bitmap Compression" (RLE8, RLE4, BI_BITFIELDS).
"""

from __future__ import annotations

from typing import Any, Final

from PIL import Image, ImageMath

from sanitizers.context import Context
from sanitizers.formats.image.bmp_header import RLE4, RLE8, Header
from sanitizers.model import Malformed

_INDEXED: Final = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
# (bits, masks) -> (mode, raw mode) that Pillow unpacks by itself.
_DIRECT: Final = {
    (24, ()): ("RGB", "BGR"),
    (16, (0x7C00, 0x3E0, 0x1F, 0)): ("RGB", "BGR;15"),
    (16, (0xF800, 0x7E0, 0x1F, 0)): ("RGB", "BGR;16"),
    (32, (0xFF_0000, 0xFF00, 0xFF, 0)): ("RGB", "BGRX"),
    (32, (0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000)): ("RGBA", "BGRA"),
}
_WIDEST: Final = 22  # bits of a colour that 32-bit arithmetic can scale to eight
_END_OF_LINE, _END, _DELTA = 0, 1, 2


def decode(header: Header, context: Context) -> Image.Image:
    """Mode P, RGB or RGBA. Raises Malformed where pixels are missing."""
    if header.compression in (RLE8, RLE4):
        runs = _Runs(header)
        if any(header.pixels[runs.end :]):
            context.found("image.trailing_data", "", detail=f"{len(header.pixels) - runs.end} bytes")
        picture = Image.frombytes("P", (header.width, header.height), bytes(runs.rows), "raw", "P", 0, -1)
        picture.putpalette(header.palette)
        return picture
    if len(header.pixels) < header.stride * header.height:
        raise Malformed("ends inside the pixels", code="image.truncated")
    if header.bits <= 8:
        picture = _unpacked(header, "P", _INDEXED[header.bits])
        picture.putpalette(header.palette)
        return picture
    direct = _DIRECT.get((header.bits, header.masks))
    return _unpacked(header, *direct) if direct is not None else _masked(header)


def _unpacked(header: Header, mode: str, raw: str) -> Image.Image:
    rows = header.pixels[: header.stride * header.height]
    return Image.frombytes(mode, (header.width, header.height), rows, "raw", raw, header.stride, 1 if header.top_down else -1)


def _masked(header: Header) -> Image.Image:
    """Colours of any width at any place in 16 or 32 bits."""
    _check_masks(header)
    words = _unpacked(header, "I;16", "I;16").convert("I") if header.bits == 16 else _unpacked(header, "I", "I;32S")
    bands = [_band(words, mask) for mask in header.masks if mask]
    return Image.merge("RGBA" if len(bands) == 4 else "RGB", bands)


def _check_masks(header: Header) -> None:
    """Each one run of bits, none of them twice, none outside of the pixel; alpha may be missing."""
    taken = 0
    for place, mask in enumerate(header.masks):
        run = mask >> _shift(mask)
        if (not mask and place < 3) or run & run + 1 or taken & mask or mask >> header.bits:
            raise Malformed(f"bit mask {mask:08X}", code="image.malformed")
        taken |= mask


def _shift(mask: int) -> int:
    return max(0, (mask & -mask).bit_length() - 1)


def _band(words: Image.Image, mask: int) -> Image.Image:
    shift, width = _shift(mask), (mask >> _shift(mask)).bit_length()
    spare = max(0, width - _WIDEST)
    largest = (1 << width - spare) - 1

    def scaled(bands: dict[str, Any]) -> Any:
        return ((bands["words"] >> (shift + spare) & largest) * 255 + largest // 2) / largest

    band: Image.Image = ImageMath.lambda_eval(scaled, words=words)
    return band.convert("L")


class _Runs:
    """RLE8 and RLE4: `rows` holds one byte a pixel, bottom row first; `end` is the offset after the last run.

    What no run reaches is colour 0; what reaches too far is cut.
    """

    def __init__(self, header: Header) -> None:
        self._width, self._height = header.width, header.height
        self._half = header.compression == RLE4
        self.rows = bytearray(header.width * header.height)
        self._x = self._y = 0
        self.end = self._decode(bytes(header.pixels))

    def _decode(self, data: bytes) -> int:
        at = 0
        while self._y < self._height:
            if at + 2 > len(data):
                raise Malformed("ends inside the pixels", code="image.truncated")
            count, value = data[at], data[at + 1]
            at += 2
            if count:
                self._put(self._pixels(bytes([value]) * count, count))
            elif value == _END_OF_LINE:
                self._x, self._y = 0, self._y + 1
            elif value == _END:
                return at
            elif value == _DELTA:
                right, up = data[at : at + 2].ljust(2, b"\0")
                self._x, self._y, at = self._x + right, self._y + up, at + 2
            else:
                length = (value + 1) // 2 if self._half else value
                self._put(self._pixels(data[at : at + length], value))
                at += length + (length & 1)
        return at + 2 if data[at : at + 2] == b"\0\1" else at

    def _pixels(self, stored: bytes, count: int) -> bytes:
        if not self._half:
            return stored
        return bytes(nibble for byte in stored for nibble in (byte >> 4, byte & 15))[:count]

    def _put(self, pixels: bytes) -> None:
        pixels = pixels[: max(0, self._width - self._x)]
        start = self._y * self._width + self._x
        self.rows[start : start + len(pixels)] = pixels
        self._x += len(pixels)
