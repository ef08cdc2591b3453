"""SQLite's index over texts, of runs of three characters; what the charts ask for, in an index of their own."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.drop_index("ix_transfers_received_at", "transfers")
    op.create_index("ix_transfers_received", "transfers", ["received_at", "verdict", "result_kind", "sender"])
    if op.get_context().dialect.name == "sqlite":
        from gateway.storage import text_search  # noqa: PLC0415 - as it was at this version or later, the index is made by its reader

        text_search.renew(op.get_bind())
