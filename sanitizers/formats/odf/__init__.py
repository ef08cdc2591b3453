"""OpenDocument: text, spreadsheets, presentations and drawings, their templates, as packages or as flat XML (which become packages).

Removes: Basic and scripts, event listeners, OLE objects, applets, plug-ins, frames, media, DDE, external pictures and sources, databases,
    foreign formulas, configurations, thumbnails, signatures, old versions, RDF, fonts, author and printer data
Keeps: text, styles, tables, ruby, tracked changes, comments, forms, formulas, charts and formulas as objects, pictures (each made anew),
    animations, classification properties, view settings
Refuses: ambiguous packages, DTDs, broken XML, encryption that no password opens, limits
Spec: OASIS OpenDocument 1.3 parts 2, 3 and 4
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.odf.flat import Flat
from sanitizers.formats.odf.package import open_package
from sanitizers.formats.odf.rebuild import DOCUMENTS, Rebuild
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source

_FLAT: Final = frozenset({Kind.FODT, Kind.FODS, Kind.FODP})


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Encrypted, LimitExceeded."""
    given = Flat(source, context) if context.kind in _FLAT else open_package(source, context)
    return Rebuild(given, context).run()


SANITIZER: Final = Sanitizer(
    family="odf",
    kinds=frozenset(DOCUMENTS.values()) | _FLAT,
    sanitize=sanitize,
    removes="Basic, scripts, event listeners, OLE, plug-ins, DDE, external references, databases, configurations, author data",
    keeps="text, layout, ruby, tracked changes, comments, forms, formulas, charts, pictures, animations, classification marks",
    refuses="ambiguous packages, DTDs, broken XML, encryption that no password opens, limits",
    spec="OpenDocument 1.3",
)
