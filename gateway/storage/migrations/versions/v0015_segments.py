"""What goes over to the inner side."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "crossings",
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("crossing", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("transfer_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=True),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("cleared", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_crossings_transfer_id_transfers"),
        sa.PrimaryKeyConstraint("nonce", name="pk_crossings"),
    )
    op.create_index("ix_crossings_crossing", "crossings", ["crossing"])
    op.create_index("ix_crossings_at", "crossings", ["at"])
