"""緊急停止: what was stopped by a person's word, for every process at once, until somebody resumes it.

It stands in the journal and is asked in the same transaction that would take something in or hand something out, so that nothing slips
through between the word and the deed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway.storage import ledger
from gateway.storage.faults import HaltedError
from gateway.storage.tables import halts


class Halt(StrEnum):
    """What can be stopped."""

    INTAKE = "intake"           # nothing is taken in, by any door
    DELIVERY = "delivery"       # nothing leaves: no mail to the next hop, no file at the pickup


class Halted(NamedTuple):
    """Since when (seconds since 1970), by whom and why."""

    since: float
    actor: str
    reason: str


_STANDING: Final = select(halts)
_ONE: Final = select(halts.c.what).where(halts.c.what == bindparam("one"))


def standing(connection: Connection) -> dict[Halt, Halted]:
    return {Halt(row.what): Halted(row.since, row.actor, row.reason) for row in connection.execute(_STANDING)}


def check(connection: Connection, what: Halt) -> None:
    """Raises HaltedError."""
    if connection.execute(_ONE, {"one": what}).first() is not None:
        raise HaltedError(f"{what} is stopped")


def halt(connection: Connection, what: Halt, *, at: float, actor: str, reason: str) -> bool:
    if what in standing(connection):
        return False
    connection.execute(insert(halts), {"what": what, "since": at, "actor": actor, "reason": reason})
    ledger.append(connection, at=at, actor=actor, action="emergency.halt", subject=what, detail={"reason": reason})
    return True


def resume(connection: Connection, what: Halt, *, at: float, actor: str, reason: str) -> bool:
    if connection.execute(delete(halts).where(halts.c.what == what)).rowcount == 0:
        return False
    ledger.append(connection, at=at, actor=actor, action="emergency.resume", subject=what, detail={"reason": reason})
    return True
