"""国民の祝日, as the law makes them: nobody has to enter them every year, and nobody can forget to.

国民の祝日に関する法律 (昭和23年法律第178号), articles 2 and 3, as they stand since 2022. The equinoxes are those of the almanac that the
National Astronomical Observatory publishes each February for the year after; until 2099 the usual reckoning gives the same days. What the
law of a single year moves (as for the games of 2020 and 2021) is not known here: such days stand in `audit.closed`, as do those on which an
office is closed by its own ordinance.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Final

_MONDAY, _SUNDAY = 0, 6
_FIXED: Final = {
    (1, 1): "元日", (2, 11): "建国記念の日", (2, 23): "天皇誕生日", (4, 29): "昭和の日", (5, 3): "憲法記念日", (5, 4): "みどりの日",
    (5, 5): "こどもの日", (8, 11): "山の日", (11, 3): "文化の日", (11, 23): "勤労感謝の日",
}  # fmt: skip
# Month and which Monday of it.
_MONDAYS: Final = {(1, 2): "成人の日", (7, 3): "海の日", (9, 3): "敬老の日", (10, 2): "スポーツの日"}
# Of an equinox: its month, its name, and its moment in 1980 as a day of that month.
_EQUINOXES: Final = ((3, "春分の日", 20.8431), (9, "秋分の日", 23.2488))
_TROPICAL: Final = 0.242194     # what a year has over 365 days
_DAY: Final = dt.timedelta(days=1)


def holiday(day: dt.date) -> str:
    """Its name; empty for a day that is none."""
    return _of_year(day.year).get(day, "")


@cache
def _of_year(year: int) -> dict[dt.date, str]:
    named = {dt.date(year, month, day): name for (month, day), name in _FIXED.items()}
    for (month, which), name in _MONDAYS.items():
        first = dt.date(year, month, 1)
        named[first + _DAY * ((_MONDAY - first.weekday()) % 7 + 7 * (which - 1))] = name
    for month, name, begun in _EQUINOXES:
        named[dt.date(year, month, int(begun + _TROPICAL * (year - 1980) - (year - 1980) // 4))] = name
    return named | _between(named) | _moved(named)


def _moved(named: dict[dt.date, str]) -> dict[dt.date, str]:
    """振替休日: for a holiday on a Sunday the next day that is none (article 3, paragraph 2)."""
    found = {}
    for day in named:
        if day.weekday() == _SUNDAY:
            while day in named:
                day += _DAY  # noqa: PLW2901 - the day after it
            found[day] = "休日"
    return found


def _between(named: dict[dt.date, str]) -> dict[dt.date, str]:
    """国民の休日: a day with a holiday before and after it (article 3, paragraph 3)."""
    return {day + _DAY: "休日" for day in named if day + 2 * _DAY in named and day + _DAY not in named}
