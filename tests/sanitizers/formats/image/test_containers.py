"""GIF, TIFF, BMP, WebP, ICO, JPEG 2000: what each can hide is gone; what each must keep stays."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image, ImageChops

from sanitizers.formats.image import SANITIZER, vp8
from sanitizers.model import Kind, LimitExceeded, Malformed, Refused
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY


def run(data: bytes, kind: Kind) -> tuple[bytes, set[str], Kind]:
    made, context = sanitize(SANITIZER, data, kind)
    VERIFIERS[made.kind](made.content, Source(data), context)
    _, second = sanitize(SANITIZER, made.content.bytes(), made.kind)
    assert changes(second) == []
    return made.content.bytes(), {finding.code for finding in changes(context)}, made.kind


# -------------------------------------------------------------------------------------------------------------------------- GIF


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        (build.gif_comment(CANARY), "image.comment"),
        (b"\x21\xff\x0bXMP DataXMP" + bytes([len(CANARY)]) + CANARY + b"\0", "image.metadata"),
        (b"\x21\xff\x0bICCRGBG1012" + bytes([len(CANARY)]) + CANARY + b"\0", "image.color_profile"),
        (b"\x21\x77" + bytes([len(CANARY)]) + CANARY + b"\0", "image.private_chunk"),
        (b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x05\0" + bytes([len(CANARY)]) + CANARY + b"\0", "image.private_chunk"),
    ],
)
def test_gif_extensions_are_gone(extension: bytes, code: str) -> None:
    output, codes, _ = run(build.gif(2, extension), Kind.GIF)
    assert codes == {code}
    assert CANARY not in output


def test_gif_tail_is_gone() -> None:
    output, codes, _ = run(build.gif(tail=b"<?php " + CANARY), Kind.GIF)
    assert codes == {"image.trailing_data"}
    assert output.endswith(b"\x3b")


def test_gif_of_100000_frames_stops_at_the_limit() -> None:
    """I05."""
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, build.gif(100_000), Kind.GIF)


def test_gif_animation_of_too_many_pixels_in_all_is_refused() -> None:
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, build.gif(1_900, size=(1_000, 1_000)), Kind.GIF)


def test_gif_palette_spells_nothing() -> None:
    text = b"<script>alert(1)</script>012345"
    picture = Image.frombytes("P", (30, 10), bytes(x % 10 for x in range(300)))
    picture.putpalette(text[:30])
    data = build.saved(picture, "GIF", optimize=False)
    assert text[:24] in data
    output, _, _ = run(data, Kind.GIF)
    assert text[:12] not in output
    assert ImageChops.difference(build.opened(output).convert("RGB"), build.opened(data).convert("RGB")).getbbox() is None


def test_gif_colour_outside_of_the_palette_is_refused_unless_see_through() -> None:
    picture = Image.frombytes("P", (8, 8), bytes([7] * 64))
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)
    frame = struct.pack("<B4HB", 0x2C, 0, 0, 8, 8, 0) + b"\x03" + picture.tobytes("gif", "P", 3, 0) + b"\0\x3b"
    with pytest.raises(Malformed):
        sanitize(SANITIZER, head + frame, Kind.GIF)
    output, codes, _ = run(head + b"\x21\xf9\x04\x01\0\0\x07\0" + frame, Kind.GIF)
    assert codes == set()
    assert build.opened(output).convert("RGBA").getextrema()[3] == (0, 0)


# -------------------------------------------------------------------------------------------------------------------------- TIFF


def test_tiff_circle_is_refused() -> None:
    """I05."""
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, build.tiff_loop(), Kind.TIFF)


def test_tiff_metadata_is_gone() -> None:
    data = build.tiff([build.scene()], tiffinfo=dict.fromkeys((270, 305, 33432, 50000), CANARY.decode()))
    output, codes, _ = run(data, Kind.TIFF)
    assert codes == {"image.metadata", "image.private_chunk"}
    assert CANARY not in output


def test_tiff_hidden_bytes_are_gone() -> None:
    output, codes, _ = run(build.tiff([build.scene()]) + CANARY, Kind.TIFF)
    assert codes == {"image.hidden_data"}
    assert CANARY not in output


def test_fax_pages_stay_bilevel_and_small() -> None:
    pages = [build.scene((800, 1100), "1") for _ in range(3)]
    data = build.tiff(pages, compression="group4", dpi=(200, 200))
    output, codes, _ = run(data, Kind.TIFF)
    assert codes == set()
    assert len(output) <= 1.2 * len(data)
    shown = Image.open(io.BytesIO(output))
    for index, page in enumerate(pages):
        shown.seek(index)
        assert (shown.mode, shown.info["compression"], shown.info["dpi"]) == ("1", "group4", (200, 200))
        assert ImageChops.logical_xor(shown, page).getbbox() is None


def test_tiff_orientation_is_applied() -> None:
    output, codes, _ = run(build.tiff([build.scene()], tiffinfo={274: 6}), Kind.TIFF)
    assert codes == set()
    assert ImageChops.difference(build.opened(output), build.scene().transpose(Image.Transpose.ROTATE_270)).getbbox() is None


def test_tiff_photographs_stay_jpeg() -> None:
    data = build.tiff([build.soft().resize((512, 512))], compression="jpeg", quality=90)
    output, _, _ = run(data, Kind.TIFF)
    assert Image.open(io.BytesIO(output)).info["compression"] == "jpeg"


@pytest.mark.parametrize("mode", ["I", "F", "I;16B"])
def test_tiff_measurements_keep_their_values(mode: str) -> None:
    """Heights of a terrain, for one, are no colours."""
    width = {"I": "<i", "F": "<f", "I;16B": ">H"}[mode]
    values = Image.frombytes(mode, (16, 8), b"".join(struct.pack(width, 300 * n) for n in range(128)))
    output, codes, _ = run(build.tiff([values]), Kind.TIFF)
    assert codes == set()
    assert [build.opened(output).getpixel((n % 16, n // 16)) for n in range(128)] == [300 * n for n in range(128)]


def test_tiff_profile_is_applied() -> None:
    output, codes, _ = run(build.tiff([Image.new("RGB", (8, 8), (255, 0, 0))], icc_profile=build.display_profile()), Kind.TIFF)
    assert codes == {"image.color_profile"}
    assert build.opened(output).getpixel((3, 3))[1] > 200


# -------------------------------------------------------------------------------------------------------------------------- WebP


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        ((b"EXIF", build.exif(maker=CANARY)), "image.metadata"),
        ((b"EXIF", build.exif(gps=True)), "image.gps"),
        ((b"XMP ", CANARY), "image.metadata"),
        ((b"seki", CANARY), "image.private_chunk"),
        ((b"ICCP", CANARY * 9), "image.color_profile"),
    ],
)
@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}])
def test_webp_chunks_are_gone(chunk: tuple[bytes, bytes], code: str, options: dict[str, object]) -> None:
    output, codes, _ = run(build.webp_with(build.scene(), chunk, **options), Kind.WEBP)
    assert codes == {code}
    assert CANARY not in output


def test_webp_tail_is_gone_and_exif_turns_the_picture() -> None:
    data = build.webp_with(build.scene(), (b"EXIF", build.exif(6)), lossless=True, tail=CANARY)
    output, codes, _ = run(data, Kind.WEBP)
    assert codes == {"image.trailing_data"}
    shown = build.opened(output)
    assert ImageChops.difference(shown, build.scene().transpose(Image.Transpose.ROTATE_270)).getbbox() is None
    assert dict(shown.getexif().get_ifd(0x8769)) == {0x9003: build.TAKEN.decode()}


@pytest.mark.parametrize("quality", [35, 50, 75, 90])
def test_webp_is_coded_at_about_its_own_quality(quality: int) -> None:
    data = build.saved(build.soft().resize((400, 300)), "WEBP", quality=quality)
    assert abs(vp8.quality(data[data.index(b"VP8 ") + 8 :]) - quality) <= 6
    output, _, _ = run(data, Kind.WEBP)
    assert 0.7 * len(data) < len(output) < 1.25 * len(data)


# -------------------------------------------------------------------------------------------------------------------------- ICO, JPEG 2000


def test_icon_tail_and_metadata_are_gone() -> None:
    picture = build.saved(build.scene((32, 32), "RGBA"), "PNG")
    image = picture[:33] + build.png_chunk(b"tEXt", b"a\0" + CANARY) + picture[33:]
    data = struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 32, 0, 0, 1, 32, len(image), 22) + image + CANARY
    output, codes, _ = run(data, Kind.ICO)
    assert codes == {"image.metadata", "image.trailing_data"}
    assert CANARY not in output


def test_an_icon_with_a_huge_picture_inside_is_refused() -> None:
    image = build.png_of(30_000, 30_000, 1, 0, b"\0")
    with pytest.raises(Refused):
        run(struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(image), 22) + image, Kind.ICO)


def test_jpeg_2000_boxes_are_gone() -> None:
    data = build.saved(build.scene(), "JPEG2000") + struct.pack(">I4s", 8 + len(CANARY), b"xml ") + CANARY
    output, codes, kind = run(data, Kind.JP2)
    assert kind is Kind.PNG
    assert codes == {"image.metadata", "image.converted"}
    assert CANARY not in output
