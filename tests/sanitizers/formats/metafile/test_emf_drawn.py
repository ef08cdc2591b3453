"""EMF as pixels by policy: every known call is drawn where it belongs, what cannot be drawn whole is held.

Most of it is tables of calls and of what is seen.
"""

from __future__ import annotations

import contextlib
import struct

import pytest
from PIL import Image

from sanitizers.formats.metafile import canvas as canvases
from sanitizers.formats.metafile import emf as emf_family
from sanitizers.formats.metafile import emf_drawn, letters, mapping, objects
from sanitizers.model import Kind, LimitExceeded, Refused, Unsupported
from tests.build import metafile as build
from tests.build.context import context, run
from tests.build.metafile import IDENTITY, blit, clip, emf, number, pen, points, record, rectangle, region, select, shorts, words
from tests.build.metafile_seen import (
    BLACK,
    BLUE,
    BOX,
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
    Colour,
    Place,
    at,
    check,
    drawn,
    held,
    needs_font,
    pixels,
)  # fmt: skip

NO_PEN = select(0x80000008)
BRUSH = build.create_brush(1, 0x0000FF) + select(1) + NO_PEN
BEZIERS = (20, 60), (20, 0), (100, 0), (100, 60)
THICK = pen(2, 0, 10, 0xFF0000)
# Name → records, and what is seen where.
SHAPES: dict[str, tuple[bytes, tuple[Place, ...]]] = {
    "rectangle": (BRUSH + rectangle(20, 20, 60, 60), (INSIDE, OUTSIDE)),
    "ellipse": (BRUSH + record(42, words(20, 20, 60, 60)), (INSIDE, OUTSIDE, (22, 22, CLEAR), (21, 40, RED))),
    "rounded": (BRUSH + record(44, words(20, 20, 60, 60, 20, 20)), (INSIDE, (21, 21, CLEAR), (59, 40, RED), (30, 21, RED))),
    "polygon": (BRUSH + points(3, *SQUARE), (INSIDE, OUTSIDE)),
    "polygon of shorts": (BRUSH + points(86, *SQUARE, wide=False), (INSIDE, OUTSIDE)),
    "alternate": (BRUSH + points(3, *STAR), ((25, 30, RED), (40, 30, CLEAR))),
    "winding": (BRUSH + number(19, 2) + points(3, *STAR), ((25, 30, RED), (40, 30, RED))),
    "polyline": (THICK + points(4, (20, 20), (60, 20)), ((40, 20, BLUE), (40, 30, CLEAR))),
    "line goes on": (THICK + record(27, words(20, 20)) + record(54, words(60, 20)) + record(54, words(60, 60)), ((60, 40, BLUE), (40, 20, BLUE), (40, 40, CLEAR))),
    "polyline goes on": (THICK + record(27, words(20, 20)) + points(6, (60, 20), (60, 60)) + record(54, words(20, 60)), ((60, 40, BLUE), (40, 60, BLUE))),
    "curve": (THICK + points(2, *BEZIERS), ((60, 15, BLUE), (60, 60, CLEAR))),
    "curve goes on": (THICK + record(27, words(20, 60)) + points(88, *BEZIERS[1:], wide=False) + record(54, words(20, 60)), ((60, 15, BLUE), (60, 60, BLUE))),
    "polypolygon": (
        BRUSH + record(8, words(0, 0, 0, 0) + struct.pack("<4I", 2, 8, 4, 4) + words(*(x for one in SQUARE for x in one), 100, 20, 140, 20, 140, 60, 100, 60)),
        (INSIDE, (120, 40, RED), (80, 40, CLEAR)),
    ),
    "polypolyline": (
        THICK + record(90, words(0, 0, 0, 0) + struct.pack("<4I", 2, 4, 2, 2) + shorts(20, 20, 60, 20, 20, 60, 60, 60)), ((40, 20, BLUE), (40, 60, BLUE), (60, 40, CLEAR)),
    ),
    "typed points": (
        THICK + record(92, words(0, 0, 0, 0) + struct.pack("<I", 6) + shorts(20, 60, 60, 60, 60, 20, 100, 20, 140, 20, 140, 60) + bytes((6, 2, 3, 4, 4, 4))),
        ((40, 60, BLUE), (60, 40, BLUE), (40, 40, BLUE), (100, 30, BLUE)),
    ),
    "pie": (BRUSH + record(47, words(20, 20, 80, 80, 80, 50, 50, 20)), ((60, 40, RED), (40, 60, CLEAR), (60, 60, CLEAR))),
    "pie the other way": (BRUSH + number(57, 2) + record(47, words(20, 20, 80, 80, 80, 50, 50, 20)), ((60, 40, CLEAR), (40, 60, RED))),
    "chord": (BRUSH + record(46, words(20, 20, 80, 80, 80, 50, 50, 20)), ((70, 32, RED), (55, 45, CLEAR))),
    "arc": (THICK + BRUSH[: len(build.create_brush(1, 0)) + len(select(1))] + record(45, words(20, 20, 80, 80, 80, 50, 50, 20)), ((71, 29, BLUE), (60, 40, CLEAR))),
    "arc goes on": (THICK + record(27, words(20, 50)) + record(55, words(20, 20, 80, 80, 80, 50, 50, 20)) + record(54, words(50, 90)), ((50, 50, BLUE), (71, 29, BLUE), (50, 80, BLUE))),
    "arc by angle": (THICK + record(27, words(50, 50)) + record(41, struct.pack("<iiIff", 50, 50, 30, 0.0, 90.0)), ((65, 50, BLUE), (71, 29, BLUE), (30, 50, CLEAR))),
    "pixel": (record(15, struct.pack("<iiI", 40, 40, 0x0000FF)), ((40.5, 40.5, RED), (42, 40.5, CLEAR))),
    "path": (BRUSH + record(59) + record(27, words(20, 20)) + record(54, words(60, 20)) + record(54, words(60, 60)) + record(61) + record(60) + record(62, bytes(16)), ((50, 30, RED), (30, 50, CLEAR))),
    "path with a line": (THICK + record(59) + points(4, (20, 20), (60, 20)) + record(60) + record(64, bytes(16)), ((40, 20, BLUE),)),
    "path given up": (BRUSH + record(59) + rectangle(20, 20, 60, 60) + record(68) + record(63, bytes(16)), ((40, 40, CLEAR),)),
    "painted region": (BRUSH + record(74, words(0, 0, 0, 0) + struct.pack("<I", 48) + region((20, 20, 60, 60))), (INSIDE, OUTSIDE)),
    "filled region": (BRUSH + record(71, words(0, 0, 0, 0) + struct.pack("<II", 48, 0x80000004) + region((20, 20, 60, 60))) + rectangle(100, 20, 140, 60), ((40, 40, BLACK), (120, 40, RED))),
    "gradient across": (
        record(118, words(0, 0, 0, 0) + struct.pack("<III", 2, 1, 0) + struct.pack("<ii4H", 120, 80, 0, 0, 0xFF00, 0) + struct.pack("<ii4H", 20, 20, 0xFF00, 0, 0, 0) + struct.pack("<III", 0, 1, 0)),
        ((21, 50, (252, 0, 3)), (118.5, 50, (4, 0, 251)), (70, 50, (128, 0, 127))),
    ),
    "hatched": (record(39, struct.pack("<IIII", 1, 2, 0xFF, 4)) + select(1) + NO_PEN + rectangle(20, 20, 60, 60), ((36.3, 38, RED), (38.5, 38.5, WHITE))),
    "see-through hatched": (number(18, 1) + record(39, struct.pack("<IIII", 1, 2, 0xFF, 0)) + select(1) + NO_PEN + rectangle(20, 20, 60, 60), ((38.5, 36.3, RED), (38.5, 38.5, CLEAR))),
    "stock brush": (select(0x80000004) + NO_PEN + rectangle(20, 20, 60, 60), ((40, 40, BLACK),)),
    "no brush": (select(0x80000005) + NO_PEN + rectangle(20, 20, 60, 60), ((40, 40, CLEAR),)),
    "dashes": (pen(1, 1, 2, 0xFF) + points(4, (0, 50), (200, 50)), ((2, 50, RED), (39, 50, CLEAR), (50, 50, RED))),
    "own dashes": (
        record(95, struct.pack("<5I", 1, 0, 0, 0, 0) + struct.pack("<6I", 0x10207, 4, 0, 0xFF, 0, 2) + words(30, 30)) + select(1) + points(4, (0, 50), (200, 50)),
        ((15, 50, RED), (45, 50, CLEAR), (75, 50, RED)),
    ),
    "pen of nothing": (record(95, struct.pack("<5I", 1, 0, 0, 0, 0) + struct.pack("<6I", 0x10000, 4, 1, 0xFF, 0, 0)) + select(1) + points(4, (0, 50), (200, 50)), ((15, 50, CLEAR),)),
    "deleted": (BRUSH + record(40, struct.pack("<I", 1)) + select(0x80000004) + select(1) + rectangle(20, 20, 60, 60), ((40, 40, BLACK),)),
    "black whatever the pen": (BRUSH + number(20, 1) + rectangle(20, 20, 60, 60), ((40, 40, BLACK),)),
    "white whatever the pen": (BRUSH + number(20, 16) + rectangle(20, 20, 60, 60), ((40, 40, WHITE),)),
    "no points": (THICK + points(4) + points(6) + points(3) + record(56, words(0, 0, 0, 0) + struct.pack("<I", 0)) + BRUSH + rectangle(20, 20, 60, 60), (INSIDE,)),
    "closed without a path": (BRUSH + record(61) + rectangle(20, 20, 60, 60), (INSIDE,)),
    "gradient the other way": (
        record(118, words(0, 0, 0, 0) + struct.pack("<III", 2, 1, 1) + struct.pack("<ii4H", 20, 20, 0xFF00, 0, 0, 0) + struct.pack("<ii4H", 120, 80, 0, 0, 0xFF00, 0) + struct.pack("<III", 0, 1, 1)),
        ((70, 21, (252, 0, 3)), (70, 78.5, (4, 0, 251)), (70, 50, (128, 0, 127))),
    ),
    "a clip moved by nothing, a layout from left to right": (record(26, words(0, 0)) + number(115, 0) + BRUSH + rectangle(20, 20, 60, 60), (INSIDE,)),
    "nothing whatever the pen": (BRUSH + number(20, 11) + rectangle(20, 20, 60, 60), ((40, 40, CLEAR),)),
}  # fmt: skip


