"""The document: what all slides share, and the lists of them. [MS-PPT] 2.4."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.ppt import links, persist, records, slides, tags, text
from sanitizers.formats.ppt.grammar import Deck, Grammar, Place, atom, nest, numbers, string
from sanitizers.formats.ppt.options import options
from sanitizers.formats.ppt.pictures import Store
from sanitizers.formats.ppt.records import Record
from sanitizers.formats.ppt.slides import HANDOUT, MASTER, NOTES, SLIDE
from sanitizers.model import Malformed

_DOCUMENT, _ATOM, _LIST, _OBJECTS, _END = 0x03E8, 0x03E9, 0x0FF0, 0x0409, 0x03EA
_ENTRY: Final = 0x03F3
_FONT: Final = 0x0FB7
_FACE: Final = 64
_SLIDES, _MASTERS, _NOTES = 0, 1, 2  # instances of the lists
_CALLED: Final = {_SLIDES: "slide", _MASTERS: "master", _NOTES: "notes"}
_KINDS: Final = {_SLIDES: (SLIDE,), _MASTERS: (MASTER, SLIDE), _NOTES: (NOTES,)}
_NOTES_MASTER, _HANDOUT = 24, 28  # offsets in the DocumentAtom


def _font(record: Record, place: Place) -> bytes:
    """FontEntityAtom. Texts count the fonts, so none may be missing."""
    if len(record.data) != _FACE + 4:
        raise Malformed("a font", where=place.where, code="ppt.malformed")
    face = bytes(record.data[:_FACE]).decode("utf-16-le", "replace").partition("\0")[0].encode("utf-16-le")
    charset, _, kind, pitch = record.data[_FACE:]
    return records.written(record.kind, face[: _FACE - 2].ljust(_FACE, b"\0") + bytes((charset, 0, kind & 0x0F, pitch)), 0, record.instance)


def _clusters(record: Record, place: Place) -> bytes:
    """OfficeArtFDGGBlock: which numbers of shapes are taken."""
    size = len(record.data)
    if size < 16 or size % 8:
        return place.broken(record)
    most, _, shapes, drawings = struct.unpack_from("<4I", record.data)
    return records.written(record.kind, struct.pack("<4I", most, (size - 16) // 8 + 1, shapes, drawings) + bytes(record.data[16:]))


_ENVIRONMENT: Final[Grammar] = {
    0x0FC8: nest({0x0FD2: atom("I", instances=(3,)), 0x0FBA: string((0, 1))}, instances=(2,)),
    0x07D5: nest({_FONT: _font}),
    0x0FA4: text.defaults,
    0x0FA5: text.defaults,
    0x0FAB: text.ruler,
    0x0FA9: text.default_info,
    0x0FA3: text.master_style,
}
_SHOWS: Final[Grammar] = {0x0411: nest({0x0FBA: string(), 0x0412: numbers(4, 1 << 16)})}


def _play(record: Record, place: Place) -> bytes:
    """SlideShowDocInfoAtom: how the whole show runs."""
    if len(record.data) != 80:
        return place.broken(record)
    name = bytes(record.data[12:76]).decode("utf-16-le", "replace").partition("\0")[0].encode("utf-16-le")[:62]
    return records.written(record.kind, bytes(record.data[:12]) + name.ljust(64, b"\0") + bytes(record.data[76:78]) + b"\0\0", 1)


def _macros(record: Record, place: Place) -> bytes:
    """VBAInfoContainer. Some writers always have one, and say in it that there are no macros."""
    for one in records.children(record.data):
        if one.kind != 0x0400 or len(one.data) != 12 or struct.unpack("<III", one.data)[:2] != (0, 0):
            place.left(record)
    return b""


class Rebuilding:
    """`parts`: the document first, then every part that it names, each made anew; `last_slide`: the id of the first slide."""

    def __init__(self, stream: bytes, edit: persist.Edit, deck: Deck, store: Store) -> None:
        self._stream = stream
        self._edit = edit
        self._deck = deck
        self._store = store
        self._taken: set[int] = {edit.document}
        self._left = len(stream)  # bytes that parts may have, all together
        self._listed: set[int] = set()
        self._parts: list[bytes] = []
        self.last_slide = 0
        document = persist.part(stream, edit, edit.document)
        if document.kind != _DOCUMENT:
            raise Malformed("no document", code="ppt.malformed")
        self.parts = [records.container(_DOCUMENT, self._document(document)), *self._parts]

    def _document(self, document: Record) -> bytes:
        given = records.children(document.data)
        if not given or given[0].kind != _ATOM or len(given[0].data) != 40:
            raise Malformed("a document that does not say what it is", code="ppt.malformed")
        place = Place(self._deck, "document")
        # Links and pictures first: slides refer to them.
        first = {
            _OBJECTS: links.list_of_objects,
            0x040B: nest({0xF000: nest({0xF006: _clusters, 0xF001: self._store.table, 0xF00B: options, 0xF122: options})}),
        }
        made = {index: first[one.kind](one, place) for index, one in enumerate(given) if one.kind in first}
        grammar: Grammar = {
            _ATOM: self._atom,
            0x03F2: nest(_ENVIRONMENT),
            _LIST: self._list,
            0x07D0: nest({0x1388: tags.of_the_document, 0x03FF: _macros}),
            0x0FD9: slides.headers_footers,
            0x0401: _play,
            0x0410: nest(_SHOWS),
            _END: atom(""),
        }
        for index, one in enumerate(given):
            if index in made:
                continue
            rule = grammar.get(one.kind)
            if rule is None:
                place.left(one)
            else:
                made[index] = rule(one, place)
        return b"".join(made[index] for index in sorted(made))

    def _atom(self, record: Record, place: Place) -> bytes:
        """DocumentAtom, with the new numbers of the master of notes and of the handout."""
        if len(record.data) != 40:
            raise Malformed("two heads of a document", code="ppt.malformed")
        made = bytearray(record.data)
        for at, kinds, where in ((_NOTES_MASTER, (NOTES,), "notes master"), (_HANDOUT, (HANDOUT,), "handout")):
            (number,) = struct.unpack_from("<I", made, at)
            if number:
                struct.pack_into("<I", made, at, self._add(number, kinds, place._replace(where=where)))
        return records.written(record.kind, bytes(made), 1)

    def _add(self, number: int, kinds: tuple[int, ...], place: Place) -> int:
        """Makes a part anew; returns its new number. Each may be named once: the second reading could be the thousandth."""
        if number in self._taken:
            raise Malformed("a part that is named twice", where=place.where, code="ppt.malformed")
        self._taken.add(number)
        record = persist.part(self._stream, self._edit, number)
        self._left -= records.HEAD + len(record.data)
        if self._left < 0:
            raise Malformed("parts that overlap", where=place.where, code="ppt.malformed")
        self._parts.append(slides.part(record, kinds, place))
        return len(self._parts) + 1

    def _list(self, record: Record, place: Place) -> bytes:
        """SlideListWithTextContainer: each entry names a part; texts that stand behind an entry belong to its slide."""
        if record.instance not in _CALLED:
            return place.broken(record)
        if record.instance in self._listed:
            raise Malformed(f"two lists of {_CALLED[record.instance]}s", code="ppt.malformed")
        self._listed.add(record.instance)
        made: list[bytes] = []
        count = 0
        where = place
        for one in records.children(record.data):
            if one.kind == _ENTRY:
                count += 1
                where = place._replace(where=f"{_CALLED[record.instance]} {count}", depth=1)
                made.append(self._entry(one, record.instance, where))
            elif rule := (text.TEXT | links.IN_TEXT).get(one.kind):
                made.append(rule(one, where))
            else:
                where.left(one)
        self._deck.context.budget.spend_pages(count)
        return records.container(record.kind, b"".join(made), record.instance)

    def _entry(self, record: Record, kind: int, place: Place) -> bytes:
        if len(record.data) != 20:
            raise Malformed("an entry of a list of slides", where=place.where, code="ppt.malformed")
        number, flags, texts, slide = struct.unpack_from("<IIiI", record.data)
        if kind == _SLIDES and not self.last_slide:
            self.last_slide = slide
        new = self._add(number, _KINDS[kind], place)
        return records.written(record.kind, struct.pack("<IIiI4x", new, flags & 0x06, texts, slide))
