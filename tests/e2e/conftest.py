"""One service and one next hop for a test, on loopback, in a folder of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.service import NextHop, Service


@pytest.fixture
async def next_hop() -> AsyncIterator[NextHop]:
    hop = NextHop()
    await hop.start()
    yield hop
    await hop.stop()


@pytest.fixture
async def service(tmp_path: Path, next_hop: NextHop) -> AsyncIterator[Service]:
    running = Service(tmp_path / "var", next_hop.port)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.kill()
