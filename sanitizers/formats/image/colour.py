"""Colour profiles: pixels are carried over into sRGB, profiles are never copied.

A profile that already means sRGB changes nothing and is no finding. One that means something else is applied
(`image.color_profile`, rewritten); one that cannot be applied is left behind (removed).
Spec: ICC.1:2022.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageChops, ImageCms

from sanitizers.context import Context
from sanitizers.model import Action

_SRGB: Final = ImageCms.createProfile("sRGB")
_MODES: Final = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_FLAGS: Final = ImageCms.Flags.BLACKPOINTCOMPENSATION
# Differences of 8-bit values that no eye sees: versions of the sRGB profile differ by as much.
_SAME: Final = 2
_STEPS: Final = (0, 36, 73, 109, 146, 182, 219, 255)


class Transform:
    """From the colours of one profile to sRGB. `mode`: RGB, L or CMYK."""

    def __init__(self, mode: str, transform: ImageCms.ImageCmsTransform) -> None:
        self.mode = mode
        self._transform = transform

    def apply(self, picture: Image.Image) -> Image.Image:
        """In sRGB, with its alpha if it has one. A picture of another colour model stays as it is."""
        if picture.mode == "L" and self.mode == "L":
            return picture.point(self._grey_curve())
        if picture.mode == "LA" and self.mode == "L":
            return Image.merge("LA", (self.apply(picture.getchannel("L")), picture.getchannel("A")))
        if picture.mode == "RGBA" and self.mode == "RGB":
            colours = self.apply(picture.convert("RGB"))
            colours.putalpha(picture.getchannel("A"))
            return colours
        if picture.mode != self.mode:
            return picture
        changed = ImageCms.applyTransform(picture, self._transform)
        assert changed is not None
        return changed

    def palette(self, colours: bytes) -> bytes:
        """A palette of RGB triplets in sRGB."""
        return self.apply(Image.frombytes("RGB", (len(colours) // 3, 1), colours)).tobytes()

    def _grey_curve(self) -> list[int]:
        ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
        changed = ImageCms.applyTransform(ramp, self._transform)
        assert changed is not None
        return list(changed.getchannel("G").tobytes())

    def does_nothing(self) -> bool:
        if self.mode == "CMYK":
            return False
        if self.mode == "L":
            return all(abs(value - grey) <= _SAME for grey, value in enumerate(self._grey_curve()))
        sample = Image.frombytes("RGB", (512, 1), bytes(v for r in _STEPS for g in _STEPS for b in _STEPS for v in (r, g, b)))
        extrema = ImageChops.difference(sample, self.apply(sample)).getextrema()
        return all(high <= _SAME for _, high in extrema)  # type: ignore[misc]


def transform(icc: bytes | None, mode: str, context: Context) -> Transform | None:
    """What to do with a picture of this mode and profile; None: nothing. Records the finding."""
    if not icc:
        return None
    made = _build(icc)
    fits = made is not None and made.mode == {"LA": "L", "RGBA": "RGB", "P": "RGB", "YCbCr": "RGB", "1": "L"}.get(mode, mode)
    if made is None or not fits or mode == "1":
        context.found("image.color_profile", "", Action.REMOVED)
        return None
    if made.does_nothing():
        return None
    context.found("image.color_profile", "", Action.REWRITTEN)
    return made


def _build(icc: bytes) -> Transform | None:
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = _MODES.get(profile.profile.xcolor_space)
        if mode is None:
            return None
        made = ImageCms.buildTransform(profile, _SRGB, mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, _FLAGS)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return Transform(mode, made)
