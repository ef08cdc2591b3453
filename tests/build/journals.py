"""Journals for tests that need many: the migrations run once, and each test gets a copy of the file."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from gateway.storage.journal import Journal


@cache
def _migrated() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sekisho-journal-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    async def made() -> None:
        journal = Journal(folder / "sekisho.db")
        await journal.start()
        await journal.stop()

    asyncio.run(made())
    return folder / "sekisho.db"


async def new(path: Path) -> Journal:
    """A started journal in a new file."""
    template = await asyncio.to_thread(_migrated)
    shutil.copy(template, path)
    path.chmod(0o600)
    journal = Journal(path)
    await journal.start()
    return journal
