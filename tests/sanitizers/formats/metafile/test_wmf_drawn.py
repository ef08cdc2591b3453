"""WMF as pixels by policy: every known call is drawn where it belongs, what cannot be drawn whole is held."""

from __future__ import annotations

import contextlib
import struct

import pytest

from sanitizers.formats.metafile import wmf as wmf_family
from sanitizers.formats.metafile import wmf_drawn
from sanitizers.model import Kind, Refused
from tests.build.context import context
from tests.build.metafile import shorts, wmf, wmf_record
from tests.build.metafile_seen import (
    BLACK,
    BLUE,
    CLEAR,
    CORNERS,
    FOUR,
    GREEN,
    INSIDE,
    OUTSIDE,
    RED,
    SQUARE,
    STAR,
    WHITE,
    Place,
    check,
    drawn,
    held,
    needs_font,
)  # fmt: skip

RED_BRUSH = wmf_record(0x02FC, struct.pack("<HIH", 0, 0x0000FF, 0)) + wmf_record(0x012D, shorts(0))
NOTHING_DRAWN = wmf_record(0x02FA, struct.pack("<HhhI", 5, 0, 0, 0)) + wmf_record(0x012D, shorts(1))
WINDOW = wmf_record(0x020C, shorts(100, 200))
WMF_BRUSH = WINDOW + RED_BRUSH + NOTHING_DRAWN
BLUE_PEN = WINDOW + wmf_record(0x02FA, struct.pack("<HhhI", 0, 10, 0, 0xFF0000)) + wmf_record(0x012D, shorts(0))
FLAT = [one for place in SQUARE for one in place]
TALL = b"".join(FOUR)


def wmf_picture(function: int, operation: int, fields: tuple[int, ...], picture: bytes = TALL, usage: bytes = b"") -> bytes:
    return wmf_record(function, struct.pack("<I", operation) + usage + shorts(*fields) + picture)


