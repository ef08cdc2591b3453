"""PDF: each danger is gone to the eyes of qpdf, zlib and PDFium however its names are written, the pages stay, and it was reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanitizers.model import Action, LimitExceeded, Limits, Reason, Verdict
from tests.build import pdf as build
from tests.build import pdf_views
from tests.build.context import run


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
