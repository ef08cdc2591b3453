"""Questions to the journal that change nothing. Each runs on a reader's connection."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, exists, func, or_, select, union

from gateway.model import Door, State, Transfer
from gateway.storage import evidence, text_search
from gateway.storage.tables import accounts, deliveries, departments, memberships, rule_matches, transfer_recipients, transfers
from gateway.storage.transfers import OWED, as_transfer, recipients_of
from gateway.telemetry import log
from sanitizers.model import Reason, Verdict

_log = log.get(__name__)

_RECEIPT_NO: Final = re.compile(r"\d{8}-\d{6,}")
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")

_MOST_BOUNDED: Final = 1_000_000        # transfers of the days asked for

# What may be disposed of when its time is over. A released mail is on its way; a released file lies at the pickup.
_AT_REST: Final = (State.HELD, State.BLOCKED, State.DELIVERED, State.UNDELIVERABLE)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which transfers; what is left out does not matter.

    `text`: words, each somewhere in the sender, recipients, subject, names, digest or receipt number. `rule`: one that matched.
    """

    states: tuple[State, ...] = ()
    verdict: Verdict | None = None
    reason: Reason | None = None
    door: Door | None = None
    organisation: str | None = None
    sender: str | None = None
    recipient: str | None = None
    recipients: tuple[str, ...] = ()    # any of them
    sha256: str | None = None
    rule: str | None = None
    department: str | None = None       # of the person who brought it, or of one to whom the mail went
    text: str | None = None
    since: float | None = None
    until: float | None = None
    before_id: int | None = None        # the next page begins below the last id of this one
    limit: int = 100


def matching(connection: Connection, wanted: Filter) -> list[Transfer]:
    """The youngest first."""
    bounds = _within(connection, wanted)
    if bounds is not None and bounds[0] > bounds[1]:
        return []
    statement = select(transfers).where(*_conditions(wanted)).order_by(transfers.c.id.desc())
    if bounds is not None:
        statement = statement.where(transfers.c.id.between(*bounds))
    if wanted.text is not None:
        exact, rest = _by_number(wanted.text)
        statement = text_search.narrowed(connection, statement.where(*exact), rest, bounds)
    return _read(connection, statement.limit(wanted.limit if wanted.limit >= 0 else None))


def _within(connection: Connection, wanted: Filter) -> tuple[int, int] | None:
    """First and last id of what was received in the days asked for. Whatever else is asked is looked for among these alone, and not from
    today back to them; no order of ids and moments is taken for granted. Days that hold very much are reached soon anyway."""
    times = list(_times(wanted))
    if not times:
        return None
    received = select(transfers.c.id).where(*times).limit(_MOST_BOUNDED + 1).subquery()
    first, last, count = connection.execute(select(func.min(received.c.id), func.max(received.c.id), func.count())).one()
    if count > _MOST_BOUNDED:
        return None
    return (first, last) if count else (1, 0)


