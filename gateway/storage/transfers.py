"""What happens to the row of a transfer. Every function runs inside the writer's transaction and audits what it did.

Each step is checked against `TRANSITIONS`, and written only if the row still stands where the step began.

Statements of the road are made once, here and in its other rooms: to put one together anew costs five times what it costs to run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Update, bindparam, exists, func, insert, select, update

from gateway.model import CARRYING, TRANSITIONS, Arrival, Claim, Door, IllegalTransitionError, Result, State, Transfer, day_of
from gateway.storage import bells, copies, counting, halts, ledger, nodes, slips, text_search, turns
from gateway.storage.bells import Bell
from gateway.storage.faults import LeaseLostError, NoSuchTransferError
from gateway.storage.halts import Halt
from gateway.storage.tables import deliveries, transfer_recipients, transfers
from sanitizers.model import Kind, Reason, Verdict

ROAD: Final = "road"            # who acts when no person does
OWED: Final = "owed"            # transfers.notice: to be sent …
QUEUED: Final = "queued"        # … and sent, never again


# ------------------------------------------------------------------------------------------------------------- reading


def as_transfer(row: Row[Any], recipients: tuple[str, ...]) -> Transfer:
    """Raises ValueError for a row that this version cannot read."""
    result = None
    if row.result_sha256 is not None:
        result = Result(name=row.result_name, size=row.result_size, sha256=row.result_sha256, kind=Kind(row.result_kind))
    return Transfer(
        id=row.id,
        receipt_no=row.receipt_no,
        organisation=row.organisation,
        lane=row.lane,
        door=Door(row.door),
        state=State(row.state),
        verdict=Verdict(row.verdict) if row.verdict is not None else None,
        reason=Reason(row.reason) if row.reason is not None else None,
        received_at=row.received_at,
        changed_at=row.changed_at,
        sender=row.sender,
        recipients=recipients,
        message_id=row.message_id,
        subject=row.subject,
        name=row.name,
        size=row.size,
        sha256=row.sha256,
        blob=row.blob,
        result=result,
        attempts=row.attempts,
        client=row.client,
        smtputf8=row.smtputf8,
        policy=row.policy,
        rules=row.rules,
        note=row.note,
    )


_RECIPIENTS: Final = (
    select(transfer_recipients.c.transfer_id, transfer_recipients.c.address)
    .where(transfer_recipients.c.transfer_id.in_(bindparam("of_them", expanding=True)))
    .order_by(transfer_recipients.c.transfer_id, transfer_recipients.c.position)
)
_LOAD: Final = select(transfers).where(transfers.c.id == bindparam("of_id"))
_LOAD_LOCKED: Final = _LOAD.with_for_update()


def recipients_of(connection: Connection, transfer_ids: list[int]) -> dict[int, tuple[str, ...]]:
    """The envelope's recipients of each, in their order."""
    found: dict[int, list[str]] = {transfer_id: [] for transfer_id in transfer_ids}
    for row in connection.execute(_RECIPIENTS, {"of_them": transfer_ids}):
        found[row.transfer_id].append(row.address)
    return {transfer_id: tuple(addresses) for transfer_id, addresses in found.items()}


def load(connection: Connection, transfer_id: int, *, locked: bool = False) -> Transfer:
    """`locked`: nobody changes it before the transaction ends. Raises NoSuchTransferError."""
    row = connection.execute(_LOAD_LOCKED if locked else _LOAD, {"of_id": transfer_id}).one_or_none()
    if row is None:
        raise NoSuchTransferError(str(transfer_id))
    return as_transfer(row, recipients_of(connection, [transfer_id])[transfer_id])


def find(connection: Connection, receipt_no: str) -> Transfer:
    """Raises NoSuchTransferError."""
    row = connection.execute(select(transfers).where(transfers.c.receipt_no == receipt_no)).one_or_none()
    if row is None:
        raise NoSuchTransferError(receipt_no)
    return as_transfer(row, recipients_of(connection, [row.id])[row.id])


# -------------------------------------------------------------------------------------------------------------- moving

_AUDITED: Final = ("verdict", "reason", "policy", "rules", "attempts", "result_sha256")


def _moving(*, leased: bool, owing: bool) -> Update:
    statement = update(transfers).where(transfers.c.id == bindparam("of_id"), transfers.c.state == bindparam("of_state"))
    if leased:
        statement = statement.where(transfers.c.lease_token == bindparam("of_token"))
    # A mail that stays inside owes its recipients one notice, ever; a file is shown as held where it was handed in.
    return statement.values(notice=func.coalesce(transfers.c.notice, OWED)) if owing else statement


