"""The second opinion on the pages of a PDF: as many, as large, the same to the eye, and never at any price."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf, pdf_drawing, pdf_pages
from sanitizers.verify.pdf_walk import walk
from sanitizers.verify.pdf_weights import Weights, page_numbers
from tests.build import pdf as build
from tests.build import pdf_forms as forms
from tests.build import pdf_outputs as outputs
from tests.build.context import context, run

ORIGINAL = outputs.document(pages=2)
PICTURE = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Height %d/Subtype/Image/Type/XObject/Width %d"
DRAWN = b"/Resources<</XObject<</X 4 0 R>>>>"


def verified(output: bytes, original: bytes = ORIGINAL, **treatment: Any) -> float | None:
    given = context("a.pdf", Kind.PDF, **treatment)
    pdf.verify(Source(output), Source(original), given)
    return given.similarity


def test_the_same_pages_are_wholly_alike() -> None:
    assert verified(ORIGINAL) == 1.0


def test_a_missing_page_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="2 pages became 1"):
        verified(outputs.document())


def test_no_page_at_all_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="PDFium does not open"):
        verified(outputs.document(pages=0))


def test_a_page_that_cannot_be_opened_is_refused() -> None:
    """Whether the original can be compared or not."""
    broken = outputs.document(pages=2, more={12: b"<</Type/Catalog>>"})
    for original in (ORIGINAL, b"%PDF-1.7 nothing"):
        with pytest.raises(VerificationFailed, match="page 2 cannot be opened"):
            verified(broken, original)


def test_another_size_of_a_page_is_refused() -> None:
    with pytest.raises(VerificationFailed, match=r"page 1: .* became"):
        verified(outputs.document(pages=2, box=b"[0 0 595 900]"))
    assert verified(outputs.document(pages=2, box=b"[0 0 595 842.005]")) is not None


@pytest.mark.parametrize("text", [b"", b"visible", b"other  text", b"visible tex_"])
def test_another_picture_of_a_page_is_refused(text: bytes) -> None:
    with pytest.raises(VerificationFailed, match="looks different") as caught:
        verified(outputs.document(pages=2, text=text))
    assert caught.value.code == "pdf.looks_different"


def test_a_page_that_lost_something_drawn_is_not_refused_where_that_was_reported() -> None:
    given = context("a.pdf", Kind.PDF)
    given.found("pdf.unreadable_image", "page 1", Action.REMOVED)
    pdf.verify(Source(outputs.document(pages=2, text=b"visible")), Source(ORIGINAL), given)
    assert given.similarity is not None
    assert given.similarity == round(given.similarity, 4)
    assert given.similarity < pdf_pages.FLOOR


def test_a_removed_annotation_does_not_count_as_another_picture() -> None:
    document = build.clean()
    shown = document.make_stream(b"1 0 0 rg 0 0 200 200 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 200, 200])
    annotation = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Screen, Rect=[50, 50, 250, 250], AP=pikepdf.Dictionary(N=shown), F=4
    )
    document.pages[0].obj.Annots = pikepdf.Array([document.make_indirect(annotation)])
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.similarity == 1.0


def test_a_file_that_readers_see_differently_is_refused() -> None:
    """A catalog with two page trees: the one by the first key, the other by the last."""
    document = build.clean()
    other = pikepdf.Dictionary(Type=pikepdf.Name.Pages, Count=2, Kids=pikepdf.Array([]))
    for text in ("other 1", "other 2"):
        content = document.make_stream(f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode())
        page = document.make_indirect(pikepdf.Dictionary(
            Type=pikepdf.Name.Page, MediaBox=[0, 0, 595, 842], Resources=document.pages[0].obj.Resources, Contents=content
        ))  # fmt: skip
        other.Kids.append(page)
    document.Root.Qages = document.make_indirect(other)
    data = build.saved(document, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    given = context("a.pdf", Kind.PDF)
    one = run(build.saved(build.clean()), "a.pdf").content
    assert one is not None
    with pytest.raises(VerificationFailed, match="looks different"):
        pdf_pages.compare(one.bytes(), Source(data.replace(b"/Pages", b"/Xages", 1).replace(b"/Qages", b"/Pages", 1)), walk(one.bytes()), given)


# ---------------------------------------------------------------------------------------------------------------- likeness


def _page(lines: int = 40, *, missing: int | None = None, dark: bool = False, font: int = 9) -> Image.Image:
    image = Image.new("L", (362, 512), 20 if dark else 255)
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(font)
    for line in range(lines):
        if line != missing:
            draw.text((30, 20 + 12 * line), "The quick brown fox", fill=255 if dark else 0, font=face)
        draw.text((190, 20 + 12 * line), "jumps over the lazy dog", fill=255 if dark else 0, font=face)
    return image


def likeness(before: Image.Image, after: Image.Image) -> float:
    return pdf_drawing.likeness(before, after, pdf_drawing.CONTENT[1])


@pytest.mark.parametrize("dark", [False, True], ids=["black on white", "white on dark"])
def test_a_few_lost_words_weigh_the_same_on_a_full_page_as_on_an_empty_one(dark: bool) -> None:
    assert likeness(_page(dark=dark), _page(dark=dark)) == 1.0
    assert likeness(_page(dark=dark), _page(missing=20, dark=dark)) < pdf_pages.FLOOR
    assert likeness(_page(1, dark=dark), _page(1, missing=0, dark=dark)) < pdf_pages.FLOOR


def test_letters_of_another_font_are_another_picture() -> None:
    assert likeness(_page(font=9), _page(font=10)) < pdf_pages.FLOOR


@pytest.mark.parametrize("quality", [60, 75, 90])
def test_a_picture_that_was_encoded_anew_is_the_same_picture(quality: int) -> None:
    before = Image.blend(_page(), Image.effect_noise((362, 512), 40), 0.3)
    stream = io.BytesIO()
    before.resize((1448, 2048)).save(stream, "JPEG", quality=quality)
    assert likeness(before, Image.open(stream).resize((362, 512), Image.Resampling.BOX)) > 0.98


# ------------------------------------------------------------------------------------------------------------------- bounds


def nested(levels: int, each: int) -> bytes:
    """A page that draws a form that draws a form … `each` times every time."""
    streams: outputs.Streams = {}
    for level in range(levels):
        inner = b"/Resources<</XObject<</X %d 0 R>>>>" % (21 + level) if level < levels - 1 else b"/Resources<<>>"
        content = b"/X Do " * each if level < levels - 1 else b"0 0 5 5 re f"
        streams[20 + level] = (b"/BBox[0 0 595 842]/Subtype/Form/Type/XObject" + inner, content)
    streams[11] = (b"", b"/X Do " * each)
    return outputs.document(page=b"/Resources<</XObject<</X 20 0 R>>>>", streams=streams)


def test_a_form_counts_as_often_as_it_is_drawn() -> None:
    walked = walk(nested(3, 10))
    leaf, middle = len(b"0 0 5 5 re f"), len(b"/X Do ") * 10
    assert Weights(walked).page(page_numbers(walked)[0]) == middle + 10 * (middle + 10 * (middle + 10 * leaf))


def test_a_page_that_draws_without_end_is_not_drawn() -> None:
    output = nested(9, 10)
    assert pdf_pages.chosen(walk(output)) == []
    assert verified(output, output) is None


def test_a_form_that_draws_itself_ends() -> None:
    form = (b"/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>/Subtype/Form/Type/XObject", b"/X Do /X Do")
    walked = walk(outputs.document(page=DRAWN, streams={4: form, 11: (b"", b"/X Do")}))
    assert Weights(walked).page(10) > pdf_pages._HEAVIEST


def test_large_pictures_leave_fewer_pages_to_draw() -> None:
    plain = outputs.document(pages=20)
    assert pdf_pages.chosen(walk(plain)) == [0, 19, *range(1, 19)]
    content = {11 + 2 * page: (b"", b"595 0 0 842 0 0 cm /X Do") for page in range(20)}
    large = outputs.document(pages=20, page=DRAWN, streams={4: (PICTURE % (2400, 1700), b"x"), **content})
    assert pdf_pages.chosen(walk(large)) == [0, 19]
    huge = outputs.document(pages=20, page=DRAWN, streams={4: (PICTURE % (30000, 30000), b"x"), **content})
    assert pdf_pages.chosen(walk(huge)) == []


def test_of_a_long_document_a_spread_of_pages_is_drawn() -> None:
    assert pdf_pages.chosen(walk(outputs.document(pages=26))) == [0, 25, 5, 10, 15, 20]


def test_drawing_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = outputs.document(text=b"x) Tj " + b"0 0 9 9 re f " * 2000 + b"(y")
    assert verified(busy, busy) == 1.0
    monkeypatch.setattr(pdf_pages, "_SECONDS", -1.0)
    assert verified(busy, busy) is None


def test_an_original_that_pdfium_does_not_open_is_not_compared() -> None:
    assert verified(ORIGINAL, b"%PDF-1.7 nothing") is None


class Broken:
    """A document whose pages cannot be opened, as PDFium says it."""

    def __init__(self, sizes: list[tuple[float, float] | None]) -> None:
        self.sizes = sizes

    def __len__(self) -> int:
        return len(self.sizes)

    def get_page_size(self, index: int) -> tuple[float, float]:
        size = self.sizes[index]
        if size is None:
            raise pypdfium2.PdfiumError("no page")
        return size

    def __getitem__(self, index: int) -> None:
        raise pypdfium2.PdfiumError("no page")


def test_a_page_that_could_not_be_opened_before_has_no_size_to_keep() -> None:
    new: Any = Broken([(595, 842), (595, 842)])
    old: Any = Broken([None, (595, 842)])
    pdf_pages._compare_sizes(new, old)
    pdf_pages._compare_sizes(new, None)
    with pytest.raises(VerificationFailed, match="cannot be opened"):
        pdf_pages._compare_sizes(old, new)
    with pytest.raises(VerificationFailed, match="page 2"):
        pdf_pages._compare_sizes(new, Broken([None, (595, 800)]))      # type: ignore[arg-type]


def test_a_page_that_cannot_be_drawn_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pdf_drawing.allow(60)
    broken: Any = Broken([None])
    assert pdf_drawing.draw(broken, 0, 100, annotated=False) is None
    document = pypdfium2.PdfDocument(ORIGINAL)
    assert pdf_drawing.draw(document, 0, 100, annotated=False) is not None
    monkeypatch.setattr(pdf_drawing.pdfium, "FPDFBitmap_CreateEx", lambda *_arguments: None)
    assert pdf_drawing.draw(document, 0, 100, annotated=False) is None


def test_drawing_goes_on_after_a_pause_and_ends_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    document = pypdfium2.PdfDocument(ORIGINAL)
    real = pdf_drawing.pdfium.FPDF_RenderPageBitmap_Start
    paused = pdf_drawing.pdfium.FPDF_RENDER_TOBECONTINUED
    continued = []

    def start(*arguments: Any) -> int:
        real(*arguments)
        return int(paused)

    def go_on(*_arguments: Any) -> int:
        continued.append(1)
        return int(paused if len(continued) < 3 else pdf_drawing.pdfium.FPDF_RENDER_DONE)

    monkeypatch.setattr(pdf_drawing.pdfium, "FPDF_RenderPageBitmap_Start", start)
    monkeypatch.setattr(pdf_drawing.pdfium, "FPDF_RenderPage_Continue", go_on)
    pdf_drawing.allow(60)
    assert pdf_drawing.draw(document, 0, 100, annotated=False) is not None
    assert len(continued) == 3
    pdf_drawing.allow(-1)
    assert pdf_drawing.draw(document, 0, 100, annotated=False) is None
    assert len(continued) == 3


def test_pictures_of_another_size_are_compared_at_the_first_ones() -> None:
    assert likeness(_page(), _page().resize((724, 1024))) > 0.5
    assert likeness(_page(), Image.new("L", (724, 1024), 255)) < 0.1


def test_a_picture_with_a_mask_is_decoded_with_it_and_one_without_sides_weighs_nothing() -> None:
    content = {11: (b"", b"/X Do")}
    plain, masked, bare = (
        Weights(walk(outputs.document(page=DRAWN, streams={4: (fields, b"x"), 5: (PICTURE % (120, 100), b"x"), **content}))).page(10)
        for fields in (PICTURE % (120, 10), PICTURE % (120, 10) + b"/SMask 5 0 R", b"/Subtype/Image/Type/XObject")
    )
    assert (plain, masked, bare) == (5 + 1 + 100, 5 + 1 + 100 + 1000, 5 + 1)


def test_forms_are_drawn_where_they_become_part_of_the_page() -> None:
    assert verified(ORIGINAL, pdf_forms_flattened=True) == 1.0
    document = pypdfium2.PdfDocument(build.saved(forms.form()))
    document.init_forms()
    pdf_drawing.allow(60)
    with_fields, without = (pdf_drawing.draw(document, 0, 400, annotated=annotated) for annotated in (True, False))
    assert with_fields is not None
    assert without is not None
    assert with_fields.tobytes() != without.tobytes()


def test_a_form_that_two_others_draw_is_weighed_once_and_counted_twice() -> None:
    box = b"/BBox[0 0 9 9]/Subtype/Form/Type/XObject"
    inner = box + b"/Resources<</XObject<</Z 6 0 R>>>>"
    streams = {4: (inner, b"/Z Do"), 5: (inner, b"/Z Do"), 6: (box + b"/Resources<<>>", b"0 0 5 5 re f"), 11: (b"", b"/X Do /Y Do")}
    output = outputs.document(page=b"/Resources<</XObject<</X 4 0 R/Y 5 0 R>>>>", streams=streams)
    assert Weights(walk(output)).page(10) == len(b"/X Do /Y Do") + 2 * (len(b"/Z Do") + len(b"0 0 5 5 re f"))
