"""The tables of the journal, the same for SQLite and PostgreSQL. Times are seconds since 1970; enumerations stand by their value.

A change in this folder needs a migration beside it: tests/gateway/storage/test_database.py compares the two.
"""

from __future__ import annotations

from gateway.storage.tables.approvals import decisions, requests
from gateway.storage.tables.boxes import boxes
from gateway.storage.tables.crossing import crossings
from gateway.storage.tables.keys import blob_copies, organisation_keys
from gateway.storage.tables.nodes import nodes
from gateway.storage.tables.people import (
    absences,
    accounts,
    departments,
    group_members,
    groups,
    memberships,
    organisations,
    permits,
    recovery_codes,
    second_factors,
    sessions,
    shared_members,
    terminals,
    tokens,
)
from gateway.storage.tables.publishing import (
    backtest_differences,
    backtests,
    bundles,
    late_hits,
    publications,
    rescans,
    rule_matches,
    version_steps,
    versions,
)
from gateway.storage.tables.registers import (
    announcements,
    audit_cuts,
    contacts,
    disposals,
    documents,
    incident_steps,
    incidents,
    investigations,
    letters,
    signoffs,
)
from gateway.storage.tables.results import exceptions, results, turns
from gateway.storage.tables.reviews import drills, evidence, review_rows, reviews, visits
from gateway.storage.tables.schema import metadata
from gateway.storage.tables.state import audit, halts, sender_stops
from gateway.storage.tables.travel import (
    deliveries,
    delivery_recipients,
    digests,
    password_tries,
    receipt_numbers,
    reports,
    search_texts,
    slips,
    transfer_recipients,
    transfers,
)

__all__ = [
    "absences",
    "accounts",
    "announcements",
    "audit",
    "audit_cuts",
    "backtest_differences",
    "backtests",
    "blob_copies",
    "boxes",
    "bundles",
    "contacts",
    "crossings",
    "decisions",
    "deliveries",
    "delivery_recipients",
    "departments",
    "digests",
    "disposals",
    "documents",
    "drills",
    "evidence",
    "exceptions",
    "group_members",
    "groups",
    "halts",
    "incident_steps",
    "incidents",
    "investigations",
    "late_hits",
    "letters",
    "memberships",
    "metadata",
    "nodes",
    "organisation_keys",
    "organisations",
    "password_tries",
    "permits",
    "publications",
    "receipt_numbers",
    "recovery_codes",
    "reports",
    "requests",
    "rescans",
    "results",
    "review_rows",
    "reviews",
    "rule_matches",
    "search_texts",
    "second_factors",
    "sender_stops",
    "sessions",
    "shared_members",
    "signoffs",
    "slips",
    "terminals",
    "tokens",
    "transfer_recipients",
    "transfers",
    "turns",
    "version_steps",
    "versions",
    "visits",
]
