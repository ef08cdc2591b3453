"""Small font programs built by code, and PDF files that show them: Japanese in every way in which PDF can write it."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Final

import pikepdf
from fontTools.fontBuilder import FontBuilder
from fontTools.misc.psCharStrings import T2CharString
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Pdf, String

from sanitizers.formats.pdf import type1
from tests.build.pdf import saved

# Glyph 0 is .notdef. U+E000 is a character of one town's own (外字).
TEXT: Final = "日本語無害化\ue000"
NAMES: Final = [".notdef", *(f"g{index}" for index in range(1, len(TEXT) + 1))]


def _draw(pen: TTGlyphPen | T2CharStringPen, index: int) -> None:
    """A frame with as many bars in it as the glyph's number: all differ."""
    for left, bottom, right, top in [(0, 0, 900, 60), *((60 + 110 * bar, 100, 120 + 110 * bar, 400 + 50 * bar) for bar in range(index))]:
        pen.moveTo((left, bottom))
        pen.lineTo((left, top))
        pen.lineTo((right, top))
        pen.lineTo((right, bottom))
        pen.closePath()


def _builder(*, outlines: str) -> FontBuilder:
    builder = FontBuilder(1000, isTTF=outlines == "glyf")
    builder.setupGlyphOrder(NAMES)
    builder.setupCharacterMap({ord(character): NAMES[index] for index, character in enumerate(TEXT, 1)})
    if outlines == "glyf":
        glyphs = {}
        for index, name in enumerate(NAMES):
            pen = TTGlyphPen(None)
            _draw(pen, index)
            glyphs[name] = pen.glyph()
        builder.setupGlyf(glyphs)
    else:
        strings = {}
        for index, name in enumerate(NAMES):
            pen = T2CharStringPen(1000, None)
            _draw(pen, index)
            strings[name] = pen.getCharString()
        builder.setupCFF("Komoro", {"FullName": "Komoro"}, strings, {})
    builder.setupHorizontalMetrics(dict.fromkeys(NAMES, (1000, 0)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "Komoro", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    return builder


def _written(font: TTFont) -> bytes:
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()


def truetype() -> bytes:
    return _written(_builder(outlines="glyf").font)


def opentype() -> bytes:
    return _written(_builder(outlines="CFF ").font)


def _table(font: TTFont) -> bytes:
    written = TTFont(io.BytesIO(_written(font)))
    return bytes(written.reader["CFF "])


def cff() -> bytes:
    """Name-keyed."""
    return _table(_builder(outlines="CFF ").font)


def _index(items: list[bytes]) -> bytes:
    if not items:
        return b"\x00\x00"
    offsets = [1]
    for item in items:
        offsets.append(offsets[-1] + len(item))
    return struct.pack(">HB", len(items), 4) + b"".join(struct.pack(">I", offset) for offset in offsets) + b"".join(items)


def _operands(*numbers: int) -> bytes:
    return b"".join(struct.pack(">Bi", 29, number) for number in numbers)


def charstring(index: int) -> bytes:
    """The frame and bars of a glyph as a charstring of Type 2."""
    pen = T2CharStringPen(1000, None)
    _draw(pen, index)
    string = pen.getCharString()
    string.compile()
    return bytes(string.bytecode)


def t2(program: list[int | str]) -> bytes:
    """A charstring of Type 2 out of numbers and operators."""
    string = T2CharString(program=program)
    string.compile()
    return bytes(string.bytecode)


def keyed_cff(glyphs: list[bytes] | None = None, *, global_subrs: list[bytes] | None = None, top: bytes = b"", inner: bytes = b"") -> bytes:
    """CID-keyed, as Japanese fonts are: CID = glyph. `top`, `inner`: more of the top and of the private dictionary."""
    strings = _index(glyphs if glyphs is not None else [charstring(index) for index in range(len(NAMES))])
    count = len(glyphs) if glyphs is not None else len(NAMES)
    charset, select = struct.pack(">BHH", 2, 1, count - 2), struct.pack(">BHHBH", 3, 1, 0, 0, count)
    private = b"\x8b\x14" + inner     # defaultWidthX 0

    def head(at: tuple[int, int, int, int]) -> bytes:
        ros = struct.pack(">BhBhB", 28, 391, 28, 392, 139) + b"\x0c\x1e"
        places = b"".join(_operands(place) + operator for place, operator in zip(at, (b"\x0f", b"\x0c\x25", b"\x11", b"\x0c\x24"), strict=True))
        return b"\x01\x00\x04\x04" + _index([b"Komoro"]) + _index([ros + top + places]) + _index([b"Adobe", b"Identity"]) + _index(global_subrs or [])

    start = len(head((0, 0, 0, 0)))
    places = (start, start + len(charset), start + len(charset) + len(select), start + len(charset) + len(select) + len(strings))
    size = len(_index([_operands(len(private), 0) + b"\x12"]))
    array = _index([_operands(len(private), places[3] + size) + b"\x12"])
    return head(places) + charset + select + strings + array + private


def type1_program(*, clear: bytes = b"", private: bytes = b"", matrix: bytes = b"[0.001 0 0 0.001 0 0]") -> bytes:
    """A Type 1 font whose letters A to C are frames; `clear` and `private` are PostScript slipped into its two parts."""
    glyphs = b"".join(
        b"/%b %d RD %b ND\n" % (name, len(body), body)
        for name, body in ((name, _type1_glyph(index)) for index, name in enumerate((b".notdef", b"A", b"B", b"C")))
    )
    head = (
        b"%!PS-AdobeFont-1.0: Komoro\n12 dict begin\n/FontInfo 2 dict dup begin /Notice (town) readonly def end readonly def\n/FontName /Komoro def\n"
        b"/PaintType 0 def /FontType 1 def /FontMatrix " + matrix + b" readonly def\n" + clear + b"\n/Encoding 256 array\n"
        b"0 1 255 {1 index exch /.notdef put} for\ndup 65 /A put\ndup 66 /B put\ndup 8#103/C put\nreadonly def\n"
        b"/FontBBox {0 0 1000 1000} readonly def\ncurrentdict end\ncurrentfile eexec\n"
    )
    body = (
        b"dup /Private 12 dict dup begin\n/RD {string currentfile exch readstring pop} executeonly def\n/ND {noaccess def} executeonly def\n"
        b"/NP {noaccess put} executeonly def\n/BlueValues [-10 0 700 710] def\n/MinFeature {16 16} def\n/password 5839 def\n" + private
        + b"\n/Subrs 1 array\ndup 0 5 RD " + type1.encrypt(bytes(4) + b"\x0b", 4330) + b" NP\nND\n2 index /CharStrings 4 dict dup begin\n"
        + glyphs + b"end\nend\nreadonly put\nnoaccess put\ndup /FontName get exch definefont pop\nmark currentfile closefile\n"
    )
    return head + type1.encrypt(bytes(4) + body, 55665) + b"\n" + (b"0" * 64 + b"\n") * 8 + b"cleartomark\n"


def _number(value: int) -> bytes:
    return b"\xff" + struct.pack(">i", value)


def _type1_glyph(index: int) -> bytes:
    """`0 1000 hsbw`, a rectangle as wide as the glyph's number says, `endchar`."""
    width, height = _number(300 * index), _number(700)
    program = _number(0) + _number(1000) + b"\x0d" + _number(0) + b"\x16" + width + b"\x06" + height + b"\x07" + _number(-300 * index) + b"\x06\x09\x0e"
    return type1.encrypt(bytes(4) + program, 4330)


_CMAP: Final = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /{name} def
/CMapType {kind} def
{more}1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{count} begin{table}
{rows}
end{table}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


def _to_unicode() -> bytes:
    rows = "\n".join(f"<{index:04X}> <{character.encode('utf-16-be').hex().upper()}>" for index, character in enumerate(TEXT, 1))
    return _CMAP.format(name="Adobe-Identity-UCS", kind=2, more="", count=len(TEXT), table="bfchar", rows=rows).encode()


def _own_cmap() -> bytes:
    """Codes from 0x2001 on, in the way that some printers' drivers count."""
    rows = f"<2001> <{0x2000 + len(TEXT):04X}> 1"
    return _CMAP.format(name="Komoro-H", kind=1, more="/WMode 0 def\n", count=1, table="cidrange", rows=rows).encode()


def _codes(first: int = 1) -> str:
    return "".join(f"{first + index:04X}" for index in range(len(TEXT)))


def _shown(document: Pdf, font: Dictionary, *strings: str, vertical: bool = False) -> Pdf:
    page = document.add_blank_page(page_size=(300, 300))
    page.obj.Resources = Dictionary(Font=Dictionary(J1=document.make_indirect(font)))
    start, step = ("1 0 0 1 250 280 Tm", "-60 0 Td") if vertical else ("1 0 0 1 20 250 Tm", "0 -60 Td")
    lines = f" {step} ".join(f"<{string}> Tj" for string in strings)
    page.obj.Contents = document.make_stream(f"BT /J1 30 Tf {start} {lines} ET".encode())
    return document


def _composite(document: Pdf, encoding: object, program: tuple[str, bytes, str] | None, *, ordering: str = "Identity", **more: object) -> Dictionary:
    """A Type 0 font. `program`: key of the descriptor, bytes, subtype of the stream."""
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name("/AAAAAA+Komoro"), Flags=4, FontBBox=[0, -120, 1000, 880], ItalicAngle=0, Ascent=880,
        Descent=-120, CapHeight=700, StemV=80,
    )
    if program is not None:
        file = document.make_stream(program[1])
        if program[2]:
            file.Subtype = Name(f"/{program[2]}")
        else:
            file.Length1 = len(program[1])
        descriptor[f"/{program[0]}"] = file
    kind = "CIDFontType0" if program is not None and program[0] == "FontFile3" else "CIDFontType2"
    name = Name("/AAAAAA+Komoro") if program is not None else Name("/HeiseiKakuGo-W5")
    descendant = Dictionary(
        Type=Name.Font, Subtype=Name(f"/{kind}"), BaseFont=name, FontDescriptor=document.make_indirect(descriptor), DW=1000,
        CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String(ordering), Supplement=0 if ordering == "Identity" else 2),
        **more,
    )
    return Dictionary(Type=Name.Font, Subtype=Name.Type0, BaseFont=name, Encoding=encoding, DescendantFonts=[document.make_indirect(descendant)])


