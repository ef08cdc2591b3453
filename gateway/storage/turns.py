"""Whose turn it is in the queue: every organisation gets its part of the work, and in each the small before the large.

Weighted fair queueing by start tags (Goyal, Vin and Cheng, "Start-time Fair Queuing", 1996). An organisation has had so many turns; the
one that has had the least is next, and what it had grows by the cost of what it gave, divided by its weight. Who comes back after a pause
begins where the clock is, the tag of what was begun last: nobody saves turns up, and a flood of one waits behind itself.

Within an organisation a transfer waits as if it had come later by two seconds a full MiB, at most ten minutes: small before large, and the
large one's time comes all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.storage.narrow import put_off
from gateway.storage.tables import transfers, turns
from gateway.storage.tables.travel import WAITING

_MIB: Final = 1 << 20
_LATER_SECONDS: Final = 2.0
_LATEST_SECONDS: Final = 600.0
# No organisation is called so.
_CLOCK: Final = "\x1fclock"

# From one organisation to the next along the index, however many transfers of each wait. SQLite has to be told: it would rather count
# through all that wait.
_ORGANISATIONS: Final = """
    WITH RECURSIVE found(organisation) AS (
        SELECT min(organisation) FROM transfers {indexed} WHERE state = 'received'
        UNION ALL
        SELECT (SELECT min(organisation) FROM transfers {indexed} WHERE state = 'received' AND organisation > found.organisation)
        FROM found WHERE found.organisation IS NOT NULL
    )
    SELECT organisation FROM found WHERE organisation IS NOT NULL
    """
ORGANISATIONS: Final = {
    "sqlite": text(_ORGANISATIONS.format(indexed="INDEXED BY ix_transfers_waiting")),
    "postgresql": text(_ORGANISATIONS.format(indexed="")),
}

_HAD: Final = select(turns).where(turns.c.organisation.in_(bindparam("of_them", expanding=True)))
# Of two processes that claim at once on PostgreSQL each gets rows of its own.
_FIRST: Final = (
    select(transfers)
    .where(WAITING, transfers.c.organisation == bindparam("of_whom"))
    .order_by(transfers.c.turn, transfers.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def _counting(make: Any) -> Any:
    statement = make(turns)
    return statement.on_conflict_do_update(index_elements=["organisation"], set_={"had": statement.excluded.had})


_COUNT: Final = {"sqlite": _counting(sqlite_insert), "postgresql": _counting(postgresql_insert)}


def turn(received_at: float, size: int) -> float:
    """When a transfer is due among those of its organisation, in seconds since 1970."""
    return received_at + min(size // _MIB * _LATER_SECONDS, _LATEST_SECONDS)


def cost(size: int) -> float:
    """Of the work on so many bytes, in turns."""
    return 1.0 + size / _MIB


def next_rows(connection: Connection, limit: int, weights: Mapping[str, float]) -> list[Row[Any]]:
    """The transfers whose turn it is, at most `limit`; what they cost is counted. `weights`: organisation → turns where others have one."""
    waiting = list(connection.execute(ORGANISATIONS[connection.dialect.name]).scalars())
    if not waiting:
        return []
    had = {row.organisation: row.had for row in connection.execute(_HAD, {"of_them": [*waiting, _CLOCK]})}
    clock = had.pop(_CLOCK, 0.0)
    tags = {organisation: max(had.get(organisation, 0.0), clock) for organisation in waiting}
    queues: dict[str, list[Row[Any]]] = {}
    chosen: list[Row[Any]] = []
    while tags and len(chosen) < limit:
        # Of two with the same tag the one that has rested.
        organisation = min(tags, key=lambda name: (tags[name], had.get(name, 0.0), name))
        if organisation not in queues:
            queues[organisation] = _first(connection, organisation, limit)[::-1]
        if not queues[organisation]:
            del tags[organisation]
            continue
        row = queues[organisation].pop()
        chosen.append(row)
        clock = tags[organisation]
        had[organisation] = tags[organisation] = clock + cost(row.size) / weights.get(organisation, 1.0)
    _keep(connection, {name: had[name] for name in queues if name in had} | {_CLOCK: clock})
    return chosen


def _first(connection: Connection, organisation: str, limit: int) -> list[Row[Any]]:
    return list(connection.execute(_FIRST, {"of_whom": organisation, "most": limit}))


def _keep(connection: Connection, had: Mapping[str, float]) -> None:
    if (later := put_off(connection)) is not None:
        later.add(_keep_all, had)
    else:
        _keep_all(connection, [had])


def _keep_all(connection: Connection, several: list[Mapping[str, float]]) -> None:
    """Two nodes that count at once count a little too little: what counts is who has had the least, not how much."""
    had: dict[str, float] = {}
    for one in several:
        had |= one
    connection.execute(_COUNT[connection.dialect.name], [{"organisation": name, "had": value} for name, value in had.items()])
