"""Accounts, their sessions and tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "role", "password_hash")),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Float(), nullable=False),
        sa.Column("last_login_at", sa.Float()),
        sa.Column("last_login_from", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("login", name="uq_accounts_login"),
        sqlite_autoincrement=True,
    )
    _held_by_account("sessions", ("face", sa.Text()), ("created_at", sa.Float()), ("seen_at", sa.Float()), ("client", sa.Text()))
    _held_by_account("tokens", ("title", sa.Text()), ("created_at", sa.Float()), ("expires_at", sa.Float()))


def _held_by_account(name: str, *columns: tuple[str, sa.Text | sa.Float[float]]) -> None:
    op.create_table(
        name,
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        *(sa.Column(column, kind, nullable=False) for column, kind in columns),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=f"fk_{name}_account_id"),
        sa.PrimaryKeyConstraint("value_hash", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_account_id", name, ["account_id"])
