"""The confirmed road: a structure is read to its end, and only policy and an approval together let the original out."""

from __future__ import annotations

import io
import random
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizers.context import Outcome
from sanitizers.model import Kind, Reason, Verdict
from tests.build.context import run
from tests.build.drawing import INSTANCES, LINE, POINT, POLYGON, TEXT, dbf, dxf, jww, jww_figures, moji, p21, sen, sfc, shp, shx
from tests.build.zip import Entry, build

SAMPLES: dict[str, tuple[bytes, Kind]] = {
    "図面.dxf": (dxf(), Kind.DXF), "unix.dxf": (dxf(end="\n"), Kind.DXF), "図面.sfc": (sfc(), Kind.SFC), "図面.p21": (p21(), Kind.P21),
    "点.shp": (shp(POINT, POINT), Kind.SHP), "面.shp": (shp(POLYGON, bytes(4), kind=5), Kind.SHP), "空.shp": (shp(), Kind.SHP),
    "点.shx": (shx(POINT, POINT), Kind.SHX), "面.shx": (shx(POLYGON, bytes(4), kind=5), Kind.SHX), "表.dbf": (dbf(("能登", "1"), ("表ソ", "22")), Kind.DBF),
    "図面.jww": (jww(*jww_figures(), blocks=((1, jww_figures()),)), Kind.JWW), "ver5.jww": (jww(*jww_figures(420), blocks=((1, ()),), version=420), Kind.JWW),
    "ver3.jww": (jww(*jww_figures(300)[:-1], version=300), Kind.JWW), "wide.jww": (jww(*jww_figures(), blocks=((1, ()), (2, jww_figures())), time=8), Kind.JWW),
}  # fmt: skip
ALL = tuple(sorted({str(kind) for _, kind in SAMPLES.values()}))


def approved(data: bytes, name: str, **more: object) -> Outcome:
    return run(data, name, confirmed_kinds=ALL, confirmed_by="係長 承認", **more)


def codes(outcome: Outcome) -> list[str]:
    return [finding.code for finding in outcome.report.findings]


@pytest.mark.parametrize("name", SAMPLES)
def test_only_policy_and_approval_together_let_the_original_out(name: str) -> None:
    data, kind = SAMPLES[name]
    for treatment in ({}, {"confirmed_by": "係長"}, {"confirmed_kinds": ("dwg",), "confirmed_by": "係長"}):
        outcome = run(data, name, **treatment)
        assert (outcome.content, outcome.report.verdict, outcome.report.reason) == (None, Verdict.HELD, Reason.UNSUPPORTED_KIND)
        assert codes(outcome) == ["confirm.structure", "file.unsupported_kind"]
    waiting = run(data, name, confirmed_kinds=ALL)
    assert (waiting.content, codes(waiting)) == (None, ["confirm.structure", "confirm.approval_needed"])
    outcome = approved(data, name)
    assert outcome.content is not None, outcome.report
    assert outcome.content.bytes() == data
    assert (outcome.report.verdict, outcome.report.input.kind) == (Verdict.CONFIRMED, kind)
    assert outcome.report.output is not None
    assert outcome.report.output.name == name
    assert codes(outcome) == ["confirm.structure", "confirm.approved"]


def test_drawings_inside_an_archive_go_with_it() -> None:
    data = build(Entry(b"a.txt", b"x\r\n"), Entry(b"d.dxf", dxf()), Entry(b"d.sfc", sfc()))
    outcome = approved(data, "x.zip")
    assert outcome.content is not None
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as other:
        assert {info.filename: other.read(info) for info in other.infolist()} == {"a.txt": b"x\r\n", "d.dxf": dxf(), "d.sfc": sfc()}
    assert [part.verdict for part in outcome.report.parts] == [Verdict.CLEAN, Verdict.CONFIRMED, Verdict.CONFIRMED]
    assert outcome.report.verdict is Verdict.SANITIZED


