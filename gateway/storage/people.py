"""Rows of organisations, departments, groups and absences: every function runs inside a transaction of the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, insert, or_, select, true, update

from gateway.storage import ledger
from gateway.storage.accounts import Account, account_of_row
from gateway.storage.tables import (
    absences,
    accounts,
    departments,
    group_members,
    groups,
    memberships,
    organisations,
    sessions,
    shared_members,
)

# No chain of departments is deeper; a loop that somebody made by hand ends here.
_DEEPEST: Final = 20


class Department(msgspec.Struct, frozen=True, kw_only=True):
    """One 課. `above`: the department it belongs to."""

    id: int
    organisation: str
    name: str
    parent_id: int | None
    closed: bool


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a department. `main`: 主務, else 兼務; `head`: 所属長."""

    account: Account
    department: Department
    main: bool
    head: bool


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an account is to belong."""

    department_id: int
    main: bool = True
    head: bool = False


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """不在. `delegate_id`: the 代決者 who acts meanwhile; `approval`: number of the request on which he does, where that needs the CISO's
    word (`people.authority.stands_in`). Times are seconds since 1970."""

    id: int
    account_id: int
    delegate_id: int | None
    from_at: float
    until_at: float
    reason: str
    approval: str = ""


class NameTakenError(Exception):
    """There is one of that name."""


# ------------------------------------------------------------------------------------------------------------ departments


def department_added(
    connection: Connection, *, organisation: str, name: str, parent_id: int | None = None, at: float, actor: str
) -> Department:
    """Its organisation is made with its first department. Raises NameTakenError."""
    organisation_id = _organisation(connection, organisation)
    if department_named(connection, name, organisation) is not None:
        raise NameTakenError(name)
    row = {"organisation_id": organisation_id, "parent_id": parent_id, "name": name, "closed": False}
    connection.execute(insert(departments), row)
    ledger.append(connection, at=at, actor=actor, action="department.added", subject=name, detail={"organisation": organisation})
    made = department_named(connection, name, organisation)
    assert made is not None
    return made


def department_placed(connection: Connection, one: Department, parent_id: int | None, *, at: float, actor: str) -> None:
    """Below another one. Raises ValueError if it would be below itself."""
    if parent_id is not None and one.id in (parent_id, *above(connection, parent_id)):
        raise ValueError(one.name)
    connection.execute(update(departments).where(departments.c.id == one.id).values(parent_id=parent_id))
    ledger.append(connection, at=at, actor=actor, action="department.placed", subject=one.name, detail={"parent": parent_id})


def department_closed(connection: Connection, one: Department, *, at: float, actor: str) -> None:
    """Nobody belongs to it any more; what it owned keeps its name."""
    connection.execute(delete(memberships).where(memberships.c.department_id == one.id))
    connection.execute(update(departments).where(departments.c.id == one.id).values(closed=True))
    ledger.append(connection, at=at, actor=actor, action="department.closed", subject=one.name, detail={})


def all_departments(connection: Connection) -> list[Department]:
    return [_department(row) for row in connection.execute(_DEPARTMENTS.order_by(organisations.c.name, departments.c.name))]


def department(connection: Connection, department_id: int) -> Department | None:
    row = connection.execute(_DEPARTMENTS.where(departments.c.id == department_id)).one_or_none()
    return None if row is None else _department(row)


def department_named(connection: Connection, name: str, organisation: str | None = None) -> Department | None:
    """None too where two organisations have one of that name and none was said."""
    statement = _DEPARTMENTS.where(departments.c.name == name)
    if organisation is not None:
        statement = statement.where(organisations.c.name == organisation)
    rows = connection.execute(statement).all()
    return _department(rows[0]) if len(rows) == 1 else None


def above(connection: Connection, department_id: int | None) -> list[int]:
    """The departments that this one belongs to, the nearest first."""
    found: list[int] = []
    current = department_id
    while current is not None and len(found) < _DEEPEST:
        current = connection.execute(select(departments.c.parent_id).where(departments.c.id == current)).scalar_one_or_none()
        if current is not None:
            found.append(current)
    return found


_DEPARTMENTS: Final = select(departments, organisations.c.name.label("organisation")).join(
    organisations, organisations.c.id == departments.c.organisation_id
)


def _department(row: Row[Any]) -> Department:
    return Department(id=row.id, organisation=row.organisation, name=row.name, parent_id=row.parent_id, closed=row.closed)


def _organisation(connection: Connection, name: str) -> int:
    found = connection.execute(select(organisations.c.id).where(organisations.c.name == name)).scalar_one_or_none()
    if found is None:
        connection.execute(insert(organisations), {"name": name})
        found = connection.execute(select(organisations.c.id).where(organisations.c.name == name)).scalar_one()
    return int(found)


# ------------------------------------------------------------------------------------------------------------ memberships


def placed(connection: Connection, account: Account, places: Sequence[Place], *, at: float, actor: str) -> None:
    """異動: from now on it belongs exactly there. The first main one is 主務, every other 兼務."""
    connection.execute(delete(memberships).where(memberships.c.account_id == account.id))
    main = next((place.department_id for place in places if place.main), None)
    rows = [
        {"account_id": account.id, "department_id": place.department_id, "main": place.department_id == main, "head": place.head}
        for place in {place.department_id: place for place in places}.values()
    ]
    if rows:
        connection.execute(insert(memberships), rows)
    detail: dict[str, object] = {"departments": [[row["department_id"], row["main"], row["head"]] for row in rows]}
    ledger.append(connection, at=at, actor=actor, action="account.placed", subject=account.login, detail=detail)


def moved(connection: Connection, account: Account, places: Sequence[Place], *, at: float, actor: str, privileged: bool) -> None:
    """As `placed`; whoever holds a privilege has to choose another password, and his sessions end."""
    placed(connection, account, places, at=at, actor=actor)
    if privileged:
        values = {"must_change": True, "password_set_at": at} if not account.directory else {}
        if values:
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))
        connection.execute(delete(sessions).where(sessions.c.account_id == account.id))


def memberships_of(connection: Connection, account_id: int) -> list[Membership]:
    """The main one first."""
    return _memberships(connection, memberships.c.account_id == account_id)


def members(connection: Connection, department_id: int) -> list[Membership]:
    return _memberships(connection, memberships.c.department_id == department_id)


def all_memberships(connection: Connection) -> dict[int, list[Membership]]:
    """By account, the main one first."""
    found: dict[int, list[Membership]] = {}
    for one in _memberships(connection, true()):
        found.setdefault(one.account.id, []).append(one)
    return found


def heads(connection: Connection, department_ids: Iterable[int]) -> list[Account]:
    """Those who lead one of these departments and may act at all, in the order of the departments."""
    found = []
    for department_id in department_ids:
        found += [one.account for one in members(connection, department_id) if one.head and not one.account.disabled]
    return found


def _memberships(connection: Connection, condition: Any) -> list[Membership]:
    joined = select(accounts, memberships.c.department_id, memberships.c.main, memberships.c.head)
    joined = joined.join(memberships, memberships.c.account_id == accounts.c.id).where(condition)
    known = {one.id: one for one in all_departments(connection)}
    rows = connection.execute(joined.order_by(memberships.c.main.desc(), accounts.c.login))
    return [Membership(account=account_of_row(row), department=known[row.department_id], main=row.main, head=row.head) for row in rows]


# ----------------------------------------------------------------------------------------------- persons behind accounts


def persons_behind(connection: Connection, account: Account) -> frozenset[str]:
    """The human beings who may have acted with this account: one, or all members of a shared one."""
    if not account.shared:
        return frozenset({account.person})
    joined = select(accounts.c.person).join(shared_members, shared_members.c.member_id == accounts.c.id)
    return frozenset(connection.execute(joined.where(shared_members.c.account_id == account.id)).scalars()) | {account.person}


def shared_by(connection: Connection, account: Account, member_ids: Iterable[int], *, at: float, actor: str) -> None:
    """共用ID: these may use it, and nobody else."""
    wanted = sorted(set(member_ids))
    connection.execute(update(accounts).where(accounts.c.id == account.id).values(shared=True))
    connection.execute(delete(shared_members).where(shared_members.c.account_id == account.id))
    if wanted:
        connection.execute(insert(shared_members), [{"account_id": account.id, "member_id": one} for one in wanted])
    ledger.append(connection, at=at, actor=actor, action="account.shared", subject=account.login, detail={"members": wanted})


def accounts_of_person(connection: Connection, person: str) -> list[Account]:
    return [account_of_row(row) for row in connection.execute(select(accounts).where(accounts.c.person == person))]


# --------------------------------------------------------------------------------------------------------------- groups


def group_set(connection: Connection, name: str, member_ids: Iterable[int], *, at: float, actor: str) -> int:
    """The group of that name, made if need be, has exactly these members."""
    found = connection.execute(select(groups.c.id).where(groups.c.name == name)).scalar_one_or_none()
    if found is None:
        connection.execute(insert(groups), {"name": name})
        found = connection.execute(select(groups.c.id).where(groups.c.name == name)).scalar_one()
    wanted = sorted(set(member_ids))
    connection.execute(delete(group_members).where(group_members.c.group_id == found))
    if wanted:
        connection.execute(insert(group_members), [{"group_id": found, "account_id": one} for one in wanted])
    ledger.append(connection, at=at, actor=actor, action="group.set", subject=name, detail={"members": wanted})
    return int(found)


def group_dissolved(connection: Connection, name: str, *, at: float, actor: str) -> bool:
    found = connection.execute(select(groups.c.id).where(groups.c.name == name)).scalar_one_or_none()
    if found is None:
        return False
    connection.execute(delete(group_members).where(group_members.c.group_id == found))
    connection.execute(delete(groups).where(groups.c.id == found))
    ledger.append(connection, at=at, actor=actor, action="group.dissolved", subject=name, detail={})
    return True


def all_groups(connection: Connection) -> dict[str, list[str]]:
    """Name → log-in names of the members."""
    found: dict[str, list[str]] = {name: [] for name in connection.execute(select(groups.c.name).order_by(groups.c.name)).scalars()}
    joined = select(groups.c.name, accounts.c.login).join(group_members, group_members.c.group_id == groups.c.id)
    for row in connection.execute(joined.join(accounts, accounts.c.id == group_members.c.account_id).order_by(accounts.c.login)):
        found[row.name].append(row.login)
    return found


# -------------------------------------------------------------------------------------------------------------- absences


def absent(
    connection: Connection,
    account: Account,
    *,
    delegate: Account | None,
    from_at: float,
    until_at: float,
    reason: str,
    at: float,
    actor: str,
    nominee: str = "",
) -> int:
    """不在の登録. The delegate may act for `account` from `from_at` until `until_at`, and at no other time. `nominee`: log-in name of
    somebody who is named and may not act yet."""
    row = {"account_id": account.id, "delegate_id": delegate.id if delegate else None, "from_at": from_at, "until_at": until_at,
           "reason": reason, "actor": actor}  # fmt: skip
    result = connection.execute(insert(absences), row)
    detail: dict[str, object] = {"delegate": delegate.login if delegate else "", "from": from_at, "until": until_at, "reason": reason}
    detail |= {"nominee": nominee} if nominee else {}
    ledger.append(connection, at=at, actor=actor, action="absence.added", subject=account.login, detail=detail)
    assert result.inserted_primary_key is not None
    return int(result.inserted_primary_key[0])


def back(connection: Connection, absence_id: int, account: Account, *, at: float, actor: str) -> bool:
    """The end of it, now. False if it is not this account's or over."""
    row = connection.execute(select(absences).where(absences.c.id == absence_id, absences.c.account_id == account.id)).one_or_none()
    if row is None or row.until_at <= at:
        return False
    connection.execute(update(absences).where(absences.c.id == absence_id).values(until_at=at))
    ledger.append(connection, at=at, actor=actor, action="absence.ended", subject=account.login, detail={"absence": absence_id})
    return True


