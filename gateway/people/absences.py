"""不在と代決者: who is away, and who acts meanwhile.

An absence holds at once. So does a delegate, but for somebody with a privilege: whom he names acts on the CISO's word only (小諸市 対策基準
6.2(1)③(ウ)), which `nominate` asks for and `gateway.requests.delegates` carries out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.people.authority import nominee, stands_in
from gateway.people.requests import Kind
from gateway.people.roles import PRIVILEGED, RefusedError, Role
from gateway.storage import accounts as rows
from gateway.storage import approvals, people
from gateway.storage.accounts import Account
from gateway.storage.approvals import Request
from gateway.storage.journal import Journal
from gateway.storage.people import Absence

_LONGEST_TEXT: Final = 500
_NOBODY_ASKED: Final = "ここでは代決者の承認を申請できません。 / the CISO cannot be asked here"


class Nomination(NamedTuple):
    """Whom somebody with a privilege wants to act for him, in one absence. Times are seconds since 1970."""

    absence_id: int
    delegate: Account
    from_at: float
    until_at: float
    reason: str


class Away(NamedTuple):
    """An absence with the names of who is away and of his delegate; `acts`: whether the delegate may; `request`: the last one by which
    the CISO was asked."""

    absence: Absence
    who: str
    delegate: str
    acts: bool
    request: Request | None


class Absences:
    """`clock`: seconds since 1970. `nominate` asks the CISO; without it nobody can be named for a privileged person."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        self.nominate: Callable[[Account, Nomination], Awaitable[object]] | None = None

    async def listed(self, account: Account) -> list[Away]:
        """Those that last or are to come, the account's own and those in which it is the delegate."""
        at = self._clock()

        def found(connection: Connection) -> list[Away]:
            known = {one.id: one for one in rows.listed(connection)}
            asked = _nominations(connection, account)
            return [_away(connection, one, known, asked.get(one.id)) for one in people.absences_of(connection, account.id, at)]

        return await self._journal.ask(found)

    async def register(self, account: Account, *, delegate: str, from_at: float, until_at: float, reason: str, actor: str) -> None:
        """不在, with the log-in name of a 代決者 or none. Raises RefusedError."""
        at, reason = self._clock(), reason.strip()
        if not (from_at < until_at and until_at > at) or not reason or len(reason) > _LONGEST_TEXT:
            raise RefusedError("期間と理由を確認してください。 / look at the dates, and give a reason")
        waits = bool(delegate) and Role(account.role) in PRIVILEGED
        if waits and self.nominate is None:
            raise RefusedError(_NOBODY_ASKED)

        def absent(connection: Connection) -> tuple[int, Account | None]:
            other = nominee(connection, account, delegate) if delegate else None
            number = people.absent(connection, account, delegate=None if waits else other, nominee=delegate if waits else "",
                                   from_at=from_at, until_at=until_at, reason=reason, at=at, actor=actor)  # fmt: skip
            return number, other

        number, other = await self._journal.write(absent)
        if waits and other is not None and self.nominate is not None:
            await self.nominate(account, Nomination(number, other, from_at, until_at, reason))

    async def end(self, account: Account, absence_id: int, actor: str) -> bool:
        """False if it has no such absence."""
        at = self._clock()
        return await self._journal.write(lambda connection: people.back(connection, absence_id, account, at=at, actor=actor))


def _nominations(connection: Connection, account: Account) -> dict[int, Request]:
    """The last request for each absence."""
    asked = approvals.listed(connection, kinds=[Kind.DELEGATE], requester_id=account.id)
    return {one.detail["absence"]: one for one in reversed(asked)}


def _away(connection: Connection, one: Absence, known: dict[int, Account], request: Request | None) -> Away:
    delegate = known.get(one.delegate_id or 0)
    if delegate is None and request is not None:
        delegate = rows.by_login(connection, request.detail["delegate"])
    acts = stands_in(connection, known[one.account_id], one) is not None
    return Away(one, _name(known[one.account_id]), "" if delegate is None else _name(delegate), acts, request)


def _name(account: Account) -> str:
    return account.name or account.login
