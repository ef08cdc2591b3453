"""Requests that need a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        *(_text(name) for name in ("kind", "subject", "detail", "state")),
        sa.Column("requester_id", _ID, nullable=False),
        _text("persons"),
        sa.Column("department_id", _ID),
        _text("reason"),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("unavoidable", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("requested_at", "step_at", "expires_at", "changed_at")),
        sa.Column("carried_out_at", sa.Float()),
        sa.ForeignKeyConstraint(["requester_id"], ["accounts.id"], name="fk_requests_requester_id"),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name="fk_requests_department_id"),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sqlite_autoincrement=True,
    )
    for column in ("state", "subject", "requester_id"):
        op.create_index(f"ix_requests_{column}", "requests", [column])
    op.create_table(
        "decisions",
        sa.Column("request_id", _ID, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("principal_id", _ID),
        _text("person"),
        _text("decision"),
        sa.Column("inspected", sa.Boolean(), nullable=False),
        _text("note"),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["requests.id"], name="fk_decisions_request_id"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_decisions_account_id"),
        sa.ForeignKeyConstraint(["principal_id"], ["accounts.id"], name="fk_decisions_principal_id"),
        sa.PrimaryKeyConstraint("request_id", "step", name="pk_decisions"),
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)
