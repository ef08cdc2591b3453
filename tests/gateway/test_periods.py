"""The calendar of a Japanese office: fiscal years begin with April, eras with their first year."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import periods
from gateway.periods import Every


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("every", "moment", "name", "ja", "first", "last"),
    [
        (Every.DAY, "2026-11-20T23:59:59", "2026-11-20", "令和8年11月20日", "2026-11-20", "2026-11-21"),
        (Every.MONTH, "2026-12-31T12:00", "2026-12", "令和8年12月", "2026-12-01", "2027-01-01"),
        (Every.QUARTER, "2026-04-01T00:00", "2026-Q1", "令和8年度第1四半期", "2026-04-01", "2026-07-01"),
        (Every.QUARTER, "2027-03-31T23:59", "2026-Q4", "令和8年度第4四半期", "2027-01-01", "2027-04-01"),
        (Every.YEAR, "2027-03-31T23:59", "FY2026", "令和8年度", "2026-04-01", "2027-04-01"),
        (Every.YEAR, "2019-04-01T00:00", "FY2019", "令和元年度", "2019-04-01", "2020-04-01"),
    ],
)
def test_a_moment_lies_in_its_period(every: Every, moment: str, name: str, ja: str, first: str, last: str) -> None:
    found = periods.of(every, at(moment))
    assert (found.name, found.ja) == (name, ja)
    assert (found.since, found.until) == (at(first + "T00:00"), at(last + "T00:00"))
    assert periods.named(name) == found


@given(st.sampled_from(Every), st.integers(int(at("2020-01-01T00:00")), int(at("2090-01-01T00:00"))))
def test_periods_follow_each_other(every: Every, moment: float) -> None:
    one = periods.of(every, moment)
    assert one.since <= moment < one.until
    assert periods.before(one).until == one.since
    assert periods.named(one.name) == one


@pytest.mark.parametrize("name", ["", "2026", "FY26", "2026-Q5", "2026-13", "2026-02-30", "2026-1", "2026-Q0", "x"])
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        periods.named(name)


def test_what_is_over_since_the_beginning() -> None:
    now = at("2026-11-20T12:00")
    assert [one.name for one in periods.ended(Every.MONTH, now, at("2026-09-15T00:00"), 12)] == ["2026-10", "2026-09"]
    assert [one.name for one in periods.ended(Every.MONTH, now, 0.0, 2)] == ["2026-10", "2026-09"]
    assert periods.ended(Every.YEAR, now, at("2026-04-01T00:00"), 5) == []
