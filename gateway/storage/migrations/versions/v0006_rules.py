"""Rule sets and policy documents as they were published, and their back-tests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.storage.migrations.only_grow import only_grow_on_postgresql

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _versions()
    _backtests()
    _matches()
    _only_grow("versions", "version_steps", "publications")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _floats(*names: str) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), nullable=False) for name in names]


def _id() -> sa.Column[int]:
    return sa.Column("id", _ID, autoincrement=True, nullable=False)


def _versions() -> None:
    op.create_table(
        "versions",
        _id(),
        *_texts("subject", "version", "sha256"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *_texts("author"),
        *_floats("at"),
        *_texts("note"),
        sa.Column("based_on", _ID),
        sa.ForeignKeyConstraint(["based_on"], ["versions.id"], name="fk_versions_based_on"),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_versions_subject_id", "versions", ["subject", "id"])
    op.create_table(
        "version_steps",
        _id(),
        sa.Column("version_id", _ID, nullable=False),
        *_texts("stage"),
        *_floats("at"),
        *_texts("actor", "reason"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_version_steps_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_version_steps"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_version_steps_version_id_id", "version_steps", ["version_id", "id"])
    op.create_table(
        "publications",
        _id(),
        *_texts("subject"),
        sa.Column("version_id", _ID, nullable=False),
        *_floats("at"),
        *_texts("actor", "reason"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_publications_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_publications_subject_id", "publications", ["subject", "id"])


def _backtests() -> None:
    op.create_table(
        "backtests",
        _id(),
        sa.Column("version_id", _ID, nullable=False),
        sa.Column("against", _ID),
        *_texts("state", "asked_by"),
        *_floats("asked_at", "since"),
        sa.Column("lease_until", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        *_texts("summary"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_backtests_version_id"),
        sa.ForeignKeyConstraint(["against"], ["versions.id"], name="fk_backtests_against"),
        sa.PrimaryKeyConstraint("id", name="pk_backtests"),
        sqlite_autoincrement=True,
    )
    for column in ("version_id", "state"):
        op.create_index(f"ix_backtests_{column}", "backtests", [column])
    op.create_table(
        "backtest_differences",
        _id(),
        sa.Column("backtest_id", _ID, nullable=False),
        sa.Column("transfer_id", _ID),
        *_texts("name", "organisation", "new", "lost"),
        sa.Column("before", sa.Text()),
        *_texts("after"),
        sa.ForeignKeyConstraint(["backtest_id"], ["backtests.id"], name="fk_backtest_differences_backtest_id"),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_backtest_differences_transfer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_backtest_differences"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backtest_differences_backtest_id_id", "backtest_differences", ["backtest_id", "id"])


def _matches() -> None:
    op.create_table(
        "rule_matches",
        sa.Column("transfer_id", _ID, autoincrement=False, nullable=False),
        *_texts("rule"),
        *_floats("at"),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_rule_matches_transfer_id"),
        sa.PrimaryKeyConstraint("transfer_id", "rule", name="pk_rule_matches"),
    )
    op.create_index("ix_rule_matches_rule_at", "rule_matches", ["rule", "at"])
    op.create_table(
        "rescans",
        _id(),
        *_texts("cause"),
        *_floats("started_at"),
        sa.Column("lease_until", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("next_id", _ID),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rescans"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "late_hits",
        sa.Column("transfer_id", _ID, autoincrement=False, nullable=False),
        *_texts("name"),
        *_floats("at"),
        *_texts("received_by"),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_late_hits_transfer_id"),
        sa.PrimaryKeyConstraint("transfer_id", "name", name="pk_late_hits"),
    )
    op.create_table(
        "bundles",
        sa.Column("serial", _ID, autoincrement=False, nullable=False),
        *_texts("sha256", "key_id"),
        *_floats("at"),
        *_texts("actor"),
        sa.PrimaryKeyConstraint("serial", name="pk_bundles"),
    )


def _only_grow(*tables: str) -> None:
    """As the audit record: what was agreed to cannot become something else."""
    if op.get_bind().dialect.name != "sqlite":
        only_grow_on_postgresql(*tables)
        return
    for table in tables:
        refuse = f"BEGIN SELECT RAISE(ABORT, '{table} only grow'); END"
        op.execute(f"CREATE TRIGGER {table}_refuse_update BEFORE UPDATE ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER {table}_refuse_delete BEFORE DELETE ON {table} {refuse}")
        # INSERT OR REPLACE deletes without asking the trigger above.
        is_old = f"NEW.id IN (SELECT id FROM {table})"  # noqa: S608 - our own names
        op.execute(f"CREATE TRIGGER {table}_refuse_replace BEFORE INSERT ON {table} WHEN {is_old} {refuse}")
