"""Profiles of every colour model: applied where they change what is seen, left behind where they say nothing or cannot be read."""

from __future__ import annotations

import pytest
from PIL import Image, ImageCms

from sanitizers.formats.image import SANITIZER, colour
from sanitizers.model import Action, Kind
from tests.build import image as build
from tests.build.context import changes, context, sanitize

RAMP = Image.linear_gradient("L").resize((64, 64))


def through(picture: Image.Image, plugin: str, kind: Kind, profile: bytes) -> tuple[Image.Image, list[tuple[str, Action]]]:
    made, given = sanitize(SANITIZER, build.saved(picture, plugin, icc_profile=profile), kind)
    return build.opened(made.content.bytes()), [(finding.code, finding.action) for finding in changes(given)]


def test_grey_of_another_gamma_becomes_lighter() -> None:
    shown, found = through(RAMP, "PNG", Kind.PNG, build.grey_profile(1.0))
    assert found == [("image.color_profile", Action.REWRITTEN)]
    assert shown.mode == "L"
    assert [shown.getpixel((3, row)) > RAMP.getpixel((3, row)) + 20 for row in (8, 20, 32)] == [True] * 3


def test_grey_keeps_its_transparency() -> None:
    picture = Image.merge("LA", (RAMP, RAMP.rotate(90)))
    shown, found = through(picture, "PNG", Kind.PNG, build.grey_profile(1.0))
    assert found == [("image.color_profile", Action.REWRITTEN)]
    assert shown.getchannel("A").tobytes() == picture.getchannel("A").tobytes()
    assert shown.getpixel((20, 20))[0] > picture.getpixel((20, 20))[0] + 20


def test_grey_of_a_profile_that_means_what_it_is_does_not_change() -> None:
    curve = build.profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": _srgb_curve()})
    shown, found = through(RAMP, "PNG", Kind.PNG, curve)
    assert found == []
    assert shown.tobytes() == RAMP.tobytes()


def _srgb_curve() -> bytes:
    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    points = [round(65535 * linear(step / 255)) for step in range(256)]
    return b"curv\0\0\0\0\0\0\1\0" + b"".join(point.to_bytes(2, "big") for point in points)


def test_inks_become_the_colours_of_a_screen() -> None:
    picture = Image.new("CMYK", (32, 32), (0, 0, 0, 0))
    picture.paste((255, 255, 255, 255), (16, 0, 32, 32))
    shown, found = through(picture, "JPEG", Kind.JPEG, build.press_profile())
    assert found == [("image.color_profile", Action.REWRITTEN)]
    assert shown.mode == "RGB"
    assert shown.getpixel((4, 4))[1] > 240 > 60 > shown.getpixel((28, 4))[1]


@pytest.mark.parametrize(
    "profile",
    [ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(), build.press_profile(), build.grey_profile(2.2), b"x" * 200],
    ids=["Lab", "CMYK", "grey", "none"],
)
def test_a_profile_of_another_colour_model_is_left_behind(profile: bytes) -> None:
    shown, found = through(build.scene(), "PNG", Kind.PNG, profile)
    assert found == [("image.color_profile", Action.REMOVED)]
    assert shown.tobytes() == build.scene().tobytes()


def test_a_transform_leaves_other_colour_models_alone() -> None:
    made = colour.transform(build.display_profile(), "RGB", context("a.png", Kind.PNG))
    assert made is not None
    picture = build.scene(mode="L")
    assert made.apply(picture) is picture
