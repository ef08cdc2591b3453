"""JPEG: decoded, turned upright, coded again as a baseline picture with the quality of the original."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from PIL import Image, ImageStat, JpegImagePlugin

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, colour, exif, jpeg_segments, pixels
from sanitizers.formats.image.jpeg_segments import Segments
from sanitizers.model import Kind, Malformed
from sanitizers.source import Source

Tables = tuple[tuple[int, ...], ...]

# Of pictures that were no JPEG before (HEIC, AVIF, JPEG 2000).
NEW_QUALITY: Final = 92
_444, _422, _420 = 0, 1, 2
_SAMPLINGS: Final[dict[tuple[int, ...], int]] = {
    (0x11, 0x11, 0x11): _444,
    (0x21, 0x11, 0x11): _422,
    (0x22, 0x11, 0x11): _420,
    (0x41, 0x11, 0x11): _420,
    (0x42, 0x11, 0x11): _420,
}
# Pixels from which Huffman tables of the picture's own cost more time than the tenth that they save is worth.
_LARGE: Final = 4_000_000
# Byte values from here on can be letters; below are only control codes and quantiser steps of good pictures.
_BLOCK: Final = 16  # lines of the tallest row of blocks in common use
_LETTERS: Final = 32
_LATTICE: Final = 8


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new JPEG of the same pixels, as far as its own quantiser lets them be the same."""
    segments = jpeg_segments.walk(source.view, context)
    context.budget.check_frame(segments.width, segments.height)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[len(segments.components)]
    transform = colour.transform(segments.profile(), mode, context)
    if context.second_pass:
        return Rebuilt(source, Kind.JPEG)  # one call of the encoder wrote it from end to end: decoding would only test the coder
    picture = _decode(segments, context)
    tables = _tables(picture)
    orientation = segments.exif.orientation
    subsampling = _subsampling(segments, orientation)
    if transform is not None:
        picture = transform.apply(picture)
        tables = tables[:3]  # of four for CMYK
    picture = pixels.lowered(pixels.without_codes(exif.turned(picture, orientation), context), context)
    if context.treatment.low_bits_cleared:
        tables = [[min(255, step * 5 // 4 + 1) for step in table] for table in tables]  # what a coefficient hid is rounded away
    options = {"qtables": tables, "subsampling": subsampling} if subsampling is not None else {"qtables": tables}
    facts = segments.exif._replace(dpi=segments.density or segments.exif.dpi)
    return Rebuilt(Source(encode(picture, facts, context, options)), Kind.JPEG)


def encode(picture: Image.Image, facts: exif.Exif, context: Context, options: Mapping[str, object]) -> bytes:
    """Any picture of mode L, RGB or CMYK as JPEG. `options`: qtables and subsampling, or quality."""
    wanted = dict(options)
    if facts.dpi is not None:
        dpi = facts.dpi[::-1] if exif.swaps_sides(facts.orientation) else facts.dpi
        wanted["dpi"] = dpi
    if taken := exif.kept_date(facts, context):
        wanted["exif"] = b"Exif\0\0" + exif.build(taken)
    return codec.silent(_encodings(picture, wanted))


def _encodings(picture: Image.Image, wanted: Mapping[str, object]) -> Iterator[Callable[[], bytes]]:
    """The usual one first; the others lay out the same coefficients in other bits."""
    optimize = picture.width * picture.height < _LARGE
    for more in ({"optimize": optimize}, {"restart_marker_rows": 1}, {"optimize": not optimize}):
        yield lambda more=more: codec.encoded(picture, "JPEG", **wanted, **more)  # type: ignore[misc]


def _decode(segments: Segments, context: Context) -> Image.Image:
    picture = codec.decoded(segments.bare(), "JPEG", context, (segments.width, segments.height))
    if not segments.complete:
        _refuse_truncated(picture, segments)
    return picture


def _refuse_truncated(picture: Image.Image, segments: Segments) -> None:
    """Without EOI, a sequential picture is taken when all but its last row of blocks is there.

    A decoder paints missing rows flat, in one colour from edge to edge; what is looked at is the last row but one, without the lines
    that its neighbours colour.
    """
    last = (picture.height - 1) // _BLOCK * _BLOCK
    if last < _BLOCK or segments.scans > 1:
        raise Malformed("the coded data ends before the picture does", code="image.truncated")
    row = picture.crop((0, last - _BLOCK + 2, picture.width, last - 2))
    if max(ImageStat.Stat(row).var) < 1e-6:
        raise Malformed("the coded data ends before the picture does", code="image.truncated")


def _subsampling(segments: Segments, orientation: int) -> int | None:
    """As in the original; rare ones become the next finer that an encoder has."""
    if len(segments.components) != 3:
        return None
    kept = _SAMPLINGS.get(tuple(factors for _, factors in segments.components), _444)
    return _444 if kept == _422 and exif.swaps_sides(orientation) else kept


def _tables(picture: Image.Image) -> list[list[int]]:
    """One quantiser table for each component, those at the end only once."""
    assert isinstance(picture, JpegImagePlugin.JpegImageFile)
    try:
        tables = [list(_plain(picture.quantization[layer[3]])) for layer in picture.layer]
    except KeyError:
        raise Malformed("component without a quantiser table", code="image.malformed") from None
    while len(tables) > 1 and tables[-1] == tables[-2]:
        tables.pop()
    return tables


def _plain(table: Sequence[int]) -> Sequence[int]:
    """A standard table as it is; any other with large steps put on a lattice, so that no table can spell text of its author's."""
    if tuple(table) in _STANDARD:
        return table
    return [min(248, step - step % _LATTICE) if step >= _LETTERS else max(1, step) for step in table]


def _standard_tables() -> frozenset[tuple[int, ...]]:
    """The tables of T.81 annex K at every quality, as the Independent JPEG Group scales them."""
    scales = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in range(1, 101)]
    pairs = itertools.product((_LUMINANCE, _CHROMINANCE), scales)
    return frozenset(tuple(min(255, max(1, (step * scale + 50) // 100)) for step in base) for base, scale in pairs)


_LUMINANCE: Final = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMINANCE: Final = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip
_STANDARD: Final = _standard_tables()
