"""Rows of letters: mails of the house that speak of no transfer. Every function runs inside a transaction of the journal.

One row is one mail to one recipient, so that nobody sees another's address. Its content is kept until it is at its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import Connection, case, delete, func, insert, or_, select, update

from gateway.storage import ledger
from gateway.storage.faults import LeaseLostError
from gateway.storage.tables import letters

WAITING: Final = "waiting"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"
_LONGEST_TEXT: Final = 1_000


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One in the hands of the post. `first_at`: seconds since 1970."""

    id: int
    recipient: str
    about: str
    size: int
    attempts: int
    first_at: float
    token: str


def queue(connection: Connection, recipients: Iterable[str], content: bytes, *, about: str, at: float) -> int:
    """Due at once; how many. `about`: what the audit record calls it, the number of an incident or the name of a report."""
    row = {"about": about, "content": content, "state": WAITING, "attempts": 0, "first_at": at, "next_due": at, "text": ""}
    rows = [row | {"recipient": address} for address in dict.fromkeys(recipients)]
    if rows:
        connection.execute(insert(letters), rows)
        detail: dict[str, object] = {"recipients": [row["recipient"] for row in rows]}
        ledger.append(connection, at=at, actor="road", action="letter.queued", subject=about, detail=detail)
    return len(rows)


def claim(connection: Connection, limit: int, at: float, lease_until: float) -> list[Letter]:
    """Those that are due, and those whose lease ran out."""
    free = or_(letters.c.lease_until.is_(None), letters.c.lease_until < at)
    columns = (letters.c.id, letters.c.recipient, letters.c.about, letters.c.attempts, letters.c.first_at)
    due = select(*columns, func.length(letters.c.content).label("size")).where(letters.c.next_due <= at, free)
    claimed = []
    for row in connection.execute(due.order_by(letters.c.next_due, letters.c.id).limit(limit)).all():
        token = secrets.token_hex(16)
        connection.execute(update(letters).where(letters.c.id == row.id).values(lease_until=lease_until, lease_token=token))
        claimed.append(
            Letter(
                id=row.id,
                recipient=row.recipient,
                about=row.about,
                size=row.size or 0,
                attempts=row.attempts,
                first_at=row.first_at,
                token=token,
            )
        )
    return claimed


def content(connection: Connection, letter_id: int) -> bytes:
    """Empty once it is at its end."""
    return bytes(connection.execute(select(letters.c.content).where(letters.c.id == letter_id)).scalar_one_or_none() or b"")


def settle(connection: Connection, letter: Letter, state: str, text: str, *, again: float | None, at: float) -> None:
    """What became of it; `again`: when it is tried again. Raises LeaseLostError."""
    row: dict[str, object] = {"attempts": letter.attempts + 1, "text": text[:_LONGEST_TEXT], "lease_until": None, "lease_token": None}
    row |= {"state": state, "next_due": again} if again is not None else {"state": state, "next_due": None, "content": None}
    _end(connection, letter, row)
    if again is None:
        detail: dict[str, object] = {"recipient": letter.recipient, "state": state, "text": text[:_LONGEST_TEXT]}
        ledger.append(connection, at=at, actor="road", action="letter.result", subject=letter.about, detail=detail)


def give_back(connection: Connection, letter: Letter) -> None:
    """Untried. Raises LeaseLostError."""
    _end(connection, letter, {"lease_until": None, "lease_token": None})


def _end(connection: Connection, letter: Letter, row: dict[str, object]) -> None:
    ours = (letters.c.id == letter.id) & (letters.c.lease_token == letter.token)
    if connection.execute(update(letters).where(ours).values(**row)).rowcount != 1:
        raise LeaseLostError(str(letter.id))


def next_due(connection: Connection) -> float | None:
    """When the next one is to be tried, its lease included."""
    due = case((letters.c.lease_until > letters.c.next_due, letters.c.lease_until), else_=letters.c.next_due)
    found: float | None = connection.execute(select(func.min(due)).where(letters.c.next_due.is_not(None))).scalar_one()
    return found


def waiting(connection: Connection) -> int:
    """How many are not at their end."""
    return int(connection.execute(select(func.count()).where(letters.c.next_due.is_not(None))).scalar_one())


def forget(connection: Connection, before: float) -> int:
    """Rows that are at their end and older than that; how many."""
    return connection.execute(delete(letters).where(letters.c.next_due.is_(None), letters.c.first_at < before)).rowcount


def written_about(connection: Connection, about: str) -> bool:
    """Whether anybody was written to about that, as far back as rows are kept."""
    return connection.execute(select(letters.c.id).where(letters.c.about == about).limit(1)).first() is not None
