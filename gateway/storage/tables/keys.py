"""Under which names and keys the bytes of blobs lie, where a store does not name them by their digest."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Table, Text

from gateway.storage.tables.schema import Id, metadata

# One key after another for each organisation; the youngest that is not retired seals what is new.
organisation_keys = Table(
    "organisation_keys",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("organisation", Text, nullable=False),
    Column("wrapped", Text, nullable=False),                # under the master key; empty once it was destroyed
    Column("master", Text, nullable=False),                 # which master key that was
    Column("made_at", Float, nullable=False),
    Column("retired_at", Float),
    Column("destroyed_at", Float),
    Index(None, "organisation"),
    sqlite_autoincrement=True,
)

# Where a blob lies: each time it was put it got another copy under a name of its own, and a key of its own.
blob_copies = Table(
    "blob_copies",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("digest", Text, nullable=False),                 # SHA-256 of the blob itself
    Column("size", BigInteger, nullable=False),             # of the blob, in bytes
    Column("name", Text, nullable=False, unique=True),      # of what is kept
    Column("key_id", Id, ForeignKey("organisation_keys.id")),       # NULL: not sealed
    Column("wrapped", Text, nullable=False),                # its own key under that one; empty once it was destroyed, or not sealed
    Column("made_at", Float, nullable=False),
    Column("gone_at", Float),                               # given up; what is still kept under the name says nothing any more
    Index(None, "digest"),
    Index(None, "key_id"),
    Index(None, "made_at"),
    sqlite_autoincrement=True,
)
