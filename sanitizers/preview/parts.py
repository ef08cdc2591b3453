"""What lies in a file: members of archives and packages, attachments, streams. Each can be looked at like a file of its own.

Archives are taken apart by the sanitizers themselves, each part caught as it would go round the engine; one that they refuse is listed by
a reader that is not so strict. Whether a part is the same as one of the report is told by its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec
import pypdfium2

from sanitizers import cfb, identify, library, names
from sanitizers import zip as archive
from sanitizers.model import Kind, Malformed, Refused
from sanitizers.preview import mail as letters
from sanitizers.preview import pages
from sanitizers.preview.room import Room
from sanitizers.preview_words import DEEPEST, MOST_PARTS, Piece, Place, line
from sanitizers.source import Source

PACKAGES: Final = frozenset((
    Kind.DOCX, Kind.DOCM, Kind.DOTX, Kind.DOTM, Kind.XLSX, Kind.XLSM, Kind.XLSB, Kind.XLTX, Kind.XLTM, Kind.XLAM, Kind.PPTX, Kind.PPTM,
    Kind.PPSX, Kind.PPSM, Kind.POTX, Kind.POTM, Kind.PPAM, Kind.VSDX, Kind.XPS, Kind.ODT, Kind.ODS, Kind.ODP, Kind.ODG, Kind.ODF, Kind.EPUB,
    Kind.JAR, Kind.APK,
))  # fmt: skip
COMPOUNDS: Final = frozenset((
    Kind.DOC, Kind.XLS, Kind.PPT, Kind.VSD, Kind.PUB, Kind.MPP, Kind.MSI, Kind.CFB, Kind.JTD, Kind.JHD, Kind.OOXML_ENCRYPTED,
))  # fmt: skip
ARCHIVES: Final = frozenset((
    Kind.ZIP, Kind.SEVENZIP, Kind.RAR, Kind.LZH, Kind.TAR, Kind.GZ, Kind.BZ2, Kind.XZ, Kind.ZST, Kind.LZ4, Kind.COMPRESS, Kind.CAB,
    Kind.CPIO, Kind.AR, Kind.ISO, Kind.ATC, Kind.MHT,
))  # fmt: skip
_LENIENT: Final = {Kind.ZIP: "zip", Kind.SEVENZIP: "7zip", Kind.CAB: "cab", Kind.ISO: "iso9660", Kind.TAR: "tar", Kind.CPIO: "cpio"}


class Part(NamedTuple):
    """Its name and bytes as they lie there."""

    name: str
    content: Source


class _Enough(Exception):  # noqa: N818 - no error: the part that was looked for has been caught
    pass


# Told of each part in order; whatever it raises ends the walk.
Taken = Callable[[Part], None]


def found(name: str, source: Source, place: Place, room: Room, *, mail: bool = False) -> tuple[str, Source, Kind]:
    """The part at `place`, the file itself at (). Raises Malformed where there is none, and what its container's reader raises."""
    kind = Kind.EML if mail else identify.identify(source, name)
    for index in place:
        name, source = _at(index, name, source, kind, room)
        kind = identify.identify(source, name)
    return name, source, kind


def _at(index: int, name: str, source: Source, kind: Kind, room: Room) -> Part:
    caught: list[Part] = []
    count = 0

    def take(part: Part) -> None:
        nonlocal count
        if count == index:
            caught.append(part)
            raise _Enough
        count += 1

    try:
        unfold(name, source, kind, room, take)
    except _Enough:
        return caught[0]
    raise Malformed("no such part")


def tree(name: str, source: Source, kind: Kind, place: Place, room: Room) -> tuple[tuple[Piece, ...], bool, str]:
    """Everything below, depth first; whether there is more; and why the file itself could not be read to its end."""
    grown = _Tree(room)
    try:
        fault = grown.grow(Part(name, source), kind, place)
    except _Enough:
        return tuple(grown.pieces), True, ""
    return tuple(grown.pieces), False, fault