def delegated(connection: Connection, one: Absence, account: Account, delegate: Account, *, request: str, at: float, actor: str) -> None:
    """代決者の承認: from now on he may act for `account`. `request`: by which it was approved."""
    connection.execute(update(absences).where(absences.c.id == one.id).values(delegate_id=delegate.id, approval=request))
    detail: dict[str, object] = {"delegate": delegate.login, "from": one.from_at, "until": one.until_at, "request": request}
    ledger.append(connection, at=at, actor=actor, action="absence.delegated", subject=account.login, detail=detail)


def absence(connection: Connection, absence_id: int) -> Absence | None:
    return next(iter(_absences(connection, absences.c.id == absence_id)), None)


def absences_of(connection: Connection, account_id: int, at: float) -> list[Absence]:
    """Those that last or are to come, the account's own and those in which it is the delegate."""
    mine = or_(absences.c.account_id == account_id, absences.c.delegate_id == account_id)
    return _absences(connection, mine & (absences.c.until_at > at))


def absent_now(connection: Connection, account_id: int, at: float) -> list[Absence]:
    return _absences(connection, (absences.c.account_id == account_id) & (absences.c.from_at <= at) & (absences.c.until_at > at))


def _absences(connection: Connection, condition: Any) -> list[Absence]:
    names = [field.name for field in msgspec.structs.fields(Absence)]
    rows = connection.execute(select(absences).where(condition).order_by(absences.c.from_at))
    return [Absence(**{name: getattr(row, name) for name in names}) for row in rows]
