"""Strings of BIFF: [MS-XLS] 2.5.293, 2.5.294, 2.5.240. Where one runs over into a CONTINUE record, its width may change."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from sanitizers.model import Malformed

_WIDE, _PHONETIC, _RICH = 0x01, 0x04, 0x08
_RUN: Final = 4

# Code pages by number; what Python has no codec for is read as the nearest one.
_CODECS: Final = {
    932: "cp932",
    936: "cp936",
    949: "cp949",
    950: "cp950",
    1200: "utf-16-le",
    10000: "mac_roman",
    10001: "shift_jis",
    32768: "mac_roman",
    32769: "cp1252",
}


class Phonetic(NamedTuple):
    """ふりがな: text above the characters from `start` on, `end` not included."""

    start: int
    end: int
    text: str


class Text(NamedTuple):
    """`runs`: (character, font) where the font changes; `phonetics`."""

    plain: str
    runs: tuple[tuple[int, int], ...] = ()
    phonetics: tuple[Phonetic, ...] = ()


def codec(code_page: int) -> str:
    """Of the byte strings of BIFF5."""
    return _CODECS.get(code_page) or (
        f"cp{code_page}" if code_page in range(1250, 1259) or code_page in (437, 850, 852, 866, 874) else "cp1252"
    )


class Reader:
    """Reads on through the pieces of a record. Raises Malformed at their end."""

    def __init__(self, pieces: tuple[bytes, ...], offset: int = 0) -> None:
        self._pieces = pieces
        self._piece = 0
        self.at = offset

    @property
    def is_at_end(self) -> bool:
        return self._piece >= len(self._pieces) - 1 and self.at >= len(self._pieces[-1])

    def number(self, shape: str) -> int:
        value: int = struct.unpack(shape, self.take(struct.calcsize(shape)))[0]
        return value

    def take(self, size: int) -> bytes:
        """That many bytes, over as many pieces as they need."""
        found = bytearray()
        while len(found) < size:
            self._next_piece()
            part = self._pieces[self._piece][self.at : self.at + size - len(found)]
            self.at += len(part)
            found += part
        return bytes(found)

    def text(self, length: int | None = None) -> Text:
        """A string with all that may hang on it: XLUnicodeRichExtendedString. `length`: characters, where they are not in front."""
        count = self.number("<H") if length is None else length
        flags = self.number("<B")
        runs = self.number("<H") if flags & _RICH else 0
        extra = self.number("<I") if flags & _PHONETIC else 0
        plain = self._characters(count, flags & _WIDE)
        formats = self.take(_RUN * runs)
        extended = self.take(extra)
        return Text(plain, tuple(struct.iter_unpack("<HH", formats)), _phonetics(extended))

    def _characters(self, count: int, wide: int) -> str:
        """A new piece begins with a byte that tells the width anew."""
        found: list[str] = []
        while count:
            if self.at >= len(self._pieces[self._piece]):
                self._next_piece()
                wide = self.number("<B") & _WIDE
            size = 2 if wide else 1
            part = self._pieces[self._piece][self.at : self.at + count * size]
            if not part or len(part) % size:
                raise Malformed("a string is cut off", code="xls.malformed")
            self.at += len(part)
            count -= len(part) // size
            found.append(part.decode("utf-16-le" if wide else "latin-1", "surrogatepass"))
        # Halves of a pair may have come in two pieces.
        return "".join(found).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _next_piece(self) -> None:
        while self.at >= len(self._pieces[self._piece]):
            if self._piece + 1 >= len(self._pieces):
                raise Malformed("a record is cut off", code="xls.malformed")
            self._piece += 1
            self.at = 0


def short(data: bytes, offset: int, encoding: str | None) -> tuple[str, int]:
    """A string with one byte of length, and the offset behind it; in BIFF5 (`encoding`) of bytes."""
    return _plain(data, offset, 1, encoding)


def long(data: bytes, offset: int, encoding: str | None) -> tuple[str, int]:
    """The same with two bytes of length."""
    return _plain(data, offset, 2, encoding)


def characters(data: bytes, offset: int, count: int, encoding: str | None) -> tuple[str, int]:
    """A string whose length stands elsewhere. Raises Malformed."""
    if encoding is not None:
        end = offset + count
        if end > len(data):
            raise Malformed("a string is cut off", code="xls.malformed")
        return data[offset:end].decode(encoding, "replace"), end
    reader = Reader((data,), offset)
    text = reader.text(count)
    return text.plain, reader.at


def _plain(data: bytes, offset: int, width: int, encoding: str | None) -> tuple[str, int]:
    if offset + width > len(data):
        raise Malformed("a string is cut off", code="xls.malformed")
    return characters(data, offset + width, int.from_bytes(data[offset : offset + width], "little"), encoding)


def _phonetics(extended: bytes) -> tuple[Phonetic, ...]:
    """ExtRst: head, size, font and flags, then runs and one text for all of them. Anything that does not fit is no ruby."""
    if len(extended) < 14 or extended[:2] != b"\x01\0":
        return ()
    count, length, again = struct.unpack_from("<HHH", extended, 8)
    end = 14 + 2 * length
    if not count or length != again or end + 6 * count > len(extended):
        return ()
    text = extended[14:end].decode("utf-16-le", "replace")
    runs = list(struct.iter_unpack("<HHH", extended[end : end + 6 * count]))
    ends = [*(run[0] for run in runs[1:]), length]
    return tuple(
        Phonetic(start, start + size, text[first:last]) for (first, start, size), last in zip(runs, ends, strict=True) if text[first:last]
    )
