"""What the jail costs: the same engine call in this process and through a jailed child, side by side in one run.

    python perf/bench_jail.py [--rounds N]

Prints milliseconds (median) of both, their difference and ratio for 10 KB, 1 MB and 20 MB of text and of pictures. The ratio is
the figure to compare between machines; aim: at most 4 ms more at 10 KB, at most 10 % more at 20 MB.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import uvloop
from PIL import Image

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from perf.footprint import children_of
from sanitizers.engine import Engine
from sanitizers.model import Job
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source


def text(size: int) -> bytes:
    line = "関所は通る者をすべて改める。The gateway takes everything apart. 2026-11-20\n".encode()
    return (line * (size // len(line) + 1))[:size].rsplit(b"\n", 1)[0] + b"\n"


def picture(size: int) -> bytes:
    """A JPEG of about `size` bytes: noise over a gradient, as a photograph has."""
    rng = random.Random(size)
    side = max(64, int((size / 0.62) ** 0.5))
    grain = Image.frombytes("L", (side, side), rng.randbytes(side * side))
    image = Image.merge("RGB", (Image.linear_gradient("L").resize((side, side)), grain, Image.radial_gradient("L").resize((side, side))))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()


async def measure(workers: Workers, scanner: Scanner, name: str, data: bytes, rounds: int) -> tuple[float, float]:
    """Median milliseconds in this process and in the jail, taken in turns."""
    inside, jailed = [], []
    with memory.filled("input", data) as writable:
        fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        for _ in range(rounds):
            started = time.perf_counter()
            outcome = Engine(Job(name=name), scanner, len(data)).run(Source(data))
            inside.append(time.perf_counter() - started)
            assert outcome.content is not None, outcome.report
            started = time.perf_counter()
            sanitized = await workers.sanitize(fd, Job(name=name))
            jailed.append(time.perf_counter() - started)
            assert sanitized.output_fd is not None, sanitized.report
            os.close(sanitized.output_fd)
        os.close(fd)
    return statistics.median(inside) * 1000, statistics.median(jailed) * 1000


async def cost(rounds: int) -> dict[str, dict[str, float]]:
    """Of 10 KB of text and a small picture: milliseconds in this process, through the jail, and more; and processor time for each."""
    rules = rulesets.read(rulesets.builtin_folder())
    scanner, workers, found = compile_rules(rules), Workers(rules, 1), {}
    await workers.start()
    for name, file, data in (("text of 10 KB", "a.txt", text(10_000)), ("picture of 10 KB", "a.jpg", picture(10_000))):
        await measure(workers, scanner, file, data, 5)
        before = _cpu()
        inside, jailed = await measure(workers, scanner, file, data, rounds)
        both = 1000 * (_cpu() - before) / rounds
        alone = 1000 * min(_inside(scanner, file, data) for _ in range(rounds))
        found[name] = {"inside": inside, "jailed": jailed, "more": jailed - inside, "cpu more": both - 2 * alone}
    await workers.stop()
    return {name: {key: round(value, 2) for key, value in row.items()} for name, row in found.items()}


def _inside(scanner: Scanner, name: str, data: bytes) -> float:
    """Seconds of processor time."""
    began = time.process_time()
    Engine(Job(name=name), scanner, len(data)).run(Source(data))
    return time.process_time() - began


def _cpu() -> float:
    """Seconds of processor time of this process, its warm parent and the parent's ended children."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = [Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split() for pid in children_of(os.getpid())]
    return time.process_time() + sum(int(field) for each in fields for field in each[11:15]) / ticks


async def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=15)
    rounds = arguments.parse_args().rounds
    rules = rulesets.read(rulesets.builtin_folder())
    scanner = compile_rules(rules)
    workers = Workers(rules, 1)
    await workers.start()
    print(f"{'sample':<16}{'bytes':>12}{'in process ms':>15}{'jailed ms':>12}{'more ms':>10}{'ratio':>8}")
    for size in (10_000, 1_000_000, 20_000_000):
        for name, make in (("a.txt", text), ("a.jpg", picture)):
            data = make(size)
            inside, jailed = await measure(workers, scanner, name, data, rounds if size < 5_000_000 else max(3, rounds // 5))
            print(f"{name:<16}{len(data):>12}{inside:>15.2f}{jailed:>12.2f}{jailed - inside:>10.2f}{jailed / inside:>8.2f}")
    await workers.stop()


if __name__ == "__main__":
    uvloop.run(main())
