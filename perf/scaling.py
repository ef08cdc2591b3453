"""One processor and two: how many files of the reference mix go through the jail in a second when the whole tree may use so many.

    python perf/scaling.py [--seconds S] [--cores N]

Each count runs in a process of its own whose tree the kernel keeps on so many processors (sched_setaffinity), with as many children at
work; both take turns, so that what else the machine does meets both. `rate` is by the clock; `by processor time` is what the same rate
would be on a machine with nothing else to do: it shows what more cores cost in caches and locks. Aim: 1 to 2 at least 1.85.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from perf import traffic
from perf.footprint import children_of
from perf.traffic import File
from sanitizers.model import Job

_FILES: Final = 20
_LARGEST: Final = 1 << 20
_TURNS: Final = 3
_PATIENCE_SECONDS: Final = 300.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Ran(NamedTuple):
    """Files that were done, seconds, seconds of processor time of the whole tree."""

    files: int
    seconds: float
    cpu: float


async def _inside(cores: int, seconds: float, files: Sequence[File]) -> Ran:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    workers = Workers(rulesets.read(rulesets.builtin_folder()), cores)
    await workers.start()
    turn, done = itertools.cycle(files), 0

    async def work(until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            file = next(turn)
            with memory.filled("input", file.data) as writable:
                fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
                sanitized = await workers.sanitize(fd, Job(name=file.name))
                os.close(fd)
            if sanitized.output_fd is not None:
                os.close(sanitized.output_fd)
            done += 1

    await asyncio.gather(*(work(time.perf_counter() + 0.5) for _ in range(cores)))
    done, before, began = 0, _cpu(), time.perf_counter()
    await asyncio.gather(*(work(began + seconds) for _ in range(cores)))
    ran = Ran(done, time.perf_counter() - began, _cpu() - before)
    await workers.stop()
    return ran


def _cpu() -> float:
    """Of this process, of its warm parent, and of the parent's ended children."""
    fields = [Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split() for pid in children_of(os.getpid())]
    return time.process_time() + sum(int(field) for each in fields for field in each[11:15]) / _TICKS


def measured(seconds: float, cores: int = 2) -> dict[str, Any]:
    totals = {1: Ran(0, 0.0, 0.0), cores: Ran(0, 0.0, 0.0)}
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(traffic.files(3, _FILES, largest=_LARGEST)):
            if file.delivers:
                (Path(folder) / f"{number} {file.name}").write_bytes(file.data)
        for count in (1, cores) * _TURNS:
            words = [sys.executable, str(Path(__file__).resolve()), "--inside", str(count), "--seconds", str(seconds / _TURNS), folder]
            ran = json.loads(subprocess.run(words, capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS).stdout)
            totals[count] = Ran(*(sum(pair) for pair in zip(totals[count], ran, strict=True)))
    one, all_of_them = totals[1], totals[cores]
    return {
        "cores": cores, "files_per_second": {count: round(ran.files / ran.seconds, 1) for count, ran in totals.items()},
        "cpu_ms_per_file": {count: round(1000 * ran.cpu / ran.files, 2) for count, ran in totals.items()},
        "ratio": round(all_of_them.files / all_of_them.seconds / (one.files / one.seconds), 2),
        "by_processor_time": round(cores * (one.cpu / one.files) / (all_of_them.cpu / all_of_them.files), 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        files = [File(path.name, path.read_bytes()) for path in sorted(given.folder.iterdir())]
        print(json.dumps(uvloop.run(_inside(given.inside, given.seconds, files))))
        return
    for name, value in measured(given.seconds, given.cores).items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
