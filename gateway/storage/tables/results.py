"""What stands beside the queue: whose turn it is, what was made of the same bytes before, and what was granted against policy."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text

from gateway.storage.tables.schema import Id, metadata

# How much work each organisation has had, in turns; who has had the least is next.
turns = Table(
    "turns",
    metadata,
    Column("organisation", Text, primary_key=True),
    Column("had", Float, nullable=False),
)

# The transfer whose result may be given again for the same `key`, and what it was then.
results = Table(
    "results",
    metadata,
    Column("key", Text, primary_key=True),                  # SHA-256 of all that a result depends on
    Column("transfer_id", Id, ForeignKey("transfers.id"), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("result_sha256", Text, nullable=False),
    Column("report_sha256", Text, nullable=False),          # of the report as it is kept
    Index(None, "made_at"),
)

# 例外措置: asked for by one, granted by another, until a day. A row is never deleted.
exceptions = Table(
    "exceptions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("request", Text, nullable=False, unique=True),   # of the request that was approved
    Column("kind", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("sha256", Text, nullable=False),                 # empty: of any digest …
    Column("sender", Text, nullable=False),                 # … from anybody …
    Column("account", Text, nullable=False),                # … for anybody; never all three
    Column("reason", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("granted_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("revoked_at", Float),
    Column("revoked_by", Text, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("used_at", Float),
    Column("risk", Text, nullable=False, server_default=""),            # what may come of it, as the requester sees it (リスク)
    Column("alternative", Text, nullable=False, server_default=""),     # what is done instead of the rule (代替策)
    Index(None, "expires_at"),
    sqlite_autoincrement=True,
)
