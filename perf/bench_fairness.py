"""Whose turn it is: how much a flood of one organisation delays another, and what a claim costs however many wait.

`delay` runs the real claim on the real tables with two lanes whose work takes 0.5 to 1.5: the 95th percentile from arrival to end of one
organisation's transfers, alone and beside a flood of 2,000 of another, over several seeds; beside it the same with one queue for all, as
the oldest first would have it. `claim` times a claim of one and of eight with 1,000 and 500,000 transfers waiting in 60 organisations.
"""

from __future__ import annotations

import heapq
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import Connection, Engine, insert, text

from gateway.model import State
from gateway.storage import database, transfers, turns
from gateway.storage.disk import Disk
from gateway.storage.tables import transfers as table
from tests.build.transfer import NOW, arrival

LANES, MAILS, GAP, FLOOD = 2, 150, 4.0, 2_000


def opened(folder: str, name: str) -> Engine:
    path = Path(folder) / name
    database.prepare(path, Disk())
    engine = database.writer_engine(path)
    database.migrate(engine)
    return engine


def bring(connection: Connection, organisation: str, at: float) -> None:
    transfers.accept(connection, arrival(organisation=organisation, received_at=at, recipients=()))


def p95(connection: Connection, seed: int, flood: int, name: Callable[[str], str]) -> float:
    """`name`: under which organisation each is filed."""
    chance = random.Random(seed)
    arrivals = sorted(NOW + chance.uniform(0, MAILS * GAP) for _ in range(MAILS))
    for _ in range(flood):
        bring(connection, name("A"), NOW)
    took: list[float] = []
    busy: list[float] = []
    flooding, free, at = flood, LANES, NOW
    while len(took) < MAILS:
        while arrivals and arrivals[0] <= at:
            bring(connection, name("B"), arrivals.pop(0))
        for one in transfers.claim(connection, free, at, at + 1e9, {}):
            ends = at + chance.uniform(0.5, 1.5)
            heapq.heappush(busy, ends)
            free -= 1
            if one.transfer.received_at > NOW:
                took.append(ends - one.transfer.received_at)
            else:
                flooding -= 1
        at = min([*busy[:1], *arrivals[:1]], default=at)
        while busy and busy[0] <= at:
            heapq.heappop(busy)
            free += 1
    return sorted(took)[int(len(took) * 0.95)]


def delay() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ratios = []
        for seed in range(5):
            figures = []
            for flood, name in ((0, lambda who: who), (FLOOD, lambda who: who), (FLOOD, lambda _: "all")):
                engine = opened(folder, f"{seed}-{len(figures)}.db")
                with engine.begin() as connection:
                    figures.append(p95(connection, seed, flood, name))
                engine.dispose()
            ratios.append(figures[1] / figures[0])
            print(f"delay   seed {seed}   alone {figures[0]:6.2f}   beside the flood {figures[1]:6.2f} ({ratios[-1]:.2f} x)   "
                  f"oldest first {figures[2]:8.2f} ({figures[2] / figures[0]:.0f} x)")  # fmt: skip
        print(f"delay   median {statistics.median(ratios):.2f} x, worst {max(ratios):.2f} x, of at most 2 x")


def waiting(connection: Connection, count: int) -> None:
    row = transfers._new_row(arrival(recipients=()))  # noqa: SLF001 - as a door would write it, half a million at once
    rows = [
        row
        | {"receipt_no": f"x-{number}", "organisation": f"町{number % 60}", "turn": turns.turn(NOW + number, 1000)}
        | {"received_at": NOW + number}
        for number in range(count)
    ]
    for start in range(0, count, 10_000):
        connection.execute(insert(table), rows[start : start + 10_000])


def claim() -> None:
    for count in (1_000, 500_000):
        with tempfile.TemporaryDirectory() as folder:
            engine = opened(folder, "queue.db")
            with engine.begin() as connection:
                waiting(connection, count)
                left = connection.execute(text("SELECT count(*) FROM transfers WHERE state = :state"), {"state": State.RECEIVED}).scalar()
                for most in (1, 8):
                    times = []
                    for _ in range(60):
                        began = time.perf_counter()
                        assert len(transfers.claim(connection, most, NOW, NOW + 60, {})) == most
                        times.append((time.perf_counter() - began) * 1000)
                    figures = f"p50 {statistics.median(times):6.2f} ms   p95 {sorted(times)[57]:6.2f} ms"
                    print(f"claim   {left:7,d} waiting   {most} at once   {figures}")
            engine.dispose()


if __name__ == "__main__":
    delay()
    claim()
