"""DER and the BER that signatures come in (ITU-T X.690): tags, lengths and bodies; nothing is interpreted that nobody asks for."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_DEPTH: Final = 24
_MOST: Final = 100_000          # values under one
SEQUENCE, SET, OID, OCTETS, INTEGER = 0x30, 0x31, 0x06, 0x04, 0x02
UTC_TIME, GENERAL_TIME = 0x17, 0x18
_TIME: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?(?:[.,][0-9]+)?(Z|[+-][0-9]{4})")


class Broken(ValueError):  # noqa: N818 - what the input is, not an error of ours
    """Not what the encoding or the caller asks for."""


class Node(NamedTuple):
    """One value: its tag octet, what is inside, and all of it with tag and length."""

    tag: int
    body: bytes
    whole: bytes


def parse(data: bytes) -> Node:
    """The first value in `data`; signatures are padded with zeros, so what follows is not looked at. Raises Broken."""
    return _read(data, 0, 0)[0]


def _read(data: bytes, start: int, depth: int) -> tuple[Node, int]:
    if start + 2 > len(data) or depth > _DEPTH or data[start] & 0x1F == 0x1F:
        raise Broken("a value that cannot be read")
    tag, length, position = data[start], data[start + 1], start + 2
    if length == 0x80:
        return _endless(data, start, depth)
    if length > 0x80:
        count = length & 0x7F
        length, position = int.from_bytes(data[position : position + count], "big"), position + count
    end = position + length
    if end > len(data):
        raise Broken("a value that is longer than its data")
    return Node(tag, data[position:end], data[start:end]), end


def _endless(data: bytes, start: int, depth: int) -> tuple[Node, int]:
    """A value of indefinite length: up to the two zeros after its last part."""
    if not data[start] & 0x20:
        raise Broken("a primitive value without a length")
    position = body = start + 2
    while data[position : position + 2] != b"\x00\x00":
        _, position = _read(data, position, depth + 1)
    return Node(data[start], data[body:position], data[start : position + 2]), position + 2


def items(node: Node) -> list[Node]:
    """The values inside a constructed one. Raises Broken."""
    if not node.tag & 0x20:
        raise Broken("a primitive value where a list belongs")
    found: list[Node] = []
    position = 0
    while position < len(node.body):
        item, position = _read(node.body, position, 0)
        found.append(item)
        if len(found) > _MOST:
            raise Broken("too many values")
    return found


def expect(node: Node, tag: int) -> Node:
    """The node, if it has that tag. Raises Broken."""
    if node.tag != tag:
        raise Broken(f"tag {node.tag:#x} where {tag:#x} belongs")
    return node


def sequence(node: Node) -> list[Node]:
    return items(expect(node, SEQUENCE))


def identifier(node: Node) -> str:
    """An object identifier in dotted form. Raises Broken."""
    numbers, value = list[int](), 0
    for octet in expect(node, OID).body:
        value = value << 7 | octet & 0x7F
        if value >> 64:
            raise Broken("an identifier that is too long")
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    if not numbers:
        raise Broken("an empty identifier")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def octets(node: Node) -> bytes:
    """An octet string, also one in pieces."""
    if node.tag == OCTETS | 0x20:
        return b"".join(expect(item, OCTETS).body for item in items(node))
    return expect(node, OCTETS).body


def integer(node: Node) -> int:
    return int.from_bytes(expect(node, INTEGER).body, "big", signed=True)


def time(node: Node) -> str:
    """A UTCTime or GeneralizedTime as RFC 3339. Raises Broken."""
    text = node.body.decode("latin-1")
    if node.tag == UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    match = _TIME.fullmatch(text)
    if match is None or node.tag not in (UTC_TIME, GENERAL_TIME):
        raise Broken("a time that cannot be read")
    zone = "Z" if match[7] == "Z" else f"{match[7][:3]}:{match[7][3:]}"
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}:{match[5]}:{match[6] or '00'}{zone}"
