"""Text as letters of two fonts, how wide they are, and where a line may end.

Latin letters come from Helvetica, which every reader has (PDF 32000-1, 9.6.2.2). All others come from a font of the Adobe-Japan1
collection with the predefined CMap UniJIS-UTF16-H (9.7.5.2): every reader of Japanese PDF has one, so that none needs to be carried along.
A letter of it is as wide as it is high, half-width katakana are half as wide: the document declares that, and a reader keeps to it.
Widths are in thousandths of the size of the letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Final

LATIN, JAPANESE = "F1", "F2"

# Helvetica, U+0020 to U+007E (Adobe Core 14 font metrics).
_HELVETICA: Final = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_SMALL: Final = "ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶー々ゝゞヽヾ"
_NOT_FIRST: Final = frozenset(_SMALL + "、。，．・：；？！）］｝〕〉》」』】’”｡｣､･,.:;?!)]}%％℃")
_NOT_LAST: Final = frozenset("（［｛〔〈《「『【‘“｢([{￥$＄#№")


def clean(text: str) -> str:
    """Without what has no shape (control and direction marks) and without halves of letters; a tab is a space. Line feeds stay."""
    kept = "".join(
        letter for letter in text.replace("\t", " ") if letter == "\n" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )
    return unicodedata.normalize("NFC", kept)


def font(letter: str) -> str:
    return LATIN if " " <= letter <= "~" else JAPANESE


def wide(letter: str) -> int:
    if font(letter) == LATIN:
        return _HELVETICA[ord(letter) - 0x20]
    return 500 if unicodedata.east_asian_width(letter) == "H" else 1000


def width(text: str, size: float) -> float:
    """In the unit of `size`."""
    return sum(map(wide, text)) * size / 1000


def runs(text: str) -> Iterator[tuple[str, bytes]]:
    """Pieces of one font, each with the bytes of its string object."""
    for name, letters in groupby(text, font):
        piece = "".join(letters)
        yield name, piece.encode("ascii") if name == LATIN else piece.encode("utf-16-be")


def lines(text: str, most: float, size: float) -> list[str]:
    """The text in lines of at most `most` (unit of `size`); at least one, though empty. A word is broken only where it fits no line."""
    return [line for part in clean(text).split("\n") for line in _filled(part, most * 1000 / size)]


def _filled(text: str, most: float) -> Iterator[str]:
    start, end, used, rest = 0, 0, 0.0, 0.0     # `end`: the last place where the line may end, `rest`: what stands behind it
    for place, letter in enumerate(text):
        if place > start and _may_end(text, place):
            end, rest = place, 0.0
        step = wide(letter)
        if used + step > most and place > start and letter != " ":
            if end <= start:
                end, rest = place, 0.0
            yield text[start:end].rstrip(" ")
            start, used = end, rest
        used += step
        rest += step
    yield text[start:].rstrip(" ")


def _may_end(text: str, place: int) -> bool:
    """Whether a line may end before text[place]."""
    before, after = text[place - 1], text[place]
    if after in _NOT_FIRST or before in _NOT_LAST or after == " ":
        return False
    return before == " " or font(before) == JAPANESE or font(after) == JAPANESE or before in "/-_@"
