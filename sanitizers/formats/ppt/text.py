"""Text and its formats: [MS-PPT] 2.9. Every exception says in a mask which numbers follow; what follows is copied number by number."""

from __future__ import annotations

import struct
from functools import cache
from typing import Final

from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.grammar import Grammar, Place, atom
from sanitizers.formats.ppt.records import Record

_TABS: Final = 0x0010_0000
# Bits of a mask → bytes of the field they announce, in the order of the fields.
_PARAGRAPH: Final = (
    (0x0F, 2), (0x80, 2), (0x10, 2), (0x40, 2), (0x20, 4), (0x800, 2), (0x1000, 2), (0x2000, 2), (0x4000, 2), (0x100, 2), (0x400, 2),
    (0x8000, 2), (_TABS, 0), (0x10000, 2), (0xE0000, 2), (0x0020_0000, 2),
)  # fmt: skip
_CHARACTER: Final = ((0x3EB7, 2), (0x10000, 2), (0x200000, 2), (0x400000, 2), (0x800000, 2), (0x20000, 2), (0x40000, 4), (0x80000, 2))
_PARAGRAPH_9: Final = ((0x0080_0000, 2), (0x0200_0000, 2), (0x0100_0000, 4))
_CHARACTER_9: Final = ((0x0010_0000, 4),)
_UNUSED: Final = {_PARAGRAPH: 0x200, _CHARACTER: 0xC148}  # bits that mean nothing
_LANGUAGE, _OTHER_LANGUAGE, _BIDI = 0x02, 0x04, 0x40
_INFO: Final = ((0x01, 2), (_LANGUAGE, 2), (_OTHER_LANGUAGE, 2), (_BIDI, 2), (0x20, 4))
_SMART_TAGS: Final = 0x200
_LEVELS: Final = 5
_MOST_TABS: Final = 1000

_KIND_OF_TEXT: Final = atom("I", instances=range(4096))

Fields = tuple[tuple[int, int], ...]


@cache
def _known(fields: Fields) -> int:
    """All bits of a mask that mean something."""
    return sum(bits for bits, _ in fields)


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """Ends before its own masks say."""


class _Reader:
    """Numbers one after the other; everything taken is written again."""

    def __init__(self, data: memoryview) -> None:
        self._data = bytes(data)
        self._size = len(data)
        self._at = 0
        self.made = bytearray()

    @property
    def more(self) -> bool:
        return self._at < self._size

    def take(self, size: int) -> bytes:
        at = self._at
        self._at = end = at + size
        if end > self._size:
            raise _Broken
        return self._data[at:end]

    def number(self, size: int) -> int:
        """Copied."""
        taken = self.take(size)
        self.made += taken
        return int.from_bytes(taken, "little")

    def exception(self, fields: Fields) -> None:
        """A mask and the fields that it announces, copied."""
        mask = int.from_bytes(self.take(4), "little") & ~_UNUSED.get(fields, 0)
        if mask & ~_known(fields):
            raise _Broken
        self.made += struct.pack("<I", mask)
        for bits, size in fields if mask else ():
            if not mask & bits:
                continue
            if bits == _TABS:
                self.tabs()
            else:
                self.made += self.take(size)

    def tabs(self) -> None:
        count = self.number(2)
        if count > _MOST_TABS:
            raise _Broken
        self.made += self.take(4 * count)

    def info(self) -> None:
        """Of what is said about a run of characters only its languages and its direction stay, not the state of its spelling."""
        mask = int.from_bytes(self.take(4), "little")
        found = {bits: self.take(size) for bits, size in _INFO if mask & bits}
        if mask & _SMART_TAGS:
            self.take(4 * min(int.from_bytes(self.take(4), "little"), len(self._data)))
        kept = [bits for bits in (_LANGUAGE, _OTHER_LANGUAGE, _BIDI) if bits in found]
        self.made += struct.pack("<I", sum(kept)) + b"".join(found[bits] for bits in kept)


def _runs(reader: _Reader, length: int, fields: Fields, *, levelled: bool) -> None:
    """Runs until they cover the text and its end."""
    covered = 0
    while covered <= length and reader.more:
        count = reader.number(4)
        if count == 0:
            raise _Broken
        covered += count
        if levelled:
            reader.number(2)
        reader.exception(fields)


def _style(record: Record, place: Place) -> bytes:
    reader = _Reader(record.data)
    try:
        _runs(reader, place.deck.length, _PARAGRAPH, levelled=True)
        _runs(reader, place.deck.length, _CHARACTER, levelled=False)
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made))


