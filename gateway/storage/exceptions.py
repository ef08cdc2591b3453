"""Rows of exceptions that were granted (例外措置): every function runs inside a transaction of the journal."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from gateway.storage import ledger
from gateway.storage.tables import exceptions

# More than this at once is no exception any more; the youngest count.
_MOST_LIVE: Final = 2_000


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One exception. Empty `sha256`, `sender` and `account` stand for any; one of them at least is not empty."""

    number: str
    request: str
    kind: str
    action: str
    sha256: str
    sender: str
    account: str
    reason: str
    requester: str
    approver: str
    granted_at: float
    expires_at: float
    revoked_at: float | None = None
    revoked_by: str = ""
    uses: int = 0
    used_at: float | None = None
    risk: str = ""
    alternative: str = ""

    @property
    def emergency(self) -> bool:
        """緊急例外: nobody else looked at it before."""
        return self.requester == self.approver

    def live(self, at: float) -> bool:
        return self.revoked_at is None and self.granted_at <= at < self.expires_at


class NoSuchExceptionError(Exception):
    """None of that number; or it is over."""


def grant(
    connection: Connection,
    *,
    request: str,
    kind: str,
    action: str,
    bound: dict[str, str],
    reason: str,
    requester: str,
    approver: str,
    at: float,
    expires_at: float,
    risk: str = "",
    alternative: str = "",
) -> Grant:
    """A new one. `bound`: some of sha256, sender and account. Its number counts through the years and is never given twice."""
    last: int | None = connection.execute(select(func.max(exceptions.c.id))).scalar_one()
    year = dt.datetime.fromtimestamp(at, dt.UTC).astimezone().year
    given = Grant(
        number=f"EX-{year}-{(last or 0) + 1:04d}",
        request=request,
        kind=kind,
        action=action,
        sha256=bound.get("sha256", ""),
        sender=bound.get("sender", ""),
        account=bound.get("account", ""),
        reason=reason,
        requester=requester,
        approver=approver,
        granted_at=at,
        expires_at=expires_at,
        risk=risk,
        alternative=alternative,
    )
    connection.execute(insert(exceptions), msgspec.structs.asdict(given))
    detail: dict[str, object] = {"request": request, "kind": kind, "action": action, **bound, "requester": requester, "until": expires_at}
    ledger.append(connection, at=at, actor=approver, action="exception.granted", subject=given.number, detail=detail)
    return given


_LIVE: Final = (
    select(exceptions)
    .where(exceptions.c.revoked_at.is_(None), exceptions.c.granted_at <= bindparam("at"), exceptions.c.expires_at > bindparam("at"))
    .order_by(exceptions.c.id.desc())
    .limit(_MOST_LIVE)
)


def live(connection: Connection, at: float) -> list[Grant]:
    """Those that count now, the youngest first."""
    return [_grant(row) for row in connection.execute(_LIVE, {"at": at})]


def listed(connection: Connection, at: float, *, over: bool = False, limit: int = 1_000) -> list[Grant]:
    """Those that count, or are over too, the youngest first."""
    statement = select(exceptions).order_by(exceptions.c.id.desc()).limit(limit)
    if not over:
        statement = statement.where(exceptions.c.revoked_at.is_(None), exceptions.c.expires_at > at)
    return [_grant(row) for row in connection.execute(statement)]


def find(connection: Connection, number: str) -> Grant:
    """Raises NoSuchExceptionError."""
    row = connection.execute(select(exceptions).where(exceptions.c.number == number)).one_or_none()
    if row is None:
        raise NoSuchExceptionError(number)
    return _grant(row)


def revoke(connection: Connection, number: str, *, at: float, actor: str, reason: str) -> Grant:
    """From now on it does not count. Raises NoSuchExceptionError."""
    counting = (exceptions.c.number == number) & exceptions.c.revoked_at.is_(None) & (exceptions.c.expires_at > at)
    if connection.execute(update(exceptions).where(counting).values(revoked_at=at, revoked_by=actor)).rowcount != 1:
        raise NoSuchExceptionError(number)
    ledger.append(connection, at=at, actor=actor, action="exception.revoked", subject=number, detail={"reason": reason})
    return find(connection, number)


def used(connection: Connection, number: str, receipt_no: str, at: float) -> None:
    """A transfer went its way because of it."""
    statement = update(exceptions).where(exceptions.c.number == number)
    connection.execute(statement.values(uses=exceptions.c.uses + 1, used_at=at))
    ledger.append(connection, at=at, actor="road", action="exception.used", subject=number, detail={"receipt_no": receipt_no})


def _grant(row: Row[Any]) -> Grant:
    return Grant(**{name: getattr(row, name) for name in Grant.__struct_fields__})
