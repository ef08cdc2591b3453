"""What the administration looks at again and vouches for: kept evidence, reviews of privileges, visits of vendors, drills."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text

from gateway.storage.tables.schema import Id, metadata

# 証拠保全: as long as one lasts, original and result of the transfer stay, whatever retention or an operator says.
evidence = Table(
    "evidence",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("transfer_id", Id, ForeignKey("transfers.id"), nullable=False),
    Column("since", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", Text, nullable=False),
    Index(None, "transfer_id"),
    sqlite_autoincrement=True,
)

# 権限棚卸し: one review of all accounts.
reviews = Table(
    "reviews",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("begun_at", Float, nullable=False),
    Column("begun_by", Text, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("closed_at", Float),
    Column("closed_by", Text, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_autoincrement=True,
)

# One account of a review as it was when the review began, and what was said of it.
review_rows = Table(
    "review_rows",
    metadata,
    Column("review_id", Id, ForeignKey("reviews.id"), primary_key=True),
    Column("login", Text, primary_key=True),
    Column("facts", Text, nullable=False),                  # JSON: name, role, departments, last log-in, what stands out
    Column("decision", Text, nullable=False),               # empty, `keep`, `change` or `remove`
    Column("decided_at", Float),
    Column("decided_by", Text, nullable=False),
    Column("note", Text, nullable=False),
)

# 委託事業者の作業: the times for which a vendor's account opens, each on another person's word.
visits = Table(
    "visits",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("from_at", Float, nullable=False),
    Column("until_at", Float, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", Text, nullable=False),
    Index(None, "account_id"),
    sqlite_autoincrement=True,
)

# 訓練の記録: backups that were made, restored and compared.
drills = Table(
    "drills",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_autoincrement=True,
)
