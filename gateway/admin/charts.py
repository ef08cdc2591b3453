"""Drawings of the overview: numbers turned into places on a sheet of vector graphics, which the page only writes down.

No script draws them and nothing is fetched for them: they print, and they are read by those who do not see them (each bar has its words).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from gateway.web.view import english
from sanitizers.model import Verdict

# Units of the drawing: its height without the words below, its width, and the gap between bars.
HEIGHT: Final = 100
WIDTH: Final = 480
_GAP: Final = 0.2
_WORDS: Final = 8                       # at most so many words below the bars
_THROUGH: Final = (Verdict.CLEAN, Verdict.SANITIZED, Verdict.CONFIRMED)
_STOPPED: Final = (Verdict.HELD, Verdict.BLOCKED)
_ROUND: Final = (1, 2, 5, 10)
# In Japanese, in English: what is said of a bar.
_BAR: Final = ("{}：通過 {:,}、保留・遮断 {:,}、処理中 {:,}", "{}: through {:,}, held or blocked {:,}, in work {:,}")


class Piece(NamedTuple):
    """One rectangle of a bar: how it looks (a class of the style sheet), its upper edge and its height."""

    look: str
    top: float
    height: float


class Bar(NamedTuple):
    """One stretch of time: left edge and width, its pieces from below, what is said of it, and what stands below it."""

    left: float
    width: float
    pieces: tuple[Piece, ...]
    said: str
    below: str


class Chart(NamedTuple):
    """`lines`: where a thin line stands and the number that it means."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, str], ...]


def stacked(stretches: Sequence[Mapping[str, int]], since: float, step: float) -> Chart:
    """What went through, what was stopped above it, what is in work on top; `since` and `step` in seconds."""
    top = _ceiling(max((sum(each.values()) for each in stretches), default=0))
    pitch, every = WIDTH / max(1, len(stretches)), -(-len(stretches) // _WORDS)
    bars = []
    for number, each in enumerate(stretches):
        heights = [("through", sum(each[one] for one in _THROUGH)), ("stayed", sum(each[one] for one in _STOPPED))]
        heights.append(("waiting", sum(each.values()) - heights[0][1] - heights[1][1]))
        name = _named(since + number * step, step)
        said = _BAR[english()].format(name, *(count for _, count in heights))
        below = name if number % every == 0 else ""
        bars.append(Bar(round(pitch * (number + _GAP / 2), 1), round(pitch * (1 - _GAP), 1), _pieces(heights, top), said, below))
    return Chart(tuple(bars), tuple((round(HEIGHT * (1 - share), 1), f"{top * share:,.0f}") for share in (0.5, 1.0)))


def _pieces(heights: Sequence[tuple[str, int]], top: int) -> tuple[Piece, ...]:
    pieces, floor = [], float(HEIGHT)
    for look, count in heights:
        height = HEIGHT * count / top
        floor -= height
        if count:
            pieces.append(Piece(look, round(floor, 1), round(height, 1)))
    return tuple(pieces)


def _named(at: float, step: float) -> str:
    moment = dt.datetime.fromtimestamp(at, dt.UTC).astimezone()
    return f"{moment.hour}{':00' if english() else '時'}" if step < 86_400 else f"{moment.month}/{moment.day}"


def _ceiling(highest: int) -> int:
    """The next round and even number, so that the line at half its height means a whole one."""
    power = int(10 ** max(0, len(str(highest)) - 1))
    return max(2, min(power * one for one in _ROUND if power * one >= highest))


class Share(NamedTuple):
    """One line of a list of the first: its length in percent of the longest."""

    name: str
    number: int
    percent: int


def shares(counted: Sequence[tuple[str, int]]) -> list[Share]:
    longest = max((count for _, count in counted), default=1)
    return [Share(name, count, max(1, round(100 * count / longest))) for name, count in counted]
