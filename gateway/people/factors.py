"""The second factor: one-time codes of an authenticator, passkeys, and recovery codes for the day that both are lost."""

from __future__ import annotations

import hashlib
import importlib
import secrets
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection

from gateway.people import totp
from gateway.people.customs import Customs
from gateway.people.roles import RefusedError
from gateway.storage import accounts as account_rows
from gateway.storage import factors as rows
from gateway.storage import sessions as session_rows
from gateway.storage.accounts import Account
from gateway.storage.factors import Factor
from gateway.storage.journal import Journal
from gateway.storage.sealed import SealBrokenError
from gateway.storage.sealer import Sealer

if TYPE_CHECKING:
    from gateway.people.passkeys import Asked

ISSUER: Final = "Sekisho"
_TOTP: Final = "totp"
_PASSKEY: Final = "passkey"
_RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LONGEST_TITLE: Final = 60
_WRONG: Final = (
    "確認コードが違います。時計のずれと、使用済みのコードでないことを確認してください。"
    " / wrong code: look at the clock of your authenticator, and use each code once"
)
_UNREADABLE: Final = (
    "認証アプリの登録を読み出せません。システム担当へ連絡してください。"
    " / your authenticator cannot be read: please ask the system staff"
)
_NOT_ONE: Final = "パスキーを確認できませんでした。もう一度お試しください。 / the passkey could not be verified, please try again"


class Place(NamedTuple):
    """Where the browser believes it is: passkeys are bound to it."""

    host: str       # without port
    origin: str


class Started(NamedTuple):
    """An authenticator that is being set up."""

    secret: str     # for typing
    address: str    # for the QR code


