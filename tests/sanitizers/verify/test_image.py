"""The second opinion on pictures refuses whatever the sanitizer would never write."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache

import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import context, sanitize

SAMPLES: dict[Kind, Callable[[], bytes]] = {
    Kind.JPEG: build.jpeg_with,
    Kind.PNG: build.png_with,
    Kind.GIF: lambda: build.gif(3),
    Kind.BMP: lambda: build.saved(build.scene(), "BMP"),
    Kind.TIFF: lambda: build.tiff([build.scene(), build.scene()]),
    Kind.WEBP: lambda: build.saved(build.scene(), "WEBP"),
    Kind.ICO: lambda: build.saved(build.scene((32, 32), "RGBA"), "ICO", sizes=[(32, 32)]),
}


@cache
def good(kind: Kind) -> tuple[bytes, bytes]:
    data = SAMPLES[kind]()
    return data, sanitize(SANITIZER, data, kind)[0].content.bytes()


def check(kind: Kind, output: bytes, original: bytes) -> None:
    VERIFIERS[kind](Source(output), Source(original), context(kind=kind))


def fails(kind: Kind, output: bytes, words: str, original: bytes | None = None) -> None:
    with pytest.raises(VerificationFailed, match=words):
        check(kind, output, good(kind)[0] if original is None else original)


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_the_sanitizer_makes_passes(kind: Kind) -> None:
    data, output = good(kind)
    check(kind, output, data)


@pytest.mark.parametrize("kind", SAMPLES)
def test_bytes_after_the_end_fail(kind: Kind) -> None:
    fails(kind, good(kind)[1] + b"x", ".")


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_cut_file_fails(kind: Kind) -> None:
    _, output = good(kind)
    for size in (0, 1, 20, len(output) // 2, len(output.rstrip(b"\0")) - 1):
        fails(kind, output[:size], ".")


@pytest.mark.parametrize("kind", [Kind.JPEG, Kind.PNG, Kind.GIF, Kind.BMP, Kind.TIFF, Kind.WEBP])
def test_another_size_fails(kind: Kind) -> None:
    fails(kind, good(kind)[1], "size", build.saved(Image.new("RGB", (10, 10)), kind.name))


def test_only_of_what_a_converter_says_pictures_may_be_missing() -> None:
    _, output = good(Kind.PNG)
    two = build.saved(build.scene(), "GIF", save_all=True, append_images=[build.scene().rotate(90)])
    given = context(kind=Kind.GIF)
    with pytest.raises(VerificationFailed, match="1 frames, were 2"):
        VERIFIERS[Kind.PNG](Source(output), Source(two), given)
    given.found("image.frames_dropped", "")
    VERIFIERS[Kind.PNG](Source(output), Source(two), given)


def test_nothing_is_compared_with_what_has_no_size() -> None:
    VERIFIERS[Kind.PNG](Source(good(Kind.PNG)[1]), Source(b"<svg/>"), context(kind=Kind.SVG))


# ------------------------------------------------------------------------------------------------------- pixels that speak


def spoken(pixels: bytes, blocks: int = 0) -> bytes:
    """A GIF whose first block bears these bytes, with empty ones behind it: all that a picture can say without any other fault."""
    return b"GIF89a\x08\0\x08\0\0\0\0," + bytes(4) + b"\x08\0\x08\0\0\x02" + bytes([len(pixels)]) + pixels + blocks * (b"\xff" + bytes(255)) + b"\0;"


PLAIN = spoken(b"x")


@pytest.mark.parametrize("tag", [b"<script", b"<?php", b"<HTML", b"<iframe", b"<!doctype", b"<body", b"<svg>", b"<svg "])
def test_text_that_speaks_fails(tag: bytes) -> None:
    fails(Kind.GIF, spoken(tag), "mark-up", PLAIN)
    check(Kind.GIF, spoken(tag[:-1]), PLAIN)


@pytest.mark.parametrize("kind", SAMPLES)
def test_text_that_speaks_fails_anywhere(kind: Kind) -> None:
    data, output = good(kind)
    at = len(output) - 40
    fails(kind, output[:at] + b"<script>" + output[at + 8 :], ".", data)


def test_an_archive_that_ends_in_a_picture_fails() -> None:
    """What closes an archive lies 65,557 bytes before the end at most: it has a comment as long as two bytes can say."""
    fails(Kind.GIF, spoken(b"PK\x05\x06"), "archive", PLAIN)
    fails(Kind.GIF, spoken(b"PK\x05\x06" + bytes(15), 256), "archive", PLAIN)
    check(Kind.GIF, spoken(b"PK\x05\x06" + bytes(16), 256), PLAIN)


# ------------------------------------------------------------------------------------------------------------------------ JPEG


def jpeg_parts() -> list[tuple[int, bytes]]:
    return build.jpeg_segments(good(Kind.JPEG)[1])[:-1]


def jpeg(segments: list[tuple[int, bytes]], scan: bytes | None = None) -> bytes:
    """The good picture with other segments before its scan."""
    output = good(Kind.JPEG)[1]
    return b"\xff\xd8" + b"".join(build.jpeg_segment(*one) for one in segments) + (scan or output[output.index(b"\xff\xda") :])


JFIF, ADOBE = (0xE0, b"JFIF\0\x01\x01\x01\0\x48\0\x48\0\0"), (0xEE, b"Adobe\0\x64\0\0\0\0\0")


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"dpi": (300, 200)}, {"exif": b"Exif\0\0" + build.exif()}])
@pytest.mark.parametrize("way", [0, 1, 2])
def test_every_jpeg_that_is_written_passes(mode: str, options: dict[str, object], way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the ways of coding that are taken where the pixels speak in the usual one."""
    monkeypatch.setattr(codec, "silent", lambda encodings: list(encodings)[way]())
    data = build.saved(build.scene(mode=mode), "JPEG", **options)
    made, given = sanitize(SANITIZER, data, Kind.JPEG, capture_date_kept=True)
    VERIFIERS[Kind.JPEG](made.content, Source(data), given)


