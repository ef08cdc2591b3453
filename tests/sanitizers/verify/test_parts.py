"""Pictures and files inside a result are those that the engine delivered, however a container stores them."""

from __future__ import annotations

import io
import struct

import msgspec
import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER as IMAGES
from sanitizers.formats.office.pictures import NEUTRAL
from sanitizers.model import Kind, VerificationFailed
from sanitizers.verify.parts import Parts
from tests.build.context import context, delivered, sanitize
from tests.build.image import bmp, scene

CONTENT = b"content"


def parts(*contents: bytes, kind: Kind = Kind.PNG) -> Parts:
    return Parts(delivered(context(), *contents, kind=kind))


def refused(check: object, content: bytes, why: str = "part 1 is not what was rebuilt") -> None:
    with pytest.raises(VerificationFailed, match=why):
        check(content, "part 1")  # type: ignore[operator]


def test_what_was_delivered_passes_byte_for_byte() -> None:
    made = parts(CONTENT, b"another")
    made.check(CONTENT, "part 1")
    made.check(memoryview(b"another"), "part 1")
    for other in (b"", CONTENT + b"x", CONTENT[:-1]):
        refused(made.check, other)


def test_what_went_in_but_not_out_is_none_of_it() -> None:
    given = delivered(context(), CONTENT)
    given.parts[:] = [msgspec.structs.replace(given.parts[0], output=None)]
    refused(Parts(given).check, CONTENT)


def test_a_neutral_picture_may_stand_anywhere() -> None:
    made = parts()
    made.check(NEUTRAL.content, "part 1")
    with Image.open(io.BytesIO(NEUTRAL.content)) as picture:
        assert picture.size == (1, 1)
    at = NEUTRAL.content.index(b"IHDR")
    for wide in (NEUTRAL.content[: at + 7] + b"\2" + NEUTRAL.content[at + 8 :], NEUTRAL.content + b"x", b"x" + NEUTRAL.content):
        refused(made.check, wide)
    at = NEUTRAL.content.index(b"IDAT")
    refused(made.check, NEUTRAL.content[: at + 4] + bytes(21) + NEUTRAL.content[-12:])


@pytest.mark.parametrize("mode", ["1", "P", "L", "RGB", "RGBA"])
def test_a_bitmap_is_known_without_the_head_of_a_file(mode: str) -> None:
    out = io.BytesIO()
    scene().convert(mode).save(out, "bmp")
    rebuilt, _ = sanitize(IMAGES, out.getvalue(), Kind.BMP)
    content = rebuilt.content.bytes()
    made = parts(content)
    made.check_bitmap(content[14:], "part 1")
    made.check_bitmap(memoryview(content)[14:], "part 1")
    refused(made.check_bitmap, content[14:-1] + bytes((content[-1] ^ 1,)))
    refused(made.check_bitmap, content[14:] + b"x")
    refused(made.check_bitmap, content)


def test_a_bitmap_has_a_head() -> None:
    made = parts(least := bmp((0, 0), 24, b""))
    made.check_bitmap(least[14:], "part 1")
    refused(made.check_bitmap, least[14:-1], "part 1 is no bitmap")
    refused(made.check_bitmap, least[14:46] + struct.pack("<II", 0xFFFF_FFFF, 0))


def test_a_metafile_may_have_lost_its_placeable_head() -> None:
    made = parts(bytes(22) + CONTENT, kind=Kind.WMF)
    made.check_wmf(CONTENT, "part 1")
    made.check_wmf(bytes(22) + CONTENT, "part 1")
    for other in (CONTENT + b"x", CONTENT[:-1], bytes(21) + CONTENT):
        refused(made.check_wmf, other)
    refused(parts(bytes(22) + CONTENT, kind=Kind.EMF).check_wmf, CONTENT)
