"""Who may decide: the chain above a request, those present in it, their delegates, and that nobody decides his own.

Compared are human beings (`person`), never log-in names: a second account, a shared account and a delegate are all the same person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection

from gateway.people.roles import PRIVILEGED, TITLES, RefusedError, Role, exclusive
from gateway.storage import accounts as account_rows
from gateway.storage import people as rows
from gateway.storage.accounts import Account
from gateway.storage.people import Absence


class Rank(StrEnum):
    """A place in a chain."""

    HEAD = "head"                   # 所属長 of the request's department
    ABOVE = "above"                 # those of the departments above it
    ADMINISTRATOR = "administrator"
    CISO = "ciso"


_ROLES: Final = {Rank.ADMINISTRATOR: Role.ADMINISTRATOR, Rank.CISO: Role.CISO}


class Seat(NamedTuple):
    """Who may speak at which level; `principal`: for whom, if he is a delegate (代決)."""

    account: Account
    principal: Account | None
    level: int
    present: bool


def seats(connection: Connection, chain: Sequence[Rank], department_id: int | None, at: float) -> list[Seat]:
    """Everybody of the chain with his delegates, from below upwards. Shared and disabled accounts have no word."""
    found = []
    for level, rank in enumerate(chain):
        for holder in _holders(connection, rank, department_id):
            away = rows.absent_now(connection, holder.id, at)
            found.append(Seat(holder, None, level, not away))
            for absence in away:
                delegate = stands_in(connection, holder, absence)
                if delegate is not None and not delegate.disabled and not delegate.shared:
                    found.append(Seat(delegate, holder, level, not rows.absent_now(connection, delegate.id, at)))
    return found


def stands_in(connection: Connection, holder: Account, absence: Absence) -> Account | None:
    """The 代決者 of that absence, if he may act: for somebody with a privilege only on the CISO's word (小諸市 対策基準 6.2(1)③(ウ)),
    whoever named him and when."""
    if absence.delegate_id is None or (Role(holder.role) in PRIVILEGED and not absence.approval):
        return None
    return account_rows.by_id(connection, absence.delegate_id)


def nominee(connection: Connection, account: Account, login: str) -> Account:
    """Whom `account` may name as its delegate. Raises RefusedError."""
    other = account_rows.by_login(connection, login)
    if other is None or other.disabled or other.shared or other.person == account.person:
        raise RefusedError(f"{login}: この人を代決者にすることはできません / may not act for you")
    if Role(account.role) in PRIVILEGED:
        separate(connection, other.person, Role(account.role))
    return other


def offered(connection: Connection, chain: Sequence[Rank], requester: Account, at: float) -> list[Seat]:
    """Who could decide what this person asks for, from below upwards, each once; those who are away are left out."""
    department = next((one.department.id for one in rows.memberships_of(connection, requester.id)), None)
    able = impartial(seats(connection, chain, department, at), rows.persons_behind(connection, requester))
    return list({seat.account.id: seat for seat in reversed(able) if seat.present}.values())[::-1]


def impartial(found: Sequence[Seat], persons: Collection[str]) -> list[Seat]:
    """Without every seat behind which one of these human beings stands, as himself or as the one he would speak for."""
    return [
        seat
        for seat in found
        if seat.account.person not in persons and (seat.principal is None or seat.principal.person not in persons)
    ]


def reached(found: Sequence[Seat], carried: int, waited: float, patience: float, highest: int) -> int:
    """The level that is asked now: as far as it was carried, as time has carried it, and at least where somebody is there."""
    present = min((seat.level for seat in found if seat.present), default=highest)
    return min(highest, max(carried, int(waited // patience) if patience else 0, present))


def _holders(connection: Connection, rank: Rank, department_id: int | None) -> list[Account]:
    if rank in _ROLES:
        found = account_rows.of_role(connection, _ROLES[rank])
    elif department_id is None:
        found = []
    elif rank is Rank.HEAD:
        found = rows.heads(connection, [department_id])
    else:
        found = rows.heads(connection, rows.above(connection, department_id))
    return [account for account in found if not account.disabled and not account.shared]


def separate(connection: Connection, person: str, role: Role, but: Account | None = None) -> None:
    """監査の独立: an auditor's other accounts run nothing. Raises RefusedError."""
    for other in rows.accounts_of_person(connection, person):
        if (but is None or other.id != but.id) and not other.disabled and exclusive(role, Role(other.role)):
            raise RefusedError(
                f"兼務できません（{other.login}：{TITLES[Role(other.role)].ja}）。監査する者とされる者は別の人でなければなりません。"
                " / an auditor may not also run what he audits"
            )
