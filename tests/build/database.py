"""The empty database of a new installation, made by the migrations once in a run of tests and laid down wherever one begins."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from gateway.storage import database
from gateway.storage.disk import Disk
from gateway.storage.journal import Journal


@cache
def _empty() -> bytes:
    """The file as `Journal.start` makes it. Nothing in it says when or where it was made."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sekisho.db"
        database.prepare(path, Disk())
        engine = database.writer_engine(path)
        database.migrate(engine)
        engine.dispose()
        return path.read_bytes()


def lay_down(path: Path) -> None:
    """Where nothing is yet. A folder that cannot be written to is left for the start to find."""
    if path.exists():
        return
    try:
        database.prepare(path, Disk())
    except OSError:
        return
    try:
        path.write_bytes(_empty())
    except OSError:
        path.unlink()


def begin_with_it() -> None:
    """From now on a journal that starts in a new folder finds its tables made: the start still looks whether they are those of this version."""
    start = Journal.start

    async def begin(journal: Journal) -> None:
        if journal._path is not None:
            lay_down(journal._path)
        await start(journal)

    Journal.start = begin  # type: ignore[method-assign, assignment]
