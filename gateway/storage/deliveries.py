"""What happens to the rows of a delivery and of its recipients: every function runs inside the writer's transaction.

A delivery is one message to the next hop; each recipient has a state of its own. The transfer's state follows its mail:
DELIVERING while it is claimed, DEFERRED while anybody waits, DELIVERED when all have it, UNDELIVERABLE when somebody will not
get it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, func, insert, or_, select, update

from gateway.model import BY_POST, CARRYING, TO_SHARES, Addressee, Delivery, Purpose, RecipientState, State, Transfer, Way
from gateway.storage import bells, copies, halts, ledger, nodes, senders, transfers
from gateway.storage.bells import Bell
from gateway.storage.blobs import Blob
from gateway.storage.faults import LeaseLostError
from gateway.storage.halts import Halt
from gateway.storage.tables import deliveries, delivery_recipients, late_hits
from gateway.storage.tables import transfers as transfers_table

# A recipient about whom the post said nothing is tried again after this pause.
_UNSAID_SECONDS: Final = 60.0


_INSERT: Final = insert(deliveries).returning(deliveries.c.id)
_INSERT_RECIPIENT: Final = insert(delivery_recipients)


def queue(
    connection: Connection,
    transfer_id: int,
    purpose: Purpose,
    *,
    sender: str,
    recipients: Iterable[str],
    blob: Blob,
    smtputf8: bool,
    at: float,
) -> int:
    """A delivery that is due at once; its id. Raises BlobMissingError when its blob was given up meanwhile."""
    copies.must_stand(connection, blob.digest)
    row = {
        "transfer_id": transfer_id,
        "purpose": purpose,
        "sender": sender,
        "blob": blob.digest,
        "size": blob.size,
        "smtputf8": smtputf8,
        "first_at": at,
        "next_due": at,
    }
    delivery_id: int = connection.execute(_INSERT, row).scalar_one()
    said = {"state": RecipientState.WAITING, "attempts": 0, "due": at, "code": 0, "enhanced": "", "text": ""}
    rows = [
        {"delivery_id": delivery_id, "position": position, "address": address} | said
        for position, address in enumerate(dict.fromkeys(recipients))
    ]
    connection.execute(_INSERT_RECIPIENT, rows)
    bells.ring(connection, Bell.POST)
    return delivery_id


# ------------------------------------------------------------------------------------------------------------- reading

_CARRIES: Final = or_(*(deliveries.c.purpose == purpose for purpose in sorted(CARRYING)))
_OF_TRANSFER: Final = transfers_table.c.id == deliveries.c.transfer_id
_JOINED: Final = select(deliveries, transfers_table.c.receipt_no, transfers_table.c.wishes).join(transfers_table, _OF_TRANSFER)


_ADDRESSEES: Final = (
    select(delivery_recipients)
    .where(delivery_recipients.c.delivery_id == bindparam("of_delivery"))
    .order_by(delivery_recipients.c.position)
)


def of_transfer(connection: Connection, transfer_id: int) -> list[Delivery]:
    rows = connection.execute(_JOINED.where(deliveries.c.transfer_id == transfer_id).order_by(deliveries.c.id))
    return [_as_delivery(row, addressees(connection, row.id)) for row in rows.all()]


def addressees(connection: Connection, delivery_id: int) -> tuple[Addressee, ...]:
    return tuple(
        Addressee(
            address=row.address,
            state=RecipientState(row.state),
            attempts=row.attempts,
            due=row.due,
            code=row.code,
            enhanced=row.enhanced,
            text=row.text,
        )
        for row in connection.execute(_ADDRESSEES, {"of_delivery": delivery_id})
    )


def _as_delivery(row: Row[Any], recipients: tuple[Addressee, ...], token: str = "") -> Delivery:
    purpose = Purpose(row.purpose)
    return Delivery(
        id=row.id,
        transfer_id=row.transfer_id,
        receipt_no=row.receipt_no,
        purpose=purpose,
        sender=row.sender,
        blob=row.blob or "",
        size=row.size,
        smtputf8=row.smtputf8,
        first_at=row.first_at,
        recipients=recipients,
        wishes=row.wishes if purpose is Purpose.MAIL else "",
        token=token,
    )


POST: Final = Way(BY_POST)
SHARES: Final = Way(TO_SHARES)


def next_due(connection: Connection, *, way: Way = POST) -> float | None:
    """When the first delivery that nobody has in hand is due; never while delivery is stopped."""
    if Halt.DELIVERY in halts.standing(connection):
        return None
    due: float | None = connection.execute(_next(way)).scalar_one()
    return due


@cache
def _next(way: Way) -> Select[Any]:
    first = func.min(_due_at(way)).label("due")
    return select(first).where(deliveries.c.lease_token.is_(None), _goes(way), deliveries.c.next_due.is_not(None))


@cache
def _due(way: Way) -> Select[Any]:
    """Of two nodes that claim at once each gets deliveries of its own, of transfers that the other has not in hand."""
    at: ColumnElement[float] = bindparam("at")
    due = deliveries.c.lease_token.is_(None) & (deliveries.c.next_due <= at) & (_due_at(way) <= at) & _goes(way)
    statement = _JOINED.where(due).order_by(deliveries.c.purpose != Purpose.MAIL, deliveries.c.next_due)
    return statement.limit(bindparam("most")).with_for_update(skip_locked=True)


def _goes(way: Way) -> ColumnElement[bool]:
    return or_(*(deliveries.c.purpose == purpose for purpose in sorted(way.purposes)))


def _due_at(way: Way) -> ColumnElement[Any]:
    """What carries a transfer is not due before its hold is over, counted from when it was released."""
    if not way.hold:
        return deliveries.c.next_due
    over = deliveries.c.first_at + way.hold
    waits = _CARRIES & (over > deliveries.c.next_due)
    return case((waits, over), else_=deliveries.c.next_due)


# ------------------------------------------------------------------------------------------------------------- working


def claim(connection: Connection, limit: int, at: float, lease_until: float, *, way: Way = POST) -> list[Delivery]:
    """What is due on this way, mail before notices, the longest waiting first, with those recipients only that are due.

    Their attempt is counted before the work.

    Nothing while delivery is stopped. What a stopped sender wrote is held and comes no more.
    """
    if Halt.DELIVERY in halts.standing(connection):
        return []
    rows = connection.execute(_due(way), {"at": at, "most": limit}).all()
    claimed = []
    for row in rows:
        try:
            delivery = _as_delivery(row, addressees(connection, row.id), nodes.token())
            transfer = transfers.load(connection, row.transfer_id, locked=True)
        except ValueError as error:
            _set_apart(connection, row, str(error), at)
        else:
            if delivery.purpose.carries_transfer and senders.stopped(connection, transfer) is not None:
                transfers.move(connection, transfer, State.HELD, at=at, note=senders.NOTE)
                stop(connection, transfer.id)
            else:
                claimed.append(_lease(connection, delivery, transfer, at, lease_until))
    return claimed


def _set_apart(connection: Connection, row: Row[Any], error: str, at: float) -> None:
    """Rows of another version or with damage wait for the operator; the post goes on."""
    connection.execute(update(deliveries).where(deliveries.c.id == row.id).values(next_due=None))
    ledger.append(connection, at=at, actor=transfers.ROAD, action="delivery.unreadable", subject=row.receipt_no, detail={"error": error})


_LEASE: Final = update(deliveries).where(deliveries.c.id == bindparam("of_delivery"))
_ATTEMPT: Final = (
    update(delivery_recipients)
    .where(
        delivery_recipients.c.delivery_id == bindparam("of_delivery"),
        delivery_recipients.c.state == RecipientState.WAITING,
        delivery_recipients.c.due <= bindparam("at"),
    )
    .values(attempts=delivery_recipients.c.attempts + 1)
)


def _lease(connection: Connection, delivery: Delivery, transfer: Transfer, at: float, lease_until: float) -> Delivery:
    """With those recipients only that are due, their attempt counted as it is in their rows."""
    connection.execute(_LEASE, {"of_delivery": delivery.id, "lease_token": delivery.token, "lease_until": lease_until})
    connection.execute(_ATTEMPT, {"of_delivery": delivery.id, "at": at})
    if delivery.purpose.carries_transfer:
        transfers.move(connection, transfer, State.DELIVERING, at=at)
    waiting = (one for one in delivery.recipients if one.state is RecipientState.WAITING and one.due is not None and one.due <= at)
    counted = tuple(msgspec.structs.replace(one, attempts=one.attempts + 1) for one in waiting)
    return msgspec.structs.replace(delivery, recipients=counted)


def settle(connection: Connection, delivery: Delivery, outcomes: Sequence[Addressee], bounce: Blob | None, at: float) -> None:
    """What became of each claimed recipient; `bounce` goes to the sender as a delivery of its own. Raises LeaseLostError."""
    said = {outcome.address: outcome for outcome in outcomes}
    for claimed in delivery.recipients:
        outcome = said.get(claimed.address) or msgspec.structs.replace(claimed, due=at + _UNSAID_SECONDS, text="no result")
        _store(connection, delivery, outcome)
    if bounce is not None and delivery.sender:
        queue(
            connection,
            delivery.transfer_id,
            Purpose.BOUNCE,
            sender="",
            recipients=[delivery.sender],
            blob=bounce,
            smtputf8=delivery.smtputf8,
            at=at,
        )
    _free(connection, delivery)
    everybody = addressees(connection, delivery.id)
    found_meanwhile = delivery.purpose.carries_transfer and _found_late(connection, delivery)
    _follow(connection, delivery, _state_of(everybody), at)
    _record(connection, delivery, outcomes, at)
    if found_meanwhile:
        _stop_late(connection, delivery, at)


_FOUND_AT: Final = select(func.max(late_hits.c.at)).where(late_hits.c.transfer_id == bindparam("of_transfer"))


def _found_late(connection: Connection, delivery: Delivery) -> bool:
    """Whether a second look found something while it was leaving, when nobody could stop it."""
    found_at: float | None = connection.execute(_FOUND_AT, {"of_transfer": delivery.transfer_id}).scalar_one()
    if found_at is None:
        return False
    claimed = transfers.load(connection, delivery.transfer_id)
    return claimed.state is State.DELIVERING and found_at >= claimed.changed_at


def _stop_late(connection: Connection, delivery: Delivery, at: float) -> None:
    """What of it has not left yet stays."""
    transfer = transfers.load(connection, delivery.transfer_id)
    if transfer.can_be_stopped:
        transfers.move(connection, transfer, State.HELD, at=at, note="found late, while it was leaving")
        stop(connection, transfer.id)


def give_back(connection: Connection, delivery: Delivery, at: float) -> None:
    """Untried: the attempt does not count. Raises LeaseLostError."""
    addresses = [recipient.address for recipient in delivery.recipients]
    ours = (delivery_recipients.c.delivery_id == delivery.id) & delivery_recipients.c.address.in_(addresses)
    connection.execute(update(delivery_recipients).where(ours).values(attempts=delivery_recipients.c.attempts - 1))
    _free(connection, delivery)
    _follow(connection, delivery, _state_before(addressees(connection, delivery.id)), at)


def _lost(ended_before: float, lost: Sequence[str]) -> ColumnElement[bool]:
    ended = (deliveries.c.lease_until < ended_before) | func.substr(deliveries.c.lease_token, 1, nodes.LENGTH).in_(lost)
    return deliveries.c.lease_token.is_not(None) & ended


def lease_ended(connection: Connection, ended_before: float, lost: Sequence[str]) -> bool:
    """Whether there is anything to return."""
    return connection.execute(select(deliveries.c.id).where(_lost(ended_before, lost)).limit(1)).first() is not None


def return_leases(connection: Connection, ended_before: float, at: float, lost: Sequence[str] = ()) -> int:
    """What a lost process had in hand is due again; how many. What it had sent already is sent twice."""
    held = _lost(ended_before, lost)
    rows = connection.execute(_JOINED.add_columns(deliveries.c.lease_token.label("token")).where(held)).all()
    for row in rows:
        delivery = _as_delivery(row, (), row.token)
        _free(connection, delivery)
        _follow(connection, delivery, _state_before(addressees(connection, row.id)), at)
    return len(rows)


_THAT_CARRY: Final = (deliveries.c.transfer_id == bindparam("of_transfer")) & _CARRIES
_IDS: Final = select(deliveries.c.id).where(_THAT_CARRY)
_NEW_CONTENT: Final = update(deliveries).where(_THAT_CARRY)


def stop(connection: Connection, transfer_id: int) -> None:
    """Nobody who still waits for the mail gets it."""
    _turn(connection, transfer_id, (RecipientState.WAITING,), RecipientState.STOPPED, None)


def restart(connection: Connection, transfer_id: int, at: float, content: Blob | None = None) -> bool:
    """Everybody who was stopped or given up is due again, with the new content if there is one; False if there is no delivery of it."""
    if content is not None:
        connection.execute(_NEW_CONTENT, {"of_transfer": transfer_id, "blob": content.digest, "size": content.size})
    return _turn(connection, transfer_id, (RecipientState.STOPPED, RecipientState.FAILED), RecipientState.WAITING, at)


def _turn(connection: Connection, transfer_id: int, old: Sequence[RecipientState], new: RecipientState, due: float | None) -> bool:
    ids = list(connection.execute(_IDS, {"of_transfer": transfer_id}).scalars())
    if not ids:
        return False
    theirs = delivery_recipients.c.delivery_id.in_(ids) & delivery_recipients.c.state.in_(old)
    connection.execute(update(delivery_recipients).where(theirs).values(state=new, due=due))
    # A mail that is sent again has its whole time before it.
    first_at = {} if due is None else {"first_at": due}
    connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(next_due=due, **first_at))
    return True


# --------------------------------------------------------------------------------------------------------------- steps


_STORE: Final = update(delivery_recipients).where(
    delivery_recipients.c.delivery_id == bindparam("of_delivery"), delivery_recipients.c.address == bindparam("of_address")
)
_FIRST_DUE: Final = (
    select(func.min(delivery_recipients.c.due))
    .where(delivery_recipients.c.delivery_id == bindparam("of_delivery"), delivery_recipients.c.state == RecipientState.WAITING)
    .scalar_subquery()
)
_FREE: Final = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_delivery"), deliveries.c.lease_token == bindparam("of_token"))
    .values(lease_token=None, lease_until=None, next_due=_FIRST_DUE)
)


def _store(connection: Connection, delivery: Delivery, outcome: Addressee) -> None:
    due = outcome.due if outcome.state is RecipientState.WAITING else None
    values = {"state": outcome.state, "due": due, "code": outcome.code, "enhanced": outcome.enhanced, "text": outcome.text}
    connection.execute(_STORE, {"of_delivery": delivery.id, "of_address": outcome.address} | values)


def _free(connection: Connection, delivery: Delivery) -> None:
    """Give the lease up and set when the delivery is due next. Raises LeaseLostError."""
    freed = connection.execute(_FREE, {"of_delivery": delivery.id, "of_token": delivery.token})
    if freed.rowcount != 1:
        raise LeaseLostError(delivery.receipt_no)


def _state_of(everybody: tuple[Addressee, ...]) -> State:
    states = {addressee.state for addressee in everybody}
    if RecipientState.WAITING in states:
        return State.DEFERRED
    return State.UNDELIVERABLE if RecipientState.FAILED in states else State.DELIVERED


def _state_before(everybody: tuple[Addressee, ...]) -> State:
    """Of a delivery that came back without a result: DEFERRED if anything was ever said about it."""
    return State.DEFERRED if any(addressee.code for addressee in everybody) else State.RELEASED


def _follow(connection: Connection, delivery: Delivery, state: State, at: float) -> None:
    """The transfer goes with its own mail; notices and bounces leave it where it is."""
    if delivery.purpose.carries_transfer:
        transfers.move(connection, transfers.load(connection, delivery.transfer_id, locked=True), state, at=at)


def _record(connection: Connection, delivery: Delivery, outcomes: Sequence[Addressee], at: float) -> None:
    detail: dict[str, object] = {
        "purpose": delivery.purpose,
        "recipients": [{"address": one.address, "state": one.state, "code": one.code, "text": one.text} for one in outcomes],
    }
    ledger.append(connection, at=at, actor=transfers.ROAD, action="delivery.result", subject=delivery.receipt_no, detail=detail)
