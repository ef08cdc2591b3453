"""What is kept, looked at again: how far a second look has come, and what it found late. Inside a transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from gateway.model import Purpose, RecipientState, State, Transfer
from gateway.storage import deliveries, ledger
from gateway.storage.incidents import Kind, open_incident
from gateway.storage.tables import audit, rescans, transfers
from gateway.storage.tables import late_hits as hits

_ACTOR: Final = "rescan"
# What the road has had in hand and still has the bytes of. What is blocked is known already.
_KEPT: Final = (State.RELEASED, State.DELIVERING, State.DELIVERED, State.DEFERRED, State.UNDELIVERABLE, State.HELD)


class Rescan(msgspec.Struct, frozen=True, kw_only=True):
    """One second look. `next_id`: transfers below this one are still to be looked at."""

    id: int
    cause: str
    started_at: float
    ended_at: float | None
    next_id: int | None
    scanned: int
    hits: int


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Who has got something: addresses that a mail of it was delivered to, log-ins that fetched the file, and who still may."""

    delivered: tuple[str, ...] = ()
    collected: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


_RECEIVED: Final = msgspec.json.Decoder(Received)     # not made in a thread (gateway.structs)


class LateHit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that nothing was known against when it passed."""

    receipt_no: str
    organisation: str
    name: str
    at: float
    received_by: Received


def last(connection: Connection) -> Rescan | None:
    row = connection.execute(select(rescans).order_by(rescans.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _rescan(row)


def begin(connection: Connection, cause: str, *, at: float, baseline: bool = False) -> None:
    """A new one; any other is over. `baseline`: there is nothing to look at again, this is only how things stand."""
    connection.execute(update(rescans).where(rescans.c.ended_at.is_(None)).values(ended_at=at))
    row = {"cause": cause, "started_at": at, "ended_at": at if baseline else None, "scanned": 0, "hits": 0}
    connection.execute(insert(rescans), row)
    if not baseline:
        ledger.append(connection, at=at, actor=_ACTOR, action="rescan.begin", subject="rescan", detail={"cause": cause})


def take(connection: Connection, *, at: float, lease_until: float) -> Rescan | None:
    """The unfinished one, unless another process is at it."""
    free = (rescans.c.lease_until.is_(None)) | (rescans.c.lease_until < at)
    row = connection.execute(select(rescans).where(rescans.c.ended_at.is_(None), free).order_by(rescans.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    connection.execute(update(rescans).where(rescans.c.id == row.id).values(lease_until=lease_until))
    return _rescan(row)


def advance(connection: Connection, rescan_id: int, *, next_id: int, scanned: int, found: int, lease_until: float) -> bool:
    """False: it is over, a newer one has begun."""
    running = (rescans.c.id == rescan_id) & rescans.c.ended_at.is_(None)
    values = {"next_id": next_id, "scanned": scanned, "hits": found, "lease_until": lease_until}
    return connection.execute(update(rescans).where(running).values(values)).rowcount == 1


def end(connection: Connection, rescan_id: int, *, at: float) -> None:
    connection.execute(update(rescans).where(rescans.c.id == rescan_id, rescans.c.ended_at.is_(None)).values(ended_at=at, lease_until=None))


def candidates(connection: Connection, *, since: float, below: int | None, limit: int) -> list[int]:
    """Ids of transfers whose bytes are kept, the youngest first."""
    wanted = [transfers.c.received_at >= since, transfers.c.blob.is_not(None), transfers.c.state.in_(_KEPT)]
    if below is not None:
        wanted.append(transfers.c.id < below)
    return list(connection.execute(select(transfers.c.id).where(*wanted).order_by(transfers.c.id.desc()).limit(limit)).scalars())


def hit(
    connection: Connection, transfer: Transfer, names: Iterable[str], *, at: float, actor: str = _ACTOR
) -> tuple[tuple[str, ...], Received]:
    """Those of `names` that were not known of it yet, kept with who has got it; and an entry in the record for them."""
    known = set(connection.execute(select(hits.c.name).where(hits.c.transfer_id == transfer.id)).scalars())
    new, received = tuple(sorted(set(names) - known)), received_by(connection, transfer)
    if new:
        kept = msgspec.json.encode(received).decode()
        connection.execute(insert(hits), [{"transfer_id": transfer.id, "name": name, "at": at, "received_by": kept} for name in new])
        detail: dict[str, object] = {"names": list(new), "received_by": msgspec.to_builtins(received)}
        ledger.append(connection, at=at, actor=actor, action="transfer.late_hit", subject=transfer.receipt_no, detail=detail)
        open_incident(connection, transfer=transfer, kind=Kind.LATE_HIT, text=", ".join(new), who=actor, moment=at)
    return new, received


def received_by(connection: Connection, transfer: Transfer) -> Received:
    """As far as it is known to the house."""
    sent = [one for one in deliveries.of_transfer(connection, transfer.id) if one.purpose in (Purpose.MAIL, Purpose.SHARE)]
    addressees = [one for delivery in sent for one in delivery.recipients]
    fetched = select(audit.c.actor).where(audit.c.subject == transfer.receipt_no, audit.c.action == "file.collected").distinct()
    return Received(
        delivered=tuple(dict.fromkeys(one.address for one in addressees if one.state is RecipientState.DELIVERED)),
        collected=tuple(connection.execute(fetched).scalars()),
        waiting=tuple(dict.fromkeys(one.address for one in addressees if one.state is RecipientState.WAITING)),
    )


def listed(connection: Connection, limit: int) -> list[Rescan]:
    """The youngest first."""
    return [_rescan(row) for row in connection.execute(select(rescans).order_by(rescans.c.id.desc()).limit(limit))]


def late_hits(connection: Connection, limit: int) -> list[LateHit]:
    """The youngest first."""
    columns = (transfers.c.receipt_no, transfers.c.organisation, hits.c.name, hits.c.at, hits.c.received_by)
    joined = select(*columns).join(transfers, transfers.c.id == hits.c.transfer_id)
    rows = connection.execute(joined.order_by(hits.c.at.desc()).limit(limit))
    return [
        LateHit(
            receipt_no=row.receipt_no,
            organisation=row.organisation,
            name=row.name,
            at=row.at,
            received_by=_RECEIVED.decode(row.received_by),
        )
        for row in rows
    ]


def _rescan(row: Row[Any]) -> Rescan:
    return Rescan(**{name: getattr(row, name) for name in Rescan.__struct_fields__})
