"""Each record of EMF and WMF by itself: what it declares is written anew, slack is left behind, and what says too much is no record."""

from __future__ import annotations

import struct

import pytest

from sanitizers.formats.metafile import emf_records, wmf_records
from sanitizers.formats.metafile.emf_records import Drawing
from sanitizers.model import Kind
from tests.build.context import context
from tests.build.metafile import CANARY, dib, record, shorts, words

BOX = words(0, 0, 99, 99)


def _emf(kind: int, body: bytes, handles: int = 8) -> bytes:
    return emf_records.made(kind, record(kind, body), Drawing(context("a.emf", Kind.EMF), handles))


def _wmf(function: int, data: bytes) -> bytes:
    return wmf_records.made(function, data, context("a.wmf", Kind.WMF))


def _emf_drops(kind: int, body: bytes, handles: int = 8) -> None:
    with pytest.raises((emf_records.Dropped, struct.error)):
        _emf(kind, body, handles)


def _wmf_drops(function: int, data: bytes) -> None:
    with pytest.raises((wmf_records.Dropped, struct.error)):
        _wmf(function, data)


REGION = struct.pack("<4I", 32, 1, 2, 32) + BOX + BOX * 2
TEXT = BOX + struct.pack("<Iff", 1, 1.0, 1.0)


# ---------------------------------------------------------------------------------------------------------------------- EMF

