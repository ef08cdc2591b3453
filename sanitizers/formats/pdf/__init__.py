"""PDF, all versions.

Removes: scripts, actions, attachments, XFA, media, 3D, signatures, persons in metadata, old revisions, foreign data, unknown keys.
Keeps: pages as drawn with fonts and text, links by allowed schemes, bookmarks, form fields, comments, layers, structure tree.
Refuses: what no reader opens, passwords not given, font programs that viewers use but that do not parse, limits exceeded.
Spec: ISO 32000-2:2020.
"""

from __future__ import annotations

from typing import Final

from sanitizers.formats.pdf.document import sanitize
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind

SANITIZER: Final = Sanitizer(
    family="pdf",
    kinds=frozenset({Kind.PDF}),
    sanitize=sanitize,
    removes="JavaScript and every action but links, attachments, XFA, media, signatures, old revisions, foreign data, persons in metadata",
    keeps="pages as drawn, text and fonts, safe links, bookmarks, fillable fields, comments, layers, structure tree",
    refuses="passwords not given, damage beyond recovery, font programs that do not parse",
    spec="ISO 32000-2:2020",
)
