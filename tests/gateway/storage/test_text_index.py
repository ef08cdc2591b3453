"""SQLite's index over texts is made anew by an upgrade, and what was found before is found after it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.storage import database, text_search
from gateway.storage.disk import Disk
from gateway.storage.journal import Journal
from gateway.storage.search import Filter
from gateway.storage.tables import search_texts
from tests.build.transfer import arrival

_PAIRS = "CREATE VIRTUAL TABLE search_grams USING fts5(grams, content='', tokenize='ascii')"


@pytest.fixture
async def old(tmp_path: Path) -> Path:
    """As the version before left it: a transfer, its text, and an index of pairs with their places, empty as after a crash."""
    path = tmp_path / "sekisho.db"
    journal = Journal(path)
    await journal.start()
    for name in ("令和８年度予算書.xlsx", "契約書（案）.docx"):
        await journal.accept(arrival(name=name))
    await journal.stop()
    with sqlite3.connect(path) as raw:
        raw.execute("DROP TABLE search_grams")
        raw.execute(_PAIRS)
        raw.execute("DROP INDEX ix_transfers_received")
        raw.execute("CREATE INDEX ix_transfers_received_at ON transfers (received_at)")
        raw.execute("CREATE TABLE of_now AS SELECT version_num FROM alembic_version")
        raw.execute("UPDATE alembic_version SET version_num = '0017'")
    raw.close()
    return path


async def test_what_was_found_before_is_found_after_an_upgrade(old: Path) -> None:
    database.prepare(old, Disk())
    engine = database.writer_engine(old)
    database.migrate(engine, "0018")
    engine.dispose()
    with sqlite3.connect(old) as raw:
        [(made,)] = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'search_grams'")
        assert "detail=none" in made
        raw.execute("INSERT INTO search_grams(search_grams) VALUES ('integrity-check')")
        raw.execute("UPDATE alembic_version SET version_num = (SELECT version_num FROM of_now)")     # what came after it is there
    raw.close()
    journal = Journal(old)
    await journal.start()
    for asked, name in (("予算", "令和８年度予算書.xlsx"), ("8年度予算書", "令和８年度予算書.xlsx"), ("契約書(案)", "契約書（案）.docx")):
        assert [one.name for one in await journal.transfers(Filter(text=asked))] == [name]
    await journal.stop()


async def test_what_is_taken_out_is_found_no_more_and_the_rest_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    for number in range(3):
        await journal.accept(arrival(name=f"図面{number}.pdf"))
    await journal.write(lambda connection: text_search.take_out(connection, [2]))
    assert [one.name for one in await journal.transfers(Filter(text="図面"))] == ["図面2.pdf", "図面0.pdf"]
    assert await journal.ask(lambda connection: len(connection.execute(search_texts.select()).all())) == 2
    await journal.stop()
    with sqlite3.connect(tmp_path / "sekisho.db") as raw:
        assert [row[0] for row in raw.execute("""SELECT rowid FROM search_grams WHERE search_grams MATCH '"図面"*'""")] == [1, 3]
    raw.close()
