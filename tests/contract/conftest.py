"""The implementations that the suites run on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.storage.journal import Journal
from tests.build import swift as swift_
from tests.build.postgres import PROGRAMS, fresh, server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that lives as long as this run."""
    if PROGRAMS is None:
        pytest.skip("PostgreSQL is not here")
    with server() as address:
        yield address


@pytest.fixture(scope="session")
def swift() -> Iterator[swift_.Swift]:
    """An object store that lives as long as this run."""
    if not swift_.HERE:
        pytest.skip("Swift is not here")
    with swift_.server() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    where = fresh(request.getfixturevalue("postgres")) if request.param == "postgresql" else tmp_path / "sekisho.db"
    journal = Journal(where)
    await journal.start()
    try:
        yield journal
        assert (await audit.verify(journal)).broken is None
    finally:
        await journal.stop()
