"""What every kind of picture has in common: pixels kept, limits, refusals, twice equals once, a second opinion that agrees."""

from __future__ import annotations

import io

import magic
import pytest
from PIL import Image, ImageChops, ImageSequence

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Action, Kind, LimitExceeded, Limits, Refused
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import changes, sanitize

CLEAN = {
    "jpeg": (Kind.JPEG, lambda: build.saved(build.scene(), "JPEG", quality=85)),
    "jpeg-grey": (Kind.JPEG, lambda: build.saved(build.scene(mode="L"), "JPEG", quality=85)),
    "jpeg-progressive": (Kind.JPEG, lambda: build.saved(build.scene(), "JPEG", quality=85, progressive=True)),
    "jpeg-cmyk": (Kind.JPEG, lambda: build.saved(build.scene(mode="CMYK"), "JPEG", quality=95)),
    **{
        f"png-{mode}": (Kind.PNG, lambda mode=mode: build.saved(build.scene(mode=mode), "PNG"))
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
    },
    "png-key": (Kind.PNG, lambda: build.saved(build.scene(), "PNG", transparency=(250, 10, 10))),
    "apng": (Kind.PNG, lambda: _animated("PNG", "RGBA")),
    "apng-palette": (Kind.PNG, lambda: _animated("PNG", "P")),
    "gif": (Kind.GIF, lambda: build.saved(build.scene(mode="P"), "GIF")),
    "gif-animated": (Kind.GIF, lambda: _animated("GIF", "P")),
    "bmp": (Kind.BMP, lambda: build.saved(build.scene(), "BMP")),
    "bmp-palette": (Kind.BMP, lambda: build.saved(build.scene(mode="P"), "BMP")),
    "bmp-bilevel": (Kind.BMP, lambda: build.saved(build.scene(mode="1"), "BMP")),
    "tiff": (Kind.TIFF, lambda: build.tiff([build.scene(), build.scene(mode="L"), build.scene(mode="P")], compression="tiff_lzw")),
    "tiff-raw": (Kind.TIFF, lambda: build.tiff([build.scene(mode="I;16")])),
    "tiff-fax": (Kind.TIFF, lambda: build.tiff([build.scene(mode="1"), build.scene((200, 90), "1")], compression="group4")),
    "webp": (Kind.WEBP, lambda: build.saved(build.scene(), "WEBP", quality=80)),
    "webp-lossless": (Kind.WEBP, lambda: build.saved(build.scene(mode="RGBA"), "WEBP", lossless=True, exact=True)),
    "webp-alpha": (Kind.WEBP, lambda: build.saved(build.scene(mode="RGBA"), "WEBP", quality=80)),
    "webp-animated": (Kind.WEBP, lambda: _animated("WEBP", "RGBA", lossless=True)),
    "ico": (Kind.ICO, lambda: build.saved(build.scene((64, 64), "RGBA"), "ICO", sizes=[(16, 16), (64, 64)])),
    "ico-bmp": (Kind.ICO, lambda: build.saved(build.scene((32, 32), "RGBA"), "ICO", sizes=[(32, 32)], bitmap_format="bmp")),
}
LOSSY = {"jpeg", "jpeg-grey", "jpeg-progressive", "jpeg-cmyk", "webp", "webp-alpha"}
MIME = {
    Kind.JPEG: "image/jpeg", Kind.PNG: "image/png", Kind.GIF: "image/gif", Kind.BMP: "image/bmp", Kind.TIFF: "image/tiff",
    Kind.WEBP: "image/webp", Kind.ICO: "image/vnd.microsoft.icon",
}  # fmt: skip


def _animated(plugin: str, mode: str, **options: object) -> bytes:
    first = build.scene(mode="RGB")
    frames = [ImageChops.offset(first, 7 * step, 0) for step in range(4)]
    frames = [frame.quantize(32) if mode == "P" else frame.convert(mode) for frame in frames]
    return build.saved(frames[0], plugin, save_all=True, append_images=frames[1:], duration=[40, 80, 120, 500], loop=3, **options)


def rebuilt(name: str) -> tuple[bytes, bytes, Kind, object]:
    kind, make = CLEAN[name]
    data = make()
    made, context = sanitize(SANITIZER, data, kind)
    return data, made.content.bytes(), made.kind, context


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_picture_keeps_its_meaning(name: str) -> None:
    data, output, kind, context = rebuilt(name)
    assert kind is CLEAN[name][0]
    assert changes(context) == []
    assert magic.from_buffer(output, mime=True) == MIME[kind]
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(output))
    assert getattr(before, "n_frames", 1) == getattr(after, "n_frames", 1)
    for old, new in zip(ImageSequence.Iterator(before), ImageSequence.Iterator(after), strict=True):
        assert old.size == new.size
        assert old.info.get("duration") == new.info.get("duration")
        _alike(old, new, exactly=name not in LOSSY)
    assert before.info.get("loop") == after.info.get("loop")


