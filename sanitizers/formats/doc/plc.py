"""Lists of places with something at each: [MS-DOC] 2.2.2 (PLC), and tables of strings: 2.2.4 (STTB)."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import NamedTuple

from sanitizers.model import Malformed


class Plc(NamedTuple):
    """`places`: one more than `items`, never falling; item `n` counts from place `n` up to the next."""

    places: tuple[int, ...]
    items: tuple[bytes, ...]


def read(data: bytes, size: int, *, ordered: bool = True) -> Plc:
    """`size` of an item in bytes. Raises Malformed for places that fall, unless they need no order."""
    if len(data) < 4:
        return Plc((), ())
    count, rest = divmod(len(data) - 4, 4 + size)
    if rest:
        raise Malformed("a list of places with a broken length", code="doc.malformed")
    places = struct.unpack_from(f"<{count + 1}I", data)
    if ordered and any(one > following for one, following in pairwise(places)):
        raise Malformed("a list of places that falls", code="doc.malformed")
    at = 4 * (count + 1)
    return Plc(places, tuple(data[at + size * n : at + size * (n + 1)] for n in range(count)))


def strings(data: bytes, most: int = 0xFFFF) -> list[str]:
    """The texts of an STTB, at most so many; what is cut off is left out."""
    return [text for text, _ in table(data, most)]


def table(data: bytes, most: int = 0xFFFF) -> list[tuple[str, bytes]]:
    """The texts of an STTB, and what stands beside each."""
    found: list[tuple[str, bytes]] = []
    if len(data) < 4:
        return found
    wide = data[:2] == b"\xff\xff"
    at = 2 if wide else 0
    count = struct.unpack_from("<H", data, at)[0]
    at += 2
    if at + 2 > len(data):
        return found
    extra = struct.unpack_from("<H", data, at)[0]
    at += 2
    for _ in range(min(count, most)):
        head = 2 if wide else 1
        if at + head > len(data):
            break
        length = int.from_bytes(data[at : at + head], "little") * head
        end = at + head + length
        found.append((data[at + head : end].decode("utf-16-le" if wide else "cp1252", "replace"), data[end : end + extra]))
        at = end + extra
    return found
