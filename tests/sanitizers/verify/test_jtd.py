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


def opinion(monkeypatch: pytest.MonkeyPatch, made: dict[str, bytes], given: dict[str, bytes]) -> None:
    """Of streams that a compound file would have."""
    answers = iter((made, given))
    monkeypatch.setattr(jtd, "_streams", lambda _source: next(answers))
    jtd.verify(Source(b""), Source(b""), context(kind=Kind.JTD))


TEXT = runs(b"abcd", b"ef")
GOOD = {TABLE: table(DocumentText=len(TEXT)), "DocumentText": TEXT}


def test_the_same_words_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert jtd._runs(TEXT) == [b"abcdef"]
    opinion(monkeypatch, GOOD, {"DocumentText": TEXT, "Payload": b"MZ"})
    opinion(monkeypatch, GOOD, {"JSCompDocument": b"packed"})
    opinion(monkeypatch, GOOD, {"DocumentText": TEXT, "Header": b""})


@pytest.mark.parametrize(
    ("made", "given", "why"),
    [
        ({**GOOD, "Payload": b"x"}, GOOD, "streams"),
        ({"DocumentText": TEXT}, GOOD, "streams"),
        ({TABLE: GOOD[TABLE]}, GOOD, "streams"),
        ({**GOOD, TABLE: table(DocumentText=1)}, GOOD, "says something else"),
        ({**GOOD, TABLE: table()}, GOOD, "says something else"),
        ({**GOOD, TABLE: b"x"}, GOOD, "streams: error"),
        (GOOD, {"DocumentText": runs(b"abcd", b"eg")}, "lost in DocumentText"),
        (GOOD, {"DocumentText": TEXT, "Footnote": runs(b"note")}, "lost in Footnote"),
        (GOOD, {"DocumentText": TEXT[:-2] + b"\xff\xff"}, "lost in DocumentText"),
        (GOOD, {"DocumentText": TEXT[:28] + struct.pack(">IIII", 0, 0, 9, 1 << 30) + bytes(99)}, "streams: error"),
    ],
)
def test_anything_else_is_refused(made: dict[str, bytes], given: dict[str, bytes], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VerificationFailed, match=why):
        opinion(monkeypatch, made, given)


def test_streams_are_read_from_the_compound_file() -> None:
    assert jtd._streams(Source(compound({"DocumentText": b"abc", "Storage/x": b"y"}))) == {"DocumentText": b"abc", "Storage": b"", "Storage/x": b"y"}
    with pytest.raises(VerificationFailed, match="olefile"):
        jtd._streams(Source(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)))


@pytest.mark.parametrize("error", [OSError, KeyError, IndexError, ValueError, struct.error])
def test_whatever_olefile_stumbles_over_is_a_refusal(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_file: object) -> None:
        raise error("x")

    monkeypatch.setattr(jtd.olefile, "OleFileIO", stumble)
    with pytest.raises(VerificationFailed, match="olefile"):
        jtd._streams(Source(b""))


def test_every_run_is_found_through_the_directory() -> None:
    blocks = b"abcdefghijkl"
    head = b"SSMG.01\0" + struct.pack(">III", 0, 4, 3) + blocks
    first = struct.pack(">IIII", 0, 0, 8, 2) + bytes(4) + struct.pack(">II", 2, 0)
    second = struct.pack(">IIII", 0, 0, 3, 1) + bytes(4) + struct.pack(">I", 1)
    third = struct.pack(">IIII", 0, 0, 0, 0) + bytes(4)
    assert jtd._runs(head + first + second + third) == [b"ijklabcd", b"efg", b""]
    assert jtd._runs(head + first + second + third[:-1]) == [b"ijklabcd", b"efg"]
    assert jtd._runs(head[:19]) == []
    assert jtd._runs(b"SSMG.01\0" + struct.pack(">III", 0, 4, 0)) == []
