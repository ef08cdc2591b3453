"""Raw deflate (RFC 1951), block by block: what comes out is bounded at every step, whatever the stream says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from isal import isal_zlib

from sanitizers.model import Malformed
from sanitizers.source import BLOCK

_FEED: Final = 1 << 18             # bytes of compressed data per step
_ERROR: Final[type[Exception]] = cast("Any", isal_zlib.IsalError)   # its stub calls the class an instance


class Inflating:
    """A deflate stream that begins at `at` of some data; once `blocks` has ended, `at` is where the stream ended."""

    def __init__(self, data: bytes | memoryview, at: int = 0) -> None:
        self._data = data
        self.at = at

    def blocks(self, where: str, broken: str, short: str) -> Iterator[bytes]:
        """At most BLOCK bytes each. Raises Malformed with the code `broken`, or `short` where the stream is cut off."""
        decoder: Any = isal_zlib.decompressobj(-15)
        ended = False
        waiting: bytes | memoryview = b""
        while not decoder.eof:
            if not waiting:
                waiting = self._data[self.at : self.at + _FEED]
                self.at += len(waiting)
                ended = not waiting
            try:
                block = decoder.decompress(waiting, BLOCK)
            except _ERROR as error:
                raise Malformed(f"deflate: {error}", where=where, code=broken) from None
            if ended and not block and not decoder.eof:      # with no input left, output may still wait inside the decoder
                raise Malformed("compressed stream is cut short", where=where, code=short)
            waiting = decoder.unconsumed_tail
            yield block
        self.at -= len(decoder.unused_data)
