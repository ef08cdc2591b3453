"""How long a client may take, without a clock."""

from __future__ import annotations

from mail.pace import Pace, Times
from mail.replies import Trouble

TIMES = Times(idle_seconds=300, stress_seconds=10, data_seconds=1800, least_rate=500, rate_grace_seconds=30)


def test_a_command_has_its_time_however_it_comes() -> None:
    pace = Pace(TIMES)
    pace.turn(content=False)
    for _ in range(29):
        pace.waited(10)
        pace.heard(1)
    assert pace.patience() == 10
    assert pace.verdict() is None
    pace.waited(10)
    assert pace.verdict() is Trouble.TIMED_OUT
    pace.turn(content=False)
    assert pace.patience() == 300


def test_under_stress_it_is_shorter() -> None:
    pace = Pace(TIMES)
    pace.waited(11)
    assert pace.verdict() is None
    assert pace.verdict(stressed=True) is Trouble.TIMED_OUT


def test_content_has_a_least_rate_after_a_grace() -> None:
    pace = Pace(TIMES)
    pace.turn(content=True)
    assert pace.patience() == 30
    pace.waited(29)
    assert pace.verdict() is None
    pace.heard(50_000)
    pace.turn(content=True)  # a block was written: it is still the same content
    assert pace.patience() == 71
    pace.waited(70)
    assert pace.verdict() is None
    pace.waited(1)
    assert pace.verdict() is Trouble.TOO_SLOW


def test_content_has_a_deadline_at_any_rate() -> None:
    pace = Pace(TIMES)
    pace.turn(content=True)
    for _ in range(1800):
        assert pace.verdict() is None
        pace.heard(100_000)
        pace.waited(1)
    assert pace.verdict() is Trouble.TOO_SLOW


def test_stress_does_not_touch_content() -> None:
    pace = Pace(TIMES)
    pace.turn(content=True)
    pace.waited(20)
    assert pace.verdict(stressed=True) is None


def test_without_a_rate_only_the_deadline_counts() -> None:
    pace = Pace(Times(least_rate=0, data_seconds=100))
    pace.turn(content=True)
    pace.waited(99)
    assert pace.patience() == 1
