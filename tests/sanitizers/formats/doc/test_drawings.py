"""Pictures and shapes of a document: what is drawn is drawn again in its place, what cannot be is said, and nothing is drawn without end."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from typing import Any

import docx
import pytest
from docx.shared import Pt

from sanitizers.formats.doc import drawings as product
from sanitizers.formats.doc.fib import Part
from sanitizers.model import Action, LimitExceeded, Verdict
from tests.build import doc as build
from tests.build import doc_drawings as drawn
from tests.build.context import run
from tests.build.doc import SPECIAL, Run, para, sprm
from tests.build.doc_drawings import anchor, blip, drawings, entry, group, shape
from tests.build.metafile import wmf
from tests.build.ooxml import png

IN_LINE = Run("\x01", SPECIAL + sprm(0x6A03, 0))
LOST = ("doc.drawing", Action.REMOVED)
SHOWN = {0x104: 1}


def _made(given: bytes, *codes: tuple[str, Action]) -> bytes:
    outcome = run(given, "様式.doc")
    assert outcome.content is not None, outcome.report.findings
    assert tuple((finding.code, finding.action) for finding in outcome.report.findings) == codes
    assert (outcome.report.verdict is Verdict.CLEAN) == (not codes)
    return outcome.content.bytes()


def _opened(given: bytes, *codes: tuple[str, Action]) -> Any:
    return docx.Document(io.BytesIO(_made(given, *codes)))


def _part(given: bytes, *codes: tuple[str, Action]) -> str:
    with zipfile.ZipFile(io.BytesIO(_made(given, *codes))) as archive:
        return archive.read("word/document.xml").decode()


def _line(data: bytes) -> bytes:
    return build.document(para("前", IN_LINE, "後"), data=data)


def test_a_picture_in_the_line() -> None:
    given = build.document(para("前", Run("\x01", SPECIAL + sprm(0x6A03, 0)), "後"), data=build.picture(png()))
    made = _opened(given)
    assert [(one.width, one.height) for one in made.inline_shapes] == [(Pt(100), Pt(50))]
    assert [one.text for one in made.paragraphs] == ["前後"]


def test_a_broken_picture_is_said_and_the_text_stays() -> None:
    given = build.document(para("前", Run("\x01", SPECIAL + sprm(0x6A03, 0)), "後"), data=build.picture(b"no picture at all"))
    outcome = run(given, "a.doc")
    assert outcome.content is not None
    assert "doc.picture_replaced" in {finding.code for finding in outcome.report.findings}


def test_a_text_box() -> None:
    given = build.document(
        para("本文", Run("\x08", SPECIAL)),
        stories={"text_boxes": (para("枠の中"), para(), para())},
        parts={
            Part.SHAPES: build.plc([2, 4], [anchor(area=(1000, 200, 4000, 1200), flags=2 << 1 | 2 << 3)]),
            Part.DRAWINGS: drawings(shape(202, 9, {0x80: 1 << 16})),
            Part.TEXT_BOXES: build.plc([0, 5, 6], [bytes(22)] * 2),
        },
    )  # fmt: skip
    xml = _part(given)
    assert re.search(r"<w:txbxContent>.*枠の中.*</w:txbxContent>", xml)
    assert '<wp:extent cx="1905000" cy="635000"/>' in xml
    assert '<wp:positionH relativeFrom="column"><wp:posOffset>635000</wp:posOffset>' in xml


@pytest.mark.parametrize("number", [2, 9])
def test_a_text_box_of_no_text(number: int) -> None:
    """Its number is that of a box that is not there, or of one that stands elsewhere already."""
    parts = {Part.SHAPES: build.plc([2, 3, 5], [anchor(9), anchor(10)]), Part.DRAWINGS: drawings(shape(202, 9, {0x80: 2 << 16}), shape(202, 10, {0x80: number << 16})),
             Part.TEXT_BOXES: build.plc([0, 5, 8, 9], [bytes(22)] * 3)}  # fmt: skip
    xml = _part(build.document(para("本文", Run("\x08", SPECIAL), Run("\x08", SPECIAL)), stories={"text_boxes": (para("枠の中"), para(), para("次"), para())}, parts=parts))
    assert (xml.count("<w:drawing"), xml.count("<w:txbxContent>")) == (2, 1)


@pytest.mark.parametrize(("kind", "said"), [(20, '<a:prstGeom prst="line">'), (13, 'prst="rightArrow"'), (110, 'prst="flowChartDecision"')])
def test_a_shape(kind: int, said: str) -> None:
    xml = _part(drawn.document(shape(kind, 9, {0x1C0: 0xFF, 0x1D1: 1}), at=anchor(flags=3 << 5)))
    assert said in xml
    assert '<a:srgbClr val="FF0000"/></a:solidFill><a:tailEnd type="triangle"/></a:ln>' in xml
    assert "<wp:wrapNone/>" in xml


FREE, POINTS, SEGMENTS, LETTERS = {0x142: 200, 0x143: 50}, 0x145, 0x146, 0xC0


def _points(*pairs: tuple[int, int], wide: bool = False) -> bytes:
    head = struct.pack("<HHH", len(pairs), len(pairs), 8 if wide else 0xFFF0)
    return head + b"".join(struct.pack("<ii" if wide else "<hh", *pair) for pair in pairs)


def _segments(*said: int) -> bytes:
    return struct.pack(f"<HHH{len(said)}H", len(said), len(said), 2, *said)


LINES: dict[str, tuple[bytes, bytes, str]] = {
    "as they are said": (
        _points((0, 0), (100, 50), (200, 0)), _segments(0x4000, 0x0002, 0x6001, 0x8000),
        "<a:moveTo>0,0</a:moveTo><a:lnTo>100,50</a:lnTo><a:lnTo>200,0</a:lnTo><a:close/>"),
    "a curve": (
        _points((0, 0), (10, 10), (20, 20), (30, 30)), _segments(0x4000, 0x2001),
        "<a:moveTo>0,0</a:moveTo><a:cubicBezTo>10,1020,2030,30</a:cubicBezTo>"),
    "more points than there are": (_points((0, 0), (10, 10)), _segments(0x4000, 0x0005), "<a:moveTo>0,0</a:moveTo><a:lnTo>10,10</a:lnTo>"),
    "a curve that ends early": (_points((0, 0), (10, 10)), _segments(0x4000, 0x2001), "<a:moveTo>0,0</a:moveTo>"),
    "a move behind the last point": (_points((0, 0),), _segments(0x4000, 0x4000), "<a:moveTo>0,0</a:moveTo>"),
    "a segment that nobody knows": (_points((0, 0), (10, 10)), _segments(0x4000, 0xE001, 0x0001), "<a:moveTo>0,0</a:moveTo><a:lnTo>10,10</a:lnTo>"),
    "no segments": (_points((0, 0), (10, 10), wide=True), b"", "<a:moveTo>0,0</a:moveTo><a:lnTo>10,10</a:lnTo>"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_a_shape_of_free_lines(case: str) -> None:
    points, segments, said = LINES[case]
    xml = _part(drawn.document(shape(0, 9, FREE, more={POINTS: points, SEGMENTS: segments})))
    path = re.search(r'<a:path w="200" h="50">(.*?)</a:path>', xml)
    assert path is not None
    assert re.sub(r'<a:pt x="(-?\d+)" y="(-?\d+)"/>', r"\1,\2", path[1]) == said


@pytest.mark.parametrize(
    ("options", "points"),
    [(FREE, b""), (FREE, b"\1\0"), (FREE, _points()), ({0x142: 0}, _points((0, 0))), ({0x141: 50, 0x143: 50}, _points((0, 0)))],
    ids=["no points", "cut off", "none of them", "no width", "no height"],
)
def test_free_lines_that_are_none_are_said(options: dict[int, int], points: bytes) -> None:
    assert "<w:drawing" not in _part(drawn.document(shape(0, 9, options, more={POINTS: points})), LOST)


def test_the_letters_of_word_art_stay() -> None:
    given = drawn.document(shape(136, 9, more={LETTERS: "お知らせ\0".encode("utf-16-le")}))
    assert "お知らせ" in _part(given, ("doc.drawing", Action.REWRITTEN))


def test_how_a_shape_looks_and_stands() -> None:
    """Turned, mirrored, without fill and line, aligned, before the text; each what the other one is not."""
    plain = _part(drawn.document(shape(1, 9, {0x04: 0xFFA60000, 0x1BF: 0x00100000, 0x1FF: 0x00080000}, flags=0xAC0), at=anchor(flags=1 << 5)))
    for said in ('<a:xfrm rot="-5400000" flipH="1" flipV="1">', "<a:noFill/><a:ln><a:noFill/></a:ln>", "<wp:wrapTopAndBottom/>"):
        assert said in plain
    options = {0x181: 0x08000010, 0x1BF: 0x00100010, 0x1CE: 6, 0x1D0: 1, 0x81: 0xFFFFFFFF, 0x85: 2, 0x88: 1, 0xBF: 0x00020002, 0x38F: 2, 0x390: 1, 0x391: 3, 0x392: 0}
    rich = _part(drawn.document(shape(1, 9, options), at=anchor(flags=0x4000 | 3 << 5)))
    for said in ('<a:srgbClr val="000000"/>', '<a:prstDash val="dash"/><a:headEnd type="triangle"/>', ' lIns="-1"', ' vert="eaVert" wrap="none"><a:spAutoFit/>',
                 '<wp:positionH relativeFrom="page"><wp:align>center</wp:align>', '<wp:positionV relativeFrom="margin"><wp:align>bottom</wp:align>',
                 'behindDoc="1"', "<wp:wrapNone/>"):  # fmt: skip
        assert said in rich
    line = _part(drawn.document(shape(20, 9), at=anchor(flags=2 << 5 | 1 << 9)))
    assert ("<wps:cNvCnPr/>" in line, '<wp:wrapSquare wrapText="left"/>' in line) == (True, True)


def test_a_group_is_drawn_member_by_member() -> None:
    """Each where the group puts it, in the measure of the group; one in a group inside as well."""
    inner = group(shape(0, 11, place=(500, 0, 1000, 1000), inside=(0, 0, 10, 10)), shape(3, 12, place=(5, 0, 10, 5)))
    outer = group(shape(0, 9, inside=(0, 0, 1000, 1000)), shape(1, 10, place=(0, 0, 500, 500)), inner)
    xml = _part(drawn.document(outer, at=anchor(area=(0, 0, 2000, 1000))))
    found = re.findall(r'<wp:posOffset>(\d+)</wp:posOffset>.*?<wp:extent cx="(\d+)" cy="(\d+)"/>.*?prst="(\w+)"', xml)
    assert found == [("0", str(1000 * 635), str(500 * 635), "rect"), (str(1500 * 635), str(500 * 635), str(500 * 635), "ellipse")]


FAR = b"".join(drawn.record(0xF00D, b"", 0) for _ in range(3))
SAID: dict[str, tuple[bytes, tuple[tuple[str, Action], ...]]] = {
    "an anchor of no shape": (drawn.document(shape(1, 8)), (LOST,)),
    "a kind that nobody knows": (drawn.document(shape(255, 9)), (LOST,)),
    "a group without size": (drawn.document(group(shape(0, 9, inside=(5, 5, 5, 9)), shape(1, 10))), (LOST,)),
    "a picture that is not in the store": (drawn.document(shape(75, 9, {0x104: 7}), store=entry(blip(png()))), (LOST,)),
    "an empty entry of the store": (drawn.document(shape(75, 9, SHOWN), store=entry(b"")), (LOST,)),
    "an entry that is cut off": (drawn.document(shape(75, 9, SHOWN), store=drawn.record(0xF007, bytes(9), 0x62)), (LOST,)),
    "a picture that no reader knows": (drawn.document(shape(75, 9, SHOWN), store=entry(drawn.record(0xF018, bytes(99), 0))), (LOST,)),
    "a broken picture": (drawn.document(shape(75, 9, SHOWN), store=entry(blip(b"no picture"))), (("doc.picture_replaced", Action.REWRITTEN),)),
    "no drawing group": (build.document(para("絵", Run("\x08", SPECIAL)), parts={Part.SHAPES: build.plc([1, 3], [anchor()]), Part.DRAWINGS: FAR}), (LOST,)),
    "a group alone": (build.document(para("絵", Run("\x08", SPECIAL)), parts={Part.SHAPES: build.plc([1, 3], [anchor()]), Part.DRAWINGS: drawn.record(0xF000, b"") + FAR + b"\0"}), (LOST,)),
    "a group that is cut off": (build.document(para("絵", Run("\x08", SPECIAL)), parts={Part.SHAPES: build.plc([1, 3], [anchor()]), Part.DRAWINGS: b"\x0f\0\0\xf0\xff\xff\0\0"}), (LOST,)),
    "a shape of no anchor": (drawn.document(shape(1, 9), body=para(Run("\x08", SPECIAL), "絵")), ()),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_what_is_said_of_a_shape(case: str) -> None:
    given, codes = SAID[case]
    made = _opened(given, *codes)
    assert [one.text for one in made.paragraphs] == ["絵"]


def _media(given: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(_made(given))) as archive:
        return [archive.read(name) for name in archive.namelist() if name.startswith("word/media/")]


def test_a_floating_picture_with_its_crop() -> None:
    """Twice the same picture of the store is one part."""
    parts = {Part.SHAPES: build.plc([1, 2, 4], [anchor(9), anchor(10)]), Part.DRAWINGS: drawings(shape(75, 9, SHOWN | {0x100: 6554}), shape(75, 10, SHOWN), store=entry(blip(png())))}
    given = build.document(para("絵", Run("\x08", SPECIAL), Run("\x08", SPECIAL)), parts=parts)
    xml = _part(given)
    assert (xml.count("<pic:pic>"), '<a:srcRect t="10000"/>' in xml, len(_media(given))) == (2, True, 1)


def test_a_picture_of_the_store_that_lies_in_the_main_stream() -> None:
    """[MS-DOC] keeps delayed pictures there, and the entry says where."""
    given = build.files([para("絵", Run("\x08", SPECIAL))], {}, {Part.SHAPES: build.plc([1, 3], [anchor()]), Part.DRAWINGS: drawings(shape(75, 9, SHOWN), store=entry(b"", at=8192))})
    main = given["WordDocument"].ljust(8192, b"\0") + blip(png())
    assert len(_media(build.cfb.compound({**given, "WordDocument": main}))) == 1


def test_a_drawing_of_a_header() -> None:
    """A header's shapes have a drawing of their own behind that of the body."""
    head = drawings(shape(1, 7)) + b"\1" + drawn.record(0xF002, group(shape(0, 2, flags=5), shape(3, 9)))
    places = build.plc([0] * 8 + [3] * 6)
    given = build.document(para("本文"), stories={"headers": [para("頭", Run("\x08", SPECIAL)), para()]},
                           parts={Part.HEADERS: places, Part.HEADER_SHAPES: build.plc([1, 4], [anchor()]), Part.DRAWINGS: head})  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(_made(given))) as archive:
        assert 'prst="ellipse"' in archive.read("word/header1.xml").decode()


