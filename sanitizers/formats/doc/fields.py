"""Fields: those with a meaning inside the document stay, of any other only what it last showed. [MS-DOC] 2.8.25, ECMA-376 part 1 §17.16.

A field stands between three characters of the text, may spread over paragraphs and hold others, also inside its instruction. What they do
is decided before anything is written, from the instruction as Word would put it together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sanitizers.formats.doc.text import joined
from sanitizers.formats.office import instructions
from sanitizers.formats.office.instructions import Reach
from sanitizers.model import LimitExceeded, Malformed

BEGIN, SEPARATOR, END = "\x13", "\x14", "\x15"
TEXT, INSTRUCTION, GONE = 0, 1, 2  # what becomes of a character

_QUIET: Final = frozenset({"SHAPE"})  # stands around a drawing, which says all
_CODES: Final = {
    Reach.DDE: "doc.dde", Reach.MACRO: "doc.macro", Reach.MERGE: "doc.mail_merge", Reach.LINK: "doc.hyperlink", Reach.OBJECT: "doc.object",
    Reach.CONTROL: "doc.control", Reach.EXTERNAL: "doc.external_field", Reach.UNKNOWN: "doc.field",
}  # fmt: skip
_DEEPEST: Final = 256
_MOST: Final = 200_000

_SHOWN: Final = re.compile(r"\s*MACROBUTTON\s+\S+\s?", re.IGNORECASE)
_MARKS: Final = re.compile(f"[{BEGIN}{SEPARATOR}{END}]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
_RUBY: Final = re.compile(
    r'\s*EQ\s+\\\*\s*jc(\d)\s+\\\*\s*"Font:([^"]{0,64})"\s+\\\*\s*hps(\d{1,3})\s+\\o(?:\\a([dclr]))?\s*\(\s*\\s\\up\s*(\d{1,3})\s*'
    r"\(([^()]*)\)\s*,\s*([^()]*)\)\s*",
    re.IGNORECASE,
)


class Ruby(NamedTuple):
    """A phonetic guide: `guide` above `base`; sizes in half points; `at`: the place of the base."""

    alignment: int
    font: str
    size: int
    rise: int
    guide: str
    base: str
    at: int


@dataclass(slots=True)
class _Field:
    begin: int
    separator: int = -1
    own: list[tuple[int, int]] = field(default_factory=list)  # pieces of the instruction
    nested: bool = False  # another field takes part in the instruction
    lost: bool = False  # … and that one does not stay
    nameless: bool = False  # it begins with another field, whose words nobody knows


class Fields:
    """The fields of one story; raises Malformed for one that never ends.

    `marks`: place → "begin", "separate" or "end" of those that stay; `fates`: of each character; `all_plain`: there is no field at all.
    """

    def __init__(self, units: str, start: int, end: int, schemes: tuple[str, ...]) -> None:
        self._units = units
        self._start = start
        self._schemes = schemes
        self.marks: dict[int, str] = {}
        self.rubies: dict[int, Ruby] = {}
        self.found: list[tuple[str, str]] = []  # finding codes and instructions
        self.fates = bytearray(end - start)
        self._stack: list[_Field] = []
        before = start
        for mark in _MARKS.finditer(units, start, end):
            place = mark.start()
            if self._stack and self._stack[-1].separator < 0:
                self._stack[-1].own.append((before, place))
            self._mark(mark[0], place)
            before = place + 1
        if any(one.separator < 0 for one in self._stack):
            raise Malformed("a field that never ends", code="doc.malformed")
        for one in self._stack:
            self._leave(one, end - 1, self._said(one))
        self.all_plain = not any(self.fates)

    def fate(self, place: int) -> int:
        return self.fates[place - self._start]

    def plain(self, start: int, end: int) -> bool:
        """Nothing between is part of a field, its result apart."""
        return self.all_plain or not any(self.fates[start - self._start : end - self._start])

    def _mark(self, kind: str, place: int) -> None:
        self._fill(place, place + 1, GONE)
        if kind == BEGIN:
            self._nest()
            self._stack.append(_Field(place))
            if len(self._stack) > _DEEPEST:
                raise LimitExceeded(f"fields nested deeper than {_DEEPEST}")
        elif not self._stack:
            return
        elif kind == SEPARATOR:
            if self._stack[-1].separator < 0:
                self._stack[-1].separator = place
        else:
            self._close(self._stack.pop(), place)

    def _nest(self) -> None:
        if self._stack and self._stack[-1].separator < 0:
            outer = self._stack[-1]
            if not outer.nested:
                outer.nameless = not self._said(outer).strip()
            outer.nested = True

    def _said(self, one: _Field) -> str:
        return _CONTROLS.sub("", joined("".join(self._units[start:end] for start, end in one.own)))

    def _close(self, one: _Field, end: int) -> None:
        said = self._said(one)
        if not one.nested and (ruby := self._ruby(one, said)) is not None:
            self.rubies[one.begin] = ruby
            self._fill(one.begin, end + 1, GONE)
        elif self._stays(one, said):
            self.marks[one.begin] = "begin"
            if one.separator >= 0:
                self.marks[one.separator] = "separate"
            self.marks[end] = "end"
            for start, stop in one.own:
                self._fill(start, stop, INSTRUCTION)
        else:
            self._leave(one, end, said)
        if len(self.marks) > 3 * _MOST:
            raise LimitExceeded(f"more than {_MOST} fields")

    def _stays(self, one: _Field, said: str) -> bool:
        if not said.strip() and not one.nested:
            return False
        if one.lost or one.nameless or instructions.name_of(said) in _QUIET:
            return False
        return instructions.is_local(said, self._schemes, nested=one.nested)

    def _leave(self, one: _Field, end: int, said: str) -> None:
        stop = one.separator if one.separator >= 0 else end
        self._fill(one.begin, stop + 1, GONE)
        for inner in _MARKS.finditer(self._units, one.begin, stop) if one.nested else ():
            self.marks.pop(inner.start(), None)
            self.rubies.pop(inner.start(), None)
        if self._stack and self._stack[-1].separator < 0:
            self._stack[-1].lost = True
        shown = _SHOWN.match(self._units, one.begin + 1, stop) if not one.nested else None
        if shown:
            self._fill(shown.end(), stop, TEXT)
        if said.strip() and instructions.name_of(said) not in _QUIET:
            self.found.append((_CODES[instructions.reach(said)], said.strip()[:200]))

    def _fill(self, start: int, end: int, fate: int) -> None:
        self.fates[start - self._start : end - self._start] = bytes((fate,)) * (end - start)

    def _ruby(self, one: _Field, said: str) -> Ruby | None:
        found = _RUBY.fullmatch(said)
        if found is None or one.separator >= 0:
            return None
        at = self._units.rfind(found[7][:1], one.begin, one.own[-1][1]) if found[7] else one.begin
        return Ruby(int(found[1]), found[2], int(found[3]), 2 * int(found[5]), found[6], found[7], max(at, one.begin))
