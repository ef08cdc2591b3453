"""Rows of vendors' visits (委託事業者の作業): every function runs inside a transaction of the journal."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, insert, select, update

from gateway.storage import ledger
from gateway.storage.tables import accounts, visits

_MOST: Final = 500


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One time for which a vendor's account opens. Moments are seconds since 1970."""

    id: int
    login: str
    name: str
    from_at: float
    until_at: float
    purpose: str
    request: str
    requester: str
    approver: str
    ended_at: float | None
    ended_by: str

    def lasts(self, at: float) -> bool:
        return self.ended_at is None and self.from_at <= at < self.until_at

    def to_come(self, at: float) -> bool:
        return self.ended_at is None and at < self.from_at


def grant(
    connection: Connection,
    *,
    account_id: int,
    login: str,
    from_at: float,
    until_at: float,
    purpose: str,
    request: str,
    requester: str,
    approver: str,
    at: float,
) -> None:
    row = {"account_id": account_id, "from_at": from_at, "until_at": until_at, "purpose": purpose, "request": request,
           "requester": requester, "approver": approver, "ended_by": ""}  # fmt: skip
    connection.execute(insert(visits), row)
    detail: dict[str, object] = {"request": request, "from": from_at, "until": until_at, "purpose": purpose, "requester": requester}
    ledger.append(connection, at=at, actor=approver, action="visit.granted", subject=login, detail=detail)


def is_open(connection: Connection, account_id: int, at: float) -> bool:
    """Whether that account may be used now."""
    lasting = (visits.c.account_id == account_id) & visits.c.ended_at.is_(None) & (visits.c.from_at <= at) & (visits.c.until_at > at)
    return connection.execute(select(visits.c.id).where(lasting).limit(1)).first() is not None


def listed(connection: Connection) -> list[Visit]:
    """The youngest first."""
    return _read(connection, _SELECT.order_by(visits.c.from_at.desc(), visits.c.id.desc()).limit(_MOST))


def find(connection: Connection, visit_id: int) -> Visit | None:
    return next(iter(_read(connection, _SELECT.where(visits.c.id == visit_id))), None)


def end(connection: Connection, visit: Visit, *, at: float, actor: str, reason: str) -> bool:
    """False if it is over already."""
    lasting = (visits.c.id == visit.id) & visits.c.ended_at.is_(None) & (visits.c.until_at > at)
    if connection.execute(update(visits).where(lasting).values(ended_at=at, ended_by=actor)).rowcount != 1:
        return False
    ledger.append(connection, at=at, actor=actor, action="visit.ended", subject=visit.login, detail={"reason": reason})
    return True


_SELECT: Final[Select[Any]] = select(visits, accounts.c.login, accounts.c.name).where(accounts.c.id == visits.c.account_id)


def _read(connection: Connection, statement: Select[Any]) -> list[Visit]:
    return [Visit(**{name: getattr(row, name) for name in Visit.__struct_fields__}) for row in connection.execute(statement)]
