"""One, two and three workers in a service, and one, two and three nodes on one PostgreSQL and one object store: the reference mix by SMTP.

    python perf/nodes.py [--count N] [--workers 1,2,3] [--nodes 1,2,3] [--json FILE]

Mails a second by the clock and processor time for each mail, as in `load_smtp.py`; of nodes also what the database and the store took, and
how much of the machine was in use: once that is all of it, another node cannot help here, and its cost for each mail says what it would
bring on a machine of its own. Each node takes in an equal share, has one worker, and works on whatever waits, whoever took it in.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from perf import traffic
from perf.load_smtp import Load, NextHop, all_arrived, cpu_seconds, faults, sent, service_in
from perf.traffic import Mail
from tests.build import postgres, swift
from tests.build.postgres import fresh
from tests.e2e.service import Service

_SESSIONS: Final = 6
_START_SECONDS: Final = 120.0
_SHARED: Final = ("receipt.key", "receipt.pub", "secrets.key")


def mix(count: int) -> list[Mail]:
    return list(traffic.mails(1, traffic.PROFILES["city"], count, traffic.files(1, max(10, count // 6)), with_bombs=False))


async def measured(services: Sequence[Service], mails: Sequence[Mail], stores: Sequence[psutil.Process] = ()) -> dict[str, Any]:
    """Every node runs already. `stores`: processes of the database and of the object store."""
    load = Load()
    server = await asyncio.get_running_loop().create_server(lambda: NextHop(load.arrived), "127.0.0.1", services[0].next_hop)
    before, others, machine, began = _nodes(services), _spent(stores), psutil.cpu_times(), time.perf_counter()
    shares = [mails[place :: len(services)] for place in range(len(services))]
    together = zip(services, shares, strict=True)
    await asyncio.gather(*(sent(one.smtp, share, load, rate=0.0, sessions=_SESSIONS) for one, share in together))
    await all_arrived(load, mails)
    seconds, spent, stored, after = time.perf_counter() - began, _nodes(services) - before, _spent(stores) - others, psutil.cpu_times()
    server.close()
    idle = (after.idle + after.iowait - machine.idle - machine.iowait) / (seconds * (os.cpu_count() or 1))
    return {
        "mails_per_second": round(load.rate(), 2), "node_ms_per_mail": round(1000 * spent / len(mails), 1),
        "stores_ms_per_mail": round(1000 * stored / len(mails), 1), "machine_in_use": round(1 - idle, 2), "faults": faults(load, mails),
    }  # fmt: skip


def _nodes(services: Sequence[Service]) -> float:
    return sum(sum(cpu_seconds(one.process.pid).values()) for one in services if one.process is not None)


def _spent(processes: Sequence[psutil.Process]) -> float:
    """Of them and of all that they started, ended children included."""
    total = 0.0
    for one in {each.pid: each for process in processes for each in (process, *process.children(recursive=True))}.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def workers(counts: Sequence[int], mails: Sequence[Mail]) -> dict[int, dict[str, Any]]:
    """One service with so many workers."""
    found = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            service = service_in(Path(folder))
            service.environment["SEKISHO_WORKERS_JOBS"] = str(count)
            service.start(_START_SECONDS)
            found[count] = asyncio.run(measured([service], mails))
            service.stop()
    return found


def nodes(counts: Sequence[int], mails: Sequence[Mail]) -> dict[int, dict[str, Any]]:
    """So many nodes with a worker each. Needs PostgreSQL and Swift."""
    found = {}
    with postgres.server() as address, swift.server() as store:
        for count in counts:
            with tempfile.TemporaryDirectory() as folder, _cluster(Path(folder), count, address, store) as services:
                stores = [psutil.Process(pid) for pid in store.processes]
                stores += [one for one in psutil.process_iter(["name"]) if one.name() == "postgres" and one.parent() is not None]
                found[count] = asyncio.run(measured(services, mails, stores))
    return found


@contextlib.contextmanager
def _cluster(folder: Path, count: int, address: str, store: swift.Swift) -> Iterator[list[Service]]:
    (folder / "credentials").write_text(f"{swift.KEY_ID}\n{swift.SECRET}\n")
    shared = {
        "SEKISHO_STORAGE_URL": fresh(address),
        "SEKISHO_STORAGE_BLOBS": f"s3://nodes-{count}/sekisho",
        "SEKISHO_STORAGE_S3_ENDPOINT": store.endpoint,
        "SEKISHO_STORAGE_S3_REGION": "ap-northeast-1",
        "SEKISHO_STORAGE_S3_CREDENTIALS": str(folder / "credentials"),
        "SEKISHO_WORKERS_JOBS": "1",
    }
    services: list[Service] = []
    try:
        for number in range(count):
            service = service_in(folder / str(number))
            service.folder.parent.mkdir(exist_ok=True)
            service.environment |= shared
            if services:
                service.folder.mkdir()
                service.next_hop = services[0].next_hop
                for name in _SHARED:
                    if (services[0].folder / name).exists():
                        shutil.copy(services[0].folder / name, service.folder / name)
            service.start(_START_SECONDS)
            services.append(service)
        yield services
    finally:
        for service in services:
            service.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=240)
    parser.add_argument("--workers", default="1,2,3", help="how many, one after another; empty: none")
    parser.add_argument("--nodes", default="1,2,3")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    mails = mix(given.count)
    asked = {"workers": (workers, given.workers), "nodes": (nodes, given.nodes)}
    found = {name: measure([int(one) for one in counts.split(",") if one], mails) for name, (measure, counts) in asked.items() if counts}
    for name, rows in found.items():
        for count, row in rows.items():
            print(f"{name:8} {count}  " + "  ".join(f"{key} {value}" for key, value in row.items()))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    return 1 if any(row["faults"] for rows in found.values() for row in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
