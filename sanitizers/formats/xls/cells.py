"""Rows and cells of one worksheet: [MS-XLS] 2.4.20, 2.4.127, 2.4.149, 2.4.175, 2.4.180, 2.4.220, 2.4.221."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from sanitizers.formats.xls import formulas, markup, strings
from sanitizers.formats.xls.book import Workbook
from sanitizers.formats.xls.formulas import EXP, TBL, Lost, column
from sanitizers.formats.xls.records import Record
from sanitizers.formats.xls.shared import SharedStrings
from sanitizers.model import Action

ROW, BLANK, MULBLANK, NUMBER, RK, MULRK = 0x208, 0x201, 0xBE, 0x203, 0x27E, 0xBD
LABEL, LABELSST, RSTRING, BOOLERR = 0x204, 0xFD, 0xD6, 0x205
FORMULA, STRING, SHRFMLA, ARRAY, TABLE = 0x06, 0x207, 0x4BC, 0x221, 0x236

_LAST_COLUMN: Final = 0xFF
_LETTERS: Final = tuple(column(index) for index in range(_LAST_COLUMN + 1))
_HIGHEST: Final = 409.5  # points of a row, in Excel
_MOST_PLACES: Final = 100  # in the report of one sheet
_HIDDEN, _OWN_HEIGHT, _OWN_FORMAT, _COLLAPSED = 0x20, 0x40, 0x80, 0x10
_STYLE_AND_NUMBER: Final = struct.Struct("<HI")
_MARK: Final = "<\0>"  # stands for a formula that is still to come; no text can have it

Value = tuple[str, str]  # the attribute of its type, the element of its value
_NO_VALUE: Final[Value] = ("", "")
_NO_TEXT: Final[Value] = (' t="str"', "<v></v>")


class Spread(NamedTuple):
    """A formula of many cells: `area` is (first row, last row, first column, last column); an array stands in its first cell only."""

    array: bool
    area: tuple[int, int, int, int]
    tokens: bytes
    extra: bytes


class Waiting(NamedTuple):
    """A cell whose formula stands in the `Spread` of another one, which may come later."""

    at: tuple[int, int]
    key: tuple[int, int]


class Cells:
    """Collects the records of cells; `rows()` writes them."""

    def __init__(self, book: Workbook, shared: SharedStrings, where: str) -> None:
        self._book = book
        self._budget = book.context.budget
        self._shared = shared
        self._where = where
        self._cells: dict[int, dict[int, str]] = {}
        self._rows: dict[int, str] = {}
        self.deepest = 0  # level of the outline
        self.heights: dict[int, float] = {}  # of rows, in points
        self._spreads: dict[tuple[int, int], Spread] = {}
        self._waiting: list[Waiting] = []
        self._formula: tuple[int, int, int, str] | None = None  # row, column, format, formula element: of which the text is still to come
        self._last = (-1, -1)
        self._lost = 0
        numbers = map(book.styles.index, range(len(book.styles.formats)))
        self._marks = [f' s="{number}"' if number else "" for number in numbers]  # of each old format

    def rows(self) -> str:
        """The rows of `sheetData`, in order."""
        self._settle()
        pieces: list[str] = []
        for row in sorted(self._cells.keys() | self._rows.keys()):
            cells = self._cells.pop(row, {})
            inside = "".join(cells[at] for at in sorted(cells))
            head = f'<row r="{row + 1}"{self._rows.get(row, "")}'
            pieces.append(f"{head}>{inside}</row>" if inside else f"{head}/>")
        return "".join(pieces)

    def _put(self, row: int, col: int, style: int, value: Value = _NO_VALUE, formula: str = "") -> None:
        if col > _LAST_COLUMN:
            return
        self._budget.spend_cells()
        mark = self._marks[style] if style < len(self._marks) else ""
        kind, inside = value
        cells = self._cells.get(row)
        if cells is None:
            cells = self._cells[row] = {}
        if formula or inside:
            cells[col] = f'<c r="{_LETTERS[col]}{row + 1}"{mark}{kind}>{formula}{inside}</c>'
        else:
            cells[col] = f'<c r="{_LETTERS[col]}{row + 1}"{mark}{kind}/>'

    def _row(self, record: Record) -> None:
        row, _, _, height, _, _, flags, style = record.unpack("<8H")
        said = ""
        if flags & _HIDDEN or not height & 0x8000:
            self.heights[row] = 0 if flags & _HIDDEN else (height & 0x7FFF) / 20
        if not height & 0x8000:
            said += f' ht="{min((height & 0x7FFF) / 20, _HIGHEST):g}"' + (' customHeight="1"' if flags & _OWN_HEIGHT else "")
        if flags & _OWN_FORMAT:
            said += f' s="{self._book.styles.index(style & 0xFFF)}" customFormat="1"'
        said += ' hidden="1"' if flags & _HIDDEN else ""
        said += f' outlineLevel="{flags & 7}"' if flags & 7 else ""
        self.deepest = max(self.deepest, flags & 7)
        self._rows[row] = said + (' collapsed="1"' if flags & _COLLAPSED else "")

    def _blank(self, record: Record) -> None:
        row, col, style = record.unpack("<HHH")
        self._put(row, col, style)

    def _blanks(self, record: Record) -> None:
        row, first = record.unpack("<HH")
        for number, (style,) in enumerate(struct.iter_unpack("<H", record.data[4 : 4 + (len(record.data) - 6) // 2 * 2])):
            self._put(row, first + number, style)

    def _number(self, record: Record) -> None:
        row, col, style = record.unpack("<HHH")
        value: float = record.unpack("<d", 6)[0]
        self._put(row, col, style, _value(value))

    def _rk(self, record: Record) -> None:
        row, col, style, packed = record.unpack("<HHHI")
        self._put(row, col, style, _packed(packed))

    def _rks(self, record: Record) -> None:
        """Cells beside each other, in most sheets the most of them."""
        row, first = record.unpack("<HH")
        count = min((len(record.data) - 6) // 6, _LAST_COLUMN + 1 - first)
        self._budget.spend_cells(max(count, 0))
        cells, marks = self._cells.setdefault(row, {}), self._marks
        line, styles = row + 1, len(marks)
        for col, (style, packed) in enumerate(_STYLE_AND_NUMBER.iter_unpack(record.data[4 : 4 + 6 * max(count, 0)]), first):
            mark = marks[style] if style < styles else ""
            kind, inside = _packed(packed)
            cells[col] = f'<c r="{_LETTERS[col]}{line}"{mark}{kind}>{inside}</c>'

    def _label(self, record: Record) -> None:
        row, col, style = record.unpack("<HHH")
        text, _ = strings.long(record.data, 6, self._book.encoding)
        self._put(row, col, style, _text(self._shared.index_of_text(text)) if text else _NO_VALUE)

    def _label_of_table(self, record: Record) -> None:
        row, col, style, index = record.unpack("<HHHI")
        self._put(row, col, style, _text(self._shared.index(index)))

    def _truth(self, record: Record) -> None:
        row, col, style, value, error = record.unpack("<HHHBB")
        self._put(row, col, style, _error(value) if error else _truth(value))

    def _formula_of(self, record: Record) -> None:
        row, col, style = record.unpack("<HHH")
        (size,) = record.unpack("<H", 20)
        data = record.data
        self._last = (row, col)
        element = self._written(row, col, data[22 : 22 + size], data[22 + size :])
        kind, value = data[6], data[8]
        if data[12:14] != b"\xff\xff":
            number: float = struct.unpack_from("<d", data, 6)[0]
            self._put(row, col, style, _value(number), element)
        elif kind == 0:
            self._formula = (row, col, style, element)
            self._put(row, col, style, (' t="str"', ""), element)
        else:
            self._put(row, col, style, {1: _truth(value), 2: _error(value)}.get(kind, _NO_TEXT), element)

    def _written(self, row: int, col: int, tokens: bytes, extra: bytes) -> str:
        """The element of a formula; empty when it is lost, a mark when it comes with a `Spread`."""
        if tokens[:1] in (bytes([EXP]), bytes([TBL])) and len(tokens) >= 5:
            key: tuple[int, int] = struct.unpack_from("<HH", tokens, 1)
            self._waiting.append(Waiting((row, col), key))
            return _MARK
        return self._element(tokens, extra, (row, col), "")

    def _element(self, tokens: bytes, extra: bytes, at: tuple[int, int], attributes: str) -> str:
        try:
            text = self._book.text(tokens, extra, at)
        except Lost as lost:
            self._lose(lost.code, at, lost.detail)
            return ""
        return f"<f{attributes}>{markup.content(text)}</f>"

    def _lose(self, code: str, at: tuple[int, int], detail: str) -> None:
        """The first cells by their places, then the whole sheet."""
        self._lost += 1
        where = f"{self._where}!{column(at[1])}{at[0] + 1}" if self._lost <= _MOST_PLACES else self._where
        self._book.context.found(code, where, Action.REMOVED, detail)

    def _text(self, record: Record) -> None:
        """The text that the formula before it last had."""
        if self._formula is None:
            return
        row, col, style, element = self._formula
        self._formula = None
        encoding = self._book.encoding
        text = strings.Reader(record.pieces).text().plain if encoding is None else strings.long(record.data, 0, encoding)[0]
        self._put(row, col, style, (' t="str"', markup.element("v", text)), element)

    def _shared_formula(self, record: Record) -> None:
        first, last, left, right = record.unpack("<HHBB")
        (size,) = record.unpack("<H", 8)
        data = record.data
        self._spreads[self._last] = Spread(False, (first, last, left, right), data[10 : 10 + size], data[10 + size :])

    def _array(self, record: Record) -> None:
        first, last, left, right = record.unpack("<HHBB")
        (size,) = record.unpack("<H", 12)
        data = record.data
        self._spreads[first, left] = Spread(True, (first, last, left, right), data[14 : 14 + size], data[14 + size :])

    def _table(self, _: Record) -> None:
        """A table of what-if values: its formula calls no function that a cell could have, so the values stay."""

    def _settle(self) -> None:
        """Now that all formulas of many cells are known, write those that waited for them."""
        for at, key in self._waiting:
            row, col = at
            if col > _LAST_COLUMN:
                continue
            self._cells[row][col] = self._cells[row][col].replace(_MARK, self._spread(at, self._spreads.get(key)), 1)

    def _spread(self, at: tuple[int, int], spread: Spread | None) -> str:
        if spread is None:
            self._lose("xls.formula", at, "a table of values")
            return ""
        first, last, left, right = spread.area
        if not spread.array:
            return self._element(spread.tokens, spread.extra, at, "")
        if at != (first, left):
            return ""
        area = f' t="array" ref="{column(left)}{first + 1}:{column(right)}{last + 1}"'
        return self._element(spread.tokens, spread.extra, at, area)

    READERS: ClassVar[dict[int, Callable[[Cells, Record], None]]] = {
        ROW: _row,
        BLANK: _blank,
        MULBLANK: _blanks,
        NUMBER: _number,
        RK: _rk,
        MULRK: _rks,
        LABEL: _label,
        RSTRING: _label,
        LABELSST: _label_of_table,
        BOOLERR: _truth,
        FORMULA: _formula_of,
        STRING: _text,
        SHRFMLA: _shared_formula,
        ARRAY: _array,
        TABLE: _table,
    }


def _value(value: float) -> Value:
    try:
        return "", f"<v>{formulas.number(value)}</v>"
    except Lost:
        return ' t="e"', "<v>#NUM!</v>"


def _packed(packed: int) -> Value:
    """RK: an integer says itself."""
    if packed & 3 == 2:
        return "", f"<v>{packed - ((packed & 0x8000_0000) << 1) >> 2}</v>"
    return _value(_unpacked(packed))


def _text(index: int) -> Value:
    return ' t="s"', f"<v>{index}</v>"


def _truth(value: int) -> Value:
    return ' t="b"', f"<v>{value & 1}</v>"


def _error(value: int) -> Value:
    return ' t="e"', f"<v>{formulas.ERRORS.get(value, '#VALUE!')}</v>"


def _unpacked(packed: int) -> float:
    """RK: thirty bits of an integer, or the upper half of a double; perhaps a hundred times the value."""
    if packed & 2:
        value = float((packed >> 2) - ((packed >> 31) << 30))
    else:
        value = struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return value / 100 if packed & 1 else value