_MOVES: Final = {(leased, owing): _moving(leased=leased, owing=owing) for leased in (False, True) for owing in (False, True)}


def move(
    connection: Connection,
    transfer: Transfer,
    new: State,
    *,
    at: float,
    actor: str = ROAD,
    note: str = "",
    token: str | None = None,
    owing: bool = False,
    **changes: object,
) -> None:
    """One edge of the table, audited; `note` stands in the row until the next. `owing`: whoever should have got it hears of it.

    Raises IllegalTransitionError, or LeaseLostError when the row stands elsewhere by now.
    """
    if new not in TRANSITIONS[transfer.state]:
        raise IllegalTransitionError(transfer.receipt_no, transfer.state, new)
    written = {"lease_until": None, "lease_token": None, "state": new, "changed_at": at, "note": _stored(note), **changes}
    where = {"of_id": transfer.id, "of_state": transfer.state} | ({} if token is None else {"of_token": token})
    statement = _MOVES[token is not None, owing and transfer.door is Door.SMTP]
    if connection.execute(statement, where | written).rowcount != 1:
        raise LeaseLostError(transfer.receipt_no)
    detail: dict[str, object] = {"from": transfer.state, "to": new}
    detail |= {key: changes[key] for key in _AUDITED if changes.get(key) is not None}
    if note:
        detail["note"] = note
    ledger.append(connection, at=at, actor=actor, action=f"transfer.{new}", subject=transfer.receipt_no, detail=detail)


# ----------------------------------------------------------------------------------------------------------- taking in

_INSERT_TRANSFER: Final = insert(transfers).returning(transfers.c.id)
_INSERT_RECIPIENT: Final = insert(transfer_recipients)


def accept(connection: Connection, arrival: Arrival) -> tuple[int, str]:
    """A new row in RECEIVED; its id and receipt number. Raises HaltedError, BlobMissingError when its blob was given up meanwhile."""
    halts.check(connection, Halt.INTAKE)
    copies.must_stand(connection, arrival.sha256)
    day = day_of(arrival.received_at)
    return enter(connection, arrival, f"{day}-{counting.following(connection, day):06d}", blob=arrival.sha256)


def enter(
    connection: Connection, arrival: Arrival, receipt_no: str, *, blob: str | None, at: float | None = None
) -> tuple[int, str]:
    """A new row under this number. `blob`: its original; None: that is kept elsewhere. `at`: when it came here, if that was later."""
    row = _new_row(arrival) | {"receipt_no": receipt_no, "blob": blob}
    transfer_id: int = connection.execute(_INSERT_TRANSFER, row).scalar_one()
    if arrival.recipients:
        rows = [
            {"transfer_id": transfer_id, "position": position, "address": _stored(address)}
            for position, address in enumerate(arrival.recipients)
        ]
        connection.execute(_INSERT_RECIPIENT, rows)
    if arrival.slip is not None:
        slips.add(connection, transfer_id, arrival.slip)
    text_search.put(connection, transfer_id, (row["receipt_no"], row["sender"], *arrival.recipients, row["name"], row["sha256"]))
    detail: dict[str, object] = {"to": State.RECEIVED, "recipients": len(arrival.recipients)}
    detail |= {name: row[name] for name in ("door", "client", "sender", "size", "sha256")}
    ledger.append(
        connection, at=at or arrival.received_at, actor=ROAD, action="transfer.received", subject=row["receipt_no"], detail=detail
    )
    bells.ring(connection, Bell.WORK)
    return transfer_id, row["receipt_no"]


def _new_row(arrival: Arrival) -> dict[str, Any]:
    return {
        "organisation": arrival.organisation,
        "lane": arrival.lane,
        "door": arrival.door,
        "state": State.RECEIVED,
        "received_at": arrival.received_at,
        "changed_at": arrival.received_at,
        "sender": _stored(arrival.sender),
        "name": _stored(arrival.name),
        "size": arrival.size,
        "sha256": arrival.sha256,
        "blob": arrival.sha256,
        "turn": turns.turn(arrival.received_at, arrival.size),
        "attempts": 0,
        "client": _stored(arrival.client),
        "smtputf8": arrival.smtputf8,
        "wishes": arrival.wishes,
        "policy": "",
        "rules": "",
        "note": "",
    }


