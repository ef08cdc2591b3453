"""Versions of what is put in force: content that never changes, the steps it went through, and which one stands. Inside a transaction."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select

from gateway.storage import ledger
from gateway.storage.tables import publications, version_steps, versions

_COMPRESSION: Final = 6


class Subject(StrEnum):
    """What there are versions of."""

    RULES = "rules"
    POLICY = "policy"
    LISTS = "lists"             # digests that are denied or allowed


class Stage(StrEnum):
    """How far a version has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


_OPEN: Final = (Stage.DRAFT, Stage.SUBMITTED, Stage.APPROVED)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version, without its content. `stage_at`, `stage_by`: when and by whom it came to its stage. Times: seconds since 1970."""

    id: int
    subject: Subject
    version: str
    sha256: str
    author: str
    at: float
    note: str
    based_on: int | None
    stage: Stage
    stage_at: float
    stage_by: str

    @property
    def open(self) -> bool:
        """Something may still become of it."""
        return self.stage in _OPEN


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a version."""

    stage: Stage
    at: float
    actor: str
    reason: str


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """From `at` on this version was in force."""

    id: int
    subject: Subject
    version_id: int
    version: str
    at: float
    actor: str
    reason: str


class NoSuchVersionError(Exception):
    """No version of that number."""


class NotNowError(Exception):
    """What was asked is not possible in the state that things are in; one line."""


def packed(files: Mapping[str, str]) -> tuple[bytes, str]:
    """The content as it is kept, and the SHA-256 of its canonical JSON."""
    canonical = msgspec.json.encode(dict(files), order="deterministic")
    return zlib.compress(canonical, _COMPRESSION), hashlib.sha256(canonical).hexdigest()


# ------------------------------------------------------------------------------------------------------------- writing


def add(
    connection: Connection, subject: Subject, files: Mapping[str, str], version: str, *, at: float, author: str, note: str
) -> Version:
    """A draft, on the ground of what is in force. Raises NotNowError when it says the same as that."""
    content, sha256 = packed(files)
    standing = in_force(connection, subject)
    if standing is not None and standing.sha256 == sha256:
        raise NotNowError(f"版 {standing.id} と同じ内容です / the same as version {standing.id}, which is in force")
    row = {
        "subject": subject,
        "version": version,
        "sha256": sha256,
        "content": content,
        "author": author,
        "at": at,
        "note": note,
        "based_on": None if standing is None else standing.id,
    }
    added = connection.execute(insert(versions).returning(versions.c.id), row).scalar_one()
    return step(connection, added, Stage.DRAFT, at=at, actor=author, reason=note)


def step(connection: Connection, version_id: int, stage: Stage, *, at: float, actor: str, reason: str, **more: object) -> Version:
    """The version comes to `stage`; whether it may is the caller's to check. `more` goes into the audit record."""
    row = {"version_id": version_id, "stage": stage, "at": at, "actor": actor, "reason": reason}
    connection.execute(insert(version_steps), row)
    version = load(connection, version_id)
    _record(connection, version, f"{version.subject}.{stage}", at=at, actor=actor, detail={"reason": reason, **more})
    return version


def put_in_force(connection: Connection, version: Version, *, at: float, actor: str, reason: str, action: str) -> None:
    """From now on it is this one. The audit entry names the one before."""
    former = in_force(connection, version.subject)
    row = {"subject": version.subject, "version_id": version.id, "at": at, "actor": actor, "reason": reason}
    connection.execute(insert(publications), row)
    before = None if former is None else {"version": former.id, "sha256": former.sha256}
    _record(connection, version, f"{version.subject}.{action}", at=at, actor=actor, detail={"before": before, "reason": reason})


def _record(connection: Connection, version: Version, action: str, *, at: float, actor: str, detail: dict[str, object]) -> None:
    known = {"version": version.version, "sha256": version.sha256, "author": version.author}
    ledger.append(connection, at=at, actor=actor, action=action, subject=f"{version.subject}-{version.id}", detail=known | detail)


# -------------------------------------------------------------------------------------------------------------- asking


def load(connection: Connection, version_id: int, subject: Subject | None = None) -> Version:
    """Raises NoSuchVersionError, also when it is a version of another subject."""
    row = connection.execute(_versions().where(versions.c.id == version_id)).one_or_none()
    if row is None or (subject is not None and row.subject != subject):
        raise NoSuchVersionError(f"no version {version_id}")
    return _version(row)


def files_of(connection: Connection, version_id: int) -> dict[str, str]:
    """File name → text. Raises NoSuchVersionError."""
    content = connection.execute(select(versions.c.content).where(versions.c.id == version_id)).scalar_one_or_none()
    if content is None:
        raise NoSuchVersionError(f"no version {version_id}")
    return msgspec.json.decode(zlib.decompress(content), type=dict[str, str])


def listed(connection: Connection, subject: Subject, limit: int) -> list[Version]:
    """The youngest first."""
    statement = _versions().where(versions.c.subject == subject).order_by(versions.c.id.desc()).limit(limit)
    return [_version(row) for row in connection.execute(statement)]


def steps_of(connection: Connection, version_id: int) -> list[Step]:
    """In their order."""
    rows = connection.execute(select(version_steps).where(version_steps.c.version_id == version_id).order_by(version_steps.c.id))
    return [Step(stage=Stage(row.stage), at=row.at, actor=row.actor, reason=row.reason) for row in rows]


def in_force(connection: Connection, subject: Subject) -> Version | None:
    """None before the first start with this database."""
    last = select(publications.c.version_id).where(publications.c.subject == subject).order_by(publications.c.id.desc()).limit(1)
    version_id = connection.execute(last).scalar_one_or_none()
    return None if version_id is None else load(connection, version_id)


def standing(connection: Connection) -> dict[Subject, int]:
    """The number of the version in force, by subject."""
    last = select(func.max(publications.c.id)).group_by(publications.c.subject)
    rows = connection.execute(select(publications.c.subject, publications.c.version_id).where(publications.c.id.in_(last)))
    return {Subject(row.subject): row.version_id for row in rows}


def history(connection: Connection, subject: Subject, limit: int) -> list[Publication]:
    """What was in force, the youngest first."""
    joined = select(publications, versions.c.version).join(versions, versions.c.id == publications.c.version_id)
    statement = joined.where(publications.c.subject == subject).order_by(publications.c.id.desc()).limit(limit)
    fields = Publication.__struct_fields__
    return [Publication(**{name: getattr(row, name) for name in fields}) for row in connection.execute(statement)]


def last_by(connection: Connection, subject: Subject, author: str) -> Version | None:
    """The last version that somebody wrote."""
    statement = _versions().where(versions.c.subject == subject, versions.c.author == author).order_by(versions.c.id.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return None if row is None else _version(row)


_COLUMNS: Final = tuple(getattr(versions.c, name) for name in ("id", "subject", "version", "sha256", "author", "at", "note", "based_on"))


def _versions() -> Select[Any]:
    """Versions with their last steps."""
    last = select(func.max(version_steps.c.id)).where(version_steps.c.version_id == versions.c.id).correlate(versions).scalar_subquery()
    steps = (version_steps.c.stage, version_steps.c.at.label("stage_at"), version_steps.c.actor.label("stage_by"))
    return select(*_COLUMNS, *steps).join(version_steps, version_steps.c.id == last)


def _version(row: Row[Any]) -> Version:
    known = {name: getattr(row, name) for name in Version.__struct_fields__}
    return Version(**known | {"subject": Subject(row.subject), "stage": Stage(row.stage)})
