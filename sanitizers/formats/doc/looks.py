"""Where the look of characters and paragraphs is said: pages of 512 bytes in the main stream. [MS-DOC] 2.4.6, 2.9.33, 2.9.174."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple

from sanitizers.formats.doc import plc
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.text import Piece, Text
from sanitizers.model import Malformed

_PAGE: Final = 512
_NUMBER: Final = 0x3F_FFFF  # of a page, 22 bits
_PARAGRAPH: Final = 13  # bytes for each paragraph of a page
_HUGE: Final = 0x6646  # sprmPHugePapx: the changes lie in the data stream
_MOST: Final = 1 << 22


class Look(NamedTuple):
    """`style`: its index, of a paragraph; `grpprl`: what is changed beside."""

    style: int
    grpprl: bytes


_PLAIN: Final = Look(0, b"")
_Reader = Callable[[bytes, int], Look]


class _Table:
    """Looks by byte of the main stream: look `n` counts from `starts[n]` to `ends[n]`."""

    def __init__(self, streams: Streams, which: Part, size: int, read: _Reader) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.looks: list[Look] = []
        for item in plc.read(streams.part(which), 4).items:
            at = _PAGE * (struct.unpack("<I", item)[0] & _NUMBER)
            page = streams.main[at : at + _PAGE].ljust(_PAGE, b"\0") if at < len(streams.main) else b""
            if not page:
                raise Malformed("a page of looks leaves the stream", code="doc.malformed")
            self._add(page, size, read)

    def _add(self, page: bytes, size: int, read: _Reader) -> None:
        count = page[-1]
        if 4 * (count + 1) + size * count > _PAGE - 1:
            raise Malformed("a page of looks is too full", code="doc.malformed")
        places = struct.unpack_from(f"<{count + 1}I", page)
        for number in range(count):
            start, end = places[number], places[number + 1]
            if start > end or (self.ends and start < self.ends[-1]):
                raise Malformed("looks that overlap", code="doc.malformed")
            if start == end:
                continue  # nothing has this look
            self.starts.append(start)
            self.ends.append(end)
            self.looks.append(read(page, 4 * (count + 1) + size * number))
        if len(self.looks) > _MOST:
            raise Malformed("too many looks", code="doc.malformed")

    def at(self, place: int) -> Look:
        index = bisect_right(self.starts, place) - 1
        return self.looks[index] if index >= 0 and place < self.ends[index] else _PLAIN


class Characters:
    """Looks of characters, in the order of the text: look `n` counts from `starts[n]` on."""

    def __init__(self, streams: Streams, text: Text) -> None:
        table = _Table(streams, Part.CHARACTER_PAGES, 1, _character)
        self.starts: list[int] = []
        self.grpprls: list[bytes] = []
        for piece in text.pieces:
            self._add(piece, table)

    def _add(self, piece: Piece, table: _Table) -> None:
        place = piece.start
        end = piece.at + piece.width * (piece.end - piece.start)
        index = max(bisect_right(table.starts, piece.at) - 1, 0)
        while index < len(table.starts) and table.starts[index] < end:
            start = max(piece.start + -(-(table.starts[index] - piece.at) // piece.width), piece.start)
            stop = min(piece.start + -(-(table.ends[index] - piece.at) // piece.width), piece.end)
            if stop > max(start, place):
                if start > place:
                    self._append(place, piece.grpprl)
                self._append(max(start, place), table.looks[index].grpprl + piece.grpprl)
                place = stop
            index += 1
        if place < piece.end:
            self._append(place, piece.grpprl)

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

    def at(self, place: int) -> Look:
        piece = self._text.piece(place)
        look = self._table.at(piece.at + piece.width * (place - piece.start))
        grpprl = look.grpprl
        if len(grpprl) >= 6 and grpprl[:2] == _HUGE.to_bytes(2, "little"):
            grpprl = self._huge(grpprl)
        return Look(look.style, grpprl + piece.grpprl) if piece.grpprl else Look(look.style, grpprl)

    def _huge(self, grpprl: bytes) -> bytes:
        at = int.from_bytes(grpprl[2:6], "little")
        size = int.from_bytes(self._data[at : at + 2], "little")
        return self._data[at + 2 : at + 2 + size]


def _character(page: bytes, at: int) -> Look:
    place = 2 * page[at]
    return Look(0, page[place + 1 : place + 1 + page[place]]) if place else _PLAIN


def _paragraph(page: bytes, at: int) -> Look:
    place = 2 * page[at]
    if not place:
        return _PLAIN
    size = 2 * page[place] - 1
    if page[place] == 0:
        place += 1
        size = 2 * page[place]
    data = page[place + 1 : place + 1 + size]
    return Look(int.from_bytes(data[:2], "little"), data[2:])
