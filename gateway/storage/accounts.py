"""Rows of accounts and tokens: every function runs inside a transaction of the journal.

Secrets never stand here: passwords as argon2id hashes, session and token values as SHA-256, so that a copy of the database opens nothing.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.storage import ledger
from gateway.storage.tables import absences, accounts, sessions, tokens


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
    person: str
    shared: bool
    password_set_at: float
    last_logout_at: float | None
    failed_since: int
    directory: str
    federated: str
    preferences: str = ""
    employment: str = "regular"
    may_drop: bool = True
    may_mail: bool = True


class LoginTakenError(Exception):
    """There is an account of that log-in name."""


def add(
    connection: Connection,
    *,
    login: str,
    name: str,
    mail: str,
    role: str,
    password_hash: str,
    at: float,
    actor: str,
    person: str = "",
    directory: str = "",
    federated: str = "",
    employment: str = "regular",
    may_drop: bool = True,
    may_mail: bool = True,
) -> int:
    """A new account whose password must be changed at the first log-in, unless it is kept elsewhere; `person`: whose second one it is.
    Raises LoginTakenError."""
    if _row(connection, login) is not None:
        raise LoginTakenError(login)
    row = {"login": login, "name": name, "mail": mail, "role": role, "password_hash": password_hash,
           "must_change": not directory, "failures": 0,
           "locked_until": 0.0, "last_login_from": "", "disabled": False, "created_at": at, "person": person or login,
           "password_set_at": at, "directory": directory, "federated": federated, "employment": employment, "may_drop": may_drop,
           "may_mail": may_mail}  # fmt: skip
    result = connection.execute(insert(accounts), row)
    detail: dict[str, object] = {"role": role, "employment": employment}
    ledger.append(connection, at=at, actor=actor, action="account.added", subject=login, detail=detail)
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(accounts)).scalar_one())


def listed(connection: Connection) -> list[Account]:
    return [account_of_row(row) for row in connection.execute(select(accounts).order_by(accounts.c.login))]


def by_login(connection: Connection, login: str) -> Account | None:
    row = _row(connection, login)
    return None if row is None else account_of_row(row)


def by_id(connection: Connection, account_id: int) -> Account | None:
    row = connection.execute(select(accounts).where(accounts.c.id == account_id)).one_or_none()
    return None if row is None else account_of_row(row)


def of_role(connection: Connection, role: str) -> list[Account]:
    """Those who may act at all."""
    found = select(accounts).where(accounts.c.role == role, accounts.c.disabled.is_(False)).order_by(accounts.c.login)
    return [account_of_row(row) for row in connection.execute(found)]


def failed(connection: Connection, account: Account | None, *, most: int, locked_until: float, at: float, client: str) -> None:
    """One more wrong password; the `most`-th locks, and counting begins anew. A name that nobody has is not written down:
    often enough it is a password."""
    login = "" if account is None else account.login
    now = None if account is None else _row(connection, login)
    if now is not None and now.locked_until <= at:
        locks = now.failures + 1 >= most
        values = {"failures": 0, "locked_until": locked_until} if locks else {"failures": now.failures + 1}
        connection.execute(update(accounts).where(accounts.c.id == now.id).values(failed_since=now.failed_since + 1, **values))
    ledger.append(connection, at=at, actor=login or "?", action="login.failed", subject=login or "?", detail={"client": client})


def password_changed(connection: Connection, account: Account, password_hash: str, *, must_change: bool, at: float, actor: str) -> None:
    """Every session of the account ends: whoever knew the old password is out."""
    values = {"password_hash": password_hash, "must_change": must_change, "failures": 0, "locked_until": 0.0, "password_set_at": at}
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))
    connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
    ledger.append(connection, at=at, actor=actor, action="password.changed", subject=account.login, detail={})


def disabled(connection: Connection, account: Account, *, at: float, actor: str) -> None:
    """No log-in, no session, no token works from now on."""
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(disabled=True))
    connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
    connection.execute(delete(tokens).where(tokens.c.account_id == account.id))
    ledger.append(connection, at=at, actor=actor, action="account.disabled", subject=account.login, detail={})


def enabled(connection: Connection, account: Account, *, at: float, actor: str) -> None:
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(disabled=False, failures=0, locked_until=0.0))
    ledger.append(connection, at=at, actor=actor, action="account.enabled", subject=account.login, detail={})


def preferred(connection: Connection, account_id: int, preferences: str) -> None:
    """How this person wants pages to be. Nobody's business but his own: it stands in no record."""
    connection.execute(update(accounts).where(accounts.c.id == account_id).values(preferences=preferences))


