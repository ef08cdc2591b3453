"""取込み票: what a person said of a file when he brought it, and whether it still waits for another's word. Inside a transaction."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from gateway.model import Slip, SlipApproval, State
from gateway.storage import ledger
from gateway.storage.tables import requests, slips, transfers


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


_APPROVAL: Final = select(slips.c.approval).where(slips.c.transfer_id == bindparam("of_id"))


def waits(connection: Connection, transfer_id: int) -> bool:
    """Whether it may not be handed out before somebody has approved it."""
    return connection.execute(_APPROVAL, {"of_id": transfer_id}).scalar_one_or_none() == SlipApproval.NEEDED


def unasked(connection: Connection, kind: str, *, since: float, before: float, limit: int = 100) -> list[str]:
    """Receipt numbers of what was brought in that time, waits for an approval, and has no request of that kind at all, the oldest first."""
    asked = exists().where(requests.c.kind == kind, requests.c.subject == transfers.c.receipt_no)
    over = transfers.c.state.in_((State.BLOCKED, State.DISPOSED))
    wanted = (slips.c.approval == SlipApproval.NEEDED, transfers.c.received_at >= since, transfers.c.received_at < before, ~over, ~asked)
    joined = select(transfers.c.receipt_no).join(slips, slips.c.transfer_id == transfers.c.id)
    return list(connection.execute(joined.where(*wanted).order_by(transfers.c.id).limit(limit)).scalars())


def approve(connection: Connection, transfer_id: int, receipt_no: str, *, at: float, actor: str) -> None:
    connection.execute(update(slips).where(slips.c.transfer_id == transfer_id).values(approval=SlipApproval.GIVEN))
    ledger.append(connection, at=at, actor=actor, action="slip.approved", subject=receipt_no, detail={})
