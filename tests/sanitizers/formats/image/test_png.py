"""PNG: chunks, palettes, bombs."""

from __future__ import annotations

import struct
import zlib

import pytest
from PIL import Image, ImageChops

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, LimitExceeded, Malformed, Refused
from tests.build import image as build
from tests.build.context import changes, sanitize
from tests.build.image import png_chunk

CANARY = build.CANARY
DANGERS = {
    "text": ("image.metadata", png_chunk(b"tEXt", b"Comment\0" + CANARY)),
    "ztext": ("image.metadata", png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(CANARY))),
    "itext": ("image.metadata", png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + CANARY)),
    "exif": ("image.metadata", png_chunk(b"eXIf", build.exif(maker=CANARY))),
    "gps": ("image.gps", png_chunk(b"eXIf", build.exif(gps=True))),
    "private": ("image.private_chunk", png_chunk(b"seKi", CANARY)),
    "profile": ("image.color_profile", png_chunk(b"iCCP", b"x\0\0" + zlib.compress(CANARY * 20))),
    "checksum": ("image.private_chunk", png_chunk(b"pHYs", CANARY[:9])[:-1] + b"\0"),
}


def run(data: bytes, **options: object) -> tuple[bytes, set[str]]:
    made, context = sanitize(SANITIZER, data, Kind.PNG, **options)
    again, second = sanitize(SANITIZER, made.content.bytes(), Kind.PNG, **options)
    assert changes(second) == []
    assert again.content.bytes() == made.content.bytes()
    return made.content.bytes(), {finding.code for finding in changes(context)}


@pytest.mark.parametrize("name", DANGERS)
def test_each_danger_is_gone_and_named(name: str) -> None:
    """I02, I03."""
    code, chunk = DANGERS[name]
    output, codes = run(build.png_with(chunk))
    assert codes == {code}
    assert CANARY not in output
    assert {found for found, _ in build.png_chunks(output)} <= {b"IHDR", b"IDAT", b"IEND", b"eXIf"}


def test_what_follows_the_end_is_gone() -> None:
    output, codes = run(build.png_with(tail=b"PK\x03\x04" + CANARY))
    assert codes == {"image.trailing_data"}
    assert build.png_chunks(output)[-1] == (b"IEND", b"")


def test_a_palette_spells_nothing() -> None:
    """I04: every colour is used, so none is dropped; the order is ours."""
    text = b"<script>alert('SEKISHO-CANARY')</script>abcdef"
    data = build.png_spelling_palette(text)
    output, _ = run(data)
    assert text[:12] not in output
    shown, meant = build.opened(output).convert("RGB"), build.opened(data).convert("RGB")
    assert ImageChops.difference(shown, meant).getbbox() is None


def test_unused_colours_are_dropped() -> None:
    rows = b"".join(b"\0" + bytes(8) for _ in range(8))
    data = build.png_of(8, 8, 8, 3, rows, png_chunk(b"PLTE", b"\x10\x20\x30" + CANARY[:18]))
    output, _ = run(data)
    assert dict(build.png_chunks(output))[b"PLTE"] == b"\x10\x20\x30"


def test_stored_rows_spell_nothing() -> None:
    """I04: pixels in a stored deflate block stand in the file as they are; a new coding hides them or refuses."""
    row = (b"<?php system('id');?>" * 20)[:300]
    data = build.png_of(100, 60, 8, 2, b"".join(b"\0" + row for _ in range(60)), level=0)
    assert b"<?php" in data
    output, _ = run(data)
    assert b"<?php" not in output


def test_transparency_of_every_kind_is_kept() -> None:
    key = build.saved(build.scene(mode="L"), "PNG", transparency=40)
    palette = build.saved(build.scene(mode="P"), "PNG", transparency=bytes(range(0, 240, 5)))
    for data in (key, palette):
        output, _ = run(data)
        assert ImageChops.difference(build.opened(output).convert("RGBA"), build.opened(data).convert("RGBA")).getbbox() is None


def test_resolution_and_gamma_stay_as_numbers() -> None:
    gamma, density = struct.pack(">I", 100_000), struct.pack(">IIB", 11_811, 11_811, 1)
    output, codes = run(build.png_with(png_chunk(b"gAMA", gamma), png_chunk(b"pHYs", density)))
    assert codes == set()
    chunks = dict(build.png_chunks(output))
    assert (chunks[b"gAMA"], chunks[b"pHYs"]) == (gamma, density)


def test_hints_are_left_behind_silently() -> None:
    hints = png_chunk(b"sRGB", b"\0"), png_chunk(b"gAMA", struct.pack(">I", 45_455)), png_chunk(b"sBIT", b"\x08\x08\x08")
    assert run(build.png_with(*hints))[1] == set()


def test_a_foreign_profile_is_applied_to_pixels_and_palettes() -> None:
    for mode in ("RGB", "RGBA", "P"):
        red = Image.new("RGB", (8, 8), (255, 0, 0)).convert(mode)
        output, codes = run(build.saved(red, "PNG", icc_profile=build.display_profile()))
        assert codes == {"image.color_profile"}
        pixel = build.opened(output).convert("RGB").getpixel((3, 3))
        assert pixel[1] > 200 > 60 > pixel[0]


def test_exif_turns_the_picture() -> None:
    output, codes = run(build.png_with(png_chunk(b"eXIf", build.exif(8, taken=None))))
    assert codes == set()
    assert ImageChops.difference(build.opened(output), build.scene().transpose(Image.Transpose.ROTATE_90)).getbbox() is None


def test_sixteen_bit_colours_are_reduced_and_reported() -> None:
    rows = b"".join(b"\0" + bytes((x * 5 + c) % 256 for x in range(16) for c in range(6)) for _ in range(8))
    output, codes = run(build.png_of(16, 8, 16, 2, rows))
    assert codes == {"image.depth_reduced"}
    assert build.opened(output).getpixel((3, 0)) == (15, 17, 19)


def test_bombs_stop_at_the_limits() -> None:
    """I05."""
    one_row = b"\0" * (30_000 // 8 + 1)
    with pytest.raises(LimitExceeded):
        run(build.png_of(30_000, 30_000, 1, 0, one_row * 1_000))
    with pytest.raises(LimitExceeded):
        run(build.png_of(2**31 - 1, 2**31 - 1, 8, 6, b"\0"))


@pytest.mark.parametrize(
    "data",
    [
        build.png_of(8, 8, 8, 3, bytes(72)),                                                              # no palette
        build.png_of(8, 8, 8, 3, b"\0\x05\x05\x05\x05\x05\x05\x05\x05" * 8, png_chunk(b"PLTE", bytes(6))),  # colour 5 of 2
        build.png_of(8, 8, 8, 2, bytes(30)),                                                              # too few rows
        build.png_with(png_chunk(b"SeKi", b"")),                                                          # unknown critical chunk
        build.png_with(build.saved(build.scene(), "PNG")[8:33]),                                          # two headers
        build.png_with()[:-30],
        build.png_with()[:-40] + b"\0" + build.png_with()[-39:],                                          # wrong checksum
    ],
)
def test_broken_pictures_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        run(data)


def test_a_frame_outside_of_its_animation_is_refused() -> None:
    frames = [build.scene(), ImageChops.invert(build.scene())]
    data = build.saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    at = data.rindex(b"fcTL") + 4
    body = struct.pack(">IIIIIHHBB", 1, 96, 64, 50, 0, 1, 10, 0, 0)
    broken = data[: at - 8] + png_chunk(b"fcTL", body) + data[at + 30 :]
    with pytest.raises(Malformed):
        run(broken)
