"""When to try again: a pure function of what happened and when. RFC 5321 4.5.4.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# How far a pause may be stretched, so that a crowd that failed together does not come back together.
_JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Pauses in seconds, the last one repeating, and the age in seconds at which to give up. Raises ValueError for no pause."""

    pauses: Sequence[float] = (60, 300, 900, 1800, 3600, 7200, 14400)
    expire: float = 5 * 86_400

    def __post_init__(self) -> None:
        if not self.pauses or min(self.pauses) <= 0 or self.expire < 0:
            raise ValueError("a schedule needs pauses above zero")


def retry_at(schedule: Schedule, attempts: int, first_at: float, now: float, chance: float = 0.0) -> float | None:
    """When to try next after `attempts` failed tries (at least 1); None to give up. `chance` from 0 to 1 stretches the pause."""
    last = first_at + schedule.expire
    if now >= last:
        return None
    pause = schedule.pauses[min(max(attempts, 1), len(schedule.pauses)) - 1]
    # The last try falls on the very end of the time, not beyond it. A clock that was set back makes nobody wait longer than a pause.
    return min(now + pause * (1 + _JITTER * chance), last)


def attempts_before(schedule: Schedule, age: float) -> int:
    """Which attempt is the first one at an age of at least `age` seconds, counted from 1 and without the jitter."""
    attempts, passed = 1, 0.0
    while passed < age:
        passed += schedule.pauses[min(attempts, len(schedule.pauses)) - 1]
        attempts += 1
    return attempts


class Gate:
    """Whether the next hop is worth trying at all. Pure.

    While it cannot be reached, one delivery at a time finds out, after growing pauses, and the others wait without losing attempts: a
    night's outage does not leave the morning's mail waiting for its last, longest pause.
    """

    def __init__(self, shortest: float = 1.0, longest: float = 60.0) -> None:
        self._shortest = shortest
        self._longest = longest
        self._pause = 0.0
        self._opens_at = 0.0

    @property
    def shut(self) -> bool:
        return self._pause > 0

    def room(self, free: int, now: float) -> int:
        """How many of `free` deliveries may start."""
        if not self.shut:
            return free
        return 0 if now < self._opens_at else min(1, free)

    def waits(self, now: float) -> float:
        """Seconds until the next one may try; 0 if it may now."""
        return max(0.0, self._opens_at - now) if self.shut else 0.0

    def unreached(self, now: float) -> None:
        """Several that failed together count as one."""
        if self.shut and now < self._opens_at:
            return
        self._pause = min(self._longest, self._pause * 2 or self._shortest)
        self._opens_at = now + self._pause

    def reached(self) -> None:
        self._pause = self._opens_at = 0.0
