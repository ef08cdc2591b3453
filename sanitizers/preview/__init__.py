"""安全なプレビュー: a file is looked at behind the walls, and only letters, numbers and pixels come out; it is never handed on.

Whoever looks sees what the file says and what it consists of, by the readers of the jail, more tolerant than what rebuilds a file:
this shows also what would never be delivered. What cannot be shown says why. One question, one child, one answer.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sanitizers.model import Job, Kind, Refused
from sanitizers.preview import difference, drawing, parts, reading
from sanitizers.preview.room import Room
from sanitizers.preview_words import MOST_OCTETS, Look, Shown, View, line
from sanitizers.source import Source

__all__ = ["show"]

_NOTHING: Final = b""


def show(job: Job, look: Look, source: Source) -> tuple[Shown, bytes]:
    """What is asked for, and the pixels of its picture. Raises no Refused: whatever cannot be shown says so in `fault`."""
    try:
        room = Room(job, len(source))
        name, part, kind = parts.found(job.name, source, look.part, room, mail=job.door == "smtp")
    except Refused as refusal:
        return Shown(name=line(job.name), fault=refusal.reason), _NOTHING
    about = Shown(name=line(name), kind=kind, size=len(part), sha256=part.sha256)
    try:
        return _VIEWS[look.view](about, look, room, part, kind)
    except Refused as refusal:
        return _with(about, fault=refusal.reason), _NOTHING


def _content(about: Shown, _look: Look, room: Room, part: Source, kind: Kind) -> tuple[Shown, bytes]:
    read = reading.read(part, kind, about.name, room)
    return _with(about, head=read.head, lines=read.lines, tables=read.tables, links=read.links, cut=read.cut, fault=read.fault,
                 pages=drawing.count(part, kind, room)), _NOTHING  # fmt: skip


def _page(about: Shown, look: Look, room: Room, part: Source, kind: Kind) -> tuple[Shown, bytes]:
    picture = drawing.draw(part, kind, look.page, look.width, room)
    return _with(about, drawn=picture.size), picture.tobytes()


def _bytes(about: Shown, look: Look, _room: Room, part: Source, _kind: Kind) -> tuple[Shown, bytes]:
    return _with(about, octets=part.part(min(look.start, len(part)), MOST_OCTETS)), _NOTHING


def _parts(about: Shown, look: Look, room: Room, part: Source, kind: Kind) -> tuple[Shown, bytes]:
    pieces, cut, fault = parts.tree(about.name, part, kind, look.part, room)
    return _with(about, parts=pieces, cut=cut, fault=fault), _NOTHING


def _gist(about: Shown, _look: Look, room: Room, part: Source, kind: Kind) -> tuple[Shown, bytes]:
    made, fault = difference.gist(part, kind, about.name, room)
    return _with(about, gist=made, fault=fault), _NOTHING


def _difference(about: Shown, look: Look, room: Room, part: Source, kind: Kind) -> tuple[Shown, bytes]:
    made, fault = difference.gist(part, kind, about.name, room)
    found = None if look.before is None else difference.between(look.before, made)
    return _with(about, difference=found, fault=fault), _NOTHING


_VIEWS: Final = {
    View.CONTENT: _content,
    View.PAGE: _page,
    View.BYTES: _bytes,
    View.PARTS: _parts,
    View.GIST: _gist,
    View.DIFFERENCE: _difference,
}


def _with(about: Shown, **found: object) -> Shown:
    return msgspec.structs.replace(about, **found)

