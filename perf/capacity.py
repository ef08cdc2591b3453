"""How much a set of nodes can carry, and what breaks first: on paper (utilisation of each part) and by simulation (how long mails wait).

    python -m perf.capacity                     the model with the costs below, for 30 bodies and for all 1,700
    python -m perf.capacity --measure           the journal's own costs measured here first, on a PostgreSQL of its own

Paper: every mail and every file costs each part of the installation so many seconds (its demand); a part with n servers is full at
n / demand a second (utilisation law, Denning and Buzen, 1978). What is full first is what breaks first. Simulation: mails and files of the
sizes of a reference mix go through the parts in their order, first come first served, and wait where they have to.

The journal's work is of two kinds (`gateway.storage.narrow`): what nodes do beside each other, and the links of the record, which are put
on one after another over all nodes. The second is the only part that no further node makes faster.
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
    chain: float = 0.0012               # the links of the record: one after another, over all nodes
    jail: float = 0.010                 # a fresh locked process, scanners, verification …
    per_megabyte: float = 0.180         # … and the rebuilding itself, by size
    store_call: float = 0.004           # of one server of the object store
    calls: int = 5                      # put, look, get, put, get


@dataclass(frozen=True)
class Place:
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
        Part("cores of the database", costs.journal_server + costs.chain, plant.database_cores),
        Part("the chain of the record", costs.chain, 1),
        Part("object store", costs.store_call * costs.calls, plant.store_servers * 4),
    ]


def paper(place: Place, plant: Plant, costs: Costs) -> None:
    wanted = place.mails + place.files
    print(f"\n{place.name}: {plant.nodes} nodes of {plant.cores} cores; wanted in a burst {wanted:,.0f} a second")
    for part in sorted(parts(plant, costs), key=lambda one: one.most):
        print(f"  {part.name:<26} full at {part.most:9,.0f} a second   {wanted / part.most:6.0%} used")
    kept = place.days_bytes * _KEPT_DAYS * 1.1
    a_day = wanted / 3 * 3600 / _PART_OF_DAY_AT_PEAK
    print(f"  kept for {_KEPT_DAYS} days: {kept / 1e12:,.1f} TB; rows of the record a year: {a_day * 250 * 8 / 1e6:,.0f} million")


def nodes_for(place: Place, costs: Costs, plant: Plant, full: float = 0.7) -> int:
    """So that the nodes' cores are used no more than that in a burst."""
    demand = parts(plant, costs)[0].demand
    return max(2, math.ceil((place.mails + place.files) * demand / full / plant.cores) + 1)


# ------------------------------------------------------------------------------------------------------------- simulation


def simulate(place: Place, plant: Plant, costs: Costs, *, seconds: float, seed: int = 11) -> list[float]:
    """A burst of that length; how long each transfer took from its arrival to being ready to leave."""
    dice = random.Random(seed)
    stations = {"node": plant.nodes * plant.cores, "database": plant.database_cores, "chain": 1, "store": plant.store_servers * 4}
    free = {name: [0.0] * count for name, count in stations.items()}
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
        begins = max(at, heapq.heappop(free[name]))
        heapq.heappush(free[name], begins + cost)
        heapq.heappush(events, (begins + cost, number, came, step + 1, megabytes))
    return took


def _way(costs: Costs, megabytes: float) -> list[tuple[str, float]]:
    """In: body, row. Work: claim, fetch, rebuild, put, row. Out: row."""
    row = [("node", costs.journal_client / 4), ("database", costs.journal_server / 4), ("chain", costs.chain / 4)]
    store = ("store", costs.store_call)
    rebuilt = ("node", costs.jail + costs.per_megabyte * megabytes)
    return [("node", costs.take_in), store, store, *row, *row, store, rebuilt, store, store, *row, *row]


def _size(dice: random.Random) -> float:
    """Megabytes: mails without (p50 15 KB), mails with attachments (450 KB) and files from the web (600 KB), as users.md §5 has them."""
    kind = dice.random()
    middle, spread = (0.015, 1.3) if kind < 0.46 else (0.45, 1.45) if kind < 0.85 else (0.6, 2.0)
    return min(500.0, dice.lognormvariate(math.log(middle), spread))


# ---------------------------------------------------------------------------------------------------------------- measured


async def _transfers(url: str, seconds: float, at_once: int) -> int:
    journal, done, ends = Journal(url), 0, time.monotonic() + seconds
    await journal.start()

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


def _postmaster(address: str) -> psutil.Process:
    with psycopg.connect(address) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    return psutil.Process(int((Path(row[0]) / "postmaster.pid").read_text().split()[0]))


def _seconds(postmaster: psutil.Process) -> float:
    """Worked by it, by those of its processes that have ended, and by those that live."""
    spent = [process.cpu_times() for process in (postmaster, *postmaster.children())]
    return sum(one.user + one.system + one.children_user + one.children_system for one in spent)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the burst that is simulated")
    given = parser.parse_args()
    costs = measured(Costs()) if given.measure else Costs()
    for place in PLACES:
        plant = Plant(nodes=1)
        plant = replace(plant, nodes=nodes_for(place, costs, plant))
        if place.bodies > 100:
            plant = replace(plant, database_cores=64, store_servers=60)
        paper(place, plant, costs)
        for without in (0, 1):
            left = replace(plant, nodes=plant.nodes - without)
            took = simulate(place, left, costs, seconds=given.minutes * 60 * (0.2 if place.bodies > 100 else 1.0))
            cut = statistics.quantiles(took, n=100)
            waits = f"p50 {cut[49]:.2f} s, p95 {cut[94]:.2f} s, p99 {cut[98]:.2f} s, longest {max(took):.1f} s"
            print(f"  simulated, {left.nodes} nodes: {waits} of {len(took):,}")


if __name__ == "__main__":
    main()
