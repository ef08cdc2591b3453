"""Rows of results that may be given again: which transfer was made of what, and whether it still stands. Inside a transaction.

A row only points: name, size and digest of the result and the report are those of the transfer it points at, and the row knows the
digests that both had then. What was changed since (a password given later, an operator's hold, disposal) is not given again.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from gateway.model import State
from gateway.storage.blobs import Blob
from gateway.storage.search import blob_in_use
from gateway.storage.tables import reports, results, transfers
from sanitizers.model import Verdict

_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite_insert, "postgresql": postgresql_insert}
_GIVEN: Final = (Verdict.CLEAN, Verdict.SANITIZED)
_STANDING: Final = (State.RELEASED, State.DELIVERING, State.DELIVERED, State.DEFERRED)


class Kept(NamedTuple):
    """A result that may be given again: its blob, and the report about it as the journal keeps it."""

    blob: Blob
    packed: bytes


class ResultGoneError(Exception):
    """The result was disposed of before the transfer that was to have it could be settled."""


def remember(connection: Connection, key: str, transfer_id: int, *, blob: Blob, packed: bytes, at: float) -> None:
    """From now on this is what comes of `key`."""
    values = {"transfer_id": transfer_id, "made_at": at, "result_sha256": blob.digest, "report_sha256": _digest(packed)}
    statement = _INSERT[connection.dialect.name](results).values(key=key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


def find(connection: Connection, key: str, since: float) -> Kept | None:
    """What came of `key`, if it was made since then and still stands as it was."""
    statement = (
        select(results.c.report_sha256, transfers.c.result_sha256, transfers.c.result_size, reports.c.report)
        .join(transfers, transfers.c.id == results.c.transfer_id)
        .join(reports, reports.c.transfer_id == results.c.transfer_id)
        .where(results.c.key == key, results.c.made_at > since, transfers.c.result_sha256 == results.c.result_sha256)
        .where(transfers.c.state.in_(_STANDING), transfers.c.verdict.in_(_GIVEN))
    )
    row = connection.execute(statement).one_or_none()
    if row is None or row.report is None or _digest(row.report) != row.report_sha256:
        return None
    return Kept(Blob(row.result_sha256, row.result_size), row.report)


def must_stand(connection: Connection, blob: Blob) -> None:
    """In the transaction that gives it again: some row still refers to it, so no sweep takes it. Raises ResultGoneError."""
    if not blob_in_use(connection, blob.digest):
        raise ResultGoneError(blob.digest)


def forget(connection: Connection, made_before: float) -> int:
    """How many."""
    return connection.execute(delete(results).where(results.c.made_at < made_before)).rowcount


def drop(connection: Connection, key: str) -> None:
    """What came of it is not to be had any more."""
    connection.execute(delete(results).where(results.c.key == key))


def _digest(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()
