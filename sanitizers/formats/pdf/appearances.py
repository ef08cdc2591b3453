"""Looks for form fields that have none of their own, or whose viewer was to make them (ISO 32000-2 §12.7.4.3, NeedAppearances).

Two fonts that every viewer brings along: Helvetica, and a Japanese one in the predefined encoding UniJIS-UTF16-H (§9.7.5.2), so that any
text can be drawn without embedding a font.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from sanitizers.formats.pdf.annots import default_appearance
from sanitizers.formats.pdf.files import text
from sanitizers.formats.pdf.shapes import OMIT
from sanitizers.formats.pdf.syntax import real
from sanitizers.formats.pdf.values import Dictionary, Name, Ref, Stream, Value, is_integer

if TYPE_CHECKING:
    from sanitizers.formats.pdf.copier import Copier

_MULTILINE, _PASSWORD, _PUSH, _RADIO, _COMB = 1 << 12, 1 << 13, 1 << 16, 1 << 15, 1 << 24
_FONT: Final = re.compile(rb"/\S+\s+(-?[0-9.]+)\s+Tf")
_LINES: Final = re.compile(r"\r\n|\r|\n")
_SYSTEM: Final = {"Registry": b"Adobe", "Ordering": b"Japan1", "Supplement": 6}
_MARGIN: Final = 2.0
_AUTOMATIC: Final = 12.0        # the size where the field leaves it to the viewer
_SMALLEST: Final = 4.0
_LEADING: Final = 1.15
_WIDE: Final = frozenset("WFA")
_MOST: Final = 20_000          # characters of one value that are drawn


def appearance(copier: Copier, found: Dictionary, widget: Dictionary) -> Ref | None:
    """A form for one widget: `found` is it in the input, `widget` rebuilt. None where there is nothing to draw."""
    left, bottom, right, top = _corners(widget)
    size = (right - left, top - bottom)
    if size[0] <= 0 or size[1] <= 0:
        return None
    body = _background(widget, size) + _Drawing(copier, found, widget, size).content()
    if not body:
        return None
    copier.budget.spend_bytes(len(body))
    fields: Dictionary = {"Type": Name("XObject"), "Subtype": Name("Form"), "BBox": [0, 0, *size], "Resources": {"Font": _fonts()}}
    return copier.writer.add_deflated(fields, body)


def inherited(copier: Copier, found: Dictionary, key: str) -> Value:
    """A value of a field, its own or of the nearest parent that has one."""
    for _ in range(100):
        if (value := copier.resolve(found.get(key))) is not None or "Parent" not in found:
            return value
        found = copier.reader.dictionary(found["Parent"])
    return None


def _corners(widget: Dictionary) -> tuple[float, float, float, float]:
    left, bottom, right, top = widget["Rect"]
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _fonts() -> Dictionary:
    plain: Dictionary = {
        "Type": Name("Font"), "Subtype": Name("Type1"), "BaseFont": Name("Helvetica"), "Encoding": Name("WinAnsiEncoding"),
    }
    descendant: Dictionary = {
        "Type": Name("Font"), "Subtype": Name("CIDFontType0"), "BaseFont": Name("HeiseiKakuGo-W5"), "CIDSystemInfo": _SYSTEM,
        "DW": 1000, "W": [1, 94, 500, 231, 632, 500],
        "FontDescriptor": {
            "Type": Name("FontDescriptor"), "FontName": Name("HeiseiKakuGo-W5"), "Flags": 4, "FontBBox": [-92, -250, 1010, 922],
            "ItalicAngle": 0, "Ascent": 752, "Descent": -221, "CapHeight": 737, "StemV": 114,
        },
    }
    japanese: Dictionary = {
        "Type": Name("Font"), "Subtype": Name("Type0"), "BaseFont": Name("HeiseiKakuGo-W5"), "Encoding": Name("UniJIS-UTF16-H"),
        "DescendantFonts": [descendant],
    }
    marks: Dictionary = {"Type": Name("Font"), "Subtype": Name("Type1"), "BaseFont": Name("ZapfDingbats")}
    return {"F1": plain, "F2": japanese, "F3": marks}


def _background(widget: Dictionary, size: tuple[float, float]) -> bytes:
    """Fill and border, as the appearance characteristics (§12.5.6.19) say."""
    looks = widget.get("MK", {})
    out = b""
    if fill := _colour(looks.get("BG"), ("g", "rg", "k")):
        out += b"q %b 0 0 %b %b re f Q\n" % (fill, real(size[0]), real(size[1]))
    width = widget.get("BS", {}).get("W", 1)
    if width > 0 and (stroke := _colour(looks.get("BC"), ("G", "RG", "K"))):
        inner = b" ".join(map(real, (width / 2, width / 2, max(size[0] - width, 0), max(size[1] - width, 0))))
        out += b"q %b %b w %b re S Q\n" % (stroke, real(width), inner)
    return out


def _colour(value: Value, operators: tuple[str, str, str]) -> bytes:
    numbers = value if isinstance(value, list) else []
    operator = dict(zip((1, 3, 4), operators, strict=True)).get(len(numbers))
    return b" ".join([*map(real, numbers), operator.encode()]) if operator else b""


class _Drawing:
    """The text or mark of one field."""

    def __init__(self, copier: Copier, found: Dictionary, widget: Dictionary, size: tuple[float, float]) -> None:
        self._copier, self._found, self._widget = copier, found, widget
        self._width, self._height = size
        flags = inherited(copier, found, "Ff")
        self._flags = flags if is_integer(flags) else 0
        given = inherited(copier, found, "DA")
        self._style = given if isinstance(given, bytes) else b""

    def content(self) -> bytes:
        kind = inherited(self._copier, self._found, "FT")
        if kind == "Btn":
            return self._button()
        if kind not in ("Tx", "Ch"):
            return b""
        value = self._text()
        if kind == "Tx" and self._flags & _PASSWORD:
            value = "*" * len(value)
        longest = inherited(self._copier, self._found, "MaxLen")
        if kind == "Tx" and self._flags & _COMB and is_integer(longest) and 0 < longest <= 1000:
            return self._comb(value, longest)
        return self._lines(value, several=kind == "Ch" or bool(self._flags & _MULTILINE))

    def _text(self) -> str:
        value = inherited(self._copier, self._found, "V")
        items = value if isinstance(value, list) else [value]
        shown = self._options()
        found = map(self._copier.resolve, items)
        texts = [self._copier.content_of(item, "form/V") if isinstance(item, Stream) else item for item in found]
        return "\n".join(text(shown.get(item, item)) for item in texts if isinstance(item, bytes))[:_MOST]

    def _options(self) -> dict[bytes, bytes]:
        """What a choice shows for each value that it stands for."""
        pairs = map(self._copier.reader.array, self._copier.reader.array(inherited(self._copier, self._found, "Opt")))
        both = [[self._copier.resolve(item) for item in pair] for pair in pairs if len(pair) == 2]
        return {value: label for value, label in both if isinstance(value, bytes) and isinstance(label, bytes)}

    def _button(self) -> bytes:
        if self._flags & _PUSH:
            caption = self._widget.get("MK", {}).get("CA", b"")
            return self._lines(text(caption), several=False, align=1)
        state = self._widget.get("AS") or (None if self._flags & _RADIO else inherited(self._copier, self._found, "V"))
        if not isinstance(state, Name) or state == "Off":
            return b""
        size = min(self._width, self._height) * 0.8
        place = b"%b %b Td" % (real((self._width - size * 0.8) / 2), real((self._height - size * 0.7) / 2))
        return b"BT /F3 %b Tf %b (4) Tj ET\n" % (real(size), place)

    def _size(self, value: str, *, several: bool) -> float:
        """The size that the field asks for; where it asks for none, one that lets a single line fit."""
        match = _FONT.search(self._style)
        size = abs(float(match[1])) if match and match[1].count(b".") < 2 and match[1].strip(b"-.") else 0.0
        fitting = (self._width - 2 * _MARGIN) / max(_measure(value), 1.0)
        return size or (_AUTOMATIC if several else max(_SMALLEST, min(_AUTOMATIC, self._height * 0.7, fitting)))

    def _lines(self, value: str, *, several: bool, align: int | None = None) -> bytes:
        size = self._size(value, several=several)
        lines = _LINES.split(value)
        wide = (self._width - 2 * _MARGIN) / size
        lines = [part for line in lines for part in _wrapped(line, wide)] if several else [" ".join(lines)]
        quadding = inherited(self._copier, self._found, "Q") if align is None else align
        free_part = {1: 0.5, 2: 1.0}.get(quadding, 0.0) if is_integer(quadding) else 0.0
        start = self._height - _MARGIN - size if several else (self._height - size * 0.72) / 2
        out = []
        for index, line in enumerate(lines):
            free = self._width - 2 * _MARGIN - _measure(line) * size
            left = _MARGIN + max(0.0, free) * free_part
            out.append(self._shown(line, size, left, start - index * size * _LEADING))
        return self._clipped(out)

    def _comb(self, value: str, cells: int) -> bytes:
        size, step = self._size("", several=False), self._width / cells
        baseline = (self._height - size * 0.72) / 2
        places = ((char, step * (index + 0.5) - _measure(char) * size / 2) for index, char in enumerate(value[:cells]))
        return self._clipped([self._shown(char, size, left, baseline) for char, left in places])

    def _shown(self, line: str, size: float, left: float, baseline: float) -> bytes:
        if not line.strip():
            return b""
        try:
            font, shown = b"/F1", line.encode("cp1252").hex()
        except UnicodeEncodeError:
            font, shown = b"/F2", line.encode("utf-16-be", "surrogatepass").hex()
        return b"BT %b %b Tf 1 0 0 1 %b %b Tm <%b> Tj ET\n" % (font, real(size), real(left), real(baseline), shown.encode())

    def _clipped(self, parts: list[bytes]) -> bytes:
        drawn = b"".join(parts)
        if not drawn:
            return b""
        colour = _FONT.sub(b"", self._rebuilt()).strip()
        return b"q 0 0 %b %b re W n\n%b\n%bQ\n" % (real(self._width), real(self._height), colour, drawn)

    def _rebuilt(self) -> bytes:
        """The default appearance as it was rebuilt: known operators only."""
        made = default_appearance(self._copier, self._style, "")
        return b"" if made is OMIT else made


def _measure(line: str) -> float:
    """Width in units of the font size, roughly: full-width characters are one wide, others half."""
    return sum(1.0 if unicodedata.east_asian_width(char) in _WIDE else 0.52 for char in line)


def _wrapped(line: str, width: float) -> list[str]:
    """A line in pieces that fit; broken at a blank where there is one, else anywhere, as Japanese is."""
    pieces, piece, used = [], "", 0.0
    for char in line:
        step = _measure(char)
        if piece and used + step > width:
            head, blank, tail = piece.rpartition(" ")
            pieces.append(head if blank else piece)
            piece = tail if blank else ""
            used = _measure(piece)
        piece += char
        used += step
    return [*pieces, piece]
