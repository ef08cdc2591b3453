"""WebP as a run of RIFF chunks.

Spec: RFC 9649 (WebP), RFC 6386 (VP8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sanitizers.context import Context
from sanitizers.formats.image import exif
from sanitizers.model import Malformed

_EXIF, _ALPHA, _ANIMATION = 0x08, 0x10, 0x02


class Coded(NamedTuple):
    """One coded picture: `lossless` (VP8L) or VP8, with its alpha plane where that is apart."""

    data: bytes
    alpha: bytes | None
    lossless: bool
    width: int
    height: int

    def chunks(self) -> bytes:
        head = chunk(b"ALPH", self.alpha) if self.alpha is not None else b""
        return head + chunk(b"VP8L" if self.lossless else b"VP8 ", self.data)

    def file(self) -> bytes:
        """A WebP of this picture alone, for the decoder."""
        return file_of(self.width, self.height, self.chunks(), alpha=self.alpha is not None)


class Frame(NamedTuple):
    """`x`, `y` and `duration` (milliseconds) as stored; `flags`: bit 0 disposes to background, bit 1 does not blend."""

    x: int
    y: int
    duration: int
    flags: int
    coded: Coded


@dataclass(slots=True)
class Chunks:
    width: int = 0
    height: int = 0
    flags: int = 0
    still: Coded | None = None
    background: int = 0
    loops: int = 0
    frames: list[Frame] = field(default_factory=list)
    icc: bytes | None = None
    exif: exif.Exif = exif.NOTHING


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def file_of(
    width: int, height: int, chunks: bytes, *, alpha: bool = False, animated: bool = False, exif_block: bytes | None = None
) -> bytes:
    """A whole file; the extended header only where something needs it."""
    flags = _ALPHA * alpha | _ANIMATION * animated | _EXIF * (exif_block is not None)
    head = chunk(b"VP8X", bytes([flags, 0, 0, 0]) + three(width - 1) + three(height - 1)) if flags else b""
    body = b"WEBP" + head + chunks + (chunk(b"EXIF", exif_block) if exif_block is not None else b"")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def run(view: memoryview, at: int, end: int) -> Iterator[tuple[bytes, memoryview]]:
    """(name, body) of the chunks between two offsets. Raises Malformed."""
    while at < end:
        if at + 8 > end:
            raise Malformed("ends inside a chunk", code="image.truncated")
        name, length = bytes(view[at : at + 4]), struct.unpack_from("<I", view, at + 4)[0]
        if at + 8 + length > end:
            raise Malformed("ends inside a chunk", code="image.truncated")
        yield name, view[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)


def walk(view: memoryview, context: Context) -> Chunks:
    """Every chunk. Records what is not taken over. Raises Malformed."""
    if len(view) < 20:
        raise Malformed("ends inside the header", code="image.truncated")
    end = 8 + struct.unpack_from("<I", view, 4)[0]
    if end > len(view):
        raise Malformed("shorter than its header says", code="image.truncated")
    if any(view[end + (end & 1) :]):
        context.found("image.trailing_data", "", detail=f"{len(view) - end} bytes")
    found = Chunks()
    alpha: bytes | None = None
    for name, body in run(view, 12, end):
        if name == b"ALPH":
            alpha = bytes(body)
        elif name in (b"VP8 ", b"VP8L"):
            if found.still is not None:
                raise Malformed("two pictures", code="image.malformed")
            found.still = _coded(name, bytes(body), alpha)
        else:
            _other(name, bytes(body), found, context)
    if (found.still is None) == (not found.frames):
        raise Malformed("neither a picture nor an animation", code="image.malformed")
    if found.still is not None:
        found.width, found.height = found.still.width, found.still.height
    return found


def _other(name: bytes, body: bytes, found: Chunks, context: Context) -> None:
    if name == b"VP8X" and len(body) == 10:
        found.flags = body[0]
        found.width, found.height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
    elif name == b"ANIM" and len(body) == 6:
        found.background, found.loops = struct.unpack("<IH", body)
    elif name == b"ANMF" and len(body) >= 24:
        _frame(body, found, context)
    elif name == b"ICCP":
        found.icc = body
    elif name == b"EXIF":
        found.exif = exif.read(body)
        exif.report(found.exif, "EXIF", context)
    elif name == b"XMP ":
        context.found("image.metadata", "XMP")
    else:
        context.found("image.private_chunk", "", detail=name.decode("ascii", "replace"))


def _frame(body: bytes, found: Chunks, context: Context) -> None:
    x, y, width, height, duration = (int.from_bytes(body[at : at + 3], "little") for at in range(0, 15, 3))
    context.budget.check_frame(width + 1, height + 1, len(found.frames))
    alpha: bytes | None = None
    coded: Coded | None = None
    for name, part in run(memoryview(body), 16, len(body)):
        if name == b"ALPH":
            alpha = bytes(part)
        elif name in (b"VP8 ", b"VP8L") and coded is None:
            coded = _coded(name, bytes(part), alpha)
        else:
            context.found("image.private_chunk", "ANMF", detail=name.decode("ascii", "replace"))
    if coded is None or (coded.width, coded.height) != (width + 1, height + 1):
        raise Malformed("frame", code="image.malformed")
    if 2 * x + coded.width > found.width or 2 * y + coded.height > found.height:
        raise Malformed("frame outside the canvas", code="image.malformed")
    found.frames.append(Frame(x, y, duration, body[15] & 3, coded))


def _coded(name: bytes, body: bytes, alpha: bytes | None) -> Coded:
    if name == b"VP8L":
        if len(body) < 5 or body[0] != 0x2F:
            raise Malformed("VP8L", code="image.malformed")
        bits = int.from_bytes(body[1:5], "little")
        return Coded(body, None, True, 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if len(body) < 10 or body[0] & 1 or body[3:6] != b"\x9d\x01\x2a":
        raise Malformed("VP8", code="image.malformed")
    width, height = struct.unpack_from("<HH", body, 6)
    return Coded(body, alpha, False, width & 0x3FFF, height & 0x3FFF)
