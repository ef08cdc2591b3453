"""Properties of shapes: [MS-ODRAW] 2.2.9 and 2.3. A table of numbers, with what is longer than a number behind it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.grammar import Place, ended
from sanitizers.formats.ppt.records import Record

_PROPERTIES_VERSION: Final = 3
_ENTRY: Final = struct.Struct("<HI")
_BLIP, _COMPLEX = 0x4000, 0x8000
_HYPERLINK, _SCRIPT = 0x382, 0x38E
_TEXT_ID: Final = 0x80  # there where a shape has text; its value is whatever lay in the memory of the writer
_LINKED: Final = 0x0A  # of the flags of a picture: it is a URL, or a link to a file
_NAMES: Final = frozenset({0x105, 0x110, 0x187, 0x1C6})  # of pictures
_FLAGS: Final = frozenset({0x106, 0x111, 0x188, 0x1C7})
_QUIET: Final = frozenset({0x3A9, 0xC1, 0xC6, 0x159})  # longer than a number, and only for later versions or for nobody

_NUMBERS: Final = frozenset({
    0x0004, 0x007F,                                                                     # turned, protected
    *range(0x81, 0x8E), 0xBF, *range(0xC2, 0xC5), 0xFF,                                 # text, text as a drawing
    *range(0x100, 0x104), *range(0x107, 0x10B), 0x10C, 0x10D, 0x10E, 0x11A, 0x13F,      # picture
    *range(0x140, 0x145), *range(0x147, 0x14F), 0x153, 0x154, 0x158, 0x17F,             # geometry
    *range(0x180, 0x186), *range(0x189, 0x197), *range(0x198, 0x1BF), 0x1BF,            # filling
    *range(0x1C0, 0x1C5), *range(0x1C8, 0x1CF), *range(0x1D0, 0x1E1), 0x1FF,            # line
    *range(0x200, 0x212), 0x23F, *range(0x240, 0x24C), 0x27F,                           # shadow, perspective
    *range(0x280, 0x289), 0x2BF, *range(0x2C0, 0x2DC), 0x2FF,                           # depth
    0x301, *range(0x303, 0x307), 0x33F, *range(0x340, 0x34B), 0x37F,                    # shape, callout
    *range(0x384, 0x388), 0x388, 0x39F, 0x3BF,                                          # group
})  # fmt: skip
_PICTURES: Final = frozenset({0x104, 0x186, 0x1C5})
_STRINGS: Final = frozenset({0xC0, 0xC5, 0x380, 0x381, 0x38D})
_ARRAYS: Final = frozenset({0x145, 0x146, 0x151, 0x152, 0x155, 0x156, 0x157, 0x197, 0x1CF, 0x383, 0x3A0})
_KNOWN_BEHIND: Final = _STRINGS | _ARRAYS | _QUIET | _FLAGS
_ARRAY_HEAD: Final = 6
_ELEMENTS: Final = {0xFFF0: 4, **{size: size for size in (1, 2, 4, 8, 16, 36)}}


class _Property(NamedTuple):
    number: int
    value: int
    complex: bytes | None


def options(record: Record, place: Place) -> bytes:
    """OfficeArtFOPT and its later sisters, with the properties that are known."""
    try:
        given = list(_read(record))
    except struct.error:
        return place.broken(record)
    _report(given, place)
    if all(one.number in _NUMBERS and one.complex is None for one in given):    # what most shapes say
        table = b"".join(_ENTRY.pack(one.number, one.value) for one in given)
        return records.written(record.kind, table, _PROPERTIES_VERSION, len(given)) if given else b""
    kept = [made for one in given if (made := _kept(one, place)) is not None]
    if not kept:
        return b""
    table = b"".join(
        _ENTRY.pack(one.number | _BLIP * (one.number in _PICTURES) | _COMPLEX * (one.complex is not None), one.value) for one in kept
    )
    behind = b"".join(one.complex or b"" for one in kept)
    return records.written(record.kind, table + behind, _PROPERTIES_VERSION, len(kept))


def _read(record: Record) -> Iterator[_Property]:
    """Raises struct.error for a table that its record has no room for."""
    at = _ENTRY.size * record.instance
    if at > len(record.data):
        raise struct.error
    table = _ENTRY.iter_unpack(record.data[:at])
    for number, value in table:
        if not number & _COMPLEX:
            yield _Property(number & 0x3FFF, value, None)
            continue
        size = _size(record.data, at, value) if number & 0x3FFF in _ARRAYS else value
        if at + size > len(record.data):
            raise struct.error
        yield _Property(number & 0x3FFF, value, bytes(record.data[at : at + size]))
        at += size


def _size(data: memoryview, at: int, said: int) -> int:
    """Of an array. Some writers leave its head out of what they say."""
    if said == 0 or at + _ARRAY_HEAD > len(data):
        return said
    count, _, size = struct.unpack_from("<HHH", data, at)
    real = count * _ELEMENTS.get(size, 0)
    return said + _ARRAY_HEAD if said == real and at + said + _ARRAY_HEAD <= len(data) else said


def _kept(given: _Property, place: Place) -> _Property | None:
    number, value, behind = given
    if behind is None:
        if number == _TEXT_ID:
            return given._replace(value=0)
        if number in _PICTURES:
            return given if 0 < value <= place.deck.pictures else None
        return given if number in _NUMBERS else None
    if number in _STRINGS:
        made = _string(behind)
    elif number in _ARRAYS:
        made = _array(behind)
    else:
        return None
    if behind and not made:
        place.found("ppt.broken_record", detail=f"property {number:04X}")
    return _Property(number, len(made), made) if made else None


def _string(data: bytes) -> bytes:
    return b"" if len(data) % 2 else ended(data) + b"\0\0"


def _array(data: bytes) -> bytes:
    """Exactly as many elements as its head says; empty where they are not there."""
    if len(data) < _ARRAY_HEAD:
        return b""
    count, _, kind = struct.unpack_from("<HHH", data)
    size = _ARRAY_HEAD + count * _ELEMENTS.get(kind, 0)
    if kind not in _ELEMENTS or size > len(data):
        return b""
    return struct.pack("<HHH", count, count, kind) + data[_ARRAY_HEAD:size]


def _report(given: list[_Property], place: Place) -> None:
    """Properties that do something, or that say more than the shape shows."""
    for number, value, behind in given:
        if number == _HYPERLINK:
            place.found("ppt.hyperlink")
        elif number == _SCRIPT:
            place.found("ppt.macro")
        elif number in _FLAGS and value & _LINKED:
            place.found("ppt.external_link")
        elif number in _NAMES and behind:
            place.found("file.metadata", detail="name of a picture")
        elif behind and number not in _KNOWN_BEHIND:
            place.found("ppt.unknown_record", detail=f"property {number:04X}")