def _stored(mode: int, content: bytes, *, head: int = 68, size: int | None = None) -> bytes:
    """A PICF of 100 by 50 points."""
    return struct.pack("<iHhhhh", 68 + len(content) if size is None else size, head, mode, 0, 0, 0).ljust(28, b"\0") + struct.pack("<hhHH", 2000, 1000, 0, 0).ljust(40, b"\0") + content


IN_LINES: dict[str, tuple[bytes, int, tuple[tuple[str, Action], ...]]] = {
    "a picture alone": (_stored(0x64, blip(png())), 1, ()),
    "with what is said of it": (_stored(0x64, shape(75, 1, {0x102: 13107}) + blip(png())), 1, ()),
    "an entry of no picture, then one": (_stored(0x64, entry(b"") + blip(png())), 1, ()),
    "a metafile": (_stored(8, wmf(placeable=False)), 1, ()),
    "outside of the stream": (b"", 0, (LOST,)),
    "a head that is cut off": (_stored(0x64, b"")[:60], 0, (LOST,)),
    "longer than the stream": (_stored(0x64, blip(png()), size=90_000), 0, (LOST,)),
    "a head that is too short": (_stored(0x64, blip(png()), head=8), 0, (LOST,)),
    "a way of storing that nobody knows": (_stored(0x63, blip(png())), 0, (LOST,)),
    "no picture inside": (_stored(0x64, drawn.record(0xF00D, bytes(8), 0)), 0, (LOST,)),
    "a picture that no reader knows": (_stored(0x64, drawn.record(0xF020, bytes(99), 0)), 0, (LOST,)),
    "nothing that shows": (_stored(0x64, b""), 0, ()),
    "a way of storing that shows nothing": (_stored(0, blip(png())), 0, ()),
}  # fmt: skip


