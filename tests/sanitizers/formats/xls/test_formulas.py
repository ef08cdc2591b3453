"""Formulas token by token: what is written in full, and what goes while its last value stays."""

from __future__ import annotations

import io
import struct
from typing import Any

import openpyxl
import pytest

from sanitizers.model import LimitExceeded, Limits
from tests.build import xls as build
from tests.build.context import run
from tests.build.xls import INSIDE, formula, record, references, sheet, text

ADD_INS = record(0x01AE, b"\1\0\1\x3a")
FUNCTION = b"\x42"
A1, B2 = b"\x24" + struct.pack("<HH", 0, 0xC000), b"\x24" + struct.pack("<HH", 1, 0xC001)


def _opened(given: bytes, *codes: str) -> Any:
    outcome = run(given, "様式.xls")
    assert outcome.content is not None, outcome.report.findings
    assert tuple(finding.code for finding in outcome.report.findings) == codes
    return openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()))


def _integer(value: int) -> bytes:
    return b"\x1e" + struct.pack("<H", value)


def _call(count: int, number: int) -> bytes:
    return FUNCTION + struct.pack("<BH", count, number)


def _named(called: str) -> tuple[bytes, bytes, bytes]:
    """A younger function, which stands as a name."""
    return INSIDE, references((0, 0, 0)), build.name(called, b"", flags=0x0E)


