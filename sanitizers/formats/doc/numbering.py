"""Lists: [MS-DOC] 2.9.131 (LSTF), 2.9.150 (LVLF), 2.9.130 (LFO) → numbering.xml."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.formats.doc import characters, markup, paragraphs, sprms
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.text import joined
from sanitizers.model import Malformed

_LIST, _LEVEL, _OVERRIDE = 28, 28, 16  # bytes
_LEVELS: Final = 9
_MOST: Final = 8192
_ALIGNMENTS: Final = ("left", "center", "right", "left")
_NO_NUMBER: Final = 0xFF
_FOLLOWING: Final = ("tab", "space", "nothing")
_FORMATS: Final = (
    "decimal", "upperRoman", "lowerRoman", "upperLetter", "lowerLetter", "ordinal", "cardinalText", "ordinalText", "hex", "chicago",
    "ideographDigital", "japaneseCounting", "aiueo", "iroha", "decimalFullWidth", "decimalHalfWidth", "japaneseLegal",
    "japaneseDigitalTenThousand", "decimalEnclosedCircle", "decimalFullWidth2", "aiueoFullWidth", "irohaFullWidth", "decimalZero",
    "bullet", "ganada", "chosung", "decimalEnclosedFullstop", "decimalEnclosedParen", "decimalEnclosedCircleChinese",
    "ideographEnclosedCircle", "ideographTraditional", "ideographZodiac", "ideographZodiacTraditional", "taiwaneseCounting",
    "ideographLegalTraditional", "taiwaneseCountingThousand", "taiwaneseDigital", "chineseCounting", "chineseLegalSimplified",
    "chineseCountingThousand", "decimal", "koreanDigital", "koreanCounting", "koreanLegal", "koreanDigital2",
)  # fmt: skip
_MAIN: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


class Level(NamedTuple):
    start: int
    form: int
    flags: int
    following: int
    restart: int
    paragraph: bytes
    characters: bytes
    text: str


class Override(NamedTuple):
    """One use of a list; `levels`: (level, its start or None, its own look or None)."""

    list_index: int
    levels: tuple[tuple[int, int | None, Level | None], ...]


def number_format(number: int) -> str:
    """ECMA-376 part 1 §17.18.59 for an MSONFC, [MS-OSHARED] 2.2.1.3."""
    if number == _NO_NUMBER:
        return "none"
    if number == 57:
        return "numberInDash"
    return _FORMATS[number] if number < len(_FORMATS) else "decimal"


class Numbering:
    def __init__(self, streams: Streams) -> None:
        self._levels: list[tuple[Level, ...]] = []
        self._overrides: list[Override] = []
        lists = streams.part(Part.LISTS)
        if len(lists) >= 2:
            self._read_lists(lists, streams.behind(Part.LISTS))
            self._read_overrides(streams.part(Part.LIST_OVERRIDES))

    def relation(self, index: int, level: int) -> str:
        """w:numPr for an index as paragraphs say it, from 1; 0 and what does not exist is no list."""
        if index == 0:
            return '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="0"/></w:numPr>'
        if not 1 <= index <= len(self._overrides):
            return ""
        return f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{index}"/></w:numPr>'

    def _read_lists(self, data: bytes, behind: bytes) -> None:
        (count,) = struct.unpack_from("<H", data)
        if count > _MOST or 2 + _LIST * count > len(data):
            raise Malformed("the table of lists", code="doc.malformed")
        self._identities: dict[int, int] = {}
        at = 0
        for index in range(count):
            (identity,) = struct.unpack_from("<i", data, 2 + _LIST * index)
            simple = data[2 + _LIST * index + 26] & 1
            levels: list[Level] = []
            for _ in range(1 if simple else _LEVELS):
                level, at = _level(behind, at)
                levels.append(level)
            self._levels.append(tuple(levels))
            self._identities.setdefault(identity, index)

    def _read_overrides(self, data: bytes) -> None:
        if len(data) < 4:
            return
        (count,) = struct.unpack_from("<I", data)
        if count > _MOST or 4 + _OVERRIDE * count > len(data):
            raise Malformed("the table of lists in use", code="doc.malformed")
        at = 4 + _OVERRIDE * count
        for index in range(count):
            identity, changed = struct.unpack_from("<i8xB", data, 4 + _OVERRIDE * index)
            at += 4
            levels: list[tuple[int, int | None, Level | None]] = []
            for _ in range(min(changed, _LEVELS)):
                start, flags = sprms.unpack("<iI", data, at)
                at += 8
                own: Level | None = None
                if flags & 0x20:
                    own, at = _level(data, at)
                levels.append((min(flags & 0x0F, _LEVELS - 1), start if flags & 0x10 else None, own))
            self._overrides.append(Override(self._identities.get(identity, -1), tuple(levels)))

    # writing

    def xml(self, fonts: list[str]) -> str:
        """Empty where there is no list."""
        if not self._overrides:
            return ""
        lists = "".join(self._list(index, levels, fonts) for index, levels in enumerate(self._levels))
        empty = len(self._levels)
        if any(override.list_index < 0 for override in self._overrides):
            lists += f'<w:abstractNum w:abstractNumId="{empty}"/>'
        uses = "".join(self._use(number, override, empty, fonts) for number, override in enumerate(self._overrides, 1))
        return f"<w:numbering {_MAIN}>{lists}{uses}</w:numbering>"

    def _list(self, index: int, levels: tuple[Level, ...], fonts: list[str]) -> str:
        lines = "".join(_written(number, level, fonts) for number, level in enumerate(levels))
        kind = "singleLevel" if len(levels) == 1 else "multilevel"
        return f'<w:abstractNum w:abstractNumId="{index}"><w:multiLevelType w:val="{kind}"/>{lines}</w:abstractNum>'

    def _use(self, number: int, override: Override, empty: int, fonts: list[str]) -> str:
        base = override.list_index if override.list_index >= 0 else empty
        seen: set[int] = set()
        lines: list[str] = []
        for level, start, own in override.levels:
            if level in seen:
                continue
            seen.add(level)
            begins = markup.value("startOverride", max(start, 0)) if start is not None and own is None else ""
            lines.append(f'<w:lvlOverride w:ilvl="{level}">{begins}{_written(level, own, fonts) if own else ""}</w:lvlOverride>')
        return f'<w:num w:numId="{number}"><w:abstractNumId w:val="{base}"/>{"".join(lines)}</w:num>'


def _level(data: bytes, at: int) -> tuple[Level, int]:
    """And where the next one begins."""
    start, form, flags = sprms.unpack("<iBB", data, at)
    following, size, paragraph, restart = sprms.unpack("<B8xBBB", data, at + 15)
    at += _LEVEL
    changes, at = data[at : at + paragraph], at + paragraph
    look, at = data[at : at + size], at + size
    (length,) = sprms.unpack("<H", data, at)
    text = "".join(map(chr, sprms.unpack(f"<{length}H", data, at + 2)))
    return Level(start, form, flags, following, restart, changes, look, text), at + 2 + 2 * length


def _written(number: int, level: Level, fonts: list[str]) -> str:
    shown = "".join(f"%{ord(one) + 1}" if ord(one) < _LEVELS else one for one in level.text)
    look = characters.write(sprms.merged(level.characters), fonts, {})
    following = level.following if shown or level.form != _NO_NUMBER else _FOLLOWING.index("nothing")
    around = paragraphs.write(sprms.merged(level.paragraph), level.paragraph, "", lambda *_: "")
    lines = [
        markup.value("start", min(max(level.start, 0), 32_767)),
        markup.value("numFmt", number_format(level.form)),
        markup.value("lvlRestart", level.restart) if level.flags & 0x08 and level.restart <= number else "",
        "<w:isLgl/>" if level.flags & 0x04 else "",
        markup.value("suff", _FOLLOWING[following]) if 0 < following < len(_FOLLOWING) else "",
        f"<w:lvlText w:val={markup.attribute(joined(shown))}/>",
        markup.value("lvlJc", _ALIGNMENTS[level.flags & 0x03]),
        f"<w:pPr>{around}</w:pPr>" if around else "",
        f"<w:rPr>{look}</w:rPr>" if look else "",
    ]
    return f'<w:lvl w:ilvl="{number}">{"".join(lines)}</w:lvl>'
