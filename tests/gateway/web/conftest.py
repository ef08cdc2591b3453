"""One town for every test of its faces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.build.face import Town, quick_passwords, town


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    quick_passwords(monkeypatch)
    async with town(tmp_path) as made:
        yield made
