"""受取箱: what is said of one beyond what lies in it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from gateway.storage.tables.schema import metadata

# By the address of the box (a log-in name, `department:7`, `group:2`, `person:tanaka`).
boxes = Table(
    "boxes",
    metadata,
    Column("address", Text, primary_key=True),
    Column("quota", BigInteger),                                # bytes; NULL: what the settings say
    Column("told", Integer, nullable=False, server_default="0"),    # 80 or 100: how full it was when its people were told last; 0: not
)
