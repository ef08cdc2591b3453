"""Pictures as binary drawings hold them: [MS-ODRAW] 2.2.23 to 2.2.31. Read as files of their own, written anew from clean files."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Final, NamedTuple

from sanitizers.budget import Budget
from sanitizers.formats.office.pictures import Picture

# Type of a blip → its file name's ending, the instance with a second id, bytes between the ids and the content.
_BLIPS: Final = {
    0xF01A: ("emf", 0x3D5, 34), 0xF01B: ("wmf", 0x217, 34), 0xF01D: ("jpeg", 0x46B, 1), 0xF01E: ("png", 0x6E1, 1),
    0xF01F: ("bmp", 0x7A9, 1), 0xF029: ("tiff", 0x6E5, 1), 0xF02A: ("jpeg", 0x6E3, 1),
}  # fmt: skip
# Kind → type of the blip, its instance, its number in the table of pictures.
_WRITTEN: Final = {
    "emf": (0xF01A, 0x3D4, 2), "wmf": (0xF01B, 0x216, 3), "jpeg": (0xF01D, 0x46A, 5), "png": (0xF01E, 0x6E0, 6),
    "bmp": (0xF01F, 0x7A8, 7), "tiff": (0xF029, 0x6E4, 17),
}  # fmt: skip
KINDS: Final = {kind: kind for kind in _WRITTEN}
_METAFILES: Final = frozenset({"emf", "wmf"})
_BITMAP_HEAD: Final = 14
_PLACEABLE: Final = b"\xd7\xcd\xc6\x9a"
_PLACEABLE_HEAD: Final = 22
_NO_FILTER: Final = 0xFE


class Blip(NamedTuple):
    """A picture as a file of its own: its bytes, the usual ending of its name, and what a metafile says of its size (24 bytes)."""

    content: bytes
    ending: str
    bounds: bytes = bytes(24)


class Written(NamedTuple):
    """A whole record, its number in the table of pictures (MSOBLIPTYPE) and its id of 16 bytes."""

    record: bytes
    number: int
    digest: bytes


def read(data: bytes | memoryview, budget: Budget) -> Blip | None:
    """The blip at the start; None for one of a kind that nobody can show or that is broken. Raises LimitExceeded."""
    if len(data) < 8:
        return None
    head, kind, size = struct.unpack_from("<HHI", data)
    if kind not in _BLIPS or 8 + size > len(data):
        return None
    ending, doubled, between = _BLIPS[kind]
    start = 8 + (32 if head >> 4 == doubled else 16) + between
    content, said = bytes(data[start : 8 + size]), bytes(data[start - between : start])
    if len(said) < between:
        return None
    if ending not in _METAFILES:
        content = _with_head(content) if ending == "bmp" and len(content) > 40 else content
        return Blip(content, ending) if content else None
    content = _inflated(content, budget) if said[32] == 0 else content
    return Blip(content, ending, said[4:28]) if content else None


def fields(kind: int, instance: int) -> tuple[int, ...]:
    """Sizes of what stands before the content, one by one; nothing for what is no blip."""
    if kind not in _BLIPS:
        return ()
    _, doubled, between = _BLIPS[kind]
    return (16, 16, between) if instance == doubled else (16, between)


def write(picture: Picture, bounds: bytes = bytes(24)) -> Written:
    """A record for a picture of one of `KINDS`; `bounds` as `read` gave them, for metafiles."""
    kind, instance, number = _WRITTEN[picture.kind]
    content = picture.content
    digest = hashlib.blake2b(content, digest_size=16).digest()
    if picture.kind in _METAFILES:
        content = content[_PLACEABLE_HEAD:] if content.startswith(_PLACEABLE) else content
        packed = zlib.compress(content, 9)
        content = struct.pack("<I24sIBB", len(content), bounds, len(packed), 0, _NO_FILTER) + packed
    else:
        content = b"\xff" + (content[_BITMAP_HEAD:] if picture.kind == "bmp" else content)
    return Written(struct.pack("<HHI", instance << 4, kind, 16 + len(content)) + digest + content, number, digest)


def _with_head(bitmap: bytes) -> bytes:
    """A device-independent bitmap as a file: [MS-WMF] 2.2.2.9, with the offset of its pixels."""
    size, bits, packing, colours = (
        struct.unpack_from(shape, bitmap, at)[0] for shape, at in (("<I", 0), ("<H", 14), ("<I", 16), ("<I", 32))
    )
    table = 4 * (colours or (1 << bits if bits <= 8 else 0)) + (12 if packing == 3 and size == 40 else 0)
    return struct.pack("<2sIHHI", b"BM", (14 + len(bitmap)) & 0xFFFFFFFF, 0, 0, min(14 + size + table, 0xFFFFFFFF)) + bitmap


def _inflated(packed: bytes, budget: Budget) -> bytes:
    """Empty for what is broken. Raises LimitExceeded."""
    coder = zlib.decompressobj()
    try:
        content = coder.decompress(packed, budget.expanded_left + 1)
    except zlib.error:
        return b""
    budget.spend_bytes(len(content))
    return content
