"""The invisible text over pages that became pictures: what PDFium reads from the original, at its place, in a font without glyphs.

Each text object of the original becomes one again, in the same order and with the same distances, so that a reader who searches or copies
finds the words, spaces and lines that were there. The font is our own: its characters (CIDs) draw nothing, and each has the Unicode value
and the width of one that the original showed. Vertical writing uses it with the vertical Identity CMap (ISO 32000-2 §9.7).
"""

from __future__ import annotations

import ctypes
import itertools
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from sanitizers.formats.pdf import sfnt
from sanitizers.formats.pdf.values import Dictionary, Name
from sanitizers.formats.pdf.writer import Writer

_MOST_CIDS: Final = 65_000
_HYPHEN: Final = {0x02: 0x2D, 0xAD: 0x2D}      # PDFium's mark for a hyphen at the end of a line
_ASCENT: Final = 880                            # of vertical writing: DW2's default
_EM: Final = 1000
_HALF: Final = 500
_SPACED: Final = 3          # so many gaps of one width are the spacing of characters, fewer the distance of words
_PER_BLOCK: Final = 100
_STEP: Final = 50
_WIDEST: Final = 2000


class Glyph(NamedTuple):
    """One glyph of the original: its text, where its baseline starts, its width in thousandths of the font size, its text object."""

    text: str
    x: float
    y: float
    width: int
    piece: int
    size: float
    matrix: tuple[float, float, float, float]

    def apart(self, other: Glyph) -> tuple[float, float]:
        """From here to `other` in text space, in units of the font size."""
        a, b, c, d = self.matrix
        dx, dy = other.x - self.x, other.y - self.y
        scale = (a * d - b * c) * self.size or 1.0
        return (d * dx - c * dy) / scale, (a * dy - b * dx) / scale


def glyphs(page: pypdfium2.PdfPage) -> list[Glyph]:
    """The characters of a page in the order in which PDFium reads them, without the spaces and line ends that it adds."""
    text = page.get_textpage()
    try:
        found: list[Glyph] = []
        for glyph in _glyphs(text):
            if found and found[-1][1:] == glyph[1:]:
                found[-1] = found[-1]._replace(text=found[-1].text + glyph.text)    # a ligature comes as its letters
            else:
                found.append(glyph)
        return found
    finally:
        text.close()


def _glyphs(text: pypdfium2.PdfTextPage) -> Iterator[Glyph]:
    x, y, box = ctypes.c_double(), ctypes.c_double(), pdfium.FS_RECTF()
    to_x, to_y, to_box = ctypes.byref(x), ctypes.byref(y), ctypes.byref(box)
    raw, last, size, matrix = text.raw, -1, 1.0, (1.0, 0.0, 0.0, 1.0)
    for index in range(pdfium.FPDFText_CountChars(raw)):
        unicode = pdfium.FPDFText_GetUnicode(raw, index)
        unicode = _HYPHEN.get(unicode, unicode)
        if pdfium.FPDFText_IsGenerated(raw, index) == 1 or unicode < 0x20 or 0xD800 <= unicode < 0xE000 or unicode > 0x10FFFF:
            continue
        piece = ctypes.cast(pdfium.FPDFText_GetTextObject(raw, index), ctypes.c_void_p).value or 0
        if piece != last:
            last, size, matrix = piece, *_set(raw, index)
        pdfium.FPDFText_GetCharOrigin(raw, index, to_x, to_y)
        pdfium.FPDFText_GetLooseCharBox(raw, index, to_box)
        lying = abs(matrix[0]) >= abs(matrix[1])
        advance = (box.right - box.left) / (abs(matrix[0]) or 1) if lying else (box.top - box.bottom) / (abs(matrix[1]) or 1)
        width = min(10_000, max(0, round(advance / (abs(size) or 1) * 1000)))
        yield Glyph(chr(unicode), x.value, y.value, width, piece, size, matrix)


def _set(raw: object, index: int) -> tuple[float, tuple[float, float, float, float]]:
    """Font size and matrix of a character's text object."""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(raw, index, matrix)
    return pdfium.FPDFText_GetFontSize(raw, index), (matrix.a, matrix.b, matrix.c, matrix.d)


