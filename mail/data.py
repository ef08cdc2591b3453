"""The octets after DATA: where they end, what they are, how many. No I/O, no memory beyond the last chunk.

Only CR LF . CR LF ends a message: the sixteen other sequences that some servers take for it (SMTP smuggling) are content or
refused. One `find` over the carried rest and the new chunk decides; a doubled dot after CR LF loses one. RFC 5321 4.1.1.4, 4.5.2.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

_END: Final = b"\r\n.\r\n"
_HOP: Final = b"\r\nreceived:"
_LONGEST_HEADER: Final = 1 << 20
# What may still become the end, a doubled dot, or half of a line end; with the line end before it.
_OPEN_END: Final = re.compile(rb"(?:(?P<line_end>\r?\n)(?:\.\r?)?|\r)\Z")
_DOT_LINE: Final = re.compile(rb"(?<=\n)\.\r?\n")
_FIRST_DOT: Final = re.compile(rb"(?<=\n)\.")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_ANY_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Flaw(Enum):
    """Why a message that ended properly is still refused."""

    BARE_NEWLINE = "bare newline"
    NUL = "nul"
    TOO_LARGE = "too large"
    LOOP = "loop"


class DataReader:
    """Feed it chunks; it gives back content blocks until `done`. `leftover` are octets after the end: commands.

    `size` counts unstuffed octets (RFC 1870). `flaws` are those met so far; from the first on the content is not worth keeping. A
    line end that is not CR LF is a flaw, or with `refuse_bare_newlines=False` read as Postfix does under `normalize`: LF alone
    becomes CR LF, a line of one dot that has such an end before or after it is dropped, neither end nor content. CR alone is
    content and never a line end.
    """

    def __init__(self, limit: int, *, refuse_bare_newlines: bool = True, most_hops: int = 50) -> None:
        self.done = False
        self.leftover = b""
        self.size = 0
        self.flaws: set[Flaw] = set()
        self._limit = limit
        self._refuse_bare = refuse_bare_newlines
        self._most_hops = most_hops
        # The line end before what is still open, and how much of it was given back already: of the virtual one before the first octet, all.
        self._carry = b"\r\n"
        self._given = 2
        self._hops = 0
        self._header_tail: bytes | None = b"\r\n"

    def feed(self, chunk: bytes) -> bytes:
        """The content in the carried rest and `chunk`, unstuffed; empty while nothing is certain."""
        data, given = self._carry + chunk, self._given
        end = data.find(_END)
        if end >= 0:
            self.done = True
            self.leftover = data[end + len(_END) :]
            content, self._carry = data[: end + 2], b""
        else:
            content = self._certain(data)
        content = content.replace(b"\r\n.", b"\r\n") if self._refuse_bare else _normalised(content)
        content = content[given:]
        self._judge(content)
        return content

    def _certain(self, data: bytes) -> bytes:
        """The octets that nothing that may still come can change. What is open is four octets long at most: only they are looked at."""
        match = _OPEN_END.search(data, max(0, len(data) - 4))
        if match is None:
            self._carry, self._given = b"", 0
            return data
        line_end = match["line_end"] or b""
        self._carry = data[match.start() :]
        self._given = len(line_end) if self._refuse_bare else 2 * bool(line_end)
        return data[: match.start() + len(line_end)]

    def _judge(self, content: bytes) -> None:
        self.size += len(content)
        if self.size > self._limit:
            self.flaws.add(Flaw.TOO_LARGE)
        if b"\0" in content:
            self.flaws.add(Flaw.NUL)
        # No CR LF is ever cut in two: a CR at the end is still open, and so is carried.
        if self._refuse_bare and not content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r"):
            self.flaws.add(Flaw.BARE_NEWLINE)
        self._count_hops(content)

    def _count_hops(self, content: bytes) -> None:
        """Counts header fields named Received, without reading them."""
        if self._header_tail is None:
            return
        block = (self._header_tail + content).lower()
        end = block.find(b"\r\n\r\n")
        self._hops += block.count(_HOP, 0, end if end >= 0 else len(block))
        if self._hops > self._most_hops:
            self.flaws.add(Flaw.LOOP)
        self._header_tail = None if end >= 0 or self.size > _LONGEST_HEADER else block[-(len(_HOP) - 1) :]


def _normalised(content: bytes) -> bytes:
    """Order matters: dots are judged by the line ends that were sent."""
    content = _DOT_LINE.sub(b"", content)
    content = _FIRST_DOT.sub(b"", content)
    return _BARE_LF.sub(b"\r\n", content)


def stuffed(message: bytes) -> bytes:
    """A message as it goes out after DATA, with its end. Line ends become CR LF before dots are doubled: nothing can end it early."""
    if not message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r"):
        message = _ANY_LINE_END.sub(b"\r\n", message)
    if message.startswith(b"."):
        message = b"." + message
    message = message.replace(b"\r\n.", b"\r\n..")
    return message + (b".\r\n" if not message or message.endswith(b"\r\n") else b"\r\n.\r\n")
