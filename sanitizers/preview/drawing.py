"""One page, or one picture, as plain pixels: RGB on white, no larger than asked for."""

from __future__ import annotations

import io
from typing import Final

import pypdfium2
from PIL import Image, ImageOps

from sanitizers.formats.image import codec
from sanitizers.model import Kind, LimitExceeded, Malformed, Unsupported
from sanitizers.preview import pages
from sanitizers.preview.room import Room
from sanitizers.preview_words import TALLEST
from sanitizers.source import Source

# Pillow's plugin for each kind; nothing else of Pillow is ever asked, as some of its plugins start programs.
_PLUGINS: Final = {
    Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.GIF: "GIF", Kind.BMP: "BMP", Kind.TIFF: "TIFF", Kind.WEBP: "WEBP", Kind.HEIC: "HEIF",
    Kind.AVIF: "AVIF", Kind.JP2: "JPEG2000", Kind.ICO: "ICO", Kind.PSD: "PSD",
}  # fmt: skip
_MOST_FRAMES: Final = 500
_LARGEST_SCALE: Final = 4.0     # a page of one inch is not drawn as wide as a screen
_DEEP: Final = frozenset(("I", "I;16", "I;16B", "I;16L", "F"))


def count(source: Source, kind: Kind, room: Room) -> int:
    """Pages that may be asked for; 0 for what cannot be drawn."""
    try:
        if kind is Kind.PDF:
            with pages.opened(source, room) as document:
                return len(document)
        if kind is Kind.TIFF:
            picture = _opened(source, kind, room)
            with codec.reading():
                return min(getattr(picture, "n_frames", 1), _MOST_FRAMES)
    except Malformed:
        return 0
    return 1 if kind in _PLUGINS or kind is Kind.SVG else 0


def draw(source: Source, kind: Kind, page: int, width: int, room: Room) -> Image.Image:
    """Raises Unsupported where nothing can be drawn, Malformed where there is no such page, and what a decoder raises."""
    if kind is Kind.PDF:
        return _page(source, page, width, room)
    if kind is Kind.SVG:
        made = room.rebuilt(source, kind, "drawing.svg")
        source, kind = made.content, made.kind
    if kind not in _PLUGINS:
        raise Unsupported("nothing to draw")
    picture = _opened(source, kind, room)
    with codec.reading():
        if page:
            picture.seek(page)
            room.budget.check_frame(*picture.size, page)
        picture.draft("RGB", (width, TALLEST))
        return _flat(picture, width)


def _page(source: Source, index: int, width: int, room: Room) -> Image.Image:
    with pages.opened(source, room) as document:
        if index >= len(document):
            raise Malformed("no such page")
        try:
            page = document[index]
            across, down = page.get_size()
            scale = min(width / max(across, 1.0), TALLEST / max(down, 1.0), _LARGEST_SCALE)
            bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False, draw_annots=True)
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise LimitExceeded("a page that cannot be drawn") from error
        return _within(bitmap.to_pil().convert("RGB"), width)


def _opened(source: Source, kind: Kind, room: Room) -> Image.Image:
    with codec.reading():
        picture = Image.open(io.BytesIO(source.bytes()), formats=[_PLUGINS[kind]])
    room.budget.check_frame(*picture.size)
    return picture


def _flat(picture: Image.Image, width: int) -> Image.Image:
    """The right way up, what is transparent on white."""
    if picture.mode in _DEEP:
        picture = picture.convert("F").point(lambda level: level / 257).convert("L") if "16" in picture.mode else picture.convert("L")
    if picture.mode == "P" or "transparency" in picture.info:
        picture = picture.convert("RGBA")
    picture.thumbnail((width, TALLEST), Image.Resampling.BOX)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in ("RGBA", "LA", "PA"):
        seen = picture.convert("RGBA")
        ground = Image.new("RGBA", seen.size, "white")
        picture = Image.alpha_composite(ground, seen)
    return _within(picture.convert("RGB"), width)


def _within(picture: Image.Image, width: int) -> Image.Image:
    picture.thumbnail((width, TALLEST), Image.Resampling.BOX)
    return picture
