"""Transfers with their recipients, reports and deliveries; receipt numbers; the audit record that only grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.storage.migrations.only_grow import only_grow_on_postgresql

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "receipt_numbers",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_receipt_numbers"),
    )
    _transfers()
    _reports()
    _deliveries()
    _audit()


def _transfers() -> None:
    op.create_table(
        "transfers",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("receipt_no", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text()),
        *(sa.Column(f"result_{name}", kind) for name, kind in _RESULT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.Float()),
        sa.Column("lease_token", sa.Text()),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("smtputf8", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("policy", "rules", "note")),
        sa.Column("notice", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_transfers"),
        sa.UniqueConstraint("receipt_no", name="uq_transfers_receipt_no"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_transfers_state_id", "transfers", ["state", "id"])
    for column in ("received_at", "blob", "result_sha256", "sender", "notice"):
        op.create_index(f"ix_transfers_{column}", "transfers", [column])


_RESULT = (("name", sa.Text()), ("size", sa.BigInteger()), ("sha256", sa.Text()), ("kind", sa.Text()))


def _reports() -> None:
    op.create_table(
        "transfer_recipients",
        sa.Column("transfer_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_transfer_recipients_transfer_id"),
        sa.PrimaryKeyConstraint("transfer_id", "position", name="pk_transfer_recipients"),
    )
    op.create_index("ix_transfer_recipients_address", "transfer_recipients", ["address"])
    op.create_table(
        "reports",
        sa.Column("transfer_id", _ID, autoincrement=False, nullable=False),
        sa.Column("report", sa.LargeBinary()),
        sa.Column("receipt", sa.Text()),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_reports_transfer_id"),
        sa.PrimaryKeyConstraint("transfer_id", name="pk_reports"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("transfer_id", _ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("blob", sa.Text()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("smtputf8", sa.Boolean(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("next_due", sa.Float()),
        sa.Column("lease_until", sa.Float()),
        sa.Column("lease_token", sa.Text()),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_deliveries_transfer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sqlite_autoincrement=True,
    )
    for column in ("next_due", "transfer_id", "blob", "lease_until"):
        op.create_index(f"ix_deliveries_{column}", "deliveries", [column])
    op.create_table(
        "delivery_recipients",
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.Float()),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("enhanced", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_delivery_recipients_delivery_id"),
        sa.PrimaryKeyConstraint("delivery_id", "position", name="pk_delivery_recipients"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _ID, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("at", "actor", "action", "subject", "detail")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("prev_hash", "hash")),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])
    if op.get_bind().dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'the audit record only grows'); END"
        op.execute(f"CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit {refuse}")
        op.execute(f"CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit {refuse}")
        # INSERT OR REPLACE deletes without asking the trigger above.
        is_old = "NEW.seq <= (SELECT max(seq) FROM audit)"
        op.execute(f"CREATE TRIGGER audit_refuses_replace BEFORE INSERT ON audit WHEN {is_old} {refuse}")
    else:
        only_grow_on_postgresql("audit")
