"""Rows and cells of a Word table: each property of [MS-DOC] 2.6.3 says in WordprocessingML what it said."""

from __future__ import annotations

import struct

import pytest

from sanitizers.formats.doc import tables
from sanitizers.formats.doc.tables import Cell, Row
from sanitizers.model import Malformed
from tests.build.doc import sprm

EDGES = (0, 1000, 2000, 3000)
RED = struct.pack("<BBBB", 255, 0, 0, 0)
LINE = RED + struct.pack("<BBH", 8, 1, 0)           # half a point of red
OLD_LINE = bytes((8, 1, 6, 0))                      # the same of the palette


def _definition(*edges: int, cells: bytes = b"") -> bytes:
    return sprm(0xD608, bytes((len(edges) - 1,)) + struct.pack(f"<{len(edges)}h", *edges) + cells)


def _tc(flags: int, *borders: bytes) -> bytes:
    return struct.pack("<HH", flags, 0) + b"".join(borders).ljust(16, b"\0")


def _row(*more: bytes, cells: bytes = b"") -> Row:
    return tables.row(_definition(*EDGES, cells=cells) + b"".join(more))


def _said(one: Row, number: int) -> str:
    return tables.cell_head(one, (number, number), list(EDGES))


def test_a_definition_says_edges_flags_and_borders() -> None:
    none = b"\xff\xff\xff\xff"
    one = _row(cells=_tc(0x20 | 0x40, none, OLD_LINE) + _tc(0x20) + _tc(0x2000 | 0x1000 | 0x80 | 1 << 2))
    assert [(cell.left, cell.right) for cell in one.cells] == [(0, 1000), (1000, 2000), (2000, 3000)]
    assert _said(one, 0) == (
        '<w:tcPr><w:tcW w:w="1000" w:type="dxa"/><w:vMerge w:val="restart"/><w:tcBorders><w:top w:val="nil"/>'
        '<w:left w:val="single" w:sz="8" w:space="0" w:color="FF0000"/></w:tcBorders></w:tcPr>'
    )
    assert "<w:vMerge/>" in _said(one, 1)
    assert _said(one, 2).endswith('<w:noWrap/><w:textDirection w:val="tbRl"/><w:tcFitText/><w:vAlign w:val="center"/></w:tcPr>')


def test_a_definition_that_is_cut_off_is_malformed() -> None:
    with pytest.raises(Malformed):
        tables.row(sprm(0xD608, b"\x03\0\0"))
    assert tables.row(_definition(5, 3)).cells == [Cell(5, 5)], "no cell is narrower than nothing"


@pytest.mark.parametrize(("number", "first"), [(0xD612, 0), (0xD616, 22), (0xD60C, 44), (0xD670, 0), (0xD671, 22), (0xD672, 44)])
def test_shades_are_about_cells_from_a_number_on(number: int, first: int) -> None:
    green = bytes((0, 0, 0, 255)) + bytes((0, 128, 0, 0)) + struct.pack("<H", 1)
    one = tables.row(_definition(*range(0, 1200, 20)) + sprm(number, b"\xff" * 10 + green))
    assert [place for place, cell in enumerate(one.cells) if cell.shade] == [first + 1]
    assert one.cells[first + 1].shade == 'w:val="solid" w:color="auto" w:fill="008000"'


def test_a_later_shade_of_nothing_leaves_an_earlier_one_only_where_it_is_raw() -> None:
    green, nothing = bytes(4) + bytes((0, 128, 0, 0)) + bytes(2), bytes(8) + b"\xff\xff"
    assert _row(sprm(0xD612, green), sprm(0xD670, nothing)).cells[0].shade
    assert not _row(sprm(0xD612, green), sprm(0xD612, nothing)).cells[0].shade


def test_older_shades_count_where_no_later_one_is() -> None:
    old = struct.pack("<HH", 1 << 10 | 6 << 5 | 1, 0xFFFF)
    one = _row(sprm(0xD609, old))
    assert one.cells[0].shade == 'w:val="solid" w:color="000000" w:fill="FF0000"'
    assert one.cells[1].shade == ""
    both = _row(sprm(0xD612, bytes(4) + bytes((0, 128, 0, 0)) + bytes(2)), sprm(0xD609, old))
    assert "008000" in both.cells[0].shade


@pytest.mark.parametrize(("number", "side"), [(0xD61A, "top"), (0xD61B, "left"), (0xD61C, "bottom"), (0xD61D, "right")])
def test_borders_have_any_colour(number: int, side: str) -> None:
    one = _row(sprm(0xD620, bytes((0, 1, 15)) + OLD_LINE), sprm(number, bytes((1, 2, 3, 0)) + RED))
    assert {name for name, line in one.cells[0].borders.items() if 'w:color="010203"' in line} == {side}
    assert one.cells[1].borders == {}, "a colour alone makes no border"


