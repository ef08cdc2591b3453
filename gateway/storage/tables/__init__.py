"""The tables of the journal, the same for SQLite and PostgreSQL. Times are seconds since 1970; enumerations stand by their value.

A change in this folder needs a migration beside it: tests/gateway/storage/test_database.py compares the two.
"""

from __future__ import annotations

from gateway.storage.tables.people import accounts, sessions, tokens
from gateway.storage.tables.schema import metadata
from gateway.storage.tables.state import audit, halts
from gateway.storage.tables.travel import (
    deliveries,
    delivery_recipients,
    digests,
    password_tries,
    receipt_numbers,
    reports,
    transfer_recipients,
    transfers,
)

__all__ = [
    "accounts",
    "audit",
    "deliveries",
    "delivery_recipients",
    "digests",
    "halts",
    "metadata",
    "password_tries",
    "receipt_numbers",
    "reports",
    "sessions",
    "tokens",
    "transfer_recipients",
    "transfers",
]
