"""How cost grows with what a file holds: bytes, members, pages, cells. Each curve doubles until near the limit; a straight line is the aim.

    python perf/growth.py [--steps N]

Seconds of processor time of the whole engine in this process, the least of the rounds. `power`: by how much seconds grow for each
doubling of the largest two (1: linear, 2: square); `fit`: what a straight line through all points leaves unexplained is 1 - fit.
"""

from __future__ import annotations

import argparse
import io
import math
import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.publishing import rulesets
from perf import bench_image, bench_ooxml, bench_pdf, floor
from perf.traffic import File
from sanitizers.scan import Scanner, compile_rules

_ROUNDS: Final = 2
# A curve ends where its next point would take longer than this: the rest of it would only say the same.
_LONGEST_SECONDS: Final = 6.0
STRAIGHT: Final = 1.15


class Curve(NamedTuple):
    """(how many of what it counts, seconds of processor time) of ever larger files."""

    name: str
    points: tuple[tuple[int, float], ...]

    @property
    def power(self) -> float:
        """log2 of what a doubling multiplies the cost by, between the largest and the one a quarter as large (or the smallest)."""
        (low, before), (high, after) = self.points[max(0, len(self.points) - 3)], self.points[-1]
        return math.log(after / before) / math.log(high / low)

    @property
    def fit(self) -> float:
        """Share of the variance that the best straight line explains (R²)."""
        count = len(self.points)
        mean_x, mean_y = (sum(point[axis] for point in self.points) / count for axis in (0, 1))
        across = sum((x - mean_x) * (y - mean_y) for x, y in self.points)
        within = sum((x - mean_x) ** 2 for x, _ in self.points), sum((y - mean_y) ** 2 for _, y in self.points)
        return across * across / (within[0] * within[1]) if all(within) else 1.0


def _text(size: int) -> bytes:
    line = "関所は通る者をすべて改める。The gateway takes everything apart. 2026-11-20\r\n".encode("cp932")
    return line * (size // len(line) + 1)


def _table(rows: int) -> bytes:
    rng = random.Random(1)
    return "".join(f"{number},関町{number}丁目,{rng.randrange(10**6)}\r\n" for number in range(rows)).encode("cp932")


def _archive(members: int) -> bytes:
    rng, file = random.Random(7), io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for number in range(members):
            writer.writestr(f"資料/{number:05}.txt", f"{rng.random()} 別紙のとおり通知します。\r\n" * 12)
    return file.getvalue()


def _photo(pixels: int) -> bytes:
    width = round((pixels * 4 / 3) ** 0.5)
    return bench_image.saved(bench_image.photo(width, width * 3 // 4), "JPEG", quality=88)


# What is counted, of the smallest; the file with so many of them.
_MAKERS: Final[dict[str, tuple[int, Callable[[int], File]]]] = {
    "text, bytes": (250_000, lambda n: File("a.txt", _text(n))),
    "csv, rows": (4_000, lambda n: File("a.csv", _table(n))),
    "zip, members": (125, lambda n: File("a.zip", _archive(n))),
    "PDF, pages of text": (25, lambda n: File("a.pdf", bench_pdf.text_sample(n))),
    "PDF, pages of scans": (2, lambda n: File("a.pdf", bench_pdf.scan_sample(n))),
    "xlsx, cells": (15_000, lambda n: File("a.xlsx", bench_ooxml.workbook(n))),
    "docx, bytes of XML": (500_000, lambda n: File("a.docx", bench_ooxml.document(n))),
    "jpg, pixels": (750_000, lambda n: File("a.jpg", _photo(n))),
}


def curves(scanner: Scanner, steps: int) -> Iterator[Curve]:
    for name, (least, make) in _MAKERS.items():
        points: list[tuple[int, float]] = []
        for step in range(steps):
            file = make(least << step)
            points.append((least << step, floor.spent(lambda file=file: floor.whole(file, scanner), _ROUNDS)))  # type: ignore[misc]
            if 2 * points[-1][1] > _LONGEST_SECONDS:
                break
        yield Curve(name, tuple(points))


def measured(steps: int) -> list[Curve]:
    return list(curves(compile_rules(rulesets.read(rulesets.builtin_folder())), steps))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=6)
    steep = False
    for curve in curves(compile_rules(rulesets.read(rulesets.builtin_folder())), parser.parse_args().steps):
        told = "  ".join(f"{count}: {seconds * 1000:.0f} ms" for count, seconds in curve.points)
        print(f"{curve.name:22} power {curve.power:5.2f} fit {curve.fit:6.4f}   {told}", flush=True)
        steep |= curve.power > STRAIGHT
    return 1 if steep else 0


if __name__ == "__main__":
    sys.exit(main())
