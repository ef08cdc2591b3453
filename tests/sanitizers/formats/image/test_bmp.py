"""BMP: every way of storing pixels comes out as the same picture; nothing hides between them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import pytest
from PIL import Image, ImageChops, ImageCms

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Refused, Unsupported
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY
SIZE = 6, 4
ROWS = bytes((37 * n + 11) % 256 for n in range(96))
_565 = struct.pack("<3I", 0xF800, 0x7E0, 0x1F)
_888 = struct.pack("<3I", 0xFF0000, 0xFF00, 0xFF)
# Read by Pillow's own reader as well, which has no part in the cleaning.
COMMON = {
    "1 bit": build.bmp(SIZE, 1, ROWS[:16], palette=build.bmp_palette(2)),
    "4 bits": build.bmp(SIZE, 4, ROWS[:16], palette=build.bmp_palette(16)),
    "8 bits": build.bmp(SIZE, 8, ROWS[:32], palette=build.bmp_palette(256)),
    "16 bits": build.bmp(SIZE, 16, ROWS[:48]),
    "16 bits 565": build.bmp(SIZE, 16, ROWS[:48], compression=3, masks=_565),
    "24 bits": build.bmp(SIZE, 24, (ROWS[:18] + b"\0\0") * 4),
    "32 bits": build.bmp(SIZE, 32, ROWS),
    "32 bits masked": build.bmp(SIZE, 32, ROWS, compression=3, masks=_888),
    "32 bits alpha": build.bmp(SIZE, 32, ROWS, compression=3, header=56, masks=_888 + struct.pack("<I", 0xFF000000)),
    "top down": build.bmp((6, -4), 24, (ROWS[:18] + b"\0\0") * 4),
    "os/2": build.bmp(SIZE, 24, (ROWS[:18] + b"\0\0") * 4, header=12),
    "os/2 palette": build.bmp(SIZE, 8, ROWS[:32], header=12, palette=build.bmp_palette(256, 3)),
    "os/2 long": build.bmp(SIZE, 24, (ROWS[:18] + b"\0\0") * 4, header=64),
    "version 4": build.bmp(SIZE, 24, (ROWS[:18] + b"\0\0") * 4, header=108),
    "version 5": build.bmp(SIZE, 24, (ROWS[:18] + b"\0\0") * 4, header=124),
    "rle8": build.bmp((4, 3), 8, b"\4\1\0\0\0\4\1\2\3\4\0\0\4\7\0\1", compression=1, palette=build.bmp_palette(256)),
    "rle8 odd": build.bmp((3, 2), 8, b"\0\3\1\2\3\0\0\0\3\7\0\1", compression=1, palette=build.bmp_palette(256)),
    "rle4": build.bmp((4, 2), 4, b"\4\x12\0\0\4\x34\0\1", compression=2, palette=build.bmp_palette(16)),
}


def run(data: bytes) -> tuple[bytes, set[str], Kind]:
    made, context = sanitize(SANITIZER, data, Kind.BMP)
    VERIFIERS[made.kind](made.content, Source(data), context)
    again, second = sanitize(SANITIZER, made.content.bytes(), made.kind)
    assert changes(second) == []
    assert again.content.bytes() == made.content.bytes()
    return made.content.bytes(), {finding.code for finding in changes(context)}, made.kind


def pixels(data: bytes) -> list[tuple[int, ...]]:
    return list(build.opened(data).convert("RGBA").get_flattened_data())


def greys(data: bytes) -> list[int]:
    """The index of each pixel's colour in the grey palette."""
    return [red for red, *_ in pixels(data)]


@pytest.mark.parametrize("name", COMMON)
def test_every_way_of_storing_pixels_is_read_as_pillow_reads_it(name: str) -> None:
    output, codes, kind = run(COMMON[name])
    assert (codes, kind) == (set(), Kind.BMP)
    assert pixels(output) == pixels(COMMON[name])
    assert Image.open(io.BytesIO(output)).info.get("dpi") == Image.open(io.BytesIO(COMMON[name])).info.get("dpi")


