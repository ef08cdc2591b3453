"""What the database and the object store carry by themselves, each apart from everything that we do with them.

    python perf/ceilings.py [--seconds N]

Database: the least durable commit there is (one row, bare connections), alone and with a synchronous standby; and how long one
transaction has the chain of the record to itself, which is what no further node and no further core makes faster: a part for the commit
and a part for each link, as processor time of both ends; to the first come the flush of the disk and the round trips of the network, which
are not those of this machine. Object store: calls of a small and of a large object. Processor time is that of the servers' own processes,
and from it comes the ceiling of one core; waits are the shortest of many, because a busy machine only makes them longer. Swift is a store
for tests here: a real one is measured by the same calls (`--endpoint`, with the credentials in SEKISHO_S3_KEY_ID and SEKISHO_S3_SECRET).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
import psycopg
from sqlalchemy import Engine

from gateway.storage import ledger, narrow, postgresql
from gateway.storage.journal import Journal
from gateway.storage.s3 import Bucket, Credentials, Place
from tests.build import swift
from tests.build.postgres import fresh, pair, server

_GROUPS = (1, 8, 64)
_DETAIL: dict[str, object] = {"from": "processing", "to": "released", "verdict": "sanitized"}
# Of a commit with a standby in the next rack: the lock, the last link, the new ones, the commit, and both disks' flush.
_WAITS = 4 * 0.0002 + 0.001


class Calls(NamedTuple):
    """How many, in how many seconds, the shortest one in seconds, seconds of processor time of the servers."""

    count: int
    seconds: float
    shortest: float
    cpu: float

    def __str__(self) -> str:
        each, core = 1e3 * self.cpu / self.count, self.count / self.cpu if self.cpu else float("inf")
        here = f"{self.count / self.seconds:8.0f}/s here   shortest {1e3 * self.shortest:6.2f} ms"
        return f"{here}   {each:6.2f} ms of a core each: {core:7.0f}/s a core"


class Chain(NamedTuple):
    """Seconds of work while a transaction has the chain to itself: for the commit, and for each link."""

    commit: float
    link: float

    def most(self, group: int, *, waits: float = 0.0) -> float:
        """Links a second when so many share a commit, which waits so many seconds for disk and network."""
        return group / (self.commit + waits + self.link * group)


# ------------------------------------------------------------------------------------------------------------- processors


def spent(processes: Iterable[psutil.Process]) -> float:
    """Seconds worked by them, their children and those of their children that have ended."""
    seconds = 0.0
    for process in processes:
        for one in (process, *process.children(recursive=True)):
            try:
                times = one.cpu_times()
            except psutil.Error:
                continue
            seconds += times.user + times.system + (times.children_user + times.children_system if one == process else 0.0)
    return seconds


def postmaster(address: str) -> psutil.Process:
    with psycopg.connect(address) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return psutil.Process(int((Path(row[0]) / "postmaster.pid").read_text().split()[0]))


# --------------------------------------------------------------------------------------------------------------- database


def commits(address: str, processes: list[psutil.Process], connections: int, seconds: float) -> Calls:
    """One row each, one after another on every connection."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS ceiling (id bigserial PRIMARY KEY, said text)")
    times: list[float] = []
    before, began = spent(processes), time.perf_counter()

    def one_after_another() -> None:
        with psycopg.connect(address, autocommit=True) as connection:
            while time.perf_counter() - began < seconds:
                at = time.perf_counter()
                connection.execute("INSERT INTO ceiling (said) VALUES (%s)", ("x" * 200,))
                times.append(time.perf_counter() - at)

    threads = [threading.Thread(target=one_after_another) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Calls(len(times), time.perf_counter() - began, min(times), spent(processes) - before)


def chain(url: str, processes: list[psutil.Process], seconds: float) -> Chain:
    """As the journal's own writer makes links, from the lock to the end of the commit, in groups of several sizes; a line through them."""
    asyncio.run(_prepared(url))
    engine = postgresql.writer_engine(url)
    held = {group: _held(engine, processes, group, seconds / len(_GROUPS)) for group in _GROUPS}
    engine.dispose()
    link = (held[_GROUPS[-1]] - held[_GROUPS[0]]) / (_GROUPS[-1] - _GROUPS[0])
    for group, took in held.items():
        print(f"  {group:3} links in a transaction: {1e3 * took:6.2f} ms of work while it has the chain")
    return Chain(max(0.0, held[_GROUPS[0]] - link), link)


async def _prepared(url: str) -> None:
    journal = Journal(url)
    await journal.start()
    await journal.stop()


def _held(engine: Engine, processes: list[psutil.Process], group: int, seconds: float) -> float:
    """Seconds of work for each transaction: ours behind the lock, and the server's, of which little is before it."""
    count, ours, before, ends = 0, 0.0, spent(processes), time.perf_counter() + seconds
    with engine.connect() as connection:
        while time.perf_counter() < ends or not count:
            put_off = narrow.begin(connection)
            with connection.begin():
                for number in range(group):
                    receipt_no = f"20261121-{number:06}"
                    ledger.append(connection, at=1e9, actor="road", action="transfer.settled", subject=receipt_no, detail=_DETAIL)
                at = time.thread_time()
                put_off.do(connection)
            ours += time.thread_time() - at
            count += 1
            narrow.end(connection)
    return (ours + spent(processes) - before) / count


# ------------------------------------------------------------------------------------------------------------ object store


async def calls(bucket: Bucket, processes: list[psutil.Process], size: int, at_once: int, seconds: float) -> dict[str, Calls]:
    """Put, then get, objects of that size."""
    body, names = os.urandom(size), iter(range(10**9))
    kept: list[str] = []

    async def put() -> None:
        name = f"ceiling/{size}/{next(names)}"
        await bucket.put(name, body)
        kept.append(name)

    async def get() -> None:
        async for _ in bucket.get(kept[next(names) % len(kept)]):
            pass

    return {name: await _many(call, processes, at_once, seconds) for name, call in (("put", put), ("get", get))}


async def _many(call: Callable[[], Awaitable[None]], processes: list[psutil.Process], at_once: int, seconds: float) -> Calls:
    times: list[float] = []
    before, began = spent(processes), time.perf_counter()

    async def one_after_another() -> None:
        while time.perf_counter() - began < seconds:
            at = time.perf_counter()
            await call()
            times.append(time.perf_counter() - at)

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    return Calls(len(times), time.perf_counter() - began, min(times), spent(processes) - before)


async def store(endpoint: str, credentials: Credentials, processes: list[psutil.Process], seconds: float) -> dict[str, Calls]:
    bucket = Bucket(Place(endpoint, "ceilings", "ap-northeast-1"), credentials)
    await bucket.start()
    found = {}
    try:
        for size in (4_096, 600_000):
            for at_once in (1, 8):
                for name, told in (await calls(bucket, processes, size, at_once, seconds)).items():
                    found[f"{name} {size // 1000:4} KB, {at_once} at once"] = told
    finally:
        await bucket.stop()
    return found


# ------------------------------------------------------------------------------------------------------------------- main


def databases(seconds: float) -> dict[str, Chain]:
    """Each with the chain's times."""
    found = {}
    with server() as address:
        for connections in (1, 16):
            print(f"  alone, {connections:2} connections   {commits(address, [postmaster(address)], connections, seconds)}")
        found["alone"] = chain(fresh(address), [postmaster(address)], 3 * seconds)
    with pair() as both:
        for connections in (1, 16):
            first = both.alone(both.primary)
            told = commits(first, [postmaster(first)], connections, seconds)
            print(f"  with a synchronous standby, {connections:2} connections   {told}")
        found["with a synchronous standby"] = chain(both.address, [postmaster(first)], 3 * seconds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--endpoint", help="an object store to measure instead of one made here")
    given = parser.parse_args()
    print("database")
    for name, times in databases(given.seconds).items():
        most = ", ".join(f"{group}: {times.most(group, waits=_WAITS):,.0f}" for group in _GROUPS)
        each = f"{1e3 * times.commit:.2f} ms of work a commit and {1e3 * times.link:.3f} ms a link"
        print(f"  {name}: {each}; links a second, with {1e3 * _WAITS:.1f} ms for disk and network, by how many share a commit: {most}")
    print("object store")
    if given.endpoint:
        credentials = Credentials(os.environ["SEKISHO_S3_KEY_ID"], os.environ["SEKISHO_S3_SECRET"])
        rows = asyncio.run(store(given.endpoint, credentials, [], given.seconds))
    else:
        with swift.server() as made:
            processes = [psutil.Process(pid) for pid in made.processes]
            rows = asyncio.run(store(made.endpoint, Credentials(swift.KEY_ID, swift.SECRET), processes, given.seconds))
    for name, told in rows.items():
        print(f"  {name:26} {told}")


if __name__ == "__main__":
    main()
