"""What a ZIP file is: an Office package, an OpenDocument, a program, or just an archive. A tolerant peek that trusts nothing it finds."""

from __future__ import annotations

import re
import struct
import zlib
from typing import Final

from sanitizers.model import Kind
from sanitizers.source import Source

_MAX_MEMBERS: Final = 50_000
_MAX_PEEK: Final = 4 << 20
_END: Final = b"PK\x05\x06"
_END64: Final = b"PK\x06\x06"
_LOCATOR64: Final = b"PK\x06\x07"
_CENTRAL: Final = b"PK\x01\x02"
_LOCAL: Final = b"PK\x03\x04"

_MAIN_PARTS: Final[dict[str, Kind]] = {
    "wordprocessingml.document.main+xml": Kind.DOCX,
    "ms-word.document.macroenabled.main+xml": Kind.DOCM,
    "wordprocessingml.template.main+xml": Kind.DOTX,
    "ms-word.template.macroenabledtemplate.main+xml": Kind.DOTM,
    "ms-word.template.macroenabled.main+xml": Kind.DOTM,
    "spreadsheetml.sheet.main+xml": Kind.XLSX,
    "ms-excel.sheet.macroenabled.main+xml": Kind.XLSM,
    "ms-excel.sheet.binary.macroenabled.main": Kind.XLSB,
    "spreadsheetml.template.main+xml": Kind.XLTX,
    "ms-excel.template.macroenabled.main+xml": Kind.XLTM,
    "ms-excel.addin.macroenabled.main+xml": Kind.XLAM,
    "presentationml.presentation.main+xml": Kind.PPTX,
    "ms-powerpoint.presentation.macroenabled.main+xml": Kind.PPTM,
    "presentationml.slideshow.main+xml": Kind.PPSX,
    "ms-powerpoint.slideshow.macroenabled.main+xml": Kind.PPSM,
    "presentationml.template.main+xml": Kind.POTX,
    "ms-powerpoint.template.macroenabled.main+xml": Kind.POTM,
    "ms-powerpoint.addin.macroenabled.main+xml": Kind.PPAM,
    "ms-visio.drawing.main+xml": Kind.VSDX,
    "ms-visio.drawing.macroenabled.main+xml": Kind.VSDX,
    "ms-visio.template.main+xml": Kind.VSDX,
    "ms-visio.stencil.main+xml": Kind.VSDX,
    "ms-package.xps-fixeddocumentsequence+xml": Kind.XPS,
}
# Where the types are unreadable, the usual place of the main part: a broken document is still a document, and is refused as one.
_MAIN_NAMES: Final = ((b"word/document.xml", Kind.DOCX), (b"xl/workbook.xml", Kind.XLSX), (b"ppt/presentation.xml", Kind.PPTX))
_OPENDOCUMENT: Final[dict[bytes, Kind]] = {
    name + ending: kind
    for name, kind in ((b"text", Kind.ODT), (b"spreadsheet", Kind.ODS), (b"presentation", Kind.ODP), (b"graphics", Kind.ODG))
    for ending in (b"", b"-template")
}
_MIMETYPE: Final = re.compile(rb"application/(?:(epub\+zip)|vnd\.oasis\.opendocument\.([a-z-]+)|vnd\.sun\.xml\.[a-z.]+)\s*")
_ROOT_ENTRY: Final = re.compile(rb"full-path\s*=\s*[\"']/[\"']")
_MEDIA_TYPE: Final = re.compile(rb"media-type\s*=\s*[\"']([^\"']{1,100})[\"']")
_CONTENT_TYPE: Final = re.compile(rb"ContentType\s*=\s*[\"'](?:application/vnd\.)?(?:openxmlformats-officedocument\.)?([^\"']+)[\"']")


def by_members(source: Source) -> Kind:
    """ZIP whenever nothing inside says otherwise, also for broken files."""
    view = source.view
    members = _directory(view) or _local(view)
    if b"[content_types].xml" in members:
        return _office(_peek(view, members[b"[content_types].xml"]), members)
    if b"mimetype" in members and (kind := _by_mimetype(_peek(view, members[b"mimetype"]))):
        return kind
    if b"meta-inf/manifest.xml" in members and (kind := _by_manifest(_peek(view, members[b"meta-inf/manifest.xml"]))):
        return kind
    if b"androidmanifest.xml" in members:
        return Kind.APK
    if b"meta-inf/manifest.mf" in members and any(name.endswith(b".class") for name in members):
        return Kind.JAR
    return Kind.ZIP