class TextFont:
    """The one font of a document, which grows while its pages are written."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._cids: dict[tuple[str, int], int] = {}
        self._texts: dict[str, int] = {}        # the first of them for a text
        self._lying, self._standing = writer.reserve(), writer.reserve()
        self.resources: Dictionary = {"H": self._lying, "V": self._standing}

    def layer(self, found: list[Glyph], place: tuple[float, ...]) -> bytes:
        """Content that writes the glyphs invisibly; `place` takes the original's coordinates to those of the new page."""
        pieces = _pieces(found)
        if not pieces:
            return b""
        lines = [b"BT 3 Tr"]
        for index, piece in enumerate(pieces):
            before, after = pieces[index - 1] if index else None, pieces[index + 1] if index + 1 < len(pieces) else None
            lines.append(self._piece(piece, _is_vertical(piece, before, after), place))
        return b"\n".join([*lines, b"ET"])

    def _piece(self, piece: list[Glyph], vertical: bool, place: tuple[float, ...]) -> bytes:
        first = piece[0]
        a, b, c, d = first.matrix
        x, y = first.x, first.y
        if vertical:
            right, up = _HALF / 1000 * first.size, _ASCENT / 1000 * first.size
            x, y = x + a * right + c * up, y + b * right + d * up
        numbers = " ".join(_number(value) for value in _through((a, b, c, d, x, y), place))
        gaps = _gaps(piece, vertical)
        even = gaps[0] if len(gaps) >= _SPACED and max(gaps) - min(gaps) <= 2 else 0
        shown = self._shown(piece, [gap - even for gap in gaps], vertical)
        font = f"/{'V' if vertical else 'H'} {_number(first.size)} Tf {_number(-even / 1000 * first.size)} Tc"
        return f"{font} {numbers} Tm [{shown}] TJ".encode()

    def _shown(self, piece: list[Glyph], gaps: list[int], vertical: bool) -> str:
        """The operand of TJ: codes, and between them the gaps."""
        out = ["<"]
        for glyph, gap in zip(piece, [*gaps, 0], strict=True):
            out.append(f"{self._cid(glyph.text, _EM if vertical else glyph.width):04X}")
            if abs(gap) > 2:
                out.append(f"> {gap} <")
        return "".join(out) + ">"

    def _cid(self, text: str, width: int) -> int:
        """The same for the same text in the same width; once the font is full, for the same text, and 0, which says nothing, for others."""
        key = (text, width)
        if key not in self._cids and len(self._cids) >= _MOST_CIDS:
            return self._texts.get(text, 0)
        cid = self._cids.setdefault(key, len(self._cids) + 1)
        self._texts.setdefault(text, cid)
        return cid

    def finish(self) -> bool:
        """Writes the font. False when no page has text."""
        writer = self._writer
        if not self._cids:
            return False
        system = {"Registry": b"Adobe", "Ordering": b"Identity", "Supplement": 0}
        descriptor: Dictionary = {
            "Type": Name("FontDescriptor"), "FontName": Name("Glyphless"), "Flags": 5, "FontBBox": [0, -120, 1000, 880], "ItalicAngle": 0,
            "Ascent": 880, "Descent": -120, "CapHeight": 880, "StemV": 80,
            "FontFile2": writer.add_deflated({"Length1": len(PROGRAM)}, PROGRAM),
        }  # fmt: skip
        descendant = writer.add({
            "Type": Name("Font"), "Subtype": Name("CIDFontType2"), "BaseFont": Name("Glyphless"), "CIDSystemInfo": system,
            "FontDescriptor": writer.add(descriptor), "DW": 1000, "W": [1, [width for _, width in self._cids]],
            "CIDToGIDMap": writer.add_deflated({}, bytes(2) + b"".join(_glyph(width).to_bytes(2, "big") for _, width in self._cids)),
        })  # fmt: skip
        unicode = writer.add_deflated({}, _to_unicode([text for text, _ in self._cids]))
        for ref, encoding in ((self._lying, "Identity-H"), (self._standing, "Identity-V")):
            writer.put(ref, {
                "Type": Name("Font"), "Subtype": Name("Type0"), "BaseFont": Name("Glyphless"), "Encoding": Name(encoding),
                "DescendantFonts": [descendant], "ToUnicode": unicode,
            })  # fmt: skip
        return True


def _pieces(found: list[Glyph]) -> list[list[Glyph]]:
    pieces: list[list[Glyph]] = []
    for glyph in found:
        if pieces and pieces[-1][-1].piece == glyph.piece and pieces[-1][0].matrix == glyph.matrix:
            pieces[-1].append(glyph)
        else:
            pieces.append([glyph])
    return pieces


