"""Rules, policy and lists as they were written, agreed to and put in force; and what trying them over the traffic kept has shown."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text

from gateway.storage.tables.schema import Id, metadata

# Only ever grow, all three: triggers refuse UPDATE and DELETE.
versions = Table(
    "versions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),                # rules, policy or lists
    Column("version", Text, nullable=False),                # as reports and receipts name it
    Column("sha256", Text, nullable=False),                 # of the content as canonical JSON
    Column("content", LargeBinary, nullable=False),         # file name → text, canonical JSON, zlib
    Column("author", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("note", Text, nullable=False),
    Column("based_on", Id, ForeignKey("versions.id")),      # what was in force when it was written
    Index(None, "subject", "id"),
    sqlite_autoincrement=True,
)

version_steps = Table(
    "version_steps",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("version_id", Id, ForeignKey("versions.id"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "version_id", "id"),
    sqlite_autoincrement=True,
)

# The last row of a subject is what is in force.
publications = Table(
    "publications",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),
    Column("version_id", Id, ForeignKey("versions.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "subject", "id"),
    sqlite_autoincrement=True,
)

backtests = Table(
    "backtests",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("version_id", Id, ForeignKey("versions.id"), nullable=False),
    Column("against", Id, ForeignKey("versions.id")),       # what was in force
    Column("state", Text, nullable=False),                  # waiting, running, done, stopped or failed
    Column("asked_by", Text, nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("since", Float, nullable=False),
    Column("lease_until", Float),                           # whoever runs it is lost after this
    Column("ended_at", Float),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("summary", Text, nullable=False),                # JSON
    Index(None, "version_id"),
    Index(None, "state"),
    sqlite_autoincrement=True,
)

backtest_differences = Table(
    "backtest_differences",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("backtest_id", Id, ForeignKey("backtests.id"), nullable=False),
    Column("transfer_id", Id, ForeignKey("transfers.id")),  # NULL: of the clean set
    Column("name", Text, nullable=False),                   # receipt number, or the clean sample's name
    Column("organisation", Text, nullable=False),
    Column("new", Text, nullable=False),                    # names of rules, JSON
    Column("lost", Text, nullable=False),
    Column("before", Text),
    Column("after", Text, nullable=False),
    Index(None, "backtest_id", "id"),
    sqlite_autoincrement=True,
)

# Which rules matched in the last report of a transfer.
rule_matches = Table(
    "rule_matches",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True, autoincrement=False),
    Column("rule", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Index(None, "rule", "at"),
)

# One row for each time that what is kept was looked at again; `cause` names rules, lists and signatures.
rescans = Table(
    "rescans",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("cause", Text, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("lease_until", Float),
    Column("ended_at", Float),
    Column("next_id", Id),                                  # the transfers below this one are still to be looked at
    Column("scanned", Integer, nullable=False),
    Column("hits", Integer, nullable=False),
    sqlite_autoincrement=True,
)

late_hits = Table(
    "late_hits",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),                 # of the rule, or of the scanner and its finding
    Column("at", Float, nullable=False),
    Column("received_by", Text, nullable=False),            # JSON
)

# Update bundles that were taken in: an older one is never taken again.
bundles = Table(
    "bundles",
    metadata,
    Column("serial", Id, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
)
