"""The octets after DATA: where they end, what they are, how many. No I/O, no memory beyond the last chunk.

Only CR LF . CR LF ends a message (SMTP smuggling: sixteen other sequences that some servers take for it are content or refused). One `find` over
the carried rest and the new chunk decides; a doubled dot after CR LF loses one. RFC 5321 4.1.1.4, 4.5.2.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

_END: Final = b"\r\n.\r\n"
_HOP: Final = b"\r\nreceived:"
_LONGEST_HEADER: Final = 1 << 20


class Flaw(Enum):
    """Why a message that ended properly is still refused."""

    BARE_NEWLINE = "bare newline"
    NUL = "nul"
    TOO_LARGE = "too large"
    LOOP = "loop"


class DataReader:
    """Feed it chunks; it gives back content blocks until `done`. `leftover` are octets after the end: commands.

    `size` counts unstuffed octets (RFC 1870). `flaw` is the first one met; from then on the content is not worth keeping.
    """

    def __init__(self, limit: int, *, refuse_bare_newlines: bool = True, most_hops: int = 50) -> None:
        self.done = False
        self.leftover = b""
        self.size = 0
        self.flaw: Flaw | None = None
        self._limit = limit
        self._refuse_bare = refuse_bare_newlines
        self._most_hops = most_hops
        # A virtual line end before the first octet, so that a dot on the very first line is seen; it is never given back.
        self._carry = b"\r\n"
        self._virtual = 2
        self._hops = 0
        self._header_tail: bytes | None = b"\r\n"

    def feed(self, chunk: bytes) -> bytes:
        """The content in `chunk` and the carried rest, unstuffed; empty while nothing is certain."""
        data = self._carry + chunk
        end = data.find(_END)
        if end >= 0:
            self.done = True
            self.leftover = data[end + len(_END) :]
            content, self._carry = data[: end + 2], b""
        else:
            keep = _open_end(data)
            content, self._carry = data[: len(data) - keep], data[len(data) - keep :]
        content = content.replace(b"\r\n.", b"\r\n")
        if self._virtual and content:
            content, self._virtual = content[self._virtual :], 0
        return self._judged(content)

    def _judged(self, content: bytes) -> bytes:
        self.size += len(content)
        if self.size > self._limit:
            self._found(Flaw.TOO_LARGE)
        if b"\0" in content:
            self._found(Flaw.NUL)
        self._check_newlines(content)
        self._count_hops(content)
        return content

    def _check_newlines(self, content: bytes) -> None:
        """Neither a CR LF nor a lone CR at the end is ever cut in two: both would still be open, and so are carried."""
        pairs = content.count(b"\r\n")
        if self._refuse_bare and not content.count(b"\n") == pairs == content.count(b"\r"):
            self._found(Flaw.BARE_NEWLINE)

    def _count_hops(self, content: bytes) -> None:
        """Counts header fields named Received, without reading them."""
        if self._header_tail is None:
            return
        block = (self._header_tail + content).lower()
        end = block.find(b"\r\n\r\n")
        self._hops += block.count(_HOP, 0, end if end >= 0 else len(block))
        if self._hops > self._most_hops:
            self._found(Flaw.LOOP)
        keep = block[-(len(_HOP) - 1) :]
        self._header_tail = None if end >= 0 or self.size > _LONGEST_HEADER else keep

    def _found(self, flaw: Flaw) -> None:
        if self.flaw is None:
            self.flaw = flaw


def _open_end(data: bytes) -> int:
    """How many of the last octets could be the beginning of the end: the longest suffix that is a proper prefix of CR LF . CR LF."""
    for length in range(min(len(_END) - 1, len(data)), 0, -1):
        if _END.startswith(data[-length:]):
            return length
    return 0
