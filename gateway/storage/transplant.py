"""Every row of a journal into another, whatever database each is in; and the proof that they are the same afterwards.

A table's rows are walked in the order of its primary key, in both journals by the same question, and each goes into one SHA-256 as compact
JSON, so that a row more, a row less or another value in any column makes another digest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import BigInteger, Connection, Engine, Integer, Table, Text, func, select, text

from gateway.storage import halts, text_search
from gateway.storage.faults import StorageError
from gateway.storage.halts import Halt
from gateway.storage.tables import metadata, search_texts

_BATCH: Final = 2_000
# What PostgreSQL holds in no text; SQLite's journals never did, but an old row is not to stop everything.
_NUL: Final = "\0"


class Tally(NamedTuple):
    """How many rows a table has, and their digest."""

    rows: int
    sha256: str


class DifferentError(StorageError):
    """What arrived is not what was sent."""


def tables() -> list[Table]:
    """Each behind those that its rows refer to."""
    return metadata.sorted_tables


def copy(source: Connection, target: Connection) -> dict[str, Tally]:
    """Into an empty journal with the same tables, inside the caller's two transactions; what was copied, by table. Raises StorageError."""
    if occupied := [table.name for table in tables() if target.execute(select(table).limit(1)).first() is not None]:
        raise StorageError(f"the target is not empty: {', '.join(occupied)}")
    if target.dialect.name == "sqlite":
        target.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    sent = {table.name: _copied(source, target, table) for table in tables()}
    _go_on_counting(source, target)
    check(target, sent)
    return sent


def move(source: Engine, target: Engine, *, at: float, actor: str, where: str) -> dict[str, Tally]:
    """A journal in use into an empty one: nobody writes to it meanwhile, and behind it everything is stopped in the old one, so that a
    service that still runs there takes nothing in and lets nothing out. `where`: said as the reason."""
    with source.begin() as old, target.begin() as new:
        sent = copy(old, new)
        for what in Halt:
            halts.halt(old, what, at=at, actor=actor, reason=f"moved to {where}")
    return sent


def check(target: Connection, sent: Mapping[str, Tally]) -> None:
    """Raises DifferentError."""
    for table in tables():
        if (found := tally(target, table)) != sent[table.name]:
            raise DifferentError(f"{table.name}: {found.rows} rows arrived, {sent[table.name].rows} were sent; their digests differ")


def tally(connection: Connection, table: Table) -> Tally:
    counted = _Counting()
    for row in _rows(connection, table):
        counted.add(row)
    return counted.tally


def tallies(connection: Connection) -> dict[str, Tally]:
    return {table.name: tally(connection, table) for table in tables()}


class _Counting:
    def __init__(self) -> None:
        self._rows = 0
        self._hash = hashlib.sha256()

    def add(self, row: Mapping[str, Any]) -> None:
        self._rows += 1
        self._hash.update(msgspec.json.encode([_plain(value) for value in row.values()]) + b"\n")

    def passing(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            self.add(row)
            yield row

    @property
    def tally(self) -> Tally:
        return Tally(self._rows, self._hash.hexdigest())


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


def _copied(source: Connection, target: Connection, table: Table) -> Tally:
    counted = _Counting()
    for batch in _batches(_parents_first(table, counted.passing(_rows(source, table)))):
        target.execute(table.insert(), batch)
        if table is search_texts and target.dialect.name == "sqlite":
            text_search.index(target, [(row["transfer_id"], row["text"]) for row in batch])
    return counted.tally


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    """In the order of the primary key, a piece at a time; texts by their bytes, whatever the database's own order of letters is."""
    key = [_bytewise(column, connection) if isinstance(column.type, Text) else column for column in table.primary_key]
    for row in connection.execute(select(table).order_by(*key).execution_options(yield_per=_BATCH)).mappings():
        yield {name: _whole(value) for name, value in row.items()}


def _bytewise(column: Any, connection: Connection) -> Any:
    return column.collate("C") if connection.dialect.name == "postgresql" else column


def _whole(value: Any) -> Any:
    return value.replace(_NUL, "\ufffd") if isinstance(value, str) and _NUL in value else value


def _parents_first(table: Table, rows: Iterator[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Rows that refer to rows of their own table (departments, versions) behind those."""
    own = [key.parent.name for key in table.foreign_keys if key.column.table is table]
    if not own:
        return rows
    (primary,) = table.primary_key
    waiting = {row[primary.name]: row for row in rows}
    ordered: list[dict[str, Any]] = []
    while waiting:
        ready = [number for number, row in waiting.items() if not any(row[name] in waiting and row[name] != number for name in own)]
        if not ready:
            raise StorageError(f"{table.name}: rows that refer to each other in a circle")
        ordered += [waiting.pop(number) for number in ready]
    return ordered


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _go_on_counting(source: Connection, target: Connection) -> None:
    """An id is never given twice, not even that of a row that is gone."""
    for table in tables():
        column = table.autoincrement_column
        if column is None or not isinstance(column.type, Integer | BigInteger):
            continue
        last = max(_last(source, table), target.execute(select(func.max(column))).scalar_one() or 0)
        if not last:
            continue
        if target.dialect.name == "postgresql":
            question = text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
            target.execute(question, {"table": f'"{table.name}"', "column": column.name, "last": last})
        elif table.dialect_options["sqlite"].get("autoincrement"):
            changed = target.execute(
                text("UPDATE sqlite_sequence SET seq = :last WHERE name = :table"), {"last": last, "table": table.name}
            )
            if not changed.rowcount:
                target.execute(text("INSERT INTO sqlite_sequence VALUES (:table, :last)"), {"last": last, "table": table.name})


def _last(source: Connection, table: Table) -> int:
    if source.dialect.name == "sqlite":
        if not table.dialect_options["sqlite"].get("autoincrement"):
            return 0
        return source.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :table"), {"table": table.name}).scalar() or 0
    column = table.autoincrement_column
    assert column is not None
    question = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, :column)::regclass)")
    return source.execute(question, {"table": f'"{table.name}"', "column": column.name}).scalar() or 0
