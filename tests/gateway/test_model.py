"""The table of states, walked."""

from __future__ import annotations

import time

import pytest

from gateway.model import TRANSITIONS, Decision, Door, IllegalTransitionError, Purpose, State, day_of, rfc3339
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


def test_the_line_of_a_list_says_what_the_transfer_is() -> None:
    one = transfer(organisation="A町", note="見ました")
    said = one.listed()
    assert said.pop("received_at") == rfc3339(NOW)
    assert said.pop("recipients") == ["kakari@town.example.jp"]
    assert said == {name: getattr(one, name) for name in said}
    assert set(said) >= {"organisation", "lane", "attempts", "policy", "rules", "note", "name", "subject"}


AT_REST = {(State.HELD, Door.SMTP), (State.HELD, Door.DROP), (State.DELIVERED, Door.SMTP), (State.DELIVERED, Door.DROP), (State.RELEASED, Door.DROP)}
STOPPABLE = {
    (State.PROCESSING, Door.SMTP), (State.PROCESSING, Door.DROP), (State.RELEASED, Door.SMTP), (State.RELEASED, Door.DROP),
    (State.DEFERRED, Door.SMTP), (State.DEFERRED, Door.DROP), (State.DELIVERED, Door.DROP), (State.UNDELIVERABLE, Door.DROP),
}  # fmt: skip


@pytest.mark.parametrize("door", [Door.SMTP, Door.DROP])
@pytest.mark.parametrize("state", State)
def test_when_more_may_be_opened_and_when_it_may_be_stopped(state: State, door: Door) -> None:
    """A mail that was sent is gone; what lies in a box can still be kept back."""
    one = transfer(state=state, door=door)
    assert one.at_rest == ((state, door) in AT_REST)
    assert one.can_be_stopped == ((state, door) in STOPPABLE)


def test_a_step_that_there_is_not_is_named() -> None:
    error = IllegalTransitionError("20261118-000001", State.BLOCKED, State.RELEASED)
    assert str(error) == "20261118-000001: blocked may not become released"
    assert (error.old, error.new) == (State.BLOCKED, State.RELEASED)


def test_which_deliveries_move_the_transfer() -> None:
    assert {purpose for purpose in Purpose if purpose.carries_transfer} == {Purpose.MAIL, Purpose.SHARE, Purpose.BOX}


def test_moments_are_told_in_the_time_of_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert day_of(NOW + 43_200) == "20261119"
        assert rfc3339(NOW).endswith("+09:00")
    finally:
        monkeypatch.undo()
        time.tzset()
