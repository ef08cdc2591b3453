"""The database file: made for its owner only, its safety switches set and read back, its tables brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from gateway.storage import postgresql
from gateway.storage.disk import Disk
from gateway.storage.faults import JournalUnavailableError

_BUSY_SECONDS: Final = 5.0
_MIGRATIONS: Final = Path(__file__).with_name("migrations")

# What must be read back from every connection, or the service does not start: a switch that silently did not take is a lost mail.
_SWITCHES: Final = (("journal_mode", "wal", "wal"), ("synchronous", "FULL", 2), ("foreign_keys", "ON", 1))


def writer_engine(path: Path, *, busy_seconds: float = _BUSY_SECONDS) -> Engine:
    """For the one thread that writes. A transaction begins with the write lock in hand and never fails half-way for want of it."""
    engine = _engine(path, busy_seconds, pool=NullPool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def reader_engine(path: Path, *, busy_seconds: float = _BUSY_SECONDS) -> Engine:
    """For everybody else. Its connections cannot write."""
    engine = _engine(path, busy_seconds, pool=QueuePool)

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _engine(path: Path, busy_seconds: float, pool: type[NullPool | QueuePool]) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
        poolclass=pool,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        # pysqlite would begin transactions on its own terms.
        connection.isolation_level = None
        for switch, value, expected in _SWITCHES:
            connection.execute(f"PRAGMA {switch}={value}")
            (seen,) = connection.execute(f"PRAGMA {switch}").fetchone()
            if seen != expected:
                raise JournalUnavailableError(f"database: {switch} is {seen}, must be {expected}")

    return engine


def prepare(path: Path, disk: Disk) -> None:
    """The file, for its owner only, durably in its folder."""
    disk.make_folder(path.parent)
    if not path.exists():
        fd = disk.create(path)
        disk.close(fd)
        disk.flush_folder(path.parent)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables up to date, or up to a revision, in one transaction.

    Raises JournalUnavailableError for a database of a later version.
    """
    try:
        with engine.begin() as connection:
            if _revision(connection) != (latest() if revision == "head" else revision):
                _upgrade(connection, revision)
    except DBAPIError as error:
        raise JournalUnavailableError(f"database: {error.orig}") from error


def latest() -> str:
    """The revision that this version's tables have."""
    return max(path.name[1:5] for path in (_MIGRATIONS / "versions").glob("v[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: Connection, revision: str) -> None:
    # Loaded where it has something to do: that costs each start and each command a sixth of a second.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    settings.attributes["connection"] = connection
    try:
        command.upgrade(settings, revision)
    except CommandError as error:
        raise JournalUnavailableError(f"database: {error}") from error


def in_transaction(connection: PoolProxiedConnection) -> bool:
    """Whether the database still has the transaction open: after a full disk SQLite may have rolled back by itself."""
    raw = connection.driver_connection
    return raw.in_transaction if isinstance(raw, sqlite3.Connection) else postgresql.in_transaction(connection)
