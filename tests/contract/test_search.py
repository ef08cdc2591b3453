"""What is asked of the list of transfers by days: exact, whatever the clock did, and never answered by looking through everything."""

from __future__ import annotations

import pytest

from gateway.storage import search
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from tests.build.transfer import NOW, arrival

DAY = 86_400.0


async def found(journal: Journal, **wanted: object) -> list[str]:
    return [transfer.name for transfer in await journal.transfers(Filter(**wanted))]  # type: ignore[arg-type]


@pytest.fixture
async def year(journal: Journal) -> Journal:
    """The clock was a week slow for a while, and a month fast for a moment."""
    for name, at in (("a", -9.0), ("b", -8.0), ("slow", -20.0), ("fast", 30.0), ("c", -7.0), ("d", -1.0)):
        await journal.accept(arrival(name=f"{name}.txt", received_at=NOW + at * DAY, organisation="町" if name != "b" else "市"))
    return journal


@pytest.mark.parametrize(
    ("since", "until", "names"),
    [(-9.5, -6.5, ["c", "b", "a"]), (-30.0, -8.5, ["slow", "a"]), (-1.5, None, ["d", "fast"]), (None, -8.5, ["slow", "a"]), (-5.0, -4.0, []),
     (None, None, ["d", "c", "fast", "slow", "b", "a"])],
)  # fmt: skip
async def test_days_are_exact_whatever_the_clock_did(year: Journal, since: float | None, until: float | None, names: list[str]) -> None:
    asked = {name: NOW + at * DAY for name, at in (("since", since), ("until", until)) if at is not None}
    assert await found(year, **asked) == [f"{name}.txt" for name in names]
    assert await found(year, text="txt", **asked) == [f"{name}.txt" for name in names]
    assert await found(year, organisation="町", **asked) == [f"{name}.txt" for name in names if name != "b"]


async def test_days_that_hold_very_much_are_asked_for_without_bounds(year: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_MOST_BOUNDED", 2)
    assert await found(year, since=NOW - 9.5 * DAY, until=NOW - 6.5 * DAY) == ["c.txt", "b.txt", "a.txt"]
    assert await found(year, text="txt", since=NOW - 9.5 * DAY, until=NOW - 7.5 * DAY) == ["b.txt", "a.txt"]
