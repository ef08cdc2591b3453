"""Pictures of pages: the right pixels, no more of them than were asked for, and none of what would be too many."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from sanitizers import preview
from sanitizers.model import Job, Limits, Reason
from sanitizers.preview_words import TALLEST, Look, View, decode, encode
from sanitizers.source import Source
from tests.build import pdf, previews


def drawn(data: bytes, name: str, limits: Limits | None = None, **asked: object) -> Image.Image | str:
    """The picture, or why there is none."""
    shown, pixels = preview.show(Job(name=name, limits=limits or Limits()), Look(view=View.PAGE, **asked), Source(data))  # type: ignore[arg-type]
    decode(encode(shown), len(pixels))
    return shown.fault if shown.drawn is None else Image.frombytes("RGB", shown.drawn, pixels)


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def size(found: Image.Image | str) -> tuple[int, int]:
    assert isinstance(found, Image.Image), found
    return found.size


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "ICO"])
def test_pictures_of_every_kind(kind: str) -> None:
    found = drawn(saved(Image.new("RGB", (64, 64), (250, 10, 10)), kind), f"a.{kind.lower()}")
    assert isinstance(found, Image.Image)
    red, green, blue = found.getpixel((32, 32))  # type: ignore[misc]
    assert red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize(
    ("picture", "middle"),
    [
        (Image.new("RGBA", (9, 9), (0, 0, 0, 0)), (255, 255, 255)),
        (Image.new("LA", (9, 9), (0, 0)), (255, 255, 255)),
        (Image.new("1", (9, 9), 1), (255, 255, 255)),
        (Image.new("I;16", (9, 9), 65_535), (255, 255, 255)),
        (Image.new("L", (9, 9), 7), (7, 7, 7)),
        (Image.new("P", (9, 9), 0), (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb_on_white(picture: Image.Image, middle: tuple[int, int, int]) -> None:
    found = drawn(saved(picture, "PNG"), "a.png")
    assert isinstance(found, Image.Image)
    assert found.getpixel((4, 4)) == middle


def test_a_photograph_stands_the_right_way_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert size(drawn(saved(Image.new("RGB", (40, 20)), "JPEG", exif=exif), "a.jpg")) == (20, 40)


def test_no_picture_is_larger_than_was_asked_for() -> None:
    wide = saved(Image.new("L", (5_000, 50)), "PNG")
    assert size(drawn(wide, "a.png", width=500)) == (500, 5)
    tall = saved(Image.new("L", (50, 9_000)), "PNG")
    assert size(drawn(tall, "a.png", width=2_400))[1] == TALLEST
    document = pdf.clean()
    document.pages[0].MediaBox = [0, 0, 10, 14_000]
    assert size(drawn(pdf.saved(document), "a.pdf"))[1] <= TALLEST


def test_more_pixels_than_the_limit_are_never_decoded() -> None:
    bomb = saved(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(bomb) < 100_000
    assert drawn(bomb, "a.png", Limits(pixels=100_000_000)) == Reason.LIMIT_EXCEEDED


def test_pages_by_number() -> None:
    data = pdf.saved(pdf.clean())
    first, second = drawn(data, "a.pdf", page=0), drawn(data, "a.pdf", page=1)
    assert size(first) == size(second)
    assert size(first)[0] == 1_000
    assert 1_410 < size(first)[1] < 1_420
    assert first != second
    assert drawn(data, "a.pdf", page=2) == Reason.MALFORMED
    frames = saved(Image.new("RGB", (10, 10)), "TIFF", save_all=True, append_images=[Image.new("RGB", (20, 10))])
    assert [size(drawn(frames, "a.tif", page=page)) for page in (0, 1)] == [(10, 10), (20, 10)]
    assert drawn(frames, "a.tif", page=7) == Reason.MALFORMED


def test_a_drawing_shows_what_it_draws_and_asks_for_nothing() -> None:
    found = drawn(previews.reaching_drawing(), "a.svg")
    assert isinstance(found, Image.Image)
    assert found.getpixel((found.width // 2, found.height // 2)) == (0, 170, 0)


@pytest.mark.parametrize(("data", "name"), [(b"words", "a.txt"), (b"MZ" + bytes(99), "a.exe"), (previews.reaching_document(), "a.docx")])
def test_what_has_no_picture_says_so(data: bytes, name: str) -> None:
    assert drawn(data, name) == Reason.UNSUPPORTED_KIND


def test_a_broken_picture_says_so() -> None:
    assert drawn(previews.picture()[:60], "a.png") == Reason.MALFORMED
