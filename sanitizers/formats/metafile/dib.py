"""Device-independent bitmaps inside metafiles: sent round the engine as BMP files, and taken apart again.

Spec: MS-WMF 2.2.2.9 (DeviceIndependentBitmap Object).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.model import Kind

_RGB_COLOURS: Final = 0
_CORE, _INFO, _V4 = 12, 40, 108
_FILE_HEADER: Final = 14
_BITFIELDS: Final = 3
_ALPHA_MASKS: Final = struct.pack("<5I", 0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000, 0x7352_4742) + bytes(48)


class Dib(NamedTuple):
    """`info`: header and palette; `bits`: rows, bottom first. `turned`: the rows were top first."""

    info: bytes
    bits: bytes
    height: int
    turned: bool


def rebuilt(info: bytes, bits: bytes, usage: int, context: Context, *, alpha: bool = False) -> Dib | None:
    """The bitmap made anew; None where it cannot be delivered, which is reported. `alpha`: the fourth byte of 32 bits counts."""
    number = sum(part.input.kind is Kind.BMP for part in context.parts) + 1
    name = f"picture{number}.bmp"
    if usage != _RGB_COLOURS or len(info) < _CORE:
        context.found("metafile.picture_dropped", name)
        return None
    (length,) = struct.unpack_from("<I", info)
    turned = length >= _INFO and len(info) >= _INFO and struct.unpack_from("<i", info, 8)[0] < 0
    see_through = alpha and len(info) >= _INFO and _is_plain(info)
    if see_through:
        info = struct.pack("<I", _V4) + info[4:16] + struct.pack("<I", _BITFIELDS) + info[20:_INFO] + _ALPHA_MASKS
    at = _FILE_HEADER + len(info)
    outcome = context.embed(name, b"BM" + struct.pack("<IHHI", at + len(bits), 0, 0, at) + info + bits, name)
    made = outcome.report.output
    if outcome.content is None or made is None or made.kind is not Kind.BMP:
        context.found("metafile.picture_dropped", name)
        return None
    data = outcome.content.bytes()
    (at,) = struct.unpack_from("<I", data, 10)
    new = data[_FILE_HEADER:at]
    if see_through:
        new = struct.pack("<I", _INFO) + new[4:16] + bytes(4) + new[20:_INFO]
    return Dib(new, data[at:], struct.unpack_from("<i", new, 8)[0], turned)


def _is_plain(info: bytes) -> bool:
    """32 bits: blue, green, red and what is over, said by masks or not."""
    said = struct.unpack_from("<HI", info, 14)
    return said == (32, 0) or (said == (32, _BITFIELDS) and info[_INFO : _INFO + 12] == _ALPHA_MASKS[:12])


def packed(data: bytes, usage: int, context: Context) -> Dib | None:
    """The same for one block of header, palette and rows."""
    if len(data) < _CORE:
        context.found("metafile.picture_dropped")
        return None
    end = info_length(data)
    return rebuilt(data[:end], data[end:], usage, context)


def info_length(data: bytes) -> int:
    """Of header, masks and palette. What is wrong in them is found when the bitmap is read."""
    length: int = struct.unpack_from("<I", data)[0]
    if length == _CORE:
        bits: int = struct.unpack_from("<H", data, 10)[0]
        return _CORE + 3 * (1 << bits if bits <= 8 else 0)
    if len(data) < _INFO or not _INFO <= length <= len(data):
        return len(data)
    bits, compression = struct.unpack_from("<HI", data, 14)
    (colours,) = struct.unpack_from("<I", data, 32)
    masks = 12 if length == _INFO and compression == _BITFIELDS else 0
    return min(len(data), length + masks + 4 * min(colours or (1 << bits if bits <= 8 else 0), 256))
