"""The second opinion on WebP."""

from __future__ import annotations

import struct

import pytest

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, VerificationFailed
from sanitizers.source import Source
from sanitizers.verify.image import VERIFIERS
from tests.build import image as build
from tests.build.context import context, sanitize


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def extended(flags: bytes = b"\0\0\0\0") -> bytes:
    return chunk(b"VP8X", flags + b"\x07\0\0\x07\0\0")


LOSSY = chunk(b"VP8 ", bytes(6) + struct.pack("<HH", 8, 8) + b"x")
LOSSLESS = chunk(b"VP8L", b"\x2f" + struct.pack("<I", 7 | 7 << 14))
ALPHA, LOOPS = chunk(b"ALPH", b"x"), chunk(b"ANIM", bytes(6))
FRAME = chunk(b"ANMF", bytes(16) + LOSSY)
GOOD = webp(LOSSY)


def check(output: bytes, original: bytes = GOOD) -> None:
    VERIFIERS[Kind.WEBP](Source(output), Source(original), context(kind=Kind.WEBP))


def fails(output: bytes, words: str, original: bytes = GOOD) -> None:
    with pytest.raises(VerificationFailed, match=words):
        check(output, original)


@pytest.mark.parametrize(
    "chunks",
    [
        [LOSSY], [LOSSLESS], [extended(), LOSSY], [extended(), ALPHA, LOSSY], [extended(), LOSSLESS], [extended(), LOOPS, FRAME],
        [extended(), LOOPS, chunk(b"ANMF", bytes(16) + ALPHA + LOSSY)], [extended(), LOOPS, chunk(b"ANMF", bytes(16) + LOSSLESS)],
    ],
)  # fmt: skip
def test_a_picture_or_frames_pass(chunks: list[bytes]) -> None:
    check(webp(*chunks))


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([], "chunks"), ([extended()], "chunks"), ([LOSSY, LOSSY], "chunks"), ([extended(), LOOPS], "chunks"), ([extended(), FRAME], "chunks"),
        ([ALPHA, LOSSY], "chunks"), ([LOSSY, extended()], "chunks"), ([extended(), LOSSY, LOOPS, FRAME], "chunks"),
        ([extended(), LOOPS, LOOPS, FRAME], "chunks"), ([LOSSY, chunk(b"XMP ", b"<x/>")], "chunks"), ([chunk(b"ICCP", b"xx"), LOSSY], "chunks"),
        ([extended(), LOOPS, chunk(b"ANMF", bytes(16))], "chunks"), ([extended(), LOOPS, chunk(b"ANMF", bytes(16) + LOSSY + LOSSY)], "chunks"),
        ([extended(), LOOPS, chunk(b"ANMF", bytes(16) + ALPHA + LOSSLESS)], "chunks"),
        ([extended(), LOOPS, chunk(b"ANMF", bytes(16) + LOSSY + chunk(b"SEKI", b""))], "chunks"),
        ([extended(), LOOPS, chunk(b"ANMF", bytes(16) + LOSSY[:-1])], "chunks"),
        ([LOSSY[:-1]], "chunks"), ([LOSSY[:-2]], "length of chunk"), ([LOSSY, b"VP8 \xff\0\0\0"], "length of chunk"), ([LOSSY + b"junk"], "cannot be walked"),
        ([extended(), chunk(b"ANIM", bytes(8)), FRAME], "length of chunk"), ([extended(), chunk(b"ANIM", bytes(4)), FRAME], "length of chunk"),
        ([chunk(b"VP8X", bytes(12)), LOSSY], "length of chunk"), ([chunk(b"VP8X", bytes(8)), LOSSY], "length of chunk"),
    ],
)  # fmt: skip
def test_other_chunks_fail(chunks: list[bytes], words: str) -> None:
    fails(webp(*chunks), words)


@pytest.mark.parametrize("bit", range(32))
def test_only_flags_of_what_there_is_are_set(bit: int) -> None:
    output = webp(extended(struct.pack("<I", 1 << bit)), LOSSY)
    if bit in (1, 3, 4):        # frames, Exif, see-through
        check(output)
    else:
        fails(output, "flags")


@pytest.mark.parametrize(("at", "value"), [(0, b"RIFX"), (4, b"\xff"), (8, b"WEBX")])
def test_another_head_fails(at: int, value: bytes) -> None:
    fails(GOOD[:at] + value + GOOD[at + len(value) :], "RIFF size")


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_every_still_that_is_written_passes(mode: str, lossless: bool) -> None:
    for options in ({}, {"exif": build.exif()}):
        data = build.saved(build.scene(mode=mode), "WEBP", lossless=lossless, **options)
        made, given = sanitize(SANITIZER, data, Kind.WEBP, capture_date_kept=True)
        output = made.content.bytes()
        assert (b"EXIF" in output) == bool(options)
        VERIFIERS[Kind.WEBP](made.content, Source(data), given)
    at = output.index(b"EXIF")
    fails(output[: at + 12] + b"x" + output[at + 13 :], "more than a date", data)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_animation_that_is_written_passes(mode: str) -> None:
    frames = [build.scene(mode=mode), build.scene(mode=mode).rotate(180)]
    data = build.saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50)
    output = sanitize(SANITIZER, data, Kind.WEBP)[0].content.bytes()
    assert output.count(b"ANMF") == 2
    check(output, data)
    still = sanitize(SANITIZER, build.saved(frames[0], "WEBP"), Kind.WEBP)[0].content.bytes()
    fails(still, "1 frames, were 2", data)
