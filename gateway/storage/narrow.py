"""Transactions of several nodes beside each other on PostgreSQL, and what they must do one after another.

A wide transaction has the whole journal to itself, as every one has with SQLite: whoever looks and then writes needs nothing more. Narrow
ones (the traffic itself: taking in, claiming, settling) run beside each other and keep wide ones out. Each is written so that rows and
leases settle what two of them may both want (SKIP LOCKED, tokens, row locks). What would be one after another all the same, the chain
of the record and whose turn it is, they put off to their end and do in one go under a lock of their own, just before they commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

# Any numbers that nobody else on this server uses; all nodes of an installation share its database.
WIDE: Final = 7_370_001
CHAIN: Final = 7_370_002

# What is put off: a name by which equal deeds are done together, and what is done with everything that was put off under it.
Deed = Callable[[Connection, list[Any]], None]


class PutOff:
    """What one transaction has still to do, in the order in which it was put off."""

    def __init__(self) -> None:
        self._deeds: list[tuple[Deed, Any]] = []

    def __len__(self) -> int:
        return len(self._deeds)

    def add(self, deed: Deed, what: Any) -> None:
        self._deeds.append((deed, what))

    def back_to(self, length: int) -> None:
        """An operation failed: what it had put off is not done."""
        del self._deeds[length:]

    def do(self, connection: Connection) -> None:
        """All of it; equal deeds at once."""
        if not self._deeds:
            return
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({CHAIN})")
        together: dict[Deed, list[Any]] = {}
        for deed, what in self._deeds:
            together.setdefault(deed, []).append(what)
        self._deeds.clear()
        for deed, all_of_it in together.items():
            deed(connection, all_of_it)


_narrow: Final[WeakKeyDictionary[Connection, PutOff]] = WeakKeyDictionary()


def begin(connection: Connection) -> PutOff:
    """Of a transaction that is about to begin: it will be a narrow one."""
    _narrow[connection] = put_off = PutOff()
    return put_off


def end(connection: Connection) -> None:
    _narrow.pop(connection, None)


def put_off(connection: Connection) -> PutOff | None:
    """None: it has everything to itself, and does what it has to do at once."""
    return _narrow.get(connection)
