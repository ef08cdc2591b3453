"""The strict mode of PDF: nothing of the original but its pictures and its text, which can be searched as before."""

from __future__ import annotations

import ctypes
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image, ImageChops, ImageStat

from sanitizers.formats.pdf import pixels
from sanitizers.model import Action, Kind, LimitExceeded, Limits, Reason, Verdict
from sanitizers.source import Source
from tests.build import pdf as build
from tests.build import pdf_views
from tests.build.context import context, run
from tests.build.pdf_views import text
from tests.sanitizers.formats.pdf.test_encryption import by_hand

# 90ms-RKSJ-H and -V: Japanese text in Shift JIS with a font that is not embedded, lying and standing.
_JAPANESE = "無害化した文書の縦書き"


def strict(data: bytes, **options: object) -> bytes:
    outcome = run(data, "a.pdf", pdf_strict_pixels=True, **options)
    assert outcome.content is not None, outcome.report.findings
    assert outcome.report.verdict is Verdict.SANITIZED
    assert [finding.code for finding in outcome.report.findings].count("pdf.pixels") == 1
    return outcome.content.bytes()


def japanese(*, standing: bool) -> bytes:
    document = build.clean()
    system = pikepdf.Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Japan1"), Supplement=2)
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor, FontName=pikepdf.Name("/Ryumin-Light"), Flags=6, FontBBox=[0, -120, 1000, 880], ItalicAngle=0,
        Ascent=880, Descent=-120, CapHeight=700, StemV=80,
    )  # fmt: skip
    below = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.CIDFontType0, BaseFont=pikepdf.Name("/Ryumin-Light"), CIDSystemInfo=system,
        FontDescriptor=document.make_indirect(descriptor), DW=1000,
    )  # fmt: skip
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type0, BaseFont=pikepdf.Name("/Ryumin-Light"),
        Encoding=pikepdf.Name("/90ms-RKSJ-V" if standing else "/90ms-RKSJ-H"), DescendantFonts=pikepdf.Array([document.make_indirect(below)]),
    )  # fmt: skip
    page = document.pages[0]
    page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=document.make_indirect(font)))
    shown = _JAPANESE.encode("cp932").hex()
    page.obj.Contents = document.make_stream(f"BT /F1 18 Tf 300 700 Td <{shown}> Tj -30 0 Td <{shown}> Tj ET".encode())
    return build.saved(document)


def drawn(data: bytes) -> Image.Image:
    return pdf_views.pictures(data)[0]


class Shown(NamedTuple):
    """How the picture of a page is encoded, and how many pixels it has."""

    filter: str
    indexed: bool
    pixels: int


def pictures(data: bytes) -> list[Shown]:
    with pikepdf.open(io.BytesIO(data)) as document:
        found = [page.obj.Resources.XObject.P for page in document.pages]
        return [Shown(str(one.Filter), "Indexed" in str(one.ColorSpace), int(one.Width) * int(one.Height)) for one in found]


def test_the_text_is_read_as_before() -> None:
    data = build.saved(build.clean())
    assert text(strict(data)) == text(data) == build.VISIBLE


@pytest.mark.parametrize("standing", [False, True], ids=["lying", "standing"])
def test_japanese_text_is_read_as_before(standing: bool) -> None:
    data = japanese(standing=standing)
    before = text(data)
    assert _JAPANESE in before[0]
    assert text(strict(data)) == before


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_page_with_a_crop_box_keeps_its_look_and_text(rotation: int) -> None:
    document = build.clean()
    for page in document.pages:
        page.obj.Rotate = rotation
        page.obj.CropBox = [50, 100, 550, 800]
    data = build.saved(document)
    output = strict(data)
    assert text(output) == text(data)
    before, after = drawn(data), drawn(output)
    assert before.size == after.size
    assert ImageStat.Stat(ImageChops.difference(before, after).convert("L")).mean[0] < 1
    assert boxes(data) == pytest.approx(boxes(output), abs=1.5)


def boxes(data: bytes) -> list[float]:
    """Where the first letter stands on the page as it is shown, in pixels from the upper left, one for each point."""
    x, y, left, bottom = ctypes.c_int(), ctypes.c_int(), ctypes.c_double(), ctypes.c_double()
    with pypdfium2.PdfDocument(data) as document:
        page = document[0]
        pdfium.FPDFText_GetCharOrigin(page.get_textpage(), 0, left, bottom)
        width, height = map(round, page.get_size())
        pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, left, bottom, x, y)
    return [x.value, y.value]


