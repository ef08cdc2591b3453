"""What the old Office formats cost beside LibreOffice, which converts the same files: documents built here.

    python perf/bench_legacy.py [--rounds N] [--profile] [KIND...]

`sekisho` is the sanitizer alone, `engine` adds the second opinion and the second pass, `LibreOffice` is one conversion in a process of
its own, more than a second of it to start. `floor`, of workbooks, is the least that the language allows: each record unpacked and each cell
written without any check, deflated, and read once more by expat. Prints milliseconds of processor time (median) and the sizes.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import resource
import shutil
import statistics
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

import olefile
import xlwt
from isal import isal_zlib

from sanitizers.budget import Budget
from sanitizers.context import Context
from sanitizers.engine import Engine
from sanitizers.formats import BY_KIND
from sanitizers.formats.xls import cells
from sanitizers.model import Job, Kind, Limits
from sanitizers.scan import NO_RULES
from sanitizers.source import Source
from tests.build import doc as build_doc
from tests.build import ppt as build_ppt


class Sample(NamedTuple):
    """`target`: the kind that LibreOffice converts it to."""

    label: str
    kind: Kind
    target: str
    data: bytes


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


def document(paragraphs: int) -> bytes:
    """Text with changing looks, and a table of three columns behind every tenth paragraph."""
    bold = build_doc.sprm(0x0835, 1)
    table = [*(build_doc.cell(said) for said in ("項目", "内容", "備考")), build_doc.row(-108, 2000, 6000, 8500)]
    body: list[build_doc.Para] = []
    for number in range(paragraphs):
        plain = f"第{number}条　この規程は、公文書の管理に関し必要な事項を定める。"
        body.append(build_doc.para(plain, build_doc.Run("太字の語句", bold), plain, grpprl=build_doc.sprm(0x8411, 210)))
        body += table if number % 10 == 9 else ()
    return build_doc.document(*body, build_doc.para("以上"))


def presentation(slides: int, boxes: int = 12) -> bytes:
    """Boxes of text with formats on every slide."""
    look = build_ppt.style(24)
    texts = [f"題名と本文の{box:02}番目、四百字のうちの二十四字で" for box in range(boxes)]
    shapes = tuple(build_ppt.shape(build_ppt.words(text, look), number=number) for number, text in enumerate(texts, 1026))
    return build_ppt.presentation(*(build_ppt.slide(shapes=shapes) for _ in range(slides)))


def samples(kinds: list[str]) -> Iterator[Sample]:
    if not kinds or "doc" in kinds:
        for paragraphs in (50, 1000, 10_000):
            yield Sample(f"doc, {paragraphs} paragraphs", Kind.DOC, "docx", document(paragraphs))
    if not kinds or "xls" in kinds:
        for rows in (50, 1000, 20_000):
            yield Sample(f"xls, {rows} rows", Kind.XLS, "xlsx", workbook(rows))
    if not kinds or "ppt" in kinds:
        for slides in (10, 100, 1000):
            yield Sample(f"ppt, {slides} slides", Kind.PPT, "ppt", presentation(slides))


def sanitizer(sample: Sample) -> int:
    job = Job(name=f"x.{sample.kind}")
    budget = Budget(Limits(), len(sample.data))
    context = Context(name=job.name, kind=sample.kind, job=job, budget=budget, depth=0, examine=_no_parts, scan=NO_RULES.scan)
    return len(BY_KIND[sample.kind].sanitize(Source(sample.data), context).content)


def engine(sample: Sample) -> int:
    outcome = Engine(Job(name=f"x.{sample.kind}"), NO_RULES, len(sample.data)).run(Source(sample.data))
    assert outcome.content is not None, outcome.report.findings
    return len(outcome.content)


def floor(sample: Sample) -> int:
    """The cells of a workbook of `workbook`, whatever else it may hold; 0 for other kinds."""
    if sample.kind is not Kind.XLS:
        return 0
    with olefile.OleFileIO(io.BytesIO(sample.data)) as compound:
        stream: bytes = compound.openstream("Workbook").read()
    head, number, packed = struct.Struct("<5H").unpack_from, struct.Struct("<I").unpack_from, struct.Struct("<Hi").iter_unpack
    letters, lines, at = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", list[str](), 0
    while at + 10 <= len(stream):
        kind, size, row, col, _ = head(stream, at)
        if kind == cells.MULRK:
            row += 1
            said = enumerate(packed(stream[at + 8 : at + 2 + size]), col)
            lines += [f'<c r="{letters[place]}{row}"><v>{value >> 2}</v></c>' for place, (_, value) in said]
        elif kind == cells.LABELSST:
            lines.append(f'<c r="{letters[col]}{row + 1}" t="s"><v>{number(stream, at + 10)[0]}</v></c>')
        elif kind == cells.FORMULA:
            lines.append(f'<c r="{letters[col]}{row + 1}"><f>SUM(A{row + 1}:L{row + 1})*2</f></c>')
        at += 4 + size
    made = f"<a>{''.join(lines)}</a>".encode()
    expat.ParserCreate().Parse(made, True)
    return len(isal_zlib.compress(made, 2))


def libreoffice(sample: Sample) -> int:
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / f"x.{sample.kind}"
        given.write_bytes(sample.data)
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", sample.target, "--outdir", f"{folder}/out", str(given)]
        subprocess.run(command, capture_output=True, timeout=300, check=True)
        return (Path(folder) / "out" / f"x.{sample.target}").stat().st_size


def _spent() -> float:
    """Seconds of processor time of this process and of those that it has waited for."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def _no_parts(*_: object) -> None:  # type: ignore[misc]
    raise AssertionError("these files have no embedded parts")


def _median(call: Callable[[Sample], int], sample: Sample, rounds: int) -> tuple[float, int]:
    times: list[float] = []
    size = 0
    for _ in range(rounds):
        started = _spent()
        size = call(sample)
        times.append((_spent() - started) * 1000)
    return statistics.median(times), size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    for sample in samples(options.kinds):
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(sanitizer, sample)
            pstats.Stats(profile).sort_stats("tottime").print_stats(14)
        print(f"{sample.label}  {len(sample.data) / 1e6:.2f} MB")
        for name, call in (("sekisho", sanitizer), ("engine", engine), ("LibreOffice", libreoffice), ("floor", floor)):
            if call is libreoffice and shutil.which("soffice") is None:
                continue
            taken, size = _median(call, sample, options.rounds)
            if not size:
                continue
            print(f"     {name:11} {taken:7.1f} ms  {size / 1e6:.2f} MB out")


if __name__ == "__main__":
    main()
