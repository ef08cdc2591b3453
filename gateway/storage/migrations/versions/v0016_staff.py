"""How each person wants pages to be; what a box may hold and what its people were told of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("preferences", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "boxes",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("quota", sa.BigInteger()),
        sa.Column("told", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("address", name="pk_boxes"),
    )
