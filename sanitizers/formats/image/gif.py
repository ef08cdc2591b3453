"""GIF: every frame's indices decoded, given a palette in another order, and compressed anew in the same place and time."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from PIL import Image

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.image import codec, gif_blocks, palette, pixels
from sanitizers.formats.image.gif_blocks import Blocks, Control, Frame
from sanitizers.model import Kind, Malformed
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new GIF of exactly the same frames."""
    blocks = gif_blocks.walk(source.view, context)
    context.budget.check_frame(blocks.width, blocks.height)
    codec.check_total(sum(frame.width * frame.height for frame in blocks.frames), context)
    if context.second_pass:
        for frame in blocks.frames:
            _drawn(frame, _decode(frame), len(blocks.palette) // 3)
        return Rebuilt(source, Kind.GIF)
    return Rebuilt(Source(codec.silent((lambda: _encode(blocks, context, 0), lambda: _encode(blocks, context, 1)))), Kind.GIF)


def _encode(blocks: Blocks, context: Context, interlace: int) -> bytes:
    shared = _GlobalPalette(pixels.lowered_colours(blocks.palette, context))
    frames = [_frame(frame, shared, context, interlace) for frame in blocks.frames]
    width = blocks.width or max(frame.x + frame.width for frame in blocks.frames)
    height = blocks.height or max(frame.y + frame.height for frame in blocks.frames)
    table = shared.colours()
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, _table_flags(table), 0, 0) + _padded(table)
    if blocks.loops is not None:
        head += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", blocks.loops) + b"\0"
    return b"".join([head, *frames, b"\x3b"])


class _GlobalPalette:
    """New indices come in the order in which frames use the colours, and within a frame by digest: one pass over them is enough."""

    def __init__(self, colours: bytes) -> None:
        self.old = colours
        self._new: list[int] = []        # old index at each new one
        self._table = bytearray(256)
        self._known = bytearray(256)

    def take(self, used: Iterable[int]) -> bytes:
        """The table from old to new indices, after the colours in `used` have got theirs."""
        fresh = [index for index in used if not self._known[index]]
        for old in palette.in_order(self.old, fresh):
            self._table[old] = len(self._new)
            self._known[old] = 1
            self._new.append(old)
        return bytes(self._table)

    def colours(self) -> bytes:
        return b"".join(self.old[3 * old : 3 * old + 3] or b"\0\0\0" for old in self._new)

    def __len__(self) -> int:
        return len(self.old) // 3


def _frame(frame: Frame, shared: _GlobalPalette, context: Context, interlace: int) -> bytes:
    picture = pixels.without_codes(_decode(frame), context, frame.palette or shared.old)
    control = frame.control
    used = _drawn(frame, picture, len(shared))
    if frame.palette is None:
        own, table = b"", shared.take(used)
    else:
        made = palette.reordered(pixels.lowered_colours(frame.palette, context).ljust(768, b"\0"), b"", used)
        own, table = made.colours, made.table
    picture = Image.frombytes("P", picture.size, picture.tobytes().translate(table))
    code_size = max(2, (max(table[index] for index in used)).bit_length())
    data = picture.tobytes("gif", "P", code_size, interlace)
    flags = _table_flags(own) | (0x40 if interlace else 0)
    head = b"" if control is None else _control(control, table)
    place = struct.pack("<B4HB", 0x2C, frame.x, frame.y, frame.width, frame.height, flags)
    return b"".join([head, place, _padded(own), bytes([code_size]), data, b"\0"])


def _decode(frame: Frame) -> Image.Image:
    with codec.reading("image.truncated"):
        return Image.frombytes("P", (frame.width, frame.height), frame.data, "gif", frame.code_size, int(frame.interlaced))


def _drawn(frame: Frame, picture: Image.Image, shared: int) -> list[int]:
    """The indices that need a place in the palette. The see-through one may be outside of it: nothing of it is drawn."""
    used = palette.used_indices(picture)
    transparent = frame.control.transparent if frame.control is not None else None
    available = shared if frame.palette is None else len(frame.palette) // 3
    visible = [index for index in used if index != transparent]
    if visible and visible[-1] >= available:
        raise Malformed("a pixel has a colour that is not in the palette", code="image.malformed")
    return visible if transparent is None else sorted([*visible, transparent])


def _control(control: Control, table: bytes) -> bytes:
    see_through = control.transparent is not None
    flags = (control.disposal if control.disposal <= 3 else 0) << 2 | see_through
    index = table[control.transparent] if control.transparent is not None else 0
    return struct.pack("<4BHBB", 0x21, 0xF9, 4, flags, control.delay, index, 0)


def _bits(colours: bytes) -> int:
    return max(1, (len(colours) // 3 - 1).bit_length())


def _table_flags(colours: bytes) -> int:
    return 0x80 | (_bits(colours) - 1) if colours else 0


def _padded(colours: bytes) -> bytes:
    return colours.ljust(3 << _bits(colours), b"\0") if colours else b""
