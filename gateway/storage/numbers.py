"""Numbers that people write on paper: a mark, the year, and a count that goes on through the years and is never given twice."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, Table, func, select


def following(connection: Connection, table: Table, mark: str, at: float) -> str:
    """`IN-2026-0001`: the next one of a table that has `id` and loses no row. `at`: seconds since 1970."""
    last: int | None = connection.execute(select(func.max(table.c.id))).scalar_one()
    year = dt.datetime.fromtimestamp(at, dt.UTC).astimezone().year
    return f"{mark}-{year}-{(last or 0) + 1:04d}"
