"""Animations since PowerPoint 2002: [MS-PPT] 2.8. A tree of moments, each with what changes then. Nothing may run or play."""

from __future__ import annotations

import struct
from collections.abc import Container
from typing import Final

from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.grammar import Grammar, Place, Rule, ended, nest, walk
from sanitizers.formats.ppt.records import Record

NODE, BUILDS, HASH = 0xF144, 0x2B02, 0x2B00
_COMMAND, _SHOWN, _SHAPE = 0xF132, 0xF13C, 0x2AFB
_SOUND_REFERENCE: Final = 2
_MEDIA: Final = (3, 4)  # sound, film
_ANY: Final = range(4096)
_VARIANTS: Final = {0: 2, 1: 5, 2: 5}  # truth, whole number, number → bytes with their kind
_TEXT: Final = 3
_LONGEST: Final = 8192


def _numbers(most: int, versions: Container[int] = (0, 1, 2)) -> Rule:
    """An atom of at most so many numbers of four bytes; its instance says where it belongs."""

    def rule(record: Record, place: Place) -> bytes:
        size = len(record.data)
        if size % 4 or size > 4 * most or record.version not in versions:
            return place.broken(record)
        return records.written(record.kind, bytes(record.data), record.version, record.instance)

    return rule


def _variant(record: Record, place: Place) -> bytes:
    """TimeVariant: its kind, and a truth, a number or words."""
    data = bytes(record.data)
    kind = data[0] if data else -1
    if kind == _TEXT and len(data) % 2 and len(data) <= _LONGEST:
        said = data[:1] + ended(data[1:]) + b"\0\0"
    elif _VARIANTS.get(kind) == len(data):
        said = data
    else:
        return place.broken(record)
    return records.written(record.kind, said, 0, record.instance)


def _shape(record: Record, place: Place) -> bytes:
    """VisualShapeAtom: which shape, or which of its paragraphs."""
    if len(record.data) != 20 or _plays(record):
        return place.broken(record)
    return records.written(record.kind, bytes(record.data))


def _plays(record: Record) -> bool:
    kind, reference = struct.unpack_from("<II", record.data)
    return kind in _MEDIA or reference == _SOUND_REFERENCE


def _node(record: Record, place: Place) -> bytes:
    """ExtTimeNodeContainer, TimeSubEffectContainer. One that plays or commands something stays behind with all below it."""
    for one in records.children(record.data):
        shown = records.children(one.data) if one.kind == _SHOWN else []
        if one.kind == _COMMAND or any(inner.kind == _SHAPE and len(inner.data) == 20 and _plays(inner) for inner in shown):
            place.found("ppt.animation")
            return b""
    return records.container(record.kind, walk(record.data, _NODE, place.deeper()), record.instance)


def _nest(grammar: Grammar) -> Rule:
    return nest(grammar, instances=_ANY)


_PROPERTIES: Final = _nest({0xF142: _variant})
_VISUAL: Final = _nest({_SHAPE: _shape, 0x2B01: _numbers(1)})
_BEHAVIOUR: Final = _nest({0xF133: _numbers(4), 0xF13E: _PROPERTIES, 0xF13D: _PROPERTIES, _SHOWN: _VISUAL})
_VALUES: Final = _nest({0xF143: _numbers(1), 0xF142: _variant})


def _change(kind: int, most: int) -> Rule:
    """A container of one atom, what it changes, and from what to what."""
    return _nest({kind: _numbers(most), 0xF12A: _BEHAVIOUR, 0xF13F: _VALUES, 0xF142: _variant})


_NODE: Final[Grammar] = {
    0xF127: _numbers(8),
    0xF13D: _PROPERTIES,
    0xF12B: _change(0xF134, 3),
    0xF12C: _change(0xF135, 13),
    0xF12D: _change(0xF136, 2),
    0xF12E: _change(0xF137, 8),
    0xF12F: _change(0xF138, 5),
    0xF130: _change(0xF139, 8),
    0xF131: _change(0xF13A, 3),
    _SHOWN: _VISUAL,
    0xF140: _numbers(5),
    0xF141: _numbers(5),
    0xF125: _nest({0xF128: _numbers(4), _SHOWN: _VISUAL}),
    0xF129: _numbers(2),
    0xF145: _node,
    NODE: _node,
}
_BUILD: Final = _numbers(4)
ANIMATIONS: Final[Grammar] = {
    NODE: _node,
    HASH: _numbers(1),
    BUILDS: _nest({
        0x2B08: _nest({0x2B03: _BUILD, 0x2B09: _numbers(4), 0x2B0A: _numbers(1), NODE: _node}),
        0x2B04: _nest({0x2B03: _BUILD, 0x2B05: _numbers(2)}),
        0x2B06: _nest({0x2B03: _BUILD, 0x2B07: _numbers(1)}),
    }),
}  # fmt: skip
