"""Compound files as the second opinions see them: by olefile, not by the reader that the sanitizers have."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import olefile

from sanitizers.model import VerificationFailed
from sanitizers.source import Source


@contextmanager
def opened(source: Source) -> Iterator[olefile.OleFileIO]:
    """An olefile. Raises VerificationFailed for whatever it or the block stumbles over. It finds streams by name in any case."""
    try:
        with olefile.OleFileIO(io.BytesIO(source.bytes())) as compound:
            yield compound
    except (OSError, LookupError, ValueError, struct.error) as error:
        raise VerificationFailed(f"olefile: {type(error).__name__}") from None


def streams(source: Source) -> dict[str, bytes]:
    """All streams by their paths with `/`, and storages, which are empty. Raises VerificationFailed."""
    with opened(source) as compound:
        return {
            "/".join(path): compound.openstream(path).read() if compound.get_type(path) == olefile.STGTY_STREAM else b""
            for path in compound.listdir(streams=True, storages=True)
        }