class SecondFactors:
    """All second factors. Every wrong try counts like a wrong password."""

    def __init__(self, journal: Journal, clock: Callable[[], float], sealer: Sealer, customs: Customs) -> None:
        self._journal = journal
        self._clock = clock
        self._sealer = sealer
        self._customs = customs

    async def listed(self, account: Account) -> list[Factor]:
        return await self._journal.ask(lambda connection: rows.of_account(connection, account.id))

    async def recovery_left(self, account: Account) -> int:
        return await self._journal.ask(lambda connection: rows.recovery_left(connection, account.id))

    async def remove(self, account: Account, factor_id: int, actor: str) -> bool:
        at = self._clock()
        return await self._journal.write(lambda connection: rows.removed(connection, account, factor_id, at=at, actor=actor))

    async def reset(self, account: Account, actor: str) -> None:
        """All of them are lost: sessions end too, and the next log-in sets up a new one."""
        at = self._clock()

        def reset(connection: Connection) -> None:
            rows.all_removed(connection, account, at=at, actor=actor)
            session_rows.all_killed(connection, account)

        await self._journal.write(reset)

    # ----------------------------------------------------------------------------------------------------------- codes

    async def start_totp(self, account: Account) -> Started:
        """A new secret; the last one that was not finished is forgotten."""
        secret, at = totp.new_secret(), self._clock()
        sealed = self._sealer.seal(secret, _about(account))
        await self._journal.write(lambda connection: rows.added(connection, account, kind=_TOTP, title="", secret=sealed, at=at))
        return Started(totp.shown(secret), totp.address(secret, account.login, ISSUER))

    async def started_totp(self, account: Account) -> Started | None:
        """The one that is being set up."""
        found = await self._journal.ask(lambda connection: rows.of_account(connection, account.id, active=False))
        if not found:
            return None
        secret = self._secret(account, found[-1])
        return Started(totp.shown(secret), totp.address(secret, account.login, ISSUER))

    async def finish_totp(self, account: Account, code: str, title: str, session: str = "") -> None:
        """The first code shows that it works; it confirms the session of that value. Raises RefusedError."""
        at = self._clock()
        unfinished = await self._journal.ask(lambda connection: rows.of_account(connection, account.id, active=False))
        factor = unfinished[-1] if unfinished else None
        step = None if factor is None else totp.matching_step(self._secret(account, factor), _digits(code), at, 0)
        if factor is None or step is None:
            raise RefusedError(_WRONG)

        def finished(connection: Connection) -> bool:
            if not rows.activated(connection, account, factor, step, title=_title(title, "認証アプリ"), at=at):
                return False
            if session:
                session_rows.confirmed(connection, account, _hash(session), how=_TOTP, at=at)
            return True

        if not await self._journal.write(finished):
            raise RefusedError(_WRONG)

    async def confirm(self, account: Account, code: str, session: str, client: str) -> None:
        """A code of an authenticator, or a recovery code, for the session of that value. Raises RefusedError."""
        at, given = self._clock(), _digits(code)
        found = [one for one in await self.listed(account) if one.kind == _TOTP]
        steps = [(one, totp.matching_step(self._secret(account, one), given, at, one.counter)) for one in found]
        recovery = hashlib.sha256(code.strip().lower().encode("utf-8", "surrogateescape")).hexdigest()

        def confirmed(connection: Connection) -> bool:
            if not _open(connection, account, at):
                return False
            shown = any(step is not None and rows.used(connection, one, step, at=at) for one, step in steps)
            if not shown and not rows.recovery_used(connection, account, recovery, at=at):
                return False
            session_rows.confirmed(connection, account, _hash(session), how=_TOTP if shown else "recovery", at=at)
            return True

        if not await self._journal.write(confirmed):
            await self._failed(account, client)
            raise RefusedError(_WRONG)

    async def new_recovery_codes(self, account: Account) -> list[str]:
        """Shown once; earlier ones are void."""
        codes = ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)) for _ in range(_RECOVERY_CODES)]
        at, hashes = self._clock(), [hashlib.sha256(code.encode()).hexdigest() for code in codes]
        await self._journal.write(lambda connection: rows.recovery_set(connection, account, hashes, at=at))
        return codes

    # -------------------------------------------------------------------------------------------------------- passkeys

    async def offer_passkey(self, account: Account, session: str, place: Place) -> str:
        """What the browser needs to make one (JSON)."""
        known = [one for one in await self.listed(account) if one.kind == _PASSKEY]
        asked = _passkeys().to_make(
            place,
            issuer=ISSUER,
            user=hashlib.sha256(f"sekisho:{account.id}".encode()).digest(),
            login=account.login,
            name=account.name or account.login,
            known=known,
        )
        return await self._asked(asked, session)

    async def add_passkey(self, account: Account, given: str, challenge: str, *, title: str, session: str, place: Place) -> None:
        """What the browser made; it confirms the session. Raises RefusedError."""
        at, made = self._clock(), _passkeys().made(given, challenge, place)
        if made is None:
            raise RefusedError(_NOT_ONE)

        def added(connection: Connection) -> None:
            rows.added(connection, account, kind=_PASSKEY, title=_title(title, "パスキー"), secret=made.key, at=at,
                       credential=made.credential, counter=made.counter, active=True)  # fmt: skip
            session_rows.confirmed(connection, account, _hash(session), how=_PASSKEY, at=at)

        await self._journal.write(added)

    async def ask_passkey(self, account: Account, session: str, place: Place) -> str:
        """What the browser needs to sign (JSON)."""
        known = [one for one in await self.listed(account) if one.kind == _PASSKEY]
        return await self._asked(_passkeys().to_sign(place, known), session)

    async def confirm_passkey(self, account: Account, given: str, challenge: str, *, session: str, client: str, place: Place) -> None:
        """What the browser signed. Raises RefusedError."""
        factor = None
        for one in await self.listed(account):
            if one.kind == _PASSKEY and (count := _passkeys().signed(one, given, challenge, place)) is not None:
                factor, counter = one, count
        at = self._clock()

        def confirmed(connection: Connection) -> bool:
            if factor is None or not _open(connection, account, at) or not rows.used(connection, factor, counter, at=at):
                return False
            session_rows.confirmed(connection, account, _hash(session), how=_PASSKEY, at=at)
            return True

        if not await self._journal.write(confirmed):
            await self._failed(account, client)
            raise RefusedError(_NOT_ONE)

    async def _asked(self, asked: Asked, session: str) -> str:
        """Each challenge is asked once: the next one or a success replaces it."""
        await self._journal.write(lambda connection: session_rows.challenged(connection, _hash(session), asked.challenge))
        return asked.options

    # ----------------------------------------------------------------------------------------------------------- steps

    def _secret(self, account: Account, factor: Factor) -> bytes:
        """Raises RefusedError where the key of the installation is another one."""
        try:
            return self._sealer.open(factor.secret, _about(account))
        except SealBrokenError:
            raise RefusedError(_UNREADABLE) from None

    async def _failed(self, account: Account, client: str) -> None:
        at, customs = self._clock(), self._customs
        most = customs.failures_of(account)
        await self._journal.write(
            lambda connection: account_rows.failed(
                connection, account, most=most, locked_until=at + customs.locked, at=at, client=client
            )
        )


def _passkeys() -> ModuleType:
    """`gateway.people.passkeys`, which is not loaded before somebody has one."""
    return importlib.import_module("gateway.people.passkeys")


def _open(connection: Connection, account: Account, at: float) -> bool:
    now = account_rows.by_id(connection, account.id)
    return now is not None and not now.disabled and now.locked_until <= at


def _about(account: Account) -> str:
    return f"totp:{account.id}"


def _digits(code: str) -> str:
    """Full-width digits and blanks are how people type."""
    return "".join(letter for letter in code.translate(_HALF_WIDTH) if not letter.isspace())


_HALF_WIDTH: Final = {ord("０") + digit: ord("0") + digit for digit in range(10)}


def _title(given: str, otherwise: str) -> str:
    return given.strip()[:_LONGEST_TITLE] or otherwise


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()
