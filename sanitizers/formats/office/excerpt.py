"""A large document without the stretches that hold nothing to decide: these are set aside as they are, a mark keeps the place of each.

A tree weighs ten to forty times what its text does, and building, walking and writing it is most of what a rebuilding costs. So the tree
is built of the rest alone, and what was set aside comes back into what is written of it. Sound, because a stretch
* holds nothing but tags of harmless forms and text that is written as it is read (`tags`): a tree would give back the same bytes;
* is made of whole elements, side by side in an element that is only passed through (`passed`): nothing in the rest depends on them;
* stands in a document that the parser has found well-formed and free of DTD, comments, instructions and CDATA.

The mark is text between two signs that the document has nowhere, so it goes wherever its place goes and cannot be made up of pieces; a
stretch whose surroundings were removed stays away with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sanitizers.formats.office.tags import Harmless, Tags

LARGE: Final = 1 << 20             # bytes: below this a tree is cheap
_LEAST: Final = 1 << 10            # bytes of a stretch that is worth a mark
_SHARE: Final = 4                  # the stretches are at least this part of a document, or it is not worth it
_ROOT: Final = re.compile(rb"""<([A-Za-z_][\w.:-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*\s*>""")
_TAG: Final = re.compile(rb"""<([A-Za-z_][\w.:-]*)(?=[\s/>])(?:[^"'<>]|"[^"]*"|'[^']*')*>""")
_BEGINS: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[^<>]*\?>)?\s*(?=<[A-Za-z_])")
_REFERENCE: Final = re.compile(rb"&#(?:x0*([0-9A-Fa-f]{1,8})|0*([0-9]{1,8}));")
_FIRST_SIGN: Final = 0xF0000
_DEEPEST: Final = 32
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["'](?!utf-?8["'])""", re.IGNORECASE)

Hold = Callable[[bytes], bool]


@dataclass(slots=True)
class Excerpt:
    """`frame`: the document with marks. `runs`: what was set aside. `prefixes`: of namespaces, that the runs may use."""

    mark: bytes
    pieces: list[bytes] = field(default_factory=list)
    runs: list[bytes] = field(default_factory=list)
    prefixes: frozenset[str] = frozenset()

    @property
    def frame(self) -> bytes:
        return b"".join(self.pieces)

    def fill(self, written: bytes) -> bytes:
        """What was written of the frame, with the runs where their marks have come to stand."""
        pieces = written.split(self.mark)
        pieces[1::2] = [self.runs[int(number)] for number in pieces[1::2]]
        return b"".join(pieces)


def take(data: bytes, harmless: Harmless, passed: frozenset[str], hold: Hold | None = None) -> Excerpt | None:
    """None for a document that is small, or that is cheaper to take whole. Names of `passed` elements are local names.

    `hold` is shown each element that is not set aside, in order, and tells whether what follows must not be set aside either.
    Whoever takes an excerpt has the document proved well-formed (`xml.check`).
    """
    begins = _BEGINS.match(data)
    root = _ROOT.match(data, begins.end()) if begins is not None else None
    if len(data) < LARGE or begins is None or root is None or _ENCODING.search(data, 0, begins.end()):
        return None
    end = data.rfind(b"</")
    tags, mark = Tags(root[0], harmless), _unused_sign(data)
    others = tags.others(data, root.end(), end) if data[end + 2 :].rstrip() == root[1] + b">" else None
    if others is None or not mark:
        return None
    cutting = _Cutting(data, tags, passed, others, hold or _never, mark)
    cutting.piece(0, root.end())
    if not cutting.walk(root.end(), end, 0) or sum(map(len, cutting.excerpt.runs)) * _SHARE < len(data):
        return None
    cutting.piece(end, len(data))
    cutting.excerpt.prefixes = frozenset(prefix for prefix in tags.prefixes if _is_used(prefix.encode(), cutting.excerpt.runs))
    return cutting.excerpt


def _never(_: bytes) -> bool:
    return False


class _Cutting:
    """The walk over a document, from one tag that must be looked at to the next."""

    def __init__(self, data: bytes, tags: Tags, passed: frozenset[str], others: list[int], hold: Hold, mark: bytes) -> None:  # noqa: PLR0917
        self._data = data
        self._tags = tags
        self._passed = passed
        self._others = iter(others)
        self._next = next(self._others, len(data))
        self._hold = hold
        self._held = False
        self.excerpt = Excerpt(mark)

    def piece(self, start: int, end: int) -> None:
        self.excerpt.pieces.append(self._data[start:end])

    def walk(self, start: int, end: int, depth: int) -> bool:
        """The content of one element, from `start` to `end`; False where the bytes do not show plainly what stands in what."""
        data, quiet, at = self._data, start, start
        while self._next < end:
            at = data.find(b"<", at, end)
            tag = _TAG.match(data, at, end) if at >= 0 else None
            stop = self._stop(tag, end) if tag is not None else -1
            if tag is None or stop < 0 or self._next < at:
                return False
            if stop > self._next:
                self._set_aside(quiet, at)
                if not self._element(tag, stop, depth):
                    return False
                quiet = stop
            at = stop
        self._set_aside(quiet, end)
        return True

    def _element(self, tag: re.Match[bytes], stop: int, depth: int) -> bool:
        """An element that has other tags in it, or is one."""
        inside = self._next >= tag.end() and tag[1].rpartition(b":")[2].decode() in self._passed
        if inside and depth < _DEEPEST and self._tags.is_by_form(self._data, tag.start()):
            close = self._data.rfind(b"</", tag.end(), stop)
            self.piece(tag.start(), tag.end())
            if not self.walk(tag.end(), close, depth + 1):
                return False
            self.piece(close, stop)
            return True
        while self._next < stop:
            self._next = next(self._others, len(self._data))
        self.piece(tag.start(), stop)
        self._held = self._hold(self._data[tag.start() : stop])
        return True

    def _set_aside(self, start: int, end: int) -> None:
        if end - start < _LEAST or self._held:
            self.piece(start, end)
            return
        self.excerpt.pieces.append(b"%b%d%b" % (self.excerpt.mark, len(self.excerpt.runs), self.excerpt.mark))
        self.excerpt.runs.append(self._data[start:end])

    def _stop(self, tag: re.Match[bytes], end: int) -> int:
        """Where the element ends that begins with this tag; -1 if that is nowhere."""
        data, name, at = self._data, tag[1], tag.end()
        if tag[0].endswith(b"/>"):
            return at
        stop = data.find(b"</%b>" % name, at, end)
        if stop >= 0 and all(data.find(b"<%b%b" % (name, sign), at, stop) < 0 for sign in (b" ", b">", b"/", b"\t", b"\n", b"\r")):
            return stop + len(name) + 3
        depth = 1
        pattern = re.compile(rb"""<(/?)%b(?=[\s/>])(?:[^"'<>]|"[^"]*"|'[^']*')*>""" % re.escape(name))
        for found in pattern.finditer(data, at, end):
            depth += -1 if found[1] else 0 if found[0].endswith(b"/>") else 1
            if depth == 0:
                return found.end()
        return -1


def _is_used(prefix: bytes, runs: list[bytes]) -> bool:
    return any(b"<%b:" % prefix in run or b" %b:" % prefix in run for run in runs)


def _unused_sign(data: bytes) -> bytes:
    """A character for private use that does not stand in the document, spelled in any way; none if there are too many."""
    numbers = _REFERENCE.findall(data) if b"&" in data else ()
    spelled = {int(hexadecimal, 16) if hexadecimal else int(decimal) for hexadecimal, decimal in numbers}
    free = (chr(code).encode() for code in range(_FIRST_SIGN, _FIRST_SIGN + 100) if code not in spelled)
    return next((sign for sign in free if sign[:1] not in data or sign not in data), b"")     # one byte is found much faster than four
