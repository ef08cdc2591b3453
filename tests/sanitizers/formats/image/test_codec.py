"""What a reader would find that looks for mark-up, a document or an archive and ignores the picture around it."""

from __future__ import annotations

import struct

import pytest
from PIL import Image, PngImagePlugin

from sanitizers.formats.image import SANITIZER, codec
from sanitizers.model import Kind, LimitExceeded, Malformed
from tests.build import image as build
from tests.build.context import context, sanitize


@pytest.mark.parametrize(
    "speech",
    [b"<script", b"<?PHP", b"<svg ", b"<HTML", b"<iframe", b"<!doctype", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"MSCF\0\0\0\0", b"PK\5\6" + bytes(18)],
)
def test_bytes_that_speak(speech: bytes) -> None:
    assert codec.speaks(bytes(2000) + speech)
    assert not codec.speaks(bytes(2000) + speech[:2])


def test_a_pdf_speaks_at_the_beginning_only() -> None:
    assert codec.speaks(bytes(900) + b"%PDF-1.7")
    assert not codec.speaks(bytes(2000) + b"%PDF-1.7")


def test_the_first_silent_encoding_is_taken() -> None:
    assert codec.silent([lambda: b"<script>", lambda: b"quiet", lambda: b"other"]) == b"quiet"
    with pytest.raises(Malformed):
        codec.silent([lambda: b"<script>", lambda: b"<iframe"])


def test_an_ordinary_picture_is_silent() -> None:
    assert not codec.speaks(build.saved(build.noise((200, 200)), "PNG"))


def _without_memory(*_: object, **__: object) -> None:
    raise MemoryError


@pytest.mark.parametrize("call", ["load", "save"])
def test_want_of_memory_is_a_limit_and_no_crash(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = build.saved(build.scene(), "PNG")
    monkeypatch.setattr(PngImagePlugin.PngImageFile if call == "load" else Image.Image, call, _without_memory)
    with pytest.raises(LimitExceeded, match=f"not enough memory to {'decode' if call == 'load' else 'encode'}"):
        sanitize(SANITIZER, data, Kind.PNG)


def test_a_picture_of_another_size_than_its_header_says_is_refused() -> None:
    data = build.saved(build.scene(), "PNG")
    assert codec.decoded(data, "PNG", context("a.png", Kind.PNG), (96, 64)).size == (96, 64)
    with pytest.raises(Malformed) as refusal:
        codec.decoded(data, "PNG", context("a.png", Kind.PNG), (64, 96))
    assert refusal.value.code == "image.malformed"


@pytest.mark.parametrize(("number", "high", "low"), [(0x1234, 0x12, 0x34), (0xFFFF, 0xFF, 0xFE), (0, 0, 0), (0x00FF, 0, 0xFE)])
def test_the_lowest_bits_of_deep_grey_say_nothing_if_policy_wants_so(number: int, high: int, low: int) -> None:
    picture = Image.frombytes("I;16", (8, 8), number.to_bytes(2, "little") * 64)
    made, _ = sanitize(SANITIZER, build.saved(picture, "PNG"), Kind.PNG, low_bits_cleared=True)
    assert build.opened(made.content.bytes()).tobytes() == bytes((low & 0xFE, high)) * 64


def test_measurements_have_no_lowest_bits() -> None:
    values = Image.frombytes("F", (8, 8), struct.pack("<64f", *range(64)))
    made, _ = sanitize(SANITIZER, build.saved(values, "TIFF"), Kind.TIFF, low_bits_cleared=True)
    assert build.opened(made.content.bytes()).tobytes() == values.tobytes()
