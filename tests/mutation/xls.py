"""What the tests of workbooks and compound files must notice when it is switched off: `python -m tests.mutation.xls`."""

from __future__ import annotations

import re
from typing import Any

from sanitizers.budget import Budget
from sanitizers.formats.office.functions import FUNCTIONS
from sanitizers.formats.xls import book, cells, patterns, sheet
from sanitizers.formats.xls.functions import NAMES
from sanitizers.model import Limits
from tests.mutation.runner import Mutant, main

_XLS = "sanitizers.formats.xls"
_CHARTS = "tests/sanitizers/formats/xls/test_charts.py"
_PATTERNS = "tests/sanitizers/formats/xls/test_patterns.py"
_NEVER = re.compile(r"(?!)")


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _zero(*_: Any, **__: Any) -> int:
    return 0


def _all_kept(self: book.Workbook, record: Any) -> None:
    """Every sheet is taken for a worksheet."""
    _sheet(self, record)
    self.sheet_entries[-1] = self.sheet_entries[-1]._replace(kept=True)


def _all_inside(self: book.Workbook, record: Any) -> None:
    """Every supporting workbook is taken for this one."""
    self._supporting.append(book.Supporting("self", []))


def _any_formula(self: patterns.Pattern, said: bytes) -> str:
    """Whatever is as long is taken for the same."""
    return self.text % tuple(row + 1 for row in self.rows.unpack_from(said)) if len(said) == self.size else ""


def _uncounted(self: cells.Cells, stream: bytes, at: int) -> int:
    self._budget = Budget(Limits(), 0)
    return _take(self, stream, at)


_take = cells.Cells.take
_sheet = book.Workbook._sheet
_read = sheet.Sheet.read


def _anything_is_a_worksheet(self: sheet.Sheet, stream: bytes, at: int) -> bool:
    _read(self, stream, at)
    return True


MUTANTS: tuple[Mutant, ...] = (
    Mutant("macro sheets", f"{_XLS}.book:Workbook.READERS[{book.BOUNDSHEET}]", _all_kept),
    Mutant("what a sheet is inside", f"{_XLS}.sheet:Sheet.read", _anything_is_a_worksheet),
    Mutant("other workbooks", f"{_XLS}.book:Workbook.READERS[{book.SUPBOOK}]", _all_inside),
    Mutant("names that start macros", f"{_XLS}.book:_AUTO", _NEVER),
    Mutant("names of macros", f"{_XLS}.book:_MACRO_NAME", 0),
    Mutant("built-in names of macros", f"{_XLS}.book:_BUILT_IN", dict.fromkeys(range(20), "Print_Area")),
    Mutant("names made of bad names", f"{_XLS}.book:Workbook.name", lambda self, index: self.defined[index - 1].name),
    Mutant("functions that are not allowed", f"{_XLS}.book:FUNCTIONS", FUNCTIONS | {*NAMES.values(), "CANARY-71E4"}),
    Mutant("what differs beside rows", f"{_XLS}.patterns:Pattern.written", _any_formula, _PATTERNS),
    Mutant("lengths of cells", f"{_XLS}.cells:_LEAST", dict.fromkeys(cells._LEAST, 0), _PATTERNS),
    Mutant("number of cells", f"{_XLS}.cells:Cells.take", _uncounted, _PATTERNS),
    Mutant("numbers of functions", f"{_XLS}.formulas:NAMES", {**NAMES, 150: "SUM"}),
    Mutant("targets of HYPERLINK", f"{_XLS}.book:excel.danger", _nothing),
    Mutant("links of cells", f"{_XLS}.links:links.allowed", lambda *_: True),
    Mutant("monikers of files", f"{_XLS}.links:_URL", bytes.fromhex("0303000000000000c000000000000046")),
    *(Mutant(f"word on {code}", f"{_XLS}.book:_REPORTED[{number}]", "xls.comments") for number, code in book._REPORTED.items() if number != book.DCONN),
    *(Mutant(f"word on {number:04X}", f"{_XLS}.sheet:_REPORTED[{number}]", "xls.comments") for number in sheet._REPORTED),
    Mutant("word on storages", f"{_XLS}.rebuild:beside.report", _nothing),
    Mutant("references of charts", f"{_XLS}.charts:_REFERENCE", 1, _CHARTS),
    Mutant("looks of single points", f"{_XLS}.charts:_EVERY_POINT", 1, _CHARTS),
    Mutant("trend lines", f"{_XLS}.charts:Chart.READERS[{0x104B}]", _nothing, _CHARTS),
    Mutant("axes that kinds share", f"{_XLS}.charts:_axes_of", _zero, _CHARTS),
    Mutant("word on charts", f"{_XLS}.drawing:CHART", 99, _CHARTS),
    Mutant("word on objects", f"{_XLS}.drawing:Drawing._report", _nothing),
    Mutant("controls", f"{_XLS}.drawing:_CONTROLS", frozenset()),
    Mutant("faces of objects", f"{_XLS}.drawing:_has", lambda *_: False),
    Mutant("pictures as they are", f"{_XLS}.book:pictures.rebuild", lambda _n, data, *_: book.pictures.Picture(data, "png")),
    Mutant("authors", "sanitizers.formats.office.properties:_GONE", {}),
    Mutant("all properties are marks", "sanitizers.formats.office.properties:MARK", re.compile("")),
    Mutant("no property is a mark", "sanitizers.formats.office.properties:MARK", _NEVER),
    Mutant("comments against policy", f"{_XLS}.drawing:Drawing.comments", lambda self: sorted(self._notes)),
    Mutant("texts that no cell shows", f"{_XLS}.shared:SharedStrings.xml", lambda self: "".join(f"<si><t>{one.plain}</t></si>" for one in self._given)),
    Mutant("two sheets in one place", f"{_XLS}.rebuild:_check_places", _nothing),
    Mutant("old generations", f"{_XLS}.book:BIFF5", 0x0400),
    Mutant("verifier of a password", f"{_XLS}.encryption:DocumentRC4.verifypw", lambda *_: True),
    Mutant("verifier of another password", f"{_XLS}.encryption:DocumentRC4CryptoAPI.verifypw", lambda *_: True),
    Mutant("sectors in two chains", "sanitizers.cfb:Compound._sector", lambda self, n: self._data[(n + 1) * self._size : (n + 2) * self._size] if n < 99 else self._numbers(-9)),
    Mutant("depth of storages", "sanitizers.cfb:_DEEPEST", 1 << 20),
    Mutant("second opinion on cells", "sanitizers.verify.xls:_cells", _zero),
    Mutant("second opinion on sheets", "sanitizers.verify.xls:_worksheets", _nothing),
)  # fmt: skip
TESTS = ("tests/sanitizers/test_cfb.py", "tests/sanitizers/formats/xls")

if __name__ == "__main__":
    main(MUTANTS, TESTS)
