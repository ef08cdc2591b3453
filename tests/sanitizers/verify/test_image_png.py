"""The second opinion on PNG, and on icons, which are made of them."""

from __future__ import annotations

import struct
import zlib

import pytest

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import context, sanitize

ROWS = b"".join(bytes([row % 5]) + bytes(12) for row in range(3))       # 4 by 3 pixels, every filter
HEADER = struct.pack(">IIBBBBB", 4, 3, 8, 2, 0, 0, 0)
PIXELS = zlib.compress(ROWS)
DATE = b"II*\0" + struct.pack("<IHHHIIIHHHIII", 8, 1, 0x8769, 4, 1, 26, 0, 1, 0x9003, 2, 20, 44, 0) + b"2026:04:01 09:30:00\0"


def png(*parts: tuple[bytes, bytes], end: bytes = b"") -> bytes:
    """Header, these chunks, end."""
    return build.PNG_SIGNATURE + b"".join(build.png_chunk(*part) for part in ((b"IHDR", HEADER), *parts, (b"IEND", end)))


def control(width: int = 4, height: int = 3) -> tuple[bytes, bytes]:
    return b"fcTL", struct.pack(">5I6x", 0, width, height, 0, 0)


IDAT, FDAT = (b"IDAT", PIXELS), (b"fdAT", bytes(4) + PIXELS)
GOOD = png(IDAT)


def check(output: bytes, original: bytes = GOOD, kind: Kind = Kind.PNG) -> None:
    VERIFIERS[kind](Source(output), Source(original), context(kind=kind))


def fails(output: bytes, words: str, original: bytes = GOOD, kind: Kind = Kind.PNG) -> None:
    with pytest.raises(VerificationFailed, match=words):
        check(output, original, kind)


# ---------------------------------------------------------------------------------------------------------------------- chunks


@pytest.mark.parametrize(
    ("name", "lengths", "others"),
    [
        (b"PLTE", (3, 768), (0, 2, 4, 769, 771)), (b"tRNS", (1, 256), (0, 257)), (b"gAMA", (4,), (3, 5)), (b"pHYs", (9,), (8, 10)),
        (b"acTL", (8,), (7, 9)), (b"eXIf", (), (63, 65, 0)), (b"IHDR", (), (13, 14)), (b"tEXt", (), (0, 5)), (b"iCCP", (), (5,)),
        (b"seKi", (), (5,)), (b"SeKi", (), (5,)),
    ],
)  # fmt: skip
def test_chunks_are_listed_and_no_longer_than_they_need(name: bytes, lengths: tuple[int, ...], others: tuple[int, ...]) -> None:
    for length in lengths:
        check(png((name, bytes(length)), IDAT))
        fails(png((name, bytes(length)), (name, bytes(length)), IDAT), "two chunks")
        fails(png(IDAT, (name, bytes(length))), "chunks after the pixels")
    for length in others:
        fails(png((name, bytes(length)), IDAT), "chunk")


def test_of_exif_only_a_date_passes() -> None:
    check(png((b"eXIf", DATE), IDAT))
    fails(png((b"eXIf", DATE), (b"eXIf", DATE), IDAT), "two chunks")
    fails(png((b"eXIf", DATE[:50] + b"x" + DATE[51:]), IDAT), "more than a date")


def test_a_png_begins_and_ends_as_every_png() -> None:
    fails(b"\x8aPNG\r\n\x1a\n" + GOOD[8:], "signature")
    fails(png(), "order of chunks")
    fails(png(IDAT, end=b"x"), "chunk")
    fails(GOOD[:-12], "order of chunks")
    fails(GOOD + build.png_chunk(b"IEND", b""), "chunks after the pixels")
    fails(build.PNG_SIGNATURE + build.png_chunk(b"gAMA", bytes(4)) + GOOD[8:], "order of chunks")
    fails(GOOD[:29] + b"\0\0\0\0" + GOOD[33:], "checksum")


# ------------------------------------------------------------------------------------------------------------------------ rows


def header(*, depth: int = 8, colours: int = 2, ways: bytes = b"\0\0\0") -> bytes:
    return struct.pack(">IIBB", 4, 3, depth, colours) + ways


def with_header(fields: bytes, rows: bytes = ROWS) -> bytes:
    return GOOD[:8] + build.png_chunk(b"IHDR", fields) + build.png_chunk(b"IDAT", zlib.compress(rows)) + build.png_chunk(b"IEND", b"")


@pytest.mark.parametrize(("colours", "samples"), [(0, 1), (2, 3), (3, 1), (4, 2), (6, 4)])
@pytest.mark.parametrize("depth", [1, 8, 16])
def test_rows_are_as_long_as_colours_and_depth_say(colours: int, samples: int, depth: int) -> None:
    size = (4 * depth * samples + 7) // 8
    fields = header(depth=depth, colours=colours)
    check(with_header(fields, (b"\0" + bytes(size)) * 3))
    for wrong in (size - 1, size + 1):
        fails(with_header(fields, (b"\0" + bytes(wrong)) * 3), "rows")


@pytest.mark.parametrize("fields", [header(colours=colours) for colours in (1, 5, 7)] + [header(ways=ways) for ways in (b"\0\0\1", b"\0\1\0", b"\1\0\0")])
def test_other_ways_of_storing_fail(fields: bytes) -> None:
    """Interlaced rows, of which there are others, are never written."""
    fails(with_header(fields), "way of storing")


def test_pixels_may_come_in_pieces() -> None:
    check(png((b"IDAT", PIXELS[:9]), (b"IDAT", b""), (b"IDAT", PIXELS[9:])))


