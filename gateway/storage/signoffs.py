"""点検・確認の記録: who looked at what of which period, and what he said. Rows only grow; inside a transaction of the journal."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, insert, select

from gateway.storage import ledger
from gateway.storage.tables import signoffs


class SignOff(msgspec.Struct, frozen=True, kw_only=True):
    """One. `seen` rows were before him, whose canonical JSON has the digest `sha256`; `good`: nothing needs a deed."""

    subject: str
    period: str
    at: float
    actor: str
    seen: int
    sha256: str
    good: bool
    note: str


class SignedBeforeError(Exception):
    """That period of that subject has been signed."""


def sign(connection: Connection, given: SignOff) -> None:
    """Raises SignedBeforeError."""
    if of(connection, given.subject, given.period) is not None:
        raise SignedBeforeError(f"{given.subject} {given.period}")
    connection.execute(insert(signoffs), msgspec.structs.asdict(given))
    detail: dict[str, object] = {"period": given.period, "seen": given.seen, "sha256": given.sha256, "good": given.good, "note": given.note}
    ledger.append(connection, at=given.at, actor=given.actor, action="inspection.signed", subject=given.subject, detail=detail)


def of(connection: Connection, subject: str, period: str) -> SignOff | None:
    found = listed(connection, subject=subject, period=period)
    return found[0] if found else None


def listed(connection: Connection, *, subject: str = "", period: str = "", since: float = 0.0, limit: int = 1_000) -> list[SignOff]:
    """The youngest first."""
    statement = select(signoffs).where(signoffs.c.at >= since).order_by(signoffs.c.id.desc()).limit(limit)
    if subject:
        statement = statement.where(signoffs.c.subject == subject)
    if period:
        statement = statement.where(signoffs.c.period == period)
    return [SignOff(**{name: getattr(row, name) for name in SignOff.__struct_fields__}) for row in connection.execute(statement)]
