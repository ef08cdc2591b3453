"""The registers of the administration: what happened, who is told, what was looked at and signed, what was printed, what was given up."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from gateway.storage.tables.schema import Id, metadata

# 事案: an incident of security, or a fault (障害); both are written down with the same fields.
incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("register", Text, nullable=False),  # incident or fault
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("transfer_id", Id, ForeignKey("transfers.id")),
    Column("receipt_no", Text, nullable=False),  # of the transfer it was drawn from; empty: none
    Column("title", Text, nullable=False),
    Column("occurred_at", Float),  # 発生日時
    Column("noticed_at", Float, nullable=False),  # 認知日時
    Column("recovered_at", Float),  # 復旧日時
    Column("scope", Text, nullable=False),  # 影響範囲
    Column("response", Text, nullable=False),  # 対応
    Column("cause", Text, nullable=False),  # 原因
    Column("prevention", Text, nullable=False),  # 再発防止
    Column("reported_to", Text, nullable=False),  # 報告先
    Column("opened_by", Text, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("acknowledged_at", Float),  # somebody of the chain took it on
    Column("acknowledged_by", Text, nullable=False),
    Column("told_level", Integer, nullable=False),  # how far up the chain it was told
    Column("told_at", Float),
    Column("closed_at", Float),
    Column("closed_by", Text, nullable=False),
    Index(None, "register", "state", "id"),
    Index(None, "receipt_no"),
    sqlite_autoincrement=True,
)

# Only ever grows: opened, told, acknowledged, changed, noted, closed, opened again.
incident_steps = Table(
    "incident_steps",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("incident_id", Id, ForeignKey("incidents.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "incident_id", "id"),
    sqlite_autoincrement=True,
)

# お知らせ: what staff read on their pages from one moment to another.
announcements = Table(
    "announcements",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("tone", Text, nullable=False),  # ok, wait or stop, as the pages colour it
    Column("faces", Text, nullable=False),  # where it is shown: drop, pickup or both
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("author", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("withdrawn_at", Float),
    Column("withdrawn_by", Text, nullable=False),
    Index(None, "ends_at"),
    sqlite_autoincrement=True,
)

# 緊急連絡網. `level`: whose turn it is in the chain, from 1; 0 is told nothing by itself (a vendor, the prefecture).
contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("level", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mail", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("phone_after_hours", Text, nullable=False),
    Column("minutes", Integer, nullable=False),  # without an answer the next one is told after so many
    Column("note", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("removed_at", Float),
    sqlite_autoincrement=True,
)

# 点検・確認の記録: one word of one person on one subject of one period. Only ever grows.
signoffs = Table(
    "signoffs",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("subject", Text, nullable=False),  # a register or an inspection of the record
    Column("period", Text, nullable=False),  # 2026-11, 2026-Q3, 2026 (年度)
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("seen", Integer, nullable=False),  # how many rows he had before him
    Column("sha256", Text, nullable=False),  # of these rows as canonical JSON
    Column("good", Boolean(create_constraint=False), nullable=False),  # nothing was found that needs a deed
    Column("note", Text, nullable=False),
    UniqueConstraint("subject", "period"),
    sqlite_autoincrement=True,
)

# What was printed under a number (文書番号), as it was printed.
documents = Table(
    "documents",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),  # number of the incident, period of the report
    Column("title", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary),  # NULL once its time was over
    Index(None, "kind", "subject"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

# 廃棄記録. Only ever grows.
disposals = Table(
    "disposals",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("what", Text, nullable=False),  # class of retention
    Column("at", Float, nullable=False),
    Column("actor", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("oldest", Text, nullable=False),  # first and last of what was given up, as their kind is called
    Column("youngest", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON
    Index(None, "what", "id"),
    sqlite_autoincrement=True,
)

# Up to where the beginning of the audit record was given up after its time. Only ever grows; nothing else lets a row of it go.
audit_cuts = Table(
    "audit_cuts",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),  # the last row that is gone
    Column("hash", Text, nullable=False),
    Column("at", Float, nullable=False),
)

# 調査: nobody searches the record of people's deeds without one.
investigations = Table(
    "investigations",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("number", Text, nullable=False, unique=True),
    Column("purpose", Text, nullable=False),
    Column("ordered_by", Text, nullable=False),  # on whose order (依頼元)
    Column("opened_by", Text, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("closed_at", Float),
    Column("closed_by", Text, nullable=False),
    Column("queries", Integer, nullable=False),
    sqlite_autoincrement=True,
)

# Mails of the house that speak of no transfer: reports, reminders, calls for somebody. One recipient each.
letters = Table(
    "letters",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("recipient", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("content", LargeBinary),  # RFC 5322; NULL once it is at its end
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_at", Float, nullable=False),
    Column("next_due", Float),  # NULL when it is at its end
    Column("lease_until", Float),
    Column("lease_token", Text),
    Column("text", Text, nullable=False),  # what the next hop said last
    Index(None, "next_due"),
    sqlite_autoincrement=True,
)