def _identity_truetype(document: Pdf) -> Pdf:
    font = _composite(document, Name("/Identity-H"), ("FontFile2", truetype(), ""), CIDToGIDMap=Name.Identity, W=Array([1, Array([1000, 900]), 3, 7, 1000]))
    font.ToUnicode = document.make_stream(_to_unicode())
    return _shown(document, font, _codes())


def _identity_cff(document: Pdf) -> Pdf:
    font = _composite(document, Name("/Identity-H"), ("FontFile3", cff(), "CIDFontType0C"))
    font.ToUnicode = document.make_stream(_to_unicode())
    return _shown(document, font, _codes())


def _identity_keyed_cff(document: Pdf) -> Pdf:
    font = _composite(document, Name("/Identity-H"), ("FontFile3", keyed_cff(), "CIDFontType0C"))
    font.ToUnicode = document.make_stream(_to_unicode())
    return _shown(document, font, _codes())


def _identity_opentype(document: Pdf) -> Pdf:
    font = _composite(document, Name("/Identity-H"), ("FontFile3", opentype(), "OpenType"))
    font.ToUnicode = document.make_stream(_to_unicode())
    return _shown(document, font, _codes())


def _vertical(document: Pdf) -> Pdf:
    """Identity-V with its own vertical metrics."""
    font = _composite(
        document, Name("/Identity-V"), ("FontFile2", truetype(), ""), CIDToGIDMap=Name.Identity, DW2=Array([880, -1000]),
        W2=Array([1, Array([-900, 500, 880, -1100, 450, 800]), 3, 5, -950, 480, 880]),
    )  # fmt: skip
    font.ToUnicode = document.make_stream(_to_unicode())
    return _shown(document, font, _codes(), vertical=True)


