"""What a compound file (MS-CFB) is, from the names at the top of its directory. Bounded, and blind to everything but names and class id.

Only the storages and streams directly below the root count: an embedded document lies deeper and does not make its host what it is itself.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.model import Kind
from sanitizers.source import Source

_MAX_ENTRIES: Final = 65_536
_MAX_DIFAT: Final = 2_048
_NONE: Final = 0xFFFF_FFFF
_LAST_SECTOR: Final = 0xFFFF_FFF9       # MAXREGSECT is one above
_IN_HEADER: Final = 109                 # FAT sectors that the header itself lists
_BY_NAME: Final[tuple[tuple[str, Kind], ...]] = (
    ("encryptedpackage", Kind.OOXML_ENCRYPTED),
    ("__properties_version1.0", Kind.MSG),
    ("worddocument", Kind.DOC),
    ("powerpoint document", Kind.PPT),
    ("workbook", Kind.XLS),
    ("book", Kind.XLS),
    ("visiodocument", Kind.VSD),
    ("quill", Kind.PUB),
    ("props", Kind.MPP),
    ("props9", Kind.MPP),
    ("props12", Kind.MPP),
    ("props14", Kind.MPP),
    ("documenttext", Kind.JTD),
    ("jscompdocument", Kind.JTD),
    # The maker's table of segments without Ichitaro's text: Hanako and its sisters.
    ("\x04jsrv_segmentinformation", Kind.JHD),
)
# {000C1082,4,6-0000-0000-C000-000000000046}: transform, package, patch.
_MSI_CLASSES: Final = frozenset(bytes.fromhex(f"{low}100c0000000000c000000000000046") for low in ("82", "84", "86"))
_MSI_TABLE: Final = "\u4840"            # Windows Installer packs the names of its tables into this range


class _Entry(NamedTuple):
    name: str
    kind: int           # 1 storage, 2 stream, 5 root
    left: int
    right: int
    child: int
    class_id: bytes


def by_storage(source: Source) -> Kind:
    """CFB whenever its names say nothing."""
    entries = _entries(source.view)
    if not entries:
        return Kind.CFB
    names = _top(entries)
    if entries[0].class_id in _MSI_CLASSES or any(name.startswith(_MSI_TABLE) for name in names):
        return Kind.MSI
    for name, kind in _BY_NAME:
        if name in names:
            return kind
    return Kind.CFB


def _top(entries: list[_Entry]) -> set[str]:
    """Lower-case names of the root's children; of all entries when its tree leads nowhere."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [entries[0].child]
    while waiting:
        number = waiting.pop()
        if number >= len(entries) or number in seen or not entries[number].kind:
            continue
        seen.add(number)
        names.add(entries[number].name.lower())
        waiting += (entries[number].left, entries[number].right)
    return names or {entry.name.lower() for entry in entries if entry.kind in (1, 2)}


def _entries(view: memoryview) -> list[_Entry]:
    """Every directory entry in order, following the directory's sector chain as far as it goes. [MS-CFB] 2.2, 2.6"""
    if len(view) < 512:
        return []
    shift, sector = struct.unpack_from("<H", view, 30)[0], struct.unpack_from("<I", view, 48)[0]
    if shift not in (9, 12):
        return []
    size = 1 << shift
    fat = _fat_sectors(view, size)
    entries: list[_Entry] = []
    while sector <= _LAST_SECTOR and len(entries) < _MAX_ENTRIES:
        start = (sector + 1) * size
        if start + size > len(view):
            break
        entries += (_entry(view, at) for at in range(start, start + size, 128))
        sector = _next(view, fat, sector, size)
    return entries


def _entry(view: memoryview, at: int) -> _Entry:
    length, kind = struct.unpack_from("<HB", view, at + 64)
    left, right, child = struct.unpack_from("<III", view, at + 68)
    name = bytes(view[at : at + min(max(length - 2, 0), 62)]).decode("utf-16-le", "replace")
    return _Entry(name, kind, left, right, child, bytes(view[at + 80 : at + 96]))


def _fat_sectors(view: memoryview, size: int) -> list[int]:
    """Numbers of the sectors that hold the FAT: from the header, then from the DIFAT chain of files above 7 MB."""
    sectors = list(struct.unpack_from(f"<{_IN_HEADER}I", view, 76))
    following, left = struct.unpack_from("<I", view, 68)[0], _MAX_DIFAT
    while following <= _LAST_SECTOR and left:
        at = (following + 1) * size
        if at + size > len(view):
            break
        *listed, following = struct.unpack_from(f"<{size // 4}I", view, at)
        sectors += listed
        left -= 1
    return sectors


def _next(view: memoryview, fat: list[int], sector: int, size: int) -> int:
    index, offset = divmod(sector, size // 4)
    if index >= len(fat) or fat[index] > _LAST_SECTOR:
        return _NONE
    at = (fat[index] + 1) * size + 4 * offset
    if at + 4 > len(view):
        return _NONE
    following: int = struct.unpack_from("<I", view, at)[0]
    return following
