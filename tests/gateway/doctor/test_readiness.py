"""Whether a service can take in, scan and store right now: one line for each thing that stands in its way."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.doctor.readiness import troubles
from gateway.scanners.interface import Answer, Failed
from gateway.scanners.panel import Panel, Seat
from gateway.storage.halts import Halt
from gateway.storage.local_blobs import LocalBlobs
from tests.build import journals
from tests.build.transfer import NOW


class Silent:
    name = "clamav"

    async def scan(self, fd: int, size: int) -> Answer:
        return Failed("not reachable")

    async def age(self) -> float | None:
        return None


@pytest.mark.parametrize("required", [True, False])
async def test_what_stands_in_the_way_is_named(tmp_path: Path, required: bool) -> None:
    journal = await journals.new(tmp_path / "sekisho.db")
    blobs, full = LocalBlobs(tmp_path / "blobs"), LocalBlobs(tmp_path / "blobs", reserve=1 << 62)
    await blobs.start()
    panel = Panel([Seat(Silent(), required)])
    assert await troubles(journal, blobs, None) == []
    assert await troubles(journal, blobs, panel) == (["clamav: not reachable"] if required else [])
    assert await troubles(journal, full, panel) == ["blobs: less free space than the reserve"]
    await journal.halt(Halt.INTAKE, at=NOW, actor="somebody", reason="drill")
    assert await troubles(journal, blobs, panel) == ["intake is stopped"]
    await journal.stop()
    (trouble,) = await troubles(journal, blobs, None)
    assert trouble.startswith(("journal", "intake is stopped"))
    await blobs.stop()
    await full.stop()