@pytest.mark.parametrize("case", SHAPES)
def test_a_shape_is_drawn_where_it_belongs(case: str) -> None:
    records, seen = SHAPES[case]
    check(drawn(emf(records)), seen)


def window(*extents: tuple[int, int, int]) -> bytes:
    return b"".join(record(kind, words(x, y)) for kind, x, y in extents)


SAVED = BRUSH + record(33)
STATES: dict[str, tuple[bytes, tuple[Place, ...]]] = {
    "pixels again": (number(17, 8) + window((9, 400, 200), (11, 200, 100)) + number(17, 1) + BRUSH + rectangle(20, 20, 60, 60), (INSIDE, OUTSIDE)),
    "any window": (number(17, 8) + window((9, 400, 400), (10, 40, 0), (11, 200, 100), (12, 10, 0)) + BRUSH + rectangle(80, 80, 160, 160), ((40, 25, RED), (75, 25, CLEAR), (28, 25, CLEAR))),
    "equal window": (number(17, 7) + window((9, 200, 400), (11, 200, 100)) + BRUSH + rectangle(80, 80, 160, 160), ((30, 30, RED), (45, 30, CLEAR))),
    "scaled window": (number(17, 8) + window((9, 200, 100), (11, 200, 100)) + record(32, words(2, 1, 2, 1)) + BRUSH + rectangle(80, 80, 160, 160), ((60, 60, RED), (90, 60, CLEAR))),
    "scaled viewport": (number(17, 8) + window((9, 200, 100), (11, 200, 100)) + record(31, words(1, 2, 1, 2)) + BRUSH + rectangle(80, 80, 160, 160), ((60, 60, RED), (90, 60, CLEAR))),
    "millimetres": (number(17, 2) + BRUSH + rectangle(100, -200, 200, -100), ((57, 57, RED), (30, 57, CLEAR))),
    "world": (record(35, struct.pack("<6f", 0.5, 0, 0, 0.5, 30, 0)) + BRUSH + rectangle(20, 20, 60, 60), ((50, 20, RED), (35, 20, CLEAR))),
    "world and more": (
        record(35, struct.pack("<6f", 2, 0, 0, 2, 0, 0)) + record(36, struct.pack("<6fI", 1, 0, 0, 1, 10, 10, 2)) + BRUSH + rectangle(0, 0, 10, 10), ((30, 30, RED), (15, 15, CLEAR)),
    ),
    "world and before": (
        record(35, struct.pack("<6f", 2, 0, 0, 2, 0, 0)) + record(36, struct.pack("<6fI", 1, 0, 0, 1, 10, 10, 3)) + BRUSH + rectangle(0, 0, 10, 10), ((15, 15, RED), (35, 35, CLEAR)),
    ),
    "world of its own": (record(35, struct.pack("<6f", 2, 0, 0, 2, 0, 0)) + record(36, struct.pack("<6fI", 9, 0, 0, 9, 0, 0, 1)) + BRUSH + rectangle(20, 20, 60, 60), (INSIDE, OUTSIDE)),
    "saved": (SAVED + select(0x80000004) + record(34, words(-1)) + rectangle(20, 20, 60, 60), (INSIDE,)),
    "saved by number": (SAVED + record(33) + select(0x80000004) + record(34, words(1)) + rectangle(20, 20, 60, 60) + record(34, words(-5)), (INSIDE,)),
    "clipped box": (record(30, words(0, 0, 40, 40)) + BRUSH + rectangle(20, 20, 60, 60), ((30, 30, RED), (50, 50, CLEAR), (30, 50, CLEAR))),
    "twice clipped": (record(30, words(0, 0, 40, 100)) + record(30, words(0, 0, 200, 40)) + BRUSH + rectangle(20, 20, 60, 60), ((30, 30, RED), (50, 30, CLEAR), (30, 50, CLEAR))),
    "left out": (record(29, words(30, 30, 50, 50)) + BRUSH + rectangle(20, 20, 60, 60), ((25, 25, RED), (40, 40, CLEAR))),
    "clipped region": (clip(5, (0, 0, 30, 100), (50, 0, 60, 100)) + BRUSH + rectangle(20, 20, 60, 60), ((25, 40, RED), (40, 40, CLEAR), (55, 40, RED))),
    "clipped region and": (clip(5, (0, 0, 30, 100)) + clip(1, (0, 0, 200, 30)) + BRUSH + rectangle(20, 20, 60, 60), ((25, 25, RED), (25, 40, CLEAR), (40, 25, CLEAR))),
    "clipped no more": (clip(5, (0, 0, 30, 100)) + clip(5) + BRUSH + rectangle(20, 20, 60, 60), (INSIDE,)),
    "clipped for good": (clip(5, (0, 0, 30, 100)) + record(28) + clip(5) + BRUSH + rectangle(20, 20, 60, 60), ((25, 40, RED), (40, 40, CLEAR))),
    "clipped by a path": (record(59) + rectangle(0, 0, 40, 40) + record(60) + number(67, 5) + BRUSH + rectangle(20, 20, 60, 60), ((30, 30, RED), (50, 30, CLEAR))),
}  # fmt: skip


