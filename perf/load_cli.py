"""`sekisho sanitize` under load: a folder of the reference mix by one command, and a command for each file at a fixed rate.

    python perf/load_cli.py [--count N] [--rate R] [--seconds S] [--seed N] [--json FILE]

The folder is a closed loop, as many files at work as there are processors: throughput, processor time for a file and beside it the codec
floor of the same files. One command a file is an open loop, timed from when each was due (each start is a cold one). Every output is
looked at: delivered exactly if it may be, of the digest that the report says, and not a byte is left half-written.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf import floor, traffic
from perf.footprint import Footprint
from perf.percentiles import waits
from perf.traffic import File

_COMMAND: Final = (sys.executable, "-m", "gateway.cli", "sanitize", "--no-progress", "--report", "-")
_PATIENCE_SECONDS: Final = 600.0
# Exit status of a run with held files in it.
_HELD: Final = (0, 3)


def laid(folder: Path, seed: int, count: int) -> dict[str, File]:
    """The mix as files with names of their own, by name."""
    folder.mkdir()
    files = {f"{number:04} {file.name}": file for number, file in enumerate(traffic.files(seed, count))}
    for name, file in files.items():
        (folder / name).write_bytes(file.data)
    return files


def faults(files: Mapping[str, File], out: Path, lines: bytes) -> list[str]:
    """What did not go as it must."""
    reports = {report["path"]: report for report in map(json.loads, lines.splitlines())}
    found = [f"{name}: no report" for name in files.keys() - reports.keys()]
    written = {path.name for path in out.iterdir()} if out.exists() else set()
    for name, report in reports.items():
        output = report["output"]
        if (output is not None) is not files[name].delivers:
            found.append(f"{name}: {report['verdict']} {report['reason']}")
        elif output is not None:
            written.discard(output["name"])
            if hashlib.sha256((out / output["path"]).read_bytes()).hexdigest() != output["sha256"]:
                found.append(f"{name}: another digest than reported")
    return found + [f"{name}: nobody's output" for name in sorted(written)]


async def _run(words: list[str]) -> tuple[bytes, int, asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(*_COMMAND, *words, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        out, _ = await process.communicate()
    return out, process.returncode or 0, process


def _spent() -> float:
    """Seconds of processor time of the commands that have ended, with their children."""
    times = os.times()
    return times.children_user + times.children_system


async def closed(files: Mapping[str, File], given: Path, out: Path) -> dict[str, Any]:
    before, began = _spent(), time.perf_counter()
    process = await asyncio.create_subprocess_exec(*_COMMAND, "-o", str(out), str(given), stdout=asyncio.subprocess.PIPE)
    watch = Footprint(process.pid)
    with watch.looking():
        async with asyncio.timeout(_PATIENCE_SECONDS):
            lines, _ = await process.communicate()
    took, spent = time.perf_counter() - began, _spent() - before
    least = sum(floor.spent(lambda file=file: floor.bare(file), 1) for file in files.values() if file.delivers)  # type: ignore[misc]
    wrong = faults(files, out, lines) + ([] if process.returncode in _HELD else [f"exit status {process.returncode}"])
    return {
        "files": len(files), "megabytes": round(sum(len(file.data) for file in files.values()) / 1e6, 1),
        "files_per_second": round(len(files) / took, 2), "cpu_ms_per_file": round(1000 * spent / len(files), 1),
        "floor_ms_per_file": round(1000 * least / len(files), 1), "cpu_over_floor": round(spent / least, 2),
        "memory": watch.table(), "faults": wrong,
    }  # fmt: skip


async def opened(files: Mapping[str, File], given: Path, out: Path, *, rate: float, seconds: float) -> dict[str, Any]:
    """A command for each file, one every 1/rate seconds."""
    names = [name for name, _ in zip(files, range(max(1, int(rate * seconds))), strict=False)]
    took, wrong, before, began = [], [], _spent(), time.perf_counter()

    async def one(number: int, name: str) -> None:
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        place = out / str(number)
        lines, status, _ = await _run(["--jobs", "1", "-o", str(place), str(given / name)])
        took.append(time.perf_counter() - due)
        wrong.extend(faults({name: files[name]}, place, lines) if status in _HELD else [f"{name}: exit status {status}"])

    await asyncio.gather(*(one(number, name) for number, name in enumerate(names)))
    return {
        "commands": len(names), "rate": rate, "cpu_ms_per_command": round(1000 * (_spent() - before) / len(names), 1),
        "way": waits(took)._asdict(), "faults": wrong,
    }  # fmt: skip


def measured(seed: int, count: int, rate: float, seconds: float) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = laid(folder / "in", seed, count)
        found = {"a folder, closed loop": asyncio.run(closed(files, folder / "in", folder / "out"))}
        if rate:
            work = opened(files, folder / "in", folder / "each", rate=rate, seconds=seconds)
            found[f"a command each, {rate:g}/s, open loop"] = asyncio.run(work)
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--rate", type=float, default=0.5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found = measured(given.seed, given.count, given.rate, given.seconds)
    if given.json:
        given.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    for title, figures in found.items():
        print(title)
        for name, value in figures.items():
            print(f"  {name:20} {value}")
    return 1 if any(figures["faults"] for figures in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
