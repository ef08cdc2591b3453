"""PDF: each danger is gone to the eyes of qpdf and pikepdf, the pages stay, and the second pass finds nothing."""

from __future__ import annotations

import io

import pikepdf
import pypdfium2
import pytest

from sanitizers.model import Action, LimitExceeded, Limits, Reason, Verdict
from tests.build import pdf as build
from tests.build.context import run


def uncompressed(data: bytes) -> bytes:
    """Every object in the open and every stream decoded, as `qpdf --qdf --object-streams=disable` writes it."""
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        document.save(
            stream,
            qdf=True,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
            compress_streams=False,
        )
    return stream.getvalue()


def text(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as document:
        return [page.get_textpage().get_text_range().strip() for page in document]


def test_a_clean_file_keeps_its_meaning_and_twice_equals_once() -> None:
    data = build.saved(build.clean())
    once = run(data, "a.pdf")
    assert once.report.verdict is Verdict.CLEAN, once.report.findings
    assert once.content is not None
    assert text(once.content.bytes()) == ["visible 1", "visible 2"]
    twice = run(once.content.bytes(), "a.pdf")
    assert twice.report.verdict is Verdict.CLEAN
    assert twice.content is not None
    assert twice.content.bytes() == once.content.bytes()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "object streams"])
@pytest.mark.parametrize("danger", build.DANGERS)
def test_a_danger_is_gone_and_reported(danger: str, packed: bool) -> None:
    document = build.clean()
    build.DANGERS[danger](document)
    mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
    data = build.saved(document, object_stream_mode=mode)
    assert build.CANARY.encode() in uncompressed(data)
    outcome = run(data, "a.pdf")
    assert outcome.report.verdict is Verdict.SANITIZED
    assert any(finding.action in (Action.REMOVED, Action.REWRITTEN) for finding in outcome.report.findings)
    assert outcome.content is not None
    output = outcome.content.bytes()
    assert build.CANARY.encode() not in uncompressed(output)
    assert text(output) == ["visible 1", "visible 2"]


@pytest.mark.parametrize("place", ["before", "after", "unreachable", "old revision"])
def test_bytes_outside_the_document_stay_behind(place: str) -> None:
    document = build.clean()
    canary = build.CANARY.encode()
    if place == "unreachable":
        document.make_indirect(pikepdf.Dictionary(X=pikepdf.String(build.CANARY)))
    data = build.saved(document)
    if place == "before":
        data = b"GIF89a" + canary + b"\n" + data
    elif place == "after":
        data += b"PK\x03\x04" + canary
    elif place == "old revision":
        data = data.replace(b"%%EOF", b"%%EOF\n%" + canary, 1)
    outcome = run(data, "a.pdf")
    if outcome.content is not None:
        output = outcome.content.bytes()
        assert canary not in output + uncompressed(output)
        assert output.startswith(b"%PDF-")
        assert output.rstrip().endswith(b"%%EOF")
    else:
        assert place == "before"        # another kind's signature comes first: then it is that kind


def test_names_written_in_hexadecimal_are_the_same_names() -> None:
    document = build.clean()
    build.DANGERS["open_action"](document)
    data = build.saved(document, object_stream_mode=pikepdf.ObjectStreamMode.disable).replace(b"/JavaScript", b"/J#61vaScript")
    outcome = run(data, "a.pdf")
    assert outcome.content is not None
    assert build.CANARY.encode() not in uncompressed(outcome.content.bytes())


@pytest.mark.parametrize("data", [b"%PDF-1.7\nnothing more", b"%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF"])
def test_a_broken_file_is_refused(data: bytes) -> None:
    assert run(data, "a.pdf").report.reason is Reason.MALFORMED


def test_pages_past_the_limit_hold_the_file() -> None:
    data = build.saved(build.clean())
    assert run(data, "a.pdf", limits=Limits(pages=2)).content is not None
    with pytest.raises(LimitExceeded):
        run(data, "a.pdf", limits=Limits(pages=1))
