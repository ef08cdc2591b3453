"""Rows of drills (訓練): backups made, restored, compared. Every function runs inside a transaction of the journal."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select

from gateway.storage import ledger, numbers
from gateway.storage.tables import audit, drills

_MARK: Final = "DR"
_MOST: Final = 200


class Outcome(StrEnum):
    """How it ended."""

    GOOD = "good"
    PARTLY = "partly"
    FAILED = "failed"


class Drill(msgspec.Struct, frozen=True, kw_only=True):
    """One drill. `at`: when it was held (seconds since 1970); `seconds`: until everything was back."""

    number: str
    kind: str
    at: float
    seconds: float
    outcome: str
    actor: str
    note: str


def add(connection: Connection, *, kind: str, held_at: float, seconds: float, outcome: Outcome, note: str, at: float, actor: str) -> str:
    """Its number."""
    number = numbers.following(connection, drills, _MARK, at)
    row = {"number": number, "kind": kind, "at": held_at, "seconds": seconds, "outcome": outcome, "actor": actor, "note": note}
    connection.execute(insert(drills), row)
    detail: dict[str, object] = {"kind": kind, "held": held_at, "outcome": outcome, "note": note}
    ledger.append(connection, at=at, actor=actor, action="drill.recorded", subject=number, detail=detail)
    return number


def listed(connection: Connection) -> list[Drill]:
    """The youngest first."""
    statement = select(drills).order_by(drills.c.at.desc(), drills.c.id.desc()).limit(_MOST)
    return [Drill(**{name: getattr(row, name) for name in Drill.__struct_fields__}) for row in connection.execute(statement)]


def last_backup(connection: Connection) -> str:
    """The moment (RFC 3339) of the last backup that the record knows; empty if none."""
    done = select(audit.c.at).where(audit.c.action == "backup.made").order_by(audit.c.seq.desc()).limit(1)
    return str(connection.execute(done).scalar_one_or_none() or "")
