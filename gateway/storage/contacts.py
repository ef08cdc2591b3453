"""緊急連絡網: who is told of an incident or a fault, and who next if nobody answers. Inside a transaction of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, insert, select, update

from gateway.storage import ledger
from gateway.storage.tables import contacts

FIELDS: Final = ("level", "title", "name", "mail", "phone", "phone_after_hours", "minutes", "note")


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """One. `level` from 1: whose turn it is; 0: is told nothing by itself. `minutes`: after so many without an answer the next is told."""

    id: int
    level: int
    title: str
    name: str
    mail: str
    phone: str
    phone_after_hours: str
    minutes: int
    note: str
    changed_at: float
    changed_by: str


class NoSuchContactError(Exception):
    """None of that number."""


def put(connection: Connection, given: Mapping[str, Any], *, who: str, at: float, contact_id: int | None = None) -> int:
    """A new one, or another text of one that there is; its id. `given`: all of FIELDS. Raises NoSuchContactError."""
    row = {name: given[name] for name in FIELDS} | {"changed_at": at, "changed_by": who}
    if contact_id is None:
        contact_id = int(connection.execute(insert(contacts).returning(contacts.c.id), row).scalar_one())
    else:
        standing = (contacts.c.id == contact_id) & contacts.c.removed_at.is_(None)
        if connection.execute(update(contacts).where(standing).values(**row)).rowcount != 1:
            raise NoSuchContactError(str(contact_id))
    ledger.append(
        connection, at=at, actor=who, action="contact.set", subject=str(contact_id), detail={name: given[name] for name in FIELDS}
    )
    return contact_id


def remove(connection: Connection, contact_id: int, *, who: str, at: float) -> None:
    """Raises NoSuchContactError."""
    standing = (contacts.c.id == contact_id) & contacts.c.removed_at.is_(None)
    if connection.execute(update(contacts).where(standing).values(removed_at=at, changed_by=who)).rowcount != 1:
        raise NoSuchContactError(str(contact_id))
    ledger.append(connection, at=at, actor=who, action="contact.removed", subject=str(contact_id), detail={})


def listed(connection: Connection) -> list[Contact]:
    """In the order of the chain; those that stand outside it last."""
    statement = select(contacts).where(contacts.c.removed_at.is_(None)).order_by(contacts.c.level == 0, contacts.c.level, contacts.c.id)
    return [Contact(**{name: getattr(row, name) for name in Contact.__struct_fields__}) for row in connection.execute(statement)]
