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
    "ms-package.xps-fixeddocumentsequence+xml": Kind.XPS,
}
_MIMETYPES: Final[dict[bytes, Kind]] = {
    b"application/epub+zip": Kind.EPUB,
    **{
        b"application/vnd.oasis.opendocument." + name + ending: kind
        for name, kind in (
            (b"text", Kind.ODT),
            (b"spreadsheet", Kind.ODS),
            (b"presentation", Kind.ODP),
            (b"graphics", Kind.ODG),
            (b"formula", Kind.ODF),
        )
        for ending in (b"", b"-template")
    },
}
_CONTENT_TYPE: Final = re.compile(rb"ContentType\s*=\s*[\"'](?:application/vnd\.)?(?:openxmlformats-officedocument\.)?([^\"']+)[\"']")


def by_members(source: Source) -> Kind:
    """ZIP whenever nothing inside says otherwise, also for broken files."""
    members = _directory(source.view)
    if b"[Content_Types].xml" in members:
        return _office(_peek(source.view, members[b"[Content_Types].xml"])) or Kind.ZIP
    if b"mimetype" in members:
        return _MIMETYPES.get(_peek(source.view, members[b"mimetype"]).strip(), Kind.ZIP)
    if b"AndroidManifest.xml" in members:
        return Kind.APK
    if b"META-INF/MANIFEST.MF" in members and any(name.endswith(b".class") for name in members):
        return Kind.JAR
    return Kind.ZIP


def _office(content_types: bytes) -> Kind | None:
    if content_types.startswith((b"\xff\xfe", b"\xfe\xff")):
        content_types = content_types.decode("utf-16", "ignore").encode()
    for match in _CONTENT_TYPE.finditer(content_types):
        if kind := _MAIN_PARTS.get(match[1].decode("latin-1").lower()):
            return kind
    return None


def _directory(view: memoryview) -> dict[bytes, int]:
    """Raw name → offset of the local record, as far as the central directory can be followed."""
    tail = bytes(view[-66_000:])
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        return {}
    size, offset = struct.unpack_from("<II", tail, at + 12)
    end = len(view) - len(tail) + at
    position = offset if bytes(view[offset : offset + 4]) == b"PK\x01\x02" else max(0, end - size)
    members: dict[bytes, int] = {}
    while bytes(view[position : position + 4]) == b"PK\x01\x02" and position + 46 <= len(view) and len(members) < _MAX_MEMBERS:
        named, extra, comment = struct.unpack_from("<HHH", view, position + 28)
        members.setdefault(bytes(view[position + 46 : position + 46 + named]), struct.unpack_from("<I", view, position + 42)[0])
        position += 46 + named + extra + comment
    return members


def _peek(view: memoryview, offset: int) -> bytes:
    """The start of a member's content; empty when it cannot be read."""
    if bytes(view[offset : offset + 4]) != b"PK\x03\x04" or offset + 30 > len(view):
        return b""
    method, packed, named, extra = struct.unpack("<8xH8xI4xHH", view[offset : offset + 30])
    start = offset + 30 + named + extra
    if method == 0:
        return bytes(view[start : start + min(packed, _MAX_PEEK)])
    try:
        return zlib.decompressobj(-15).decompress(view[start : start + _MAX_PEEK], _MAX_PEEK)
    except zlib.error:
        return b""
