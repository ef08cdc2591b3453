"""PDF pictures: every codec is decoded and encoded anew, the page looks the same, and nothing rides along."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from sanitizers.formats.pdf import bilevel
from sanitizers.model import Kind, LimitExceeded, Limits, Verdict
from tests.build import pdf as build
from tests.build import pdf_bytes, pdf_views
from tests.build.context import context, run
from tests.build.pdf_images import HEIGHT, WIDTH, encoded, fields, page, picture

CANARY = build.CANARY.encode()


def jbig2() -> bytes:
    """One page with one generic region, coded as fax (ISO/IEC 14492 §7.4.6)."""
    region = struct.pack(">IIIIBB", WIDTH, HEIGHT, 0, 0, 0, 1) + bilevel.fax(picture("1"))
    info = struct.pack(">IIIIBH", WIDTH, HEIGHT, 0, 0, 0, 0)
    return b"".join(
        struct.pack(">IBBBI", number, kind, 0, 1, len(body)) + body for number, (kind, body) in enumerate([(48, info), (38, region)])
    )


def _palette() -> bytes:
    return bytes((picture("P").getpalette() or []) + [0] * 768)[:768]


def _rows(filters: bytes) -> bytes:
    """PNG rows, each with the filter that its number says, and a canary behind the last."""
    raw, out = picture().tobytes(), bytearray()
    for row in range(HEIGHT):
        line = raw[row * WIDTH * 3 : (row + 1) * WIDTH * 3]
        out += b"\x00" + line
    return zlib.compress(bytes(out) + filters)


IMAGES: dict[str, Callable[[], bytes]] = {
    "JBIG2": lambda: page(pdf_bytes.stream(jbig2(), fields(b"/DeviceGray", 1) + b"/Filter/JBIG2Decode")),
    "JBIG2 with shared segments": lambda: page(
        pdf_bytes.stream(jbig2(), fields(b"/DeviceGray", 1) + b"/Filter/JBIG2Decode/DecodeParms<</JBIG2Globals 7 0 R>>"),
        {7: pdf_bytes.stream(struct.pack(">IBBBI", 9, 62, 0, 0, 4 + len(CANARY)) + struct.pack(">I", 0x20000000) + CANARY)},
    ),
    "JPEG 2000": lambda: page(pdf_bytes.stream(encoded(picture(), "JPEG2000"), fields() + b"/Filter/JPXDecode")),
    "grey JPEG 2000": lambda: page(pdf_bytes.stream(encoded(picture("L"), "JPEG2000"), fields(b"/DeviceGray") + b"/Filter/JPXDecode")),
    "JPEG": lambda: page(pdf_bytes.stream(encoded(picture(), "JPEG", quality=90, comment=CANARY) + CANARY, fields() + b"/Filter/DCTDecode")),
    "JPEG in Flate": lambda: page(
        pdf_bytes.deflated(encoded(picture(), "JPEG", quality=90, exif=b"Exif\x00\x00MM\x00*" + CANARY), fields() + b"")
        .replace(b"/Filter/FlateDecode", b"/Filter[/FlateDecode/DCTDecode]")
    ),
    "CMYK JPEG": lambda: page(pdf_bytes.stream(encoded(picture("CMYK"), "JPEG", quality=95), fields(b"/DeviceCMYK") + b"/Filter/DCTDecode")),
    "fax": lambda: page(pdf_bytes.stream(bilevel.fax(picture("1")) + CANARY, fields(b"/DeviceGray", 1) + b"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns 64/Rows 48>>")),
    "raw": lambda: page(pdf_bytes.deflated(picture().tobytes() + CANARY, fields())),
    "raw, not compressed": lambda: page(pdf_bytes.stream(picture().tobytes() + CANARY, fields())),
    "one bit": lambda: page(pdf_bytes.deflated(picture("1").tobytes() + CANARY, fields(b"/DeviceGray", 1) + b"/Decode[1 0]")),
    "indexed": lambda: page(pdf_bytes.deflated(picture("P").tobytes() + CANARY, fields(b"[/Indexed/DeviceRGB 255 7 0 R]")), {7: pdf_bytes.deflated(_palette() + CANARY)}),
    "PNG rows": lambda: page(pdf_bytes.stream(_rows(CANARY * 30), fields() + b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors 3/Columns 64>>")),
    "PNG rows of another width": lambda: page(pdf_bytes.stream(_rows(CANARY * 30), fields(width=32, height=96) + b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors 3/Columns 64>>")),
    "soft mask": lambda: page(pdf_bytes.deflated(picture().tobytes(), fields() + b"/SMask 7 0 R"), {7: pdf_bytes.deflated(picture("L").tobytes() + CANARY, fields(b"/DeviceGray"))}),
    "stencil": lambda: page(pdf_bytes.deflated(picture("1").tobytes() + CANARY, b"/Type/XObject/Subtype/Image/Width 64/Height 48/ImageMask true")),
    "colour key": lambda: page(pdf_bytes.deflated(picture().tobytes(), fields() + b"/Mask[0 3 0 3 0 3]")),
    "ASCII85": lambda: page(pdf_bytes.stream(base64.a85encode(zlib.compress(picture().tobytes())) + b"~>" + CANARY, fields() + b"/Filter[/A85/Fl]")),
    "hexadecimal": lambda: page(pdf_bytes.stream(picture().tobytes().hex().encode() + b">" + CANARY, fields() + b"/Filter/ASCIIHexDecode")),
    "run lengths": lambda: page(pdf_bytes.stream(b"".join(b"\x00" + bytes((level,)) for level in picture().tobytes()) + b"\x80" + CANARY, fields() + b"/Filter/RunLengthDecode")),
}  # fmt: skip
# Codecs that lose a little, and mean levels that they may differ by.
_LOSSY = {"JPEG": 1.0, "JPEG in Flate": 1.0, "CMYK JPEG": 1.5, "JPEG 2000": 1.5, "grey JPEG 2000": 1.5}


@pytest.mark.parametrize("kind", IMAGES)
def test_a_picture_looks_the_same_and_nothing_rides_along(kind: str, tmp_path: Path) -> None:
    before = IMAGES[kind]()
    outcome = run(before, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    assert outcome.content is not None
    after = outcome.content.bytes()
    (old,), (new,) = pdf_views.pictures(before), pdf_views.pictures(after)
    assert pdf_views.inked(old) > 500
    assert pdf_views.difference(old, new) <= _LOSSY.get(kind, 0)
    seen = pdf_views.everything(after, tmp_path)
    assert CANARY not in seen
    for name in (b"JBIG2Decode", b"JPXDecode", b"RunLengthDecode", b"LZWDecode", b"ASCIIHexDecode"):
        assert name not in seen
    twice = run(after, "a.pdf").content
    assert twice is not None
    assert pdf_views.difference(new, pdf_views.pictures(twice.bytes())[0]) <= _LOSSY.get(kind, 0)


@pytest.mark.parametrize("name", [b"JBIG2Decode", b"JPXDecode", b"DCTDecode", b"CCITTFaxDecode", b"FlateDecode", b"EvilDecode"])
def test_a_picture_that_cannot_be_read_is_left_out(name: bytes, tmp_path: Path) -> None:
    """P17: never passed on as it is."""
    data = page(pdf_bytes.stream(b"\x00\x01" + CANARY * 9, fields(b"/DeviceGray", 1) + b"/Filter/" + name))
    outcome = run(data, "a.pdf")
    if outcome.content is not None:
        assert CANARY not in pdf_views.everything(outcome.content.bytes(), tmp_path)
        assert outcome.report.verdict is Verdict.SANITIZED or name in (b"FlateDecode", b"CCITTFaxDecode")


def test_a_picture_without_a_colour_space_carries_nothing(tmp_path: Path) -> None:
    """No reader draws it, so its bytes must not travel either."""
    for more in (b"", b"/DecodeParms<</Predictor 15/Colors 1/Columns 9>>"):
        data = page(pdf_bytes.deflated(CANARY * 9, b"/Type/XObject/Subtype/Image/Width 8/Height 8/BitsPerComponent 8" + more))
        outcome = run(data, "a.pdf")
        if outcome.content is not None:
            assert CANARY not in pdf_views.everything(outcome.content.bytes(), tmp_path)


@pytest.mark.parametrize("filters", [b"", b"/F/AHx", b"/F/A85", b"/F/Fl", b"/F/RL", b"/F/DCT", b"/F[/A85/Fl]"], ids=repr)
def test_inline_pictures_look_the_same(filters: bytes, tmp_path: Path) -> None:
    image = picture().resize((16, 12))
    raw = image.tobytes()
    coded = {
        b"": raw, b"/F/AHx": raw.hex().encode() + b">", b"/F/A85": base64.a85encode(raw) + b"~>", b"/F/Fl": zlib.compress(raw),
        b"/F/RL": b"".join(b"\x00" + bytes((level,)) for level in raw) + b"\x80", b"/F/DCT": encoded(image, "JPEG", quality=95, comment=CANARY),
        b"/F[/A85/Fl]": base64.a85encode(zlib.compress(raw)) + b"~>",
    }[filters]  # fmt: skip
    inline = b"q 256 0 0 192 20 20 cm BI /W 16 /H 12 /CS /RGB /BPC 8 %b /%b (x) ID %b\nEI Q" % (filters, CANARY.replace(b"-", b""), coded)
    before = pdf_bytes.document(pdf_bytes.one_page(inline))
    outcome = run(before, "a.pdf")
    assert outcome.content is not None
    after = outcome.content.bytes()
    (old,), (new,) = pdf_views.pictures(before), pdf_views.pictures(after)
    assert pdf_views.inked(old) > 500
    assert pdf_views.difference(old, new) <= (3 if filters == b"/F/DCT" else 0)
    seen = pdf_views.everything(after, tmp_path)
    assert CANARY not in seen
    assert CANARY.replace(b"-", b"") not in seen


def test_a_jpeg_is_encoded_once_only() -> None:
    """A second pass over our own picture changes no sample: its bytes stay."""
    once = run(IMAGES["JPEG"](), "a.pdf").content
    assert once is not None
    twice = run(once.bytes(), "a.pdf").content
    assert twice is not None
    assert twice.bytes() == once.bytes()


@pytest.mark.parametrize("kind", ["JPEG", "JPEG 2000", "raw", "fax", "JBIG2"])
def test_pixels_are_counted_before_they_are_decoded(kind: str) -> None:
    assert run(IMAGES[kind](), "a.pdf", limits=Limits(pixels=WIDTH * HEIGHT)).content is not None
    with pytest.raises(LimitExceeded):
        run(IMAGES[kind](), "a.pdf", limits=Limits(pixels=WIDTH * HEIGHT - 1))


@pytest.mark.parametrize("kind", ["JPEG", "JPEG 2000"])
def test_a_picture_larger_than_it_says_is_counted_as_it_is(kind: str) -> None:
    data = IMAGES[kind]().replace(b"/Width 64/Height 48", b"/Width 6/Height 4  ")
    with pytest.raises(LimitExceeded):
        run(data, "a.pdf", limits=Limits(pixels=100))


def test_the_fax_encoder_is_its_decoders_inverse() -> None:
    image = picture("1")
    how = {"Width": WIDTH, "Height": HEIGHT, "BitsPerComponent": 1, "ColorSpace": bilevel.Name("DeviceGray"), "Filter": bilevel.Name("CCITTFaxDecode")}
    decoded = bilevel.decode({**how, "DecodeParms": {"K": -1, "Columns": WIDTH, "Rows": HEIGHT}}, bilevel.fax(image))
    assert decoded is not None
    assert decoded.convert("1").tobytes() == image.tobytes()


def test_colour_profiles_keep_their_known_tags_only(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    foreign = with_tag(profile, b"evil", b"text" + bytes(4) + CANARY)
    for carrier in (profile + CANARY, profile[:84] + CANARY + bytes(4) + profile[100:], foreign):
        data = page(pdf_bytes.deflated(picture().tobytes(), fields(b"[/ICCBased 7 0 R]")), {7: pdf_bytes.deflated(carrier, b"/N 3")})
        outcome = run(data, "a.pdf")
        assert outcome.content is not None
        assert CANARY not in pdf_views.everything(outcome.content.bytes(), tmp_path)
        assert pdf_views.difference(pdf_views.pictures(data)[0], pdf_views.pictures(outcome.content.bytes())[0]) == 0
    for broken in (CANARY * 40, with_tag(profile, b"tech", b"evil" + bytes(4) + CANARY)):
        data = page(pdf_bytes.deflated(picture().tobytes(), fields(b"[/ICCBased 7 0 R]")), {7: pdf_bytes.deflated(broken, b"/N 3")})
        assert "pdf.invalid_profile" in {finding.code for finding in run(data, "a.pdf").report.findings}


def with_tag(profile: bytes, tag: bytes, body: bytes) -> bytes:
    """The profile with one more tag behind all others (ICC.1 §7.3)."""
    (count,) = struct.unpack_from(">I", profile, 128)
    rows = [struct.unpack_from(">4sII", profile, 132 + 12 * row) for row in range(count)]
    rows = [(name, start + 12, size) for name, start, size in rows] + [(tag, len(profile) + 12, len(body))]
    table = struct.pack(">I", count + 1) + b"".join(struct.pack(">4sII", *row) for row in rows)
    return profile[:128] + table + profile[132 + 12 * count :] + body


def test_a_jpeg_between_other_bytes_is_only_the_jpeg() -> None:
    from sanitizers.formats.pdf import jpeg

    rebuilt = jpeg.rebuild(CANARY + encoded(picture(), "JPEG", comment=CANARY) + CANARY, None, context(kind=Kind.PDF).budget)
    assert rebuilt is not None
    data, count = rebuilt
    assert (count, data.count(CANARY)) == (3, 0)
    assert data.startswith(b"\xff\xd8")
    assert data.endswith(b"\xff\xd9")


def test_pikepdf_reads_every_rebuilt_picture() -> None:
    """qpdf and Pillow as further decoders of what was written."""
    for kind in ("raw", "JPEG", "JBIG2", "indexed"):
        content = run(IMAGES[kind](), "a.pdf").content
        assert content is not None
        with pikepdf.open(io.BytesIO(content.bytes())) as document:
            ((_, image),) = document.pages[0].get_images().items()
            assert pikepdf.PdfImage(image).as_pil_image().size == (WIDTH, HEIGHT)
