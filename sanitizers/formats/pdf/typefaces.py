"""The fonts that PDFium takes for CJK ones that are not embedded, as most Japanese documents of the past have them.

A jailed process opens no file, so PDFium's own search would find nothing there, and text without glyphs is neither drawn nor read. The
fonts are therefore mapped into memory when this module is loaded, before any jail stands, and handed out through FPDF_SYSFONTINFO.
Everything else is drawn with the fonts that PDFium brings with it, so that every process of ours sees the same, whatever the machine has.
"""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path
from typing import Final, NamedTuple

import pypdfium2.raw as pdfium

# Sans-serif (ゴシック体) and serif (明朝体), the first of each that is installed.
_SANS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
)  # fmt: skip
_SERIF: Final = (
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc", "/usr/share/fonts/opentype/ipaexfont-mincho/ipaexm.ttf",
    "/usr/share/fonts/opentype/ipafont-mincho/ipam.ttf",
)  # fmt: skip
_CHARSETS: Final = frozenset({pdfium.FXFONT_SHIFTJIS_CHARSET, pdfium.FXFONT_HANGEUL_CHARSET, pdfium.FXFONT_GB2312_CHARSET,
                              pdfium.FXFONT_CHINESEBIG5_CHARSET})  # fmt: skip
_ROMAN: Final = pdfium.FXFONT_FF_ROMAN
_SERIF_NAMES: Final = (b"mincho", b"ming", b"song", b"sun", b"batang", b"ryumin", b"serif", "明朝".encode("cp932"), "明朝".encode())
_COLLECTION: Final = 0x74746366     # 'ttcf'
_NAME: Final = b"Sekisho CJK\0"


class Typeface(NamedTuple):
    """A font file in memory."""

    data: mmap.mmap
    address: int
    is_collection: bool

    def table(self, tag: int) -> tuple[int, int]:
        """Where a table starts and how long it is; tag 0 is the whole file, 'ttcf' the whole collection."""
        if tag == 0 or (tag == _COLLECTION and self.is_collection):
            return 0, len(self.data)
        if tag == _COLLECTION:
            return 0, 0
        start = int.from_bytes(self.data[12:16], "big") if self.is_collection else 0
        for entry in range(start + 12, start + 12 + 16 * int.from_bytes(self.data[start + 4 : start + 6], "big"), 16):
            if self.data[entry : entry + 4] == tag.to_bytes(4, "big"):
                return int.from_bytes(self.data[entry + 8 : entry + 12], "big"), int.from_bytes(self.data[entry + 12 : entry + 16], "big")
        return 0, 0


def _first(paths: tuple[str, ...]) -> Typeface | None:
    for path in map(Path, paths):
        if path.is_file():
            with path.open("rb") as file:
                # A private mapping that could be written, since only of such a one ctypes tells the address.
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            return Typeface(data, ctypes.addressof(ctypes.c_char.from_buffer(data)), data[:4] == b"ttcf")
    return None


_FOUND: Final = (_first(_SANS), _first(_SERIF))
# By the handle that PDFium is given, which may not be 0.
INSTALLED: Final[dict[int, Typeface]] = {handle: face for handle, face in enumerate(_FOUND, 1) if face is not None}


# Names of CJK fonts that PDFium asked for in this process and did not get.
MISSED: Final[set[bytes]] = set()


def choose(charset: int, pitch: int, name: bytes) -> int:
    """The handle of the font for a character set and a name; 0 when it is none of ours to give."""
    if charset not in _CHARSETS:
        return 0
    if not INSTALLED:
        MISSED.add(name)
        return 0
    wanted = 2 if pitch & _ROMAN or any(word in name.lower() for word in _SERIF_NAMES) else 1
    return wanted if wanted in INSTALLED else next(iter(INSTALLED))


def _map(_info: object, _weight: int, _italic: int, charset: int, pitch: int, name: object, _exact: object) -> int:
    return choose(charset, pitch, ctypes.cast(name, ctypes.c_char_p).value or b"")  # type: ignore[arg-type]


def _data(_info: object, handle: int, tag: int, buffer: object, size: int) -> int:
    face = INSTALLED.get(handle)
    start, length = face.table(tag) if face is not None else (0, 0)
    if face is not None and buffer and length > 0:
        # PDFium reads the head of a collection into a buffer that is shorter than it.
        ctypes.memmove(buffer, face.address + start, min(length, size))  # type: ignore[arg-type]
    return length


def _name(_info: object, _handle: int, buffer: object, size: int) -> int:
    if buffer and size >= len(_NAME):
        ctypes.memmove(buffer, _NAME, len(_NAME))  # type: ignore[arg-type]
    return len(_NAME)


def _handlers() -> pdfium.FPDF_SYSFONTINFO:
    info, kinds = pdfium.FPDF_SYSFONTINFO(version=1), dict(pdfium.FPDF_SYSFONTINFO._fields_)
    answers = {
        "Release": lambda _info: None, "EnumFonts": lambda _info, _mapper: None, "MapFont": _map, "GetFont": lambda _info, _name: 0,
        "GetFontData": _data, "GetFaceName": _name, "GetFontCharset": lambda _info, _handle: pdfium.FXFONT_SHIFTJIS_CHARSET,
        "DeleteFont": lambda _info, _handle: None,
    }  # fmt: skip
    for field, answer in answers.items():
        setattr(info, field, kinds[field](answer))
    return info


_HANDLERS: Final = _handlers()      # PDFium keeps its address
pdfium.FPDF_SetSystemFontInfo(_HANDLERS)
