"""The fonts that PDFium is handed, table by table, and pages that cannot be drawn: each has its own refusal."""

from __future__ import annotations

import ctypes
import io
import mmap
from pathlib import Path

import pypdfium2.raw as pdfium
import pytest
from fontTools.ttLib import TTCollection, TTFont

from sanitizers.formats.pdf import pixel_text, pixels, reader, typefaces
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed, Reason
from sanitizers.source import Source
from tests.build import pdf as build
from tests.build import pdf_fonts, pdf_views
from tests.build.context import context, run
from tests.build.pdf_bytes import document, one_page, stream, zeros


def face(data: bytes) -> typefaces.Typeface:
    memory = mmap.mmap(-1, len(data))
    memory.write(data)
    return typefaces.Typeface(memory, ctypes.addressof(ctypes.c_char.from_buffer(memory)), data[:4] == b"ttcf")


def _tag(name: str) -> int:
    return int.from_bytes(name.encode(), "big")


def test_a_table_is_found_in_a_font_and_in_a_collection() -> None:
    single, both = pdf_fonts.truetype(), io.BytesIO()
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(single)), TTFont(io.BytesIO(single))]
    collection.save(both)
    for data, font in ((single, TTFont(io.BytesIO(single))), (both.getvalue(), TTCollection(io.BytesIO(both.getvalue())).fonts[0])):
        held = face(data)
        assert held.table(0) == (0, len(data))
        assert held.table(_tag("ttcf")) == ((0, len(data)) if held.is_collection else (0, 0))
        for name in ("glyf", "cmap", "head"):
            start, length = held.table(_tag(name))
            assert held.data[start : start + length] == font.reader[name]
        assert held.table(_tag("none")) == (0, 0)


def test_the_first_font_that_is_installed_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.ttf"
    path.write_bytes(pdf_fonts.truetype())
    found = typefaces._first((str(tmp_path / "none.ttf"), str(path)))
    assert found is not None
    assert (found.data[:], found.is_collection) == (pdf_fonts.truetype(), False)
    assert typefaces._first((str(tmp_path),)) is None


def test_without_a_japanese_font_a_page_that_wants_one_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typefaces, "INSTALLED", {})
    monkeypatch.setattr(typefaces, "MISSED", set())
    assert typefaces.choose(pdfium.FXFONT_ANSI_CHARSET, 0, b"Arial") == 0
    assert run(build.saved(build.clean()), "a.pdf", pdf_strict_pixels=True).content is not None
    assert typefaces.choose(pdfium.FXFONT_SHIFTJIS_CHARSET, 0, b"MS-Gothic") == 0
    outcome = run(build.saved(build.clean()), "a.pdf", pdf_strict_pixels=True)
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND)
    (finding,) = [finding for finding in outcome.report.findings if finding.code == "pdf.font_missing"]
    assert "MS-Gothic" in finding.detail


@pytest.mark.parametrize(("tree", "said"), [(b"[3 0 R null]/Count 2", "page 2 cannot be opened"), (b"[]/Count 0", "no pages")])
def test_a_page_that_cannot_be_opened_is_not_drawn(tree: bytes, said: str) -> None:
    data = document({**one_page(), 2: b"<</Type/Pages/Kids%b>>" % tree})
    with pytest.raises(Malformed, match=said):
        pixels.draw(Source(data), context("a.pdf", Kind.PDF))


def test_a_grey_page_is_no_fax(tmp_path: Path) -> None:
    data = document(one_page(b"0.5 g 20 20 200 200 re f"))
    outcome = run(data, "a.pdf", pdf_strict_pixels=True)
    assert outcome.content is not None
    assert b"CCITTFaxDecode" not in pdf_views.everything(outcome.content.bytes(), tmp_path)
    assert pdf_views.pictures(outcome.content.bytes())[0].convert("L").getpixel((100, 200)) in range(120, 136)


def test_what_cannot_be_read_is_none_of_our_pictures() -> None:
    once = run(build.saved(build.clean()), "a.pdf", pdf_strict_pixels=True).content
    assert once is not None
    assert pixels.is_drawn(once, context("a.pdf", Kind.PDF))
    picture = b"/XObject<</P 6 0 R>>"
    page = {3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<%b>>>>" % picture, 6: stream(b"x", b"/Subtype/Image")}
    for content, drawn in ((stream(b"q 9 0 0 9 0 0 cm /P Do Q\n"), True), (stream(b"x", b"/Filter/DCTDecode"), False)):
        data = document({**one_page(), **page, 4: content})
        assert pixels.is_drawn(Source(data), context("a.pdf", Kind.PDF)) is drawn
    assert not pixels.is_drawn(Source(b"%PDF-1.7\n"), context("a.pdf", Kind.PDF))


def test_a_ligature_is_read_as_its_letters_and_a_full_font_says_nothing_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """One code that stands for several characters; and more texts than the font has room for."""
    unicode = b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar <61> <006600660069> endbfchar endcmap"
    font = b"/Font<</F1 5 0 R/X<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>>>"
    data = document({**one_page(b"BT /X 24 Tf 20 100 Td (a) Tj ET", more={6: stream(unicode)}), 3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<<%b>>>>" % font})
    outcome = run(data, "a.pdf", pdf_strict_pixels=True)
    assert outcome.content is not None
    assert pdf_views.text(outcome.content.bytes())[0].split() == ["visible", "ffi"]
    monkeypatch.setattr(pixel_text, "_MOST_CIDS", 3)
    full = pixels.draw(Source(document(one_page())), context("a.pdf", Kind.PDF))
    assert set(pdf_views.text(full.bytes())[0]) - {"\x00", "\ufffe", " "} <= set("vis")


def test_a_cross_reference_stream_that_expands_too_far_is_past_the_limit() -> None:
    body, bomb = b"%PDF-1.7\n", zeros(100)
    for number, said in one_page().items():
        body += b"%d 0 obj\n%b\nendobj\n" % (number, said)
    table = stream(bomb, b"/Type/XRef/Size 7/W[1 4 2]/Root 1 0 R/Filter/FlateDecode")
    with pytest.raises(LimitExceeded, match="expands too far"):
        run(body + b"6 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, len(body)), "a.pdf", limits=Limits())


def test_a_reference_to_what_is_no_object_is_nothing() -> None:
    """A number that no file has, an object that is not there, and one that is called by another: to qpdf that is a number."""
    data = document({**one_page(), 10: b"11 0 R", 11: b"/Name"})
    opened = reader.open_pdf(Source(data), context("a.pdf", Kind.PDF))
    assert [opened.resolve(reader.Ref(number)) for number in (10**12, 99, 10, 11)] == [None, None, 11, "Name"]


def test_a_page_without_text_has_no_font() -> None:
    drawn = pixels.draw(Source(document({**one_page(), 4: stream(b"0 0 9 9 re f")})), context("a.pdf", Kind.PDF))
    assert b"/Font" not in drawn.bytes()
    assert pdf_views.text(drawn.bytes()) == [""]
