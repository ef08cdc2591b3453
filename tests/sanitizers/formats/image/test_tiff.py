"""Directories of a TIFF, tag by tag: what lies, what hides, and pixels stored in rarer ways."""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Kind, LimitExceeded, Malformed, Refused, Unsupported
from tests.build import image as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 9: 4, 12: 8}
SHORT, LONG = 3, 4


def tiff(pixels: bytes, *tags: tuple[int, int, bytes], order: str = "<", following: int = 0, gap: bytes = b"", tail: bytes = b"") -> bytes:
    """One page of eight pixels squared; `tags` (number, type, value) take the place of the usual ones, or come besides."""
    start = 8 + len(pixels) + len(gap)
    usual = {
        256: (SHORT, 8), 257: (SHORT, 8), 258: (SHORT, 8), 259: (SHORT, 1), 262: (SHORT, 1), 273: (LONG, 8), 277: (SHORT, 1),
        278: (SHORT, 8), 279: (LONG, len(pixels)),
    }  # fmt: skip
    found = {tag: (kind, struct.pack(order + "HI"[kind == LONG], value)) for tag, (kind, value) in usual.items()}
    found |= {tag: (kind, value) for tag, kind, value in tags}
    values, table = b"", b""
    place = start + 2 + 12 * len(found) + 4
    for tag in sorted(found):
        kind, value = found[tag]
        inline = value.ljust(4, b"\0")
        if len(value) > 4:
            inline = struct.pack(order + "I", place + len(values))
            values += value + bytes(len(value) % 2)
        table += struct.pack(order + "HHI", tag, kind, len(value) // WIDTHS[kind]) + inline
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + struct.pack(order + "I", start) + pixels + gap + struct.pack(order + "H", len(found)) + table + struct.pack(order + "I", following) + values + tail


def short(tag: int, *numbers: int) -> tuple[int, int, bytes]:
    return tag, SHORT, struct.pack(f"<{len(numbers)}H", *numbers)


GREY = bytes(range(0, 256, 4))


def run(data: bytes, **options: object) -> tuple[bytes, set[str]]:
    made, context = sanitize(SANITIZER, data, Kind.TIFF, **options)
    return made.content.bytes(), {finding.code for finding in changes(context)}


def shown(data: bytes) -> Image.Image:
    output, codes = run(data)
    assert codes == set()
    return build.opened(output)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read(order: str) -> None:
    assert shown(tiff(GREY, order=order)).tobytes() == GREY


class Wrong(NamedTuple):
    data: bytes
    refusal: type[Refused] = Malformed
    code: str = "image.malformed"


def _directory(count: int, entries: int = 0) -> bytes:
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + bytes(12 * entries + 4)


def _cut_rows() -> bytes:
    """The pixels at the end of the file, and fewer than there should be."""
    data = tiff(b"", (279, LONG, struct.pack("<I", 64)))
    return data.replace(struct.pack("<HHII", 273, LONG, 1, 8), struct.pack("<HHII", 273, LONG, 1, len(data))) + GREY[:30]


WRONG = {
    "neither order": Wrong(b"XX*\0" + bytes(20)),
    "half a header": Wrong(b"II*\0\x08\0\0\0"),
    "no page": Wrong(b"II*\0" + bytes(20)),
    "a directory in the header": Wrong(b"II*\0\4\0\0\0" + bytes(20)),
    "a directory behind the end": Wrong(b"II*\0\x40\0\0\0" + bytes(20)),
    "more entries than bytes": Wrong(_directory(9, 2)),
    "more entries than any": Wrong(_directory(2_001, 2_002)),
    "no room for the next": Wrong(tiff(GREY, following=5_000)),
    "a million widths": Wrong(tiff(GREY).replace(struct.pack("<HHIH", 256, SHORT, 1, 8), struct.pack("<HHIH", 256, SHORT, 1_000_001, 8)), LimitExceeded, "file.limit_exceeded"),
    "a million strips": Wrong(tiff(GREY, (273, 1, bytes(1_000_000)), (279, 1, bytes(1_000_000))), LimitExceeded, "file.limit_exceeded"),
    "a width of another type": Wrong(tiff(GREY, (256, 9, struct.pack("<i", 8)))),
    "a width elsewhere": Wrong(tiff(GREY).replace(struct.pack("<HHIH", 256, SHORT, 1, 8), struct.pack("<HHIH", 256, SHORT, 900, 60_000)), code="image.decoder"),
    "JPEG of the old style": Wrong(tiff(GREY, short(259, 6)), Unsupported, "file.unsupported_kind"),
    "a colour that is not there": Wrong(tiff(bytes([5] * 64), short(262, 3), short(320, *range(9)))),
    "rows that are cut off": Wrong(_cut_rows(), code="image.decoder"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_directory_that_lies_is_refused(what: str) -> None:
    wrong = WRONG[what]
    with pytest.raises(Refused) as refusal:
        run(wrong.data)
    assert (type(refusal.value), refusal.value.code) == (wrong.refusal, wrong.code)


@pytest.mark.parametrize(
    "data",
    [
        tiff(GREY, gap=CANARY), tiff(GREY, tail=CANARY), tiff(GREY, gap=bytes(100) + CANARY), tiff(GREY, tail=b"II*\0" + CANARY),
        tiff(GREY, gap=b"\1"),
    ],
    ids=["between", "behind", "far between", "behind a second header", "one byte"],
)  # fmt: skip
def test_bytes_that_nothing_refers_to_are_gone(data: bytes) -> None:
    output, codes = run(data)
    assert codes == {"image.hidden_data"}
    assert CANARY not in output


@pytest.mark.parametrize("data", [tiff(GREY, gap=bytes(100)), tiff(GREY, tail=bytes(9)), tiff(GREY, gap=b"II*\0\x08\0\0\0")])
def test_padding_and_the_header_that_a_page_had_alone_hide_nothing(data: bytes) -> None:
    assert run(data)[1] == set()


def test_a_smaller_copy_between_two_pages_is_not_even_decoded() -> None:
    pages = [build.scene((64, 48)), build.scene((16, 12)), build.scene((64, 48), "L")]
    data = bytearray(build.tiff(pages))
    at = struct.unpack_from("<I", data, 4)[0]
    (count,) = struct.unpack_from("<H", data, at)
    at = struct.unpack_from("<I", data, at + 2 + 12 * count)[0]       # the second directory: its first tag becomes another one
    assert struct.unpack_from("<HHII", data, at + 2)[::3] == (256, 16)
    struct.pack_into("<HHII", data, at + 2, 254, LONG, 1, 1)
    output, codes = run(bytes(data))                                  # it has no width any more
    assert codes == {"image.thumbnail"}
    found = Image.open(io.BytesIO(output))
    assert [(found.seek(index), found.mode, found.size)[1:] for index in range(2)] == [("RGB", (64, 48)), ("L", (64, 48))]


def test_a_page_that_calls_itself_a_smaller_copy_is_left_out() -> None:
    first, second = tiff(GREY), tiff(GREY[::-1], (254, LONG, struct.pack("<I", 1)))
    output, codes = run(_chained(first, second))
    assert codes == {"image.thumbnail"}
    assert Image.open(io.BytesIO(output)).n_frames == 1                # type: ignore[attr-defined]
    output, codes = run(_chained(second, first))                       # the only one that comes first is a page
    assert codes == set()
    assert Image.open(io.BytesIO(output)).n_frames == 2                # type: ignore[attr-defined]


def _chained(first: bytes, second: bytes) -> bytes:
    """Two files of one page in one: offsets of the second are moved."""
    base = len(first)
    at = struct.unpack_from("<I", first, 4)[0]
    end = at + 2 + 12 * struct.unpack_from("<H", first, at)[0]
    moved = bytearray(second)
    there = struct.unpack_from("<I", second, 4)[0]
    for place in range(there + 2, there + 2 + 12 * struct.unpack_from("<H", second, there)[0], 12):
        if struct.unpack_from("<H", moved, place)[0] == 273:
            struct.pack_into("<I", moved, place + 8, struct.unpack_from("<I", moved, place + 8)[0] + base)
    return first[:end] + struct.pack("<I", base + there) + first[end + 4 :] + bytes(moved)


def test_places_and_hidden_directories_are_named() -> None:
    inner = struct.pack("<I", 8)
    for tag, code in ((330, "image.thumbnail"), (34853, "image.gps"), (34665, "image.metadata"), (50_000, "image.private_chunk")):
        assert run(tiff(GREY, (tag, LONG, inner)))[1] == {code}


def test_colours_of_sixteen_bits_are_reduced_and_reported() -> None:
    data = tiff(bytes(range(128)) * 3, short(258, 16, 16, 16), short(262, 2), short(277, 3))
    output, codes = run(data)
    assert codes == {"image.depth_reduced"}
    assert build.opened(output).getpixel((1, 0)) == (7, 9, 11)


def test_alpha_that_is_in_the_colours_already_is_taken_out_of_them() -> None:
    data = tiff(b"\x40\x40\x00\x80" * 64, short(258, 8, 8, 8, 8), short(262, 2), short(277, 4), short(338, 1))
    red, green, blue, alpha = shown(data).getpixel((3, 3))
    assert (abs(red - 128) <= 1, abs(green - 128) <= 1, blue, alpha) == (True, True, 0, 128)


@pytest.mark.parametrize(
    ("stored", "photometric", "tags", "expected"),
    [
        (b"\0\0\0", 8, [], ("RGB", (0, 0, 0))), (b"\x80\x80\x80", 6, [], ("RGB", (128, 128, 128))),
        (b"\x40\x80", 1, [short(338, 1)], ("LA", (127, 128))), (b"\1\x80", 3, [short(338, 2), short(320, *[0xFFFF] * 768)], ("RGBA", (255, 255, 255, 128))),
    ],
    ids=["Lab", "YCbCr", "grey with alpha in it", "palette with alpha"],
)  # fmt: skip
def test_rarer_colour_models_become_those_of_a_screen(
    stored: bytes, photometric: int, tags: list[tuple[int, int, bytes]], expected: tuple[str, tuple[int, ...]]
) -> None:
    page = shown(tiff(stored * 64, short(258, *[8] * len(stored)), short(262, photometric), short(277, len(stored)), *tags))
    mode, colours = expected
    assert page.mode == mode
    assert [abs(one - other) <= 1 for one, other in zip(page.getpixel((3, 3)), colours, strict=True)] == [True] * len(colours)


def test_resolution_is_turned_with_the_page_and_impossible_ones_are_none() -> None:
    def dense(unit: int, x: int, y: int, *more: tuple[int, int, bytes]) -> dict[str, object]:
        output, _ = run(tiff(GREY, (282, 5, struct.pack("<II", x, 1)), (283, 5, struct.pack("<II", y, 1)), short(296, unit), *more))
        return Image.open(io.BytesIO(output)).info

    assert dense(2, 300, 150)["dpi"] == (300, 150)
    assert dense(2, 300, 150, short(274, 6))["dpi"] == (150, 300)
    assert dense(3, 100, 100)["dpi"] == (254, 254)
    assert dense(2, 0, 0).get("dpi", (1, 1)) == (1, 1)
    assert dense(1, 4, 3).get("dpi", (1, 1)) == (1, 1)


def test_pixels_that_speak_in_every_coding_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "speaks", lambda data: True)
    for data, kind in ((tiff(GREY), Kind.TIFF), (build.saved(build.scene(), "PNG", save_all=True, append_images=[build.soft()]), Kind.PNG)):
        with pytest.raises(Malformed) as refusal:
            sanitize(SANITIZER, data, kind)
        assert refusal.value.code == "image.active_text"
