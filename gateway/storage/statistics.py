"""Sums over the journal for people who look after it. Each runs on a reader's connection; moments are seconds since 1970."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Integer, cast, func, select

from gateway.model import State
from gateway.storage.tables import transfers
from sanitizers.model import Verdict

# What is at its end, or on its way out: from here on only the next hop's time counts.
_WORKED_ON: Final = (State.RELEASED, State.HELD, State.BLOCKED, State.DELIVERED)
WAITING: Final = "waiting"


def by_verdict(connection: Connection, since: float, until: float) -> dict[str, int]:
    """How many received in that time got which verdict; WAITING: none yet."""
    received = (transfers.c.received_at >= since) & (transfers.c.received_at < until)
    rows = connection.execute(select(transfers.c.verdict, func.count()).where(received).group_by(transfers.c.verdict))
    found = {verdict or WAITING: count for verdict, count in rows}
    return {name: found.get(name, 0) for name in (*Verdict, WAITING)}


def by_hour(connection: Connection, since: float, hours: int) -> list[dict[str, int]]:
    """The same hour by hour, from `since` on."""
    passed = (transfers.c.received_at - since) / 3600
    hour = cast(passed if connection.dialect.name == "sqlite" else func.floor(passed), Integer)     # PostgreSQL rounds, SQLite cuts
    received = (transfers.c.received_at >= since) & (transfers.c.received_at < since + 3600 * hours)
    rows = connection.execute(select(hour, transfers.c.verdict, func.count()).where(received).group_by(hour, transfers.c.verdict))
    found: list[dict[str, int]] = [dict.fromkeys((*Verdict, WAITING), 0) for _ in range(hours)]
    for number, verdict, count in rows:
        found[min(int(number), hours - 1)][verdict or WAITING] += count
    return found


def seconds_taken(connection: Connection, last: int) -> list[float]:
    """From receipt to the state they are in now, of the last so many that are through, in rising order."""
    through = select(transfers.c.changed_at - transfers.c.received_at).where(transfers.c.state.in_(_WORKED_ON))
    return sorted(float(value) for value in connection.execute(through.order_by(transfers.c.id.desc()).limit(last)).scalars())
