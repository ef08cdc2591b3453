"""One report of what the product costs: ratios first, beside the programs that can be run from packages, as Markdown and HTML with plots.

    python perf/report.py [--quick] [--to FOLDER] [--minutes M] [--only PART …] [--write-baseline] [--keep]

`--quick` takes about two minutes: the engine beside the codec floor on a small mix, growth, the whole road under a short load, the jail.
Without it: larger mixes, half load, the command, peers, memory, start, stalls, one processor and two, every `bench_*.py` with its own
output; a part for which no time is left of `--minutes` (15) is named and left out. The gate: no ratio may be more than a quarter above its
value in `perf/baseline.json`, which holds ratios only, as milliseconds of one machine say nothing about another. Exit code 1 and a line
for each that is, and for each output that was not right. The aims table says where each stands; an aim missed is no error of this run.
`--keep` puts the report (without the scripts' own output) and its drawings beside this file, as the project shows them.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf import (
    aims,
    bench_cache,
    bench_jail,
    floor,
    footprint,
    growth,
    load_cli,
    load_drop,
    load_smtp,
    peers,
    plots,
    scaling,
    stalls,
    start,
    traffic,
)
from perf.aims import Stand
from perf.growth import Curve
from perf.plots import Bar
from perf.traffic import File

BASELINE: Final = Path(__file__).with_name("baseline.json")
# How much above its baseline a ratio may be: what two runs on one busy machine differ by.
_TOLERANCE: Final = 1.25
_FAULTS_SHOWN: Final = 5
_LONGEST_BENCH_SECONDS: Final = 75.0
# A floor below this is too short to divide by.
_LEAST_FLOOR_SECONDS: Final = 0.005
_LOADS: Final = {
    "mixed": "Mixed mails, closed loop", "texts": "Text mails, closed loop", "half": "Mixed mails with bombs, half load, open loop",
}  # fmt: skip

_STALLED: Final = {"mixed": ("--count", "200"), "texts": ("--count", "1000", "--texts")}

Found = dict[str, Any]


class Part(NamedTuple):
    """`seconds`: what it takes on a machine with nothing else to do; it is not begun with less left. Its figures stand under its name."""

    name: str
    seconds: float
    work: Callable[[Found], Any]


# -------------------------------------------------------------------------------------------------------------- measured


def quick() -> list[Part]:
    return [
        Part("rows", 10, lambda _: floor.measure(_files(24), 2)),
        Part("curves", 10, lambda _: growth.measured(3)),
        Part("loads", 30, lambda _: {"mixed": _load("--count", "60"), "texts": _load("--count", "300", "--texts")}),
        Part("jail", 5, lambda _: _jail(30)),
        Part("start", 8, lambda _: start.measured(1)),
    ]


def whole() -> list[Part]:
    """The dearest to miss first; the scripts with output of their own last."""
    return [
        Part("rows", 60, lambda _: floor.measure(_files(80), 2)),
        Part("loads", 120, _loads),
        Part("servers", 30, lambda found: peers.mail(2_000, found["loads"]["texts"])),
        Part("jail", 10, lambda _: _jail(100)),
        Part("scaling", 30, lambda _: scaling.measured(18.0)),
        Part("start", 20, lambda _: start.measured(3)),
        Part("repeats", 10, lambda _: bench_cache.measured()),
        Part("curves", 60, lambda _: growth.measured(6)),
        Part("archive", 40, lambda _: footprint.archive(500)),
        Part("stalls", 40, lambda _: {name: stalls.measured(words) for name, words in _STALLED.items()}),
        Part("uploads", 60, lambda _: load_drop.measured(["--mb", "300", "--many", "80"])),
        Part("command", 50, lambda _: load_cli.measured(1, 80, 0.5, 20.0)),
        Part("programs", 60, lambda _: list(peers.files(_files(80)))),
    ]


@cache
def _files(count: int) -> list[File]:
    """The reference mix, made once for those parts that need it."""
    return traffic.files(1, count)


def _jail(rounds: int) -> dict[str, dict[str, float]]:
    return asyncio.run(bench_jail.cost(rounds))


def _load(*words: str) -> dict[str, Any]:
    return load_smtp.one_run(words)


def _loads(_: Found) -> dict[str, dict[str, Any]]:
    mixed = _load("--count", "400")
    half = max(0.5, mixed["mails_per_second"] / 2)
    return {"mixed": mixed, "texts": _load("--count", "2000", "--texts"), "half": _load("--count", "400", "--rate", str(half))}


def benches(until: float) -> Iterator[tuple[str, str]]:
    """Each script with what it prints, until that moment; one that takes too long says so."""
    for script in sorted(Path(__file__).parent.glob("bench_*.py")):
        left = min(_LONGEST_BENCH_SECONDS, until - time.monotonic())
        if left < 5:
            yield script.stem, "(left out: no time)"
            continue
        try:
            done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=left, check=False)
            yield script.stem, done.stdout if done.returncode == 0 else done.stdout + done.stderr[-2_000:]
        except subprocess.TimeoutExpired as late:
            yield script.stem, f"{(late.stdout or b'').decode('utf-8', 'replace')}\n(cut after {left:.0f} s)"


def measured(parts: Sequence[Part], until: float) -> Found:
    """By part; `seconds` says how long each took, `left_out` which had no time."""
    found: Found = {"seconds": {}, "left_out": []}
    for part in parts:
        began = time.monotonic()
        if until - began < part.seconds:
            found["left_out"].append(part.name)
            continue
        print(f"… {part.name}", file=sys.stderr, flush=True)
        found[part.name] = part.work(found)
        found["seconds"][part.name] = round(time.monotonic() - began, 1)
    found["ratios"] = ratios(found)
    return found


# ----------------------------------------------------------------------------------------------------------------- gate


def ratios(found: Mapping[str, Any]) -> dict[str, float]:
    """What the gate compares: quotients of processor time, less is better."""
    kinds = {kind: row for kind, row in found.get("rows", {}).items() if kind not in floor.APART}
    told = {f"engine/floor {kind}": row.ratio for kind, row in kinds.items() if row.floor > _LEAST_FLOOR_SECONDS}
    if kinds:
        told["engine/floor all"] = floor.total(kinds).ratio
    # Less than linear is a start that larger files share: it may grow to linear unblamed.
    told |= {f"growth {curve.name}": max(1.0, curve.power) for curve in found.get("curves", ())}
    if "loads" in found:
        mixed = found["loads"]["mixed"]
        told["mixed mails/floor"] = mixed["cpu_ms_per_mail"] / mixed["floor_ms_per_mail"]
    if "servers" in found and (theirs := found["servers"].get("Postfix, accepts and relays")):
        told["text mails/Postfix"] = found["loads"]["texts"]["cpu_ms_per_mail"] / theirs["cpu_ms_per_mail"]
    if "command" in found:
        told["folder by command/floor"] = found["command"]["a folder, closed loop"]["cpu_over_floor"]
    return {name: round(value, 3) for name, value in told.items() if math.isfinite(value)}


def worse(now: Mapping[str, float], baseline: Mapping[str, float]) -> list[str]:
    return [
        f"{name}: {now[name]} against {before} in the baseline" for name, before in baseline.items()
        if name in now and now[name] > before * _TOLERANCE
    ]  # fmt: skip


def wrong(found: Mapping[str, Any]) -> list[str]:
    """Outputs that were not right, in whichever part: there is no speed by skipping."""
    groups = {name: one for part in ("loads", "uploads", "command", "stalls") for name, one in found.get(part, {}).items()}
    return [f"{name}: {fault}" for name, one in groups.items() for fault in one["faults"][:_FAULTS_SHOWN]]


# ----------------------------------------------------------------------------------------------------------------- told


def markdown(found: Mapping[str, Any], stands: Sequence[Stand]) -> str:
    told = ["# What it costs", "", "Ratios of processor time in one run; see perf/README.md for how to read them.", "", "## Aims", ""]
    told += aims.table(stands)
    told += _engine(found) + _growth(found) + _loaded(found) + _figures(found) + _peers(found)
    if found["left_out"]:
        told += ["", f"Left out, no time: {', '.join(found['left_out'])}."]
    for name, said in found.get("benches", ()):
        told += ["", f"## {name}", "", "```", said.rstrip(), "```"]
    return "\n".join(told) + "\n"


def _engine(found: Mapping[str, Any]) -> list[str]:
    if "rows" not in found:
        return []
    told = ["", "## Engine over codec floor", "", "| kind | files | MB | floor s | engine s | ratio |"]
    told.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind, row in sorted(found["rows"].items(), key=lambda item: -item[1].engine):
        ratio = "apart" if kind in floor.APART else f"{row.ratio:.2f}"
        told.append(f"| {kind} | {row.count} | {row.octets / 1e6:.2f} | {row.floor:.3f} | {row.engine:.3f} | {ratio} |")
    return told


def _growth(found: Mapping[str, Any]) -> list[str]:
    """Of each curve how steep it ends and how straight it is."""
    if "curves" not in found:
        return []
    told = ["", "## Growth", "", "| of what | up to | seconds there | power | fit of a line |", "| --- | ---: | ---: | ---: | ---: |"]
    for curve in found["curves"]:
        most, seconds = curve.points[-1]
        told.append(f"| {curve.name} | {most} | {seconds:.2f} | {curve.power:.2f} | {curve.fit:.4f} |")
    return told


def _loaded(found: Mapping[str, Any]) -> list[str]:
    told = []
    for key, one in found.get("loads", {}).items():
        told += ["", f"## {_LOADS[key]}", "", *_listed(one)]
    return told


def _figures(found: Mapping[str, Any]) -> list[str]:
    told = []
    names = {
        "jail": "Jail and wire, milliseconds", "scaling": "One processor and two", "repeats": "A known attachment again, milliseconds",
        "start": "Cold start, seconds", "archive": "Archive of 500 MB, megabytes", "uploads": "Uploads at the drop",
        "command": "The command",
        "stalls": "Turns of the event loop of more than 20 ms", "servers": "Beside other mail servers, ours over theirs",
    }  # fmt: skip
    for part, title in names.items():
        if part in found:
            told += ["", f"## {title}", "", *_listed(found[part])]
    return told


def _listed(figures: Mapping[str, Any]) -> list[str]:
    """One line each; figures of figures on one line."""
    lines = []
    for name, value in figures.items():
        given = value._asdict() if isinstance(value, start.Began) else value
        if isinstance(given, Mapping):
            given = ", ".join(f"{key} {_rounded(one)}" for key, one in given.items())
        lines.append(f"* {name}: {_rounded(given)}")
    return lines


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _peers(found: Mapping[str, Any]) -> list[str]:
    if not found.get("programs"):
        return []
    told = ["", "## Beside other programs", "", "| kind | program | its processor time over ours | it |", "| --- | --- | ---: | --- |"]
    return told + [f"| {kind} | {name} | {ratio:.2f} | {peers.DOES[name]} |" for kind, name, ratio in found["programs"]]


def drawings(found: Mapping[str, Any]) -> dict[str, str]:
    """SVG by name, each small enough to be kept beside the figures."""
    drawn, rows, curves = {}, found.get("rows", {}).items(), found.get("curves", ())
    kinds = [Bar(kind, row.ratio, 1.6) for kind, row in rows if kind not in floor.APART and row.floor > _LEAST_FLOOR_SECONDS]
    if kinds:
        drawn["engine-over-floor"] = plots.bars(kinds)
    if curves:
        drawn["growth"] = plots.curves({curve.name: curve.points for curve in curves}, {curve.name: _end(curve) for curve in curves})
    if found.get("programs"):
        drawn["programs"] = plots.bars([Bar(f"{kind} {name}", ratio, 1.0) for kind, name, ratio in found["programs"]])
    return drawn


def _end(curve: Curve) -> str:
    most, seconds = curve.points[-1]
    return f"{most:,}, {seconds:.2f} s, power {curve.power:.2f}"


def page(text: str, drawn: Mapping[str, str]) -> str:
    style = (
        "body{font:16px/1.6 sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}svg{width:100%;height:auto}"
        "pre{overflow-x:auto;font-size:13px}table{border-collapse:collapse}"
        "td,th{padding:.2rem .8rem;border-bottom:1px solid #ccc;text-align:left}"
    )
    inside = "".join(f"<h2>{html.escape(name)}</h2>{svg}" for name, svg in drawn.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sekisho: what it costs</title><style>{style}</style>'
        f"<body>{rendered(text)}{inside}</body></html>\n"
    )


def rendered(text: str) -> str:
    """The little Markdown that this report uses, as HTML."""
    out: list[str] = []
    for block in text.split("\n\n"):
        lines = block.strip("\n").splitlines()
        if not lines:
            continue
        if lines[0].startswith("#"):
            level = len(lines[0]) - len(lines[0].lstrip("#"))
            out.append(f"<h{level}>{html.escape(lines[0].lstrip('# '))}</h{level}>")
        elif lines[0].startswith("|"):
            rows = [line.strip("|").split("|") for line in lines if not line.startswith("| ---")]
            cells = ("".join(f"<td>{html.escape(cell.strip())}</td>" for cell in row) for row in rows)
            out.append("<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>")
        elif lines[0].startswith("* "):
            out.append("<ul>" + "".join(f"<li>{html.escape(line[2:])}</li>" for line in lines) + "</ul>")
        else:
            out.append(f"<pre>{html.escape(block.replace('```', '').strip())}</pre>")
    return "".join(out)


def kept(found: Mapping[str, Any], stands: Sequence[Stand], drawn: Mapping[str, str]) -> str:
    """The report as the project shows it: its pictures beside it, the scripts' own output left to whoever runs them."""
    pictures = "\n".join(f"![{name.replace('-', ' ')}](pictures/{name}.svg)\n" for name in drawn)
    return f"{markdown({**found, 'benches': ()}, stands)}\n{pictures}"


