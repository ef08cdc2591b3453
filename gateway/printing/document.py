"""Pages as a PDF 1.7 document (PDF 32000-1): text and lines, nothing that acts. The same paper gives the same bytes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from typing import Final

from gateway.printing.layout import Box, Page, Text, laid_out
from gateway.printing.letters import clean, runs
from gateway.printing.paper import Paper

# Objects that stand before the pages: 1 the catalog, 2 the page tree, 3 the information, 4 to 7 the fonts.
_BEFORE: Final = 7
_FONTS: Final = (
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    b"<</Type/Font/Subtype/Type0/BaseFont/HeiseiKakuGo-W5-UniJIS-UTF16-H/Encoding/UniJIS-UTF16-H/DescendantFonts[6 0 R]>>",
    # Half-width katakana are the CIDs 327 to 389 of Adobe-Japan1.
    (
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/HeiseiKakuGo-W5/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 6>>"
        b"/FontDescriptor 7 0 R/DW 1000/W[327 389 500]>>"
    ),
    (
        b"<</Type/FontDescriptor/FontName/HeiseiKakuGo-W5/Flags 4/FontBBox[-92 -250 1010 922]/ItalicAngle 0/Ascent 752/Descent -221"
        b"/CapHeight 737/StemV 80>>"
    ),
)


def printed(paper: Paper) -> bytes:
    """The paper as a PDF document."""
    pages, across, high = laid_out(paper)
    kids = b" ".join(b"%d 0 R" % (_BEFORE + 1 + 2 * place) for place in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/Lang(ja)/ViewerPreferences<</DisplayDocTitle true>>>>",
        b"<</Type/Pages/Count %d/Kids[%b]/MediaBox[0 0 %b %b]/Resources<</Font<</F1 4 0 R/F2 5 0 R>>>>>>"
        % (len(pages), kids, _number(across), _number(high)),
        b"<</Title<%b>>>" % ("\ufeff" + clean(paper.title).replace("\n", " ")).encode("utf-16-be").hex().encode(),
        *_FONTS,
    ]
    for place, page in enumerate(pages):
        content = zlib.compress(b"\n".join(_drawn(page)), 6)
        objects.append(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R>>" % (_BEFORE + 2 + 2 * place))
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(content), content))
    return _file(objects)


def _drawn(page: Page) -> Iterator[bytes]:
    yield b"0.5 w 0.6 G"
    # Shades first: they would hide what was drawn before.
    for thing in sorted(page.drawn, key=_order):
        match thing:
            case Box(grey=None):
                yield _rectangle(thing) + b" S"
            case Box():
                yield b"%b g %b f 0 g" % (_number(thing.grey or 0), _rectangle(thing))
            case Text():
                yield from _text(thing)


def _order(thing: Text | Box) -> int:
    return 2 if isinstance(thing, Text) else 1 if thing.grey is None else 0


def _rectangle(box: Box) -> bytes:
    return b"%b re" % b" ".join(map(_number, (box.x, box.y, box.across, box.high)))


def _text(thing: Text) -> Iterator[bytes]:
    """Heavy letters are filled and outlined: a second font would not be the same one everywhere."""
    if not thing.text:
        return
    yield b"BT %b %b Td" % (_number(thing.x), _number(thing.y))
    yield b"2 Tr 0.3 w 0 G" if thing.bold else b"0 Tr"
    for name, data in runs(thing.text):
        yield b"/%b %b Tf <%b> Tj" % (name.encode(), _number(thing.size), data.hex().encode())
    yield b"ET 0.5 w 0.6 G"


def _number(value: float) -> bytes:
    return f"{value:.2f}".rstrip("0").rstrip(".").encode()


def _file(objects: list[bytes]) -> bytes:
    parts, places, length = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"], [], 15
    for number, body in enumerate(objects, 1):
        places.append(length)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        length += len(parts[-1])
    mark = hashlib.sha256(b"".join(parts)).hexdigest()[:32].encode()
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table))
    parts.append(b"trailer\n<</Size %d/Root 1 0 R/Info 3 0 R/ID[<%b><%b>]>>\n" % (len(objects) + 1, mark, mark))
    parts.append(b"startxref\n%d\n%%%%EOF\n" % length)
    return b"".join(parts)
