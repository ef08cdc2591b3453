"""PDF: what lies around and beneath the current revision stays behind, damage that viewers repair is repaired, ambiguity is refused."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from sanitizers.context import Outcome
from sanitizers.model import Reason, Verdict
from tests.build import pdf as build
from tests.build import pdf_bytes, pdf_views
from tests.build.context import run

CANARY = build.CANARY.encode()
PAGE = pdf_bytes.one_page()


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def delivered(outcome: Outcome, folder: Path) -> bytes:
    """The output, which shows the page and has the canary nowhere."""
    assert outcome.content is not None, outcome.report.findings
    output = outcome.content.bytes()
    assert CANARY not in pdf_views.everything(output, folder)
    assert pdf_views.text(output) == ["visible"]
    assert output.startswith(b"%PDF-")
    assert (output.count(b"%%EOF"), output.count(b"startxref")) == (1, 1)
    return output


def test_a_script_of_an_old_revision_is_left_behind(tmp_path: Path) -> None:
    """P13: the catalog of the first revision runs a script, the second replaces it."""
    old = pdf_bytes.document({**PAGE, 1: b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(%b)>>>>" % CANARY})
    outcome = run(pdf_bytes.revision(old, {1: PAGE[1]}, size=6), "a.pdf")
    delivered(outcome, tmp_path)
    assert "pdf.old_revision" in codes(outcome)


def test_the_page_of_the_last_revision_is_the_page(tmp_path: Path) -> None:
    old = pdf_bytes.document({**PAGE, 4: pdf_bytes.stream(b"BT /F1 24 Tf 20 250 Td (%b) Tj ET" % CANARY)})
    delivered(run(pdf_bytes.revision(old, {4: PAGE[4]}, size=6), "a.pdf"), tmp_path)


def test_an_object_that_nothing_reaches_is_left_behind(tmp_path: Path) -> None:
    """P14: every object of the output is reached from its trailer."""
    output = delivered(run(pdf_bytes.document({**PAGE, 6: b"(%b)" % CANARY, 7: pdf_bytes.deflated(CANARY)}), "a.pdf"), tmp_path)
    with pikepdf.open(io.BytesIO(output)) as document:
        for index, item in enumerate(document.objects):
            assert item is not None, f"object {index + 1} is free"
        count = len(document.objects)
        document.remove_unreferenced_resources()
        stream = io.BytesIO()
        document.save(stream, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with pikepdf.open(stream) as again:  # qpdf writes only what is reached
        containers = output.count(b"/Type/ObjStm") + output.count(b"/Type/XRef")
        assert len(again.objects) == count - containers


@pytest.mark.parametrize(
    "tail",
    [
        b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n<w:WordDocument>" + CANARY, b"PK\x03\x04" + CANARY,
        b"<script>" + CANARY + b"</script>", b"\x00" * 5000 + CANARY, b"%" + CANARY,
    ],
    ids=["MHT with a Word document", "ZIP", "HTA", "far away", "comment"],
)  # fmt: skip
def test_bytes_after_the_end_are_left_behind(tail: bytes, tmp_path: Path) -> None:
    """P15."""
    outcome = run(pdf_bytes.document(PAGE) + tail, "a.pdf")
    delivered(outcome, tmp_path)
    assert "pdf.trailing_data" in codes(outcome)


@pytest.mark.parametrize("head", [b"#!/bin/sh\necho " + CANARY + b"\n", b"<script>" + CANARY + b"</script>\n", CANARY * 70 + b"\n"])
def test_bytes_before_the_header_are_left_behind(head: bytes, tmp_path: Path) -> None:
    """P16. Where the first bytes make it another kind, it is that kind and held."""
    outcome = run(head + pdf_bytes.document(PAGE), "a.pdf")
    if outcome.content is None:
        assert outcome.report.reason in (Reason.FORBIDDEN_KIND, Reason.UNSUPPORTED_KIND, Reason.KIND_MISMATCH)
        return
    delivered(outcome, tmp_path)
    assert "pdf.leading_data" in codes(outcome)


def test_white_space_around_a_file_is_no_finding(tmp_path: Path) -> None:
    outcome = run(b"\n\n" + pdf_bytes.document(PAGE) + b"\r\n\x00", "a.pdf")
    delivered(outcome, tmp_path)
    assert outcome.report.verdict is Verdict.CLEAN


WHOLE = pdf_bytes.document(PAGE)
DAMAGED = {
    "no cross-reference table": WHOLE[: WHOLE.rindex(b"xref\n0 1")] + b"trailer\n<</Root 1 0 R/Size 6>>\n%%EOF\n",
    "no trailer at all": WHOLE[: WHOLE.rindex(b"xref\n0 1")],
    "wrong offsets": WHOLE.replace(b"xref\n0 1\n", b"xref\n0 1 \n").replace(b" 00000 n", b"1 0000 n"),
    "a wrong startxref": WHOLE.replace(b"startxref\n", b"startxref\n9"),
    "cut in the table": WHOLE[: WHOLE.rindex(b"xref\n0 1") + 60],
    "junk before the header": b"\x01\x02 junk\n" + WHOLE,
    "no endobj": WHOLE.replace(b"\nendobj", b""),
    "CRLF conversion": WHOLE.replace(b"\n", b"\r\n"),
    "wrong stream lengths": WHOLE.replace(b"/Length ", b"/Length 9"),
    "no stream length": WHOLE.replace(b"/Length ", b"/Lxngth "),
    "no Count and no Type": WHOLE.replace(b"/Count 1", b"").replace(b"/Type/Pages", b""),
    "a header without a version": WHOLE.replace(b"%PDF-1.7", b"%PDF-", 1),
    "a Size that is too small": WHOLE.replace(b"/Size 6", b"/Size 2"),
}


def _opens(data: bytes, folder: Path) -> bool:
    """Whether PDFium or else MuPDF shows the page."""
    try:
        return pdf_views.text(data) == ["visible"]
    except pypdfium2.PdfiumError:
        return "visible" in pdf_views.mupdf_text(data, folder)


@pytest.mark.parametrize("damage", DAMAGED)
def test_damage_that_viewers_repair_is_repaired(damage: str, tmp_path: Path) -> None:
    data = DAMAGED[damage]
    assert data != WHOLE
    assert _opens(data, tmp_path)
    output = delivered(run(data, "a.pdf"), tmp_path)
    assert "visible" in pdf_views.mupdf_text(output, tmp_path)


def test_a_hybrid_file_is_opened(tmp_path: Path) -> None:
    """A table for old readers and a stream for new ones, as Word once wrote it (ISO 32000-2 §7.5.8.4)."""
    packed = b"6 0 <</Type/Font/Subtype/Type1/BaseFont/Courier>>"
    objects = {**pdf_bytes.one_page(), 3: PAGE[3].replace(b"/F1 5 0 R", b"/F1 6 0 R")}
    first = pdf_bytes.document(objects)
    body = first[: first.rindex(b"xref\n0 1")]
    container = len(body)
    body += b"7 0 obj\n" + pdf_bytes.deflated(packed, b"/Type/ObjStm/N 1/First 4") + b"\nendobj\n"
    rows = len(body)
    table = b"\x02" + (7).to_bytes(4, "big") + b"\x00" + b"\x01" + container.to_bytes(4, "big") + b"\x00"
    body += b"8 0 obj\n" + pdf_bytes.deflated(table, b"/Type/XRef/Size 9/W[1 4 1]/Index[6 2]") + b"\nendobj\n"
    start = len(body)
    rest = first[first.rindex(b"xref\n0 1") : first.rindex(b"startxref")].replace(b"/Size 6", b"/Size 9/XRefStm %d" % rows)
    rest = rest.replace(b"trailer", b"6 1\n0000000000 65535 f \ntrailer")
    delivered(run(body + rest + b"startxref\n%d\n%%%%EOF\n" % start, "a.pdf"), tmp_path)


def test_a_linearized_file_is_clean_and_an_updated_one_says_so(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(WHOLE)) as document:
        data = build.saved(document, linearize=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    outcome = run(data, "a.pdf")
    delivered(outcome, tmp_path)
    assert outcome.report.verdict is Verdict.CLEAN
    updated = pdf_bytes.revision(data, {40: b"(%b)" % CANARY}, size=41)
    with pikepdf.open(io.BytesIO(data)) as document:
        root = document.Root.objgen[0]
    outcome = run(updated.replace(b"/Root 1 0 R/Size 41", b"/Root %d 0 R/Size 41" % root), "a.pdf")
    delivered(outcome, tmp_path)
    assert "pdf.old_revision" in codes(outcome)


def test_a_file_cut_inside_its_update_is_refused() -> None:
    """Some readers would show the first revision, others what is there of the second."""
    other = pdf_bytes.stream(b"BT /F1 24 Tf 20 250 Td (other) Tj ET" + b" " * 6000)
    update = pdf_bytes.revision(WHOLE, {4: other}, size=6)
    assert run(update, "a.pdf").content is not None
    outcome = run(update[: update.rindex(b"xref\n0 1")], "a.pdf")
    assert outcome.report.reason is Reason.MALFORMED
    assert "pdf.ambiguous_revision" in codes(outcome)


def test_where_all_readers_rebuild_the_last_object_counts() -> None:
    """The last startxref leads nowhere, so there is only one way to read the file."""
    data = WHOLE + b"4 0 obj\n" + pdf_bytes.stream(b"BT /F1 24 Tf 20 250 Td (other) Tj ET") + b"\nendobj\nstartxref\n99999\n%%EOF\n"
    outcome = run(data, "a.pdf")
    assert outcome.content is not None
    assert pdf_views.text(outcome.content.bytes()) == pdf_views.text(data) == ["other"]
