"""What cannot be opened here, and the reason in words that can be passed on to the sender.

Removes: nothing, it is held
Keeps: nothing
Refuses: ARJ archives; parts of split sets, which are no file by themselves; bytes of no known kind
Spec: APPNOTE 8 (split archives); the names that 7-Zip, WinRAR, WinZip and Lhaplus give to volumes
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.model import Kind, Unsupported
from sanitizers.source import Source

# report.zip.002, report.z01, report.part2.rar, report.r00, report.a01, report.7z.010
_VOLUME: Final = re.compile(r".*\.(?:\d{3}|[zra]\d\d|part\d{1,4}\.(?:rar|zip|7z))", re.IGNORECASE | re.DOTALL)
_SPANNED: Final = b"PK\x07\x08"


def is_volume(source: Source, name: str) -> bool:
    """Whether the name or the marker of a first volume says that this is one part of several."""
    return _VOLUME.fullmatch(name.rstrip(". ")) is not None or source.head(4) == _SPANNED


def sanitize(source: Source, context: Context) -> Rebuilt:
    """Always raises Unsupported."""
    if is_volume(source, context.name):
        raise Unsupported("part of a split set: ask the sender for one file", code="archive.multi_volume")
    raise Unsupported(f"{context.kind}: ask the sender for a ZIP" if context.kind is Kind.ARJ else context.kind)


SANITIZER = Sanitizer(
    family="archive",
    kinds=frozenset({Kind.ARJ, Kind.UNKNOWN}),
    sanitize=sanitize,
    removes="nothing: it is held",
    keeps="nothing",
    refuses="ARJ, parts of split sets, bytes of no known kind",
    spec="APPNOTE 8",
)
