"""The second opinion on TIFF: listed tags, and every byte belongs to one thing."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import context, sanitize

WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 13: 4}
Entry = tuple[int, int, int, int]       # tag, type, count, value or offset
PLAIN: tuple[Entry, ...] = ((256, 3, 1, 4), (257, 3, 1, 3), (259, 3, 1, 8))
PIXELS = b"pixels"


def page(at: int, entries: tuple[Entry, ...] = PLAIN, *, strips: tuple[bytes, ...] = (PIXELS,), following: bool = False) -> bytes:
    """A directory at this place of the file, what does not fit into it, and its strips. What is left of a value is filled up."""
    entries = tuple(sorted((*entries, (273, 4, len(strips), 0), (279, 4, len(strips), 0))))
    after = at + 2 + 12 * len(entries) + 4
    values = b""
    lines = []
    first = after + sum(size for _, kind, count, _ in entries if (size := WIDTHS[kind] * count) > 4)
    starts = [first + sum(len(strip) for strip in strips[:index]) for index in range(len(strips))]
    for tag, kind, count, value in entries:
        numbers = {273: starts, 279: [len(strip) for strip in strips]}.get(tag)
        body = struct.pack(f"<{count}I", *numbers) if numbers else struct.pack("<I", value).ljust(WIDTHS[kind] * count, b"v")
        outside = WIDTHS[kind] * count > 4
        lines.append(struct.pack("<HHI", tag, kind, count) + (struct.pack("<I", after + len(values)) if outside else body[:4].ljust(4, b"\0")))
        values += body if outside else b""
    end = first + sum(map(len, strips))
    return b"".join([struct.pack("<H", len(lines)), *lines, struct.pack("<I", end if following else 0), values, *strips])


def tiff(*entries: Entry, strips: tuple[bytes, ...] = (PIXELS,)) -> bytes:
    return b"II*\0\x08\0\0\0" + page(8, (*PLAIN, *entries), strips=strips)


GOOD = tiff()


def check(output: bytes, original: bytes | None = None) -> None:
    VERIFIERS[Kind.TIFF](Source(output), Source(output if original is None else original), context(kind=Kind.TIFF))


def fails(output: bytes, words: str) -> None:
    with pytest.raises(VerificationFailed, match=words):
        check(output)


def place(output: bytes, tag: int) -> int:
    """Where the entry of a tag lies in the first directory."""
    (at,) = struct.unpack_from("<I", output, 4)
    (count,) = struct.unpack_from("<H", output, at)
    return next(place for place in range(at + 2, at + 2 + 12 * count, 12) if struct.unpack_from("<H", output, place)[0] == tag)


def changed(output: bytes, at: int, layout: str, *values: int) -> bytes:
    data = bytearray(output)
    struct.pack_into("<" + layout, data, at, *values)
    return bytes(data)


# ------------------------------------------------------------------------------------------------------------ what is written


def written(mode: str, compression: str, way: int, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, bytes]:
    picture = Image.new(mode, (96, 64)) if mode in ("F", "I") else build.scene(mode=mode)
    data = build.tiff([picture, picture], compression=compression, dpi=(300, 200))
    monkeypatch.setattr(codec, "silent", lambda encodings: list(encodings)[way]())
    return data, sanitize(SANITIZER, data, Kind.TIFF)[0].content.bytes()


def tags_of(output: bytes) -> set[int]:
    (at,) = struct.unpack_from("<I", output, 4)
    (count,) = struct.unpack_from("<H", output, at)
    return {struct.unpack_from("<H", output, place)[0] for place in range(at + 2, at + 2 + 12 * count, 12)}


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize(
    ("mode", "compression", "tags"),
    [
        ("1", "group4", {262, 273, 278, 279, 282, 283, 284, 296}), ("L", "raw", {317}), ("L", "jpeg", {347}), ("RGB", "jpeg", {347, 530, 532}),
        ("P", "raw", {320}), ("RGB", "raw", {258, 277, 317}), ("RGBA", "raw", {338}), ("LA", "raw", {338}), ("CMYK", "raw", {317}),
        ("I;16", "raw", {317}), ("I", "raw", set()), ("F", "raw", {339}),
    ],
)  # fmt: skip
def test_every_tiff_that_is_written_passes(mode: str, compression: str, tags: set[int], way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the way of coding that is taken where the pixels speak in the usual one."""
    data, output = written(mode, compression, way, monkeypatch)
    assert tags_of(output) >= tags
    check(output, data)


# --------------------------------------------------------------------------------------------------------------------- entries


@pytest.mark.parametrize("tag", [254, 255, 263, 266, 270, 274, 285, 292, 295, 297, 305, 316, 318, 321, 330, 337, 340, 346, 348, 529, 531, 533, 700, 34_665, 50_000])
def test_other_tags_fail(tag: int) -> None:
    fails(tiff((tag, 3, 1, 0)), f"tag {tag}")


@pytest.mark.parametrize(
    ("tag", "kind", "most"),
    [(258, 3, 4), (262, 3, 1), (277, 3, 1), (278, 4, 1), (282, 5, 1), (283, 5, 1), (284, 3, 1), (296, 3, 1), (317, 3, 1), (320, 3, 768), (338, 3, 1),
     (339, 3, 1), (347, 7, 574), (530, 3, 2), (532, 5, 6)],
)  # fmt: skip
def test_a_tag_has_no_more_numbers_than_it_needs(tag: int, kind: int, most: int) -> None:
    check(tiff((tag, kind, most, 0)))
    for count in (0, most + 1):
        fails(tiff((tag, kind, count, 0)), f"tag {tag}")


