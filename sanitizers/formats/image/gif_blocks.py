"""GIF as a run of blocks. Frames stay what they are: a rectangle of indices with a palette, a delay and a way to disappear.

Spec: GIF89a (CompuServe), Netscape looping extension.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.model import Malformed

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _COMMENT, _PLAIN_TEXT, _APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
_LOOPING: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


class Control(NamedTuple):
    """Graphic control: what to do after the frame (0–7), hundredths of a second, the see-through index."""

    disposal: int = 0
    delay: int = 0
    transparent: int | None = None


class Frame(NamedTuple):
    """`palette`: its own, or None for the global one. `data`: the sub-blocks as they are, with their length bytes."""

    x: int
    y: int
    width: int
    height: int
    interlaced: bool
    control: Control | None
    palette: bytes | None
    code_size: int
    data: memoryview


@dataclass(slots=True)
class Blocks:
    width: int
    height: int
    palette: bytes
    loops: int | None = None
    frames: list[Frame] = field(default_factory=list)


def walk(view: memoryview, context: Context) -> Blocks:
    """Every block up to the trailer. Records what is not taken over; the number of frames is checked as they come. Raises Malformed."""
    if len(view) < 13:
        raise Malformed("ends inside the header", code="image.truncated")
    width, height, flags = struct.unpack_from("<HHB", view, 6)
    palette, at = _palette(view, 13, flags)
    found = Blocks(width, height, palette)
    control: Control | None = None
    while True:
        mark = view[at] if at < len(view) else _trailer_is_missing(found)
        if mark == _EXTENSION:
            given, at = _extension(view, at + 1, found, context)
            control = given or control
        elif mark == _IMAGE:
            at = _image(view, at + 1, control, found, context)
            control = None
        elif mark == _TRAILER:
            break
        elif mark == 0:
            at += 1  # stray terminators, which encoders are known to write
        else:
            raise Malformed(f"block {mark:02X}", code="image.malformed")
    if not found.frames:
        raise Malformed("GIF without a frame", code="image.malformed")
    if at + 1 < len(view):
        context.found("image.trailing_data", "", detail=f"{len(view) - at - 1} bytes")
    return found


def _trailer_is_missing(found: Blocks) -> int:
    """A complete last frame is enough: every viewer shows it."""
    if not found.frames:
        raise Malformed("ends before the first frame", code="image.truncated")
    return _TRAILER


def _palette(view: memoryview, at: int, flags: int) -> tuple[bytes, int]:
    if not flags & 0x80:
        return b"", at
    end = at + 3 * (2 << (flags & 7))
    if end > len(view):
        raise Malformed("ends inside a palette", code="image.truncated")
    return bytes(view[at:end]), end


def _skip(view: memoryview, at: int) -> int:
    """The offset after a run of sub-blocks."""
    while True:
        if at >= len(view):
            raise Malformed("ends inside a block", code="image.truncated")
        length = view[at]
        at += 1 + length
        if length == 0:
            return at


def _extension(view: memoryview, at: int, found: Blocks, context: Context) -> tuple[Control | None, int]:
    end = _skip(view, at + 1)
    label, body = view[at], bytes(view[at + 1 : end])
    if label == _GRAPHIC_CONTROL:
        if body[0] != 4 or len(body) < 6:
            raise Malformed("graphic control", code="image.malformed")
        if len(body) > 6:
            context.found("image.hidden_data", "graphic control")
        flags, delay, index = struct.unpack_from("<BHB", body, 1)
        return Control(flags >> 2 & 7, delay, index if flags & 1 else None), end
    if label == _APPLICATION and body[1:12] in _LOOPING:
        _looping(body, found, context)
    elif label == _COMMENT:
        context.found("image.comment", "")
    elif label == _APPLICATION:
        profile = body[1:9] == b"ICCRGBG1"
        context.found("image.color_profile" if profile else "image.metadata", "", detail=body[1:12].decode("ascii", "replace"))
    else:
        context.found("image.comment" if label == _PLAIN_TEXT else "image.private_chunk", f"extension {label:02X}")
    return None, end


def _looping(body: bytes, found: Blocks, context: Context) -> None:
    """Sub-block 1 is the count of repetitions; 2 (buffering) and others are not taken over."""
    if len(body) >= 17 and body[12] == 3 and body[13] == 1:
        found.loops = struct.unpack_from("<H", body, 14)[0]
    if len(body) != 17:
        context.found("image.private_chunk", "looping")


def _image(view: memoryview, at: int, control: Control | None, found: Blocks, context: Context) -> int:
    if at + 9 > len(view):
        raise Malformed("ends inside a frame", code="image.truncated")
    x, y, width, height, flags = struct.unpack_from("<4HB", view, at)
    context.budget.check_frame(width, height, len(found.frames))
    palette, at = _palette(view, at + 9, flags)
    if not width or not height or at >= len(view) or not 1 <= view[at] <= 8:
        raise Malformed("frame", code="image.malformed")
    end = _skip(view, at + 1)
    interlaced = bool(flags & 0x40)
    found.frames.append(Frame(x, y, width, height, interlaced, control, palette or None, view[at], view[at + 1 : end]))
    return end
