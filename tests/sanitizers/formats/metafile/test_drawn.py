"""Metafiles as pixels by policy: every known call is drawn where it belongs, what cannot be drawn whole is held.

EMF and WMF in one file, since they are looked at with the same eyes; most of it is tables of calls and of what is seen.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterable

import pytest
from PIL import Image

from sanitizers import vector
from sanitizers.formats.metafile import canvas as canvases
from sanitizers.formats.metafile import emf as emf_family
from sanitizers.formats.metafile import emf_drawn, letters, mapping, objects, wmf_drawn
from sanitizers.formats.metafile import wmf as wmf_family
from sanitizers.model import Kind, LimitExceeded, Reason, Refused, Unsupported, Verdict
from tests.build import metafile as build
from tests.build.context import context, run
from tests.build.metafile import emf, record, rectangle, select, shorts, wmf, wmf_record, words

RED, GREEN, BLUE, WHITE, BLACK, CLEAR = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), None
NO_PEN = select(0x80000008)
BRUSH = build.create_brush(1, 0x0000FF) + select(1) + NO_PEN
IDENTITY = struct.pack("<6f", 1, 0, 0, 1, 0, 0)
needs_font = pytest.mark.skipif(vector._FONT is None, reason="no font is installed")


def drawn(data: bytes, name: str = "a.emf") -> Image.Image:
    outcome = run(data, name, metafiles_as_pixels=True)
    assert outcome.content is not None, outcome.report
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.PNG, "a.png")
    assert "metafile.drawn" in {one.code for one in outcome.report.findings}
    assert outcome.report.verdict is Verdict.SANITIZED
    return Image.open(io.BytesIO(outcome.content.bytes())).convert("RGBA")


def at(image: Image.Image, x: float, y: float, width: float = 200) -> tuple[int, ...] | None:
    """The colour at a place of a drawing of so many units; None where nothing was drawn."""
    scale = image.width / width
    red, green, blue, alpha = image.getpixel((round(x * scale), round(y * scale)))      # type: ignore[misc]
    return (red, green, blue) if alpha else None


def check(image: Image.Image, seen: Iterable[tuple[float, float, tuple[int, ...] | None]]) -> None:
    """Pixels between two of a picture that is drawn larger are a little of both."""
    for x, y, wanted in seen:
        found = at(image, x, y)
        near = (found is None) == (wanted is None) and all(abs(one - other) < 40 for one, other in zip(found or (), wanted or (), strict=True))
        assert near, (x, y, found, wanted)


def held(data: bytes, name: str = "a.emf", why: str = "") -> None:
    outcome = run(data, name, metafiles_as_pixels=True)
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND), outcome.report.findings
    assert outcome.report.findings[-1].code == "metafile.not_drawn"
    assert why in outcome.report.findings[-1].detail
    assert run(data, name).content is not None, "as a metafile it goes through"


def points(kind: int, *places: tuple[int, int], wide: bool = True) -> bytes:
    flat = [one for place in places for one in place]
    return record(kind, words(0, 0, 0, 0) + struct.pack("<I", len(places)) + (words(*flat) if wide else shorts(*flat)))


def pen(handle: int, style: int, width: int, colour: int) -> bytes:
    return record(38, struct.pack("<IIiiI", handle, style, width, 0, colour)) + select(handle)


def number(kind: int, value: int) -> bytes:
    return record(kind, struct.pack("<I", value))


def region(*boxes: tuple[int, int, int, int]) -> bytes:
    return struct.pack("<4I", 32, 1, len(boxes), 16 * len(boxes)) + words(0, 0, 0, 0) + b"".join(words(*one) for one in boxes)


def clip(mode: int, *boxes: tuple[int, int, int, int]) -> bytes:
    data = region(*boxes) if boxes else b""
    return record(75, struct.pack("<II", len(data), mode) + data)


def blit(operation: int, target: tuple[int, int, int, int], picture: tuple[bytes, bytes] | None = None, size: tuple[int, int] = (2, 2)) -> bytes:
    """STRETCHBLT, or BITBLT without a picture."""
    head = words(0, 0, 199, 99) + words(*target) + struct.pack("<I", operation) + words(0, 0) + IDENTITY + struct.pack("<II", 0, 0)
    if picture is None:
        return record(76, head + bytes(16))
    info, rows = picture
    return record(77, head + struct.pack("<4I", 108, len(info), 108 + len(info), len(rows)) + words(*size) + info + rows)


def pixels(*colours: tuple[int, int, int]) -> tuple[bytes, bytes]:
    """Two by two, the lower row first."""
    rows = [b"".join(bytes(reversed(one)) for one in colours[start : start + 2]) + b"\0\0" for start in (0, 2)]
    return build.dib(b"".join(rows), (2, 2))


SQUARE = (20, 20), (60, 20), (60, 60), (20, 60)
STAR = (20, 10), (60, 10), (60, 50), (20, 50), (20, 10), (30, 20), (50, 20), (50, 40), (30, 40), (30, 20)
BEZIERS = (20, 60), (20, 0), (100, 0), (100, 60)
INSIDE, OUTSIDE = (40, 40, RED), (100, 40, CLEAR)
THICK = pen(2, 0, 10, 0xFF0000)
# Name → records, and what is seen where.
SHAPES: dict[str, tuple[bytes, tuple[tuple[float, float, tuple[int, ...] | None], ...]]] = {
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
    "nothing whatever the pen": (BRUSH + number(20, 11) + rectangle(20, 20, 60, 60), ((40, 40, CLEAR),)),
}  # fmt: skip


@pytest.mark.parametrize("case", SHAPES)
def test_a_shape_is_drawn_where_it_belongs(case: str) -> None:
    records, seen = SHAPES[case]
    check(drawn(emf(records)), seen)


def window(*extents: tuple[int, int, int]) -> bytes:
    return b"".join(record(kind, words(x, y)) for kind, x, y in extents)


SAVED = BRUSH + record(33)
STATES: dict[str, tuple[bytes, tuple[tuple[float, float, tuple[int, ...] | None], ...]]] = {
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


FOUR = pixels(RED, GREEN, BLUE, WHITE)      # lower row red and green, upper row blue and white
MASK = pixels(WHITE, BLACK, BLACK, WHITE)
ON_MASK = pixels(BLACK, GREEN, BLUE, BLACK)
CORNERS = (25, 55), (55, 55), (25, 25), (55, 25)    # lower left, lower right, upper left, upper right
BOX = (20, 20, 40, 40)
PICTURES: dict[str, tuple[bytes, tuple[tuple[int, ...] | None, ...]]] = {
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


# -------------------------------------------------------------------------------------------------------------------------- WMF

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
WMF: dict[str, tuple[bytes, tuple[tuple[float, float, tuple[int, ...] | None], ...]]] = {
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
    for image, width in ((plain, (34, 44)), (spread, (44, 56))):
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
    "mixing": (WINDOW + wmf_record(0x061D, struct.pack("<I4h", 0x5A0049, 40, 40, 20, 20)), "mixes"),
}  # fmt: skip


@pytest.mark.parametrize("case", WMF_HELD)
def test_a_wmf_that_cannot_be_drawn_whole_is_held(case: str) -> None:
    held(wmf(WMF_HELD[case][0], placeable=False), "a.wmf", WMF_HELD[case][1])


def test_damage_at_any_place_is_refused_or_harmless() -> None:
    """Nothing but a refusal comes of it; a record that is too short for what it says is one, too."""
    whole = emf(*(records for records, _ in (SHAPES["path"], SHAPES["typed points"], STATES["clipped region"])), a_text())
    flat = wmf(WMF["pie"][0], WMF["region painted"][0], WMF["picture"][0])
    for data, kind, rebuild, draw in ((whole, Kind.EMF, emf_family.rebuild, emf_drawn.draw), (flat, Kind.WMF, wmf_family.rebuild, wmf_drawn.draw)):
        for place in range(40, len(data), 5):
            for value in (0, 0xFF):
                changed = data[:place] + bytes((value,)) + data[place + 1 :]
                with contextlib.suppress(Refused, struct.error):
                    assert draw(rebuild(memoryview(changed), context("a", kind))) is not None


def test_policy_that_says_nothing_leaves_a_metafile_one() -> None:
    made = run(emf(rectangle(0, 0, 9, 9)), "a.emf")
    assert made.report.output is not None
    assert made.report.output.kind is Kind.EMF
