"""What crosses: transfers, their reports, their deliveries."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from gateway.storage.tables.schema import Id, metadata

# As it stands in the index, so that the database knows that a question is about it.
WAITING = text("state = 'received'")

# The last receipt number of each day.
receipt_numbers = Table(
    "receipt_numbers",
    metadata,
    Column("day", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("receipt_no", Text, nullable=False, unique=True),
    Column("organisation", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("door", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("verdict", Text),
    Column("reason", Text),
    Column("received_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text),
    Column("subject", Text),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("blob", Text),                                   # NULL once disposed of
    Column("result_name", Text),
    Column("result_size", BigInteger),
    Column("result_sha256", Text),                          # NULL once disposed of, and before there is a result
    Column("result_kind", Text),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Float),
    Column("lease_token", Text),
    Column("client", Text, nullable=False),
    Column("smtputf8", Boolean(create_constraint=False), nullable=False),
    Column("wishes", Text, nullable=False, server_default=""),     # what the sender wants to hear (RFC 3461), JSON; empty: the usual
    Column("policy", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("notice", Text),                                 # NULL, `owed` or `queued`: one notice a transfer, ever
    Column("turn", Float, nullable=False, server_default="0"),      # when it is worked on among those of its organisation
    Index(None, "state", "id"),
    Index("ix_transfers_received", "received_at", "verdict", "result_kind", "sender"),      # all that a chart asks for
    Index(None, "blob"),
    Index(None, "result_sha256"),
    Index(None, "sender", "id"),                            # what the administration asks for, the youngest first
    Index(None, "sha256", "id"),
    Index(None, "reason", "id"),
    Index(None, "organisation", "id"),
    Index("ix_transfers_notice", "notice"),
    Index("ix_transfers_waiting", "organisation", "turn", "id", sqlite_where=WAITING, postgresql_where=WAITING),
    sqlite_autoincrement=True,                              # an id is never given twice
)

transfer_recipients = Table(
    "transfer_recipients",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Index(None, "address", "transfer_id"),
)

# What a transfer is found by, folded; SQLite has an index over it that is no table of ours (`gateway.storage.text_search`).
search_texts = Table(
    "search_texts",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

# 取込み票: what a person said of a file when he brought it.
slips = Table(
    "slips",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True, autoincrement=False),
    Column("purpose", Text, nullable=False),
    Column("classification", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("approval", Text, nullable=False),               # empty, `needed` or `given`
)

# Beside the transfer, so that the table of transfers stays narrow.
reports = Table(
    "reports",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True, autoincrement=False),
    Column("report", LargeBinary),                          # the Report as JSON, zlib
    Column("receipt", Text),                                # the signed receipt of a delivery, JSON
)

# How many passwords were tried on a locked transfer since one last opened something. Never which.
password_tries = Table(
    "password_tries",
    metadata,
    Column("transfer_id", Id, ForeignKey("transfers.id"), primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("transfer_id", Id, ForeignKey("transfers.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("blob", Text),                                   # NULL once disposed of
    Column("size", BigInteger, nullable=False),
    Column("smtputf8", Boolean(create_constraint=False), nullable=False),
    Column("first_at", Float, nullable=False),
    Column("next_due", Float),                              # NULL when nobody waits any more
    Column("lease_until", Float),
    Column("lease_token", Text),
    Index(None, "next_due"),
    Index(None, "transfer_id"),
    Index(None, "blob"),
    Index("ix_deliveries_lease_until", "lease_until"),
    sqlite_autoincrement=True,
)

delivery_recipients = Table(
    "delivery_recipients",
    metadata,
    Column("delivery_id", Id, ForeignKey("deliveries.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Float),
    Column("code", Integer, nullable=False),
    Column("enhanced", Text, nullable=False),
    Column("text", Text, nullable=False),
)

# The times at which digests of held mail went out, seconds since 1970.
digests = Table(
    "digests",
    metadata,
    Column("slot", Float, primary_key=True),
    Column("sent_at", Float, nullable=False),
)
