"""Slides, masters, notes and handouts: [MS-PPT] 2.5."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.ppt import records, tags, text
from sanitizers.formats.ppt.grammar import Grammar, Place, Rule, atom, nest, string, walk
from sanitizers.formats.ppt.records import Record
from sanitizers.formats.ppt.shapes import drawing
from sanitizers.model import Malformed

SLIDE, MASTER, NOTES, HANDOUT = 0x03EE, 0x03F8, 0x03F0, 0x0FC9
_SLIDE_ATOM, _NOTES_ATOM = 0x03EF, 0x03F1
_FIRST: Final = {SLIDE: _SLIDE_ATOM, MASTER: _SLIDE_ATOM, NOTES: _NOTES_ATOM}
_SHOW_FLAGS: Final = 0x1505  # by hand, hidden, end of a sound, after a time, pointer shown; no sound


def _show(record: Record, place: Place) -> bytes:
    """SlideShowSlideInfoAtom: how this slide comes, without its sound."""
    if len(record.data) != 16:
        return place.broken(record)
    time, sound, direction, effect, flags, speed = struct.unpack("<IIBBHBxxx", record.data)
    if sound:
        place.found("ppt.sound")
    return records.written(record.kind, struct.pack("<IIBBHBxxx", time, 0, direction, effect, flags & _SHOW_FLAGS, speed))


headers_footers: Final[Rule] = nest({0x0FDA: atom("HH"), 0x0FBA: string(range(3))}, instances=(0, 3, 4))
_ALL: Final[Grammar] = {
    0x03F9: _show,
    0x0FD9: headers_footers,
    0x040C: drawing,
    0x07F0: atom("3Bx" * 8, instances=(1, 6)),
    0x0FBA: string((2, 3)),
    0x1388: tags.of_slides,
}
_GRAMMARS: Final[dict[int, Grammar]] = {
    SLIDE: _ALL | {_SLIDE_ATOM: atom("i8BIIHxx", version=2)},
    MASTER: _ALL | {_SLIDE_ATOM: atom("i8BIIHxx", version=2), 0x0FA3: text.master_style},
    NOTES: _ALL | {_NOTES_ATOM: atom("IHxx", version=1)},
    HANDOUT: _ALL,
}


def part(record: Record, kinds: tuple[int, ...], place: Place) -> bytes:
    """A slide, master, page of notes or handout made anew. Raises Malformed for anything else."""
    if record.kind not in kinds or record.version != records.CONTAINER:
        raise Malformed(f"a part of type {record.kind:04X}", where=place.where, code="ppt.malformed")
    made = walk(record.data, _GRAMMARS[record.kind], place)
    first = _FIRST.get(record.kind)
    if first is not None and (not made or records.one(made, 0).kind != first):
        raise Malformed("a slide that does not say what it is", where=place.where, code="ppt.malformed")
    return records.container(record.kind, made)
