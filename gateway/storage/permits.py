"""Rows of what accounts may use, and of who permitted it: every function runs inside a transaction of the journal."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, false, insert, select, true, update

from gateway.storage import ledger
from gateway.storage.accounts import Account
from gateway.storage.tables import accounts, permits

_FLAGS: Final = {"drop": accounts.c.may_drop, "mail": accounts.c.may_mail}


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """Who permitted a feature, and why; `at` in seconds since 1970."""

    feature: str
    at: float
    actor: str
    reason: str


def give(connection: Connection, account: Account, feature: str, *, reason: str, at: float, actor: str) -> None:
    """`feature`: drop or mail. Whoever permitted it before is replaced; the record has both."""
    _switch(connection, account, feature, on=True)
    row = {"account_id": account.id, "feature": feature, "at": at, "actor": actor, "reason": reason}
    connection.execute(insert(permits), row)
    ledger.append(connection, at=at, actor=actor, action="feature.permitted", subject=account.login,
                  detail={"feature": feature, "reason": reason})  # fmt: skip


def take(connection: Connection, account: Account, feature: str, *, reason: str, at: float, actor: str) -> None:
    """`feature`: drop or mail."""
    _switch(connection, account, feature, on=False)
    ledger.append(connection, at=at, actor=actor, action="feature.withdrawn", subject=account.login,
                  detail={"feature": feature, "reason": reason})  # fmt: skip


def _switch(connection: Connection, account: Account, feature: str, *, on: bool) -> None:
    connection.execute(update(accounts).where(accounts.c.id == account.id).values({_FLAGS[feature]: on}))
    connection.execute(delete(permits).where(permits.c.account_id == account.id, permits.c.feature == feature))


def of(connection: Connection, account_id: int) -> list[Permit]:
    return [_permit(row) for row in connection.execute(_PERMITS.where(permits.c.account_id == account_id))]


def all_of(connection: Connection) -> dict[int, list[Permit]]:
    """By account."""
    found: dict[int, list[Permit]] = {}
    for row in connection.execute(_PERMITS):
        found.setdefault(row.account_id, []).append(_permit(row))
    return found


_PERMITS: Final = select(permits).order_by(permits.c.feature)


def _permit(row: Row[Any]) -> Permit:
    return Permit(feature=row.feature, at=row.at, actor=row.actor, reason=row.reason)


def shut_addresses(connection: Connection) -> frozenset[str]:
    """Addresses whose people may not receive mail: of some account without mail, and of none in use that has it."""
    shut = select(accounts.c.mail).where(accounts.c.mail != "", accounts.c.may_mail == false())
    open_ = select(accounts.c.mail).where(accounts.c.may_mail == true(), accounts.c.disabled == false())
    return frozenset(connection.execute(shut.where(accounts.c.mail.not_in(open_))).scalars())
