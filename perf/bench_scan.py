"""What the rules cost: bytes per second, and their share of an engine's time.

    python perf/bench_scan.py [--megabytes N] [--rounds N]

* Raw scan of text, random bytes and HTML: the rules that ship, the same and 1,000 synthetic ones, and one rule alone as the floor.
* The engine over a mail, a workbook and a PDF of many pages, with each set and without rules: all its scans, of raw bytes and of
  decoded layers, are counted.
Processor seconds, the best of N rounds: the ratio to the floor and the share are the figures.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from sanitizers import zip as archive
from sanitizers.engine import Engine
from sanitizers.model import Job, Kind, Match, Verdict
from sanitizers.scan import Scanner, compile_rules
from sanitizers.source import Source

_RULES = Path(__file__).parents[1] / "rules"
_SYNTHETIC = 1000
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _shipped() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in _RULES.iterdir() if path.suffix == ".yar" or path.name == "catalog.toml"}


def _synthetic() -> str:
    """Like a public feed: each rule has two texts, one of them wide, a run of bytes with a gap, and a few have an expression."""
    rules = []
    for number in range(_SYNTHETIC):
        word = zlib.crc32(b"rule %d" % number)
        strings = f'$a = "payload_{word:08x}" nocase $b = "Software\\\\Run\\\\{word:08x}" wide'
        strings += f" $c = {{ {word.to_bytes(4).hex(' ')} ?? ?? E8 [4] C3 }}"
        if number % 20 == 0:
            strings += rf" $d = /beacon_{word:08x}[a-z]{{4,12}}\.(exe|dll)/"
        rules.append(f'rule Synthetic_{number} {{ meta: severity = "low" strings: {strings} condition: any of them }}')
    return "\n".join(rules)


def _sets() -> dict[str, Scanner]:
    shipped = _shipped()
    one = 'rule One { strings: $a = "a text that stands nowhere" condition: $a }'
    return {
        "one rule": compile_rules({"one.yar": one}),
        "shipped": compile_rules(shipped),
        f"shipped + {_SYNTHETIC:,}": compile_rules({**shipped, "synthetic.yar": _synthetic()}),
    }


def _text(size: int) -> bytes:
    lines = "".join(f"{n} 議事録をお送りします。詳しくは https://www.example.jp/kaigi/{n} をご覧ください。\r\n" for n in range(size // 80))
    return lines.encode()[:size]


def _page(size: int) -> bytes:
    row = b'<tr><td class="c%d"><a href="https://www.example.jp/%d">item</a></td></tr>\r\n'
    rows = b"".join(row % (n % 7, n) for n in range(size // 60))
    return b"<html><body><table>" + rows[:size] + b"</table></body></html>"


def _mail(size: int) -> bytes:
    head = b"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    return head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + _text(size)


def _workbook(rows: int) -> bytes:
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>{n * 7 % 1000 / 10}</v></c></row>' for n in range(1, rows + 1))
    space = f'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{_OFFICE}"'
    types = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{_SPREADSHEET}{kind}+xml"/>'
        for name, kind in (("workbook", "sheet.main"), ("worksheets/sheet1", "worksheet"))
    )
    default = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{default}{types}</Types>',
        "_rels/.rels": _related("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook {space}><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _related("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{cells}</sheetData></worksheet>",
    }
    writer = archive.Writer()
    for name, content in parts.items():
        writer.add(name, content.encode())
    return writer.finish()


def _related(kind: str, target: str) -> str:
    one = f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{one}</Relationships>'


def _pdf(pages: int) -> bytes:
    """Pages of text in Flate streams."""
    lines = b"".join(b"1 0 0 1 50 %d Tm (line %d of a page that says nothing much) Tj\n" % (800 - 12 * n, n) for n in range(60))
    stream = zlib.compress(b"BT /F1 9 Tf\n" + lines + b"ET")
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(pages))
    tree = b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids)
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", tree, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    for n in range(pages):
        bodies.append(b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>" % (5 + 2 * n))
        bodies.append(b"<</Length %d/Filter/FlateDecode>>stream\n" % len(stream) + stream + b"\nendstream")
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + table + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(out))


class _Timed(Scanner):
    """Counts what its scans cost and how much they saw."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self.seconds = 0.0
        self.seen = 0

    def scan(self, source: Source, where: str, kind: Kind) -> list[Match]:
        return self._counted(self._scanner.scan, source, where, kind)

    def scan_for_blocking(self, source: Source, where: str, kind: Kind) -> list[Match]:
        return self._counted(self._scanner.scan_for_blocking, source, where, kind)

    def _counted(self, scan: Callable[[Source, str, Kind], list[Match]], source: Source, where: str, kind: Kind) -> list[Match]:
        started = time.process_time()
        found = scan(source, where, kind)
        self.seconds += time.process_time() - started
        self.seen += len(source)
        return found


def _best(work: Callable[[], object], rounds: int) -> float:
    """Processor seconds of the fastest round: a clock would also count what the machine does besides."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def _raw(sets: dict[str, Scanner], megabytes: int, rounds: int) -> None:
    size = megabytes << 20
    samples = {"text": (Kind.TEXT, _text(size)), "html": (Kind.HTML, _page(size)), "random": (Kind.UNKNOWN, os.urandom(size))}
    print(f"{'raw scan':<10}" + "".join(f"{name:>28}" for name in sets))
    for label, (kind, data) in samples.items():
        floor, line = 0.0, ""
        for scanner in sets.values():
            seconds = _best(partial(scanner.scan, Source(data), "", kind), rounds)
            floor = floor or seconds
            line += f"{len(data) / seconds / 1e6:>14.0f} MB/s ({seconds / floor:>5.1f} x)"
        print(f"{label:<10}{line}")


def _engine(sets: dict[str, Scanner], rounds: int) -> None:
    samples = {"mail.eml": _mail(1 << 20), "sheet.xlsx": _workbook(50_000), "pages.pdf": _pdf(200)}
    print(f"\n{'engine':<12}{'rules':<18}{'whole':>10}{'scan':>10}{'share':>8}{'scanned':>12}")
    for name, data in samples.items():
        for label, scanner in sets.items():
            runs = [_share(name, data, scanner) for _ in range(rounds)]
            whole, scan, seen = min(runs)
            print(f"{name:<12}{label:<18}{whole * 1000:>7.0f} ms{scan * 1000:>7.0f} ms{scan / whole:>8.0%}{seen / 1e6:>9.1f} MB")


def _share(name: str, data: bytes, scanner: Scanner) -> tuple[float, float, int]:
    timed = _Timed(scanner)
    started = time.process_time()
    report = Engine(Job(name=name), timed, len(data)).run(Source(data)).report
    whole = time.process_time() - started
    if report.verdict not in (Verdict.CLEAN, Verdict.SANITIZED):
        sys.exit(f"{name}: {report.verdict} {report.reason} {[finding.detail for finding in report.findings]}")
    return whole, timed.seconds, timed.seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    sets = _sets()
    _raw(sets, arguments.megabytes, arguments.rounds)
    _engine(sets, arguments.rounds)


if __name__ == "__main__":
    main()
