"""The styles of a document, and its fonts: lists that say of everything how long it is."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.model import Malformed

_SECTION: Final = struct.Struct(">HI")
_RECORD: Final = struct.Struct(">HH")
_END: Final = (0xFFFF, 0)
_FONTS: Final = b"FontV.01"
_FIXED, _BEHIND = 28, 12  # bytes of a font before its name and behind it
_LONGEST: Final = 64  # characters of a name


def sections(stream: bytes) -> bytes:
    """DocumentViewStyles, DocumentEditStyles: a version, then sections of records, with an end mark in each."""
    at = 4
    if len(stream) < at:
        raise _broken("styles that are cut off")
    while at < len(stream):
        if at + _SECTION.size > len(stream):
            raise _broken("section that is cut off")
        _, length = _SECTION.unpack_from(stream, at)
        at += _SECTION.size
        if at + length > len(stream):
            raise _broken("section that is cut off")
        _records(stream[at : at + length])
        at += length
    return stream


def _records(section: bytes) -> None:
    """Records up to the end mark; behind it only empty ones."""
    at, ended = 0, False
    while at < len(section):
        if at + _RECORD.size > len(section):
            raise _broken("record of a style that is cut off")
        tag, length = _RECORD.unpack_from(section, at)
        at += _RECORD.size + length
        if ended and length:
            raise _broken("something behind the end of a section")
        ended = ended or (tag, length) == _END
    if at != len(section) or not ended:
        raise _broken("end of a section")


def fonts(stream: bytes) -> bytes:
    """The table of fonts: number, measures, name, name of its style."""
    if stream[:8] != _FONTS or len(stream) < 10:
        raise _broken("table of fonts")
    (count,) = struct.unpack_from(">H", stream, 8)
    at = 10
    for _ in range(count):
        at = _name(stream, at + 2 + _FIXED)
        at = _name(stream, at + _BEHIND)
    if at != len(stream):
        raise _broken("bytes behind the fonts")
    return stream


def _name(stream: bytes, at: int) -> int:
    """Behind a name and the NUL that ends it."""
    for _ in range(_LONGEST):
        if at + 2 > len(stream):
            break
        at += 2
        if stream[at - 2 : at] == b"\0\0":
            return at
    raise _broken("name of a font")


def _broken(what: str) -> Malformed:
    return Malformed(what, code="jtd.malformed")
