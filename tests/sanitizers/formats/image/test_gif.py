"""Blocks of a GIF that lie, end early, or hold more than their kind has."""

from __future__ import annotations

import struct

import pytest

from sanitizers.formats.image import SANITIZER
from sanitizers.model import Kind, Malformed
from tests.build import image as build
from tests.build.context import changes, sanitize

CANARY = build.CANARY
WHOLE = build.gif(2)
HEAD = WHOLE[:25]                                         # header and global palette
CONTROL, FRAME = WHOLE[25:33], WHOLE[33 : WHOLE.index(b"\x21\xf9", 33)]


def run(data: bytes) -> tuple[bytes, set[str]]:
    made, context = sanitize(SANITIZER, data, Kind.GIF)
    return made.content.bytes(), {finding.code for finding in changes(context)}


def framed(width: int = 8, height: int = 8, flags: int = 0, rest: bytes = FRAME[10:]) -> bytes:
    return HEAD + struct.pack("<B4HB", 0x2C, 0, 0, width, height, flags) + rest + b"\x3b"


WRONG = {
    "half a header": (HEAD[:12], "image.truncated"),
    "half a palette": (HEAD[:20], "image.truncated"),
    "no frame, no end": (HEAD, "image.truncated"),
    "no frame": (HEAD + b"\x3b", "image.malformed"),
    "an unknown block": (HEAD + b"\x42", "image.malformed"),
    "a control of another length": (HEAD + b"\x21\xf9\x03\0\0\0\0" + FRAME, "image.malformed"),
    "a control that is empty": (HEAD + b"\x21\xf9\0" + FRAME, "image.malformed"),
    "an extension without an end": (HEAD + b"\x21\xfe\x20abc", "image.truncated"),
    "an extension of nothing": (HEAD + b"\x21", "image.truncated"),
    "half a frame": (HEAD + FRAME[:8], "image.truncated"),
    "a frame without data": (HEAD + FRAME[:10], "image.malformed"),
    "a frame of no width": (framed(width=0), "image.malformed"),
    "a frame of no height": (framed(height=0), "image.malformed"),
    "a frame of no bits": (framed(rest=b"\0" + FRAME[11:]), "image.malformed"),
    "a frame of nine bits": (framed(rest=b"\x09" + FRAME[11:]), "image.malformed"),
    "half a palette of its own": (framed(flags=0x87, rest=b"\2"), "image.truncated"),
    "data without an end": (HEAD + FRAME[:-1], "image.truncated"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_block_that_lies_is_refused(what: str) -> None:
    data, code = WRONG[what]
    with pytest.raises(Malformed) as refusal:
        run(data)
    assert refusal.value.code == code


def test_an_end_that_is_missing_is_tolerated_after_a_frame() -> None:
    output, codes = run(WHOLE[:-1])
    assert codes == set()
    assert output == run(WHOLE)[0]


def test_stray_ends_of_blocks_are_stepped_over() -> None:
    assert run(HEAD + b"\0\0" + CONTROL + b"\0" + FRAME + b"\x3b") == run(HEAD + CONTROL + FRAME + b"\x3b")


def test_what_a_control_holds_besides_is_gone() -> None:
    output, codes = run(HEAD + CONTROL[:-1] + bytes((len(CANARY),)) + CANARY + b"\0" + FRAME + b"\x3b")
    assert codes == {"image.hidden_data"}
    assert CANARY not in output


@pytest.mark.parametrize("looping", [b"\x03\x02\x05\0\0", b"\x01\x01\0", b"\0"])
def test_a_looping_block_that_counts_nothing_is_gone(looping: bytes) -> None:
    output, codes = run(build.gif(2, b"\x21\xff\x0bNETSCAPE2.0" + looping))
    assert b"NETSCAPE" not in output
    assert codes <= {"image.private_chunk"}


def test_a_looping_block_is_kept() -> None:
    output, codes = run(build.gif(2, b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x05\0\0"))
    assert codes == set()
    assert b"NETSCAPE2.0\x03\x01\x05\0\0" in output