GREY = bytes(value for grey in range(256) for value in (grey, grey, grey, 0))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (b"\0\3\1\2\3\0\0\1", [0, 0, 1, 2]),          # a run that is longer than its row
        (b"\2\5\0\1", [0, 0, 5, 5]),                      # ends early: what is left is colour 0
        (b"\0\2\1\1\1\6\0\1", [0, 6, 0, 0]),          # jumps
        (b"\2\5\0\0\2\6\0\0", [6, 6, 5, 5]),          # no mark at the end, nothing missing
        (b"\0\2\xff\xff", [0, 0, 0, 0]),                  # jumps out
    ],
)
def test_runs_are_cut_where_the_picture_ends(rows: bytes, expected: list[int]) -> None:
    output, codes, _ = run(build.bmp((2, 2), 8, rows, compression=1, palette=GREY))
    assert codes == set()
    assert greys(output) == expected


def test_what_follows_the_last_run_is_named() -> None:
    rows = b"\0\3\1\2\3\0\0\1"
    data = bytearray(build.bmp((2, 2), 8, rows, compression=1, palette=GREY))
    for said in (0, 1, len(rows), 1 << 20):     # the size in the header is often wrong
        struct.pack_into("<I", data, 34, said)
        assert run(bytes(data))[1] == set()
        assert run(bytes(data) + bytes(2))[1] == set()
        assert run(bytes(data) + CANARY)[1] == {"image.trailing_data"}


def test_runs_of_four_bits() -> None:
    rows = b"\0\5\x12\x34\x50\0\0\0\5\xab\0\1"
    output, _, _ = run(build.bmp((5, 2), 4, rows, compression=2, palette=GREY[:64]))
    assert greys(output) == [10, 11, 10, 11, 10, 1, 2, 3, 4, 5]


def test_two_bits_a_pixel() -> None:
    output, _, _ = run(build.bmp((4, 1), 2, b"\x1b\0\0\0", palette=GREY[:16]))
    assert greys(output) == [0, 1, 2, 3]


def test_short_header_of_os2() -> None:
    head = struct.pack("<IiiHH", 16, 2, 1, 1, 24)
    data = b"BM" + struct.pack("<IHHI", 38, 0, 0, 30) + head + bytes((1, 2, 3, 4, 5, 6, 0, 0))
    assert pixels(run(data)[0]) == [(3, 2, 1, 255), (6, 5, 4, 255)]


