"""The drop under load: one very large upload in each of its three ways, many at once, a closed and an open loop; and the service's memory.

A service of its own is started in a folder that is thrown away. Times of the open loop count from when an upload was due, so a server that
stops for a while is not spared (coordinated omission). Memory is the resident size of the service's processes in /proc, highest above the
first; the children of the jail, which come and go, are named apart. `--mb 500 --many 200 --rate 10 --seconds 20` are the figures of the
aims: below 150 MB of growth, no error.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf.percentiles import corrected, waits
from tests.build.load import Client, Ran, Upload, Watch, at_once, closed_loop, open_loop
from tests.build.ports import free_port
from tests.e2e.service import Service


def figures(name: str, ran: Ran, watch: Watch, size: int) -> dict[str, Any]:
    """What a closed loop did not send while it waited is put back."""
    done, seconds = len(ran.seconds), ran.seconds
    if "closed" in name:
        seconds = corrected(seconds, waits(seconds).p50)
    return {
        "done": done, "per_second": round(done / ran.took, 2), "megabytes_per_second": round(done * size / ran.took / 1e6, 1),
        "way": waits(seconds)._asdict(), "service_mib": watch.service[0] >> 20, "growth_mib": round(watch.growth / 2**20, 1),
        "largest_child_mib": max(watch.children) >> 20, "faults": sorted(set(ran.errors)),
    }  # fmt: skip


def whole(way: Callable[[int, str], Awaitable[str]], size: int) -> Upload:
    """One file of that size."""
    return lambda _: way(size, f"big {way.__name__}")


async def run(service: Service, token: str, given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    assert service.process is not None
    found = {}
    async with Client(f"http://127.0.0.1:{service.drop}", token) as client:
        big, small = given.mb << 20, given.kb << 10
        large = {way.__name__: (big, at_once(1, whole(way, big))) for way in (client.raw, client.form, client.tus)}
        loads = {
            **{f"{given.mb} MiB {name}": load for name, load in large.items()},
            f"{given.many} at once": (small, at_once(given.many, lambda number: client.raw(small, f"many {number}"))),
            "8 clients, closed loop": (small, closed_loop(8, given.many // 8, lambda number: client.form(small, f"closed {number}"))),
            f"{given.rate}/s, open loop": (small, open_loop(given.rate, given.seconds, lambda n: client.raw(small, f"o {n}"))),
        }  # fmt: skip
        for name, (size, load) in loads.items():
            watch = Watch(service.process.pid)
            async with watch.looking():
                ran = await load
            found[name] = figures(name, ran, watch, size)
    return found


def measured(words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """As the command would, with these words."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "var", free_port())
        try:
            service.start(120)
            token = service.person("tanaka", "tanaka@town.example.jp")
            return asyncio.run(run(service, token, arguments().parse_args(words)))
        finally:
            # What its children have in hand is large: the service would wait for them.
            service.kill()


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--kb", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser


def main() -> int:
    found = measured(sys.argv[1:])
    for name, one in found.items():
        print(name)
        for figure, value in one.items():
            print(f"  {figure:22} {value}")
    return 1 if any(one["faults"] for one in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
