"""All scanners from outside at once, and what their answers mean for one file.

A hit of any of them is malware. Silence is never consent: a required scanner that fails, or whose signatures are too old, makes the
file wait; one that can never say anything about this file (too large for it, or it falls over each time) has it held for a person.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from prometheus_client import Gauge

from gateway.road import memory
from gateway.scanners.hashlists import HashLists
from gateway.scanners.interface import Answer, Clean, Failed, Found, OutsideScanner
from gateway.scanners.suspects import TIMES, Room, Suspects
from gateway.telemetry import log

_log = log.get(__name__)

# Nothing against it can be known; who calls it clean is at work.
_TRIAL: Final = b"Sekisho asks whether you are there.\n"
_TRIAL_SECONDS: Final = 10.0
# How long the date of signatures is believed: it changes a few times a day.
_AGE_SECONDS: Final = 60.0
# How long it is believed how they stand: anybody may ask whether the house is ready.
_STANDING_SECONDS: Final = 5.0

_up = Gauge("sekisho_scanner_up", "検査エンジンが判定できるか（1か0） / whether a scanner gives opinions", ["scanner", "required"])
_age = Gauge("sekisho_scanner_signatures_age_seconds", "定義ファイルの経過秒数 / age of the signatures of a scanner", ["scanner"])


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
    _suspects: Suspects = field(default_factory=Suspects, init=False)
    _room: Room = field(default_factory=Room, init=False)
    _stood: tuple[float, tuple[Heard, ...]] | None = field(default=None, init=False)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    @property
    def seconds(self) -> float:
        """The longest that `judge` takes: until the room is free, a trial before, the file, a trial after."""
        return 2 * self._longest + 3 * min(self._longest, _TRIAL_SECONDS)

    @property
    def _longest(self) -> float:
        return max((seat.seconds for seat in self.seats), default=0.0)

    @property
    def _patience(self) -> float:
        """As long as another file takes."""
        return self._longest + min(self._longest, _TRIAL_SECONDS)

    async def judge(self, fd: int, size: int, sha256: str) -> Judgement:
        """Never raises for what a scanner does. The descriptor stays the caller's; `sha256` is believed."""
        if name := self.lists.denied(sha256):
            return Judgement(Ruling.MALWARE, f"deny list: {name}")
        if name := self.lists.allowed(sha256):
            return Judgement(Ruling.CLEAN, f"allow list: {name}")
        if not self.seats:
            return Judgement(Ruling.CLEAN)
        if sha256 in self._suspects:
            return await self._alone(fd, size, sha256)
        try:
            async with self._room.shared(self._patience):
                judgement = await self._ruled(await self._ask(fd, size, self.seats))
        except TimeoutError:
            return Judgement(Ruling.WAIT, "others are scanned alone", down=True)
        if judgement.down:
            self._suspects.add(sha256)
        return judgement

    async def _alone(self, fd: int, size: int, sha256: str) -> Judgement:
        """A file that was in hand when a required scanner went down, with no other beside it."""
        try:
            async with self._room.alone(self._patience):
                if silent := await self.silent():
                    return Judgement(Ruling.WAIT, silent, down=True)
                judgement = await self._ruled(await self._ask(fd, size, self.seats))
        except TimeoutError:
            return Judgement(Ruling.WAIT, "waits to be scanned alone", down=True)
        if not judgement.down:
            self._suspects.clear(sha256)
        elif (times := self._suspects.convict(sha256)) >= TIMES:
            self._suspects.clear(sha256)
            return Judgement(Ruling.HOLD, f"{judgement.note}; went down {times} times alone with this file", heard=judgement.heard)
        return judgement

    async def _ruled(self, heard: tuple[Heard, ...]) -> Judgement:
        for one in heard:
            if isinstance(one.answer, Found):
                return Judgement(Ruling.MALWARE, f"{one.scanner}: {one.answer.name}", heard=heard)
        missing = [one for one in heard if one.required and one.trouble]
        if not missing:
            return Judgement(Ruling.CLEAN, heard=heard)
        note = "; ".join(f"{one.scanner}: {one.trouble}" for one in missing)
        if any(isinstance(one.answer, Failed) and one.answer.lasting for one in missing):
            return Judgement(Ruling.HOLD, note, heard=heard)
        return Judgement(Ruling.WAIT, note, bool(await self.silent()), heard)

    async def standing(self) -> tuple[Heard, ...]:
        """How each scanner does now, or did a moment ago, on a file of no interest: for the operators' page and for readiness."""
        async with self._looking:
            if self._stood is None or self.clock() - self._stood[0] >= _STANDING_SECONDS:
                self._stood = self.clock(), await self._trial(self.seats)
            return self._stood[1]

    async def silent(self) -> str:
        """Which required scanners give no opinion about anything, and why; empty if all do. If so, a failure may lie in the file."""
        heard = await self._trial([seat for seat in self.seats if seat.required])
        return "; ".join(f"{one.scanner}: {one.trouble}" for one in heard if one.trouble)

    async def _trial(self, seats: Sequence[Seat]) -> tuple[Heard, ...]:
        with memory.filled("trial", _TRIAL) as fd:
            heard = await self._ask(fd, len(_TRIAL), seats, _TRIAL_SECONDS)
        for one in heard:
            _up.labels(one.scanner, "yes" if one.required else "no").set(0 if one.trouble else 1)
            if one.age is not None:
                _age.labels(one.scanner).set(one.age)
        return heard

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
