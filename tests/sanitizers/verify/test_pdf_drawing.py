"""Pages drawn small: every point where it belongs, annotations where they are asked for, and how alike two drawings are."""

from __future__ import annotations

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from sanitizers.verify import pdf_drawing
from tests.build import pdf as build


@pytest.fixture(autouse=True)
def _time_enough() -> None:
    pdf_drawing.allow(60)


def _document(content: bytes, width: float = 100, height: float = 100) -> pikepdf.Pdf:
    document = pikepdf.new()
    document.add_blank_page()
    document.pages[0].obj.MediaBox = [0, 0, width, height]
    document.pages[0].obj.Contents = document.make_stream(content)
    return document


def _drawn(document: pikepdf.Pdf, side: int = 100, *, annotated: bool = False, forms: bool = False) -> Image.Image:
    opened = pypdfium2.PdfDocument(build.saved(document))
    if forms:
        opened.init_forms()
    image = pdf_drawing.draw(opened, 0, side, annotated=annotated)
    assert image is not None
    return image


def _dark(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of what is not white."""
    return image.point([level < 128 and 255 for level in range(256)]).getbbox()


@pytest.mark.parametrize(
    ("width", "height", "side", "size"),
    [(595, 842, 512, (362, 512)), (842, 595, 512, (512, 362)), (1, 1, 50, (50, 50)), (3, 1000, 100, (1, 100)), (1000, 3, 100, (100, 1)), (101, 50, 101, (101, 50))],
)  # fmt: skip
def test_the_longer_side_is_as_long_as_asked(width: float, height: float, side: int, size: tuple[int, int]) -> None:
    image = _drawn(_document(b"", width, height), side)
    assert image.size == size
    assert image.getextrema() == (255, 255), "an empty page is white to its edges"


def test_everything_is_drawn_where_it_stands() -> None:
    assert _dark(_drawn(_document(b"0 0 50 30 re f"))) == (0, 70, 50, 100)
    assert _dark(_drawn(_document(b"60 90 40 10 re f"))) == (60, 0, 100, 10)


def _annotated(subtype: pikepdf.Name, **more: object) -> pikepdf.Pdf:
    document = _document(b"60 90 40 10 re f")
    shown = document.make_stream(b"0 g 0 0 50 30 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 50, 30])
    annotation = document.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=subtype, Rect=[0, 0, 50, 30], AP=pikepdf.Dictionary(N=shown), F=4, **more)
    )
    document.pages[0].obj.Annots = pikepdf.Array([annotation])
    if subtype == pikepdf.Name.Widget:
        document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([annotation]))
    return document


def test_an_annotation_is_drawn_where_it_is_asked_for() -> None:
    document = _annotated(pikepdf.Name.Stamp)
    assert _dark(_drawn(document)) == (60, 0, 100, 10)
    assert _dark(_drawn(document, annotated=True)) == (0, 0, 100, 100)
    assert _drawn(document, annotated=True).tobytes() == _drawn(_document(b"60 90 40 10 re f 0 0 50 30 re f")).tobytes()


def test_a_field_is_drawn_in_its_place() -> None:
    document = _annotated(pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="a", V="a")
    alone = _drawn(document, annotated=True, forms=True).crop((0, 20, 100, 100))
    assert _dark(alone) == (0, 50, 50, 80)
    assert _dark(_drawn(document, forms=True)) == (60, 0, 100, 10)


# ---------------------------------------------------------------------------------------------------------------- likeness


def test_levels_that_encoding_moves_are_no_difference() -> None:
    before = Image.linear_gradient("L")
    assert pdf_drawing.likeness(before, before.point([max(0, level - 6) for level in range(256)]), 2) == 1.0
    assert pdf_drawing.likeness(before, before.point([max(0, level - 9) for level in range(256)]), 2) < 1.0


@pytest.mark.parametrize(("width", "height"), [(64, 64), (65, 70), (1, 1), (3, 100), (8, 8)])
def test_tiles_cover_a_picture_once(width: int, height: int) -> None:
    seen = Image.new("L", (width, height), 0)
    for box in pdf_drawing._boxes(width, height):
        seen.paste(seen.crop(box).point([min(255, level + 1) for level in range(256)]), box)
    assert seen.getextrema() == (1, 1)


def test_a_tile_with_hardly_any_ink_counts_as_if_a_fiftieth_of_it_were_full() -> None:
    excess, ink = Image.new("L", (10, 10), 0), Image.new("L", (10, 10), 0)
    excess.putpixel((5, 5), 255)
    assert pdf_drawing._tile(excess, ink) == 0.5
    assert pdf_drawing._tile(excess, Image.new("L", (10, 10), 51)) == 0.95