@pytest.mark.parametrize("case", STATES)
def test_the_state_of_the_interface_counts(case: str) -> None:
    records, seen = STATES[case]
    check(drawn(emf(records)), seen)


MASK = pixels(WHITE, BLACK, BLACK, WHITE)
ON_MASK = pixels(BLACK, GREEN, BLUE, BLACK)
PICTURES: dict[str, tuple[bytes, tuple[Colour, ...]]] = {
    "copied": (build.stretch_dib(*FOUR, target=BOX), (RED, GREEN, BLUE, WHITE)),
    "a piece": (build.stretch_dib(*FOUR, target=BOX, source=(1, 0, 1, 1)), (GREEN, GREEN, GREEN, GREEN)),
    "mirrored": (build.stretch_dib(*FOUR, target=(60, 20, -40, 40)), (GREEN, RED, WHITE, BLUE)),
    "blitted": (blit(0xCC0020, BOX, FOUR), (RED, GREEN, BLUE, WHITE)),
    "painted": (BRUSH + blit(0xF00021, BOX), (RED,) * 4),
    "black": (blit(0x42, BOX), (BLACK,) * 4),
    "white": (blit(0xFF0062, BOX), (WHITE,) * 4),
    "left": (BRUSH + blit(0xAA0029, BOX), (CLEAR,) * 4),
    "masked": (blit(0x8800C6, BOX, MASK) + blit(0xEE0086, BOX, ON_MASK), (CLEAR, GREEN, BLUE, CLEAR)),
    "masked and turned": (blit(0x8800C6, BOX, MASK) + blit(0x660046, BOX, ON_MASK), (CLEAR, GREEN, BLUE, CLEAR)),
    "mask alone": (blit(0x8800C6, BOX, MASK), (CLEAR, BLACK, BLACK, CLEAR)),
    "without a colour": (
        record(116, blit(0xFF0000, BOX, FOUR)[8:]), (RED, GREEN, CLEAR, WHITE),
    ),
    "pattern": (
        record(94, struct.pack("<6I", 1, 0, 32, 40, 72, 16) + FOUR[0] + FOUR[1]) + select(1) + NO_PEN + rectangle(20, 20, 60, 60), (GREEN,) * 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PICTURES)
def test_a_picture_is_drawn_where_it_belongs(case: str) -> None:
    records, seen = PICTURES[case]
    places = ((25.5, 55.6), (55.5, 55.6), (25.5, 25.6), (55.5, 25.6)) if case == "pattern" else CORNERS
    check(drawn(emf(records)), [(*place, colour) for place, colour in zip(places, seen, strict=True)])


@pytest.mark.parametrize("masks", [b"", struct.pack("<3I", 0xFF0000, 0xFF00, 0xFF)])
def test_what_is_see_through_stays_so(masks: bytes) -> None:
    rows = bytes((0, 0, 255, 255, 0, 0, 0, 0))
    info, rows = build.dib(rows, (2, 1), 32)
    if masks:
        info = info[:16] + struct.pack("<I", 3) + info[20:] + masks
    image = drawn(emf(build.alpha_blend(info, rows, (2, 1))))
    assert (at(image, 105, 30), at(image, 145, 30)) == (RED, CLEAR)


@needs_font
@pytest.mark.parametrize(
    ("change", "left", "right"),
    [
        (b"", (20, 40), (20, 60)),
        (number(22, 24), (20, 20), (20, 40)),
        (number(22, 8), (20, 20), (20, 40)),
        (number(22, 2), (0, 40), (-28, 60)),
        (number(22, 6), (8, 40), (-4, 60)),
        (number(22, 1) + record(27, words(100, 40)), (100, 40), (100, 60)),
    ],
)
def test_text_is_set_where_it_belongs(change: bytes, left: tuple[int, int], right: tuple[int, int]) -> None:
    """Two letters, twelve units from one to the next."""
    x, y = (100, left[1]) if left[0] == 100 else (100 + left[0] - 20 if left[0] != 20 else 100, left[1])
    image = drawn(emf(number(18, 1) + build.font(1, "ＭＳ 明朝") + select(1) + change + build.text((100, 40), "関所")))
    box = image.getbbox()
    assert box is not None
    scale = image.width / 200
    assert abs(box[0] / scale - x) < 4
    assert y - 3 < box[1] / scale < box[3] / scale < right[1] + 4
    assert 26 < (box[2] - box[0]) / scale < 36


@needs_font
def test_text_has_a_ground_where_it_is_opaque_and_goes_on_where_it_ended() -> None:
    ground = number(25, 0x00FFFF) + build.font(1, "ＭＳ 明朝") + select(1)
    image = drawn(emf(ground + number(22, 1) + record(27, words(10, 10)) + build.text((0, 0), "一一") + build.text((0, 0), "一一")))
    yellow = (255, 255, 0)
    assert [at(image, x, 12) for x in (11, 30, 50, 57, 60)] == [yellow, yellow, yellow, yellow, CLEAR]
    bold = build.font(1, "ＭＳ 明朝").replace(struct.pack("<i", 400), struct.pack("<i", 700))
    thin, thick = (drawn(emf(number(18, 1) + one + select(1) + build.text((20, 20), "一"))) for one in (build.font(1, "ＭＳ 明朝"), bold))
    assert sum(thick.getchannel("A").histogram()[128:]) > 1.2 * sum(thin.getchannel("A").histogram()[128:])


@needs_font
def test_a_box_of_text_is_filled_and_clips() -> None:
    said = build.text((20, 20), "関所関所")
    boxed = said[:52] + struct.pack("<I", letters.OPAQUE | letters.CLIPPED) + words(20, 20, 40, 45) + said[72:]
    image = drawn(emf(number(25, 0x00FFFF) + build.font(1, "ＭＳ 明朝") + select(1) + boxed + BRUSH + rectangle(100, 20, 140, 60)))
    assert (at(image, 21, 44), at(image, 60, 30), at(image, 120, 40)) == ((255, 255, 0), CLEAR, RED)
    assert image.crop((0, 0, image.width * 40 // 200 + 1, image.height)).getbbox() is not None


@needs_font
@pytest.mark.parametrize("char", ["\x01", "\uffff", "\ufffe"])
def test_what_is_no_letter_takes_its_room_and_shows_nothing(char: str) -> None:
    box = drawn(emf(number(18, 1) + build.font(1, "ＭＳ 明朝") + select(1) + build.text((20, 20), f"{char}一"))).getbbox()
    assert box is not None
    assert 31 * 8 < box[0] < 36 * 8


@needs_font
def test_small_text_and_turned_text() -> None:
    plain = record(108, struct.pack("<iiII", 20, 20, 2, 0x100) + struct.pack("<Iff", 1, 1, 1) + "関所".encode("utf-16-le"))
    bytes_ = record(108, struct.pack("<iiII", 20, 20, 2, 0x200) + struct.pack("<Iff", 1, 1, 1) + words(0, 0, 0, 0) + b"HH")
    face = number(18, 1) + build.font(1, "ＭＳ 明朝") + select(1)
    for one in (plain, bytes_):
        box = drawn(emf(face + one)).getbbox()
        assert box is not None
        assert 19 * 8 < box[0] < 24 * 8
    turned = build.font(1, "ＭＳ 明朝")
    turned = turned[:20] + struct.pack("<i", 900) + turned[24:]
    box = drawn(emf(number(18, 1) + turned + select(1) + build.text((40, 80), "関所"))).getbbox()
    assert box is not None
    assert box[2] - box[0] < box[3] - box[1], "it runs up"


def a_text(options: int = 0, said: str = "a") -> bytes:
    made = build.text((20, 20), said)
    return made[:52] + struct.pack("<I", options) + made[56:]


def face(*, height: int = -20, charset: int = 0, italic: int = 0, under: int = 0, struck: int = 0) -> bytes:
    made = bytearray(build.font(1, "MS Gothic"))
    struct.pack_into("<i", made, 12, height)
    struct.pack_into("<4B", made, 32, italic, under, struck, charset)
    return number(18, 1) + bytes(made) + select(1)


def narrow_text(said: bytes, distances: int | None = None) -> bytes:
    """ExtTextOutA: bytes in the character set of the font."""
    count = len(said) if distances is None else distances
    coded = said + bytes(-len(said) % 4)
    fields = words(0, 0, -1, -1) + struct.pack("<Iff", 1, 1.0, 1.0) + words(20, 40)
    return record(83, fields + struct.pack("<III", len(said), 76, 0) + words(0, 0, -1, -1) + struct.pack("<I", 76 + len(coded)) + coded + words(*[12] * count))


def spread(image: Image.Image) -> tuple[float, float]:
    """How wide and how high what is drawn is, in units."""
    box = image.getbbox()
    assert box is not None
    return (box[2] - box[0]) / image.width * 200, (box[3] - box[1]) / image.width * 200


@needs_font
def test_text_in_bytes_is_read_in_the_character_set_of_its_font() -> None:
    japanese = drawn(emf(face(charset=128) + narrow_text("関所".encode("cp932"))))
    wide, high = spread(japanese)
    assert 40 < wide < 48, "a distance for each byte: twice twelve from one letter to the next"
    assert 15 < high < 24
    assert spread(drawn(emf(face() + narrow_text("ÄÖ".encode("cp1252")))))[0] < 26


@needs_font
def test_a_line_of_western_text_is_higher_than_its_letters() -> None:
    heights = [spread(drawn(emf(face(height=height, charset=charset) + narrow_text(b"HH"))))[1] for height, charset in ((-23, 0), (23, 0), (23, 128))]
    assert heights[1] < 0.93 * heights[0]
    assert abs(heights[2] - heights[0]) < 0.5


@needs_font
def test_text_slants_and_has_its_lines() -> None:
    plain, slanted, under, struck = (drawn(emf(face(**how) + narrow_text(b"HH"))) for how in ({}, {"italic": 1}, {"under": 1}, {"struck": 1}))
    assert spread(slanted)[0] > spread(plain)[0] + 2
    assert spread(under)[1] > spread(plain)[1] + 1
    assert sum(struck.getchannel("A").histogram()[128:]) > 1.1 * sum(plain.getchannel("A").histogram()[128:])


HELD: dict[str, tuple[bytes, str]] = {
    "mixing paint": (BRUSH + number(20, 7) + rectangle(0, 0, 9, 9), "mixes"),
    "mixing picture": (blit(0x330008, BOX, FOUR), "mixes"),
    "mixing rectangle": (blit(0x550009, BOX), "mixes"),
    "a mask of colours": (blit(0x8800C6, BOX, FOUR), "mixes"),
    "no mask before": (blit(0xEE0086, BOX, FOUR), "mixes"),
    "another mask before": (blit(0x8800C6, BOX, MASK) + blit(0xEE0086, BOX, FOUR), "mixes"),
    "something between": (blit(0x8800C6, BOX, MASK) + BRUSH + rectangle(0, 0, 9, 9) + blit(0xEE0086, BOX, ON_MASK), "mixes"),
    "blend": (record(114, blit(0x01FF0001, BOX, FOUR)[8:]), "mixes"),
    "turned twice": (blit(0xCC0020, BOX, FOUR).replace(IDENTITY, struct.pack("<6f", 2, 0, 0, 2, 0, 0)), "turned twice"),
    "a piece outside": (build.stretch_dib(*FOUR, source=(1, 1, 2, 2)), "leaves"),
    "clip or": (clip(2, (0, 0, 9, 9)), "clip of mode 2"),
    "clip without": (clip(2), "clip of mode 2"),
    "clip path or": (number(67, 3), "clip of mode 3"),
    "clip moved": (record(26, words(1, 0)), "moved"),
    "right to left": (number(115, 1), "right to left"),
    "glyphs": (a_text(0x10), "glyphs"),
    "text right to left": (a_text(0x80), "right to left"),
    "Hebrew": (a_text(0, "\u05d0"), "right to left"),
    "text as a path": (record(59) + a_text(), "as a path"),
    "signs": (build.font(1, "Wingdings").replace(bytes((128, 0, 0, 0, 0)), bytes((2, 0, 0, 0, 0))) + select(1) + a_text(), "signs of the font Wingdings"),
    "downwards": (build.font(1, "@ＭＳ 明朝") + select(1) + a_text(), "top to bottom"),
    "a character set of its own": (face(charset=200) + narrow_text(b"a"), "character set 200"),
    "no such bytes": (face(charset=128) + narrow_text(b"\x81\xff"), "none in cp932"),
    "palette": (build.create_brush(1, 0x1000001), "palette"),
    "pen": (pen(1, 9, 1, 0), "pen of style"),
    "pen of a pattern": (record(95, struct.pack("<5I", 1, 0, 0, 0, 0) + struct.pack("<6I", 0x10000, 4, 2, 0xFF, 0, 0)), "pattern"),
    "pen of no shape": (record(95, struct.pack("<5I", 1, 0, 0, 0, 0) + struct.pack("<6I", 0x10F00, 4, 0, 0xFF, 0, 0)), "shape"),
    "brush": (record(39, struct.pack("<IIII", 1, 9, 0, 0)), "brush of style 9"),
    "triangles": (record(118, words(0, 0, 0, 0) + struct.pack("<III", 3, 1, 2) + bytes(48) + struct.pack("<III", 0, 1, 2)), "triangles"),
    "mapping": (number(17, 99), "mapping"),
    "a window of nothing": (number(17, 8) + window((9, 0, 5)), "without a size"),
    "a scale by nothing": (record(32, words(1, 0, 1, 1)), "by nothing"),
    "a transform": (record(36, struct.pack("<6fI", 1, 0, 0, 1, 0, 0, 9)), "transform"),
    "typed": (record(56, words(0, 0, 0, 0) + struct.pack("<I", 1) + words(1, 1) + b"\0\0\0\0"), "unknown type"),
    "an arc of nothing": (record(45, words(20, 20, 20, 80, 0, 0, 9, 9)), "arc without a size"),
    "an arc without end": (record(41, struct.pack("<iiIff", 50, 50, 30, 0.0, 1e9)), "without end"),
    "far away": (record(35, struct.pack("<6f", 1e30, 0, 0, 1, 0, 0)) + rectangle(1, 1, 9, 9), "too far"),
    "a picture far away": (record(35, struct.pack("<6f", 1e30, 0, 0, 1, 0, 0)) + build.stretch_dib(*FOUR), "too far"),
    "text far away": (number(18, 1) + record(35, struct.pack("<6f", 1e30, 0, 0, 1, 0, 0)) + a_text(), "too far"),
    "flood": (record(53, struct.pack("<iiII", 1, 1, 0, 0)), "record 53"),
}  # fmt: skip


@pytest.mark.parametrize("case", HELD)
def test_what_cannot_be_drawn_whole_is_held(case: str) -> None:
    held(emf(HELD[case][0]), why=HELD[case][1])


def test_a_frame_without_a_size_is_held() -> None:
    data = bytearray(emf())
    data[24:40] = words(0, 0, 0, 0)
    held(bytes(data), why="frame")
    data = bytearray(emf())
    data[72:80] = words(0, 0)
    held(bytes(data), why="device")


def test_nothing_is_drawn_without_end() -> None:
    made = canvases.Canvas((0, 0, 10, 10))
    with pytest.raises(LimitExceeded, match="elements"):
        for _ in range(canvases._MOST_ELEMENTS + 1):
            made._new()
    with pytest.raises(LimitExceeded, match="grows"):
        made._letters = canvases._MOST_LETTERS
        made.state.brush = objects.WHITE_BRUSH
        made._count = 0
        made.draw("M0 0L1 1Z")
    with pytest.raises(LimitExceeded, match="saved"):
        for _ in range(canvases._MOST_SAVED + 1):
            made.save()
    with pytest.raises(Unsupported, match="without end"):
        letters.write(made, letters.Line("x" * 100_001, (0, 0), 0, (0, 0, 0, 0)))
    with pytest.raises(Unsupported, match="mapping"):
        mapping.remap(canvases.State(mode=0), (1.0, 1.0))


def test_damage_at_any_place_is_refused_or_harmless() -> None:
    """Nothing but a refusal comes of it: what is drawn are records that we wrote ourselves, as long as they say."""
    data = emf(*(records for records, _ in (SHAPES["path"], SHAPES["typed points"], STATES["clipped region"])), a_text())
    for place in range(40, len(data), 5):
        for value in (0, 0xFF):
            changed = data[:place] + bytes((value,)) + data[place + 1 :]
            with contextlib.suppress(Refused):
                assert emf_drawn.draw(emf_family.rebuild(memoryview(changed), context("a", Kind.EMF))) is not None


def test_policy_that_says_nothing_leaves_a_metafile_one() -> None:
    made = run(emf(rectangle(0, 0, 9, 9)), "a.emf")
    assert made.report.output is not None
    assert made.report.output.kind is Kind.EMF
