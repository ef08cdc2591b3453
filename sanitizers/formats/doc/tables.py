"""Tables: the looks of rows and cells, [MS-DOC] 2.6.3, 2.9.322 (TDefTableOperand), 2.9.318 (TC80) → w:tbl, ECMA-376 part 1 §17.4."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from sanitizers.formats.doc import colours, markup
from sanitizers.formats.doc.sprms import Properties, read, signed, unpack, unsigned

_DEFINITION: Final = 0xD608
_CELL: Final = 20  # bytes
_NO_BORDER: Final = b"\xff\xff\xff\xff"
_SIDES: Final = ("top", "left", "bottom", "right")
_INSIDE: Final = ("insideH", "insideV")
_SIDE_BITS: Final = tuple(zip(_SIDES, (1, 2, 4, 8), strict=True))
_ALIGNMENTS: Final = ("left", "center", "right")
_VERTICAL: Final = ("top", "center", "bottom")
_FLOWS: Final = {1: "tbRl", 3: "btLr", 4: "lrTbV", 5: "tbRlV"}
_COLOURS: Final = {0xD61A: "top", 0xD61B: "left", 0xD61C: "bottom", 0xD61D: "right"}
_SHADES: Final = {0xD612: 0, 0xD616: 22, 0xD60C: 44, 0xD670: 0, 0xD671: 22, 0xD672: 44}  # → the first cell that they are about
_WIDEST: Final = 31_680  # twips
MOST_CELLS: Final = 63
_PERCENT, _TWIPS = 2, 3


@dataclass(slots=True)
class Cell:
    """`left` and `right`: edges in twips; `flags` of a TC80; `borders` by side; `shade`: attributes of w:shd."""

    left: int
    right: int
    flags: int = 0
    borders: dict[str, str] = field(default_factory=dict)
    shade: str = ""
    margins: dict[str, int] = field(default_factory=dict)


class Row(NamedTuple):
    """What a row says of itself and its cells."""

    properties: Properties
    cells: list[Cell]
    margins: dict[str, int]


def row(grpprl: bytes) -> Row:
    """Raises Malformed for a definition that is cut off."""
    properties: Properties = {}
    cells: list[Cell] = []
    margins: dict[str, int] = {}
    for number, operand in read(grpprl):
        properties[number] = operand
        if number == _DEFINITION:
            cells = _defined(operand)
        elif number in _SHADES:
            _shade(cells, _SHADES[number], operand, raw=number >= 0xD670)
        elif number in _COLOURS:
            _coloured(cells, _COLOURS[number], operand)
        elif number in _CHANGES:
            _CHANGES[number](cells, operand)
        elif number == 0xD634 and len(operand) >= 6:
            margins |= _margins(operand)
    return Row(properties, cells, margins)


def _defined(operand: bytes) -> list[Cell]:
    count = unpack("<B", operand)[0]
    edges = unpack(f"<{count + 1}h", operand, 1)
    cells: list[Cell] = []
    at = 1 + 2 * (count + 1)
    for number in range(min(count, MOST_CELLS)):
        cell = Cell(edges[number], max(edges[number + 1], edges[number]))
        data = operand[at + _CELL * number : at + _CELL * (number + 1)]
        if len(data) == _CELL:
            (cell.flags,) = struct.unpack_from("<H", data)
            for place, side in enumerate(_SIDES):
                said = data[4 + 4 * place : 8 + 4 * place]
                if said == _NO_BORDER:
                    cell.borders[side] = f'<w:{side} w:val="nil"/>'
                elif said[1] and (line := colours.border(side, said)):     # else that of the table
                    cell.borders[side] = line
        cells.append(cell)
    return cells


def _shade(cells: list[Cell], first: int, operand: bytes, *, raw: bool) -> None:
    for number in range(len(operand) // 10):
        said = colours.shading(operand[10 * number : 10 * number + 10])
        if first + number < len(cells) and (said or not raw):
            cells[first + number].shade = said


def _older_shade(cells: list[Cell], operand: bytes) -> None:
    for number in range(min(len(operand) // 2, len(cells))):
        cells[number].shade = cells[number].shade or colours.shading(operand[2 * number : 2 * number + 2])


def _coloured(cells: list[Cell], side: str, operand: bytes) -> None:
    """The colours of borders beyond the sixteen of the palette."""
    for number, cell in enumerate(cells[: len(operand) // 4]):
        colour = colours.colour(operand[4 * number : 4 * number + 4])
        before, found, after = cell.borders.get(side, "").partition('w:color="')
        if found:
            cell.borders[side] = f"{before}{found}{colour}{after[after.index(chr(34)) :]}"


def _set_border(cells: list[Cell], operand: bytes) -> None:
    """sprmTSetBrc and sprmTSetBrc80: first cell, behind the last one, sides, border."""
    if len(operand) < 7:
        return
    first, end, sides = operand[0], operand[1], operand[2]
    for cell in cells[first:end]:
        for side, bit in _SIDE_BITS:
            if sides & bit and (line := colours.border(side, operand[3:])):
                cell.borders[side] = line


def _set_shade(cells: list[Cell], operand: bytes) -> None:
    if len(operand) in (4, 12):
        said = colours.shading(operand[2:])
        for cell in cells[operand[0] : operand[1]]:
            cell.shade = said


def _set_widths(cells: list[Cell], operand: bytes) -> None:
    """sprmTDxaCol: all edges behind move along."""
    if len(operand) != 4:
        return
    first, end, width = unpack("<BBh", operand)
    for number, cell in enumerate(cells):
        if first <= number < end:
            change = max(width, 0) - (cell.right - cell.left)
            for later in cells[number + 1 :]:
                later.left += change
                later.right += change
            cell.right += change


def _set_margins(cells: list[Cell], operand: bytes) -> None:
    if len(operand) >= 6:
        for cell in cells[operand[0] : operand[1]]:
            cell.margins |= _margins(operand)


def _set_vertical(cells: list[Cell], operand: bytes) -> None:
    if len(operand) == 2 and operand[0] < len(cells):
        cells[operand[0]].flags = cells[operand[0]].flags & ~0x60 | {1: 0x20, 3: 0x60}.get(operand[1], 0)


def _set_alignment(cells: list[Cell], operand: bytes) -> None:
    if len(operand) == 3:
        for cell in cells[operand[0] : operand[1]]:
            cell.flags = cell.flags & ~0x180 | (operand[2] & 3) << 7


def _set_flow(cells: list[Cell], operand: bytes) -> None:
    if len(operand) == 4:
        for cell in cells[operand[0] : operand[1]]:
            cell.flags = cell.flags & ~0x1C | (operand[2] & 7) << 2


def _merge(cells: list[Cell], operand: bytes) -> None:
    if len(operand) == 2:
        for number, cell in enumerate(cells[operand[0] : operand[1]]):
            cell.flags = cell.flags & ~0x03 | (2 if number else 1)


def _margins(operand: bytes) -> dict[str, int]:
    """CSSAOperand: first cell, behind the last one, sides, unit, width."""
    width = unpack("<H", operand, 4)[0] if operand[3] == _TWIPS else 0
    return {side: min(width, _WIDEST) for side, bit in _SIDE_BITS if operand[2] & bit}


_CHANGES: Final = {
    0xD609: _older_shade, 0xD620: _set_border, 0xD62F: _set_border, 0x7627: _set_shade, 0xD62D: _set_shade, 0x7623: _set_widths,
    0xD632: _set_margins, 0xD62B: _set_vertical, 0xD62C: _set_alignment, 0x7629: _set_flow, 0x5624: _merge,
}  # fmt: skip


# writing


def style(properties: Properties) -> str:
    """What stands inside of w:tblPr of a style."""
    return _table_borders(properties)


def _table_borders(properties: Properties) -> str:
    older, later = properties.get(0xD605, b""), properties.get(0xD613, b"")
    data, size = (later, 8) if len(later) == 48 else (older, 4) if len(older) == 24 else (b"", 4)
    lines = "".join(colours.border(name, data[size * n : size * (n + 1)]) for n, name in enumerate((*_SIDES, *_INSIDE)) if data)
    return f"<w:tblBorders>{lines}</w:tblBorders>" if lines else ""


def edges_of(one: Row) -> set[int]:
    """Of its cells, in twips from the margin."""
    return {edge for cell in one.cells for edge in (cell.left, cell.right)}


def head(first: Row, edges: list[int], styled: str) -> str:
    """w:tblPr, as the first row says, and w:tblGrid with the edges of all rows."""
    said = first.properties.get
    gap = _gap(first)
    alignment = unsigned(said(0x548A, said(0x5400, b"\0")))
    left = edges[0] + gap if edges else 0
    lines = [
        markup.value("tblStyle", styled) if styled else "",
        _floating(first.properties),
        "<w:bidiVisual/>" if unsigned(said(0x560B, b"\0")) else "",
        _width(said(0xF614, b"")),
        markup.value("jc", _ALIGNMENTS[alignment]) if 0 < alignment < len(_ALIGNMENTS) else "",
        f'<w:tblInd w:w="{left}" w:type="dxa"/>' if not alignment else "",
        _table_borders(first.properties),
        "" if unsigned(said(0x3615, b"\0")) else '<w:tblLayout w:type="fixed"/>',
        _cell_margins("tblCellMar", {"left": gap, "right": gap} | first.margins),
    ]
    columns = "".join(f'<w:gridCol w:w="{end - start}"/>' for start, end in pairwise(edges))
    return f"<w:tblPr>{''.join(lines)}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>"


def _gap(first: Row) -> int:
    return min(max(signed(first.properties.get(0x9602, b"\0\0")), 0), _WIDEST)


def _width(operand: bytes) -> str:
    if len(operand) == 3 and operand[0] in (_PERCENT, _TWIPS):
        width = unpack("<h", operand, 1)[0]
        return f'<w:tblW w:w="{max(width, 0)}" w:type="{"pct" if operand[0] == _PERCENT else "dxa"}"/>'
    return '<w:tblW w:w="0" w:type="auto"/>'


def _cell_margins(name: str, margins: dict[str, int]) -> str:
    lines = "".join(f'<w:{side} w:w="{margins[side]}" w:type="dxa"/>' for side in _SIDES if side in margins)
    return f"<w:{name}>{lines}</w:{name}>" if lines else ""


def _floating(properties: Properties) -> str:
    """A table that text flows around. [MS-DOC] 2.6.3, sprmTPc and those behind it."""
    if 0x360D not in properties:
        return ""
    place = unsigned(properties[0x360D])
    measure = {
        name: signed(properties[number])
        for name, number in (("leftFromText", 0x9410), ("rightFromText", 0x941E), ("topFromText", 0x9411), ("bottomFromText", 0x941F))
        if number in properties
    }
    said = "".join(f' w:{name}="{max(width, 0)}"' for name, width in measure.items())
    vertical, horizontal = ("margin", "page", "text", "text")[place >> 4 & 3], ("text", "margin", "page", "text")[place >> 6 & 3]
    said += f' w:vertAnchor="{vertical}" w:horzAnchor="{horizontal}"'
    across, down = signed(properties.get(0x940E, b"\0\0")), signed(properties.get(0x940F, b"\0\0"))
    columns = {-4: "center", -8: "right", -12: "inside", -16: "outside"}
    lines = {-4: "top", -8: "center", -12: "bottom", -16: "inside", -20: "outside"}
    said += f' w:tblpXSpec="{columns[across]}"' if across in columns else f' w:tblpX="{across}"'
    said += f' w:tblpYSpec="{lines[down]}"' if down in lines else f' w:tblpY="{down}"'
    return f"<w:tblpPr{said}/>"


def row_head(one: Row, edges: list[int]) -> str:
    """w:trPr."""
    said = one.properties.get
    before = edges.index(one.cells[0].left) if one.cells else 0
    after = len(edges) - 1 - edges.index(one.cells[-1].right) if one.cells else 0
    height = signed(said(0x9407, b"\0\0"))
    lines = [
        markup.value("gridBefore", before) if before else "",
        markup.value("gridAfter", after) if after > 0 else "",
        f'<w:wBefore w:w="{edges[before] - edges[0]}" w:type="dxa"/>' if before else "",
        f'<w:wAfter w:w="{edges[-1] - edges[-1 - after]}" w:type="dxa"/>' if after > 0 else "",
        "<w:cantSplit/>" if unsigned(said(0x3466, said(0x3403, b"\0"))) else "",
        f'<w:trHeight w:val="{abs(height)}" w:hRule="{"exact" if height < 0 else "atLeast"}"/>' if height else "",
        "<w:tblHeader/>" if unsigned(said(0x3404, b"\0")) else "",
    ]
    return f"<w:trPr>{''.join(lines)}</w:trPr>" if any(lines) else ""


def spans(one: Row) -> list[tuple[int, int]]:
    """(first, last) cell of each that shows: cells that are merged with the one before them show nothing."""
    found: list[tuple[int, int]] = []
    for number, cell in enumerate(one.cells):
        merged = cell.flags & 0x03
        if merged and found and found[-1][1] == number - 1 and one.cells[number - 1].flags & 0x03 and (merged & 0x02):
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def cell_head(one: Row, span: tuple[int, int], edges: list[int]) -> str:
    """w:tcPr."""
    first, last = one.cells[span[0]], one.cells[span[1]]
    columns = edges.index(last.right) - edges.index(first.left)
    flags = first.flags
    borders = {**first.borders, **({"right": last.borders["right"]} if "right" in last.borders else {})}
    sides = "".join(borders[side] for side in _SIDES if side in borders)
    flow = _FLOWS.get(flags >> 2 & 7)
    vertical = flags >> 7 & 3
    lines = [
        f'<w:tcW w:w="{last.right - first.left}" w:type="dxa"/>',
        markup.value("gridSpan", columns) if columns > 1 else "",
        (markup.value("vMerge", "restart") if flags & 0x40 else "<w:vMerge/>") if flags & 0x20 else "",
        f"<w:tcBorders>{sides}</w:tcBorders>" if sides else "",
        f"<w:shd {first.shade}/>" if first.shade else "",
        "<w:noWrap/>" if flags & 0x2000 else "",
        _cell_margins("tcMar", first.margins),
        markup.value("textDirection", flow) if flow else "",
        "<w:tcFitText/>" if flags & 0x1000 else "",
        markup.value("vAlign", _VERTICAL[vertical]) if 0 < vertical < len(_VERTICAL) else "",
    ]
    return f"<w:tcPr>{''.join(lines)}</w:tcPr>"