def _times(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    if wanted.since is not None:
        yield transfers.c.received_at >= wanted.since
    if wanted.until is not None:
        yield transfers.c.received_at < wanted.until


def _by_number(asked: str) -> tuple[list[ColumnElement[bool]], str]:
    """Words that are a whole receipt number or digest have an index of their own; the rest is text."""
    exact, rest = [], []
    for word in asked.split():
        if _RECEIPT_NO.fullmatch(word):
            exact.append(transfers.c.receipt_no == word)
        elif _SHA256.fullmatch(word):
            exact.append(transfers.c.sha256 == word.lower())
        else:
            rest.append(word)
    return exact, " ".join(rest)


def _conditions(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    columns = transfers.c
    for name in ("verdict", "reason", "door", "organisation", "sender", "sha256"):
        if (value := getattr(wanted, name)) is not None:
            yield columns[name] == value
    if wanted.states:
        yield columns.state.in_(wanted.states)
    yield from _times(wanted)
    if wanted.before_id is not None:
        yield columns.id < wanted.before_id
    if wanted.recipient is not None:
        yield columns.id.in_(select(transfer_recipients.c.transfer_id).where(transfer_recipients.c.address == wanted.recipient))
    if wanted.recipients:
        yield columns.id.in_(select(transfer_recipients.c.transfer_id).where(transfer_recipients.c.address.in_(wanted.recipients)))
    if wanted.rule is not None:
        yield columns.id.in_(select(rule_matches.c.transfer_id).where(rule_matches.c.rule == wanted.rule))
    if wanted.department is not None:
        yield columns.id.in_(_of_department(wanted.department))


def _of_department(name: str) -> CompoundSelect[Any]:
    """Whoever belongs to it now."""
    place = (memberships.c.account_id == accounts.c.id) & (departments.c.id == memberships.c.department_id) & (departments.c.name == name)
    brought = select(transfers.c.id).where(transfers.c.sender.in_(select(accounts.c.login).where(place)))
    mails = select(accounts.c.mail).where(place, accounts.c.mail != "")
    return union(brought, select(transfer_recipients.c.transfer_id).where(transfer_recipients.c.address.in_(mails)))


def counted_since(connection: Connection, since: float) -> int:
    """How many transfers were received since then."""
    return int(connection.execute(select(func.count()).select_from(transfers).where(transfers.c.received_at >= since)).scalar_one())


def owed_notices(connection: Connection, limit: int) -> list[Transfer]:
    """Mails that stay inside and whose recipients were not told yet."""
    return _read(connection, select(transfers).where(transfers.c.notice == OWED).order_by(transfers.c.id).limit(limit))


def over_age(connection: Connection, changed_before: float, limit: int) -> list[Transfer]:
    """What nothing has happened to for longer than the retention, and nobody keeps as evidence."""
    at_rest = transfers.c.state.in_(_AT_REST) | ((transfers.c.state == State.RELEASED) & (transfers.c.door != Door.SMTP))
    old = at_rest & (transfers.c.changed_at < changed_before) & ~evidence.is_kept()
    statement = select(transfers).where(old).order_by(transfers.c.id).limit(limit)
    return _read(connection, statement)


def _read(connection: Connection, statement: Select[Any]) -> list[Transfer]:
    rows = connection.execute(statement).all()
    recipients = recipients_of(connection, [row.id for row in rows])
    found = []
    for row in rows:
        try:
            found.append(as_transfer(row, recipients[row.id]))
        except ValueError as error:
            _log.error("a transfer's row cannot be read", receipt_no=row.receipt_no, error=str(error))
    return found


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many transfers stand where. Every row is counted: for people who ask once, not for what looks every few seconds."""

    states: dict[State, int]
    owed_notices: int
    undelivered: int                    # deliveries of any purpose that are not at their end


def counts(connection: Connection) -> Counts:
    rows = connection.execute(select(transfers.c.state, func.count()).group_by(transfers.c.state))
    states = dict.fromkeys(State, 0) | {State(state): count for state, count in rows if state in set(State)}
    owed = connection.execute(select(func.count()).where(transfers.c.notice == OWED)).scalar_one()
    unfinished = or_(deliveries.c.next_due.is_not(None), deliveries.c.lease_token.is_not(None))
    undelivered = connection.execute(select(func.count()).where(unfinished)).scalar_one()
    return Counts(states=states, owed_notices=owed, undelivered=undelivered)


def blob_in_use(connection: Connection, digest: str) -> bool:
    """Whether any row still refers to it."""
    by_transfer = exists().where(or_(transfers.c.blob == digest, transfers.c.result_sha256 == digest))
    unfinished = or_(deliveries.c.next_due.is_not(None), deliveries.c.lease_token.is_not(None), transfers.c.state != State.DISPOSED)
    by_delivery = exists().where(deliveries.c.blob == digest, transfers.c.id == deliveries.c.transfer_id, unfinished)
    return bool(connection.execute(select(or_(by_transfer, by_delivery))).scalar_one())
