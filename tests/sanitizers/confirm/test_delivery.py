"""電子納品: a tree of index, drawings and photographs in one archive. The index is written anew, the drawings go out with an approval."""

from __future__ import annotations

import io
import os
import zipfile

from PIL import Image

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from sanitizers.context import Outcome
from sanitizers.model import Job, Treatment, Verdict
from tests.build.context import run
from tests.build.drawing import dxf, jww, jww_figures, p21, sfc
from tests.build.zip import Entry, build

KINDS = ("p21", "sfc", "dxf", "jww")


def index(root: str, dtd: str, body: str, style: str = "") -> bytes:
    return f'<?xml version="1.0" encoding="Shift_JIS"?>\n{style}<!DOCTYPE {root} SYSTEM "{dtd}">\n<{root} DTD_version="04">{body}</{root}>\n'.encode("cp932")


def photograph() -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "JPEG")
    return stream.getvalue()


TREE = {
    "INDEX_C.XML": index("constdata", "INDE_C08.DTD", "<基礎情報><図面フォルダ名>DRAWINGF</図面フォルダ名></基礎情報>"),
    "DRAWINGF/DRAWINGF.XML": index("drawingdata", "DRAW04.DTD", "<図面情報><図面ファイル名>D0PL001Z.P21</図面ファイル名></図面情報>"),
    "DRAWINGF/D0PL001Z.P21": p21(), "DRAWINGF/D0CS002Z.SFC": sfc(), "OTHRS/ORG001/外構.DXF": dxf(), "OTHRS/ORG001/詳細.JWW": jww(*jww_figures()[:-1]),
    "PHOTO/PHOTO.XML": index("photodata", "PHOTO05.DTD", "<写真情報><写真ファイル名>P0000001.JPG</写真ファイル名></写真情報>"),
    "PHOTO/PIC/P0000001.JPG": photograph(),
}  # fmt: skip
DRAWINGS = [name for name in TREE if name.endswith(("P21", "SFC", "DXF", "JWW"))]
ARCHIVE = build(*(Entry(name.encode("cp932"), data) for name, data in TREE.items()))


def members(outcome: Outcome) -> dict[str, bytes]:
    assert outcome.content is not None, outcome.report
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_without_an_approval_drawings_wait_and_the_rest_goes_out() -> None:
    outcome = run(ARCHIVE, "工事.zip", confirmed_kinds=KINDS)
    made = members(outcome)
    assert set(made) == {name if name not in DRAWINGS else f"{name}.無害化通知.txt" for name in TREE}
    waiting = [part for part in outcome.report.parts if part.verdict is Verdict.HELD]
    assert [finding.code for part in waiting for finding in part.findings] == ["confirm.structure", "confirm.approval_needed"] * len(DRAWINGS)


def test_with_an_approval_the_whole_tree_goes_out() -> None:
    outcome = run(ARCHIVE, "工事.zip", confirmed_kinds=KINDS, confirmed_by="課長 承認")
    made = members(outcome)
    assert list(made) == list(TREE)
    assert all(made[name] == TREE[name] for name in DRAWINGS)
    assert all(made[name] == TREE[name].rstrip() for name in TREE if name.endswith("XML"))
    assert Image.open(io.BytesIO(made["PHOTO/PIC/P0000001.JPG"])).size == (256, 256)
    assert [part.input.name for part in outcome.report.parts if part.verdict is Verdict.CONFIRMED] == [name.rpartition("/")[2] for name in DRAWINGS]


def test_one_bad_drawing_stays_behind_even_then() -> None:
    bad = build(*(Entry(name.encode("cp932"), data + b"hidden" if name.endswith("SFC") else data) for name, data in TREE.items()))
    made = members(run(bad, "工事.zip", confirmed_kinds=KINDS, confirmed_by="課長 承認"))
    assert "DRAWINGF/D0CS002Z.SFC" not in made
    assert made["DRAWINGF/D0PL001Z.P21"] == TREE["DRAWINGF/D0PL001Z.P21"]


async def test_a_jailed_child_confirms_only_what_was_approved() -> None:
    workers = Workers(rulesets.read(rulesets.builtin_folder()), 1)
    await workers.start()
    try:
        for by, verdict in (("", Verdict.HELD), ("課長 承認", Verdict.CONFIRMED)):
            job = Job(name="工事.zip", treatment=Treatment(confirmed_kinds=KINDS, confirmed_by=by), rules=workers.rules_version)
            with memory.filled("input", ARCHIVE) as writable:
                source = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
                sanitized = await workers.sanitize(source, job)
                os.close(source)
            assert sanitized.output_fd is not None
            os.close(sanitized.output_fd)
            assert {part.verdict for part in sanitized.report.parts if part.input.kind in KINDS} == {verdict}
    finally:
        await workers.stop()
