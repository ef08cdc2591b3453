"""Office files beside the least that any rebuilding must do, and beside LibreOffice: what `bench_ooxml` and `bench_odf` share."""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from isal import isal_zlib
from lxml import etree

from gateway.publishing import rulesets
from sanitizers.engine import Engine
from sanitizers.model import Job
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source

_OURS: Final = ("floor", "sekisho")


class Measured(NamedTuple):
    """Milliseconds, size of what came out, peak of resident memory in MiB above rest."""

    milliseconds: float
    size: int
    peak: float


def options() -> argparse.ArgumentParser:
    """What each of these benchmarks can be told."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", choices=_OURS, help=argparse.SUPPRESS)
    arguments.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--profile", action="store_true")
    return arguments


def compare(given: argparse.Namespace, samples: Callable[[], dict[str, bytes]]) -> None:
    """A table for each sample, by file name; in a child of its own (`--only`) the figures of one competitor."""
    if given.only:
        _measure_here(given.only, given.path, given.rounds)
        return
    with tempfile.TemporaryDirectory() as folder:
        for title, data in samples().items():
            path = Path(folder) / title
            path.write_bytes(data)
            if given.profile:
                print(f"== {title}")
                _profile(data, path.suffix)
            else:
                _table_of(title, path, given.rounds)


def _sekisho(data: bytes, suffix: str) -> Callable[[], int]:
    scanner: Scanner = compile_rules(rulesets.read(rulesets.builtin_folder()))

    def once() -> int:
        outcome = Engine(Job(name=f"a{suffix}"), scanner, len(data)).run(Source(data))
        assert outcome.content is not None, outcome.report
        return len(outcome.content)

    return once


def _floor(data: bytes, _suffix: str) -> Callable[[], int]:
    def once() -> int:
        return sum(map(len, _again(data)))

    return once


def _again(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename.encode()) + len(info.extra)
            if not info.filename.endswith((".xml", ".rels")):
                continue
            raw = isal_zlib.decompress(memoryview(data)[start : start + info.compress_size], -15)
            parser = etree.XMLParser(resolve_entities=False, no_network=True, collect_ids=False)
            written = etree.tostring(etree.fromstring(raw, parser), encoding="UTF-8", xml_declaration=True, standalone=True)
            deflater = isal_zlib.compressobj(isal_zlib.ISAL_DEFAULT_COMPRESSION, isal_zlib.DEFLATED, -15)
            yield deflater.compress(written) + deflater.flush()


def _child(competitor: str, path: Path, rounds: int) -> Measured:
    command = [sys.executable, sys.argv[0], "--only", competitor, str(path), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    milliseconds, size, peak = map(float, done.stdout.split())
    return Measured(milliseconds, int(size), peak)


def _measure_here(competitor: str, path: Path, rounds: int) -> None:
    data = path.read_bytes()
    once = {"sekisho": _sekisho, "floor": _floor}[competitor](data, path.suffix)
    Path("/proc/self/clear_refs").write_text("5")       # forgets the peak of compiling the rules
    rest = _kilobytes("VmRSS")
    size, times = once(), []
    peak = _kilobytes("VmHWM") - rest
    for _ in range(rounds):
        started = time.process_time()
        once()
        times.append(time.process_time() - started)
    print(min(times) * 1000, size, peak / 1024)


def _kilobytes(name: str) -> int:
    """A line of `/proc/self/status`."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    return int(lines[name].split()[0])


def _libreoffice(path: Path) -> float:
    """Milliseconds of one conversion to the same kind, after a first start that lays out its profile."""
    with tempfile.TemporaryDirectory() as folder:
        start = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to"]
        small = Path(folder) / "small.csv"
        small.write_text("1\n")
        subprocess.run([*start, "pdf", "--outdir", folder, str(small)], capture_output=True, check=False, timeout=120)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*start, path.suffix[1:], "--outdir", folder, str(path)], capture_output=True, check=False, timeout=900)
        assert (Path(folder) / path.name).is_file(), "LibreOffice converted nothing"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _table_of(title: str, path: Path, rounds: int) -> None:
    with zipfile.ZipFile(path) as archive:
        largest = max(info.file_size for info in archive.infolist()) / (1 << 20)
    size = path.stat().st_size
    print(f"\n{title}: {size / 1e6:.1f} MB, largest part {largest:.1f} MiB")
    print(f"{'':<14}{'ms':>10}{'x floor':>9}{'size':>8}{'MiB':>8}{'x part':>8}")
    rows = {name: _child(name, path, rounds) for name in _OURS}
    for name, row in rows.items():
        ratio = row.milliseconds / rows["floor"].milliseconds
        print(f"{name:<14}{row.milliseconds:>10.1f}{ratio:>9.2f}{row.size / size:>8.2f}{row.peak:>8.0f}{row.peak / largest:>8.1f}")
    if shutil.which("soffice"):
        theirs = _libreoffice(path)
        print(f"{'libreoffice':<14}{theirs:>10.0f}   {theirs / rows['sekisho'].milliseconds:.1f} x sekisho")
    else:
        print("libreoffice   not installed")


def _profile(data: bytes, suffix: str) -> None:
    once = _sekisho(data, suffix)
    once()
    profile = cProfile.Profile()
    profile.runcall(once)
    pstats.Stats(profile).sort_stats("tottime").print_stats(25)
