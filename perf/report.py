"""One report of what the product costs: ratios first, beside the programs that can be run from packages, as Markdown and HTML with plots.

    python perf/report.py [--quick] [--to FOLDER] [--write-baseline]

`--quick` takes about two minutes: the engine beside the codec floor on a small mix, one growth curve, the whole road under a short load.
Without it: larger mixes, peers, every `bench_*.py` with its own output, at most a quarter of an hour. The gate: no ratio may be more than a
quarter above its value in `perf/baseline.json`, which holds ratios only, as milliseconds of one machine say nothing about another. Exit
code 1 and a line for each that is.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.publishing import rulesets
from perf import bench_ooxml, bench_pdf, floor, load_smtp, traffic
from perf.traffic import File
from sanitizers.scan import Scanner, compile_rules

BASELINE: Final = Path(__file__).with_name("baseline.json")
# How much above its baseline a ratio may be: what two runs on one busy machine differ by.
_TOLERANCE: Final = 1.25
_FAULTS_SHOWN: Final = 5
_LONGEST_BENCH_SECONDS: Final = 180.0
_PEERS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "pdf": {
        "qpdf": ("qpdf", "--object-streams=generate", "IN", "OUT.pdf"),
        "mutool clean -gggg": ("mutool", "clean", "-gggg", "IN", "OUT.pdf"),
        "Ghostscript pdfwrite": ("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite", "-sOutputFile=OUT.pdf", "IN"),
    },
    "docx": {"LibreOffice": ("soffice", "--headless", "--convert-to", "docx", "--outdir", "OUT", "IN")},
    "xlsx": {"LibreOffice": ("soffice", "--headless", "--convert-to", "xlsx", "--outdir", "OUT", "IN")},
    "jpg": {"ImageMagick": ("convert", "IN", "-strip", "OUT.jpg"), "mat2": ("mat2", "IN")},
    "png": {"ImageMagick": ("convert", "IN", "-strip", "OUT.png"), "mat2": ("mat2", "IN")},
}


class Curve(NamedTuple):
    """How cost grows: (bytes, seconds of processor time) of ever larger files of one kind."""

    name: str
    points: tuple[tuple[int, float], ...]

    @property
    def straightness(self) -> float:
        """Seconds for a byte of the largest, over those of the one half as large: 1 where cost is linear."""
        (half, before), (whole, after) = self.points[-2:]
        return (after / whole) / (before / half)


# -------------------------------------------------------------------------------------------------------------- measured


def curves(scanner: Scanner, steps: int) -> list[Curve]:
    makers: dict[str, Callable[[int], File]] = {
        "PDF, pages of text": lambda n: File("a.pdf", bench_pdf.text_sample(25 << n)),
        "xlsx, cells": lambda n: File("a.xlsx", bench_ooxml.workbook(15_000 << n)),
        "csv, rows": lambda n: File("a.csv", traffic.table(random.Random(1), 100_000 << n)),
    }
    found = []
    for name, make in makers.items():
        files = [make(step) for step in range(steps)]
        points = tuple((len(file.data), floor.spent(lambda file=file: floor.whole(file, scanner), 2)) for file in files)  # type: ignore[misc]
        found.append(Curve(name, points))
    return found


def peers(files: Sequence[File]) -> Iterator[tuple[str, str, float]]:
    """(kind, program, its seconds of processor time over ours) for the largest file of each kind, of the programs that are there."""
    scanner = compile_rules(rulesets.read(rulesets.builtin_folder()))
    for kind, programs in _PEERS.items():
        of_kind = [file for file in files if file.name.endswith(kind)]
        if not of_kind:
            continue
        file = max(of_kind, key=lambda file: len(file.data))
        ours = floor.spent(lambda file=file: floor.whole(file, scanner), 2)  # type: ignore[misc]
        for name, command in programs.items():
            if shutil.which(command[0]):
                yield kind, name, _program(command, file) / ours


def _program(command: Sequence[str], file: File) -> float:
    """Seconds of processor time of one run."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / f"in.{file.name.rpartition('.')[2]}"
        given.write_bytes(file.data)
        words = [word.replace("IN", str(given)).replace("OUT", str(Path(folder) / "out")) for word in command]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, check=False, capture_output=True, timeout=300)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def load(count: int, *, texts: bool = False, rate: float = 0.0) -> dict[str, Any]:
    words = ["--count", str(count), "--rate", str(rate), *(["--texts"] if texts else [])]
    given = load_smtp.arguments().parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(load_smtp.measured(load_smtp.service_in(Path(folder)), load_smtp.mix(given), given))


def benches() -> Iterator[tuple[str, str]]:
    """Each script with what it prints; one that takes too long says so."""
    for script in sorted(Path(__file__).parent.glob("bench_*.py")):
        try:
            words = [sys.executable, str(script)]
            done = subprocess.run(words, capture_output=True, text=True, timeout=_LONGEST_BENCH_SECONDS, check=False)
            yield script.stem, done.stdout if done.returncode == 0 else done.stdout + done.stderr[-2_000:]
        except subprocess.TimeoutExpired as late:
            yield script.stem, f"{(late.stdout or b'').decode('utf-8', 'replace')}\n(cut after {_LONGEST_BENCH_SECONDS:.0f} s)"


# ------------------------------------------------------------------------------------------------------------- told


def ratios(rows: Mapping[str, floor.Row], grown: Sequence[Curve]) -> dict[str, float]:
    """What the gate compares."""
    kinds = {kind: row for kind, row in rows.items() if kind not in floor.APART}
    found = {f"engine/floor {kind}": row.ratio for kind, row in kinds.items() if row.floor > 0.005}
    found["engine/floor all"] = floor.total(kinds).ratio
    return {name: round(value, 3) for name, value in found.items()} | {f"growth {one.name}": round(one.straightness, 3) for one in grown}


