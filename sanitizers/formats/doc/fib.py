"""The streams of a document and the table of contents at its head: [MS-DOC] 2.5 (FIB)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from sanitizers.model import Malformed, Unsupported

WORD_97: Final = 0x00C1
_WORD: Final = 0xA5EC
_OLDER: Final = frozenset({0xA5DC, 0xA59B, 0xA59C, 0xA697, 0xA698, 0xA699, 0xDBA5, 0xDC65})  # Word 1 to 95
_BASE: Final = 32  # bytes
_COUNTS: Final = 11  # numbers of FibRgLw97 that are read
_MOST_PLACES: Final = 256
_TEMPLATE, _ENCRYPTED, _SECOND_TABLE, _OBFUSCATED = 0x0001, 0x0100, 0x0200, 0x8000


class Part(IntEnum):
    """Index of a part of the table stream in FibRgFcLcb97. [MS-DOC] 2.5.6."""

    STYLES = 1
    FOOTNOTE_REFERENCES = 2
    FOOTNOTE_TEXTS = 3
    COMMENT_REFERENCES = 4
    COMMENT_TEXTS = 5
    SECTIONS = 6
    HEADERS = 11
    CHARACTER_PAGES = 12
    PARAGRAPH_PAGES = 13
    FONTS = 15
    BOOKMARK_NAMES = 21
    BOOKMARK_STARTS = 22
    BOOKMARK_ENDS = 23
    COMMANDS = 24
    PRINTER = 27
    PROPERTIES = 31
    ASSOCIATED = 32
    PIECES = 33
    COMMENT_AUTHORS = 36
    COMMENT_MARKS = 37
    SHAPES = 40
    HEADER_SHAPES = 41
    COMMENT_STARTS = 42
    COMMENT_ENDS = 43
    MERGE = 44
    ENDNOTE_REFERENCES = 46
    ENDNOTE_TEXTS = 47
    DRAWINGS = 50
    REVISION_AUTHORS = 51
    SUB_DOCUMENTS = 54
    TEXT_BOXES = 56
    HEADER_TEXT_BOXES = 58
    VARIABLES = 60
    SAVED_BY = 71
    LISTS = 73
    LIST_OVERRIDES = 74


class Counts(NamedTuple):
    """Characters of each story, in the order in which they follow each other. [MS-DOC] 2.5.5."""

    main: int
    footnotes: int
    headers: int
    macros: int
    comments: int
    endnotes: int
    text_boxes: int
    header_text_boxes: int


class Base(NamedTuple):
    """What is never encrypted. `key`: bytes of the table stream that say how the rest is; `glossary`: there is a second document."""

    flags: int
    key: int
    glossary: bool

    @property
    def is_template(self) -> bool:
        return bool(self.flags & _TEMPLATE)

    @property
    def is_encrypted(self) -> bool:
        return bool(self.flags & _ENCRYPTED)

    @property
    def is_obfuscated(self) -> bool:
        return bool(self.flags & _OBFUSCATED)

    @property
    def table(self) -> str:
        """Name of the table stream."""
        return "1Table" if self.flags & _SECOND_TABLE else "0Table"


class Fib(NamedTuple):
    """`places`: (offset, size) in the table stream by index of Part."""

    counts: Counts
    places: tuple[tuple[int, int], ...]


@dataclass(slots=True, frozen=True)
class Streams:
    """`main`: WordDocument, `table`: 0Table or 1Table, `data`: Data or empty; all in the clear."""

    fib: Fib
    main: bytes
    table: bytes
    data: bytes

    def part(self, which: Part) -> bytes:
        """Empty where there is none. Raises Malformed where it does not lie in the table stream."""
        if which >= len(self.fib.places):
            return b""
        start, size = self.fib.places[which]
        if size and start + size > len(self.table):
            raise Malformed(f"part {which.name} leaves the table stream", code="doc.malformed")
        return self.table[start : start + size]

    def behind(self, which: Part) -> bytes:
        """What follows a part in the table stream."""
        start, size = self.fib.places[which]
        return self.table[start + size :]


def base(main: bytes) -> Base:
    """Raises Unsupported for documents older than Word 97, and Malformed."""
    if len(main) < _BASE:
        raise Malformed("no head", code="doc.malformed")
    mark, version, _, _, following, flags, _, key = struct.unpack_from("<7HI", main)
    if mark in _OLDER or (mark == _WORD and version < WORD_97):
        raise Unsupported(f"a document of Word 95 or older ({version:#06x})")
    if mark != _WORD:
        raise Malformed("no head of a Word document", code="doc.malformed")
    return Base(flags, key, following != 0)


def read(main: bytes) -> Fib:
    """Of a stream in the clear. Raises Malformed."""
    try:
        words, at = struct.unpack_from("<H", main, _BASE)[0], _BASE + 2
        at += 2 * words
        numbers, at = struct.unpack_from("<H", main, at)[0], at + 2
        if numbers < _COUNTS:
            raise Malformed("the head counts no characters", code="doc.malformed")
        counts = struct.unpack_from("<8i", main, at + 12)
        at += 4 * numbers
        pairs, at = min(struct.unpack_from("<H", main, at)[0], _MOST_PLACES), at + 2
        table = struct.unpack_from(f"<{2 * pairs}I", main, at)
    except struct.error:
        raise Malformed("the head is cut off", code="doc.malformed") from None
    if min(counts) < 0:
        raise Malformed("a story of less than no characters", code="doc.malformed")
    return Fib(Counts(*counts), tuple(zip(table[::2], table[1::2], strict=True)))
