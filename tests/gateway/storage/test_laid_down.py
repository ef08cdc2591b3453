"""The database that tests begin with is the one that the migrations make."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

from gateway.storage import database
from gateway.storage.disk import Disk
from gateway.storage.journal import Journal
from tests.build.database import lay_down


def _said(path: Path) -> tuple[list[tuple[str, str]], list[tuple[str]], tuple[str]]:
    with sqlite3.connect(path) as raw:
        tables = raw.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        return tables, raw.execute("SELECT version_num FROM alembic_version").fetchall(), raw.execute("PRAGMA journal_mode").fetchone()


async def test_it_says_what_the_migrations_say(tmp_path: Path) -> None:
    made, laid = tmp_path / "made" / "sekisho.db", tmp_path / "laid" / "sekisho.db"
    database.prepare(made, Disk())
    engine = database.writer_engine(made)
    database.migrate(engine)
    engine.dispose()
    journal = Journal(laid)
    await journal.start()
    await journal.stop()
    assert _said(laid) == _said(made)
    assert stat.S_IMODE(laid.stat().st_mode) == stat.S_IMODE(made.stat().st_mode) == 0o600


def test_what_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.db"
    path.write_bytes(b"something")
    lay_down(path)
    assert path.read_bytes() == b"something"
