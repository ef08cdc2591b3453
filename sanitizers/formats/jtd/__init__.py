"""一太郎 (.jtd, .jtt and compressed .jtdc, .jttc): read to the end, written as a new compound file with the streams that could be judged.

The maker has published nothing about the format. What is known of it was found out by others from public documents: the block store, the
records of the text, the looks of characters, the fonts, the frame of the styles, the table of streams. A stream of which that is known is
checked to its last byte and laid out anew. The values inside styles are copied as they are, which a finding says. A document with a stream,
a record or a control of which nothing is known is held: without it the document could not be shown to be whole, with it not to be harmless.

Removes: macros, embedded and OLE objects, author data, related documents, caches of the layout, all that hides outside the streams
Keeps: text with its records and looks, headers and footers, notes, fonts, styles; the result is never compressed
Refuses: text or tables that contradict themselves; held: frames, figures, sheets and all that is not known (beside them the text alone
    goes out where policy wants it)
Spec: none by the maker; observed on public documents
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.jtd.rebuild import rebuild
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Raises Malformed, Unsupported, LimitExceeded."""
    return rebuild(source, context)


SANITIZER: Final = Sanitizer(
    family="jtd",
    kinds=frozenset({Kind.JTD}),
    sanitize=sanitize,
    removes="macros, embedded and OLE objects, author data, related documents, caches of the layout; unpacked",
    keeps="text with its records and looks, headers, footers, notes, fonts, styles",
    refuses="text or tables that contradict themselves; frames, figures, sheets and all that is not known",
    spec="none by the maker; observed on public documents",
)
