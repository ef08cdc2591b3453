"""When to try again."""

from __future__ import annotations

import pytest

from mail.retry import Gate, Schedule, attempts_before, retry_at

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


@pytest.mark.parametrize(("pauses", "expire"), [((), 60), ((0,), 60), ((60, -1), 60), ((60,), -1)])
def test_a_schedule_that_never_moves_is_no_schedule(pauses: tuple[float, ...], expire: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Schedule(pauses, expire)


def test_the_shortest_schedule_is_one() -> None:
    assert retry_at(Schedule((0.5,), expire=0), 1, 0.0, 0.0) is None
    assert retry_at(Schedule((0.5,), expire=0.9), 1, 0.0, 0.0) == 0.5


def test_the_usual_schedule() -> None:
    """As the manual of the settings says it: a minute, five, a quarter and half an hour, one, two and four hours, for five days."""
    assert Schedule() == Schedule((60, 300, 900, 1_800, 3_600, 7_200, 14_400), 432_000)
    assert retry_at(Schedule(), 1, 0.0, 0.0) == 60


@pytest.mark.parametrize(
    ("age", "attempts"), [(0.0, 1), (0.5, 2), (60.0, 2), (60.5, 3), (360.0, 3), (361.0, 4), (1_260.0, 4), (1_261.0, 5), (2_161.0, 6)]
)
def test_which_attempt_is_the_first_at_an_age(age: float, attempts: int) -> None:
    assert attempts_before(MINUTES, age) == attempts


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


def test_a_new_gate_is_open_and_shuts_for_a_second_at_first_and_a_minute_at_most() -> None:
    gate, now = Gate(), 100.0
    assert (gate.shut, gate.waits(0.0), gate.room(3, 0.0)) == (False, 0.0, 3)
    pauses = []
    for _ in range(8):
        gate.unreached(now)
        pauses.append(gate.waits(now))
        now += pauses[-1]
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]


def test_a_gate_that_was_open_shuts_whatever_the_clock_says() -> None:
    gate = Gate()
    gate.unreached(1_000.0)
    gate.reached()
    gate.unreached(-5.0)
    assert (gate.shut, gate.waits(-5.0)) == (True, 1.0)
