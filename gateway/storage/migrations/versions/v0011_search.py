"""Texts to search by, and the indexes that the administration's questions need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_TEXTS = """
SELECT t.id, t.receipt_no || char(10) || t.sender || char(10) || coalesce(t.subject, '') || char(10) || t.name || char(10)
    || coalesce(t.result_name, '') || char(10) || t.sha256
FROM transfers t WHERE t.id > :after ORDER BY t.id LIMIT 1000
"""


def upgrade() -> None:
    op.create_table(
        "search_texts",
        sa.Column("transfer_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_search_texts_transfer_id_transfers"),
        sa.PrimaryKeyConstraint("transfer_id", name="pk_search_texts"),
    )
    op.drop_index("ix_transfer_recipients_address", "transfer_recipients")
    op.create_index("ix_transfer_recipients_address_transfer_id", "transfer_recipients", ["address", "transfer_id"])
    op.drop_index("ix_transfers_sender", "transfers")
    for columns in (("sender", "id"), ("sha256", "id"), ("reason", "id"), ("organisation", "id")):
        op.create_index(f"ix_transfers_{'_'.join(columns)}", "transfers", list(columns))
    if op.get_context().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE search_grams USING fts5(grams, content='', tokenize='ascii')")
    _fill()


def _fill() -> None:
    """What there is already, without the recipients: they are found by their own index."""
    from gateway.storage import text_search  # noqa: PLC0415 - as it was at this version or later, the index is made by its reader

    connection, after = op.get_bind(), 0
    while rows := connection.execute(sa.text(_TEXTS.replace("char(10)", _NEWLINE[connection.dialect.name])), {"after": after}).all():
        for transfer_id, text in rows:
            text_search.put(connection, transfer_id, text.split("\n"))
        after = rows[-1][0]


_NEWLINE = {"sqlite": "char(10)", "postgresql": "chr(10)"}
