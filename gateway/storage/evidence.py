"""証拠保全: what must not be given up, whoever asks and however old it is. Every function runs inside a transaction of the journal."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, exists, insert, select, update

from gateway.model import Transfer
from gateway.storage import ledger
from gateway.storage.tables import evidence, transfers


class Kept(NamedTuple):
    """Why a transfer is kept, by whom, since when (seconds since 1970)."""

    since: float
    actor: str
    reason: str


def keep(connection: Connection, transfer: Transfer, *, at: float, actor: str, reason: str) -> bool:
    """False if it is kept already."""
    if kept(connection, transfer.id) is not None:
        return False
    row = {"transfer_id": transfer.id, "since": at, "actor": actor, "reason": reason, "ended_by": ""}
    connection.execute(insert(evidence), row)
    ledger.append(connection, at=at, actor=actor, action="evidence.kept", subject=transfer.receipt_no, detail={"note": reason})
    return True


def let_go(connection: Connection, transfer: Transfer, *, at: float, actor: str, reason: str) -> bool:
    """False if it is not kept."""
    lasting = (evidence.c.transfer_id == transfer.id) & evidence.c.ended_at.is_(None)
    if connection.execute(update(evidence).where(lasting).values(ended_at=at, ended_by=actor)).rowcount == 0:
        return False
    ledger.append(connection, at=at, actor=actor, action="evidence.let_go", subject=transfer.receipt_no, detail={"note": reason})
    return True


def kept(connection: Connection, transfer_id: int) -> Kept | None:
    lasting = (evidence.c.transfer_id == transfer_id) & evidence.c.ended_at.is_(None)
    row = connection.execute(select(evidence.c.since, evidence.c.actor, evidence.c.reason).where(lasting)).one_or_none()
    return None if row is None else Kept(*row)


def is_kept() -> ColumnElement[bool]:
    """The condition of a question about transfers."""
    return exists().where(evidence.c.transfer_id == transfers.c.id, evidence.c.ended_at.is_(None))
