"""Tables of which nothing may be changed or taken away, by the database's own word."""

from __future__ import annotations

from alembic import op


def only_grow_on_postgresql(*tables: str) -> None:
    """UPDATE, DELETE and TRUNCATE are refused; an INSERT that would replace a row meets its key."""
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME; END $$"
    )
    for table in tables:
        op.execute(f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()")
        op.execute(f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
