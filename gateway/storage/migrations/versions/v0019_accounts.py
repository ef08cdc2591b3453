"""On whose word a delegate acts; how somebody is employed, and what of the drop and of mail is permitted to him."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("absences", sa.Column("approval", sa.Text(), nullable=False, server_default=""))
    op.add_column("accounts", sa.Column("employment", sa.Text(), nullable=False, server_default="regular"))
    # Whoever is here already keeps what he can do.
    for name in ("may_drop", "may_mail"):
        op.add_column("accounts", sa.Column(name, sa.Boolean(create_constraint=False), nullable=False, server_default="1"))
    op.create_table(
        "permits",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_permits_account_id_accounts"),
        sa.PrimaryKeyConstraint("account_id", "feature", name="pk_permits"),
    )
