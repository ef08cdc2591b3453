"""What one person asks for and another decides."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from gateway.storage.tables.schema import Id, metadata

requests = Table(
    "requests",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),                # receipt number, digest, version: what `kind` speaks of
    Column("detail", Text, nullable=False),                 # JSON of the kind
    Column("state", Text, nullable=False),
    Column("requester_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("persons", Text, nullable=False),                # JSON: the human beings behind the requester when it was asked
    Column("department_id", Id, ForeignKey("departments.id")),
    Column("reason", Text, nullable=False),
    Column("step", Integer, nullable=False),                # which of the steps of the kind is waited for
    Column("level", Integer, nullable=False),               # how far up its chain that step has been carried
    Column("unavoidable", Boolean(create_constraint=False), nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("step_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("carried_out_at", Float),                        # what follows an approval was done
    Index(None, "state"),
    Index(None, "subject"),
    Index(None, "requester_id"),
    sqlite_autoincrement=True,
)

# One word of one person on one step. `principal_id`: for whom a delegate spoke (代決).
decisions = Table(
    "decisions",
    metadata,
    Column("request_id", Id, ForeignKey("requests.id"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("principal_id", Id, ForeignKey("accounts.id")),
    Column("person", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("inspected", Boolean(create_constraint=False), nullable=False),      # 目視確認
    Column("note", Text, nullable=False),
    Column("at", Float, nullable=False),
)
