"""libmagic's opinion on the first 8 KiB, for kinds that we only need to recognise in order to hold or block them."""

from __future__ import annotations

from typing import Final

import magic

from sanitizers.model import Kind
from sanitizers.source import Source

_HEAD: Final = 8192
_MIME: Final[dict[str, Kind]] = {
    "application/x-dosexec": Kind.PE,
    "application/vnd.microsoft.portable-executable": Kind.PE,
    "application/x-executable": Kind.ELF,
    "application/x-pie-executable": Kind.ELF,
    "application/x-sharedlib": Kind.ELF,
    "application/x-mach-binary": Kind.MACHO,
    "application/java-archive": Kind.JAR,
    "application/vnd.android.package-archive": Kind.APK,
    "application/x-ms-shortcut": Kind.LNK,
    "application/vnd.ms-cab-compressed": Kind.CAB,
    "application/x-archive": Kind.AR,
    "application/x-cpio": Kind.CPIO,
    "application/x-arj": Kind.ARJ,
    "application/x-iso9660-image": Kind.ISO,
    "application/x-tar": Kind.TAR,
    "application/x-ms-wim": Kind.WIM,
    "application/x-apple-diskimage": Kind.DMG,
    "application/postscript": Kind.EPS,
    "application/vnd.ms-msi": Kind.MSI,
    "image/vnd.adobe.photoshop": Kind.PSD,
    "image/vnd.dwg": Kind.DWG,
}
# The database is read here, once: a jailed child cannot open it.
_database: Final = magic.Magic(mime=True)
_database.from_buffer(b"warm")


def by_magic(source: Source) -> Kind | None:
    """A kind that libmagic is sure of, or None."""
    said: str = _database.from_buffer(source.head(_HEAD))
    if said in _MIME:
        return _MIME[said]
    major = said.partition("/")[0]
    if major == "video":
        return Kind.VIDEO
    if major == "audio":
        return Kind.AUDIO
    return Kind.FONT if major == "font" or "font" in said else None
