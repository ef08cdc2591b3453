"""People and machines: organisations, departments, accounts, sessions, second factors, tokens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from gateway.storage.tables.schema import Id, metadata


def _flag(name: str, default: str = "0") -> Column[bool]:
    return Column(name, Boolean(create_constraint=False), nullable=False, server_default=default)


# 団体: one installation may serve one town or thirty.
organisations = Table(
    "organisations",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

# 部・課・係, each below at most one other.
departments = Table(
    "departments",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("organisation_id", Id, ForeignKey("organisations.id"), nullable=False),
    Column("parent_id", Id, ForeignKey("departments.id")),
    Column("name", Text, nullable=False),
    _flag("closed"),                                        # nobody belongs to it any more; what it owned stays
    UniqueConstraint("organisation_id", "name"),
    sqlite_autoincrement=True,
)

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
    Column("person", Text, nullable=False, server_default=""),      # the human being behind it; several accounts may have one
    _flag("shared"),                                                # 共用ID: its members stand in shared_members
    Column("password_set_at", Float, nullable=False, server_default="0"),
    Column("last_logout_at", Float),
    Column("failed_since", Integer, nullable=False, server_default="0"),    # wrong passwords since the last log-in
    Column("directory", Text, nullable=False, server_default=""),           # distinguished name: the password is asked there
    Column("federated", Text, nullable=False, server_default=""),           # issuer and subject of single sign-on
    Column("preferences", Text, nullable=False, server_default=""),         # words of `gateway.web.view`, how pages are to be
    Column("employment", Text, nullable=False, server_default="regular"),   # 任用の区分, see `people.employment`
    _flag("may_drop", "1"),                                                 # may bring files in
    _flag("may_mail", "1"),                                                 # may receive mail
    sqlite_autoincrement=True,
)

# Who permitted the drop or mail to an account that had to be given it, when and why; taken back, the row is gone.
permits = Table(
    "permits",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("feature", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

# 主務 and 兼務; `head`: 所属長 of that department.
memberships = Table(
    "memberships",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("department_id", Id, ForeignKey("departments.id"), primary_key=True),
    _flag("main"),
    _flag("head"),
    Index(None, "department_id"),
)

# Those who may use a shared account: what it asks for, none of them may approve.
shared_members = Table(
    "shared_members",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("member_id", Id, ForeignKey("accounts.id"), primary_key=True),
)

# Restricted groups of named people, across departments.
groups = Table(
    "groups",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", Id, ForeignKey("groups.id"), primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Index(None, "account_id"),
)

# 不在と代決: while it lasts, the delegate acts with that person's authority; without one, the next in the chain is asked.
absences = Table(
    "absences",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("delegate_id", Id, ForeignKey("accounts.id")),
    Column("from_at", Float, nullable=False),
    Column("until_at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approval", Text, nullable=False, server_default=""),    # request by which the CISO approved a privileged person's delegate
    Index(None, "account_id"),
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
    # What was known when it began, shown as long as it lasts.
    Column("previous_at", Float),
    Column("previous_from", Text, nullable=False, server_default=""),
    Column("previous_logout_at", Float),
    Column("failed_since", Integer, nullable=False, server_default="0"),
    _flag("new_terminal"),
    _flag("confirmed"),                                             # the second factor was shown
    Column("elevated_until", Float, nullable=False, server_default="0"),
    Column("challenge", Text, nullable=False, server_default=""),   # of a passkey that is being asked for
    Index(None, "account_id"),
)

# From where an account has logged in before.
terminals = Table(
    "terminals",
    metadata,
    Column("account_id", Id, ForeignKey("accounts.id"), primary_key=True),
    Column("client", Text, primary_key=True),
    Column("seen_at", Float, nullable=False),
)

# TOTP secrets sealed with the installation's key; passkeys as public keys.
second_factors = Table(
    "second_factors",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("credential", Text, nullable=False, server_default=""),  # id of a passkey; empty for TOTP
    Column("secret", Text, nullable=False),                         # base64: sealed secret, or public key
    Column("counter", BigInteger, nullable=False),                  # last time step or signature count that was seen
    _flag("active"),                                                # a first code has shown that it works
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
    Index(None, "account_id"),
    sqlite_autoincrement=True,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("value_hash", Text, primary_key=True),
    Column("account_id", Id, ForeignKey("accounts.id"), nullable=False),
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
    Column("scope", Text, nullable=False, server_default=""),       # names of faces, comma-separated; empty: all
    Index(None, "account_id"),
)
