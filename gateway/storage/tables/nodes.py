"""Who is at work on this journal, where several are."""

from __future__ import annotations

from sqlalchemy import Column, Float, Table, Text

from gateway.storage.tables.schema import metadata

nodes = Table(
    "nodes",
    metadata,
    Column("process", Text, primary_key=True),              # how the lease tokens of that process begin
    Column("name", Text, nullable=False),                   # of the machine
    Column("roles", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", Float, nullable=False),            # by the clock of the database, as all times here
    Column("seen_at", Float, nullable=False),
)
