"""What a picture costs: `sekisho`'s engine in its jail against bare decoders and encoders, and the child's memory.

    python perf/bench_image.py [--rounds N]

The floor of a JPEG is `djpeg | cjpeg` with the same quality and sampling (two programs, which two idle processors run at the same time);
of all others Pillow, decoding and encoding once with the options that the product uses. Prints for each the milliseconds of both by the
clock and of processor time (the best of some rounds), their ratios, the sizes before and after and the largest memory of the child
(`ru_maxrss`, with the pages that it shares with the warm parent and the mapped input). Aim: 1.15 times the floor for a photograph of 12
megapixels.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import resource
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pillow_heif
import uvloop
from PIL import Image, ImageChops, ImageDraw, ImageSequence

from gateway.publishing import rulesets
from gateway.road import memory
from gateway.road.workers import Workers
from sanitizers.model import Job
from sanitizers.wire import Ended

_QUALITY = 88
pillow_heif.register_heif_opener()


class Watched(Workers):
    """Keeps how the last child ended, which may be after its transfer."""

    ended: Ended

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.over = asyncio.Event()

    def _ended(self, ending: asyncio.Task[Ended]) -> None:
        super()._ended(ending)
        self.ended = ending.result()
        self.over.set()


class Sample(NamedTuple):
    name: str
    data: bytes
    floor: Callable[[bytes], object]


def saved(picture: Image.Image, plugin: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, plugin, **options)
    return out.getvalue()


def photo(width: int, height: int) -> Image.Image:
    """Slopes, soft blots and grain: neither flat nor noise."""
    blots = Image.effect_noise((width // 16, height // 16), 90).resize((width, height), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((width, height), 6)
    slope, hill = Image.linear_gradient("L").resize((width, height)), Image.radial_gradient("L").resize((width, height))
    slopes = slope, hill, slope.transpose(Image.Transpose.ROTATE_180)
    return Image.merge("RGB", [ImageChops.add(ImageChops.add(blots, other, 2), grain, 2) for other in slopes])


def screenshot(width: int = 1920, height: int = 1080) -> Image.Image:
    picture = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    for row in range(height // 18):
        draw.rectangle((0, row * 18, 240, row * 18 + 16), (230 - row, 240, 250))
        draw.text((260, row * 18), f"{row:04} The gateway takes everything apart and builds it anew. " * 4, (20, 20, 60))
    picture.paste(photo(480, 360), (width - 520, 60))
    return picture


def fax(pages: int = 10) -> bytes:
    sheets = [screenshot(1728, 2200).convert("1") for _ in range(pages)]
    return saved(sheets[0], "TIFF", save_all=True, append_images=sheets[1:], compression="group4", dpi=(204, 196))


def animation(frames: int = 100) -> bytes:
    first = photo(320, 240).quantize(128)
    shown = [ImageChops.offset(first, 3 * step, step) for step in range(frames)]
    return saved(shown[0], "GIF", save_all=True, append_images=shown[1:], duration=40, loop=0)


def by_libjpeg(data: bytes) -> None:
    subprocess.run(["sh", "-c", f"djpeg | cjpeg -quality {_QUALITY} >/dev/null"], input=data, check=True)


def by_pillow(plugin: str, **options: Any) -> Callable[[bytes], bytes]:
    def again(data: bytes) -> bytes:
        picture = Image.open(io.BytesIO(data))
        frames = [frame.copy() for frame in ImageSequence.Iterator(picture)]
        several = {"save_all": True, "append_images": frames[1:]} if len(frames) > 1 else {}
        return saved(frames[0], plugin, **several, **options)

    return again


def samples() -> list[Sample]:
    large = photo(4000, 3000)
    return [
        Sample("12 MP.jpg", saved(large, "JPEG", quality=_QUALITY), by_libjpeg),
        Sample("12 MP pillow.jpg", saved(large, "JPEG", quality=_QUALITY), by_pillow("JPEG", quality=_QUALITY)),
        Sample("photo.png", saved(large, "PNG", compress_level=2), by_pillow("PNG", compress_level=2)),
        Sample("screenshot.png", saved(screenshot(), "PNG"), by_pillow("PNG", compress_level=3)),
        Sample("fax.tif", fax(), by_pillow("TIFF", compression="group4")),
        Sample("animation.gif", animation(), by_pillow("GIF")),
        Sample("photo.webp", saved(large.resize((2000, 1500)), "WEBP", quality=80, method=2), by_pillow("WEBP", quality=80, method=2)),
        Sample("phone.heic", saved(large, "HEIF", quality=60), by_pillow("JPEG", quality=92)),
    ]


class Cost(NamedTuple):
    """Seconds by the clock and of all processors together."""

    clock: float
    cpu: float

    def least(self, other: Cost) -> Cost:
        return Cost(min(self.clock, other.clock), min(self.cpu, other.cpu))


def cost_of_floor(sample: Sample) -> Cost:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    clock, cpu = time.perf_counter(), time.process_time()
    sample.floor(sample.data)
    clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(clock, cpu + after.ru_utime - children.ru_utime + after.ru_stime - children.ru_stime)


async def cost_of_gateway(workers: Watched, sample: Sample) -> tuple[Cost, int]:
    """And the size of what came out."""
    with memory.filled("input", sample.data) as writable:
        fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        workers.over.clear()
        started = time.perf_counter()
        sanitized = await workers.sanitize(fd, Job(name=sample.name))
        clock = time.perf_counter() - started
        await workers.over.wait()
        cost = Cost(clock, workers.ended.cpu)
        os.close(fd)
    if sanitized.output_fd is None:
        raise SystemExit(f"{sample.name}: {sanitized.report.verdict} {sanitized.report.reason} {sanitized.report.findings}")
    size = os.fstat(sanitized.output_fd).st_size
    os.close(sanitized.output_fd)
    return cost, size


async def measure(workers: Watched, sample: Sample, rounds: int) -> None:
    floor = jailed = Cost(float("inf"), float("inf"))
    memory_kb = size = 0
    for _ in range(rounds):  # by turns: other work on the machine slows both
        floor = floor.least(cost_of_floor(sample))
        cost, size = await cost_of_gateway(workers, sample)
        jailed, memory_kb = jailed.least(cost), max(memory_kb, workers.ended.rss_kb)
    print(f"{sample.name:<18}{jailed.clock * 1e3:>11.0f}{floor.clock * 1e3:>10.0f}{jailed.clock / floor.clock:>8.2f}"
          f"{jailed.cpu * 1e3:>9.0f}{floor.cpu * 1e3:>10.0f}{jailed.cpu / floor.cpu:>8.2f}"
          f"{len(sample.data) / 1e6:>9.2f}{size / 1e6:>9.2f}{memory_kb / 1000:>10.0f}")  # fmt: skip


async def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    workers = Watched(rulesets.read(rulesets.builtin_folder()), 1)
    await workers.start()
    print(f"{'sample':<18}{'jailed ms':>11}{'floor ms':>10}{'ratio':>8}{'cpu ms':>9}{'floor ms':>10}{'ratio':>8}"
          f"{'in MB':>9}{'out MB':>9}{'child MB':>10}")  # fmt: skip
    for sample in samples():
        await measure(workers, sample, given.rounds)
    await workers.stop()


if __name__ == "__main__":
    uvloop.run(main())
