"""Office Open XML: Word, Excel and PowerPoint since 2007, transitional and strict.

Removes: VBA, macro and dialog sheets, ActiveX, OLE objects, embedded files, altChunk, templates, external references, DDE and other fields
    and formulas that reach out, connections, custom UI, web extensions, media, fonts, printer settings, signatures, author metadata
Keeps: text, styles, tables, numbering, ruby, tracked changes, comments, local fields and formulas, charts, diagrams, shapes, pictures
    (each made anew), notes, transitions, animations, classification properties; macro kinds become plain kinds
Refuses: packages that two readers could read differently, DTDs, XML that is not well-formed, unknown main parts, limits
Spec: ECMA-376 parts 1 to 4 (5th edition), [MS-OI29500], [MS-DOCX], [MS-XLSX], [MS-PPTX], [MS-ODRAWXML]
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.ooxml.opc import Package
from sanitizers.formats.ooxml.rebuild import Rebuild
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source

KINDS: Final = frozenset(
    {
        Kind.DOCX, Kind.DOCM, Kind.DOTX, Kind.DOTM, Kind.XLSX, Kind.XLSM, Kind.XLTX, Kind.XLTM,
        Kind.PPTX, Kind.PPTM, Kind.PPSX, Kind.PPSM, Kind.POTX, Kind.POTM,
    }
)  # fmt: skip


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted (a member of the ZIP), LimitExceeded."""
    return Rebuild(Package(source, context), context).run()


SANITIZER: Final = Sanitizer(
    family="ooxml",
    kinds=KINDS,
    sanitize=sanitize,
    removes="macros, macro sheets, ActiveX, OLE, altChunk, templates, external references, DDE, connections, media, author metadata",
    keeps="text, layout, ruby, tracked changes, comments, local fields and formulas, charts, diagrams, pictures, classification marks",
    refuses="ambiguous packages, DTDs, broken XML, limits",
    spec="ECMA-376 1-4, MS-DOCX, MS-XLSX, MS-PPTX",
)
