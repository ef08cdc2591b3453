"""Formulas that are filled down a column: all that they say but the rows is said already, and need not be read again."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.formats.xls import formulas, markup
from sanitizers.formats.xls.formulas import Book, Lost

_ROW: Final = "\0"  # stands for the number of a row; where a text has it too, the count is wrong and there is no pattern
_LENGTH: Final = 2  # bytes of the number before the tokens
_LAST: Final = 0xFFFF  # a row with which an area may be whole columns, and is written differently


class Pattern(NamedTuple):
    """`size`: bytes of length and tokens; `fixed`: both as one number, but only where `mask` has ones. `rows` reads the rest, for which
    `text` has a %d each.
    """

    size: int
    mask: int
    fixed: int
    rows: struct.Struct
    text: str

    def written(self, said: bytes) -> str:
        """The escaped text of a formula, from its length and tokens; empty when it is another one."""
        if len(said) != self.size or int.from_bytes(said, "little") & self.mask != self.fixed:
            return ""
        rows = self.rows.unpack_from(said)
        return "" if _LAST in rows else self.text % tuple([row + 1 for row in rows])


def of(tokens: bytes, text: str, book: Book) -> Pattern | None:
    """From a formula that was read and may stay, and its text: None where more than its rows could differ, or in BIFF5."""
    if book.encoding is not None or "HYPERLINK" in text:
        return None
    try:
        parser = _Marked(tokens, b"", book, (0, 0))
        pieces = parser.run().split(_ROW)
    except (Lost, struct.error, IndexError, UnicodeDecodeError):
        return None
    if len(pieces) != len(parser.places) + 1:
        return None
    said = struct.pack("<H", len(tokens)) + tokens
    mask, shape, end = bytearray(b"\xff" * len(said)), "<", 0
    for place in parser.places:
        mask[_LENGTH + place : _LENGTH + place + 2] = b"\0\0"
        shape += f"{_LENGTH + place - end}xH"
        end = _LENGTH + place + 2
    ones = int.from_bytes(mask, "little")
    fixed = int.from_bytes(said, "little") & ones
    made = Pattern(len(said), ones, fixed, struct.Struct(shape), "%d".join(markup.content(piece).replace("%", "%%") for piece in pieces))
    return made if made.written(said) == markup.content(text) else None


class _Marked(formulas.Parser):
    """Writes a mark for the number of each row, and keeps where in the tokens it stands."""

    def __init__(self, tokens: bytes, extra: bytes, book: Book, base: tuple[int, int]) -> None:
        super().__init__(tokens, extra, book, base)
        self.places: list[int] = []

    def _line(self, _: int) -> str:
        return _ROW

    def _place(self, relative: bool = False) -> None:
        self._see(relative, 0)
        super()._place(relative)

    def _area(self, relative: bool = False) -> None:
        self._see(relative, 0, 2)
        super()._area(relative)

    def _see(self, relative: bool, *offsets: int) -> None:
        if relative:
            raise Lost("xls.formula", "a place that depends on the cell")
        self.places += [self._at + offset for offset in offsets]
