"""Who may come in: accounts with a password that expires with its first use, lock-out, sessions that end, tokens for machines."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, NamedTuple, Protocol

from sqlalchemy import Connection

from gateway.people import employment, passwords
from gateway.people.absences import Absences
from gateway.people.authority import separate
from gateway.people.customs import Customs
from gateway.people.employment import Terms
from gateway.people.factors import SecondFactors
from gateway.people.roles import RefusedError, Role
from gateway.people.single_sign_on import SingleSignOn
from gateway.storage import accounts as rows
from gateway.storage import factors as factor_rows
from gateway.storage import people, permits, visits
from gateway.storage import sessions as session_rows
from gateway.storage.accounts import Account, LoginTakenError, Token
from gateway.storage.journal import Journal
from gateway.storage.people import Membership
from gateway.storage.permits import Permit
from gateway.storage.sealer import Sealer
from gateway.storage.sessions import Session

__all__ = ["SEEN_STEP_SECONDS", "Account", "Accounts", "Directory", "DirectoryError", "LoginTakenError", "RefusedError", "Role", "Session",
           "Token"]  # fmt: skip

# How finely it is noted when a session was last used.
SEEN_STEP_SECONDS: Final = 60
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
_MAIL: Final = re.compile(r"[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,255}")
_LONGEST_TEXT: Final = 500
_LONGEST_PASSWORD: Final = 1_024
# Names that scanners of the Internet try first, and that say nothing about who acted.
_RESERVED: Final = frozenset({"admin", "administrator", "root", "guest", "test", "user", "sekisho", "system", "operator"})


class Directory(Protocol):
    """Where passwords of people are kept elsewhere (LDAP, Active Directory)."""

    async def matches(self, name: str, password: str) -> bool:
        """Whether that entry (its distinguished name) has that password. Raises DirectoryError when nobody answers."""


class Described(NamedTuple):
    """An account with what belongs to it: places, the main one first, the kinds of its second factors, and who permitted it what."""

    account: Account
    places: list[Membership]
    factors: list[str]
    permits: list[Permit]


class DirectoryError(Exception):
    """The directory does not answer, or not as it should. One line."""


class Accounts:
    """All questions about accounts. `clock` gives seconds since 1970; `sealer` guards the secrets of second factors."""

    def __init__(
        self,
        journal: Journal,
        clock: Callable[[], float],
        customs: Customs = Customs(),  # noqa: B008 - immutable
        *,
        sealer: Sealer | None = None,
        directory: Directory | None = None,
        sso: SingleSignOn | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._directory = directory
        self.customs = customs
        self.sso = sso
        self.heard: Callable[[Session], Awaitable[None]] | None = None      # is told of each log-in
        self.factors = SecondFactors(journal, clock, sealer or Sealer(), customs)
        self.absences = Absences(journal, clock)
        # Verified where no account exists, so that a guess takes as long as a real name.
        self._nobody = passwords.hashed(secrets.token_urlsafe())

    # -------------------------------------------------------------------------------------------------------- accounts

    async def add(
        self,
        login: str,
        name: str,
        role: Role,
        actor: str,
        mail: str = "",
        *,
        person: str = "",
        directory: str = "",
        terms: Terms = Terms(),  # noqa: B008 - immutable
    ) -> str:
        """The temporary password, shown once. `mail`: whose mails this person may open; `person`: log-in name of the account whose
        second one this is; `directory`: where its password is asked instead; `terms`: how he is employed, what he may use. Raises
        RefusedError, LoginTakenError."""
        if why := self.unusable(login, mail):
            raise RefusedError(why)
        password = passwords.temporary()
        hash_of = await asyncio.to_thread(passwords.hashed, password)
        at = self._clock()

        def added(connection: Connection) -> None:
            human = _human(connection, person) if person else login
            separate(connection, human, role)
            made = rows.add(connection, login=login, name=name, mail=mail.lower(), role=role, password_hash=hash_of, at=at, actor=actor,
                            person=human, directory=directory, **employment.first(terms))  # fmt: skip
            employment.follow(connection, made, terms, at=at, actor=actor)

        await self._journal.write(added)
        return password

    @staticmethod
    def unusable(login: str, mail: str) -> str:
        """Why these cannot be an account's; empty if they can."""
        if not _LOGIN.fullmatch(login) or login in _RESERVED:
            return f"{login}: このログイン名は使えません / this log-in name may not be used"
        if mail and not _MAIL.fullmatch(mail):
            return f"{mail}: メールアドレスではありません / not a mail address"
        return ""

    async def count(self) -> int:
        return await self._journal.ask(rows.count)

    async def listed(self) -> list[Account]:
        return await self._journal.ask(rows.listed)

    async def described(self, login: str | None = None) -> list[Described]:
        """Everybody, or the one of that name, with departments and kinds of second factors."""

        def found(connection: Connection) -> list[Described]:
            places, kinds = people.all_memberships(connection), factor_rows.all_kinds(connection)
            one = rows.by_login(connection, login) if login is not None else None
            chosen = rows.listed(connection) if login is None else [one] if one is not None else []
            given = permits.all_of(connection)
            return [Described(one, places.get(one.id, []), kinds.get(one.id, []), given.get(one.id, [])) for one in chosen]

        return await self._journal.ask(found)

    async def find(self, login: str) -> Account | None:
        return await self._journal.ask(lambda connection: rows.by_login(connection, login))

    async def change(
        self,
        account: Account,
        actor: str,
        *,
        name: str,
        mail: str,
        role: Role,
        terms: Terms = Terms(),  # noqa: B008 - immutable
    ) -> None:
        """Another role ends its sessions and tokens. Raises RefusedError."""
        if mail and not _MAIL.fullmatch(mail):
            raise RefusedError(f"{mail}: メールアドレスではありません / not a mail address")

        def changed(connection: Connection) -> None:
            at = self._clock()
            separate(connection, account.person, role, but=account)
            rows.changed(connection, account, at=at, actor=actor, name=name, mail=mail.lower(), role=role)
            employment.follow(connection, account.id, terms, at=at, actor=actor)

        await self._journal.write(changed)

    async def disable(self, account: Account, actor: str) -> None:
        at = self._clock()
        await self._journal.write(lambda connection: rows.disabled(connection, account, at=at, actor=actor))

    async def enable(self, account: Account, actor: str) -> None:
        """Raises RefusedError where the person has become something else meanwhile."""

        def enabled(connection: Connection) -> None:
            separate(connection, account.person, Role(account.role), but=account)
            rows.enabled(connection, account, at=self._clock(), actor=actor)

        await self._journal.write(enabled)

    async def unlock(self, account: Account, actor: str) -> None:
        at = self._clock()
        await self._journal.write(lambda connection: rows.unlocked(connection, account, at=at, actor=actor))

    async def prefer(self, account: Account, preferences: str) -> None:
        """How this person wants pages to be, in the words of `gateway.web.view`."""
        await self._journal.write(lambda connection: rows.preferred(connection, account.id, preferences))

    async def share(self, account: Account, members: Iterable[Account], actor: str) -> None:
        """共用ID. Raises RefusedError: it is nobody's privilege."""
        if Role(account.role) is not Role.STAFF:
            raise RefusedError("特権IDは共用できません。 / a privileged account is never shared")
        at, ids = self._clock(), [one.id for one in members]
        await self._journal.write(lambda connection: people.shared_by(connection, account, ids, at=at, actor=actor))

    async def places(self, account: Account) -> list[Membership]:
        """The main one first."""
        return await self._journal.ask(lambda connection: people.memberships_of(connection, account.id))

    # ------------------------------------------------------------------------------------------------------- coming in

    async def log_in(self, login: str, password: str, face: str, client: str) -> tuple[str, Account]:
        """A new session's value and the account as it was before. Raises RefusedError, always with the same words: whoever guesses
        learns neither which names there are nor that one is locked or disabled."""
        account = await self.find(login)
        right = await self._matches(account, password[: _LONGEST_PASSWORD + 1])
        value = secrets.token_urlsafe(32)
        if account is None or not right or not await self._begun(account, value, face, client, "password"):
            await self.failed(account, client)
            raise RefusedError(self._wrong)
        return value, account

    async def admit(self, account: Account, face: str, client: str, by: str) -> str:
        """A session for somebody whom another house has made sure of. Raises RefusedError."""
        value = secrets.token_urlsafe(32)
        if not await self._begun(account, value, face, client, by):
            raise RefusedError(self._wrong)
        return value

    async def _begun(self, account: Account, value: str, face: str, client: str, by: str) -> bool:
        at = self._clock()
        if by == "password" and account.must_change and at - account.password_set_at > self.customs.temporary:
            return False
        if not await self._is_open(account):
            return False
        value_hash = _hash(value)
        stands = await self._journal.write(
            lambda connection: session_rows.begun(connection, account, value_hash=value_hash, face=face, at=at, client=client, by=by)
        )
        session = await self._journal.ask(lambda connection: session_rows.find(connection, value_hash, face)) if self.heard else None
        if self.heard is not None and session is not None:
            await self.heard(session)
        return stands

    async def _is_open(self, account: Account) -> bool:
        """A vendor's account (委託事業者) opens only for a visit that was approved."""
        at = self._clock()
        return not self.customs.opens_by_visit(account) or await self._journal.ask(lambda c: visits.is_open(c, account.id, at))

    async def _matches(self, account: Account | None, password: str) -> bool:
        if account is not None and account.directory:
            # An empty password would be an anonymous bind, which every directory grants.
            if self._directory is None or account.disabled or account.locked_until > self._clock() or not password:
                return False
            return await self._directory.matches(account.directory, password)
        return await asyncio.to_thread(passwords.matches, self._nobody if account is None else account.password_hash, password)

    async def failed(self, account: Account | None, client: str) -> None:
        """A wrong password or code; enough of them lock."""
        at, customs = self._clock(), self.customs
        most = customs.failures if account is None else customs.failures_of(account)
        await self._journal.write(
            lambda connection: rows.failed(connection, account, most=most, locked_until=at + customs.locked, at=at, client=client)
        )

    @property
    def _wrong(self) -> str:
        most, minutes = self.customs.failures, int(self.customs.locked // 60)
        return (
            f"ログイン名かパスワードが違います。{most}回間違えると{minutes}分間ログインできません。"
            f" / wrong name or password; {_number(most)} wrong ones lock the account for {minutes} minutes"
        )

    # -------------------------------------------------------------------------------------------------------- sessions

    async def session(self, value: str, face: str) -> Session | None:
        """The session of that value on that face, if it is neither idle nor old; it counts as seen now."""
        hash_of, now = _hash(value), self._clock()
        session = await self._journal.ask(lambda connection: session_rows.find(connection, hash_of, face))
        if session is None or session.account.disabled or not await self._is_open(session.account):
            return None
        idle, age = now - session.seen_at, now - session.created_at
        if idle > self.customs.idle_of(session.account) or age > self.customs.longest:
            await self._journal.write(lambda connection: session_rows.ran_out(connection, hash_of))
            return None
        if idle > SEEN_STEP_SECONDS:
            await self._journal.write(lambda connection: session_rows.seen(connection, hash_of, now))
        return session

    async def log_out(self, account: Account, value: str) -> None:
        at = self._clock()
        await self._journal.write(lambda connection: session_rows.logged_out(connection, account, _hash(value), at=at))

    async def sessions_of(self, account: Account) -> list[Session]:
        """The youngest first; those that ran out are left out."""
        now = self._clock()
        found = await self._journal.ask(lambda connection: session_rows.of_account(connection, account.id))
        return [one for one in found if now - one.seen_at <= self.customs.idle_of(account) and now - one.created_at <= self.customs.longest]

    async def end_session(self, account: Account, handle: str, actor: str) -> bool:
        """False if the account has no such session."""
        at = self._clock()
        return await self._journal.write(lambda connection: session_rows.killed(connection, account, handle, at=at, actor=actor))

    async def elevate(self, account: Account, value: str, reason: str) -> None:
        """特権の行使, for a while and with a reason. Raises RefusedError."""
        if not (reason := reason.strip()) or len(reason) > _LONGEST_TEXT:
            raise RefusedError("特権を使う理由を入力してください。 / say what it is needed for")
        at = self._clock()
        until = at + self.customs.elevation
        await self._journal.write(
            lambda connection: session_rows.elevated(connection, account, _hash(value), until=until, reason=reason, at=at)
        )

    async def lower(self, account: Account, value: str) -> None:
        at = self._clock()
        await self._journal.write(lambda connection: session_rows.lowered(connection, account, _hash(value), at=at))

    def elevated(self, session: Session) -> bool:
        """Whether it may do what needs privilege now."""
        return self.customs.elevation == 0 or session.elevated_until > self._clock()

    # ------------------------------------------------------------------------------------------------------- passwords

    async def change_password(self, account: Account, old: str, new: str, client: str = "") -> None:
        """Ends every session of the account. A wrong old one counts like one at the log-in. Raises RefusedError."""
        if account.federated:
            raise RefusedError("パスワードはシングルサインオンの画面で変更してください。 / your password is that of single sign-on")
        if account.directory:
            raise RefusedError("パスワードは職員のディレクトリで変更してください。 / your password is changed in the directory")
        if account.locked_until > self._clock():
            raise RefusedError(self._wrong)
        if not await asyncio.to_thread(passwords.matches, account.password_hash, old[: _LONGEST_PASSWORD + 1]):
            await self.failed(account, client)
            raise RefusedError("いまのパスワードが違います。 / the current password is wrong")
        if old == new:
            raise RefusedError("同じパスワードは使えません。 / the new password must differ")
        places = await self._journal.ask(lambda connection: people.memberships_of(connection, account.id))
        if why := passwords.weakness(new, account.login, (account.name, *(one.department.name for one in places))):
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

    # ---------------------------------------------------------------------------------------------------------- tokens

    async def issue_token(self, account: Account, title: str, seconds: float, actor: str, scope: Iterable[str] = ()) -> str:
        """A token for a machine that acts as this account, shown once. `scope`: the faces it opens; all if none is named."""
        value, at = secrets.token_urlsafe(32), self._clock()
        await self._journal.write(
            lambda connection: rows.token_added(
                connection, account, value_hash=_hash(value), title=title, expires_at=at + seconds, at=at, actor=actor,
                scope=",".join(sorted(scope)),
            )
        )  # fmt: skip
        return value

    async def by_token(self, value: str, face: str = "") -> Account | None:
        """The account that a token stands for on that face, unless it ran out."""
        now = self._clock()
        token = await self._journal.ask(lambda connection: rows.by_token(connection, _hash(value), now))
        if token is None or token.account.disabled or (token.scope and face not in token.scope.split(",")):
            return None
        return token.account if await self._is_open(token.account) else None

    async def tokens_of(self, account: Account) -> list[Token]:
        now = self._clock()
        return await self._journal.ask(lambda connection: rows.tokens_of(connection, account.id, now))

    async def revoke_token(self, account: Account, handle: str, actor: str) -> bool:
        at = self._clock()
        return await self._journal.write(lambda connection: rows.token_revoked(connection, account, handle, at=at, actor=actor))


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


def _human(connection: Connection, login: str) -> str:
    first = rows.by_login(connection, login)
    if first is None:
        raise RefusedError(f"{login}: そのような利用者はいません / no such account")
    return first.person


def _number(count: int) -> str:
    return {3: "three", 4: "four", 5: "five", 10: "ten"}.get(count, str(count))
