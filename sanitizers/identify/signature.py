"""Kinds with a signature at a fixed place, and the containers whose inside must be looked at: ZIP, compound file, RIFF, ISO media."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from sanitizers.identify.cfb import by_storage
from sanitizers.identify.package import by_members
from sanitizers.model import Kind
from sanitizers.source import Source

_PDF_WITHIN: Final = 1024
_PDF_OBJECT: Final = re.compile(rb"\d[ \t\r\n]+\d+[ \t\r\n]+obj\b|\bstartxref\b|\btrailer\b")
_AT_START: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"MZ", Kind.PE),
    (b"ZM", Kind.PE),
    (b"\x7fELF", Kind.ELF),
    (b"\xfe\xed\xfa\xce", Kind.MACHO),
    (b"\xfe\xed\xfa\xcf", Kind.MACHO),
    (b"\xce\xfa\xed\xfe", Kind.MACHO),
    (b"\xcf\xfa\xed\xfe", Kind.MACHO),
    (b"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F", Kind.LNK),
    (b"ITSF", Kind.CHM),
    (b"MSWIM\x00\x00\x00", Kind.WIM),
    (b"WLPWM\x00\x00\x00", Kind.WIM),
    (b"vhdxfile", Kind.VHDX),
    (b"conectix", Kind.VHD),
    (b"MSCF\x00\x00\x00\x00", Kind.CAB),
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"II+\x00", Kind.TIFF),
    (b"MM\x00+", Kind.TIFF),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", Kind.JP2),
    (b"\xff\x4f\xff\x51", Kind.JP2),
    (b"8BPS\x00\x01", Kind.PSD),
    (b"\xd7\xcd\xc6\x9a", Kind.WMF),
    (b"\x01\x00\x09\x00\x00\x03", Kind.WMF),
    (b"\x02\x00\x09\x00\x00\x03", Kind.WMF),
    (b"7z\xbc\xaf\x27\x1c", Kind.SEVENZIP),
    (b"Rar!\x1a\x07", Kind.RAR),
    (b"\x1f\x8b\x08", Kind.GZ),
    (b"\xfd7zXZ\x00", Kind.XZ),
    (b"\x28\xb5\x2f\xfd", Kind.ZST),
    (b"\x04\x22\x4d\x18", Kind.LZ4),
    (b"\x1f\x9d", Kind.COMPRESS),
    (b"\x1f\xa0", Kind.COMPRESS),
    (b"!<arch>\n", Kind.AR),
    (b"\x78\x9f\x3e\x22", Kind.TNEF),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", Kind.ONE),
    (b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", Kind.ONE),
    (b"\x00\x01\x00\x00Standard ACE DB", Kind.ACCDB),
    (b"\x00\x01\x00\x00Standard Jet DB", Kind.ACCDB),
    (b"DOC" + bytes(5) + b" " * 8, Kind.JAW),      # 一太郎 Ver.4 to 7
    (b"JwwData.", Kind.JWW),
    (b"\x00\x00\x27\x0a" + bytes(20), Kind.SHP),
    (b"AutoCAD Binary DXF\r\n\x1a\x00", Kind.DXF),
    (b"%!PS", Kind.EPS),
    (b"\xc5\xd0\xd3\xc6", Kind.EPS),
    (b"OTTO\x00", Kind.FONT),
    (b"ttcf\x00", Kind.FONT),
    (b"wOFF", Kind.FONT),
    (b"wOF2", Kind.FONT),
    (b"\x00\x01\x00\x00\x00", Kind.FONT),
    (b"OggS\x00", Kind.AUDIO),
    (b"fLaC", Kind.AUDIO),
    (b"\x1aE\xdf\xa3", Kind.VIDEO),
    (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel", Kind.VIDEO),
)
# Short signatures that a text could begin with ("AC100V", "070701,", "ID3"): more of the header has to be right.
_BY_HEADER: Final[tuple[tuple[re.Pattern[bytes], Kind], ...]] = (
    (re.compile(rb"AC(?:10\d\d|[12]\.\d\d?)\x00"), Kind.DWG),
    (re.compile(rb"07070[12][0-9A-Fa-f]{104}"), Kind.CPIO),
    (re.compile(rb"070707[0-7]{70}"), Kind.CPIO),
    (re.compile(rb"\xc7\x71.{19}[\x00-\x10]|\x71\xc7.{18}[\x00-\x10]", re.DOTALL), Kind.CPIO),
    (re.compile(rb"\x60\xea.[\x00-\x0a][\x1e-\x40][\x00-\x7f]{2}", re.DOTALL), Kind.ARJ),
    (re.compile(rb"..-(?:lh[0-9a-z]|lz[0-9s]|pm[0-2])-.{13}[\x00-\x03]", re.DOTALL), Kind.LZH),
    (re.compile(rb"ID3[\x02-\x04].[\x00-\xf0][\x00-\x7f]{4}", re.DOTALL), Kind.AUDIO),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), Kind.BZ2),
    (re.compile(rb"\x60\x0e\x82\x01.\x80\x03\x00\xc0\x14", re.DOTALL), Kind.XBD),
    (re.compile(rb"\x60\x0e\x82\x01", re.DOTALL), Kind.XDW),
    # BIFF 2 to 5 without a compound file around it: Excel opens these too.
    (re.compile(rb"\x09[\x00\x02\x04\x08][\x04\x06\x08]\x00.{2}[\x10\x20\x40]\x00|\x09\x08\x08\x00\x00[\x05\x06]", re.DOTALL), Kind.XLS),
)
_ATC: Final = (b"_AttacheCaseData", b"_AttacheCase_Rsa", b"_Atc_Broken_Data")
_ATC_BEHIND: Final = re.compile(rb"[\x01-\x0a][\x00\x01]_AttacheCase(?:Data|_Rsa)[\x65-\x95]\x00\x00\x00")
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})
_ISO_SECTORS: Final = (0x8001, 0x8801, 0x9001)
_VOLUMES: Final = frozenset({b"CD001", b"BEA01", b"NSR02", b"NSR03"})
_FOOTER: Final = 512                    # of a .dmg and of a .vhd of fixed size


def by_signature(source: Source) -> Kind | None:
    """The kind that the first bytes (or, for disk images, the fixed later ones) name; None when they name nothing."""
    head = source.head(4096)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK00PK\x03\x04")):
        return by_members(source)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return by_storage(source)
    for signature, kind in _AT_START:
        if head.startswith(signature):
            return _LOOKED_INTO[kind](source) if kind in _LOOKED_INTO else kind
    for header, kind in _BY_HEADER:
        if header.match(head):
            return kind
    return _by_shape(source, head)


def _program(source: Source) -> Kind:
    """A self-extracting AttachéCase is a program with an .atc file behind it: token, then a file version of 2 to 4 (105 to 149)."""
    return Kind.ATC if _ATC_BEHIND.search(source.view) else Kind.PE


def _shapefile(source: Source) -> Kind:
    """Geometry and its index begin alike: the first record is number 1, the first index entry points behind the header (50 words)."""
    return Kind.SHX if source.part(100, 4) == b"\x00\x00\x00\x32" else Kind.SHP


_LOOKED_INTO: Final[dict[Kind, Callable[[Source], Kind]]] = {Kind.PE: _program, Kind.SHP: _shapefile}


def _is_table(head: bytes) -> bool:
    """dBASE III without memo: a date of last change, a header of 32-byte rows that ends in 0D, and fields of known types."""
    if len(head) < 44:
        return False
    begin = int.from_bytes(head[8:10], "little")
    return (
        head[:1] == b"\x03" and 1 <= head[2] <= 12 and 1 <= head[3] <= 31 and begin >= 65 and begin % 32 == 1 and head[12:14] == b"\0\0"
        and head[43:44] in (b"C", b"N", b"F", b"L", b"D", b"I") and (begin > len(head) or head[begin - 1 : begin] == b"\r")
    )  # fmt: skip


def _by_shape(source: Source, head: bytes) -> Kind | None:
    for looks_like, kind in _SHAPES:
        if looks_like(head):
            return kind
    if head.startswith(b"RIFF"):
        return {b"WEBP": Kind.WEBP, b"WAVE": Kind.AUDIO, b"AVI ": Kind.VIDEO}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    return _late(source, head)


def _late(source: Source, head: bytes) -> Kind | None:
    """What does not stand at the very start: PDF behind a prefix, volumes of disk images, old tar."""
    if _is_pdf(source, head):
        return Kind.PDF
    if any(source.part(at, 5) in _VOLUMES for at in _ISO_SECTORS):
        return Kind.ISO
    footer = source.tail(_FOOTER)[:8] if len(source) > _FOOTER else b""
    if footer.startswith(b"koly") or footer == b"conectix":
        return Kind.DMG if footer.startswith(b"koly") else Kind.VHD
    return Kind.TAR if _old_tar(head) else None


def _is_pdf(source: Source, head: bytes) -> bool:
    """The header may stand anywhere in the first 1,024 bytes; text that only speaks of PDF has no object behind it."""
    at = head[: _PDF_WITHIN + 5].find(b"%PDF-")
    return at == 0 or (at > 0 and _PDF_OBJECT.search(source.view) is not None)


def _iso_media(head: bytes) -> Kind:
    size = min(int.from_bytes(head[:4], "big"), 256)
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if head[8:12] in (b"avif", b"avis") or (head[8:12] in (b"mif1", b"msf1") and b"avif" in brands):
        return Kind.AVIF
    if head[8:12] in _HEIF_BRANDS:
        return Kind.HEIC
    return Kind.AUDIO if head[8:12] in (b"M4A ", b"M4B ") else Kind.VIDEO


def _plausible_icon(head: bytes) -> bool:
    """Icon or cursor: a sane count, and the first picture lies behind the directory."""
    if not head.startswith((b"\x00\x00\x01\x00", b"\x00\x00\x02\x00")):
        return False
    count = int.from_bytes(head[4:6], "little")
    return 0 < count < 256 and len(head) >= 22 and head[9] == 0 and int.from_bytes(head[18:22], "little") >= 6 + 16 * count


def _old_tar(head: bytes) -> bool:
    """A tar header without `ustar`: its checksum is right."""
    if len(head) < 512 or not head[0]:
        return False
    try:
        said = int(head[148:156].strip(b" \x00") or b"-1", 8)
    except ValueError:
        return False
    return said == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _is_bitmap(head: bytes) -> bool:
    """`BM` and the size of a known header behind it."""
    return head.startswith(b"BM") and len(head) >= 18 and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


def _is_fat_binary(head: bytes) -> bool:
    """Mach-O for several processors begins like a Java class; it never has as many processors as Java has versions."""
    return head.startswith(b"\xca\xfe\xba\xbe") and int.from_bytes(head[4:8], "big") <= 30


_SHAPES: Final[tuple[tuple[Callable[[bytes], bool], Kind], ...]] = (
    (_is_bitmap, Kind.BMP),
    (_plausible_icon, Kind.ICO),
    (lambda head: head[:4] == b"\x01\x00\x00\x00" and head[40:44] == b" EMF", Kind.EMF),
    (lambda head: head[4:20] in _ATC, Kind.ATC),
    (_is_fat_binary, Kind.MACHO),
    (lambda head: head.startswith(b"\xca\xfe\xba\xbe"), Kind.CLASS),
    (lambda head: head[257:262] == b"ustar", Kind.TAR),
    (_is_table, Kind.DBF),
)
