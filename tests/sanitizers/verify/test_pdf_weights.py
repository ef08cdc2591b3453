"""The second opinion on the pages of a PDF: which are drawn, by their weight, and where what differs is no fault."""

from __future__ import annotations

from typing import Any

import pikepdf
import pypdfium2
import pytest

from sanitizers.model import Action, Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import pdf_drawing, pdf_pages
from sanitizers.verify.pdf_walk import Walked, walk
from sanitizers.verify.pdf_weights import ENDLESS, Weights
from tests.build import pdf as build
from tests.build import pdf_outputs as outputs
from tests.build.context import context

PICTURE = b"/ColorSpace/DeviceGray/BitsPerComponent 8/Height %d/Subtype/Image/Type/XObject/Width %d"
FORM = b"/BBox[0 0 9 9]/Subtype/Form/Type/XObject"
# What may change the look of a page; each is said in the report.
VISIBLE = (
    "external_stream", "invalid_operator", "invalid_function", "invalid_cmap", "invalid_value", "unusable_font", "font_matrix", "unreadable_image",
    "unreadable_stream", "loop", "reference_xobject", "postscript_xobject", "opi", "alternate_image", "invalid_profile", "form_flattened",
)  # fmt: skip


def _long(pages: int, *lengths: int) -> Walked:
    """Pages of which the first have contents of so many bytes."""
    return walk(outputs.document(pages=pages, streams={11 + 2 * page: (b"", b" " * length) for page, length in enumerate(lengths)}))


def _weight(resources: bytes, content: bytes, streams: outputs.Streams) -> int:
    page = b"/Resources<</XObject<<%b>>>>" % resources
    return Weights(walk(outputs.document(page=page, streams={11: (b"", content), **streams}))).page(10)


# ---------------------------------------------------------------------------------------------------------------- the choice


def test_up_to_twenty_pages_are_all_drawn_and_of_more_six() -> None:
    assert sorted(pdf_pages.chosen(_long(20))) == list(range(20))
    assert pdf_pages.chosen(_long(21)) == [0, 20, 4, 8, 12, 16]
    assert pdf_pages.chosen(_long(101)) == [0, 100, 20, 40, 60, 80]
    assert pdf_pages.chosen(_long(1)) == [0]
    assert pdf_pages.chosen(_long(2)) == [0, 1]


def test_what_may_be_drawn_of_any_file() -> None:
    most = 640 << 10
    assert pdf_pages.chosen(_long(2, most - 1000, 1000)) == [0, 1]
    assert pdf_pages.chosen(_long(2, most - 1000, 1001)) == [0]


def test_the_first_page_is_drawn_unless_it_is_a_bomb() -> None:
    heaviest = 8 << 20
    assert pdf_pages.chosen(_long(1, heaviest)) == [0]
    assert pdf_pages.chosen(_long(1, heaviest + 1)) == []
    assert pdf_pages.chosen(_long(2, heaviest + 1, 5)) == [1]


# --------------------------------------------------------------------------------------------------------------- the weights


def _nested(levels: int) -> int:
    """What a page weighs that draws a form in a form, so many levels deep."""
    streams: outputs.Streams = {20 + level: (FORM + b"/Resources<</XObject<</X %d 0 R>>>>" % (21 + level), b"/X Do") for level in range(levels - 1)}
    streams[19 + levels] = (FORM + b"/Resources<<>>", b"0 0 5 5 re f")
    return _weight(b"/X 20 0 R", b"/X Do", streams)


def test_sixty_four_forms_within_each_other_are_weighed_and_more_are_endless() -> None:
    assert _nested(64) == 64 * len(b"/X Do") + len(b"0 0 5 5 re f")
    assert _nested(65) == ENDLESS


def test_only_what_the_page_names_is_weighed() -> None:
    assert _weight(b"/X 4 0 R", b"/X Do /Y Do", {4: (PICTURE % (120, 10), b"x")}) == len(b"/X Do /Y Do") + 1 + 100


@pytest.mark.parametrize(("named", "used"), [(b"/A#42", b"/AB"), (b"/AB", b"/A#42"), (b"/A#4a", b"/AJ"), (b"/A#4A", b"/A#4a")])
def test_a_name_is_the_same_however_it_is_spelled(named: bytes, used: bytes) -> None:
    assert _weight(named + b" 4 0 R", used + b" Do", {4: (PICTURE % (120, 10), b"x")}) == len(used + b" Do") + 1 + 100


def test_a_page_without_content_weighs_nothing() -> None:
    walked = walk(outputs.document(more={12: b"<</Contents 3 0 R/Type/Page>>"}))
    assert Weights(walked).page(12) == 0


# --------------------------------------------------------------------------------------------------------- what may be unlike


class Document:
    """As much of a document as is asked for; remembers whether its forms were made ready."""

    ready = False

    def init_forms(self) -> None:
        self.ready = True


