"""Rows of reviews of privileges (権限棚卸し): every function runs inside a transaction of the journal and tells the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, insert, select, update

from gateway.storage import ledger, numbers
from gateway.storage.tables import review_rows, reviews

_MARK: Final = "PR"
_MOST: Final = 100


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """One review. Moments are seconds since 1970; `left`: accounts of which nothing was said yet."""

    id: int
    number: str
    begun_at: float
    begun_by: str
    due_at: float
    closed_at: float | None
    closed_by: str
    note: str
    left: int = 0
    rows: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a review, as it was when the review began."""

    login: str
    facts: dict[str, Any]
    decision: str
    decided_at: float | None
    decided_by: str
    note: str


def begin(connection: Connection, accounts: Sequence[tuple[str, Mapping[str, Any]]], *, at: float, actor: str, due_at: float) -> str:
    """Its number."""
    number = numbers.following(connection, reviews, _MARK, at)
    row = {"number": number, "begun_at": at, "begun_by": actor, "due_at": due_at, "closed_by": "", "note": ""}
    review_id = connection.execute(insert(reviews).returning(reviews.c.id), row).scalar_one()
    lines = [
        {"review_id": review_id, "login": login, "facts": msgspec.json.encode(facts).decode(), "decision": "", "decided_by": "", "note": ""}
        for login, facts in accounts
    ]
    if lines:
        connection.execute(insert(review_rows), lines)
    ledger.append(connection, at=at, actor=actor, action="review.begun", subject=number, detail={"accounts": len(lines), "due": due_at})
    return number


def decide(connection: Connection, review: Review, login: str, decision: str, *, note: str, at: float, actor: str) -> bool:
    """False if the review has no such account."""
    which = (review_rows.c.review_id == review.id) & (review_rows.c.login == login)
    values = {"decision": decision, "note": note, "decided_at": at, "decided_by": actor}
    if connection.execute(update(review_rows).where(which).values(**values)).rowcount != 1:
        return False
    detail: dict[str, object] = {"login": login, "decision": decision, "note": note}
    ledger.append(connection, at=at, actor=actor, action="review.decided", subject=review.number, detail=detail)
    return True


def close(connection: Connection, review: Review, *, at: float, actor: str, note: str) -> None:
    connection.execute(update(reviews).where(reviews.c.id == review.id).values(closed_at=at, closed_by=actor, note=note))
    ledger.append(connection, at=at, actor=actor, action="review.closed", subject=review.number, detail={"note": note})


def listed(connection: Connection) -> list[Review]:
    """The youngest first."""
    said = func.count().filter(review_rows.c.decision == "")
    counted = select(review_rows.c.review_id, said.label("left"), func.count().label("rows")).group_by(review_rows.c.review_id).subquery()
    statement = select(reviews, counted.c.left, counted.c.rows).outerjoin(counted, counted.c.review_id == reviews.c.id)
    return [
        Review(id=row.id, number=row.number, begun_at=row.begun_at, begun_by=row.begun_by, due_at=row.due_at, closed_at=row.closed_at,
               closed_by=row.closed_by, note=row.note, left=row.left or 0, rows=row.rows or 0)
        for row in connection.execute(statement.order_by(reviews.c.id.desc()).limit(_MOST))
    ]  # fmt: skip


def lines(connection: Connection, review: Review) -> list[Line]:
    """In the order of log-in names."""
    statement = select(review_rows).where(review_rows.c.review_id == review.id).order_by(review_rows.c.login)
    return [
        Line(login=row.login, facts=msgspec.json.decode(row.facts), decision=row.decision, decided_at=row.decided_at,
             decided_by=row.decided_by, note=row.note)
        for row in connection.execute(statement)
    ]  # fmt: skip
