"""Programmable tags: [MS-PPT] 2.3.8, 2.11. PowerPoint itself keeps there what later versions added; of that the simple parts stay."""

from __future__ import annotations

from typing import Final

from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.animation import ANIMATIONS
from sanitizers.formats.ppt.grammar import QUIET, REPORTED, Grammar, Place, Rule, atom, ended, nest, string
from sanitizers.formats.ppt.pictures import bullet
from sanitizers.formats.ppt.records import Record
from sanitizers.formats.ppt.text import master_style_9, style_9

_TAG, _NAME, _BLOB = 0x138A, 0x0FBA, 0x138B
_COMMENT: Final = 0x2EE0

# Of the blob of one tag: what stays. Everything else of PowerPoint's own tags that REPORTED does not name goes without a word.
_SHAPES: Final[Grammar] = {0x0FAC: style_9}
_MASTERS: Final[Grammar] = {0x0FAD: master_style_9}
_OUTLINE: Final[Grammar] = {0x0FAE: nest({0x0FAF: atom("II"), 0x0FAC: style_9})}
_BULLETS: Final[Grammar] = {0x07F8: nest({0x07F9: bullet}, instances=range(4096))}
_OWN: Final = frozenset({"___PPT9", "___PPT10", "___PPT11", "___PPT12"})


def _comments(record: Record, place: Place) -> bytes:
    if not place.deck.context.treatment.comments_kept:
        place.found("ppt.comments")
        return b""
    return _COMMENT_RULE(record, place)


_COMMENT_RULE: Final = nest({0x0FBA: string(range(3)), 0x2EE1: atom("I8H2i")})
_SLIDES: Final[Grammar] = {_COMMENT: _comments, 0x2EEA: atom("I"), **ANIMATIONS}


def _of(kept: dict[str, Grammar]) -> Rule:
    def rule(record: Record, place: Place) -> bytes:
        made = b"".join(
            _tag(one, kept, place) if one.kind == _TAG else _left(one, place) for one in records.children(record.data)
        )
        return records.container(record.kind, made) if made else b""

    return rule


def _tag(record: Record, kept: dict[str, Grammar], place: Place) -> bytes:
    inner = records.children(record.data)
    name = "".join(ended(one.data).decode("utf-16-le", "replace") for one in inner if one.kind == _NAME and len(one.data) % 2 == 0)
    blobs = [one for one in inner if one.kind == _BLOB]
    if name not in _OWN or len(blobs) != 1:
        place.found("ppt.tag")
        return b""
    grammar = kept.get(name, {})
    made = b"".join(
        grammar[one.kind](one, place.deeper()) if one.kind in grammar else _left(one, place) for one in records.children(blobs[0].data)
    )
    if not made:
        return b""
    return records.container(_TAG, records.written(_NAME, name.encode("utf-16-le")) + records.written(_BLOB, made))


def _left(record: Record, place: Place) -> bytes:
    """Only what is known to do or to show something is reported."""
    if record.kind in REPORTED and record.kind not in QUIET:
        place.left(record)
    return b""


of_shapes: Final = _of({"___PPT9": _SHAPES})
of_slides: Final = _of({"___PPT9": _MASTERS, "___PPT10": _SLIDES})
of_the_document: Final = _of({"___PPT9": _MASTERS | _BULLETS | _OUTLINE})
