"""The confirmed road: a structure is read to its end, and only policy and an approval together let the original out."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizers.confirm import dxf as dxf_check
from sanitizers.confirm import jww as jww_check
from sanitizers.confirm import shape, step
from sanitizers.context import Outcome
from sanitizers.model import Kind, LimitExceeded, Malformed, Reason, Refused, Unsupported, Verdict
from sanitizers.source import Source
from tests.build.context import context, run
from tests.build.drawing import (
    INSTANCES,
    LINE,
    MANY_POINTS,
    POINT,
    POLYGON,
    TEXT,
    dbf,
    dxf,
    jww,
    jww_figures,
    moji,
    p21,
    sen,
    sfc,
    shp,
    shx,
)
from tests.build.zip import Entry, build

SAMPLES: dict[str, tuple[bytes, Kind]] = {
    "図面.dxf": (dxf(), Kind.DXF), "unix.dxf": (dxf(end="\n"), Kind.DXF), "図面.sfc": (sfc(), Kind.SFC), "図面.p21": (p21(), Kind.P21),
    "点.shp": (shp(POINT, POINT), Kind.SHP), "面.shp": (shp(POLYGON, bytes(4), kind=5), Kind.SHP), "空.shp": (shp(), Kind.SHP),
    "点.shx": (shx(POINT, POINT), Kind.SHX), "面.shx": (shx(POLYGON, bytes(4), kind=5), Kind.SHX), "表.dbf": (dbf(("能登", "1"), ("表ソ", "22")), Kind.DBF),
    "図面.jww": (jww(*jww_figures(), blocks=((1, jww_figures()),)), Kind.JWW), "ver5.jww": (jww(*jww_figures(420), blocks=((1, ()),), version=420), Kind.JWW),
    "ver3.jww": (jww(*jww_figures(300)[:-1], version=300), Kind.JWW),     "点群.shp": (shp(MANY_POINTS, MANY_POINTS, kind=8), Kind.SHP), "utf16.jww": (jww((b"CDataMoji", moji("小諸市 𠮷野", wide=True)), memo="説明" * 40_000), Kind.JWW),
    "wide.jww": (jww(*jww_figures(), blocks=((1, ()), (2, jww_figures())), time=8), Kind.JWW),
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


def _cut(size: int) -> bytes:
    """A record of which only so many bytes are there, in a file that says so itself."""
    data = shp(POINT)[: 100 + size]
    return data[:24] + struct.pack(">i", len(data) // 2) + data[28:]


def _half() -> bytes:
    data = shx(POINT)[:-4]
    return data[:24] + struct.pack(">i", len(data) // 2) + data[28:]


def _wide_rows() -> bytes:
    data = dbf(("a", "1"))
    return data[:10] + struct.pack("<H", 30) + data[12:]


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
    "dxf: group outside a section": (dxf().replace(b"  0\r\nEOF", b"  8\r\n0\r\n  0\r\nEOF"), "x.dxf", "file.malformed"),
    "dxf: section ends twice": (dxf().replace(b"  0\r\nEOF", b"  0\r\nENDSEC\r\n  0\r\nEOF"), "x.dxf", "file.malformed"),
    "dxf: EOF inside a section": (dxf().replace(b"  0\r\nENDSEC\r\n  0\r\nEOF", b"  0\r\nEOF\r\n  0\r\nEOF"), "x.dxf", "file.malformed"),
    "dxf: a long line": (dxf(((0, "TEXT"), (1, "x" * 65_537))), "x.dxf", "file.malformed"),
    "dxf: a line without an end": (dxf() + b" " * 3_000_000, "x.dxf", "file.malformed"),
    "dxf: control character": (dxf(((0, "TEXT"), (1, "a\x1bb"))), "x.dxf", "file.malformed"),
    "dxf: outside": (dxf().replace(b"  0\r\nEOF", b"  0\r\nLINE\r\n  0\r\nEOF"), "x.dxf", "file.malformed"),
    "sfc: comment": (sfc(more="/* hidden */\r\n"), "x.sfc", "file.malformed"),
    "sfc: instance": (sfc(more="#99=LINE();\r\n"), "x.sfc", "file.malformed"),
    "sfc: number twice": (sfc("#1 = a_feature('1')", "#1 = b_feature('1')"), "x.sfc", "file.malformed"),
    "sfc: open string": (sfc("#1 = a_feature('1)"), "x.sfc", "file.malformed"),
    "sfc: bare value": (sfc("#1 = a_feature(1)"), "x.sfc", "file.malformed"),
    "sfc: text in a comment": (sfc("#1 = a_feature('1')\r\nhidden"), "x.sfc", "file.malformed"),
    "sfc: no feature": (sfc("").replace(b"/*SXF\r\n\r\nSXF*/", b""), "x.sfc", "file.malformed"),
    "sfc: unreadable": (sfc("#1 = a_feature('表')").replace("表".encode("cp932"), b"\x95\xff"), "x.sfc", "file.malformed"),
    "sfc: tail": (sfc() + b"hidden", "x.sfc", "file.malformed"),
    "sfc: elsewhere": (sfc("#1 = attribute_feature('http://x/')"), "x.sfc", "confirm.foreign"),
    "p21: comment": (p21(*INSTANCES, "/* hidden */"), "x.p21", "file.malformed"),
    "p21: missing instance": (p21(*INSTANCES, "#99=LINE('',#98);"), "x.p21", "file.malformed"),
    "p21: instance twice": (p21(*INSTANCES, INSTANCES[0]), "x.p21", "file.malformed"),
    "p21: open list": (p21("#1=LINE('',(1.,2.);"), "x.p21", "file.malformed"),
    "p21: comma at the end": (p21("#1=LINE('',);"), "x.p21", "file.malformed"),
    "p21: comma at the beginning": (p21("#1=LINE(,1.);"), "x.p21", "file.malformed"), "p21: a type and no value": (p21("#1=LINE(LENGTH);"), "x.p21", "file.malformed"),
    "p21: a number for a record": (p21("#1=5;"), "x.p21", "file.malformed"), "p21: a number among records": (p21("#1=(A()5);"), "x.p21", "file.malformed"),
    "p21: no header": (p21().replace(b"HEADER;", b"DATA;"), "x.p21", "file.malformed"), "p21: no token": (p21("#1=LINE(%);"), "x.p21", "file.malformed"),
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
    "shp: cut in the head": (shp(POINT)[:99], "x.shp", "file.malformed"), "shp: cut behind a head": (_cut(8), "x.shp", "file.malformed"),
    "shp: no room for its counts": (shp(struct.pack("<i", 5) + bytes(8), kind=5), "x.shp", "file.malformed"),
    "shp: many points and no room": (shp(struct.pack("<i", 8) + bytes(8), kind=8), "x.shp", "file.malformed"),
    "shp: fewer points than none": (shp(MANY_POINTS[:36] + struct.pack("<i", -1) + MANY_POINTS[40:], kind=8), "x.shp", "file.malformed"),
    "shp: of no kind": (shp(kind=7), "x.shp", "file.malformed"), "shx: half an entry": (_half(), "x.shx", "file.malformed"),
    "shx: gap": (shx(POINT, POINT)[:-5] + b"\xff" + shx(POINT, POINT)[-4:], "x.shx", "file.malformed"),
    "jww: picture beside it": (jww((b"CDataMoji", moji("^@BMC:\\写真.bmp,100,80"))), "x.jww", "confirm.foreign"),
    "jww: picture inside": (jww(pictures=b"\1\0\0\0\5a.bmp\2\0\0\0BM"), "x.jww", "confirm.foreign"),
    "jww: share": (jww(memo="\\\\host\\share"), "x.jww", "confirm.foreign"),
    "jww: link": (jww((b"CDataMoji", moji("http://192.0.2.1/"))), "x.jww", "confirm.foreign"),
    "jww: no such class by a long number": (jww((b"CDataSen", sen())).replace(b"\x08\x00CDataSen", b"\x08\x00CDataSen", 1)[: -len(sen()) - 20], "x.jww", "file.malformed"),
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
    "dbf: control in a name": (dbf(("a", "1")).replace("名称".encode("cp932"), b"\x1bab\x07"), "x.dbf", "file.malformed"),
    "dbf: rows of another width": (_wide_rows(), "x.dbf", "file.malformed"),
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


@pytest.mark.parametrize(
    ("data", "refusal"),
    [(b"\x03" * 31, Unsupported), (dbf(("a", "1"), version=0x83), Unsupported), (dbf(("a", "1"))[:8] + b"\x60\0" + dbf(("a", "1"))[10:], Malformed)],
    ids=["too short", "memo", "head"],
)  # fmt: skip
def test_a_table_that_is_not_recognised_as_one_would_be_refused_all_the_same(data: bytes, refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        shape.check_dbf(Source(data), context())


@pytest.mark.parametrize(("module", "name", "data", "check"), [(dxf_check, "_MOST_PAIRS", dxf(), dxf_check.check), (step, "_LARGEST", p21(), step.check_p21)])
def test_there_is_an_end_to_what_is_read(module: ModuleType, name: str, data: bytes, check: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(Source(data), context())
    monkeypatch.setattr(module, name, 9)
    with pytest.raises(LimitExceeded):
        check(Source(data), context())


def test_a_drawing_of_many_figures_counts_in_wide_numbers() -> None:
    """As from 65,535 figures on, and for classes that come behind 32,767 objects."""
    data = jww((b"CDataSen", sen()), (b"CDataSen", sen()))
    begin = data.index(b"CDataSen") - 8
    first, second = begin + 2, begin + 16 + len(sen())
    assert (data[begin:first], data[second : second + 2]) == (b"\2\0", b"\1\x80")
    for tag, said in ((0x80000001, "2 figures, 0 blocks"), (0x80000002, ""), (1, "")):
        wide = data[:begin] + b"\xff\xff\2\0\0\0" + data[first:second] + struct.pack("<HI", 0x7FFF, tag) + data[second + 2 :]
        if said:
            assert jww_check.check(Source(wide), context()) == said
        else:
            with pytest.raises(Malformed, match="object of no class"):
                jww_check.check(Source(wide), context())


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
