"""The database's safety switches and its migrations."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.storage import database, ledger
from gateway.storage.disk import Disk
from gateway.storage.faults import JournalUnavailableError
from gateway.storage.journal import Journal
from gateway.storage.tables import metadata
from tests.build.transfer import NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "deep" / "sekisho.db"
    database.prepare(path, Disk())
    return path


def test_the_file_is_its_owners(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    engine = database.writer_engine(path)
    database.migrate(engine)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize("make", [database.writer_engine, database.reader_engine])
def test_every_connection_is_durable_and_checks_its_keys(path: Path, make: object) -> None:
    with make(path).connect() as connection:  # type: ignore[operator]
        seen = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert seen == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_a_switch_that_does_not_take_stops_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_SWITCHES", (("synchronous", "NORMAL", 2),))
    with pytest.raises(JournalUnavailableError, match="synchronous is 1, must be 2"):
        await Journal(tmp_path / "sekisho.db").start()


def test_a_reader_cannot_write(path: Path) -> None:
    database.migrate(database.writer_engine(path))
    with database.reader_engine(path).connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.execute(text("INSERT INTO receipt_numbers VALUES ('20261120', 1)"))


def test_the_migrations_make_the_tables(path: Path) -> None:
    engine = database.writer_engine(path)
    database.migrate(engine)
    database.migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _is_ours})
        assert compare_metadata(context, metadata) == []


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """SQLite's text index and the tables that it keeps for itself are made by hand."""
    return kind != "table" or not str(name).startswith("search_grams")


def test_a_database_of_a_later_version_is_refused(path: Path) -> None:
    engine = database.writer_engine(path)
    database.migrate(engine)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(JournalUnavailableError, match="9999"):
        database.migrate(engine)


def test_a_migration_is_whole_or_nothing(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE audit (seq INTEGER)")
    with pytest.raises(JournalUnavailableError, match="already exists"):
        database.migrate(database.writer_engine(path))
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("audit",)]


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.db"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(JournalUnavailableError, match="not a database"):
        await Journal(path).start()


def test_the_record_only_grows(path: Path) -> None:
    engine = database.writer_engine(path)
    database.migrate(engine)
    with engine.begin() as connection:
        ledger.append(connection, at=NOW, actor="a", action="b", subject="c", detail={})
    for deed in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "INSERT OR REPLACE INTO audit SELECT * FROM audit"):
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text(deed))


def test_what_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    """And Alembic, which costs each start and each command, is not even loaded."""
    file = tmp_path / "journal.sqlite"
    engine = database.writer_engine(file)
    database.migrate(engine)
    engine.dispose()
    again = f"""
import sys
from pathlib import Path
from gateway.storage import database
database.migrate(database.writer_engine(Path({str(file)!r})))
sys.exit("alembic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", again], timeout=60, check=False).returncode == 0
