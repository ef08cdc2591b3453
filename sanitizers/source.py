"""The bytes of one part, read-only: in a mapped descriptor, in memory, or folded up where they are many.

An archive may hold one member of hundreds of megabytes. Such a one is kept as raw deflate and unfolded block by block for whoever can
work that way; anyone else gets the whole of it for as long as it is needed.
"""

from __future__ import annotations

import builtins
import hashlib
import io
import weakref
from collections.abc import Iterator
from functools import cached_property
from typing import Any, BinaryIO, Final

from isal import isal_zlib

BLOCK: Final = 1 << 20            # bytes of one block, of any source
FOLDED_FROM: Final = 32 << 20     # bytes: what is larger is folded up
_LEVEL: Final = 2


class Source:
    """A read-only run of bytes. Slices of `view` cost nothing; `bytes()` copies."""

    def __init__(self, data: builtins.bytes | bytearray | memoryview) -> None:
        self._view = memoryview(data).toreadonly().cast("B")

    def __len__(self) -> int:
        return len(self._view)

    @property
    def view(self) -> memoryview:
        return self._view

    def bytes(self) -> builtins.bytes:
        """All of it, copied unless it is already one bytes object."""
        view = self.view
        whole = view.obj
        if isinstance(whole, builtins.bytes) and len(whole) == len(view):
            return whole
        return builtins.bytes(view)

    def blocks(self) -> Iterator[builtins.bytes]:
        """All of it, in blocks of BLOCK bytes, the last one shorter."""
        for start in range(0, len(self), BLOCK):
            yield builtins.bytes(self._view[start : start + BLOCK])

    def runs_of_lines(self) -> Iterator[builtins.bytes]:
        """All of it, in runs of about BLOCK bytes that end behind a line feed, except the last."""
        waiting: list[builtins.bytes] = []
        for block in self.blocks():
            cut = block.rfind(b"\n") + 1
            if cut:
                yield b"".join((*waiting, block[:cut]))
                waiting = []
            waiting.append(block[cut:])
        if any(waiting):
            yield b"".join(waiting)

    def part(self, start: int, size: int) -> builtins.bytes:
        """At most `size` bytes from `start`."""
        return builtins.bytes(self._view[start : start + size])

    def head(self, size: int) -> builtins.bytes:
        return self.part(0, size)

    def tail(self, size: int) -> builtins.bytes:
        return self.part(max(0, len(self) - size), size)

    def stream(self) -> BinaryIO:
        """A seekable reader of its own position."""
        return io.BufferedReader(_Reader(self), BLOCK)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.view).hexdigest()


class Folded(Source):
    """A source kept as raw deflate: `pieces` are blocks that end on a byte and need nothing before them; `CLOSING` makes them a stream."""

    CLOSING: Final = b"\x03\x00"

    def __init__(self, pieces: list[builtins.bytes], size: int, crc: int, sha256: str) -> None:
        self.pieces = pieces
        self.crc = crc
        self._size = size
        self._last: tuple[int, builtins.bytes] = (-1, b"")
        self._whole: weakref.ref[memoryview] = weakref.ref(memoryview(b""))
        self.__dict__["sha256"] = sha256

    def __len__(self) -> int:
        return self._size

    @property
    def view(self) -> memoryview:
        """Unfolded whole; only as long as somebody holds it."""
        whole = self._whole()
        if whole is None or len(whole) != self._size:
            whole = memoryview(b"".join(self.blocks()))
            self._whole = weakref.ref(whole)
        return whole

    def blocks(self) -> Iterator[builtins.bytes]:
        return map(_unfolded, self.pieces)

    def part(self, start: int, size: int) -> builtins.bytes:
        """`size` bytes from `start` on; fewer at the end."""
        size = min(size, self._size - start)
        if size <= 0:
            return b""
        first, last = start // BLOCK, (start + size - 1) // BLOCK
        if first == last:       # whoever walks through in small steps need not unfold a block for each
            if self._last[0] != first:
                self._last = (first, _unfolded(self.pieces[first]))
            return self._last[1][start - first * BLOCK :][:size]
        run = b"".join(map(_unfolded, self.pieces[first : last + 1]))
        return run[start - first * BLOCK :][:size]


class Folding:
    """Takes bytes in any portions; `source` then has all of them, folded if they are many."""

    def __init__(self) -> None:
        self.size = 0
        self.crc = 0
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._pieces: list[bytes] = []

    def add(self, data: bytes | memoryview) -> None:
        """More of the content."""
        self.size += len(data)
        self.crc = isal_zlib.crc32(data, self.crc)
        self._digest.update(data)
        self._waiting += data
        if self.size > FOLDED_FROM:
            whole = len(self._waiting) // BLOCK * BLOCK
            self._pieces += [_folded(self._waiting[at : at + BLOCK]) for at in range(0, whole, BLOCK)]
            del self._waiting[:whole]

    def source(self) -> Source:
        """All that was added; folded if it is large. Call it once."""
        if self.size <= FOLDED_FROM:
            made = Source(bytes(self._waiting))
            made.__dict__["sha256"] = self._digest.hexdigest()
            return made
        if self._waiting:
            self._pieces.append(_folded(self._waiting))
            self._waiting = bytearray()
        return Folded(self._pieces, self.size, self.crc, self._digest.hexdigest())


def _folded(block: bytes | bytearray) -> bytes:
    coder: Any = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    return b"".join((coder.compress(block), coder.flush(isal_zlib.Z_FULL_FLUSH)))


def _unfolded(piece: bytes) -> bytes:
    decoder: Any = isal_zlib.decompressobj(-15)
    made: bytes = decoder.decompress(piece)
    return made


class _Reader(io.RawIOBase):
    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, len(self._source))[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._source.part(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
