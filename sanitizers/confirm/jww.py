"""Drawings of Jw_cad (.jww): settings, then the figures and the blocks as MFC writes objects, each to its last byte and nothing after them.

Refuses: pictures, in the file or beside it; names of files elsewhere; figures of unknown classes; blocks that are not defined
Spec: Jw_cad's own description of its data format (jwdatafmt.txt, versions 3.00 to 7.xx); MFC Technical Note 2 (persistent objects)
"""

from __future__ import annotations

import math
import re
import struct
from typing import Final

from sanitizers.context import Context
from sanitizers.model import Malformed, Unsupported
from sanitizers.source import Source

_VERSIONS: Final = range(300, 1000)
_WIDE_PEN, _SXF, _PICTURES = 351, 420, 700      # versions from which on there are widths of pens, SXF's tables, pictures in the file
# The settings: runs of numbers of so many bytes, and of strings between them.
_BEFORE_LAYERS: Final = 8 + 16 * (20 + 16 * 8) + 14 * 4 + 7 * 4 + 3 * 8 + 2 * 4 + 5 * 8
_LAYER_NAMES: Final = 16 * 16 + 16
_AFTER_LAYERS: Final = (
    28 + 16 + 4 + 6 * 8 + 8 * 28 + 56 + 11 * 8      # shadow, sky, units, places of the view, of the marks, dummies, distances
    + 10 * 8 + 10 * 16 + 8 * 16 + 5 * 20 + 4 * 16   # colours and kinds of lines
    + 11 * 4 + 5 * 4 + 9 * 8 + 2 * 4                # printing, time, eye, last sizes, colour of areas
)
_COLOURS, _LINES = 257, 33
_AFTER_LINES: Final = 10 * 28 + 100
_POINT_CODE: Final = 100           # style of a pen: the point is a mark with a code, an angle and a scale
_ANY_COLOUR: Final = 10
_NEW_CLASS, _BIG_TAG, _CLASS = 0xFFFF, 0x7FFF, 0x8000
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ELSEWHERE: Final = re.compile(r"\^@BM|\\\\[^\s\\]|://|file:|javascript:", re.IGNORECASE)


def check(source: Source, context: Context) -> str:
    """Raises Malformed, Unsupported (`confirm.foreign`, other versions)."""
    context.budget.spend_bytes(len(source))
    try:
        return _Drawing(source.view, time=4).walk()
    except Malformed as first:      # the compiler decides how wide a time is, and no block without one
        try:
            return _Drawing(source.view, time=8).walk()
        except Malformed:
            raise first from None


