"""ICO: every image decoded and put as PNG into a new icon directory. A cursor becomes an icon: only its hot spot is lost.

Spec: Microsoft "Icons" (ICONDIR), with PNG images since Windows Vista.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, pixels, png, png_chunks
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source

_ICON, _CURSOR = 1, 2
_HEADER: Final = 6
_ENTRY: Final = 16
_BITMAP_HEADER: Final = 40


class _Entry(NamedTuple):
    size: tuple[int, int]
    bits: int
    is_png: bool
    data: memoryview


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new icon with the same images in the same order. Raises Malformed."""
    entries = _walk(source.view, context)
    pictures = [_decode(entry, context) for entry in entries]
    if context.second_pass:
        return Rebuilt(source, Kind.ICO)
    images = [png.encode(pixels.lowered(picture, context), png.Extras()) for picture in pictures]
    at = _HEADER + _ENTRY * len(images)
    head = [struct.pack("<HHH", 0, 1, len(images))]
    for entry, image in zip(entries, images, strict=True):
        head.append(struct.pack("<BBBBHHII", entry.size[0] & 255, entry.size[1] & 255, 0, 0, 1, 32, len(image), at))
        at += len(image)
    data = b"".join([*head, *images])
    if codec.speaks(data):
        raise Malformed("the pixels spell active text", code="image.active_text")
    return Rebuilt(Source(data), Kind.ICO)


def _walk(view: memoryview, context: Context) -> list[_Entry]:
    if len(view) < _HEADER:
        raise Malformed("ends inside the header", code="image.truncated")
    reserved, kind, count = struct.unpack_from("<HHH", view)
    if reserved or kind not in (_ICON, _CURSOR) or not count or _HEADER + _ENTRY * count > len(view):
        raise Malformed("icon directory", code="image.malformed")
    if kind == _CURSOR:
        context.found("image.converted", "", Action.REWRITTEN, "cur → ico")
    context.budget.check_frame(1, 1, count - 1)
    covered = [(0, _HEADER + _ENTRY * count)]
    for index in range(count):
        size, offset = struct.unpack_from("<II", view, _HEADER + _ENTRY * index + 8)
        if offset + size > len(view) or size < _BITMAP_HEADER:
            raise Malformed("image outside the file", code="image.truncated")
        covered.append((offset, offset + size))
    if sum(end - start for start, end in covered) > len(view):
        raise Malformed("images that overlap", code="image.malformed")
    entries = [_entry(view[start:end], index, context) for index, (start, end) in enumerate(covered[1:])]
    _report_gaps(view, sorted(covered), context)
    codec.check_total(sum(entry.size[0] * entry.size[1] for entry in entries), context)
    return entries


def _entry(data: memoryview, index: int, context: Context) -> _Entry:
    """The size that the image itself has, which is what is decoded, whatever the directory says."""
    is_png = bytes(data[:8]) == png_chunks.SIGNATURE
    if is_png:
        size, bits = png_chunks.walk(data, context).size, 32
    else:
        header, width, height, _, bits = struct.unpack_from("<IiiHH", data)
        if header < _BITMAP_HEADER or width <= 0 or height <= 0 or height % 2 or bits not in (1, 4, 8, 16, 24, 32):
            raise Malformed("bitmap header", code="image.malformed")
        size = width, height // 2
    if max(size) > 256:
        raise Malformed(f"icon of {size[0]} x {size[1]} pixels", code="image.malformed")
    context.budget.check_frame(*size, index)
    return _Entry(size, bits, is_png, data)


def _report_gaps(view: memoryview, covered: list[tuple[int, int]], context: Context) -> None:
    at = 0
    for start, end in covered:
        if start > at and any(view[at:start]):
            context.found("image.hidden_data", "")
        at = max(at, end)
    if any(view[at:]):
        context.found("image.trailing_data", "", detail=f"{len(view) - at} bytes")


def _decode(entry: _Entry, context: Context) -> Image.Image:
    if entry.is_png:
        chunks = png_chunks.walk(entry.data, context)
        return codec.decoded(chunks.bare(chunks.size, chunks.data), "PNG", context, entry.size).convert("RGBA")
    sides = entry.size[0] & 255, entry.size[1] & 255
    alone = struct.pack("<HHHBBBBHHII", 0, 1, 1, *sides, 0, 0, 1, entry.bits, len(entry.data), _HEADER + _ENTRY)
    return codec.decoded(alone + bytes(entry.data), "ICO", context, entry.size).convert("RGBA")
