"""Which rules matched in which transfers, as their last reports say: counted by rule and day. Inside a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from gateway.model import day_of
from gateway.storage.tables import rule_matches, transfers


class Matches(NamedTuple):
    """Of one rule: in how many transfers, and when the last of them was received (seconds since 1970)."""

    transfers: int
    last_at: float


class Matched(NamedTuple):
    """One transfer in which a rule matched."""

    receipt_no: str
    organisation: str
    verdict: str | None
    received_at: float


_FORGET: Final = delete(rule_matches).where(rule_matches.c.transfer_id == bindparam("of_id"))


def keep(connection: Connection, transfer_id: int, rules: Collection[str], at: float) -> None:
    """In place of what an earlier report of the transfer said. `at`: when it was received."""
    connection.execute(_FORGET, {"of_id": transfer_id})
    if rules:
        connection.execute(insert(rule_matches), [{"transfer_id": transfer_id, "rule": rule, "at": at} for rule in sorted(rules)])


def totals(connection: Connection, since: float) -> dict[str, Matches]:
    """Rule → matches among what was received since then."""
    columns = (rule_matches.c.rule, func.count(), func.max(rule_matches.c.at))
    rows = connection.execute(select(*columns).where(rule_matches.c.at >= since).group_by(rule_matches.c.rule))
    return {rule: Matches(count, last) for rule, count, last in rows}


def daily(connection: Connection, rule: str, since: float) -> dict[str, int]:
    """`YYYYMMDD` → transfers, of one rule."""
    rows = connection.execute(select(rule_matches.c.at).where(rule_matches.c.rule == rule, rule_matches.c.at >= since))
    return dict(sorted(Counter(day_of(at) for (at,) in rows).items()))


def recent(connection: Connection, rule: str, limit: int) -> list[Matched]:
    """The youngest first."""
    columns = (transfers.c.receipt_no, transfers.c.organisation, transfers.c.verdict, transfers.c.received_at)
    joined = select(*columns).join(rule_matches, rule_matches.c.transfer_id == transfers.c.id).where(rule_matches.c.rule == rule)
    rows = connection.execute(joined.order_by(rule_matches.c.at.desc(), transfers.c.id.desc()).limit(limit))
    return [Matched(*row) for row in rows]
