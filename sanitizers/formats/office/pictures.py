"""Pictures go round the engine as files of their own; one that cannot be delivered leaves a neutral picture in its place."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.model import Action

# Kind → media type of what a document may show.
TYPES: Final = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "svg": "image/svg+xml",
    "emf": "image/x-emf",
    "wmf": "image/x-wmf",
}


class Picture(NamedTuple):
    """A clean picture: its bytes and its kind, one that the document may show."""

    content: bytes
    kind: str


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# One light grey pixel. Shapes carry their size themselves, so it fills the place of any picture.
NEUTRAL: Final = Picture(
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\xdd", 9))
    + _chunk(b"IEND", b""),
    "png",
)


def rebuild(  # noqa: PLR0917 - a part, its place, and what the document may show
    name: str, data: bytes, where: str, context: Context, code: str = "ooxml.picture_replaced", kinds: Mapping[str, str] = TYPES
) -> Picture:
    """The picture as its own sanitizer makes it, or `NEUTRAL` and a finding that says so."""
    if data == NEUTRAL.content:
        return NEUTRAL
    outcome = context.embed(name, data, where)
    made = outcome.report.output
    if outcome.content is None or made is None or made.kind not in kinds:
        reason = outcome.report.reason or f"a picture as {outcome.report.input.kind} cannot be shown here"
        context.found(code, where, Action.REWRITTEN, f"{outcome.report.input.kind}: {reason}")
        return NEUTRAL
    return Picture(outcome.content.bytes(), made.kind.value)
