"""All that the text of a document refers to, read once: looks, styles, lists, drawings, notes, bookmarks, authors."""

from __future__ import annotations

import struct
from bisect import bisect_left
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.formats.doc import characters, fields, markup, paragraphs, plc, sections, sprms, text
from sanitizers.formats.doc.drawings import Anchor, Drawings
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.formats.doc.looks import Characters, Paragraphs
from sanitizers.formats.doc.numbering import Numbering
from sanitizers.formats.doc.sprms import Properties, unsigned
from sanitizers.formats.doc.styles import Styles
from sanitizers.formats.office.package import Package

_MOST_MARKS: Final = 100_000
_LONGEST: Final = 40  # characters of a bookmark's name
_COMMENT: Final = 30


class Note(NamedTuple):
    """`start` to `end`: its text; `counted`: it has no mark of its own."""

    number: int
    start: int
    end: int
    counted: bool


class Comment(NamedTuple):
    """`tag`: of the stretch of text that it is about."""

    note: Note
    author: str
    initials: str
    tag: int


class Look(NamedTuple):
    """What a run says of its characters, ready to be written. `head`: what stands before its text; empty where a run is more than text."""

    properties: Properties
    xml: str
    head: str
    special: bool
    inserted: bool
    deleted: bool


class Mark(NamedTuple):
    """Something between two characters."""

    place: int
    xml: str


