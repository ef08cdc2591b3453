"""What a self-check rests on: settings, what is in force, and numbers counted in the journal just now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal, or_, select

from gateway import audit
from gateway.doctor import timekeeping
from gateway.doctor.openings import Openings, openings
from gateway.model import Door, State, rfc3339
from gateway.people.customs import Customs
from gateway.people.employment import WITHOUT, Feature
from gateway.people.requests import RULES, Kind
from gateway.people.roles import PRIVILEGED, Role
from gateway.policy import Policy
from gateway.scanners.panel import Heard, Panel
from gateway.storage import ledger
from gateway.storage.approvals import RequestState
from gateway.storage.drills import Outcome
from gateway.storage.incidents import OPEN, Register
from gateway.storage.journal import Journal
from gateway.storage.tables import (
    absences,
    accounts,
    contacts,
    departments,
    drills,
    evidence,
    exceptions,
    incidents,
    investigations,
    memberships,
    nodes,
    permits,
    reports,
    requests,
    reviews,
    second_factors,
    sender_stops,
    signoffs,
    transfers,
    visits,
)
from gateway.storage.tables import (
    audit as record,
)
from sanitizers.model import Verdict

_DAY: Final = 86_400.0
_MONTH: Final = 30 * _DAY
# The end of the record is walked each time, the whole of it by `sekisho audit verify`.
_WALKED: Final = 5_000
_WEEK: Final = 7 * _DAY
# A quarter, and the time in which it is to be looked at and signed.
_REVIEWED: Final = 110 * _DAY
# A node that has said nothing for so long is not counted (`storage.nodes`).
_LOST: Final = 120.0
_FLAGS: Final = {Feature.DROP: accounts.c.may_drop.is_(True), Feature.MAIL: accounts.c.may_mail.is_(True)}
_DELIVERING: Final = (Verdict.CLEAN, Verdict.SANITIZED, Verdict.CONFIRMED)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`settings` as `Config` gives them; `walls`: of the jail, as they stand; `counted`: by name, of the last 30 days where not said
    otherwise; `record_fault`: what is wrong with the end of the record, empty if nothing; `openings`: what takes connections here, None
    where that cannot be seen; `ports`: on which the flow table lets connections in."""

    settings: Mapping[str, Any]
    policy: Policy
    customs: Customs
    walls: tuple[str, ...]
    rules: str
    heard: tuple[Heard, ...]
    counted: Mapping[str, int]
    record_fault: str
    openings: Openings | None = None
    ports: frozenset[int] = frozenset()

    @property
    def unlisted(self) -> list[tuple[str, int]]:
        """What takes connections and is not in the flow table."""
        return [] if self.openings is None else sorted(one for one in self.openings.listening if one[1] not in self.ports)


class Gathering:
    """`in_force`: policy, walls and version of the rules at this moment. `ports`: on which the flow table lets connections in."""

    def __init__(
        self,
        journal: Journal,
        settings: Mapping[str, Any],
        *,
        customs: Customs,
        panel: Panel,
        in_force: Callable[[], tuple[Policy, tuple[str, ...], str]],
        clock: Callable[[], float],
        ports: frozenset[int] = frozenset(),
    ) -> None:
        self._journal = journal
        self._settings = settings
        self._customs = customs
        self._panel = panel
        self._in_force = in_force
        self._clock = clock
        self._ports = ports

    @property
    def profile(self) -> str:
        """Of the settings: see `sheet.PROFILES`."""
        return str(self._settings["service.profile"])

    def now(self) -> float:
        return self._clock()

    async def facts(self) -> Facts:
        """All that the clauses are judged by, asked now."""
        policy, walls, rules = self._in_force()
        now = self._clock()
        counted = await self._journal.ask(lambda connection: count(connection, now))
        after = max(0, counted["record"] - _WALKED)
        return Facts(
            settings=self._settings,
            policy=policy,
            customs=self._customs,
            walls=walls,
            rules=rules,
            heard=await self._panel.standing(),
            counted=counted | {"synchronised": int((known := timekeeping.clock()) is not None and known.synchronised)},
            record_fault=(await audit.verify_end(self._journal, after)).why,
            openings=openings(),
            ports=self._ports,
        )


