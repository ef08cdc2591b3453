"""Cells that are written once and stand many times: a few bytes could fill any reader's memory."""

from __future__ import annotations

from typing import Final

from lxml import etree

from sanitizers import xml
from sanitizers.budget import Budget
from sanitizers.formats.odf.vocabulary import SPACES, clark
from sanitizers.model import LimitExceeded, Malformed

_SPACES: Final = {prefix: SPACES[prefix] for prefix in ("table", "text")}
_ROWS: Final = etree.XPath("//table:table-row[@table:number-rows-repeated][table:table-cell/*]", namespaces=_SPACES)
_CELLS: Final = etree.XPath("//table:table-cell[@table:number-columns-repeated][*]", namespaces=_SPACES)
_BLANKS: Final = etree.XPath("//text:s[@text:c]", namespaces=_SPACES)
ROW_COUNT: Final = clark("table:number-rows-repeated")
COLUMN_COUNT: Final = clark("table:number-columns-repeated")
_BLANK_COUNT: Final = clark("text:c")
_MOST_BLANKS: Final = 100_000       # in one run


def spend(root: xml.Element, budget: Budget, where: str) -> None:
    """Count every copy of a cell that has content against the limit of cells. Raises LimitExceeded."""
    for cell in _CELLS(root):
        row = cell.getparent()
        budget.spend_cells(_number(cell, COLUMN_COUNT, where) * _number(row, ROW_COUNT, where))
    for row in _ROWS(root):
        budget.spend_cells(len(row) * _number(row, ROW_COUNT, where))
    for blanks in _BLANKS(root):
        if _number(blanks, _BLANK_COUNT, where) > _MOST_BLANKS:
            raise LimitExceeded(f"more than {_MOST_BLANKS} blanks in one run", where=where)


def _number(element: xml.Element, name: str, where: str) -> int:
    text = element.get(name, "1")
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise Malformed(f"count {text[:20]!r}", where=where, code="odf.package")
    return int(text)
