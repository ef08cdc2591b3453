"""The implementations that the suites run on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.storage.journal import Journal
from tests.build.postgres import fresh


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
