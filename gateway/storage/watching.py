"""What is looked up every few seconds for /metrics: only what an index answers, however large the journal has become."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Connection, func, or_, select

from gateway.model import State
from gateway.storage import halts
from gateway.storage.halts import Halt
from gateway.storage.tables import audit, deliveries, transfers
from gateway.storage.transfers import OWED

# Those at which somebody works or for which somebody waits. What is delivered or disposed of grows for years and is not counted here.
WATCHED: Final = (State.RECEIVED, State.PROCESSING, State.HELD, State.BLOCKED, State.DELIVERING, State.DEFERRED, State.UNDELIVERABLE)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """`since`: when the oldest of a state came into it, seconds since 1970; only states in which any transfer is. Of RESTING, in which a
    hundred thousand may be for months: when the one that was received first did."""

    states: dict[State, int]
    since: dict[State, float]
    owed_notices: int
    undelivered: int
    audit_entries: int
    halted: frozenset[Halt]


RESTING: Final = (State.HELD, State.BLOCKED)


def _since(connection: Connection, state: State) -> float:
    of_state = transfers.c.state == state
    first = select(transfers.c.changed_at).where(of_state).order_by(transfers.c.id).limit(1)
    oldest = first if state in RESTING else select(func.min(transfers.c.changed_at)).where(of_state)
    return float(connection.execute(oldest).scalar_one())


def standing(connection: Connection) -> Standing:
    columns = transfers.c
    counted = connection.execute(select(columns.state, func.count()).where(columns.state.in_(WATCHED)).group_by(columns.state)).all()
    states = {State(state): count for state, count in counted}
    unfinished = or_(deliveries.c.next_due.is_not(None), deliveries.c.lease_token.is_not(None))
    return Standing(
        states=dict.fromkeys(WATCHED, 0) | states,
        since={state: _since(connection, state) for state in states},
        owed_notices=connection.execute(select(func.count()).where(columns.notice == OWED)).scalar_one(),
        undelivered=connection.execute(select(func.count()).where(unfinished)).scalar_one(),
        audit_entries=connection.execute(select(func.max(audit.c.seq))).scalar_one() or 0,
        halted=frozenset(halts.standing(connection)),
    )
