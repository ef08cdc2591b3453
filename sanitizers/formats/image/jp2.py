"""JPEG 2000: decoded and coded as PNG where it was lossless or has transparency, else as JPEG."""

from __future__ import annotations

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import boxes, codec, colour, exif, heif
from sanitizers.model import Malformed
from sanitizers.source import Source

_CODESTREAM = b"\xff\x4f\xff\x51"
_CODING_STYLE = b"\xff\x52"
_STRUCTURAL = frozenset({b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"rreq", b"free", b"skip"})
_METADATA = frozenset({b"xml ", b"uuid", b"uinf", b"jp2i", b"asoc"})


def sanitize(source: Source, context: Context) -> Rebuilt:
    """The picture as a new PNG or JPEG."""
    view = source.view
    if bytes(view[:4]) == _CODESTREAM:
        icc, start = None, 0
    else:
        icc, start = _walk(view, context)
    picture = codec.decoded(source.bytes(), "JPEG2000", context)
    transform = colour.transform(icc, picture.mode, context)
    if transform is not None:
        picture = transform.apply(picture)
    if picture.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
        picture = picture.convert("RGB")
    return heif.converted(picture, exif.NOTHING, context, lossless=picture.mode == "I;16" or _reversible(view, start))


def _walk(view: memoryview, context: Context) -> tuple[bytes | None, int]:
    """(ICC profile, offset of the first codestream). Records what is not taken over."""
    icc: bytes | None = None
    streams: list[int] = []
    end = 0
    try:
        for box in boxes.run(view, 0, len(view)):
            end = box.end
            if box.name == b"jp2h":
                icc = _profile(view, box) or icc
            elif box.name == b"jp2c":
                streams.append(box.start)
            elif box.name in _METADATA:
                context.found("image.metadata", box.name.decode())
            elif box.name not in _STRUCTURAL:
                context.found("image.private_chunk", "", detail=box.name.decode("ascii", "replace"))
    except Malformed:
        if not streams:
            raise
        context.found("image.trailing_data", "", detail=f"{len(view) - end} bytes")
    if not streams:
        raise Malformed("no codestream", code="image.malformed")
    if len(streams) > 1:
        context.found("image.frames_dropped", "")
    return icc, streams[0]


def _profile(view: memoryview, header: boxes.Box) -> bytes | None:
    for box in boxes.run(view, header.start, header.end):
        if box.name == b"colr" and box.end - box.start > 3 and view[box.start] == 2:
            return bytes(view[box.start + 3 : box.end])
    return None


def _reversible(view: memoryview, start: int) -> bool:
    """Whether the COD segment of the main header names the reversible (5-3) wavelet."""
    head = bytes(view[start : start + 4096])
    at = head.find(_CODING_STYLE, 4)
    return at >= 0 and at + 13 < len(head) and head[at + 13] == 1
