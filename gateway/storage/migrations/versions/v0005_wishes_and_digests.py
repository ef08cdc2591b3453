"""What a sender wants to hear of a mail (RFC 3461), and the digests of held mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("transfers", sa.Column("wishes", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "digests",
        sa.Column("slot", sa.Float(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("slot", name="pk_digests"),
    )
