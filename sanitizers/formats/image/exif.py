"""Exif: what a picture needs of it (turn, capture date, resolution), and what else was there, to be reported.

Read with bounds on every offset, never followed twice. Written anew with the capture date alone.
Spec: CIPA DC-008 (Exif 2.32), TIFF 6.0.
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

from PIL import Image

from sanitizers.context import Context

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, _TAKEN = 0x8769, 0x8825, 0xA005, 0x9003
# Tags that only repeat what the pixels say, or are taken over: leaving them behind loses nothing.
_TECHNICAL: Final = frozenset({
    _ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _EXIF_IFD, _INTEROP_IFD, 0x0100, 0x0101, 0x0102, 0x0106, 0x0115,
    0x0213, 0x9000, 0x9101, 0xA000, 0xA001, 0xA002, 0xA003,
})  # fmt: skip
_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_MAX_ENTRIES: Final = 1_000
_LONGEST: Final = 4_096  # bytes of a value that is read here
_NUMBERS: Final = 8      # bytes of the longest technical value
_DATE: Final = re.compile(rb"(19|20)\d\d:(0[1-9]|1[0-2]):(0[1-9]|[12]\d|3[01]) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d\0?")
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Entries = dict[int, tuple[int, int, bytes]]  # tag -> (type, count, value)
Dpi = tuple[float, float]


class Exif(NamedTuple):
    """`taken` as "YYYY:MM:DD HH:MM:SS"; `others`: tags are there that a rebuilt picture does not carry."""

    orientation: int = 1
    taken: bytes | None = None
    dpi: Dpi | None = None
    gps: bool = False
    thumbnail: bool = False
    others: bool = False


NOTHING: Final = Exif()
UNREADABLE: Final = Exif(others=True)


def read(data: bytes) -> Exif:
    """From a TIFF header on, with or without the "Exif" prefix in front of it."""
    data = data.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return UNREADABLE
    main, following = _directory(data, struct.unpack_from(order + "I", data, 4)[0], order)
    pointer = _number(main.get(_EXIF_IFD), order)
    inner = _directory(data, pointer, order)[0] if pointer else {}
    taken = inner.get(_TAKEN, (0, 0, b""))[2]
    date = taken[:19] if _DATE.fullmatch(taken) else None
    orientation = _number(main.get(_ORIENTATION), order)
    entries = [(tag, entry) for found in (main, inner) for tag, entry in found.items() if tag != _GPS_IFD and not (date and tag == _TAKEN)]
    return Exif(
        orientation=orientation if orientation in _TURNS else 1,
        taken=date,
        dpi=_resolution(main, order),
        gps=_GPS_IFD in main,
        thumbnail=bool(following),
        others=not main or any(tag not in _TECHNICAL or _WIDTHS.get(kind, 1) * count > _NUMBERS for tag, (kind, count, _) in entries),
    )


def _directory(data: bytes, at: int, order: str) -> tuple[Entries, int]:
    """One IFD and the offset of the next. What lies outside the data is left out."""
    found: Entries = {}
    if at < 8 or at + 2 > len(data):
        return found, 0
    (count,) = struct.unpack_from(order + "H", data, at)
    end = at + 2 + 12 * count
    if count > _MAX_ENTRIES or end > len(data):
        return found, 0
    for entry in range(at + 2, end, 12):
        tag, kind, number, offset = struct.unpack_from(order + "HHII", data, entry)
        size = _WIDTHS.get(kind, 1) * number
        start = entry + 8 if size <= 4 else offset
        found[tag] = (kind, number, data[start : start + size] if size <= _LONGEST and start + size <= len(data) else b"")
    following = struct.unpack_from(order + "I", data, end)[0] if end + 4 <= len(data) else 0
    return found, following


def _number(entry: tuple[int, int, bytes] | None, order: str) -> int:
    if entry is None or len(entry[2]) < 2:
        return 0
    kind, _, value = entry
    if kind == 3:
        return int(struct.unpack_from(order + "H", value)[0])
    return int(struct.unpack_from(order + "I", value)[0]) if kind in (4, 13) and len(value) >= 4 else 0


def _resolution(entries: Entries, order: str) -> Dpi | None:
    pair = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        value = entries.get(tag, (0, 0, b""))[2]
        upper, lower = struct.unpack_from(order + "II", value) if len(value) >= 8 else (0, 0)
        pair.append(upper / lower if lower else 0.0)
    scale = 2.54 if _number(entries.get(_RESOLUTION_UNIT), order) == 3 else 1.0
    return plausible_dpi(pair[0] * scale, pair[1] * scale)


def plausible_dpi(x: float, y: float) -> Dpi | None:
    """Dots per inch that a viewer or printer could mean."""
    return (x, y) if 1 <= x <= 20_000 and 1 <= y <= 20_000 else None


def build(taken: bytes) -> bytes:
    """A TIFF block that holds DateTimeOriginal and nothing else."""
    return (
        b"II*\0" + struct.pack("<I", 8)
        + struct.pack("<HHHIII", 1, _EXIF_IFD, 4, 1, 26, 0)
        + struct.pack("<HHHIII", 1, _TAKEN, 2, 20, 44, 0)
        + taken + b"\0"
    )  # fmt: skip


def kept_date(facts: Exif, context: Context) -> bytes | None:
    """The capture date, where policy keeps it."""
    return facts.taken if context.treatment.capture_date_kept else None


def report(facts: Exif, where: str, context: Context) -> None:
    """Record what is left behind."""
    if facts.gps:
        context.found("image.gps", where)
    if facts.thumbnail:
        context.found("image.thumbnail", where)
    if facts.others or (facts.taken and not context.treatment.capture_date_kept):
        context.found("image.metadata", where)


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """Upright, as viewers that obey the tag show it."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def swaps_sides(orientation: int) -> bool:
    return orientation >= 5