def count(connection: Connection, now: float) -> dict[str, int]:
    """Every number that a check speaks of."""

    def rows(table: Table, *conditions: ColumnElement[bool]) -> int:
        return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())

    recent = transfers.c.received_at >= now - _MONTH
    delivered = recent & transfers.c.verdict.in_(_DELIVERING) & transfers.c.state.not_in((State.HELD, State.PROCESSING))
    receipt = select(reports.c.receipt).where(reports.c.transfer_id == transfers.c.id, reports.c.receipt.is_not(None)).exists()
    open_accounts = accounts.c.disabled.is_(False)
    bare = accounts.c.employment.in_([str(one) for one in WITHOUT])
    permitted = select(permits.c.feature).where(permits.c.account_id == accounts.c.id).scalar_subquery()
    unpermitted = or_(*(flag & literal(str(one)).not_in(permitted) for one, flag in _FLAGS.items()))
    privileged = accounts.c.role.in_([str(role) for role in PRIVILEGED])
    has_factor = select(second_factors.c.account_id).where(second_factors.c.account_id == accounts.c.id).exists()
    unused = func.coalesce(accounts.c.last_login_at, accounts.c.created_at) < now - 3 * _MONTH
    unseen = and_(requests.c.kind == Kind.EMERGENCY_REPORT, requests.c.state == RequestState.REQUESTED)
    head = select(memberships.c.account_id).where(memberships.c.department_id == departments.c.id, memberships.c.head.is_(True)).exists()
    return {
        "received": rows(transfers, recent),
        "mails": rows(transfers, recent, transfers.c.door == Door.SMTP),
        "undecided": rows(transfers, recent, transfers.c.verdict.is_(None)),
        "delivered": rows(transfers, delivered),
        "unproven": rows(transfers, delivered, ~receipt),
        "disposed": rows(transfers, transfers.c.state == State.DISPOSED),
        "record": int(connection.execute(select(func.coalesce(func.max(record.c.seq), 0))).scalar_one()),
        "accounts": rows(accounts, open_accounts),
        "fiscal_year": rows(accounts, open_accounts, bare),
        "unpermitted": rows(accounts, open_accounts, bare, unpermitted),
        "auditors": rows(accounts, open_accounts, accounts.c.role == Role.AUDITOR),
        "privileged": rows(accounts, open_accounts, privileged),
        "factorless": rows(accounts, open_accounts, privileged, ~has_factor),
        "unused": rows(accounts, open_accounts, unused),
        "departments": rows(departments, departments.c.closed.is_(False)),
        "headless": rows(departments, departments.c.closed.is_(False), ~head),
        "alone": rows(requests, requests.c.unavoidable.is_(True)),
        "requests": rows(requests),
        "exceptions": rows(exceptions, exceptions.c.expires_at > now),
        "ending": rows(exceptions, exceptions.c.expires_at > now, exceptions.c.expires_at <= now + _MONTH),
        "reviewed": rows(reviews, reviews.c.closed_at >= now - 6 * _MONTH),
        "restored": rows(drills, drills.c.kind == "restore", drills.c.outcome == Outcome.GOOD, drills.c.at >= now - 12 * _MONTH),
        "backups": rows(record, record.c.action == "backup.made", record.c.at >= rfc3339(now - _WEEK)),
        "guarded": rows(record, record.c.action == "guarded.exported", record.c.at >= rfc3339(now - _MONTH)),
        "evidence": rows(evidence, evidence.c.ended_at.is_(None)),
        "investigations": rows(investigations),
        "nodes": rows(nodes, nodes.c.seen_at >= now - _LOST),
        "exceptions_reviewed": rows(signoffs, signoffs.c.subject == "exceptions", signoffs.c.at >= now - _REVIEWED),
        "young": int((first := ledger.first(connection)) is None or first.at >= rfc3339(now - _REVIEWED)),
        "visits": rows(visits),
        "delegates": rows(absences, absences.c.approval != "", absences.c.until_at > now),
        "nominations": rows(requests, requests.c.kind == Kind.DELEGATE, requests.c.state == RequestState.REQUESTED),
        "ended": rows(exceptions, exceptions.c.expires_at <= now),
        "emergencies": rows(exceptions, exceptions.c.requester == exceptions.c.approver),
        "emergencies_unseen": rows(requests, unseen),
        "emergencies_late": rows(requests, unseen, requests.c.requested_at <= now - RULES[Kind.EMERGENCY_REPORT].due),
        "incidents": rows(incidents, incidents.c.register == Register.INCIDENT, incidents.c.state == OPEN),
        "faults": rows(incidents, incidents.c.register == Register.FAULT, incidents.c.state == OPEN),
        "contacts": rows(contacts, contacts.c.level > 0, contacts.c.removed_at.is_(None)),
        "senders_stopped": rows(sender_stops, sender_stops.c.released_at.is_(None)),
        "inspected": rows(signoffs, signoffs.c.at >= now - 3 * _MONTH),
    }
