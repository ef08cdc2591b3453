"""The hash-chained record: how an entry is appended inside a transaction, and what its hash covers.

    hash = SHA-256 over the compact JSON array [seq, at, actor, action, subject, detail, prev_hash] in UTF-8

`detail` is itself JSON and is hashed as the text that stands in the row, so that not one byte of it can change.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select

from gateway.storage.tables import audit

GENESIS: Final = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the record."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: str
    prev_hash: str
    hash: str

    def computed(self) -> str:
        """The hash that this row should have."""
        row = (self.seq, self.at, self.actor, self.action, self.subject, self.detail, self.prev_hash)
        return hashlib.sha256(msgspec.json.encode(row)).hexdigest()


_HEAD: Final = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


def append(connection: Connection, *, at: float, actor: str, action: str, subject: str, detail: dict[str, object]) -> Entry:
    """Inside the caller's writing transaction, of which there is one at a time."""
    head = connection.execute(_HEAD).one_or_none()
    seq, prev_hash = (head.seq + 1, head.hash) if head is not None else (1, GENESIS)
    entry = Entry(
        seq=seq,
        at=dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="microseconds"),
        actor=actor,
        action=action,
        subject=subject,
        detail=msgspec.json.encode(detail, order="sorted").decode(),
        prev_hash=prev_hash,
        hash="",
    )
    entry = msgspec.structs.replace(entry, hash=entry.computed())
    connection.execute(insert(audit), msgspec.structs.asdict(entry))
    return entry


def entries(connection: Connection, after: int = 0, subject: str | None = None, limit: int = -1) -> Iterator[Entry]:
    """In order of their numbers, from the one after `after`."""
    statement = select(audit).where(audit.c.seq > after).order_by(audit.c.seq)
    if subject is not None:
        statement = statement.where(audit.c.subject == subject)
    if limit >= 0:
        statement = statement.limit(limit)
    for row in connection.execute(statement).mappings():
        yield Entry(**row)
