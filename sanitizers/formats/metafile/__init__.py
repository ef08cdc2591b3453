"""Metafiles (EMF, WMF): lists of calls to the Windows drawing interface, read to the end and written anew from a list of known calls.

Removes: escapes (META_ESCAPE SetAbortProc, CVE-2005-4560), comments, EMF+ beside EMF, OpenGL, colour profiles and printer data, calls
    with objects that do not exist, unknown calls, the description, bytes between and after the records.
Keeps: lines, shapes, paths, text, fonts, clipping, transforms, the placeable header; pictures inside (rebuilt).
Refuses: broken records, drawings that EMF+ alone shows.
Spec: MS-EMF, MS-EMFPLUS, MS-WMF.
"""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.metafile import emf, wmf
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind
from sanitizers.source import Source


def sanitize(source: Source, context: Context) -> Rebuilt:
    """A new metafile of the same kind. Raises Malformed and Unsupported."""
    rebuild = emf.rebuild if context.kind is Kind.EMF else wmf.rebuild
    return Rebuilt(Source(rebuild(source.view, context)), context.kind)


SANITIZER: Final = Sanitizer(
    family="metafile",
    kinds=frozenset({Kind.EMF, Kind.WMF}),
    sanitize=sanitize,
    removes="escapes, comments, EMF+, OpenGL and printer data, profiles, unknown calls, the description",
    keeps="shapes, text, clipping, the placeable header, pictures inside (rebuilt)",
    refuses="broken records, drawings that EMF+ alone shows",
    spec="MS-EMF, MS-EMFPLUS, MS-WMF",
)
