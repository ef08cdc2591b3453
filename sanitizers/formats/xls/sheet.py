"""One worksheet: its records, and the part that they become. ECMA-376 part 1 §18.3.1.99."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from sanitizers.formats.xls import cells, conditions, layout, links, markup
from sanitizers.formats.xls.book import DCONN, Workbook
from sanitizers.formats.xls.conditions import spelled
from sanitizers.formats.xls.records import BOF, EOF, WORKSHEET, Record
from sanitizers.formats.xls.shared import SharedStrings
from sanitizers.model import Action

MERGEDCELLS, AUTOFILTER_INFO, QSI, OBJ, DRAWING, TXO, NOTE = 0xE5, 0x9D, 0x1AD, 0x5D, 0xEC, 0x1B6, 0x1C

_MAIN: Final = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONDITIONS: Final = frozenset({conditions.DV, conditions.CONDFMT, conditions.CF})
_REPORTED: Final = {QSI: "xls.connection", DCONN: "xls.connection"}
_MOST_LINKS: Final = 65_530


class Relation(NamedTuple):
    """One line of the sheet's relationships: `kind` is the last piece of its type."""

    kind: str
    target: str
    external: bool


class Sheet:
    """`number`: from 1, as its part is named. `relations` are those that its XML names as rId1, rId2, …"""

    def __init__(self, number: int, name: str, book: Workbook, shared: SharedStrings) -> None:
        self.number = number
        self.name = name
        self.relations: list[Relation] = []
        self._book = book
        self._cells = cells.Cells(book, shared, name)
        self._layout = layout.Layout(book)
        self._conditions = conditions.Conditions(book, name)
        self._merged: list[str] = []
        self._links: list[links.Link] = []

    def read(self, records: Iterable[Record]) -> bool:
        """False for what is no worksheet inside, whatever the table of sheets says. Charts inside are passed over."""
        depth = 0
        for record in records:
            if record.kind == BOF:
                depth += 1
                if depth == 1 and record.unpack("<HH")[1] != WORKSHEET:
                    return False
                if depth > 1:
                    self._book.context.found("xls.chart", self.name, Action.REMOVED)
            elif record.kind == EOF:
                depth -= 1
            elif depth == 1:
                self._add(record)
        return True

    def _add(self, record: Record) -> None:
        kind = record.kind
        if kind in cells.RECORDS:
            self._cells.add(record)
        elif kind in layout.RECORDS:
            self._layout.add(record)
        elif kind in _CONDITIONS:
            self._conditions.add(record)
        elif kind == MERGEDCELLS:
            count = min(record.unpack("<H")[0], (len(record.data) - 2) // 8)
            areas = struct.iter_unpack("<HHHH", record.data[2 : 2 + 8 * count])
            self._merged += [spelled(area) for area in areas if area[0] <= area[1] and area[2] <= area[3] <= 255]  # noqa: PLR2004 - columns
        elif kind == links.HLINK:
            self._link(record)
        elif kind in _REPORTED:
            self._book.context.found(_REPORTED[kind], self.name, Action.REMOVED)

    def _link(self, record: Record) -> None:
        link = links.read(record, self._book.context.treatment.link_schemes)
        first, last, left, right = link.area
        if not link.allowed or first > last or left > right or right > 255 or len(self._links) >= _MOST_LINKS:  # noqa: PLR2004 - columns
            self._book.context.found("xls.hyperlink", f"{self.name}!{spelled(link.area)}", Action.REMOVED, link.target or link.place)
        else:
            self._links.append(link)

    def xml(self, *, active: bool, filtered: str) -> str:
        """`filtered`: the area of its autofilter, if it has one."""
        rows = self._cells.rows()
        areas = "".join(f'<mergeCell ref="{area}"/>' for area in self._merged)
        merged = f'<mergeCells count="{len(self._merged)}">{areas}</mergeCells>' if areas else ""
        return (
            f'<worksheet {_MAIN} xmlns:r="{_OFFICE}">{self._layout.properties()}{self._layout.view(active=active)}{self._layout.columns()}'
            f"<sheetData>{rows}</sheetData>{self._layout.protection()}"
            + (f'<autoFilter ref="{filtered}"/>' if filtered else "")
            + f"{merged}{self._conditions.xml()}{self._hyperlinks()}{self._layout.page()}</worksheet>"
        )

    def _hyperlinks(self) -> str:
        pieces: list[str] = []
        for link in self._links:
            said = f' ref="{spelled(link.area)}"'
            if link.target:
                self.relations.append(Relation("hyperlink", link.target, True))
                said += f' r:id="rId{len(self.relations)}"'
            said += f" location={markup.attribute(link.place)}" if link.place else ""
            pieces.append(f"<hyperlink{said}/>")
        return f"<hyperlinks>{''.join(pieces)}</hyperlinks>" if pieces else ""
