"""Exif blocks that point nowhere, in a circle or past their end: nothing is read twice, nothing outside."""

from __future__ import annotations

import struct

import pytest

from sanitizers.formats.image import SANITIZER, exif
from sanitizers.model import Kind
from tests.build import image as build
from tests.build.context import changes, sanitize


def block(*entries: tuple[int, int, int, bytes], order: str = "<", start: int = 8, following: int = 0, tail: bytes = b"") -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    table = b"".join(struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0") for tag, kind, count, value in entries)
    return mark + struct.pack(order + "I", start) + struct.pack(order + "H", len(entries)) + table + struct.pack(order + "I", following) + tail


TURN = 0x0112, 3, 1, b"\6\0"


def test_turn_and_resolution_in_either_order() -> None:
    assert exif.read(block(TURN)).orientation == 6
    assert exif.read(block((0x0112, 3, 1, b"\0\6"), order=">")).orientation == 6
    assert exif.read(b"Exif\0\0" + block((0x0112, 4, 1, b"\6\0\0\0"))).orientation == 6
    sizes = (0x011A, 5, 1, struct.pack("<I", 50)), (0x011B, 5, 1, struct.pack("<I", 50)), (0x0128, 3, 1, b"\3\0")
    assert exif.read(block(*sizes, tail=struct.pack("<II", 100, 1))).dpi == (254.0, 254.0)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"II*\0", b"XX*\0\x08\0\0\0", block(TURN, start=4), block(TURN, start=4_000), block(TURN)[:-8],
        b"II*\0\x08\0\0\0" + struct.pack("<H", 1_001) + bytes(12 * 1_001 + 4), block(),
    ],
    ids=["nothing", "half a header", "neither order", "in the header", "behind the end", "cut", "too many", "empty"],
)  # fmt: skip
def test_what_cannot_be_read_is_other_metadata(data: bytes) -> None:
    assert exif.read(data) == exif.UNREADABLE


@pytest.mark.parametrize(
    "entry",
    [
        (0x0112, 3, 1, b"\x09\0"), (0x0112, 2, 4, b"\6\0\0\0"), (0x0112, 3, 0, b""), (0x0112, 3, 5_000, b"\x08\0\0\0"), (0x0112, 3, 4, b"\xff\xff\xff\xff"),
        (0x8769, 4, 1, b"\x08\0\0\0"), (0x8769, 4, 1, b"\xff\xff\xff\xff"),
    ],
    ids=["no such turn", "text", "no value", "too long", "outside", "itself", "outside, a directory"],
)  # fmt: skip
def test_a_value_that_means_nothing_is_not_taken(entry: tuple[int, int, int, bytes]) -> None:
    found = exif.read(block(entry))
    assert (found.orientation, found.taken, found.dpi) == (1, None, None)


def test_a_second_directory_is_a_thumbnail() -> None:
    output, context = sanitize(SANITIZER, build.jpeg_with(build.jpeg_segment(0xE1, b"Exif\0\0" + block(TURN, following=26))), Kind.JPEG)
    assert [finding.code for finding in changes(context)] == ["image.thumbnail"]
    assert b"Exif" not in output.content.bytes()
    assert exif.read(block(TURN)[:-4]).thumbnail is False
