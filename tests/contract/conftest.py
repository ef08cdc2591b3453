"""The implementations that the suites run on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import audit
from gateway.storage.journal import Journal


@pytest.fixture(params=["sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    journal = Journal(tmp_path / "sekisho.db")
    await journal.start()
    yield journal
    assert (await audit.verify(journal)).broken is None
    await journal.stop()
