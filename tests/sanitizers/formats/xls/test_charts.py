"""Charts are drawn anew from their series; what leads out of the workbook, or is of another kind, stays behind."""

from __future__ import annotations

import io
import struct
import zipfile

import openpyxl
import pytest

from sanitizers.context import Outcome
from tests.build import xls as build
from tests.build.context import run
from tests.build.xls import BESIDE, CANARY, INSIDE, record, references, sheet, text

BEGIN, STOP = record(0x1033), record(0x1034)
AREA = b"\x3b" + struct.pack("<HHHHH", 0, 0, 4, 1, 1)       # B1:B5 of the first entry of references
PLACE = b"\x3a" + struct.pack("<HHH", 0, 0, 0)
BAR, LINE, PIE, FILLED, SCATTER, RADAR = 0x1017, 0x1018, 0x1019, 0x101A, 0x101B, 0x103E


def node(kind: int, content: bytes, version: int = 0, instance: int = 0) -> bytes:
    return struct.pack("<HHI", instance << 4 | version, kind, len(content)) + content


def frame() -> bytes:
    """The shape and the object of a chart."""
    shape = node(0xF00A, struct.pack("<II", 1025, 0xA00), 2, 201) + node(0xF010, struct.pack("<9H", 0, 1, 0, 1, 0, 5, 0, 9, 0)) + node(0xF011, b"")
    drawing = node(0xF002, node(0xF003, node(0xF004, shape, 15), 15), 15)
    return record(0xEC, drawing) + record(0x5D, struct.pack("<HHHHH12x", 0x15, 18, 5, 1, 0) + bytes(4))


def refers(which: int, tokens: bytes) -> bytes:
    return record(0x1051, struct.pack("<BBHHH", which, 2 if tokens else 1, 0, 0, len(tokens)) + tokens)


def said(words: str) -> bytes:
    return record(0x100D, b"\0\0" + text(words, "B"))


def series(*inside: bytes, group: int = 0) -> bytes:
    return record(0x1003, bytes(12)) + BEGIN + b"".join(inside) + record(0x1045, struct.pack("<H", group)) + STOP


def look(fill: str = "123456", *, automatic: bool = False, point: int = 0xFFFF) -> bytes:
    flags = int(automatic)
    areas = record(0x100A, bytes.fromhex(fill) + bytes(1) + struct.pack("<IHHHH", 0, 1, flags, 0, 0))
    lines = record(0x1007, bytes.fromhex(fill) + bytes(1) + struct.pack("<HhHH", 0, 0, flags, 0))
    return record(0x1006, struct.pack("<HHHH", point, 0, 0, 0)) + BEGIN + lines + areas + STOP


def group(kind: int, content: bytes, order: int = 0) -> bytes:
    return record(0x1014, bytes(16) + struct.pack("<HH", 0, order)) + BEGIN + record(kind, content) + STOP


def title(words: str, what: int) -> bytes:
    return record(0x1025, bytes(32)) + BEGIN + refers(0, b"") + said(words) + record(0x1027, struct.pack("<HHH", what, 0, 0)) + STOP


def chart(*inside: bytes) -> bytes:
    return build.begin(build.CHART) + record(0x1002, bytes(16)) + BEGIN + b"".join(inside) + STOP + build.END


def book(*inside: bytes, before: tuple[bytes, ...] = (INSIDE, references((0, 0, 0))), around: bytes | None = None) -> bytes:
    return build.workbook(sheet((frame() if around is None else around) + chart(*inside)), before=before)


BARS = group(BAR, struct.pack("<hHH", 0, 80, 0))
PLAIN = (series(refers(0, PLACE), refers(1, AREA), refers(2, AREA)), BARS)


def part(outcome: Outcome) -> str:
    assert outcome.content is not None, outcome.report.findings
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        names = [name for name in archive.namelist() if name.startswith("xl/charts/")]
        assert len(names) == 1
        return archive.read(names[0]).decode()


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def test_a_chart_says_what_it_said() -> None:
    legend = record(0x1015, bytes(16) + b"\0\1\7\0")
    outcome = run(book(series(refers(0, b""), said("系列"), refers(1, AREA), refers(2, AREA), look()), BARS, legend, title("題名 <1>", 1), title("円", 2), title("年", 3)), "x.xls")
    assert codes(outcome) == {"xls.chart_redrawn"}
    assert outcome.content is not None
    found, = openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]._charts
    one, = found.series
    assert (found.type, found.gapWidth, one.tx.v, one.val.numRef.f, one.cat.strRef.f) == ("col", 80, "系列", "表1!$B$1:$B$5", "表1!$B$1:$B$5")
    assert "123456" in str(one.spPr.solidFill.srgbClr)
    titles = [each.tx.rich.p[0].r[0].t for each in (found.title, found.x_axis.title, found.y_axis.title)]
    assert (titles, found.legend.legendPos, found.anchor.to.row) == (["題名 <1>", "年", "円"], "b", 9)


