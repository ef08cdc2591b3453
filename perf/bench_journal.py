"""What it costs to be durable: transfers written to the journal, one after another and many at once, beside the least that a disk asks.

    python perf/bench_journal.py [--transfers N]

`commits` are those of the database: many callers share one (group commit). The floor is one row a transaction in a bare SQLite file with
the same settings (WAL, synchronous FULL), and a line appended and flushed (fdatasync). Processor time is that of this process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import event

from gateway.storage.journal import Journal
from gateway.telemetry import log
from tests.build.transfer import arrival


class Written(NamedTuple):
    """How many, in how many commits, seconds, seconds of processor time."""

    rows: int
    commits: int
    seconds: float
    cpu: float

    def __str__(self) -> str:
        each = f"{self.rows / self.commits:5.1f} a commit"
        return f"{self.rows / self.seconds:8.0f}/s   {each}   {1000 * self.cpu / self.rows:6.3f} ms processor each"


def by_journal(folder: Path, count: int, at_once: int) -> Written:
    async def run() -> Written:
        journal, commits = Journal(folder / f"{at_once}.db"), 0
        await journal.start()

        def committed(_: object) -> None:
            nonlocal commits
            commits += 1

        event.listen(journal.writer, "commit", committed)
        began, worked = time.perf_counter(), time.process_time()

        async def one_after_another() -> None:
            for number in range(count // at_once):
                await journal.accept(arrival(b"%d" % number))

        await asyncio.gather(*(one_after_another() for _ in range(at_once)))
        done = Written(count // at_once * at_once, commits, time.perf_counter() - began, time.process_time() - worked)
        await journal.stop()
        return done

    return asyncio.run(run())


def by_sqlite(folder: Path, count: int) -> Written:
    with sqlite3.connect(folder / "bare.db", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, said TEXT)")
        return _timed(count, lambda: connection.execute("INSERT INTO t (said) VALUES (?)", ("x" * 300,)))


def by_file(folder: Path, count: int) -> Written:
    fd = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        return _timed(count, lambda: _flushed(fd))
    finally:
        os.close(fd)


def _flushed(fd: int) -> None:
    os.write(fd, b"x" * 300)
    os.fdatasync(fd)


def _timed(count: int, work: Callable[[], object]) -> Written:
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(count):
        work()
    return Written(count, count, time.perf_counter() - began, time.process_time() - worked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transfers", type=int, default=2_000)
    count = parser.parse_args().transfers
    log.start("error")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"append and fdatasync      {by_file(folder, count)}")
        print(f"bare SQLite, WAL, FULL    {by_sqlite(folder, count)}")
        for at_once in (1, 8, 64):
            print(f"journal, {at_once:2} at once       {by_journal(folder, count, at_once)}", flush=True)


if __name__ == "__main__":
    main()
