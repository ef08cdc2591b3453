"""What a reader would find that looks for mark-up, a document or an archive and ignores the picture around it."""

from __future__ import annotations

import pytest

from sanitizers.formats.image import codec
from sanitizers.model import Malformed
from tests.build import image as build


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
