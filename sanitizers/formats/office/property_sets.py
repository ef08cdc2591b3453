"""Property sets of compound files, as far as they hold text: [MS-OLEPS] 2.4 to 2.21, [MS-OSHARED] 2.3.3."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

SUMMARY: Final = bytes.fromhex("e0859ff2f94f6810ab9108002b27b3d9")
DOCUMENT: Final = bytes.fromhex("02d5cdd59c2e1b10939708002b2cf9ae")
USER_DEFINED: Final = bytes.fromhex("05d5cdd59c2e1b10939708002b2cf9ae")

TITLE, SUBJECT, AUTHOR, KEYWORDS, COMMENTS, TEMPLATE, LAST_AUTHOR, APPLICATION = 2, 3, 4, 5, 6, 7, 8, 18  # of SUMMARY
CATEGORY, MANAGER, COMPANY, LINK_BASE, STATUS = 2, 14, 15, 21, 27  # of DOCUMENT

_CODE_PAGE, _NAMES = 1, 0
_MOST: Final = 4096  # properties of one set
_LONGEST: Final = 65_536  # bytes of one value or name
_STRING, _WIDE_STRING, _TRUTH, _SHORT, _INTEGER = 0x1E, 0x1F, 0x0B, 0x02, 0x03
_UTF_8: Final = 65001
_CODECS: Final = {932: "cp932", 936: "cp936", 949: "cp949", 950: "cp950", 1200: "utf-16-le", 65001: "utf-8", 10001: "shift_jis"}


class PropertySet(NamedTuple):
    """`kind`: its format id; `values` by number, as text; `names` of those numbers that have one."""

    kind: bytes
    values: dict[int, str]
    names: dict[int, str]


def read(stream: bytes) -> list[PropertySet]:
    """What can be read: a damaged set says nothing, because nothing else depends on it."""
    if len(stream) < 28 or stream[:2] != b"\xfe\xff":
        return []
    (count,) = struct.unpack_from("<I", stream, 24)
    found: list[PropertySet] = []
    for number in range(min(count, 2)):
        if 28 + 20 * number + 20 > len(stream):
            break
        (start,) = struct.unpack_from("<I", stream, 44 + 20 * number)
        try:
            found.append(_set(stream[28 + 20 * number : 44 + 20 * number], stream[start:]))
        except (struct.error, ValueError):
            continue
    return found


def _set(kind: bytes, data: bytes) -> PropertySet:
    _, count = struct.unpack_from("<II", data)
    places = [struct.unpack_from("<II", data, 8 + 8 * n) for n in range(min(count, _MOST))]
    page = next((struct.unpack_from("<H", data, at + 4)[0] for number, at in places if number == _CODE_PAGE), 1252)
    encoding = _codec(page)
    values: dict[int, str] = {}
    names: dict[int, str] = {}
    for number, at in places:
        if number == _NAMES:
            names = names or _dictionary(data, at, encoding)
        elif number != _CODE_PAGE and (text := _value(data, at, encoding)):
            values[number] = text
    return PropertySet(kind, values, names)


def _codec(page: int) -> str:
    return _CODECS.get(page) or (f"cp{page}" if page in range(1250, 1259) else "cp1252")


def _value(data: bytes, at: int, encoding: str) -> str:
    (kind,) = struct.unpack_from("<I", data, at)
    if kind == _TRUTH:
        return "true" if struct.unpack_from("<H", data, at + 4)[0] else "false"
    if kind in (_SHORT, _INTEGER):
        return str(struct.unpack_from("<i" if kind == _INTEGER else "<h", data, at + 4)[0])
    if kind not in (_STRING, _WIDE_STRING):
        return ""
    (size,) = struct.unpack_from("<I", data, at + 4)
    size = size * 2 if kind == _WIDE_STRING else size
    if size > _LONGEST:
        return ""
    text = data[at + 8 : at + 8 + size].decode("utf-16-le" if kind == _WIDE_STRING else encoding, "replace")
    return text.partition("\0")[0].strip()


def _dictionary(data: bytes, at: int, encoding: str) -> dict[int, str]:
    """Raises struct.error and ValueError."""
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    names: dict[int, str] = {}
    for _ in range(min(count, _MOST)):
        number, length = struct.unpack_from("<II", data, at)
        size = length * 2 if encoding == "utf-16-le" else length
        if size > _LONGEST:
            raise ValueError("a name that is too long")
        names[number] = data[at + 8 : at + 8 + size].decode(encoding, "replace").partition("\0")[0]
        at += 8 + size + (-size % 4 if encoding == "utf-16-le" else 0)
    return names


def write(found: list[PropertySet]) -> bytes:
    """One stream of one or two sets, all values as text in UTF-8."""
    bodies = [_written(one) for one in found]
    made = struct.pack("<HHI16xI", 0xFFFE, 0, 0x0002_0005, len(found))
    at = len(made) + 20 * len(found)
    for one, body in zip(found, bodies, strict=True):
        made += one.kind + struct.pack("<I", at)
        at += len(body)
    return made + b"".join(bodies)


def _written(one: PropertySet) -> bytes:
    pieces = {_CODE_PAGE: struct.pack("<IHxx", _SHORT, _UTF_8)}
    if one.names:
        entries = b"".join(struct.pack("<II", number, len(name)) + name for number, name in _encoded(one.names))
        pieces[_NAMES] = struct.pack("<I", len(one.names)) + entries
    pieces |= {number: struct.pack("<II", _STRING, len(text)) + text for number, text in _encoded(one.values)}
    places = b""
    body = b""
    for number, piece in sorted(pieces.items()):
        places += struct.pack("<II", number, 8 + 8 * len(pieces) + len(body))
        body += piece + bytes(-len(piece) % 4)
    return struct.pack("<II", 8 + len(places) + len(body), len(pieces)) + places + body


def _encoded(texts: dict[int, str]) -> list[tuple[int, bytes]]:
    """With the NUL that ends them."""
    return [(number, text.encode("utf-8", "replace") + b"\0") for number, text in sorted(texts.items())]