KINDS = {
    "columns in a stack": (BAR, struct.pack("<hHH", 0, 50, 2), '<c:barDir val="col"/><c:grouping val="stacked"/>'),
    "bars to a hundred": (BAR, struct.pack("<hHH", 0, 50, 7), '<c:barDir val="bar"/><c:grouping val="percentStacked"/>'),
    "lines": (LINE, struct.pack("<H", 0), '<c:lineChart><c:grouping val="standard"/>'),
    "areas": (FILLED, struct.pack("<H", 1), '<c:areaChart><c:grouping val="stacked"/>'),
    "pie": (PIE, struct.pack("<HHH", 0, 0, 0), "<c:pieChart>"),
    "doughnut": (PIE, struct.pack("<HHH", 0, 50, 0), '<c:holeSize val="50"/>'),
    "scatter": (SCATTER, struct.pack("<HHH", 100, 1, 0), "<c:scatterChart>"),
    "radar": (RADAR, struct.pack("<H", 0), '<c:radarStyle val="marker"/>'),
    "filled radar": (0x1040, struct.pack("<H", 0), '<c:radarStyle val="filled"/>'),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_charts(kind: str) -> None:
    number, content, wanted = KINDS[kind]
    outcome = run(book(series(refers(1, AREA), refers(2, AREA), look(automatic=True), look("ABCDEF", point=1)), group(number, content)), "x.xls")
    made = part(outcome)
    assert wanted in made
    assert "ABCDEF" not in made
    assert codes(outcome) == {"xls.chart_redrawn"}
    assert outcome.content is not None
    assert openpyxl.load_workbook(io.BytesIO(outcome.content.bytes())).worksheets[0]._charts


def test_two_kinds_on_one_pair_of_axes() -> None:
    made = part(run(book(series(refers(1, AREA)), series(refers(1, AREA), group=1), BARS, group(LINE, struct.pack("<H", 0), 1)), "x.xls"))
    assert made.count("<c:barChart>") == made.count("<c:lineChart>") == made.count("<c:catAx>") == 1


LOST = {
    "no series": book(BARS),
    "a kind that nobody draws": book(PLAIN[0], group(0x103F, struct.pack("<H", 0))),
    "bubbles": book(PLAIN[0], group(SCATTER, struct.pack("<HHH", 100, 1, 1))),
    "no place": book(*PLAIN, around=b""),
    "values that are no reference": book(series(refers(1, b"\x1e\1\0\x1e\2\0\x42\2\4\0")), BARS),
    "kinds that share no axes": book(series(refers(1, AREA)), series(refers(1, AREA), group=1), BARS, group(SCATTER, struct.pack("<HHH", 1, 1, 0), 1)),
    "a trend line only": book(series(refers(1, AREA), record(0x104B, bytes(28))), BARS),
    "a chart in a chart": book(*PLAIN, chart(*PLAIN)),
    "blocks without end": book(*PLAIN, *[BEGIN] * 70),
}  # fmt: skip


@pytest.mark.parametrize("case", LOST)
def test_what_cannot_be_drawn_is_said(case: str) -> None:
    outcome = run(LOST[case], "x.xls")
    assert outcome.content is not None
    assert codes(outcome) == {"xls.chart"}


def test_what_belongs_to_no_series_changes_none() -> None:
    """Names, groups and trend lines outside of series, a title without words, an end without beginning."""
    strays = (STOP, said("迷"), record(0x1045, b"\7\0"), record(0x104B, bytes(28)), record(0x1027, b"\1\0"))
    assert part(run(book(*strays, *PLAIN), "x.xls")) == part(run(book(*PLAIN), "x.xls"))


def test_series_of_another_workbook_stay_behind() -> None:
    outside = struct.pack("<H", 1)
    there = series(refers(0, b""), said(CANARY), refers(1, AREA[:1] + outside + AREA[3:]), refers(2, AREA))
    outcome = run(book(there, *PLAIN, before=(INSIDE, BESIDE, references((0, 0, 0), (1, 0, 0)))), "x.xls")
    made = part(outcome)
    assert codes(outcome) == {"xls.external_link", "xls.chart_redrawn"}
    assert CANARY not in made
    assert made.count("<c:ser>") == 1
    alone = run(book(there, BARS, before=(INSIDE, BESIDE, references((0, 0, 0), (1, 0, 0)))), "x.xls")
    assert codes(alone) == {"xls.external_link", "xls.chart"}


def test_charts_before_excel_97_stay_behind() -> None:
    outcome = run(build.cfb.compound({"Book": build.stream(sheet(frame() + chart(*PLAIN))).replace(struct.pack("<HH", 0x0600, 5), struct.pack("<HH", 0x0500, 5))}), "x.xls")
    assert "xls.chart_redrawn" not in codes(outcome)


@pytest.mark.parametrize("record_", [record(0x1051, b"\1\2"), record(0x100D, b"\0"), record(0x1014, bytes(4)), record(BAR, b"\0"), record(0x1015, bytes(4)), record(0x1006), record(0x100A)])
def test_records_that_are_cut_off_end_well(record_: bytes) -> None:
    outcome = run(book(record(0x1003, bytes(12)) + BEGIN + record(0x1006, b"\xff\xff") + BEGIN + record_ + STOP + record_ + STOP, *PLAIN), "x.xls")
    assert (outcome.content is None) == (outcome.report.reason is not None)
