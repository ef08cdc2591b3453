"""Rows of what came over from the outer side. Every function runs inside a transaction of the journal."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, exists, insert, select, update

from gateway.model import Arrival, Door, Purpose, State, Transfer
from gateway.storage import deliveries, halts, incidents, ledger, letters, rescans, settling, transfers
from gateway.storage.blobs import Blob
from gateway.storage.faults import NoSuchTransferError, StorageError
from gateway.storage.halts import Halt
from gateway.storage.incidents import Kind
from gateway.storage.settling import Settlement
from gateway.storage.tables import crossings

ACTOR: Final = "crossing"
_REFUSED: Final = "証明の確かめられない搬入"


class NotNowError(StorageError):
    """The transfer that it speaks of is on its way here, or somebody stopped it: it may come again."""


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """What came, and with which papers. `cleared` is set where no file brought it that has to be put away. Times: seconds since 1970."""

    nonce: str
    crossing: str
    key: str
    sha256: str
    sent_at: float
    at: float
    cleared: float | None = None


def with_papers(connection: Connection, nonce: str) -> Crossing | None:
    """What came with these papers before."""
    columns = (getattr(crossings.c, name) for name in Crossing.__struct_fields__)
    row = connection.execute(select(*columns).where(crossings.c.nonce == nonce)).mappings().one_or_none()
    return None if row is None else Crossing(**row)


def came(connection: Connection, crossing: str) -> bool:
    """Whether it is here already, with whatever papers."""
    return bool(connection.execute(select(exists().where(crossings.c.crossing == crossing))).scalar_one())


def again(connection: Connection, record: Crossing) -> None:
    """It is here; these papers are used up too."""
    _record(connection, record, None)


def take(connection: Connection, record: Crossing, arrival: Arrival, receipt_no: str, settlement: Settlement) -> None:
    """A transfer of the outer side, with its result, under its own number; what follows from it follows at once.

    What came before under that number gives way: more of it was opened outside. Raises HaltedError, NotNowError.
    """
    halts.check(connection, Halt.INTAKE)
    if came(connection, record.crossing):       # by another line, a moment ago
        again(connection, record)
        return
    try:
        known = transfers.find(connection, receipt_no)
    except NoSuchTransferError:
        transfer_id, _ = transfers.enter(connection, arrival, receipt_no, blob=None, at=record.at)
        claim = transfers.lease(connection, transfers.load(connection, transfer_id), record.at, record.at, actor=ACTOR)
        settling.settle(connection, claim, settlement, record.at)
    else:
        transfer_id = known.id
        _replace(connection, known, settlement, record.at)
    _record(connection, record, transfer_id)


def _replace(connection: Connection, known: Transfer, settlement: Settlement, at: float) -> None:
    if known.door not in (Door.SMTP, Door.DROP, Door.API) or known.blob is not None:
        raise NotNowError(f"{known.receipt_no}: a transfer of this side has that number")
    if not known.at_rest or known.state is State.HELD:
        raise NotNowError(f"{known.receipt_no}: is {known.state} here")
    settling.reopened(connection, known, settlement, at=at, actor=ACTOR, note="came over once more")


def pass_on(connection: Connection, record: Crossing, recipients: Collection[str], content: bytes, receipt_no: str) -> None:
    """A message of the outer side about what stayed there, to people of this one. Raises HaltedError."""
    halts.check(connection, Halt.INTAKE)
    letters.queue(connection, recipients, content, about=receipt_no, at=record.at)
    _record(connection, record, None)


def recall(connection: Connection, record: Crossing, names: Collection[str], receipt_no: str) -> bool:
    """The outer side found something in what it let through: it is kept with who has got it, an incident calls somebody, and what has not
    left this side yet stays, also in the boxes. Whether anything was stopped. Raises NotNowError while it is on its way here."""
    try:
        transfer = transfers.find(connection, receipt_no)
    except NoSuchTransferError:
        raise NotNowError(f"{receipt_no}: nothing came under that number") from None
    rescans.hit(connection, transfer, names, at=record.at, actor=ACTOR)
    stopped = transfer.can_be_stopped
    if stopped:
        note = f"found late: {', '.join(names)}"[:300]
        settling.hold(connection, transfer.id, at=record.at, actor=ACTOR, note=note)
    _record(connection, record, transfer.id)
    return stopped


def cleared(connection: Connection, nonce: str, at: float) -> None:
    """The file that brought these papers is put away: if they are seen once more, somebody brought them."""
    connection.execute(update(crossings).where(crossings.c.nonce == nonce, crossings.c.cleared.is_(None)).values(cleared=at))


def refused(connection: Connection, *, why: str, text: str, via: str, at: float) -> None:
    """What was not let in: into the record, and into the register of incidents, which calls somebody. `via`: who brought it, or a file."""
    ledger.append(connection, at=at, actor=via, action="crossing.refused", subject="", detail={"why": why, "text": text})
    said = f"外側からのファイルを受け取りませんでした（{via}）：{why}、{text} / refused what came from the outer side"
    standing = next((one for one in incidents.listed(connection) if one.title == _REFUSED and one.state == incidents.OPEN), None)
    if standing is None:
        incidents.open_incident(connection, transfer=None, kind=Kind.ACCESS, text=said, who="road", moment=at, title=_REFUSED)
    else:
        incidents.note(connection, standing.number, said, who="road", moment=at)


def forget(connection: Connection, before: float) -> int:
    """Papers that would be refused for their age alone."""
    return connection.execute(delete(crossings).where(crossings.c.at < before)).rowcount


def queue_boxes(connection: Connection, at: float, limit: int) -> int:
    """Uploads that are released and go to no share: nothing carries them yet. How many were given something that does."""
    waiting = transfers.released_without_delivery(connection, limit)
    for transfer in waiting:
        if transfer.result is None:
            continue
        deliveries.queue(
            connection,
            transfer.id,
            Purpose.BOX,
            sender=transfer.sender,
            recipients=transfer.recipients or (transfer.sender,),
            blob=Blob(transfer.result.sha256, transfer.result.size),
            smtputf8=transfer.smtputf8,
            at=at,
        )
    return len(waiting)


def _record(connection: Connection, record: Crossing, transfer_id: int | None) -> None:
    connection.execute(insert(crossings), msgspec.structs.asdict(record) | {"transfer_id": transfer_id})
