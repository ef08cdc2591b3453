"""The second opinion on documents of Word 97: a flat walk of the pieces, and the letters that must be in the result."""

from __future__ import annotations

import struct

import pytest

from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import doc
from tests.build.cfb import compound


def clx(*pieces: tuple[int, int], before: bytes = b"") -> bytes:
    """A table of pieces: (letters, where)."""
    places, at = [0], 0
    for length, _ in pieces:
        places.append(at := at + length)
    plc = struct.pack(f"<{len(places)}I", *places) + b"".join(struct.pack("<HIH", 0, where, 0) for _, where in pieces)
    return before + b"\2" + struct.pack("<I", len(plc)) + plc


def test_pieces_are_joined_each_in_its_own_width_up_to_the_end_of_the_body() -> None:
    main = "漢字".encode("utf-16-le") + b"abc"
    wide, narrow = (2, 0), (3, 4 * 2 | 0x4000_0000)
    assert doc._joined(main, clx(wide, narrow), 5) == "漢字abc"
    assert doc._joined(main, clx(wide, narrow), 4) == "漢字ab"
    assert doc._joined(main, clx(wide, narrow), 2) == "漢字", "what lies behind the body belongs to notes and headers"
    assert doc._joined(main, clx(narrow, wide, before=b"\1\2\0xx\1\0\0"), 5) == "abc漢字"
    assert doc._joined(main, clx(wide, narrow), 3) == "漢字a"
    assert doc._joined(main, clx(narrow, (2, 0x4000_0000)), 2) == "ab", "not even where what lies behind begins the file"
    assert doc._joined(b"x" + main, clx((2, 1)), 2) == "漢字", "at any place, even or odd"
    assert doc._joined(main, clx(*[wide, narrow] * 4), 99) == "漢字abc" * 4


def test_what_a_field_is_told_is_not_shown() -> None:
    assert doc.shown_of("a") == "a"
    assert doc.shown_of("a\x13 PAGE \x14" + "7\x15b") == "a7b"
    assert doc.shown_of("a\x13 IF \x13 X \x14" + "1\x15 Y \x14" + "2\x15b") == "a2b"
    assert doc.shown_of("a\x14" + "b\x15" + "c\x13d") == "a\x14" + "b\x15" + "c", "signs of no field are no letters"
    assert doc._letters("a\r\x07\x0c\t\x0b\x01\x02\x05\x08\x1e\x1fb") == "ab"


def test_letters_that_are_lost_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def compare(before: str | None, after: str, *, kept: bool = True) -> None:
        monkeypatch.setattr(doc, "_body", lambda _original: before)
        doc.compare({"word/document.xml": f"<w:t>{after}</w:t>".encode()}, Source(b""), deleted_kept=kept)

    compare(None, "")
    compare("a&b\r", "a&amp;b")
    compare("x" * 100 + "y", "x" * 100)
    with pytest.raises(VerificationFailed, match="2 of 102 letters"):
        compare("x" * 100 + "yz", "x" * 100)
    compare("x" * 100, "x" * 30, kept=False)
    with pytest.raises(VerificationFailed, match="71 of 100 letters"):
        compare("x" * 100, "x" * 29, kept=False)


def test_a_document_that_olefile_cannot_read_is_refused() -> None:
    main = bytearray(0x200)
    struct.pack_into("<II", main, 0x01A2, 5, 5)
    for given in (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), b"x" * 600, compound({"Other": b"x" * 600}), compound({"WordDocument": bytes(main)}),
        compound({"WordDocument": b"x", "0Table": b"x"}), compound({"WordDocument": bytes(main), "0Table": b"x"}),
    ):  # fmt: skip
        with pytest.raises(VerificationFailed, match="olefile"):
            doc.compare({"word/document.xml": b""}, Source(given), deleted_kept=True)


@pytest.mark.parametrize(("flags", "stream"), [(0, "0Table"), (0x200, "1Table"), (1, "0Table"), (0x201, "1Table")])
def test_the_body_is_read_through_the_table_that_the_head_names(flags: int, stream: str) -> None:
    main = bytearray(0x200)
    pieces = clx((3, len(main) * 2 | 0x4000_0000))
    struct.pack_into("<H", main, 0x0A, flags)
    struct.pack_into("<I", main, 0x4C, 3)
    struct.pack_into("<II", main, 0x01A2, 5, len(pieces))
    given = Source(compound({"WordDocument": bytes(main) + b"abc", stream: b"first" + pieces}))
    doc.compare({"word/document.xml": b"<w:t>abc</w:t>"}, given, deleted_kept=True)
    with pytest.raises(VerificationFailed, match="3 of 3 letters"):
        doc.compare({"word/document.xml": b"<w:t>x</w:t>"}, given, deleted_kept=True)
    main[0x0B] |= 1     # encrypted
    doc.compare({"word/document.xml": b"<w:t>x</w:t>"}, Source(compound({"WordDocument": bytes(main)})), deleted_kept=True)
