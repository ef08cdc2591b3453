"""Glyph programs of Type 2 (Adobe Technical Note 5177) and Type 1 (Adobe Type 1 Font Format §6), followed without drawing.

A program that a reader cannot run to its end draws nothing in it, or worse: it is left out. The others are copied byte by byte. Storage,
choice and chance belonged to multiple-master fonts and to attacks on font engines; no font embedded in a PDF needs them.
"""

from __future__ import annotations

import re
from typing import Final

from sanitizers.model import LimitExceeded

EMPTY: Final = b"\x0e"              # endchar
_STACK: Final = 48
_CALLS: Final = 10
_STEPS: Final = 500_000             # of one font, and so many more for each of its glyphs:
_STEPS_PER_GLYPH: Final = 200
_NUMBERS: Final = rb"(?:[\x20-\xf6]|[\xf7-\xfe][\x00-\xff]|\x1c[\x00-\xff]{2}|\xff[\x00-\xff]{4})"
# Numbers and an operator that draws with them and clears the stack: most of any program.
_DRAWING: Final = re.compile(rb"(?:" + _NUMBERS + rb"{0,47}+[\x04-\x08\x15\x16\x18-\x1b\x1e\x1f])*+")
_STEMS: Final = frozenset({1, 3, 18, 23})
_FLEXES: Final = frozenset({0, 34, 35, 36, 37})
# Operators behind an escape that only count: how many operands they take and how many results they leave.
_COUNTS: Final = {3: (2, 1), 4: (2, 1), 5: (1, 1), 9: (1, 1), 10: (2, 1), 11: (2, 1), 12: (2, 1), 14: (1, 1), 15: (2, 1), 18: (1, 0),
                  24: (2, 1), 26: (1, 1), 27: (1, 2), 28: (2, 2)}  # fmt: skip
# Type 1: other subroutines 0 to 3 are flex and hint replacement, 12 and 13 counter control.
_TYPE1: Final = re.compile(
    rb"(?:[\x8b-\x8e\x97\x98]\x0c\x10|[\x20-\xf6]|[\xf7-\xfe][\x00-\xff]|\xff[\x00-\xff]{4}"
    rb"|[\x01\x03-\x0b\x0d-\x0f\x15\x16\x1e\x1f]|\x0c[\x00-\x02\x06\x07\x0c\x11\x21])*+"
)


class _Broken(Exception):  # noqa: N818 - ends one glyph, nobody else sees it
    """A program that no reader can run."""


class Checker:
    """The programs of one font. `local`: the subroutines of the glyph's private dictionary."""

    def __init__(self, shared: list[bytes], glyphs: int) -> None:
        self._shared = shared
        self._steps = _STEPS + _STEPS_PER_GLYPH * glyphs

    def followed(self, program: bytes, local: list[bytes]) -> bytes | None:
        """The program up to its end, or None when it does not get there. Raises LimitExceeded when a font keeps calling itself."""
        run = _Run(self, self._shared, local)
        try:
            run.follow(program, 0)
        except (_Broken, IndexError):
            return None
        return program[: run.end]

    def step(self) -> None:
        """One more operator of all programs of the font. Raises LimitExceeded."""
        self._steps -= 1
        if self._steps < 0:
            raise LimitExceeded("a font program takes too many steps")


class _Run:
    def __init__(self, checker: Checker, shared: list[bytes], local: list[bytes]) -> None:
        self._step = checker.step
        self._shared, self._local = shared, local
        self._stack: list[int | None] = []      # None: a number that is not followed
        self._hints = 0
        self.end = 0        # where the glyph's own program ended

    def follow(self, code: bytes, depth: int) -> bool:
        """True when the glyph has ended."""
        position = 0
        while position < len(code):
            match = _DRAWING.match(code, position)
            if match is not None and match.end() > position:
                self._stack.clear()
                position = match.end()
                continue
            self._step()
            byte = code[position]
            if byte >= 32 or byte == 28:
                position = self._push(code, position)
            elif byte in (19, 20):
                self._stems()
                position += 1 + (self._hints + 7) // 8
                if position > len(code):
                    raise _Broken
            elif byte == 12:
                self._escape(code[position + 1])
                position += 2
            elif byte == 11:
                break
            elif byte == 14:
                self.end = position + 1
                return True
            elif byte in (10, 29):
                position += 1
                if self._call(self._local if byte == 10 else self._shared, depth):
                    self.end = position
                    return True
            else:
                self._plain(byte)
                position += 1
        self.end = position
        return False

    def _push(self, code: bytes, position: int) -> int:
        first = code[position]
        if first == 28:
            value, size = int.from_bytes(code[position + 1 : position + 3], "big", signed=True), 3
        elif first <= 246:
            value, size = first - 139, 1
        elif first <= 250:
            value, size = (first - 247) * 256 + code[position + 1] + 108, 2
        elif first <= 254:
            value, size = -(first - 251) * 256 - code[position + 1] - 108, 2
        else:
            value, size = int.from_bytes(code[position + 1 : position + 3], "big", signed=True), 5
        if position + size > len(code) or len(self._stack) >= _STACK:
            raise _Broken
        self._stack.append(value)
        return position + size

    def _stems(self) -> None:
        self._hints += len(self._stack) // 2
        self._stack.clear()

    def _plain(self, byte: int) -> None:
        """What `_DRAWING` leaves over."""
        if byte not in _STEMS:
            raise _Broken
        self._stems()

    def _escape(self, byte: int) -> None:
        if byte in _FLEXES:
            self._stack.clear()
            return
        taken, left = _COUNTS.get(byte, (_STACK + 1, 0))
        if len(self._stack) < taken:
            raise _Broken
        del self._stack[len(self._stack) - taken :]
        self._stack += [None] * left

    def _call(self, subroutines: list[bytes], depth: int) -> bool:
        """One subroutine, by its number less the bias of the technical note's §4.7."""
        count = len(subroutines)
        bias = 107 if count < 1240 else 1131 if count < 33900 else 32768
        number = self._stack.pop()
        if number is None or not 0 <= number + bias < count or depth >= _CALLS:
            raise _Broken
        return self.follow(subroutines[number + bias], depth + 1)


def sound_type1(program: bytes) -> bool:
    """Whether a decrypted Type 1 program has known operators only and no number cut short."""
    match = _TYPE1.match(program)
    return match is not None and match.end() == len(program)
