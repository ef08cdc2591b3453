"""HEIC and AVIF: decoded and coded as JPEG, or as PNG where there is transparency. Only the primary picture crosses.

HEVC and AV1 decoders are the largest and youngest code here, and few programs of the inner side read their formats: nothing of
them goes out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import boxes, codec, colour, exif, jpeg, pixels, png
from sanitizers.model import Action, Kind, Malformed, Unsupported
from sanitizers.source import Source

# How libheif says that the C++ runtime could not start the thread that its HEVC decoder insists on.
_NO_THREAD = "unexpected C++ exception"


def sanitize(source: Source, context: Context) -> Rebuilt:
    """The primary picture as a new JPEG or PNG."""
    _walk(source.view, context)
    picture = _decode(source.bytes(), context)
    facts = _facts(picture, context)
    if picture.info.get("xmp"):
        context.found("image.metadata", "XMP")
    if getattr(picture, "n_frames", 1) > 1:
        context.found("image.frames_dropped", "")
    transform = colour.transform(picture.info.get("icc_profile"), picture.mode, context)
    return converted(picture if transform is None else transform.apply(picture), facts, context)


def converted(picture: Image.Image, facts: exif.Exif, context: Context, *, lossless: bool = False) -> Rebuilt:
    """A picture of a format that does not go out, in one that does."""
    upright = pixels.lowered(pixels.without_codes(exif.turned(picture, facts.orientation), context), context)
    opaque = upright.mode in ("L", "RGB") or (upright.mode in ("RGBA", "LA") and upright.getchannel("A").getextrema() == (255, 255))
    if opaque and not lossless:
        kind = Kind.JPEG
        plain = upright.convert("L" if upright.mode in ("L", "LA") else "RGB")
        data = jpeg.encode(plain, facts, context, {"quality": jpeg.NEW_QUALITY})
    else:
        kind = Kind.PNG
        data = png.encode(upright, png.Extras(taken=exif.kept_date(facts, context)))
    context.found("image.converted", "", Action.REWRITTEN, f"{context.kind} → {kind}")
    return Rebuilt(Source(data), kind)


def _decode(data: bytes, context: Context) -> Image.Image:
    plugin = "AVIF" if context.kind is Kind.AVIF else "HEIF"
    try:
        return codec.decoded(data, plugin, context)
    except Malformed as refusal:
        if _NO_THREAD in refusal.detail:
            raise Unsupported("the HEVC decoder cannot start here") from None
        raise


def _facts(picture: Image.Image, context: Context) -> exif.Exif:
    """libheif has turned the picture already; Pillow tells the turn of an AVIF as Exif."""
    block = picture.info.get("exif")
    if not block:
        return exif.NOTHING
    facts = exif.read(block)
    exif.report(facts, "Exif", context)
    return facts if context.kind is Kind.AVIF else facts._replace(orientation=1)


def _walk(view: memoryview, context: Context) -> None:
    """Records what else lies in the boxes. A tail that is no box is trailing data."""
    end = 0
    try:
        for box in boxes.run(view, 0, len(view)):
            end = box.end
            if box.name == b"meta":
                _meta(view, box, context)
            elif box.name == b"uuid":
                context.found("image.private_chunk", "uuid")
    except Malformed:
        if not end:
            raise
        context.found("image.trailing_data", "", detail=f"{len(view) - end} bytes")


def _meta(view: memoryview, meta: boxes.Box, context: Context) -> None:
    for box in boxes.run(view, meta.start + 4, meta.end):
        if box.name == b"iinf":
            if b"mime" in _items(view, box):
                context.found("image.metadata", "XMP")
        elif box.name == b"iref" and any(reference.name == b"thmb" for reference in boxes.run(view, box.start + 4, box.end)):
            context.found("image.thumbnail", "")


def _items(view: memoryview, box: boxes.Box) -> set[bytes]:
    """The types of the items in an iinf box."""
    if box.start + 8 > box.end:
        return set()
    return set(_types(view, box, box.start + (6 if view[box.start] == 0 else 8)))


def _types(view: memoryview, box: boxes.Box, at: int) -> Iterator[bytes]:
    for entry in boxes.run(view, at, box.end):
        version = int.from_bytes(view[entry.start : entry.start + 1])
        place = entry.start + 4 + (4 if version == 2 else 6)
        if entry.name == b"infe" and version >= 2 and place + 4 <= entry.end:
            yield struct.unpack_from("4s", view, place)[0]
