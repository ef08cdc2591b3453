"""PDF objects of another kind than their key calls for: left behind by name, never passed on, and no reason to stumble."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pypdfium2
import pytest

from sanitizers.context import Outcome
from sanitizers.formats.pdf import syntax
from sanitizers.model import LimitExceeded, Reason, Verdict
from tests.build import pdf as build
from tests.build import pdf_fonts, pdf_views
from tests.build.context import run
from tests.build.pdf_bytes import deflated, document, one_page, stream

CANARY = build.CANARY.encode()
BAD = b"[/" + CANARY + b"]"     # where anything but an array of a name belongs
SHOW = b"BT /X 9 Tf (a) Tj ET"


def findings(outcome: Outcome) -> set[tuple[str, str]]:
    return {(finding.code, finding.detail) for finding in outcome.report.findings}


def delivered(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def annotation(body: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(page=b"/Annots[<</Rect[0 0 9 9]%b>>]" % body, more=more))


def font(body: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(SHOW, b"/Font<</X<<%b>>>>" % body, more))


def state(body: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(b"/G gs", b"/ExtGState<</G<<%b>>>>" % body, more))


def colour(body: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(b"/C cs", b"/ColorSpace<</C%b>>" % body, more))


def pattern(body: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(b"/Pattern cs /P scn 0 0 9 9 re f", b"/Pattern<</P %b>>" % body, more))


def shading(body: bytes, more: dict[int, bytes] | None = None) -> bytes:
    return document(one_page(b"/S sh", b"/Shading<</S %b>>" % body, more))


def drawing(body: bytes, data: bytes = b"", **more: Any) -> bytes:
    return document(one_page(b"/X Do", b"/XObject<</X 6 0 R>>", {6: stream(data, body), **{int(key[1:]): value for key, value in more.items()}}))


FUNCTION = b"<</FunctionType 2/Domain[0 1]/N 1>>"
# What stands there, and the finding that says so.
WRONG: dict[str, tuple[bytes, str, str]] = {
    "the kind of an annotation": (annotation(b"/AP<</N 6 0 R>>/Subtype" + BAD, {6: stream(b"", b"/BBox[0 0 9 9]")}), "pdf.annotation_dropped", "/?"),
    "the kind of an annotation without looks": (annotation(b"/Subtype" + BAD), "pdf.annotation_dropped", "/?"),
    "the kind of what a popup belongs to": (annotation(b"/Subtype/Popup/Parent<</Subtype%b>>" % BAD), "pdf.annotation_dropped", "/Popup"),
    "the looks of an annotation": (annotation(b"/Subtype/Square/AP<</N%b>>" % BAD), "pdf.invalid_value", "/N"),
    "the text style of a note": (annotation(b"/Subtype/FreeText/DA" + BAD), "pdf.invalid_value", "/DA"),
    "a border of two numbers": (annotation(b"/Subtype/Link/Border[1 2]"), "pdf.invalid_value", "/Border"),
    "dashes that are no list": (annotation(b"/Subtype/Square/BS<</D 3>>"), "pdf.invalid_value", "/D"),
    "a style that is no dictionary": (annotation(b"/Subtype/Square/BS" + BAD), "pdf.invalid_value", "/BS"),
    "an action": (annotation(b"/Subtype/Link/A" + BAD), "pdf.invalid_value", "/A"),
    "an address": (annotation(b"/Subtype/Link/A<</S/URI/URI%b>>" % BAD), "pdf.unsafe_link", "/S /URI"),
    "an address of nine thousand letters": (annotation(b"/Subtype/Link/A<</S/URI/URI(http://%b%b)>>" % (CANARY, b"x" * 9000)), "pdf.unsafe_link", "/S /URI"),
    "a place": (annotation(b"/Subtype/Link/Dest 7"), "pdf.invalid_value", "/Dest"),
    "line ends that are three": (annotation(b"/Subtype/Line/LE[/a/b/c]"), "pdf.invalid_value", "/LE"),
    "line ends of which one is none": (annotation(b"/Subtype/Line/LE[/None 7]"), "pdf.invalid_value", "/LE"),
    "the kind of a font": (font(b"/Subtype" + BAD), "pdf.invalid_value", ""),
    "a font": (document(one_page(SHOW, b"/Font<</X%b>>" % BAD)), "pdf.invalid_value", ""),
    "the kind of a font below": (font(b"/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</Subtype%b>>]" % BAD), "pdf.invalid_value", "/DescendantFonts"),
    "a font below": (font(b"/Subtype/Type0/Encoding/Identity-H/DescendantFonts" + BAD), "pdf.invalid_value", "/DescendantFonts"),
    "a descriptor": (font(b"/Subtype/TrueType/FontDescriptor" + BAD), "pdf.invalid_value", "/FontDescriptor"),
    "widths": (font(b"/Subtype/TrueType/Widths/" + CANARY), "pdf.invalid_value", "/Widths"),
    "differences": (font(b"/Subtype/TrueType/Encoding<</Differences/%b>>" % CANARY), "pdf.invalid_value", "/Differences"),
    "a map to text": (font(b"/Subtype/TrueType/ToUnicode" + BAD), "pdf.invalid_value", "/ToUnicode"),
    "a map to text by an unknown filter": (font(b"/Subtype/TrueType/ToUnicode 6 0 R", {6: stream(CANARY, b"/Filter/X")}), "pdf.unreadable_stream", "unknown filter X"),
    "widths of a font below": (
        font(b"/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</Subtype/CIDFontType2/W/%b>>]" % CANARY), "pdf.invalid_value", "/W",
    ),
    "glyph numbers": (font(b"/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</Subtype/CIDFontType2/CIDToGIDMap%b>>]" % BAD), "pdf.invalid_value", "/CIDToGIDMap"),
    "glyph numbers by an unknown filter": (
        font(b"/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</Subtype/CIDFontType2/CIDToGIDMap 6 0 R>>]", {6: stream(CANARY, b"/Filter/X")}),
        "pdf.unreadable_stream", "unknown filter X",
    ),
    "a font program by an unknown filter": (
        font(b"/Subtype/TrueType/FontDescriptor<</FontFile2 6 0 R>>", {6: stream(CANARY, b"/Filter/X")}), "pdf.unreadable_stream", "unknown filter X",
    ),
    "a font program that is a picture": (
        font(b"/Subtype/TrueType/FontDescriptor<</FontFile2 6 0 R>>", {6: stream(CANARY, b"/Filter/DCTDecode")}), "pdf.unreadable_stream",
        "DCTDecode where no image belongs",
    ),
    "the number of a profile": (colour(b"[/ICCBased 6 0 R]", {6: stream(CANARY, b"/N[3]")}), "pdf.invalid_profile", ""),
    "a profile that is none, with another space for it": (colour(b"[/ICCBased 6 0 R]", {6: stream(CANARY, b"/N 3/Alternate/DeviceRGB")}), "pdf.invalid_profile", ""),
    "a profile by an unknown filter": (colour(b"[/ICCBased 6 0 R]", {6: stream(CANARY, b"/N 3/Filter/X")}), "pdf.unreadable_stream", "unknown filter X"),
    "points of too few numbers": (annotation(b"/Subtype/PolyLine/Vertices[1]"), "pdf.invalid_value", "/Vertices"),
    "a list of an array that is too long": (annotation(b"/Subtype/Ink/InkList 7"), "pdf.invalid_value", "/InkList"),
    "a profile": (colour(b"[/ICCBased %b]" % BAD), "pdf.invalid_value", ""),
    "a colour space": (colour(b"[%b 1]" % BAD), "pdf.invalid_value", ""),
    "an ink": (colour(b"[/Separation%b/DeviceGray%b]" % (BAD, FUNCTION)), "pdf.invalid_value", ""),
    "the kind of a function": (colour(b"[/Separation/x/DeviceGray<</FunctionType%b>>]" % BAD), "pdf.invalid_value", ""),
    "samples without a size": (colour(b"[/Separation/x/DeviceGray 6 0 R]", {6: stream(CANARY, b"/FunctionType 0/Domain[0 1]")}), "pdf.invalid_value", ""),
    "a program that closes what it did not open": (colour(b"[/Separation/x/DeviceGray 6 0 R]", {6: stream(b"} {", b"/FunctionType 4/Domain[0 1]/Range[0 1]")}), "pdf.invalid_function", ""),
    "a program of 33 levels": (
        colour(b"[/Separation/x/DeviceGray 6 0 R]", {6: stream(b"{" * 33 + b"}" * 33, b"/FunctionType 4/Domain[0 1]/Range[0 1]")}), "pdf.invalid_function", "",
    ),
    "the kind of a shading": (shading(b"<</ShadingType%b>>" % BAD), "pdf.invalid_value", ""),
    "a shading of a kind that does not exist": (shading(b"<</ShadingType 9/X/%b>>" % CANARY), "pdf.invalid_value", ""),
    "a shading that goes on beyond one end": (
        shading(b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 9 9]/Function%b/Extend[true 1]>>" % FUNCTION), "pdf.invalid_value", "/Extend",
    ),
    "a mesh by an unknown filter": (shading(b"6 0 R", {6: stream(CANARY, b"/ShadingType 4/Filter/X")}), "pdf.unreadable_stream", "unknown filter X"),
    "the kind of a pattern": (pattern(b"<</PatternType%b>>" % BAD), "pdf.invalid_value", ""),
    "a pattern of lines that is no drawing": (pattern(b"<</PatternType 1/X/%b>>" % CANARY), "pdf.invalid_value", ""),
    "a pattern of a shading that is none": (pattern(b"<</PatternType 2/Shading%b>>" % BAD), "pdf.invalid_value", "/Shading"),
    "dashes without a phase": (state(b"/D[[1]]"), "pdf.invalid_value", "/D"), "dashes with a name for a phase": (state(b"/D[[1]/%b]" % CANARY), "pdf.invalid_value", "/D"),
    "a font and no size": (state(b"/Font[5 0 R]"), "pdf.invalid_value", "/Font"), "a font and a name": (state(b"/Font[5 0 R/%b]" % CANARY), "pdf.invalid_value", "/Font"),
    "a soft mask": (state(b"/SMask" + BAD), "pdf.invalid_value", "/SMask"), "modes of blending": (state(b"/BM[%b]" % BAD), "pdf.invalid_value", "/BM"),
    "a transfer function": (state(b"/TR/" + CANARY), "pdf.invalid_value", "/TR"), "three transfer functions": (state(b"/TR[/Identity/Identity/Identity]"), "pdf.invalid_value", "/TR"),
    "a graphics state": (document(one_page(b"/G gs", b"/ExtGState<</G%b>>" % BAD)), "pdf.invalid_value", ""),
    "properties": (document(one_page(b"/Span /P BDC EMC", b"/Properties<</P%b>>" % BAD)), "pdf.invalid_value", ""),
    "a drawing": (document(one_page(b"/X Do", b"/XObject<</X%b>>" % BAD)), "pdf.invalid_value", ""),
    "the kind of a drawing": (drawing(b"/Subtype" + BAD), "pdf.invalid_value", ""),
    "a mask that is no drawing": (state(b"/SMask<</S/Alpha/G%b>>" % BAD), "pdf.invalid_value", "/G"),
    "the size of a picture": (drawing(b"/Subtype/Image/Width%b/Height 1" % BAD), "pdf.unreadable_image", "size"),
    "a picture without a height": (drawing(b"/Subtype/Image/Width 1/Height 0", CANARY), "pdf.unreadable_image", "size"),
    "a picture in colours of no number": (
        drawing(b"/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace[/Indexed[/ICCBased 7 0 R] 1(abcdef)]", CANARY, o7=stream(b"", b"/N[3]")),
        "pdf.unreadable_image", "",
    ),
    "a mask of a picture": (drawing(b"/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray/SMask 5 0 R", b"x"), "pdf.invalid_value", "/SMask"),
    "a turn of the page": (document(one_page(page=b"/Group" + BAD)), "pdf.invalid_value", "/Group"),
    "fields of a form": (document(one_page(page=b"/Annots[6 0 R]", catalog=b"/AcroForm<</Fields[6 0 R]/Q%b>>" % BAD, more={6: b"<</Subtype/Widget/FT/Tx/T(a)>>"})), "pdf.invalid_value", "/Q"),
    "the kind of a signature": (
        document(one_page(page=b"/Annots[6 0 R]", catalog=b"/AcroForm<</Fields[6 0 R]>>",
                          more={6: b"<</Subtype/Widget/FT/Sig/T(a)/V<</SubFilter%b/ByteRange[0 1 3 1]>>>>" % BAD})),
        "pdf.signature", "said to be by unknown, time unknown; cannot be checked: the gap of /ByteRange holds something else; trust in the certificate not judged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", WRONG)
def test_what_a_key_does_not_call_for_is_left_behind_by_name(place: str) -> None:
    data, code, detail = WRONG[place]
    outcome = run(data, "a.pdf")
    assert (code, detail) in findings(outcome)
    assert outcome.report.verdict is Verdict.SANITIZED
    after = delivered(outcome)
    assert CANARY not in after + b"\n".join(pdf_views.inflated(after))
    with pypdfium2.PdfDocument(after) as opened:
        assert "visible" in opened[0].get_textpage().get_text_bounded()


def _nested_pages() -> bytes:
    return document({**one_page(), 2: b"<</Type/Pages/Kids[<</Type/Pages/Kids[3 0 R]/Count 1>>]/Count 1>>"})


# What some programs write, and what must be in the output for it.
KEPT: dict[str, tuple[bytes, bytes]] = {
    "a node of the page tree without a number": (_nested_pages(), b"/Count 1"),
    "a field without a number": (annotation(b"/Subtype/Widget/FT/Tx/T(a)/V(%b)" % CANARY), CANARY),
    "a whole real for an integer": (annotation(b"/Subtype/Square/F 4.0"), b"/F 4"),
    "a border with dashes": (annotation(b"/Subtype/Link/Border[0 0 1[3 2]]"), b"/Border[0 0 1 [3 2]]"),
    "a place by its name": (document(one_page(page=b"/Annots[<</Rect[0 0 9 9]/Subtype/Link/Dest/here>>]", catalog=b"/Dests<</here[3 0 R/Fit]>>")), b"/Dest(here)"),
    "a place without a fit": (annotation(b"/Subtype/Link/Dest[3 0 R]"), b"/Fit]"), "a place with a fit that is none": (annotation(b"/Subtype/Link/Dest[3 0 R[/XYZ]]"), b"/Fit]"),
    "a place of too few numbers": (annotation(b"/Subtype/Link/Dest[3 0 R/FitR 1 2]"), b"/FitR 1 2 null null]"),
    "no soft mask": (state(b"/SMask/None"), b"/SMask/None"), "no soft mask by another name": (state(b"/SMask/Nothing"), b"/SMask/None"),
    "four transfer functions": (state(b"/TR[/Identity/Identity%b/Default]" % FUNCTION), b"/Default]"), "dashes": (state(b"/D[[1 2]3]"), b"/D[[1 2] 3]"),
    "a font and its size": (state(b"/Font[5 0 R 9]"), b"/Font["), "functions of a shading, one for each colour": (
        shading(b"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 9 9]/Function[%b%b%b]>>" % (FUNCTION, FUNCTION, FUNCTION)), b"/Function[",
    ),
    "glyph numbers by another name": (
        font(b"/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</Subtype/CIDFontType2/CIDToGIDMap/identity>>]"), b"/CIDToGIDMap/Identity",
    ),
    "a page that is turned by three quarters and a bit": (document(one_page(page=b"/Rotate -90")), b"/Rotate 270"),
    "a page that is not turned at all": (document(one_page(page=b"/Rotate 360")), b"/MediaBox[0 0 300 300]"),
    "a number that no reader can hold": (annotation(b"/Subtype/Link/Dest[3 0 R/XYZ %b.5 0 0]" % (b"9" * 350)), b"/XYZ 3402999999999999"),
    "a box of no width": (document(one_page(page=b"/CropBox[9 9 9 9]")), b"/MediaBox[0 0 300 300]"),
    "a box of three numbers": (document(one_page(page=b"/CropBox[9 9 9]")), b"/MediaBox[0 0 300 300]"),
    "no page where one belongs": (document({**one_page(), 2: b"<</Type/Pages/Kids[null 7 3 0 R]/Count 1>>"}), b"/Count 1"),
    "no annotation where one belongs": (document(one_page(page=b"/Annots[null 7(x)<</Subtype/Square/Rect[0 0 9 9]>>]")), b"/Square"),
    "nothing drawn without a box": (drawing(b"/Subtype/Form", b"0 0 m"), b"/MediaBox"),
    "brackets in brackets in brackets": (document(one_page(b"BT /F1 9 Tf 20 99 Td (a(b(c(d)e)f)g\\)) Tj ET")), b"(a\\(b\\(c\\(d\\)e\\)f\\)g\\)) Tj"),
    "a key with nothing in it": (annotation(b"/Subtype/Square/Border null/X null"), b"/Square"),
}  # fmt: skip


@pytest.mark.parametrize("habit", KEPT)
def test_what_some_programs_write_is_understood(habit: str) -> None:
    data, wanted = KEPT[habit]
    outcome = run(data, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    after = delivered(outcome)
    assert wanted in after + b"\n".join(pdf_views.inflated(after))


def test_a_font_program_that_two_fonts_share_is_written_once() -> None:
    descriptor = b"<</Type/Font/Subtype/TrueType/BaseFont/X/FontDescriptor<</Type/FontDescriptor/FontName/X/Flags 4/FontFile 9/FontFile2 8 0 R>>>>"
    data = document(one_page(b"BT /X 9 Tf (a) Tj /Y 9 Tf (a) Tj ET", b"/Font<</X 6 0 R/Y 7 0 R>>", {6: descriptor, 7: descriptor, 8: deflated(pdf_fonts.truetype())}))
    after = delivered(run(data, "a.pdf"))
    with pikepdf.open(io.BytesIO(after)) as opened:
        programs = [found for found in opened.objects if isinstance(found, pikepdf.Stream) and "/Length1" in found]
    assert len(programs) == 1


REFUSED: dict[str, tuple[Callable[[], bytes], str, Reason]] = {
    "no catalog": (lambda: document({**one_page(), 1: b"7"}), "file.malformed", Reason.MALFORMED),
    "no page": (lambda: document({**one_page(), 2: b"<</Type/Pages/Kids[null]/Count 0>>"}), "file.malformed", Reason.MALFORMED),
    "no page tree": (lambda: document({**one_page(), 2: BAD}), "file.malformed", Reason.MALFORMED),
    "a drawing without a box, which not every reader draws": (lambda: drawing(b"/Subtype/Form", b"0 0 99 99 re f"), "pdf.looks_different", Reason.VERIFICATION_FAILED),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_document_that_is_none_is_refused(kind: str) -> None:
    make, code, reason = REFUSED[kind]
    outcome = run(make(), "a.pdf")
    assert (outcome.content, outcome.report.reason) == (None, reason)
    assert code in {finding.code for finding in outcome.report.findings}


def test_a_page_tree_that_contains_itself_ends() -> None:
    data = document({**one_page(), 2: b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 1>>"})
    outcome = run(data, "a.pdf")
    assert ("pdf.loop", "") in findings(outcome)
    with pikepdf.open(io.BytesIO(delivered(outcome))) as opened:
        assert len(opened.pages) == 1


def test_a_page_of_71_metres_is_past_the_limit() -> None:
    with pytest.raises(LimitExceeded, match="200001 x 9 points"):
        run(document(one_page(page=b"/CropBox[0 0 200001 9]")), "a.pdf")


def test_a_value_that_is_no_object_is_never_written() -> None:
    """What would be a mistake of ours ends in an error, not in a file."""
    assert syntax.serialize({"A": [1, 0.5, None]}) == b"<</A[1 0.5 null]>>"
    with pytest.raises(TypeError):
        syntax.serialize({"A": [object()]})