CHOICE = _integer(1) + b"\x19\x04" + struct.pack("<4H", 2, 6, 12, 15) + _integer(2) + b"\x19\x08\7\0" + _integer(3) + b"\x19\x08\3\0" + _call(3, 100)
AREAS = b"\x26" + bytes(6) + A1 + B2 + b"\x10\x15" + _call(1, 4) + b"\x60" + bytes(7) + b"\x08"
LISTED = struct.pack("<H4H", 1, 0, 0, 0, 0) + struct.pack("<BH", 0, 2) + b"\x02" + text("三") + b"\x10\x2a" + bytes(7) + b"\x00" + bytes(8)
WRITTEN: dict[str, tuple[bytes, bytes, tuple[bytes, ...], str]] = {
    "a choice with its table of jumps": (CHOICE, b"", (), "=CHOOSE(1,2,3)"),
    "the sum of one area": (b"\x25" + struct.pack("<HHHH", 0, 2, 0xC000, 0xC000) + b"\x19\x10\0\0", b"", (), "=SUM(A1:A3)"),
    "an error": (b"\x1c\x2a", b"", (), "=#N/A"),
    "an error that nobody knows": (b"\x1c\x63", b"", (), "=#VALUE!"),
    "whole rows": (b"\x25" + struct.pack("<HHHH", 1, 2, 0, 0x80FF), b"", (), "=$2:3"),
    "a place that is gone": (b"\x2a" + bytes(4), b"", (), "=#REF!"),
    "an area of a sheet that is gone": (b"\x3d" + bytes(10), b"", (), "=#REF!"),
    "areas whose list stands behind, and constants behind it": (AREAS, LISTED, (), '=SUM((A1,B2))&{"三";#N/A;""}'),
    "a hint on what follows": (b"\x27" + bytes(6) + b"\x29\x05\0" + A1, b"", (), "=A1"),
    "a sheet that is gone": (b"\x3a" + struct.pack("<HHH", 0, 0, 0), b"", (INSIDE, references((0, 0xFFFF, 0xFFFF))), "=#REF!$A$1"),
    "a name of this workbook as of another one": (
        b"\x39" + struct.pack("<HI", 0, 1), b"", (INSIDE, references((0, 0xFFFE, 0xFFFE)), build.name("税率", _integer(8))), "=税率"),
    "a function of 2007": (b"\x23\1\0\0\0" + A1 + _integer(0) + _call(3, 255), b"", _named("_xlfn.IFERROR"), "=IFERROR(A1,0)"),
    "a younger function": (b"\x23\1\0\0\0" + A1 + _call(2, 255), b"", _named("_xlfn.DAYS"), "=_xlfn.DAYS(A1)"),
    "a place that moves": (b"\x4c" + struct.pack("<HH", 1, 0xC001), b"", (), "=B6"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN)
def test_a_formula_is_written_in_full(case: str) -> None:
    """Twice in one column, as they are filled down."""
    tokens, extra, before, wanted = WRITTEN[case]
    made = _opened(build.workbook(sheet(formula(4, 0, tokens, extra=extra), formula(7, 0, tokens, extra=extra)), before=before)).worksheets[0]
    assert (made["A5"].value, made["A8"].value) == (wanted, wanted.replace("B6", "B9"))


LONG = b"\x17\xff\1" + "長".encode("utf-16-le") * 255
LOST: dict[str, tuple[bytes, bytes, tuple[bytes, ...], str]] = {
    "a name that does not exist": (b"\x23\x09\0\0\0", b"", (), "xls.formula"),
    "a reference that does not exist": (b"\x3a" + struct.pack("<HHH", 9, 0, 0), b"", (), "xls.formula"),
    "a workbook that does not exist": (b"\x3a" + struct.pack("<HHH", 0, 0, 0), b"", (references((5, 0, 0)),), "xls.formula"),
    "a sheet that does not exist": (b"\x3a" + struct.pack("<HHH", 0, 0, 0), b"", (INSIDE, references((0, 0, 5))), "xls.formula"),
    "sheets in the wrong order": (b"\x3a" + struct.pack("<HHH", 0, 0, 0), b"", (INSIDE, references((0, 1, 0))), "xls.formula"),
    "a name of a reference that does not exist": (b"\x39" + struct.pack("<HI", 9, 1), b"", (), "xls.external_link"),
    "a name of a workbook that does not exist": (b"\x39" + struct.pack("<HI", 0, 1), b"", (references((5, 0, 0)),), "xls.formula"),
    "an add-in's name that does not exist": (b"\x39" + struct.pack("<HI", 0, 7), b"", (ADD_INS, references((0, 0, 0))), "xls.formula"),
    "a place of an add-in": (b"\x3a" + struct.pack("<HHH", 0, 0, 0), b"", (ADD_INS, references((0, 0, 0))), "xls.formula"),
    "two values": (A1 + B2, b"", (), "xls.formula"),
    "no value": (b"\x27" + bytes(6), b"", (), "xls.formula"),
    "an operator without values": (A1 + b"\x03", b"", (), "xls.formula"),
    "a text that is too long": (LONG + (LONG + b"\x08") * 33, b"", (), "xls.formula"),
    "a function that does not exist": (b"\x41\xff\x0f", b"", (), "xls.formula"),
    "a function of arguments that does not exist": (A1 + _call(1, 0x0FFF), b"", (), "xls.formula"),
    "a function that is not there to be called": (_call(0, 255), b"", (), "xls.formula"),
    "a function by a name that is not there": (A1 + _call(2, 255), b"", (), "xls.formula"),
    "fewer arguments than said": (A1 + _call(5, 4), b"", (), "xls.formula"),
    "an array that is too large": (b"\x60" + bytes(7), b"\xff\xff\x00", (), "xls.formula"),
    "an array that is not there": (b"\x60" + bytes(7), b"", (), "xls.formula"),
    "an array of one value that is not there": (b"\x60" + bytes(7), b"\0\0\0", (), "xls.formula"),
    "areas whose list is not there": (b"\x26" + bytes(6) + A1, b"", (), "xls.formula"),
    "no number": (b"\x1f" + struct.pack("<d", float("nan")), b"", (), "xls.formula"),
    "an endless number": (b"\x1f" + struct.pack("<d", float("inf")), b"", (), "xls.formula"),
    "a token that is cut off": (b"\x24\0", b"", (), "xls.formula"),
    "a shared formula that is not there": (b"\x01" + struct.pack("<HH", 9, 9), b"", (), "xls.formula"),
    "a table of what-if values": (b"\x02" + struct.pack("<HH", 9, 9), b"", (), "xls.formula"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOST)
def test_a_formula_is_lost_and_said(case: str) -> None:
    tokens, extra, before, code = LOST[case]
    made = _opened(build.workbook(sheet(formula(4, 0, tokens, extra=extra)), before=before), code).worksheets[0]
    assert made["A5"].value == 42


@pytest.mark.parametrize("again", [3, 5])
def test_a_formula_that_is_lost_all_the_way_down(again: int) -> None:
    """Each is said where it stands."""
    unknown = b"\x41\xff\x0f"
    made = _opened(build.workbook(sheet(*(formula(row, 0, unknown) for row in range(1, again + 1)))), *["xls.formula"] * again).worksheets[0]
    assert [cell.value for (cell,) in made["A2:A4"]] == [42] * 3


def test_after_a_hundred_places_the_sheet_is_said_alone() -> None:
    outcome = run(build.workbook(sheet(*(formula(row, 0, b"\x18") for row in range(1, 104)))), "x.xls")
    places = [finding.where for finding in outcome.report.findings]
    assert places.count("表1!A2") == 1
    assert places[-1] == "表1"


def test_a_formula_of_many_cells_counts_for_each_of_them() -> None:
    """It is read anew for each; few bytes would take hours."""
    tokens = A1 + b"\x19\x40\0\0" * 700
    shared = record(0x04BC, struct.pack("<HHBBBBH", 2, 300, 1, 1, 0, 99, len(tokens)) + tokens)
    follow = b"\x01" + struct.pack("<HH", 2, 1)
    given = build.workbook(sheet(formula(2, 1, follow) + shared, *(formula(row, 1, follow) for row in range(3, 300))))
    assert run(given, "x.xls").content is not None
    with pytest.raises(LimitExceeded):
        run(given, "x.xls", limits=Limits(expanded_bytes=600_000, expansion_floor=600_000))


AREA = b"\x3b" + struct.pack("<HHHHH", 0, 0, 8, 0, 2)
NAMES: dict[str, tuple[bytes, str]] = {
    "like a place": (build.name("AB12", AREA), "xls.formula"),
    "like a place in the other way of writing": (build.name("R1C1", AREA), "xls.formula"),
    "no word": (build.name("a b", AREA), "xls.formula"),
    "of a sheet that does not exist": (build.name("範囲", AREA, scope=9), "xls.macro_name"),
    "what is printed, on a sheet that is gone": (build.name("", b"\x3d" + bytes(10), built_in=6, scope=1), "xls.formula"),
    "of a formula that is broken": (build.name("範囲", b"\x3b\0"), "xls.formula"),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMES)
def test_a_name_is_lost_and_said(case: str) -> None:
    defined, code = NAMES[case]
    book = _opened(build.workbook(before=(INSIDE, references((0, 0, 0)), defined)), code)
    assert (dict(book.defined_names), dict(book.worksheets[0].defined_names)) == ({}, {})


@pytest.mark.parametrize("state", [0, 1])
def test_a_name_that_is_defined_twice(state: int) -> None:
    """The first one counts; readers take a second one for damage."""
    before = (INSIDE, references((0, 0, 0)), build.name("税率", _integer(8), flags=state), build.name("税率", _integer(10)))
    book = _opened(build.workbook(before=before))
    assert (book.defined_names["税率"].attr_text, bool(book.defined_names["税率"].hidden)) == ("8", bool(state))


def test_cells_that_no_sheet_has() -> None:
    """Right of IV, whatever their kind; they are counted nowhere."""
    wide = 300
    records = (record(0x0204, struct.pack("<HHH", 3, wide, 15) + text("外")), record(0x0205, struct.pack("<HHHBB", 3, wide, 15, 1, 0)),
               formula(3, wide, A1), formula(3, wide, b"\x01" + struct.pack("<HH", 3, 3)), record(0x0204, struct.pack("<HHH", 3, 0, 15) + text("内")))  # fmt: skip
    made = _opened(build.workbook(sheet(*records))).worksheets[0]
    assert [(cell.coordinate, cell.value) for row in made["A2:E9"] for cell in row if cell.value is not None] == [("A4", "内")]


def test_values_that_no_cell_can_show() -> None:
    records = (build.number(3, 0, float("nan")), record(0x0205, struct.pack("<HHHBB", 3, 1, 15, 0x2A, 1)), record(0x0205, struct.pack("<HHHBB", 3, 2, 15, 0x63, 1)))
    made = _opened(build.workbook(sheet(*records))).worksheets[0]
    assert [made.cell(4, col).value for col in (1, 2, 3)] == ["#NUM!", "#N/A", "#VALUE!"]


@pytest.mark.parametrize(
    ("last", "wanted"), [(b"\1\0\1\0\0\0\xff\xff", True), (b"\2\0\x07\0\0\0\xff\xff", "#DIV/0!"), (b"\3\0\0\0\0\0\xff\xff", None), (b"\0\0\0\0\0\0\xff\xff", "文字")]
)
def test_what_a_formula_last_had(last: bytes, wanted: object) -> None:
    """A truth, an error, an empty text, a text in the record behind it."""
    told = formula(3, 0, A1, struct.unpack("<d", last)[0]) + record(0x0207, text("文字"))
    outcome = run(build.workbook(sheet(told)), "x.xls")
    assert outcome.content is not None
    shown, said = (openpyxl.load_workbook(io.BytesIO(outcome.content.bytes()), data_only=only).worksheets[0]["A4"].value for only in (True, False))
    assert (shown, said) == (wanted, "=A1")


def test_labels_that_stand_in_their_cell() -> None:
    """One text for both; an empty one leaves the cell alone."""
    labels = [record(0x0204, struct.pack("<HHH", 3, col, 15) + text(said)) for col, said in enumerate(("髙橋", "髙橋", ""))]
    made = _opened(build.workbook(sheet(*labels))).worksheets[0]
    assert [made.cell(4, col).value for col in (1, 2, 3)] == ["髙橋", "髙橋", None]
