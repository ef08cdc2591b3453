"""Excel 97 to 2003 and Excel 5/95 (.xls): read completely, written as a new xlsx.

Nothing of the old file's structures reaches the reader, neither its records nor its storages, so no weakness of a reader of BIFF can be
hit; and the macro container does not stay behind empty, as it does where a compound file is written again. What Excel itself does when it
saves the workbook as xlsx is done here from the specification: texts, numbers, formulas from their tokens, formats, page, names.

Removes: VBA, macro and dialog sheets, Auto_ names, DDE and OLE links, external references and names (the values last calculated stay),
    embedded objects, controls, connections, sheets that are charts, author data, all that hides outside the records of a sheet
Keeps: sheets, texts with their runs and phonetic guides, numbers, dates, formulas, names, formats, conditional formats, validation, links
    of allowed schemes, charts (drawn anew), page set-up, frozen panes, classification properties; the result is an xlsx
Refuses: compound files or records that contradict themselves, Excel 4 and older, encryption that no password opens, limits
Spec: [MS-XLS], [MS-CFB], [MS-OSHARED], [MS-OFFCRYPTO], ECMA-376 part 1 §18
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.formats.xls.rebuild import rebuild
from sanitizers.model import Kind
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
    return rebuild(source, context)


SANITIZER: Final = Sanitizer(
    family="xls",
    kinds=frozenset({Kind.XLS}),
    sanitize=sanitize,
    removes="VBA, macro sheets, DDE, OLE, external references, objects, controls, connections, author data; becomes xlsx",
    keeps="text, numbers, formulas, formats, names, conditional formats, validation, links, charts, page set-up, classification marks",
    refuses="broken compound files and records, Excel 4 and older, encryption that no password opens",
    spec="MS-XLS, MS-CFB",
)