@pytest.mark.parametrize(
    ("bits", "header", "masks", "word", "expected"),
    [
        (16, 40, (0xF00, 0xF0, 0xF), 0x0F8A, (255, 136, 170, 255)),
        (16, 56, (0xF00, 0xF0, 0xF, 0xF000), 0x7F8A, (255, 136, 170, 119)),
        (32, 40, (0x3FF00000, 0xFFC00, 0x3FF), 1023 << 20 | 512 << 10 | 0, (255, 128, 0, 255)),
        (32, 40, (0xFFE00000, 0x1FFC00, 0x3FF), 2047 << 21 | 1023 << 10 | 1023, (255, 127, 255, 255)),
        (32, 56, (0xFF, 0xFF00, 0xFF0000, 0xFF000000), 0x40302010, (0x10, 0x20, 0x30, 0x40)),
    ],
)
def test_colours_at_any_bits(bits: int, header: int, masks: tuple[int, ...], word: int, expected: tuple[int, ...]) -> None:
    row = word.to_bytes(bits // 8, "little").ljust(4, b"\0")
    data = build.bmp((1, 1), bits, row, compression=3, header=header, masks=struct.pack(f"<{len(masks)}I", *masks))
    output, codes, _ = run(data)
    assert codes == set()
    assert pixels(output) == [expected]


def test_a_colour_that_a_palette_lacks_is_black() -> None:
    output, _, _ = run(build.bmp((4, 1), 8, b"\1\2\3\1", palette=GREY[240:256]))
    assert greys(output) == [61, 62, 63, 61]
    output, _, _ = run(build.bmp((4, 1), 8, b"\1\2\x09\1", palette=GREY[240:256]))
    assert greys(output) == [61, 62, 0, 61]


def _with_profile(space: int, profile: bytes) -> bytes:
    data = bytearray(build.bmp((1, 1), 24, b"\0\0\xff\0", header=124))
    struct.pack_into("<I", data, 14 + 56, space)
    struct.pack_into("<II", data, 14 + 112, len(data) - 14, len(profile))
    return bytes(data) + profile


def _pixels_at(data: bytes, at: int) -> bytes:
    return data[:10] + struct.pack("<I", at) + data[14:]


def test_bytes_before_a_profile_are_gone() -> None:
    data = bytearray(_with_profile(0x4D424544, build.display_profile()))
    at = len(data) - len(build.display_profile())
    data[at:at] = CANARY
    struct.pack_into("<I", data, 14 + 112, at - 14 + len(CANARY))
    output, codes, _ = run(bytes(data))
    assert codes == {"image.color_profile", "image.hidden_data"}
    assert CANARY not in output


def test_a_profile_is_applied_or_removed() -> None:
    output, codes, _ = run(_with_profile(0x4D424544, build.display_profile()))
    assert codes == {"image.color_profile"}
    assert pixels(output)[0][1] > 200 > 60 > pixels(output)[0][0]
    output, codes, _ = run(_with_profile(0x4D424544, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()))
    assert codes == set()
    assert len(output) == 58
    output, codes, _ = run(_with_profile(0x4C494E4B, b"C:\\\\192.0.2.1\\" + CANARY))
    assert codes == {"image.color_profile", "image.trailing_data"}
    assert CANARY not in output


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (lambda: build.bmp(SIZE, 24, ROWS[:60]), Malformed),                                                     # rows missing
        (lambda: build.bmp((4, 4), 8, b"\4\1\0\0\4\1", compression=1, palette=GREY), Malformed),           # runs missing
        (lambda: build.bmp(SIZE, 32, ROWS, compression=3, masks=struct.pack("<3I", 0xFF, 0xFF, 0xFF)), Malformed),  # masks overlap
        (lambda: build.bmp(SIZE, 32, ROWS, compression=3, masks=struct.pack("<3I", 0xF0F, 0xFF0000, 0xFF000000)), Malformed),
        (lambda: build.bmp(SIZE, 16, ROWS, compression=3, masks=_888), Malformed),                               # masks outside
        (lambda: build.bmp(SIZE, 13, ROWS), Malformed),
        (lambda: build.bmp(SIZE, 8, ROWS, compression=2), Malformed),
        (lambda: build.bmp((6, -4), 8, ROWS, compression=1, palette=GREY), Malformed),                           # runs top down
        (lambda: build.bmp((0, 4), 8, ROWS, palette=GREY), Malformed),
        (lambda: build.bmp(SIZE, 24, ROWS)[:40], Malformed),
        (lambda: build.bmp(SIZE, 32, b"", compression=3), Malformed),                                            # no masks
        (lambda: _pixels_at(build.bmp(SIZE, 24, ROWS), 40), Malformed),                                          # inside the header
        (lambda: _pixels_at(build.bmp(SIZE, 24, ROWS), 5_000), Malformed),
        (lambda: build.bmp(SIZE, 24, ROWS, header=100), Malformed),
        (lambda: build.bmp(SIZE, 0, ROWS, compression=4), Unsupported),                                          # a JPEG for printers
        (lambda: build.bmp((2**31 - 1, 6), 8, ROWS), LimitExceeded),
        (lambda: build.bmp((30_000, 30_000), 1, ROWS), LimitExceeded),
    ],
)
def test_broken_pictures_are_refused(make: Callable[[], bytes], refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        run(make())


def test_runs_do_not_make_more_pixels_than_the_limit() -> None:
    data = build.bmp((20_000, 20_000), 8, b"\0\1", compression=1, palette=GREY)
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, data, Kind.BMP, limits=Limits(pixels=1_000_000))


def test_bmp_that_speaks_goes_out_as_png() -> None:
    """I04: the rows of a BMP are the bytes that its author chose."""
    data = build.bmp_speaking(b"*/=1;</x><script>alert(1)</script>")
    output, codes, kind = run(data)
    assert kind is Kind.PNG
    assert codes == {"image.active_text"}
    assert b"<script" not in output
    assert ImageChops.difference(build.opened(output), build.opened(data)).getbbox() is None


def test_bmp_hidden_and_trailing_bytes_are_gone() -> None:
    data = bytearray(build.saved(build.scene(), "BMP"))
    struct.pack_into("<I", data, 10, 54 + len(CANARY))
    data[54:54] = CANARY
    output, codes, _ = run(bytes(data) + CANARY)
    assert codes == {"image.hidden_data", "image.trailing_data"}
    assert CANARY not in output
    assert ImageChops.difference(build.opened(output), build.scene()).getbbox() is None


