"""Shapes, pictures and objects of a sheet: drawn again where they can be, else said; drawings that lie about their sizes."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from sanitizers.formats.xls import escher
from sanitizers.model import Action, LimitExceeded, Limits
from tests.build import xls as build
from tests.build.context import run
from tests.build.ooxml import png
from tests.build.xls import record, sheet, text

PICTURE, DROP_DOWN, BUTTON, COMMENT, CHART, GROUP, LINE = 8, 20, 7, 25, 5, 0, 1


def node(kind: int, data: bytes, *, instance: int = 0, version: int = 0, size: int | None = None) -> bytes:
    return struct.pack("<HHI", instance << 4 | version, kind, len(data) if size is None else size) + data


def shape(geometry: int, options: dict[int, int] | None = None, *, anchored: bool = True) -> bytes:
    table = b"".join(struct.pack("<HI", number, value) for number, value in (options or {}).items())
    anchor = node(0xF010, struct.pack("<9H", 0, 1, 512, 1, 128, 3, 0, 4, 0)) if anchored else b""
    inside = node(0xF00A, bytes(8), instance=geometry, version=2) + node(0xF00B, table, instance=len(options or {}), version=3)
    return node(0xF004, inside + anchor + node(0xF011, b""), version=15)


def drawing(*shapes: bytes) -> bytes:
    return record(0xEC, node(0xF002, node(0xF003, b"".join(shapes), version=15), version=15))


def thing(kind: int, extra: bytes = b"") -> bytes:
    """An OBJ record."""
    return record(0x5D, struct.pack("<HHHHH12x", 0x15, 18, kind, 1, 0x6011) + extra + bytes(4))


def store(*blips: bytes) -> bytes:
    entries = b"".join(node(0xF007, bytes(36) + blip, instance=6, version=2) for blip in blips)
    return record(0xEB, node(0xF000, node(0xF001, entries, instance=len(blips), version=15), version=15))


def blip(content: bytes) -> bytes:
    return node(0xF01E, bytes(16) + b"\xff" + content, instance=0x6E0)


LINKED = struct.pack("<HH", 9, 4) + bytes(4)
SHOWN = ((75, {0x4104: 1}), PICTURE)
CASES: dict[str, tuple[bytes, tuple[bytes, ...], tuple[tuple[str, Action], ...]]] = {
    "the face of an object": (
        drawing(shape(*SHOWN[0])) + thing(PICTURE, LINKED), (store(blip(png())),), (("xls.object", Action.REWRITTEN),)),
    "a picture that is not there": (drawing(shape(75, {0x4104: 7})) + thing(PICTURE), (store(blip(png())),), (("xls.drawing", Action.REMOVED),)),
    "a picture without number": (drawing(shape(75)) + thing(PICTURE), (), (("xls.drawing", Action.REMOVED),)),
    "an empty entry of the store": (drawing(shape(*SHOWN[0])) + thing(PICTURE), (store(b""),), (("xls.drawing", Action.REMOVED),)),
    "an object's picture that is not there": (drawing(shape(75)) + thing(PICTURE, LINKED), (), (("xls.object", Action.REMOVED),)),
    "a button": (drawing(shape(201)) + thing(BUTTON), (), (("xls.object", Action.REMOVED),)),
    "an arrow of a filter": (drawing(shape(201)) + thing(DROP_DOWN), (), ()),
    "arrows that nothing draws": (drawing(shape(201), shape(201)) + thing(DROP_DOWN) + thing(DROP_DOWN), (), (("xls.object", Action.REMOVED),)),
    "a geometry that nobody knows": (drawing(shape(99)) + thing(2), (), (("xls.drawing", Action.REMOVED),)),
    "a shape without place": (drawing(shape(1, anchored=False)) + thing(2), (), (("xls.drawing", Action.REMOVED),)),
    "a shape without drawing": (thing(2), (), (("xls.drawing", Action.REMOVED),)),
    "a chart without its sheet": (drawing(shape(201)) + thing(CHART), (), (("xls.chart", Action.REMOVED),)),
    "a text of no object": (record(0x1B6, bytes(18)), (), ()),
    "a text that is not there": (drawing(shape(202)) + thing(6) + record(0x1B6, struct.pack("<HHHHHHHI", 0, 0, 0, 0, 0, 9, 0, 0)), (), ()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_a_drawing(case: str) -> None:
    records, before, wanted = CASES[case]
    outcome = run(build.workbook(sheet(records), before=before), "x.xls")
    assert outcome.content is not None, outcome.report.findings
    assert tuple((finding.code, finding.action) for finding in outcome.report.findings) == wanted


def _parts(given: bytes) -> dict[str, bytes]:
    outcome = run(given, "x.xls")
    assert outcome.content is not None, outcome.report.findings
    assert not outcome.report.findings
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_one_picture_in_two_places_is_one_part() -> None:
    twice = drawing(shape(*SHOWN[0]), shape(*SHOWN[0])) + thing(PICTURE) + thing(PICTURE)
    parts = _parts(build.workbook(sheet(twice), before=(store(blip(png())),)))
    assert parts["xl/drawings/drawing1.xml"].count(b'r:embed="rId1"') == 2
    assert sum(name.startswith("xl/media/") for name in parts) == 1


def test_shapes_keep_their_colours_and_lines() -> None:
    """Black text and white paper by number; a line that is switched off."""
    options: list[dict[int, int]] = [{0x181: 0x08000041, 0x1C0: 0x08000040, 0x1CB: 25400}, {0x1BF: 0x00100000, 0x1FF: 0x00080000}]
    parts = _parts(build.workbook(sheet(drawing(*(shape(1, one) for one in options)) + thing(2) + thing(2))))
    said = parts["xl/drawings/drawing1.xml"].decode()
    first, second = said.split("</xdr:sp>")[:2]
    assert '<a:solidFill><a:srgbClr val="FFFFFF"/></a:solidFill><a:ln w="25400"><a:solidFill><a:srgbClr val="000000"/>' in first
    assert second.count("<a:noFill/>") == 2


def test_a_complex_option_is_left_there() -> None:
    """Its value is a size, no colour."""
    parts = _parts(build.workbook(sheet(drawing(shape(1, {0x8181: 0x00FF00})) + thing(2))))
    assert b"00FF00" not in parts["xl/drawings/drawing1.xml"]


def test_a_group_is_not_drawn() -> None:
    """Its shapes have places inside of the group, which nobody works out."""
    group = node(0xF003, shape(1) + shape(1), version=15)
    outcome = run(build.workbook(sheet(drawing(shape(0), group) + thing(GROUP) + thing(2) + thing(2))), "x.xls")
    assert {finding.code for finding in outcome.report.findings} == {"xls.drawing"}
    assert outcome.content is not None
    with zipfile.ZipFile(io.BytesIO(outcome.content.bytes())) as archive:
        assert not any("drawing" in name for name in archive.namelist())


def test_a_shape_reaches_no_further_than_its_group() -> None:
    """One that claims all that follows would be read again and again."""
    liar = node(0xF003, node(0xF004, b"", version=15, size=0xFFFFFFF0), version=15)
    found = escher.shapes(liar * 3 + shape(2))
    assert [(one.kind, bool(one.anchor)) for one in found] == [(0, False)] * 3 + [(2, True)]


@pytest.mark.parametrize(
    "records",
    [node(0xF00D, b"") * 70_000, bytes.fromhex("0f0002f0f0ffff7f") * 20],
    ids=["many", "deep"],
)
def test_drawings_without_end_are_refused(records: bytes) -> None:
    pieces = [record(0xEC, records[at : at + 8192]) for at in range(0, len(records), 8192)]
    with pytest.raises(LimitExceeded):
        run(build.workbook(sheet(*pieces, thing(2))), "x.xls")


def test_a_comment_without_text() -> None:
    given = build.workbook(sheet(thing(COMMENT), record(0x001C, struct.pack("<HHHH", 0, 0, 2, 9) + text("田中")), record(0x001C, struct.pack("<HHHH", 0, 300, 0, 9) + text("外"))))
    said = _parts(given)
    assert (said["xl/comments1.xml"].count(b"<comment "), "visible" in said["xl/drawings/vmlDrawing1.vml"].decode()) == (1, True)


def test_sheets_are_counted() -> None:
    entries = [struct.pack("<IBB", 0, 0, 0) + text(str(number), "B") for number in range(4097)]
    with pytest.raises(LimitExceeded):
        run(build.workbook(before=[record(0x85, entry) for entry in entries]), "x.xls")


def test_texts_are_counted_before_they_are_read() -> None:
    given = build.stream(table=record(0xFC, struct.pack("<II", 1, 0xFFFFFFFF)))
    with pytest.raises(LimitExceeded):
        run(build.cfb.compound({"Workbook": given}), "x.xls", limits=Limits(expanded_bytes=1 << 20, expansion_floor=1 << 20))
