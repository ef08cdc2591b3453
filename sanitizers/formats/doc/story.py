"""One story — the body, a header, a note, a text box — as paragraphs and tables. [MS-DOC] 2.4.2, 2.4.3 → w:p, w:tbl."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from sanitizers.formats.doc import paragraphs, tables
from sanitizers.formats.doc.document import Document, Look
from sanitizers.formats.doc.fields import GONE
from sanitizers.formats.doc.runs import Runs
from sanitizers.formats.doc.sprms import unsigned
from sanitizers.formats.office.package import Relations
from sanitizers.model import LimitExceeded

_ENDS: Final = re.compile(r"[\r\x07\x0c]")
SECTION_MARK, _CELL = "\x0c", "\x07"
_DEEPEST: Final = 16  # tables in tables: what readers show


class Paragraph(NamedTuple):
    """`end`: the place of its mark; `depth` of tables around it; `row_end`: no paragraph but what ends a row."""

    start: int
    end: int
    style: int
    grpprl: bytes
    depth: int
    cell_end: bool
    row_end: bool


_Row = tuple[tables.Row, list[list[Paragraph]]]  # its look and its cells


class Story:
    """`breaks`: places of the marks that end a section, with its w:sectPr."""

    def __init__(self, document: Document, relations: Relations, start: int, end: int, *, own: str = "") -> None:
        self._document = document
        self._end = min(end, len(document.text.units))
        self._start = min(start, self._end)     # lists of places may say more than there is
        self._fields = document.fields(self._start, self._end)
        self._runs = Runs(document, relations, self._fields, own)
        self.breaks: dict[int, str] = {}
        self._rows_known: dict[tuple[bytes, int], tables.Row] = {}
        self._row_heads: dict[tuple[int, ...], tuple[str, list[tuple[int, int, str]]]] = {}
        self._heads: dict[tuple[bytes, int, bytes], str] = {}
        self._structures: dict[bytes, tuple[int | None, int, bool, bool]] = {}

    def xml(self) -> str:
        """Never empty: where nothing stands, one paragraph does."""
        found = self._paragraphs()
        return self._blocks(found, 0) or "<w:p/>"

    def _paragraphs(self) -> list[Paragraph]:
        found: list[Paragraph] = []
        start = self._start
        for mark in _ENDS.finditer(self._document.text.units, self._start, self._end):
            place = mark.start()
            if mark[0] == SECTION_MARK and place not in self.breaks:
                continue
            if place > start and self._fields.fate(place) == GONE:
                continue  # a paragraph inside of what a field that goes was told
            found.append(self._paragraph(start, place))
            start = place + 1
        if start < self._end:
            found.append(self._paragraph(start, self._end))
        return found

    def _paragraph(self, start: int, end: int) -> Paragraph:
        place = min(end, self._end - 1)
        look = self._document.paragraphs.at(place)
        style, depth, row_end, inner = self._structure(look.grpprl)
        ended = inner if depth > 1 else depth > 0 and self._document.text.units[place] == _CELL
        return Paragraph(start, end, look.style if style is None else style, look.grpprl, depth, ended, row_end)

    def _structure(self, grpprl: bytes) -> tuple[int | None, int, bool, bool]:
        """What a list of changes says beside the look: the style, the depth of tables, the end of a row, of a cell in a deeper one."""
        found = self._structures.get(grpprl)
        if found is not None:
            return found
        properties = self._document.merged(grpprl)
        style = unsigned(properties[paragraphs.STYLE]) if paragraphs.STYLE in properties else None
        inside = bool(unsigned(properties.get(paragraphs.IN_TABLE, b"\0")))
        depth = unsigned(properties[paragraphs.DEPTH]) if paragraphs.DEPTH in properties else int(inside)
        depth = max(depth, int(inside))
        if depth > _DEEPEST:
            raise LimitExceeded(f"tables nested deeper than {_DEEPEST}")
        row_end = depth > 0 and bool(unsigned(properties.get(paragraphs.INNER_ROW_END if depth > 1 else paragraphs.ROW_END, b"\0")))
        inner = bool(unsigned(properties.get(paragraphs.INNER_CELL, b"\0")))
        self._structures[grpprl] = style, depth, row_end, inner
        return style, depth, row_end, inner

    def _blocks(self, found: list[Paragraph], depth: int) -> str:
        """Paragraphs of this depth as they are, deeper ones as tables."""
        lines: list[str] = []
        at = 0
        while at < len(found):
            if found[at].depth <= depth:
                lines.append(self._written(found[at]))
                at += 1
                continue
            stop = at
            while stop < len(found) and found[stop].depth > depth:
                stop += 1
            lines.append(self._table(found[at:stop], depth + 1))
            at = stop
        return "".join(lines)

    def _table(self, found: list[Paragraph], depth: int) -> str:
        """What cannot be a table, because its last row never ends, stays as paragraphs."""
        rows: list[_Row] = []
        cells: list[list[Paragraph]] = []
        cell: list[Paragraph] = []
        for one in found:
            if one.depth == depth and one.row_end:
                if cell:
                    cells.append(cell)
                if cells:
                    rows.append((self._row_look(one.grpprl, len(cells)), cells))
                cells, cell = [], []
                continue
            cell.append(one)
            if one.depth == depth and one.cell_end:
                cells.append(cell)
                cell = []
        rest = [one for group in (*cells, cell) for one in group]
        return self._rows(rows, depth) + "".join(self._written(one) for one in rest)

    def _row_look(self, grpprl: bytes, count: int) -> tables.Row:
        """Fitted to so many cells. Most rows of a table say the same."""
        found = self._rows_known.get((grpprl, count))
        if found is None:
            found = self._rows_known[grpprl, count] = _fitted(tables.row(grpprl), count)
        return found

    def _rows(self, rows: list[_Row], depth: int) -> str:
        """Tables that stand one below the other are one, as long as they have no more columns than a table may have."""
        self._document.context.budget.spend_cells(sum(len(cells) for _, cells in rows))
        lines: list[str] = []
        group: list[_Row] = []
        edges: set[int] = set()
        for look, cells in rows:
            own = tables.edges_of(look)
            if group and len(edges | own) > tables.MOST_CELLS + 1:
                lines.append(self._grouped(group, sorted(edges), depth))
                group, edges = [], set()
            group.append((look, cells))
            edges |= own
        return "".join(lines) + (self._grouped(group, sorted(edges), depth) if group else "")

    def _grouped(self, rows: list[_Row], edges: list[int], depth: int) -> str:
        first = rows[0][0]
        index = unsigned(first.properties.get(0x563A, b"\xff\x0f"))
        head = tables.head(first, edges, self._document.styles.identity(index, "table"))
        return f"<w:tbl>{head}{''.join(self._row(look, cells, edges, depth) for look, cells in rows)}</w:tbl>"

    def _row(self, look: tables.Row, cells: list[list[Paragraph]], edges: list[int], depth: int) -> str:
        lines: list[str] = []
        key = (id(look), *edges)    # the look is kept, so nothing else gets its identity
        heads = self._row_heads.get(key)
        if heads is None:
            of_cells = [(first, last, tables.cell_head(look, (first, last), edges)) for first, last in tables.spans(look)]
            heads = self._row_heads[key] = tables.row_head(look, edges), of_cells
        for first, last, head in heads[1]:
            inside = cells[first] if first == last else [one for cell in cells[first : last + 1] for one in cell]
            said = self._blocks(inside, depth)
            said = said if said.endswith(("</w:p>", "<w:p/>")) else f"{said}<w:p/>"
            lines.append(f"<w:tc>{head}{said}</w:tc>")
        return f"<w:tr>{heads[0]}{''.join(lines)}</w:tr>"

    def _written(self, one: Paragraph) -> str:
        table = self._document.characters
        grpprl = table.grpprls[table.index(min(one.end, self._end - 1))]
        key = (one.grpprl, one.style, grpprl)
        head = self._heads.get(key) if one.end not in self.breaks else None
        if head is None:
            said = self._document.paragraph_look(one.grpprl, one.style)
            look = self._document.look(grpprl, one.style)
            mark, section = self._mark(look), self.breaks.get(one.end, "")
            head = f"<w:pPr>{said}{mark}{section}</w:pPr>" if said or mark or section else ""
            if not section and not look.inserted and not look.deleted:
                self._heads[key] = head
        return f"<w:p>{head}{self._runs.write(one.start, one.end, one.style)}</w:p>"

    def _mark(self, look: Look) -> str:
        """The look of the mark of a paragraph itself."""
        changed = ""
        if (look.inserted or look.deleted) and self._document.context.treatment.comments_kept:
            if look.inserted:
                changed += f"<w:ins {self._document.change(look, deleted=False)}/>"
            if look.deleted:
                changed += f"<w:del {self._document.change(look, deleted=True)}/>"
        return f"<w:rPr>{changed}{look.xml}</w:rPr>" if changed or look.xml else ""


def _fitted(look: tables.Row, count: int) -> tables.Row:
    """As many looks of cells as cells: the rest of those that are too many is left out, missing ones have no width."""
    cells = look.cells[:count]
    while len(cells) < count:
        edge = cells[-1].right if cells else 0
        cells.append(tables.Cell(edge, edge))
    return look._replace(cells=cells)
