"""Rows of the registers of incidents and of faults (事案・障害): every function runs inside a transaction of the journal.

    number = open_incident(connection, transfer=transfer, kind=Kind.SUSPICIOUS, text="…", who="tanaka", moment=at).number

What a register says may change until it is closed; what was done stands in `incident_steps`, which only grow, and in the audit record.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, or_, select, update

from gateway.model import Transfer
from gateway.storage import ledger, numbers
from gateway.storage.tables import incident_steps, incidents

_LONGEST_TEXT: Final = 4_000
_LONGEST_TITLE: Final = 200


class Register(StrEnum):
    """Which of the two: インシデント or 障害."""

    INCIDENT = "incident"
    FAULT = "fault"


class Kind(StrEnum):
    """What an incident is taken for; the last ones are faults."""

    SUSPICIOUS = "suspicious"  # 不審なメール・ファイル
    MALWARE = "malware"  # 不正プログラムの感染・検知
    LATE_HIT = "late_hit"  # found in what was delivered
    LEAK = "leak"  # 情報の漏えい
    MISDELIVERY = "misdelivery"  # 誤送信・誤配布
    ACCESS = "access"  # 不正アクセス
    RECORD = "record"  # the audit record is not whole
    OTHER = "other"
    SCANNER = "scanner"  # a required scanner is silent
    STORAGE = "storage"
    DELIVERY = "delivery"  # the next hop
    CLOCK = "clock"
    SERVICE = "service"  # anything else that stopped


FAULTS: Final = frozenset({Kind.SCANNER, Kind.STORAGE, Kind.DELIVERY, Kind.CLOCK, Kind.SERVICE})
OPEN: Final = "open"
CLOSED: Final = "closed"

# What a person may write; the rest follows from what is done.
MOMENTS: Final = ("occurred_at", "noticed_at", "recovered_at")
TEXTS: Final = ("title", "scope", "response", "cause", "prevention", "reported_to")
# Without these a register is not closed.
NEEDED: Final = ("response", "cause", "prevention")


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One row. Moments are seconds since 1970."""

    id: int
    number: str
    register: Register
    kind: Kind
    state: str
    organisation: str
    transfer_id: int | None
    receipt_no: str
    title: str
    occurred_at: float | None
    noticed_at: float
    recovered_at: float | None
    scope: str
    response: str
    cause: str
    prevention: str
    reported_to: str
    opened_by: str
    opened_at: float
    changed_at: float
    acknowledged_at: float | None
    acknowledged_by: str
    told_level: int
    told_at: float | None
    closed_at: float | None
    closed_by: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What was done with one. `what`: opened, reported, told, acknowledged, changed, noted, closed or reopened."""

    at: float
    actor: str
    what: str
    text: str


class NoSuchIncidentError(Exception):
    """None of that number."""


class ClosedError(Exception):
    """It is closed already, or is not, or may not be closed yet. In words for people."""


def open_incident(
    connection: Connection, *, transfer: Transfer | None, kind: Kind | str, text: str, who: str, moment: float, title: str = ""
) -> Incident:
    """A new one, drawn from `transfer` or from nothing; `kind` says which register it is.

    Where one of that kind is open for the same transfer (or, of a fault, at all), what is said is added to it: many may notice the same.
    """
    kind = Kind(kind) if kind in set(Kind) else Kind.OTHER
    text = text.strip()[:_LONGEST_TEXT]
    if (standing := _standing(connection, transfer, kind)) is not None:
        return _step(connection, standing, "reported", text, who=who, moment=moment)
    register = Register.FAULT if kind in FAULTS else Register.INCIDENT
    row = {
        "number": numbers.following(connection, incidents, "FA" if register is Register.FAULT else "IN", moment),
        "register": register,
        "kind": kind,
        "state": OPEN,
        "organisation": transfer.organisation if transfer is not None else "",
        "transfer_id": transfer.id if transfer is not None else None,
        "receipt_no": transfer.receipt_no if transfer is not None else "",
        "title": " ".join((title or text).split())[:_LONGEST_TITLE],
        "occurred_at": transfer.received_at if transfer is not None else moment,
        "noticed_at": moment,
        "opened_by": who,
        "opened_at": moment,
        "changed_at": moment,
        "told_level": 0,
    } | dict.fromkeys(("scope", "response", "cause", "prevention", "reported_to", "acknowledged_by", "closed_by"), "")
    connection.execute(insert(incidents), row)
    return _step(connection, find(connection, str(row["number"])), "opened", text, who=who, moment=moment)


def _standing(connection: Connection, transfer: Transfer | None, kind: Kind) -> Incident | None:
    """The one to which a second report of the same belongs."""
    if transfer is None and kind not in FAULTS:
        return None
    statement = select(incidents).where(incidents.c.state == OPEN, incidents.c.kind == kind)
    if kind not in FAULTS and transfer is not None:
        statement = statement.where(incidents.c.transfer_id == transfer.id)
    row = connection.execute(statement.order_by(incidents.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else _incident(row)


def change(connection: Connection, number: str, changes: Mapping[str, Any], *, who: str, moment: float) -> Incident:
    """Write what is known by now: some of MOMENTS and TEXTS. Raises NoSuchIncidentError, ClosedError; nothing new writes nothing."""
    before = _to_be_changed(connection, number)
    wanted = {name: value for name, value in changes.items() if name in (*MOMENTS, *TEXTS) and getattr(before, name) != value}
    wanted = {name: value[:_LONGEST_TEXT] if isinstance(value, str) else value for name, value in wanted.items()}
    if not wanted:
        return before
    connection.execute(update(incidents).where(incidents.c.id == before.id).values(**wanted))
    return _step(connection, before, "changed", msgspec.json.encode(wanted, order="sorted").decode(), who=who, moment=moment)


def note(connection: Connection, number: str, text: str, *, who: str, moment: float) -> Incident:
    """Raises NoSuchIncidentError, ClosedError."""
    return _step(connection, _to_be_changed(connection, number), "noted", text.strip()[:_LONGEST_TEXT], who=who, moment=moment)


def acknowledge(connection: Connection, number: str, text: str = "", *, who: str, moment: float) -> Incident:
    """Somebody has taken it on: nobody further up the chain is called. Raises NoSuchIncidentError, ClosedError."""
    found = _to_be_changed(connection, number)
    if found.acknowledged_at is not None:
        return found
    taken = {"acknowledged_at": moment, "acknowledged_by": who}
    connection.execute(update(incidents).where(incidents.c.id == found.id).values(**taken))
    return _step(connection, found, "acknowledged", text.strip()[:_LONGEST_TEXT], who=who, moment=moment)


def told(connection: Connection, incident: Incident, level: int, whom: str, *, moment: float) -> Incident:
    """The chain was told up to `level`."""
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(told_level=level, told_at=moment))
    return _step(connection, incident, "told", whom, who="road", moment=moment)


def recovered(connection: Connection, kind: Kind, text: str, *, moment: float) -> Incident | None:
    """What was at fault works again: the open fault of that kind gets its moment, and waits for a person to close it."""
    row = connection.execute(
        select(incidents).where(incidents.c.state == OPEN, incidents.c.kind == kind, incidents.c.recovered_at.is_(None))
    ).first()
    if row is None:
        return None
    connection.execute(update(incidents).where(incidents.c.id == row.id).values(recovered_at=moment))
    return _step(connection, _incident(row), "recovered", text, who="road", moment=moment)


def close(connection: Connection, number: str, text: str, *, who: str, moment: float) -> Incident:
    """Raises NoSuchIncidentError; ClosedError while response, cause or prevention are not written."""
    found = _to_be_changed(connection, number)
    if missing := [name for name in NEEDED if not getattr(found, name).strip()]:
        raise ClosedError(", ".join(missing))
    connection.execute(update(incidents).where(incidents.c.id == found.id).values(state=CLOSED, closed_at=moment, closed_by=who))
    return _step(connection, found, "closed", text.strip()[:_LONGEST_TEXT], who=who, moment=moment)


def reopen(connection: Connection, number: str, text: str, *, who: str, moment: float) -> Incident:
    """Raises NoSuchIncidentError; ClosedError if it is open."""
    found = find(connection, number)
    if found.state == OPEN:
        raise ClosedError("open")
    connection.execute(update(incidents).where(incidents.c.id == found.id).values(state=OPEN, closed_at=None, closed_by=""))
    return _step(connection, found, "reopened", text.strip()[:_LONGEST_TEXT], who=who, moment=moment)


# ------------------------------------------------------------------------------------------------------------- reading


def find(connection: Connection, number: str) -> Incident:
    """Raises NoSuchIncidentError."""
    row = connection.execute(select(incidents).where(incidents.c.number == number)).one_or_none()
    if row is None:
        raise NoSuchIncidentError(number)
    return _incident(row)


def listed(
    connection: Connection, register: Register | None = None, *, since: float = 0.0, until: float | None = None, limit: int = 1_000
) -> list[Incident]:
    """Those that are open, and those that were noticed or closed in that time; open ones first, then the youngest first."""
    statement = select(incidents).where(or_(incidents.c.state == OPEN, incidents.c.noticed_at >= since, incidents.c.closed_at >= since))
    if register is not None:
        statement = statement.where(incidents.c.register == register)
    if until is not None:
        statement = statement.where(incidents.c.noticed_at < until)
    order = (incidents.c.state != OPEN, incidents.c.id.desc())
    return [_incident(row) for row in connection.execute(statement.order_by(*order).limit(limit))]


def unanswered(connection: Connection) -> list[Incident]:
    """Open ones that nobody has taken on, the oldest first."""
    waits = (incidents.c.state == OPEN) & incidents.c.acknowledged_at.is_(None)
    return [_incident(row) for row in connection.execute(select(incidents).where(waits).order_by(incidents.c.id).limit(200))]


def of_transfer(connection: Connection, receipt_no: str) -> list[Incident]:
    statement = select(incidents).where(incidents.c.receipt_no == receipt_no).order_by(incidents.c.id)
    return [_incident(row) for row in connection.execute(statement)]


def steps(connection: Connection, incident: Incident) -> list[Step]:
    """In the order in which they were taken."""
    rows = connection.execute(select(incident_steps).where(incident_steps.c.incident_id == incident.id).order_by(incident_steps.c.id))
    return [Step(at=row.at, actor=row.actor, what=row.what, text=row.text) for row in rows]


# --------------------------------------------------------------------------------------------------------------- small


def _to_be_changed(connection: Connection, number: str) -> Incident:
    found = find(connection, number)
    if found.state != OPEN:
        raise ClosedError("closed")
    return found


def _step(connection: Connection, incident: Incident, what: str, text: str, *, who: str, moment: float) -> Incident:
    """Written into its history and into the audit record; the row as it is now."""
    row = {"incident_id": incident.id, "at": moment, "actor": who, "what": what, "text": text}
    connection.execute(insert(incident_steps), row)
    connection.execute(update(incidents).where(incidents.c.id == incident.id).values(changed_at=moment))
    detail: dict[str, object] = {"kind": incident.kind, "receipt_no": incident.receipt_no, "text": text}
    ledger.append(connection, at=moment, actor=who, action=f"incident.{what}", subject=incident.number, detail=detail)
    return find(connection, incident.number)


def _incident(row: Row[Any]) -> Incident:
    known = {name: getattr(row, name) for name in Incident.__struct_fields__}
    return Incident(**known | {"register": Register(row.register), "kind": Kind(row.kind)})
