"""Formulas of BIFF, parsed tokens in reverse notation, written as text: [MS-XLS] 2.2.2, 2.5.198.

What cannot be written in full, because a token is unknown or reaches out of the workbook, is refused as a whole; the value stays.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache
from typing import ClassVar, Final, Protocol

from sanitizers.formats.xls import strings
from sanitizers.formats.xls.functions import ARGUMENTS, NAMES

ERRORS: Final = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}
EXP, TBL = 0x01, 0x02

_BINARY: Final = {
    3: "+",
    4: "-",
    5: "*",
    6: "/",
    7: "^",
    8: "&",
    9: "<",
    10: "<=",
    11: "=",
    12: ">=",
    13: ">",
    14: "<>",
    15: " ",
    16: ",",
    17: ":",
}
_ADD_IN: Final = 255  # the function that calls another one by its name
_CHOOSE, _SUM = 0x04, 0x10
_MOST_TEXT: Final = 8192  # characters of a formula in Excel
_ROWS, _COLUMNS = 0x10000, 0x100


class Lost(Exception):  # noqa: N818 - no error: the formula goes, its value stays
    """A formula that may not or cannot be written; `code` is the finding."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Book(Protocol):
    """What a formula may name: sheets and names of the workbook. All raise Lost for what lies outside."""

    @property
    def encoding(self) -> str | None: ...
    def name(self, index: int) -> str: ...
    def sheets(self, index: int) -> str:
        """`Sheet1!` or `'a b:c'!` of an entry in the table of references."""

    def sheets_between(self, first: int, last: int) -> str: ...
    def other_name(self, index: int, number: int) -> str: ...


@cache
def _layout(shape: str) -> struct.Struct:
    return struct.Struct("<" + shape)


@cache
def column(index: int) -> str:
    """A, B, … AA for 0, 1, … 26."""
    letters = ""
    while index >= 0:
        letters = chr(65 + index % 26) + letters
        index = index // 26 - 1
    return letters


def text(tokens: bytes, extra: bytes, book: Book, base: tuple[int, int] = (0, 0)) -> tuple[str, set[str]]:
    """The formula and the functions that it calls. Raises Lost.

    `extra`: what stands behind the tokens; `base`: row and column that relative places count from.
    """
    try:
        parser = Parser(tokens, extra, book, base)
        return parser.run(), parser.called
    except (struct.error, IndexError, UnicodeDecodeError):
        raise Lost("xls.formula", "broken formula") from None


