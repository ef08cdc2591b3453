"""A scanner is silent and the journal is away too: nobody is told twice, nothing is raised, and the next chance is not lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.storage.journal import Journal
from gateway.telling.alarm import Alarm
from gateway.telling.notices import Office
from tests.build import journals
from tests.build.road import accepted
from tests.build.transfer import NOW, MemoryBlobs


async def test_what_cannot_be_recorded_stands_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = await journals.new(tmp_path / "sekisho.db")
    transfer = await journal.transfer(await accepted(journal))
    told: list[str] = []
    office = Office("sekisho@town.example.jp", "gate.town.example.jp", "関町")
    alarm = Alarm(journal, MemoryBlobs(), office, clock=lambda: NOW, told=lambda: told.append("mail"))
    await journal.stop()
    await alarm.silent(transfer, "clamav: no answer")
    await alarm.heard()
    assert "nobody could be told" in caplog.text
    assert "could not be recorded" in caplog.text
    assert told == []
    again = Journal(tmp_path / "sekisho.db")
    await again.start()
    alarm._journal = again
    await alarm.silent(transfer, "clamav: no answer")
    assert told == ["mail"], "the mail that could not be written is not taken for written"
    await again.stop()
