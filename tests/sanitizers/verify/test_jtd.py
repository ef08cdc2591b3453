"""The second opinion on documents of Ichitaro: the streams, the table that lists them, and the words."""

from __future__ import annotations

import struct

import pytest

from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import jtd
from tests.build.cfb import compound
from tests.build.context import context

TABLE = "\x04JSRV_SegmentInformation"


def table(**sizes: int) -> bytes:
    rows = [name.encode("utf-16-le").ljust(68, b"\0") + struct.pack("<I", size) for name, size in sizes.items()]
    return (bytes(18) + struct.pack("<H", len(rows))).ljust(0x90, b"\0") + b"".join(row.ljust(0x60, b"\0") for row in rows)


def runs(*blocks: bytes, size: int = 4) -> bytes:
    """One run in blocks of `size` bytes."""
    text = b"".join(block.ljust(size, b"\0") for block in blocks)
    whole = b"SSMG.01\0" + struct.pack(">III", 0, size, len(blocks)) + text
    return whole + struct.pack(">IIII", 0, 0, sum(map(len, blocks)), len(blocks)) + bytes(4) + struct.pack(f">{len(blocks)}I", *range(len(blocks)))


def opinion(made: dict[str, bytes], given: dict[str, bytes]) -> None:
    jtd.verify(Source(compound(made)), Source(compound(given)), context(kind=Kind.JTD))


def listed(**streams: bytes) -> dict[str, bytes]:
    """A whole document of these."""
    named = {name.replace("Summary", "\x05Summary"): data for name, data in streams.items()}
    return {TABLE: table(**{name: len(data) for name, data in named.items()}), **named}


TEXT = runs(b"abcd", b"ef")
GOOD = listed(DocumentText=TEXT)
TWICE = table(DocumentText=len(TEXT), documentText=len(TEXT)).replace("documentText".encode("utf-16-le"), "DocumentText".encode("utf-16-le"))
NAMES = ("DocumentText", "Font", "Header", "Footnote", "DocumentViewStyles", "DocumentEditStyles", "DocumentPeripheralThree", "SummaryInformation")


def test_the_same_words_pass() -> None:
    assert jtd.runs(TEXT) == [(0, b"abcdef")]
    opinion(GOOD, {"DocumentText": TEXT, "Payload": b"MZ"})
    opinion(GOOD, {"JSCompDocument": b"packed"})
    opinion(GOOD, {"DocumentText": TEXT, "Header": b""})


@pytest.mark.parametrize("name", NAMES[1:])
def test_each_stream_may_stand_beside_the_text(name: str) -> None:
    made = listed(DocumentText=TEXT, **{name: runs(b"more")})
    opinion(made, made)


def test_all_streams_may_stand_together() -> None:
    made = listed(**dict.fromkeys(NAMES, TEXT))
    opinion(made, made)
    with pytest.raises(VerificationFailed, match="streams"):
        opinion(listed(**dict.fromkeys((*NAMES, "Script"), TEXT)), made)


@pytest.mark.parametrize(
    ("made", "given", "why"),
    [
        ({**GOOD, "Payload": b"x"}, GOOD, "streams"),
        ({"DocumentText": TEXT}, GOOD, "streams"),
        ({TABLE: table()}, GOOD, "streams"),
        ({**GOOD, TABLE: table(DocumentText=1)}, GOOD, "says something else"),
        ({**GOOD, TABLE: table()}, GOOD, "says something else"),
        ({**GOOD, TABLE: table(DocumentText=1, documentText=len(TEXT))}, GOOD, "says something else"),
        ({**GOOD, TABLE: TWICE}, GOOD, "says something else"),
        ({**GOOD, TABLE: GOOD[TABLE][:-1]}, GOOD, "streams: error"),
        ({**GOOD, TABLE: GOOD[TABLE][:0x90] + b"\0\xd8" + GOOD[TABLE][0x92:]}, GOOD, "streams: UnicodeDecodeError"),
        ({**GOOD, TABLE: GOOD[TABLE] + bytes(0x60)}, GOOD, "another length"),
        ({**GOOD, TABLE: GOOD[TABLE] + b"x"}, GOOD, "streams: error"),
        ({**GOOD, TABLE: b"x"}, GOOD, "streams: error"),
        (GOOD, {"DocumentText": runs(b"abcd", b"eg")}, "lost in DocumentText"),
        (GOOD, {"DocumentText": TEXT, "Header": runs(b"head")}, "lost in Header"),
        (GOOD, {"DocumentText": TEXT, "Footnote": runs(b"note")}, "lost in Footnote"),
        (GOOD, {"DocumentText": TEXT[:19]}, "streams: error"),
        (GOOD, {"DocumentText": TEXT[:-2] + b"\xff\xff"}, "lost in DocumentText"),
        (GOOD, {"DocumentText": TEXT[:28] + struct.pack(">IIII", 0, 0, 9, 1 << 30) + bytes(99)}, "streams: error"),
    ],
)
def test_anything_else_is_refused(made: dict[str, bytes], given: dict[str, bytes], why: str) -> None:
    with pytest.raises(VerificationFailed, match=why):
        opinion(made, given)


def test_every_run_is_found_through_the_directory() -> None:
    blocks = b"abcdefghijkl"
    head = b"SSMG.01\0" + struct.pack(">III", 0, 4, 3) + blocks
    first = struct.pack(">IIII", 7, 0, 8, 2) + bytes(4) + struct.pack(">II", 2, 0)
    second = struct.pack(">IIII", 3, 0, 3, 1) + bytes(4) + struct.pack(">I", 1)
    third = struct.pack(">IIII", 0, 0, 0, 0) + bytes(4)
    assert jtd.runs(head + first + second + third) == [(7, b"ijklabcd"), (3, b"efg"), (0, b"")]
    assert jtd.runs(head + first + second + third[:-1]) == [(7, b"ijklabcd"), (3, b"efg")]
    assert jtd.runs(b"") == jtd.runs(b"SSMG.01\0" + struct.pack(">III", 0, 4, 0)) == []
