"""Objects as qpdf writes them, white space between any two tokens, read several times as fast as `syntax` reads any others.

Both read the same in the same text; where this reader has any doubt it leaves all of it to the other.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from sanitizers.formats.pdf import syntax
from sanitizers.formats.pdf.values import Name, Ref, Value

_LONGEST: Final = 1 << 20
_REMEMBERED: Final = 8192           # atoms, of at most so many bytes
_LONGEST_REMEMBERED: Final = 64
_CLOSING: Final = {b"<<": b">>", b"[": b"]"}
_MARKS: Final = frozenset((b"<<", b">>", b"[", b"]", b"R"))
_LITERALS: Final = re.compile(rb"(" + syntax.LITERAL + rb")")
_ATOM: Final = re.compile(
    rb"/(" + syntax.REGULAR + rb"*+)|(" + syntax.NUMBER + rb")|(<[0-9A-Fa-f]*+>)|(true|false|null)|\(([\x00-\xff]*)\)"
)
_WORDS: Final[dict[bytes, Value]] = {b"true": True, b"false": False, b"null": None}


def parse(text: bytes) -> Value:
    """The one object in `text`. Raises Malformed, as `syntax.parse` does."""
    try:
        return _spaced(text)
    except (ValueError, TypeError, IndexError):
        return syntax.parse(text)


def _spaced(text: bytes) -> Value:
    items: list[Value] = []
    frames: list[tuple[list[Value], bytes]] = []
    for word in _words(text):
        if word not in _MARKS:
            items.append(_ATOMS[word])
        elif word in _CLOSING:
            frames.append((items, _CLOSING[word]))
            items = []
        elif word == b"R":
            items[-2:] = (_reference(*items[-2:]),)
        else:
            inner, (items, closing) = items, frames.pop()
            if word != closing or len(frames) >= syntax.DEPTH:
                raise ValueError
            items.append(inner if word == b"]" else dict(zip(map(_KEYS.__getitem__, inner[::2]), inner[1::2], strict=True)))
    if frames or len(items) != 1:
        raise ValueError
    return items[0]


def _words(text: bytes) -> list[bytes]:
    """Marks and atoms. Of a reference to generation 0 a null byte is left behind its number."""
    if len(text) > _LONGEST or b"\x00" in text or b"\x0b" in text:
        raise ValueError
    if b"(" not in text:
        return text.replace(b" 0 R", b"\x00").split()
    words: list[bytes] = []
    for index, piece in enumerate(_LITERALS.split(text)):
        if index % 2:
            words.append(piece)
        elif b"(" in piece:
            raise ValueError
        else:
            words += piece.replace(b" 0 R", b"\x00").split()
    return words


class _Atoms(dict[bytes, Value]):
    """What is no container, by its text."""

    def __missing__(self, word: bytes) -> Value:
        value = _atom(word)
        if len(word) <= _LONGEST_REMEMBERED and len(self) < _REMEMBERED:
            self[word] = value
        return value


def _atom(word: bytes) -> Value:
    if word.isdigit():
        return syntax.number(word)
    if word[-1] == 0 and word[:-1].isdigit():
        return _reference(int(word[:-1]), 0)
    match = _ATOM.fullmatch(word)
    if match is None:
        raise ValueError
    kind = match.lastindex
    if kind == 1:
        return syntax.decode_name(match[1])
    if kind == 2:
        return syntax.number(word)
    if kind == 3:
        return syntax.hex_string(word)
    return _WORDS[word] if kind == 4 else syntax.unescape(match[5])


class _Keys(dict[Value, str]):
    """Keys by their names: one string for all keys alike, so that looking them up compares no letters."""

    def __missing__(self, name: Value) -> str:
        if not isinstance(name, Name):
            raise TypeError
        key = sys.intern(str(name))
        if len(key) <= _LONGEST_REMEMBERED and len(self) < _REMEMBERED:
            self[name] = key
        return key


_ATOMS: Final = _Atoms()
_KEYS: Final = _Keys()


def _reference(one: Value, generation: Value) -> Ref:
    if type(one) is not int or type(generation) is not int or not 0 <= one < 10**10 or not 0 <= generation < 10**6:
        raise ValueError
    return Ref(one, generation)
