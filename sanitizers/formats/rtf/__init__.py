"""Rich Text Format, which Word, 一太郎 and WordPad write, and which carried most of the attacks by mail that Japan has seen.

Removes: OLE objects and controls, templates and other outside files, DDE, macro and external fields, embedded fonts, data stores, persons.
Keeps: text in every encoding, formatting, styles, lists, tables, headers, notes, comments, pictures, shapes, local fields, allowed links.
Refuses: what is not RTF, binary data past the end, groups or tables past the limits.
Spec: RTF 1.9.1; MS-ODRAW for properties of shapes.
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.rtf import tokens
from sanitizers.formats.rtf.rebuild import Rebuild
from sanitizers.formats.rtf.tokens import Word
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Action, Kind, Malformed
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """The document anew. Raises Malformed or LimitExceeded."""
    found = tokens.read(source.bytes())
    if not any(isinstance(node, Word) and node.name in ("rt", "rtf") for node in found.root[:1]):
        raise Malformed("no \\rtf at the beginning")
    if found.after:
        context.found("rtf.trailing_data", "", Action.REMOVED, f"{found.after} bytes")
    if found.cut:
        context.found("rtf.unbalanced", "", Action.REWRITTEN)
    return Rebuilt(Source(Rebuild(context, found.root).document(found.root)), Kind.RTF)


SANITIZER: Final = Sanitizer(
    family="rtf",
    kinds=frozenset({Kind.RTF}),
    sanitize=sanitize,
    removes="OLE objects, controls, templates, outside files, DDE, macro and external fields, embedded fonts, data stores, author data",
    keeps="text in every encoding, formatting, styles, lists, tables, notes, comments, pictures, shapes, local fields, allowed links",
    refuses="what is not RTF, binary data past the end, groups or tables past the limits",
    spec="RTF 1.9.1; MS-ODRAW",
)
