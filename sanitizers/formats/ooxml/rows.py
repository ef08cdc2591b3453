"""Large worksheets are rebuilt some rows at a time: a tree of all cells weighs twenty to forty times as much as their text.

The sheet without its rows is one document; each piece of rows, inside the same two elements, is another. Both are parsed, cut and written
as any part is, so what comes out is what a single tree would give. Only sheets whose bytes show plainly where rows begin and end are cut.
A piece in which nothing is to be judged but formulas, and all of those stay, is copied without any tree (`stretches`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sanitizers.formats.ooxml import spelling

_LARGE: Final = 2 << 20      # bytes: below this a tree is cheap
_PIECE: Final = 1 << 20
_BEGIN: Final = re.compile(rb"<((?:[A-Za-z]\w*:)?)sheetData>")
_ROOT: Final = re.compile(rb"""<(?:[A-Za-z]\w*:)?worksheet(?:\s+[\w:.-]+="[^"<>]*")*\s*>""")
_DECLARED: Final = re.compile(rb"\sxmlns:([A-Za-z]\w*)=")
_PREFIXED: Final = re.compile(rb"<(?:[\w.-]+:)?f(?: [^<>]*)?>([^<]+)")
_UNPREFIXED: Final = re.compile(rb"<f(?: [^<>]*)?>([^<]+)")


class Sheet(NamedTuple):
    """`frame`: the sheet without rows. `rows`: from `start` to `end` of `data`. `prefixes`: of namespaces, that the rows use."""

    data: bytes
    prefix: bytes
    root: bytes
    start: int
    end: int

    @property
    def frame(self) -> bytes:
        return self.data[: self.start] + self.data[self.end :]

    @property
    def prefixes(self) -> frozenset[str]:
        declared = set(_DECLARED.findall(self.root))
        return frozenset(name.decode() for name in declared if self.data.find(b"%b:" % name, self.start, self.end) >= 0)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Where whole rows begin and end, each time about a mebibyte of them."""
        closing = b"</%brow>" % self.prefix
        at = self.start
        while at < self.end:
            cut = self.data.find(closing, at + _PIECE, self.end)
            cut = self.end if cut < 0 else cut + len(closing)
            yield at, cut
            at = cut

    def document(self, rows: bytes) -> bytes:
        """A sheet of these rows alone."""
        after = b"</%bsheetData></%bworksheet>" % (self.prefix, self.prefix)
        return b"%b<%bsheetData>%b%b" % (self.root, self.prefix, rows, after)

    def formulas(self, rows: bytes) -> list[str]:
        """The texts of all formulas of cells."""
        texts = (_PREFIXED if b":f" in rows else _UNPREFIXED).findall(rows)
        return [text.decode("utf-8", "replace").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") for text in texts]

    def inside(self, written: bytes) -> bytes:
        """The rows of a written piece."""
        start = written.find(b"<%bsheetData>" % self.prefix)
        return b"" if start < 0 else written[start + len(self.prefix) + 11 : written.rindex(b"</%bsheetData>" % self.prefix)]

    def join(self, frame: bytes, rows: list[bytes]) -> bytes:
        """The written frame with the written rows in it."""
        head, empty, tail = frame.partition(b"<%bsheetData/>" % self.prefix)
        assert empty, "a frame without its place for rows"
        if not any(rows):
            return frame
        return b"".join((head, b"<%bsheetData>" % self.prefix, *rows, b"</%bsheetData>" % self.prefix, tail))


def cut(data: bytes) -> Sheet | None:
    """None for a sheet that is small, or whose bytes do not show plainly what a parser will see."""
    if len(data) < _LARGE or not spelling.is_plain(data) or _has(data, b"<!", 0) or _has(data, b"<?", 2):
        return None
    begin, root = _BEGIN.search(data), _ROOT.search(data)
    if begin is None or root is None or root.end() > begin.start():
        return None
    end = data.rfind(b"</%bsheetData>" % begin[1])
    if end < begin.end() or data.find(b"sheetData", begin.end(), end) >= 0 or data.find(b"xmlns", begin.end(), end) >= 0:
        return None
    return Sheet(data, begin[1], root[0], begin.end(), end)


def _has(data: bytes, sign: bytes, start: int) -> bool:
    """The second byte alone is looked for first: it is rarer, and one byte is found much faster than two."""
    return data.find(sign[1:2], start) >= 0 and data.find(sign, start) >= 0