def _stored(text: str) -> str:
    """A half surrogate, as a file name can have, cannot be stored as UTF-8, and no text of PostgreSQL holds a NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


# ------------------------------------------------------------------------------------------------------------- working


def claim(connection: Connection, limit: int, at: float, lease_until: float, weights: Mapping[str, float]) -> list[Claim]:
    """Those whose turn it is. An attempt is counted before the work: a transfer that kills everything is met only so often."""
    rows = turns.next_rows(connection, limit, weights)
    recipients = recipients_of(connection, [row.id for row in rows]) if rows else {}
    claims = []
    for row in rows:
        try:
            transfer = as_transfer(row, recipients[row.id])
        except ValueError as error:
            _set_apart(connection, row, str(error), at)
            continue
        claims.append(lease(connection, transfer, at, lease_until))
    return claims


def _set_apart(connection: Connection, row: Row[Any], error: str, at: float) -> None:
    """A row of another version or with damage is held for the operator; the service goes on."""
    changes = {"verdict": Verdict.HELD, "reason": Reason.WORKER_CRASHED, "lease_until": None, "lease_token": None}
    statement = update(transfers).where(transfers.c.id == row.id)
    connection.execute(statement.values(state=State.HELD, changed_at=at, note=f"row cannot be read: {error}", **changes))
    ledger.append(connection, at=at, actor=ROAD, action="transfer.unreadable", subject=row.receipt_no, detail={"error": error})


def lease(connection: Connection, transfer: Transfer, at: float, lease_until: float, *, actor: str = ROAD, note: str = "") -> Claim:
    """Into PROCESSING, with a token of its own."""
    worked = msgspec.structs.replace(transfer, state=State.PROCESSING, attempts=transfer.attempts + 1, changed_at=at)
    given = Claim(transfer=worked, token=nodes.token(), lease_until=lease_until)
    move(
        connection,
        transfer,
        State.PROCESSING,
        at=at,
        actor=actor,
        note=note,
        attempts=worked.attempts,
        lease_until=lease_until,
        lease_token=given.token,
    )
    return given


def put_back(connection: Connection, given: Claim, at: float, note: str, attempts: int | None) -> None:
    """Into the queue again, or held after `attempts` of them; None: this one does not count. Raises LeaseLostError."""
    transfer = given.transfer
    if attempts is None:
        uncounted = max(transfer.attempts - 1, 0)
        move(connection, transfer, State.RECEIVED, at=at, note=note, token=given.token, attempts=uncounted)
    elif transfer.attempts < attempts:
        move(connection, transfer, State.RECEIVED, at=at, note=note, token=given.token)
    else:
        hold_lost(connection, transfer, at, given.token)


def _lost(ended_before: float, lost: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    ended = (transfers.c.lease_until < ended_before) | transfers.c.lease_until.is_(None)
    return transfers.c.state == State.PROCESSING, ended | func.substr(transfers.c.lease_token, 1, nodes.LENGTH).in_(lost)


def lease_ended(connection: Connection, ended_before: float, lost: Sequence[str]) -> bool:
    """Whether there is anything to return."""
    return connection.execute(select(transfers.c.id).where(*_lost(ended_before, lost)).limit(1)).first() is not None


def return_leases(connection: Connection, ended_before: float, at: float, attempts: int, lost: Sequence[str] = ()) -> int:
    """What lost workers had in hand goes back into the queue, or is held when it was tried `attempts` times; how many."""
    rows = connection.execute(select(transfers).where(*_lost(ended_before, lost))).all()
    for row in rows:
        try:
            transfer = as_transfer(row, ())
        except ValueError as error:
            _set_apart(connection, row, str(error), at)
            continue
        if transfer.attempts < attempts:
            move(connection, transfer, State.RECEIVED, at=at, note="lease ran out")
        else:
            hold_lost(connection, transfer, at)
    return len(rows)


def hold_lost(connection: Connection, transfer: Transfer, at: float, token: str | None = None) -> None:
    """Tried too often, and every time its whole worker was lost."""
    note = f"lost {transfer.attempts} times"
    lost = {"verdict": Verdict.HELD, "reason": Reason.WORKER_CRASHED}
    move(connection, transfer, State.HELD, at=at, token=token, note=note, owing=True, **lost)


def released_without_delivery(connection: Connection, limit: int) -> list[Transfer]:
    """Files that are released and that no unfinished delivery carries, the longest waiting first."""
    unfinished = deliveries.c.next_due.is_not(None) | deliveries.c.lease_token.is_not(None)
    carried = exists().where(deliveries.c.transfer_id == transfers.c.id, deliveries.c.purpose.in_(CARRYING), unfinished)
    wanted = (transfers.c.state == State.RELEASED, transfers.c.door != Door.SMTP, ~carried)
    rows = connection.execute(select(transfers).where(*wanted).order_by(transfers.c.id).limit(limit)).all()
    recipients = recipients_of(connection, [row.id for row in rows]) if rows else {}
    return [as_transfer(row, recipients[row.id]) for row in rows]
