"""A rolling upgrade: the first new node changes the tables while old ones still run, so what the version before does must go on working."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData, Table, insert, inspect, select, text

from gateway.model import State
from gateway.storage import accounts, database, postgresql
from gateway.storage.disk import Disk
from gateway.storage.journal import Journal
from tests.build.postgres import fresh
from tests.build.transfer import NOW, arrival, settlement

# The last migration of the version before this one.
PREVIOUS = "0012"


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, Path | str]]:
    """A database as the version before left it."""
    where: Path | str = tmp_path / "sekisho.db"
    if request.param == "postgresql":
        where = fresh(request.getfixturevalue("postgres"), again=True)
        engine = postgresql.writer_engine(where)
    else:
        database.prepare(tmp_path / "sekisho.db", Disk())
        engine = database.writer_engine(tmp_path / "sekisho.db")
    database.migrate(engine, PREVIOUS)
    yield engine, where
    engine.dispose()


def tables_of(engine: Engine) -> MetaData:
    found = MetaData()
    with engine.connect() as connection:
        found.reflect(connection)
    return found


def row_for(table: Table, number: int) -> dict[str, Any]:
    """As an old node would write it: every column that it knows and that must have something."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.server_default is not None:
            continue
        kind = column.type.python_type
        row[column.name] = {int: number, float: NOW, str: f"{column.name} {number}", bool: False, bytes: b"x"}[kind]
    return row


def test_what_an_old_node_writes_and_reads_is_there_still(old: tuple[Engine, Path | str]) -> None:
    engine, _ = old
    known = tables_of(engine)
    with engine.connect() as connection:
        before = {name: {column["name"]: str(column["type"]) for column in inspect(connection).get_columns(name)} for name in known.tables}
    database.migrate(engine)
    with engine.connect() as connection:
        after = {name: {column["name"]: str(column["type"]) for column in inspect(connection).get_columns(name)} for name in known.tables}
    for name, columns in before.items():
        assert columns.items() <= after[name].items(), f"{name}: what the version before reads is gone"
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in known.sorted_tables:
            if table.name in ("alembic_version", "audit") or table.name.startswith(("search_grams", "sqlite_")):
                continue
            connection.execute(insert(table), row_for(table, 1))
            assert connection.execute(select(*table.columns)).first() is not None
        connection.rollback()


async def test_whoever_was_here_keeps_the_drop_and_mail(old: tuple[Engine, Path | str]) -> None:
    engine, where = old
    known = tables_of(engine)
    with engine.begin() as connection:
        connection.execute(insert(known.tables["accounts"]), row_for(known.tables["accounts"], 1) | {"login": "tanaka"})
    engine.dispose()
    journal = Journal(where)
    await journal.start()
    try:
        found = await journal.ask(lambda connection: accounts.by_login(connection, "tanaka"))
        assert found is not None
        assert (found.employment, found.may_drop, found.may_mail) == ("regular", True, True)
    finally:
        await journal.stop()


async def test_what_was_there_before_is_carried_over(old: tuple[Engine, Path | str]) -> None:
    """An arrival of the version before, worked on by this one."""
    engine, where = old
    known = tables_of(engine)
    came = arrival()
    given = {"receipt_no": "20261118-000001", "organisation": "", "lane": "inbound", "door": "smtp", "state": "received", "received_at": NOW,
             "changed_at": NOW, "sender": came.sender, "name": came.name, "size": came.size, "sha256": came.sha256, "blob": came.sha256,
             "attempts": 0, "client": "", "smtputf8": False, "policy": "", "rules": "", "note": ""}  # fmt: skip
    with engine.begin() as connection:
        number = connection.execute(insert(known.tables["transfers"]).returning(text("id")), given).scalar_one()
        connection.execute(insert(known.tables["transfer_recipients"]), {"transfer_id": number, "position": 0, "address": came.recipients[0]})
    engine.dispose()
    journal = Journal(where)
    await journal.start()
    try:
        (claim,) = await journal.claim(1, at=NOW, lease_until=NOW + 60)
        await journal.settle(claim, settlement(), at=NOW)
        assert (await journal.find("20261118-000001")).state is State.RELEASED
        assert len(await journal.deliveries(number)) == 1
    finally:
        await journal.stop()
