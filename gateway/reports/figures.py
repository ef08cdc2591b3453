"""What the journal says of a period: numbers, and the rows of what has to be told one by one. Each runs on a reader's connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, func, select

from gateway.auditing.events import EVENTS, Class
from gateway.periods import Period
from gateway.storage import disposals, exceptions, incidents, ledger, signoffs, statistics
from gateway.storage import tables as t
from gateway.storage.disposals import Disposal
from gateway.storage.exceptions import Grant
from gateway.storage.incidents import Incident
from gateway.storage.ledger import Entry
from gateway.storage.signoffs import SignOff
from gateway.storage.statistics import Ranks
from sanitizers.model import Verdict

# So many rows of one kind stand in a table; the number of all of them stands beside it.
MOST: Final = 50_000
_RANKS: Final = 10


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Of one period, and of the one before it where the two are compared. Sizes are bytes, `seconds` from receipt to the end."""

    verdicts: dict[str, int]
    verdicts_before: dict[str, int]
    reasons: dict[str, int]
    doors: dict[str, int]
    size: int
    ranks: Ranks
    requests: dict[tuple[str, str], int]
    deeds: dict[str, int]
    failures: int
    incidents: tuple[Incident, ...]
    exceptions: tuple[Grant, ...]
    signed: tuple[SignOff, ...]
    disposals: tuple[Disposal, ...]
    powers: tuple[Entry, ...]
    alone: tuple[Entry, ...]
    changes: tuple[Entry, ...]
    decided: tuple[dict[str, Any], ...]
    privileged: tuple[dict[str, Any], ...]

    @property
    def received(self) -> int:
        return sum(self.verdicts.values())

    @property
    def kept(self) -> int:
        return self.verdicts[Verdict.HELD] + self.verdicts[Verdict.BLOCKED]


_POWERS: Final = tuple(name for name, event in EVENTS.items() if event.of is Class.PRIVILEGE and not name.startswith("absence."))
_CHANGES: Final = (*(name for name, event in EVENTS.items() if event.of is Class.POLICY), "emergency.")


def gathered(connection: Connection, period: Period, before: Period, *, rows: bool) -> Figures:
    """`rows`: with requests, changes and privileges one by one, as a year's pack has them."""
    since, until = period.since, period.until

    def deeds(actions: Sequence[str]) -> tuple[Entry, ...]:
        return tuple(ledger.deeds(connection, actions, since=since, until=until, limit=MOST))

    powers, changes = deeds(_POWERS), deeds(_CHANGES)
    came = _came(connection, period)
    granted = exceptions.listed(connection, until, over=True, limit=MOST)
    return Figures(
        verdicts=statistics.by_verdict(connection, since, until),
        verdicts_before=statistics.by_verdict(connection, before.since, before.until),
        reasons=_most_first(came, "reason"),
        doors=_most_first(came, "door"),
        size=sum(row["size"] for row in came),
        ranks=statistics.ranks(connection, since, until, _RANKS),
        requests=_requests(connection, period),
        deeds=_tallied((*powers, *changes)),
        failures=len(deeds(("login.failed",))),
        incidents=tuple(one for one in reversed(incidents.listed(connection, since=since, until=until, limit=MOST))),
        exceptions=tuple(one for one in reversed(granted) if one.granted_at < until and _ends(one) > since),
        signed=tuple(one for one in reversed(signoffs.listed(connection, since=since, limit=MOST)) if one.at < until),
        disposals=tuple(reversed(disposals.listed(connection, since=since, until=until, limit=MOST))),
        powers=powers if rows else (),
        alone=deeds(("request.approved_alone",)),
        changes=changes,
        decided=_decided(connection, period) if rows else (),
        privileged=_privileged(connection) if rows else (),
    )


def _ends(one: Grant) -> float:
    return min(one.expires_at, one.expires_at if one.revoked_at is None else one.revoked_at)


def _within(table: Table, column: str, period: Period) -> Any:
    return (table.c[column] >= period.since) & (table.c[column] < period.until)


def _came(connection: Connection, period: Period) -> list[dict[str, Any]]:
    """What was received, by reason and door, with its number and bytes: in one walk over the rows, which is what a year costs."""
    columns, count, size = (t.transfers.c.reason, t.transfers.c.door), func.count(), func.sum(t.transfers.c.size)
    asked = select(*columns, count, size).where(_within(t.transfers, "received_at", period)).group_by(*columns)
    return [
        {"reason": reason, "door": door, "count": int(number), "size": int(octets)}
        for reason, door, number, octets in connection.execute(asked)
    ]


def _most_first(came: Sequence[Mapping[str, Any]], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in came:
        if row[name] is not None:
            found[row[name]] = found.get(row[name], 0) + row["count"]
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def _requests(connection: Connection, period: Period) -> dict[tuple[str, str], int]:
    """Kind and state → how many of those that were made in the period."""
    columns = (t.requests.c.kind, t.requests.c.state)
    asked = select(*columns, func.count()).where(_within(t.requests, "requested_at", period)).group_by(*columns).order_by(*columns)
    return {(kind, state): int(count) for kind, state, count in connection.execute(asked)}


def _tallied(entries: Sequence[Entry]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in entries:
        found[entry.action] = found.get(entry.action, 0) + 1
    return dict(sorted(found.items(), key=lambda one: -one[1]))


_DECIDED: Final = (
    select(t.requests, t.accounts.c.login, t.decisions.c.person, t.decisions.c.decision, t.decisions.c.note, t.decisions.c.at)
    .join(t.accounts, t.accounts.c.id == t.requests.c.requester_id)
    .join(t.decisions, t.decisions.c.request_id == t.requests.c.id)
)


def _decided(connection: Connection, period: Period) -> tuple[dict[str, Any], ...]:
    """Each word on each request."""
    rows = connection.execute(_DECIDED.where(_within(t.decisions, "at", period)).order_by(t.decisions.c.at).limit(MOST))
    return tuple(
        {"number": f"S-{row.id:06d}", "kind": row.kind, "subject": row.subject, "requester": row.login, "reason": row.reason,
         "person": row.person, "decision": row.decision, "note": row.note, "at": row.at}
        for row in rows
    )  # fmt: skip


def _privileged(connection: Connection) -> tuple[dict[str, Any], ...]:
    """Who has power over others' things as it stands now (特権ID), and when he last used it."""
    columns = t.accounts.c
    rows = connection.execute(select(columns.login, columns.name, columns.role, columns.disabled, columns.last_login_at)
                              .where(columns.role != "staff").order_by(columns.role, columns.login))  # fmt: skip
    return tuple(dict(row) for row in rows.mappings())


def compared(now: Mapping[str, int], before: Mapping[str, int], name: str) -> str:
    """`120（前 100、+20%）`."""
    this, last = now.get(name, 0), before.get(name, 0)
    change = f"{(this - last) / last:+.0%}" if last else "—"
    return f"{this:,}（前 {last:,}、{change}）"