def _alike(old: Image.Image, new: Image.Image, *, exactly: bool) -> None:
    if exactly and old.mode.startswith("I;16"):
        assert old.tobytes() == new.tobytes()
        return
    pairs = ImageChops.difference(old.convert("RGBA"), new.convert("RGBA"))
    worst = [high for _, high in pairs.getextrema()]
    average = sum(sum(band.tobytes()) for band in pairs.split()) / (4 * old.width * old.height)
    assert worst == [0, 0, 0, 0] if exactly else average < 3


@pytest.mark.parametrize("name", CLEAN)
def test_twice_equals_once_and_the_second_opinion_agrees(name: str) -> None:
    data, output, kind, context = rebuilt(name)
    VERIFIERS[kind](Source(output), Source(data), context)
    again, second = sanitize(SANITIZER, output, kind)
    assert changes(second) == []
    assert again.kind is kind
    if name not in LOSSY:
        assert again.content.bytes() == output


@pytest.mark.parametrize("name", CLEAN)
def test_a_picture_cut_in_half_is_refused(name: str) -> None:
    kind, make = CLEAN[name]
    data = make()
    with pytest.raises(Refused):
        sanitize(SANITIZER, data[: len(data) // 2], kind)


@pytest.mark.parametrize("name", CLEAN)
def test_more_pixels_than_the_limit_are_refused_before_decoding(name: str) -> None:
    kind, make = CLEAN[name]
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, make(), kind, limits=Limits(pixels=200))


@pytest.mark.parametrize("name", ["apng", "gif-animated", "tiff", "webp-animated", "ico"])
def test_more_frames_than_the_limit_are_refused(name: str) -> None:
    kind, make = CLEAN[name]
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, make(), kind, limits=Limits(frames=1))


@pytest.mark.parametrize("kind", sorted(SANITIZER.kinds))
@pytest.mark.parametrize("data", [b"", b"GIF", b"%PDF-1.7\n1 0 obj", b"push graphic-context\nviewbox 0 0 1 1", b"\0" * 200])
def test_another_kind_under_this_name_is_refused(kind: Kind, data: bytes) -> None:
    """I06: a PDF, PostScript or MVG never reaches another plugin by its name."""
    with pytest.raises(Refused):
        sanitize(SANITIZER, data, kind)


@pytest.mark.parametrize("name", [name for name in CLEAN if not name.startswith("ico")])
def test_damage_at_any_place_is_refused_or_harmless(name: str) -> None:
    """Whatever byte is broken: a Refused, or a picture that the second opinion passes. Anything else would raise here."""
    kind, make = CLEAN[name]
    data = make()
    for at in range(0, len(data), max(1, len(data) // 40)):
        broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        try:
            made, context = sanitize(SANITIZER, broken, kind)
            VERIFIERS[made.kind](made.content, Source(broken), context)
        except Refused:
            continue


def test_heic_and_avif_come_out_as_jpeg_or_png() -> None:
    for plugin, kind in (("AVIF", Kind.AVIF), ("HEIF", Kind.HEIC)):
        for mode, expected in (("RGB", Kind.JPEG), ("RGBA", Kind.PNG)):
            soft = build.soft(mode)
            data = build.saved(soft, plugin, quality=95)
            made, context = sanitize(SANITIZER, data, kind)
            assert made.kind is expected
            assert [finding.code for finding in changes(context)] == ["image.converted"]
            VERIFIERS[expected](made.content, Source(data), context)
            _alike(soft, build.opened(made.content.bytes()), exactly=False)


def test_avif_turns_and_metadata() -> None:
    block = build.exif(6, gps=True, maker=build.CANARY)
    data = build.saved(build.scene(), "AVIF", quality=95, exif=b"Exif\0\0" + block)
    made, context = sanitize(SANITIZER, data, Kind.AVIF)
    assert {finding.code for finding in changes(context)} == {"image.converted", "image.gps", "image.metadata"}
    output = made.content.bytes()
    assert build.CANARY not in output
    assert build.TAKEN in output
    assert build.opened(output).size == (64, 96)


def test_jpeg_2000_lossless_becomes_png_and_lossy_jpeg() -> None:
    lossless, context = sanitize(SANITIZER, build.saved(build.scene(), "JPEG2000"), Kind.JP2)
    assert lossless.kind is Kind.PNG
    _alike(build.scene(), build.opened(lossless.content.bytes()), exactly=True)
    assert [(finding.code, finding.action) for finding in changes(context)] == [("image.converted", Action.REWRITTEN)]
    lossy, _ = sanitize(SANITIZER, build.saved(build.scene(), "JPEG2000", irreversible=True, quality_layers=[20]), Kind.JP2)
    assert lossy.kind is Kind.JPEG
