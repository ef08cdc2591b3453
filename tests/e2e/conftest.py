"""One service and one next hop for a test, on loopback, in a folder of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.build.launcher import Launcher
from tests.build.launcher import launcher as one_launcher
from tests.e2e.service import NextHop, Service


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """Starts services and commands that need not load their modules anew: as long as this run."""
    with one_launcher() as made:
        yield made


@pytest.fixture
async def next_hop() -> AsyncIterator[NextHop]:
    hop = NextHop()
    await hop.start()
    yield hop
    await hop.stop()


@pytest.fixture
async def service(tmp_path: Path, next_hop: NextHop, launcher: Launcher) -> AsyncIterator[Service]:
    running = Service(tmp_path / "var", next_hop.port, launcher=launcher)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.kill()
