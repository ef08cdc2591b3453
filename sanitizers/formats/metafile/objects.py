"""What a drawing is done with: pens, brushes and fonts, as MS-EMF and MS-WMF write them, for a drawing as pixels.

Raises Unsupported for those that nothing here can draw.
"""

from __future__ import annotations

import io
import struct
from typing import Final, NamedTuple

import pybase64
from PIL import Image

from sanitizers.model import Unsupported

_NULL_PEN, _INSIDE_FRAME, _USER_STYLE, _STYLES = 5, 6, 7, 0x0F
_DASHES: Final = {1: (18, 6), 2: (3, 3), 3: (9, 6, 3, 6), 4: (9, 3, 3, 3, 3, 3), 8: (1, 1)}  # in widths of a thin pen
_CAPS: Final = {0x000: "round", 0x100: "square", 0x200: "butt"}
_JOINS: Final = {0x0000: "round", 0x1000: "bevel", 0x2000: "miter"}
_GEOMETRIC: Final = 0x1_0000
_SOLID, _NOTHING, _HATCHED = 0, 1, 2
_HATCHES: Final = ("M0 4H8", "M4 0V8", "M0 0L8 8", "M0 8L8 0", "M0 4H8M4 0V8", "M0 0L8 8M0 8L8 0")
_PALETTE_INDEX: Final = 1
_SYMBOLS: Final = 2
_CHARSETS: Final = {
    0: "cp1252", 1: "cp932", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "cp936", 136: "cp950", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
_BOLD: Final = 600
_EAST_ASIAN: Final = frozenset({128, 129, 134, 136})


class Pen(NamedTuple):
    """`width` in logical units, 0 for the thinnest line; `dashes` in widths, or in units where `measured`. `colour` empty: no line."""

    colour: str
    width: float = 0
    dashes: tuple[float, ...] = ()
    cap: str = "round"
    join: str = "round"
    measured: bool = False


class Brush(NamedTuple):
    """`colour` empty: no paint. `hatch`: the path of a pattern of 8 by 8 pixels; `picture`: one that is repeated."""

    colour: str
    hatch: str = ""
    picture: Image.Image | None = None


class Font(NamedTuple):
    """`height` in logical units: of the letters where negative, of the line where positive; angles in tenths of degrees."""

    height: int
    escapement: int
    bold: bool
    italic: bool
    underlined: bool
    struck: bool
    charset: int
    name: str

    @property
    def codec(self) -> str:
        if self.charset not in _CHARSETS:
            raise Unsupported(f"text in the character set {self.charset}", code="metafile.not_drawn")
        return _CHARSETS[self.charset]

    @property
    def em(self) -> float:
        """Size of the letters: a line of a Western font is higher than they are."""
        if self.height <= 0:
            return float(-self.height or 12)
        return self.height if self.charset in _EAST_ASIAN else self.height / 1.15

    def check(self) -> None:
        """Raises Unsupported where the font that is there would show other signs."""
        if self.charset == _SYMBOLS:
            raise Unsupported(f"signs of the font {self.name}", code="metafile.not_drawn")
        if self.name.startswith("@"):
            raise Unsupported("text from top to bottom", code="metafile.not_drawn")


PLAIN_FONT: Final = Font(-12, 0, False, False, False, False, 0, "")
BLACK_PEN, WHITE_PEN, NO_PEN = Pen("#000000"), Pen("#ffffff"), Pen("")
WHITE_BRUSH, NO_BRUSH = Brush("#ffffff"), Brush("")
STOCK: Final[dict[int, Pen | Brush | Font | None]] = {
    0: WHITE_BRUSH, 1: Brush("#c0c0c0"), 2: Brush("#808080"), 3: Brush("#404040"), 4: Brush("#000000"), 5: NO_BRUSH,
    6: WHITE_PEN, 7: BLACK_PEN, 8: NO_PEN, **dict.fromkeys((10, 11, 12, 13, 14, 16, 17), PLAIN_FONT), 15: None,
    18: WHITE_BRUSH, 19: BLACK_PEN,
}  # fmt: skip


def colour(value: int) -> str:
    """COLORREF: 0x00BBGGRR."""
    if value >> 24 == _PALETTE_INDEX:
        raise Unsupported("a colour of a palette", code="metafile.not_drawn")
    return f"#{value & 0xFF:02x}{value >> 8 & 0xFF:02x}{value >> 16 & 0xFF:02x}"


def pen(style: int, width: float, value: int, dashes: tuple[int, ...] = ()) -> Pen:
    """LogPen and LogPenEx."""
    kind = style & _STYLES
    if kind == _NULL_PEN:
        return NO_PEN
    if kind not in _DASHES and kind not in (0, _INSIDE_FRAME, _USER_STYLE):
        raise Unsupported(f"a pen of style {kind}", code="metafile.not_drawn")
    given = dashes if kind == _USER_STYLE else _DASHES.get(kind, ())
    cap, join = _CAPS.get(style & 0xF00), _JOINS.get(style & 0xF000)
    if cap is None or join is None:
        raise Unsupported("a pen of an unknown shape", code="metafile.not_drawn")
    measured = kind == _USER_STYLE and bool(style & _GEOMETRIC)
    return Pen(colour(value), abs(width), tuple(map(float, given)), cap, join, measured)


def brush(style: int, value: int, hatch: int) -> Brush:
    """LogBrush without a bitmap."""
    if style == _NOTHING:
        return NO_BRUSH
    if style == _SOLID:
        return Brush(colour(value))
    if style == _HATCHED and hatch < len(_HATCHES):
        return Brush(colour(value), _HATCHES[hatch])
    raise Unsupported(f"a brush of style {style}", code="metafile.not_drawn")


def wide_font(data: bytes) -> Font:
    """LogFont of EMF."""
    height, _, escapement, _, weight = struct.unpack_from("<5i", data)
    name = data[28:92].decode("utf-16-le", "replace").partition("\0")[0]
    return Font(height, escapement, weight >= _BOLD, bool(data[20]), bool(data[21]), bool(data[22]), data[23], name)


def narrow_font(data: bytes) -> Font:
    """Font of WMF."""
    height, _, escapement, _, weight = struct.unpack_from("<5h", data)
    name = data[18:].partition(b"\0")[0].decode("cp932", "replace")
    return Font(height, escapement, weight >= _BOLD, bool(data[10]), bool(data[11]), bool(data[12]), data[13], name)


def picture(info: bytes, bits: bytes, *, alpha: bool = False) -> Image.Image:
    """A bitmap that we made anew ourselves, top row first. `alpha`: 32 bits whose fourth byte counts, multiplied already."""
    if alpha and struct.unpack_from("<H", info, 14)[0] == 32:
        width, height = struct.unpack_from("<ii", info, 4)
        return Image.frombytes("RGBA", (width, abs(height)), bits, "raw", "BGRa", 0, -1 if height > 0 else 1)
    at = 14 + len(info)
    file = b"BM" + struct.pack("<IHHI", at + len(bits), 0, 0, at) + info + bits
    with Image.open(io.BytesIO(file), formats=["BMP"]) as found:
        return found.convert("RGB")


def data_url(image: Image.Image) -> str:
    """As it stands in the drawing."""
    made = io.BytesIO()
    image.save(made, "PNG", compress_level=1)
    return f"data:image/png;base64,{pybase64.b64encode(made.getvalue()).decode('ascii')}"
