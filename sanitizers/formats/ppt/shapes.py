"""Drawings of slides: [MS-ODRAW] 2.2 as [MS-PPT] 2.5.13 puts them into records."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.ppt import links, records, tags
from sanitizers.formats.ppt.grammar import Grammar, Place, Rule, atom, nest, quiet, walk
from sanitizers.formats.ppt.options import options
from sanitizers.formats.ppt.records import Record
from sanitizers.formats.ppt.text import TEXT
from sanitizers.model import Action

_OBJECT: Final = 0x0BC1
_OLE_FLAG: Final = 0x10
_KINDS_OF_SHAPE: Final = range(203)
_ANY: Final = range(4096)


def _shape(record: Record, place: Place) -> bytes:
    """OfficeArtFSP: its id and flags; it is no longer a shape of an embedded object."""
    if len(record.data) != 8 or (record.instance not in _KINDS_OF_SHAPE and record.instance != 0xFFF):
        return place.broken(record)
    number, flags = struct.unpack("<II", record.data)
    return records.written(record.kind, struct.pack("<II", number, flags & 0xFFF & ~_OLE_FLAG), 2, record.instance)


def _object(record: Record, place: Place) -> bytes:
    """ExObjRefAtom: what the shape stood for stays behind, its picture stays."""
    which = struct.unpack("<I", record.data)[0] if len(record.data) == 4 else 0
    place.found(place.deck.objects.get(which, "ppt.object"), Action.REWRITTEN, "its picture stays")
    return b""


def _animation(record: Record, place: Place) -> bytes:
    """AnimationInfoAtom without its sound and without what it would play or run."""
    if len(record.data) != 28:
        return place.broken(record)
    colour, flags, sound, *times = struct.unpack("<IIIIHHBBBBBxxx", record.data)
    if sound:
        place.found("ppt.sound")
    made = struct.pack("<IIIIHHBBBBBxxx", colour, flags & 0x5405, 0, *times)
    return records.written(record.kind, made, 1)


def _text_box(record: Record, place: Place) -> bytes:
    place.deck.length = 0
    return _TEXT_BOX(record, place)


_WORDS: Final[Grammar] = TEXT | links.IN_TEXT
_TEXT_BOX: Final[Rule] = nest(_WORDS)
_DATA: Final[Grammar] = {
    0x0BDB: atom("B"),              # ShapeFlagsAtom
    0x0BDC: atom("B"),              # ShapeFlags10Atom
    _OBJECT: _object,
    0x0BC3: atom("iBBxx"),          # PlaceholderAtom
    0x1014: nest({0x0FF1: _animation}),
    0x0FF2: links.interaction,
    0x1388: tags.of_shapes,
}
_SHAPE: Final[Grammar] = {
    0xF009: atom("4i", version=1),
    0xF00A: _shape,
    0xF00B: options,
    0xF121: options,
    0xF122: options,
    0xF00F: atom("4i"),
    0xF010: atom("4h", "4i"),
    0xF011: nest(_DATA, instances=_ANY),
    0xF00D: _text_box,
}
_SOLVER: Final[Grammar] = {
    0xF012: atom("6I", version=1),
    0xF014: atom("2I"),
    0xF017: atom("2I"),
}


def _group(record: Record, place: Place) -> bytes:
    """Shapes and groups of shapes, however deep."""
    return records.container(record.kind, walk(record.data, _GROUP, place.deeper()))


_GROUP: Final[Grammar] = {0xF003: _group, 0xF004: nest(_SHAPE)}
_DRAWING: Final[Grammar] = {
    0xF008: atom("II", instances=_ANY),
    0xF003: _group,
    0xF004: nest(_SHAPE),
    0xF005: nest(_SOLVER, instances=_ANY),
    0xF118: quiet,
}
drawing: Final[Rule] = nest({0xF002: nest(_DRAWING)})  # DrawingContainer
