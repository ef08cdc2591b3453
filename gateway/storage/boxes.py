"""受取箱: who has which, how much lies in each, how much may. Every function runs inside a transaction of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from gateway.model import DEPARTMENT, GROUP, PERSON, SHARE, Door, State
from gateway.storage import ledger, people
from gateway.storage.accounts import Account
from gateway.storage.tables import accounts, boxes, group_members, groups, memberships, transfer_recipients, transfers

# What lies in a box: its result was made, and nobody has taken it back.
_LYING = (State.RELEASED, State.DELIVERING, State.DELIVERED, State.DEFERRED, State.UNDELIVERABLE)


class Kept(NamedTuple):
    """What is written of a box: its own quota in bytes (None: that of the settings), and what its people were told (0, 80 or 100)."""

    quota: int | None = None
    told: int = 0


def of(connection: Connection, account: Account) -> dict[str, str]:
    """Address → title: the person's own, those of his departments and of his groups, and what is for him alone."""
    shared = {f"{DEPARTMENT}{one.department.id}": one.department.name for one in people.memberships_of(connection, account.id)}
    joined = select(groups.c.id, groups.c.name).join(group_members, group_members.c.group_id == groups.c.id)
    mine = connection.execute(joined.where(group_members.c.account_id == account.id).order_by(groups.c.name))
    shared |= {f"{GROUP}{row.id}": row.name for row in mine}
    titles = {address: f"{name}の受取箱 / box of {name}" for address, name in shared.items()}
    return {account.login: "自分の受取箱 / my box"} | titles | {PERSON + account.login: "担当者限定 / for me alone"}


def used(connection: Connection, since: float, addresses: Iterable[str] | None = None) -> dict[str, int]:
    """Bytes of what lies in each box and came to rest after `since`; all boxes unless some are named. Empty ones are left out, and what
    is for one person alone lies in his own."""
    size = func.sum(transfers.c.result_size)
    conditions: list[ColumnElement[Any]] = [
        transfers.c.door == Door.DROP,
        transfers.c.state.in_(_LYING),
        transfers.c.changed_at >= since,
        transfers.c.result_size.is_not(None),
    ]
    if addresses is not None:
        wanted = list(addresses)
        conditions.append(transfer_recipients.c.address.in_([*wanted, *(PERSON + one for one in wanted)]))
    joined = select(transfer_recipients.c.address, size.label("size")).join(transfers, transfers.c.id == transfer_recipients.c.transfer_id)
    lying: dict[str, int] = {}
    for row in connection.execute(joined.where(*conditions).group_by(transfer_recipients.c.address)):
        box = row.address.removeprefix(PERSON)
        lying[box] = lying.get(box, 0) + int(row.size)
    return lying


def kept(connection: Connection, addresses: Iterable[str]) -> dict[str, Kept]:
    rows = connection.execute(select(boxes).where(boxes.c.address.in_(list(addresses))))
    return {row.address: Kept(row.quota, row.told) for row in rows}


def told(connection: Connection, address: str, level: int) -> None:
    """Its people were told that it is so full (80 or 100 percent), or it is less again (0)."""
    _write(connection, address, told=level)


def limit(connection: Connection, address: str, quota: int | None, *, at: float, actor: str) -> None:
    """Its own quota in bytes; None: that of the settings."""
    _write(connection, address, quota=quota)
    ledger.append(connection, at=at, actor=actor, action="box.quota", subject=address, detail={"quota": quota})


def mails(connection: Connection, address: str) -> list[str]:
    """Where those are written to whose box it is."""
    able = (accounts.c.disabled.is_(False)) & (accounts.c.mail != "")
    if address.startswith(DEPARTMENT):
        joined = select(accounts.c.mail).join(memberships, memberships.c.account_id == accounts.c.id)
        statement = joined.where(able, memberships.c.department_id == int(address.removeprefix(DEPARTMENT)))
    elif address.startswith(GROUP):
        joined = select(accounts.c.mail).join(group_members, group_members.c.account_id == accounts.c.id)
        statement = joined.where(able, group_members.c.group_id == int(address.removeprefix(GROUP)))
    else:
        statement = select(accounts.c.mail).where(able, accounts.c.login == address)
    return sorted(set(connection.execute(statement).scalars()))


def _write(connection: Connection, address: str, **values: object) -> None:
    if connection.execute(update(boxes).where(boxes.c.address == address).values(**values)).rowcount == 0:
        connection.execute(insert(boxes), {"address": address, "told": 0} | values)


def any_quota(connection: Connection) -> bool:
    """Whether any box has one of its own."""
    return connection.execute(select(boxes.c.address).where(boxes.c.quota.is_not(None)).limit(1)).first() is not None


def all_told(connection: Connection) -> dict[str, int]:
    """What the people of each box were told last, where it is not 0."""
    rows = connection.execute(select(boxes.c.address, boxes.c.told).where(boxes.c.told != 0))
    return {row.address: row.told for row in rows}


def titles(connection: Connection, addresses: Iterable[str]) -> dict[str, str]:
    """Address → title, of boxes that there are."""
    wanted = list(addresses)
    departments = {f"{DEPARTMENT}{one.id}": one.name for one in people.all_departments(connection)}
    named = departments | {f"{GROUP}{row.id}": row.name for row in connection.execute(select(groups.c.id, groups.c.name))}
    found = {}
    for address in wanted:
        if address.startswith((DEPARTMENT, GROUP)):
            if address in named:
                found[address] = f"{named[address]}の受取箱 / box of {named[address]}"
        elif not address.startswith(SHARE):
            found[address] = f"{address}の受取箱 / box of {address}"
    return found


def group_named(connection: Connection, name: str) -> int | None:
    """Its id."""
    found: int | None = connection.execute(select(groups.c.id).where(groups.c.name == name)).scalar_one_or_none()
    return found
