"""The hash-chained record: how an entry is appended inside a transaction, and what its hash covers.

    hash = SHA-256 over the compact JSON array [seq, at, actor, action, subject, detail, prev_hash] in UTF-8

`detail` is itself JSON and is hashed as the text that stands in the row, so that not one byte of it can change.

After its time the beginning of the record is given up (`purge`), and in no other way: the database lets a row go only once `audit_cuts`,
which only grows, names it; and an entry of the record itself says where it was cut.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select

from gateway.storage.narrow import put_off
from gateway.storage.tables import audit, audit_cuts
from gateway.storage.tables.state import DEEDS

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


class Cut(NamedTuple):
    """The last row that was given up after its time; `at`: seconds since 1970."""

    seq: int
    hash: str
    at: float


PURGED: Final = "audit.purged"
# So many rows go in one transaction: nobody waits long for the writer.
_MOST_AT_ONCE: Final = 20_000
_APPEND: Final = insert(audit)
_HEAD: Final = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


def moment(at: float) -> str:
    """As a moment stands in the record."""
    return dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="microseconds")


def append(connection: Connection, *, at: float, actor: str, action: str, subject: str, detail: dict[str, object]) -> Entry:
    """Inside the caller's writing transaction. In a narrow one it has its place in the chain only at the end: no number yet, no hash."""
    entry = Entry(
        seq=0,
        at=moment(at),
        actor=actor,
        action=action,
        subject=subject,
        detail=msgspec.json.encode(detail, order="sorted").decode(),
        prev_hash="",
        hash="",
    )
    if (later := put_off(connection)) is not None:
        later.add(_chain, entry)
        return entry
    return _chained(connection, [entry])[0]


def _chain(connection: Connection, new: list[Entry]) -> None:
    _chained(connection, new)


def _chained(connection: Connection, new: list[Entry]) -> list[Entry]:
    """Behind the last one; nobody else does so at this moment."""
    head = connection.execute(_HEAD).one_or_none()
    seq, prev_hash = (head.seq, head.hash) if head is not None else (0, GENESIS)
    entries = []
    for entry in new:
        seq += 1
        linked = msgspec.structs.replace(entry, seq=seq, prev_hash=prev_hash)
        entries.append(msgspec.structs.replace(linked, hash=linked.computed()))
        prev_hash = entries[-1].hash
    connection.execute(_APPEND, [msgspec.structs.asdict(entry) for entry in entries])
    return entries


def first(connection: Connection) -> Entry | None:
    return _single(connection, audit.c.seq)


def head(connection: Connection) -> Entry | None:
    """The last entry."""
    return _single(connection, audit.c.seq.desc())


def _single(connection: Connection, order: ColumnElement[int]) -> Entry | None:
    row = connection.execute(select(audit).order_by(order).limit(1)).mappings().one_or_none()
    return None if row is None else Entry(**row)


def entries(connection: Connection, after: int = 0, subject: str | None = None, limit: int = -1) -> Iterator[Entry]:
    """In order of their numbers, from the one after `after`."""
    statement = select(audit).where(audit.c.seq > after).order_by(audit.c.seq)
    if subject is not None:
        statement = statement.where(audit.c.subject == subject)
    if limit >= 0:
        statement = statement.limit(limit)
    for row in connection.execute(statement).mappings():
        yield Entry(**row)


def deeds(
    connection: Connection,
    actions: Sequence[str],
    *,
    since: float,
    until: float,
    actor: str = "",
    subject: str = "",
    text: str = "",
    limit: int = 10_000,
    everybody: bool = False,
) -> list[Entry]:
    """What persons did (`everybody`: and the road), the oldest first. An action that ends in `.`: all that begin so; none: any."""
    first, last = seq_at(connection, since), seq_at(connection, until)
    statement = select(audit).where(audit.c.seq >= first, audit.c.seq < last).order_by(audit.c.seq).limit(limit)
    if not everybody:
        statement = statement.where(DEEDS)
    if actions:
        statement = statement.where(or_(*(_acted(action) for action in actions)))
    if actor:
        statement = statement.where(audit.c.actor == actor)
    if subject:
        statement = statement.where(audit.c.subject == subject)
    if text:
        statement = statement.where(audit.c.detail.contains(text, autoescape=True))
    return [Entry(**row) for row in connection.execute(statement).mappings()]


def _acted(action: str) -> ColumnElement[bool]:
    if not action.endswith("."):
        return audit.c.action == action
    return (audit.c.action >= action) & (audit.c.action < action[:-1] + chr(ord(".") + 1))


def seq_at(connection: Connection, at: float) -> int:
    """The number of the first entry that is not older than that moment; past the last one if all are. The record is in order of time."""
    wanted = moment(at)
    low, high = connection.execute(select(func.min(audit.c.seq), func.max(audit.c.seq))).one()
    if low is None:
        return 1
    high += 1
    while low < high:
        middle = (low + high) // 2
        if connection.execute(select(audit.c.at).where(audit.c.seq == middle)).scalar_one() < wanted:
            low = middle + 1
        else:
            high = middle
    return int(low)


def cut(connection: Connection) -> Cut | None:
    """Where the record begins now; None: at its first entry."""
    row = connection.execute(select(audit_cuts).order_by(audit_cuts.c.seq.desc()).limit(1)).one_or_none()
    return None if row is None else Cut(row.seq, row.hash, row.at)


def purge(connection: Connection, *, before: float, at: float, actor: str) -> tuple[Cut, Entry, Entry] | None:
    """Give up entries that are older than `before`, some at a time; the cut, and the first and last that went. None: there are none.

    The last entry always stays, so that the next one has something to follow from.
    """
    bounds = connection.execute(select(func.min(audit.c.seq), func.max(audit.c.seq))).one()
    if bounds[0] is None:
        return None
    first, last = int(bounds[0]), min(seq_at(connection, before) - 1, int(bounds[0]) + _MOST_AT_ONCE - 1, int(bounds[1]) - 1)
    if last < first:
        return None
    gone = [Entry(**connection.execute(select(audit).where(audit.c.seq == seq)).mappings().one()) for seq in (first, last)]
    here = Cut(last, gone[1].hash, at)
    connection.execute(insert(audit_cuts), here._asdict())
    connection.execute(delete(audit).where(audit.c.seq <= last))
    detail: dict[str, object] = {"seq": last, "hash": here.hash, "entries": last - first + 1, "from": gone[0].at, "to": gone[1].at}
    append(connection, at=at, actor=actor, action=PURGED, subject=str(last), detail=detail)
    return here, gone[0], gone[1]
