"""調査: a number without which nobody searches the record of people's deeds. Every function runs inside a transaction of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select, update

from gateway.storage import ledger, numbers
from gateway.storage.tables import investigations

_MARK: Final = "CASE"


class Investigation(msgspec.Struct, frozen=True, kw_only=True):
    """One. `ordered_by`: on whose order (依頼元)."""

    number: str
    purpose: str
    ordered_by: str
    opened_by: str
    opened_at: float
    closed_at: float | None
    closed_by: str
    queries: int


class NoSuchInvestigationError(Exception):
    """None of that number; or it is closed."""


def begin(connection: Connection, *, purpose: str, ordered_by: str, who: str, at: float) -> Investigation:
    number = numbers.following(connection, investigations, _MARK, at)
    row = {"number": number, "purpose": purpose, "ordered_by": ordered_by, "opened_by": who, "opened_at": at, "closed_by": "", "queries": 0}
    connection.execute(insert(investigations), row)
    detail: dict[str, object] = {"purpose": purpose, "ordered_by": ordered_by}
    ledger.append(connection, at=at, actor=who, action="investigation.opened", subject=number, detail=detail)
    return find(connection, number)


def queried(connection: Connection, number: str, asked: Mapping[str, str], found: int, *, who: str, at: float) -> None:
    """A question was asked under that number, and so many entries were shown. Raises NoSuchInvestigationError if it is not open."""
    going_on = (investigations.c.number == number) & investigations.c.closed_at.is_(None)
    if connection.execute(update(investigations).where(going_on).values(queries=investigations.c.queries + 1)).rowcount != 1:
        raise NoSuchInvestigationError(number)
    detail: dict[str, object] = {"asked": dict(asked), "found": found}
    ledger.append(connection, at=at, actor=who, action="investigation.queried", subject=number, detail=detail)


def end(connection: Connection, number: str, *, who: str, at: float) -> None:
    """Raises NoSuchInvestigationError."""
    going_on = (investigations.c.number == number) & investigations.c.closed_at.is_(None)
    if connection.execute(update(investigations).where(going_on).values(closed_at=at, closed_by=who)).rowcount != 1:
        raise NoSuchInvestigationError(number)
    ledger.append(connection, at=at, actor=who, action="investigation.closed", subject=number, detail={})


def find(connection: Connection, number: str) -> Investigation:
    """Raises NoSuchInvestigationError."""
    found = [one for one in listed(connection) if one.number == number]
    if not found:
        raise NoSuchInvestigationError(number)
    return found[0]


def listed(connection: Connection, limit: int = 1_000) -> list[Investigation]:
    """The youngest first."""
    rows = connection.execute(select(investigations).order_by(investigations.c.id.desc()).limit(limit))
    return [Investigation(**{name: getattr(row, name) for name in Investigation.__struct_fields__}) for row in rows]
