"""When to try again: a pure function of what happened and when. RFC 5321 4.5.4.1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# How far a pause may be stretched, so that a crowd that failed together does not come back together.
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """Pauses in seconds, the last one repeating, and the age in seconds at which to give up."""

    pauses: Sequence[float] = (60, 300, 900, 1800, 3600, 7200, 14400)
    expire: float = 5 * 86_400


def retry_at(schedule: Schedule, attempts: int, first_at: float, now: float, chance: float = 0.0) -> float | None:
    """When to try next after `attempts` failed tries (at least 1); None to give up. `chance` from 0 to 1 stretches the pause."""
    if now - first_at >= schedule.expire:
        return None
    pause = schedule.pauses[min(attempts, len(schedule.pauses)) - 1]
    # The last try falls on the very end of the time, not beyond it.
    return min(now + pause * (1 + _JITTER * chance), max(now, first_at + schedule.expire))