def _office(content_types: bytes, members: dict[bytes, int]) -> Kind:
    if content_types.startswith((b"\xff\xfe", b"\xfe\xff")):
        content_types = content_types.decode("utf-16", "ignore").encode()
    for match in _CONTENT_TYPE.finditer(content_types):
        if kind := _MAIN_PARTS.get(match[1].decode("latin-1").strip().lower()):
            return kind
    if b"appxmanifest.xml" in members or b"appxmetadata/appxbundlemanifest.xml" in members or b"extension.vsixmanifest" in members:
        return Kind.MSI     # installs itself when it is opened
    return next((kind for name, kind in _MAIN_NAMES if name in members), Kind.ZIP)


def _by_mimetype(said: bytes) -> Kind | None:
    match = _MIMETYPE.fullmatch(said[:200])
    if match is None:
        return None
    return Kind.EPUB if match[1] else _OPENDOCUMENT.get(match[2] or b"", Kind.ODF)


def _by_manifest(manifest: bytes) -> Kind | None:
    """An OpenDocument without `mimetype`, which office programs open all the same: the manifest's entry for "/"."""
    for element in manifest.split(b"<")[:1000]:
        if _ROOT_ENTRY.search(element) and (stated := _MEDIA_TYPE.search(element)):
            return _by_mimetype(stated[1])
    return None


def _directory(view: memoryview) -> dict[bytes, int]:
    """Lower-case raw name → offset of the local record, as far as the central directory can be followed."""
    tail = bytes(view[-66_000:])
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        return {}
    size, offset = struct.unpack_from("<II", tail, at + 12)
    end = len(view) - len(tail) + at
    if offset == 0xFFFF_FFFF and at >= 20 and tail[at - 20 : at - 16] == _LOCATOR64:
        offset = _offset64(view, struct.unpack_from("<Q", tail, at - 12)[0])
    position = offset if bytes(view[offset : offset + 4]) == _CENTRAL else max(0, end - size)
    members: dict[bytes, int] = {}
    while bytes(view[position : position + 4]) == _CENTRAL and position + 46 <= len(view) and len(members) < _MAX_MEMBERS:
        named, extra, comment = struct.unpack_from("<HHH", view, position + 28)
        name = bytes(view[position + 46 : position + 46 + named]).lower()
        members.setdefault(name, struct.unpack_from("<I", view, position + 42)[0])
        position += 46 + named + extra + comment
    return members


def _offset64(view: memoryview, record: int) -> int:
    if bytes(view[record : record + 4]) != _END64 or record + 56 > len(view):
        return 0
    offset: int = struct.unpack_from("<Q", view, record + 48)[0]
    return offset


def _local(view: memoryview) -> dict[bytes, int]:
    """The same from the local records of a cut file, until one does not say how long it is."""
    members: dict[bytes, int] = {}
    position = 0
    while bytes(view[position : position + 4]) == _LOCAL and position + 30 <= len(view) and len(members) < _MAX_MEMBERS:
        flags, packed, named, extra = struct.unpack("<6xH10xI4xHH", view[position : position + 30])
        members.setdefault(bytes(view[position + 30 : position + 30 + named]).lower(), position)
        if flags & 8 and not packed:
            break
        position += 30 + named + extra + packed
    return members


def _peek(view: memoryview, offset: int) -> bytes:
    """The start of a member's content; empty when it cannot be read."""
    if bytes(view[offset : offset + 4]) != _LOCAL or offset + 30 > len(view):
        return b""
    method, packed, named, extra = struct.unpack("<8xH8xI4xHH", view[offset : offset + 30])
    start = offset + 30 + named + extra
    if method == 0:
        return bytes(view[start : start + min(packed, _MAX_PEEK)])
    try:
        return zlib.decompressobj(-15).decompress(view[start : start + _MAX_PEEK], _MAX_PEEK)
    except zlib.error:
        return b""
