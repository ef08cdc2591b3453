"""The figures of a report are what a count of the transfers one by one comes to, on every database."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest

from gateway import periods
from gateway.model import Door, Transfer
from gateway.periods import Every
from gateway.reports.figures import Figures, gathered
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.statistics import WAITING
from sanitizers.model import Kind, Reason, Verdict
from tests.build.transfer import DAY, NOW, arrival, claimed, held, report, settlement

OUTCOMES = (
    report(), report(Verdict.CLEAN, kind=Kind.PDF), held(), held(Reason.MALFORMED), report(Verdict.BLOCKED, Reason.MALWARE), None,
)  # fmt: skip


async def filled(journal: Journal) -> list[Transfer]:
    """Sixty of every sort, over three months; some have no verdict yet."""
    dice = random.Random(5)
    for number in range(60):
        at, given = NOW - number * 1.5 * DAY, dice.choice(OUTCOMES)
        sender = dice.choice(("tanaka", "suzuki", "a@example.jp"))
        await journal.accept(arrival(door=dice.choice(tuple(Door)), sender=sender, received_at=at, size=dice.randrange(1, 10**9)))
        claim = claimed(await journal.claim(1, at=at, lease_until=at + 60))
        if given is not None:
            await journal.settle(claim, settlement(given), at=at + 1)
    return await journal.transfers(Filter(limit=1_000))


def most_first(names: Iterable[str | None]) -> list[tuple[str, int]]:
    return sorted(Counter(name for name in names if name is not None).items(), key=lambda one: (-one[1], one[0]))


@pytest.mark.parametrize("every", [Every.DAY, Every.MONTH, Every.YEAR])
async def test_figures_are_what_counting_comes_to(journal: Journal, every: Every) -> None:
    rows = await filled(journal)
    period = periods.of(every, NOW)
    before = periods.before(period)
    told: Figures = await journal.ask(lambda connection: gathered(connection, period, before, rows=True))
    came = [one for one in rows if period.since <= one.received_at < period.until]
    earlier = Counter(str(one.verdict or WAITING) for one in rows if before.since <= one.received_at < before.until)
    assert len(came) >= {Every.DAY: 1, Every.MONTH: 10, Every.YEAR: 50}[every]
    assert {name: count for name, count in told.verdicts.items() if count} == Counter(str(one.verdict or WAITING) for one in came)
    assert {name: count for name, count in told.verdicts_before.items() if count} == earlier
    assert list(told.reasons.items()) == most_first(one.reason for one in came)
    assert list(told.doors.items()) == most_first(one.door for one in came)
    assert told.size == sum(one.size for one in came)
    assert told.received == len(came)
    assert told.ranks.senders == most_first(one.sender for one in came)
    assert told.ranks.kinds == most_first(one.result.kind if one.result is not None else None for one in came)


async def test_a_time_in_which_nothing_came(journal: Journal) -> None:
    period = periods.of(Every.MONTH, NOW)
    told = await journal.ask(lambda connection: gathered(connection, period, periods.before(period), rows=False))
    assert (told.received, told.size, told.reasons, told.doors) == (0, 0, {}, {})
