"""国民の祝日 beside the almanac's lists of several years (暦要項, 国立天文台), and what an inspection makes of them."""

from __future__ import annotations

import datetime as dt

import pytest

from gateway.auditing.inspections import BY_NAME, USUAL
from gateway.caretaking import customs
from gateway.config import ConfigError, load
from gateway.holidays import holiday
from gateway.storage.ledger import Entry

YEARS = {
    2024: "1/1 1/8 2/11 2/12 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/15 8/11 8/12 9/16 9/22 9/23 10/14 11/3 11/4 11/23",
    2025: "1/1 1/13 2/11 2/23 2/24 3/20 4/29 5/3 5/4 5/5 5/6 7/21 8/11 9/15 9/23 10/13 11/3 11/23 11/24",
    2026: "1/1 1/12 2/11 2/23 3/20 4/29 5/3 5/4 5/5 5/6 7/20 8/11 9/21 9/22 9/23 10/12 11/3 11/23",
    2027: "1/1 1/11 2/11 2/23 3/21 3/22 4/29 5/3 5/4 5/5 7/19 8/11 9/20 9/23 10/11 11/3 11/23",
}


@pytest.mark.parametrize("year", YEARS)
def test_a_year_has_the_holidays_of_the_almanac(year: int) -> None:
    days = [dt.date(year, 1, 1) + dt.timedelta(days=number) for number in range(366)]
    assert " ".join(f"{day.month}/{day.day}" for day in days if day.year == year and holiday(day)) == YEARS[year]


def test_they_have_their_names() -> None:
    assert holiday(dt.date(2026, 9, 22)) == "休日", "between two holidays"
    assert holiday(dt.date(2026, 5, 6)) == "休日", "for a Sunday three days before"
    assert holiday(dt.date(2032, 9, 22)) == "秋分の日"


def entry(at: str) -> Entry:
    return Entry(seq=1, at=at, actor="kanri", action="policy.published", subject="", detail="{}", hash="", prev_hash="")


@pytest.mark.parametrize(
    ("at", "noticed"),
    [
        ("2026-11-24T10:00:00+09:00", False),
        ("2026-11-23T10:00:00+09:00", True),        # 勤労感謝の日, a Monday
        ("2026-12-28T10:00:00+09:00", False),
        ("2026-12-29T10:00:00+09:00", True),        # closed by the usual ordinance
        ("2026-11-24T19:00:00+09:00", True),
        ("2026-11-22T10:00:00+09:00", True),        # a Sunday
    ],
)
def test_administration_on_a_holiday_is_noticed(at: str, noticed: bool) -> None:
    there = customs(load(None, {}))
    local = dt.datetime.fromisoformat(at).astimezone()
    if local.utcoffset() != dt.timedelta(hours=9):
        at = dt.datetime.fromisoformat(at).replace(tzinfo=None).astimezone().isoformat()
    assert bool(BY_NAME["after_hours"].judge([entry(at)], there)) is noticed


def test_nothing_is_closed_that_nobody_named() -> None:
    assert USUAL.closed == frozenset()


@pytest.mark.parametrize("given", ["12/29", "29-12", "13-01", "02-30"])
def test_what_is_no_day_of_the_year_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="closed"):
        customs(load(None, {"SEKISHO_AUDIT_CLOSED": f"{given},"}))
