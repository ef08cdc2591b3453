"""Where the look of characters and paragraphs is said: pages of 512 bytes in the main stream. [MS-DOC] 2.4.6, 2.9.33, 2.9.174."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from operator import lt
from typing import Final, NamedTuple

from sanitizers.formats.doc import plc
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.text import Piece, Text
from sanitizers.model import Malformed

_PAGE: Final = 512
_NUMBER: Final = 0x3F_FFFF  # of a page, 22 bits
_PARAGRAPH: Final = 13  # bytes for each paragraph of a page
_HUGE: Final = (0x6646).to_bytes(2, "little")  # sprmPHugePapx: the changes lie in the data stream
_MOST: Final = 1 << 22


class Look(NamedTuple):
    """`style`: its index, of a paragraph; `grpprl`: what is changed beside."""

    style: int
    grpprl: bytes


class _Table:
    """What is said by byte of the main stream: `looks[n]` counts from `starts[n]` to `ends[n]`."""

    def __init__(self, streams: Streams, which: Part, size: int, read: Callable[[bytes, int], bytes]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.looks: list[bytes] = []
        for item in plc.read(streams.part(which), 4).items:
            at = _PAGE * (struct.unpack("<I", item)[0] & _NUMBER)
            page = streams.main[at : at + _PAGE].ljust(_PAGE, b"\0") if at < len(streams.main) else b""
            if not page:
                raise Malformed("a page of looks leaves the stream", code="doc.malformed")
            self._add(page, size, read)
            if len(self.looks) > _MOST:
                raise Malformed("too many looks", code="doc.malformed")

    def _add(self, page: bytes, size: int, read: Callable[[bytes, int], bytes]) -> None:
        count = page[-1]
        if 4 * (count + 1) + size * count > _PAGE - 1:
            raise Malformed("a page of looks is too full", code="doc.malformed")
        places = struct.unpack_from(f"<{count + 1}I", page)
        first = 4 * (count + 1)
        if places[0] >= (self.ends[-1] if self.ends else 0) and all(map(lt, places, places[1:])):
            self.starts += places[:-1]
            self.ends += places[1:]
            self.looks += [read(page, at) for at in range(first, first + size * count, size)]
            return
        for number in range(count):
            start, end = places[number], places[number + 1]
            if start > end or (self.ends and start < self.ends[-1]):
                raise Malformed("looks that overlap", code="doc.malformed")
            if start == end:
                continue  # nothing has this look
            self.starts.append(start)
            self.ends.append(end)
            self.looks.append(read(page, first + size * number))

    def at(self, place: int) -> bytes:
        index = bisect_right(self.starts, place) - 1
        return self.looks[index] if index >= 0 and place < self.ends[index] else b""


class Characters:
    """Looks of characters, in the order of the text: look `n` counts from `starts[n]` on."""

    def __init__(self, streams: Streams, text: Text) -> None:
        table = _Table(streams, Part.CHARACTER_PAGES, 1, _character)
        self.starts: list[int] = []
        self.grpprls: list[bytes] = []
        for piece in text.pieces:
            self._add(piece, table)

    def _add(self, piece: Piece, table: _Table) -> None:
        place, at, width, more = piece.start, piece.at, piece.width, piece.grpprl
        starts, ends, looks = table.starts, table.ends, table.looks
        first = max(bisect_right(starts, at) - 1, 0)
        last = bisect_left(starts, at + width * (piece.end - piece.start))
        if not more and self._add_row(piece, table, first, last):
            return
        for index in range(first, last):
            start = max(piece.start + -(-(starts[index] - at) // width), piece.start)
            stop = min(piece.start + -(-(ends[index] - at) // width), piece.end)
            if stop > start and stop > place:
                if start > place:
                    self._append(place, more)
                    place = start
                self._append(place, looks[index] + more)
                place = stop
        if place < piece.end:
            self._append(place, more)

    def _add_row(self, piece: Piece, table: _Table, first: int, last: int) -> bool:
        """The same for looks that follow each other without a gap, as Word writes them; says whether they do."""
        starts, ends, at, width = table.starts, table.ends, piece.at, piece.width
        whole = first < last and starts[first] <= at and ends[last - 1] >= at + width * (piece.end - piece.start)
        inner = starts[first + 1 : last]
        if not whole or ends[first : last - 1] != inner or (width > 1 and any((one ^ at) & 1 for one in inner)):
            return False
        places = [piece.start, *((one - at) // width + piece.start for one in inner)]
        before = self.grpprls[-1] if self.grpprls else None
        for place, grpprl in zip(places, table.looks[first:last], strict=True):
            if grpprl != before:
                self.starts.append(place)
                self.grpprls.append(grpprl)
                before = grpprl
        return True

    def _append(self, start: int, grpprl: bytes) -> None:
        if not self.grpprls or self.grpprls[-1] != grpprl:
            self.starts.append(start)
            self.grpprls.append(grpprl)

    def index(self, place: int) -> int:
        return bisect_right(self.starts, place) - 1


class Paragraphs:
    """Looks of paragraphs, each asked for by the mark that ends it."""

    def __init__(self, streams: Streams, text: Text) -> None:
        self._table = _Table(streams, Part.PARAGRAPH_PAGES, _PARAGRAPH, _paragraph)
        self._text = text
        self._data = streams.data
        self._known: dict[bytes, Look] = {}

    def at(self, place: int) -> Look:
        piece = self._text.piece(place)
        said = self._table.at(piece.at + piece.width * (place - piece.start))
        look = self._known.get(said)
        if look is None:
            grpprl = said[2:]
            grpprl = self._huge(grpprl) if grpprl.startswith(_HUGE) and len(grpprl) >= 6 else grpprl
            look = self._known[said] = Look(int.from_bytes(said[:2], "little"), grpprl)
        return Look(look.style, look.grpprl + piece.grpprl) if piece.grpprl else look

    def _huge(self, grpprl: bytes) -> bytes:
        at = int.from_bytes(grpprl[2:6], "little")
        size = int.from_bytes(self._data[at : at + 2], "little")
        return self._data[at + 2 : at + 2 + size]


def _character(page: bytes, at: int) -> bytes:
    place = 2 * page[at]
    return page[place + 1 : place + 1 + page[place]] if place else b""


def _paragraph(page: bytes, at: int) -> bytes:
    """The index of a style and what is changed beside."""
    place = 2 * page[at]
    if not place:
        return b""
    size = 2 * page[place] - 1
    if page[place] == 0:
        place += 1
        size = 2 * page[place]
    return page[place + 1 : place + 1 + size]