class _Drawing:
    """Reads forward through a drawing; `time`: bytes of the time of a block."""

    def __init__(self, data: memoryview, time: int) -> None:
        self._data = data
        self._at = 8                # after "JwwData."
        self._time = time
        self._version = 0
        self._known: dict[int, bytes] = {}      # classes by their number
        self._count = 1
        self._wanted: set[int] = set()
        self._defined: set[int] = set()

    def walk(self) -> str:
        self._version = self._integer("I")
        if self._version not in _VERSIONS:
            raise Unsupported(f"Jw_cad, version {self._version}")
        self._settings()
        figures = self._list(blocks=False)
        blocks = self._list(blocks=True)
        if self._version >= _PICTURES and self._at < len(self._data) and self._integer("I"):
            raise Unsupported("pictures in the drawing", code="confirm.foreign")
        if self._at != len(self._data):
            raise Malformed(f"{len(self._data) - self._at} bytes after the end")
        if missing := self._wanted - self._defined:
            raise Malformed(f"{len(missing)} blocks that are not defined")
        return f"{figures} figures, {blocks} blocks"

    def _settings(self) -> None:
        self._text()
        self._skip(_BEFORE_LAYERS)
        for _ in range(_LAYER_NAMES):
            self._text()
        self._skip(_AFTER_LAYERS)
        if self._version >= _SXF:
            self._skip(_COLOURS * 8)
            for _ in range(_COLOURS):
                self._text()
                self._skip(16)
            self._skip(_LINES * 16)
            for _ in range(_LINES):
                self._text()
                self._skip(84)
        self._skip(_AFTER_LINES)

    def _list(self, *, blocks: bool) -> int:
        """Objects, each behind the number or the name of its class."""
        count = self._integer("H")
        if count == 0xFFFF:
            count = self._integer("I")
        for _ in range(count):
            name = self._class()
            self._count += 1        # the object has a number too, which nothing may refer to
            if (name == b"CDataList") != blocks:
                raise Malformed(f"{name[:30]!r} in a list of {'blocks' if blocks else 'figures'}")
            self._object(name)
        return count

    def _class(self) -> bytes:
        tag = self._integer("H")
        if tag == _NEW_CLASS:
            self._skip(2)           # the version of the class
            name = self._bytes(self._integer("H"))
            self._known[self._count] = name
            self._count += 1
            return name
        number = tag & ~_CLASS if tag & _CLASS else -1
        if tag == _BIG_TAG:
            wide = self._integer("I")
            number = wide & 0x7FFF_FFFF if wide >> 31 else -1
        if number not in self._known:
            raise Malformed("object of no class")
        return self._known[number]

    def _object(self, name: bytes) -> None:
        if name == b"CDataList":
            self._general()
            number = self._integer("I")
            self._skip(4 + self._time)
            self._text()
            if number in self._defined:
                raise Malformed(f"block {number} twice")
            self._defined.add(number)
            self._list(blocks=False)
        elif name == b"CDataSunpou":
            self._dimension()
        else:
            self._figure(name)

    def _dimension(self) -> None:
        self._general()
        for part in (b"CDataSen", b"CDataMoji"):
            self._figure(part)
        if self._version >= _SXF:
            self._skip(2)
            for part in (b"CDataSen", b"CDataSen", *[b"CDataTen"] * 4):
                self._figure(part)

    def _figure(self, name: bytes) -> None:
        style, colour = self._general()
        if name == b"CDataSen":
            self._numbers("4d")
        elif name == b"CDataEnko":
            self._numbers("7dI")
        elif name == b"CDataTen":
            self._numbers("2dI")
            self._numbers("I2d" if style == _POINT_CODE else "")
        elif name == b"CDataMoji":
            self._numbers("4dI4d")
            self._text()
            self._text()
        elif name == b"CDataSolid":
            self._numbers("8dI" if colour == _ANY_COLOUR else "8d")
        elif name == b"CDataBlock":
            self._numbers("5d")
            self._wanted.add(self._integer("I"))
        else:
            raise Malformed(f"figure of the class {name[:30]!r}")

    def _general(self) -> tuple[int, int]:
        """What every figure begins with: group, style and colour of its pen, layers, flags; style and colour are returned."""
        _, style, colour, *_ = self._numbers("IBHHHHH" if self._version >= _WIDE_PEN else "IBHHHH")
        return int(style), int(colour)

    def _numbers(self, shape: str) -> tuple[float, ...]:
        size = struct.calcsize(f"<{shape}")
        values = struct.unpack(f"<{shape}", self._bytes(size))
        if not all(map(math.isfinite, values)):
            raise Malformed(f"byte {self._at - size}: not a number")
        return values

    def _integer(self, shape: str) -> int:
        return int(self._numbers(shape)[0])

    def _text(self) -> None:
        """A CString: CP932, or UTF-16 behind a mark."""
        length, codec = self._length(), "cp932"
        if length < 0:
            length, codec = 2 * self._length(), "utf-16-le"
        try:
            text = self._bytes(length).decode(codec)
        except UnicodeDecodeError:
            raise Malformed(f"byte {self._at - length}: unreadable text") from None
        if _CONTROL.search(text):
            raise Malformed(f"byte {self._at - length}: control character")
        if found := _ELSEWHERE.search(text):
            raise Unsupported(f"names something elsewhere: {found[0]}", code="confirm.foreign")

    def _length(self) -> int:
        """-1 for the mark of a wide string."""
        for shape, more in (("B", 0xFF), ("H", 0xFFFF)):
            length = self._integer(shape)
            if length == 0xFFFE:
                return -1
            if length != more:
                return length
        return self._integer("I")

    def _skip(self, size: int) -> None:
        self._at += size
        if self._at > len(self._data):
            raise Malformed("the drawing is cut short")

    def _bytes(self, size: int) -> bytes:
        self._skip(size)
        return bytes(self._data[self._at - size : self._at])
