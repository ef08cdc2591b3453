"""The second pass looks at all that the first one wrote, and saves what would only be thrown away."""

from __future__ import annotations

import io

import pikepdf
import pytest
from PIL import Image, ImageDraw

from sanitizers.formats.pdf import SANITIZER, bilevel, content, fontfiles
from sanitizers.formats.pdf.values import Name
from sanitizers.model import Finding, Kind, Verdict
from sanitizers.source import Source
from tests.build import pdf as build
from tests.build import pdf_fonts
from tests.build.context import context, run


def findings(data: bytes, *, second: bool) -> list[Finding]:
    given = context("a.pdf", Kind.PDF, size=len(data))
    given.second_pass = second
    rebuilt = SANITIZER.sanitize(Source(data), given)
    assert bool(rebuilt.content.bytes()) is not second, "the second pass makes no file"
    return given.findings


@pytest.mark.parametrize("danger", list(build.DANGERS)[::5])
def test_it_finds_what_the_first_finds(danger: str) -> None:
    document = build.clean()
    build.DANGERS[danger](document)
    data = build.saved(document)
    assert findings(data, second=True) == findings(data, second=False) != []


def test_content_that_is_known_is_still_judged() -> None:
    """What was left out is named each time, however often the stream is met."""
    for data in (b"q 1 0 0 1 0 0 cm /X Do Q\n", b"q 1 /X Do bad Q\n", b"/X Do (open"):
        first, again = (content.rebuild(data, lambda *_: None) for _ in range(2))
        assert (first.data, first.names, first.left, first.complete) == (again.data, again.names, again.left, again.complete)


def _fax(document: pikepdf.Pdf, data: bytes, width: int, height: int, **more: object) -> pikepdf.Stream:
    return document.make_stream(
        data, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width, Height=height, BitsPerComponent=1,
        ColorSpace=pikepdf.Name.DeviceGray, Filter=pikepdf.Name.CCITTFaxDecode,
        DecodeParms=pikepdf.Dictionary(K=-1, Columns=width, Rows=height, **more),  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_fax_of_our_own_is_known_by_its_sides_and_parameters_too() -> None:
    """The same bytes under others are another picture: it is decoded, and encoded by us."""
    picture = Image.new("1", (640, 480), 1)
    ImageDraw.Draw(picture).polygon([(20, 20), (600, 90), (310, 460)], fill=0)
    data = bilevel.fax(picture)
    document = build.clean()
    document.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(
        A=_fax(document, data, 640, 480), B=_fax(document, data, 320, 480), C=_fax(document, data, 640, 480, BlackIs1=True)
    ))  # fmt: skip
    document.pages[0].obj.Contents = document.make_stream(b"q 200 0 0 200 0 0 cm /A Do /B Do /C Do Q")
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.content is not None, outcome.report.findings
    with pikepdf.open(io.BytesIO(outcome.content.bytes())) as after:
        pictures = after.pages[0].obj.Resources.XObject
        assert pictures.A.read_raw_bytes() == data
        assert "/B" not in pictures or pictures.B.read_raw_bytes() != data
        assert pictures.C.read_raw_bytes() != data


def test_a_large_inline_picture_that_packs_well_passes() -> None:
    """Its samples, which the second pass does not compress, are longer than an inline picture may be."""
    document, side = build.clean(), 2400
    image = b"BI /W %d /H %d /BPC 8 /CS /G ID " % (side, side) + bytes(side * side) + b"\nEI"
    document.pages[0].obj.Contents = document.make_stream(b"q 100 0 0 100 0 0 cm " + image + b" Q")
    outcome = run(build.saved(document), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings


def test_a_font_program_of_our_own_is_known_and_no_other() -> None:
    """One that was changed by a byte is read again, and so is one under another name."""
    written = fontfiles._rewritten(pdf_fonts.truetype(), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fontfiles, "_rewrite", lambda *_: fontfiles.Rewritten("read again", {}, b"", 0))
        assert fontfiles._rewritten(written.data, None) == written
        assert fontfiles._rewritten(written.data + b"\x00", None).key == "read again"
        assert fontfiles._rewritten(written.data, Name("OpenType")).key == "read again"
