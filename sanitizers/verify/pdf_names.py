"""Names that the author of a document chose may be any word, a font resource `AA` or a glyph `JS`: where a name stands tells them apart.

Only objects in which a forbidden word was seen are read here, token by token, so an ordinary file costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]*+)|(<<)|(>>)|(\[)|(\])|([^/<>\[\]\x00\t\n\f\r ][^/<>\[\]]*+)")
_NAME, _OPEN, _CLOSE, _ARRAY, _ARRAY_END, _SCALAR = 1, 2, 3, 4, 5, 6
# Dictionaries whose keys are chosen (ISO 32000-2 §7.8.3, §9.6.4, §14.7.3), and keys whose value is.
_CHOSEN_KEYS: Final = frozenset((
    b"Font", b"XObject", b"ExtGState", b"ColorSpace", b"Pattern", b"Shading", b"Properties", b"CharProcs", b"RoleMap", b"ClassMap",
    b"AP/state",
))
_CHOSEN_VALUES: Final = frozenset((b"BaseFont", b"FontName", b"AS", b"C"))
_KINDS: Final = frozenset((b"S", b"Subtype", b"Type"))
# An element of the structure tree, which has a parent and nothing but these, says by `S` what its author calls it (§14.7.2).
_ELEMENT: Final = frozenset((
    b"S", b"P", b"K", b"Pg", b"ID", b"A", b"C", b"R", b"T", b"Lang", b"Alt", b"E", b"ActualText", b"NS", b"PhoneticAlphabet", b"Phoneme",
))


@dataclass(slots=True)
class _Frame:
    """A dictionary or array that is open: the key that it lies under, the first name of an array, and what was met in it."""

    around: bytes | None
    array: bool
    head: bytes = b""
    key: bytes | None = None        # of a dictionary, while its value is awaited
    keys: set[bytes] = field(default_factory=set)
    kinds: set[bytes] = field(default_factory=set)

    def place(self) -> bytes | None:
        """The key that a value in here lies under, None in an array; the states of an appearance have a place of their own (§12.5.5)."""
        if self.array:
            return None
        return b"AP/state" if self.around == b"AP" else self.key


def meant(text: bytes) -> tuple[set[bytes], set[bytes]]:
    """The names of one object that PDF itself gives a meaning to, and those of them that say what something is. `text`: without strings."""
    names: set[bytes] = set()
    kinds: set[bytes] = set()
    frames = [_Frame(None, array=True)]
    for match in _TOKEN.finditer(text):
        frame, token = frames[-1], match.lastindex
        if token in (_OPEN, _ARRAY):
            frames.append(_Frame(frame.place(), array=token == _ARRAY, head=frame.head if frame.array else b""))
            frame.key = None
        elif token in (_CLOSE, _ARRAY_END):
            kinds |= _kinds(frame)
            frames = frames[:-1] or [_Frame(None, array=True)]
        elif token == _SCALAR:
            frame.key = None
        elif not _is_chosen(match[_NAME], frame):
            names.add(match[_NAME])
    kinds = kinds.union(*map(_kinds, frames))
    return names | kinds, kinds


def _is_chosen(name: bytes, frame: _Frame) -> bool:
    """Takes in one name. Of one that says what its dictionary is, `_kinds` judges when all of that has been read."""
    if frame.array:
        frame.head = frame.head or name
        return frame.around in (b"Differences", b"C") or frame.head in (b"Separation", b"DeviceN")
    if frame.key is None:
        frame.key = name
        frame.keys.add(name)
        return frame.around in _CHOSEN_KEYS
    key, frame.key = frame.key, None
    if key in _KINDS:
        frame.kinds.add(name)
    return key in _KINDS or key in _CHOSEN_VALUES or frame.around == b"RoleMap"


def _kinds(frame: _Frame) -> set[bytes]:
    return set() if b"P" in frame.keys and frame.keys <= _ELEMENT else frame.kinds
