"""All scanners from outside at once, and what their answers mean for one file.

A hit of any of them is malware. Silence is never consent: a required scanner that fails, or whose signatures are too old, makes the
file wait; one that can never say anything about this file (too large for it) has it held for a person.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway import log, memory
from gateway.scanners.hashlists import HashLists
from gateway.scanners.interface import Answer, Clean, Failed, Found, OutsideScanner

_log = log.get(__name__)

# Nothing against it can be known; who calls it clean is at work.
_TRIAL: Final = b"Sekisho asks whether you are there.\n"
_TRIAL_SECONDS: Final = 10.0
# How long the date of signatures is believed: it changes a few times a day.
_AGE_SECONDS: Final = 60.0


class Ruling(StrEnum):
    """What is to become of the file."""

    CLEAN = "clean"
    MALWARE = "malware"
    WAIT = "wait"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Seat:
    """A scanner on the panel. `seconds`: its limit for one file; `stale_seconds`: how old its signatures may be, None: never asked."""

    scanner: OutsideScanner
    required: bool = True
    seconds: float = 60.0
    stale_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came from one seat. `trouble`: why its silence is not an opinion; empty if it gave one."""

    scanner: str
    required: bool
    answer: Answer
    age: float | None = None
    stale: bool = False

    @property
    def trouble(self) -> str:
        if isinstance(self.answer, Failed):
            return self.answer.text
        if self.stale:
            return "the age of the signatures is not known" if self.age is None else f"signatures are {self.age / 3600:.0f} h old"
        return ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`note`: one line for the operator. `down`: the wait has nothing to do with this file, it must not count as an attempt."""

    ruling: Ruling
    note: str = ""
    down: bool = False
    heard: tuple[Heard, ...] = ()


@dataclass(slots=True)
class _Age:
    seconds: float
    told_at: float


@dataclass(slots=True)
class Panel:
    """The scanners of an installation. `lists` may be replaced at any time. `clock`: monotonic seconds."""

    seats: Sequence[Seat] = ()
    lists: HashLists = field(default_factory=HashLists)
    clock: Callable[[], float] = time.monotonic
    _ages: dict[str, _Age] = field(default_factory=dict, init=False)

    @property
    def seconds(self) -> float:
        """The longest that `judge` takes."""
        longest = max((seat.seconds for seat in self.seats), default=0.0)
        return longest + min(longest, _TRIAL_SECONDS)

    async def judge(self, fd: int, size: int, sha256: str) -> Judgement:
        """Never raises for what a scanner does. The descriptor stays the caller's; `sha256` is believed."""
        if name := self.lists.denied(sha256):
            return Judgement(Ruling.MALWARE, f"deny list: {name}")
        if name := self.lists.allowed(sha256):
            return Judgement(Ruling.CLEAN, f"allow list: {name}")
        heard = await self._ask(fd, size, self.seats)
        for one in heard:
            if isinstance(one.answer, Found):
                return Judgement(Ruling.MALWARE, f"{one.scanner}: {one.answer.name}", heard=heard)
        missing = [one for one in heard if one.required and one.trouble]
        if not missing:
            return Judgement(Ruling.CLEAN, heard=heard)
        note = "; ".join(f"{one.scanner}: {one.trouble}" for one in missing)
        if any(isinstance(one.answer, Failed) and one.answer.lasting for one in missing):
            return Judgement(Ruling.HOLD, note, heard=heard)
        return Judgement(Ruling.WAIT, note, await self._down(), heard)

    async def standing(self) -> tuple[Heard, ...]:
        """How each scanner does now, on a file of no interest: for the operators' page and for readiness."""
        return await self._trial(self.seats)

    async def _down(self) -> bool:
        """Whether a required scanner gives no opinion about anything. If not, the failure may lie in the file that it met."""
        return any(one.trouble for one in await self._trial([seat for seat in self.seats if seat.required]))

    async def _trial(self, seats: Sequence[Seat]) -> tuple[Heard, ...]:
        with memory.filled("trial", _TRIAL) as fd:
            return await self._ask(fd, len(_TRIAL), seats, _TRIAL_SECONDS)

    async def _ask(self, fd: int, size: int, seats: Sequence[Seat], at_most: float = float("inf")) -> tuple[Heard, ...]:
        return tuple(await asyncio.gather(*(self._hear(seat, fd, size, min(seat.seconds, at_most)) for seat in seats)))

    async def _hear(self, seat: Seat, fd: int, size: int, seconds: float) -> Heard:
        name, age, stale = seat.scanner.name, None, False
        try:
            async with asyncio.timeout(seconds):
                answer: Answer = await seat.scanner.scan(fd, size)
                if seat.stale_seconds is not None and isinstance(answer, Clean):
                    age = await self._age(seat.scanner)
                    stale = age is None or not 0 <= age <= seat.stale_seconds
        except TimeoutError:
            answer = Failed(f"no answer in {seconds:g} s")
        except Exception as error:  # noqa: BLE001 - a plug-in's bug must neither stop the others nor pass for an opinion
            _log.exception("a scanner failed", scanner=name)
            answer = Failed(f"failed: {type(error).__name__}")
        if not isinstance(answer, Clean | Found | Failed):
            answer = Failed("an answer of no known type")
        return Heard(name, seat.required, answer, age, stale)

    async def _age(self, scanner: OutsideScanner) -> float | None:
        known, now = self._ages.get(scanner.name), self.clock()
        if known is not None and now - known.told_at < _AGE_SECONDS:
            return known.seconds + now - known.told_at
        age = await scanner.age()
        if age is None:
            self._ages.pop(scanner.name, None)
        else:
            self._ages[scanner.name] = _Age(age, now)
        return age
