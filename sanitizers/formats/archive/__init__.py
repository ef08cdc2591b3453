"""Archives and compressed files."""

from __future__ import annotations

from typing import Final

from sanitizers.formats.archive import compressed, foreign, tar
from sanitizers.formats.archive import zip as zip_archive
from sanitizers.formats.sanitizer import Sanitizer

SANITIZERS: Final[tuple[Sanitizer, ...]] = (
    zip_archive.SANITIZER,
    tar.SANITIZER,
    compressed.GZIP,
    compressed.OTHER,
    foreign.SANITIZER,
)
