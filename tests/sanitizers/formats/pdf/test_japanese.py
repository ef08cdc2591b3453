"""PDF: Japanese text reads and looks before as after, whichever way it is written, and a clean file is called clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanitizers.model import Verdict
from tests.build import pdf_fonts, pdf_views
from tests.build.context import run


@pytest.mark.parametrize("way", pdf_fonts.JAPANESE)
def test_japanese_stays_as_it_was(way: str, tmp_path: Path) -> None:
    before = pdf_fonts.japanese(way)
    outcome = run(before, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    after = outcome.content.bytes()
    assert pdf_views.text(after) == pdf_views.text(before)
    assert pdf_views.mupdf_text(after, tmp_path) == pdf_views.mupdf_text(before, tmp_path)
    assert pdf_views.poppler_text(after, tmp_path) == pdf_views.poppler_text(before, tmp_path)
    if way in pdf_fonts.READ:
        assert pdf_views.text(after) == [pdf_fonts.READ[way]]
        assert pdf_fonts.READ[way] in pdf_views.mupdf_text(after, tmp_path)
    for old, new in zip(
        [*pdf_views.pictures(before), *pdf_views.mupdf_pictures(before, tmp_path)],
        [*pdf_views.pictures(after), *pdf_views.mupdf_pictures(after, tmp_path)],
        strict=True,
    ):
        assert pdf_views.inked(old) > 50
        assert pdf_views.difference(old, new) == 0


@pytest.mark.parametrize("way", ["Identity-V, W2 and DW2", "90ms-RKSJ-V, not embedded", "UniJIS-UTF16-V, not embedded"])
def test_vertical_text_runs_down(way: str) -> None:
    """The ink is a column: what a test that compares pictures would not notice if both were wrong."""
    outcome = run(pdf_fonts.japanese(way), "a.pdf")
    assert outcome.content is not None
    (picture,) = pdf_views.pictures(outcome.content.bytes())
    left, top, right, bottom = picture.convert("L").point(lambda level: 255 if level < 200 else 0).getbbox() or (0, 0, 0, 0)
    assert bottom - top > (right - left) * 2


def test_cleaning_a_cleaned_japanese_file_changes_nothing() -> None:
    for way in pdf_fonts.JAPANESE:
        once = run(pdf_fonts.japanese(way), "a.pdf").content
        assert once is not None
        twice = run(once.bytes(), "a.pdf").content
        assert twice is not None
        assert twice.bytes() == once.bytes(), way
