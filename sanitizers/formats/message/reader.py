"""The tree of a message: an own structure reader over bytes, linear in time, within limits.

What two programs could read as two trees is refused (see `ambiguity`).

Spec: RFC 5322, RFC 2045, RFC 2046.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sanitizers.formats.message import ambiguity
from sanitizers.formats.message.header import Header, Value, parse_value, read_header
from sanitizers.formats.message.transfer_encoding import decode_body, encoding_of, plain_base64
from sanitizers.model import LimitExceeded

DEPTH_LIMIT: Final = 32
PART_LIMIT: Final = 1000
_BARE_CR: Final = re.compile(rb"\r(?!\n)")


@dataclass(slots=True)
class Part:
    """One node: a leaf with a body, a multipart with children, or a message whose one child is the message inside."""

    where: str
    header: Header
    type: Value
    disposition: Value
    encoding: str
    data: bytes
    top: int  # where its header begins …
    start: int  # … and its body
    end: int
    children: list[Part] = field(default_factory=list)
    preamble: bytes = b""
    epilogue: bytes = b""

    def reread(self, content: bytes) -> Part:
        """The message that was inside `content` of this part, as a tree of its own in its place."""
        inner = Reader().read(content)
        inner.where = self.where
        return inner

    @property
    def main(self) -> str:
        return self.type.main

    @property
    def whole(self) -> bytes:
        """Header and body as they were sent."""
        return self.data[self.top : self.end]

    @property
    def content(self) -> bytes:
        """The body, decoded."""
        if self.encoding == "base64" and (plain := plain_base64(self.data, self.start, self.end)) is not None:
            return plain
        return decode_body(self.data[self.start : self.end], self.encoding, self.where)

    @property
    def name(self) -> str:
        return self.disposition.parameter("filename") or self.type.parameter("name")


class _Span(NamedTuple):
    """A run of bytes that holds one part: header and body."""

    data: bytes
    start: int
    end: int


class Reader:
    """Reads one message. Raises Malformed (`mail.ambiguous`) or LimitExceeded."""

    def __init__(self) -> None:
        self.bare_cr = 0  # carriage returns that end no line, over everything that was read
        self._parts = 0
        self._boundaries: set[bytes] = set()
        self._lookalikes: list[tuple[bytes, str]] = []

    def read(self, data: bytes) -> Part:
        self._count_bare_cr(data)
        root = self._part(_Span(data, 0, len(data)), "", "text/plain", ())
        self._check_lookalikes()
        return root

    def _check_lookalikes(self) -> None:
        """A line that begins like a boundary and is none, not even of another multipart: some programs compare no further."""
        for line, where in self._lookalikes:
            known = line.removesuffix(b"--")
            if line not in self._boundaries and known not in self._boundaries:
                raise ambiguity.ambiguous("line that only begins like the boundary", where)

    def _count_bare_cr(self, data: bytes) -> None:
        if _BARE_CR.search(data):
            self.bare_cr += len(_BARE_CR.findall(data))

    def _part(self, span: _Span, where: str, default: str, above: tuple[bytes, ...]) -> Part:
        """One part and everything below it. `above`: the boundaries of the multiparts around it."""
        self._parts += 1
        if self._parts > PART_LIMIT or len(where) > DEPTH_LIMIT * 5 or where.count(".") >= DEPTH_LIMIT:
            raise LimitExceeded(f"more than {PART_LIMIT} parts or {DEPTH_LIMIT} levels in a message")
        header, body = read_header(*span)
        ambiguity.check_header(header, where)
        kind = parse_value(header.first("content-type"))
        if "/" not in kind.main:
            kind.main = default if kind.main in ("", "text") or not kind.parameter("boundary") else "multipart/mixed"
        disposition = parse_value(header.first("content-disposition"))
        encoding = encoding_of(header.first("content-transfer-encoding"), where)
        part = Part(where, header, kind, disposition, encoding, span.data, span.start, body, span.end)
        if kind.main.startswith("multipart/"):
            self._multipart(part, above)
        elif kind.main in ("message/rfc822", "message/global"):
            self._message(part, above)
        return part

    def _message(self, part: Part, above: tuple[bytes, ...]) -> None:
        """A message inside: decoded first if somebody encoded it, which RFC 2046 forbids but programs do and undo."""
        if part.encoding == "identity":
            data, start, end = part.data, part.start, part.end
        else:
            data = part.content
            start, end, above = 0, len(data), ()
            self._count_bare_cr(data)
        while data.startswith((b"\r\n", b"\n"), start) and start < end:  # some programs leave an empty line first
            start += 1 if data[start] == 10 else 2
        part.children.append(self._part(_Span(data, start, end), _below(part.where, 1), "text/plain", above))

    def _multipart(self, part: Part, above: tuple[bytes, ...]) -> None:
        ambiguity.check_raw_boundary(part.header.first("content-type"), part.where)
        ambiguity.check_type(part.type, part.where)
        if part.encoding in ("base64", "uuencode"):
            raise ambiguity.ambiguous(f"{part.encoding} on a multipart", part.where)
        boundary = part.type.parameter("boundary").encode("utf-8", "replace")
        if boundary in above:  # which cut this part already: nothing is left to find here, and others cut again
            raise ambiguity.ambiguous("the boundary of an outer multipart again", part.where)
        spans = self._spans(part, boundary) if boundary else []
        if not spans:
            body = part.data[part.start : part.end]
            if body.strip():
                ambiguity.check_unsplit(body, part.where)
            part.type.main = "text/plain"
            return
        if self.bare_cr:
            ambiguity.check_boundary_tricks(part.data, part.start, part.end, boundary, part.where)
        self._boundaries.add(boundary)
        default = "message/rfc822" if part.main == "multipart/digest" else "text/plain"
        for number, (start, end) in enumerate(spans, 1):
            child = self._part(_Span(part.data, start, end), _below(part.where, number), default, (*above, boundary))
            part.children.append(child)

    def _spans(self, part: Part, boundary: bytes) -> list[tuple[int, int]]:
        """Start and end of each child, cut at the delimiter lines; fills in preamble and epilogue."""
        data, end = part.data, part.end
        marker = b"--" + boundary
        spans: list[tuple[int, int]] = []
        opened, closed, at = -1, False, part.start
        while (hit := data.find(marker, at, end)) >= 0:
            at = hit + len(marker)
            if hit != part.start and data[hit - 1] != 10:
                continue
            stop = data.find(b"\n", at, end)
            stop = end if stop < 0 else stop
            tail = data[at:stop].strip(b" \t\r")
            if tail not in (b"", b"--"):
                self._lookalikes.append((boundary + tail[:200], part.where))
                continue
            if closed:
                raise ambiguity.ambiguous("boundary after the last one", part.where)
            before = _line_end(data, hit, part.start)
            if opened >= 0:
                spans.append((opened, max(before, opened)))
            else:
                part.preamble = data[part.start : before]
            closed = tail == b"--"
            opened = min(stop + 1, end)
        if opened >= 0 and closed:
            part.epilogue = data[opened:end]
        elif opened >= 0:
            spans.append((opened, end))
        return spans


def _line_end(data: bytes, at: int, start: int) -> int:
    """The place before the line end in front of `at`: it belongs to the boundary (RFC 2046 §5.1.1)."""
    if at > start and data[at - 1] == 10:
        at -= 1
        if at > start and data[at - 1] == 13:
            at -= 1
    return at


def _below(where: str, number: int) -> str:
    return f"{where}.{number}" if where else str(number)
