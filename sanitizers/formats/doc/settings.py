"""What a document says of itself as a whole: [MS-DOC] 2.7.2 (Dop) → settings.xml, ECMA-376 part 1 §17.15."""

from __future__ import annotations

import struct
from typing import Final

from sanitizers.formats.doc.document import Document
from sanitizers.formats.doc.fib import Part

_SPACE: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OLDER_OPTIONS: Final = 84  # where Copts80 stands
_OPTIONS: Final = 512  # where those of Word 2000 stand
_NO_HTML_SPACING, _NO_LINE_HEIGHTS = 0x04, 0x08
_PROTECTED: Final = (("forms", 25), ("comments", 20), ("trackedChanges", 30))  # what may be changed, and the bit that says so
# In the order of the schema: name, bit of Copts80, whether the bit says the contrary.
_COMPATIBLE: Final = (
    ("wpJustification", 30, False), ("noTabHangInd", 0, False), ("noLeading", 19, False), ("spaceForUL", 20, True),
    ("noColumnBalance", 5, False), ("balanceSingleByteDoubleByteWidth", 15, True), ("doNotLeaveBackslashAlone", 12, True),
    ("ulTrailSpace", 14, True), ("doNotExpandShiftReturn", 13, True), ("lineWrapLikeWord6", 25, False),
    ("printBodyTextBeforeHeader", 18, False),
    ("printColBlack", 4, False), ("wpSpaceWidth", 29, False), ("showBreaksInFrames", 10, False), ("subFontBySize", 24, False),
    ("suppressTopSpacing", 7, False), ("suppressSpBfAfterPgBrk", 2, False), ("swapBordersFacingPages", 11, False),
    ("convMailMergeEsc", 6, False), ("truncateFontHeightsLikeWP6", 23, False), ("mwSmallCaps", 21, False), ("usePrinterMetrics", 31, False),
    ("wrapTrailSpaces", 3, False),
)  # fmt: skip


def write(document: Document) -> str:
    data = document.streams.part(Part.PROPERTIES)
    (flags,) = struct.unpack_from("<I", data, 4) if len(data) >= 8 else (0,)
    first = "".join(f"<w:{name}/>" for name, bit in (("mirrorMargins", 21), ("trackRevisions", 15)) if flags >> bit & 1)
    first += next((f'<w:documentProtection w:edit="{kind}" w:enforcement="1"/>' for kind, bit in _PROTECTED if flags >> bit & 1), "")
    facing = "<w:evenAndOddHeaders/>" if document.facing else ""
    notes = "".join(
        f'<w:{kind}Pr><w:{kind} w:id="-1"/><w:{kind} w:id="0"/></w:{kind}Pr>'
        for kind, found in (("footnote", document.footnotes), ("endnote", document.endnotes))
        if found
    )
    tab = f'<w:defaultTabStop w:val="{document.tab}"/>' + ("<w:autoHyphenation/>" if flags >> 12 & 1 else "")
    return f"<w:settings {_SPACE}>{first}{tab}{facing}{notes}{_compatible(data)}</w:settings>"


def _compatible(data: bytes) -> str:
    (bits,) = struct.unpack_from("<I", data, _OLDER_OPTIONS) if len(data) >= _OLDER_OPTIONS + 4 else (0,)
    later = data[_OPTIONS] if len(data) > _OPTIONS else _NO_HTML_SPACING
    lines = [f"<w:{name}/>" for name, bit, contrary in _COMPATIBLE if bool(bits >> bit & 1) is not contrary]
    lines.append("" if later & _NO_LINE_HEIGHTS else "<w:adjustLineHeightInTable/>")
    lines.append("<w:doNotUseHTMLParagraphAutoSpacing/>" if later & _NO_HTML_SPACING else "")
    return f"<w:compat>{''.join(lines)}<w:useFELayout/></w:compat>"
