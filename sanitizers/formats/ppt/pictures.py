"""The table of pictures and the stream that holds them: [MS-ODRAW] 2.2.20, 2.2.32, [MS-PPT] 2.1.3. Every picture goes round the engine."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.office import blips, pictures
from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.grammar import Place
from sanitizers.formats.ppt.records import Record
from sanitizers.model import Action, LimitExceeded, Malformed

_STORE, _ENTRY = 0xF001, 0xF007
_HEAD: Final = 36
_MOST: Final = 4095  # as many as the instance of the table can count
_NOWHERE: Final = 0xFFFF_FFFF
_EMPTY: Final = records.written(_ENTRY, bytes(28) + struct.pack("<I", _NOWHERE) + bytes(4), 2)


class Store:
    """`stream`: what was written so far of the new `Pictures`."""

    def __init__(self, given: bytes) -> None:
        self._given = memoryview(given)
        self._left = len(given)  # bytes that pictures may have, all together
        self._made: dict[int, bytes] = {}  # offset in the old stream → the entry in the new table
        self.stream = bytearray()

    def table(self, record: Record, place: Place) -> bytes:
        """OfficeArtBStoreContainer: as many entries as before, because shapes count them. Raises LimitExceeded."""
        made = [self._entry(one, index, place) for index, one in enumerate(records.children(record.data), 1)]
        if len(made) > _MOST:
            raise LimitExceeded("pictures of a presentation")
        place.deck.pictures = len(made)
        return records.container(_STORE, b"".join(made), len(made)) if made else b""

    def _entry(self, record: Record, index: int, place: Place) -> bytes:
        if record.kind != _ENTRY:
            return self._add(records.again(record), index, place)
        if len(record.data) < _HEAD:
            place.broken(record)
            return _EMPTY
        at, name = struct.unpack_from("<I", record.data, 28)[0], record.data[33]
        if len(record.data) > _HEAD + name + records.HEAD:
            return self._add(record.data[_HEAD + name :], index, place)
        if struct.unpack_from("<I", record.data, 20)[0] == 0 or at == _NOWHERE:
            return _EMPTY
        if at not in self._made:
            self._made[at] = self._add(self._blip(at), index, place)
        return self._made[at]

    def _blip(self, at: int) -> memoryview:
        """What lies at an offset. Raises Malformed where pictures lie in each other."""
        size = int.from_bytes(self._given[at + 4 : at + 8], "little")
        found = self._given[at : at + records.HEAD + size]
        self._left -= len(found)
        if self._left < 0:
            raise Malformed("pictures that overlap", code="ppt.malformed")
        return found

    def _add(self, data: bytes | memoryview, index: int, place: Place) -> bytes:
        """Writes a picture, as clean as the engine makes it, and returns its entry."""
        made = _rebuilt(data, f"picture {index}", place)
        at = len(self.stream)
        self.stream += made.record
        head = struct.pack("<BB16sHIIIxxxx", made.number, made.number, made.digest, 0xFF, len(made.record), 1, at)
        return records.written(_ENTRY, head, 2, made.number)


def bullet(record: Record, place: Place) -> bytes:
    """BlipEntity9Atom: a picture before paragraphs. Texts count them, so each keeps its place."""
    made = _rebuilt(record.data[2:], f"bullet {record.instance + 1}", place)
    return records.written(record.kind, bytes((made.number, 0)) + made.record, 0, record.instance)


def _rebuilt(data: bytes | memoryview, where: str, place: Place) -> blips.Written:
    """A neutral picture for one that cannot be shown."""
    context = place.deck.context
    blip = blips.read(data, context.budget)
    if blip is None:
        context.found("ppt.picture_replaced", where, Action.REWRITTEN, "broken, or of a kind that cannot be shown here")
        blip = blips.Blip(pictures.NEUTRAL.content, pictures.NEUTRAL.kind)
    clean = pictures.rebuild(f"{where}.{blip.ending}", blip.content, where, context, "ppt.picture_replaced", blips.KINDS)
    return blips.write(clean, blip.bounds)
