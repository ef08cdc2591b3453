"""What a click does: [MS-PPT] 2.6 and 2.10. Inside the show it may lead anywhere, outside only to addresses of allowed schemes."""

from __future__ import annotations

import re
import struct
from typing import Final

from sanitizers.formats.office.links import allowed, is_place
from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.grammar import Deck, Grammar, Place, ended
from sanitizers.formats.ppt.records import Record

_LINK, _LINK_ATOM, _STRING, _SEED = 0x0FD7, 0x0FD3, 0x0FBA, 0x040A
_TARGET, _PLACE = 1, 3  # instances of the strings of a hyperlink
_SLIDE: Final = re.compile(r"-?\d+,\d+,")  # its id, its number; then its title, which may be anything
_ACTION_ATOM: Final = 0x0FF3
_ACTION: Final = "<IIBBBBBxxx"
_NOTHING, _MACRO, _PROGRAM, _JUMP, _HYPERLINK, _OLE, _MEDIA, _SHOW = range(8)
_CODES: Final = {_MACRO: "ppt.macro", _PROGRAM: "ppt.program", _OLE: "ppt.object", _MEDIA: "ppt.media"}
_JUMPS: Final = range(7)
_KEPT_FLAGS: Final = 0x0D  # lit up, coming back from a show, visited
# Kinds of hyperlinks that lead out of this file: another presentation, another file.
_FILES: Final = frozenset({9, 10})
# Type of an entry in the list of external objects → code of the finding; the rest is in `grammar.REPORTED`.
_OBJECTS: Final = {0x0FCC: "ppt.object", 0x0FCE: "ppt.external_link", 0x0FEE: "ppt.object"}


def list_of_objects(record: Record, place: Place) -> bytes:
    """ExObjListContainer: of all that it knows only hyperlinks stay. Fills the deck's `links` and `objects`."""
    made: list[bytes] = []
    seed = 0
    for one in records.children(record.data):
        if one.kind == _SEED and len(one.data) == 4:
            (seed,) = struct.unpack("<I", one.data)
        elif one.kind == _LINK:
            made.append(_hyperlink(one, place))
        else:
            _note(one, place)
    inside = b"".join(made)
    return records.container(record.kind, records.written(_SEED, struct.pack("<I", seed)) + inside) if inside else b""


def _note(record: Record, place: Place) -> None:
    """An object, a control, a sound or a film; the shape that shows it must know."""
    code = _OBJECTS.get(record.kind, "ppt.media")
    for inner in records.children(record.data) if record.version == records.CONTAINER else ():
        if inner.kind in (0x0FC3, 0x1004) and len(inner.data) >= 12:
            (number,) = struct.unpack_from("<I", inner.data, 8 if inner.kind == 0x0FC3 else 0)
            place.deck.objects[number] = code
    if record.kind in _OBJECTS:
        place.found(code)
    else:
        place.left(record)


def _hyperlink(record: Record, place: Place) -> bytes:
    """Its id, the words that name it, its target and the place there. Empty for one that may not stay."""
    number, texts = 0, dict[int, str]()
    for one in records.children(record.data):
        if one.kind == _LINK_ATOM and len(one.data) == 4:
            (number,) = struct.unpack("<I", one.data)
        elif one.kind == _STRING and one.instance in (0, _TARGET, _PLACE) and len(one.data) % 2 == 0:
            texts[one.instance] = ended(one.data).decode("utf-16-le", "replace")
    if not number or not _stays(texts, place.deck):
        place.found("ppt.hyperlink")
        return b""
    place.deck.links.add(number)
    strings = b"".join(
        records.written(_STRING, text.encode("utf-16-le"), 0, instance) for instance, text in sorted(texts.items()) if text or instance == 0
    )
    return records.container(_LINK, records.written(_LINK_ATOM, struct.pack("<I", number)) + strings)


def _stays(texts: dict[int, str], deck: Deck) -> bool:
    target, inside = texts.get(_TARGET, ""), texts.get(_PLACE, "")
    if not is_place(inside) and not (_SLIDE.match(inside) and not target):
        return False
    return bool(inside) if not target else allowed(target, deck.context.treatment.link_schemes)


def interaction(record: Record, place: Place) -> bytes:
    """InteractiveInfo: what a click on a shape or a pointer above it does. Empty for what may not be done."""
    actions = [one for one in records.children(record.data) if one.kind == _ACTION_ATOM]
    if not actions:
        return b""  # some writers leave an empty one for a pointer that does nothing
    if record.instance > 1 or len(actions) != 1:
        return place.broken(record)
    inside = _action(actions[0], place)
    if not inside:
        return b""
    names = b"".join(
        records.written(_STRING, ended(one.data), 0, 2)
        for one in records.children(record.data)
        if one.kind == _STRING and one.instance == 2 and len(one.data) % 2 == 0 and _show(inside)
    )
    return records.container(record.kind, inside + names, record.instance)


def _show(atom: bytes) -> bool:
    return atom[records.HEAD + 8] == _SHOW


def _action(record: Record, place: Place) -> bytes:
    if len(record.data) != 16:
        return place.broken(record)
    sound, link, action, _verb, jump, flags, kind = struct.unpack(_ACTION, record.data)
    if sound:
        place.found("ppt.sound")
    if action in _CODES:
        place.found(_CODES[action])
        return b""
    if action == _HYPERLINK and (link not in place.deck.links or kind in _FILES):
        place.found("ppt.hyperlink")
        return b""
    if action > _SHOW or jump not in _JUMPS:
        return place.broken(record)
    if action == _NOTHING:
        return b""
    link = link if action in (_HYPERLINK, _SHOW) else 0
    return records.written(record.kind, struct.pack(_ACTION, 0, link, action, 0, jump, flags & _KEPT_FLAGS, kind))


def _in_text(record: Record, place: Place) -> bytes:
    made = interaction(record, place)
    place.deck.link_gone = not made
    return made


def _range(record: Record, place: Place) -> bytes:
    """TextInteractiveInfoAtom: the characters that the action before it belongs to."""
    if place.deck.link_gone:
        return b""
    if len(record.data) != 8 or record.instance > 1:
        return place.broken(record)
    return records.written(record.kind, bytes(record.data), 0, record.instance)


IN_TEXT: Final[Grammar] = {0x0FF2: _in_text, 0x0FDF: _range}