class Parser:
    """One formula. `run` raises Lost, struct.error, IndexError or UnicodeDecodeError."""

    def __init__(self, tokens: bytes, extra: bytes, book: Book, base: tuple[int, int]) -> None:
        self._tokens = tokens
        self._extra = extra
        self._book = book
        self._base = base
        self._wide = book.encoding is None  # BIFF8
        self._at = 0
        self._stack: list[str] = []
        self.called: set[str] = set()

    def run(self) -> str:
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            kind = token if token < 0x20 else token & 0x1F | 0x20
            if kind in _BINARY:
                right, left = self._stack.pop(), self._stack.pop()
                self._push(left + _BINARY[kind] + right)
            elif kind in self.TOKENS and token < 0x80:
                self.TOKENS[kind](self)
            else:
                raise Lost("xls.formula", f"token {token:02X}")
        if len(self._stack) != 1:
            raise Lost("xls.formula", "broken formula")
        return self._stack[0]

    def _push(self, piece: str) -> None:
        if len(piece) > _MOST_TEXT:
            raise Lost("xls.formula", "too long")
        self._stack.append(piece)

    def _take(self, shape: str) -> tuple[int, ...]:
        layout = _layout(shape)
        found = layout.unpack_from(self._tokens, self._at)
        self._at += layout.size
        return found

    def _prefix(self, sign: str) -> None:
        self._push(sign + self._stack.pop())

    def _wrapped(self) -> None:
        self._push(f"({self._stack.pop()})")

    def _percent(self) -> None:
        self._push(f"{self._stack.pop()}%")

    def _string(self) -> None:
        found, self._at = strings.short(self._tokens, self._at, self._book.encoding)
        self._push('"' + found.replace('"', '""') + '"')

    def _attribute(self) -> None:
        """Hints for calculating; only the sum of one area is a function."""
        kind, value = self._take("BH")
        if kind & _CHOOSE:
            self._at += 2 * (value + 1)
        elif kind & _SUM:
            self._push(f"SUM({self._stack.pop()})")

    def _error(self) -> None:
        (number,) = self._take("B")
        self._push(ERRORS.get(number, "#VALUE!"))

    def _truth(self) -> None:
        self._push("TRUE" if self._take("B")[0] else "FALSE")

    def _integer(self) -> None:
        self._push(str(self._take("H")[0]))

    def _number(self) -> None:
        self._push(number(self._take("d")[0]))

    def _function(self) -> None:
        (index,) = self._take("H")
        if index not in ARGUMENTS:
            raise Lost("xls.formula", f"function {index}")
        self._call(NAMES[index], ARGUMENTS[index])

    def _variable_function(self) -> None:
        count, index = self._take("BH")
        count, index = count & 0x7F, index & 0x7FFF
        if index == _ADD_IN:
            at = len(self._stack) - count
            if at < 0 or not count:
                raise Lost("xls.formula", "broken formula")
            name = self._stack.pop(at)
            self._call(name, count - 1)
        elif index in NAMES:
            self._call(NAMES[index], count)
        else:
            raise Lost("xls.formula", f"function {index}")

    def _call(self, name: str, count: int) -> None:
        if count > len(self._stack):
            raise Lost("xls.formula", "broken formula")
        arguments = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        self.called.add(name)
        self._push(f"{name}({','.join(arguments)})")

    def _name(self) -> None:
        index = self._take("I" if self._wide else "H12x")[0]
        self._push(self._book.name(index & 0xFFFF))

    def _other_name(self) -> None:
        index, which = self._take("HI" if self._wide else "h8xH12x")
        self._push(self._book.other_name(index, which & 0xFFFF))

    def _place(self, relative: bool = False) -> None:
        self._push(self._one(*self._take("HH" if self._wide else "HB"), relative=relative))

    def _area(self, relative: bool = False) -> None:
        first, last, left, right = self._take("HHHH" if self._wide else "HHBB")
        self._push(self._between(first, last, left, right, relative=relative))

    def _between(self, first: int, last: int, left: int, right: int, *, relative: bool) -> str:
        """Whole columns and rows are written without the other half."""
        rows, columns = (_ROWS, _COLUMNS) if self._wide else (_ROWS >> 2, _COLUMNS)
        if not relative and self._row(first) == 0 and self._row(last) == rows - 1:
            return ":".join(
                self._one(0xC000 if self._wide else 0, side, relative=False, part="column")
                for side in self._columns(first, left, last, right)
            )
        if not relative and left & 0xFF == 0 and right & 0xFF == columns - 1:
            return ":".join(self._one(row, side, relative=False, part="row") for row, side in ((first, left), (last, right)))
        return f"{self._one(first, left, relative=relative)}:{self._one(last, right, relative=relative)}"

    def _columns(self, first: int, left: int, last: int, right: int) -> tuple[int, int]:
        """Columns with their marks, which stand with the rows in BIFF5."""
        return (left, right) if self._wide else (left | first & 0x4000, right | last & 0x4000)

    def _row(self, row: int) -> int:
        return row if self._wide else row & 0x3FFF

    def _one(self, row: int, col: int, *, relative: bool, part: str = "") -> str:
        marks = col if self._wide or part == "column" else row
        row, col = self._row(row), col & 0xFF
        down, across = bool(marks & 0x8000), bool(marks & 0x4000)
        if relative:
            signed = row - 0x4000 if not self._wide and row & 0x2000 else row
            row = (self._base[0] + signed) % (_ROWS if self._wide else _ROWS >> 2) if down else row
            col = (self._base[1] + col) % _COLUMNS if across else col
        side = ("" if across else "$") + column(col)
        level = ("" if down else "$") + self._line(row)
        return side if part == "column" else level if part == "row" else side + level

    def _line(self, row: int) -> str:
        return str(row + 1)

    def _place_of_sheet(self) -> None:
        sheets = self._sheets()
        self._place(relative=False)
        self._push(sheets + self._stack.pop())

    def _area_of_sheet(self) -> None:
        sheets = self._sheets()
        self._area(relative=False)
        self._push(sheets + self._stack.pop())

    def _sheets(self) -> str:
        if self._wide:
            return self._book.sheets(self._take("H")[0])
        outside, first, last = self._take("h8xHH")
        if outside >= 0:
            raise Lost("xls.external_link", "another workbook")
        return self._book.sheets_between(first, last)

    def _lost_place(self, size: int) -> None:
        self._at += size
        self._push("#REF!")

    def _skip(self, size: int, *, areas: bool = False) -> None:
        """A hint on what follows; one of them has a list of areas behind all tokens."""
        self._at += size
        if areas:
            (count,) = struct.unpack_from("<H", self._extra)
            self._extra = self._extra[2 + count * (8 if self._wide else 6) :]

    def _array(self) -> None:
        self._at += 7
        columns, rows = struct.unpack_from("<BH", self._extra)
        columns, rows = (columns + 1, rows + 1) if self._wide else (columns or _COLUMNS, rows)
        if columns * rows > _MOST_TEXT:
            raise Lost("xls.formula", "too long")
        at = 3
        lines: list[list[str]] = []
        for _ in range(rows):
            line: list[str] = []
            for _ in range(columns):
                value, at = self._constant(at)
                line.append(value)
            lines.append(line)
        self._extra = self._extra[at:]
        self._push("{" + ";".join(",".join(line) for line in lines) + "}")

    def _constant(self, at: int) -> tuple[str, int]:
        kind = self._extra[at]
        if kind == 2:
            read = strings.long if self._wide else strings.short
            found, at = read(self._extra, at + 1, self._book.encoding)
            return '"' + found.replace('"', '""') + '"', at
        value = self._extra[at + 1 : at + 9]
        if kind == 1:
            return number(struct.unpack("<d", value)[0]), at + 9
        if kind == 4:
            return "TRUE" if value[0] else "FALSE", at + 9
        return (ERRORS.get(value[0], "#VALUE!") if kind == 0x10 else '""'), at + 9

    TOKENS: ClassVar[dict[int, Callable[[Parser], None]]] = {
        0x12: lambda self: self._prefix("+"),
        0x13: lambda self: self._prefix("-"),
        0x14: _percent,
        0x15: _wrapped,
        0x16: lambda self: self._push(""),
        0x17: _string,
        0x19: _attribute,
        0x1C: _error,
        0x1D: _truth,
        0x1E: _integer,
        0x1F: _number,
        0x20: _array,
        0x21: _function,
        0x22: _variable_function,
        0x23: _name,
        0x24: lambda self: self._place(),
        0x25: lambda self: self._area(),
        0x26: lambda self: self._skip(6, areas=True),
        0x27: lambda self: self._skip(6),
        0x28: lambda self: self._skip(6),
        0x29: lambda self: self._skip(2),
        0x2A: lambda self: self._lost_place(4 if self._wide else 3),
        0x2B: lambda self: self._lost_place(8 if self._wide else 6),
        0x2C: lambda self: self._place(relative=True),
        0x2D: lambda self: self._area(relative=True),
        0x2E: lambda self: self._skip(2),
        0x2F: lambda self: self._skip(2),
        0x39: _other_name,
        0x3A: _place_of_sheet,
        0x3B: _area_of_sheet,
        0x3C: lambda self: self._lost_place(6 if self._wide else 17),
        0x3D: lambda self: self._lost_place(10 if self._wide else 20),
    }


def number(value: float) -> str:
    """The shortest text that reads as the same number. Raises Lost for what no cell can show."""
    if value.is_integer() and -1e15 < value < 1e15:
        return repr(int(value))
    if not math.isfinite(value):
        raise Lost("xls.formula", "no number")
    return repr(value).upper()