@pytest.mark.parametrize("danger", list(build.DANGERS)[::6])
def test_no_danger_is_left(danger: str, tmp_path: Path) -> None:
    document = build.clean()
    build.DANGERS[danger](document)
    output = strict(build.saved(document))
    assert build.CANARY.encode() not in pdf_views.everything(output, tmp_path)
    with pikepdf.open(io.BytesIO(output)) as after:
        assert after.Root.keys() == {"/Type", "/Pages"}
        assert all(set(page.obj.keys()) == {"/Type", "/Parent", "/MediaBox", "/Contents", "/Resources"} for page in after.pages)


@pytest.mark.parametrize(("danger", "code"), [("attachment", "pdf.embedded_file"), ("script in a name tree", "pdf.javascript")])
def test_attached_files_and_scripts_are_named(danger: str, code: str) -> None:
    document = build.clean()
    build.DANGERS[danger](document)
    outcome = run(build.saved(document), "a.pdf", pdf_strict_pixels=True)
    assert {(finding.code, finding.action) for finding in outcome.report.findings} == {
        ("pdf.pixels", Action.REWRITTEN), (code, Action.REMOVED)
    }  # fmt: skip


def test_annotations_and_fields_are_drawn() -> None:
    document = build.clean()
    shown = document.make_stream(b"1 0 0 rg 0 0 100 100 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 100, 100])
    field = document.make_indirect(pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T=pikepdf.String("t"), V=pikepdf.String("x"), F=4,
        Rect=[100, 100, 200, 200], AP=pikepdf.Dictionary(N=shown),
    ))  # fmt: skip
    stamp = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[300, 100, 400, 200], AP=pikepdf.Dictionary(N=shown), F=4
    )
    document.pages[0].obj.Annots = pikepdf.Array([field, document.make_indirect(stamp)])
    document.Root.AcroForm = pikepdf.Dictionary(Fields=[field])
    after = drawn(strict(build.saved(document)))
    for place in ((150, 842 - 150), (350, 842 - 150)):
        red, green, blue = after.getpixel(place)  # type: ignore[misc]
        assert red > 200 > 60 > max(green, blue)


def test_it_is_not_drawn_again() -> None:
    once = strict(build.saved(build.clean()))
    twice = run(once, "a.pdf", pdf_strict_pixels=True)
    assert twice.report.verdict is Verdict.CLEAN, twice.report.findings
    assert twice.content is not None
    assert twice.content.bytes() == once


@pytest.mark.parametrize("change", ["annotation", "font", "content", "catalog", "picture"])
def test_what_only_resembles_our_pictures_is_drawn(change: str) -> None:
    document = pikepdf.open(io.BytesIO(strict(build.saved(build.clean()))))
    page = document.pages[0]
    if change == "annotation":
        page.obj.Annots = pikepdf.Array([])
    elif change == "font":
        font = page.obj.Resources.Font.H.DescendantFonts[0].FontDescriptor
        font.FontFile2 = document.make_stream(font.FontFile2.read_bytes() + b"\0")
    elif change == "content":
        page.obj.Contents = document.make_stream(page.obj.Contents.read_bytes() + b"0 0 9 9 re f")
    elif change == "catalog":
        document.Root.Lang = pikepdf.String("ja")
    else:
        page.obj.Resources.XObject.Q = page.obj.Resources.XObject.P
    data = build.saved(document)
    assert not pixels.is_drawn(Source(data), context("a.pdf", Kind.PDF))
    assert text(strict(data)) == build.VISIBLE


# ---------------------------------------------------------------------------------------------------------------- encodings


def _showing(image: Image.Image) -> bytes:
    document = build.clean()
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=95)
    picture = document.make_stream(
        stream.getvalue(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=image.width, Height=image.height,
        ColorSpace=pikepdf.Name.DeviceRGB, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode,
    )  # fmt: skip
    document.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=picture))
    document.pages[0].obj.Contents = document.make_stream(b"q 300 0 0 300 100 300 cm /P Do Q")
    return build.saved(document)


def test_black_on_white_becomes_a_fax() -> None:
    assert all(picture.filter == "/CCITTFaxDecode" for picture in pictures(strict(build.saved(build.clean()))))


