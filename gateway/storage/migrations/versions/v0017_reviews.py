"""Reviews, evidence, visits and drills; and an index over texts for PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Every run of three neighbouring characters of a text, each once: what `gateway.storage.text_search` asks for. Three passes of one
# expression, each a place further on: a hundred times quicker than a loop over places. COST: it is asked last.
_PIECES = r"""
CREATE FUNCTION search_pieces(written text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
    SELECT array_to_tsvector(array_remove(
        string_to_array(regexp_replace(written, '(...)', E'\\1\x01', 'g'), E'\x01')
        || string_to_array(regexp_replace(substr(written, 2), '(...)', E'\\1\x01', 'g'), E'\x01')
        || string_to_array(regexp_replace(substr(written, 3), '(...)', E'\\1\x01', 'g'), E'\x01'), ''))
$$
"""


def upgrade() -> None:
    _evidence()
    _reviews()
    _visits()
    _drills()
    if op.get_context().dialect.name == "postgresql":
        op.execute(_PIECES)
        op.execute("CREATE INDEX ix_search_texts_pieces ON search_texts USING gin (search_pieces(text))")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), nullable=nullable) for name in names]


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    key = sa.PrimaryKeyConstraint("id", name=f"pk_{name}")
    op.create_table(name, sa.Column("id", _ID, autoincrement=True, nullable=False), *columns, key, sqlite_autoincrement=True)


def _evidence() -> None:
    _table(
        "evidence",
        sa.Column("transfer_id", _ID, nullable=False),
        *_moments("since"),
        *_texts("actor", "reason"),
        *_moments("ended_at", nullable=True),
        *_texts("ended_by"),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_evidence_transfer_id_transfers"),
    )
    op.create_index("ix_evidence_transfer_id", "evidence", ["transfer_id"])


def _reviews() -> None:
    _table(
        "reviews",
        *_texts("number"),
        *_moments("begun_at"),
        *_texts("begun_by"),
        *_moments("due_at"),
        *_moments("closed_at", nullable=True),
        *_texts("closed_by", "note"),
        sa.UniqueConstraint("number", name="uq_reviews_number"),
    )
    op.create_table(
        "review_rows",
        sa.Column("review_id", _ID, nullable=False),
        *_texts("login", "facts", "decision"),
        *_moments("decided_at", nullable=True),
        *_texts("decided_by", "note"),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name="fk_review_rows_review_id_reviews"),
        sa.PrimaryKeyConstraint("review_id", "login", name="pk_review_rows"),
    )


def _visits() -> None:
    _table(
        "visits",
        sa.Column("account_id", _ID, nullable=False),
        *_moments("from_at", "until_at"),
        *_texts("purpose", "request", "requester", "approver"),
        *_moments("ended_at", nullable=True),
        *_texts("ended_by"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_visits_account_id_accounts"),
    )
    op.create_index("ix_visits_account_id", "visits", ["account_id"])


def _drills() -> None:
    _table(
        "drills",
        *_texts("number", "kind"),
        *_moments("at", "seconds"),
        *_texts("outcome", "actor", "note"),
        sa.UniqueConstraint("number", name="uq_drills_number"),
    )
