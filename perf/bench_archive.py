"""What an archive costs: `sekisho`'s engine in its jail against plain `unzip` and `zip` of the same members, and the child's memory.

    python perf/bench_archive.py [--members N] [--megabytes N]

Two archives: many small members (text, CSV, PNG), and one large text. Prints for each the seconds of both, the ratio, megabytes of content
per second and the largest memory of the child (`ru_maxrss`, with the pages that it shares with the warm parent and the mapped input).
Aim: at most 400 MB for one member of 500 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import random
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import uvloop
from PIL import Image

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from sanitizers.model import Job
from sanitizers.wire import Ended

_LINE = "関所は通る者をすべて改める。The gateway takes everything apart. "


class Watched(Workers):
    """Keeps how the last child ended."""

    ended: Ended

    def _ended(self, ending: asyncio.Task[Ended]) -> None:
        super()._ended(ending)
        self.ended = ending.result()

    async def rested(self) -> None:
        """Until the child is gone, which may be a little after its last word."""
        if self._endings:
            await asyncio.wait(self._endings)


def small(count: int) -> bytes:
    rng = random.Random(7)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for number in range(count):
            rows = "".join(f"{_LINE}{rng.random()}\r\n" for _ in range(60))
            if number % 10 == 0:
                picture = io.BytesIO()
                Image.frombytes("RGB", (64, 64), rng.randbytes(64 * 64 * 3)).save(picture, "PNG")
                writer.writestr(f"写真/{number:05}.png", picture.getvalue())
            elif number % 3:
                writer.writestr(f"資料/{number:05}.txt", rows.encode("cp932"))
            else:
                writer.writestr(f"表/{number:05}.csv", rows.replace(" ", ",").encode())
    return file.getvalue()


def large(megabytes: int) -> bytes:
    rng = random.Random(8)
    block = "".join(f"{_LINE}{rng.random()}\r\n" for _ in range(100_000)).encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as writer, writer.open("記録.log", "w") as stream:
        left = megabytes * 1_000_000
        while left > 0:
            left -= stream.write(block)
    return file.getvalue()


def plain(data: bytes) -> float:
    """Seconds of `unzip` into a folder and `zip` of what is in it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in.zip").write_bytes(data)
        started = time.perf_counter()
        subprocess.run(["unzip", "-q", "in.zip", "-d", "out"], cwd=folder, check=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
        subprocess.run(["zip", "-q", "-r", "out.zip", "out"], cwd=folder, check=True)
        return time.perf_counter() - started


async def measure(workers: Watched, name: str, data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = sum(info.file_size for info in archive.infolist())
    floor = await asyncio.to_thread(plain, data)
    with memory.filled("input", data) as writable:
        fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        started = time.perf_counter()
        sanitized = await workers.sanitize(fd, Job(name=name))
        seconds = time.perf_counter() - started
        os.close(fd)
    if sanitized.output_fd is None:
        raise SystemExit(f"{name}: {sanitized.report.verdict} {sanitized.report.reason} {sanitized.report.findings}")
    os.close(sanitized.output_fd)
    await workers.rested()
    print(f"{name:<12}{len(data) / 1e6:>10.1f}{content / 1e6:>12.1f}{seconds:>10.2f}{floor:>12.2f}{seconds / floor:>8.2f}"
          f"{content / 1e6 / seconds:>10.1f}{workers.ended.rss_kb / 1000:>10.0f}")  # fmt: skip


async def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--members", type=int, default=1000)
    arguments.add_argument("--megabytes", type=int, default=500)
    given = arguments.parse_args()
    workers = Watched(rulesets.read(rulesets.builtin_folder()), 1)
    await workers.start()
    print(f"{'sample':<12}{'zip MB':>10}{'content MB':>12}{'jailed s':>10}{'unzip+zip s':>12}{'ratio':>8}{'MB/s':>10}{'child MB':>10}")
    samples: tuple[tuple[str, Callable[[int], bytes], int], ...] = (
        ("one.zip", small, 1), ("many.zip", small, given.members), ("large.zip", large, given.megabytes),
    )  # fmt: skip
    for name, make, size in samples:
        await measure(workers, name, make(size))
    await workers.stop()


if __name__ == "__main__":
    uvloop.run(main())
