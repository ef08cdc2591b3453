"""When to try again."""

from __future__ import annotations

import pytest

from mail.retry import Gate, Schedule, retry_at

MINUTES = Schedule(pauses=(60, 300, 900), expire=10_000)


@pytest.mark.parametrize(
    ("attempts", "first_at", "now", "chance", "expected"),
    [
        (1, 0, 0, 0.0, 60),
        (2, 0, 100, 0.0, 400),
        (3, 0, 500, 0.0, 1400),
        (4, 0, 1500, 0.0, 2400),  # the last pause repeats
        (99, 0, 1500, 0.0, 2400),
        (0, 0, 0, 0.0, 60),
        (1, 0, 0, 1.0, 66),  # a tenth at most
        (1, 0, 0, 0.5, 63),
        (3, 0, 9_500, 0.0, 10_000),  # the last try is at the very end
        (3, 0, 9_999, 1.0, 10_000),
        (3, 0, 10_000, 0.0, None),
        (1, 0, 20_000, 0.0, None),
        (1, 5_000, 0, 0.0, 60),  # the clock was set back
    ],
)
def test_the_table(attempts: int, first_at: float, now: float, chance: float, expected: float | None) -> None:
    assert retry_at(MINUTES, attempts, first_at, now, chance) == expected


def test_the_usual_schedule_reaches_its_end_and_never_goes_back() -> None:
    now, attempts = 0.0, 0
    while True:
        attempts += 1
        due = retry_at(Schedule(), attempts, 0.0, now, 0.7)
        if due is None:
            break
        assert due > now
        now = due
    assert now == Schedule().expire
    assert 30 < attempts < 50


@pytest.mark.parametrize("pauses", [(), (0,), (60, -1)])
def test_a_schedule_that_never_moves_is_no_schedule(pauses: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        Schedule(pauses)


def test_the_gate_lets_one_find_out() -> None:
    gate = Gate(shortest=1.0, longest=8.0)
    assert gate.room(10, now=0.0) == 10
    gate.unreached(0.0)
    gate.unreached(0.5)  # together with the first
    assert (gate.room(10, now=0.9), gate.waits(0.9)) == (0, pytest.approx(0.1))
    assert gate.room(10, now=1.0) == 1
    assert gate.room(0, now=1.0) == 0
    pauses, now = [], 1.0
    for _ in range(5):
        gate.unreached(now)
        pauses.append(gate.waits(now))
        now += pauses[-1]
    assert pauses == [2.0, 4.0, 8.0, 8.0, 8.0]
    gate.reached()
    assert (gate.room(10, now), gate.waits(now)) == (10, 0.0)