class Document:
    def __init__(self, streams: Streams, package: Package, context: Context) -> None:
        self.streams = streams
        self.context = context
        self.package = package
        self.text = text.read(streams, context.budget)
        self.characters = Characters(streams, self.text)
        self.paragraphs = Paragraphs(streams, self.text)
        self.styles = Styles(streams)
        self.numbering = Numbering(streams)
        self.drawings = Drawings(streams, package, context)
        self.sections = sections.read(streams)
        self.facing, self.tab = _settings(streams.part(Part.PROPERTIES))
        self.starts = _starts(streams)
        self.footnotes = self._notes(Part.FOOTNOTE_REFERENCES, Part.FOOTNOTE_TEXTS, self.starts["footnotes"], 2)
        self.endnotes = self._notes(Part.ENDNOTE_REFERENCES, Part.ENDNOTE_TEXTS, self.starts["endnotes"], 2)
        self.marked_notes = sorted(place for notes in (self.footnotes, self.endnotes) for place, note in notes.items() if not note.counted)
        self.comments = self._comments()
        self.authors = plc.strings(streams.part(Part.REVISION_AUTHORS))
        self.anchors: dict[int, tuple[Anchor, bool]] = {
            **{place: (one, False) for place, one in self.drawings.anchors(False, 0).items()},
            **{place: (one, True) for place, one in self.drawings.anchors(True, self.starts["headers"]).items()},
        }
        self.marks = sorted([*self._bookmarks(), *self._comment_ranges()], key=lambda mark: mark.place)
        self._places = [mark.place for mark in self.marks]
        self._looks: dict[tuple[bytes, int], Look] = {}
        self._merged: dict[bytes, Properties] = {}
        self._paragraph_looks: dict[tuple[bytes, int], str] = {}
        self._changes = 0

    def look(self, grpprl: bytes, paragraph_style: int) -> Look:
        key = (grpprl, paragraph_style)
        found = self._looks.get(key)
        if found is None:
            found = self._looks[key] = self._look(grpprl, paragraph_style)
        return found

    def merged(self, grpprl: bytes) -> Properties:
        """The last word of a list of changes on each property."""
        found = self._merged.get(grpprl)
        if found is None:
            found = self._merged[grpprl] = sprms.merged(grpprl)
        return found

    def paragraph_look(self, grpprl: bytes, style: int) -> str:
        """What stands inside of w:pPr, without the look of the mark."""
        key = (grpprl, style)
        found = self._paragraph_looks.get(key)
        if found is None:
            named, between = self.styles.identity(style, "paragraph"), self.styles.has_between(style)
            found = paragraphs.write(self.merged(grpprl), grpprl, named, self.numbering.relation, between=between)
            self._paragraph_looks[key] = found
        return found

    def _look(self, grpprl: bytes, paragraph_style: int) -> Look:
        properties: Properties = {}
        for number, operand in sprms.read(grpprl):
            if number == characters.PLAIN:
                properties = {key: value for key, value in properties.items() if key in _NOT_LOOKS}
            properties[number] = operand
        own = unsigned(properties.get(characters.STYLE, b"\x0a\0"))
        toggled = {**self.styles.toggled(paragraph_style), **self.styles.toggled(own)}
        style = self.styles.identity(own, "character")
        xml = characters.write(properties, self.styles.fonts, toggled, style)
        inserted, deleted = (bool(unsigned(properties.get(n, b"\0"))) for n in (characters.INSERTED, characters.DELETED))
        bare = not (inserted or deleted or characters.SYMBOL in properties)
        head = f'<w:r><w:rPr>{xml}</w:rPr><w:t xml:space="preserve">' if xml else '<w:r><w:t xml:space="preserve">'
        return Look(properties, xml, head if bare else "", bool(unsigned(properties.get(characters.SPECIAL, b"\0"))), inserted, deleted)

    def fields(self, start: int, end: int) -> fields.Fields:
        """Of one story; what goes is reported."""
        found = fields.Fields(self.text.units, start, end, self.context.treatment.link_schemes)
        for code, instruction in found.found:
            self.context.found(code, instruction.split(None, 1)[0][:40], detail=instruction)
        return found

    def marks_between(self, start: int, end: int) -> list[Mark]:
        if not self.marks:
            return self.marks
        return self.marks[bisect_left(self._places, start) : bisect_left(self._places, end)]

    def change(self, look: Look, *, deleted: bool) -> str:
        """The attributes of w:ins or w:del."""
        self._changes += 1
        who, when = (characters.DELETED_BY, characters.DELETED_AT) if deleted else (characters.INSERTED_BY, characters.INSERTED_AT)
        index = unsigned(look.properties.get(who, b"\0"))
        author = self.authors[index] if index < len(self.authors) else ""
        date = _date(unsigned(look.properties.get(when, b"\0")))
        return f'w:id="{900_000 + self._changes}" w:author={markup.attribute(author)}' + (f' w:date="{date}"' if date else "")

    def _notes(self, references: Part, texts: Part, start: int, size: int) -> dict[int, Note]:
        """By place of the reference in the main text."""
        found, ends = plc.read(self.streams.part(references), size), plc.read(self.streams.part(texts), 0).places
        limit = len(self.text.units)
        return {
            place: Note(number + 1, min(start + ends[number], limit), min(start + ends[number + 1], limit), item[:2] != b"\0\0")
            for number, (place, item) in enumerate(zip(found.places, found.items, strict=False))
            if number + 1 < len(ends)
        }

    def _comments(self) -> dict[int, Comment]:
        notes = self._notes(Part.COMMENT_REFERENCES, Part.COMMENT_TEXTS, self.starts["comments"], _COMMENT)
        items = plc.read(self.streams.part(Part.COMMENT_REFERENCES), _COMMENT).items
        names = _names(self.streams.part(Part.COMMENT_AUTHORS))
        made: dict[int, Comment] = {}
        for place, note in notes.items():
            item = items[note.number - 1]
            length, index, tag = struct.unpack_from("<H18xH4xI", item)
            initials = item[2 : 2 + 2 * min(length, 9)].decode("utf-16-le", "replace")
            made[place] = Comment(note, names[index] if index < len(names) else "", initials, tag)
        return made

    def _bookmarks(self) -> list[Mark]:
        names = plc.strings(self.streams.part(Part.BOOKMARK_NAMES))
        starts = plc.read(self.streams.part(Part.BOOKMARK_STARTS), 4, ordered=False)
        ends = plc.read(self.streams.part(Part.BOOKMARK_ENDS), 0, ordered=False).places
        made: list[Mark] = []
        seen: set[str] = set()
        limit = self.streams.fib.counts.main
        for number, (name, start, item) in enumerate(zip(names[:_MOST_MARKS], starts.places, starts.items, strict=False), 1):
            index = int.from_bytes(item[:2], "little")
            if index >= len(ends) or not start <= ends[index] < limit or name.lower() in seen or len(name) > _LONGEST:
                continue
            seen.add(name.lower())
            made.append(Mark(start, f'<w:bookmarkStart w:id="{number}" w:name={markup.attribute(name)}/>'))
            made.append(Mark(ends[index], f'<w:bookmarkEnd w:id="{number}"/>'))
        return made

    def _comment_ranges(self) -> list[Mark]:
        """Where the text begins and ends that a comment is about: [MS-DOC] 2.8.11 (PlcfAtnBkf), 2.9.4 (ATNBE)."""
        if not self.context.treatment.comments_kept:
            return []
        tags = [int.from_bytes(beside[2:6], "little") for _, beside in plc.table(self.streams.part(Part.COMMENT_MARKS))]
        starts = plc.read(self.streams.part(Part.COMMENT_STARTS), 4, ordered=False)
        ends = plc.read(self.streams.part(Part.COMMENT_ENDS), 0, ordered=False).places
        numbers = {comment.tag: comment.note.number for comment in self.comments.values()}
        made: list[Mark] = []
        for tag, start, item in zip(tags[:_MOST_MARKS], starts.places, starts.items, strict=False):
            index = int.from_bytes(item[:2], "little")
            if (number := numbers.pop(tag, None)) and index < len(ends) and start <= ends[index] < self.streams.fib.counts.main:
                made.append(Mark(start, f'<w:commentRangeStart w:id="{number}"/>'))
                made.append(Mark(ends[index], f'<w:commentRangeEnd w:id="{number}"/>'))
        return made


