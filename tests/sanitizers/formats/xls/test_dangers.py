"""What must be gone (L01, L03 to L06 and every removal of the module), seen by zipfile, olevba and openpyxl; values stay; twice is once."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import openpyxl
import pytest
from oletools.olevba import VBA_Parser

from sanitizers.model import Action, Kind, Verdict
from tests.build import xls as build
from tests.build.context import run
from tests.build.xls import BESIDE, CANARY, INSIDE, MACRO, Sheet, formula, record, references, sheet, text

EVIL = f"http://192.0.2.1/{CANARY}"
REF3D = b"\x3a" + struct.pack("<HHH", 0, 0, 0)         # A1 of the first entry in the table of references
CALL = b"\x17" + text(CANARY, "B") + b"\x42\x01" + struct.pack("<H", 150)          # CALL(text)
CANARIES = (CANARY.encode(), CANARY.encode("utf-16-le"), b"192.0.2.1", b"\xd0\xcf\x11\xe0")


def _hlink(target: str, *, file: bool = False) -> bytes:
    head = struct.pack("<HHHH", 0, 0, 0, 0) + bytes.fromhex("d0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<I", 2)
    if file:
        name = target.encode() + b"\0"
        moniker = bytes.fromhex("0303000000000000c000000000000046") + struct.pack("<HI", 0, len(name)) + name
    else:
        name = (target + "\0").encode("utf-16-le")
        moniker = bytes.fromhex("e0c9ea79f9bace118c8200aa004ba90b") + struct.pack("<I", len(name)) + name
    return record(0x01B8, head + struct.pack("<I", 3) + moniker)


def _object(kind: int, extra: bytes = b"") -> bytes:
    return record(0x005D, struct.pack("<HHHHH12x", 0x15, 18, kind, 1, 0x6011) + extra + struct.pack("<HH", 0, 0))


def _validation(tokens: bytes) -> bytes:
    nothing = text("\0")
    body = struct.pack("<I", 7) + nothing * 4 + struct.pack("<HH", len(tokens), 0) + tokens + struct.pack("<HHHHHHH", 0, 0, 1, 0, 0, 0, 0)
    return record(0x01BE, body)


def _condition(tokens: bytes) -> bytes:
    area = struct.pack("<HHHH", 0, 0, 0, 0)
    look = struct.pack("<IH", 0, 0)
    rule = struct.pack("<BBHH", 2, 0, len(tokens), 0) + look + tokens
    return record(0x01B0, struct.pack("<HH", 1, 0) + area + struct.pack("<H", 1) + area) + record(0x01B1, rule)


def _sheets(*records: bytes, before: tuple[bytes, ...] = ()) -> bytes:
    return build.workbook(sheet(*records), before=before)


def _external(tokens: bytes, support: bytes = BESIDE) -> bytes:
    return _sheets(formula(1, 0, tokens), before=(support, references((0, 0, 0))))


def _macro_sheet() -> Sheet:
    return Sheet("マクロ", formula(0, 0, CALL), kind=1, inside=MACRO, state=1)


DDE = record(0x01AE, struct.pack("<H", 0) + text(f"cmd\x03/c {CANARY}"))
NAMED = record(0x0023, struct.pack("<HI", 0, 0) + text(CANARY, "B"))
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "L01 VBA": (lambda: build.workbook(streams={"_VBA_PROJECT_CUR/VBA/dir": CANARY.encode() * 9}), "xls.macro"),
    "L01 mark of VBA": (lambda: build.workbook(before=(record(0x00D3, CANARY.encode()),)), "xls.macro"),
    "L03 macro sheet": (lambda: build.workbook(sheet(), _macro_sheet()), "xls.macro_sheet"),
    "L03 dialog sheet": (lambda: build.workbook(sheet(), Sheet(CANARY, kind=1)), "xls.macro_sheet"),
    "L03 VBA module": (lambda: build.workbook(sheet(), Sheet(CANARY, kind=6, inside=6)), "xls.macro_sheet"),
    "L03 Auto_Open": (lambda: _sheets(before=(INSIDE, references((0, 0, 0)), build.name("", REF3D, built_in=1))), "xls.macro_name"),
    "L03 Auto_Open as a word": (lambda: _sheets(before=(INSIDE, references((0, 0, 0)), build.name("auto_open_x" + CANARY[:6], REF3D))), "xls.macro_name"),
    "L03 name of a macro": (lambda: _sheets(before=(INSIDE, references((0, 0, 0)), build.name(CANARY.replace("-", "_"), REF3D, flags=0x0E))), "xls.macro_name"),
    "L03 formula into the macro sheet": (
        lambda: build.workbook(sheet(formula(1, 0, REF3D)), _macro_sheet(), before=(INSIDE, references((0, 1, 1)))), "xls.macro_link"),
    "L04 OLE object": (lambda: build.workbook(streams={"MBD0001/\x01Ole10Native": CANARY.encode()}), "xls.object"),
    "L04 object of a sheet": (lambda: _sheets(_object(8, struct.pack("<HH", 9, 12) + CANARY[:12].encode())), "xls.object"),
    "L04 control": (lambda: _sheets(_object(7), record(0x0862, CANARY.encode() + bytes(10))), "xls.object"),
    "L04 shape that nobody draws": (lambda: _sheets(_object(0), record(0x00EC, CANARY.encode())), "xls.drawing"),
    "L06 template and author": (lambda: build.workbook(streams={"\x05SummaryInformation": build.properties(SUMMARY, {4: CANARY, 7: EVIL})}), "file.metadata"),
    "L06 user-defined": (lambda: build.workbook(streams={"\x05DocumentSummaryInformation": build.properties(USER, {2: CANARY}, {2: "会社"})}), "file.metadata"),
    "external reference": (lambda: _external(REF3D), "xls.external_link"),
    "external name": (lambda: _sheets(formula(1, 0, b"\x39" + struct.pack("<HI", 0, 1)), before=(BESIDE, NAMED, references((0, 0xFFFE, 0xFFFE)))), "xls.external_link"),
    "DDE": (lambda: _sheets(formula(1, 0, b"\x39" + struct.pack("<HI", 0, 1)), before=(DDE, NAMED, references((0, 0xFFFE, 0xFFFE)))), "xls.dde"),
    "defined name outside": (lambda: _sheets(before=(BESIDE, references((0, 0, 0)), build.name("n", REF3D))), "xls.external_link"),
    "CALL": (lambda: _sheets(formula(1, 0, CALL)), "xls.formula"),
    "RTD": (lambda: _sheets(formula(1, 0, CALL[:-2] + struct.pack("<H", 379))), "xls.formula"),
    "function of an add-in": (
        lambda: _sheets(formula(1, 0, b"\x39" + struct.pack("<HI", 0, 1) + b"\x42\x01\xff\0"),
                        before=(record(0x01AE, b"\1\0\1\x3a"), record(0x0023, struct.pack("<HI", 0, 0) + text(CANARY, "B")), references((0, 0xFFFE, 0xFFFE)))),
        "xls.formula"),
    "unknown token": (lambda: _sheets(formula(1, 0, b"\x18" + CANARY.encode())), "xls.formula"),
    "HYPERLINK": (lambda: _sheets(formula(1, 0, b"\x17" + text(f"file:///{CANARY}", "B") + b"\x42\x01\x67\x01")), "xls.hyperlink"),
    "hyperlink to a file": (lambda: _sheets(_hlink(f"c:\\{CANARY}.exe", file=True)), "xls.hyperlink"),
    "hyperlink of a bad scheme": (lambda: _sheets(_hlink(f"javascript:{CANARY}")), "xls.hyperlink"),
    "web query": (lambda: _sheets(record(0x01AD, struct.pack("<HHHI", 0, 0, 0, 0) + text(CANARY))), "xls.connection"),
    "connection": (lambda: _sheets(record(0x0876, CANARY.encode())), "xls.connection"),
    "chart sheet": (lambda: build.workbook(sheet(), Sheet(CANARY, kind=2, inside=build.CHART)), "xls.chart"),
    "chart": (lambda: _sheets(build.begin(build.CHART) + record(0x1002, CANARY.encode()) + build.END), "xls.chart"),
    "validation": (lambda: _sheets(_validation(REF3D), before=(BESIDE, references((0, 0, 0)))), "xls.external_link"),
    "conditional format": (lambda: _sheets(_condition(REF3D), before=(BESIDE, references((0, 0, 0)))), "xls.external_link"),
    "source of a pivot table": (lambda: build.workbook(streams={"_SX_DB_CUR/0001": CANARY.encode()}), "xls.pivot"),
    "unknown stream": (lambda: build.workbook(streams={"Any": CANARY.encode()}), "xls.unknown_stream"),
}  # fmt: skip
SUMMARY = "e0859ff2f94f6810ab9108002b27b3d9"
USER = "05d5cdd59c2e1b10939708002b2cf9ae"
# What nobody sees is not worth a word, but it must not cross.
HIDDEN: dict[str, Callable[[], bytes]] = {
    "L05 slack": lambda: build.workbook(slack=CANARY.encode()),
    "L05 behind the file": lambda: build.workbook(tail=CANARY.encode() * 50),
    "a record that nobody knows": lambda: _sheets(record(0x7FFF, CANARY.encode())),
    "a record of the workbook": lambda: build.workbook(before=(record(0x005C, CANARY.encode()),)),
    "a text that no cell shows": lambda: build.cfb.compound({"Workbook": build.stream(texts=(*build.TEXTS, CANARY))}),
    "behind the last sheet": lambda: build.cfb.compound({"Workbook": build.stream() + record(0x0204, CANARY.encode())}),
    "a record that is too long": lambda: _sheets(record(0x0203, struct.pack("<HHHd", 3, 3, 15, 1.0) + CANARY.encode())),
    "printer": lambda: _sheets(record(0x004D, CANARY.encode())),
}


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _made(given: bytes) -> tuple[bytes, set[str]]:
    outcome = run(given, "様式.xls")
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.XLSX, "様式.xlsx")
    return outcome.content.bytes(), {finding.code for finding in outcome.report.findings if finding.action is not Action.KEPT}


@pytest.mark.parametrize("case", CASES)
def test_is_gone_and_said(case: str) -> None:
    make, code = CASES[case]
    content, codes = _made(make())
    assert code in codes
    _assert_clean(content)


@pytest.mark.parametrize("case", HIDDEN)
def test_what_nobody_sees_does_not_cross(case: str) -> None:
    given = HIDDEN[case]()
    assert CANARY.encode() in given or CANARY.encode("utf-16-le") in given
    content, codes = _made(given)
    assert codes == set()
    _assert_clean(content)


def _assert_clean(content: bytes) -> None:
    everything = b"".join(name.encode() + part for name, part in _parts(content).items())
    assert not any(canary in everything for canary in CANARIES)
    parser = VBA_Parser("x.xlsx", data=content)
    assert not parser.detect_vba_macros()
    parser.close()
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.worksheets[0]["A1"].value == "本文"
    assert book.worksheets[0]["B1"].value == 12.5


@pytest.mark.parametrize("case", CASES)
def test_twice_is_once(case: str) -> None:
    content, _ = _made(CASES[case][0]())
    again = run(content, "様式.xlsx")
    assert again.report.verdict is Verdict.CLEAN, again.report.findings


@pytest.mark.parametrize("case", ["L03 formula into the macro sheet", "external reference", "DDE", "CALL", "unknown token", "HYPERLINK"])
def test_the_last_value_stays(case: str) -> None:
    content, _ = _made(CASES[case][0]())
    for data_only in (True, False):
        assert openpyxl.load_workbook(io.BytesIO(content), data_only=data_only).worksheets[0]["A2"].value == 42


def test_a_name_that_is_made_of_a_bad_one_goes_too() -> None:
    before = (BESIDE, references((0, 0, 0)), build.name("b", b"\x23" + struct.pack("<I", 2)), build.name("a", REF3D), build.name("c", b"\x1e\x07\0"))
    content, codes = _made(_sheets(formula(1, 0, b"\x23" + struct.pack("<I", 1)), formula(2, 0, b"\x23" + struct.pack("<I", 3)), before=before))
    assert codes == {"xls.external_link"}
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert dict(book.defined_names).keys() == {"c"}
    assert [book.worksheets[0][at].value for at in ("A2", "A3")] == [42, "=c"]


def test_a_sheet_that_is_a_macro_sheet_inside_is_refused() -> None:
    """The table of sheets says worksheet, the sheet itself says macros."""
    outcome = run(build.workbook(sheet(), Sheet("m", formula(0, 0, CALL), inside=MACRO)), "x.xls")
    assert outcome.report.reason == "malformed"


def test_only_macro_sheets_are_held() -> None:
    assert run(build.workbook(_macro_sheet()), "x.xls").report.reason == "unsupported_kind"


def test_comments_go_where_policy_says_so() -> None:
    note = _object(25) + record(0x01B6, struct.pack("<HHHHHHHI", 0, 0, 0, 0, 0, 2, 0, 0)) + record(0x003C, b"\1" + "意見".encode("utf-16-le"))
    given = _sheets(note, record(0x001C, struct.pack("<HHHH", 0, 0, 0, 1) + text("田中")))
    kept = run(given, "x.xls")
    assert kept.content is not None, kept.report.findings
    comment = openpyxl.load_workbook(io.BytesIO(kept.content.bytes())).worksheets[0]["A1"].comment
    assert comment is not None
    assert (comment.text, comment.author) == ("意見", "田中")
    outcome = run(given, "x.xls", comments_kept=False)
    assert outcome.content is not None
    assert [finding.code for finding in outcome.report.findings] == ["xls.comments"]
    assert not any("comment" in name or "vml" in name for name in _parts(outcome.content.bytes()))
