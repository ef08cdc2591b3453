"""Rows and cells of one worksheet: [MS-XLS] 2.4.20, 2.4.127, 2.4.149, 2.4.175, 2.4.180, 2.4.220, 2.4.221."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from sanitizers.formats.xls import formulas, markup, patterns, strings
from sanitizers.formats.xls.book import Workbook
from sanitizers.formats.xls.formulas import EXP, TBL, Lost, column
from sanitizers.formats.xls.records import CONTINUE, Record
from sanitizers.formats.xls.shared import SharedStrings
from sanitizers.model import Action, Malformed

ROW, BLANK, MULBLANK, NUMBER, RK, MULRK = 0x208, 0x201, 0xBE, 0x203, 0x27E, 0xBD
LABEL, LABELSST, RSTRING, BOOLERR = 0x204, 0xFD, 0xD6, 0x205
FORMULA, STRING, SHRFMLA, ARRAY, TABLE = 0x06, 0x207, 0x4BC, 0x221, 0x236

# The kinds that are read straight from the stream → the least bytes that they have. A formula is read there once its pattern is known.
_LEAST: Final = {BLANK: 6, NUMBER: 14, RK: 10, MULRK: 6, LABELSST: 10, FORMULA: 22}
_LAST_COLUMN: Final = 0xFF
_LETTERS: Final = tuple(column(index) for index in range(_LAST_COLUMN + 1))
_HIGHEST: Final = 409.5  # points of a row, in Excel
_MOST_PLACES: Final = 100  # in the report of one sheet
_HIDDEN, _OWN_HEIGHT, _OWN_FORMAT, _COLLAPSED = 0x20, 0x40, 0x80, 0x10
_STYLE_AND_NUMBER: Final = struct.Struct("<Hi")
_CELL: Final = struct.Struct("<5H")  # kind and size of the record, row, column, style
_INDEX: Final = struct.Struct("<I")
_PACKED: Final = struct.Struct("<i")
_DOUBLE: Final = struct.Struct("<d")
_NEXT: Final = CONTINUE.to_bytes(2, "little")
_FORMULA_HEAD: Final = 20  # bytes before the length of the tokens
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
        self._marks = {old: f' s="{number}"' for old, number in enumerate(numbers) if number}  # of each old format that is not plain
        self._labels: dict[bytes, str] = {}  # index in the old table of texts → what follows a cell's mark
        self._seen: dict[tuple[int, int], int] = {}  # column, size of a formula and its length → how many were read in full
        self._patterns: dict[tuple[int, int], patterns.Pattern] = {}  # of those that are filled down

    def rows(self) -> str:
        """The rows of `sheetData`, in order."""
        self._settle()
        pieces: list[str] = []
        for row in sorted(self._cells.keys() | self._rows.keys()):
            cells = self._cells.pop(row, {})
            inside = "".join([cells[at] for at in sorted(cells)])
            head = f'<row r="{row + 1}"{self._rows.get(row, "")}'
            pieces.append(f"{head}>{inside}</row>" if inside else f"{head}/>")
        return "".join(pieces)

    def take(self, stream: bytes, at: int) -> int:
        """Cells that follow each other, of the kinds that large sheets are made of. Raises Malformed, LimitExceeded."""
        end, here, line, cells = len(stream), -1, "", dict[int, str]()
        labels, marks, taken, shown = self._labels, self._marks, 0, 0
        while at + _CELL.size <= end:
            kind, size, row, col, style = _CELL.unpack_from(stream, at)
            behind = at + 4 + size
            least = _LEAST.get(kind)
            if least is None or behind > end:
                break
            if size < least:
                raise Malformed(f"record {kind:04X} of {size} bytes", code="xls.malformed")
            if row != here:
                self._budget.spend_cells(taken)
                here, line, cells, taken = row, str(row + 1), self._cells.setdefault(row, {}), 0
            if kind == MULRK:
                taken += self._rks(cells, line, col, stream[at + 8 : at + 8 + (size - 6) // 6 * 6])
                at = behind
                continue
            if kind == FORMULA:
                if not self._filled(stream, at, behind, (row, col, style)):
                    break
                at = behind
                continue
            if kind == LABELSST:
                inside = labels.get(stream[at + 10 : at + 14]) or self._label_of_table(stream[at + 10 : at + 14])
                shown += 1
            else:
                inside = _ended(_single(kind, stream, at + 10))
            if col <= _LAST_COLUMN:
                cells[col] = f'<c r="{_LETTERS[col]}{line}"{marks.get(style, "")}{inside}'
                taken += 1
            at = behind
        self._budget.spend_cells(taken)
        self._shared.uses += shown
        return at

    def _rks(self, cells: dict[int, str], line: str, first: int, values: bytes) -> int:
        """Cells beside each other, in most sheets the most of them; their number."""
        marks, kept = self._marks, values[: 6 * max(_LAST_COLUMN + 1 - first, 0)]
        for col, (style, packed) in enumerate(_STYLE_AND_NUMBER.iter_unpack(kept), first):
            if packed & 3 == 2:
                cells[col] = f'<c r="{_LETTERS[col]}{line}"{marks.get(style, "")}><v>{packed >> 2}</v></c>'
            else:
                cells[col] = f'<c r="{_LETTERS[col]}{line}"{marks.get(style, "")}{_ended(_value(_unpacked(packed)))}'
        return len(kept) // 6

    def _label_of_table(self, index: bytes) -> str:
        number = self._shared.index(int.from_bytes(index, "little"))
        made = self._labels[index] = f' t="s"><v>{number}</v></c>'
        return made

    def _filled(self, stream: bytes, at: int, behind: int, cell: tuple[int, int, int]) -> bool:
        """A formula that differs from one above it in its rows alone; False for any other."""
        pattern = self._patterns.get((cell[1], behind - at - 4 - _FORMULA_HEAD))
        if pattern is None or stream[behind : behind + 2] == _NEXT:
            return False
        text = pattern.written(stream[at + 4 + _FORMULA_HEAD : behind])
        if text:
            self._last = cell[:2]
            self._result(cell, stream[at + 10 : at + 18], f"<f>{text}</f>")
        return bool(text)

    def _put(self, row: int, col: int, style: int, value: Value = _NO_VALUE, formula: str = "") -> None:
        if col > _LAST_COLUMN:
            return
        self._budget.spend_cells()
        mark = self._marks.get(style, "")
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

    def _blanks(self, record: Record) -> None:
        row, first = record.unpack("<HH")
        for number, (style,) in enumerate(struct.iter_unpack("<H", record.data[4 : 4 + (len(record.data) - 6) // 2 * 2])):
            self._put(row, first + number, style)

    def _label(self, record: Record) -> None:
        row, col, style = record.unpack("<HHH")
        text, _ = strings.long(record.data, 6, self._book.encoding)
        self._put(row, col, style, _text(self._shared.index_of_text(text)) if text else _NO_VALUE)

    def _truth(self, record: Record) -> None:
        row, col, style, value, error = record.unpack("<HHHBB")
        self._put(row, col, style, _error(value) if error else _truth(value))

    def _formula_of(self, record: Record) -> None:
        row, col, style = record.unpack("<HHH")
        (size,) = record.unpack("<H", 20)
        data = record.data
        self._last = (row, col)
        self._result((row, col, style), data[6:14], self._written(row, col, data[22 : 22 + size], data[22 + size :]))

    def _result(self, cell: tuple[int, int, int], last: bytes, element: str) -> None:
        """A formula's cell with the value that it last had: a number, or what the last two bytes say is none."""
        if last[6:] != b"\xff\xff":
            self._put(*cell, _value(_DOUBLE.unpack(last)[0]), element)
        elif last[0] == 0:
            self._formula = (*cell, element)
            self._put(*cell, (' t="str"', ""), element)
        else:
            self._put(*cell, {1: _truth(last[2]), 2: _error(last[2])}.get(last[0], _NO_TEXT), element)

    def _written(self, row: int, col: int, tokens: bytes, extra: bytes) -> str:
        """The element of a formula; empty when it is lost, a mark when it comes with a `Spread`."""
        if tokens[:1] in (bytes([EXP]), bytes([TBL])) and len(tokens) >= 5:
            key: tuple[int, int] = struct.unpack_from("<HH", tokens, 1)
            self._waiting.append(Waiting((row, col), key))
            return _MARK
        if not extra:
            self._learn(tokens, col)
        return self._element(tokens, extra, (row, col), "")

    def _learn(self, tokens: bytes, col: int) -> None:
        """Of unknown formulas of one length in a column, the second, the fourth, the eighth: more may follow that say the same."""
        place = col, len(tokens) + 2
        seen = self._seen[place] = self._seen.get(place, 0) + 1
        if seen == 1 or seen & (seen - 1):
            return
        with contextlib.suppress(Lost):
            made = patterns.of(tokens, self._book.text(tokens, b""), self._book)
            if made is not None:
                self._patterns[place] = made

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
        self._budget.spend_bytes(len(spread.tokens))  # it is read for each cell anew
        if not spread.array:
            return self._element(spread.tokens, spread.extra, at, "")
        if at != (first, left):
            return ""
        area = f' t="array" ref="{column(left)}{first + 1}:{column(right)}{last + 1}"'
        return self._element(spread.tokens, spread.extra, at, area)

    KINDS: ClassVar = frozenset(_LEAST)
    READERS: ClassVar[dict[int, Callable[[Cells, Record], None]]] = {
        ROW: _row,
        MULBLANK: _blanks,
        LABEL: _label,
        RSTRING: _label,
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


def _single(kind: int, stream: bytes, at: int) -> Value:
    """What a cell of its own has: a number, or nothing."""
    if kind == BLANK:
        return _NO_VALUE
    if kind == RK:
        return _value(_unpacked(_PACKED.unpack_from(stream, at)[0]))
    return _value(_DOUBLE.unpack_from(stream, at)[0])


def _ended(value: Value) -> str:
    """What follows a cell's mark."""
    kind, inside = value
    return f"{kind}>{inside}</c>" if inside else f"{kind}/>"


def _text(index: int) -> Value:
    return ' t="s"', f"<v>{index}</v>"


def _truth(value: int) -> Value:
    return ' t="b"', f"<v>{value & 1}</v>"


def _error(value: int) -> Value:
    return ' t="e"', f"<v>{formulas.ERRORS.get(value, '#VALUE!')}</v>"


def _unpacked(packed: int) -> float:
    """RK, signed: thirty bits of an integer, or the upper half of a double; perhaps a hundred times the value."""
    value = float(packed >> 2) if packed & 2 else struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0]
    return value / 100 if packed & 1 else value
