"""PNG: decoded, filtered and deflated anew, palettes in another order; an animation frame by frame, each in its place."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, colour, exif, palette, pixels, png_chunks
from sanitizers.formats.image.palette import Palette
from sanitizers.formats.image.png_chunks import SIGNATURE, Chunks, chunk, chunk_parts, raw_chunks
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source

_LARGE: Final = 4_000_000  # pixels from which the lowest effort is enough
_SeeThrough = bytes | int | tuple[int, ...] | None
_MODES: Final = {2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}      # of colour types
_TAKEN_FROM_ENCODER: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")


class Extras(NamedTuple):
    """What a PNG carries besides its pixels, all of it numbers."""

    gamma: int | None = None
    density: tuple[int, int, int] | None = None
    taken: bytes | None = None


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new PNG of exactly the same pixels (16-bit colours: to 8 bits)."""
    chunks = png_chunks.walk(source.view, context)
    context.budget.check_frame(*chunks.size)
    if chunks.depth == 16 and chunks.colour_type != 0:
        context.found("image.depth_reduced", "", Action.REWRITTEN)
    if chunks.plays is not None and chunks.frames:
        animation = _Animation(chunks, context)
        # Of what we wrote, the second opinion has inflated every row: decoding it here would only test the coder.
        return Rebuilt(source if context.second_pass else Source(codec.silent(animation.encodings())), Kind.PNG)
    if context.second_pass and context.treatment.picture_codes != "covered":
        colour.transform(chunks.icc, _mode(chunks), context)
        return Rebuilt(source, Kind.PNG)
    picture = codec.decoded(chunks.bare(chunks.size, chunks.data), "PNG", context, chunks.size)
    transform = colour.transform(chunks.icc, picture.mode, context)
    see_through = _see_through(picture, chunks)
    picture = pixels.without_codes(picture, context)
    if picture.mode == "P":
        order = _order(chunks, palette.used_indices(picture), transform, context)
        picture, see_through = palette.mapped(picture, order), _trimmed(order.alpha)
    elif transform is not None:
        picture = transform.apply(picture)
    if context.second_pass:
        return Rebuilt(source, Kind.PNG)
    picture, see_through = _lowered(picture, see_through, context)
    upright = exif.turned(picture, chunks.exif.orientation)
    return Rebuilt(Source(encode(upright, _extras(chunks, context), see_through)), Kind.PNG)


def encode(picture: Image.Image, extras: Extras, see_through: _SeeThrough = None) -> bytes:
    """A picture of mode 1, L, LA, P, RGB, RGBA or I;16 as PNG. `see_through`: the colour that tRNS names, or alpha of a palette."""
    return codec.silent(
        lambda level=level: _assemble(extras, _pixels(picture, see_through, level))  # type: ignore[misc]
        for level in _levels(picture.size)
    )


def _levels(size: tuple[int, int]) -> tuple[int, ...]:
    return (2, 3, 6) if size[0] * size[1] > _LARGE else (3, 6, 2)


def _pixels(picture: Image.Image, see_through: _SeeThrough, level: int) -> dict[bytes, list[memoryview]]:
    """The chunks that an encoder makes of the pixels, by name."""
    options: dict[str, object] = {"compress_level": level}
    if see_through is not None:
        options["transparency"] = see_through
    data = codec.encoded(picture, "PNG", **options)
    made: dict[bytes, list[memoryview]] = {name: [] for name in _TAKEN_FROM_ENCODER}
    for name, body, _, _ in raw_chunks(memoryview(data)):
        if name in made:
            made[name].append(body)
    return made


def _assemble(extras: Extras, made: dict[bytes, list[memoryview]]) -> bytes:
    pixels_of = [part for body in made[b"IDAT"] for part in chunk_parts(b"IDAT", body)]
    return b"".join([SIGNATURE, *_leading(extras, made), *pixels_of, chunk(b"IEND", b"")])


def _leading(extras: Extras, made: dict[bytes, list[memoryview]]) -> list[bytes]:
    parts = [chunk(b"IHDR", bytes(made[b"IHDR"][0]))]
    if extras.gamma is not None:
        parts.append(chunk(b"gAMA", struct.pack(">I", extras.gamma)))
    if extras.density is not None:
        parts.append(chunk(b"pHYs", struct.pack(">IIB", *extras.density)))
    if extras.taken is not None:
        parts.append(chunk(b"eXIf", exif.build(extras.taken)))
    return parts + [chunk(name, bytes(body)) for name in (b"PLTE", b"tRNS") for body in made[name]]


def _extras(chunks: Chunks, context: Context) -> Extras:
    density = chunks.density
    if density is None and chunks.exif.dpi is not None:
        density = (round(chunks.exif.dpi[0] / 0.0254), round(chunks.exif.dpi[1] / 0.0254), 1)
    if density is not None and exif.swaps_sides(chunks.exif.orientation):
        density = (density[1], density[0], density[2])
    return Extras(chunks.gamma, density, exif.kept_date(chunks.exif, context))


