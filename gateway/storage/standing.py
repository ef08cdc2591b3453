"""What the journal knows that policy asks about a transfer: where the people it is for belong, and the exceptions that count now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from gateway.storage import exceptions, people
from gateway.storage.exceptions import Grant
from gateway.storage.tables import accounts


class Standing(NamedTuple):
    """`departments`: person (as the transfer names him) → names of his departments, the outermost first, his main one last."""

    departments: dict[str, tuple[str, ...]]
    exceptions: tuple[Grant, ...]


def standing(connection: Connection, who: Iterable[str], organisation: str, at: float) -> Standing:
    """`who`: mail addresses or log-in names; nobody where policy does not ask for departments."""
    found = {person: _departments(connection, person, organisation) for person in who}
    known = {person: departments for person, departments in found.items() if departments}
    return Standing(known, tuple(exceptions.live(connection, at)))


def _departments(connection: Connection, person: str, organisation: str) -> tuple[str, ...]:
    name = person.lower()
    mine = or_(accounts.c.login == name, accounts.c.mail == name) if "@" in name else accounts.c.login == name
    ids = connection.execute(select(accounts.c.id).where(mine, accounts.c.disabled.is_(False)).order_by(accounts.c.id)).scalars().all()
    names: dict[str, None] = {}
    for account_id in ids:
        for membership in reversed(people.memberships_of(connection, account_id)):
            if organisation in ("", membership.department.organisation):
                above = [people.department(connection, one) for one in reversed(people.above(connection, membership.department.id))]
                for one in (*above, membership.department):
                    if one is not None:
                        names.pop(one.name, None)
                        names[one.name] = None
    return tuple(names)
