"""PNG: chunks, palettes, bombs."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageChops

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Action, Kind, LimitExceeded, Malformed, Refused
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


# --- chunks that lie ---

PALETTE = png_chunk(b"PLTE", bytes(range(6)))
GREY_ROWS, RGB_ROWS = bytes(9) * 8, bytes(25) * 8


def _control(sequence: int = 0, width: int = 8, height: int = 8, x: int = 0, *, dispose: int = 0, blend: int = 0) -> bytes:
    return png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, width, height, x, 0, 1, 10, dispose, blend))


def _animated(*more: bytes, colour_type: int = 2, rows: bytes = RGB_ROWS, before: bytes = b"", first: bytes = _control(), depth: int = 8) -> bytes:
    """One frame that is the picture, and what comes after it."""
    plays = png_chunk(b"acTL", struct.pack(">II", 2, 0))
    data = build.png_of(8, 8, depth, colour_type, rows, before, plays, first)
    return data[:-12] + b"".join(more) + data[-12:]


def _frame_data(rows: bytes = RGB_ROWS, sequence: int = 2) -> bytes:
    return png_chunk(b"fdAT", struct.pack(">I", sequence) + zlib.compress(rows))


LIES = {
    "text before the header": build.PNG_SIGNATURE + png_chunk(b"tEXt", b"a\0b") + build.png_with()[8:],
    "palette in a grey picture": build.png_of(8, 8, 8, 0, GREY_ROWS, PALETTE),
    "two palettes": build.png_of(8, 8, 8, 3, GREY_ROWS, PALETTE, PALETTE),
    "palette of halves": build.png_of(8, 8, 8, 3, GREY_ROWS, png_chunk(b"PLTE", bytes(5))),
    "palette of nothing": build.png_of(8, 8, 8, 3, GREY_ROWS, png_chunk(b"PLTE", b"")),
    "chunk without a name": build.png_with(png_chunk(b"a\0bc", b"")),
    "another filter method": build.PNG_SIGNATURE + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 1, 0)) + build.png_with()[33:],
    "a picture of no width": build.png_of(0, 8, 8, 2, b"\0"),
    "animation of a wrong length": build.png_with(png_chunk(b"acTL", bytes(7))),
    "animation twice": build.png_with(png_chunk(b"acTL", bytes(8)) * 2),
    "frame of a wrong length": _animated(first=png_chunk(b"fcTL", bytes(25))),
    "frame of an unknown kind": _animated(first=_control(dispose=3)),
    "frame that mixes in an unknown way": _animated(first=_control(blend=2)),
    "first frame smaller than the picture": _animated(first=_control(width=4)),
    "two first frames": _animated(first=_control() * 2),
    "frame of no width": _animated(_control(1, width=0), _frame_data()),
    "data before their frame": _animated(first=_frame_data()),
    "data of no length": _animated(_control(1), png_chunk(b"fdAT", b"\0\0\0")),
    "frame without data": _animated(_control(1)),
    "frame of a colour that is not there": _animated(_control(1), _frame_data(b"\0\5\5\5\5\5\5\5\5" * 8), colour_type=3, rows=GREY_ROWS, before=PALETTE),
}


@pytest.mark.parametrize("what", LIES)
def test_a_chunk_that_lies_is_refused(what: str) -> None:
    with pytest.raises(Malformed) as refusal:
        sanitize(SANITIZER, LIES[what], Kind.PNG)
    assert refusal.value.code == "image.malformed"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (build.png_with()[:-12] + png_chunk(b"IEND", CANARY), "image.hidden_data"),
        (build.png_with(png_chunk(b"cHRM", CANARY)), "image.color_profile"),
        (build.png_with(png_chunk(b"cHRM", CANARY.ljust(32))), "image.color_profile"),
        (build.png_with(png_chunk(b"cICP", CANARY[:4])), "image.color_profile"),
        (build.png_with(png_chunk(b"iCCP", b"n\0\0" + CANARY)), "image.color_profile"),
        (build.png_with(png_chunk(b"iCCP", b"n\0\1" + zlib.compress(CANARY))), "image.color_profile"),
        (build.png_with(png_chunk(b"iCCP", b"n\0\0" + zlib.compress(CANARY * 9)[:-1])), "image.color_profile"),
        (build.png_with(png_chunk(b"iCCP", CANARY * 5 + b"\0\0")), "image.color_profile"),
    ],
)
def test_what_a_known_chunk_holds_besides_is_gone(data: bytes, code: str) -> None:
    output, codes = run(data)
    assert codes == {code}
    assert CANARY[:9] not in output


def test_primaries_of_srgb_and_impossible_numbers_are_left_behind_silently() -> None:
    primaries = struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
    chunks = png_chunk(b"cHRM", primaries), png_chunk(b"pHYs", struct.pack(">IIB", 0, 1, 1)), png_chunk(b"gAMA", struct.pack(">I", 7))
    output, codes = run(build.png_with(*chunks))
    assert codes == set()
    assert {name for name, _ in build.png_chunks(output)} == {b"IHDR", b"IDAT", b"IEND"}


def test_a_palette_that_is_only_a_suggestion_is_left_behind() -> None:
    output, codes = run(build.png_with(PALETTE))
    assert codes == set()
    assert b"PLTE" not in dict(build.png_chunks(output))


@pytest.mark.parametrize(("orientation", "density"), [(1, (11_811, 5_906, 1)), (6, (5_906, 11_811, 1))])
def test_resolution_may_stand_in_exif_alone(orientation: int, density: tuple[int, int, int]) -> None:
    block = struct.pack("<4sIHHHIHH", b"II*\0", 8, 3, 0x0112, 3, 1, orientation, 0) + struct.pack("<HHIIHHIII", 0x011A, 5, 1, 50, 0x011B, 5, 1, 58, 0)
    output, codes = run(build.png_with(png_chunk(b"eXIf", block + struct.pack("<4I", 300, 1, 150, 1))))
    assert codes == set()
    assert struct.unpack(">IIB", dict(build.png_chunks(output))[b"pHYs"]) == density


def test_a_profile_is_applied_to_every_frame() -> None:
    red = (b"\0" + b"\xff\0\0" * 8) * 8
    profile = png_chunk(b"iCCP", b"n\0\0" + zlib.compress(build.display_profile()))
    output, codes = run(_animated(_control(1), _frame_data(red), rows=red, before=profile))
    assert codes == {"image.color_profile"}
    shown = Image.open(io.BytesIO(output))
    for frame in range(2):
        shown.seek(frame)
        pixel = shown.convert("RGB").getpixel((3, 3))
        assert pixel[1] > 200 > 60 > pixel[0]


@pytest.mark.parametrize(("depth", "rows"), [(16, bytes(17) * 8), (1, bytes(2) * 8)])
def test_a_profile_that_cannot_be_applied_is_not_said_to_be(depth: int, rows: bytes) -> None:
    """Grey of one or of sixteen bits stays as it is, in a picture and in an animation alike."""
    profile = png_chunk(b"iCCP", b"n\0\0" + zlib.compress(build.grey_profile(1.0)))
    for data in (build.png_of(8, 8, depth, 0, rows, profile), _animated(_control(1), _frame_data(rows), colour_type=0, depth=depth, rows=rows, before=profile)):
        _, context = sanitize(SANITIZER, data, Kind.PNG)
        assert [(finding.code, finding.action) for finding in changes(context)] == [("image.color_profile", Action.REMOVED)]


def test_a_see_through_colour_does_not_take_its_neighbours_along() -> None:
    """Where policy clears the lowest bits, colours that were two become one."""
    row = b"\0" + b"\x10\x10\x10" * 4 + b"\x11\x10\x10" * 4
    data = build.png_of(8, 8, 8, 2, row * 8, png_chunk(b"tRNS", b"\0\x10\0\x10\0\x10"))
    output, _ = run(data, low_bits_cleared=True)
    shown = build.opened(output).convert("RGBA")
    assert (shown.getpixel((0, 0))[3], shown.getpixel((7, 0))[3]) == (0, 255)
