"""Type 1 fonts in every dress that programs give them, as fontTools reads them before and after; glyph programs that run, and that do not."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from fontTools.t1Lib import T1Font
from fontTools.ttLib import TTFont
from PIL import ImageFont

from sanitizers.formats.pdf import cff, charstrings, type1
from sanitizers.model import Malformed, Reason
from tests.build import pdf_fonts
from tests.build.context import run

CLEAR, _, _REST = pdf_fonts.type1_program().partition(b"currentfile eexec\n")
GLYPHS = {name: type1.decrypt(pdf_fonts._type1_glyph(index), 4330)[4:] for index, name in enumerate((b".notdef", b"A", b"B", b"C"))}
NAMES = sorted(name.decode() for name in GLYPHS)
HEAD = b"dup /Private 12 dict dup begin\n/RD {string currentfile exch readstring pop} def\n/ND {def} def\n/NP {put} def\n"
TAIL = b"end\nend\nput\nput\ndup /FontName get exch definefont pop\nmark currentfile closefile\n"
ENCODING = CLEAR[CLEAR.index(b"/Encoding") : CLEAR.index(b"/FontBBox")]


def _told(code: bytes, lead: int) -> bytes:
    return code if lead < 0 else type1.encrypt(bytes(lead) + code, 4330)


def subroutines(lead: int = 4) -> bytes:
    return b"/Subrs 1 array\ndup 0 %d RD %b NP\nND\n" % (1 + max(0, lead), _told(b"\x0b", lead))


SUBRS = subroutines()


def glyphs(lead: int = 4) -> bytes:
    bodies = {name: _told(code, lead) for name, code in GLYPHS.items()}
    rows = b"".join(b"/%b %d RD %b ND\n" % (name, len(body), body) for name, body in bodies.items())
    return b"2 index /CharStrings %d dict dup begin\n" % len(bodies) + rows


def plain(more: bytes = b"", subrs: bytes = SUBRS, shown: bytes | None = None) -> bytes:
    return HEAD + more + subrs + (glyphs() if shown is None else shown) + TAIL


def program(clear: bytes = CLEAR, private: bytes | None = None) -> bytes:
    encrypted = type1.encrypt(bytes(4) + (plain() if private is None else private), 55665)
    return clear + b"currentfile eexec\n" + encrypted + b"\n" + (b"0" * 64 + b"\n") * 8 + b"cleartomark\n"


def encoded(said: bytes) -> bytes:
    return program(CLEAR.replace(ENCODING, b"").replace(b"currentdict end", said + b"currentdict end"))


def read(data: bytes, folder: Path) -> dict[str, object]:
    """The font as fontTools reads it."""
    path = folder / "a.pfa"
    path.write_bytes(data)
    font = T1Font(str(path), kind="OTHER", encoding="latin-1")
    font.parse()
    return font.font  # type: ignore[no-any-return]


def _segments(data: bytes) -> bytes:
    """As a file for printers under Windows (.pfb)."""
    clear, rest = data[: data.index(b"eexec\n") + 6], data[data.index(b"eexec\n") + 6 :]
    binary, zeros = rest[:-532], rest[-532:]
    parts = ((1, clear), (2, binary[:40]), (2, binary[40:]), (1, zeros))
    return b"".join(struct.pack("<BBI", 128, kind, len(part)) + part for kind, part in parts) + b"\x80\x03"


def _digits(data: bytes) -> bytes:
    """With its encrypted part in hexadecimal, as a .pfa has it."""
    clear, rest = data[: data.index(b"eexec\n") + 6], data[data.index(b"eexec\n") + 6 :]
    return clear + re.sub(rb"(.{64})", rb"\1\n", rest[:-533].hex().encode()) + rest[-533:]


@pytest.mark.parametrize("dress", [_segments, _digits, lambda data: b"%!comment\n" + data, lambda data: data.replace(b"eexec\n", b"eexec\r\n")])
def test_the_same_font_in_another_dress_is_the_same(dress: Callable[[bytes], bytes]) -> None:
    assert type1.rebuild(dress(program())) == type1.rebuild(program())


ENCODINGS: dict[str, tuple[bytes, dict[int, str]]] = {
    "by its name": (b"/Encoding StandardEncoding def\n", {}), "none": (b"", {}),
    "as a list": (b"/Encoding [/.notdef" + b"/.notdef" * 64 + b"/A /B /C] def\n", {65: "A", 66: "B", 67: "C"}),
    "as codes": (b"/Encoding 256 array\ndup 65/A put dup 16#42/B put dup 8#103/C put\nreadonly def\n", {65: "A", 66: "B", 67: "C"}),
    "codes without an end": (b"/Encoding 256 array\ndup 65/A put\n", {65: "A"}),
    "codes that are none": (b"/Encoding 256 array\ndup 300/A put dup 66/B put def\n", {66: "B"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENCODINGS)
def test_an_encoding_stays_what_it_says(kind: str, tmp_path: Path) -> None:
    said, wanted = ENCODINGS[kind]
    new = type1.rebuild(encoded(said))
    found = read(new.data, tmp_path)["Encoding"]
    if wanted:
        assert {code: name for code, name in enumerate(found) if name != ".notdef"} == wanted  # type: ignore[arg-type,var-annotated]
    else:
        assert b"/Encoding StandardEncoding def" in new.data
    assert type1.rebuild(new.data) == new


def test_an_encoding_of_the_other_standard_stays() -> None:
    assert b"/Encoding ISOLatin1Encoding def" in type1.rebuild(encoded(b"/Encoding ISOLatin1Encoding def\n")).data


@pytest.mark.parametrize("lead", [-1, 0, 1, 4, 16])
def test_glyphs_stay_behind_any_number_of_leading_bytes(lead: int, tmp_path: Path) -> None:
    new = type1.rebuild(program(private=plain(b"/lenIV %d def\n" % lead, subroutines(lead), glyphs(lead))))
    assert new.emptied == 0
    _, _, rest = new.data.partition(b"currentfile eexec\n")
    assert b"/lenIV %d def" % lead in type1.decrypt(rest, 55665)
    assert type1.rebuild(new.data) == new
    if lead >= 0:
        assert sorted(read(new.data, tmp_path)["CharStrings"]) == NAMES  # type: ignore[call-overload]


def test_a_font_without_subroutines_or_with_them_behind_the_glyphs_has_none() -> None:
    for private in (plain(subrs=b""), HEAD + glyphs() + b"end\n" + SUBRS + TAIL):
        new = type1.rebuild(program(private=private))
        assert b"/Subrs" not in type1.decrypt(new.data.partition(b"currentfile eexec\n")[2], 55665)
        assert ImageFont.truetype(io.BytesIO(new.data), 40).getmask("ABC").getbbox() is not None


def test_an_outlined_font_keeps_the_width_of_its_strokes(tmp_path: Path) -> None:
    new = type1.rebuild(program(CLEAR.replace(b"/PaintType 0 def", b"/PaintType 2 def /StrokeWidth 24 def")))
    found = read(new.data, tmp_path)
    assert (found["PaintType"], found["StrokeWidth"]) == (2, 24)


def test_more_zones_than_a_font_may_have_are_left_behind(tmp_path: Path) -> None:
    new = type1.rebuild(program(private=plain(b"/BlueValues [" + b"1 " * 15 + b"] def\n/OtherBlues [-20 -10] def\n")))
    private = read(new.data, tmp_path)["Private"]
    assert "BlueValues" not in private  # type: ignore[operator]
    assert private["OtherBlues"] == [-20, -10]  # type: ignore[index]


FAULTS: dict[str, tuple[bytes, str]] = {
    "no encrypted part": (CLEAR, "no encrypted part"), "no start": (program().replace(b"%!", b"%%"), "no encrypted part"),
    "no glyphs": (program(private=plain(shown=b"/CharStrings 0 dict dup begin\n")), "no glyphs"),
    "no list of glyphs": (program(private=HEAD + SUBRS), "no glyphs"), "nothing at all": (program(private=b""), "no glyphs"),
    "a glyph that is longer than the font": (program(private=HEAD + b"/CharStrings 1 dict dup begin\n/A 9999 RD x"), "ends outside the data"),
    "a subroutine that is longer than the font": (program(private=HEAD + b"/Subrs 1 array\ndup 0 9999 RD x"), "ends outside the data"),
    "17 leading bytes": (program(private=plain(b"/lenIV 17 def\n")), "lenIV out of range"),
    "half a leading byte": (program(private=plain(b"/lenIV 0.5 def\n")), "lenIV out of range"),
    "five numbers for a matrix": (program(re.sub(rb"/FontMatrix \[0.001 ", b"/FontMatrix [", CLEAR)), "not six numbers"),
    "segments of another kind": (b"\x80\x04" + program(), "no encrypted part"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_hold_together_is_refused(fault: str) -> None:
    data, said = FAULTS[fault]
    with pytest.raises(Malformed, match=said):
        type1.rebuild(data)


SOUND: dict[str, bytes] = {
    "an end in a subroutine": pdf_fonts.t2([0, 0, "rmoveto", -107, "callgsubr"]), "no end": pdf_fonts.t2([0, 0, "rmoveto", 9, "hlineto"]),
    "a mask": b"\x8b\x9f\x12\x8b\x9f\x13\xc0\x0e",
    "as many operands as there may be": pdf_fonts.t2([1] * 48 + ["rlineto", "endchar"]),
    "numbers of every length before a division": b"".join(
        number + b"\x8c\x0c\x0c" for number in (b"\x1c\x7f\xff", b"\xf7\x01", b"\xfa\xff", b"\xfb\x01", b"\xfe\xff", b"\xff\x00\x01\x80\x00")
    ) + b"\x08\x0e",
}  # fmt: skip


@pytest.mark.parametrize("kind", SOUND)
def test_a_glyph_program_that_runs_to_its_end_stays(kind: str) -> None:
    font = cff.rebuild(pdf_fonts.keyed_cff([b"\x0e", SOUND[kind], b"\x0e"], global_subrs=[b"\x0e"]))
    assert font.emptied == 0
    assert SOUND[kind] in font.data


@pytest.mark.parametrize("bad", [b"\xf7", b"\xfb", b"\x1c\x00", b"\x0c", b"\x8b\x02", pdf_fonts.t2([-108, "callgsubr"])], ids=repr)
def test_a_glyph_program_that_does_not_is_emptied(bad: bytes) -> None:
    assert charstrings.Checker([b"\x0b"], 1).followed(bad, []) is None
    font = cff.rebuild(pdf_fonts.keyed_cff([b"\x0e", bad, b"\x0e"], global_subrs=[b"\x0b"]))
    assert font.emptied == 1


def _woff() -> bytes:
    """A font that FreeType opens and that PDF does not know."""
    font, out = TTFont(io.BytesIO(pdf_fonts.truetype())), io.BytesIO()
    font.flavor = "woff"
    font.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("data", "code"), [(_woff(), "pdf.invalid_font"), (b"no font", "pdf.unusable_font")])
def test_a_font_of_a_foreign_format_is_never_passed_on(data: bytes, code: str) -> None:
    """Held where a viewer could draw with it, left out where none can."""
    outcome = run(pdf_fonts.simple(("FontFile2", data, ""), "TrueType"), "a.pdf")
    assert code in {finding.code for finding in outcome.report.findings}
    if code == "pdf.invalid_font":
        assert (outcome.content, outcome.report.reason) == (None, Reason.MALFORMED)
    else:
        assert outcome.content is not None
        assert b"FontFile" not in outcome.content.bytes()
