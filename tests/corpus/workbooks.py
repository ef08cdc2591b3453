"""What xlrd reads in a workbook and openpyxl in what became of it, in a process of its own. `python -m tests.corpus.workbooks BEFORE AFTER`.

Prints `null` where xlrd does not open the first, else how many cells have a value and the first few that differ.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
from typing import Any

import openpyxl
import xlrd
from openpyxl.utils.datetime import to_excel

_MEMORY = 4 << 30


def compare(before: str, after: str) -> dict[str, Any] | None:
    try:
        given = xlrd.open_workbook(before)
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError):
        return None
    made = openpyxl.load_workbook(after, data_only=True)
    count, different = 0, list[str]()
    for sheet in made.worksheets:
        old = given.sheet_by_name(sheet.title)
        for row in range(old.nrows):
            for col in range(old.ncols):
                value = _value(old.cell(row, col))
                count += value is not None
                if not _same(value, sheet.cell(row + 1, col + 1).value):
                    different.append(f"{sheet.title} {row} {col}: {value!r}")
    return {"cells": count, "different": different[:5]}


def _value(cell: Any) -> Any:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code[cell.value]
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    return None if cell.value == "" else cell.value


def _same(before: Any, after: Any) -> bool:
    if isinstance(after, dt.datetime | dt.date | dt.time | dt.timedelta):
        return isinstance(before, float) and abs(to_excel(after) - before) < 1e-4
    if isinstance(before, str) and isinstance(after, str):
        return before.replace("\r\n", "\n").replace("\r", "\n") == after
    return bool(before == after)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    json.dump(compare(*sys.argv[1:]), sys.stdout)
