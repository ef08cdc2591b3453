"""Where the parts of a presentation lie: [MS-PPT] 2.3.2 to 2.3.6. Many revisions are read as the last one sees them, and written as one."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.formats.ppt import records
from sanitizers.formats.ppt.records import Record
from sanitizers.model import Malformed, Unsupported

_CURRENT_USER, _USER_EDIT, _DIRECTORY = 0x0FF6, 0x0FF5, 0x1772
_PLAIN, _LOCKED = 0xE391C05F, 0xF3D1C4DF
_VERSION: Final = 0x03F4
_SINCE_LOCKS: Final = 32  # bytes of a UserEditAtom that tells of a password
_MOST_PARTS: Final = 0xFFE  # of one entry of the directory
_MOST_IDS: Final = 1 << 20


class Edit(NamedTuple):
    """`offsets` of all parts by their number; `document`: the number of the document; `lock`: of what tells of a password, or 0.

    `user`: somebody is named who saved it last.
    """

    offsets: dict[int, int]
    document: int
    lock: int
    user: bool


def read(stream: bytes, current_user: bytes) -> Edit:
    """The last revision. Raises Malformed, and Unsupported for what is older than PowerPoint 97."""
    user = records.one(current_user, 0)
    if user.kind != _CURRENT_USER or len(user.data) < 20:
        raise Malformed("no last user", code="ppt.malformed")
    _, token, at, name, version, major = struct.unpack_from("<IIIHHB", user.data)
    if token not in (_PLAIN, _LOCKED):
        raise Malformed("head of the last user", code="ppt.malformed")
    if (version, major) != (_VERSION, 3):
        raise Unsupported("a presentation of PowerPoint 95 or older")
    offsets: dict[int, int] = {}
    last = _edit(stream, at)
    edit, seen, left = last, set[int](), len(stream)
    while True:
        if edit.directory in seen:
            raise Malformed("two revisions with one directory", code="ppt.malformed")
        seen.add(edit.directory)
        listed = _directory(stream, edit.directory)
        left -= 4 * len(listed)
        if left < 0:
            raise Malformed("directories that overlap", code="ppt.malformed")
        for number, offset in listed:
            offsets.setdefault(number, offset)
        if edit.before == 0:
            return Edit(offsets, last.document, last.lock, name > 0)
        if edit.before >= at:
            raise Malformed("revisions in a loop", code="ppt.malformed")
        at = edit.before
        edit = _edit(stream, at)


class _UserEdit(NamedTuple):
    before: int
    directory: int
    document: int
    lock: int


def _edit(stream: bytes, at: int) -> _UserEdit:
    record = records.one(stream, at)
    if record.kind != _USER_EDIT or len(record.data) not in (28, _SINCE_LOCKS):
        raise Malformed(f"no revision at {at}", code="ppt.malformed")
    before, directory, document = struct.unpack_from("<III", record.data, 8)
    lock = struct.unpack_from("<I", record.data, 28)[0] if len(record.data) == _SINCE_LOCKS else 0
    return _UserEdit(before, directory, document, lock)


def _directory(stream: bytes, at: int) -> list[tuple[int, int]]:
    record = records.one(stream, at)
    if record.kind != _DIRECTORY or len(record.data) % 4:
        raise Malformed(f"no directory of parts at {at}", code="ppt.malformed")
    numbers = struct.unpack(f"<{len(record.data) // 4}I", record.data)
    found: list[tuple[int, int]] = []
    index = 0
    while index < len(numbers):
        first, count = numbers[index] & 0xFFFFF, numbers[index] >> 20
        if count == 0 or index + count >= len(numbers):
            raise Malformed("directory of parts", code="ppt.malformed")
        found += zip(range(first, first + count), numbers[index + 1 : index + 1 + count], strict=True)
        index += 1 + count
    return found


def part(stream: bytes, edit: Edit, number: int) -> Record:
    """Raises Malformed for a part that is not there."""
    at = edit.offsets.get(number)
    if at is None:
        raise Malformed(f"part {number} is missing", code="ppt.malformed")
    return records.one(stream, at)


def written(parts: list[bytes], last_slide: int) -> tuple[bytes, bytes]:
    """The streams `PowerPoint Document` and `Current User` of these parts: number 1, the document, first. Raises Malformed."""
    if len(parts) >= _MOST_IDS:
        raise Malformed("more parts than can have numbers", code="ppt.malformed")
    offsets: list[int] = []
    at = 0
    for one in parts:
        offsets.append(at)
        at += len(one)
    directory = b"".join(
        struct.pack(f"<I{len(run)}I", len(run) << 20 | first + 1, *run)
        for first in range(0, len(offsets), _MOST_PARTS)
        if (run := offsets[first : first + _MOST_PARTS])
    )
    listed = records.written(_DIRECTORY, directory)
    edit = struct.pack("<IHBBIIIIHxx", last_slide, 0, 0, 3, 0, at, 1, len(parts), 1)
    stream = b"".join((*parts, listed, records.written(_USER_EDIT, edit)))
    user = struct.pack("<IIIHHBBxxI", 20, _PLAIN, at + len(listed), 0, _VERSION, 3, 0, 8)
    return stream, records.written(_CURRENT_USER, user)
