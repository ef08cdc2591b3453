"""Registers are cleared before a foreign coder runs: what that spares is shown by `perf/bench_image.py`, not here."""

from __future__ import annotations

import pytest
from PIL import Image

from sanitizers import registers
from sanitizers.formats.image import codec
from sanitizers.model import Kind, Verdict
from tests.build import image as build
from tests.build.context import context, run


@pytest.fixture
def cleared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    told: list[str] = []
    keep = registers.clear
    monkeypatch.setattr(registers, "clear", lambda: (told.append("cleared"), keep()))
    return told


def test_before_a_picture_is_encoded(cleared: list[str]) -> None:
    codec.encoded(Image.new("RGB", (8, 8)), "PNG")
    assert len(cleared) == 1


def test_before_a_picture_is_decoded(cleared: list[str]) -> None:
    codec.opened(build.png_with(), "PNG", context(kind=Kind.PNG))
    assert len(cleared) == 1


def test_before_a_part_is_rebuilt_and_verified(cleared: list[str]) -> None:
    assert run(b"good morning\r\n", "a.txt").report.verdict is Verdict.CLEAN
    assert len(cleared) == 2