def _indents(record: Record, place: Place) -> bytes:
    """MasterTextPropAtom: runs of one level each."""
    if len(record.data) % 6:
        return place.broken(record)
    return records.written(record.kind, bytes(record.data))


def _info(record: Record, place: Place) -> bytes:
    reader = _Reader(record.data)
    try:
        while reader.more:
            reader.number(4)
            reader.info()
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made))


def default_info(record: Record, place: Place) -> bytes:
    """A TextSIExceptionAtom that holds for text that says nothing else (MS-PPT 2.9.31)."""
    reader = _Reader(record.data)
    try:
        reader.info()
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made))


def defaults(record: Record, place: Place) -> bytes:
    """TextCFExceptionAtom, TextPFExceptionAtom."""
    reader = _Reader(record.data)
    try:
        if record.kind == 0x0FA5:
            reader.number(2)
        reader.exception(_PARAGRAPH if record.kind == 0x0FA5 else _CHARACTER)
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made))


def _levels(record: Record, place: Place, paragraph: Fields, character: Fields) -> bytes:
    reader = _Reader(record.data)
    try:
        if record.instance > 8 or (count := reader.number(2)) > _LEVELS:
            return place.broken(record)
        for _ in range(count):
            if record.instance >= _LEVELS:
                reader.number(2)
            reader.exception(paragraph)
            reader.exception(character)
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made), 0, record.instance)


def master_style(record: Record, place: Place) -> bytes:
    """TextMasterStyleAtom: the formats of up to five levels."""
    return _levels(record, place, _PARAGRAPH, _CHARACTER)


def master_style_9(record: Record, place: Place) -> bytes:
    """TextMasterStyle9Atom: the same of what PowerPoint 2000 added."""
    return _levels(record, place, _PARAGRAPH_9, _CHARACTER_9)


def style_9(record: Record, place: Place) -> bytes:
    """StyleTextProp9Atom: numbers and pictures before paragraphs."""
    reader = _Reader(record.data)
    try:
        while reader.more:
            reader.exception(_PARAGRAPH_9)
            reader.exception(_CHARACTER_9)
            reader.info()
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made))


def ruler(record: Record, place: Place) -> bytes:
    """TextRulerAtom, DefaultRulerAtom."""
    reader = _Reader(record.data)
    try:
        flags = int.from_bytes(reader.take(4), "little") & 0x1FFF
        reader.made += struct.pack("<I", flags)
        for bit in (1, 0):
            if flags >> bit & 1:
                reader.number(2)
        if flags & 4:
            reader.tabs()
        for level in range(_LEVELS):
            for bit in (3 + level, 8 + level):
                if flags >> bit & 1:
                    reader.number(2)
    except _Broken:
        return place.broken(record)
    return records.written(record.kind, bytes(reader.made))


def _header(record: Record, place: Place) -> bytes:
    """A new text begins. Its instance counts the texts of a slide."""
    place.deck.length = 0
    return _KIND_OF_TEXT(record, place)


def _characters(record: Record, place: Place) -> bytes:
    if len(record.data) % 2:
        return place.broken(record)
    place.deck.length = len(record.data) // 2
    return records.written(record.kind, bytes(record.data))


def _bytes(record: Record, place: Place) -> bytes:
    place.deck.length = len(record.data)
    return records.written(record.kind, bytes(record.data))


def _date_format(record: Record, place: Place) -> bytes:
    """RTFDateTimeMCAtom: a position and a format of 64 characters."""
    if len(record.data) != 132:
        return place.broken(record)
    said = bytes(record.data[4:]).decode("utf-16-le", "replace").partition("\0")[0]
    return records.written(record.kind, bytes(record.data[:4]) + said.encode("utf-16-le")[:126].ljust(128, b"\0"))


TEXT: Final[Grammar] = {
    0x0F9E: atom("I"),      # OutlineTextRefAtom
    0x0F9F: _header,
    0x0FA0: _characters,
    0x0FA8: _bytes,
    0x0FA1: _style,
    0x0FA2: _indents,
    0x0FAA: _info,
    0x0FA6: ruler,
    0x0FD8: atom("I"),      # SlideNumberMCAtom
    0x0FF7: atom("IB3x"),   # DateTimeMCAtom
    0x0FF8: atom("I"),      # GenericDateMCAtom
    0x0FF9: atom("I"),      # HeaderMCAtom
    0x0FFA: atom("I"),      # FooterMCAtom
    0x1015: _date_format,
}