# What text keeps when its look is reset: what it is.
_NOT_LOOKS: Final = frozenset(
    {characters.SPECIAL, characters.PICTURE, characters.SYMBOL, characters.OBJECT, characters.OLE2, characters.DATA, characters.INSERTED,
     characters.DELETED, characters.INSERTED_BY, characters.INSERTED_AT, characters.DELETED_BY, characters.DELETED_AT}
)  # fmt: skip


def _starts(streams: Streams) -> dict[str, int]:
    """Where each story begins."""
    starts: dict[str, int] = {}
    at = 0
    for name, count in zip(streams.fib.counts._fields, streams.fib.counts, strict=True):
        starts[name] = at
        at += count
    return starts


def _settings(data: bytes) -> tuple[bool, int]:
    """Whether pages face each other, and the distance of tab stops in twips: [MS-DOC] 2.7.2 (DopBase)."""
    if len(data) < 12:
        return False, 720
    return bool(data[0] & 1), struct.unpack_from("<H", data, 10)[0] or 720


def _names(data: bytes) -> list[str]:
    """Strings that follow each other, each behind its length."""
    found: list[str] = []
    at = 0
    while at + 2 <= len(data) and len(found) < _MOST_MARKS:
        (length,) = struct.unpack_from("<H", data, at)
        found.append(data[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace"))
        at += 2 + 2 * length
    return found


def _date(packed: int) -> str:
    """[MS-DOC] 2.9.70 (DTTM); empty for a moment that does not exist."""
    minute, hour, day = packed & 0x3F, packed >> 6 & 0x1F, packed >> 11 & 0x1F
    month, year = packed >> 16 & 0x0F, 1900 + (packed >> 20 & 0x1FF)
    if not packed or minute > 59 or hour > 23 or not 1 <= day <= 31 or not 1 <= month <= 12:
        return ""
    return f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z"
