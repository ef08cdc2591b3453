"""The head of a document of Word 6 or 95, its pieces, and which of its characters are marked: everything lies in one stream.

Spec: none that is still published by the maker; the places are those of [MS-DOC] 2.5 before Word 97 put a table stream beside the text
(wv, antiword and LibreOffice read them alike). Properties have numbers of one byte there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.formats.doc.fib import Counts, Part
from sanitizers.model import Malformed, Unsupported

_MARK: Final = 0xA5DC
_VERSIONS: Final = range(101, 106)  # 101: Word 6, 103 and 104: Word 95
_COMPLEX, _ENCRYPTED, _WIDE = 0x0004, 0x0100, 0x1000
_COUNTS, _PLACES, _HEAD = 0x34, 0x58, 0x18A
_PAGE: Final = 512
_MOST_PIECES: Final = 1 << 20
_PROPERTIES, _PIECES = 1, 2  # kinds of parts of a Clx
# Bytes of the operand by number of the property; None: a byte says how many follow.
_PARAGRAPH: Final[dict[int, int | None]] = {
    2: 2, 3: None, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: None, 13: 1, 14: 1, 15: None, 16: 2, 17: 2, 18: 2, 19: 2, 20: 4,
    21: 2, 22: 2, 23: None, 24: 1,
}  # fmt: skip
ROW_END, DELETED = 25, 65


class Head(NamedTuple):
    """`language`: of the program (LANGID); `characters`: set that the text is in (0: of that language, 256: of a Macintosh);
    `first`, `last`: where the text lies; `places`: (offset, size) by index of Part."""

    version: int
    flags: int
    language: int
    characters: int
    first: int
    last: int
    counts: Counts
    places: tuple[tuple[int, int], ...]

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & _ENCRYPTED)

    @property
    def width(self) -> int:
        """Bytes of a character as it is stored: two are a unit of UTF-16."""
        return 2 if self.flags & _WIDE else 1

    def part(self, main: bytes, which: Part) -> bytes:
        """Raises Malformed where it leaves the stream."""
        start, size = self.places[which]
        if size and start + size > len(main):
            raise Malformed(f"part {which.name} leaves the stream", code="doc.malformed")
        return main[start : start + size]


class Piece(NamedTuple):
    """Characters `start` to `end` of the text lie from byte `at` on."""

    start: int
    end: int
    at: int


def is_older(main: bytes) -> bool:
    """Whether a stream WordDocument is one of Word 6 or 95."""
    return len(main) >= _HEAD and struct.unpack_from("<H", main)[0] == _MARK and struct.unpack_from("<H", main, 2)[0] in _VERSIONS


def read(main: bytes) -> Head:
    """Raises Malformed."""
    _, version, _, language, _, flags = struct.unpack_from("<6H", main)
    (characters,) = struct.unpack_from("<H", main, 0x14)
    first, last = struct.unpack_from("<II", main, 0x18)
    counts = struct.unpack_from("<8i", main, _COUNTS)
    table = struct.unpack_from(f"<{(_HEAD - _PLACES) // 4}I", main, _PLACES)
    if min(counts) < 0 or not _HEAD <= first <= last <= len(main):
        raise Malformed("a head that contradicts itself", code="doc.malformed")
    places = tuple(zip(table[0:-1:2], table[1::2], strict=False))
    return Head(version, flags, language, characters, first, last, Counts(*counts), places)


def pieces(main: bytes, head: Head) -> list[Piece]:
    """In the order of the text. Raises Malformed, and Unsupported where nobody can say how wide the characters are."""
    total = sum(head.counts)
    if not head.flags & _COMPLEX:
        if head.first + head.width * total > head.last:
            raise Malformed("the text is not as long as it says", code="doc.malformed")
        return [Piece(0, total, head.first)]
    if head.width != 1:
        raise Unsupported("a document of wide characters that was saved in pieces")
    table = _piece_table(head.part(main, Part.PIECES))
    number = (len(table) - 4) // 12
    if len(table) != 4 + 12 * number or not 0 < number <= _MOST_PIECES:
        raise Malformed("the table of pieces is cut off", code="doc.malformed")
    ends = struct.unpack_from(f"<{number + 1}I", table)
    found = [Piece(ends[n], ends[n + 1], struct.unpack_from("<I", table, 4 * (number + 1) + 8 * n + 2)[0]) for n in range(number)]
    if ends[0] or ends[-1] < total or any(one.end < one.start or one.at + one.end - one.start > len(main) for one in found):
        raise Malformed("the pieces are not the whole text", code="doc.malformed")
    return found


def _piece_table(clx: bytes) -> bytes:
    at = 0
    while at + 3 <= len(clx) and clx[at] == _PROPERTIES:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at + 5 > len(clx) or clx[at] != _PIECES or at + 5 + struct.unpack_from("<I", clx, at + 1)[0] != len(clx):
        raise Malformed("no table of pieces", code="doc.malformed")
    return clx[at + 5 :]


def deleted(main: bytes, head: Head) -> list[tuple[int, int]]:
    """From which byte to which the text is marked as deleted. Raises Malformed."""
    return [(start, end) for start, end, look in _looks(main, head, Part.CHARACTER_PAGES) if _is_deleted(look)]


def row_ends(main: bytes, head: Head) -> list[tuple[int, int]]:
    """Where the paragraphs lie that are nothing but the end of a row. Raises Malformed."""
    return [(start, end) for start, end, look in _looks(main, head, Part.PARAGRAPH_PAGES) if _ends_row(look)]


def _looks(main: bytes, head: Head, which: Part) -> Iterator[tuple[int, int, bytes]]:
    """(from, to, list of properties) of the pages that the head tells of."""
    table = head.part(main, which)
    count = max(len(table) - 4, 0) // 6
    if count > len(main) // _PAGE:
        raise Malformed("more pages of looks than there are", code="doc.malformed")
    for number in struct.unpack_from(f"<{count}H", table, 4 * (count + 1)) if count else ():
        page = main[number * _PAGE : (number + 1) * _PAGE]
        if len(page) < _PAGE:
            raise Malformed("a page of looks leaves the stream", code="doc.malformed")
        runs, entry = page[-1], 1 if which is Part.CHARACTER_PAGES else 7
        if 4 * (runs + 1) + entry * runs >= _PAGE:
            raise Malformed("a page of looks that is too full", code="doc.malformed")
        places = struct.unpack_from(f"<{runs + 1}I", page)
        for index in range(runs):
            at = 2 * page[4 * (runs + 1) + entry * index]
            yield places[index], places[index + 1], _look(page, at, which)


def _look(page: bytes, at: int, which: Part) -> bytes:
    if not at:
        return b""
    if which is Part.CHARACTER_PAGES:
        return page[at + 1 : at + 1 + page[at]]
    return page[at + 2 : at + 1 + 2 * page[at]]  # behind the number of its style


def _is_deleted(look: bytes) -> bool:
    """The property has the lowest number of those that characters have."""
    return look[:2] == bytes((DELETED, 1))


def _ends_row(look: bytes) -> bool:
    at = 0
    while at + 1 < len(look):
        if look[at] == ROW_END:
            return look[at + 1] == 1
        if look[at] not in _PARAGRAPH:
            return False
        size = _PARAGRAPH[look[at]]
        at += 2 + look[at + 1] if size is None else 1 + size
    return False
