"""Stretches of the calendar that reports and inspections are about: day, month, quarter, 年度 (April to March); and how they are said.

Names are `2026-11-20`, `2026-11`, `2026-Q3` and `FY2026`; quarters and years are those of the fiscal year, which begins with April. All in
the installation's own time zone.
"""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Final, NamedTuple

_APRIL: Final = 4
# Years of 令和 count from this one on.
_REIWA: Final = 2018


class Every(StrEnum):
    """How long a period is."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Period(NamedTuple):
    """From `since` to before `until`, seconds since 1970."""

    every: Every
    name: str
    since: float
    until: float

    @property
    def ja(self) -> str:
        first = dt.datetime.fromtimestamp(self.since, dt.UTC).astimezone()
        fiscal = first.year - (first.month < _APRIL)
        match self.every:
            case Every.DAY:
                return f"{era(first.year)}{first.month}月{first.day}日"
            case Every.MONTH:
                return f"{era(first.year)}{first.month}月"
            case Every.QUARTER:
                return f"{era(fiscal)}度第{(first.month - _APRIL) % 12 // 3 + 1}四半期"
            case Every.YEAR:
                return f"{era(fiscal)}度"

    @property
    def en(self) -> str:
        return self.name

    @property
    def said(self) -> str:
        return f"{self.ja} / {self.en}"


def era(year: int) -> str:
    """`令和8年`; 令和元年 is 2019."""
    return f"令和{'元' if year == _REIWA + 1 else year - _REIWA}年"


def of(every: Every, at: float) -> Period:
    """The one in which that moment lies."""
    day = dt.datetime.fromtimestamp(at, dt.UTC).astimezone().date()
    match every:
        case Every.DAY:
            return _between(every, f"{day:%Y-%m-%d}", day, day + dt.timedelta(days=1))
        case Every.MONTH:
            first = day.replace(day=1)
            return _between(every, f"{day:%Y-%m}", first, _months(first, 1))
        case Every.QUARTER:
            begun = (day.month - _APRIL) % 12 // 3
            first = _months(_fiscal(day), 3 * begun)
            return _between(every, f"{_fiscal(day).year}-Q{begun + 1}", first, _months(first, 3))
        case Every.YEAR:
            first = _fiscal(day)
            return _between(every, f"FY{first.year}", first, _months(first, 12))


def before(period: Period) -> Period:
    """The one that ended when this one began."""
    return of(period.every, period.since - 1)


def named(name: str) -> Period:
    """Raises ValueError."""
    if match := re.fullmatch(r"FY(\d{4})", name):
        found = of(Every.YEAR, _start(dt.date(int(match[1]), _APRIL, 1)))
    elif match := re.fullmatch(r"(\d{4})-Q([1-4])", name):
        found = of(Every.QUARTER, _start(_months(dt.date(int(match[1]), _APRIL, 1), 3 * (int(match[2]) - 1))))
    elif match := re.fullmatch(r"(\d{4})-(\d{2})", name):
        found = of(Every.MONTH, _start(dt.date(int(match[1]), int(match[2]), 1)))
    else:
        found = of(Every.DAY, _start(dt.date.fromisoformat(name)))
    if found.name != name:
        raise ValueError(name)
    return found


def ended(every: Every, at: float, since: float, most: int) -> list[Period]:
    """Those that were over at that moment and did not end before `since`, the youngest first; at most so many."""
    found: list[Period] = []
    one = before(of(every, at))
    while len(found) < most and one.until > since:
        found.append(one)
        one = before(one)
    return found


def _fiscal(day: dt.date) -> dt.date:
    """The first day of the fiscal year."""
    return dt.date(day.year - (day.month < _APRIL), _APRIL, 1)


def _months(day: dt.date, count: int) -> dt.date:
    """The first of a month, so many months later."""
    months = day.year * 12 + day.month - 1 + count
    return dt.date(months // 12, months % 12 + 1, 1)


def _start(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time()).astimezone().timestamp()


def _between(every: Every, name: str, first: dt.date, last: dt.date) -> Period:
    return Period(every, name, _start(first), _start(last))
