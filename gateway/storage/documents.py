"""What was printed under a number (文書番号), as it was printed. Every function runs inside a transaction of the journal."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select, update

from gateway.storage import ledger, numbers
from gateway.storage.tables import documents

_MARK: Final = "DOC"
_COLUMNS: Final = tuple(documents.c[name] for name in ("number", "kind", "subject", "title", "at", "actor", "media_type", "sha256"))


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One, without its content. `at`: seconds since 1970."""

    number: str
    kind: str
    subject: str
    title: str
    at: float
    actor: str
    media_type: str
    sha256: str


class NoSuchDocumentError(Exception):
    """None of that number, or its time was over and it was given up."""


def next_number(connection: Connection, at: float) -> str:
    """The number that `keep` will give next in this transaction: it stands on the paper itself."""
    return numbers.following(connection, documents, _MARK, at)


def keep(
    connection: Connection, content: bytes, *, kind: str, subject: str, title: str, media_type: str, at: float, actor: str
) -> Document:
    """Content and number together, and an entry in the record."""
    number, digest = next_number(connection, at), hashlib.sha256(content).hexdigest()
    kept = Document(number=number, kind=kind, subject=subject, title=title, at=at, actor=actor, media_type=media_type, sha256=digest)
    connection.execute(insert(documents), msgspec.structs.asdict(kept) | {"content": content})
    detail: dict[str, object] = {"kind": kind, "about": subject, "sha256": digest, "size": len(content)}
    ledger.append(connection, at=at, actor=actor, action="document.printed", subject=number, detail=detail)
    return kept


def listed(
    connection: Connection, *, kinds: tuple[str, ...] = (), subject: str = "", since: float = 0.0, limit: int = 500
) -> list[Document]:
    """The youngest first; those whose content is still there."""
    statement = select(*_COLUMNS).where(documents.c.content.is_not(None), documents.c.at >= since)
    if kinds:
        statement = statement.where(documents.c.kind.in_(kinds))
    if subject:
        statement = statement.where(documents.c.subject == subject)
    return [Document(**row) for row in connection.execute(statement.order_by(documents.c.id.desc()).limit(limit)).mappings()]


def find(connection: Connection, number: str) -> tuple[Document, bytes]:
    """Raises NoSuchDocumentError."""
    row = connection.execute(select(*_COLUMNS, documents.c.content).where(documents.c.number == number)).one_or_none()
    if row is None or row.content is None:
        raise NoSuchDocumentError(number)
    return Document(**{column.name: getattr(row, column.name) for column in _COLUMNS}), bytes(row.content)


def give_up(connection: Connection, *, before: float, limit: int = 200) -> list[Document]:
    """Contents older than that go, number and digest stay; which."""
    over = select(documents.c.id, *_COLUMNS).where(documents.c.content.is_not(None), documents.c.at < before)
    rows = connection.execute(over.order_by(documents.c.id).limit(limit)).mappings().all()
    connection.execute(update(documents).where(documents.c.id.in_([row["id"] for row in rows])).values(content=None))
    return [Document(**{name: value for name, value in row.items() if name != "id"}) for row in rows]