REGION = struct.pack("<HHIHHH", 0, 6, 0, 0, 1, 2) + bytes(8) + struct.pack("<6H", 2, 20, 60, 20, 60, 2)
WMF: dict[str, tuple[bytes, tuple[Place, ...]]] = {
    "rectangle": (WMF_BRUSH + wmf_record(0x041B, shorts(60, 60, 20, 20)), (INSIDE, OUTSIDE)),
    "ellipse": (WMF_BRUSH + wmf_record(0x0418, shorts(60, 60, 20, 20)), (INSIDE, (22, 22, CLEAR))),
    "rounded": (WMF_BRUSH + wmf_record(0x061C, shorts(20, 20, 60, 60, 20, 20)), (INSIDE, (21, 21, CLEAR))),
    "polygon": (WMF_BRUSH + wmf_record(0x0324, shorts(4, *FLAT)), (INSIDE, OUTSIDE)),
    "polypolygon": (WMF_BRUSH + wmf_record(0x0538, shorts(2, 4, 4, *FLAT, 100, 20, 140, 20, 140, 60, 100, 60)), (INSIDE, (120, 40, RED), (80, 40, CLEAR))),
    "polyline": (BLUE_PEN + wmf_record(0x0325, shorts(2, 20, 20, 60, 20)), ((40, 20, BLUE), (40, 40, CLEAR))),
    "line": (BLUE_PEN + wmf_record(0x0214, shorts(20, 20)) + wmf_record(0x0213, shorts(20, 60)) + wmf_record(0x0213, shorts(60, 60)), ((40, 20, BLUE), (60, 40, BLUE))),
    "pie": (WMF_BRUSH + wmf_record(0x081A, shorts(20, 50, 50, 80, 80, 80, 20, 20)), ((60, 40, RED), (40, 60, CLEAR))),
    "chord": (WMF_BRUSH + wmf_record(0x0830, shorts(20, 50, 50, 80, 80, 80, 20, 20)), ((70, 32, RED), (55, 45, CLEAR))),
    "arc": (BLUE_PEN + wmf_record(0x0817, shorts(20, 50, 50, 80, 80, 80, 20, 20)), ((71, 29, BLUE), (60, 40, CLEAR))),
    "pixel": (WINDOW + wmf_record(0x041F, struct.pack("<Ihh", 0xFF, 40, 40)), ((40.5, 40.5, RED), (42, 40.5, CLEAR))),
    "window moved": (WMF_BRUSH + wmf_record(0x020B, shorts(10, 20)) + wmf_record(0x020F, shorts(10, 20)) + wmf_record(0x041B, shorts(60, 80, 20, 40)), ((20, 20, RED), (45, 20, CLEAR))),
    "window scaled": (WMF_BRUSH + wmf_record(0x0410, shorts(1, 2, 1, 2)) + wmf_record(0x041B, shorts(100, 100, 40, 40)), ((30, 30, RED), (60, 30, CLEAR))),
    "saved": (WMF_BRUSH + wmf_record(0x001E) + wmf_record(0x012D, shorts(7)) + wmf_record(0x0127, shorts(-1)) + wmf_record(0x041B, shorts(60, 60, 20, 20)), (INSIDE,)),
    "clipped": (WMF_BRUSH + wmf_record(0x0416, shorts(40, 40, 0, 0)) + wmf_record(0x041B, shorts(60, 60, 20, 20)), ((30, 30, RED), (50, 50, CLEAR))),
    "left out": (WMF_BRUSH + wmf_record(0x0415, shorts(50, 50, 30, 30)) + wmf_record(0x041B, shorts(60, 60, 20, 20)), ((25, 25, RED), (40, 40, CLEAR))),
    "painted": (WMF_BRUSH + wmf_record(0x061D, struct.pack("<I4h", 0xF00021, 40, 40, 20, 20)), (INSIDE, OUTSIDE)),
    "blitted without a picture": (WINDOW + wmf_record(0x0922, struct.pack("<I7h", 0x42, 0, 0, 0, 40, 40, 20, 20)), ((40, 40, BLACK),)),
    "picture": (WINDOW + wmf_picture(0x0F43, 0xCC0020, (2, 2, 0, 0, 40, 40, 20, 20), usage=shorts(0)), tuple((*one, colour) for one, colour in zip(CORNERS, (RED, GREEN, BLUE, WHITE), strict=True))),
    "picture stretched": (WINDOW + wmf_picture(0x0B41, 0xCC0020, (2, 2, 0, 0, 40, 40, 20, 20)), ((25, 55, RED), (55, 25, WHITE))),
    "picture as it is": (WINDOW + wmf_picture(0x0940, 0xCC0020, (0, 0, 2, 2, 20, 20)), ((20.5, 21.5, RED), (21.5, 21.5, GREEN), (21.5, 20.5, WHITE))),
    "pattern": (WINDOW + wmf_record(0x0142, shorts(5, 0) + TALL) + wmf_record(0x012D, shorts(0)) + wmf_record(0x061D, struct.pack("<I4h", 0xF00021, 40, 40, 20, 20)), ((20.5, 21.5, RED), (41.5, 41.5, GREEN))),
    "region painted": (WMF_BRUSH + wmf_record(0x06FF, REGION) + wmf_record(0x012B, shorts(2)), (INSIDE, OUTSIDE)),
    "region clips": (WMF_BRUSH + wmf_record(0x06FF, REGION) + wmf_record(0x012C, shorts(2)) + wmf_record(0x041B, shorts(100, 200, 0, 0)), (INSIDE, OUTSIDE)),
    "region selected, then none": (WMF_BRUSH + wmf_record(0x06FF, REGION) + wmf_record(0x012D, shorts(2)) + wmf_record(0x012C, shorts(9)) + wmf_record(0x041B, shorts(100, 200, 0, 0)), (INSIDE, (100, 40, RED))),
    "places are used again": (
        WINDOW + wmf_record(0x00F7, struct.pack("<HHI", 0x300, 1, 0)) + NOTHING_DRAWN + wmf_record(0x01F0, shorts(0)) + RED_BRUSH + wmf_record(0x041B, shorts(60, 60, 20, 20)), (INSIDE,),
    ),
    "alternate": (WMF_BRUSH + wmf_record(0x0106, shorts(1)) + wmf_record(0x0324, shorts(10, *(one for place in STAR for one in place))), ((40, 30, CLEAR),)),
    "no points": (BLUE_PEN + wmf_record(0x0325, shorts(0)) + wmf_record(0x0325, shorts(2, 20, 20, 60, 20)), ((40, 20, BLUE),)),
    "window said before its size": (
        wmf_record(0x020B, shorts(10, 20)) + WMF_BRUSH + wmf_record(0x041B, shorts(60, 80, 20, 40)), ((30, 20, RED), (65, 20, CLEAR), (10, 20, CLEAR)),
    ),
    "what is selected is not there": (WMF_BRUSH + wmf_record(0x00F7, struct.pack("<HHI", 0x300, 1, 0)) + wmf_record(0x012D, shorts(2)) + wmf_record(0x01F0, shorts(7)) + wmf_record(0x041B, shorts(60, 60, 20, 20)), (INSIDE,)),
    "measured as it is, not spread, from left to right": (
        WMF_BRUSH + wmf_record(0x0103, shorts(8)) + wmf_record(0x0108, shorts(0)) + wmf_record(0x0149, bytes(4)) + wmf_record(0x041B, shorts(60, 60, 20, 20)), (INSIDE,),
    ),
    "picture from the top": (
        WINDOW + wmf_picture(0x0F43, 0xCC0020, (1, 2, 0, 0, 40, 40, 20, 20), struct.pack("<IiiHHIIiiII", 40, 2, -2, 1, 24, 0, 16, 0, 0, 0, 0) + FOUR[1], usage=shorts(0)),
        ((25, 40, RED), (55, 40, GREEN)),
    ),
    "picture of OS/2": (
        WINDOW + wmf_picture(0x0F43, 0xCC0020, (2, 2, 0, 0, 40, 40, 20, 20), struct.pack("<IHHHH", 12, 2, 2, 1, 24) + FOUR[1], usage=shorts(0)),
        ((25, 55, RED), (55, 25, WHITE)),
    ),
    "picture of OS/2 with a palette": (
        WINDOW + wmf_picture(0x0F43, 0xCC0020, (1, 2, 0, 0, 40, 40, 20, 20), struct.pack("<IHHHH", 12, 2, 1, 1, 1) + bytes((0, 0, 255, 255, 0, 0)) + b"\x40\0\0\0", usage=shorts(0)),
        ((25, 40, RED), (55, 40, BLUE)),
    ),
    "winding": (WMF_BRUSH + wmf_record(0x0106, shorts(2)) + wmf_record(0x0324, shorts(10, *(one for place in STAR for one in place))), ((40, 30, RED),)),
}  # fmt: skip


