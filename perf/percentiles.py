"""Percentiles that hide nobody who waited.

In an open loop a request counts from when it was due, so its seconds already hold the wait. In a closed loop a client that waits sends
nothing meanwhile: those that it would have sent are missing (coordinated omission), and each is put back as one that waited for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Waits(NamedTuple):
    """Seconds."""

    p50: float
    p95: float
    p99: float
    longest: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.3f} p95 {self.p95:.3f} p99 {self.p99:.3f} longest {self.longest:.3f} s"


def corrected(seconds: Sequence[float], every: float) -> list[float]:
    """Of a closed loop whose clients meant to send one `every` so many seconds: what was seen, and what was left out meanwhile."""
    if every <= 0:
        return list(seconds)
    return [took - missed * every for took in seconds for missed in range(max(1, int(took / every)))]


def waits(seconds: Sequence[float]) -> Waits:
    """NaN where nothing was measured."""
    ordered = sorted(seconds)
    if not ordered:
        return Waits(*[float("nan")] * 4)
    return Waits(*(ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.50, 0.95, 0.99, 1.0)))
