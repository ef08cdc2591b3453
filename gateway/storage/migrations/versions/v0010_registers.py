"""The registers of the administration, letters of the house, and the one way in which the audit record loses its beginning."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.storage.migrations.only_grow import only_grow_on_postgresql

revision = "0010"
down_revision = "0009"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _incidents()
    _announcements_and_contacts()
    _proofs()
    _letters()
    for name in ("risk", "alternative"):
        op.add_column("exceptions", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    _only_grow("incident_steps", "signoffs", "disposals")
    _cut_of_the_record()
    deeds = sa.text("actor <> 'road'")
    op.create_index("ix_audit_deeds", "audit", ["action", "seq"], sqlite_where=deeds, postgresql_where=deeds)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _floats(*names: str, nullable: bool = False) -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(), nullable=nullable) for name in names]


def _wholes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    key = sa.PrimaryKeyConstraint("id", name=f"pk_{name}")
    op.create_table(name, sa.Column("id", _ID, autoincrement=True, nullable=False), *columns, key, sqlite_autoincrement=True)


def _number(table: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("number", name=f"uq_{table}_number")


def _incidents() -> None:
    _table(
        "incidents",
        *_texts("number", "register", "kind", "state", "organisation"),
        sa.Column("transfer_id", _ID),
        *_texts("receipt_no", "title"),
        *_floats("occurred_at", nullable=True),
        *_floats("noticed_at"),
        *_floats("recovered_at", nullable=True),
        *_texts("scope", "response", "cause", "prevention", "reported_to", "opened_by"),
        *_floats("opened_at", "changed_at"),
        *_floats("acknowledged_at", nullable=True),
        *_texts("acknowledged_by"),
        *_wholes("told_level"),
        *_floats("told_at", "closed_at", nullable=True),
        *_texts("closed_by"),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name="fk_incidents_transfer_id"),
        _number("incidents"),
    )
    op.create_index("ix_incidents_register_state_id", "incidents", ["register", "state", "id"])
    op.create_index("ix_incidents_receipt_no", "incidents", ["receipt_no"])
    _table(
        "incident_steps",
        sa.Column("incident_id", _ID, nullable=False),
        *_floats("at"),
        *_texts("actor", "what", "text"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_steps_incident_id"),
    )
    op.create_index("ix_incident_steps_incident_id_id", "incident_steps", ["incident_id", "id"])


def _announcements_and_contacts() -> None:
    _table(
        "announcements",
        *_texts("title", "text", "tone", "faces"),
        *_floats("starts_at", "ends_at"),
        *_texts("author"),
        *_floats("at"),
        *_floats("withdrawn_at", nullable=True),
        *_texts("withdrawn_by"),
    )
    op.create_index("ix_announcements_ends_at", "announcements", ["ends_at"])
    _table(
        "contacts",
        *_wholes("level"),
        *_texts("title", "name", "mail", "phone", "phone_after_hours"),
        *_wholes("minutes"),
        *_texts("note"),
        *_floats("changed_at"),
        *_texts("changed_by"),
        *_floats("removed_at", nullable=True),
    )


def _proofs() -> None:
    _table(
        "signoffs",
        *_texts("subject", "period"),
        *_floats("at"),
        *_texts("actor"),
        *_wholes("seen"),
        *_texts("sha256"),
        sa.Column("good", sa.Boolean(), nullable=False),
        *_texts("note"),
        sa.UniqueConstraint("subject", "period", name="uq_signoffs_subject_period"),
    )
    _table(
        "documents",
        *_texts("number", "kind", "subject", "title"),
        *_floats("at"),
        *_texts("actor", "media_type", "sha256"),
        sa.Column("content", sa.LargeBinary()),
        _number("documents"),
    )
    op.create_index("ix_documents_kind_subject", "documents", ["kind", "subject"])
    op.create_index("ix_documents_at", "documents", ["at"])
    _table(
        "disposals",
        *_texts("number", "what"),
        *_floats("at"),
        *_texts("actor", "approver", "method"),
        *_wholes("count"),
        *_texts("oldest", "youngest", "detail"),
        _number("disposals"),
    )
    op.create_index("ix_disposals_what_id", "disposals", ["what", "id"])
    _table(
        "investigations",
        *_texts("number", "purpose", "ordered_by", "opened_by"),
        *_floats("opened_at"),
        *_floats("closed_at", nullable=True),
        *_texts("closed_by"),
        *_wholes("queries"),
        _number("investigations"),
    )


def _letters() -> None:
    _table(
        "letters",
        *_texts("recipient", "about"),
        sa.Column("content", sa.LargeBinary()),
        *_texts("state"),
        *_wholes("attempts"),
        *_floats("first_at"),
        *_floats("next_due", "lease_until", nullable=True),
        sa.Column("lease_token", sa.Text()),
        *_texts("text"),
    )
    op.create_index("ix_letters_next_due", "letters", ["next_due"])


def _only_grow(*tables: str) -> None:
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


_CUT = "SELECT coalesce(max(seq), 0) FROM audit_cuts"


def _cut_of_the_record() -> None:
    """A row of the record may go only once `audit_cuts` says so, and that table only grows."""
    op.create_table(
        "audit_cuts",
        sa.Column("seq", _ID, autoincrement=False, nullable=False),
        *_texts("hash"),
        *_floats("at"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_cuts"),
    )
    if op.get_bind().dialect.name != "sqlite":
        only_grow_on_postgresql("audit_cuts")
        op.execute(
            "CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'DELETE' AND OLD.seq <= ({_CUT}) THEN RETURN OLD; END IF; RAISE EXCEPTION 'audit only grows'; END $$"
        )
        op.execute("DROP TRIGGER audit_only_grows ON audit")
        op.execute(
            "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit()"
        )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'the audit record only grows'); END"
    op.execute("DROP TRIGGER audit_refuses_delete")
    op.execute(f"CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit WHEN OLD.seq > ({_CUT}) {refuse}")
    for deed in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER audit_cuts_refuse_{deed.lower()} BEFORE {deed} ON audit_cuts {refuse}")
    is_old = f"NEW.seq <= ({_CUT})"
    op.execute(f"CREATE TRIGGER audit_cuts_refuse_replace BEFORE INSERT ON audit_cuts WHEN {is_old} {refuse}")
