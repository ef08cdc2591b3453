"""廃棄記録: what was given up when, by whom, on whose word and how; kept longer than what it speaks of.

Every function runs inside a transaction of the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, insert, select

from gateway.storage import ledger, numbers
from gateway.storage.tables import disposals

_MARK: Final = "DP"
# How the bytes go: the row no longer names them, and the sweep takes the blob; a key that was destroyed leaves nothing to read.
UNLINKED: Final = "参照の消去と領域の解放 / unlinked and swept"
DELETED: Final = "行の消去 / rows deleted"


class Disposal(msgspec.Struct, frozen=True, kw_only=True):
    """One record of 廃棄. `oldest` and `youngest`: first and last of what went, as their kind is called."""

    number: str
    what: str
    at: float
    actor: str
    approver: str
    method: str
    count: int
    oldest: str
    youngest: str
    detail: dict[str, Any]


def add(
    connection: Connection,
    *,
    what: str,
    count: int,
    oldest: str,
    youngest: str,
    at: float,
    actor: str,
    approver: str = "",
    method: str = UNLINKED,
    detail: Mapping[str, object] | None = None,
) -> str:
    """Its number. `what`: the class of retention, or `transfer` for one that a person gave up."""
    number = numbers.following(connection, disposals, _MARK, at)
    text = msgspec.json.encode(dict(detail or {}), order="sorted").decode()
    row = {"number": number, "what": what, "at": at, "actor": actor, "approver": approver, "method": method, "count": count,
           "oldest": oldest, "youngest": youngest, "detail": text}  # fmt: skip
    connection.execute(insert(disposals), row)
    told: dict[str, object] = {"what": what, "count": count, "oldest": oldest, "youngest": youngest, "method": method}
    ledger.append(connection, at=at, actor=actor, action="disposal.recorded", subject=number, detail=told)
    return number


def listed(connection: Connection, *, since: float = 0.0, until: float | None = None, limit: int = 1_000) -> list[Disposal]:
    """The youngest first."""
    statement = select(disposals).where(disposals.c.at >= since).order_by(disposals.c.id.desc()).limit(limit)
    if until is not None:
        statement = statement.where(disposals.c.at < until)
    return [
        Disposal(
            **{name: getattr(row, name) for name in Disposal.__struct_fields__ if name != "detail"}, detail=msgspec.json.decode(row.detail)
        )
        for row in connection.execute(statement)
    ]
