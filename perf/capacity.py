"""How much a set of nodes can carry, and what breaks first: on paper (utilisation of each part) and by simulation (how long mails wait).

    python -m perf.capacity                     the model with the costs below, for 30 bodies and for all 1,700
    python -m perf.capacity --measure           the journal's own costs measured here first, on a PostgreSQL of its own
    python -m perf.capacity --history N         the same costs in an empty journal and beside N settled transfers

Paper: every mail and every file costs each part of the installation so many seconds (its demand); a part with n servers is full at
n / demand a second (utilisation law, Denning and Buzen, 1978). What is full first is what breaks first. Simulation: mails and files of the
sizes of a reference mix go through the parts in their order, first come first served, and wait where they have to.

The journal's work is of two kinds (`gateway.storage.narrow`): what nodes do beside each other, and the links of the record, which are put
on one after another over all nodes. The second is the only part that no further node makes faster. It makes itself wider: whatever comes
while one commit has the chain goes into the next one, up to 64 operations of a node. Where it would be full all the same, the bodies are
spread over several installations, each with a record of its own. Its costs, and those of the stores, are measured by `ceilings.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import math
import multiprocessing
import os
import random
import statistics
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec
import psutil
import psycopg

from gateway.model import RecipientState
from gateway.storage.journal import Journal
from tests.build.postgres import fresh, server
from tests.build.transfer import NOW, arrival, settlement


@dataclass(frozen=True)
class Costs:
    """Seconds of one server, for one mail or file. Of a core of 2026 in a common server; measure your own."""

    take_in: float = 0.004              # SMTP or upload, hashing, the body made durable
    journal_client: float = 0.012       # all steps of one transfer, in the node
    journal_server: float = 0.008       # the same in the database's processes
    chain_commit: float = 0.0037        # work of both ends while one transaction has the chain …
    chain_link: float = 0.00003         # … for each link in it …
    chain_waits: float = 0.0018         # … and for disk and network: four round trips and a flush, with a standby in the next rack
    jail: float = 0.010                 # a fresh locked process, scanners, verification …
    per_megabyte: float = 0.180         # … and the rebuilding itself, by size
    store_call: float = 0.016           # of a core of the object store: Swift's, 4 KB or 600 KB alike
    calls: int = 5                      # put, look, get, put, get
    operations: int = 5                 # taken in, claimed, settled, claimed for the post, delivered
    links: int = 8

    def chain(self, together: int) -> float:
        """Of one transfer, when so many operations share a commit."""
        return self.operations / together * (self.chain_commit + self.chain_waits) + self.links * self.chain_link


class Place(NamedTuple):
    """`mails`, `files`: a second in a burst. `days_bytes`: what comes in on a day."""

    name: str
    bodies: int
    mails: float
    files: float
    days_bytes: float


@dataclass(frozen=True)
class Plant:
    """`cores` of each node are for work; `store_servers`: object servers; `database_cores`."""

    nodes: int
    cores: int = 16
    database_cores: int = 8
    store_servers: int = 6


PLACES = (
    Place("prefecture, 30 bodies", 30, 32.0, 17.0, 120e9),
    Place("all of Japan, 1,700 bodies", 1_700, 32.0 * 1_700 / 30, 17.0 * 1_700 / 30, 120e9 * 1_700 / 30),
)
_MEAN_MEGABYTES = 0.6
_PART_OF_DAY_AT_PEAK = 0.16
_KEPT_DAYS = 90
# What one commit of a node holds at the most (`gateway.storage.committer`).
_TOGETHER = 64
_FULL = 0.7
_CORES_OF_STORE = 4
# Of the minutes that are simulated, where there are many transfers.
_OF_MANY = 0.2


# ------------------------------------------------------------------------------------------------------------------ paper


class Part(NamedTuple):
    """`demand`: seconds for one transfer; `servers`: how many work beside each other."""

    name: str
    demand: float
    servers: float

    @property
    def most(self) -> float:
        """Transfers a second at which it is full."""
        return self.servers / self.demand


def parts(plant: Plant, costs: Costs, megabytes: float = _MEAN_MEGABYTES) -> list[Part]:
    node = costs.take_in + costs.journal_client + costs.jail + costs.per_megabyte * megabytes
    return [
        Part("cores of the nodes", node, plant.nodes * plant.cores),
        Part("cores of the database", costs.journal_server, plant.database_cores),
        Part("the chain of the record", costs.chain(_TOGETHER), 1),
        Part("object store", costs.store_call * costs.calls, plant.store_servers * _CORES_OF_STORE),
    ]


def paper(place: Place, plant: Plant, costs: Costs) -> None:
    wanted = place.mails + place.files
    what = f"{plant.nodes} nodes of {plant.cores} cores, a database of {plant.database_cores}, {plant.store_servers} servers of objects"
    print(f"\n{place.name}: {what}; wanted in a burst {wanted:,.0f} a second")
    for part in sorted(parts(plant, costs), key=lambda one: one.most):
        print(f"  {part.name:<26} full at {part.most:9,.0f} a second   {wanted / part.most:6.0%} used")
    kept = place.days_bytes * _KEPT_DAYS * 1.1
    a_day = wanted / 3 * 3600 / _PART_OF_DAY_AT_PEAK
    print(f"  kept for {_KEPT_DAYS} days: {kept / 1e12:,.1f} TB; rows of the record a year: {a_day * 250 * 8 / 1e6:,.0f} million")


def planned(place: Place, costs: Costs) -> Plant:
    """So that nothing but the chain is used more than _FULL in a burst, and one node more."""
    wanted, (nodes, database, _, store) = (place.mails + place.files) / _FULL, parts(Plant(nodes=1), costs)
    return Plant(
        nodes=max(2, math.ceil(wanted * nodes.demand / Plant.cores) + 1),
        database_cores=max(Plant.database_cores, math.ceil(wanted * database.demand)),
        store_servers=max(Plant.store_servers, math.ceil(wanted * store.demand / _CORES_OF_STORE)),
    )


def spread(place: Place, several: int) -> Place:
    """One of several installations."""
    bodies = math.ceil(place.bodies / several)
    return Place(f"the same in {several} installations, each of {bodies} bodies", bodies, *(value / several for value in place[2:]))


# ------------------------------------------------------------------------------------------------------------- simulation


def simulate(place: Place, plant: Plant, costs: Costs, *, seconds: float, seed: int = 11) -> list[float]:
    """A burst of that length; how long each transfer took from its arrival to being ready to leave."""
    dice = random.Random(seed)
    stations = {"node": plant.nodes * plant.cores, "database": plant.database_cores, "store": plant.store_servers * _CORES_OF_STORE}
    free = {name: [0.0] * count for name, count in stations.items()}
    chain = _Chain(costs)
    steps: list[tuple[str, float]] = []
    events: list[tuple[float, int, float, int, float]] = []
    at, number = 0.0, 0
    while (at := at + dice.expovariate(place.mails + place.files)) < seconds:
        heapq.heappush(events, (at, number, at, 0, _size(dice)))
        number += 1
    took: list[float] = []
    while events:
        at, number, came, step, megabytes = heapq.heappop(events)
        steps = _way(costs, megabytes)
        if step == len(steps):
            took.append(at - came)
            continue
        name, cost = steps[step]
        if name == "chain":
            heapq.heappush(events, (chain.joined(at), number, came, step + 1, megabytes))
            continue
        begins = max(at, heapq.heappop(free[name]))
        heapq.heappush(free[name], begins + cost)
        heapq.heappush(events, (begins + cost, number, came, step + 1, megabytes))
    return took


class _Chain:
    """Whoever comes while it is taken goes with the next ones, together."""

    def __init__(self, costs: Costs) -> None:
        self._fixed, self._link = costs.chain_commit + costs.chain_waits, costs.chain_link * costs.links / costs.operations
        self._begins, self._count, self._free = 0.0, _TOGETHER, 0.0

    def joined(self, at: float) -> float:
        """When it is done."""
        if at > self._begins or self._count >= _TOGETHER:
            self._begins, self._count = max(at, self._free), 0
        self._count += 1
        self._free = self._begins + self._fixed + self._link * self._count
        return self._free


def _way(costs: Costs, megabytes: float) -> list[tuple[str, float]]:
    """In: body, row. Work: claim, fetch, rebuild, put, row. Out: row."""
    row = [("node", costs.journal_client / costs.operations), ("database", costs.journal_server / costs.operations), ("chain", 0.0)]
    store = ("store", costs.store_call)
    rebuilt = ("node", costs.jail + costs.per_megabyte * megabytes)
    return [("node", costs.take_in), store, store, *row, *row, store, rebuilt, store, store, *row, *row, *row]


def _size(dice: random.Random) -> float:
    """Megabytes: mails without (p50 15 KB), mails with attachments (450 KB) and files from the web (600 KB), as users.md §5 has them."""
    kind = dice.random()
    middle, spread = (0.015, 1.3) if kind < 0.46 else (0.45, 1.45) if kind < 0.85 else (0.6, 2.0)
    return min(500.0, dice.lognormvariate(math.log(middle), spread))


# ---------------------------------------------------------------------------------------------------------------- measured


async def _transfers(url: str, seconds: float, at_once: int) -> int:
    journal, done = Journal(url), 0
    await journal.start()
    ends = time.monotonic() + seconds

    async def one_after_another() -> None:
        nonlocal done
        while time.monotonic() < ends:
            await journal.accept(arrival())
            for claim in await journal.claim(1, at=NOW, lease_until=NOW + 1e6):
                await journal.settle(claim, settlement(), at=NOW)
            for delivery in await journal.claim_deliveries(1, at=NOW, lease_until=NOW + 1e6):
                said = [msgspec.structs.replace(to, state=RecipientState.DELIVERED) for to in delivery.recipients]
                await journal.settle_delivery(delivery, said, None, at=NOW)
            done += 1

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    await journal.stop()
    return done


def _node(url: str, seconds: float, at_once: int, answers: multiprocessing.Queue[tuple[int, float]]) -> None:
    done = asyncio.run(_transfers(url, seconds, at_once))
    used = os.times()
    answers.put((done, used.user + used.system))


def measured(costs: Costs, seconds: float = 6.0) -> Costs:
    """The journal's costs in CPU seconds, so that a busy machine matters little; and how three nodes fare beside one."""
    with server() as address:
        url, postmaster = fresh(address), _postmaster(address)
        for count in (1, 2, 3):
            before = _seconds(postmaster)
            answers: multiprocessing.Queue[tuple[int, float]] = multiprocessing.Queue()
            nodes = [multiprocessing.Process(target=_node, args=(url, seconds, 16, answers)) for _ in range(count)]
            for node in nodes:
                node.start()
            told = [answers.get(timeout=60) for _ in nodes]
            for node in nodes:
                node.join()
            done, used = sum(one[0] for one in told), sum(one[1] for one in told)
            server_used = _seconds(postmaster) - before
            each = f"each {1e3 * used / done:5.1f} ms in the nodes, {1e3 * server_used / done:5.1f} ms in the database"
            print(f"{count} nodes: {done / seconds:6.1f} transfers a second, {each}")
            if count == 1:
                costs = replace(costs, journal_client=used / done, journal_server=server_used / done)
    return costs