# Record → its parameters as they must come out again, whatever stands behind them.
KEPT = {
    "polyline": (4, BOX + struct.pack("<I", 2) + words(1, 2, 3, 4)),
    "polyline of nothing": (4, BOX + struct.pack("<I", 0)),
    "polyline of words": (87, BOX + struct.pack("<I", 2) + shorts(1, 2, 3, 4)),
    "polygons": (8, BOX + struct.pack("<IIII", 2, 3, 1, 2) + words(*range(6))),
    "polygons of none": (8, BOX + struct.pack("<II", 0, 0)),
    "curve of types": (56, BOX + struct.pack("<I", 4) + words(*range(8)) + bytes((6, 2, 2, 3))),
    "curve of no point": (56, BOX + struct.pack("<I", 0)),
    "palette": (49, struct.pack("<IHH", 1, 0x300, 2) + b"RGB\0RGB\0"),
    "entries": (50, struct.pack("<III", 1, 0, 2) + b"RGB\0RGB\0"),
    "filled region": (71, BOX + struct.pack("<II", len(REGION), 1) + REGION),
    "framed region": (72, BOX + struct.pack("<IIii", len(REGION), 0x80000001, 2, 2) + REGION),
    "inverted region": (73, BOX + struct.pack("<I", len(REGION)) + REGION),
    "painted region": (74, BOX + struct.pack("<I", len(REGION)) + REGION),
    "clip": (75, struct.pack("<II", len(REGION), 5) + REGION),
    "clip of nothing": (75, struct.pack("<II", 0, 5)),
    "pen": (95, struct.pack("<I", 1) + bytes(16) + struct.pack("<8I", 0x10007, 2, 0, 0xFF, 0, 2, 3, 1)),
    "pen without dashes": (95, struct.pack("<I", 1) + bytes(16) + struct.pack("<6I", 0x10000, 2, 0, 0xFF, 0, 0)),
    "small text": (108, words(1, 2) + struct.pack("<III", 4, 0, 1) + bytes(8) + BOX + "住所氏名".encode("utf-16-le")),
    "smaller text": (108, words(1, 2) + struct.pack("<III", 4, 0x300, 1) + bytes(8) + b"name"),
    "gradient of triangles": (118, BOX + struct.pack("<III", 3, 1, 2) + bytes(48) + struct.pack("<3I", 0, 1, 2)),
    "gradient of rectangles": (118, BOX + struct.pack("<III", 2, 1, 0) + bytes(32) + struct.pack("<2I", 0, 1) + bytes(4)),
    "transform": (35, struct.pack("<6f", 1, 0, 0, 1, 5, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_a_record_of_emf_stays_as_it_declares_itself_and_slack_does_not(name: str) -> None:
    kind, body = KEPT[name]
    assert _emf(kind, body) == record(kind, body)
    assert _emf(kind, body + CANARY) == record(kind, body)


@pytest.mark.parametrize("name", KEPT)
def test_a_record_of_emf_that_is_cut_off_is_none(name: str) -> None:
    kind, body = KEPT[name]
    _emf_drops(kind, body[: -8 if name == "gradient of rectangles" else -4])       # its last four bytes are padding


def test_what_a_record_says_about_itself_is_made_right() -> None:
    """A region's size, the version of a palette, flags of points that no reader knows, a pen's pattern."""
    assert _emf(74, BOX + struct.pack("<I", len(REGION) + 16) + REGION + CANARY[:16]) == record(74, BOX + struct.pack("<I", len(REGION)) + REGION)
    assert _emf(49, struct.pack("<IHH", 1, 0x999, 1) + b"RGB\0") == record(49, struct.pack("<IHH", 1, 0x300, 1) + b"RGB\0")
    curve = BOX + struct.pack("<I", 4) + words(*range(8))
    assert _emf(56, curve + bytes((0xFE, 0xF2, 2, 3))) == record(56, curve + bytes((6, 2, 2, 3)))
    pen = struct.pack("<IIIII", 1, 52, 40, 92, 4)
    made = _emf(95, pen + struct.pack("<6I", 0x10000, 2, 6, 0xFF, 0, 0) + CANARY)
    assert made == record(95, struct.pack("<I", 1) + bytes(16) + struct.pack("<6I", 0x10000, 2, 0, 0xFF, 0, 0)), "a pattern is its colour"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (8, BOX + struct.pack("<IIII", 2, 4, 1, 2) + words(*range(8))),                             # more points than polygons have
        (35, struct.pack("<6f", float("nan"), 0, 0, 1, 5, 5)), (36, struct.pack("<6fI", 1, 0, 0, 1, float("inf"), 5, 2)),
        (74, BOX + struct.pack("<I", 32) + struct.pack("<4I", 32, 1, 1, 16) + BOX),                # a rectangle more than its length
        (74, BOX + struct.pack("<I", len(REGION)) + struct.pack("<I", 33) + REGION[4:]), (74, BOX + struct.pack("<I", len(REGION)) + REGION[:4] + bytes(4) + REGION[8:]),
        (118, BOX + struct.pack("<III", 3, 1, 3) + bytes(48) + struct.pack("<3I", 0, 1, 2)),        # no such gradient
        (118, BOX + struct.pack("<III", 3, 1, 2) + bytes(48) + struct.pack("<3I", 0, 1, 3)),        # a corner that is not there
        (105, bytes(64)), (97, bytes(16)), (0x4000, b""),                                           # records of no drawing
    ],
)  # fmt: skip
def test_a_record_of_emf_that_contradicts_itself_is_none(kind: int, body: bytes) -> None:
    _emf_drops(kind, body)


def test_handles_are_of_the_drawing_or_of_the_stock() -> None:
    for index, good in ((1, True), (7, True), (0, False), (8, False), (0x80000000, True), (0x80000013, True), (0x80000014, False)):
        if good:
            assert _emf(37, struct.pack("<I", index)) == record(37, struct.pack("<I", index))
        else:
            _emf_drops(37, struct.pack("<I", index))
    _emf_drops(39, struct.pack("<IIII", 0x80000001, 0, 0, 0))       # made anew is only what has a place
    _emf_drops(71, BOX + struct.pack("<II", len(REGION), 9) + REGION)


def test_a_font_is_its_name_and_nothing_behind_it() -> None:
    head = struct.pack("<Iiiiii8B", 1, -20, 0, 0, 0, 400, 0, 0, 0, 128, 0, 0, 0, 0)
    name = "明朝".encode("utf-16-le")
    made = _emf(82, head + (name + b"\0\0" + CANARY).ljust(64, b"\0") + CANARY.ljust(228))
    assert made == record(82, head + name.ljust(292, b"\0"))
    assert _emf(82, head + b"x\0" * 32 + bytes(228)) == record(82, head + (b"x\0" * 31).ljust(292, b"\0")), "a name without an end"


def test_a_text_says_its_letters_and_their_distances() -> None:
    text = "住所".encode("utf-16-le")

    def given(options: int, distances: bytes, at: int, gap: bytes = b"") -> bytes:
        return TEXT + words(5, 6) + struct.pack("<III", 2, 76 + len(gap), options) + BOX + struct.pack("<I", at) + gap + text + distances

    for options, distances in ((0, words(9, 9)), (0x2000, words(9, 0, 9, 0))):
        assert _emf(84, given(options, distances, 80)) == record(84, given(options, distances, 80))
        assert _emf(84, given(options, distances, 84, gap=b"slak")) == record(84, given(options, distances, 80))
    assert _emf(84, given(0x300, b"", 0)) == record(84, given(0, b"", 0)), "the rectangle is always there"
    _emf_drops(84, given(0, b"", 80))
    _emf_drops(84, given(0, words(9), 80))
    empty = TEXT + words(5, 6) + struct.pack("<III", 0, 0, 0) + BOX + struct.pack("<I", 0)
    assert _emf(84, empty) == record(84, TEXT + words(5, 6) + struct.pack("<III", 0, 76, 0) + BOX + struct.pack("<I", 0))


def _brush(info: bytes, rows: bytes, usage: int = 0) -> bytes:
    return struct.pack("<6I", 1, usage, 32, len(info), 32 + len(info), len(rows)) + info + rows


def test_a_brush_of_a_bitmap_is_made_anew_or_paints_nothing() -> None:
    info, rows = dib(bytes(range(12)) + bytes(4), (2, 2))
    made = _emf(94, _brush(info, rows))
    assert made[8:16] == struct.pack("<II", 1, 0)
    assert rows[:6] in made
    nothing = record(39, struct.pack("<IIII", 1, 1, 0, 0))
    assert _emf(94, _brush(info, rows, usage=1)) == nothing, "colours of the moment of painting"
    assert _emf(94, _brush(b"x" * 40, rows)) == nothing
    assert _emf(93, _brush(info, rows)) == nothing


def test_a_pattern_alone_is_painted_without_a_bitmap() -> None:
    fields = BOX + words(0, 0, 9, 9) + struct.pack("<I", 0xF00021) + words(0, 0) + struct.pack("<6f", 1, 0, 0, 1, 0, 0) + struct.pack("<II", 0, 0)
    given = fields + struct.pack("<4I", 100, 0, 100, 0)
    assert _emf(76, given + CANARY) == record(76, fields + bytes(16))
    _emf_drops(76, given[:-4])


# ---------------------------------------------------------------------------------------------------------------------- WMF

SCANS = shorts(2, 1, 5, 3, 9, 2) + shorts(4, 5, 9, 1, 2, 3, 4, 4)
WMF_REGION = struct.pack("<HHIHHH", 0, 6, 0, 22 + len(SCANS), 2, 4) + shorts(0, 0, 9, 9) + SCANS
WMF_KEPT = {
    "polygon": (0x0324, shorts(2, 1, 2, 3, 4)), "polyline": (0x0325, shorts(0)), "polygons": (0x0538, shorts(2, 1, 2, *range(6))),
    "palette": (0x00F7, shorts(0x300, 2) + b"RGB\0RGB\0"), "text": (0x0521, shorts(4) + b"name" + shorts(5, 6)),
    "text of three letters": (0x0521, shorts(3) + b"abc\0" + shorts(5, 6)), "text in its place": (0x0A32, shorts(5, 6, 4, 0) + b"name"),
    "text in its place with distances": (0x0A32, shorts(5, 6, 2, 0) + b"ab" + shorts(7, 7)),
    "text in its rectangle": (0x0A32, shorts(5, 6, 2, 2, 0, 0, 9, 9) + b"ab"), "region": (0x06FF, WMF_REGION),
    "brush alone": (0x0940, shorts(*range(9))), "stretched brush alone": (0x0B41, shorts(*range(11))), "colour": (0x0209, struct.pack("<I", 0xFF)),
}  # fmt: skip


@pytest.mark.parametrize("name", WMF_KEPT)
def test_a_record_of_wmf_stays_as_it_declares_itself(name: str) -> None:
    function, data = WMF_KEPT[name]
    assert _wmf(function, data) == data
    if name not in ("brush alone", "stretched brush alone") and "in its" not in name:
        assert _wmf(function, data + CANARY) == data


@pytest.mark.parametrize("name", WMF_KEPT)
def test_a_record_of_wmf_that_is_cut_off_is_none(name: str) -> None:
    function, data = WMF_KEPT[name]
    if "distances" in name:
        assert _wmf(function, data[:-2]) == data[:-4], "some distances are none"
    else:
        _wmf_drops(function, data[:-2])


def test_an_odd_number_of_letters_is_padded() -> None:
    assert _wmf(0x0521, shorts(3) + b"abcX" + shorts(5, 6)) == shorts(3) + b"abc\0" + shorts(5, 6)
    assert _wmf(0x0A32, shorts(5, 6, 3, 0) + b"abcX") == shorts(5, 6, 3, 0) + b"abc\0"


def test_a_name_of_a_font_ends_at_its_zero() -> None:
    assert _wmf(0x02FB, bytes(18) + b"Mincho\0" + CANARY) == bytes(18) + b"Mincho".ljust(32, b"\0")
    assert _wmf(0x02FB, bytes(18) + b"x" * 60) == bytes(18) + b"x" * 31 + b"\0"


@pytest.mark.parametrize(
    "data",
    [
        WMF_REGION[:10] + struct.pack("<h", -1) + WMF_REGION[12:], WMF_REGION[:10] + shorts(3) + WMF_REGION[12:], WMF_REGION[:-2] + shorts(2),
        WMF_REGION[:22] + shorts(3, 1, 5, 3, 9, 4, 3) + WMF_REGION[34:],
    ],
)  # fmt: skip
def test_a_region_that_contradicts_itself_is_none(data: bytes) -> None:
    _wmf_drops(0x06FF, data)


def test_a_region_says_its_size_anew() -> None:
    wrong = struct.pack("<HHIHHH", 7, 7, 7, 7, 2, 99) + WMF_REGION[14:]
    assert _wmf(0x06FF, wrong) == WMF_REGION


@pytest.mark.parametrize("function", [0x0626, 0x0000, 0x4000])
def test_a_function_of_no_drawing_is_none(function: int) -> None:
    _wmf_drops(function, bytes(64))


def test_bitmaps_of_wmf_are_made_anew_or_left_behind() -> None:
    info, rows = dib(bytes(range(12)) + bytes(4), (2, 2))
    fields = struct.pack("<I", 0xCC0020) + shorts(2, 2, 0, 0, 9, 9, 0, 0)
    made = _wmf(0x0B41, fields + info + rows + CANARY)
    assert made.startswith(fields)
    assert rows[:6] in made
    assert CANARY not in made
    _wmf_drops(0x0B41, fields + b"x" * 60)
    _wmf_drops(0x0B41, fields)


def test_a_brush_of_wmf_is_made_anew_or_paints_nothing() -> None:
    info, rows = dib(bytes(range(12)) + bytes(4), (2, 2))
    made = _wmf(0x0142, shorts(5, 0) + info + rows)
    assert made.startswith(shorts(5, 0))
    assert rows[:6] in made
    for given in (shorts(3, 0) + info + rows, shorts(5, 1) + info + rows, shorts(5, 0) + b"x"):
        assert _wmf(0x0142, given) == wmf_records.NO_BRUSH[1]
