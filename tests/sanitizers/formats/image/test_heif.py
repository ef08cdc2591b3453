"""HEIC and AVIF: one picture crosses, as JPEG or PNG; the other items of the file are named."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageStat

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Refused
from tests.build import image as build
from tests.build import image_heif
from tests.build.context import changes, sanitize

CANARY = build.CANARY


def run(data: bytes, kind: Kind = Kind.HEIC) -> tuple[bytes, set[str]]:
    made, context = sanitize(SANITIZER, data, kind)
    return made.content.bytes(), {finding.code for finding in changes(context)} - {"image.converted"}


def alike(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) < 3


def test_tiles_are_put_together() -> None:
    picture = build.soft().resize((150, 100))
    output, codes = run(image_heif.grid(picture))
    assert codes == set()
    assert alike(build.opened(output), picture)


def test_more_than_eight_bits_become_eight() -> None:
    output, codes = run(image_heif.ten_bits())
    assert codes == set()
    shown = build.opened(output).convert("L")
    assert [abs(shown.getpixel((x, 30)) - 255 * x // 96) < 4 for x in range(0, 96, 8)] == [True] * 12


def test_only_the_primary_picture_crosses() -> None:
    output, codes = run(image_heif.several(build.soft(), build.scene()))
    assert codes == {"image.frames_dropped"}
    assert alike(build.opened(output), build.soft())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (lambda: image_heif.heic(build.soft(), exif=b"Exif\0\0" + build.exif(gps=True)), {"image.gps"}),
        (lambda: image_heif.heic(build.soft(), exif=b"Exif\0\0" + build.exif(maker=CANARY)), {"image.metadata"}),
        (lambda: image_heif.heic(build.soft(), xmp=b"<x>" + CANARY), {"image.metadata"}),
        (lambda: image_heif.heic(build.soft()) + image_heif.box(b"uuid", CANARY), {"image.private_chunk"}),
        (lambda: image_heif.heic(build.soft()) + CANARY, {"image.trailing_data"}),
    ],
)
def test_what_else_is_in_the_file_is_named_and_gone(data: object, expected: set[str]) -> None:
    output, codes = run(data())  # type: ignore[operator]
    assert codes == expected
    assert CANARY not in output


def test_a_picture_that_libheif_has_turned_is_not_turned_again() -> None:
    output, _ = run(image_heif.heic(build.soft(), exif=b"Exif\0\0" + build.exif(6, taken=None)))
    assert build.opened(output).size in ((96, 64), (64, 96))
    assert build.opened(output).getexif().get(0x0112, 1) == 1


def test_broken_and_large_files_are_refused() -> None:
    data = image_heif.heic(build.soft())
    with pytest.raises(Refused):
        run(data[: len(data) // 2])
    with pytest.raises(Malformed):
        run(b"\0\0\0\x10ftypheic\0\0\0\0" + b"\0\0\0\x04meta")
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, data, Kind.HEIC, limits=Limits(pixels=2_000))
