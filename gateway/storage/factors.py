"""Rows of second factors and recovery codes: every function runs inside a transaction of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from gateway.storage import ledger
from gateway.storage.accounts import Account
from gateway.storage.tables import recovery_codes, second_factors


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """One authenticator of one account. `kind`: totp or passkey; `secret`: sealed secret or base64 of the public key; `counter`: the last
    time step, or the signature count."""

    id: int
    account_id: int
    kind: str
    title: str
    credential: str
    secret: str
    counter: int
    active: bool
    created_at: float
    used_at: float | None


def added(
    connection: Connection,
    account: Account,
    *,
    kind: str,
    title: str,
    secret: str,
    at: float,
    credential: str = "",
    counter: int = 0,
    active: bool = False,
) -> int:
    """One that is not active yet takes the place of an earlier such attempt and is not recorded before it has shown that it works."""
    unfinished = and_(second_factors.c.account_id == account.id, second_factors.c.active.is_(False))
    connection.execute(delete(second_factors).where(unfinished))
    row = {"account_id": account.id, "kind": kind, "title": title, "credential": credential, "secret": secret, "counter": counter,
           "active": active, "created_at": at}  # fmt: skip
    result = connection.execute(insert(second_factors), row)
    if active:
        _told(connection, account, "factor.added", at, kind=kind, title=title)
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def of_account(connection: Connection, account_id: int, *, active: bool = True) -> list[Factor]:
    chosen = and_(second_factors.c.account_id == account_id, second_factors.c.active.is_(active))
    return [_factor(row) for row in connection.execute(select(second_factors).where(chosen).order_by(second_factors.c.id))]


def all_kinds(connection: Connection) -> dict[int, list[str]]:
    """By account, of those that work."""
    found: dict[int, list[str]] = {}
    for row in connection.execute(select(second_factors.c.account_id, second_factors.c.kind).where(second_factors.c.active.is_(True))):
        found.setdefault(row.account_id, []).append(row.kind)
    return found


def activated(connection: Connection, account: Account, factor: Factor, counter: int, *, title: str, at: float) -> bool:
    """False if it was or is gone."""
    one = and_(second_factors.c.id == factor.id, second_factors.c.active.is_(False))
    values = {"active": True, "counter": counter, "title": title, "used_at": at}
    if connection.execute(update(second_factors).where(one).values(values)).rowcount != 1:
        return False
    _told(connection, account, "factor.added", at, kind=factor.kind, title=title)
    return True


def used(connection: Connection, factor: Factor, counter: int, *, at: float) -> bool:
    """False if this counter or a later one was seen before: a code that is used twice, or a copied authenticator."""
    newer = second_factors.c.counter < counter if counter else second_factors.c.counter == 0
    one = and_(second_factors.c.id == factor.id, second_factors.c.active.is_(True), newer)
    return connection.execute(update(second_factors).where(one).values(counter=counter, used_at=at)).rowcount == 1


def removed(connection: Connection, account: Account, factor_id: int, *, at: float, actor: str) -> bool:
    one = and_(second_factors.c.id == factor_id, second_factors.c.account_id == account.id)
    if connection.execute(delete(second_factors).where(one)).rowcount != 1:
        return False
    _told(connection, account, "factor.removed", at, actor=actor, factor=factor_id)
    return True


def all_removed(connection: Connection, account: Account, *, at: float, actor: str) -> None:
    """Every authenticator and every recovery code."""
    connection.execute(delete(second_factors).where(second_factors.c.account_id == account.id))
    connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account.id))
    _told(connection, account, "factor.reset", at, actor=actor)


def recovery_set(connection: Connection, account: Account, hashes: Sequence[str], *, at: float) -> None:
    """These and no earlier ones."""
    connection.execute(delete(recovery_codes).where(recovery_codes.c.account_id == account.id))
    connection.execute(insert(recovery_codes), [{"value_hash": one, "account_id": account.id} for one in hashes])
    _told(connection, account, "recovery.issued", at)


def recovery_used(connection: Connection, account: Account, value_hash: str, *, at: float) -> bool:
    """Each opens once."""
    one = and_(recovery_codes.c.account_id == account.id, recovery_codes.c.value_hash == value_hash)
    if connection.execute(delete(recovery_codes).where(one)).rowcount != 1:
        return False
    _told(connection, account, "recovery.used", at)
    return True


def recovery_left(connection: Connection, account_id: int) -> int:
    counted = select(func.count()).select_from(recovery_codes).where(recovery_codes.c.account_id == account_id)
    return int(connection.execute(counted).scalar_one())


def _told(connection: Connection, account: Account, action: str, at: float, *, actor: str = "", **detail: object) -> None:
    ledger.append(connection, at=at, actor=actor or account.login, action=action, subject=account.login, detail=detail)


def _factor(row: Row[Any]) -> Factor:
    return Factor(**{field.name: getattr(row, field.name) for field in msgspec.structs.fields(Factor)})
