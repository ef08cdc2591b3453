"""What rebuilding a large OpenDocument file costs beside the least that any rebuilding must do: files built here.

    python perf/bench_odf.py [--rounds N] [--profile]

`floor`: inflate, parse with lxml, serialise, deflate with isal; no looking, no checking. Prints milliseconds (median of calls in a warm
process), the ratio to the floor and the sizes. `sekisho` is the sanitizer alone; `engine` adds the second opinion and the second pass.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import random
import statistics
import time
import zipfile
from collections.abc import Callable
from typing import Final

from isal import isal_zlib
from lxml import etree

from sanitizers.budget import Budget
from sanitizers.context import Context
from sanitizers.engine import Engine
from sanitizers.formats import odf
from sanitizers.model import Job, Kind, Limits
from sanitizers.scan import NO_RULES
from sanitizers.source import Source

_WORDS: Final = "申請 住民 通知 様式 予算 決算 議会 水道 税務 課長 令和 年度 合計 金額 担当 番号 氏名 住所 電話 備考 report budget".split()
_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns:"
_SPACES: Final = " ".join(f'xmlns:{name}="{_ODF}{name}:1.0"' for name in ("office", "text", "table"))


def text(xml_bytes: int) -> bytes:
    """Paragraphs of spans, as LibreOffice writes them. About `xml_bytes` of XML."""
    rng = random.Random(1)
    pieces: list[str] = []
    size = 0
    while size < xml_bytes:
        spans = "".join(
            f'<text:span text:style-name="T{rng.randrange(40)}">{"".join(rng.choices(_WORDS, k=rng.randrange(4, 30)))}</text:span>'
            for _ in range(rng.randrange(1, 5))
        )
        pieces.append(f'<text:p text:style-name="P{rng.randrange(40)}">{spans}<text:s text:c="2"/>{rng.randrange(10**9)}</text:p>')
        size += len(pieces[-1].encode())
    return _package("text", f"<office:text>{''.join(pieces)}</office:text>")


def sheet(cells: int) -> bytes:
    """Rows of thirty cells: texts, numbers and a formula in the last column."""
    rng = random.Random(2)
    rows: list[str] = []
    end = "</table:table-cell>"
    for number in range(1, cells // 30 + 1):
        row = [
            f'<table:table-cell table:style-name="ce{n % 4}" office:value-type="float" office:value="{v}"><text:p>{v}</text:p>{end}'
            if n % 5
            else f'<table:table-cell office:value-type="string"><text:p>{rng.choice(_WORDS)}{v}</text:p>{end}'
            for n in range(29)
            for v in (rng.randrange(10**6),)
        ]
        formula = f"of:=SUM([.B{number}:.E{number}])*1.1"
        row.append(f'<table:table-cell table:formula="{formula}" office:value-type="float" office:value="{number}"/>')
        rows.append(f'<table:table-row table:style-name="ro1">{"".join(row)}</table:table-row>')
    return _package("spreadsheet", f'<office:spreadsheet><table:table table:name="表">{"".join(rows)}</table:table></office:spreadsheet>')


def _package(kind: str, body: str) -> bytes:
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    root = "office:document-content"
    content = f'<?xml version="1.0" encoding="UTF-8"?><{root} {_SPACES} office:version="1.3"><office:body>{body}</office:body></{root}>'
    places = {"/": media_type, "content.xml": "text/xml"}
    entries = "".join(f'<m:file-entry m:full-path="{name}" m:media-type="{said}"/>' for name, said in places.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(zipfile.ZipInfo("mimetype"), media_type)
        package.writestr("content.xml", content)
        package.writestr("META-INF/manifest.xml", f'<m:manifest xmlns:m="{_ODF}manifest:1.0">{entries}</m:manifest>')
    return out.getvalue()


def floor(data: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        info = package.getinfo("content.xml")
        start = info.header_offset + 30 + len(info.filename)
        content = isal_zlib.decompress(data[start : start + info.compress_size], -15)
    written = etree.tostring(etree.fromstring(content), encoding="UTF-8", xml_declaration=True)
    coder = isal_zlib.compressobj(2, isal_zlib.DEFLATED, -15)
    return len(coder.compress(written)) + len(coder.flush())


def sanitizer(data: bytes, kind: Kind) -> int:
    job = Job(name=f"x.{kind}")
    context = Context(name=job.name, kind=kind, job=job, budget=Budget(Limits(), len(data)), depth=0, examine=_no_parts, scan=NO_RULES.scan)
    return len(odf.sanitize(Source(data), context).content)


def engine(data: bytes, kind: Kind) -> int:
    outcome = Engine(Job(name=f"x.{kind}"), NO_RULES, len(data)).run(Source(data))
    assert outcome.content is not None, outcome.report.findings
    return len(outcome.content)


def _no_parts(*_: object) -> None:  # type: ignore[misc]
    raise AssertionError("these files have no embedded parts")


def _median(call: Callable[[], int], rounds: int) -> tuple[float, int]:
    times: list[float] = []
    size = 0
    for _ in range(rounds):
        started = time.perf_counter()
        size = call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times), size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    for kind, data in ((Kind.ODT, text(23 << 20)), (Kind.ODS, sheet(260_000))):
        if options.profile:
            profile = cProfile.Profile()
            profile.runcall(sanitizer, data, kind)
            pstats.Stats(profile).sort_stats("tottime").print_stats(14)
        least, _ = _median(lambda data=data: floor(data), options.rounds)  # type: ignore[misc]
        print(f"{kind}  {len(data) / 1e6:.1f} MB  floor {least:7.0f} ms")
        for name, call in (("sekisho", sanitizer), ("engine", engine)):
            taken, size = _median(lambda call=call, data=data, kind=kind: call(data, kind), options.rounds)  # type: ignore[misc]
            print(f"     {name:8} {taken:7.0f} ms  {taken / least:4.2f} x floor  {size / 1e6:.1f} MB out")


if __name__ == "__main__":
    main()
