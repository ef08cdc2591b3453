"""WebP: decoded and coded anew, lossless pictures without loss; an animation frame by frame, each in its place."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, colour, exif, pixels, vp8, webp_chunks
from sanitizers.formats.image.webp_chunks import Chunks, Coded, chunk, file_of, three
from sanitizers.model import Kind, Malformed
from sanitizers.source import Source

_LOSSLESS_EFFORT: Final = 50
_METHODS: Final = (2, 4, 1)  # libwebp's effort: the first is usual, the others lay the same pixels out differently


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new WebP: lossless pictures exactly the same, others at about the quantiser of the original."""
    chunks = webp_chunks.walk(source.view, context)
    context.budget.check_frame(chunks.width, chunks.height)
    codec.check_total(sum(frame.coded.width * frame.coded.height for frame in chunks.frames), context)
    transform = colour.transform(chunks.icc, "RGB", context)
    if context.second_pass:
        return Rebuilt(source, Kind.WEBP)
    encode = _still if chunks.still is not None else _animation
    ways: Iterator[Callable[[], bytes]] = (lambda method=method: encode(chunks, transform, context, method) for method in _METHODS)  # type: ignore[misc]
    return Rebuilt(Source(codec.silent(ways)), Kind.WEBP)


def _still(chunks: Chunks, transform: colour.Transform | None, context: Context, method: int) -> bytes:
    assert chunks.still is not None
    coded = _rebuilt(chunks.still, transform, context, method, chunks.exif.orientation)
    taken = exif.kept_date(chunks.exif, context)
    block = exif.build(taken) if taken else None
    return file_of(coded.width, coded.height, coded.chunks(), alpha=coded.alpha is not None, exif_block=block)


def _animation(chunks: Chunks, transform: colour.Transform | None, context: Context, method: int) -> bytes:
    """The background colour is never shown by viewers and is not taken over."""
    parts = [chunk(b"ANIM", struct.pack("<IH", 0, chunks.loops))]
    for frame in chunks.frames:
        coded = _rebuilt(frame.coded, transform, context, method)
        place = three(frame.x) + three(frame.y) + three(coded.width - 1) + three(coded.height - 1) + three(frame.duration)
        parts.append(chunk(b"ANMF", place + bytes([frame.flags]) + coded.chunks()))
    return file_of(chunks.width, chunks.height, b"".join(parts), alpha=True, animated=True)


def _rebuilt(coded: Coded, transform: colour.Transform | None, context: Context, method: int, orientation: int = 1) -> Coded:
    picture: Image.Image = codec.decoded(coded.file(), "WEBP", context, (coded.width, coded.height))
    if transform is not None:
        picture = transform.apply(picture)
    picture = pixels.lowered(pixels.without_codes(exif.turned(picture, orientation), context), context)
    options: dict[str, object] = {"method": method}
    if coded.lossless:
        options |= {"lossless": True, "quality": _LOSSLESS_EFFORT, "exact": True}
    else:
        options["quality"] = vp8.quality(coded.data)
    made = webp_chunks.walk(memoryview(codec.encoded(picture, "WEBP", **options)), context).still
    if made is None or made.lossless != coded.lossless:
        raise Malformed("the coder made another picture", code="image.decoder")
    return made
