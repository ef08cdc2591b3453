"""The text, put together from its pieces, and where each character lies in the file: [MS-DOC] 2.4.1, 2.8.35 (PlcPcd), 2.9.38 (Clx)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from operator import attrgetter
from typing import Final, NamedTuple

from sanitizers.budget import Budget
from sanitizers.formats.doc import plc
from sanitizers.formats.doc.fib import Part, Streams
from sanitizers.model import LimitExceeded, Malformed

_PROPERTIES, _PIECES = 1, 2  # kinds of parts of a Clx
_COMPRESSED: Final = 0x4000_0000
_MOST: Final = 1 << 20  # pieces
_REPEATED, _ALWAYS = 4, 65_536  # a text may be so many times as long as its stream, and this long in any case
# One byte for a character: Windows-1252 in those places where Unicode has controls. [MS-DOC] 2.9.73.
_NARROW: Final = {n: bytes([n]).decode("cp1252", "ignore") or chr(n) for n in range(0x80, 0xA0)}
_start: Final = attrgetter("start")
# A change that a piece says in one byte: index → property. [MS-DOC] 2.9.215 (Prm0).
_SHORT: Final = {
    0x00: 0x4600, 0x04: 0x2602, 0x05: 0x2403, 0x07: 0x2405, 0x08: 0x2406, 0x09: 0x2407, 0x0C: 0x260A, 0x0E: 0x240C, 0x18: 0x2416,
    0x19: 0x2417, 0x1D: 0x261B, 0x25: 0x2423, 0x2C: 0x242A, 0x32: 0x2430, 0x33: 0x2431, 0x35: 0x2433, 0x36: 0x2434, 0x37: 0x2435,
    0x38: 0x2436, 0x39: 0x2437, 0x3A: 0x2438, 0x41: 0x0800, 0x42: 0x0801, 0x43: 0x0802, 0x47: 0x0806, 0x4B: 0x080A, 0x4D: 0x2A0C,
    0x4E: 0x0858, 0x53: 0x2A33, 0x55: 0x0835, 0x56: 0x0836, 0x57: 0x0837, 0x58: 0x0838, 0x59: 0x0839, 0x5A: 0x083A, 0x5B: 0x083B,
    0x5C: 0x083C, 0x5E: 0x2A3E, 0x62: 0x2A42, 0x68: 0x2A48, 0x73: 0x2A53, 0x74: 0x0854, 0x75: 0x0855, 0x76: 0x0856, 0x7B: 0x2640,
}  # fmt: skip


class Piece(NamedTuple):
    """Characters `start` to `end` lie from byte `at` of the main stream on, `width` bytes each; `grpprl` changes all of them."""

    start: int
    end: int
    at: int
    width: int
    grpprl: bytes


class Text(NamedTuple):
    """`units`: one character of the string for each UTF-16 unit, so that places count alike."""

    units: str
    pieces: tuple[Piece, ...]

    def piece(self, place: int) -> Piece:
        """The piece in which a character lies."""
        if len(self.pieces) == 1:
            return self.pieces[0]
        return self.pieces[bisect_right(self.pieces, place, key=_start) - 1]


def read(streams: Streams, budget: Budget) -> Text:
    """Raises Malformed for pieces that contradict the head or leave the stream, and LimitExceeded."""
    grpprls, table = _parts(streams.part(Part.PIECES))
    found = plc.read(table, 8)
    counts = streams.fib.counts
    wanted = sum(counts) + (1 if any(counts[1:]) else 0)
    if not found.items or len(found.items) > _MOST or found.places[0] != 0 or found.places[-1] < max(wanted, 1):
        raise Malformed("the pieces are not the whole text", code="doc.malformed")
    if found.places[-1] > _REPEATED * len(streams.main) + _ALWAYS:
        raise LimitExceeded("pieces that repeat the text")
    pieces: list[Piece] = []
    texts: list[str] = []
    for start, end, item in zip(found.places, found.places[1:], found.items, strict=False):
        if start == end:
            continue
        piece = _piece(start, end, item, grpprls)
        stop = piece.at + piece.width * (end - start)
        if stop > len(streams.main):
            raise Malformed("a piece leaves the stream", code="doc.malformed")
        budget.spend_bytes(2 * (end - start))
        pieces.append(piece)
        texts.append(_decoded(streams.main[piece.at : stop], piece.width))
    return Text("".join(texts), tuple(pieces))


def _parts(clx: bytes) -> tuple[list[bytes], bytes]:
    """The changes that pieces refer to, and the table of pieces."""
    grpprls: list[bytes] = []
    at = 0
    while at + 3 <= len(clx) and clx[at] == _PROPERTIES:
        (size,) = struct.unpack_from("<H", clx, at + 1)
        grpprls.append(clx[at + 3 : at + 3 + size])
        at += 3 + size
    if at + 5 > len(clx) or clx[at] != _PIECES:
        raise Malformed("no table of pieces", code="doc.malformed")
    (size,) = struct.unpack_from("<I", clx, at + 1)
    if at + 5 + size != len(clx):
        raise Malformed("the table of pieces is cut off", code="doc.malformed")
    return grpprls, clx[at + 5 :]


def _piece(start: int, end: int, item: bytes, grpprls: list[bytes]) -> Piece:
    at, prm = struct.unpack_from("<IH", item, 2)
    narrow = bool(at & _COMPRESSED)
    at &= _COMPRESSED - 1
    return Piece(start, end, at // 2 if narrow else at, 1 if narrow else 2, _changes(prm, grpprls))


def _changes(prm: int, grpprls: list[bytes]) -> bytes:
    if prm & 1:
        return grpprls[prm >> 1] if prm >> 1 < len(grpprls) else b""
    number = _SHORT.get(prm >> 1 & 0x7F) if prm else None
    return struct.pack("<HB", number, prm >> 8) if number is not None else b""


def _decoded(raw: bytes, width: int) -> str:
    if width == 1:
        return raw.decode("latin-1").translate(_NARROW)
    text = raw.decode("utf-16-le", "surrogatepass")
    if 2 * len(text) == len(raw):
        return text
    return "".join(map(chr, struct.unpack(f"<{len(raw) // 2}H", raw)))


def joined(units: str) -> str:
    """Pairs of units that are one character become one; half a pair becomes a question mark."""
    try:
        units.encode("utf-8")
    except UnicodeEncodeError:
        return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return units