def _similar(monkeypatch: pytest.MonkeyPatch, alike: float | None, **treatment: Any) -> tuple[float | None, list[Any]]:
    asked: list[Any] = []

    def likeness(new: Document, old: Document, index: int, scale: tuple[int, int], annotated: bool) -> float | None:
        asked.append((scale, annotated, new.ready, old.ready))
        return alike

    monkeypatch.setattr(pdf_pages, "_likeness", likeness)
    new: Any = Document()
    old: Any = Document()
    return pdf_pages._similarity(new, old, _long(1), context("a.pdf", Kind.PDF, **treatment)), asked


def test_fields_are_drawn_where_policy_makes_them_content(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _similar(monkeypatch, 1.0) == (1.0, [(pdf_drawing.CONTENT, False, False, False)])
    assert _similar(monkeypatch, 1.0, pdf_forms_flattened=True) == (1.0, [(pdf_drawing.CONTENT, True, True, True)])
    assert _similar(monkeypatch, 1.0, pdf_strict_pixels=True) == (1.0, [(pdf_drawing.PICTURES, True, True, True)])


def test_pages_that_became_pictures_may_differ_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _similar(monkeypatch, 0.9)[0] == 0.9
    assert _similar(monkeypatch, 0.6, pdf_strict_pixels=True)[0] == 0.6
    for alike, pixels in ((0.8999, False), (0.5999, True)):
        with pytest.raises(VerificationFailed, match="looks different"):
            _similar(monkeypatch, alike, pdf_strict_pixels=pixels)


def test_a_picture_of_a_page_is_compared_finely() -> None:
    data = outputs.document()
    given = context("a.pdf", Kind.PDF, pdf_strict_pixels=True)
    pdf_pages.compare(data, Source(data), walk(data), given)
    assert given.similarity == 1.0
    assert pdf_drawing.PICTURES[0] > pdf_drawing.CONTENT[0]


@pytest.mark.parametrize("word", VISIBLE)
def test_what_was_left_out_and_said_may_be_missing(word: str) -> None:
    for action, excused in ((Action.REMOVED, True), (Action.REWRITTEN, True), (Action.KEPT, False)):
        given = context("a.pdf", Kind.PDF)
        given.found(f"pdf.{word}", "page 1", action)
        assert pdf_pages._left_out_something_drawn(given) is excused


def test_what_is_never_seen_excuses_nothing() -> None:
    given = context("a.pdf", Kind.PDF)
    given.found("pdf.metadata", "document", Action.REMOVED)
    assert not pdf_pages._left_out_something_drawn(given)


def test_a_page_that_can_only_be_drawn_before_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    data = outputs.document()
    old, new = pypdfium2.PdfDocument(data), pypdfium2.PdfDocument(data)
    real = pdf_drawing.draw
    pdf_drawing.allow(60)
    monkeypatch.setattr(pdf_drawing, "draw", lambda document, *args, **named: None if document is new else real(document, *args, **named))
    assert pdf_pages._likeness(new, old, 0, pdf_drawing.CONTENT, False) is None


def test_a_locked_original_is_opened_by_the_password_that_was_given() -> None:
    locked = build.saved(build.clean(), encryption=pikepdf.Encryption(owner="o", user="ひみつ"))
    opened = pdf_pages._open(locked, context("a.pdf", Kind.PDF, passwords=("wrong", "ひみつ")))
    assert opened is not None
    assert len(opened) == len(build.clean().pages)
    assert pdf_pages._open(locked, context("a.pdf", Kind.PDF, passwords=("wrong",))) is None


def test_both_are_closed_whatever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []
    real = pypdfium2.PdfDocument.close
    monkeypatch.setattr(pypdfium2.PdfDocument, "close", lambda document, *args, **named: (closed.append(document), real(document, *args, **named))[1])
    data = outputs.document()
    pdf_pages.compare(data, Source(data), walk(data), context("a.pdf", Kind.PDF))
    assert len(set(map(id, closed))) == 2
    closed.clear()
    with pytest.raises(VerificationFailed):
        pdf_pages.compare(data, Source(outputs.document(pages=2)), walk(data), context("a.pdf", Kind.PDF))
    assert len(set(map(id, closed))) == 2


def test_a_hundredth_of_a_side_is_tolerated() -> None:
    class Sized:
        def __init__(self, *size: float) -> None:
            self.size = size

        def __len__(self) -> int:
            return 1

        def get_page_size(self, index: int) -> tuple[float, ...]:
            return self.size

    new: Any = Sized(101.0, 100.0)
    old: Any = Sized(100.0, 100.0)
    pdf_pages._compare_sizes(new, old)
    for size in ((101.1, 100.0), (100.0, 98.9)):
        changed: Any = Sized(*size)
        with pytest.raises(VerificationFailed, match="page 1"):
            pdf_pages._compare_sizes(changed, old)
