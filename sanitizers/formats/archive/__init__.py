"""Archives and compressed files."""

from __future__ import annotations

from typing import Final

from sanitizers.context import Context, Rebuilt
from sanitizers.formats.archive import atc, compressed, foreign, held, tar
from sanitizers.formats.archive import zip as zip_archive
from sanitizers.formats.sanitizer import Sanitizer
from sanitizers.source import Source

_MODULES: Final = (
    zip_archive.SANITIZER, tar.SANITIZER, compressed.GZIP, compressed.OTHER, foreign.SANITIZER, atc.SANITIZER, held.SANITIZER,
)  # fmt: skip
_BY_KIND: Final = {kind: sanitizer.sanitize for sanitizer in _MODULES for kind in sanitizer.kinds}


def sanitize(source: Source, context: Context) -> Rebuilt:
    """By the kind in hand: a 7z comes out as zip, and whoever was asked about the one must be able to take the other."""
    return _BY_KIND[context.kind](source, context)


SANITIZERS: Final[tuple[Sanitizer, ...]] = tuple(sanitizer._replace(sanitize=sanitize) for sanitizer in _MODULES)
