"""The second opinion on drawings of Windows: listed records that fill the file, and nothing else."""

from __future__ import annotations

import struct

import pytest

from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import metafile
from sanitizers.verify.metafile import VERIFIERS
from tests.build.context import context

END_OF_EMF = struct.pack("<IIIII", 14, 20, 0, 16, 20)
LINE = struct.pack("<IIii", 54, 16, 5, 5)


def emf(*records: bytes, count: int | None = None, length: int = 108, signature: int = 0x464D4520, described: int = 0, colours: int = 0) -> bytes:
    body = b"".join(records)
    size = 108 + len(body)
    head = struct.pack("<II", 1, length) + bytes(range(32))
    head += struct.pack("<IIIIHHIII", signature, 0x10000, size, len(records) + 1 if count is None else count, 1, 0, described, 0, colours)
    return head.ljust(108, b"\0") + body


def wmf(*records: bytes, placeable: bool = False, version: int = 0x300, words: int = 0, largest: int = 0) -> bytes:
    body = b"".join(records)
    longest = max((struct.unpack_from("<I", record)[0] for record in records), default=0)
    head = struct.pack("<HHHIHIH", 1, 9, version, 9 + len(body) // 2 + words, 0, longest + largest, 0)
    before = b"\xd7\xcd\xc6\x9a" + struct.pack("<HhhhhHIH", 0, 0, 0, 100, 100, 1440, 0, 0)
    return (before if placeable else b"") + head + body


def record(function: int, body: bytes = b"", size: int = 0) -> bytes:
    return struct.pack("<IH", (size or 3 + len(body) // 2), function) + body


END_OF_WMF = record(0)
BOX = record(0x041B, bytes(8))


def check(kind: Kind, data: bytes, original: bytes | None = None) -> None:
    VERIFIERS[kind](Source(data), Source(data if original is None else original), context(kind=kind))


def test_plain_drawings_pass() -> None:
    check(Kind.EMF, emf(LINE, LINE, END_OF_EMF))
    check(Kind.WMF, wmf(BOX, END_OF_WMF))
    check(Kind.WMF, wmf(BOX, END_OF_WMF), wmf(BOX, END_OF_WMF, placeable=True))
    check(Kind.WMF, wmf(BOX, END_OF_WMF, placeable=True))
    check(Kind.WMF, wmf(record(0x0922, bytes(18)), record(0x0B23, bytes(22)), END_OF_WMF))


@pytest.mark.parametrize(
    "data",
    [
        emf(END_OF_EMF, count=3), emf(END_OF_EMF, length=100), emf(END_OF_EMF, signature=1), emf(END_OF_EMF, described=4), emf(END_OF_EMF, colours=1),
        emf(END_OF_EMF) + bytes(4), emf(LINE), emf(END_OF_EMF, LINE), emf(END_OF_EMF, END_OF_EMF), emf(struct.pack("<II", 14, 8)),
        emf(struct.pack("<III", 70, 12, 0), END_OF_EMF), emf(struct.pack("<III", 54, 10, 0), END_OF_EMF), emf(struct.pack("<II", 54, 4), END_OF_EMF),
        emf(struct.pack("<II", 54, 64), END_OF_EMF), emf(struct.pack("<II8s", 54, 16, b"<script>"), END_OF_EMF), emf(END_OF_EMF)[:60], b"\1\0\0\0", b"",
        emf(LINE, END_OF_EMF[:-4]), emf(),
    ],
)  # fmt: skip
def test_other_bytes_in_an_emf_are_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        check(Kind.EMF, data)


@pytest.mark.parametrize(
    "data",
    [
        wmf(END_OF_WMF, version=0x100), wmf(END_OF_WMF, words=1), wmf(BOX, END_OF_WMF, largest=1), wmf(BOX), wmf(END_OF_WMF, BOX), wmf(END_OF_WMF, END_OF_WMF),
        wmf(record(0x0626), END_OF_WMF), wmf(record(0x0922, bytes(20)), END_OF_WMF), wmf(record(0x0B23, bytes(24)), END_OF_WMF), wmf(record(0x041B, size=2), END_OF_WMF),
        wmf(record(0x041B, size=99), END_OF_WMF), wmf(record(0, bytes(2))), wmf(record(0x041B, b"<script>"), END_OF_WMF), wmf(BOX, END_OF_WMF)[:20], b"", wmf(),
        b"\xd7\xcd\xc6\x9a",
    ],
)  # fmt: skip
def test_other_bytes_in_a_wmf_are_refused(data: bytes) -> None:
    with pytest.raises(VerificationFailed):
        check(Kind.WMF, data)


def test_a_drawing_keeps_its_bounds() -> None:
    good = emf(LINE, END_OF_EMF)
    with pytest.raises(VerificationFailed, match="bounds"):
        check(Kind.EMF, good, good[:8] + bytes(32) + good[40:])
    placed = wmf(BOX, END_OF_WMF, placeable=True)
    with pytest.raises(VerificationFailed, match="bounds"):
        check(Kind.WMF, placed, placed[:6] + b"\1" + placed[7:])


@pytest.mark.parametrize("words", [b"<script>", b"<?php   ", b"<HTML>  ", b"<iframe ", b"<!DOCTYPE   ", b"<body   ", b"<svg    ", b"<svg>   ", b"%PDF-1.7", b"%!PS-Ado"])
def test_a_drawing_that_reads_as_something_else_is_refused(words: bytes) -> None:
    with pytest.raises(VerificationFailed, match="mark-up"):
        check(Kind.WMF, wmf(record(0x041B, words), END_OF_WMF))


# Of 2 to 130, what does more than draw: comments, escapes, OpenGL, pixel formats, profiles, and what no version has.
NOT_DRAWN = {1, 14, 69, 70, 78, 79, 96, 97, *range(99, 108), *range(109, 114), 117, 119, *range(121, 131)}


def test_each_number_of_a_record_is_drawn_or_refused() -> None:
    refused = set()
    for number in range(1, 131):
        try:
            check(Kind.EMF, emf(struct.pack("<III", number, 12, 0), END_OF_EMF))
        except VerificationFailed:
            refused.add(number)
    assert refused == NOT_DRAWN


def a_record(number: int, size: int, length: int) -> bytes:
    return struct.pack("<II", number, size).ljust(length, b"\0")


@pytest.mark.parametrize("size", [-4, 4])
def test_the_header_says_how_long_the_drawing_is(size: int) -> None:
    data = emf(LINE, END_OF_EMF)
    with pytest.raises(VerificationFailed, match="header"):
        metafile._check_emf(data[:48] + struct.pack("<I", len(data) + size) + data[52:])


@pytest.mark.parametrize(
    "records",
    [
        (a_record(54, 10, 12), END_OF_EMF), (a_record(54, 10, 10), END_OF_EMF), (a_record(54, 4, 8), END_OF_EMF), (a_record(54, 0, 8), END_OF_EMF), (a_record(54, 40, 16), END_OF_EMF),
        (LINE, a_record(14, 24, 24)), (LINE, a_record(14, 16, 16)), (LINE, END_OF_EMF, a_record(14, 20, 20)),
    ],
)  # fmt: skip
def test_records_fill_the_file_and_end_it(records: tuple[bytes, ...]) -> None:
    with pytest.raises(VerificationFailed, match=r"record|end"):
        metafile._check_emf(emf(*records))


@pytest.mark.parametrize(
    "records",
    [
        (BOX, record(0, bytes(2))), (BOX, record(0, size=4)), (record(0x041B, size=2), END_OF_WMF), (struct.pack("<IH", 0, 0x041B), END_OF_WMF),
        (record(0x041B, bytes(4), size=8), END_OF_WMF), (BOX, record(0x041B, size=9)), (END_OF_WMF, BOX), (END_OF_WMF, END_OF_WMF), (BOX,), (),
        (BOX, record(0x041B, END_OF_WMF)),
    ],
)  # fmt: skip
def test_records_of_a_wmf_fill_the_file_and_end_it(records: tuple[bytes, ...]) -> None:
    with pytest.raises(VerificationFailed, match=r"record|end"):
        metafile._check_wmf(wmf(*records))


def test_the_smallest_record_of_a_wmf_is_a_record() -> None:
    metafile._check_wmf(wmf(record(0x001E), END_OF_WMF))
    metafile._check_wmf(wmf(END_OF_WMF))


def test_the_longest_record_is_the_one_that_the_header_says() -> None:
    for more in (-1, 1):
        with pytest.raises(VerificationFailed, match="longest record"):
            metafile._check_wmf(wmf(BOX, END_OF_WMF, largest=more))


def test_the_smallest_record_is_a_record() -> None:
    metafile._check_emf(emf(a_record(67, 8, 8), END_OF_EMF))
