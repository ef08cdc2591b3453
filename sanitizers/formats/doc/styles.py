"""Fonts and styles: [MS-DOC] 2.9.286 (SttbfFfn), 2.9.271 (STSH) → fontTable.xml, styles.xml."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from sanitizers.formats.doc import characters, colours, markup, paragraphs, sprms, tables
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.sprms import Properties
from sanitizers.model import Malformed

_PARAGRAPH, _CHARACTER, _TABLE, _LIST = 1, 2, 3, 4
_KINDS: Final = {_PARAGRAPH: "paragraph", _CHARACTER: "character", _TABLE: "table"}
_NONE: Final = 0x0FFF
_MOST: Final = 4096
_LONGEST: Final = 253
_DEEPEST: Final = 64  # styles that are based on each other
_DEFAULT_FONT: Final = 65  # the built-in style of characters that says nothing
_PLAIN_TABLE: Final = 105
_MAIN: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _numbered(first: int, pattern: str, count: int) -> dict[int, str]:
    return {first + n: pattern.format(n + 1) for n in range(count)}


# Number of a built-in style → the name by which all readers know it. [MS-DOC] 2.9.260 (sti).
_BUILT_IN: Final = {
    0: "Normal", **_numbered(1, "heading {}", 9), **_numbered(10, "index {}", 9), **_numbered(19, "toc {}", 9), 28: "Normal Indent",
    29: "footnote text", 30: "annotation text", 31: "header", 32: "footer", 33: "index heading", 34: "caption", 35: "table of figures",
    36: "envelope address", 37: "envelope return", 38: "footnote reference", 39: "annotation reference", 40: "line number",
    41: "page number", 42: "endnote reference", 43: "endnote text", 44: "table of authorities", 45: "macro", 46: "toa heading", 47: "List",
    48: "List Bullet", 49: "List Number", 50: "List 2", 51: "List 3", 52: "List 4", 53: "List 5", 54: "List Bullet 2", 55: "List Bullet 3",
    56: "List Bullet 4", 57: "List Bullet 5", 58: "List Number 2", 59: "List Number 3", 60: "List Number 4", 61: "List Number 5",
    62: "Title", 63: "Closing", 64: "Signature", 65: "Default Paragraph Font", 66: "Body Text", 67: "Body Text Indent",
    68: "List Continue", 69: "List Continue 2", 70: "List Continue 3", 71: "List Continue 4", 72: "List Continue 5",
    73: "Message Header", 74: "Subtitle", 75: "Salutation", 76: "Date", 77: "Body Text First Indent", 78: "Body Text First Indent 2",
    79: "Note Heading", 80: "Body Text 2", 81: "Body Text 3", 82: "Body Text Indent 2", 83: "Body Text Indent 3", 84: "Block Text",
    85: "Hyperlink", 86: "FollowedHyperlink", 87: "Strong", 88: "Emphasis", 89: "Document Map", 90: "Plain Text", 91: "E-mail Signature",
    94: "Normal (Web)", 105: "Normal Table", 106: "annotation subject", 107: "No List", 153: "Balloon Text", 154: "Table Grid",
}  # fmt: skip


@dataclass(slots=True)
class Style:
    """`kind` as ECMA-376 names it; `grpprls`: changes of the paragraph, of its characters and of table rows."""

    number: int
    name: str
    kind: str
    based_on: int
    following: int
    paragraph: bytes = b""
    characters: bytes = b""
    rows: bytes = b""
    toggled: Properties | None = field(default=None)


class Styles:
    """`fonts`: names by index."""

    def __init__(self, streams: Streams) -> None:
        self.fonts = _fonts(streams.part(Part.FONTS))
        self.by_index: dict[int, Style] = {}
        self._fixed: tuple[int, ...] = ()
        self._between: dict[int, bool] = {}
        self._read(streams.part(Part.STYLES))

    def identity(self, index: int, kind: str) -> str:
        """The id of a style of a kind; empty for one that does not exist or says nothing."""
        style = self.by_index.get(index)
        if style is None or style.kind != kind or (kind == "character" and style.number == _DEFAULT_FONT):
            return ""
        return f"s{index}"

    def toggled(self, index: int) -> Properties:
        """What a style and those that it is based on switch on, as one would see it."""
        style = self.by_index.get(index)
        if style is None:
            return {}
        if style.toggled is None:
            style.toggled = {}  # a circle ends here
            below = self.toggled(style.based_on)
            own = {number: said for number, said in sprms.read(style.characters) if number in characters.TOGGLES}
            style.toggled = {**below, **own}
        return style.toggled

    def has_between(self, index: int) -> bool:
        """Whether a style, or one that it is based on, has a line between paragraphs."""
        found = self._between.get(index)
        if found is None:
            found = self._between[index] = self._says_between(index)
        return found

    def _says_between(self, index: int) -> bool:
        while (style := self.by_index.get(index)) is not None:
            said = sprms.merged(style.paragraph)
            if any(not colours.is_none(said[number]) for number in paragraphs.BETWEEN if number in said):
                return True
            index = style.based_on
        return False

    def _read(self, data: bytes) -> None:
        head = sprms.unpack("<H", data)[0]
        count, size = sprms.unpack("<HH", data, 2)
        if count > _MOST or size < 10:
            raise Malformed("the table of styles", code="doc.malformed")
        self._fixed = sprms.unpack("<3H", data, 14) if head >= 18 else ()
        at = 2 + head
        for index in range(count):
            if at + 2 > len(data):
                break
            (length,) = struct.unpack_from("<H", data, at)
            if length:
                self._add(index, data[at + 2 : at + 2 + length], size)
            at += 2 + length
        self._untangle()

    def _add(self, index: int, data: bytes, size: int) -> None:
        number, based, more = sprms.unpack("<HHH", data)
        kind = _KINDS.get(based & 0x0F)
        if kind is None:
            return
        (length,) = sprms.unpack("<H", data, size)
        name = data[size + 2 : size + 2 + 2 * length].decode("utf-16-le", "replace")
        number &= 0x0FFF
        style = Style(number, _BUILT_IN.get(number) or name, kind, based >> 4, more >> 4)
        changes = _changes(data, size + 4 + 2 * length, more & 0x0F)
        if kind == "table":
            style.rows, style.paragraph, style.characters = (changes[0], changes[1][2:], changes[2]) if len(changes) >= 3 else (b"",) * 3
        elif kind == "paragraph":
            style.paragraph, style.characters = (changes[0][2:], changes[1]) if len(changes) >= 2 else (b"", b"")
        elif changes:
            style.characters = changes[0]
        self.by_index[index] = style

    def _untangle(self) -> None:
        """A style that is based on itself, however many steps away, is based on nothing; so is one that stands on too many."""
        for index, style in self.by_index.items():
            seen = {index}
            above = style.based_on
            while above in self.by_index:
                if above in seen or len(seen) > _DEEPEST or self.by_index[above].kind != style.kind:
                    style.based_on = _NONE
                    break
                seen.add(above)
                above = self.by_index[above].based_on

    # writing

    def xml(self, numbering: paragraphs.Relations) -> str:
        names: set[str] = set()
        lines = [self._defaults()]
        for index, style in self.by_index.items():
            name = _unique(style.name.split(",")[0][:_LONGEST] or f"Style {index}", names)
            lines.append(self._style(index, style, name, numbering))
        return f"<w:styles {_MAIN}>{''.join(lines)}</w:styles>"

    def _defaults(self) -> str:
        """What a document of Word 97 does where nothing is said. Widows are kept together by no paragraph of it."""
        places = (("ascii", 0), ("eastAsia", 1), ("hAnsi", 2))
        named = "".join(
            f" w:{place}={markup.attribute(self.fonts[self._fixed[n]])}"
            for place, n in places
            if n < len(self._fixed) and self._fixed[n] < len(self.fonts)
        )
        fonts = f"<w:rFonts{named}/>" if named else ""
        look = f'<w:rPrDefault><w:rPr>{fonts}<w:sz w:val="20"/><w:szCs w:val="20"/></w:rPr></w:rPrDefault>'
        return f'<w:docDefaults>{look}<w:pPrDefault><w:pPr><w:widowControl w:val="0"/></w:pPr></w:pPrDefault></w:docDefaults>'

    def _style(self, index: int, style: Style, name: str, numbering: paragraphs.Relations) -> str:
        standard = ' w:default="1"' if style.number in (0, _DEFAULT_FONT, _PLAIN_TABLE) else ""
        inside = f"<w:name w:val={markup.attribute(name)}/>"
        if style.based_on in self.by_index:
            inside += markup.value("basedOn", f"s{style.based_on}")
        if style.kind == "paragraph" and self.identity(style.following, "paragraph"):
            inside += markup.value("next", f"s{style.following}")
        if style.kind != "character" and (said := paragraphs.write(sprms.merged(style.paragraph), style.paragraph, "", numbering)):
            inside += f"<w:pPr>{said}</w:pPr>"
        if said := characters.write(sprms.merged(style.characters), self.fonts, self.toggled(style.based_on)):
            inside += f"<w:rPr>{said}</w:rPr>"
        if style.kind == "table" and (said := tables.style(sprms.merged(style.rows))):
            inside += f"<w:tblPr>{said}</w:tblPr>"
        custom = ' w:customStyle="1"' if style.number not in _BUILT_IN else ""
        return f'<w:style w:type="{style.kind}"{standard}{custom} w:styleId="s{index}">{inside}</w:style>'


def _unique(name: str, names: set[str]) -> str:
    made, number = name, 1
    while made.lower() in names:
        number += 1
        made = f"{name[: _LONGEST - 8]} {number}"
    names.add(made.lower())
    return made


def _changes(data: bytes, at: int, count: int) -> list[bytes]:
    """The lists of changes behind a style's name, each on an even place."""
    found: list[bytes] = []
    for _ in range(count):
        at += at % 2
        if at + 2 > len(data):
            break
        (size,) = struct.unpack_from("<H", data, at)
        found.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def _fonts(data: bytes) -> list[str]:
    found: list[str] = []
    if len(data) < 4:
        return found
    count, at = struct.unpack_from("<H", data)[0], 4
    for _ in range(count):
        if at >= len(data):
            break
        size = data[at]
        name = data[at + 40 : at + 1 + size].decode("utf-16-le", "replace").partition("\0")[0]
        found.append(name[:64])
        at += 1 + size
    return found


def font_table(fonts: list[str]) -> str:
    lines = "".join(f"<w:font w:name={markup.attribute(name)}/>" for name in dict.fromkeys(fonts) if name)
    return f"<w:fonts {_MAIN}>{lines}</w:fonts>"
