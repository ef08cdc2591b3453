"""Organisations, departments, second factors."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _columns()
    _departments()
    _groups_and_absences()
    _second_factors()
    # Until somebody says otherwise, each account is a human being of its own.
    op.execute("UPDATE accounts SET person = login, password_set_at = created_at")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default="0")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default="")


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _of(table: str, column: str, other: str = "accounts") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")


def _columns() -> None:
    added: dict[str, tuple[sa.Column[Any], ...]] = {
        "accounts": (
            _text("person"), _flag("shared"), sa.Column("password_set_at", sa.Float(), nullable=False, server_default="0"),
            sa.Column("last_logout_at", sa.Float()), sa.Column("failed_since", sa.Integer(), nullable=False, server_default="0"),
            _text("directory"), _text("federated"),
        ),
        "sessions": (
            sa.Column("previous_at", sa.Float()), _text("previous_from"), sa.Column("previous_logout_at", sa.Float()),
            sa.Column("failed_since", sa.Integer(), nullable=False, server_default="0"), _flag("new_terminal"), _flag("confirmed"),
            sa.Column("elevated_until", sa.Float(), nullable=False, server_default="0"), _text("challenge"),
        ),
        "tokens": (_text("scope"),),
    }  # fmt: skip
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)


def _departments() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _key("organisations", "id"),
        sa.UniqueConstraint("name", name="uq_organisations_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "departments",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("organisation_id", _ID, nullable=False),
        sa.Column("parent_id", _ID),
        sa.Column("name", sa.Text(), nullable=False),
        _flag("closed"),
        _of("departments", "organisation_id", "organisations"),
        _of("departments", "parent_id", "departments"),
        _key("departments", "id"),
        sa.UniqueConstraint("organisation_id", "name", name="uq_departments_organisation_id_name"),
        sqlite_autoincrement=True,
    )
    _pairs("memberships", ("account_id", "accounts"), ("department_id", "departments"), _flag("main"), _flag("head"))
    op.create_index("ix_memberships_department_id", "memberships", ["department_id"])


def _pairs(name: str, one: tuple[str, str], other: tuple[str, str], *columns: sa.Column[bool]) -> None:
    op.create_table(
        name,
        sa.Column(one[0], _ID, nullable=False),
        sa.Column(other[0], _ID, nullable=False),
        *columns,
        _of(name, *one),
        _of(name, *other),
        _key(name, one[0], other[0]),
    )


def _groups_and_absences() -> None:
    _pairs("shared_members", ("account_id", "accounts"), ("member_id", "accounts"))
    op.create_table(
        "groups",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        _key("groups", "id"),
        sa.UniqueConstraint("name", name="uq_groups_name"),
        sqlite_autoincrement=True,
    )
    _pairs("group_members", ("group_id", "groups"), ("account_id", "accounts"))
    op.create_index("ix_group_members_account_id", "group_members", ["account_id"])
    op.create_table(
        "absences",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("delegate_id", _ID),
        sa.Column("from_at", sa.Float(), nullable=False),
        sa.Column("until_at", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _of("absences", "account_id"),
        _of("absences", "delegate_id"),
        _key("absences", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_absences_account_id", "absences", ["account_id"])


def _second_factors() -> None:
    op.create_table(
        "terminals",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        _of("terminals", "account_id"),
        _key("terminals", "account_id", "client"),
    )
    op.create_table(
        "second_factors",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        _text("credential"),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        _flag("active"),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("used_at", sa.Float()),
        _of("second_factors", "account_id"),
        _key("second_factors", "id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_second_factors_account_id", "second_factors", ["account_id"])
    op.create_table(
        "recovery_codes",
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        _of("recovery_codes", "account_id"),
        _key("recovery_codes", "value_hash"),
    )
    op.create_index("ix_recovery_codes_account_id", "recovery_codes", ["account_id"])