@pytest.mark.parametrize(
    ("deflated", "words"),
    [
        (zlib.compress(ROWS[:-1]), "^rows"),
        (zlib.compress(ROWS + b"\0"), "more rows"),
        (zlib.compress(ROWS + bytes(5 << 20)), "more rows"),
        (zlib.compress(ROWS[:26] + b"\5" + ROWS[27:]), "filter"),
        (zlib.compress(b"\5" + ROWS[1:]), "filter"),
        (PIXELS + b"hidden", "^rows"),
        (PIXELS[:-1] + b"\1", "deflate|^rows"),                     # another checksum
        (PIXELS[:-5], "^rows"),
        (b"", "^rows"),
        (b"no deflate at all", "deflate"),
    ],
)
def test_other_rows_fail(deflated: bytes, words: str) -> None:
    fails(png((b"IDAT", deflated)), words)


def test_a_filter_is_looked_for_where_a_row_begins() -> None:
    """Also in the second megabyte, and only there."""
    fields = struct.pack(">IIBBBBB", 600, 900, 8, 2, 0, 0, 0)
    rows = bytearray((b"\4" + b"\xff" * 1800) * 900)
    original = with_header(fields, bytes(rows))
    check(original, original)
    for row in (0, 700):
        changed = rows.copy()
        changed[1801 * row] = 5
        fails(with_header(fields, bytes(changed)), "filter", original)


def test_rows_of_every_frame_are_counted() -> None:
    animation = (b"acTL", bytes(8)), control(), IDAT, control(), FDAT
    good = png(*animation)
    check(good, good)
    check(png(*animation[:-1], (b"fdAT", bytes(4) + PIXELS[:9]), (b"fdAT", bytes(4) + PIXELS[9:])), good)
    smaller = zlib.compress(ROWS[:26])
    check(png(*animation[:3], control(4, 2), (b"fdAT", bytes(4) + smaller)), good)
    hidden = png((b"acTL", bytes(8)), IDAT, control(), FDAT, control(4, 2), (b"fdAT", bytes(4) + smaller))
    check(hidden, good)
    for wrong in (zlib.compress(ROWS[:26]), PIXELS[:-1], PIXELS + b"x", b""):
        fails(png(*animation[:-1], (b"fdAT", bytes(4) + wrong)), "^rows", good)
    fails(png(*animation[:-1]), "^rows", good)
    fails(png(*animation[:3], FDAT), "fdAT without fcTL", good)
    fails(png(*animation, (b"fdAT", b"\0\0\0\2x")), "^rows", good)
    fails(png(control(), (b"IDAT", PIXELS[:9]), control(), (b"IDAT", PIXELS[9:])), "^rows", good)


def test_a_missing_frame_fails() -> None:
    animation = (b"acTL", bytes(8)), control(), IDAT, control(), FDAT
    fails(png(*animation[:3]), "1 frames, were 2", png(*animation))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_png_that_is_written_passes(mode: str) -> None:
    picture = build.scene(mode=mode)
    for options in ({}, {"dpi": (300, 200), "exif": build.exif()}, {"transparency": 3} if mode in ("L", "P") else {}):
        data = build.saved(picture, "PNG", **options)
        made, given = sanitize(SANITIZER, data, Kind.PNG, capture_date_kept=True)
        VERIFIERS[Kind.PNG](made.content, Source(data), given)


def test_an_animation_that_is_written_passes() -> None:
    frames = [build.scene(), build.scene().rotate(180)]
    data = build.saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50)
    output = sanitize(SANITIZER, data, Kind.PNG)[0].content.bytes()
    assert b"fdAT" in output
    check(output, data)


# ----------------------------------------------------------------------------------------------------------------------- icons


def icon(*images: bytes, head: tuple[int, int, int] | None = None, entry: bytes = b"\4\3\0\0\1\0\x20\0", gap: bytes = b"") -> bytes:
    parts = [struct.pack("<HHH", *(head or (0, 1, len(images))))]
    at = 6 + 16 * len(images) + len(gap)
    for image in images:
        parts.append(entry + struct.pack("<II", len(image), at))
        at += len(image)
    return b"".join([*parts, gap, *images])


def test_an_icon_is_a_directory_and_its_images() -> None:
    two = icon(GOOD, GOOD)
    check(two, two, Kind.ICO)
    fails(icon(GOOD), "1 frames, were 2", two, Kind.ICO)
    for head in ((1, 1, 2), (0, 2, 2)):
        fails(icon(GOOD, GOOD, head=head), "directory", two, Kind.ICO)
    fails(icon(), "directory", icon(), Kind.ICO)
    fails(icon(GOOD, GOOD, gap=b"x"), "entry of the directory", two, Kind.ICO)
    fails(two + b"x", "data after the last image", two, Kind.ICO)
    fails(icon(GOOD, b"x" * 90), "signature", two, Kind.ICO)


@pytest.mark.parametrize("entry", [b"\4\3\1\0\1\0\x20\0", b"\4\3\0\1\1\0\x20\0", b"\4\3\0\0\2\0\x20\0", b"\4\3\0\0\1\0\x18\0"])
def test_an_icon_says_nothing_in_its_directory(entry: bytes) -> None:
    fails(icon(GOOD, entry=entry), "entry of the directory", icon(GOOD), Kind.ICO)


def test_the_directory_of_an_icon_says_how_large_an_image_is() -> None:
    fails(icon(GOOD, entry=b"\3\4\0\0\1\0\x20\0"), "size of an image", icon(GOOD), Kind.ICO)
    largest = build.png_of(256, 256, 1, 0, bytes(33 * 256))
    output = icon(largest, entry=b"\0\0\0\0\1\0\x20\0")
    check(output, output, Kind.ICO)