def _written(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--to", type=Path, default=Path("out") / "perf")
    parser.add_argument("--minutes", type=float, help="15, or 2 with --quick")
    parser.add_argument("--only", action="append", help="a part by its name; several are allowed")
    parser.add_argument("--write-baseline", action="store_true")
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    until = time.monotonic() + 60 * (given.minutes or (2 if given.quick else 15))
    parts = [part for part in (quick() if given.quick else whole()) if not given.only or part.name in given.only]
    found = measured(parts, until)
    if not given.quick and not given.only:
        found["benches"] = list(benches(until))
    stands = aims.stands(found)
    text, drawn = markdown(found, stands), drawings(found)
    _written(given.to, {"report.md": text, "report.html": page(text, drawn)} | {f"{name}.svg": svg for name, svg in drawn.items()})
    if given.keep:
        _written(BASELINE.parent, {"REPORT.md": kept(found, stands, drawn)})
        _written(BASELINE.parent / "pictures", {f"{name}.svg": svg for name, svg in drawn.items()})
    print(text)
    print("seconds of each part:", found["seconds"])
    if given.write_baseline:
        BASELINE.write_text(json.dumps(found["ratios"], indent=1, sort_keys=True) + "\n", "utf-8")
    slower = worse(found["ratios"], json.loads(BASELINE.read_text("utf-8"))) if BASELINE.exists() else []
    for said in (*slower, *wrong(found)):
        print("!", said, file=sys.stderr)
    return 1 if slower or wrong(found) else 0


if __name__ == "__main__":
    sys.exit(main())