@pytest.mark.parametrize("size", [4, 5])
def test_what_has_no_place_in_an_entry_lies_outside_of_it(size: int) -> None:
    check(tiff((347, 7, size, 0x7F7F_7F7F)))


@pytest.mark.parametrize("tag", [256, 257, 259])
def test_sides_and_compression_are_one_number(tag: int) -> None:
    fails(changed(GOOD, place(GOOD, tag) + 4, "I", 2), f"tag {tag}")


@pytest.mark.parametrize("kind", [0, 1, 2, 6, 8, 13])
def test_other_types_fail(kind: int) -> None:
    fails(changed(GOOD, place(GOOD, 257) + 2, "H", kind), "tag 257")


@pytest.mark.parametrize("compression", range(10))
def test_compressions_are_those_of_the_coders(compression: int) -> None:
    output = changed(GOOD, place(GOOD, 259) + 8, "H", compression)
    if compression in (3, 4, 5, 7, 8):
        check(output)
    else:
        fails(output, "compression")


def test_tags_stand_in_their_order_and_once() -> None:
    """Readers differ in which of two they take."""
    fails(changed(GOOD, place(GOOD, 257), "H", 256), "order of tags")
    fails(changed(changed(GOOD, place(GOOD, 256), "HHII", 257, 3, 1, 3), place(GOOD, 257), "H", 256), "order of tags")


# --------------------------------------------------------------------------------------------------------- pages and strips


def test_another_head_fails() -> None:
    fails(b"MM\0*" + GOOD[4:], "signature")
    fails(b"II+\0" + GOOD[4:], "signature")
    fails(changed(GOOD, 8, "H", 60_000), ".")


def test_pages_follow_each_other() -> None:
    first = b"II*\0\x08\0\0\0" + page(8, following=True)
    two = first + page(len(first))
    check(two)
    with pytest.raises(VerificationFailed, match="1 frames, were 2"):
        check(GOOD, two)
    follower = 8 + 2 + 12 * 5
    assert struct.unpack_from("<I", two, follower)[0] == len(first)
    for wrong in (8, 4):
        fails(changed(two, follower, "I", wrong), "circle")
    fails(build.tiff_loop(), "tag|circle|compression")


def test_strips_lie_inside_the_file_and_apart() -> None:
    two = tiff(strips=(b"first", b"second"))
    check(two)
    starts, sizes = (struct.unpack_from("<I", two, place(two, tag) + 8)[0] for tag in (273, 279))
    first, second = struct.unpack_from("<II", two, starts)
    for at, value, words in (
        (starts + 4, first, "overlap"), (starts, 4, "overlap"), (starts + 4, second - 1, "overlap"), (sizes, 0, "overlap"), (sizes, 6, "overlap"),
        (starts + 4, second + 1, "belong to nothing"), (sizes + 4, 7, "strips outside"), (sizes + 4, 5, "data outside"), (sizes, 4, "belong to nothing"),
    ):  # fmt: skip
        fails(changed(two, at, "I", value), words)
    check(two + bytes(9))
    fails(two + b"x", "data outside")
    fails(changed(two, place(two, 279) + 4, "II", 1, 11), "cannot be walked")


def test_values_lie_inside_the_file_and_apart() -> None:
    output = tiff((258, 3, 4, 0), (530, 3, 2, 0), (532, 5, 6, 0))
    check(output)
    at = place(output, 532) + 8
    (value,) = struct.unpack_from("<I", output, at)
    for wrong in (0, 8, value + 1, len(output)):
        fails(changed(output, at, "I", wrong), "overlap|belong to nothing|outside")


@pytest.mark.parametrize(("gap", "passes"), [
    (bytes(15), True), (bytes(15) + b"II*\0abcd", True), (b"II*\0\n\n\n\n", True), (bytes(16), False), (b"x", False), (b"II*\0abcde", False),
    (b"II*\0\0\0\0\0" * 2, False), (bytes(16) + b"II*\0abcd", False),
])  # fmt: skip
def test_between_pages_there_is_padding_only(gap: bytes, passes: bool) -> None:
    first = b"II*\0\x08\0\0\0" + page(8, following=True)
    output = changed(first + gap + page(len(first) + len(gap)), 8 + 2 + 12 * 5, "I", len(first) + len(gap))
    if passes:
        check(output)
    else:
        fails(output, "belong to nothing")


@pytest.mark.parametrize("missing", [256, 257, 259, 273, 279])
def test_a_page_without_sides_or_strips_fails(missing: int) -> None:
    output = changed(GOOD, place(GOOD, missing), "HHII", missing + 4, 3, 1, 0)
    if missing < 273:
        output = b"II*\0\x08\0\0\0" + page(8, tuple(entry for entry in PLAIN if entry[0] != missing))
    with pytest.raises(VerificationFailed, match="no strips"):
        check(output, GOOD)


@pytest.mark.parametrize("tag", [273, 279])
@pytest.mark.parametrize(("kind", "count"), [(3, 1), (3, 2), (5, 1), (7, 4)])
def test_places_of_strips_are_of_one_type(tag: int, kind: int, count: int) -> None:
    fails(changed(GOOD, place(GOOD, tag) + 2, "HI", kind, count), "type of a strip's place|belong to nothing|outside")
