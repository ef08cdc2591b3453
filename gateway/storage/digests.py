"""Digests of held mail: for each time of the day at which they go out, one mail to everybody for whom something came to be held.

The time itself is the key of a row, so that of two nodes, or before and after a crash, only one sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, insert, select

from gateway.model import Door, Purpose, State, Transfer
from gateway.storage import deliveries, ledger, transfers
from gateway.storage.blobs import Blob
from gateway.storage.tables import digests
from gateway.storage.tables import transfers as transfers_table

# How far back the very first one looks.
_FIRST_SECONDS: Final = 86_400.0
# More than this is an incident, of which a digest to everybody is the wrong news.
_MOST: Final = 10_000


class Digest(NamedTuple):
    """The content for one address. `transfer_id`: the newest of the transfers that stand in it; the delivery is filed there."""

    address: str
    transfer_id: int
    content: Blob


def owed(connection: Connection, slot: float) -> list[Transfer]:
    """The mails that came to be held since the digest before `slot` (seconds since 1970) and still are; none if `slot` was sent."""
    last: float | None = connection.execute(select(func.max(digests.c.slot))).scalar_one()
    if last is not None and last >= slot:
        return []
    since = slot - _FIRST_SECONDS if last is None else last
    held = (transfers_table.c.state == State.HELD) & (transfers_table.c.door == Door.SMTP)
    when = (transfers_table.c.changed_at > since) & (transfers_table.c.changed_at <= slot)
    rows = connection.execute(select(transfers_table).where(held, when).order_by(transfers_table.c.id).limit(_MOST)).all()
    recipients = transfers.recipients_of(connection, [row.id for row in rows])
    return [transfers.as_transfer(row, recipients[row.id]) for row in rows]


def queue(connection: Connection, slot: float, written: Sequence[Digest], at: float) -> bool:
    """All of one slot at once, and never again; False if they were sent meanwhile. They have no sender: nobody answers them."""
    if connection.execute(select(digests.c.slot).where(digests.c.slot >= slot)).first() is not None:
        return False
    connection.execute(insert(digests), {"slot": slot, "sent_at": at})
    for digest in written:
        deliveries.queue(
            connection,
            digest.transfer_id,
            Purpose.DIGEST,
            sender="",
            recipients=[digest.address],
            blob=digest.content,
            smtputf8=not digest.address.isascii(),
            at=at,
        )
    if written:
        detail: dict[str, object] = {"slot": slot, "mails": len(written)}
        ledger.append(connection, at=at, actor=transfers.ROAD, action="digest.sent", subject="", detail=detail)
    return True
