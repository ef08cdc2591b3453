"""PNG as a run of chunks: checked, named, and written anew.

Spec: W3C PNG third edition (with APNG).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from isal import isal_zlib

from sanitizers.context import Context
from sanitizers.formats.image import exif
from sanitizers.model import Malformed

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_TEXT: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME"})
# Hints that only repeat what the pixels say, or that no viewer obeys: no loss, no finding.
_HINTS: Final = frozenset({b"bKGD", b"sBIT", b"hIST", b"sRGB"})
_SRGB_GAMMA: Final = 45_455
_SRGB_PRIMARIES: Final = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
_MAX_PROFILE: Final = 16 << 20


class Frame(NamedTuple):
    """One fcTL with the compressed data that belongs to it; lengths in pixels, `delay` as its two 16-bit numbers."""

    width: int
    height: int
    x: int
    y: int
    delay: tuple[int, int]
    dispose: int
    blend: int
    data: list[memoryview]


@dataclass(slots=True)
class Chunks:
    header: bytes = b""
    palette: bytes = b""
    transparency: bytes | None = None
    data: list[memoryview] = field(default_factory=list)
    gamma: int | None = None
    density: tuple[int, int, int] | None = None   # pHYs: x, y, unit
    icc: bytes | None = None
    exif: exif.Exif = exif.NOTHING
    plays: int | None = None
    frames: list[Frame] = field(default_factory=list)
    first_is_shown: bool = False                  # the picture of IDAT is frame 0 of the animation

    @property
    def size(self) -> tuple[int, int]:
        width, height = struct.unpack_from(">II", self.header)
        return width, height

    @property
    def depth(self) -> int:
        return self.header[8]

    @property
    def colour_type(self) -> int:
        return self.header[9]

    def bare(self, size: tuple[int, int], data: list[memoryview]) -> bytes:
        """A PNG of one picture alone, for the decoder."""
        parts = [SIGNATURE, chunk(b"IHDR", struct.pack(">II", *size) + self.header[8:])]
        if self.palette:
            parts.append(chunk(b"PLTE", self.palette))
        if self.transparency is not None:
            parts.append(chunk(b"tRNS", self.transparency))
        return b"".join([*parts, chunk(b"IDAT", b"".join(data)), chunk(b"IEND", b"")])


def chunk(name: bytes, body: bytes) -> bytes:
    return b"".join(chunk_parts(name, body))


def chunk_parts(name: bytes, body: bytes | memoryview) -> tuple[bytes, bytes | memoryview, bytes]:
    """Before, in and behind the body, for whoever joins many: large bodies are not copied one by one."""
    crc = isal_zlib.crc32(body, isal_zlib.crc32(name))
    return struct.pack(">I", len(body)) + name, body, struct.pack(">I", crc)


def raw_chunks(view: memoryview) -> Iterator[tuple[bytes, memoryview, bool, int]]:
    """(name, body, whether its CRC is right, offset after it) up to IEND. Raises Malformed where the run breaks."""
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(view):
            raise Malformed("ends before IEND", code="image.truncated")
        (length,) = struct.unpack_from(">I", view, at)
        end = at + 12 + length
        if end > len(view):
            raise Malformed("ends inside a chunk", code="image.truncated")
        name, body = bytes(view[at + 4 : at + 8]), view[at + 8 : end - 4]
        if not name.isalpha():
            raise Malformed("chunk without a name", code="image.malformed")
        (crc,) = struct.unpack_from(">I", view, end - 4)
        yield name, body, isal_zlib.crc32(view[at + 4 : end - 4]) == crc, end
        if name == b"IEND":
            return
        at = end


def walk(view: memoryview, context: Context) -> Chunks:
    """Every chunk up to IEND. Records what is not taken over. Raises Malformed."""
    found = Chunks()
    end = 0
    for name, body, intact, after in raw_chunks(view):
        if not intact:
            if not name[0] & 0x20:
                raise Malformed(f"checksum of {name.decode()}", code="image.malformed")
            context.found("image.private_chunk", "", detail=f"{name.decode()}: wrong checksum")
        elif not found.header and name != b"IHDR":
            raise Malformed("does not begin with IHDR", code="image.malformed")
        else:
            _take(name, body, found, context)
        end = after
    if end < len(view):
        context.found("image.trailing_data", "", detail=f"{len(view) - end} bytes")
    if not found.data or (found.colour_type == 3 and not found.palette):
        raise Malformed("IDAT or PLTE is missing", code="image.malformed")
    return found


def _take(name: bytes, body: memoryview, found: Chunks, context: Context) -> None:
    if name == b"IHDR":
        _header(bytes(body), found)
    elif name == b"PLTE":
        _palette(bytes(body), found)
    elif name == b"IDAT":
        found.data.append(body)
    elif name == b"tRNS":
        found.transparency = bytes(body[:256])
    elif name in (b"acTL", b"fcTL", b"fdAT"):
        _animation(name, body, found, context)
    elif name == b"IEND":
        if len(body):
            context.found("image.hidden_data", "IEND")
    elif not name[0] & 0x20:
        raise Malformed(f"critical chunk {name.decode()}", code="image.malformed")
    else:
        _ancillary(name, bytes(body), found, context)


def _header(body: bytes, found: Chunks) -> None:
    if found.header or len(body) != 13 or body[10:12] != b"\0\0" or body[12] > 1 or not all(struct.unpack_from(">II", body)):
        raise Malformed("IHDR", code="image.malformed")
    found.header = body


def _palette(body: bytes, found: Chunks) -> None:
    if found.colour_type not in (2, 3, 6):
        raise Malformed("PLTE in a grey picture", code="image.malformed")
    if found.palette or found.data or len(body) % 3 or not 3 <= len(body) <= 768:
        raise Malformed("PLTE", code="image.malformed")
    if found.colour_type == 3:
        found.palette = body  # elsewhere only a suggestion


def _ancillary(name: bytes, body: bytes, found: Chunks, context: Context) -> None:
    where = name.decode()
    if name == b"pHYs" and len(body) == 9:
        x, y, unit = struct.unpack(">IIB", body)
        if 0 < x < 1 << 24 and 0 < y < 1 << 24 and unit <= 1:
            found.density = x, y, unit
    elif name == b"gAMA" and len(body) == 4:
        (gamma,) = struct.unpack(">I", body)
        if abs(gamma - _SRGB_GAMMA) > 1_000 and 1_000 <= gamma <= 1_000_000:
            found.gamma = gamma
    elif name == b"cHRM":
        if len(body) != 32 or any(abs(a - b) > 100 for a, b in zip(struct.unpack(">8I", body), _SRGB_PRIMARIES, strict=True)):
            context.found("image.color_profile", where)
    elif name == b"iCCP":
        found.icc = _profile(body)
        if found.icc is None:
            context.found("image.color_profile", where)
    elif name == b"eXIf":
        found.exif = exif.read(body)
        exif.report(found.exif, where, context)
    elif name in _TEXT:
        context.found("image.metadata", where)
    elif name not in _HINTS:
        _unknown(name, context)


def _unknown(name: bytes, context: Context) -> None:
    """One finding for all private chunks: their names are the author's to choose, as many as he likes."""
    if name == b"cICP":
        context.found("image.color_profile", "cICP")
    else:
        context.found("image.private_chunk", "", detail=name.decode())