def _glyph_map(document: Pdf) -> Pdf:
    """CID n is glyph 8 - n."""
    table = b"\x00\x00" + b"".join(struct.pack(">H", len(TEXT) + 1 - cid) for cid in range(1, len(TEXT) + 1))
    font = _composite(document, Name("/Identity-H"), ("FontFile2", truetype(), ""), CIDToGIDMap=document.make_stream(table))
    font.ToUnicode = document.make_stream(_to_unicode())
    return _shown(document, font, _codes())


def _cmap_of_its_own(document: Pdf) -> Pdf:
    system = Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0)
    encoding = document.make_stream(_own_cmap(), Type=Name.CMap, CMapName=Name("/Komoro-H"), CIDSystemInfo=system, WMode=0)
    font = _composite(document, encoding, ("FontFile2", truetype(), ""), CIDToGIDMap=Name.Identity)
    return _shown(document, font, _codes(0x2001))


def _not_embedded(document: Pdf, cmap: str, coding: str, *, vertical: bool = False) -> Pdf:
    """A font of the viewer's, by a predefined CMap."""
    font = _composite(document, Name(f"/{cmap}"), None, ordering="Japan1", W=Array([1, Array([278]), 231, 632, 500]), DW2=Array([880, -1000]))
    return _shown(document, font, "日本語縦書き、「無害化」".encode(coding).hex(), "ｶﾀｶﾅ ABC 123".encode(coding).hex(), vertical=vertical)


