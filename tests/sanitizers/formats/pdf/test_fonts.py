"""PDF fonts (P18): programs are rebuilt from what they say, glyphs stay as drawn, and what cannot be rebuilt holds the file if it is used."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pikepdf
import pytest
from fontTools.t1Lib import T1Font
from fontTools.ttLib import TTFont

from sanitizers.context import Outcome
from sanitizers.formats.pdf import cff, charstrings, glyf, sfnt, type1
from sanitizers.model import LimitExceeded, Malformed, Reason, Verdict
from tests.build import pdf as build
from tests.build import pdf_bytes, pdf_fonts, pdf_views
from tests.build.context import run

CANARY = build.CANARY.encode()
PROGRAMS = {
    "TrueType": lambda: pdf_fonts.simple(("FontFile2", pdf_fonts.truetype(), ""), "TrueType", "日本語".encode("utf-16-be")[1::2]),
    "Type 1": lambda: pdf_fonts.simple(("FontFile", pdf_fonts.type1_program(), ""), "Type1"),
    "CFF": lambda: pdf_fonts.simple(("FontFile3", pdf_fonts.cff(), "Type1C"), "Type1", Encoding=pikepdf.Dictionary(Differences=[65, pikepdf.Name.g1, pikepdf.Name.g2, pikepdf.Name.g3])),
    "OpenType": lambda: pdf_fonts.japanese("Identity-H, OpenType"),
    "CID-keyed CFF": lambda: pdf_fonts.japanese("Identity-H, CID-keyed CFF"),
}  # fmt: skip


def programs(data: bytes) -> list[bytes]:
    """Every embedded font program, as qpdf gives it."""
    with pikepdf.open(io.BytesIO(data)) as document:
        return [
            found[key].read_bytes() for found in document.objects if isinstance(found, pikepdf.Dictionary)
            for key in ("/FontFile", "/FontFile2", "/FontFile3") if key in found
        ]  # fmt: skip


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def rebuilt(data: bytes) -> bytes:
    outcome = run(data, "a.pdf")
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def same_look(before: bytes, after: bytes, folder: Path) -> None:
    pairs = zip(
        pdf_views.pictures(before) + pdf_views.mupdf_pictures(before, folder), pdf_views.pictures(after) + pdf_views.mupdf_pictures(after, folder),
        strict=True,
    )  # fmt: skip
    for old, new in pairs:
        assert pdf_views.difference(old, new) == 0


@pytest.mark.parametrize("kind", [kind for kind in PROGRAMS if kind != "TrueType"])
def test_a_sound_font_is_clean_and_looks_the_same(kind: str, tmp_path: Path) -> None:
    before = PROGRAMS[kind]()
    outcome = run(before, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    same_look(before, outcome.content.bytes(), tmp_path)
    assert pdf_views.inked(pdf_views.pictures(before)[0]) > 200


@pytest.mark.parametrize("matrix", [b"[0.001 0 0 0.001 0 (0\\); app.alert\\(1\\))]", b"[1 2 3 4 5 [6]]", b"{0.001 0 0 0.001 0 0 run}", b""])
def test_a_font_matrix_is_six_numbers(matrix: bytes) -> None:
    """CVE-2024-4367: what stood in a FontMatrix became script in a viewer. FreeType does not take such a font either."""
    program = pdf_fonts.type1_program(matrix=matrix)
    with pytest.raises(Malformed):
        type1.rebuild(program)
    data = pdf_fonts.simple(("FontFile", program, ""), "Type1")
    outcome = run(data, "a.pdf")
    assert codes(outcome) & {"pdf.unusable_font", "pdf.invalid_font"}
    assert outcome.content is None or programs(outcome.content.bytes()) == []


def test_a_font_matrix_is_neither_changed_nor_made_up() -> None:
    for matrix in (b"[0.001 0 0 0.001 0 0]", b"{.0005 0 1e-4 -0.001 0. +1}"):
        assert b"/FontMatrix [" + matrix[1:-1] + b"] readonly def" in type1.rebuild(pdf_fonts.type1_program(matrix=matrix)).data
    commented = pdf_fonts.type1_program().replace(b"/FontMatrix", b"%/FontMatrix", 1)
    assert b"FontMatrix" not in type1.rebuild(commented).data


@pytest.mark.parametrize("holder", ["the font", "its descendant", "the descriptor", "a type 3 font"])
def test_a_font_matrix_in_a_dictionary_is_left_behind(holder: str, tmp_path: Path) -> None:
    matrix = b"/FontMatrix[1 2 3 4 5 (0\\); %b)]" % CANARY
    inner = b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor 8 0 R%b>>"
    more = {
        6: b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/DescendantFonts[7 0 R]%b>>" % (matrix if holder == "the font" else b""),
        7: inner % (matrix if holder == "its descendant" else b""),
        8: b"<</Type/FontDescriptor/FontName/X/Flags 4/FontBBox[0 0 1 1]%b>>" % (matrix if holder == "the descriptor" else b""),
    }
    if holder == "a type 3 font":
        more[6] = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1 1]/CharProcs<</a 7 0 R>>/Encoding<</Differences[97/a]>>/FirstChar 97/LastChar 97/Widths[1]%b>>" % matrix
        more[7] = pdf_bytes.stream(b"1 0 d0 0 0 1 1 re f")
    outcome = run(pdf_bytes.document(pdf_bytes.one_page(b"/X 9 Tf", b"/Font<</F1 5 0 R/X 6 0 R>>", more)), "a.pdf")
    assert codes(outcome) & {"pdf.font_matrix", "pdf.invalid_value"}
    assert outcome.content is not None
    assert CANARY not in pdf_views.everything(outcome.content.bytes(), tmp_path)


def test_postscript_in_a_type_1_program_is_left_behind(tmp_path: Path) -> None:
    """Only what a font is made of is written again; FreeType and fontTools still read it, and it looks the same."""
    foreign = b"/%b 1 def (%b) run %%%b\n systemdict /%b known pop" % ((CANARY,) * 4)
    program = pdf_fonts.type1_program(clear=foreign, private=b"/OtherSubrs [{(%b) run} {} {} {}] def\n/%b 3 def" % (CANARY, CANARY))
    before = pdf_fonts.simple(("FontFile", program, ""), "Type1")
    after = rebuilt(before)
    (new,) = programs(after)
    clear, _, rest = new.partition(b"currentfile eexec\n")
    assert CANARY in type1.decrypt(program.partition(b"currentfile eexec\n")[2], 55665)
    assert CANARY not in clear + type1.decrypt(rest, 55665)
    assert CANARY not in pdf_views.everything(after, tmp_path)
    same_look(before, after, tmp_path)
    path = tmp_path / "a.pfa"
    path.write_bytes(new)
    font = T1Font(str(path), kind="OTHER", encoding="latin-1")
    font.parse()
    assert sorted(font.font["CharStrings"]) == [".notdef", "A", "B", "C"]


def test_a_foreign_operator_in_a_type_1_glyph_empties_the_glyph() -> None:
    """BLEND and its kin: operators that no font needs and some engines run."""
    good, bad = pdf_fonts._type1_glyph(2), type1.encrypt(bytes(4) + b"\x8b\x8b\x0d\x8c\x8c\x0c\x10\xa0\x0c\x10\x0e" + CANARY, 4330)
    program = pdf_fonts.type1_program()
    clear, mark, rest = program.partition(b"currentfile eexec\n")
    plain = type1.decrypt(rest, 55665)[4:].replace(b"/B %d RD %b" % (len(good), good), b"/B %d RD %b" % (len(bad), bad))
    data = pdf_fonts.simple(("FontFile", clear + mark + type1.encrypt(bytes(4) + plain, 55665), ""), "Type1")
    font = type1.rebuild(clear + mark + type1.encrypt(bytes(4) + plain, 55665))
    assert font.emptied == 1
    assert "pdf.broken_glyph" in codes(run(data, "a.pdf"))


BAD_PROGRAMS: dict[str, bytes] = {
    "a reserved operator": b"\x8b\x8b\x15\x00\x0e", "a number cut short": b"\xff\x00\x00", "an operand too few": pdf_fonts.t2(["add", "endchar"]),
    "a subroutine that is not there": pdf_fonts.t2([90, "callsubr"]), "a global subroutine that is not there": pdf_fonts.t2([90, "callgsubr"]),
    "storage": pdf_fonts.t2([1, 2, "put", 2, "get", "endchar"]), "chance": pdf_fonts.t2(["random", "endchar"]), "a full stack": b"\x8b" * 60 + b"\x0e",
    "a mask cut short": b"\x8b\x8b\x01\x13", "no subroutine number": pdf_fonts.t2(["callsubr"]),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD_PROGRAMS)
def test_a_glyph_program_that_cannot_run_is_emptied(fault: str) -> None:
    bad = CANARY + BAD_PROGRAMS[fault] if "cut short" in fault else BAD_PROGRAMS[fault] + CANARY
    glyphs = [pdf_fonts.charstring(0), bad, pdf_fonts.charstring(2)]
    font = cff.rebuild(pdf_fonts.keyed_cff(glyphs))
    assert (font.keyed, font.emptied) == (True, 1)
    assert CANARY not in font.data
    again = cff.rebuild(font.data)
    assert (again.data, again.emptied) == (font.data, 0)
    assert pdf_fonts.charstring(2) in font.data


def test_a_sound_glyph_program_stays(tmp_path: Path) -> None:
    """Hints, masks, subroutines, flexes and division, as FreeType runs them."""
    subr = pdf_fonts.t2([100, 0, "rlineto", "return"])
    program = pdf_fonts.t2([0, 20, "hstemhm", 0, 20, "vstem", 0, 0, "rmoveto", -107, "callgsubr", 10, 2, "div", 90, "rlineto", *[1] * 13, "flex", "endchar"])
    font = cff.rebuild(pdf_fonts.keyed_cff([b"\x0e", program + CANARY, pdf_fonts.charstring(1)], global_subrs=[subr]))
    assert font.emptied == 0
    assert program in font.data
    assert CANARY not in font.data


def test_entries_that_no_compact_font_has_are_left_behind() -> None:
    """A canary as a real number, under an operator that is reserved in that dictionary."""
    real = b"\x1e" + CANARY + b"\xff"
    for more in ({"top": real + b"\x06"}, {"inner": real + b"\x0c\x12"}):
        program = pdf_fonts.keyed_cff(**more)  # type: ignore[arg-type]
        assert CANARY in program
        font = cff.rebuild(program)
        assert CANARY not in font.data
        assert (font.data, font.emptied) == (cff.rebuild(pdf_fonts.keyed_cff()).data, 0)


def test_a_font_of_several_masters_is_refused() -> None:
    with pytest.raises(Malformed):
        type1.rebuild(pdf_fonts.type1_program(clear=b"/WeightVector [0.5 0.5] def"))


def test_a_font_program_that_keeps_calling_itself_ends_at_a_limit() -> None:
    """Ten levels of a subroutine that calls the next a hundred times."""
    subrs = [pdf_fonts.t2([*[index - 106, "callgsubr"] * 100, "return"]) for index in range(9)]
    with pytest.raises(LimitExceeded):
        cff.rebuild(pdf_fonts.keyed_cff([b"\x0e", pdf_fonts.t2([-107, "callgsubr"]), b"\x0e"], global_subrs=[*subrs, b"\x0b"]))
    assert charstrings.Checker([pdf_fonts.t2([-107, "callgsubr"])], 1).followed(pdf_fonts.t2([-107, "callgsubr"]), []) is None


@pytest.mark.parametrize("cut", [4, 20, 60, 200])
def test_a_broken_font_program_is_never_passed_on(cut: int) -> None:
    """Held where a viewer would use it, left out where none can."""
    for name, whole in (("FontFile3", pdf_fonts.keyed_cff()), ("FontFile2", pdf_fonts.truetype()), ("FontFile", pdf_fonts.type1_program())):
        data = pdf_fonts.simple((name, whole[:cut], "Type1C" if name == "FontFile3" else ""), "Type1")
        outcome = run(data, "a.pdf")
        if outcome.content is None:
            assert outcome.report.reason is Reason.MALFORMED
            assert "pdf.invalid_font" in codes(outcome)
        else:
            assert "pdf.unusable_font" in codes(outcome)
            assert programs(outcome.content.bytes()) == []


def test_a_broken_font_that_nothing_uses_is_left_behind(tmp_path: Path) -> None:
    """FreeType opens it, so it would be held; but no text is set in it."""
    program = pdf_fonts.truetype()
    broken = program.replace(b"maxp", b"maxq", 1)
    more = {6: b"<</Type/Font/Subtype/TrueType/BaseFont/X/FontDescriptor 7 0 R>>", 7: b"<</Type/FontDescriptor/FontName/X/Flags 4/FontFile2 8 0 R>>",
            8: pdf_bytes.deflated(broken + CANARY)}  # fmt: skip
    used = run(pdf_bytes.document(pdf_bytes.one_page(b"BT /X 9 Tf (a) Tj ET", b"/Font<</F1 5 0 R/X 6 0 R>>", more)), "a.pdf")
    assert (used.content, used.report.reason) == (None, Reason.MALFORMED)
    assert "pdf.invalid_font" in codes(used)
    data = pdf_bytes.document(pdf_bytes.one_page(b"", b"/Font<</F1 5 0 R/X 6 0 R>>", more))
    after = rebuilt(data)
    assert programs(after) == []
    assert CANARY not in pdf_views.everything(after, tmp_path)


def test_foreign_tables_and_bytes_of_an_sfnt_are_left_behind() -> None:
    font = TTFont(io.BytesIO(pdf_fonts.truetype()))
    font["name"].setName(CANARY.decode(), 1, 3, 1, 0x409)
    for tag in ("DSIG", "CPAL", "SVG ", "EVIL"):
        font[tag] = _raw_table(tag, CANARY)
    stream = io.BytesIO()
    font.save(stream)
    data = stream.getvalue()
    assert CANARY in data
    new, emptied = sfnt.rebuild(data + CANARY)
    assert emptied == 0
    assert CANARY not in new
    assert CANARY.decode().encode("utf-16-be") not in new
    assert {"glyf", "loca", "head", "cmap"} <= set(TTFont(io.BytesIO(new)).keys()) <= {tag.decode() for tag in sfnt._TABLES} | {"GlyphOrder"}


def _raw_table(tag: str, data: bytes) -> object:
    from fontTools.ttLib.tables.DefaultTable import DefaultTable

    table = DefaultTable(tag)
    table.data = data
    return table


def test_bytes_between_and_behind_glyphs_are_left_behind() -> None:
    """`glyf` made larger than `loca` says."""
    tables = sfnt._tables(pdf_fonts.truetype())
    tables[b"glyf"] += CANARY
    new, emptied = sfnt.rebuild(sfnt._write(b"\x00\x01\x00\x00", tables))
    assert emptied == 0
    assert CANARY not in new
    before, after = TTFont(io.BytesIO(pdf_fonts.truetype())), TTFont(io.BytesIO(new))
    assert [after["glyf"][name] == before["glyf"][name] for name in after.getGlyphOrder()] == [True] * len(pdf_fonts.NAMES)


def test_glyphs_that_overlap_or_lie_outside_are_put_in_order() -> None:
    """Every entry of `loca` is at least the one before and inside `glyf`: readers differ on all others."""
    tables = sfnt._tables(_with_glyph(b""))
    offsets = list(struct.unpack(f">{len(tables[b'loca']) // 4}I", tables[b"loca"]))
    for wrong in (0xFFFFFFF0, 0):
        tables[b"loca"] = struct.pack(f">{len(offsets)}I", *offsets[:4], wrong, *offsets[5:])
        new = sfnt._tables(sfnt.rebuild(sfnt._write(b"\x00\x01\x00\x00", dict(tables)))[0])
        kept = struct.unpack(f">{len(new[b'loca']) // 4}I", new[b"loca"])
        assert list(kept) == sorted(kept)
        assert kept[-1] <= len(new[b"glyf"])


def _with_glyph(glyph: bytes) -> bytes:
    """The font with its second glyph replaced."""
    tables = sfnt._tables(pdf_fonts.truetype())
    long = struct.unpack_from(">h", tables[b"head"], 50)[0]
    count = len(pdf_fonts.NAMES) + 1
    offsets = list(struct.unpack(f">{count}{'I' if long else 'H'}", tables[b"loca"][: count * (4 if long else 2)]))
    offsets = offsets if long else [offset * 2 for offset in offsets]
    glyph += bytes(-len(glyph) % 4)
    body = tables[b"glyf"]
    grown = len(glyph) - (offsets[2] - offsets[1])
    tables[b"glyf"] = body[: offsets[1]] + glyph + body[offsets[2] :]
    tables[b"loca"] = struct.pack(f">{count}I", *offsets[:2], *(offset + grown for offset in offsets[2:]))
    tables[b"head"] = tables[b"head"][:50] + b"\x00\x01" + tables[b"head"][52:]
    return sfnt._write(b"\x00\x01\x00\x00", tables)


BAD_GLYPHS = {
    "made of itself": struct.pack(">h8xHHbb", -1, 0x2, 1, 0, 0), "made of a glyph that is not there": struct.pack(">h8xHHbb", -1, 0x2, 999, 0, 0),
    "more instructions than bytes": struct.pack(">h8xHH", 1, 3, 60000), "contours that do not rise": struct.pack(">h8xHHH", 2, 9, 3, 0),
    "a component cut short": struct.pack(">h8xHH", -1, 0x23, 1), "a scale cut short": struct.pack(">h8xHHbb", -1, 0x82, 2, 0, 0),
    "components without an end": struct.pack(">h8x", -1) + struct.pack(">HHbb", 0x22, 2, 0, 0) * 1001,
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD_GLYPHS)
def test_a_glyph_out_of_bounds_is_emptied(fault: str) -> None:
    new, emptied = sfnt.rebuild(_with_glyph(BAD_GLYPHS[fault]))
    assert emptied == 1
    font = TTFont(io.BytesIO(new))
    assert font["glyf"]["g1"].numberOfContours == 0
    assert font["glyf"]["g2"].numberOfContours == 3
    assert sfnt.rebuild(new) == (new, 0)


def test_a_glyph_made_of_others_keeps_its_instructions_and_one_without_contours_stays() -> None:
    """Components placed in every way, hints behind them, and a glyph that is there and empty."""
    parts = b"".join((
        struct.pack(">HHhhh", 0x29, 2, 5, 5, 0x4000), struct.pack(">HHbbhh", 0x62, 3, 0, 0, 0x4000, 0x4000), struct.pack(">HHbbhhhh", 0x182, 2, 0, 0, 0x4000, 0, 0, 0x4000),
    ))  # fmt: skip
    for glyph, parted in ((struct.pack(">h8x", -1) + parts + b"\x00\x02\xb0\x00", True), (struct.pack(">h8xH", 0, 0), False)):
        new, emptied = sfnt.rebuild(_with_glyph(glyph))
        assert emptied == 0
        found = TTFont(io.BytesIO(new))["glyf"]["g1"]
        assert found.isComposite() is parted
        if parted:
            assert [part.glyphName for part in found.components] == ["g2", "g3", "g2"]
            assert found.program.getBytecode() == b"\xb0\x00"
    with pytest.raises(Malformed):
        sfnt.rebuild(_with_glyph(struct.pack(">h8xHHbb", -1, 0x102, 2, 0, 0) + b"\x00\x01\x8f"))


def test_glyphs_made_of_glyphs_made_of_glyphs_are_counted_once() -> None:
    """Two that are made of the same third, and a chain; one of eighteen is too long."""
    shared = [struct.pack(">h8xHHbb", -1, 0x2, 4, 0, 0), struct.pack(">h8xHHbb", -1, 0x2, 4, 0, 0)]
    glyphs = [b"", *shared, struct.pack(">h8xHHbbHHbb", -1, 0x22, 1, 0, 0, 0x2, 2, 0, 0), b""]
    assert glyf._bad(glyphs) == set()
    for length in (15, 18):
        chain = [struct.pack(">h8xHHbb", -1, 0x2, at + 1, 0, 0) for at in range(length)] + [b""]
        assert (0 in glyf._bad(chain)) is (length == 18)


@pytest.mark.parametrize("program", [b"\xb7\x8f", b"\x40", b"\x41\x09\x8f", b"\x8e\xb1\x8f"], ids=repr)
def test_operands_that_are_cut_off_are_no_instructions(program: bytes) -> None:
    glyf.refuse_unknown_instructions(program)


@pytest.mark.parametrize("table", [b"fpgm", b"prep", b"glyf"])
def test_an_instruction_that_does_not_exist_holds_the_file(table: bytes) -> None:
    """CVE-2023-41990. The same byte as pushed data is no instruction."""
    for program, refused in ((b"\xb0\x01\x8f", True), (b"\xb0\x8f\x21", False), (b"\x40\x02\x90\x8f\x21\x21", False), (b"\xb8\x00\x8f\x21\x90", True)):
        if table == b"glyf":
            data = _with_glyph(struct.pack(">h8xHH", 1, 0, len(program)) + program + b"\x01\x00\x00")
        else:
            tables = sfnt._tables(pdf_fonts.truetype())
            tables[table] = program
            data = sfnt._write(b"\x00\x01\x00\x00", tables)
        if refused:
            with pytest.raises(Malformed):
                sfnt.rebuild(data)
        else:
            assert program in sfnt.rebuild(data)[0]


def test_hinting_programs_stay() -> None:
    """Some Japanese fonts put their strokes together by them."""
    tables = sfnt._tables(pdf_fonts.truetype())
    tables[b"fpgm"], tables[b"prep"], tables[b"cvt "] = b"\xb0\x00\x2c\x2d", b"\xb0\x00\x21", b"\x00\x01"
    new = TTFont(io.BytesIO(sfnt.rebuild(sfnt._write(b"\x00\x01\x00\x00", tables))[0]))
    assert {"fpgm", "prep", "cvt "} <= set(new.keys())


@pytest.mark.parametrize("make", [pdf_fonts.truetype, pdf_fonts.opentype], ids=["TrueType", "OpenType"])
def test_another_sanitizer_of_fonts_passes_the_result(make: object, tmp_path: Path) -> None:
    """The OpenType Sanitizer that browsers use, where it is installed. It wants names, which PDF fonts need not have."""
    program = shutil.which("ots-sanitize", path=str(Path(sys.executable).parent)) or shutil.which("ots-sanitize")
    if program is None:
        pytest.skip("ots-sanitize is not installed")
    path, out = tmp_path / "a.otf", tmp_path / "b.otf"
    path.write_bytes(sfnt.rebuild(make())[0])  # type: ignore[operator]
    done = subprocess.run([program, str(path), str(out)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_type_3_glyphs_are_content_and_nothing_else(tmp_path: Path) -> None:
    glyphs = b"1000 0 d0 0 0 500 700 re f (%b) run <</JS (%b)>> exec" % (CANARY, CANARY)
    font = (
        b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]/CharProcs<</a 7 0 R>>/Encoding<</Differences[97/a]>>"
        b"/FirstChar 97/LastChar 97/Widths[1000]/Resources<</XObject<</P 8 0 R>>>>>>"
    )
    more = {6: font, 7: pdf_bytes.stream(glyphs), 8: pdf_bytes.stream(b"(%b) run" % CANARY, b"/Type/XObject/Subtype/PS")}
    before = pdf_bytes.document(pdf_bytes.one_page(b"BT /T 90 Tf 20 20 Td (a) Tj ET", b"/Font<</F1 5 0 R/T 6 0 R>>", more))
    outcome = run(before, "a.pdf")
    assert "pdf.invalid_operator" in codes(outcome)
    assert outcome.content is not None
    after = outcome.content.bytes()
    assert CANARY not in pdf_views.everything(after, tmp_path)
    same_look(before, after, tmp_path)


@pytest.mark.parametrize("words", [b"(%b) run", b"/Notice (%b) def", b"/%b~ usecmap", b"{ %b } exec", b"/%b exch pop %b", b"%%%b\n"])
def test_a_character_map_keeps_its_words_only(words: bytes, tmp_path: Path) -> None:
    words = words.replace(b"%b", CANARY).replace(b"%%", b"%")
    data = pdf_fonts.japanese("CMap of its own")
    with pikepdf.open(io.BytesIO(data)) as document:
        for found in document.objects:
            if isinstance(found, pikepdf.Stream) and found.get("/Type") == pikepdf.Name.CMap:
                found.write(found.read_bytes().replace(b"begincmap", b"begincmap " + words))
        data = build.saved(document)
    after = rebuilt(data)
    assert CANARY not in pdf_views.everything(after, tmp_path)
    assert b"exec" not in b"".join(pdf_views.inflated(after))
    same_look(data, after, tmp_path)


@pytest.mark.parametrize("name", ["/..#2f..#2fetc#2fpasswd", "/#25pipe#25id", "/C:#5cx"])
def test_the_name_of_a_character_map_is_no_path(name: str, tmp_path: Path) -> None:
    data = pdf_bytes.document(pdf_bytes.one_page(more={
        5: b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding%b/DescendantFonts[6 0 R]>>" % name.encode(),
        6: b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
    }))  # fmt: skip
    outcome = run(data, "a.pdf")
    if outcome.content is not None:
        assert name[1:].encode() not in pdf_views.qdf(outcome.content.bytes(), tmp_path)
        assert "pdf.invalid_value" in codes(outcome)