class _Tree:
    """What has been told so far."""

    def __init__(self, room: Room) -> None:
        self.pieces: list[Piece] = []
        self._room = room

    def grow(self, above: Part, kind: Kind, place: Place) -> str:
        """Adds what lies in one file. Returns why that is not all of it. Raises _Enough when no more is told."""
        if len(place) >= DEEPEST:
            return ""
        below: list[Part] = []
        fault = ""
        try:
            unfold(above.name, above.content, kind, self._room, partial(self._take, below))
        except _Enough:
            self._add(below, place)
            raise
        except Refused as refusal:
            fault = refusal.reason
        self._add(below, place)
        return fault

    def _take(self, below: list[Part], part: Part) -> None:
        if len(self.pieces) + len(below) >= MOST_PARTS:
            raise _Enough
        below.append(part)

    def _add(self, below: list[Part], place: Place) -> None:
        for index, part in enumerate(below):
            if len(self.pieces) >= MOST_PARTS:
                raise _Enough
            kind, at, where = identify.identify(part.content, part.name), len(self.pieces), (*place, index)
            piece = Piece(part=where, name=line(part.name), kind=kind, size=len(part.content), sha256=part.content.sha256)
            self.pieces.append(piece)
            if why := self.grow(part, kind, where):
                self.pieces[at] = msgspec.structs.replace(piece, fault=why)


def unfold(name: str, source: Source, kind: Kind, room: Room, take: Taken) -> None:
    """Tells each part that lies right in it, in order. Raises what its reader raises; what was told before then stands."""
    if kind in PACKAGES:
        for part in members(source, room):
            take(part)
    elif kind in COMPOUNDS:
        for part in streams(source, room):
            take(part)
    elif kind in letters.KINDS:
        for attached in letters.attachments(source, kind, room):
            take(Part(*attached))
    elif kind is Kind.PDF:
        for part in _attached(source, room):
            take(part)
    elif kind in ARCHIVES:
        _unpack(name, source, kind, room, take)


def _unpack(name: str, source: Source, kind: Kind, room: Room, take: Taken) -> None:
    count = 0

    def caught(inner: str, content: Source) -> None:
        nonlocal count
        count += 1
        take(Part(inner, content))

    try:
        room.rebuilt(source, kind, name, caught)
    except Refused:
        # An archive of which nothing is delivered is refused as well: what was caught is all there is.
        if count:
            return
        if kind not in _LENIENT:
            raise
        for part in _leniently(source, _LENIENT[kind], room):
            take(part)


def members(source: Source, room: Room) -> Iterator[Part]:
    """Of a package."""
    try:
        opened = archive.open_archive(source, most=room.budget.limits.parts)
    except Malformed:
        yield from _leniently(source, "zip", room)
        return
    for member in opened.members:
        if not member.directory:
            yield Part(member.name, opened.open(member, room.budget, room.passwords))


def _leniently(source: Source, form: str, room: Room) -> Iterator[Part]:
    """As libarchive reads it."""
    with library.reading(source.bytes(), form) as opened:
        for entry in opened.entries():
            content = opened.read(min(room.budget.expanded_left, room.budget.limits.memory_bytes // 4))
            room.budget.spend_bytes(len(content))
            if len(content):
                yield Part(names.decode_unmarked(entry.name)[0], content)


def streams(source: Source, room: Room) -> Iterator[Part]:
    """Of a compound file, under their paths."""
    compound = cfb.Compound(source, room.budget)
    for path in compound.streams:
        yield Part("/".join(path), Source(compound.read(path)))


def _attached(source: Source, room: Room) -> Iterator[Part]:
    with pages.opened(source, room) as document:
        for index in range(min(document.count_attachments(), MOST_PARTS)):
            attachment = document.get_attachment(index)
            try:
                content = bytes(attachment.get_data())
            except pypdfium2.PdfiumError:
                content = b""
            room.budget.spend_bytes(len(content))
            yield Part(attachment.get_name() or f"attachment-{index + 1}", Source(content))
