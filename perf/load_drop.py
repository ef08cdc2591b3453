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
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.build.load import Client, Ran, Upload, Watch, at_once, closed_loop, open_loop
from tests.e2e.service import Service, free_port


def say(name: str, ran: Ran, watch: Watch, size: int) -> None:
    done = len(ran.seconds)
    p50, p95, p99 = (ran.percentile(share) for share in (0.50, 0.95, 0.99))
    print(f"{name:28} {done:5} done {len(ran.errors):3} errors {done / ran.took:7.1f}/s {done * size / ran.took / 1e6:7.1f} MB/s   "
          f"p50 {p50:6.3f} p95 {p95:6.3f} p99 {p99:6.3f} s   service {watch.service[0] >> 20} MiB +{watch.growth / 2**20:.1f}, "
          f"largest child {max(watch.children) >> 20} MiB", flush=True)  # fmt: skip
    for error in sorted(set(ran.errors))[:3]:
        print(f"    {error}")


def whole(way: Callable[[int, str], Awaitable[str]], size: int) -> Upload:
    """One file of that size."""
    return lambda _: way(size, f"big {way.__name__}")


async def run(service: Service, token: str, arguments: argparse.Namespace) -> int:
    """How many errors there were."""
    assert service.process is not None
    errors = 0
    async with Client(f"http://127.0.0.1:{service.drop}", token) as client:
        big, small = arguments.mb << 20, arguments.kb << 10
        large = {way.__name__: (big, at_once(1, whole(way, big))) for way in (client.raw, client.form, client.tus)}
        loads = {
            **{f"{arguments.mb} MiB {name}": load for name, load in large.items()},
            f"{arguments.many} at once": (small, at_once(arguments.many, lambda number: client.raw(small, f"many {number}"))),
            "8 clients, closed loop": (small, closed_loop(8, arguments.many // 8, lambda number: client.form(small, f"closed {number}"))),
            f"{arguments.rate}/s, open loop": (small, open_loop(arguments.rate, arguments.seconds, lambda n: client.raw(small, f"o {n}"))),
        }  # fmt: skip
        for name, (size, load) in loads.items():
            watch = Watch(service.process.pid)
            async with watch.looking():
                ran = await load
            say(name, ran, watch, size)
            errors += len(ran.errors)
    return errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--kb", type=int, default=1024)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder) / "var", free_port())
        try:
            service.start(120)
            token = service.person("tanaka", "tanaka@town.example.jp")
            return 1 if asyncio.run(run(service, token, arguments)) else 0
        finally:
            # What its children have in hand is large: the service would wait for them.
            service.kill()


if __name__ == "__main__":
    sys.exit(main())
