"""What is seen of a metafile that policy turns into pixels."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from PIL import Image

from sanitizers import vector
from sanitizers.model import Kind, Reason, Verdict
from tests.build import metafile as build
from tests.build.context import run

Colour = tuple[int, ...] | None
Place = tuple[float, float, Colour]

RED, GREEN, BLUE, WHITE, BLACK, CLEAR = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), None
SQUARE = (20, 20), (60, 20), (60, 60), (20, 60)
STAR = (20, 10), (60, 10), (60, 50), (20, 50), (20, 10), (30, 20), (50, 20), (50, 40), (30, 40), (30, 20)
INSIDE, OUTSIDE = (40, 40, RED), (100, 40, CLEAR)
CORNERS = (25, 55), (55, 55), (25, 25), (55, 25)    # lower left, lower right, upper left, upper right
BOX = (20, 20, 40, 40)
needs_font = pytest.mark.skipif(vector._FONT is None, reason="no font is installed")


def drawn(data: bytes, name: str = "a.emf") -> Image.Image:
    outcome = run(data, name, metafiles_as_pixels=True)
    assert outcome.content is not None, outcome.report
    assert outcome.report.output is not None
    assert (outcome.report.output.kind, outcome.report.output.name) == (Kind.PNG, "a.png")
    assert "metafile.drawn" in {one.code for one in outcome.report.findings}
    assert outcome.report.verdict is Verdict.SANITIZED
    return Image.open(io.BytesIO(outcome.content.bytes())).convert("RGBA")


def at(image: Image.Image, x: float, y: float, width: float = 200) -> Colour:
    """The colour at a place of a drawing of so many units; None where nothing was drawn."""
    scale = image.width / width
    red, green, blue, alpha = image.getpixel((round(x * scale), round(y * scale)))      # type: ignore[misc]
    return (red, green, blue) if alpha else None


def check(image: Image.Image, seen: Iterable[Place]) -> None:
    """Pixels between two of a picture that is drawn larger are a little of both."""
    for x, y, wanted in seen:
        found = at(image, x, y)
        near = (found is None) == (wanted is None) and all(abs(one - other) < 40 for one, other in zip(found or (), wanted or (), strict=True))
        assert near, (x, y, found, wanted)


def held(data: bytes, name: str = "a.emf", why: str = "") -> None:
    outcome = run(data, name, metafiles_as_pixels=True)
    assert (outcome.content, outcome.report.reason) == (None, Reason.UNSUPPORTED_KIND), outcome.report.findings
    assert outcome.report.findings[-1].code == "metafile.not_drawn"
    assert why in outcome.report.findings[-1].detail
    assert run(data, name).content is not None, "as a metafile it goes through"


def pixels(*colours: tuple[int, int, int]) -> tuple[bytes, bytes]:
    """Two by two, the lower row first."""
    rows = [b"".join(bytes(reversed(one)) for one in colours[start : start + 2]) + b"\0\0" for start in (0, 2)]
    return build.dib(b"".join(rows), (2, 2))


FOUR = pixels(RED, GREEN, BLUE, WHITE)      # lower row red and green, upper row blue and white
