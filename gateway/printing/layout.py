"""From blocks to pages: each page is a list of what is drawn, in points from the lower left corner of the sheet."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from gateway.printing.letters import lines, width
from gateway.printing.paper import Block, Facts, Heading, NewPage, Paper, Paragraph, Signatures, Table

SHORT, LONG = 595.28, 841.89        # A4
_MARGIN: Final = 56.0
_FOOT: Final = 62.0                 # where the text ends
_PAD: Final = 4.0
_TEXT, _SMALL, _TITLE = 9.5, 8.0, 16.0
_CHAPTER: Final = {1: 12.5, 2: 10.5}
_LEADING: Final = 1.5
_SEAL: Final = 62.0
# A cell ends here, with an ellipsis: whole files belong into an export, not on paper.
_CELL_LINES: Final = 400
# So that a page always has room for a row under its head.
_HEAD_LINES: Final = 6


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    size: float
    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A filled (`grey` 0 black … 1 white) or, without it, an outlined rectangle."""

    x: float
    y: float
    across: float
    high: float
    grey: float | None = None


@dataclass(slots=True)
class Page:
    drawn: list[Text | Box] = field(default_factory=list)


def laid_out(paper: Paper) -> tuple[list[Page], float, float]:
    """The pages and the sheet's width and height."""
    across, high = (LONG, SHORT) if paper.wide else (SHORT, LONG)
    sheet = _Sheet(across, high)
    sheet.title(paper)
    for block, following in zip_longest(paper.blocks, paper.blocks[1:]):
        sheet.put(block, following)
    for number, page in enumerate(sheet.pages, 1):
        _margins(page, paper, f"{number} / {len(sheet.pages)}", across, high)
    return sheet.pages, across, high


def _margins(page: Page, paper: Paper, number: str, across: float, high: float) -> None:
    half = (across - 2 * _MARGIN) / 2
    page.drawn.append(Text(_MARGIN, high - 36, _SMALL, lines(paper.organisation, half, _SMALL)[0]))
    page.drawn.append(Text(_MARGIN, 34, _SMALL, lines(paper.number, half, _SMALL)[0]))
    page.drawn.append(Text(across - _MARGIN - width(number, _SMALL), 34, _SMALL, number))


class _Sheet:
    """Fills pages from top to bottom."""

    def __init__(self, across: float, high: float) -> None:
        self._top = high - _MARGIN
        self._inner = across - 2 * _MARGIN
        self.pages: list[Page] = []
        self._turn()

    def put(self, block: Block, following: Block | None) -> None:
        match block:
            case Heading():
                self._heading(block, following)
            case Paragraph():
                self._paragraph(block.text, _SMALL if block.small else _TEXT)
            case Facts():
                self._table((), block.rows, (block.share, 1 - block.share), frozenset(), range(1))
            case Table():
                rows = block.rows or ((block.empty,),)
                self._table(block.head, rows, block.widths or (1.0,) * len(block.head), block.right, range(0))
            case Signatures():
                self._signatures(block.titles)
            case NewPage():
                self._turn()

    def title(self, paper: Paper) -> None:
        self._y -= 4
        self._paragraph(paper.title, _TITLE, bold=True)
        if paper.issued:
            for line in lines(paper.issued, self._inner, _TEXT):
                self._line(line, _TEXT, _MARGIN + self._inner - width(line, _TEXT))
        self._y -= 8

    # ---------------------------------------------------------------------------------------------------------- blocks

    def _heading(self, block: Heading, following: Block | None) -> None:
        size = _CHAPTER[block.level]
        self._room(size * 2 * _LEADING + (6 * _TEXT if following is not None else 0))
        self._y -= size * 0.6
        self._paragraph(block.text, size, bold=True, after=3)

    def _paragraph(self, text: str, size: float, *, bold: bool = False, after: float = 6) -> None:
        for line in lines(text, self._inner, size):
            self._line(line, size, _MARGIN, bold=bold)
        self._y -= after

    def _signatures(self, titles: tuple[str, ...]) -> None:
        self._room(_SEAL + 2 * _TEXT + 12)
        left = _MARGIN + self._inner - _SEAL * len(titles)
        for place, title in enumerate(titles):
            x = left + place * _SEAL
            self._draw(Box(x, self._y - _SEAL - 16, _SEAL, _SEAL + 16), Box(x, self._y - 16, _SEAL, 16))
            self._draw(Text(x + _PAD, self._y - 11.5, _SMALL, lines(title, _SEAL - 2 * _PAD, _SMALL)[0]))
        self._y -= _SEAL + 28

    def _table(
        self,
        head: tuple[str, ...],
        rows: tuple[tuple[str, ...], ...],
        shares: tuple[float, ...],
        right: frozenset[int],
        shaded: range,
    ) -> None:
        columns = [self._inner * share / sum(shares) for share in shares]
        titles = [cell[:_HEAD_LINES] for cell in self._broken(head, columns)]
        if head and self._row(titles, columns, frozenset(), range(len(columns))):
            self._turn()
            self._row(titles, columns, frozenset(), range(len(columns)))
        for row in rows:
            cells = self._row(self._broken(row, columns), columns, right, shaded)
            while cells is not None:
                self._turn()
                if head:
                    self._row(titles, columns, frozenset(), range(len(columns)))
                cells = self._row(cells, columns, right, shaded)
        self._y -= 8

    def _broken(self, row: tuple[str, ...], columns: list[float]) -> list[list[str]]:
        filled = (*row, *[""] * (len(columns) - len(row)))
        broken = (lines(text, column - 2 * _PAD, _SMALL) for text, column in zip(filled, columns, strict=True))
        return [cell if len(cell) <= _CELL_LINES else [*cell[:_CELL_LINES], "…"] for cell in broken]

    def _row(self, cells: list[list[str]], columns: list[float], right: frozenset[int], shaded: range) -> list[list[str]] | None:
        """Draws one row, as many lines of it as the page has room for; what is left, if anything."""
        step = _SMALL * _LEADING
        most, fits = max(map(len, cells)), int((self._y - _FOOT - 2 * _PAD) / step)
        if fits < min(most, 3):
            return cells
        shown = min(most, fits)
        high, x = shown * step + 2 * _PAD, _MARGIN
        for place, (cell, column) in enumerate(zip(cells, columns, strict=True)):
            if place in shaded:
                self._draw(Box(x, self._y - high, column, high, grey=0.93))
            self._draw(Box(x, self._y - high, column, high))
            for number, line in enumerate(cell[:shown]):
                at = x + column - _PAD - width(line, _SMALL) if place in right else x + _PAD
                self._draw(Text(at, self._y - _PAD - step * number - _SMALL, _SMALL, line))
            x += column
        self._y -= high
        return [cell[shown:] for cell in cells] if shown < most else None

    # ----------------------------------------------------------------------------------------------------------- steps

    def _line(self, text: str, size: float, x: float, *, bold: bool = False) -> None:
        self._room(size * _LEADING)
        self._y -= size * _LEADING
        self._draw(Text(x, self._y + size * (_LEADING - 1) * 0.6, size, text, bold))

    def _room(self, needed: float) -> None:
        if self._y - needed < _FOOT:
            self._turn()

    def _turn(self) -> None:
        self.pages.append(Page())
        self._y = self._top

    def _draw(self, *things: Text | Box) -> None:
        self.pages[-1].drawn += things
