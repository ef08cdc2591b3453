"""One worksheet: its records, and the part that they become. ECMA-376 part 1 §18.3.1.99."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.office.package import Relation
from sanitizers.formats.xls import cells, charts, conditions, drawing, layout, links, markup, records
from sanitizers.formats.xls.book import DCONN, Workbook
from sanitizers.formats.xls.conditions import spelled
from sanitizers.formats.xls.records import BOF, CHART, EOF, WORKSHEET, Record
from sanitizers.formats.xls.shared import SharedStrings
from sanitizers.model import Action

MERGEDCELLS, QSI = 0xE5, 0x1AD

_MAIN: Final = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONDITIONS: Final = frozenset({conditions.DV, conditions.CONDFMT, conditions.CF})
_DRAWING: Final = frozenset({drawing.OBJ, drawing.DRAWING, drawing.TXO, drawing.NOTE, drawing.AUTOFILTER_INFO})
_REPORTED: Final = {QSI: "xls.connection", DCONN: "xls.connection"}
_MOST_LINKS: Final = 65_530
_MOST_MERGED: Final = 256  # beside each other: there are no more columns


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
        self.drawing = drawing.Drawing(book, name)
        self.comments: list[drawing.Comment] = []
        self.shapes = ""
        self._merged: list[conditions.Area] = []
        self._links: list[links.Link] = []

    def read(self, stream: bytes, at: int) -> bool:
        """From its BOF on. False for what is no worksheet inside, whatever the table of sheets says."""
        depth = 0
        chart: charts.Chart | None = None
        readers, collected = cells.Cells.READERS, self._cells
        for record in records.substream(stream, at, collected):
            if depth == 1 and (reader := readers.get(record.kind)):
                reader(collected, record)
            elif record.kind == BOF:
                depth += 1
                if depth == 1 and record.unpack("<HH")[1] != WORKSHEET:
                    return False
                if depth == 2:
                    chart = charts.Chart(self._book) if self._book.encoding is None and record.unpack("<HH")[1] == CHART else None
                elif depth > 2:
                    chart = None
            elif record.kind == EOF:
                depth -= 1
                if depth == 1:
                    self._end_chart(chart)
            elif depth == 2 and chart is not None:
                chart.add(record)
            elif depth == 1:
                self._add(record)
        return True

    def _end_chart(self, chart: charts.Chart | None) -> None:
        """It belongs to the object before it; its place decides whether it can be shown."""
        if chart is not None and chart.lost:
            self._book.context.found(chart.lost, self.name, Action.REMOVED, "series of a chart")
        if not self.drawing.chart(chart.xml() if chart is not None else ""):
            self._book.context.found("xls.chart", self.name, Action.REMOVED)

    def _add(self, record: Record) -> None:
        kind = record.kind
        if kind in layout.RECORDS:
            self._layout.add(record)
        elif kind in _DRAWING:
            self.drawing.add(record)
        elif kind in _CONDITIONS:
            self._conditions.add(record)
        elif kind == MERGEDCELLS:
            count = min(record.unpack("<H")[0], (len(record.data) - 2) // 8)
            self._merged += struct.iter_unpack("<HHHH", record.data[2 : 2 + 8 * count])
        elif kind == links.HLINK:
            self._link(record)
        elif kind in _REPORTED:
            self._book.context.found(_REPORTED[kind], self.name, Action.REMOVED)

    def _link(self, record: Record) -> None:
        link = links.read(record, self._book.context.treatment.link_schemes)
        first, last, left, right = link.area
        if not link.allowed or first > last or left > right or right > 255 or len(self._links) >= _MOST_LINKS:
            self._book.context.found("xls.hyperlink", f"{self.name}!{spelled(link.area)}", Action.REMOVED, link.target or link.place)
        else:
            self._links.append(link)

    def xml(self, *, active: bool, filtered: str) -> str:
        """`filtered`: the area of its autofilter, if it has one."""
        rows = self._cells.rows()
        areas = [f'<mergeCell ref="{spelled(area)}"/>' for area in _apart(self._merged)]
        merged = f'<mergeCells count="{len(areas)}">{"".join(areas)}</mergeCells>' if areas else ""
        looks = f"{self._layout.properties()}{self._layout.view(active=active)}{self._layout.columns(self._cells.deepest)}"
        return (
            f'<worksheet {_MAIN} xmlns:r="{_OFFICE}">{looks}'
            f"<sheetData>{rows}</sheetData>{self._layout.protection()}"
            + (f'<autoFilter ref="{filtered}"/>' if filtered and self.drawing.filtered else "")
            + f"{merged}{self._conditions.xml()}{self._hyperlinks()}{self._layout.page()}{self._drawings()}</worksheet>"
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

    def _drawings(self) -> str:
        """Shapes, then comments with the boxes that they are shown in."""
        sizes = drawing.Sizes(self._layout.widths, self._cells.heights, self._layout.width, self._layout.height)
        self.shapes = self.drawing.shapes(sizes)
        self.comments = self.drawing.comments()
        said = ""
        if self.shapes:
            self.relations.append(Relation("drawing", f"../drawings/drawing{self.number}.xml"))
            said += f'<drawing r:id="rId{len(self.relations)}"/>'
        if self.comments:
            self.relations.append(Relation("vmlDrawing", f"../drawings/vmlDrawing{self.number}.vml"))
            said += f'<legacyDrawing r:id="rId{len(self.relations)}"/>'
            self.relations.append(Relation("comments", f"../comments{self.number}.xml"))
        return said


def _apart(areas: list[conditions.Area]) -> list[conditions.Area]:
    """Those of more than one cell, without any that lies over an earlier one: Excel takes two in one place for damage."""
    kept: list[conditions.Area] = []
    open_: list[conditions.Area] = []
    for area in sorted(areas):
        first, last, left, right = area
        if not (first <= last and left <= right <= 255) or (first, left) == (last, right):
            continue
        open_ = [one for one in open_ if one[1] >= first]
        if len(open_) < _MOST_MERGED and not any(one[2] <= right and left <= one[3] for one in open_):
            open_.append(area)
            kept.append(area)
    return kept
