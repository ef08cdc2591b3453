"""Keys that originals are kept under, and the names they are kept under."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "organisation_keys",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("master", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("retired_at", sa.Float()),
        sa.Column("destroyed_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_organisation_keys"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_organisation_keys_organisation", "organisation_keys", ["organisation"])
    op.create_table(
        "blob_copies",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_id", _ID),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("gone_at", sa.Float()),
        sa.ForeignKeyConstraint(["key_id"], ["organisation_keys.id"], name="fk_blob_copies_key_id_organisation_keys"),
        sa.PrimaryKeyConstraint("id", name="pk_blob_copies"),
        sa.UniqueConstraint("name", name="uq_blob_copies_name"),
        sqlite_autoincrement=True,
    )
    for column in ("digest", "key_id", "made_at"):
        op.create_index(f"ix_blob_copies_{column}", "blob_copies", [column])