@pytest.mark.parametrize(("number", "line"), [(0xD620, OLD_LINE), (0xD62F, LINE)])
def test_borders_are_set_for_some_cells_and_sides(number: int, line: bytes) -> None:
    one = _row(sprm(number, bytes((1, 3, 1 | 8)) + line))
    drawn = 'w:val="single" w:sz="8" w:space="0" w:color="FF0000"'
    assert [cell.borders for cell in one.cells] == [{}, *[{"top": f"<w:top {drawn}/>", "right": f"<w:right {drawn}/>"}] * 2]
    assert _row(sprm(number, b"\0\1\1")).cells[0].borders == {}, "too short to say anything"


@pytest.mark.parametrize("operand", [bytes((0, 2)) + struct.pack("<H", 1 << 10 | 6 << 5), bytes((0, 2)) + bytes(4) + RED + struct.pack("<H", 1)])
def test_a_shade_is_set_for_some_cells(operand: bytes) -> None:
    one = _row(sprm(0x7627 if len(operand) == 4 else 0xD62D, operand))
    assert ["FF0000" in cell.shade for cell in one.cells] == [True, True, False]
    assert not _row(sprm(0xD62D, operand[:-1])).cells[0].shade


def test_a_width_moves_what_is_behind() -> None:
    one = _row(sprm(0x7623, struct.pack("<BBh", 0, 2, 1500)))
    assert [(cell.left, cell.right) for cell in one.cells] == [(0, 1500), (1500, 3000), (3000, 4000)]
    narrow = _row(sprm(0x7623, struct.pack("<BBh", 1, 2, -5)))
    assert [(cell.left, cell.right) for cell in narrow.cells] == [(0, 1000), (1000, 1000), (1000, 2000)]


def test_margins_of_cells_and_of_the_table() -> None:
    one = _row(sprm(0xD632, struct.pack("<BBBBH", 0, 1, 1 | 2, 3, 200)), sprm(0xD634, struct.pack("<BBBBH", 0, 1, 4 | 8, 3, 60_000)))
    assert one.cells[0].margins == {"top": 200, "left": 200}
    assert one.cells[1].margins == {}
    assert one.margins == {"bottom": 31_680, "right": 31_680}, "no margin is wider than a page can be"
    assert '<w:tcMar><w:top w:w="200" w:type="dxa"/><w:left w:w="200" w:type="dxa"/></w:tcMar>' in _said(one, 0)
    assert _row(sprm(0xD632, struct.pack("<BBBBH", 0, 1, 1, 2, 200))).cells[0].margins == {"top": 0}, "of another unit"
    assert _row(sprm(0xD632, b"\0\1\1")).cells[0].margins == {}
    assert _row(sprm(0xD634, b"\0\1\1")).margins == {}


def test_cells_are_merged_aligned_and_turned() -> None:
    one = _row(sprm(0xD62B, bytes((0, 3))), sprm(0xD62B, bytes((1, 1))), sprm(0xD62C, bytes((1, 2, 2))), sprm(0x7629, bytes((2, 3, 3, 0))))
    assert '<w:vMerge w:val="restart"/>' in _said(one, 0)
    assert _said(one, 1).endswith('<w:vMerge/><w:vAlign w:val="bottom"/></w:tcPr>')
    assert '<w:textDirection w:val="btLr"/>' in _said(one, 2)
    again = _row(sprm(0xD62B, bytes((0, 3))), sprm(0xD62B, bytes((0, 0))))
    assert "vMerge" not in _said(again, 0)


def test_whatever_says_too_little_or_is_about_no_cell_changes_nothing() -> None:
    plain = _row().cells
    for number, operand in ((0xD62B, b"\x07\x03"), (0xD62B, b"\0"), (0xD62C, b"\0\1"), (0xD632, b"\0")):
        assert _row(sprm(number, operand)).cells == plain
    tables._set_flow([cell := Cell(0, 1)], b"\0\1\3")
    tables._set_widths([cell], b"\0\1\3")
    tables._merge([cell], b"\0")
    assert cell == Cell(0, 1)


def test_merged_cells_show_as_one() -> None:
    one = _row(sprm(0x5624, bytes((0, 2))))
    assert tables.spans(one) == [(0, 1), (2, 2)]
    assert tables.cell_head(one, (0, 1), list(EDGES)) == '<w:tcPr><w:tcW w:w="2000" w:type="dxa"/><w:gridSpan w:val="2"/></w:tcPr>'
    assert tables.spans(_row()) == [(0, 0), (1, 1), (2, 2)]


