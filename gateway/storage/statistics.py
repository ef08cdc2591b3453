"""Sums over the journal for people who look after it. Each runs on a reader's connection; moments are seconds since 1970."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Integer, Select, cast, func, select, union

from gateway.model import RecipientState, State
from gateway.storage.tables import (
    accounts,
    crossings,
    deliveries,
    delivery_recipients,
    departments,
    memberships,
    rule_matches,
    transfer_recipients,
    transfers,
)
from sanitizers.model import Verdict

# What is at its end, or on its way out: from here on only the next hop's time counts.
_WORKED_ON: Final = (State.RELEASED, State.HELD, State.BLOCKED, State.DELIVERED)
WAITING: Final = "waiting"


def by_verdict(connection: Connection, since: float, until: float) -> dict[str, int]:
    """How many received in that time got which verdict; WAITING: none yet."""
    received = (transfers.c.received_at >= since) & (transfers.c.received_at < until)
    rows = connection.execute(select(transfers.c.verdict, func.count()).where(received).group_by(transfers.c.verdict))
    found = {verdict or WAITING: count for verdict, count in rows}
    return {name: found.get(name, 0) for name in (*Verdict, WAITING)}


def over_time(connection: Connection, since: float, step: float, steps: int) -> list[dict[str, int]]:
    """The same for so many stretches of `step` seconds each, from `since` on."""
    passed = (transfers.c.received_at - since) / step
    number_of = cast(passed if connection.dialect.name == "sqlite" else func.floor(passed), Integer)    # PostgreSQL rounds, SQLite cuts
    received = (transfers.c.received_at >= since) & (transfers.c.received_at < since + step * steps)
    rows = connection.execute(
        select(number_of, transfers.c.verdict, func.count()).where(received).group_by(number_of, transfers.c.verdict)
    )
    found: list[dict[str, int]] = [dict.fromkeys((*Verdict, WAITING), 0) for _ in range(steps)]
    for number, verdict, count in rows:
        found[min(int(number), steps - 1)][verdict or WAITING] += count
    return found


class Ranks(msgspec.Struct, frozen=True):
    """Who and what stands first among the transfers received in a time: name and count, the most first."""

    kinds: list[tuple[str, int]]            # of what was handed on; what stayed inside has none
    rules: list[tuple[str, int]]
    senders: list[tuple[str, int]]
    departments: list[tuple[str, int]]      # of the person who brought it, or of those to whom the mail went


def ranks(connection: Connection, since: float, until: float, most: int) -> Ranks:
    """At most so many of each."""
    received = (transfers.c.received_at >= since) & (transfers.c.received_at < until)
    matched = (rule_matches.c.at >= since) & (rule_matches.c.at < until)

    def first(names: Select[Any]) -> list[tuple[str, int]]:
        each = names.subquery()
        name, count = each.c[0], func.count()
        found = connection.execute(select(name, count).where(name.is_not(None)).group_by(name).order_by(count.desc(), name).limit(most))
        return [(str(one), int(number)) for one, number in found]

    return Ranks(
        kinds=first(select(transfers.c.result_kind).where(received)),
        rules=first(select(rule_matches.c.rule).where(matched)),
        senders=first(select(transfers.c.sender).where(received)),
        departments=first(_departments(received)),
    )


def _departments(received: ColumnElement[bool]) -> Select[Any]:
    """A mail to two departments counts for both, one to two persons of a department once."""
    pairs = select(transfers.c.id.label("transfer"), accounts.c.id.label("account"))
    brought = pairs.where(received, transfers.c.sender == accounts.c.login)
    addressed = pairs.where(
        received, transfer_recipients.c.transfer_id == transfers.c.id, transfer_recipients.c.address == accounts.c.mail
    )
    whose = union(brought, addressed).subquery()
    place = (memberships.c.account_id == whose.c.account) & memberships.c.main & (departments.c.id == memberships.c.department_id)
    return select(departments.c.name, whose.c.transfer).where(place).distinct()


def seconds_taken(connection: Connection, last: int) -> list[float]:
    """From receipt to the state they are in now, of the last so many that are through, in rising order."""
    through = select(transfers.c.changed_at - transfers.c.received_at).where(transfers.c.state.in_(_WORKED_ON))
    return sorted(float(value) for value in connection.execute(through.order_by(transfers.c.id.desc()).limit(last)).scalars())


def last_refusal(connection: Connection) -> str:
    """What the next hop said, or what became of reaching it, when a recipient was last put off; empty if nobody is."""
    tried = (delivery_recipients.c.state == RecipientState.WAITING) & (delivery_recipients.c.attempts > 0)
    waiting = (deliveries.c.id == delivery_recipients.c.delivery_id) & deliveries.c.next_due.is_not(None)
    said = select(delivery_recipients.c.text).where(tried, waiting).order_by(deliveries.c.next_due.desc()).limit(1)
    return str(connection.execute(said).scalar_one_or_none() or "")[:200]


def last_crossing(connection: Connection) -> float | None:
    """When something last came from the outer side; None: not within the time for which its papers are remembered."""
    found = connection.execute(select(func.max(crossings.c.at))).scalar_one()
    return None if found is None else float(found)
