"""The house itself: what is stopped, and the record of everything that was done."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Table, Text, text

from gateway.storage.tables.schema import Id, metadata

# As it stands in the index, so that the database knows that a question is about what persons did.
DEEDS = text("actor <> 'road'")

# 緊急停止: what is stopped now.
halts = Table(
    "halts",
    metadata,
    Column("what", Text, primary_key=True),
    Column("since", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# 中継停止: senders of mail of whom nothing leaves, or has left; a row is never deleted.
sender_stops = Table(
    "sender_stops",
    metadata,
    Column("sender", Text, primary_key=True),               # in lower case
    Column("since", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("released_at", Float),                           # nothing: he is stopped
)

# Only ever grows: triggers refuse UPDATE and DELETE.
audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),                     # RFC 3339, UTC, microseconds
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),                 # JSON, hashed as it stands
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "subject"),
    Index("ix_audit_deeds", "action", "seq", sqlite_where=DEEDS, postgresql_where=DEEDS),
)
