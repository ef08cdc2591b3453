"""Bitmaps and gradients of an EMF as pixels. MS-EMF 2.3.1, 2.3.5.12."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from PIL import Image, ImageChops

from sanitizers.formats.metafile import objects
from sanitizers.formats.metafile.canvas import IDENTITY, SOURCE_COPY, Canvas, corners, unsupported

_BITBLT, _STRETCHBLT, _STRETCH_DIBITS, _ALPHA, _TRANSPARENT = 76, 77, 81, 114, 116


class _Places(NamedTuple):
    """Where a record has what: size of the target, raster operation (or blend, or colour), corner and size of the source, bitmap."""

    size: int
    operation: int
    source: int
    source_size: int
    bitmap: int


BLITS: Final = {
    _BITBLT: _Places(32, 40, 44, 32, 84), _STRETCHBLT: _Places(32, 40, 44, 100, 84), _STRETCH_DIBITS: _Places(72, 68, 32, 40, 48),
    _ALPHA: _Places(32, 40, 44, 100, 84), _TRANSPARENT: _Places(32, 40, 44, 100, 84),
}  # fmt: skip
_SOURCE_ALPHA: Final = 1
_MATRIX: Final = 52  # of the source


def blit(canvas: Canvas, body: bytes) -> None:
    """A record with a bitmap, or without one. Raises Unsupported."""
    kind, places = body[0], BLITS[body[0]]
    x, y = struct.unpack_from("<2i", body, 24)
    width, height = struct.unpack_from("<2i", body, places.size)
    (operation,) = struct.unpack_from("<I", body, places.operation)
    box = (x, y, x + width, y + height)
    if not struct.unpack_from("<I", body, places.bitmap + 4)[0]:
        canvas.blit(box, operation & 0xFFFFFF if kind not in (_ALPHA, _TRANSPARENT) else -1, None)
        return
    if kind != _STRETCH_DIBITS and struct.unpack_from("<6f", body, _MATRIX) != IDENTITY:
        raise unsupported("a picture that is turned twice")
    image = _piece(picture(body, places.bitmap, alpha=kind == _ALPHA and body[43] == _SOURCE_ALPHA), body, places)
    if kind == _ALPHA:
        image = _faded(image, body[40:44])
    elif kind == _TRANSPARENT:
        image = _without(image, objects.colour(operation))
    canvas.blit(box, SOURCE_COPY if kind in (_ALPHA, _TRANSPARENT) else operation & 0xFFFFFF, image)


def picture(body: bytes, place: int, *, alpha: bool = False) -> Image.Image:
    """The bitmap of a record, by the place of its four offsets."""
    info_at, info_size, bits_at, bits_size = struct.unpack_from("<4I", body, place)
    return objects.picture(body[info_at : info_at + info_size], body[bits_at : bits_at + bits_size], alpha=alpha)


def _piece(image: Image.Image, body: bytes, places: _Places) -> Image.Image:
    """What of the bitmap is shown."""
    left, top = struct.unpack_from("<2i", body, places.source)
    width, height = struct.unpack_from("<2i", body, places.source_size)
    return cut(image, left, image.height - top - height if body[0] == _STRETCH_DIBITS else top, width, height)


def cut(image: Image.Image, left: int, top: int, width: int, height: int) -> Image.Image:
    """A piece of a bitmap, from its upper left corner on. Raises Unsupported where it leaves the bitmap."""
    if (left, top, width, height) == (0, 0, *image.size):
        return image
    if not (0 <= left < left + width <= image.width and 0 <= top < top + height <= image.height):
        raise unsupported("a piece that leaves its picture")
    return image.crop((left, top, left + width, top + height))


def _faded(image: Image.Image, blend: bytes) -> Image.Image:
    """BLENDFUNCTION: operation, flags that nobody reads, alpha of the whole, whether the pixels have one of their own."""
    if blend[0] or blend[3] > _SOURCE_ALPHA:
        raise unsupported("a picture that mixes with what is there")
    found = image.convert("RGBA")
    found.putalpha(found.getchannel("A").point([level * blend[2] // 255 for level in range(256)]))
    return found


def _without(image: Image.Image, colour: str) -> Image.Image:
    """One colour is not shown."""
    found = image.convert("RGB")
    difference = ImageChops.difference(found, Image.new("RGB", found.size, colour))
    channels = [channel.point([0, *[255] * 255]) for channel in difference.split()]
    found.putalpha(ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2]))
    return found


def gradient(canvas: Canvas, body: bytes) -> None:
    """Rectangles whose colour changes from side to side; triangles are not drawn."""
    count, shapes, mode = struct.unpack_from("<3I", body, 24)
    if mode > 1:
        raise unsupported("triangles of changing colour")
    corner = [struct.unpack_from("<ii4H", body, 36 + 16 * index) for index in range(count)]
    for index in range(shapes):
        first, last = struct.unpack_from("<II", body, 36 + 16 * count + 8 * index)
        one, other = corner[first], corner[last]
        if one[mode] > other[mode]:
            one, other = other, one
        start, end = ((one[0], one[1]), (other[0] if not mode else one[0], other[1] if mode else one[1]))
        name = canvas.gradient(canvas.place(start), canvas.place(end), _rgb(one), _rgb(other))
        box = (one[0], one[1], other[0], other[1])
        canvas.add("path", {"d": canvas.line(corners(box), closed=True), "fill": f"url(#{name})"})


def _rgb(vertex: tuple[int, ...]) -> str:
    return "#" + "".join(f"{value >> 8:02x}" for value in vertex[2:5])
