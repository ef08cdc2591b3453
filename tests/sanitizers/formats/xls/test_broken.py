"""Broken, locked and too large workbooks: refused with a reason; what is locked opens with its password."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import openpyxl
import pytest

from sanitizers.formats import xls
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Reason, Refused, Unsupported, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import xls as opinion
from tests.build import xls as build
from tests.build.cfb import compound
from tests.build.context import run, sanitize
from tests.build.xls import record, sheet


def _stream(data: bytes) -> bytes:
    return compound({"Workbook": data})


def _cut(at: int) -> Callable[[], bytes]:
    return lambda: _stream(build.stream()[:at])


BROKEN: dict[str, tuple[Callable[[], bytes], Reason]] = {
    "no stream": (lambda: compound({"Workbook": b""}), Reason.MALFORMED),
    "rubbish": (lambda: _stream(bytes(range(256))), Reason.MALFORMED),
    "cut in a record": (_cut(-3), Reason.MALFORMED),
    "no end of the last sheet": (_cut(-4), Reason.MALFORMED),
    "cut in the globals": (_cut(300), Reason.MALFORMED),
    "Excel 4": (lambda: _stream(build.stream().replace(build.begin(build.GLOBALS), build.begin(build.GLOBALS, 0x0400))), Reason.UNSUPPORTED_KIND),
    "a sheet at the end": (lambda: _stream(build.stream()[:-4] + b"" + build.stream()[-4:-2]), Reason.MALFORMED),
    "a text that does not exist": (lambda: build.workbook(sheet(build.label(3, 3, 99))), Reason.MALFORMED),
    "a cell that is too short": (lambda: build.workbook(sheet(record(0x0203, b"\0\0"))), Reason.MALFORMED),
    "a formula that is too short": (lambda: build.workbook(sheet(record(0x0006, bytes(10)))), Reason.MALFORMED),
    "texts that are cut off": (lambda: _stream(build.stream(table=record(0xFC, struct.pack("<IIHB", 1, 1, 90, 1) + b"a\0"))), Reason.MALFORMED),
    "a name that is cut off": (lambda: build.workbook(before=(record(0x18, struct.pack("<HBBHHH4x", 0, 0, 90, 0, 0, 0)),)), Reason.MALFORMED),
    "no sheet": (lambda: build.workbook(build.Sheet("m", kind=1, inside=build.MACRO)), Reason.UNSUPPORTED_KIND),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_workbooks_are_refused(case: str) -> None:
    make, reason = BROKEN[case]
    outcome = run(make(), "x.xls")
    assert outcome.content is None
    assert outcome.report.reason is reason, outcome.report.findings


@pytest.mark.parametrize(("data", "refusal"), [(build.stream(), Unsupported), (compound({"Other": b"x"}), Malformed)], ids=["Excel 4", "another document"])
def test_what_is_no_workbook_inside_is_refused(data: bytes, refusal: type[Refused]) -> None:
    """Whatever it was taken for."""
    with pytest.raises(refusal):
        sanitize(xls.SANITIZER, data, Kind.XLS)


def test_two_sheets_in_one_place_are_refused() -> None:
    """The second reading could be the thousandth."""
    given = build.stream(sheet(), build.Sheet("b"))
    first, second = (at for at in range(len(given)) if given[at : at + 2] == b"\x85\0" and given[at + 3 : at + 4] == b"\0")
    made = given[: second + 4] + given[first + 4 : first + 8] + given[second + 8 :]
    assert run(_stream(made), "x.xls").report.reason is Reason.MALFORMED


@pytest.mark.parametrize("length", range(40, 400, 17))
def test_every_cut_is_refused(length: int) -> None:
    """Never a crash, whatever is missing."""
    outcome = run(_stream(build.stream()[:length]), "x.xls")
    assert outcome.content is None
    assert outcome.report.reason in (Reason.MALFORMED, Reason.UNSUPPORTED_KIND)


@pytest.mark.parametrize("at", range(0, 700, 3))
def test_every_flipped_byte_ends_well(at: int) -> None:
    """Delivered or refused; anything else is raised."""
    data = bytearray(build.stream(sheet(build.formula(1, 0, b"\x24\0\0\0\xc0\x1e\x02\0\x05"))))
    data[at % len(data)] ^= 0xFF
    outcome = run(_stream(bytes(data)), "x.xls")
    assert (outcome.content is None) == (outcome.report.reason is not None)


def test_references_that_are_cut_off_lead_nowhere() -> None:
    """Found by fuzzing."""
    given = build.workbook(sheet(build.formula(1, 0, b"\x3a" + bytes(6))), before=(build.INSIDE, record(0x17, struct.pack("<HHH", 9, 0, 0))))
    outcome = run(given, "x.xls")
    assert [finding.code for finding in outcome.report.findings] == ["xls.formula"]


def test_cells_are_counted() -> None:
    blanks = record(0x00BE, struct.pack("<HH", 5, 0) + b"\x0f\0" * 200 + struct.pack("<H", 199))
    with pytest.raises(LimitExceeded):
        run(build.workbook(sheet(blanks)), "x.xls", limits=Limits(cells=100))


def test_the_second_opinion_counts_sheets_and_cells() -> None:
    source = Source(build.workbook(sheet()))
    whole = {"xl/worksheets/sheet1.xml": b'<c r="A1"/><c r="B1"/>'}
    opinion.compare(whole, source)
    for parts in ({}, {"xl/worksheets/sheet1.xml": b'<c r="A1"/>'}, {**whole, "xl/worksheets/sheet2.xml": b""}):
        with pytest.raises(VerificationFailed):
            opinion.compare(parts, source)


@pytest.mark.parametrize("crypto_api", [False, True])
def test_it_needs_its_password(crypto_api: bool) -> None:
    given = _stream(build.rc4(build.stream(), "春", crypto_api=crypto_api))
    assert run(given, "x.xls").report.reason is Reason.ENCRYPTED
    assert run(given, "x.xls", passwords=("夏",)).report.reason is Reason.ENCRYPTED
    outcome = run(given, "x.xls", passwords=("夏", "春"))
    assert outcome.content is not None, outcome.report.findings
    assert {finding.code for finding in outcome.report.findings} == {"file.decrypted"}
    assert openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]["A1"].value == "本文"


def test_the_password_that_excel_uses_unasked() -> None:
    outcome = run(_stream(build.rc4(build.stream(), "VelvetSweatshop")), "x.xls")
    assert outcome.content is not None


@pytest.mark.parametrize("said", [b"", b"\1\0", b"\1\0\1\0\1\0", b"\1\0\2\0\2\0" + bytes(40), b"\1\0\3\0\2\0" + b"\xff" * 60, b"\0\0\1\0\2\0"])
def test_broken_encryption_is_held(said: bytes) -> None:
    given = build.stream()
    locked = given[:20] + record(0x2F, said) + given[20:]
    assert run(_stream(locked), "x.xls", passwords=("a",)).report.reason in (Reason.MALFORMED, Reason.ENCRYPTED)