def worse(now: Mapping[str, float], baseline: Mapping[str, float]) -> list[str]:
    return [
        f"{name}: {now[name]} against {before} in the baseline" for name, before in baseline.items()
        if name in now and now[name] > before * _TOLERANCE
    ]  # fmt: skip


def bars(values: Mapping[str, float], unit: str = "×") -> str:
    """Horizontal bars, the longest first, as SVG."""
    most, rows = max(values.values(), default=1.0), []
    for number, (name, value) in enumerate(sorted(values.items(), key=lambda item: -item[1])):
        y = 4 + 22 * number
        rows.append(
            f'<text x="0" y="{y + 13}">{html.escape(name)}</text><rect x="190" y="{y}" width="{360 * value / most:.1f}" height="16" '
            f'fill="#0017c1"/><text x="{196 + 360 * value / most:.1f}" y="{y + 13}">{value:.2f} {unit}</text>'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {8 + 22 * len(rows)}" font-size="13">{"".join(rows)}</svg>'


def lines(grown: Sequence[Curve]) -> str:
    """Each curve scaled to its own largest point: a straight line from the corner is linear growth."""
    colours, drawn = ("#0017c1", "#b60000", "#197a4b"), []
    for number, curve in enumerate(grown):
        (far, high), colour = curve.points[-1], colours[number % len(colours)]
        scaled = ((20 + 380 * octets / far, 240 - 220 * seconds / high) for octets, seconds in ((0, 0.0), *curve.points))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in scaled)
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        label = f"{curve.name}: {far / 1e6:.1f} MB, {high:.2f} s"
        drawn.append(f'<text x="420" y="{40 + 24 * number}" fill="{colour}">{html.escape(label)}</text>')
    axes = '<path d="M20 20V240H400" fill="none" stroke="#555"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 250" font-size="13">{axes}{"".join(drawn)}</svg>'


def markdown(found: Mapping[str, Any]) -> str:
    rows: Mapping[str, floor.Row] = found["rows"]
    told = ["# What it costs", "", "Ratios of processor time in one run; see perf/README.md for how to read them.", "",
            "| kind | files | MB | floor s | engine s | ratio |", "| --- | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for kind, row in sorted(rows.items(), key=lambda item: -item[1].engine):
        ratio = "apart" if kind in floor.APART else f"{row.ratio:.2f}"
        told.append(f"| {kind} | {row.count} | {row.octets / 1e6:.2f} | {row.floor:.3f} | {row.engine:.3f} | {ratio} |")
    told += ["", f"All with a bare codec: **{found['ratios']['engine/floor all']:.2f}** (aim 1.6).", "", "## Growth", ""]
    told += [f"* {one.name}: a byte of the largest costs {one.straightness:.2f} times one of half the size" for one in found["curves"]]
    if found["peers"]:
        told += ["", "## Beside others", "", "| kind | program | its processor time over ours |", "| --- | --- | ---: |"]
        told += [f"| {kind} | {name} | {ratio:.2f} |" for kind, name, ratio in found["peers"]]
    for name, one in found["loads"].items():
        told += ["", f"## {name}", "", *(f"* {key}: {value}" for key, value in one.items())]
    for name, said in found["benches"]:
        told += ["", f"## {name}", "", "```", said.rstrip(), "```"]
    return "\n".join(told) + "\n"


def page(text: str, found: Mapping[str, Any]) -> str:
    kinds = {kind: row.ratio for kind, row in found["rows"].items() if kind not in floor.APART and row.floor > 0.005}
    plots = f"<h2>Engine over codec floor</h2>{bars(kinds)}<h2>Growth</h2>{lines(found['curves'])}"
    style = "body{font:16px/1.6 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}svg{width:100%;height:auto}pre{overflow-x:auto}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sekisho: what it costs</title><style>{style}</style>'
        f"<body>{plots}<pre>{html.escape(text)}</pre></body></html>\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--to", type=Path, default=Path("out") / "perf")
    parser.add_argument("--write-baseline", action="store_true")
    given = parser.parse_args()
    files = traffic.files(1, 24 if given.quick else 80)
    rows = floor.measure(files, 2)
    grown = curves(compile_rules(rulesets.read(rulesets.builtin_folder())), 3 if given.quick else 5)
    loads = {
        "Mixed mails, closed loop": load(60 if given.quick else 400),
        "Texts, closed loop": load(200 if given.quick else 2_000, texts=True),
    }
    if not given.quick:
        half = loads["Mixed mails, closed loop"]["mails_per_second"] / 2
        loads["Mixed mails, half load, open loop"] = load(400, rate=half)
    found = {
        "rows": rows, "curves": grown, "ratios": ratios(rows, grown), "loads": loads,
        "peers": [] if given.quick else list(peers(files)), "benches": [] if given.quick else list(benches()),
    }  # fmt: skip
    text = markdown(found)
    given.to.mkdir(parents=True, exist_ok=True)
    (given.to / "report.md").write_text(text, "utf-8")
    (given.to / "report.html").write_text(page(text, found), "utf-8")
    print(text)
    if given.write_baseline:
        BASELINE.write_text(json.dumps(found["ratios"], indent=1, sort_keys=True) + "\n", "utf-8")
    slower = worse(found["ratios"], json.loads(BASELINE.read_text("utf-8"))) if BASELINE.exists() else []
    wrong = [f"{name}: {fault}" for name, one in loads.items() for fault in one["faults"][:_FAULTS_SHOWN]]
    for said in (*slower, *wrong):
        print("!", said, file=sys.stderr)
    return 1 if slower or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