def _mode(chunks: Chunks) -> str:
    """What the decoder makes of it."""
    grey = {1: "1", 16: "I;16"}.get(chunks.depth, "L")
    return _MODES.get(chunks.colour_type, grey)


def _see_through(picture: Image.Image, chunks: Chunks) -> _SeeThrough:
    """The transparent colour as the encoder wants it."""
    value = picture.info.get("transparency")
    if chunks.transparency is None or value is None or chunks.colour_type not in (0, 2, 3):
        return None
    return value  # type: ignore[no-any-return]


def _lowered(picture: Image.Image, see_through: _SeeThrough, context: Context) -> tuple[Image.Image, _SeeThrough]:
    """A colour that is see-through becomes alpha first: its neighbours must not fall together with it."""
    if context.treatment.low_bits_cleared and see_through is not None and picture.mode in ("L", "RGB"):
        picture.info["transparency"] = see_through
        picture, see_through = picture.convert("RGBA"), None
    return pixels.lowered(picture, context), see_through


def _order(chunks: Chunks, used: list[int], transform: colour.Transform | None, context: Context) -> Palette:
    colours = pixels.lowered_colours(transform.palette(chunks.palette) if transform is not None else chunks.palette, context)
    if used and used[-1] >= len(colours) // 3:
        raise Malformed("a pixel has a colour that is not in the palette", code="image.malformed")
    return palette.reordered(colours, chunks.transparency or b"", used)


def _trimmed(alpha: bytes) -> bytes | None:
    return alpha.rstrip(b"\xff") or None


class _Animation:
    """An APNG: frames rebuilt one at a time with the same header and palette."""

    def __init__(self, chunks: Chunks, context: Context) -> None:
        self._chunks = chunks
        self._context = context
        codec.check_total(sum(frame.width * frame.height for frame in chunks.frames), context)
        if chunks.first_is_shown:
            chunks.frames[0].data.extend(chunks.data)
        if any(not frame.data for frame in chunks.frames):
            raise Malformed("frame without data", code="image.malformed")
        self._transform = colour.transform(chunks.icc, _mode(chunks), context)
        self._palette: Palette | None = None
        if chunks.palette:
            self._palette = _order(chunks, list(range(len(chunks.palette) // 3)), self._transform, context)

    def encodings(self) -> Iterator[Callable[[], bytes]]:
        for level in (3, 6, 2):
            yield lambda level=level: self._encode(level)  # type: ignore[misc]

    def _encode(self, level: int) -> bytes:
        chunks = self._chunks
        head = self._rebuilt(chunks.size, chunks.data, level)
        extras = _extras(chunks, self._context)
        parts = [SIGNATURE, *_leading(extras, head)]
        parts.append(chunk(b"acTL", struct.pack(">II", len(chunks.frames), chunks.plays)))
        if not chunks.first_is_shown:
            parts += [chunk(b"IDAT", bytes(body)) for body in head[b"IDAT"]]
        sequence = 0
        for index, frame in enumerate(chunks.frames):
            parts.append(chunk(b"fcTL", struct.pack(">I", sequence) + _control(frame)))
            sequence += 1
            if index == 0 and chunks.first_is_shown:
                parts += [chunk(b"IDAT", bytes(body)) for body in head[b"IDAT"]]
                continue
            for body in self._rebuilt((frame.width, frame.height), frame.data, level)[b"IDAT"]:
                parts.append(chunk(b"fdAT", struct.pack(">I", sequence) + bytes(body)))
                sequence += 1
        return b"".join([*parts, chunk(b"IEND", b"")])

    def _decoded(self, size: tuple[int, int], data: list[memoryview]) -> Image.Image:
        picture = codec.decoded(self._chunks.bare(size, data), "PNG", self._context, size)
        if self._palette is not None and palette.used_indices(picture)[-1] >= len(self._palette.colours) // 3:
            raise Malformed("a pixel has a colour that is not in the palette", code="image.malformed")
        return picture

    def _rebuilt(self, size: tuple[int, int], data: list[memoryview], level: int) -> dict[bytes, list[memoryview]]:
        picture = self._decoded(size, data)
        see_through = _see_through(picture, self._chunks)
        if self._palette is not None:
            picture, see_through = palette.mapped(picture, self._palette), _trimmed(self._palette.alpha)
        elif self._transform is not None:
            picture = self._transform.apply(picture)
        picture, see_through = _lowered(picture, see_through, self._context)
        return _pixels(picture, see_through, level)


def _control(frame: png_chunks.Frame) -> bytes:
    return struct.pack(">IIIIHHBB", frame.width, frame.height, frame.x, frame.y, *frame.delay, frame.dispose, frame.blend)
