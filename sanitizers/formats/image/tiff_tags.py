"""TIFF as a chain of directories: which tags are there, how large the pages are, and what nothing refers to.

Spec: TIFF 6.0, BigTIFF, Adobe TIFF technical notes 1–3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from sanitizers.context import Context
from sanitizers.formats.image import exif
from sanitizers.model import LimitExceeded, Malformed

_WIDTHS: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_LETTERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
NEW_SUBFILE, WIDTH, LENGTH, BITS, COMPRESSION, ORIENTATION = 254, 256, 257, 258, 259, 274
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, ICC, SAMPLE_FORMAT = 282, 283, 296, 34675, 339
_OFFSETS: Final = ((273, 279), (324, 325))
# Tags that say how the pixels are stored; all others are about something else.
_TECHNICAL: Final = frozenset({
    254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 286, 287, 288, 289, 290,
    291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 332, 334, 336, 338, 339, 340, 341, 347,
    512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 559, ICC,
})  # fmt: skip
_GPS, _SUB_IFDS = 34853, 330
_METADATA: Final = frozenset({
    269, 270, 271, 272, 285, 305, 306, 315, 316, 333, 337, 700, 33432, 33723, 34377, 34665, 34853, 40965, 37724, 50341, 50934,
})  # fmt: skip
_MAX_ENTRIES: Final = 2_000
_MAX_NUMBERS: Final = 1_000_000  # of one tag; strips of all pages together


@dataclass(slots=True)
class Page:
    """One directory. `tags`: (type, count, value as it is stored) by tag."""

    offset: int
    tags: dict[int, tuple[int, int, bytes | memoryview]] = field(default_factory=dict)
    order: str = "<"

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The values of a tag; none where it is absent or no number. Raises LimitExceeded."""
        kind, count, value = self.tags.get(tag, (0, 0, b""))
        letter = _LETTERS.get(kind)
        if count > _MAX_NUMBERS:
            raise LimitExceeded(f"{count} numbers in one tag")
        return struct.unpack_from(f"{self.order}{count}{letter}", value) if letter and value else ()

    def number(self, tag: int, default: int = 0) -> int:
        return next(iter(self.numbers(tag)), default)

    def reduced(self) -> bool:
        """A smaller copy of another page."""
        return bool(self.number(NEW_SUBFILE) & 1)

    def dpi(self) -> exif.Dpi | None:
        pair = []
        for tag in (X_RESOLUTION, Y_RESOLUTION):
            value = self.tags.get(tag, (0, 0, b""))[2]
            upper, lower = struct.unpack_from(self.order + "II", value) if len(value) >= 8 else (0, 0)
            pair.append(upper / lower if lower else 0.0)
        unit = self.number(RESOLUTION_UNIT, 2)
        return exif.plausible_dpi(*(value * (2.54 if unit == 3 else 1.0) for value in pair)) if unit in (2, 3) else None


class _Reader:
    """Directories of a classic or a big TIFF, with every byte that is referred to."""

    def __init__(self, view: memoryview, order: str, big: bool) -> None:
        self.view = view
        self.order = order
        self.big = big
        self.referred: list[tuple[int, int]] = [(0, 16 if big else 8)]

    def directory(self, at: int) -> tuple[Page, int]:
        count_letter, pointer, entry = ("Q", "Q", 20) if self.big else ("H", "I", 12)
        start = at + struct.calcsize(self.order + count_letter)
        if at < 8 or start > len(self.view):
            raise Malformed("directory outside the file", code="image.malformed")
        (count,) = struct.unpack_from(self.order + count_letter, self.view, at)
        end = start + entry * count
        if count > _MAX_ENTRIES or end + struct.calcsize(pointer) > len(self.view):
            raise Malformed("directory outside the file", code="image.malformed")
        page = Page(at, order=self.order)
        for place in range(start, end, entry):
            self._entry(page, place, pointer)
        self.referred.append((at, end + struct.calcsize(pointer)))
        return page, struct.unpack_from(self.order + pointer, self.view, end)[0]

    def _entry(self, page: Page, place: int, pointer: str) -> None:
        tag, kind = struct.unpack_from(self.order + "HH", self.view, place)
        (count,) = struct.unpack_from(self.order + pointer, self.view, place + 4)
        inline = place + 4 + struct.calcsize(pointer)
        size = _WIDTHS.get(kind, 1) * count
        start = inline if size <= struct.calcsize(pointer) else struct.unpack_from(self.order + pointer, self.view, inline)[0]
        inside = start + size <= len(self.view)
        page.tags[tag] = (kind, count, self.view[start : start + size] if inside else b"")
        if inside:
            self.referred.append((start, start + size))

    def strips(self, page: Page) -> None:
        for offsets, sizes in _OFFSETS:
            for start, size in zip(page.numbers(offsets), page.numbers(sizes), strict=False):
                self.referred.append((start, start + size))
        if len(self.referred) > _MAX_NUMBERS:
            raise LimitExceeded("too many strips")

    def hidden(self) -> bool:
        """Whether bytes other than zero lie where nothing refers to."""
        at = 0
        for start, end in sorted(self.referred):
            if start > at and _says_something(self.view[at:start]):
                return True
            at = max(at, end)
        return _says_something(self.view[at:])


def _says_something(gap: memoryview) -> bool:
    """Writers that append pages leave padding, and the header that each page had as a file of its own."""
    if len(gap) >= 64:
        return any(gap)
    left = bytes(gap).strip(b"\0")
    return bool(left) and not (left.startswith((b"II*", b"MM\0*")) and len(left) <= 8)


def walk(view: memoryview, context: Context) -> list[Page]:
    """Every page. Records what is not taken over; raises LimitExceeded for endless chains, Malformed for broken ones."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(view[:2]))
    if order is None or len(view) < 16:
        raise Malformed("TIFF header", code="image.malformed")
    big = struct.unpack_from(order + "H", view, 2)[0] == 43
    (at,) = struct.unpack_from(order + ("Q" if big else "I"), view, 8 if big else 4)
    reader = _Reader(view, order, big)
    pages: list[Page] = []
    seen: set[int] = set()
    while at:
        if at in seen:
            raise LimitExceeded("the chain of directories runs in a circle")
        seen.add(at)
        page, at = reader.directory(at)
        context.budget.check_frame(page.number(WIDTH), page.number(LENGTH), len(pages))
        reader.strips(page)
        _report(page, len(pages), context)
        pages.append(page)
    if not pages:
        raise Malformed("TIFF without a page", code="image.malformed")
    # Sub-directories were reported as what they are; their bytes are not looked at.
    if not any(page.tags.keys() & {_SUB_IFDS, 34665, _GPS} for page in pages) and reader.hidden():
        context.found("image.hidden_data", "")
    return pages


def _report(page: Page, index: int, context: Context) -> None:
    where = f"page {index + 1}"
    tags = page.tags.keys() - _TECHNICAL
    if _GPS in tags:
        context.found("image.gps", where)
    if tags & (_METADATA - {_GPS}):
        context.found("image.metadata", where)
    if _SUB_IFDS in tags or (index and page.reduced()):
        context.found("image.thumbnail", where)
    if private := tags - _METADATA - {_SUB_IFDS}:
        context.found("image.private_chunk", where, detail=", ".join(str(tag) for tag in sorted(private)))
