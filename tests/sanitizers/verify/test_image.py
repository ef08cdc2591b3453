"""The second opinion on pictures refuses whatever the sanitizer would never write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import context, sanitize

SAMPLES = {
    Kind.JPEG: build.jpeg_with,
    Kind.PNG: build.png_with,
    Kind.GIF: lambda: build.gif(3),
    Kind.BMP: lambda: build.saved(build.scene(), "BMP"),
    Kind.TIFF: lambda: build.tiff([build.scene(), build.scene()]),
    Kind.WEBP: lambda: build.saved(build.scene(), "WEBP"),
    Kind.ICO: lambda: build.saved(build.scene((32, 32), "RGBA"), "ICO", sizes=[(32, 32)]),
}


def good(kind: Kind) -> tuple[bytes, bytes]:
    data = SAMPLES[kind]()
    return data, sanitize(SANITIZER, data, kind)[0].content.bytes()


def check(kind: Kind, output: bytes, original: bytes) -> None:
    VERIFIERS[kind](Source(output), Source(original), context(kind=kind))


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_the_sanitizer_makes_passes(kind: Kind) -> None:
    data, output = good(kind)
    check(kind, output, data)


@pytest.mark.parametrize("kind", [kind for kind in SAMPLES if kind is not Kind.TIFF])
def test_bytes_after_the_end_fail(kind: Kind) -> None:
    data, output = good(kind)
    with pytest.raises(VerificationFailed):
        check(kind, output + b"\0", data)


@pytest.mark.parametrize("kind", SAMPLES)
def test_text_that_speaks_fails(kind: Kind) -> None:
    data, output = good(kind)
    at = len(output) - 40
    with pytest.raises(VerificationFailed):
        check(kind, output[:at] + b"<script>" + output[at + 8 :], data)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_cut_file_fails(kind: Kind) -> None:
    data, output = good(kind)
    for size in (20, len(output) // 2):
        with pytest.raises(VerificationFailed):
            check(kind, output[:size], data)


@pytest.mark.parametrize("kind", [Kind.JPEG, Kind.PNG, Kind.GIF, Kind.BMP, Kind.TIFF, Kind.WEBP])
def test_another_size_fails(kind: Kind) -> None:
    _, output = good(kind)
    plugin = {Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.GIF: "GIF", Kind.BMP: "BMP", Kind.TIFF: "TIFF", Kind.WEBP: "WEBP"}[kind]
    with pytest.raises(VerificationFailed):
        check(kind, output, build.saved(Image.new("RGB", (10, 10)), plugin))


def _insert_segment(output: bytes) -> bytes:
    return output[:2] + build.jpeg_segment(0xFE, b"comment") + output[2:]


def _fuller_exif(output: bytes) -> bytes:
    return output[:2] + build.jpeg_segment(0xE1, b"Exif\0\0" + build.exif(maker=b"camera")) + output[2:]


def _profile(output: bytes) -> bytes:
    return output[:2] + build.jpeg_segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(200)) + output[2:]


@pytest.mark.parametrize("change", [_insert_segment, _fuller_exif, _profile, lambda output: output[:2] + b"junk" + output[2:]])
def test_other_jpeg_segments_fail(change: Callable[[bytes], bytes]) -> None:
    data, output = good(Kind.JPEG)
    with pytest.raises(VerificationFailed):
        check(Kind.JPEG, change(output), data)


@pytest.mark.parametrize("name", [b"tEXt", b"iCCP", b"seKi", b"SeKi", b"eXIf"])
def test_other_png_chunks_fail(name: bytes) -> None:
    data, output = good(Kind.PNG)
    with pytest.raises(VerificationFailed):
        check(Kind.PNG, output[:33] + build.png_chunk(name, b"x" * 64) + output[33:], data)


def test_a_wrong_png_checksum_fails() -> None:
    data, output = good(Kind.PNG)
    with pytest.raises(VerificationFailed):
        check(Kind.PNG, output[:29] + b"\0\0\0\0" + output[33:], data)


ROWS = b"".join(bytes([row % 5]) + bytes(12) for row in range(3))       # 4 by 3 pixels, every filter


def png_of(deflated: bytes, ways: bytes = b"\0\0\0", before: bytes = b"") -> bytes:
    header = struct.pack(">IIBB", 4, 3, 8, 2) + ways
    middle = [build.png_chunk(b"IDAT", deflated[:9]), build.png_chunk(b"IDAT", deflated[9:])]
    return b"".join([b"\x89PNG\r\n\x1a\n", build.png_chunk(b"IHDR", header), before, *middle, build.png_chunk(b"IEND", b"")])


def test_rows_of_a_png_are_inflated_and_counted() -> None:
    good_one = png_of(zlib.compress(ROWS))
    check(Kind.PNG, good_one, good_one)


@pytest.mark.parametrize(
    ("deflated", "ways"),
    [
        (zlib.compress(ROWS[:-1]), b"\0\0\0"),
        (zlib.compress(ROWS + b"\0"), b"\0\0\0"),
        (zlib.compress(ROWS + bytes(5 << 20)), b"\0\0\0"),
        (zlib.compress(ROWS[:26] + b"\5" + ROWS[27:]), b"\0\0\0"),     # a filter that there is not
        (zlib.compress(ROWS) + b"hidden", b"\0\0\0"),
        (zlib.compress(ROWS)[:-1] + b"\1", b"\0\0\0"),                 # another checksum
        (zlib.compress(ROWS)[:-5], b"\0\0\0"),
        (b"no deflate at all", b"\0\0\0"),
        (zlib.compress(ROWS), b"\0\0\1"),                             # interlaced: never written
        (zlib.compress(ROWS), b"\0\1\0"),
        (zlib.compress(ROWS), b"\1\0\0"),
    ],
)
def test_other_rows_of_a_png_fail(deflated: bytes, ways: bytes) -> None:
    original = png_of(zlib.compress(ROWS))
    with pytest.raises(VerificationFailed):
        check(Kind.PNG, png_of(deflated, ways), original)


def test_rows_of_every_frame_are_counted() -> None:
    frames = [build.scene(), build.scene().rotate(180)]
    data = build.saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50)
    output = sanitize(SANITIZER, data, Kind.PNG)[0].content.bytes()
    check(Kind.PNG, output, data)
    at = output.index(b"fdAT") - 4
    (length,) = struct.unpack_from(">I", output, at)
    body = output[at + 8 : at + 8 + length]
    for wrong in (body[:4] + zlib.compress(ROWS), body[:-1], body + b"x"):
        changed = output[:at] + build.png_chunk(b"fdAT", wrong) + output[at + 12 + length :]
        with pytest.raises(VerificationFailed):
            check(Kind.PNG, changed, data)


def test_other_tiff_tags_fail() -> None:
    data = build.tiff([build.scene()])
    with pytest.raises(VerificationFailed):
        check(Kind.TIFF, build.tiff([build.scene()], tiffinfo={270: "text"}), data)
    for tag, value in ((700, b"<x"), (50_000, 7), (34_665, 8)):
        with pytest.raises(VerificationFailed, match=f"tag {tag}"):
            check(Kind.TIFF, build.tiff([build.scene()], tiffinfo={tag: value}), data)
    with pytest.raises(VerificationFailed):
        check(Kind.TIFF, build.tiff_loop(), data)


def _tiff_place(output: bytes, tag: int, page: int = 0) -> tuple[str, int]:
    """The byte order, and where the entry of a tag lies in the directory of a page."""
    order = "<" if output[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "I", output, 4)
    for _ in range(page):
        (count,) = struct.unpack_from(order + "H", output, at)
        (at,) = struct.unpack_from(order + "I", output, at + 2 + 12 * count)
    (count,) = struct.unpack_from(order + "H", output, at)
    return order, next(place for place in range(at + 2, at + 2 + 12 * count, 12) if struct.unpack_from(order + "H", output, place)[0] == tag)


def _with_tiff_value(output: bytes, tag: int, value: int, page: int = 0) -> bytes:
    order, place = _tiff_place(output, tag, page)
    changed = bytearray(output)
    struct.pack_into(order + "HII", changed, place + 2, 4, 1, value)
    return bytes(changed)


def test_strips_of_a_tiff_lie_inside_it_and_apart() -> None:
    data = build.tiff([Image.new("1", (64, 48)), Image.new("1", (64, 48))], compression="group4")
    output = sanitize(SANITIZER, data, Kind.TIFF)[0].content.bytes()
    check(Kind.TIFF, output, data)
    places = [_tiff_place(output, 273, page) for page in (0, 1)]
    first, second = (struct.unpack_from(order + "I", output, place + 8)[0] for order, place in places)
    assert first != second
    for tag, value, page in ((273, first, 1), (273, 4, 0), (279, len(output), 0), (279, len(output) - second + 1, 1), (279, 0, 0)):
        with pytest.raises(VerificationFailed, match="strips"):
            check(Kind.TIFF, _with_tiff_value(output, tag, value, page), data)


def test_a_tiff_page_without_sizes_of_its_strips_fails() -> None:
    data = build.tiff([build.scene()])
    output = bytearray(sanitize(SANITIZER, data, Kind.TIFF)[0].content.bytes())
    order, place = _tiff_place(bytes(output), 279)
    struct.pack_into(order + "H", output, place, 282)
    with pytest.raises(VerificationFailed, match="no strips"):
        check(Kind.TIFF, bytes(output), data)
    for kind in (3, 5, 7):   # two strips in one number, and types that no strip has
        struct.pack_into(order + "HHI", output, place, 279, kind, 2 if kind == 3 else 1)
        with pytest.raises(VerificationFailed):
            check(Kind.TIFF, bytes(output), data)


def test_a_missing_page_or_frame_fails() -> None:
    two, one = build.tiff([build.scene(), build.scene()]), sanitize(SANITIZER, build.tiff([build.scene()]), Kind.TIFF)[0].content.bytes()
    with pytest.raises(VerificationFailed):
        check(Kind.TIFF, one, two)
    frame = sanitize(SANITIZER, build.gif(1), Kind.GIF)[0].content.bytes()
    with pytest.raises(VerificationFailed):
        check(Kind.GIF, frame, build.gif(2))


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


# ------------------------------------------------------------------------------------------------- chunks of other makers


EXTENDED = chunk(b"VP8X", b"\x02\0\0\0\x07\0\0\x07\0\0")


@pytest.mark.parametrize(
    "chunks",
    [
        [chunk(b"XMP ", b"<x/>")], [chunk(b"ICCP", b"xx")], [chunk(b"EXIF", b"more than a date")], [chunk(b"VP8X", bytes(12))],
        [chunk(b"VP8X", b"\x20" + bytes(9))], [EXTENDED, chunk(b"ANMF", bytes(16) + chunk(b"EXIF", b""))], [EXTENDED[:-2] + b"\xff"],
        [b"ANIM\xff\0\0\0"],
    ],
)  # fmt: skip
def test_other_webp_chunks_fail(chunks: list[bytes]) -> None:
    with pytest.raises(VerificationFailed):
        check(Kind.WEBP, webp(*chunks), build.saved(build.scene(), "WEBP"))


def test_an_animation_and_its_date_are_walked_through() -> None:
    frames = [build.scene(), build.scene().rotate(180)]
    data = build.saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50)
    output = sanitize(SANITIZER, data, Kind.WEBP)[0].content.bytes()
    assert b"ANMF" in output
    check(Kind.WEBP, output, data)
    with pytest.raises(VerificationFailed, match="more than a date"):
        check(Kind.WEBP, webp(output[12:], chunk(b"EXIF", b"x" * 40)), data)


@pytest.mark.parametrize(
    "extension", [b"\x21\xfe\x03abc\0", b"\x21\xff\x0bXMP DataXMP\x03\x01\0\0\0", b"\x21\x01\x00", b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\1"]
)
def test_other_gif_extensions_fail(extension: bytes) -> None:
    data, output = good(Kind.GIF)
    at = 13 + 3 * (2 << (output[10] & 7)) if output[10] & 0x80 else 13
    with pytest.raises(VerificationFailed, match="extension"):
        check(Kind.GIF, output[:at] + extension + output[at:], data)


def test_a_gif_may_say_how_often_it_is_shown() -> None:
    frames = [build.scene(), build.scene().rotate(180)]
    data = build.saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0)
    output = sanitize(SANITIZER, data, Kind.GIF)[0].content.bytes()
    assert b"NETSCAPE2.0" in output
    check(Kind.GIF, output, data)