@pytest.mark.parametrize("case", IN_LINES)
def test_what_is_said_of_a_picture_in_the_line(case: str) -> None:
    data, shown, codes = IN_LINES[case]
    made = _opened(_line(data), *codes)
    assert ([one.text for one in made.paragraphs], len(made.inline_shapes)) == (["前後"], shown)


def test_one_picture_in_two_lines_is_one_part() -> None:
    given = build.document(para(IN_LINE, "前", IN_LINE), data=build.picture(png()))
    assert (_part(given).count("<pic:pic>"), len(_media(given))) == (2, 1)


def test_records_without_end_are_refused() -> None:
    many = drawn.record(0xF002, drawn.record(0xF003, drawn.record(0xF00D, b"", 0) * 70_000))
    with pytest.raises(LimitExceeded):
        run(build.document(para("本文"), parts={Part.DRAWINGS: drawn.record(0xF000, b"") + b"\0" + many}), "x.doc")


def test_groups_in_groups_without_end_are_refused() -> None:
    deep = shape(1, 9)
    for _ in range(40):
        deep = group(shape(0, 9, inside=(0, 0, 9, 9)), deep)
    with pytest.raises(LimitExceeded):
        run(drawn.document(deep), "x.doc")


def test_groups_that_are_too_deep_to_be_drawn_are_said() -> None:
    deep = shape(1, 99, place=(0, 0, 9, 9))
    for number in range(12):
        deep = group(shape(0, 9 if number == 11 else 50 + number, place=(0, 0, 9, 9), inside=(0, 0, 9, 9)), deep)
    assert "<w:drawing" not in _part(drawn.document(deep), LOST)


def test_members_of_groups_are_counted_each_time_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that nobody can draw too: many places may show one group."""
    monkeypatch.setattr(product, "_MOST_MEMBERS", 5)
    crowd = group(shape(0, 9, inside=(0, 0, 9, 9)), *(shape(255, 20 + number, place=(0, 0, 9, 9)) for number in range(3)))
    parts = {Part.SHAPES: build.plc([1, 2, 4], [anchor(), anchor()]), Part.DRAWINGS: drawings(crowd)}
    with pytest.raises(LimitExceeded):
        run(build.document(para("絵", Run("\x08", SPECIAL), Run("\x08", SPECIAL)), parts=parts), "x.doc")
    assert run(drawn.document(crowd), "x.doc").content is not None


def test_drawings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "_MOST", 1)
    given = build.document(para(IN_LINE, IN_LINE), data=build.picture(png()))
    with pytest.raises(LimitExceeded):
        run(given, "x.doc")