def _applications(*segments: tuple[int, bytes]) -> bytes:
    return jpeg([*segments, *jpeg_parts()[1:]])


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (_applications(), "order"),
        (_applications(JFIF, (0xFE, b"comment")), "segment FE"),
        (_applications(JFIF, (0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(200))), "segment E2"),
        (_applications(JFIF, (0xED, b"")), "segment ED"),
        (_applications(JFIF, (0xE1, b"Exif\0\0" + build.exif(maker=b"camera"))), "segment E1"),
        (_applications(JFIF, (0xE1, b"Exif\0\0" + build.exif(taken=None))), "segment E1"),
        (_applications(JFIF, (0xE1, b"")), "segment E1"),
        (_applications(JFIF, JFIF), "order"),
        (_applications(JFIF, ADOBE, ADOBE), "order"),
        (_applications(ADOBE, JFIF), "order"),
        (_applications((0xE0, b"JFXX\0\x10" + bytes(8))), "segment E0"),
        (_applications((0xE0, JFIF[1][:12] + b"\x01\x01")), "segment E0"),
        (_applications((0xE0, JFIF[1][:7] + b"\x03" + JFIF[1][8:])), "segment E0"),
        (_applications((0xE0, JFIF[1] + b"x")), "segment E0"),
        (_applications((0xE0, JFIF[1][:-1])), "segment E0"),
        (_applications((0xEE, ADOBE[1][:-1] + b"\x01")), "segment EE"),
        (_applications((0xEE, ADOBE[1] + b"x")), "segment EE"),
    ],
)
def test_other_jpeg_segments_fail(output: bytes, words: str) -> None:
    fails(Kind.JPEG, output, words)


@pytest.mark.parametrize("segments", [(JFIF,), (ADOBE,), (JFIF, ADOBE)])
def test_the_two_plain_ones_pass(segments: tuple[tuple[int, bytes], ...]) -> None:
    check(Kind.JPEG, _applications(*segments), good(Kind.JPEG)[0])


