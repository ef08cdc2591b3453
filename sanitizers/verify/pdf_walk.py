"""A rebuilt PDF read as a row of objects from the first byte to the last, by a tokenizer and an inflater of its own.

The walk trusts no cross-reference table: it finds the objects where they lie, and then demands that the table says exactly that. So no
reader, whatever it trusts, can be led to other objects than the ones that were looked at.
"""

from __future__ import annotations

import re
import zlib
from typing import Final, NamedTuple

from sanitizers.model import VerificationFailed

_HEADER: Final = re.compile(rb"%PDF-(?:1\.7|2\.0)\n%\xe2\xe3\xcf\xd3\n")
_TRAILER: Final = re.compile(rb"startxref\n([0-9]+)\n%%EOF\n\Z")
_OBJECT: Final = re.compile(rb"([0-9]+) 0 obj\n(<<.*?>>)\nstream\n", re.DOTALL)
_LENGTH: Final = re.compile(rb"/Length ([0-9]+)")
_COUNT: Final = re.compile(rb"/N ([0-9]+)")
_FIRST: Final = re.compile(rb"/First ([0-9]+)")
_WIDTHS: Final = re.compile(rb"/W\[1 ([0-9]+) 2\]")
_ROOT: Final = re.compile(rb"/Root ([0-9]+) 0 R")
_BODY_END: Final = b"\nendstream\nendobj\n"
_MAX_INFLATED: Final = 1 << 30

Row = tuple[int, int, int]


class Walked(NamedTuple):
    """Every object of the file by its number: the text of plain ones; dictionary and data of streams, containers included."""

    plain: dict[int, bytes]
    streams: dict[int, tuple[bytes, bytes]]
    root: int

    def dictionary(self, number: int) -> bytes:
        """The text of an object, of a stream its dictionary; empty when there is no such object."""
        if number in self.plain:
            return self.plain[number]
        return self.streams[number][0] if number in self.streams else b""


def walk(data: bytes) -> Walked:
    """Raises VerificationFailed when anything stands before, between or after the objects, or the cross-reference says other than that."""
    header, trailer = _HEADER.match(data), _TRAILER.search(data, max(0, len(data) - 64))
    if header is None or trailer is None:
        raise VerificationFailed("not one header and one trailer")
    walked, rows = Walked({}, {}, 0), {0: (0, 0, 65535)}
    position = last = header.end()
    number = 0
    while position < trailer.start():
        last = position
        number, position = _stream_object(data, position, walked, rows)
    if position != trailer.start() or int(trailer[1]) != last or not number:
        raise VerificationFailed("the cross-reference is not the last object")
    fields, body = walked.streams[number]
    _check_table(fields, body, rows)
    root = _ROOT.search(fields)
    return walked._replace(root=int(root[1]) if root else 0)


def _stream_object(data: bytes, start: int, walked: Walked, rows: dict[int, Row]) -> tuple[int, int]:
    """Takes in one stream object and, of an object stream, the objects in it. Returns its number and where it ends."""
    match = _OBJECT.match(data, start)
    if match is None or b"endobj" in match[2] or (length := _LENGTH.search(match[2])) is None:
        raise VerificationFailed("foreign bytes between objects")
    end = match.end() + int(length[1])
    if data[end : end + len(_BODY_END)] != _BODY_END:
        raise VerificationFailed("a stream with a wrong length")
    number, body = int(match[1]), data[match.end() : end]
    _take(number, (1, start, 0), rows)
    walked.streams[number] = match[2], body
    if b"/Type/ObjStm" in match[2]:
        _contained(number, match[2], body, walked, rows)
    return number, end + len(_BODY_END)


def _take(number: int, row: Row, rows: dict[int, Row]) -> None:
    if number in rows:
        raise VerificationFailed(f"object {number} is there twice")
    rows[number] = row


def _contained(container: int, fields: bytes, body: bytes, walked: Walked, rows: dict[int, Row]) -> None:
    """The objects of an object stream, which lie side by side in it."""
    text = inflate(body) if b"/FlateDecode" in fields else body
    count, first = _COUNT.search(fields), _FIRST.search(fields)
    if count is None or first is None:
        raise VerificationFailed("an object stream without a head")
    start = int(first[1])
    try:
        pairs = [int(word) for word in text[:start].split()]
    except ValueError as error:
        raise VerificationFailed("an object stream with a broken head") from error
    numbers, offsets = pairs[::2], pairs[1::2]
    if len(numbers) != len(offsets) or len(numbers) != int(count[1]) or offsets[:1] != [0]:
        raise VerificationFailed("an object stream with a broken head")
    for index, (number, begin, end) in enumerate(zip(numbers, offsets, [*offsets[1:], len(text) - start], strict=True)):
        if begin >= end:
            raise VerificationFailed("an object stream with empty or overlapping objects")
        _take(number, (2, container, index), rows)
        walked.plain[number] = text[start + begin : start + end]


def inflate(body: bytes) -> bytes:
    """Exactly one zlib stream of at most 1 GiB. Raises VerificationFailed."""
    try:
        machine = zlib.decompressobj()
        text = machine.decompress(body, _MAX_INFLATED)
    except zlib.error as error:
        raise VerificationFailed("a stream cannot be inflated") from error
    if machine.unused_data or not machine.eof:
        raise VerificationFailed("a stream with more behind it")
    return text


def _check_table(fields: bytes, body: bytes, rows: dict[int, Row]) -> None:
    """The cross-reference stream (ISO 32000-2 §7.5.8) has one row for each object that was found, and no other."""
    width = _WIDTHS.search(fields)
    if width is None or b"/Type/XRef" not in fields or b"/Index" in fields or sorted(rows) != list(range(len(rows))):
        raise VerificationFailed("a cross-reference of another form")
    size = min(int(width[1]), 8)
    try:
        expected = b"".join(
            kind.to_bytes(1, "big") + where.to_bytes(size, "big") + extra.to_bytes(2, "big")
            for _, (kind, where, extra) in sorted(rows.items())
        )
    except OverflowError as error:
        raise VerificationFailed("a cross-reference of another form") from error
    if inflate(body) != expected:
        raise VerificationFailed("the cross-reference names other objects than there are")
