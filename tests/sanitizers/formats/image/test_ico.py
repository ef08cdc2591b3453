"""Icons and cursors whose directory or images lie, and what hides between the images."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from sanitizers.context import Outcome
from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Action, Kind, LimitExceeded, Limits, Malformed, Verdict
from tests.build import image as build
from tests.build.context import changes, run, sanitize

CANARY = build.CANARY
PICTURE = build.scene((16, 16), "RGBA")
PNG = build.saved(PICTURE, "PNG")
BITMAP = build.saved(PICTURE, "ICO", sizes=[(16, 16)], bitmap_format="bmp")[22:]
START = 6 + 16


def icon(*images: bytes, kind: int = 1, reserved: int = 0, count: int | None = None, start: int | None = None, gap: bytes = b"", size: int = 0) -> bytes:
    """A directory and the images behind it. `start`: where each is said to lie; `size`: how long, if not 0."""
    at = 6 + 16 * len(images) + len(gap)
    head = struct.pack("<HHH", reserved, kind, len(images) if count is None else count)
    for image in images:
        head += struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, size or len(image), at if start is None else start)
        at += len(image)
    return head + gap + b"".join(images)


def bitmap(header: int = 40, width: int = 16, height: int = 32, bits: int = 32) -> bytes:
    return struct.pack("<IiiHH", header, width, height, 1, bits) + BITMAP[16:]


def cleaned(data: bytes) -> tuple[bytes, list[tuple[str, Action]]]:
    made, context = sanitize(SANITIZER, data, Kind.ICO)
    return made.content.bytes(), [(finding.code, finding.action) for finding in changes(context)]


WRONG = {
    "half a header": (icon()[:4], "image.truncated"),
    "reserved": (icon(PNG, reserved=1), "image.malformed"),
    "neither icon nor cursor": (icon(PNG, kind=3), "image.malformed"),
    "no image": (icon(), "image.malformed"),
    "more images than directory": (icon(count=3), "image.malformed"),
    "an image behind the end": (icon(PNG, start=1 << 20), "image.truncated"),
    "an image of a few bytes": (icon(PNG, size=39), "image.truncated"),
    "one image for two": (icon(PNG, b"", start=6 + 32, size=len(PNG)), "image.malformed"),
    "an image over the directory": (icon(PNG, start=0), "image.malformed"),
    "a bitmap with a short header": (icon(bitmap(header=12)), "image.malformed"),
    "a bitmap of no width": (icon(bitmap(width=0)), "image.malformed"),
    "a bitmap upside down": (icon(bitmap(height=-32)), "image.malformed"),
    "a bitmap of half a mask": (icon(bitmap(height=31)), "image.malformed"),
    "a bitmap of two bits": (icon(bitmap(bits=2)), "image.malformed"),
    "a bitmap larger than any icon": (icon(bitmap(width=257)), "image.malformed"),
    "a picture larger than any icon": (icon(build.saved(build.scene((300, 16)), "PNG")), "image.malformed"),
    "a bitmap cut short": (icon(BITMAP[:200]), "image.decoder"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_icon_that_lies_is_refused(what: str) -> None:
    data, code = WRONG[what]
    with pytest.raises(Malformed) as refusal:
        cleaned(data)
    assert refusal.value.code == code


def test_images_are_counted_before_they_are_decoded() -> None:
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, icon(*[PNG] * 9), Kind.ICO, limits=Limits(frames=8))


@pytest.mark.parametrize("image", [PNG, BITMAP])
def test_what_lies_between_the_images_is_gone(image: bytes) -> None:
    output, found = cleaned(icon(image, gap=CANARY))
    assert found == [("image.hidden_data", Action.REMOVED)]
    assert CANARY not in output
    assert cleaned(icon(image, gap=bytes(8)))[1] == []
    assert build.opened(output).convert("RGBA").tobytes() == PICTURE.tobytes()


def test_a_cursor_becomes_an_icon() -> None:
    output, found = cleaned(icon(PNG, kind=2))
    assert found == [("image.converted", Action.REWRITTEN)]
    assert output[:6] == struct.pack("<HHH", 0, 1, 1)


def _engine(data: bytes) -> Outcome:
    return run(data, "a.ico")


def test_the_second_pass_changes_nothing() -> None:
    outcome = _engine(icon(PNG, BITMAP))
    assert outcome.report.verdict is Verdict.CLEAN
    assert outcome.content is not None
    again = _engine(outcome.content.bytes())
    assert again.report.verdict is Verdict.CLEAN
    assert again.content is not None
    assert again.content.bytes() == outcome.content.bytes()
    assert Image.open(again.content.stream()).info["sizes"] == {(16, 16)}


def test_an_icon_that_speaks_in_spite_of_all_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images that are silent alone, and say something together with the directory before them."""
    real = codec.speaks
    monkeypatch.setattr(codec, "speaks", lambda data: data.startswith(b"\0\0\1\0") or real(data))
    with pytest.raises(Malformed) as refusal:
        cleaned(icon(PNG))
    assert refusal.value.code == "image.active_text"
