"""People and machines: accounts, sessions, tokens."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from gateway.storage.tables.schema import Id, metadata

# People and machines that may log in. Passwords as argon2id, session and token values as SHA-256.
accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("mail", Text, nullable=False, server_default=""),    # address whose mails this person may open; empty: none
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("must_change", Boolean(create_constraint=False), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Float, nullable=False),
    Column("last_login_at", Float),
    Column("last_login_from", Text, nullable=False),
    Column("disabled", Boolean(create_constraint=False), nullable=False),
    Column("created_at", Float, nullable=False),
    sqlite_autoincrement=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("value_hash", Text, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("face", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("client", Text, nullable=False),
    Index(None, "account_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("value_hash", Text, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index(None, "account_id"),
)
