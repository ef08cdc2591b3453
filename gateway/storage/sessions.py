"""Rows of sessions and terminals: every function runs inside a transaction of the journal. A session's value stands as SHA-256 only."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.storage import ledger
from gateway.storage.accounts import Account, account_of_row
from gateway.storage.accounts import by_id as account_by_id
from gateway.storage.tables import accounts, second_factors, sessions, terminals

# Enough of the hash to name a session to its owner; it opens nothing.
_HANDLE: Final = 16


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that has logged in to one face. Times are seconds since 1970; `previous_…` and `failed_since` tell what was before it;
    `confirmed`: the second factor was shown; `factors`: how many the account has."""

    account: Account
    handle: str
    face: str
    created_at: float
    seen_at: float
    client: str
    previous_at: float | None
    previous_from: str
    previous_logout_at: float | None
    failed_since: int
    new_terminal: bool
    confirmed: bool
    elevated_until: float
    challenge: str
    factors: int


def begun(connection: Connection, account: Account, *, value_hash: str, face: str, at: float, client: str, by: str) -> bool:
    """Whether it stands: not if the account was locked, disabled or given another password while it was being asked for. `by`: how
    the person showed who he is."""
    now = account_by_id(connection, account.id)
    if now is None or now.disabled or now.locked_until > at or now.password_hash != account.password_hash:
        return False
    known = set(connection.execute(select(terminals.c.client).where(terminals.c.account_id == now.id)).scalars())
    new = bool(known) and client not in known
    values = {"failures": 0, "failed_since": 0, "locked_until": 0.0, "last_login_at": at, "last_login_from": client}
    connection.execute(update(accounts).where(accounts.c.id == now.id).values(values))
    row = {"value_hash": value_hash, "account_id": now.id, "face": face, "created_at": at, "seen_at": at, "client": client,
           "previous_at": now.last_login_at, "previous_from": now.last_login_from, "previous_logout_at": now.last_logout_at,
           "failed_since": now.failed_since, "new_terminal": new}  # fmt: skip
    connection.execute(insert(sessions), row)
    _seen_from(connection, now.id, client, at, known=client in known)
    detail: dict[str, object] = {"client": client, "face": face, "by": by}
    ledger.append(connection, at=at, actor=now.login, action="login", subject=now.login, detail=detail)
    if new:
        ledger.append(connection, at=at, actor=now.login, action="login.new_terminal", subject=now.login, detail={"client": client})
    return True


def _seen_from(connection: Connection, account_id: int, client: str, at: float, *, known: bool) -> None:
    if known:
        one = (terminals.c.account_id == account_id) & (terminals.c.client == client)
        connection.execute(update(terminals).where(one).values(seen_at=at))
    else:
        connection.execute(insert(terminals), {"account_id": account_id, "client": client, "seen_at": at})


def find(connection: Connection, value_hash: str, face: str) -> Session | None:
    row = connection.execute(_SESSIONS.where(sessions.c.value_hash == value_hash, sessions.c.face == face)).one_or_none()
    return None if row is None else _session(row)


def of_account(connection: Connection, account_id: int) -> list[Session]:
    """The youngest first."""
    rows = connection.execute(_SESSIONS.where(sessions.c.account_id == account_id).order_by(sessions.c.created_at.desc()))
    return [_session(row) for row in rows]


def seen(connection: Connection, value_hash: str, at: float) -> None:
    connection.execute(update(sessions).where(sessions.c.value_hash == value_hash).values(seen_at=at))


def ran_out(connection: Connection, value_hash: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.value_hash == value_hash))


def logged_out(connection: Connection, account: Account, value_hash: str, *, at: float) -> None:
    ran_out(connection, value_hash)
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(last_logout_at=at))
    ledger.append(connection, at=at, actor=account.login, action="logout", subject=account.login, detail={})


def killed(connection: Connection, account: Account, handle: str, *, at: float, actor: str) -> bool:
    """One session of that account; False if it has none of that handle."""
    one = (sessions.c.account_id == account.id) & (func.substr(sessions.c.value_hash, 1, _HANDLE) == handle)
    if connection.execute(delete(sessions).where(one)).rowcount == 0:
        return False
    ledger.append(connection, at=at, actor=actor, action="session.ended", subject=account.login, detail={"session": handle})
    return True


def all_killed(connection: Connection, account: Account) -> int:
    """How many; whoever does this records why."""
    return connection.execute(delete(sessions).where(sessions.c.account_id == account.id)).rowcount


# ------------------------------------------------------------------------------------------- what a session has shown


def challenged(connection: Connection, value_hash: str, challenge: str) -> None:
    """What a passkey has to sign next; empty: nothing."""
    connection.execute(update(sessions).where(sessions.c.value_hash == value_hash).values(challenge=challenge))


def confirmed(connection: Connection, account: Account, value_hash: str, *, how: str, at: float) -> None:
    """The second factor was shown."""
    values = {"confirmed": True, "challenge": ""}
    connection.execute(update(sessions).where(sessions.c.value_hash == value_hash).values(values))
    ledger.append(connection, at=at, actor=account.login, action="login.confirmed", subject=account.login, detail={"by": how})


def elevated(connection: Connection, account: Account, value_hash: str, *, until: float, reason: str, at: float) -> None:
    """特権の行使: until then, for that reason."""
    connection.execute(update(sessions).where(sessions.c.value_hash == value_hash).values(elevated_until=until))
    detail: dict[str, object] = {"until": until, "reason": reason}
    ledger.append(connection, at=at, actor=account.login, action="elevation.begun", subject=account.login, detail=detail)


def lowered(connection: Connection, account: Account, value_hash: str, *, at: float) -> None:
    connection.execute(update(sessions).where(sessions.c.value_hash == value_hash).values(elevated_until=0.0))
    ledger.append(connection, at=at, actor=account.login, action="elevation.ended", subject=account.login, detail={})


_FACTORS: Final = (
    select(func.count())
    .select_from(second_factors)
    .where(second_factors.c.account_id == accounts.c.id, second_factors.c.active.is_(True))
    .correlate(accounts)
    .scalar_subquery()
)
_PLAIN: Final = ("face", "created_at", "seen_at", "client", "previous_at", "previous_from", "previous_logout_at", "failed_since",
                 "new_terminal", "confirmed", "elevated_until", "challenge")  # fmt: skip
_SESSIONS: Final = (
    select(
        accounts,
        sessions.c.value_hash,
        *(sessions.c[name].label(f"session_{name}") for name in _PLAIN),
        _FACTORS.label("factors"),
    )
    .select_from(sessions)
    .join(accounts, accounts.c.id == sessions.c.account_id)
)


def _session(row: Row[Any]) -> Session:
    values = {name: getattr(row, f"session_{name}") for name in _PLAIN}
    return Session(account=account_of_row(row), handle=row.value_hash[:_HANDLE], factors=row.factors, **values)
