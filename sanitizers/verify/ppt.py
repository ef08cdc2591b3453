"""The second opinion on presentations: olefile, and a walker of records that knows their lengths and nothing else."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.context import Context
from sanitizers.model import VerificationFailed
from sanitizers.source import Source
from sanitizers.verify import compound
from sanitizers.verify.parts import Parts

_DOCUMENT, _USER, _PICTURES = "PowerPoint Document", "Current User", "Pictures"
_STREAMS: Final = frozenset({_DOCUMENT, _USER, _PICTURES, "\x05SummaryInformation", "\x05DocumentSummaryInformation"})
_NOBODY: Final = re.compile(rb"\0\0\xf6\x0f\x18\0\0\0\x14\0\0\0\x5f\xc0\x91\xe3.{4}\0\0\xf4\x03\x03\0\0\0\x08\0\0\0", re.DOTALL)
_LOCKED: Final = b"\xdf\xc4\xd1\xf3"
_HEAD: Final = struct.Struct("<HHI")
_LIST, _ENTRY, _ACTION, _LINK, _NAME = 0x0FF0, 0x03F3, 0x0FF3, 0x0FD7, 0x0FBA
_WORDS: Final = {0x0FA0: "utf-16-le", 0x0FA8: "latin-1"}
_DIRECTORY, _EDIT, _TAG = 0x1772, 0x0FF5, 0x138B
# All that may be in a presentation of ours: a type that is not here was not meant to be written.
# Parts: document, slides, notes, masters, handouts.
_PARTS: Final = frozenset({0x03E8, 0x03EE, 0x03F0, 0x03F8, 0x0FC9})
_CONTAINERS: Final = frozenset({
    0x03F2, 0x0409, 0x040B, 0x040C, 0x0410, 0x0411, 0x07D0, 0x07D5, 0x0FC8, 0x0FD7, 0x0FD9, 0x0FF0, 0x0FF2, 0x1014, 0x1388, 0x138A,
    0xF000, 0xF001, 0xF002, 0xF003, 0xF004, 0xF005, 0xF00D, 0xF011,
})  # fmt: skip
_ATOMS: Final = frozenset({
    0x03E9, 0x03EA, 0x03EF, 0x03F1, 0x03F3, 0x03F9, 0x0401, 0x040A, 0x0412, 0x07F0, 0x0BC3, 0x0BDB, 0x0BDC, 0x0F9E, 0x0F9F, 0x0FA0,
    0x0FA1, 0x0FA2, 0x0FA3, 0x0FA4, 0x0FA5, 0x0FA6, 0x0FA8, 0x0FA9, 0x0FAA, 0x0FAB, 0x0FB7, 0x0FBA, 0x0FD2, 0x0FD3, 0x0FD8, 0x0FDA,
    0x0FDF, 0x0FF1, 0x0FF3, 0x0FF7, 0x0FF8, 0x0FF9, 0x0FFA, 0x1015, 0x138B, 0xF006, 0xF007, 0xF008, 0xF009, 0xF00A, 0xF00B, 0xF00F,
    0xF010, 0xF012, 0xF014, 0xF017, 0xF121, 0xF122,
})  # fmt: skip
# The same of what stands in a tag: animations, comments, looks of text since PowerPoint 2000.
_TAG_CONTAINERS: Final = frozenset({
    *range(0xF12A, 0xF132), 0xF125, 0xF13C, 0xF13D, 0xF13E, 0xF13F, 0xF144, 0xF145, 0x2B02, 0x2B04, 0x2B06, 0x2B08, 0x07F8, 0x0FAE, 0x2EE0,
})  # fmt: skip
_TAG_ATOMS: Final = frozenset({
    *range(0xF127, 0xF12A), *range(0xF133, 0xF13B), *range(0xF140, 0xF144), 0x2AFB, 0x2B00, 0x2B01, 0x2B03, 0x2B05, 0x2B07, 0x2B09, 0x2B0A,
    0x2EEA, 0x07F9, 0x0FAC, 0x0FAD, 0x0FAF, 0x0FBA, 0x2EE1,
})  # fmt: skip
# Type and instance of a picture → whether it is packed: [MS-ODRAW] 2.2.23 to 2.2.31, with one id each.
_EMF, _WMF, _BITMAP = (0xF01A, 0x3D4), (0xF01B, 0x216), (0xF01F, 0x7A8)
_BLIPS: Final = frozenset({_EMF, _WMF, _BITMAP, (0xF01D, 0x46A), (0xF01E, 0x6E0), (0xF029, 0x6E4)})
_BULLET: Final = 0x07F9
_ID, _TAG_OF_PICTURE, _METAFILE_HEAD = 16, 1, 34
_HOLDING: Final = frozenset({0x040C, 0x0FF0, 0xF002, 0xF003, 0xF004, 0xF00D})  # words
_ACTIONS: Final = frozenset({3, 4, 7})  # jump, hyperlink, custom show
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")


class _Record(NamedTuple):
    kind: int
    instance: int
    data: memoryview
    container: bool


class _Show(NamedTuple):
    """What the last revision shows: texts of each slide in order, and of everything beside."""

    slides: list[str]
    texts: list[str]


def verify(output: Source, original: Source, context: Context) -> None:
    """Raises VerificationFailed for anything foreign or active, and where slides or words are lost."""
    made = compound.streams(output)
    if not {_DOCUMENT, _USER} <= made.keys() <= _STREAMS:
        raise VerificationFailed(f"streams {sorted(made)}")
    if not _NOBODY.fullmatch(made[_USER]):
        raise VerificationFailed("somebody is named")
    parts = Parts(context)
    _check_records(made[_DOCUMENT], parts, context)
    for record in _records(memoryview(made.get(_PICTURES, b""))):
        _check_picture(record, parts)
    given = compound.streams(original)
    if any(name.lower() == _USER.lower() and data[12:16] == _LOCKED for name, data in given.items()):
        return  # only the sanitizer has seen it
    try:
        before, after = _show(given), _show(made)
    except (struct.error, KeyError) as error:
        raise VerificationFailed(f"what it shows: {type(error).__name__}") from None
    if len(before.slides) != len(after.slides):
        raise VerificationFailed(f"{len(before.slides)} slides before, {len(after.slides)} after")
    if before != after:
        raise VerificationFailed("words are lost")


def _records(data: memoryview) -> list[_Record]:
    found: list[_Record] = []
    at, end = 0, len(data)
    while at + _HEAD.size <= end:
        head, kind, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        found.append(_Record(kind, head >> 4, data[at : at + size], head & 15 == 15))
        at += size
    if at != end:
        raise VerificationFailed("bytes that are no record")
    return found


def _tree(data: memoryview) -> Iterator[_Record]:
    """Every record, in order."""
    waiting = _records(data)[::-1]
    while waiting:
        record = waiting.pop()
        yield record
        if record.container:
            waiting += _records(record.data)[::-1]


def _check_records(stream: bytes, parts: Parts, context: Context) -> None:
    records = _records(memoryview(stream))
    if [one.kind for one in records[-2:]] != [_DIRECTORY, _EDIT] or any(records[-1].data[8:12]):
        raise VerificationFailed("more than one revision")
    for part in records[:-2]:
        if part.kind not in _PARTS:
            raise VerificationFailed(f"a part of type {part.kind:04X}")
        _check_tree(part.data, _CONTAINERS, _ATOMS, parts, context)


def _check_tree(data: memoryview, containers: frozenset[int], atoms: frozenset[int], parts: Parts, context: Context) -> None:
    for record in _tree(data):
        if record.kind not in (containers if record.container else atoms):
            raise VerificationFailed(f"record {record.kind:04X} is left")
        if record.kind == _ACTION and int.from_bytes(record.data[8:9]) not in _ACTIONS:
            raise VerificationFailed("an action is left")
        if record.kind == _TAG:
            _check_tree(record.data, _TAG_CONTAINERS, _TAG_ATOMS, parts, context)
        if record.kind == _BULLET:
            for picture in _records(record.data[2:]):
                _check_picture(picture, parts)
        if record.kind == _LINK:
            _check_link(record, context)


def _check_link(record: _Record, context: Context) -> None:
    for one in _records(record.data):
        if one.kind == _NAME and one.instance == 1:
            target = bytes(one.data).decode("utf-16-le", "replace").strip(" ")
            scheme = _SCHEME.match(target)
            if not target.startswith("#") and (scheme is None or scheme[0].lower() not in context.treatment.link_schemes):
                raise VerificationFailed("a link of another scheme is left")


def _check_picture(record: _Record, parts: Parts) -> None:
    """Raises VerificationFailed for a picture that the engine did not deliver."""
    kind = (record.kind, record.instance)
    if kind not in _BLIPS or record.container:
        raise VerificationFailed(f"picture of type {record.kind:04X}")
    if kind in (_EMF, _WMF):
        content = _unpacked(record.data[_ID:])
        (parts.check_wmf if kind == _WMF else parts.check)(content, "a picture")
    else:
        (parts.check_bitmap if kind == _BITMAP else parts.check)(record.data[_ID + _TAG_OF_PICTURE :], "a picture")


def _unpacked(data: memoryview) -> bytes:
    """A metafile: its head says how long it is, unpacked and packed. Raises VerificationFailed."""
    packed, decoder = data[_METAFILE_HEAD:], zlib.decompressobj()
    try:
        size, length = struct.unpack_from("<I24xI", data)
        content = decoder.decompress(packed, size + 1)
    except (struct.error, zlib.error) as error:
        raise VerificationFailed(f"a packed picture: {error}") from None
    if len(content) != size or len(packed) != length or not decoder.eof or decoder.unused_data:
        raise VerificationFailed("a packed picture and its head disagree")
    return content


def _show(streams: dict[str, bytes]) -> _Show:
    """What the last revision of a presentation says. Names of streams may differ in case."""
    named = {name.lower(): data for name, data in streams.items()}
    stream, user = memoryview(named[_DOCUMENT.lower()]), named[_USER.lower()]
    (edit,) = struct.unpack_from("<I", user, 16)
    (document,) = struct.unpack_from("<I", _at(stream, edit), 16)
    offsets: dict[int, int] = {}
    while True:
        before, directory = struct.unpack_from("<II", _at(stream, edit), 8)
        for part, at in _offsets(_at(stream, directory)).items():
            offsets.setdefault(part, at)
        if not before or before >= edit:
            break
        edit = before
    whole = _at(stream, offsets[document])
    lists = {one.instance: one.data for one in _records(whole) if one.kind == _LIST}
    slides, masters, notes = (
        [_text(_at(stream, offsets[number])) for number in _named(lists.get(which, memoryview(b"")))] for which in range(3)
    )
    return _Show(slides, [_text(whole), *masters, *notes])


def _at(stream: memoryview, at: int) -> memoryview:
    (size,) = struct.unpack_from("<I", stream, at + 4)
    return stream[at + _HEAD.size : at + _HEAD.size + size]


def _offsets(directory: memoryview) -> dict[int, int]:
    numbers = [number for (number,) in struct.iter_unpack("<I", directory)]
    found: dict[int, int] = {}
    index = 0
    while index < len(numbers):
        first, count = numbers[index] & 0xFFFFF, numbers[index] >> 20
        found |= dict(enumerate(numbers[index + 1 : index + 1 + count], first))
        index += 1 + count
    return found


def _named(entries: memoryview) -> list[int]:
    return [struct.unpack_from("<I", one.data)[0] for one in _records(entries) if one.kind == _ENTRY]


def _text(part: memoryview) -> str:
    """The words of a part in order, wherever in it they may stand."""
    found: list[str] = []
    waiting = [(0, len(part))]
    while waiting:
        at, end = waiting.pop()
        while at + _HEAD.size <= end:
            _, kind, size = _HEAD.unpack_from(part, at)
            at += _HEAD.size
            if kind in _HOLDING:
                waiting.append((at + size, end))
                end = at + size
                continue
            if kind in _WORDS:
                found.append(bytes(part[at : at + size]).decode(_WORDS[kind], "replace"))
            at += size
    return "\n".join(found)
