"""Rows of accounts, sessions and tokens: every function runs inside a transaction of the journal.

Secrets never stand here: passwords as argon2id hashes, session and token values as SHA-256, so that a copy of the database opens nothing.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.storage import ledger
from gateway.storage.tables import accounts, sessions, tokens


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person or machine that may log in. Times are seconds since 1970."""

    id: int
    login: str
    name: str
    mail: str
    role: str
    password_hash: str
    must_change: bool
    failures: int
    locked_until: float
    last_login_at: float | None
    last_login_from: str
    disabled: bool


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that has logged in to one face."""

    account: Account
    created_at: float
    seen_at: float
    client: str


class LoginTakenError(Exception):
    """There is an account of that log-in name."""


def add(connection: Connection, *, login: str, name: str, mail: str, role: str, password_hash: str, at: float, actor: str) -> int:
    """A new account whose password must be changed at the first log-in. Raises LoginTakenError."""
    if _row(connection, login) is not None:
        raise LoginTakenError(login)
    row = {"login": login, "name": name, "mail": mail, "role": role, "password_hash": password_hash, "must_change": True, "failures": 0,
           "locked_until": 0.0, "last_login_from": "", "disabled": False, "created_at": at}  # fmt: skip
    result = connection.execute(insert(accounts), row)
    ledger.append(connection, at=at, actor=actor, action="account.added", subject=login, detail={"role": role})
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(accounts)).scalar_one())


def listed(connection: Connection) -> list[Account]:
    return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.login))]


def by_login(connection: Connection, login: str) -> Account | None:
    row = _row(connection, login)
    return None if row is None else _account(row)


def failed(connection: Connection, account: Account | None, *, most: int, locked_until: float, at: float, client: str) -> None:
    """One more wrong password; the `most`-th locks, and counting begins anew. A name that nobody has is not written down:
    often enough it is a password."""
    login = "" if account is None else account.login
    now = None if account is None else _row(connection, login)
    if now is not None and now.locked_until <= at:
        locks = now.failures + 1 >= most
        values = {"failures": 0, "locked_until": locked_until} if locks else {"failures": now.failures + 1}
        connection.execute(update(accounts).where(accounts.c.id == now.id).values(values))
    ledger.append(connection, at=at, actor=login or "?", action="login.failed", subject=login or "?", detail={"client": client})


def logged_in(connection: Connection, account: Account, *, session_hash: str, face: str, at: float, client: str) -> bool:
    """Whether it stands: not if the account was locked, disabled or given another password while this one was being compared."""
    now = _row(connection, account.login)
    if now is None or now.disabled or now.locked_until > at or now.password_hash != account.password_hash:
        return False
    values = {"failures": 0, "locked_until": 0.0, "last_login_at": at, "last_login_from": client}
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))
    row = {"value_hash": session_hash, "account_id": account.id, "face": face, "created_at": at, "seen_at": at, "client": client}
    connection.execute(insert(sessions), row)
    ledger.append(connection, at=at, actor=account.login, action="login", subject=account.login, detail={"client": client, "face": face})
    return True


def session(connection: Connection, session_hash: str, face: str) -> Session | None:
    joined = select(accounts, sessions.c.created_at.label("since"), sessions.c.seen_at, sessions.c.client)
    joined = joined.join(sessions, sessions.c.account_id == accounts.c.id)
    row = connection.execute(joined.where(sessions.c.value_hash == session_hash, sessions.c.face == face)).one_or_none()
    return None if row is None else Session(account=_account(row), created_at=row.since, seen_at=row.seen_at, client=row.client)


def seen(connection: Connection, session_hash: str, at: float) -> None:
    connection.execute(update(sessions).where(sessions.c.value_hash == session_hash).values(seen_at=at))


def ended(connection: Connection, session_hash: str) -> None:
    """It ran out."""
    connection.execute(delete(sessions).where(sessions.c.value_hash == session_hash))


def logged_out(connection: Connection, account: Account, session_hash: str, *, at: float) -> None:
    ended(connection, session_hash)
    ledger.append(connection, at=at, actor=account.login, action="logout", subject=account.login, detail={})


def password_changed(connection: Connection, account: Account, password_hash: str, *, must_change: bool, at: float, actor: str) -> None:
    """Every session of the account ends: whoever knew the old password is out."""
    values = {"password_hash": password_hash, "must_change": must_change, "failures": 0, "locked_until": 0.0}
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))
    connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
    ledger.append(connection, at=at, actor=actor, action="password.changed", subject=account.login, detail={})


def disabled(connection: Connection, account: Account, *, at: float, actor: str) -> None:
    """No log-in, no session, no token works from now on."""
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(disabled=True))
    connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
    connection.execute(delete(tokens).where(tokens.c.account_id == account.id))
    ledger.append(connection, at=at, actor=actor, action="account.disabled", subject=account.login, detail={})


def token_added(
    connection: Connection, account: Account, *, value_hash: str, title: str, expires_at: float, at: float, actor: str
) -> None:
    row = {"value_hash": value_hash, "account_id": account.id, "title": title, "created_at": at, "expires_at": expires_at}
    connection.execute(insert(tokens), row)
    detail: dict[str, object] = {"title": title, "expires_at": expires_at}
    ledger.append(connection, at=at, actor=actor, action="token.added", subject=account.login, detail=detail)


def by_token(connection: Connection, value_hash: str, at: float) -> Account | None:
    joined = select(accounts).join(tokens, tokens.c.account_id == accounts.c.id)
    row = connection.execute(joined.where(tokens.c.value_hash == value_hash, tokens.c.expires_at > at)).one_or_none()
    return None if row is None else _account(row)


def _row(connection: Connection, login: str) -> Row[Any] | None:
    return connection.execute(select(accounts).where(accounts.c.login == login)).one_or_none()


_FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(Account))


def _account(row: Row[Any]) -> Account:
    return Account(**{name: getattr(row, name) for name in _FIELDS})
