"""JPEG 2000, with boxes around it and without: what crosses, what is left behind, what is broken."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, Malformed
from tests.build import image as build
from tests.build.context import changes, sanitize
from tests.build.image_heif import box

CANARY = build.CANARY
WHOLE = build.saved(build.scene(), "JPEG2000")
STREAM = WHOLE[WHOLE.index(b"\xff\x4f\xff\x51") :]
START = WHOLE[: WHOLE.index(b"jp2c") - 4]
LARGE = struct.pack(">I4sQ", 1, b"jp2c", 16 + len(STREAM)) + STREAM


def run(data: bytes) -> tuple[Image.Image, bytes, set[str], Kind]:
    made, context = sanitize(SANITIZER, data, Kind.JP2)
    output = made.content.bytes()
    return build.opened(output), output, {finding.code for finding in changes(context)} - {"image.converted"}, made.kind


@pytest.mark.parametrize("data", [STREAM, START + LARGE, START + b"\0\0\0\0jp2c" + STREAM], ids=["bare", "long box", "box to the end"])
def test_every_way_around_the_coded_picture_is_read(data: bytes) -> None:
    shown, _, codes, kind = run(data)
    assert (codes, kind) == (set(), Kind.PNG)
    assert shown.tobytes() == build.scene().tobytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (WHOLE + box(b"uuid", CANARY), "image.metadata"), (WHOLE + box(b"jp2i", CANARY), "image.metadata"),
        (WHOLE + box(b"seki", CANARY), "image.private_chunk"), (WHOLE + CANARY, "image.trailing_data"),
        (WHOLE + box(b"jp2c", STREAM), "image.frames_dropped"),
    ],
    ids=["uuid", "rights", "private", "tail", "second picture"],
)  # fmt: skip
def test_what_else_is_there_is_gone(data: bytes, code: str) -> None:
    shown, output, codes, _ = run(data)
    assert codes == {code}
    assert CANARY not in output
    assert shown.tobytes() == build.scene().tobytes()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (START, "image.malformed"), (START + b"\0\0\0", "image.truncated"), (START + b"\0\0\0\x07jp2c" + STREAM, "image.truncated"),
        (START + b"\0\0\0\1jp2c\0\0\0", "image.truncated"), (START + struct.pack(">I4sQ", 1, b"jp2c", 15) + STREAM, "image.truncated"),
        (START + struct.pack(">I4sQ", 1, b"jp2c", 1 << 60) + STREAM, "image.truncated"), (STREAM[:200], "image.decoder"),
    ],
    ids=["no picture", "half a box", "box smaller than its head", "half a long box", "long box smaller than its head", "endless box", "cut"],
)  # fmt: skip
def test_boxes_that_lie_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refusal:
        run(data)
    assert refusal.value.code == code


def _profiled(picture: Image.Image, method: int, profile: bytes) -> bytes:
    """The same with a colour specification of another kind. ITU-T T.800 I.5.3.3."""
    data = build.saved(picture, "JPEG2000")
    plain = box(b"colr", b"\1\0\0" + struct.pack(">I", 17 if picture.mode == "L" else 16))
    at = data.index(plain)
    wanted = box(b"colr", bytes((method, 0, 0)) + profile)
    header = data.index(b"jp2h") - 4
    (size,) = struct.unpack_from(">I", data, header)
    return data[:header] + struct.pack(">I", size - len(plain) + len(wanted)) + data[header + 4 : at] + wanted + data[at + len(plain) :]


def test_a_profile_is_applied() -> None:
    shown, _, codes, _ = run(_profiled(Image.new("RGB", (16, 16), (255, 0, 0)), 2, build.display_profile()))
    assert codes == {"image.color_profile"}
    assert shown.getpixel((3, 3))[1] > 200 > 60 > shown.getpixel((3, 3))[0]


def test_a_profile_of_another_method_is_none() -> None:
    shown, _, codes, _ = run(_profiled(Image.new("RGB", (16, 16), (255, 0, 0)), 3, build.display_profile()))
    assert codes == set()
    assert shown.getpixel((3, 3)) == (255, 0, 0)


def test_grey_and_deep_grey_stay_grey() -> None:
    assert run(build.saved(build.scene(mode="L"), "JPEG2000"))[0].mode == "L"
    shown, _, codes, kind = run(build.saved(build.scene(mode="I;16"), "JPEG2000"))
    assert (codes, kind, shown.mode) == (set(), Kind.PNG, "I;16")
    assert shown.tobytes() == build.scene(mode="I;16").tobytes()


def test_other_colours_become_those_of_a_screen() -> None:
    shown, _, codes, _ = run(build.saved(build.soft().convert("YCbCr"), "JPEG2000"))
    assert (codes, shown.mode) == (set(), "RGB")
    assert abs(shown.getpixel((40, 30))[0] - build.soft().getpixel((40, 30))[0]) < 8
    assert run(build.saved(build.scene(mode="CMYK"), "JPEG2000"))[0].mode == "RGB"
