"""Compact fonts (CFF): every table that a font may have keeps its meaning, and one that does not hold together ends in a refusal."""

from __future__ import annotations

import io
import struct

import pytest
from fontTools.cffLib import CFFFontSet, TopDict

from sanitizers.formats.pdf import cff
from sanitizers.model import Malformed
from tests.build import pdf_fonts
from tests.build.pdf_cff import GLYPHS, compact, ranges

ONE_BY_ONE = b"\x00" + struct.pack(">4H", 4, 3, 2, 1)
RETURN = b"\x0b"


def read(data: bytes) -> TopDict:
    """The font as fontTools reads it."""
    found = CFFFontSet()
    found.decompile(io.BytesIO(data), None)
    return found[0]


TABLES: dict[str, bytes] = {
    "a predefined charset": compact(charset=2), "a charset one by one": compact(charset=ONE_BY_ONE),
    "a charset in ranges": compact(charset=struct.pack(">BHBHB", 1, 34, 1, 90, 1)), "a charset in wide ranges": compact(charset=struct.pack(">BHH", 2, 34, 3)),
    "a predefined encoding": compact(encoding=1), "an encoding one by one": compact(encoding=b"\x00\x04ABCD"),
    "an encoding in ranges": compact(encoding=b"\x01\x02A\x01a\x01"), "an encoding with more codes": compact(encoding=b"\x80\x04ABCD\x01\x5a\x00\x22"),
    "subroutines": compact(subrs=(RETURN,), glyphs=(*GLYPHS[:4], pdf_fonts.t2([-107, "callsubr", "endchar"]))),
    "numbers of every length": compact(inner=pdf_fonts.t2([-107, 107, 108, 1131, -108, -1131, 1132, -1132, 32767, "rlineto"])[:-1] + b"\x06"),
    "a real number": compact(inner=b"\x1e\xe2\xa2\x5f\x0c\x09"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_what_a_font_says_is_said_again(kind: str) -> None:
    new = cff.rebuild(TABLES[kind])
    before, after = read(TABLES[kind]), read(new.data)
    assert (new.keyed, new.emptied) == (False, 0)
    for key in ("charset", "Encoding"):
        assert getattr(after, key, None) == getattr(before, key, None)
    assert after.Private.rawDict == {**before.Private.rawDict, **{key: after.Private.rawDict[key] for key in ("Subrs",) if key in after.Private.rawDict}}
    assert [after.CharStrings.charStringsIndex[at].bytecode for at in range(5)] == [before.CharStrings.charStringsIndex[at].bytecode for at in range(5)]
    assert cff.rebuild(new.data) == new


def test_a_font_without_a_charset_stays_without_one() -> None:
    """Readers then take the first of the predefined ones."""
    new = cff.rebuild(compact(charset=0))
    assert "charset" not in read(new.data).rawDict
    assert new.emptied == 0


@pytest.mark.parametrize("size", [2, 3])
def test_an_offset_is_read_in_every_spelling(size: int) -> None:
    """Numbers before it on the stack count for nothing."""
    data = compact(charset=ONE_BY_ONE, top=b"\x8b" * 60 + b"\x00")
    long = data[data.index(b"\x0f") - 5 : data.index(b"\x0f")]
    at = int.from_bytes(long[1:], "big")
    short = struct.pack(">BH", 28, at) if size == 3 else bytes((247 + (at - 108) // 256, (at - 108) % 256))
    assert cff.rebuild(data.replace(long, short.rjust(5, b"\x8b"))) == cff.rebuild(data)


SELECTED: dict[str, tuple[bytes, list[int]]] = {
    "by glyphs": (b"\x00\x00\x01\x00\x01\x00", [0, 1, 0, 1, 0]), "by ranges": (ranges((0, 0), (2, 1)), [0, 0, 1, 1, 1]),
    "by ranges beyond the last glyph": (ranges((0, 1), (2, 0), end=900), [1, 1, 0, 0, 0]),
    "for the first glyphs only": (ranges((0, 1), end=2), [1, 1, 0, 0, 0]), "with a range of nothing": (ranges((0, 0), (2, 1), (2, 0)), [0] * 5),
}  # fmt: skip


@pytest.mark.parametrize("kind", SELECTED)
def test_each_glyph_of_a_keyed_font_keeps_its_dictionary(kind: str) -> None:
    select, wanted = SELECTED[kind]
    new = cff.rebuild(compact(select=select, fonts=2, charset=struct.pack(">BHH", 2, 1, 3)))
    assert (new.keyed, new.emptied) == (True, 0)
    found = read(new.data)
    assert list(found.FDSelect.gidArray) == wanted
    assert len(found.FDArray) == 2
    assert cff.rebuild(new.data) == new


def test_a_glyph_of_a_dictionary_that_is_not_there_is_emptied() -> None:
    """And nothing in the new font points beyond its dictionaries."""
    new = cff.rebuild(compact(select=ranges((0, 0), (2, 7), (3, 1)), fonts=2))
    assert new.emptied == 1
    assert list(read(new.data).FDSelect.gidArray) == [0, 0, 0, 1, 1]


def test_a_keyed_font_without_a_charset_has_its_glyphs_by_their_numbers() -> None:
    for glyphs in (GLYPHS, GLYPHS[:1]):
        found = read(cff.rebuild(compact(charset=0, select=bytes(1 + len(glyphs)), glyphs=glyphs)).data)
        assert found.charset == [".notdef", "cid00001", "cid00002", "cid00003", "cid00004"][: len(glyphs)]


def test_a_font_whose_private_dictionary_has_no_place_goes_without() -> None:
    for operands in (b"\x8b", b"\x8a\x8b"):
        new = cff.rebuild(compact(top=operands + b"\x12"))
        assert new.emptied == 0
        assert read(new.data).Private.rawDict == {}


PLAIN = compact()
KEYED = compact(select=ranges((0, 0)))
FAULTS: dict[str, tuple[bytes, str]] = {
    "another version": (b"\x02" + PLAIN[1:], "unknown version"), "no font": (b"\x01\x00\x04\x04" + bytes(8), "no font"),
    "nothing": (b"", "cut short"), "no glyphs": (compact(glyphs=()), "no glyphs"),
    "offsets of five bytes": (PLAIN.replace(b"\x00\x01\x04", b"\x00\x01\x05", 1), "broken index"),
    "offsets of no bytes": (PLAIN.replace(b"\x00\x01\x04", b"\x00\x01\x00", 1), "broken index"),
    "more items than data": (b"\x01\x00\x04\x04\xff\xff\x04" + bytes(40), "broken index"),
    "an index that starts at 0": (b"\x01\x00\x04\x04\x00\x01\x01\x00\x01x", "index out of bounds"),
    "an index that falls": (b"\x01\x00\x04\x04\x00\x02\x01\x01\x03\x02xx", "index out of bounds"),
    "an index that ends outside": (b"\x01\x00\x04\x04\x00\x01\x01\x01\x63x", "index out of bounds"),
    "a reserved byte": (compact(top=b"\xff\x00"), "reserved byte"), "a real that never ends": (compact(inner=b"\x1e\x11"), "cut short"),
    "a real for an offset": (compact(top=b"\x1e\x9f\x0f"), "no integer"), "an offset below 0": (compact(top=b"\x8a\x0f"), "broken offset"),
    "an offset below 0 in two bytes": (compact(top=b"\xfb\x00\x0f"), "broken offset"), "no offset at all": (compact(top=b"\x0f"), "broken offset"),
    "a charset of no known kind": (compact(charset=b"\x03" + bytes(9)), "unknown charset"),
    "a charset outside the data": (compact(top=b"\x1c\x7f\xff\x0f"), "cut short"),
    "an encoding of no known kind": (compact(encoding=b"\x02\x00"), "unknown encoding"),
    "an encoding that ends outside the data": (compact(encoding=b"\x00\xff", glyphs=(b"\x0e",)), "ends outside the data"),
    "a selection of no known kind": (compact(select=b"\x01" + bytes(9)), "unknown FDSelect"),
    "a selection that does not start at the first glyph": (compact(select=ranges((1, 0))), "FDSelect out of order"),
    "a selection that falls": (compact(select=ranges((0, 0), (3, 1), (2, 0)), fonts=2), "FDSelect out of order"),
    "a selection that ends before its last range": (compact(select=ranges((0, 0), (3, 1), end=2), fonts=2), "FDSelect out of order"),
    "a selection that ends outside the data": (compact(select=struct.pack(">BH", 3, 60_000)), "ends outside the data"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_hold_together_is_refused(fault: str) -> None:
    data, said = FAULTS[fault]
    with pytest.raises(Malformed, match=said):
        cff.rebuild(data)


@pytest.mark.parametrize("data", [PLAIN, KEYED, TABLES["subroutines"], TABLES["an encoding with more codes"]], ids=["plain", "keyed", "subroutines", "encoding"])
def test_every_truncation_is_refused_or_still_a_font(data: bytes) -> None:
    for end in range(len(data)):
        try:
            new = cff.rebuild(data[:end])
        except Malformed:
            continue
        assert cff.rebuild(new.data) == new
