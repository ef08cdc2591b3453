"""HEIC and AVIF: one picture crosses, as JPEG or PNG; the other items of the file are named."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, ImageChops, ImageStat

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Refused, Unsupported
from sanitizers.source import Source
from tests.build import image as build
from tests.build import image_heif
from tests.build.context import changes, context, sanitize

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


def test_a_smaller_copy_stays_behind() -> None:
    output, codes = run(image_heif.grid(build.soft().resize((150, 100)), small=True))
    assert codes == {"image.thumbnail"}
    assert build.opened(output).size == (150, 100)


FTYP = image_heif.box(b"ftyp", b"heic\0\0\0\0mif1heic")
ENTRY = image_heif.box(b"infe", struct.pack(">HH4s", 1, 0, b"mime") + b"\0", 0x0200_0000)
LISTS = {
    "no count": b"\0\0",
    "an entry of no bytes": b"\0\0\0\0\0\1" + image_heif.box(b"infe", b""),
    "an old entry": b"\0\0\0\0\0\1" + image_heif.box(b"infe", b"\0\1\0\0mime", 0x0100_0000),
    "an entry cut short": b"\0\0\0\0\0\1" + image_heif.box(b"infe", b"\0\1\0", 0x0200_0000),
    "no entry": b"\0\0\0\0\0\1" + image_heif.box(b"free", bytes(20)),
    "half a box": b"\0\0\0\0\0\1" + ENTRY[:12],
}


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("kind", [Kind.HEIC, Kind.AVIF])
def test_a_list_of_items_that_is_broken_is_refused(what: str, kind: Kind) -> None:
    """At the end of the file, where nothing follows that could be read in its place."""
    with pytest.raises(Malformed):
        run(FTYP + image_heif.box(b"meta", image_heif.box(b"iinf", LISTS[what]), 0), kind)


@pytest.mark.parametrize("version", [0, 1])
def test_metadata_are_seen_in_a_list_of_either_version(version: int) -> None:
    """Whether or not the decoder goes on to read the picture before it."""
    data = FTYP + image_heif.box(b"meta", image_heif.box(b"iinf", bytes(2 * version + 1) + b"\1" + ENTRY, version << 24), 0)
    given = context("a.heic", Kind.HEIC, size=len(data))
    with pytest.raises(Malformed):
        SANITIZER.sanitize(Source(data), given)
    assert [finding.where for finding in given.findings] == ["XMP"]


def test_where_the_decoder_cannot_start_the_file_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Image.Image) -> None:
        raise RuntimeError("Decoder plugin generated an error: unexpected C++ exception")

    data = image_heif.heic(build.soft())
    with Image.open(io.BytesIO(data)) as opened:
        monkeypatch.setattr(type(opened), "load", failing)
    with pytest.raises(Unsupported, match="cannot start here"):
        run(data)
