"""取込み票: what a person said of a file when he brought it, and whether it still waits for another's word. Inside a transaction."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from gateway.model import Slip, SlipApproval
from gateway.storage import ledger
from gateway.storage.tables import slips


def add(connection: Connection, transfer_id: int, slip: Slip) -> None:
    row = {
        "transfer_id": transfer_id,
        "purpose": slip.purpose,
        "classification": slip.classification,
        "reason": slip.reason,
        "folder": slip.folder,
        "approval": slip.approval,
    }
    connection.execute(insert(slips), row)


def of(connection: Connection, transfer_id: int) -> Slip | None:
    row = connection.execute(select(slips).where(slips.c.transfer_id == transfer_id)).one_or_none()
    if row is None:
        return None
    return Slip(
        purpose=row.purpose,
        classification=row.classification,
        reason=row.reason,
        folder=row.folder,
        approval=SlipApproval(row.approval),
    )


def waits(connection: Connection, transfer_id: int) -> bool:
    """Whether it may not be handed out before somebody has approved it."""
    statement = select(slips.c.approval).where(slips.c.transfer_id == transfer_id)
    return connection.execute(statement).scalar_one_or_none() == SlipApproval.NEEDED


def approve(connection: Connection, transfer_id: int, receipt_no: str, *, at: float, actor: str) -> None:
    connection.execute(update(slips).where(slips.c.transfer_id == transfer_id).values(approval=SlipApproval.GIVEN))
    ledger.append(connection, at=at, actor=actor, action="slip.approved", subject=receipt_no, detail={})
