"""Transfers that nobody has to know of any more: their rows, and what other tables say of them. The audit record keeps what happened."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Table, delete, exists, select

from gateway.model import State
from gateway.storage import evidence, text_search
from gateway.storage.tables import deliveries, delivery_recipients, incidents, metadata, transfers


def _about(table: Table) -> bool:
    return any(key.column.table is transfers for key in table.foreign_keys)


# Everything that refers to a transfer, but what says why it is kept.
_ABOUT: Final = tuple(table for table in reversed(metadata.sorted_tables) if _about(table) and table is not incidents)


def forget(connection: Connection, *, before: float, limit: int) -> list[str]:
    """The oldest of those that were disposed of before then (seconds since 1970), at most `limit`; their receipt numbers.

    What an incident is about stays as long as the incident, and what is kept as evidence is not disposed of in the first place.
    """
    over = (transfers.c.state == State.DISPOSED) & (transfers.c.changed_at < before) & ~evidence.is_kept()
    spoken_of = exists().where(incidents.c.transfer_id == transfers.c.id)
    asked = select(transfers.c.id, transfers.c.receipt_no).where(over, ~spoken_of).order_by(transfers.c.id).limit(limit)
    found = connection.execute(asked).all()
    ids = [row.id for row in found]
    if ids:
        text_search.take_out(connection, ids)
        theirs = select(deliveries.c.id).where(deliveries.c.transfer_id.in_(ids))
        connection.execute(delete(delivery_recipients).where(delivery_recipients.c.delivery_id.in_(theirs)))
        for table in _ABOUT:
            connection.execute(delete(table).where(table.c.transfer_id.in_(ids)))
        connection.execute(delete(transfers).where(transfers.c.id.in_(ids)))
    return [row.receipt_no for row in found]