def _profile(body: bytes) -> bytes | None:
    """The ICC profile of an iCCP chunk: name, method 0, zlib data."""
    name, _, rest = body.partition(b"\0")
    if len(name) > 79 or rest[:1] != b"\0":
        return None
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(rest[1:], _MAX_PROFILE)
    except zlib.error:
        return None
    return data if inflater.eof else None


def _animation(name: bytes, body: memoryview, found: Chunks, context: Context) -> None:
    if name == b"acTL":
        if len(body) != 8 or found.plays is not None or found.data:
            raise Malformed("acTL", code="image.malformed")
        found.plays = struct.unpack(">II", body)[1]
    elif name == b"fcTL":
        if len(body) != 26:
            raise Malformed("fcTL", code="image.malformed")
        _, width, height, x, y, top, bottom, dispose, blend = struct.unpack(">IIIIIHHBB", body)
        inside = width and height and x + width <= found.size[0] and y + height <= found.size[1]
        if not inside or dispose > 2 or blend > 1 or (not found.data and ((width, height) != found.size or found.frames)):
            raise Malformed("fcTL", code="image.malformed")
        context.budget.check_frame(width, height, len(found.frames))
        found.first_is_shown = found.first_is_shown or not found.data
        found.frames.append(Frame(width, height, x, y, (top, bottom), dispose, blend, []))
    else:
        if not found.frames or len(body) < 4 or not found.data:
            raise Malformed("fdAT without fcTL", code="image.malformed")
        found.frames[-1].data.append(body[4:])
