"""権限棚卸し: now and then every account is looked at, and somebody says of each whether it stays as it is.

Nobody says it of himself, and whoever closes a review is not the one who began it. A review is closed only when of every account
something was said and what was said was done: what it leaves behind is true.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from gateway.people.accounts import Accounts, Described
from gateway.people.roles import PRIVILEGED, RefusedError, Role
from gateway.storage import reviews as rows
from gateway.storage.accounts import Account
from gateway.storage.accounts import by_login as account_by_login
from gateway.storage.journal import Journal
from gateway.storage.reviews import Line, Review

__all__ = ["Decision", "Line", "Review", "Reviews"]

_DAY: Final = 86_400.0
_TIME: Final = 30 * _DAY                # to finish one
_EVERY: Final = 183 * _DAY              # from the end of one to the beginning of the next
_UNUSED: Final = 90 * _DAY
_NONE: Final = "棚卸しがありません。 / no such review"
_OPEN: Final = "終わっていない棚卸し（{}）があります。 / {} is not closed yet"
_CLOSED: Final = "この棚卸しは完了しています。 / it is closed"
_YOURSELF: Final = "自分自身のアカウントについては判断できません。 / nobody decides of himself"
_WHY: Final = "変更・削除の理由を入力してください。 / say why it changes or goes"
_ANOTHER: Final = "完了の確認は、開始した人と別の人が行います。 / another person than the one who began it closes it"
_LEFT: Final = "判断していないアカウントが{}件あります。 / {} accounts are left"
_NOT_DONE: Final = "実施されていません：{} / not done yet: {}"


class Decision(StrEnum):
    """What is said of an account."""

    KEEP = "keep"
    CHANGE = "change"
    REMOVE = "remove"


class Reviews:
    """`clock`: seconds since 1970."""

    def __init__(self, journal: Journal, accounts: Accounts, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._accounts = accounts
        self._clock = clock

    async def listed(self) -> list[Review]:
        """The youngest first."""
        return await self._journal.ask(rows.listed)

    async def find(self, number: str) -> Review:
        """Raises RefusedError."""
        return _named(await self.listed(), number)

    async def lines(self, review: Review) -> list[Line]:
        return await self._journal.ask(lambda connection: rows.lines(connection, review))

    async def due_at(self) -> float:
        """Until when the next has to begin; 0.0 where there was none yet."""
        closed = [one.closed_at for one in await self.listed() if one.closed_at is not None]
        return max(closed) + _EVERY if closed else 0.0

    async def begin(self, actor: Account) -> str:
        """The number of a new one, about every account that is not disabled. Raises RefusedError while another is open."""
        described = [one for one in await self._accounts.described() if not one.account.disabled]
        at = self._clock()

        def begun(connection: Connection) -> str:
            if (still := next((one for one in rows.listed(connection) if one.closed_at is None), None)) is not None:
                raise RefusedError(_OPEN.format(still.number, still.number))
            facts = [(one.account.login, _facts(one, at)) for one in described]
            return rows.begin(connection, facts, at=at, actor=actor.login, due_at=at + _TIME)

        return await self._journal.write(begun)

    async def decide(self, number: str, login: str, decision: Decision, note: str, actor: Account) -> None:
        """Raises RefusedError."""
        at, note = self._clock(), note.strip()[:500]
        if decision is not Decision.KEEP and not note:
            raise RefusedError(_WHY)

        def decided(connection: Connection) -> None:
            review = _named(rows.listed(connection), number)
            if review.closed_at is not None:
                raise RefusedError(_CLOSED)
            account = account_by_login(connection, login)
            if account is not None and account.person == actor.person:
                raise RefusedError(_YOURSELF)
            if not rows.decide(connection, review, login, decision, note=note, at=at, actor=actor.login):
                raise RefusedError(_NONE)

        await self._journal.write(decided)

    async def close(self, number: str, note: str, actor: Account) -> None:
        """Signed off. Raises RefusedError."""
        described = {one.account.login: one for one in await self._accounts.described()}
        at = self._clock()

        def closed(connection: Connection) -> None:
            review = _named(rows.listed(connection), number)
            if review.closed_at is not None:
                raise RefusedError(_CLOSED)
            beginner = described.get(review.begun_by)
            if actor.login == review.begun_by or (beginner is not None and beginner.account.person == actor.person):
                raise RefusedError(_ANOTHER)
            if review.left:
                raise RefusedError(_LEFT.format(review.left, review.left))
            if open_ := undone(rows.lines(connection, review), described):
                raise RefusedError(_NOT_DONE.format("、".join(open_), ", ".join(open_)))
            rows.close(connection, review, at=at, actor=actor.login, note=note.strip()[:2_000])

        await self._journal.write(closed)

    async def standing(self) -> dict[str, Described]:
        """Accounts as they are now."""
        return {one.account.login: one for one in await self._accounts.described()}


def undone(lines: Sequence[Line], now: dict[str, Described]) -> list[str]:
    """Accounts of which a change or an end was decided that has not come."""
    return [line.login for line in lines if line.login in now and not _done(line, now[line.login])]


def _done(line: Line, now: Described) -> bool:
    if line.decision == Decision.REMOVE:
        return now.account.disabled
    if line.decision == Decision.CHANGE:
        return now.account.disabled or _powers(now) != (line.facts["role"], line.facts["departments"], line.facts["head"])
    return True


def _powers(one: Described) -> tuple[str, list[str], bool]:
    return one.account.role, [each.department.name for each in one.places], any(each.head for each in one.places)


def _facts(one: Described, at: float) -> dict[str, Any]:
    account, (role, departments, head) = one.account, _powers(one)
    last = account.last_login_at
    return {"name": account.name, "role": role, "departments": departments, "head": head, "person": account.person,
            "shared": account.shared, "privileged": Role(role) in PRIVILEGED, "last_login_at": last, "factors": one.factors,
            "unused": at - (last or account.password_set_at) > _UNUSED}  # fmt: skip


def _named(found: Sequence[Review], number: str) -> Review:
    review = next((one for one in found if one.number == number), None)
    if review is None:
        raise RefusedError(_NONE)
    return review