BAD: dict[str, tuple[bytes, str, str]] = {
    "dxf: OLE": (dxf(LINE, ((0, "OLE2FRAME"), (70, 1))), "x.dxf", "confirm.foreign"),
    "dxf: proxy": (dxf(LINE, ((0, "ACAD_PROXY_ENTITY"), (90, 1))), "x.dxf", "confirm.foreign"),
    "dxf: VBA": (dxf(objects=(((0, "VBA_PROJECT"), (90, 1)),)), "x.dxf", "confirm.foreign"),
    "dxf: image elsewhere": (dxf(objects=(((0, "IMAGEDEF"), (1, "C:\\x.png")),)), "x.dxf", "confirm.foreign"),
    "dxf: share": (dxf(((0, "TEXT"), (1, "\\\\host\\share\\x"))), "x.dxf", "confirm.foreign"),
    "dxf: link": (dxf(((0, "LINE"), (1001, "PE_URL"), (1000, "http://x/"))), "x.dxf", "confirm.foreign"),
    "dxf: binary data": (dxf(((0, "3DSOLID"), (310, "00FF"))), "x.dxf", "confirm.foreign"),
    "dxf: after EOF": (dxf() + b"  0\r\nLINE\r\n", "x.dxf", "file.malformed"),
    "dxf: bytes after EOF": (dxf() + b"hidden\r\n", "x.dxf", "file.malformed"),
    "dxf: no EOF": (dxf()[: -len(b"  0\r\nEOF\r\n")], "x.dxf", "file.malformed"),
    "dxf: no ENDSEC": (dxf().replace(b"  0\r\nENDSEC\r\n  0\r\nEOF", b"  0\r\nEOF"), "x.dxf", "file.malformed"),
    "dxf: text for a number": (dxf(((0, "LINE"), (10, "abc"))), "x.dxf", "file.malformed"),
    "dxf: number that is none": (dxf(((0, "LINE"), (62, "1.5"))), "x.dxf", "file.malformed"),
    "dxf: unknown group": (dxf(((0, "LINE"), (1072, "1"))), "x.dxf", "file.malformed"),
    "dxf: unknown section": (dxf().replace(b"\r\nTABLES\r\n", b"\r\nEVIL\r\n"), "x.dxf", "file.malformed"),
    "dxf: control character": (dxf(((0, "TEXT"), (1, "a\x1bb"))), "x.dxf", "file.malformed"),
    "dxf: outside": (dxf().replace(b"  0\r\nEOF", b"  0\r\nLINE\r\n  0\r\nEOF"), "x.dxf", "file.malformed"),
    "sfc: comment": (sfc(more="/* hidden */\r\n"), "x.sfc", "file.malformed"),
    "sfc: instance": (sfc(more="#99=LINE();\r\n"), "x.sfc", "file.malformed"),
    "sfc: number twice": (sfc("#1 = a_feature('1')", "#1 = b_feature('1')"), "x.sfc", "file.malformed"),
    "sfc: open string": (sfc("#1 = a_feature('1)"), "x.sfc", "file.malformed"),
    "sfc: bare value": (sfc("#1 = a_feature(1)"), "x.sfc", "file.malformed"),
    "sfc: text in a comment": (sfc("#1 = a_feature('1')\r\nhidden"), "x.sfc", "file.malformed"),
    "sfc: tail": (sfc() + b"hidden", "x.sfc", "file.malformed"),
    "sfc: elsewhere": (sfc("#1 = attribute_feature('http://x/')"), "x.sfc", "confirm.foreign"),
    "p21: comment": (p21(*INSTANCES, "/* hidden */"), "x.p21", "file.malformed"),
    "p21: missing instance": (p21(*INSTANCES, "#99=LINE('',#98);"), "x.p21", "file.malformed"),
    "p21: instance twice": (p21(*INSTANCES, INSTANCES[0]), "x.p21", "file.malformed"),
    "p21: open list": (p21("#1=LINE('',(1.,2.);"), "x.p21", "file.malformed"),
    "p21: comma at the end": (p21("#1=LINE('',);"), "x.p21", "file.malformed"),
    "p21: no comma": (p21("#1=LINE('' 1.);"), "x.p21", "file.malformed"),
    "p21: open string": (p21("#1=LINE('abc);"), "x.p21", "file.malformed"),
    "p21: tail": (p21(after="hidden"), "x.p21", "file.malformed"),
    "p21: deep": (p21("#1=LINE(" + "(" * 99 + ")" * 99 + ");"), "x.p21", "file.malformed"),
    "shp: tail": (shp(POINT) + b"hidden", "x.shp", "file.malformed"),
    "shp: cut": (shp(POINT)[:-2], "x.shp", "file.malformed"),
    "shp: length": (shp(POINT, words=50), "x.shp", "file.malformed"),
    "shp: other kind": (shp(POINT, POLYGON), "x.shp", "file.malformed"),
    "shp: hidden in a record": (shp(POINT + b"hidden"), "x.shp", "file.malformed"),
    "shp: points": (shp(POLYGON[:40] + b"\x09" + POLYGON[41:], kind=5), "x.shp", "file.malformed"),
    "shx: gap": (shx(POINT, POINT)[:-5] + b"\xff" + shx(POINT, POINT)[-4:], "x.shx", "file.malformed"),
    "jww: picture beside it": (jww((b"CDataMoji", moji("^@BMC:\\写真.bmp,100,80"))), "x.jww", "confirm.foreign"),
    "jww: picture inside": (jww(pictures=b"\1\0\0\0\5a.bmp\2\0\0\0BM"), "x.jww", "confirm.foreign"),
    "jww: share": (jww(memo="\\\\host\\share"), "x.jww", "confirm.foreign"),
    "jww: link": (jww((b"CDataMoji", moji("http://192.0.2.1/"))), "x.jww", "confirm.foreign"),
    "jww: tail": (jww(after=b"hidden"), "x.jww", "file.malformed"),
    "jww: cut": (jww((b"CDataSen", sen()))[:-9], "x.jww", "file.malformed"),
    "jww: unknown class": (jww((b"CDataEvil", sen())), "x.jww", "file.malformed"),
    "jww: block among figures": (jww((b"CDataList", sen())), "x.jww", "file.malformed"),
    "jww: control": (jww((b"CDataMoji", moji("a\x1bb"))), "x.jww", "file.malformed"),
    "jww: unreadable": (jww((b"CDataMoji", moji("表").replace("表".encode("cp932"), b"\x95\x00"))), "x.jww", "file.malformed"),
    "jww: not a number": (jww((b"CDataSen", sen()[:-8] + b"\xff" * 8)), "x.jww", "file.malformed"),
    "jww: block not defined": (jww(*jww_figures()), "x.jww", "file.malformed"),
    "jww: block twice": (jww(blocks=((1, ()), (1, ()))), "x.jww", "file.malformed"),
    "jww: other version": (jww(version=5000), "x.jww", "file.unsupported_kind"),
    "dbf: memo": (dbf(("a", "1"), types="CM"), "x.dbf", "confirm.foreign"),
    "dbf: rows": (dbf(("a", "1")) + b"hidden", "x.dbf", "file.malformed"),
    "dbf: cut": (dbf(("a", "1"), ("b", "2"))[:-30], "x.dbf", "file.malformed"),
    "dbf: control": (dbf(("a\x1bb", "1")), "x.dbf", "file.malformed"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_has_no_place_in_the_grammar_is_refused_even_with_an_approval(kind: str) -> None:
    data, name, code = BAD[kind]
    outcome = approved(data, name)
    assert outcome.content is None
    assert outcome.report.verdict is Verdict.HELD
    assert code in codes(outcome)


def test_binary_dxf_is_held() -> None:
    assert approved(b"AutoCAD Binary DXF\r\n\x1a\x00" + bytes(50), "x.dxf").report.reason is Reason.UNSUPPORTED_KIND


@pytest.mark.parametrize("name", SAMPLES)
def test_no_truncation_passes(name: str) -> None:
    data, kind = SAMPLES[name]
    stop = len(data) - 1 - (data.endswith(b"\n") + data.endswith(b"\r\n"))      # the last line end may be missing, or the table's end mark
    for size in sorted(random.Random(5).sample(range(30, stop), min(60, stop - 31))):
        outcome = approved(data[:size], name)
        assert outcome.content is None or outcome.report.verdict is not Verdict.CONFIRMED, (size, kind)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 10_000), st.binary(min_size=1, max_size=6))
def test_hostile_changes_never_break_a_check(name: str, at: int, bad: bytes) -> None:
    data, _ = SAMPLES[name]
    at %= len(data)
    outcome = approved(data[:at] + bad + data[at + len(bad) :], name)
    assert outcome.report.verdict in Verdict


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (sfc("#1 = a(" + "'" * 200_001 + ")"), "x.sfc"), (sfc("#1 = a(" + "'1'," * 100_000 + "1)"), "x.sfc"), (sfc("#1 = a(" + "\\'" * 100_001 + ")"), "x.sfc"),
        (p21("#1=A('" + "''" * 200_000 + ");"), "x.p21"), (p21("#1=A(" + "1," * 200_000 + ");"), "x.p21"), (sfc("#1 = a(" + " " * 200_000 + ")"), "x.sfc"),
        (dxf(*[LINE] * 20_000, TEXT)[:-9], "x.dxf"), (dxf() + b"\n" * 500_000 + b"x", "x.dxf"), (p21(*["/*" + "*" * 1000 + "*/"] * 300, "/*"), "x.p21"),
    ],
)  # fmt: skip
def test_hostile_drawings_take_linear_time(data: bytes, name: str) -> None:
    assert approved(data, name).content is None
