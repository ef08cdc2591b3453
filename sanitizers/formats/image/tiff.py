"""TIFF: every page decoded and written anew. Fax pages stay bilevel (Group 4), photographs JPEG, all else deflated."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Final

from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, colour, palette, pixels, tiff_tags
from sanitizers.formats.image.exif import Dpi
from sanitizers.formats.image.tiff_tags import Page
from sanitizers.model import Action, Kind, Malformed, Unsupported
from sanitizers.source import Source

_JPEG: Final = 7
_OLD_JPEG: Final = 6
_QUALITY: Final = 92
_PLAIN: Final = frozenset({"1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA", "I", "F"})
_DEEP: Final = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
_SWAPS_SIDES: Final = 5
# Compressions of the pages that are not photographs; the second only where the pixels speak in the first.
_WAYS: Final = (("group4", "tiff_adobe_deflate"), ("group3", "tiff_lzw"))
_PREDICTOR, _HORIZONTAL = 317, 2


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new TIFF of the same pages: exactly the same pixels but for photographs, which stay JPEG."""
    pages = tiff_tags.walk(source.view, context)
    codec.check_total(sum(page.number(tiff_tags.WIDTH) * page.number(tiff_tags.LENGTH) for page in pages), context)
    data = source.bytes()
    if context.second_pass:
        if context.treatment.picture_codes == "covered":
            for _ in _decoded(data, pages, context):    # looks whether a code is left
                pass
        return Rebuilt(source, Kind.TIFF)
    ways: tuple[Callable[[], bytes], ...] = tuple(lambda way=way: _encode(data, pages, context, way) for way in _WAYS)  # type: ignore[misc]
    return Rebuilt(Source(codec.silent(ways)), Kind.TIFF)


def _encode(data: bytes, pages: list[Page], context: Context, way: tuple[str, str]) -> bytes:
    out = io.BytesIO()
    with AppendingTiffWriter(out) as writer:
        for page, shown in _decoded(data, pages, context):
            _write(shown, writer, page, way)
            writer.newFrame()
    return out.getvalue()


def _decoded(data: bytes, pages: list[Page], context: Context) -> Iterator[tuple[Page, Image.Image]]:
    """One page at a time, without smaller copies of others."""
    with codec.reading():
        picture = codec.opened(data, "TIFF", context)
    for index, page in enumerate(pages):
        if not index or not page.reduced():
            yield page, _decode(picture, index, page, context)


def _decode(picture: Image.Image, index: int, page: Page, context: Context) -> Image.Image:
    """Upright (Pillow turns TIFF pages itself), in sRGB, of a mode that can be written, without its tags."""
    if page.number(tiff_tags.COMPRESSION) == _OLD_JPEG:
        raise Unsupported("TIFF with JPEG of the old style")
    with codec.reading():
        picture.seek(index)
        size = picture.size
        context.budget.check_frame(*size, index)
        picture.load()
    sides = page.number(tiff_tags.WIDTH), page.number(tiff_tags.LENGTH)
    if size not in (sides, sides[::-1]):
        raise Malformed(f"size {size}, expected {sides}", code="image.malformed")
    if max(page.numbers(tiff_tags.BITS), default=1) > 8 and picture.mode not in _DEEP:
        context.found("image.depth_reduced", f"page {index + 1}", Action.REWRITTEN)
    shown = pixels.without_codes(_writable(picture), context)
    transform = colour.transform(bytes(page.tags.get(tiff_tags.ICC, (0, 0, b""))[2]), shown.mode, context)
    if shown.mode == "P":
        return _reordered(shown, transform, context)
    return pixels.lowered(transform.apply(shown) if transform is not None else shown, context)


def _writable(picture: Image.Image) -> Image.Image:
    if picture.mode in _PLAIN:
        # The same pixels without the tags, not copied: whoever gets them is done with them before the next page is decoded.
        return picture._new(picture.im)  # noqa: SLF001
    if picture.mode in _DEEP:
        return Image.frombytes("I;16", picture.size, picture.tobytes(), "raw", picture.mode)  # convert() would clip to 8 bits
    return picture.convert({"PA": "RGBA", "RGBa": "RGBA", "La": "LA"}.get(picture.mode, "RGB"))


def _reordered(picture: Image.Image, transform: colour.Transform | None, context: Context) -> Image.Image:
    colours = bytes(picture.getpalette("RGB") or ())
    used = palette.used_indices(picture)
    if used[-1] >= len(colours) // 3:
        raise Malformed("a pixel has a colour that is not in the palette", code="image.malformed")
    order = palette.reordered(pixels.lowered_colours(transform.palette(colours) if transform else colours, context), b"", used)
    return palette.mapped(picture, order)


def _write(shown: Image.Image, writer: AppendingTiffWriter, page: Page, way: tuple[str, str]) -> None:
    bilevel, other = way
    shown.info.clear()
    options: dict[str, object] = {"compression": bilevel if shown.mode == "1" else other}
    if shown.mode not in ("1", "P", "F"):
        options["tiffinfo"] = {_PREDICTOR: _HORIZONTAL}
    if page.number(tiff_tags.COMPRESSION) == _JPEG and shown.mode in ("L", "RGB"):
        options = {"compression": "jpeg", "quality": _QUALITY}
        shown = shown.convert("YCbCr") if shown.mode == "RGB" else shown
    dpi = _dpi(page)
    if dpi is not None:
        options["dpi"] = dpi
    shown.save(writer, "TIFF", **options)


def _dpi(page: Page) -> Dpi | None:
    dpi = page.dpi()
    turned = _SWAPS_SIDES <= page.number(tiff_tags.ORIENTATION, 1) <= 8
    return dpi[::-1] if dpi is not None and turned else dpi
