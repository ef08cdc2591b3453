"""What a compound file (MS-CFB) is, from the names in its directory. Bounded, and blind to everything but names and class id."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from sanitizers.model import Kind
from sanitizers.source import Source

_MAX_SECTORS: Final = 4096
_END: Final = 0xFFFF_FFFA
_BY_NAME: Final[tuple[tuple[str, Kind], ...]] = (
    ("encryptedpackage", Kind.OOXML_ENCRYPTED),
    ("worddocument", Kind.DOC),
    ("powerpoint document", Kind.PPT),
    ("workbook", Kind.XLS),
    ("book", Kind.XLS),
    ("__properties_version1.0", Kind.MSG),
    ("visiodocument", Kind.VSD),
    ("quill", Kind.PUB),
    ("props", Kind.MPP),
    ("documenttext", Kind.JTD),
    ("jscompdocument", Kind.JTD),
    ("\x04jsrv_segmentinformation", Kind.JTD),
)
_MSI_CLASSES: Final = frozenset(
    bytes.fromhex(f"{number:02x}100c0000000000c000000000000046") for number in (0x82, 0x84, 0x86)
)


def by_storage(source: Source) -> Kind:
    """CFB whenever its names say nothing."""
    names = set()
    for name, class_id in _entries(source.view):
        if not names and class_id in {bytes([c[0], c[1], c[2], c[3], *c[4:]]) for c in _MSI_CLASSES}:
            return Kind.MSI
        names.add(name.lower())
    for name, kind in _BY_NAME:
        if name in names:
            return kind
    return Kind.CFB


def _entries(view: memoryview) -> Iterator[tuple[str, bytes]]:
    """Name and class id of every directory entry, following the directory's sector chain as far as it goes."""
    if len(view) < 512:
        return
    shift, directory = struct.unpack_from("<H", view, 30)[0], struct.unpack_from("<I", view, 48)[0]
    if shift not in (9, 12):
        return
    size = 1 << shift
    fat_sectors = struct.unpack_from("<109I", view, 76)
    sector, seen = directory, 0
    while sector < _END and seen < _MAX_SECTORS:
        seen += 1
        start = (sector + 1) * size
        for at in range(start, min(start + size, len(view) - 127), 128):
            length = struct.unpack_from("<H", view, at + 64)[0]
            if 2 <= length <= 64 and view[at + 66]:
                yield bytes(view[at : at + length - 2]).decode("utf-16-le", "replace"), bytes(view[at + 80 : at + 96])
        sector = _next(view, fat_sectors, sector, size)


def _next(view: memoryview, fat_sectors: tuple[int, ...], sector: int, size: int) -> int:
    index, offset = divmod(sector, size // 4)
    if index >= len(fat_sectors) or fat_sectors[index] >= _END:
        return _END
    at = (fat_sectors[index] + 1) * size + 4 * offset
    if at + 4 > len(view):
        return _END
    following: int = struct.unpack_from("<I", view, at)[0]
    return following
