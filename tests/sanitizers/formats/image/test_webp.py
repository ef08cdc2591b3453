"""Chunks of a WebP that lie or end early, and the header of a VP8 frame, bit by bit."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from PIL import Image

from sanitizers.formats.image import SANITIZER, codec, vp8
from sanitizers.formats.image.webp_chunks import chunk, three
from sanitizers.model import Kind, LimitExceeded, Limits, Malformed
from tests.build import image as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY
LOSSLESS = build.saved(build.scene((8, 8)), "WEBP", lossless=True)[20:]
LOSSY = build.saved(build.scene((8, 8)), "WEBP", quality=80)[20:]
LOSSLESS, LOSSY = chunk(b"VP8L", LOSSLESS), chunk(b"VP8 ", LOSSY)


def run(data: bytes) -> tuple[bytes, set[str]]:
    made, context = sanitize(SANITIZER, data, Kind.WEBP)
    return made.content.bytes(), {finding.code for finding in changes(context)}


def riff(*chunks: bytes, more: int = 0) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) + more) + body


def extended(*chunks: bytes, size: int = 8, flags: int = 2) -> bytes:
    return riff(chunk(b"VP8X", bytes((flags, 0, 0, 0)) + three(size - 1) * 2), chunk(b"ANIM", bytes(6)), *chunks)


def frame(*chunks: bytes, x: int = 0, y: int = 0, width: int = 8, height: int = 8) -> bytes:
    return chunk(b"ANMF", three(x) + three(y) + three(width - 1) + three(height - 1) + three(100) + b"\0" + b"".join(chunks))


WRONG = {
    "half a header": (riff()[:12], "image.truncated"),
    "half a chunk header": (riff(LOSSLESS, b"XMP"), "image.truncated"),
    "half a chunk": (riff(LOSSLESS, b"XMP \x20\0\0\0abc"), "image.truncated"),
    "shorter than it says": (riff(LOSSLESS, more=2), "image.truncated"),
    "two pictures": (riff(LOSSLESS, LOSSLESS), "image.malformed"),
    "no picture": (riff(chunk(b"XMP ", b"abcd")), "image.malformed"),
    "a picture and an animation": (extended(LOSSLESS, frame(LOSSLESS)), "image.malformed"),
    "a lossless picture of no bytes": (riff(chunk(b"VP8L", b"\x2f\0\0\0")), "image.malformed"),
    "a lossless picture without its mark": (riff(chunk(b"VP8L", b"\x2e" + LOSSLESS[9:])), "image.malformed"),
    "a lossy picture of no bytes": (riff(chunk(b"VP8 ", LOSSY[8:16])), "image.malformed"),
    "a lossy picture that is no key frame": (riff(chunk(b"VP8 ", bytes((LOSSY[8] | 1,)) + LOSSY[9:])), "image.malformed"),
    "a lossy picture without its mark": (riff(chunk(b"VP8 ", LOSSY[8:11] + b"\0\0\0" + LOSSY[14:])), "image.malformed"),
    "a frame without a picture": (extended(frame(chunk(b"ALPH", b"\0" * 9))), "image.malformed"),
    "a frame of another size": (extended(frame(LOSSLESS, width=4)), "image.malformed"),
    "a frame to the right of everything": (extended(frame(LOSSLESS, x=1)), "image.malformed"),
    "a frame below everything": (extended(frame(LOSSLESS, y=1)), "image.malformed"),
    "half a chunk in a frame": (extended(frame(LOSSLESS, b"XMP \x20\0\0\0abcd")), "image.truncated"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_chunk_that_lies_is_refused(what: str) -> None:
    data, code = WRONG[what]
    with pytest.raises(Malformed) as refusal:
        run(data)
    assert refusal.value.code == code


def test_frames_are_counted_before_they_are_decoded() -> None:
    with pytest.raises(LimitExceeded):
        sanitize(SANITIZER, extended(*[frame(LOSSLESS)] * 9), Kind.WEBP, limits=Limits(frames=8))


def test_what_else_is_in_a_frame_is_gone() -> None:
    output, codes = run(extended(frame(LOSSLESS, LOSSLESS, chunk(b"seki", CANARY)), frame(LOSSY)))
    assert codes == {"image.private_chunk"}
    assert CANARY not in output


def test_alpha_of_a_frame_stays() -> None:
    """Coded apart from the colours of a lossy frame."""
    alpha = Image.linear_gradient("L").resize((16, 16))
    picture = build.soft().resize((16, 16))
    picture.putalpha(alpha)
    inner = build.saved(picture, "WEBP", quality=80)[30:]           # behind RIFF and VP8X: ALPH and VP8
    assert inner.startswith(b"ALPH")
    output, codes = run(extended(frame(inner, width=16, height=16), size=16, flags=0x12))
    assert codes == set()
    shown = Image.open(io.BytesIO(output)).convert("RGBA").getchannel("A")
    assert max(abs(one - other) for one, other in zip(shown.tobytes(), alpha.tobytes(), strict=True)) <= 2


def test_a_profile_is_applied() -> None:
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    output, codes = run(build.saved(red, "WEBP", lossless=True, icc_profile=build.display_profile()))
    assert codes == {"image.color_profile"}
    assert build.opened(output).getpixel((3, 3))[1] > 200


def test_a_coder_that_loses_what_was_lossless_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = codec.encoded

    def lossy(picture: Image.Image, plugin: str, **options: Any) -> bytes:
        return real(picture, plugin, **options | {"lossless": False})

    monkeypatch.setattr(codec, "encoded", lossy)
    with pytest.raises(Malformed) as refusal:
        run(riff(LOSSLESS))
    assert refusal.value.code == "image.decoder"


# --- VP8 ---


class Bools:
    """The coder of RFC 6386 section 7.3 for even odds."""

    def __init__(self) -> None:
        self._low, self._range, self._bits = 0, 255, 0

    def put(self, *bits: int) -> Bools:
        for bit in bits:
            split = 1 + ((self._range - 1) * 128 >> 8)
            self._low, self._range = (self._low + split, self._range - split) if bit else (self._low, split)
            while self._range < 128:
                self._low, self._range, self._bits = self._low << 1, self._range << 1, self._bits + 1
        return self

    def number(self, value: int, bits: int) -> Bools:
        return self.put(*(value >> place & 1 for place in reversed(range(bits))))

    def bytes(self) -> bytes:
        """The first byte of the stream is the interval's highest; zeros may follow for ever."""
        total = self._bits + 8
        return (self._low << -total % 8).to_bytes(-(-total // 8), "big")


def signed(bools: Bools, value: int, bits: int) -> Bools:
    return bools.put(1).number(abs(value), bits).put(int(value < 0))


def _frame(bools: Bools, base: int) -> bytes:
    """Behind the segmentation: filter, two differences of it, partitions, the base."""
    bools.number(0, 10).put(1, 1)
    signed(bools, 5, 6).put(0, 0, 0)
    signed(bools, -3, 6).put(0, 0, 0)
    return bytes(10) + bools.number(0, 2).number(base, 7).bytes()


def test_the_quantiser_stands_behind_the_differences_of_the_filter() -> None:
    assert vp8.quantiser(_frame(Bools().number(0, 3), 77)) == 77


def test_segments_that_say_nothing_new_leave_the_base() -> None:
    assert vp8.quantiser(_frame(Bools().number(0, 2).put(1, 0, 0), 51)) == 51


@pytest.mark.parametrize(("absolute", "expected"), [(0, 60 + 20), (1, 20)])
def test_a_segment_gives_a_quantiser_or_a_difference(absolute: int, expected: int) -> None:
    bools = Bools().number(0, 2).put(1, 0, 1, absolute)
    signed(bools, 20, 7).put(0, 0, 0)
    signed(bools, 9, 6).put(0, 0, 0)                   # filter levels, of no interest
    assert vp8.quantiser(_frame(bools, 60)) == expected


def test_a_map_tells_how_much_of_the_frame_a_segment_has() -> None:
    bools = Bools().number(0, 2).put(1, 1, 1, 1)
    signed(bools, 40, 7)
    signed(bools, 80, 7).put(0, 0)
    bools.number(0, 4).put(0).put(1).number(64, 8).put(0)     # a quarter of the frame in the first, the rest in the second
    assert vp8.quantiser(_frame(bools, 0)) == 70


def test_a_frame_that_ends_early_has_some_quality_and_no_crash() -> None:
    assert 0 <= vp8.quality(b"") <= 100
    assert 0 <= vp8.quality(bytes(11)) <= 100
    assert changes(sanitize(SANITIZER, riff(LOSSY), Kind.WEBP)[1]) == []
