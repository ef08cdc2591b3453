"""JPEG as a run of segments: what is there, and the few of them that a decoder needs.

Spec: ITU-T T.81 (JPEG), T.871 (JFIF), Adobe TN 5116 (APP14), CIPA DC-007 (MPF).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.image import exif
from sanitizers.model import LimitExceeded, Malformed, Unsupported

_SOI, _EOI, _SOS, _DQT, _DHT, _DAC, _DRI, _DNL, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xDC, 0xFE
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA})
_FRAMES_NOT_READ: Final = frozenset({0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
_TABLES: Final = frozenset({_DQT, _DHT, _DAC, _DRI})
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
_MARKER_IN_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Progressive pictures have about ten scans; each one more costs a pass over every pixel.
_MAX_SCANS: Final = 100
_JFIF: Final = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


@dataclass(slots=True)
class Segments:
    """`parts`: slices of the input for the decoder, in order; the rest is what else was found."""

    width: int = 0
    height: int = 0
    components: tuple[tuple[int, int], ...] = ()  # (id, sampling factors as one byte)
    jfif: bool = False
    adobe: int | None = None                      # the colour transform of APP14
    density: exif.Dpi | None = None
    exif: exif.Exif = exif.NOTHING
    icc: dict[int, bytes] = field(default_factory=dict)
    parts: list[memoryview] = field(default_factory=list)
    scans: int = 0
    complete: bool = False
    end: int = 0

    def bare(self) -> bytes:
        """A JPEG of the coded picture alone."""
        head = [b"\xff\xd8"]
        if self.jfif:
            head.append(_JFIF)
        if self.adobe is not None:
            head.append(b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0" + bytes([self.adobe]))
        return b"".join([*head, *self.parts, b"\xff\xd9"])

    def profile(self) -> bytes | None:
        return b"".join(self.icc[number] for number in sorted(self.icc)) or None


def walk(view: memoryview, context: Context) -> Segments:
    """Every segment up to EOI. Records what is not taken over; raises Malformed where the structure breaks."""
    found = Segments()
    at = 2
    while not found.complete and at < len(view):
        at = _next_marker(view, at, context)
        if at < 0:
            break
        marker = view[at - 1]
        if marker == _EOI:
            found.complete, found.end = True, at
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        else:
            at = _segment(view, at, marker, found, context)
    if not found.scans:
        raise Malformed("no scan in the JPEG", code="image.truncated")
    if found.complete and found.end < len(view):
        context.found("image.trailing_data", "", detail=f"{len(view) - found.end} bytes")
    return found


def _next_marker(view: memoryview, at: int, context: Context) -> int:
    """The offset after the next marker; -1 at the end. Fill bytes (FF) may stand before it, and nothing else should."""
    marker = _MARKER.search(view, at)
    if marker is None:
        return -1
    if bytes(view[at : marker.start()]).strip(b"\xff"):
        context.found("image.hidden_data", "")
    return marker.end()


def _segment(view: memoryview, at: int, marker: int, found: Segments, context: Context) -> int:
    """One segment with a length; returns the offset after it (and after the coded data that follows a scan header)."""
    if at + 2 > len(view):
        raise Malformed("ends inside a segment", code="image.truncated")
    length: int = struct.unpack_from(">H", view, at)[0]
    end = at + length
    if length < 2 or end > len(view):
        raise Malformed("ends inside a segment", code="image.truncated")
    body = view[at + 2 : end]
    if marker in _FRAMES:
        _frame(body, found)
        found.parts.append(view[at - 2 : end])
    elif marker in _TABLES:
        found.parts.append(view[at - 2 : end])
    elif marker == _SOS:
        end = _scan(view, at, end, found)
    elif 0xE0 <= marker <= 0xEF or marker == _COM:
        _application(bytes(body), marker, found, context)
    elif marker in _FRAMES_NOT_READ or marker == _DNL:
        raise Unsupported(f"JPEG process {marker:02X}")
    else:
        raise Malformed(f"marker {marker:02X} does not belong in a JPEG", code="image.malformed")
    return end


def _frame(body: memoryview, found: Segments) -> None:
    if found.components:
        raise Malformed("two frame headers", code="image.malformed")
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise Malformed("frame header", code="image.malformed")
    precision, found.height, found.width, count = struct.unpack_from(">BHHB", body)
    if precision != 8:
        raise Unsupported(f"JPEG of {precision} bits")
    if not found.width or not found.height or count not in (1, 3, 4):
        raise Malformed("frame header", code="image.malformed")
    found.components = tuple((body[at], body[at + 1]) for at in range(6, len(body), 3))


def _scan(view: memoryview, at: int, header_end: int, found: Segments) -> int:
    found.scans += 1
    if not found.components:
        raise Malformed("scan without a frame", code="image.malformed")
    if found.scans > _MAX_SCANS:
        raise LimitExceeded(f"more than {_MAX_SCANS} scans")
    marker = _MARKER_IN_SCAN.search(view, header_end)
    end = marker.start() if marker else len(view)
    found.parts.append(view[at - 2 : end])
    return end


def _application(body: bytes, marker: int, found: Segments, context: Context) -> None:
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        _jfif(body, found, context)
    elif marker == 0xE0 and body.startswith(b"JFXX\0"):
        context.found("image.thumbnail", "JFXX")
    elif marker == 0xE1 and body.startswith(b"Exif\0"):
        found.exif = exif.read(body[6:])
        exif.report(found.exif, "Exif", context)
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
        found.icc[body[12]] = body[14:]
    elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        found.adobe = body[11] if body[11] <= 2 else 0
        if len(body) > 12:
            context.found("image.private_chunk", "APP14")
    elif marker == _COM:
        context.found("image.comment", "COM")
    elif body.startswith((b"http://ns.adobe.com/", b"Photoshop 3.0", b"MPF\0", b"Adobe_CM", b"Ducky", b"Exif")):
        context.found("image.metadata", f"APP{marker - 0xE0}")
    else:
        context.found("image.private_chunk", f"APP{marker - 0xE0}")


def _jfif(body: bytes, found: Segments, context: Context) -> None:
    found.jfif = True
    unit, x, y = struct.unpack_from(">BHH", body, 7)
    if unit in (1, 2):
        scale = 2.54 if unit == 2 else 1.0
        found.density = exif.plausible_dpi(x * scale, y * scale)
    if len(body) > 14:
        context.found("image.thumbnail" if body[12] and body[13] else "image.hidden_data", "JFIF")
