"""PDF: the catalogue of attacks, one built case each through the whole engine; what came out is read by MuPDF, PDFium, Poppler, qpdf and zlib."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from fontTools.t1Lib import T1Font
from oletools.olevba import FileOpenError, VBA_Parser
from PIL import Image

from sanitizers.context import Outcome
from sanitizers.model import Action, Kind, LimitExceeded, Limits, Reason, Verdict, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.pdf import verify
from tests.build import pdf as build
from tests.build import pdf_bytes, pdf_fonts, pdf_views
from tests.build.context import context, run

CASES = {
    "P01": "test_p01_a_script_on_opening",
    "P02": "test_p02_the_same_in_an_object_stream",
    "P03": "test_p03_names_spelt_in_hexadecimal",
    "P04": "test_p04_a_script_of_a_page_without_annotations",
    "P05": "test_p05_a_program_started_from_an_inner_bookmark",
    "P06": "test_p06_a_script_in_a_name_tree_of_several_levels",
    "P07": "test_p07_a_program_at_the_end_of_a_chain_of_actions",
    "P08": "test_p08_addresses_of_any_scheme",
    "P09": "test_p09_a_form_that_sends_loads_and_calculates",
    "P10": "test_p10_xfa_with_a_script",
    "P11": "test_p11_a_file_attached_in_three_ways",
    "P12": "test_p12_media_of_every_kind",
    "P13": "test_p13_a_script_of_an_earlier_revision",
    "P14": "test_p14_an_object_that_nothing_reaches",
    "P15": "test_p15_another_file_behind_the_end",
    "P16": "test_p16_another_file_before_the_start",
    "P17": "test_p17_pictures_in_dangerous_codecs",
    "P18": "test_p18_a_font_whose_matrix_is_a_script",
    "P19": "test_p19_data_from_outside",
    "P20": "test_p20_a_gigabyte_in_nested_filters",
    "P21": "test_p21_page_trees_without_end",
    "P22": "test_p22_encrypted_without_and_with_a_password",
    "P23": "test_p23_what_is_there_but_not_seen",
    "P24": "test_p24_metadata_with_an_outside_entity",
}
CANARY = build.CANARY.encode()
# No name of these may stand in any object of a result.
ACTIVE = frozenset(
    "JavaScript JS AA OpenAction Launch GoToR GoToE SubmitForm ImportData ResetForm Movie Sound Rendition RichMedia Screen 3D XFA EmbeddedFile "
    "EmbeddedFiles EF FileAttachment AF JBIG2Decode JPXDecode OPI Ref Alternates FFilter PS Metadata CO Next Win".split()
)


def test_every_case_has_its_test() -> None:
    assert list(CASES) == [f"P{number:02}" for number in range(1, 25)]
    for case, name in CASES.items():
        assert name.startswith(f"test_{case.lower()}_")
        assert callable(globals()[name])


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def freed(data: bytes, folder: Path, *expected: str) -> bytes:
    """What came out: said, without the canary and any active name to several readers, with its text, one revision, and stable."""
    assert CANARY in pdf_views.everything(data, folder), "the attack is in the sample"
    before = pdf_views.text(data)
    outcome = run(data, "a.pdf")
    output = content(outcome)
    assert (outcome.report.verdict, set(expected) - codes(outcome)) == (Verdict.SANITIZED, set())
    unseen(output, folder)
    assert pdf_views.text(output) == before
    again = run(output, "a.pdf")
    assert (again.report.verdict, content(again)) == (Verdict.CLEAN, output)
    return output


def unseen(output: bytes, folder: Path) -> None:
    everything = pdf_views.everything(output, folder)
    for canary in (CANARY, build.CANARY.encode("utf-16-be"), CANARY.hex().encode()):
        assert canary not in everything
    assert pdf_views.names(output, folder) & ACTIVE == set()
    assert output.startswith(b"%PDF-")
    assert output.endswith(b"%%EOF\n")
    assert (everything.count(b"%PDF-"), output.count(b"%%EOF"), output.count(b"startxref")) == (2, 1, 1)  # 2: qpdf writes one more


def test_p01_a_script_on_opening(tmp_path: Path) -> None:
    freed(build.written("script on opening"), tmp_path, "pdf.open_action", "pdf.javascript")


def test_p02_the_same_in_an_object_stream(tmp_path: Path) -> None:
    data = build.written("script on opening", "packed")
    assert b"JavaScript" not in data, "nothing to be seen without unpacking"
    freed(data, tmp_path, "pdf.open_action", "pdf.javascript")


def test_p03_names_spelt_in_hexadecimal(tmp_path: Path) -> None:
    data = build.written("script on opening", "hexadecimal")
    assert b"/J#61#76#61#53" in data
    freed(data, tmp_path, "pdf.open_action", "pdf.javascript")


def test_p04_a_script_of_a_page_without_annotations(tmp_path: Path) -> None:
    data = build.written("script of a page")
    assert b"/Annots" not in data
    freed(data, tmp_path, "pdf.additional_actions", "pdf.javascript")


def test_p05_a_program_started_from_an_inner_bookmark(tmp_path: Path) -> None:
    output = freed(build.written("launch from a bookmark"), tmp_path, "pdf.launch")
    with pypdfium2.PdfDocument(output) as document:
        assert [(item.level, item.get_title()) for item in document.get_toc()] == [(0, "outer"), (1, "inner")]


def test_p06_a_script_in_a_name_tree_of_several_levels(tmp_path: Path) -> None:
    freed(build.written("script in a name tree"), tmp_path, "pdf.javascript")


def test_p07_a_program_at_the_end_of_a_chain_of_actions(tmp_path: Path) -> None:
    output = freed(build.written("launch at the end of a chain"), tmp_path, "pdf.launch")
    assert pdf_views.addresses(output, tmp_path) == [b"(https://town.example.jp/)"]


def test_p08_addresses_of_any_scheme(tmp_path: Path) -> None:
    for danger, code in (
        ("link by a foreign scheme", "pdf.unsafe_link"), ("jump into another file", "pdf.goto_remote"), ("launch with parameters", "pdf.launch"),
        ("jump into an attachment", "pdf.goto_remote"), ("link base", "pdf.unsafe_link"),
    ):  # fmt: skip
        output = freed(build.written(danger), tmp_path, code)
        assert pdf_views.addresses(output, tmp_path) == []
    document = build.clean()
    build.link(document, pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("mailto:soumu@town.example.jp")))
    kept = run(build.saved(document), "a.pdf")
    assert kept.report.verdict is Verdict.CLEAN
    assert pdf_views.addresses(content(kept), tmp_path) == [b"(mailto:soumu@town.example.jp)"]


def test_p09_a_form_that_sends_loads_and_calculates(tmp_path: Path) -> None:
    freed(build.written("field scripts"), tmp_path, "pdf.additional_actions", "pdf.javascript")
    output = freed(build.written("field submits"), tmp_path, "pdf.submit_form", "pdf.import_data")
    assert pdf_views.annotations(output) == [pdfium.FPDF_ANNOT_WIDGET], "the field itself stays"


def test_p10_xfa_with_a_script(tmp_path: Path) -> None:
    freed(build.written("xfa"), tmp_path, "pdf.xfa")


def test_p11_a_file_attached_in_three_ways(tmp_path: Path) -> None:
    for danger in ("attachment", "attachment annotation", "associated files", "portfolio"):
        data = build.written(danger)
        output = freed(data, tmp_path, "pdf.embedded_file")
        assert pdf_views.attachments(output, tmp_path) == b""
        assert b"MZ" not in pdf_views.qdf(output, tmp_path)
        with pypdfium2.PdfDocument(output) as document:
            assert document.count_attachments() == 0
    assert b"setup.exe" in pdf_views.attachments(build.written("attachment"), tmp_path)


def test_an_attached_file_that_policy_does_not_allow_is_seen_by_the_second_opinion(tmp_path: Path) -> None:
    document = build.clean()
    document.attachments["a.txt"] = "本文".encode()
    output = content(run(build.saved(document), "a.pdf", pdf_attachments=True))
    assert b"a.txt" in pdf_views.attachments(output, tmp_path)
    with pytest.raises(VerificationFailed, match="is left"):
        verify(Source(output), Source(output), context("a.pdf", Kind.PDF))


def test_p12_media_of_every_kind(tmp_path: Path) -> None:
    data = build.written("media annotations")
    assert len(pdf_views.annotations(data)) == 9
    assert pdf_views.annotations(freed(data, tmp_path, "pdf.rich_media", "pdf.multimedia")) == []
    freed(build.written("script in a rendition"), tmp_path, "pdf.multimedia")


def test_p13_a_script_of_an_earlier_revision(tmp_path: Path) -> None:
    page = pdf_bytes.one_page()
    old = pdf_bytes.document({**page, 1: b"<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(%b)>>>>" % CANARY})
    data = pdf_bytes.revision(old, {1: page[1]}, size=6)
    assert b"/JavaScript" in data
    freed(data, tmp_path, "pdf.old_revision")


def test_p14_an_object_that_nothing_reaches(tmp_path: Path) -> None:
    data = pdf_bytes.document({**pdf_bytes.one_page(), 6: b"(%b)" % CANARY, 7: pdf_bytes.deflated(b"MZ" + CANARY)})
    outcome = run(data, "a.pdf")
    output = content(outcome)
    unseen(output, tmp_path)
    lines = [line for line in pdf_views.objects(output, tmp_path) if b"/Type/ObjStm" not in line and b"/Type/XRef" not in line]
    numbers = {int(line.split()[0]) for line in lines}
    referred = {int(number) for line in lines for number in re.findall(rb"(\d+) 0 R", line)}
    assert numbers - referred == {1}, "all but the catalog are referred to"
    assert len(numbers) == 5


def test_p15_another_file_behind_the_end(tmp_path: Path) -> None:
    macro = b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n<w:WordDocument>%b</w:WordDocument>" % CANARY
    for tail in (macro, b"PK\x03\x04" + CANARY, b"<script>%b</script>" % CANARY):
        output = freed(pdf_bytes.document(pdf_bytes.one_page()) + tail, tmp_path, "pdf.trailing_data")
        assert tail[:12] not in output
        with pytest.raises(FileOpenError):  # nothing in it that could hold macros
            VBA_Parser("a.pdf", data=output)


def test_p16_another_file_before_the_start(tmp_path: Path) -> None:
    page = pdf_bytes.document(pdf_bytes.one_page())
    freed(b"<script>%b</script>\n" % CANARY + page, tmp_path, "pdf.leading_data")
    # Where the first bytes make it another kind, it is that kind, and does not pass for a PDF.
    outcome = run(b"GIF89a" + CANARY + b"\n" + page, "a.pdf")
    assert outcome.content is None or not outcome.content.bytes().startswith(b"GIF89a" + CANARY)
    assert outcome.report.verdict is not Verdict.CLEAN


def test_p17_pictures_in_dangerous_codecs(tmp_path: Path) -> None:
    fax = b"\x26\xa0\xb1\x27\xff" * 3       # whatever it shows: it must be shown again
    region = (8).to_bytes(4, "big") * 2 + bytes(8) + b"\x00\x01" + fax
    info = (8).to_bytes(4, "big") * 2 + bytes(8) + b"\x00\x00\x00"
    jbig2 = b"".join(
        number.to_bytes(4, "big") + bytes((kind, 0, 1)) + len(body).to_bytes(4, "big") + body for number, kind, body in ((0, 48, info), (1, 38, region))
    )
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((8, 8)).save(stream, "JPEG2000")
    for codec, bits, samples in ((b"JBIG2Decode", 1, jbig2), (b"JPXDecode", 8, stream.getvalue())):
        fields = b"/Type/XObject/Subtype/Image/Width 8/Height 8/ColorSpace/DeviceGray/BitsPerComponent %d/Filter/%b" % (bits, codec)
        data = pdf_bytes.document(pdf_bytes.one_page(b"q 90 0 0 90 9 9 cm /I Do Q", b"/XObject<</I 6 0 R>>", {6: pdf_bytes.stream(samples, fields)}))
        outcome = run(data, "a.pdf")
        unseen(content(outcome), tmp_path)
        assert outcome.report.verdict is Verdict.CLEAN
        (before,), (after,) = pdf_views.pictures(data), pdf_views.pictures(content(outcome))
        assert pdf_views.inked(before) > 100
        assert pdf_views.difference(before, after) < 1


def test_p18_a_font_whose_matrix_is_a_script(tmp_path: Path) -> None:
    freed(build.written("font matrix"), tmp_path, "pdf.font_matrix")
    matrix = b"[0.001 0 0 0.001 0 (0\\); app.alert\\('%b'\\))]" % CANARY
    bad = pdf_fonts.simple(("FontFile", pdf_fonts.type1_program(matrix=matrix), ""), "Type1")
    unseen(content(run(bad, "a.pdf")), tmp_path)
    good = content(run(pdf_fonts.simple(("FontFile", pdf_fonts.type1_program(), ""), "Type1"), "a.pdf"))
    with pikepdf.open(io.BytesIO(good)) as document:
        (program,) = [found.FontFile.read_bytes() for found in document.objects if isinstance(found, pikepdf.Dictionary) and "/FontFile" in found]
    path = tmp_path / "a.pfa"
    path.write_bytes(program)
    font = T1Font(str(path), kind="OTHER")
    font.parse()
    assert [item for item in font.font["FontMatrix"] if not isinstance(item, int | float)] == []
    assert len(font.font["FontMatrix"]) == 6


def test_p19_data_from_outside(tmp_path: Path) -> None:
    for danger, code in (
        ("outside stream", "pdf.external_stream"), ("outside content", "pdf.external_stream"), ("reference drawing", "pdf.reference_xobject"),
        ("picture replacements", "pdf.opi"), ("picture replacements", "pdf.alternate_image"), ("postscript drawing", "pdf.postscript_xobject"),
    ):  # fmt: skip
        freed(build.written(danger), tmp_path, code)


def test_p20_a_gigabyte_in_nested_filters() -> None:
    """In a process with the memory of a jail and a fifth of its time."""
    data = zlib.compress(zlib.compress(pdf_bytes.zeros(1024), 9), 9)
    bomb = pdf_bytes.document({**pdf_bytes.one_page(), 4: pdf_bytes.stream(data, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]")})
    assert len(bomb) < 10_000
    script = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_AS, (2 << 30,) * 2)\nresource.setrlimit(resource.RLIMIT_CPU, (18,) * 2)\n"
        "from sanitizers.model import LimitExceeded\nfrom tests.build.context import run\n"
        "try:\n    print(run(sys.stdin.buffer.read(), 'a.pdf').report.verdict)\nexcept LimitExceeded as limit:\n    print(limit.reason)\n"
    )
    top = Path(__file__).resolve().parents[4]
    done = subprocess.run([sys.executable, "-c", script], input=bomb, cwd=top, capture_output=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.decode().strip()) == (0, Reason.LIMIT_EXCEEDED), done.stderr


def test_p21_page_trees_without_end(tmp_path: Path) -> None:
    page = pdf_bytes.one_page()
    million = {**page, 2: b"<</Type/Pages/Count 1000000/Kids[" + b"3 0 R " * 1_000_000 + b"]>>"}
    huge = {**page, 3: page[3].replace(b"300 300", b"9999999999 9999999999")}
    for bomb in (million, huge):
        with pytest.raises(LimitExceeded):
            run(pdf_bytes.document(bomb), "a.pdf")
    loop = run(pdf_bytes.document({**page, 2: b"<</Type/Pages/Kids[6 0 R 3 0 R]/Count 1>>", 6: b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 2>>"}), "a.pdf")
    assert "pdf.loop" in codes(loop)
    unseen(content(loop), tmp_path)


def test_p22_encrypted_without_and_with_a_password(tmp_path: Path) -> None:
    document = build.clean()
    build.DANGERS["script on opening"](document)
    for user in ("", "hirakegoma"):
        data = build.saved(document, encryption=pikepdf.Encryption(user=user, owner="owner", R=6))
        outcome = run(data, "a.pdf")
        if user:
            assert (outcome.content, outcome.report.reason) == (None, Reason.ENCRYPTED)
            outcome = run(data, "a.pdf", passwords=("wrong", user))
        output = content(outcome)
        assert "pdf.encryption" in codes(outcome) or user
        unseen(output, tmp_path)
        assert pdf_views.text(output) == build.VISIBLE
        assert "Encrypt" not in pdf_views.names(output, tmp_path)


def test_p23_what_is_there_but_not_seen(tmp_path: Path) -> None:
    """Text in a layer that is off, in white and off the page stays what it is, to be found by readers; the layer is named in the report."""
    hidden = b"BT /F1 9 Tf 20 200 Td /OC /L BDC (layer) Tj EMC ET BT 1 1 1 rg 20 150 Td (white) Tj ET BT 0 g 900 150 Td (outside) Tj ET"
    page = pdf_bytes.one_page(hidden, b"/Properties<</L 6 0 R>>", {6: b"<</Type/OCG/Name(draft)>>"}, catalog=b"/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>")
    data = pdf_bytes.document(page)
    outcome = run(data, "a.pdf")
    assert [(finding.code, finding.action) for finding in outcome.report.findings] == [("pdf.hidden_layer", Action.KEPT)]
    output = content(outcome)
    for read in (lambda pdf: pdf_views.text(pdf)[0], lambda pdf: pdf_views.mupdf_text(pdf, tmp_path), lambda pdf: pdf_views.poppler_text(pdf, tmp_path)):
        assert read(output) == read(data)
    assert "white" in pdf_views.text(output)[0]
    assert pdf_views.difference(pdf_views.pictures(data)[0], pdf_views.pictures(output)[0]) == 0


def test_p24_metadata_with_an_outside_entity(tmp_path: Path) -> None:
    output = freed(build.written("metadata document type"), tmp_path, "pdf.metadata")
    assert b"DOCTYPE" not in pdf_views.everything(output, tmp_path)


def test_limits_of_the_cases_are_those_of_the_product() -> None:
    assert (Limits().memory_bytes, Limits().cpu_seconds) == (2 << 30, 90)
