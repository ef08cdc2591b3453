"""From nothing to the first transfer delivered: the service with a new folder, the service with its folder, and the command.

    python perf/start.py [--rounds N] [--imports]

Seconds by the clock and of processor time (the service with its warm parent), the least of the rounds. `ready` is when the service says
so, `first` when its first mail is at the next hop; for the command both are the end of one small file. `--imports` lists the libraries
whose loading costs most, in the service and in the warm parent. Aim: at most 2 s to the first transfer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf import load_smtp, traffic
from perf.load_smtp import Load, NextHop, all_arrived, cpu_seconds, sent, service_in

_MAIL: Final = next(traffic.mails(1, traffic.PROFILES["town"], 1, [], with_bombs=False))
_LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_SIDES: Final = {"service": "import gateway.commands.serve", "warm parent": "import sanitizers.parent, sanitizers.child"}
_LISTED: Final = 12
_PATIENCE_SECONDS: Final = 120.0


class Began(NamedTuple):
    """Seconds since the start of the process, and of processor time until the first transfer was out."""

    ready: float
    first: float
    cpu: float


async def _service(folder: Path) -> Began:
    service, load = service_in(folder), Load()
    server = await asyncio.get_running_loop().create_server(lambda: NextHop(load.arrived), "127.0.0.1", service.next_hop)
    began = time.perf_counter()
    await asyncio.to_thread(service.start, _PATIENCE_SECONDS)
    ready = time.perf_counter() - began
    assert service.process is not None
    await sent(service.smtp, [_MAIL], load, rate=0.0, sessions=1)
    await all_arrived(load, [_MAIL])
    cpu = sum(cpu_seconds(service.process.pid).values())
    await asyncio.to_thread(service.stop)
    server.close()
    assert not load_smtp.faults(load, [_MAIL]), load
    return Began(ready, load.arrived[_MAIL.message_id][0][0] - began, cpu)


def _command(folder: Path) -> Began:
    (folder / "a.txt").write_text("別紙のとおり通知します。\n", "utf-8")
    words = [sys.executable, "-m", "gateway.cli", "sanitize", "--no-progress", "-o", str(folder / "out"), str(folder / "a.txt")]
    before, began = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, timeout=60)
    took, after = time.perf_counter() - began, os.times()
    return Began(took, took, after.children_user + after.children_system - before.children_user - before.children_system)


def _least(found: Sequence[Began]) -> Began:
    return Began(*(min(column) for column in zip(*found, strict=True)))


def measured(rounds: int) -> dict[str, Began]:
    ways: dict[str, list[Began]] = {"service, new folder": [], "service again": [], "command": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            ways["service, new folder"].append(asyncio.run(_service(Path(name))))
            ways["service again"].append(asyncio.run(_service(Path(name))))
            ways["command"].append(_command(Path(name)))
    return {name: _least(found) for name, found in ways.items()}


def imports(side: str) -> Counter[str]:
    """Milliseconds by package (ours by room), without what it loads in turn."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", _SIDES[side]], capture_output=True, text=True, check=True, timeout=60)
    found: Counter[str] = Counter()
    for micros, module in _LINE.findall(done.stderr):
        ours = module.split(".")[0] in ("gateway", "mail", "sanitizers")
        found[".".join(module.split(".")[: 2 if ours else 1])] += int(micros) // 10
    return Counter({name: hundredths // 100 for name, hundredths in found.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--imports", action="store_true")
    given = parser.parse_args()
    for name, began in measured(given.rounds).items():
        print(f"{name:22} ready {began.ready:6.2f} s   first transfer {began.first:6.2f} s   processor {began.cpu:6.2f} s")
    for side in _SIDES if given.imports else ():
        found = imports(side)
        print(f"{side}: {sum(found.values())} ms:", ", ".join(f"{name} {spent}" for name, spent in found.most_common(_LISTED)))


if __name__ == "__main__":
    main()
