"""Who may come in: accounts with a password that expires with its first use, lock-out, sessions that end, tokens for machines."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from gateway.people import passwords
from gateway.storage import accounts as rows
from gateway.storage.accounts import Account, LoginTakenError, Session
from gateway.storage.journal import Journal

__all__ = ["Account", "Accounts", "LoginTakenError", "RefusedError", "Role", "Session"]

_FAILURES: Final = 5
_LOCKED_SECONDS: Final = 15 * 60
_IDLE_SECONDS: Final = 30 * 60
_LONGEST_SECONDS: Final = 12 * 3600
_SEEN_STEP_SECONDS: Final = 60
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_MAIL: Final = re.compile(r"[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,255}")
_WRONG: Final = (
    "ログイン名かパスワードが違います。5回間違えると15分間ログインできません。"
    " / wrong name or password; five wrong ones lock the account for 15 minutes"
)
# Names that scanners of the Internet try first, and that say nothing about who acted.
_RESERVED: Final = frozenset({"admin", "administrator", "root", "guest", "test", "user", "sekisho", "system", "operator"})


class Role(StrEnum):
    """What an account is for. Auditor and operator are never one person."""

    STAFF = "staff"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class RefusedError(Exception):
    """Why somebody may not do what he asked, in the words shown to him."""


class Accounts:
    """All questions about accounts. `clock` gives seconds since 1970."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        # Verified where no account exists, so that a guess takes as long as a real name.
        self._nobody = passwords.hashed(secrets.token_urlsafe())

    async def add(self, login: str, name: str, role: Role, actor: str, mail: str = "") -> str:
        """The temporary password, shown once. `mail`: whose mails this person may open. Raises RefusedError, LoginTakenError."""
        if not _LOGIN.fullmatch(login) or login in _RESERVED:
            raise RefusedError(f"{login}: このログイン名は使えません / this log-in name may not be used")
        if mail and not _MAIL.fullmatch(mail):
            raise RefusedError(f"{mail}: メールアドレスではありません / not a mail address")
        password = passwords.temporary()
        hash_of = await asyncio.to_thread(passwords.hashed, password)
        at = self._clock()
        await self._journal.write(
            lambda connection: rows.add(
                connection, login=login, name=name, mail=mail.lower(), role=role, password_hash=hash_of, at=at, actor=actor
            )
        )
        return password

    async def count(self) -> int:
        return await self._journal.ask(rows.count)

    async def listed(self) -> list[Account]:
        return await self._journal.ask(rows.listed)

    async def find(self, login: str) -> Account | None:
        return await self._journal.ask(lambda connection: rows.by_login(connection, login))

    async def log_in(self, login: str, password: str, face: str, client: str) -> tuple[str, Account]:
        """A new session's value and the account as it was before. Raises RefusedError, always with the same words: whoever guesses
        learns neither which names there are nor that one is locked or disabled."""
        account = await self.find(login)
        now = self._clock()
        right = await asyncio.to_thread(passwords.matches, self._nobody if account is None else account.password_hash, password)
        value = secrets.token_urlsafe(32)
        if account is None or not right or not await self._journal.write(
            lambda connection: rows.logged_in(connection, account, session_hash=_hash(value), face=face, at=now, client=client)
        ):
            await self._failed(account, client)
            raise RefusedError(_WRONG)
        return value, account

    async def _failed(self, account: Account | None, client: str) -> None:
        at = self._clock()
        await self._journal.write(
            lambda connection: rows.failed(connection, account, most=_FAILURES, locked_until=at + _LOCKED_SECONDS, at=at, client=client)
        )

    async def session(self, value: str, face: str) -> Session | None:
        """The session of that value on that face, if it is neither idle nor old; it counts as seen now."""
        hash_of, now = _hash(value), self._clock()
        session = await self._journal.ask(lambda connection: rows.session(connection, hash_of, face))
        if session is None or session.account.disabled:
            return None
        if now - session.seen_at > _IDLE_SECONDS or now - session.created_at > _LONGEST_SECONDS:
            await self._journal.write(lambda connection: rows.ended(connection, hash_of))
            return None
        if now - session.seen_at > _SEEN_STEP_SECONDS:
            await self._journal.write(lambda connection: rows.seen(connection, hash_of, now))
        return session

    async def log_out(self, account: Account, value: str) -> None:
        at = self._clock()
        await self._journal.write(lambda connection: rows.logged_out(connection, account, _hash(value), at=at))

    async def change_password(self, account: Account, old: str, new: str, client: str = "") -> None:
        """Ends every session of the account. A wrong old one counts like one at the log-in. Raises RefusedError."""
        if account.locked_until > self._clock():
            raise RefusedError(_WRONG)
        if not await asyncio.to_thread(passwords.matches, account.password_hash, old):
            await self._failed(account, client)
            raise RefusedError("いまのパスワードが違います。 / the current password is wrong")
        if old == new:
            raise RefusedError("同じパスワードは使えません。 / the new password must differ")
        if why := passwords.weakness(new, account.login):
            raise RefusedError(why)
        hash_of = await asyncio.to_thread(passwords.hashed, new)
        await self._set_password(account, hash_of, must_change=False, actor=account.login)

    async def reset_password(self, account: Account, actor: str) -> str:
        """A new temporary password, shown once."""
        password = passwords.temporary()
        await self._set_password(account, await asyncio.to_thread(passwords.hashed, password), must_change=True, actor=actor)
        return password

    async def _set_password(self, account: Account, hash_of: str, *, must_change: bool, actor: str) -> None:
        at = self._clock()
        await self._journal.write(
            lambda connection: rows.password_changed(connection, account, hash_of, must_change=must_change, at=at, actor=actor)
        )

    async def disable(self, account: Account, actor: str) -> None:
        at = self._clock()
        await self._journal.write(lambda connection: rows.disabled(connection, account, at=at, actor=actor))

    async def issue_token(self, account: Account, title: str, seconds: float, actor: str) -> str:
        """A token for a machine that acts as this account, shown once."""
        value, at = secrets.token_urlsafe(32), self._clock()
        await self._journal.write(
            lambda connection: rows.token_added(
                connection, account, value_hash=_hash(value), title=title, expires_at=at + seconds, at=at, actor=actor
            )
        )
        return value

    async def by_token(self, value: str) -> Account | None:
        """The account that a token stands for, unless it ran out."""
        now = self._clock()
        account = await self._journal.ask(lambda connection: rows.by_token(connection, _hash(value), now))
        return None if account is None or account.disabled else account


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