def aged(url: str, count: int) -> None:
    """So many settled transfers beside those that are there: the last one again and again, under other numbers, from the months before."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica" if _is_superuser(connection) else "SELECT 1")
        last = connection.execute("SELECT max(id) FROM transfers WHERE state = 'delivered'").fetchone()
        assert last is not None
        changed = {"id": None, "receipt_no": "'H' || g", "received_at": "received_at - g"}
        _again(connection, "transfers", changed, f"generate_series(1, {count}) g WHERE transfers.id = {last[0]}")
        of_them = f"(SELECT id AS of_them FROM transfers WHERE receipt_no LIKE 'H%') t WHERE transfer_id = {last[0]}"
        _again(connection, "transfer_recipients", {"transfer_id": "of_them"}, of_them)
        _again(connection, "deliveries", {"id": None, "transfer_id": "of_them"}, of_them)
        theirs = "(SELECT d.id AS of_them FROM deliveries d JOIN transfers ON transfers.id = d.transfer_id WHERE receipt_no LIKE 'H%') t"
        its = f"WHERE delivery_id = (SELECT id FROM deliveries WHERE transfer_id = {last[0]})"
        _again(connection, "delivery_recipients", {"delivery_id": "of_them"}, f"{theirs} {its}")
        connection.execute("ANALYZE")


def _is_superuser(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    row = connection.execute("SELECT current_setting('is_superuser') = 'on'").fetchone()
    return row is not None and bool(row[0])


def _again(connection: psycopg.Connection[tuple[object, ...]], table: str, changed: dict[str, str | None], beside: str) -> None:
    """Rows of a table once more, `changed` in these columns; None: a number of their own."""
    asked = "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = %s"
    columns = [str(name) for (name,) in connection.execute(asked, (table,)).fetchall() if changed.get(str(name), "") is not None]
    said = ", ".join(changed.get(name) or name for name in columns)
    connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {said} FROM {table}, {beside}".encode())


def beside_history(count: int, seconds: float = 20.0) -> None:
    """What a transfer costs the database before and after: its work, and the pages it looks at, which a busy machine does not change."""
    with server() as address:
        url, postmaster = fresh(address), _postmaster(address)
        for name, rows in (("empty", 0), (f"beside {count:,}", count)):
            if rows:
                aged(url, rows)
            asyncio.run(_transfers(url, 0.0, 0))
            before, pages = _seconds(postmaster), _pages(address)
            asyncio.run(_transfers(url, 0.0, 0))
            idle, none = _seconds(postmaster) - before, _pages(address) - pages
            before, pages = _seconds(postmaster), _pages(address)
            done = max(1, asyncio.run(_transfers(url, seconds, 16)))
            worked, looked = (_seconds(postmaster) - before - idle) / done, (_pages(address) - pages - none) / done
            print(f"{name:>20}: {1e3 * worked:.2f} ms of its processors and {looked:.0f} pages for each of {done:,} transfers", flush=True)


def _pages(address: str) -> int:
    """That its processes that have ended looked at."""
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT sum(blks_hit + blks_read)::bigint FROM pg_stat_database").fetchone()
    assert row is not None
    return int(row[0])


def _postmaster(address: str) -> psutil.Process:
    with psycopg.connect(address) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return psutil.Process(int((Path(row[0]) / "postmaster.pid").read_text().split()[0]))


def _seconds(postmaster: psutil.Process) -> float:
    """Worked by it, by those of its processes that have ended, and by those that live."""
    spent = [process.cpu_times() for process in (postmaster, *postmaster.children())]
    return sum(one.user + one.system + one.children_user + one.children_system for one in spent)


def waited(place: Place, plant: Plant, costs: Costs, minutes: float) -> None:
    """With all nodes, and with one of them lost."""
    for without in (0, 1):
        left = replace(plant, nodes=plant.nodes - without)
        took = simulate(place, left, costs, seconds=minutes * 60)
        cut = statistics.quantiles(took, n=100)
        waits = f"p50 {cut[49]:.2f} s, p95 {cut[94]:.2f} s, p99 {cut[98]:.2f} s, longest {max(took):.1f} s"
        print(f"  simulated, {left.nodes} nodes: {waits} of {len(took):,}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--history", type=int, metavar="N", help="only what a transfer costs the database beside N settled ones")
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the burst that is simulated")
    given = parser.parse_args()
    if given.history:
        beside_history(given.history)
        sys.exit()
    costs = measured(Costs()) if given.measure else Costs()
    for place in PLACES:
        plant = planned(place, costs)
        paper(place, plant, costs)
        several = math.ceil((place.mails + place.files) / (_FULL * parts(plant, costs)[2].most))
        if several == 1:
            waited(place, plant, costs, given.minutes)
        else:
            one = spread(place, several)
            paper(one, planned(one, costs), costs)
            waited(one, planned(one, costs), costs, given.minutes * _OF_MANY)


if __name__ == "__main__":
    main()
