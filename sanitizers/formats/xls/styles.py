"""Fonts, number formats and cell formats, as they become `xl/styles.xml`: [MS-XLS] 2.4.122, 2.4.126, 2.4.353, ECMA-376 part 1 §18.8."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from sanitizers.formats.xls import markup, strings
from sanitizers.formats.xls.records import Record

FONT, FORMAT, XF, PALETTE = 0x0031, 0x041E, 0x00E0, 0x0092

_BORDERS: Final = (
    None, "thin", "medium", "dashed", "dotted", "thick", "double", "hair", "mediumDashed", "dashDot", "mediumDashDot", "dashDotDot",
    "mediumDashDotDot", "slantDashDot",
)  # fmt: skip
_FILLS: Final = (
    None, "solid", "mediumGray", "darkGray", "lightGray", "darkHorizontal", "darkVertical", "darkDown", "darkUp", "darkGrid", "darkTrellis",
    "lightHorizontal", "lightVertical", "lightDown", "lightUp", "lightGrid", "lightTrellis", "gray125", "gray0625",
)  # fmt: skip
_ACROSS: Final = (None, "left", "center", "right", "fill", "justify", "centerContinuous", "distributed")
_DOWN: Final = ("top", "center", None, "justify", "distributed")
_UNDERLINES: Final = {1: "", 2: "double", 33: "singleAccounting", 34: "doubleAccounting"}
_FIRST_OWN: Final = 164  # number of the first format that is the workbook's own
# Formats that every reader knows by number and shows in the way of its own country, declared or not.
_KNOWN: Final = frozenset({*range(5), *range(9, 23), *range(45, 50)})
_DEFAULT: Final = 15
_LAST_COLOUR: Final = 0x41  # of the window; what is above says that there is none
_MOST_COLOURS: Final = 56
# The eight that never change, then the palette of Excel 97.
_EGA: Final = "000000 FFFFFF FF0000 00FF00 0000FF FFFF00 FF00FF 00FFFF".split()


class Format(NamedTuple):
    """One XF, as indexes into the tables of `Styles` and XML of its alignment and protection."""

    font: int
    number: int
    fill: int
    border: int
    inside: str
    quoted: bool


class Styles:
    """Collects the records; `xml()` writes them. `encoding` is that of BIFF5, None for BIFF8."""

    def __init__(self, encoding: str | None) -> None:
        self.encoding = encoding
        self.fonts: list[str] = []
        self.formats: list[Format] = []
        self._numbers: dict[int, str] = {}
        self._colours: list[str] = []
        self._fills: dict[str, int] = {'<patternFill patternType="none"/>': 0, '<patternFill patternType="gray125"/>': 1}
        self._borders: dict[str, int] = {"": 0}
        self._differentials: dict[str, int] = {}

    def add(self, record: Record) -> None:
        """A Font, Format, Palette or XF record of the globals."""
        if record.kind == FONT:
            self.fonts.append(self._font(record))
        elif record.kind == FORMAT:
            (number,) = record.unpack("<H")
            self._numbers[number] = (
                strings.long(record.data, 2, None)[0] if self.encoding is None else strings.short(record.data, 2, self.encoding)[0]
            )
        elif record.kind == PALETTE:
            data = record.data
            count = min(record.unpack("<H")[0], _MOST_COLOURS, (len(data) - 2) // 4)
            self._colours = [data[2 + 4 * n : 5 + 4 * n].hex().upper() for n in range(count)]
        elif record.kind == XF:
            self.formats.append(self._format5(record) if self.encoding else self._format8(record))

    def font_index(self, number: int) -> int:
        """Font 4 does not exist: the fifth has number 5. A number without a font is the first font."""
        index = number - 1 if number > 4 else number
        return index if index < len(self.fonts) else 0

    def index(self, number: int) -> int:
        """The new number of a cell format: the one of cells that nothing is said of, 15 in the old workbook, is 0 in the new one."""
        if len(self.formats) <= _DEFAULT:
            return number if number < len(self.formats) else 0
        return number + 1 if number < len(self.formats) and number != _DEFAULT else 0

    def add_differential(self, inside: str) -> int:
        """The number of what a conditional format changes."""
        return self._differentials.setdefault(inside, len(self._differentials))

    def xml(self) -> str:
        """The part `styles.xml`."""
        fonts = self.fonts or ['<sz val="11"/><name val="ＭＳ Ｐゴシック"/>']
        default = slice(_DEFAULT, _DEFAULT + 1) if len(self.formats) > _DEFAULT else slice(0)
        formats = [*self.formats[default], *self.formats] or [Format(0, 0, 0, 0, "", False)]
        numbers = [
            f'<numFmt numFmtId="{n}" formatCode={markup.attribute(code)}/>' for n, code in sorted(self._numbers.items()) if n not in _KNOWN
        ]
        return (
            '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            + (_table("numFmts", numbers) if numbers else "")
            + _table("fonts", [f"<font>{font}</font>" for font in fonts])
            + _table("fills", [f"<fill>{fill}</fill>" for fill in self._fills])
            + _table("borders", map(_border, self._borders))
            + '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
            + _table("cellXfs", map(_cell_format, formats))
            + '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
            + _table("dxfs", [f"<dxf>{look}</dxf>" for look in self._differentials])
            + f"{self._palette()}</styleSheet>"
        )

    def _palette(self) -> str:
        if not self._colours:
            return ""
        table = "".join(f'<rgbColor rgb="00{colour}"/>' for colour in (*_EGA, *self._colours))
        return f"<colors><indexedColors>{table}</indexedColors></colors>"

    def _font(self, record: Record) -> str:
        height, flags, shade, weight, script, underline, family, charset = record.unpack("<HHHHHBBB")
        name, _ = strings.short(record.data, 14, self.encoding)
        marks = "".join(
            f"<{tag}/>"
            for tag, on in (("b", weight > 500), ("i", flags & 2), ("strike", flags & 8), ("outline", flags & 16), ("shadow", flags & 32))
            if on
        )
        if underline in _UNDERLINES:
            marks += f'<u val="{_UNDERLINES[underline]}"/>' if _UNDERLINES[underline] else "<u/>"
        marks += {1: '<vertAlign val="superscript"/>', 2: '<vertAlign val="subscript"/>'}.get(script, "")
        kind = f'<family val="{family}"/>' if family in range(1, 6) else ""
        letters = f'<charset val="{charset}"/>' if charset else ""
        return (
            f'{marks}<sz val="{max(height, 20) / 20:g}"/>{colour("color", shade)}<name val={markup.attribute(name[:31])}/>{kind}{letters}'
        )

    def _format8(self, record: Record) -> Format:
        font, number, style, across, turn, indent, _, left_right, top_bottom, pattern = record.unpack("<HHHBBBBIIH")
        sides = _sides(left_right & 15, left_right >> 4 & 15, left_right >> 8 & 15, left_right >> 12 & 15)
        colours = (left_right >> 16 & 127, left_right >> 23 & 127, top_bottom & 127, top_bottom >> 7 & 127)
        diagonal = (_name(_BORDERS, top_bottom >> 21 & 15), top_bottom >> 14 & 127, left_right >> 30 & 1, left_right >> 31)
        fill = self._fill(top_bottom >> 26, pattern & 127, pattern >> 7 & 127)
        inside = _inside(style, across, turn, indent)
        return Format(
            self.font_index(font), self._number(number), fill, self._border_index(sides, colours, diagonal), inside, bool(style & 8)
        )

    def _format5(self, record: Record) -> Format:
        font, number, style, align, turned, area, lines = record.unpack("<HHHBBII")
        sides = _sides(lines >> 3 & 7, lines >> 6 & 7, lines & 7, area >> 22 & 7)
        colours = (lines >> 16 & 127, lines >> 23 & 127, lines >> 9 & 127, area >> 25)
        fill = self._fill(area >> 16 & 63, area & 127, area >> 7 & 127)
        inside = _inside(style, align, (0, 255, 90, 180)[turned & 3], 0)
        return Format(self.font_index(font), self._number(number), fill, self._border_index(sides, colours, (None, 0, 0, 0)), inside, False)

    def _number(self, number: int) -> int:
        """One that is not declared is a format that every reader knows, or the general one."""
        return number if number in self._numbers or number < _FIRST_OWN else 0

    def _fill(self, pattern: int, front: int, back: int) -> int:
        name = _name(_FILLS, pattern)
        if name is None:
            return 0
        fill = f'<patternFill patternType="{name}">{colour("fgColor", front)}{colour("bgColor", back)}</patternFill>'
        return self._fills.setdefault(fill, len(self._fills))

    def _border_index(self, sides: tuple[str | None, ...], colours: tuple[int, ...], diagonal: tuple[str | None, int, int, int]) -> int:
        style, shade, down, up = diagonal
        if not any(sides) and style is None:
            return 0
        lines = "".join(
            line(name, side, shade) for name, side, shade in zip(("left", "right", "top", "bottom"), sides, colours, strict=True)
        )
        turned = (' diagonalUp="1"' if up else "") + (' diagonalDown="1"' if down else "")
        return self._borders.setdefault(f"{turned}>{lines}{line('diagonal', style if up or down else None, shade)}", len(self._borders))


def _table(tag: str, items: Iterable[str]) -> str:
    listed = list(items)
    return f'<{tag} count="{len(listed)}">{"".join(listed)}</{tag}>'


def _sides(*styles: int) -> tuple[str | None, ...]:
    return tuple(_name(_BORDERS, style) for style in styles)


def pattern(index: int) -> str | None:
    """The name of a fill pattern."""
    return _name(_FILLS, index)


def border_style(index: int) -> str | None:
    return _name(_BORDERS, index)


def _name(names: tuple[str | None, ...], index: int) -> str | None:
    return names[index] if index < len(names) else None


def line(side: str, style: str | None, shade: int) -> str:
    return f"<{side}/>" if style is None else f'<{side} style="{style}">{colour("color", shade)}</{side}>'


def _border(spelled: str) -> str:
    return f"<border{spelled}</border>" if spelled else "<border><left/><right/><top/><bottom/><diagonal/></border>"


def colour(tag: str, index: int) -> str:
    return f'<{tag} indexed="{index}"/>' if index <= _LAST_COLOUR else ""


def _inside(style: int, align: int, turn: int, indent: int) -> str:
    """Alignment and protection."""
    said = {
        "horizontal": _name(_ACROSS, align & 7),
        "vertical": _name(_DOWN, align >> 4 & 7),
        "textRotation": str(turn) if 0 < turn <= 180 or turn == 255 else None,
        "wrapText": "1" if align & 8 else None,
        "indent": str(indent & 15) if indent & 15 else None,
        "shrinkToFit": "1" if indent & 16 else None,
        "readingOrder": str(indent >> 6) if indent >> 6 in (1, 2) else None,
    }
    alignment = "".join(f' {name}="{value}"' for name, value in said.items() if value is not None)
    lock = ("" if style & 1 else ' locked="0"') + (' hidden="1"' if style & 2 else "")
    return (f"<alignment{alignment}/>" if alignment else "") + (f"<protection{lock}/>" if lock else "")


def _cell_format(made: Format) -> str:
    applied = (
        f'numFmtId="{made.number}" fontId="{made.font}" fillId="{made.fill}" borderId="{made.border}" xfId="0"'
        + (' quotePrefix="1"' if made.quoted else "") + ' applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1"'
        + (' applyAlignment="1"' if "<alignment" in made.inside else "") + (' applyProtection="1"' if "<protection" in made.inside else "")
    )  # fmt: skip
    return f"<xf {applied}>{made.inside}</xf>" if made.inside else f"<xf {applied}/>"
