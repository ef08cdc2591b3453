"""Compact font programs (Adobe Technical Note 5176): taken apart into their indexes and dictionaries and put together anew.

Glyph programs that run to their end are copied byte by byte, so nothing drawn can change; the others draw nothing in any reader and are
left empty. Everything that points at them is checked and written again.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Final, NamedTuple

from sanitizers.formats.pdf.charstrings import EMPTY, Checker
from sanitizers.model import Malformed

_CHARSET, _ENCODING, _CHARSTRINGS, _PRIVATE, _SUBRS = 15, 16, 17, 18, 19
_ROS, _FD_ARRAY, _FD_SELECT = 0x0C1E, 0x0C24, 0x0C25
_TOP: Final = frozenset({
    0, 1, 2, 3, 4, 5, 13, 14, _CHARSET, _ENCODING, _CHARSTRINGS, _PRIVATE, *range(0x0C00, 0x0C09), *range(0x0C14, 0x0C18),
    *range(_ROS, 0x0C27),
})
_IN_PRIVATE: Final = frozenset({6, 7, 8, 9, 10, 11, 20, 21, _SUBRS, *range(0x0C09, 0x0C12), 0x0C13})
_MAX_OPERANDS: Final = 513

Entries = list[tuple[int, bytes]]       # operator, its operands as they are encoded


class _Index(NamedTuple):
    items: list[bytes]
    end: int


class Rebuilt(NamedTuple):
    """The font anew, whether it is CID-keyed, and how many of its glyphs could not be kept."""

    data: bytes
    keyed: bool
    emptied: int


def rebuild(data: bytes) -> Rebuilt:
    """The first font of the set anew. Raises Malformed for whatever does not hold together, LimitExceeded for endless programs."""
    try:
        return _rebuild(data)
    except (struct.error, IndexError) as error:
        raise Malformed(f"CFF: cut short ({error})") from error


def _rebuild(data: bytes) -> Rebuilt:
    if data[0] != 1:
        raise Malformed("CFF: unknown version")
    names = _index(data, data[2])
    tops = _index(data, names.end)
    strings = _index(data, tops.end)
    global_subrs = _index(data, strings.end)
    if not tops.items:
        raise Malformed("CFF: no font")
    top = _dictionary(tops.items[0], _TOP)
    glyphs = _index(data, _offset(top, _CHARSTRINGS))
    if not glyphs.items:
        raise Malformed("CFF: no glyphs")
    keyed = any(operator == _ROS for operator, _ in top)
    subroutines = [_local_subrs(data, font) for font in (_fonts(data, top) if keyed else [top])]
    chosen = _selected(data, _offset(top, _FD_SELECT), len(glyphs.items)) if keyed else [0] * len(glyphs.items)
    checker = Checker(global_subrs.items, len(glyphs.items))
    found = [
        checker.followed(program, subroutines[font]) if font < len(subroutines) else None
        for program, font in zip(glyphs.items, chosen, strict=True)
    ]
    programs = [EMPTY if program is None else program for program in found]
    blocks = _Blocks(top)
    blocks.add(_CHARSET, _charset(data, _offset(top, _CHARSET), len(glyphs.items), keyed))
    if keyed:
        blocks.add(_FD_SELECT, _fd_select([font if font < len(subroutines) else 0 for font in chosen]))
    else:
        blocks.add(_ENCODING, _encoding(data, _offset(top, _ENCODING)))
    blocks.add(_CHARSTRINGS, _pack(programs))
    head = b"\x01\x00\x04\x04" + _pack(names.items[:1] or [b"F"])
    tail = _pack(strings.items) + _pack(global_subrs.items)
    return Rebuilt(blocks.finish(data, head, tail, keyed), keyed, found.count(None))


def _fonts(data: bytes, top: Entries) -> list[Entries]:
    return [_dictionary(item, _TOP) for item in _index(data, _offset(top, _FD_ARRAY)).items]


def _selected(data: bytes, start: int, glyphs: int) -> list[int]:
    """The number of the font dictionary for each glyph (FDSelect, §19). Raises Malformed where readers would find different ones."""
    kind = data[start]
    if kind == 0:
        return list(_slice(data, start + 1, start + 1 + glyphs))
    if kind != 3:
        raise Malformed("CFF: unknown FDSelect")
    (ranges,) = struct.unpack_from(">H", data, start + 1)
    table = _slice(data, start + 3, start + 3 + 3 * ranges + 2)
    bounds = [*(first for first, _ in struct.iter_unpack(">HB", table[:-2])), int.from_bytes(table[-2:], "big")]
    if bounds[0] or any(a > b for a, b in pairwise(bounds)):
        raise Malformed("CFF: FDSelect out of order")
    chosen = [font for font, (first, end) in zip(table[2::3], pairwise(bounds), strict=True) for _ in range(first, end)]
    return (chosen + [0] * glyphs)[:glyphs]


def _fd_select(chosen: list[int]) -> bytes:
    """The same as a table, by ranges or by glyphs."""
    starts = [at for at, font in enumerate(chosen) if not at or font != chosen[at - 1]]
    rows = b"".join(struct.pack(">HB", at, chosen[at]) for at in starts)
    return min(struct.pack(">BH", 3, len(starts)) + rows + struct.pack(">H", len(chosen)), b"\x00" + bytes(chosen), key=len)


def _index(data: bytes, start: int) -> _Index:
    """An INDEX (§5): rising offsets inside the data."""
    (count,) = struct.unpack_from(">H", data, start)
    if not count:
        return _Index([], start + 2)
    size = data[start + 2]
    if not 1 <= size <= 4 or start + 3 + (count + 1) * size > len(data):
        raise Malformed("CFF: broken index")
    table = data[start + 3 : start + 3 + (count + 1) * size]
    offsets = [int.from_bytes(table[at : at + size], "big") for at in range(0, len(table), size)]
    base = start + 2 + (count + 1) * size
    if offsets[0] != 1 or base + offsets[-1] > len(data) or any(a > b for a, b in pairwise(offsets)):
        raise Malformed("CFF: index out of bounds")
    return _Index([data[base + a : base + b] for a, b in pairwise(offsets)], base + offsets[-1])


def _dictionary(data: bytes, known: frozenset[int]) -> Entries:
    """A DICT (§4): known operators with their operands; unknown ones are left out."""
    entries: Entries = []
    position = begin = 0
    while position < len(data):
        first = data[position]
        if first <= 21:
            operator = 0x0C00 | data[position + 1] if first == 12 else first
            if operator in known and position - begin < _MAX_OPERANDS * 5:
                entries.append((operator, data[begin:position]))
            position += 2 if first == 12 else 1
            begin = position
        elif first == 30:
            position += 1
            while data[position] & 15 != 15 and data[position] >> 4 != 15:
                position += 1
            position += 1
        elif first == 28:
            position += 3
        elif first == 29:
            position += 5
        elif 32 <= first <= 254:
            position += 1 if first <= 246 else 2
        else:
            raise Malformed("CFF: reserved byte in a dictionary")
    return entries


def _integers(operands: bytes) -> list[int]:
    """Operands that are integers; a real among them breaks the font."""
    values, position = [], 0
    while position < len(operands):
        first = operands[position]
        if first == 28:
            values.append(struct.unpack_from(">h", operands, position + 1)[0])
            position += 3
        elif first == 29:
            values.append(struct.unpack_from(">i", operands, position + 1)[0])
            position += 5
        elif 32 <= first <= 246:
            values.append(first - 139)
            position += 1
        elif 247 <= first <= 250:
            values.append((first - 247) * 256 + operands[position + 1] + 108)
            position += 2
        elif 251 <= first <= 254:
            values.append(-(first - 251) * 256 - operands[position + 1] - 108)
            position += 2
        else:
            raise Malformed("CFF: an offset that is no integer")
    return values


def _offset(entries: Entries, operator: int) -> int:
    """The offset under an operator; 0 when there is none. Raises Malformed for a negative one."""
    for found, operands in entries:
        if found == operator:
            values = _integers(operands)
            if values and values[-1] >= 0:
                return values[-1]
            raise Malformed("CFF: broken offset")
    return 0


def _charset(data: bytes, start: int, glyphs: int, keyed: bool) -> bytes | int:
    """The charset (§13): a predefined number, or its bytes."""
    if start <= 2:
        return start if not keyed else _identity(glyphs)
    kind, position, left = data[start], start + 1, glyphs - 1
    if kind == 0:
        position += 2 * left
    elif kind in (1, 2):
        while left > 0:
            left -= 1 + (data[position + 2] if kind == 1 else struct.unpack_from(">H", data, position + 2)[0])
            position += 2 + kind
    else:
        raise Malformed("CFF: unknown charset")
    return _slice(data, start, position)


def _identity(glyphs: int) -> bytes:
    """CID = glyph: what readers take a CID-keyed font without a charset for."""
    return struct.pack(">BHH", 2, 1, max(0, glyphs - 2)) if glyphs > 1 else b"\x00"


def _encoding(data: bytes, start: int) -> bytes | int:
    """The encoding (§12): a predefined number, or its bytes."""
    if start <= 1:
        return start
    kind, count = data[start], data[start + 1]
    if kind & 127 > 1:
        raise Malformed("CFF: unknown encoding")
    end = start + 2 + count * (2 if kind & 127 else 1)
    if kind & 128:
        end += 1 + 3 * data[end]
    return _slice(data, start, end)


def _slice(data: bytes, start: int, end: int) -> bytes:
    if end > len(data):
        raise Malformed("CFF: a table ends outside the data")
    return data[start:end]


def _pack(items: list[bytes]) -> bytes:
    """An INDEX."""
    if not items:
        return b"\x00\x00"
    total = 1 + sum(map(len, items))
    size = max(1, (total.bit_length() + 7) // 8)
    offset, offsets = 1, [b"\x01".rjust(size, b"\x00")]
    for item in items:
        offset += len(item)
        offsets.append(offset.to_bytes(size, "big"))
    return struct.pack(">HB", len(items), size) + b"".join(offsets) + b"".join(items)


def _encode(entries: Entries, offsets: dict[int, tuple[int, ...]]) -> bytes:
    """A DICT; operators in `offsets` get those numbers in five bytes each, so that its length never depends on them."""
    out = bytearray()
    for operator, operands in entries:
        numbers = offsets.get(operator)
        out += operands if numbers is None else b"".join(struct.pack(">Bi", 29, number) for number in numbers)
        out += bytes((operator,)) if operator < 256 else operator.to_bytes(2, "big")
    return bytes(out)


class _Blocks:
    """The tables that the top dictionary points at, in the order in which they are written."""

    def __init__(self, top: Entries) -> None:
        self._top = top
        self._blocks: list[tuple[int, bytes]] = []
        self._offsets: dict[int, tuple[int, ...]] = {}

    def add(self, operator: int, block: bytes | int) -> None:
        if isinstance(block, int):
            self._top = [entry for entry in self._top if entry[0] != operator]
            if block:
                self._top.append((operator, bytes((139 + block,))))
            return
        if not any(found == operator for found, _ in self._top):
            self._top.append((operator, b""))
        self._blocks.append((operator, block))
        self._offsets[operator] = (0,)

    def finish(self, data: bytes, head: bytes, tail: bytes, keyed: bool) -> bytes:
        last = _FD_ARRAY if keyed else _PRIVATE
        fonts = _fonts(data, self._top) if keyed else [self._top]
        self._offsets[last] = (0,) if keyed else (0, 0)
        self._top = [entry for entry in self._top if entry[0] != last] + ([(last, b"")] if keyed or _has(self._top, _PRIVATE) else [])
        privates = [_private(data, font) for font in fonts]
        start = len(head) + len(_pack([_encode(self._top, self._offsets)])) + len(tail)
        for operator, block in self._blocks:
            self._offsets[operator] = (start,)
            start += len(block)
        body = b"".join(block for _, block in self._blocks)
        if keyed:
            array_size = len(_pack([_encode(font, {_PRIVATE: (0, 0)}) for font in fonts]))
            self._offsets[_FD_ARRAY] = (start,)
            start += array_size
            places = _places(privates, start)
            body += _pack([_encode(font, {_PRIVATE: place}) for font, place in zip(fonts, places, strict=True)])
        else:
            self._offsets[_PRIVATE] = _places(privates, start)[0]
        body += b"".join(dictionary + subrs for dictionary, subrs in privates)
        return head + _pack([_encode(self._top, self._offsets)]) + tail + body


def _has(entries: Entries, operator: int) -> bool:
    return any(found == operator for found, _ in entries)


def _places(privates: list[tuple[bytes, bytes]], start: int) -> list[tuple[int, int]]:
    """Size and offset of each private dictionary when the first begins at `start`."""
    places = []
    for dictionary, subrs in privates:
        places.append((len(dictionary), start))
        start += len(dictionary) + len(subrs)
    return places


def _private(data: bytes, font: Entries) -> tuple[bytes, bytes]:
    """A private dictionary (§15) and the local subroutines right behind it."""
    entries, start = _private_entries(data, font)
    if not _offset(entries, _SUBRS):
        return _encode([entry for entry in entries if entry[0] != _SUBRS], {}), b""
    packed = _pack(_index(data, start + _offset(entries, _SUBRS)).items)
    length = len(_encode(entries, {_SUBRS: (0,)}))
    return _encode(entries, {_SUBRS: (length,)}), packed


def _private_entries(data: bytes, font: Entries) -> tuple[Entries, int]:
    """What a private dictionary says and where it stands."""
    operands = next((given for operator, given in font if operator == _PRIVATE), b"")
    numbers = _integers(operands)
    if len(numbers) < 2 or min(numbers[-2:]) < 0:
        return [], 0
    size, start = numbers[-2:]
    return _dictionary(_slice(data, start, start + size), _IN_PRIVATE), start


def _local_subrs(data: bytes, font: Entries) -> list[bytes]:
    entries, start = _private_entries(data, font)
    subrs = _offset(entries, _SUBRS)
    return _index(data, start + subrs).items if subrs else []
