"""Word 97 to 2003 (.doc, .dot): read completely, written as a new docx.

Why a docx and not a rebuilt .doc: nothing of the old file's structures reaches the reader, so no weakness of a reader of piece tables,
formatted pages or plexes can be hit; the macro container does not stay behind empty; and the second opinion and the second pass of Office
packages look at every byte that goes out. What Word itself does when it saves the document as docx is done here from the specification:
text from its pieces, the looks of characters, paragraphs, rows and sections from their lists of changes, styles, lists, notes, drawings.

Removes: VBA, commands of macros, embedded objects and controls (their picture stays), attached templates, mail merge sources,
    sub-documents, document variables, DDE and other fields that reach out (what they showed stays), author data, saved-by history,
    all that hides outside of what the head refers to
Keeps: text, ruby, looks, styles, tables, lists, notes, comments, tracked changes, headers, sections, local fields,
    links of allowed schemes, bookmarks, form fields, pictures, simple shapes, text boxes, classification properties; it becomes a docx
Refuses: compound files, pieces or lists of places that contradict themselves, Word 95 and older (of Word 6 and 95 the text alone goes out
    where policy wants it), encryption that no password opens, limits
Spec: [MS-DOC], [MS-ODRAW], [MS-CFB], [MS-OSHARED], [MS-OFFCRYPTO], ECMA-376 part 1 §17
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.doc.rebuild import rebuild
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, Encrypted, LimitExceeded."""
    return rebuild(source, context)


SANITIZER: Final = Sanitizer(
    family="doc",
    kinds=frozenset({Kind.DOC}),
    sanitize=sanitize,
    removes="VBA, objects, controls, templates, mail merge, DDE and external fields, variables, author data; becomes docx",
    keeps="text, ruby, looks, styles, tables, lists, notes, comments, tracked changes, headers, sections, local fields, links, pictures",
    refuses="broken compound files and structures, Word 95 and older, encryption that no password opens",
    spec="MS-DOC, MS-ODRAW, MS-CFB",
)
