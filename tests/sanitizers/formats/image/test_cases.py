"""Pictures: the catalogue of attacks, one built case each through the whole engine; what came out is looked at by other programs than ours."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from xml.parsers import expat

import magic
import pytest
import segno
import zxingcpp
from PIL import Image, ImageChops

from sanitizers.context import Outcome
from sanitizers.formats.image import SANITIZER
from sanitizers.model import Action, Kind, LimitExceeded
from sanitizers.source import Source
from tests.build import eyes, image_heif
from tests.build import image as build
from tests.build import metafile as build_metafile
from tests.build import svg as build_svg
from tests.build.context import context, run

CASES = {
    "I01": "test_i01_another_file_behind_the_picture_and_a_script_in_its_comment",
    "I02": "test_i02_metadata_of_every_family",
    "I03": "test_i03_chunks_of_a_png",
    "I04": "test_i04_pixels_and_palettes_that_spell_a_script",
    "I05": "test_i05_pictures_without_end",
    "I06": "test_i06_another_kind_under_the_name_of_a_picture",
    "I07": "test_i07_formats_with_large_decoders_do_not_go_out",
    "I08": "test_i08_a_message_in_the_lowest_bits",
    "I09": "test_i09_drawings_that_run_or_reach_out",
    "I10": "test_i10_metafiles_that_call_a_printer",
    "I11": "test_i11_an_address_in_a_qr_code",
}
CANARY = build.CANARY
PAYLOAD = b"<script>" + CANARY + b"</script>"


def test_every_case_has_its_test() -> None:
    assert list(CASES) == [f"I{number:02}" for number in range(1, 12)]
    for case, name in CASES.items():
        assert name.startswith(f"test_{case.lower()}_")
        assert callable(globals()[name])


def codes(outcome: Outcome) -> set[str]:
    return {finding.code for finding in outcome.report.findings}


def content(outcome: Outcome) -> bytes:
    assert outcome.content is not None, outcome.report.findings
    return outcome.content.bytes()


def same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None


@pytest.mark.parametrize("tail", [b"PK\3\4" + PAYLOAD + b"PK\5\6" + bytes(18), b"<?php " + PAYLOAD, b"<hta:application>" + PAYLOAD])
def test_i01_another_file_behind_the_picture_and_a_script_in_its_comment(tail: bytes) -> None:
    outcome = run(build.jpeg_with(build.jpeg_segment(0xFE, PAYLOAD), tail=tail), "a.jpg")
    output = content(outcome)
    assert {"image.trailing_data", "image.comment"} <= codes(outcome)
    assert output.count(b"\xff\xd9") == 1
    assert output.endswith(b"\xff\xd9")
    assert CANARY not in output
    assert eyes.beyond_structure(output) == set()
    assert eyes.by_djpeg(output).startswith(b"P6\n96 64\n255\n")


SPOKEN = {
    "a.jpg": lambda block: build.jpeg_with(
        build.jpeg_segment(0xE1, b"Exif\0\0" + block), build.jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + PAYLOAD),
        build.jpeg_segment(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0" + struct.pack(">I", len(PAYLOAD)) + PAYLOAD),
        build.jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + PAYLOAD * 9),
    ),
    "a.png": lambda block: build.png_with(build.png_chunk(b"eXIf", block), build.png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PAYLOAD)),
    "a.webp": lambda block: build.webp_with(build.scene(), (b"EXIF", block), (b"XMP ", PAYLOAD), lossless=True),
    "a.tif": lambda block: build.tiff([build.scene()], tiffinfo={270: PAYLOAD.decode(), 305: PAYLOAD.decode(), 700: PAYLOAD, 34853: {1: "N"}}),
    "a.avif": lambda block: build.saved(build.soft(), "AVIF", exif=b"Exif\0\0" + block, xmp=PAYLOAD),
    "a.heic": lambda block: build.saved(build.soft(), "HEIF", exif=b"Exif\0\0" + block, xmp=PAYLOAD),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOKEN)
def test_i02_metadata_of_every_family(name: str) -> None:
    outcome = run(SPOKEN[name](build.exif(maker=PAYLOAD, gps=True, taken=build.TAKEN)), name)
    output = content(outcome)
    assert {"image.gps", "image.metadata"} <= codes(outcome)
    assert CANARY not in output
    dates = {"ExifIFD:DateTimeOriginal"} if name != "a.tif" else set()
    assert eyes.beyond_structure(output) == dates
    if dates:
        assert eyes.said(output)["ExifIFD:DateTimeOriginal"] == build.TAKEN.decode()


def test_i03_chunks_of_a_png() -> None:
    chunks = [build.png_chunk(name, PAYLOAD) for name in (b"tEXt", b"iTXt", b"zTXt", b"seKi", b"prVt", b"eXIf", b"iCCP", b"tIME", b"sPLT")]
    output = content(run(build.png_with(*chunks, tail=PAYLOAD), "a.png"))
    assert {name for name, _ in build.png_chunks(output)} == {b"IHDR", b"IDAT", b"IEND"}
    assert CANARY not in output
    assert eyes.beyond_structure(output) == set()
    assert same(build.opened(output), build.scene())


def _raw_png() -> bytes:
    row = (PAYLOAD * 20)[:300]
    return build.png_of(100, 60, 8, 2, b"".join(b"\0" + row for _ in range(60)), level=0)


def _gif_palette() -> bytes:
    picture = Image.frombytes("P", (30, 10), bytes(x % 12 for x in range(300)))
    picture.putpalette(PAYLOAD[:36])
    return build.saved(picture, "GIF", optimize=False)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.png", lambda: build.png_spelling_palette(PAYLOAD + b"abcdef")),
        ("b.png", _raw_png),
        ("a.gif", _gif_palette),
        ("a.bmp", lambda: build.bmp_speaking(PAYLOAD)),
    ],
)
def test_i04_pixels_and_palettes_that_spell_a_script(name: str, make: Callable[[], bytes]) -> None:
    data = make()
    assert b"<script>" in data
    output = content(run(data, name))
    assert b"<script" not in output
    assert CANARY not in output
    assert same(build.opened(output), build.opened(data))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.png", lambda: build.png_of(30_000, 30_000, 1, 0, b"\0" * 3_751_000)),
        ("a.bmp", lambda: build.bmp((30_000, 30_000), 1, b"", palette=build.bmp_palette(2))),
        ("a.gif", lambda: build.gif(100_000)),
        ("a.tif", build.tiff_loop),
    ],
)
def test_i05_pictures_without_end(name: str, make: Callable[[], bytes]) -> None:
    with pytest.raises(LimitExceeded):
        run(make(), name)


@pytest.mark.parametrize("name", ["a.gif", "a.jpg", "a.png"])
@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n",
        b"push graphic-context\nviewbox 0 0 640 480\nfill 'url(https://192.0.2.1/x\"|id\")'\npop graphic-context\n",
        b"<?xml version='1.0'?><image><read filename='/etc/passwd'/></image>",
    ],
)
def test_i06_another_kind_under_the_name_of_a_picture(data: bytes, name: str) -> None:
    """Nothing that a drawing program would run goes out as a picture; a picture of another kind goes out under its own name."""
    outcome = run(data, name)
    if outcome.content is not None:
        assert "file.kind_mismatch" in codes(outcome)
        assert outcome.report.output is not None
        assert outcome.report.output.kind in (Kind.TEXT, Kind.XML)
        assert outcome.report.output.name.endswith((".txt", ".xml"))


def test_i06_a_picture_under_the_name_of_another() -> None:
    outcome = run(build.saved(build.scene(), "PNG"), "a.jpg")
    assert codes(outcome) == {"file.kind_mismatch"}
    assert outcome.report.output is not None
    assert (outcome.report.output.name, outcome.report.output.kind) == ("a.png", Kind.PNG)
    assert magic.from_buffer(content(outcome), mime=True) == "image/png"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.heic", lambda: image_heif.heic(build.soft())),
        ("b.heic", lambda: image_heif.grid(build.soft().resize((150, 100)))),
        ("c.heic", lambda: image_heif.several(build.soft(), build.scene())),
        ("d.heic", image_heif.ten_bits),
        ("a.avif", lambda: build.saved(build.soft("RGBA"), "AVIF")),
        ("a.jp2", lambda: build.saved(build.scene(), "JPEG2000")),
    ],
)
def test_i07_formats_with_large_decoders_do_not_go_out(name: str, make: Callable[[], bytes]) -> None:
    outcome = run(make(), name)
    assert "image.converted" in codes(outcome)
    assert magic.from_buffer(content(outcome), mime=True) in ("image/jpeg", "image/png")


def test_i07_webp_is_coded_anew() -> None:
    data = build.saved(build.scene(), "WEBP", lossless=True, exact=True)
    output = content(run(data, "a.webp"))
    assert same(build.opened(output), build.opened(data))
    assert eyes.beyond_structure(output) == set()


def _hidden(picture: Image.Image, message: bytes) -> Image.Image:
    """The message in the lowest bits, one a byte, most significant bit first."""
    data = bytearray(picture.tobytes())
    for at, bit in enumerate(f"{int.from_bytes(message, 'big'):0{8 * len(message)}b}"):
        data[at] = data[at] & 0xFE | int(bit)
    return Image.frombytes(picture.mode, picture.size, bytes(data))


def _found(picture: Image.Image, length: int) -> bytes:
    bits = "".join(str(value & 1) for value in picture.tobytes()[: 8 * length])
    return int(bits, 2).to_bytes(length, "big")


@pytest.mark.parametrize(("plugin", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("BMP", "RGB"), ("TIFF", "RGB"), ("WEBP", "RGBA")])
def test_i08_a_message_in_the_lowest_bits(plugin: str, mode: str) -> None:
    """Policy decides: pixels exactly as they were, or without what their lowest bits could say."""
    options: dict[str, object] = {"lossless": True, "exact": True} if plugin == "WEBP" else {}
    data = build.saved(_hidden(build.scene(mode=mode), CANARY), plugin, **options)
    exactly = build.opened(content(run(data, f"a.{plugin.lower()}")))
    assert _found(exactly, len(CANARY)) == CANARY
    cleared = content(run(data, f"a.{plugin.lower()}", low_bits_cleared=True))
    assert _found(build.opened(cleared), len(CANARY)) != CANARY
    assert {value & 1 == value >> 7 for value in build.opened(cleared).tobytes()} == {True}
    difference = ImageChops.difference(build.opened(cleared).convert("RGBA"), build.opened(data).convert("RGBA"))
    assert max(high for _, high in difference.getextrema()) <= 1
    assert content(run(cleared, f"a.{plugin.lower()}", low_bits_cleared=True)) == cleared


def test_i08_palettes_and_coefficients_too() -> None:
    data = build.saved(build.scene(mode="P"), "PNG")
    assert all(value & 1 == value >> 7 for value in build.opened(content(run(data, "a.png", low_bits_cleared=True))).convert("RGB").tobytes())
    data = build.saved(build.scene(), "JPEG", quality=80)
    kept, coarser = (build.opened(content(run(data, "a.jpg", low_bits_cleared=wanted))).quantization for wanted in (False, True))
    assert kept == build.opened(data).quantization
    assert all(new > old for number in kept for new, old in zip(coarser[number], kept[number], strict=True))


def test_i09_drawings_that_run_or_reach_out() -> None:
    """Each danger alone: tests/sanitizers/formats/test_svg.py. Here all of them at once, and read by expat."""
    inside = (
        "<script>alert(1)</script><rect onclick='a()'/><foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>"
        "<image href='http://192.0.2.1/a.png'/><use href='http://192.0.2.1/a.svg#a'/><style>@import '//192.0.2.1/a.css';</style>"
        "<a href='javascript:a()'><rect/></a>"
    )
    before = '<?xml-stylesheet href="http://192.0.2.1/x.css"?><!DOCTYPE svg [<!ENTITY a "x">]>'
    outcome = run(build_svg.drawing(inside, before=before), "a.svg")
    output = content(outcome)
    assert {
        "svg.script", "svg.event_handler", "svg.foreign_object", "svg.external_reference", "svg.stylesheet", "svg.active_link", "svg.dtd",
    } <= codes(outcome)  # fmt: skip
    seen: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: seen.append((name, attributes))
    parser.ProcessingInstructionHandler = parser.StartDoctypeDeclHandler = lambda *_: seen.append(("foreign", {}))
    parser.Parse(output, True)
    assert [name for name, _ in seen] == ["svg", "circle", "rect", "a", "rect"]
    assert not any(word in output for word in (b"192.0.2.1", b"script", b"onclick", b"import"))


def test_i10_metafiles_that_call_a_printer() -> None:
    """SetAbortProc by META_ESCAPE (CVE-2005-4560) and by EMR_EXTESCAPE, and EMF+; each danger alone: tests/sanitizers/formats/metafile."""
    wmf = build_metafile.wmf(build_metafile.escape(9, CANARY), build_metafile.wmf_record(0x041B, bytes(8)))
    emf = build_metafile.emf(
        build_metafile.record(106, struct.pack("<II", 9, 20) + CANARY), build_metafile.emf_plus(dual=True), build_metafile.rectangle(1, 2, 3, 4)
    )
    for name, data, expected in (("a.wmf", wmf, {"metafile.escape"}), ("a.emf", emf, {"metafile.escape", "metafile.emfplus"})):
        outcome = run(data, name)
        output = content(outcome)
        assert codes(outcome) == expected
        assert CANARY not in output
        assert b"EMF+" not in output
        assert "metafile" in magic.from_buffer(output).lower()


def _with_code(address: str, size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    drawn = io.BytesIO()
    segno.make(address).save(drawn, kind="png", scale=5, border=4)
    picture = build.scene(size)
    picture.paste(Image.open(drawn).convert("RGB"), (120, 60))
    return picture.quantize(64) if mode == "P" else picture.convert(mode)


@pytest.mark.parametrize(
    ("plugin", "mode"),
    [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("GIF", "P"), ("BMP", "P"), ("TIFF", "L"), ("WEBP", "RGB"), ("HEIF", "RGB")],
)
def test_i11_an_address_in_a_qr_code(plugin: str, mode: str) -> None:
    address = "https://example.jp/?" + CANARY.decode()
    if mode == "I;16":
        deep = _with_code(address, mode="L").tobytes()
        data = build.saved(Image.frombytes("I;16", (400, 300), bytes(byte for value in deep for byte in (0, value))), plugin)
    else:
        data = build.saved(_with_code(address, mode=mode), plugin)
    name = f"a.{plugin.lower()}"
    ignored, reported, covered = (run(data, name, picture_codes=wanted) for wanted in ("ignored", "reported", "covered"))
    assert "image.code" not in codes(ignored)
    for outcome, action in ((reported, Action.KEPT), (covered, Action.REWRITTEN)):
        assert [(f.where, f.action) for f in outcome.report.findings if f.code == "image.code"] == [(address, action)]
    seen = [[code.text for code in zxingcpp.read_barcodes(_shown(content(outcome)))] for outcome in (reported, covered)]
    assert seen == [[address], []]


def test_i11_the_second_pass_sees_a_code_that_is_left_in_a_tiff() -> None:
    for wanted, action in (("reported", set()), ("covered", {Action.REWRITTEN})):
        given = context("a.tif", Kind.TIFF, picture_codes=wanted)
        given.second_pass = True
        SANITIZER.sanitize(Source(build.saved(_with_code("https://example.jp/", mode="1"), "TIFF", compression="group4")), given)
        assert {finding.action for finding in given.findings if finding.code == "image.code"} == action


def _shown(data: bytes) -> Image.Image:
    picture = build.opened(data)
    if picture.mode == "I;16":
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture.convert("RGB").convert("L")


def test_i11_large_pictures_are_looked_at_in_a_smaller_copy() -> None:
    large = _with_code("https://example.jp/large").resize((4_000, 3_000), Image.Resampling.NEAREST)
    covered = run(build.saved(large, "PNG", compress_level=1), "a.png", picture_codes="covered")
    assert codes(covered) == {"image.code"}
    assert zxingcpp.read_barcodes(build.opened(content(covered)).convert("L").reduce(4)) == []


def test_i09_pictures_inside_drawings_are_rebuilt() -> None:
    picture = build.png_with(build.png_chunk(b"tEXt", b"a\0" + PAYLOAD), tail=PAYLOAD)
    output = content(run(build_svg.drawing(f'<image width="9" href="{build_svg.data_url(picture)}"/>'), "a.svg"))
    inside = base64.b64decode(output.partition(b"base64,")[2].partition(b'"')[0])
    assert CANARY not in inside
    assert zlib.crc32(inside[-8:-4]) == struct.unpack(">I", inside[-4:])[0]
    assert same(build.opened(inside), build.scene())
