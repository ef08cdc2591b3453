"""Bytes that are in memory already, read by qpdf as it reads a file.

pikepdf reads a stream through its methods, some 80 calls for each object. Of a file it makes a map and calls nothing, but needs a descriptor,
and a jailed process can open none. So for the moment of opening it is handed the bytes in place of the map that it asks for. A pikepdf that
asks in another way reads the same bytes as a stream.
"""

from __future__ import annotations

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

import pikepdf

from sanitizers.source import Source


class _Map(bytearray):
    """The bytes, which are not mapped and so need not be unmapped."""

    def close(self) -> None:
        pass


class _File(io.BufferedReader):
    """The same bytes as a stream that claims to have a descriptor."""

    def fileno(self) -> int:
        return -1

    def __repr__(self) -> str:
        return "<the file>"


def open_mapped(source: Source, password: bytes) -> pikepdf.Pdf:
    """As `pikepdf.open`, with its exceptions."""
    with _in_place_of_a_map(_Map(source.view)):
        return pikepdf.open(
            _File(source.stream()), password=password, conversion_mode="explicit", inherit_page_attributes=False,
            access_mode=pikepdf.AccessMode.mmap,
        )  # fmt: skip


@contextmanager
def _in_place_of_a_map(content: _Map) -> Iterator[None]:
    usual = mmap.mmap
    mmap.mmap = lambda *_, **__: content  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        mmap.mmap = usual  # type: ignore[misc]