@pytest.mark.parametrize("case", WMF)
@pytest.mark.parametrize("placeable", [True, False])
def test_a_wmf_is_drawn_where_it_belongs(case: str, *, placeable: bool) -> None:
    records, seen = WMF[case]
    check(drawn(wmf(records, placeable=placeable), "a.wmf"), seen)


WMF_FONT = wmf_record(0x02FB, struct.pack("<5h8B", -20, 0, 0, 0, 400, 0, 0, 0, 128, 0, 0, 0, 0) + "ＭＳ 明朝".encode("cp932").ljust(32, b"\0")) + wmf_record(0x012D, shorts(0))


@needs_font
def test_text_of_a_wmf_is_set_in_its_character_set() -> None:
    said = "関所".encode("cp932")
    see_through = WINDOW + WMF_FONT + wmf_record(0x0102, shorts(1))
    plain = drawn(wmf(see_through + wmf_record(0x0521, shorts(4) + said + shorts(20, 30))), "a.wmf")
    spread = drawn(wmf(see_through + wmf_record(0x0A32, shorts(20, 30, 4, 0) + said + shorts(30, 0, 30, 0))), "a.wmf")
    undecided = drawn(wmf(see_through + wmf_record(0x0A32, shorts(20, 30, 4, 0) + said)), "a.wmf")
    for image, width in ((plain, (34, 44)), (spread, (44, 56)), (undecided, (34, 44))):
        box = image.getbbox()
        assert box is not None
        assert 29 * 8 < box[0] < 34 * 8
        assert width[0] < (box[2] - box[0]) / 8 < width[1]


WMF_HELD: dict[str, tuple[bytes, str]] = {
    "no size": (RED_BRUSH, "without a size"),
    "a mapping of its own": (WINDOW + wmf_record(0x0103, shorts(2)), "measures"),
    "spread": (WINDOW + wmf_record(0x0108, shorts(2)), "spread"),
    "right to left": (WINDOW + wmf_record(0x0149, struct.pack("<I", 1)), "right to left"),
    "clip moved": (WINDOW + wmf_record(0x0220, shorts(1, 1)), "moved"),
    "viewport": (WINDOW + wmf_record(0x020E, shorts(1, 1)), "record 020E"),
    "frame of a region": (WINDOW + wmf_record(0x0429, shorts(0, 0, 1, 1)), "record 0429"),
    "no such text": (WINDOW + WMF_FONT + wmf_record(0x0521, shorts(2) + b"\x81\xff" + shorts(20, 30)), "none in cp932"),
    "objects without end": (WINDOW + wmf_record(0x00F7, struct.pack("<HHI", 0x300, 1, 0)) * (wmf_drawn._MOST_OBJECTS + 1), "objects without end"),
    "mixing": (WINDOW + wmf_record(0x061D, struct.pack("<I4h", 0x5A0049, 40, 40, 20, 20)), "mixes"),
}  # fmt: skip


@pytest.mark.parametrize("case", WMF_HELD)
def test_a_wmf_that_cannot_be_drawn_whole_is_held(case: str) -> None:
    held(wmf(WMF_HELD[case][0], placeable=False), "a.wmf", WMF_HELD[case][1])


def test_damage_at_any_place_is_refused_or_harmless() -> None:
    """Nothing but a refusal comes of it: what is drawn are records that we wrote ourselves, as long as they say."""
    data = wmf(WMF["pie"][0], WMF["region painted"][0], WMF["picture"][0])
    for place in range(40, len(data), 5):
        for value in (0, 0xFF):
            changed = data[:place] + bytes((value,)) + data[place + 1 :]
            with contextlib.suppress(Refused):
                assert wmf_drawn.draw(wmf_family.rebuild(memoryview(changed), context("a", Kind.WMF))) is not None
