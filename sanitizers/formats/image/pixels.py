"""What policy may want done to the pixels themselves: QR codes reported or covered, the lowest bits made to say nothing.

A QR code is an address that no filter of links sees. The lowest bits of pixels carry whatever a hider of messages wrote there; each is
made to follow from the highest bit of its own value, which keeps black black, white white and flat areas flat.
Spec: ISO/IEC 18004 (read by zxing-cpp).
"""

from __future__ import annotations

from typing import Final

import zxingcpp
from PIL import Image, ImageDraw

from sanitizers.context import Context
from sanitizers.model import Action

_CODES: Final = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
# Pixels of the copy in which codes are looked for: a code that a telephone reads from a screen is large enough in it.
_LOOKED_AT: Final = 4_000_000
_MEASUREMENTS: Final = frozenset({"I", "F"})
_EIGHT_BITS: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
_LOWERED: Final = bytes(value & 0xFE | value >> 7 for value in range(256))
_EVEN: Final = bytes(value & 0xFE for value in range(256))


def without_codes(picture: Image.Image, context: Context, colours: bytes = b"") -> Image.Image:
    """The picture, its QR codes reported or painted over if policy wants so. `colours`: the palette of a bare picture of mode P."""
    wanted = context.treatment.picture_codes
    if wanted == "ignored" or picture.mode in _MEASUREMENTS:
        return picture
    shown = picture.copy()
    if colours:
        shown.putpalette(colours)
    factor = max(1, round((picture.width * picture.height / _LOOKED_AT) ** 0.5))
    for code in zxingcpp.read_barcodes(_grey(shown).reduce(factor), formats=_CODES):
        if wanted == "covered":
            _cover(picture, code.position, factor)
        context.found("image.code", code.text[:100], Action.REWRITTEN if wanted == "covered" else Action.KEPT)
    return picture


def _grey(picture: Image.Image) -> Image.Image:
    if picture.mode == "I;16":
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture.convert("RGBA" if "transparency" in picture.info else "RGB").convert("L")


def _cover(picture: Image.Image, position: zxingcpp.Position, factor: int) -> None:
    """One colour, that of the corner, over the whole code and its rim."""
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    across, down = [corner.x * factor for corner in corners], [corner.y * factor for corner in corners]
    rim = 2 * factor
    box = max(0, min(across) - rim), max(0, min(down) - rim), max(across) + rim, max(down) + rim
    place = min(picture.width - 1, across[0] + rim), min(picture.height - 1, down[0] + rim)
    ImageDraw.Draw(picture).rectangle(box, fill=picture.getpixel(place))


def lowered(picture: Image.Image, context: Context) -> Image.Image:
    """Pixels of 8 or 16 bits with lowest bits that say nothing, if policy wants so."""
    if not context.treatment.low_bits_cleared:
        return picture
    if picture.mode in _EIGHT_BITS:
        return picture.point(list(_LOWERED) * len(picture.getbands()))
    if picture.mode == "I;16":
        data = bytearray(picture.tobytes())
        data[::2] = data[::2].translate(_EVEN)
        return Image.frombytes("I;16", picture.size, bytes(data))
    return picture


def lowered_colours(colours: bytes, context: Context) -> bytes:
    """The same for a palette."""
    return colours.translate(_LOWERED) if context.treatment.low_bits_cleared else colours
