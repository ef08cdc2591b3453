"""Turns in the queue, results that may be given again, exceptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _queue()
    _results()
    _exceptions()


def _queue() -> None:
    op.add_column("transfers", sa.Column("turn", sa.Float(), nullable=False, server_default="0"))
    op.execute("UPDATE transfers SET turn = received_at")
    waiting = sa.text("state = 'received'")
    columns = ["organisation", "turn", "id"]
    op.create_index("ix_transfers_waiting", "transfers", columns, sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "turns",
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("had", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("organisation", name="pk_turns"),
    )


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("transfer_id", _ID, nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("result_sha256", sa.Text(), nullable=False),
        sa.Column("report_sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_results_transfer_id"),
        sa.PrimaryKeyConstraint("key", name="pk_results"),
    )
    op.create_index("ix_results_made_at", "results", ["made_at"])


def _exceptions() -> None:
    op.create_table(
        "exceptions",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("number", "request", "kind", "action", "sha256", "sender", "account")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "requester", "approver")),
        sa.Column("granted_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("revoked_at", sa.Float()),
        sa.Column("revoked_by", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.Float()),
        sa.PrimaryKeyConstraint("id", name="pk_exceptions"),
        sa.UniqueConstraint("number", name="uq_exceptions_number"),
        sa.UniqueConstraint("request", name="uq_exceptions_request"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exceptions_expires_at", "exceptions", ["expires_at"])
