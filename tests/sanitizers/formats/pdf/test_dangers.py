"""PDF: each danger is gone to the eyes of qpdf, zlib and PDFium however its names are written, the pages stay, and it was reported."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pikepdf
import pytest

from sanitizers.formats.pdf import SANITIZER
from sanitizers.model import Action, Kind, LimitExceeded, Limits, Reason, Verdict
from sanitizers.source import Source
from tests.build import pdf as build
from tests.build import pdf_catalog, pdf_drawings, pdf_fonts, pdf_forms, pdf_views
from tests.build.context import context, run


@pytest.mark.parametrize("way", ["plain", "packed", "hexadecimal", "indirect"])
@pytest.mark.parametrize("danger", build.DANGERS)
def test_a_danger_is_gone_and_reported(danger: str, way: str, tmp_path: Path) -> None:
    data = build.written(danger, way)
    outcome = run(data, "a.pdf")
    assert outcome.report.verdict is Verdict.SANITIZED, outcome.report.findings
    assert any(finding.action is Action.REMOVED for finding in outcome.report.findings)
    assert outcome.content is not None
    output = outcome.content.bytes()
    canary = build.CANARY.encode()
    assert canary in pdf_views.everything(data, tmp_path)
    seen = pdf_views.everything(output, tmp_path)
    assert canary not in seen
    assert build.CANARY.encode("utf-16-be") not in seen
    assert pdf_views.text(output) == build.VISIBLE


DOCUMENTS: dict[str, Callable[[], pikepdf.Pdf]] = {
    "drawings": pdf_drawings.drawn, "guides": pdf_catalog.guided, "form": pdf_forms.form,
    "annotations": pdf_drawings.annotated, "a note that opens": partial(pdf_forms.annotated, "Highlight", shown=True),
    **{f"font {way}": partial(pdf_fonts.japanese_document, way) for way in ("Identity-H, TrueType", "Identity-V, W2 and DW2", "CMap of its own", "CIDToGIDMap")},
}  # fmt: skip


@pytest.mark.parametrize("kind", [*DOCUMENTS, "annotation that becomes a stamp"])
def test_an_entry_that_no_dictionary_has_is_left_behind_everywhere(kind: str, tmp_path: Path) -> None:
    """By construction: one foreign entry in every dictionary of a document, and the pages stay as they were."""
    document = DOCUMENTS[kind]() if kind in DOCUMENTS else pdf_drawings.annotated("Unheard")
    sound = build.saved(document)
    assert pdf_drawings.poisoned(document) > 8
    data = build.saved(document)
    outcome = run(data, "a.pdf")
    assert outcome.content is not None, outcome.report.findings
    assert "pdf.unknown_key" in {finding.code for finding in outcome.report.findings}
    output = outcome.content.bytes()
    assert build.CANARY.encode() not in pdf_views.everything(output, tmp_path)
    assert pdf_views.text(output) == pdf_views.text(sound)
    for was, now in zip(pdf_views.pictures(sound), pdf_views.pictures(output), strict=True):
        assert pdf_views.inked(was) > 50
        assert pdf_views.difference(was, now) < 0.02


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_of_sound_objects_is_clean(kind: str) -> None:
    outcome = run(build.saved(DOCUMENTS[kind]()), "a.pdf")
    assert [finding.code for finding in outcome.report.findings if finding.action is not Action.KEPT] == []


def test_a_clean_file_keeps_its_meaning_and_twice_equals_once() -> None:
    once = run(build.saved(build.clean()), "a.pdf")
    assert once.report.verdict is Verdict.CLEAN, once.report.findings
    assert once.content is not None
    assert pdf_views.text(once.content.bytes()) == build.VISIBLE
    twice = run(once.content.bytes(), "a.pdf")
    assert twice.report.verdict is Verdict.CLEAN
    assert twice.content is not None
    assert twice.content.bytes() == once.content.bytes()


@pytest.mark.parametrize("danger", ["script on opening", "attachment", "words in content", "font matrix", "field scripts"])
def test_a_cleaned_file_stays_as_it_is(danger: str) -> None:
    once = run(build.written(danger, "plain"), "a.pdf")
    assert once.content is not None
    twice = run(once.content.bytes(), "a.pdf")
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once.content.bytes()


@pytest.mark.parametrize(
    ("danger", "code"),
    [
        ("script on opening", "pdf.open_action"), ("script in a name tree", "pdf.javascript"), ("script of a page", "pdf.additional_actions"),
        ("launch from a bookmark", "pdf.launch"), ("launch at the end of a chain", "pdf.launch"), ("field submits", "pdf.submit_form"),
        ("link by a foreign scheme", "pdf.unsafe_link"), ("jump into another file", "pdf.goto_remote"), ("xfa", "pdf.xfa"),
        ("attachment", "pdf.embedded_file"), ("attachment annotation", "pdf.embedded_file"), ("media annotations", "pdf.rich_media"),
        ("media annotations", "pdf.multimedia"), ("outside stream", "pdf.external_stream"), ("reference drawing", "pdf.reference_xobject"),
        ("picture replacements", "pdf.alternate_image"), ("postscript drawing", "pdf.postscript_xobject"), ("font matrix", "pdf.font_matrix"),
        ("words in a character map", "pdf.invalid_cmap"), ("function program", "pdf.invalid_function"), ("words in content", "pdf.invalid_operator"),
        ("metadata document type", "pdf.metadata"), ("private data", "pdf.piece_info"), ("author", "file.metadata"),
    ],
)  # fmt: skip
def test_a_danger_is_called_by_its_name(danger: str, code: str) -> None:
    findings = run(build.written(danger, "plain"), "a.pdf").report.findings
    assert code in {finding.code for finding in findings}


@pytest.mark.parametrize("data", [b"%PDF-1.7\nnothing more", b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF"])
def test_a_broken_file_is_refused(data: bytes) -> None:
    assert run(data, "a.pdf").report.reason is Reason.MALFORMED


def test_pages_past_the_limit_hold_the_file() -> None:
    data = build.saved(build.clean())
    assert run(data, "a.pdf", limits=Limits(pages=2)).content is not None
    with pytest.raises(LimitExceeded):
        run(data, "a.pdf", limits=Limits(pages=1))


@pytest.mark.parametrize(
    "danger", ["script on opening", "script in a stream", "script in utf16", "script in a name tree", "script of a page", "field scripts", "script of a bookmark"]
)
def test_scripts_are_shown_to_the_scanner_as_text(danger: str) -> None:
    """Rules for scripts look at what is written, not at how: inflated, decrypted and in UTF-8."""
    given, shown = context("a.pdf", Kind.PDF), list[bytes]()
    given.scan = lambda layer, _where, _kind: shown.append(layer.bytes()) or []
    SANITIZER.sanitize(Source(build.written(danger, "packed")), given)
    assert any(build.SCRIPT.encode() in layer for layer in shown)


def test_content_may_be_written_in_any_way() -> None:
    """Comments, odd numbers and superfluous operands between what is drawn: viewers draw the same, and so does the result."""
    document = pdf_drawings.drawn()
    page = document.pages[0].obj
    plain = build.saved(document)
    words = re.findall(rb"\[[^\]]*\]|<<.*?>>|\([^)]*\)|[^\s\[\]]+", page.Contents.read_bytes())
    page.Contents = document.make_stream(b" %(comment\n".join(word if word != b"24" else b"+24." for word in words))
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    output = outcome.content.bytes()
    assert pdf_views.text(output) == pdf_views.text(plain)
    assert pdf_views.difference(pdf_views.pictures(plain)[0], pdf_views.pictures(output)[0]) == 0
    assert pdf_views.inked(pdf_views.pictures(output)[0]) > 5000