JAPANESE: Final[dict[str, Callable[[Pdf], Pdf]]] = {
    "Identity-H, TrueType": _identity_truetype, "Identity-H, CFF": _identity_cff, "Identity-H, CID-keyed CFF": _identity_keyed_cff,
    "Identity-H, OpenType": _identity_opentype, "Identity-V, W2 and DW2": _vertical, "CIDToGIDMap": _glyph_map, "CMap of its own": _cmap_of_its_own,
    **{f"{cmap}, not embedded": lambda document, cmap=cmap, coding=coding: _not_embedded(document, cmap, coding, vertical=cmap.endswith("V"))
       for cmap, coding in (
           ("90ms-RKSJ-H", "cp932"), ("90ms-RKSJ-V", "cp932"), ("90msp-RKSJ-H", "cp932"), ("UniJIS-UTF16-H", "utf-16-be"),
           ("UniJIS-UTF16-V", "utf-16-be"), ("UniJIS-UCS2-H", "utf-16-be"), ("EUC-H", "euc-jp"),
       )},
}  # fmt: skip
# What PDFium must read in those that name their characters.
READ: Final = dict.fromkeys(("Identity-H, TrueType", "Identity-H, CFF", "Identity-H, CID-keyed CFF", "Identity-H, OpenType", "CIDToGIDMap"), TEXT)


def japanese_document(name: str) -> Pdf:
    return JAPANESE[name](pikepdf.new())


def japanese(name: str) -> bytes:
    return saved(japanese_document(name))


def simple(program: tuple[str, bytes, str], subtype: str, text: bytes = b"ABC", **more: object) -> bytes:
    """A page that shows `text` in a simple font with this embedded program."""
    document = pikepdf.new()
    descriptor = Dictionary(
        Type=Name.FontDescriptor, FontName=Name.Komoro, Flags=4, FontBBox=[0, 0, 1000, 1000], ItalicAngle=0, Ascent=880, Descent=-120,
        CapHeight=700, StemV=80,
    )
    file = document.make_stream(program[1])
    if program[2]:
        file.Subtype = Name(f"/{program[2]}")
    descriptor[f"/{program[0]}"] = file
    font = Dictionary(
        Type=Name.Font, Subtype=Name(f"/{subtype}"), BaseFont=Name.Komoro, FirstChar=65, LastChar=67, Widths=[1000] * 3,
        FontDescriptor=document.make_indirect(descriptor), **more,
    )
    return saved(_shown(document, font, text.hex()))
