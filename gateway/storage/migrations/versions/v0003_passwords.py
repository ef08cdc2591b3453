"""Tries of passwords on locked transfers, and the mail address of a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "password_tries",
        sa.Column("transfer_id", _ID, autoincrement=False, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_password_tries_transfer_id"),
        sa.PrimaryKeyConstraint("transfer_id", name="pk_password_tries"),
    )
    op.add_column("accounts", sa.Column("mail", sa.Text(), nullable=False, server_default=""))
