"""What came over from the outer side, on the inner one."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text

from gateway.storage.tables.schema import Id, metadata

# One row for each time that something came over whole; the same thing may come again, its papers never.
crossings = Table(
    "crossings",
    metadata,
    Column("nonce", Text, primary_key=True),                # of these papers, used once
    Column("crossing", Text, nullable=False),               # what came, whatever papers it came with
    Column("key", Text, nullable=False),                    # who signed
    Column("sha256", Text, nullable=False),
    Column("transfer_id", Id, ForeignKey("transfers.id")),  # NULL: a message about one that stayed outside
    Column("sent_at", Float, nullable=False),
    Column("at", Float, nullable=False),
    Column("cleared", Float),                               # when the file that brought it was put away; NULL: not yet, or none
    Index(None, "crossing"),
    Index(None, "at"),
)