@pytest.mark.parametrize(("marker", "most"), [(0xDB, 65), (0xC4, 273), (0xDD, 2), (0xC0, 18)])
def test_a_jpeg_hides_nothing_in_its_tables(marker: int, most: int) -> None:
    parts = jpeg_parts()
    if marker == 0xDD:
        parts.append((0xDD, b""))
    place = next(index for index, part in enumerate(parts) if part[0] == marker)
    for more in (0, 1):
        parts[place] = (marker, parts[place][1][:17].ljust(most + more, b"\0"))
        if more:
            fails(Kind.JPEG, jpeg(parts), f"segment {marker:02X}")
        else:
            check(Kind.JPEG, jpeg(parts), good(Kind.JPEG)[0])


def test_a_jpeg_has_one_frame_and_one_scan() -> None:
    """Readers differ in which of two they take."""
    _, output = good(Kind.JPEG)
    scan = output[output.index(b"\xff\xda") : -2]
    parts = jpeg_parts()
    frame = next(part for part in parts if part[0] == 0xC0)
    fails(Kind.JPEG, jpeg([*parts, frame]), "order")
    fails(Kind.JPEG, jpeg([part for part in parts if part[0] != 0xC0]), "order")
    fails(Kind.JPEG, jpeg(parts, scan + scan + b"\xff\xd9"), "data after the scan")
    fails(Kind.JPEG, jpeg(parts, b"\xff\xda\0\x0f" + bytes(13) + scan[14:] + b"\xff\xd9"), "segment DA")
    check(Kind.JPEG, jpeg(parts, b"\xff\xda\0\x0e" + bytes(12) + scan[14:] + b"\xff\xd9"), good(Kind.JPEG)[0])


def test_bytes_around_the_segments_of_a_jpeg_fail() -> None:
    _, output = good(Kind.JPEG)
    fails(Kind.JPEG, b"\xff\xd7" + output[2:], "SOI")
    fails(Kind.JPEG, output[:2] + b"junk" + output[2:], "bytes between segments")
    fails(Kind.JPEG, output[:2] + b"\xfe" + output[3:], "bytes between segments")
    fails(Kind.JPEG, output[:-2], "data after the scan")
    fails(Kind.JPEG, output[:-1] + b"\xd8", "data after the scan")


# ------------------------------------------------------------------------------------------------------------------------ GIF


def gif(*parts: bytes) -> bytes:
    """Under a palette of two colours, with a picture that has its own of four."""
    frame = b"," + bytes(4) + b"\x08\0\x08\0\x81" + bytes(12) + b"\x02\x01x\0"
    return b"GIF89a\x08\0\x08\0\x80\0\0" + bytes(6) + b"".join(part or frame for part in parts) + b";"


UNCOLOURED = b"," + bytes(4) + b"\x08\0\x08\0\x01\x02\x01x\0"      # says how large a palette would be, and has none
FRAME, LOOP, CONTROL = b"", b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x05\x01\0", b"\x21\xf9\x04\x00\x0a\0\0\0"


@pytest.mark.parametrize("parts", [(FRAME,), (LOOP, FRAME), (CONTROL, FRAME), (LOOP, CONTROL, FRAME), (UNCOLOURED,)])
def test_a_gif_may_say_how_often_and_how_long_it_is_shown(parts: tuple[bytes, ...]) -> None:
    check(Kind.GIF, gif(*parts), gif(FRAME))


