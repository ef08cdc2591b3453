"""What decompression bombs cost everybody else: normal transfers alone, then beside a stream of bombs that never pauses.

    python perf/bench_bombs.py [--transfers N] [--workers N]

The workers are as many as the machine has cores; the bombs are sent one after the other into the same workers as the normal transfers
(texts, tables, pictures, small archives), in turns of quiet and loud so that both meet the same machine. Prints milliseconds (p50, p95)
of the normal ones and how each bomb ended. Aim: p95 at most doubles; every bomb ends as `limit_exceeded` or `malformed`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import io
import os
import random
import statistics
import struct
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from itertools import cycle

import uvloop
from PIL import Image

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from sanitizers.model import Job, Report

_TURNS = 4


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as writer:
        for name, data in members.items():
            writer.writestr(name, data)
    return file.getvalue()


def nested(levels: int, width: int) -> bytes:
    """As 42.zip: each level holds the one below several times."""
    data = packed({"0.txt": bytes(4 << 20)})
    for _ in range(levels):
        data = packed({f"{number}.zip": data for number in range(width)})
    return data


def overlapping(count: int) -> bytes:
    """Many members in the directory, one body for all of them."""
    whole = packed({"0.txt": bytes(8 << 20)})
    at = whole.rindex(b"PK\1\2")
    end = len(whole) - 22
    directory = whole[at:end] * count
    return whole[:at] + directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), at, 0)


def bombs() -> dict[str, bytes]:
    zeros = bytes(300 << 20)
    return {
        "ratio.zip": packed({"0.txt": zeros}),
        "nested.zip": nested(3, 10),
        "deep.zip": nested(14, 1),
        "many.zip": packed({f"{number}.txt": bytes(1 << 20) for number in range(300)}),
        "members.zip": packed({f"{number}.txt": b"" for number in range(30_000)}, zipfile.ZIP_STORED),
        "overlapping.zip": overlapping(1000),
        "zeros.gz": gzip.compress(zeros, 1),
        "zeros.gz.gz": gzip.compress(gzip.compress(zeros, 9), 9),
    }


def normal() -> dict[str, bytes]:
    rng = random.Random(7)
    rows = "".join(f"関所は通る者をすべて改める。,{rng.random()}\r\n" for _ in range(2_000))
    picture = io.BytesIO()
    Image.frombytes("RGB", (256, 256), rng.randbytes(256 * 256 * 3)).save(picture, "PNG")
    members = {"資料.txt": rows.encode("cp932"), "表.csv": rows.encode(), "写真.png": picture.getvalue()}
    return members | {"資料.zip": packed(members)}


async def sent(workers: Workers, name: str, data: bytes) -> tuple[float, Report]:
    """Milliseconds of one transfer, and its report."""
    with memory.filled("input", data) as writable:
        fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        started = time.perf_counter()
        sanitized = await workers.sanitize(fd, Job(name=name))
        taken = time.perf_counter() - started
        os.close(fd)
    if sanitized.output_fd is not None:
        os.close(sanitized.output_fd)
    return taken * 1000, sanitized.report


async def bombarded(workers: Workers, stream: Iterator[tuple[str, bytes]], ends: Counter[str]) -> None:
    for name, data in stream:
        _, report = await sent(workers, name, data)
        ends[f"{name}: {report.verdict} {report.reason}"] += 1


async def traffic(workers: Workers, count: int) -> list[float]:
    times = []
    samples = cycle(normal().items())
    for _ in range(count):
        name, data = next(samples)
        taken, report = await sent(workers, name, data)
        if not report.verdict.delivers:
            raise SystemExit(f"{name}: {report.verdict} {report.reason}")
        times.append(taken)
    return times


async def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--transfers", type=int, default=200)
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    given = arguments.parse_args()
    workers = Workers(rulesets.read(rulesets.builtin_folder()), given.workers)
    await workers.start()
    await traffic(workers, 8)
    quiet: list[float] = []
    loud: list[float] = []
    ends: Counter[str] = Counter()
    stream = cycle(bombs().items())
    for _ in range(_TURNS):
        quiet += await traffic(workers, given.transfers // _TURNS)
        attack = asyncio.create_task(bombarded(workers, stream, ends))
        loud += await traffic(workers, given.transfers // _TURNS)
        attack.cancel()
        await asyncio.gather(attack, return_exceptions=True)
    await workers.stop()
    print(f"{'normal transfers':<20}{'p50 ms':>10}{'p95 ms':>10}")
    for name, times in (("alone", quiet), ("beside bombs", loud)):
        print(f"{name:<20}{statistics.median(times):>10.1f}{statistics.quantiles(times, n=20)[-1]:>10.1f}")
    print(f"{'ratio':<20}{statistics.median(loud) / statistics.median(quiet):>10.2f}"
          f"{statistics.quantiles(loud, n=20)[-1] / statistics.quantiles(quiet, n=20)[-1]:>10.2f}")  # fmt: skip
    for end, count in sorted(ends.items()):
        print(f"{end}  × {count}")


if __name__ == "__main__":
    uvloop.run(main())
