"""お知らせ to staff, from one moment to another. Every function runs inside a transaction of the journal."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from gateway.storage import ledger
from gateway.storage.tables import announcements


class Tone(StrEnum):
    """How much of a warning it is, as the pages colour it."""

    OK = "ok"
    WAIT = "wait"
    STOP = "stop"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One. Moments are seconds since 1970; `faces`: drop, pickup or both."""

    id: int
    title: str
    text: str
    tone: Tone
    faces: tuple[str, ...]
    starts_at: float
    ends_at: float
    author: str
    at: float
    withdrawn_at: float | None
    withdrawn_by: str

    def shown(self, at: float) -> bool:
        return self.withdrawn_at is None and self.starts_at <= at < self.ends_at


class NoSuchAnnouncementError(Exception):
    """None of that number, or it was withdrawn before."""


def announce(
    connection: Connection,
    *,
    title: str,
    text: str,
    tone: Tone,
    faces: tuple[str, ...],
    starts_at: float,
    ends_at: float,
    who: str,
    at: float,
) -> Announcement:
    """A new one, recorded. Times in seconds since 1970."""
    row = {"title": title, "text": text, "tone": tone, "faces": ",".join(faces), "starts_at": starts_at, "ends_at": ends_at, "author": who,
           "at": at, "withdrawn_by": ""}  # fmt: skip
    made: int = connection.execute(insert(announcements).returning(announcements.c.id), row).scalar_one()
    detail: dict[str, object] = {"title": title, "text": text, "tone": tone, "faces": list(faces), "from": starts_at, "until": ends_at}
    ledger.append(connection, at=at, actor=who, action="announcement.made", subject=str(made), detail=detail)
    return next(one for one in listed(connection, at) if one.id == made)


def withdraw(connection: Connection, announcement_id: int, *, who: str, at: float) -> None:
    """Raises NoSuchAnnouncementError."""
    standing = (announcements.c.id == announcement_id) & announcements.c.withdrawn_at.is_(None)
    if connection.execute(update(announcements).where(standing).values(withdrawn_at=at, withdrawn_by=who)).rowcount != 1:
        raise NoSuchAnnouncementError(str(announcement_id))
    ledger.append(connection, at=at, actor=who, action="announcement.withdrawn", subject=str(announcement_id), detail={})


def current(connection: Connection, face: str, at: float) -> list[Announcement]:
    """What is to be read on that face now, the gravest first."""
    statement = select(announcements).where(announcements.c.ends_at > at, announcements.c.withdrawn_at.is_(None))
    found = [_announcement(row) for row in connection.execute(statement.order_by(announcements.c.id.desc()).limit(100))]
    gravest = list(Tone)[::-1]
    return sorted((one for one in found if face in one.faces and one.shown(at)), key=lambda one: gravest.index(one.tone))


def listed(connection: Connection, at: float, *, over: bool = True, limit: int = 200) -> list[Announcement]:
    """The youngest first; without `over` those alone that are shown, or will be."""
    statement = select(announcements).order_by(announcements.c.id.desc()).limit(limit)
    if not over:
        statement = statement.where(announcements.c.ends_at > at, announcements.c.withdrawn_at.is_(None))
    return [_announcement(row) for row in connection.execute(statement)]


def _announcement(row: Row[Any]) -> Announcement:
    known = {name: getattr(row, name) for name in Announcement.__struct_fields__}
    return Announcement(**known | {"tone": Tone(row.tone), "faces": tuple(row.faces.split(","))})