def _is_vertical(piece: list[Glyph], before: list[Glyph] | None, after: list[Glyph] | None) -> bool:
    """Characters stand below each other; a single one looks at its neighbours."""
    if len(piece) > 1:
        return all(_below(one, two) for one, two in itertools.pairwise(piece))
    return bool((before and _below(before[-1], piece[0])) or (after and _below(piece[0], after[0])))


def _below(one: Glyph, two: Glyph) -> bool:
    right, up = one.apart(two)
    return abs(right) < 0.6 and -2.5 < up < -0.45 and max(one.text, two.text) > "\u2e7f"


def _gaps(piece: list[Glyph], vertical: bool) -> list[int]:
    """Between each glyph and the next, in thousandths of the font size: what TJ takes away."""
    if vertical:
        return [round(-_EM - one.apart(two)[1] * 1000) for one, two in itertools.pairwise(piece)]
    return [round(one.width - one.apart(two)[0] * 1000) for one, two in itertools.pairwise(piece)]


def _through(matrix: tuple[float, ...], place: tuple[float, ...]) -> tuple[float, ...]:
    """One matrix after the other (ISO 32000-2 §8.3.4)."""
    a, b, c, d, e, f = matrix
    p, q, r, s, t, u = place
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) > 0.00005 else "0"


def _glyph(width: int) -> int:
    return max(1, min(_WIDEST, width) // _STEP)


def _to_unicode(texts: list[str]) -> bytes:
    lines = [
        "/CIDInit /ProcSet findresource begin", "12 dict begin", "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def", "/CMapName /Adobe-Identity-UCS def", "/CMapType 2 def",
        "1 begincodespacerange", "<0000> <FFFF>", "endcodespacerange",
    ]  # fmt: skip
    for start in range(0, len(texts), _PER_BLOCK):
        block = texts[start : start + _PER_BLOCK]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{cid:04X}> <{text.encode('utf-16-be').hex().upper()}>" for cid, text in enumerate(block, start + 1)]
        lines.append("endbfchar")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode()


def _program() -> bytes:
    """A TrueType program (OpenType 1.9.1), as `sfnt` would write it, whose glyphs are lines without a surface: PDFium passes over text
    objects without extent, so glyph n is n x 50 units wide and as high as a line, and yet draws nothing in any mode.
    """
    widths = range(_STEP, _WIDEST + 1, _STEP)
    count = len(widths) + 1
    outlines = [b"", *(struct.pack(">hhhhhHHBBhhhh", 1, 0, -120, width, 880, 1, 0, 1, 1, 0, width, -120, 1000) for width in widths)]
    offsets = [sum(map(len, outlines[:index])) // 2 for index in range(count + 1)]
    cmap = struct.pack(">HHHHIHHHHHHH", 0, 1, 3, 1, 12, 4, 24, 0, 2, 2, 0, 0) + struct.pack(">HHHHH", 0xFFFF, 0, 0xFFFF, 1, 0)
    tables = {
        b"head": struct.pack(">IIIIHHQQhhhhHHhhh", 1 << 16, 1 << 16, 0, 0x5F0F3CF5, 0, 1000, 0, 0, 0, -120, _WIDEST, 880, 0, 8, 2, 0, 0),
        b"hhea": struct.pack(">IhhhHhhhhhhhhhhhH", 1 << 16, 880, -120, 0, _WIDEST, 0, 0, _WIDEST, 1, 0, 0, 0, 0, 0, 0, 0, count),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 1 << 16, count, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        b"hmtx": b"".join(struct.pack(">Hh", index * _STEP, 0) for index in range(count)),
        b"loca": struct.pack(f">{count + 1}H", *offsets),
        b"glyf": b"".join(outlines),
        b"cmap": cmap,
        b"post": struct.pack(">IIhhIIIII", 3 << 16, 0, -100, 50, 0, 0, 0, 0, 0),
    }  # fmt: skip
    directory, body = b"", b""
    for tag, table in sorted(tables.items()):
        directory += tag + struct.pack(">III", 0, 12 + 16 * len(tables) + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    return sfnt.rebuild(b"\x00\x01\x00\x00" + struct.pack(">HHHH", len(tables), 0, 0, 0) + directory + body)[0]


PROGRAM: Final = _program()
