"""RTF written anew: one spelling for everything, seven bits only, so that no two readers can see two things."""

from __future__ import annotations

import re
from typing import Final

from sanitizers.formats.rtf.tokens import Group, Letter, Node, Word

_SPECIAL: Final = re.compile(rb"[\x00-\x1f\x7f-\xff\\{}]++")
_ESCAPED: Final = tuple(
    b"\\'%02x" % octet if octet >= 0x80 or octet in b"\\{}" else b"\\tab " if octet == 0x09 else b"" for octet in range(0x100)
)
_CONTROL: Final = bytes((*range(9), *range(10, 0x20), 0x7F))     # what `text` leaves out
_SIGNS: Final = frozenset("~-_|:")
_LINE: Final = 256              # hexadecimal digits
_BREAKING: Final = frozenset({"par", "row", "sect", "page", "nestrow"})


def text(letters: bytes) -> bytes:
    """Bytes in the encoding of their font. Control characters mean nothing in RTF and go."""
    return _SPECIAL.sub(lambda match: b"".join(map(_ESCAPED.__getitem__, match[0])), letters)


def letter(unit: int) -> bytes:
    """A UTF-16 code unit, with a question mark for readers that know none."""
    return b"\\u%d?" % (unit - 0x10000 if unit > 0x7FFF else unit)


def words(value: str) -> bytes:
    """Any text."""
    encoded = value.encode("utf-16-le", "surrogatepass")
    units = (int.from_bytes(encoded[at : at + 2], "little") for at in range(0, len(encoded), 2))
    return b"".join(text(bytes((unit,))) if unit < 0x80 else letter(unit) for unit in units)


def word(name: str, number: int | None = None) -> bytes:
    """A control word with its parameter and the space or line that ends it, or a control symbol."""
    if name in _SIGNS:
        return b"\\" + name.encode()
    end = b"\r\n" if name in _BREAKING else b" "
    return b"\\" + name.encode() + (b"" if number is None else b"%d" % number) + end


def hexadecimal(data: bytes) -> bytes:
    digits = data.hex().encode()
    return b"\r\n".join(digits[at : at + _LINE] for at in range(0, len(digits), _LINE))


def spoken(nodes: list[Node], charset: str) -> str:
    """What a group says to people, as it will be written."""
    said: list[str] = []
    for node in nodes:
        if isinstance(node, bytes):
            said.append(node.translate(None, _CONTROL).decode(charset, "replace"))
        elif isinstance(node, Letter):
            said.append(chr(node.unit))
        elif isinstance(node, Group):
            said.append(spoken(node, charset))
        elif isinstance(node, Word) and node.name in ("~", "tab", "line", "par"):
            said.append(" ")
    return "".join(said).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