def test_the_right_border_of_a_merged_cell_is_that_of_its_last() -> None:
    one = _row(sprm(0x5624, bytes((0, 2))), sprm(0xD62F, bytes((1, 2, 8)) + LINE))
    assert "<w:right " in tables.cell_head(one, (0, 1), list(EDGES))


# ------------------------------------------------------------------------------------------------------------ rows, tables


def test_a_row_says_its_height_and_whether_it_is_a_heading() -> None:
    said = tables.row_head(_row(sprm(0x9407, -300), sprm(0x3404, 1), sprm(0x3466, 1)), list(EDGES))
    assert said == '<w:trPr><w:cantSplit/><w:trHeight w:val="300" w:hRule="exact"/><w:tblHeader/></w:trPr>'
    assert '<w:trHeight w:val="300" w:hRule="atLeast"/>' in tables.row_head(_row(sprm(0x9407, 300)), list(EDGES))
    assert "<w:cantSplit/>" in tables.row_head(_row(sprm(0x3403, 1)), list(EDGES))
    assert tables.row_head(_row(), list(EDGES)) == ""


def test_a_row_that_is_shorter_than_others_says_so() -> None:
    edges = [-500, *EDGES, 4000]
    assert tables.edges_of(_row()) == set(EDGES)
    assert tables.row_head(_row(), edges) == (
        '<w:trPr><w:gridBefore w:val="1"/><w:gridAfter w:val="1"/><w:wBefore w:w="500" w:type="dxa"/><w:wAfter w:w="1000" w:type="dxa"/></w:trPr>'
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (sprm(0x5400, 1), '<w:jc w:val="center"/>'), (sprm(0x548A, 2), '<w:jc w:val="right"/>'), (sprm(0x560B, 1), "<w:bidiVisual/>"),
        (sprm(0xF614, struct.pack("<Bh", 2, 2500)), '<w:tblW w:w="2500" w:type="pct"/>'), (sprm(0x9602, 108), '<w:tblInd w:w="108" w:type="dxa"/>'),
        (sprm(0xF614, struct.pack("<Bh", 3, 2500)), '<w:tblW w:w="2500" w:type="dxa"/>'), (b"", '<w:tblW w:w="0" w:type="auto"/>'),
        (b"", '<w:tblLayout w:type="fixed"/>'), (b"", '<w:gridCol w:w="1000"/><w:gridCol w:w="1000"/><w:gridCol w:w="1000"/>'),
        (sprm(0xD605, OLD_LINE * 6), '<w:insideV w:val="single" w:sz="8" w:space="0" w:color="FF0000"/></w:tblBorders>'),
        (sprm(0xD613, LINE * 6), '<w:tblBorders><w:top w:val="single" w:sz="8" w:space="0" w:color="FF0000"/>'),
    ],
)  # fmt: skip
def test_a_table_says_what_its_first_row_says(more: bytes, said: str) -> None:
    assert said in tables.head(_row(more), list(EDGES), "")


def test_a_table_of_a_style_that_fits_itself() -> None:
    said = tables.head(_row(sprm(0x3615, 1)), list(EDGES), "a1")
    assert said.startswith('<w:tblPr><w:tblStyle w:val="a1"/>')
    assert "tblLayout" not in said
    assert tables.style({0xD605: OLD_LINE * 6}).count("<w:") == 7
    assert tables.style({0xD605: OLD_LINE}) == ""


@pytest.mark.parametrize(
    ("across", "down", "said"),
    [
        (-4, -12, 'w:tblpXSpec="center" w:tblpYSpec="bottom"'), (-8, -4, 'w:tblpXSpec="right" w:tblpYSpec="top"'), (300, -20, 'w:tblpX="300" w:tblpYSpec="outside"'),
        (-16, 500, 'w:tblpXSpec="outside" w:tblpY="500"'), (-12, -8, 'w:tblpXSpec="inside" w:tblpYSpec="center"'), (7, -16, 'w:tblpX="7" w:tblpYSpec="inside"'),
    ],
)  # fmt: skip
def test_a_table_floats_where_it_is_told(across: int, down: int, said: str) -> None:
    place = sprm(0x360D, 1 << 4 | 2 << 6) + sprm(0x940E, across) + sprm(0x940F, down) + sprm(0x9410, 142) + sprm(0x941E, -5)
    assert tables.head(_row(place), list(EDGES), "").startswith(
        f'<w:tblPr><w:tblpPr w:leftFromText="142" w:rightFromText="0" w:vertAnchor="page" w:horzAnchor="page" {said}/>'
    )