@pytest.mark.parametrize("colour", [b"0.7 g", b"0.85 G 0.5 w", b"1 0 0 rg 0 0.4 1 RG"])
def test_light_grey_and_colours_are_not_lost_to_a_fax(colour: bytes) -> None:
    document = build.clean()
    page = document.pages[0]
    page.obj.Contents = document.make_stream(colour + b" BT /F1 24 Tf 72 720 Td (visible 1) Tj ET 72 300 m 500 300 l 500 500 l S")
    data = build.saved(document)
    output = strict(data)
    picture = pictures(output)[0]
    assert (picture.filter, picture.indexed) == ("/FlateDecode", True)
    assert ImageStat.Stat(ImageChops.difference(drawn(data), drawn(output)).convert("L")).rms[0] < 4


def test_a_photograph_becomes_a_jpeg() -> None:
    photograph = Image.merge("RGB", [Image.effect_noise((400, 400), spread) for spread in (60, 80, 100)])
    output = strict(_showing(photograph))
    assert pictures(output)[0].filter == "/DCTDecode"


# ------------------------------------------------------------------------------------------------------------ what is refused


def test_a_file_that_no_reader_opens_is_refused() -> None:
    assert run(b"%PDF-1.7\nnothing more", "a.pdf", pdf_strict_pixels=True).report.reason is Reason.MALFORMED


def test_a_password_is_tried_and_reported() -> None:
    data = build.saved(build.clean(), encryption=pikepdf.Encryption(owner="o", user="secret", R=4))
    assert run(data, "a.pdf", pdf_strict_pixels=True).report.reason is Reason.ENCRYPTED
    outcome = run(data, "a.pdf", pdf_strict_pixels=True, passwords=("wrong", "secret"))
    assert outcome.content is not None
    assert text(outcome.content.bytes()) == build.VISIBLE
    assert "file.decrypted" in {finding.code for finding in outcome.report.findings}


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "utf-8"])
def test_an_old_file_under_a_japanese_password_opens(encoding: str) -> None:
    data = by_hand("小諸市".encode(encoding))
    assert run(data, "a.pdf", pdf_strict_pixels=True, passwords=("小諸",)).report.reason is Reason.ENCRYPTED
    outcome = run(data, "a.pdf", pdf_strict_pixels=True, passwords=("小諸市",))
    assert outcome.content is not None
    assert text(outcome.content.bytes()) == ["visible 1"]


def test_pages_past_the_limit_hold_the_file() -> None:
    with pytest.raises(LimitExceeded):
        run(build.saved(build.clean()), "a.pdf", limits=Limits(pages=1), pdf_strict_pixels=True)


def test_a_huge_page_is_drawn_less_finely() -> None:
    document = build.clean()
    document.pages[0].obj.MediaBox = [0, 0, 14000, 9000]
    assert pictures(strict(build.saved(document)))[0].pixels <= 25_100_000


def test_a_file_that_cannot_be_rebuilt_can_still_be_drawn() -> None:
    """A font program that viewers use but that does not parse holds a file; its picture can go."""
    document = build.clean()
    program = document.make_stream(b"\x00\x01\x00\x00" + b"\x00\x01" * 40, Length1=84)
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor, FontName=pikepdf.Name("/X"), Flags=32, FontBBox=[0, 0, 1000, 1000], ItalicAngle=0, Ascent=800,
        Descent=-200, CapHeight=700, StemV=80, FontFile2=program,
    )  # fmt: skip
    document.pages[0].obj.Resources.Font.F1.FontDescriptor = document.make_indirect(descriptor)
    assert len(text(strict(build.saved(document)))) == 2


# ----------------------------------------------------------------------------------------------------------------- by policy


def test_a_policy_switches_it_on_in_the_jail(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(japanese(standing=True))
    (tmp_path / "policy.toml").write_text("[treatment]\npdf_strict_pixels = true\n", "utf-8")
    command = [sys.executable, "-m", "gateway.cli", "sanitize", str(tmp_path / "a.pdf"), "-o", str(tmp_path / "out"), "--report", "-"]
    done = subprocess.run([*command, "--policy", str(tmp_path / "policy.toml")], capture_output=True, text=True, timeout=100, check=False)
    report = json.loads(done.stdout.splitlines()[0])
    assert report["verdict"] == "sanitized", report
    assert [finding["code"] for finding in report["findings"]] == ["pdf.pixels"]
    output = (tmp_path / "out" / "a.pdf").read_bytes()
    assert len(pictures(output)) == 2
    assert _JAPANESE in text(output)[0]
