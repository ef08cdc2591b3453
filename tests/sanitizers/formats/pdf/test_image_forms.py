"""PDF pictures in their rarer forms: what a reader draws is drawn afterwards too, and what none can read is left out by name."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from PIL import Image, ImageChops, ImageStat

from sanitizers.context import Outcome
from sanitizers.formats.pdf import bilevel, images
from sanitizers.model import Verdict
from tests.build import pdf_views
from tests.build.context import run
from tests.build.pdf_bytes import document, one_page, stream
from tests.build.pdf_images import HEIGHT, WIDTH, encoded, fields, page, picture

JPX, DCT = b"/Filter/JPXDecode", b"/Filter/DCTDecode"
SIDES = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8" % (WIDTH, HEIGHT)


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def delivered(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def apart(before: bytes, after: bytes) -> float:
    """Mean levels between two pages."""
    (old,), (new,) = pdf_views.pictures(before), pdf_views.pictures(after)
    return max(ImageStat.Stat(ImageChops.difference(old, new).convert("RGB")).mean)


def seen_through() -> Image.Image:
    image = picture().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    return image


def _holed() -> Image.Image:
    image = seen_through()
    image.putalpha(image.getchannel("A").point(lambda level: 255 if level > 90 else 0))
    return image


def _deep() -> Image.Image:
    return picture("L").convert("I").point(lambda level: level * 257).convert("I;16")


def noise(mode: str) -> Image.Image:
    return Image.frombytes("RGB", (WIDTH, HEIGHT), random.Random(3).randbytes(3 * WIDTH * HEIGHT)).convert(mode)


def _combed() -> Image.Image:
    """Four lines of teeth, again and again, none like the one above it."""
    dice = random.Random(5)
    pool = ["".join("1" * dice.randint(4, 12) + "000" for _ in range(200))[:640] for _ in range(4)]
    return Image.frombytes("1", (640, HEIGHT), b"".join(int(pool[row % 4], 2).to_bytes(80, "big") for row in range(HEIGHT)))


def lines(image: Image.Image) -> bytes:
    """A fax of group 3, each line by itself."""
    out = io.BytesIO()
    ImageChops.invert(image).save(out, "TIFF", compression="group3", tiffinfo={278: image.height})
    with Image.open(out) as tiff:
        (start,), (size,) = tiff.tag_v2[273], tiff.tag_v2[279]  # type: ignore[attr-defined]
    return out.getvalue()[start : start + size]


def second_table(image: Image.Image) -> bytes:
    """A JPEG whose quantization tables begin with the second, which Pillow cannot write again."""
    data = bytearray(encoded(image, "JPEG", quality=90, qtables=[[3] * 64]))
    data[data.index(b"\xff\xdb") + 4] = 1
    start = data.index(b"\xff\xc0")
    for component in range(data[start + 9]):
        data[start + 12 + 3 * component] = 1
    return bytes(data)


def not_converted() -> bytes:
    """Red, green and blue as they are, and no Adobe marker that says so."""
    data = encoded(picture(), "JPEG", quality=95, keep_rgb=True)
    return re.sub(rb"\xff\xee\x00\x0eAdobe.{7}", b"", data, flags=re.DOTALL)


def fax(said: bytes = b"/K -1/Columns 64/Rows 48", data: bytes | None = None, bits: int = 1, width: int = WIDTH) -> bytes:
    data = bilevel.fax(picture("1")) if data is None else data
    return stream(data, fields(b"/DeviceGray", bits, width) + b"/Filter/CCITTFaxDecode/DecodeParms<<%b>>" % said)


KEPT: dict[str, Callable[[], bytes]] = {
    "JPEG 2000 without a colour space": lambda: page(stream(encoded(picture(), "JPEG2000"), SIDES + JPX)),
    "grey JPEG 2000 without a colour space": lambda: page(stream(encoded(picture("L"), "JPEG2000"), SIDES + JPX)),
    "JPEG 2000 of 16 bits": lambda: page(stream(encoded(_deep(), "JPEG2000"), fields(b"/DeviceGray") + JPX)),
    "JPEG 2000 in four inks": lambda: page(stream(encoded(picture("CMYK"), "JPEG2000"), fields(b"/DeviceCMYK") + JPX)),
    "JPEG 2000 with a hole": lambda: page(stream(encoded(_holed(), "JPEG2000"), fields() + b"/SMaskInData 1" + JPX)),
    "JPEG 2000 that says so and is not believed": lambda: page(stream(encoded(seen_through(), "JPEG2000"), fields() + JPX)),
    "JPEG 2000 of noise": lambda: page(stream(encoded(noise("RGB"), "JPEG2000", quality_mode="rates", quality_layers=[40]), fields() + JPX)),
    "JPEG whose colours are not converted": lambda: page(stream(not_converted(), fields() + DCT + b"/DecodeParms<</ColorTransform 0>>")),
    "JPEG with its tables in another place": lambda: page(stream(second_table(picture()), fields() + DCT)),
    "grey JPEG with its table in another place": lambda: page(stream(second_table(picture("L")), fields(b"/DeviceGray") + DCT)),
    "fax in more bits than it has": lambda: page(fax(bits=8)),
    "fax of noise": lambda: page(fax(b"/K 0/Columns 64/Rows 48/EndOfLine true/BlackIs1 false", lines(noise("1")))),
    "fax of lines that no line resembles": lambda: page(fax(b"/K 0/Columns 640/Rows 48/EndOfLine true", lines(_combed()), width=640)),
    "samples in short rows": lambda: page(stream(b"\x55" * 99, b"/Type/XObject/Subtype/Image/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 4")),
}  # fmt: skip


@pytest.mark.parametrize("kind", KEPT)
def test_what_a_reader_draws_is_drawn_afterwards(kind: str) -> None:
    before = KEPT[kind]()
    assert pdf_views.inked(pdf_views.pictures(before)[0]) > 500
    outcome = run(before, "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    after = delivered(outcome)
    assert apart(before, after) < 2.5
    assert run(after, "a.pdf").report.verdict is Verdict.CLEAN
    for codec in (b"JPXDecode", b"JBIG2Decode"):
        assert codec not in after


# Where readers draw different things nobody can say what was meant.
DIFFERENT: dict[str, bytes] = {
    "grey JPEG 2000 that one sees through": stream(encoded(seen_through().convert("LA"), "JPEG2000"), fields(b"/DeviceGray") + b"/SMaskInData 1" + JPX),
    "a grey JPEG without a colour space": stream(encoded(picture("L"), "JPEG", quality=90), SIDES + DCT),
    "a JPEG in colours without a colour space": stream(encoded(picture(), "JPEG", quality=90), SIDES + DCT),
}  # fmt: skip


@pytest.mark.parametrize("kind", DIFFERENT)
def test_what_readers_draw_differently_holds_the_file(kind: str) -> None:
    outcome = run(page(DIFFERENT[kind]), "a.pdf")
    assert outcome.content is None
    assert "pdf.looks_different" in codes(outcome)


LEFT_OUT: dict[str, bytes] = {
    "rows of no columns": stream(b"x", fields() + b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 0>>"),
    "rows by an unknown rule": stream(b"x", fields() + b"/Filter/FlateDecode/DecodeParms<</Predictor 7/Columns 64>>"),
    "a fax of no columns": fax(said=b"/K -1/Columns 0"), "a fax of too many rows": fax(said=b"/K -1/Columns 64/Rows 9999999"),
    "JPEG 2000 of three colours for four inks": stream(encoded(picture(), "JPEG2000"), fields(b"/DeviceCMYK") + JPX),
    "a JPEG in four inks with its table in another place": stream(second_table(picture("CMYK")), fields(b"/DeviceCMYK") + DCT),
    "a JPEG with its table in another place and no colour space": stream(second_table(picture()), SIDES + DCT),
    "grey JPEG 2000 of 16 bits for colours": stream(encoded(_deep(), "JPEG2000"), fields() + JPX),
    "grey JPEG 2000 that one sees through for colours": stream(encoded(seen_through().convert("LA"), "JPEG2000"), fields() + JPX),
    "JPEG 2000 that one sees through for grey": stream(encoded(seen_through(), "JPEG2000"), fields(b"/DeviceGray") + JPX),
    "a JPEG that is none": stream(b"JFIF", fields() + DCT), "a JPEG that breaks off": stream(b"\xff\xd8\xff\xdb\x00", fields() + DCT),
    "a JPEG 2000 that breaks off": stream(encoded(picture(), "JPEG2000")[:90], fields() + JPX),
    "samples by an unknown filter": stream(b"x", fields() + b"/Filter/X"), "samples by nine filters": stream(b"x", fields() + b"/Filter[%b]" % (b"/AHx" * 99)),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_what_none_can_read_is_left_out_by_name(kind: str) -> None:
    outcome = run(page(LEFT_OUT[kind]), "a.pdf")
    assert "pdf.unreadable_image" in codes(outcome)
    after = delivered(outcome)
    assert b"/Subtype/Image" not in after


def inline(said: bytes, data: bytes, resources: bytes = b"") -> bytes:
    return document(one_page(b"q 256 0 0 192 20 20 cm BI %b ID %b\nEI Q" % (said, data), resources))


GREY = Image.linear_gradient("L").resize((16, 12))
PALETTE = bytes(range(0, 96, 2)) * 2
INLINE: dict[str, bytes] = {
    "a stencil": inline(b"/W 16 /H 12 /IM true /D [1 0] /I true", b"\x55\xaa" * 12),
    "rows with a rule": inline(
        b"/W 16 /H 12 /CS /G /BPC 8 /F /Fl /DP << /Predictor 12 /Columns 16 >>",
        zlib.compress(b"".join(b"\x00" + GREY.tobytes()[row * 16 : row * 16 + 16] for row in range(12))),
    ),
    "a table of colours": inline(b"/W 16 /H 12 /CS [/I /RGB 15 <%b>] /BPC 4" % (PALETTE[:48].hex().encode()), bytes(range(8)) * 12),
    "a long table of colours": inline(b"/W 16 /H 12 /CS [/I /RGB 255 <%b>] /BPC 8" % (bytes(range(256)) * 3).hex().encode(), bytes(range(64, 256)) ),
    "a colour space of the resources": inline(b"/W 16 /H 12 /CS /C1 /BPC 8", GREY.tobytes(), b"/ColorSpace<</C1[/Indexed/DeviceRGB 255 <%b>]>>" % (bytes(range(256)) * 3).hex().encode()),
}  # fmt: skip


@pytest.mark.parametrize("kind", INLINE)
def test_inline_pictures_are_drawn_afterwards(kind: str) -> None:
    outcome = run(INLINE[kind], "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN, outcome.report.findings
    after = delivered(outcome)
    assert pdf_views.inked(pdf_views.pictures(INLINE[kind])[0]) > 500
    assert apart(INLINE[kind], after) == 0


WRONG_INLINE: dict[str, bytes] = {
    "no width": inline(b"/H 12 /CS /G /BPC 8", bytes(192)), "no colour space": inline(b"/W 16 /H 12 /BPC 8", bytes(192)),
    "a table that is none": inline(b"/W 16 /H 12 /CS [/I /RGB 15 7] /BPC 8", bytes(192)), "an unknown filter": inline(b"/W 16 /H 12 /CS /G /BPC 8 /F /X", bytes(192)),
    "a colour space that is nowhere": inline(b"/W 16 /H 12 /CS /C1 /BPC 8", bytes(192)),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_INLINE)
def test_inline_pictures_that_none_can_read_are_left_out(kind: str) -> None:
    outcome = run(WRONG_INLINE[kind], "a.pdf")
    assert ("pdf.invalid_operator", "inline image") in {(finding.code, finding.detail) for finding in outcome.report.findings}
    assert all(b"EI" not in part for part in pdf_views.inflated(delivered(outcome)))


def test_an_inline_picture_without_data_ends_where_it_stops_making_sense() -> None:
    for content in (b"BI /W 16 (x) Tj", b"BI /W 16", b"BI /W ] 0 0 9 9 re f", b"BI /W 1 EI q Q"):
        outcome = run(document(one_page(content)), "a.pdf")
        assert [finding.code for finding in outcome.report.findings] == ["pdf.invalid_operator"]
        assert "inline image without data" in outcome.report.findings[0].detail
        assert all(b"BI" not in part for part in pdf_views.inflated(delivered(outcome)))


def test_a_long_inline_picture_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Viewers read what is inline byte by byte; the second pass finds what the first let through."""
    monkeypatch.setattr(images, "_MAX_INLINE", 20)
    outcome = run(INLINE["a colour space of the resources"], "a.pdf")
    assert ("pdf.invalid_operator", "inline image") in {(finding.code, finding.detail) for finding in outcome.report.findings}


def test_pictures_of_our_own_are_known_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it they are encoded once more, and nothing else changes."""
    monkeypatch.setattr(images, "_MAX_OWN", 0)
    monkeypatch.setattr(images, "_OWN", set())
    outcome = run(page(stream(encoded(picture(), "JPEG", quality=90), fields() + DCT)), "a.pdf")
    assert outcome.report.verdict is Verdict.CLEAN
    assert not images._OWN
    with pikepdf.open(io.BytesIO(delivered(outcome))) as opened:
        assert opened.pages[0].obj.Resources.XObject.I.Filter == "/DCTDecode"
