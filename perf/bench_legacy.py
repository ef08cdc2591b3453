"""What a workbook of Excel 97 costs beside LibreOffice, which converts the same file to xlsx: a workbook built here.

    python perf/bench_legacy.py [--rounds N] [--profile]

`sekisho` is the sanitizer alone, `engine` adds the second opinion and the second pass, `LibreOffice` is one conversion in a process of
its own. Prints milliseconds of processor time (median) and the sizes.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import os
import pstats
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import xlwt

from sanitizers.budget import Budget
from sanitizers.context import Context
from sanitizers.engine import Engine
from sanitizers.formats import xls
from sanitizers.model import Job, Kind, Limits
from sanitizers.scan import NO_RULES
from sanitizers.source import Source


def workbook(rows: int, columns: int = 12) -> bytes:
    """Numbers, texts and a formula at the end of each row."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    for row in range(rows):
        for col in range(columns):
            sheet.write(row, col, row * col if col % 3 else f"文字{row % 500}")
        sheet.write(row, columns, xlwt.Formula(f"SUM(A{row + 1}:L{row + 1})*2"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sanitizer(data: bytes) -> int:
    job = Job(name="x.xls")
    budget = Budget(Limits(), len(data))
    context = Context(name=job.name, kind=Kind.XLS, job=job, budget=budget, depth=0, examine=_no_parts, scan=NO_RULES.scan)
    return len(xls.sanitize(Source(data), context).content)


def engine(data: bytes) -> int:
    outcome = Engine(Job(name="x.xls"), NO_RULES, len(data)).run(Source(data))
    assert outcome.content is not None, outcome.report.findings
    return len(outcome.content)


def libreoffice(data: bytes) -> int:
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "x.xls"
        given.write_bytes(data)
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", f"{folder}/out", str(given)]
        subprocess.run(command, capture_output=True, timeout=300, check=True)
        return (Path(folder) / "out" / "x.xlsx").stat().st_size


def _spent() -> float:
    """Seconds of processor time of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _no_parts(*_: object) -> None:  # type: ignore[misc]
    raise AssertionError("these files have no embedded parts")


def _median(call: Callable[[bytes], int], data: bytes, rounds: int) -> tuple[float, int]:
    times: list[float] = []
    size = 0
    for _ in range(rounds):
        started = _spent()
        size = call(data)
        times.append((_spent() - started) * 1000)
    return statistics.median(times), size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    for rows in (50, 1000, 20_000):
        data = workbook(rows)
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(sanitizer, data)
            pstats.Stats(profile).sort_stats("tottime").print_stats(14)
        print(f"{rows} rows  {len(data) / 1e6:.2f} MB")
        for name, call in (("sekisho", sanitizer), ("engine", engine), ("LibreOffice", libreoffice)):
            if call is libreoffice and shutil.which("soffice") is None:
                continue
            taken, size = _median(call, data, options.rounds)
            print(f"     {name:11} {taken:7.0f} ms  {size / 1e6:.2f} MB out")


if __name__ == "__main__":
    main()