@pytest.mark.parametrize("bit", range(8))
def test_only_what_a_frame_needs_is_said_in_its_control(bit: int) -> None:
    output = gif(CONTROL[:3] + bytes([1 << bit]) + CONTROL[4:], FRAME)
    if bit in (0, 2, 3, 4):         # a colour is see-through; what becomes of the frame
        check(Kind.GIF, output, output)
    else:
        fails(Kind.GIF, output, "extension", output)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((b"\x21\xfe\x03abc\0", FRAME), "extension"),
        ((b"\x21\xff\x0bXMP DataXMP\x03\x01\0\0\0", FRAME), "extension"),
        ((b"\x21\x01\x00", FRAME), "extension"),
        ((LOOP[:-1] + b"\1", FRAME), "extension"),
        ((LOOP, LOOP, FRAME), "extension"),
        ((FRAME, LOOP, FRAME), "extension"),
        ((CONTROL[:-1] + b"\1", FRAME), "extension"),
        ((b"\x21\xf9\x05" + CONTROL[3:], FRAME), "extension"),
        ((CONTROL, CONTROL, FRAME), "no picture"),
        ((b"x", FRAME), "no picture"),
        ((FRAME, b";"), "data after the trailer"),
    ],
)  # fmt: skip
def test_other_parts_of_a_gif_fail(parts: tuple[bytes, ...], words: str) -> None:
    fails(Kind.GIF, gif(*parts), words, gif(FRAME, FRAME))


def test_an_older_gif_and_a_missing_frame_fail() -> None:
    fails(Kind.GIF, b"GIF87a" + gif(FRAME)[6:], "signature", gif(FRAME))
    fails(Kind.GIF, gif(FRAME), "1 frames, were 2", gif(FRAME, FRAME))


# ------------------------------------------------------------------------------------------------------------------------ BMP


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_every_bmp_that_is_written_passes(mode: str) -> None:
    data = build.saved(build.scene(mode=mode), "BMP")
    check(Kind.BMP, sanitize(SANITIZER, data, Kind.BMP)[0].content.bytes(), data)


@pytest.mark.parametrize(("bits", "colours"), [(1, 2), (4, 16), (8, 255), (8, 256), (24, 0)])
def test_every_depth_of_a_bmp_passes(bits: int, colours: int) -> None:
    output = build.bmp((9, 5), bits, bytes((9 * bits + 31) // 32 * 4 * 5), palette=bytes(4 * colours))
    check(Kind.BMP, output, output)


def test_a_bmp_of_other_ways_fails() -> None:
    rows, masks = bytes(9 * 4 * 5), struct.pack("<5I", 0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000, 0x7352_4742)
    deep = build.bmp((9, 5), 32, rows, compression=3, header=108, masks=masks)
    check(Kind.BMP, deep, deep)
    fails(Kind.BMP, deep[:80] + b"x" + deep[81:], "masks", deep)
    for output in (
        build.bmp((9, 5), 32, rows, compression=3, header=124, masks=masks),
        build.bmp((9, 5), 32, rows, compression=0, header=108, masks=masks),
        build.bmp((9, 5), 16, bytes(20 * 5)), build.bmp((9, 5), 32, rows), build.bmp((9, 5), 8, bytes(60), compression=1),
    ):  # fmt: skip
        fails(Kind.BMP, output, "header", deep)


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (0, b"BA", "header"), (2, b"\0", "header"), (6, b"x", "header"), (9, b"x", "header"), (26, b"\2", "header"),
        (10, b"\x35", "palette"), (46, b"\1", "palette"), (34, b"\0", "rows"), (28, b"\1", "rows"),
    ],
)  # fmt: skip
def test_a_bmp_that_is_not_what_its_header_says_fails(at: int, value: bytes, words: str) -> None:
    output = build.bmp((9, 5), 24, bytes(28 * 5))
    check(Kind.BMP, output, output)
    fails(Kind.BMP, output[:at] + value + output[at + len(value) :], words, output)


def test_bytes_that_no_row_of_a_bmp_has_fail() -> None:
    good_one = build.bmp((9, 5), 24, bytes(28 * 5))
    fails(Kind.BMP, build.bmp((9, 5), 24, bytes(28 * 5 + 4)), "rows", good_one)
    fails(Kind.BMP, build.bmp((9, 5), 8, bytes(12 * 5), palette=bytes(4 * 257)), "palette", good_one)
    longer = bytearray(good_one + bytes(4))
    struct.pack_into("<I", longer, 2, len(longer))
    fails(Kind.BMP, bytes(longer), "rows", good_one)