def unlocked(connection: Connection, account: Account, *, at: float, actor: str) -> None:
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(failures=0, locked_until=0.0))
    ledger.append(connection, at=at, actor=actor, action="account.unlocked", subject=account.login, detail={})


def changed(connection: Connection, account: Account, *, at: float, actor: str, **values: str) -> None:
    """Name, mail, role, person, directory, federated or employment. Another role ends every session, every token and what was approved of
    delegates: they were given to the old one."""
    changes = {name: value for name, value in values.items() if value != getattr(account, name)}
    if not changes:
        return
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(**changes))
    if "role" in changes:
        connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
        connection.execute(delete(tokens).where(tokens.c.account_id == account.id))
        lasting = (absences.c.account_id == account.id) & (absences.c.until_at > at)
        connection.execute(update(absences).where(lasting).values(approval=""))
    detail: dict[str, object] = {name: [getattr(account, name), value] for name, value in changes.items()}
    ledger.append(connection, at=at, actor=actor, action="account.changed", subject=account.login, detail=detail)


def by_federated(connection: Connection, federated: str) -> Account | None:
    row = connection.execute(select(accounts).where(accounts.c.federated == federated)).one_or_none()
    return None if row is None else account_of_row(row)


def federated(connection: Connection, account: Account, name: str, password_hash: str, *, at: float) -> None:
    """From now on single sign-on says who he is; `password_hash` is of one that nobody has."""
    values = {"federated": name, "must_change": False, "password_hash": password_hash}
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))
    connection.execute(delete(sessions).where(sessions.c.account_id == account.id))
    ledger.append(connection, at=at, actor=account.login, action="account.federated", subject=account.login, detail={"name": name})


# --------------------------------------------------------------------------------------------------------------- tokens


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's word. `scope`: the faces it opens, all if empty. Times are seconds since 1970."""

    account: Account
    handle: str
    title: str
    created_at: float
    expires_at: float
    scope: str


def token_added(
    connection: Connection, account: Account, *, value_hash: str, title: str, expires_at: float, at: float, actor: str, scope: str = ""
) -> None:
    """`value_hash` of the token, which is not kept; `expires_at` and `at` in seconds since 1970."""
    row = {"value_hash": value_hash, "account_id": account.id, "title": title, "created_at": at, "expires_at": expires_at, "scope": scope}
    connection.execute(insert(tokens), row)
    detail: dict[str, object] = {"title": title, "expires_at": expires_at, "scope": scope}
    ledger.append(connection, at=at, actor=actor, action="token.added", subject=account.login, detail=detail)


def token_revoked(connection: Connection, account: Account, handle: str, *, at: float, actor: str) -> bool:
    """False if the account has no token of that handle (any more)."""
    one = (tokens.c.account_id == account.id) & (func.substr(tokens.c.value_hash, 1, _HANDLE) == handle)
    if connection.execute(delete(tokens).where(one)).rowcount == 0:
        return False
    ledger.append(connection, at=at, actor=actor, action="token.revoked", subject=account.login, detail={"token": handle})
    return True


def by_token(connection: Connection, value_hash: str, at: float) -> Token | None:
    row = connection.execute(_TOKENS.where(tokens.c.value_hash == value_hash, tokens.c.expires_at > at)).one_or_none()
    return None if row is None else _token(row)


def tokens_of(connection: Connection, account_id: int, at: float) -> list[Token]:
    rows = connection.execute(_TOKENS.where(tokens.c.account_id == account_id, tokens.c.expires_at > at).order_by(tokens.c.created_at))
    return [_token(row) for row in rows]


# Enough of the hash to name a token to its owner; it opens nothing.
_HANDLE: Final = 16
_TOKENS: Final = select(
    accounts, tokens.c.value_hash, tokens.c.title, tokens.c.created_at.label("issued_at"), tokens.c.expires_at, tokens.c.scope
).join(tokens, tokens.c.account_id == accounts.c.id)


def _token(row: Row[Any]) -> Token:
    return Token(account=account_of_row(row), handle=row.value_hash[:_HANDLE], title=row.title, created_at=row.issued_at,
                 expires_at=row.expires_at, scope=row.scope)  # fmt: skip


def _row(connection: Connection, login: str) -> Row[Any] | None:
    return connection.execute(select(accounts).where(accounts.c.login == login)).one_or_none()


_FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(Account))


def account_of_row(row: Row[Any]) -> Account:
    return Account(**{name: getattr(row, name) for name in _FIELDS})
