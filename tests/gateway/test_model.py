"""The table of states, walked."""

from __future__ import annotations

import time

import pytest

from gateway.model import TRANSITIONS, Decision, State, day_of, rfc3339
from sanitizers.model import Reason, Verdict
from tests.build.transfer import NOW, transfer

# As the plan of the house has it; what the code adds to it is listed below and nowhere else.
PLAN = {
    (State.RECEIVED, State.PROCESSING),
    (State.PROCESSING, State.RELEASED),
    (State.PROCESSING, State.HELD),
    (State.PROCESSING, State.BLOCKED),
    (State.PROCESSING, State.RECEIVED),
    (State.HELD, State.PROCESSING),
    (State.HELD, State.RELEASED),
    (State.HELD, State.DISPOSED),
    (State.BLOCKED, State.DISPOSED),
    (State.RELEASED, State.DELIVERING),
    (State.DELIVERING, State.DELIVERED),
    (State.DELIVERING, State.DEFERRED),
    (State.DELIVERING, State.UNDELIVERABLE),
    (State.DEFERRED, State.DELIVERING),
}
ADDED = {
    (State.DELIVERING, State.RELEASED),         # given back untried
    (State.RELEASED, State.HELD),               # an operator stops it
    (State.DEFERRED, State.HELD),
    (State.UNDELIVERABLE, State.RELEASED),      # an operator sends it again
    (State.RELEASED, State.DISPOSED),           # retention
    (State.DELIVERED, State.DISPOSED),
    (State.UNDELIVERABLE, State.DISPOSED),
    (State.RELEASED, State.PROCESSING),         # a password opens a part of an upload
    (State.DELIVERED, State.PROCESSING),        # … or of a mail, which is sent again
    (State.DELIVERED, State.HELD),              # a file on its share is not handed out of its box any more
    (State.UNDELIVERABLE, State.HELD),
}


def edges() -> set[tuple[State, State]]:
    return {(old, new) for old, news in TRANSITIONS.items() for new in news}


def reachable(start: State, without: frozenset[State] = frozenset()) -> set[State]:
    seen, waiting = set(), [start]
    while waiting:
        state = waiting.pop()
        if state not in seen and state not in without:
            seen.add(state)
            waiting.extend(TRANSITIONS[state])
    return seen


def test_the_table_is_the_plan_and_what_was_added() -> None:
    assert edges() == PLAN | ADDED


def test_every_state_is_reached_and_ends() -> None:
    assert set(TRANSITIONS) == set(State)
    assert reachable(State.RECEIVED) == set(State)
    assert all(State.DISPOSED in reachable(state) for state in State)
    assert TRANSITIONS[State.DISPOSED] == frozenset()


def test_nothing_is_delivered_but_what_was_released() -> None:
    assert not {State.DELIVERING, State.DELIVERED} & reachable(State.RECEIVED, frozenset({State.RELEASED}))
    assert {old for old, new in edges() if new is State.RELEASED} == {
        State.PROCESSING,
        State.HELD,
        State.DELIVERING,
        State.UNDELIVERABLE,
    }


def test_what_is_blocked_can_only_be_disposed_of() -> None:
    assert reachable(State.BLOCKED) == {State.BLOCKED, State.DISPOSED}


@pytest.mark.parametrize("verdict", Verdict)
def test_a_decision_leads_to_one_state(verdict: Verdict) -> None:
    state = Decision(verdict=verdict, reason=None if verdict.delivers else Reason.POLICY).state
    assert (state is State.RELEASED) == verdict.delivers
    assert state in TRANSITIONS[State.PROCESSING]


def test_a_transfer_is_listed_with_the_keys_of_the_contract() -> None:
    keys = ["receipt_no", "door", "state", "verdict", "reason", "received_at", "sender", "recipients", "message_id", "size", "sha256"]
    assert list(transfer().listed())[: len(keys)] == keys


def test_moments_are_told_in_the_time_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert day_of(NOW + 43_200) == "20261119"
        assert rfc3339(NOW).endswith("+09:00")
    finally:
        monkeypatch.undo()
        time.tzset()
