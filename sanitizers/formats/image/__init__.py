"""Pictures made of pixels: decoded within limits, turned upright, encoded into a new file of plain pixels.

Removes: metadata (Exif but the capture date, GPS, XMP, IPTC, comments, thumbnails), colour profiles (applied first), private and
    unknown parts, bytes between and after the parts, unused colours, whatever the coding itself could hide.
Keeps: pixels (lossless kinds exactly, JPEG at its own quality), transparency, frames with their timing, pages, resolution, the
    capture date.
Refuses: broken or cut-off pictures, more pixels or frames than the limits, pixels that spell active text in every coding.
Spec: ITU-T T.81, W3C PNG (third edition), GIF89a, TIFF 6.0, RFC 9649 (WebP), ISO/IEC 23008-12 (HEIF), AV1 image file format,
    ITU-T T.800, BMP, ICO.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import bmp, gif, heif, ico, jp2, jpeg, png, tiff, webp
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source

_BY_KIND: Final[dict[Kind, Callable[[Source, Context], Rebuilt]]] = {
    Kind.JPEG: jpeg.sanitize,
    Kind.PNG: png.sanitize,
    Kind.GIF: gif.sanitize,
    Kind.BMP: bmp.sanitize,
    Kind.TIFF: tiff.sanitize,
    Kind.WEBP: webp.sanitize,
    Kind.HEIC: heif.sanitize,
    Kind.AVIF: heif.sanitize,
    Kind.JP2: jp2.sanitize,
    Kind.ICO: ico.sanitize,
}


def sanitize(source: Source, context: Context) -> Rebuilt:
    """By the kind of the part. HEIC, AVIF and JPEG 2000 come out as JPEG or PNG; everything else as what it was.

    In the second pass a picture is walked, reported on and decoded as in the first; only the encoding, which finds nothing, is spared
    (and for JPEG, PNG, TIFF and WebP the decoding: one call of an encoder wrote each picture, the second opinion inflates every row of
    a PNG, and every byte of a TIFF or a WebP belongs to one picture of it).
    """
    return _BY_KIND[context.kind](source, context)


SANITIZER: Final = Sanitizer(
    family="image",
    kinds=frozenset(_BY_KIND),
    sanitize=sanitize,
    removes="metadata and GPS, comments, thumbnails, private and hidden data, colour profiles (applied to the pixels)",
    keeps="pixels, transparency, animation, pages, resolution, capture date",
    refuses="broken pictures, more pixels or frames than the limits",
    spec="ITU-T T.81, W3C PNG, GIF89a, TIFF 6.0, RFC 9649, ISO/IEC 23008-12, ITU-T T.800",
)
