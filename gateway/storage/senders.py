"""中継停止: senders of mail of whom nothing leaves until somebody lets it, on a person's word or because they sent more than they may.

It stands in the journal and is counted and asked there, in the transaction that takes a mail in, that settles it or that hands it to the
post: all nodes agree, and nothing slips through between the word and the deed. Upper and lower case of an address are one. The null
reverse-path is nobody's: bounces are neither counted nor stopped.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.model import Arrival, Door, Transfer
from gateway.storage import ledger
from gateway.storage.tables import sender_stops, transfer_recipients, transfers

ACTOR: Final = "road"
HOUR: Final = 3_600.0
NOTE: Final = "中継停止中の差出人 / the sender is stopped"
_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}


class Limits(NamedTuple):
    """What one sender may send in an hour before he is stopped; 0: any number."""

    mails: int = 0
    recipients: int = 0

    @property
    def any(self) -> bool:
        return self.mails > 0 or self.recipients > 0


class Stop(NamedTuple):
    """`since`: seconds since 1970."""

    sender: str
    since: float
    actor: str
    reason: str


def key(sender: str) -> str:
    """The address as it is stopped."""
    return sender.strip().lower()


_ROW: Final = select(sender_stops).where(sender_stops.c.sender == bindparam("of_sender"))
_STANDING: Final = sender_stops.c.released_at.is_(None)
_HIS: Final = and_(
    transfers.c.received_at > bindparam("after"),
    transfers.c.door == Door.SMTP,
    func.lower(transfers.c.sender) == func.lower(bindparam("who")),
)
_MAILS: Final = select(func.count()).select_from(transfers).where(_HIS)
_RECIPIENTS: Final = select(func.count()).select_from(transfers.join(transfer_recipients)).where(_HIS)


def stopped(connection: Connection, transfer: Transfer) -> Stop | None:
    """Whether it is a mail of somebody who is stopped."""
    if transfer.door is not Door.SMTP or not transfer.sender:
        return None
    row = connection.execute(_ROW.where(_STANDING), {"of_sender": key(transfer.sender)}).one_or_none()
    return None if row is None else Stop(row.sender, row.since, row.actor, row.reason)


def listed(connection: Connection) -> list[Stop]:
    """All who are stopped, the longest first."""
    rows = connection.execute(select(sender_stops).where(_STANDING).order_by(sender_stops.c.since, sender_stops.c.sender))
    return [Stop(row.sender, row.since, row.actor, row.reason) for row in rows]


def stop(connection: Connection, sender: str, *, at: float, actor: str, reason: str) -> bool:
    """From this commit on nothing of his leaves; False if it was so already. Of several nodes that say it at once, one has said it."""
    row = {"sender": key(sender), "since": at, "actor": actor, "reason": reason, "released_at": None}
    said = _INSERT[connection.dialect.name](sender_stops).values(**row)
    anew = said.on_conflict_do_update(
        index_elements=["sender"],
        set_={name: said.excluded[name] for name in row if name != "sender"},
        where=sender_stops.c.released_at.is_not(None),
    )
    if connection.execute(anew.returning(sender_stops.c.sender)).first() is None:
        return False
    ledger.append(connection, at=at, actor=actor, action="sender.stop", subject=key(sender), detail={"reason": reason})
    return True


def release(connection: Connection, sender: str, *, at: float, actor: str, reason: str) -> bool:
    """The end of it, and he is counted from here; False if there was none. What was held meanwhile stays held until somebody lets it go."""
    his = sender_stops.c.sender == key(sender)
    if connection.execute(update(sender_stops).where(his, _STANDING).values(released_at=at)).rowcount == 0:
        return False
    ledger.append(connection, at=at, actor=actor, action="sender.release", subject=key(sender), detail={"reason": reason})
    return True


def count(connection: Connection, arrival: Arrival, limits: Limits) -> Stop | None:
    """A mail that was just taken in, counted with what came of its sender in the hour before; the stop, if that was too much.

    None too for one who is stopped already: he is told of once.
    """
    if not limits.any or arrival.door is not Door.SMTP or not arrival.sender:
        return None
    row = connection.execute(_ROW, {"of_sender": key(arrival.sender)}).one_or_none()
    if row is not None and row.released_at is None:
        return None
    at = arrival.received_at
    since = at - HOUR if row is None else max(at - HOUR, row.released_at)
    why = _too_much(connection, {"who": arrival.sender, "after": since}, limits)
    if not why or not stop(connection, arrival.sender, at=at, actor=ACTOR, reason=why):
        return None
    return Stop(key(arrival.sender), at, ACTOR, why)


def _too_much(connection: Connection, whose: dict[str, Any], limits: Limits) -> str:
    """Which limit he is past, in words; empty if none."""
    counted = (
        (limits.mails, _MAILS, "1時間のメールの数", "mails in an hour"),
        (limits.recipients, _RECIPIENTS, "1時間の宛先の数", "recipients in an hour"),
    )
    for most, asked, ja, en in counted:
        if most and (found := connection.execute(asked, whose).scalar_one()) > most:
            return f"{ja} {found}（上限 {most}） / {en}: {found}, limit {most}"
    return ""
