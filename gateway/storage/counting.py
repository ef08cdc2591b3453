"""Receipt numbers: one after another each day (Japanese time), for all nodes together.

In a narrow transaction the number comes from a small one of its own, so that nobody who takes something in waits for the commit of another.
That one need not be flushed by itself: the log of the database is written in order, and with the transfer the number is durable too.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from sqlalchemy import Connection, Engine, PoolProxiedConnection
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError

from gateway.storage.faults import JournalUnavailableError
from gateway.storage.narrow import put_off
from gateway.storage.tables import receipt_numbers


def _counting(make: Any) -> Any:
    """The two dialects' inserts share no type that knows `on_conflict_do_update`."""
    statement = make(receipt_numbers).values(last=1)
    counted = statement.on_conflict_do_update(index_elements=["day"], set_={"last": receipt_numbers.c.last + 1})
    return counted.returning(receipt_numbers.c.last)


_COUNT: Final = {"sqlite": _counting(sqlite_insert), "postgresql": _counting(postgresql_insert)}
_COUNT_BESIDE: Final = (
    "INSERT INTO receipt_numbers (day, last) VALUES (%s, 1) ON CONFLICT (day) DO UPDATE SET last = receipt_numbers.last + 1 RETURNING last"
)
# A second connection of each writer: outside of its transaction, and without the lock that this one holds.
_beside: Final[WeakKeyDictionary[Engine, PoolProxiedConnection]] = WeakKeyDictionary()


def following(connection: Connection, day: str) -> int:
    """The next number of that day, for the writer that has this connection. Raises JournalUnavailableError."""
    if put_off(connection) is None:
        number: int = connection.execute(_COUNT[connection.dialect.name], {"day": day}).scalar_one()
        return number
    try:
        with _connected(connection.engine).cursor() as cursor:
            cursor.execute(_COUNT_BESIDE, (day,))
            return int(cursor.fetchone()[0])
    except (psycopg.Error, DBAPIError) as error:
        close(connection.engine)
        raise JournalUnavailableError(f"journal: {error}") from error


def _connected(engine: Engine) -> Any:
    if engine not in _beside:
        beside = engine.raw_connection()
        raw: Any = beside.driver_connection
        raw.rollback()
        raw.autocommit = True
        raw.execute("SET synchronous_commit = off")
        _beside[engine] = beside
    return _beside[engine].driver_connection


def close(engine: Engine) -> None:
    """At the end of the writer, or when the connection broke."""
    beside = _beside.pop(engine, None)
    if beside is not None:
        beside.invalidate()
