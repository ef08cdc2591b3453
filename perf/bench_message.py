"""What converting a mail costs, alone: no jail, no engine, no scan.

    python perf/bench_message.py [--rounds N]

* A mail of 10 MB with one attachment, against the floor: the attachment's base64 decoded and encoded again, by the same library.
* A Japanese mail of 3 KB of text with links, and one with HTML beside it.
Prints the best of N rounds. Aims: at most 4 times the floor, at most 1 ms.
"""

from __future__ import annotations

import argparse
import base64
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pybase64

sys.path.insert(0, str(Path(__file__).parents[1]))

from sanitizers.budget import Budget
from sanitizers.context import Context, Outcome
from sanitizers.formats import message
from sanitizers.model import Job, Kind, PartInfo, Report, Verdict
from sanitizers.scan import NO_RULES
from sanitizers.source import Source
from sanitizers.verify import message as verifier

_HEAD = (
    b"Received: from a by b; Fri, 20 Nov 2026 09:00:00 +0900\r\nFrom: =?UTF-8?B?5bGx55Sw?= <yamada@example.jp>\r\n"
    b"To: soumu@town.example.jp\r\nSubject: =?UTF-8?B?5Lya6K2w?=\r\nDate: Fri, 20 Nov 2026 09:00:00 +0900\r\n"
    b"Message-ID: <1@example.jp>\r\nMIME-Version: 1.0\r\n"
)
_TEXT = "議事録をお送りします。詳しくは https://www.example.jp/kaigi をご覧ください。\r\n".encode() * 28
_PAGE = b"<html><body>" + b"".join(b"<p>" + line + b"</p>" for line in _TEXT.split(b"\r\n")) + b"</body></html>"
_LINE = b"------=_NextPart_000_0012_01DC5A2B.4E2F1A00"


def _small() -> bytes:
    return _HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + _TEXT


def _both() -> bytes:
    parts = (b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + _TEXT, b"Content-Type: text/html; charset=utf-8\r\n\r\n" + _PAGE)
    return _HEAD + _multipart(b"alternative", *parts)


def _multipart(kind: bytes, *parts: bytes) -> bytes:
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + _LINE[2:] + b'"\r\n\r\n'
    return head + b"".join(_LINE + b"\r\n" + part + b"\r\n" for part in parts) + _LINE + b"--\r\n"


def _large(content: bytes) -> bytes:
    file = b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    file += base64.encodebytes(content).replace(b"\n", b"\r\n")
    return _HEAD + _multipart(b"mixed", b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + _TEXT, file)


def _context(size: int) -> Context:
    """An engine that delivers every attachment as it is."""

    def examine(name: str, source: Source, where: str, depth: int) -> Outcome:  # noqa: ARG001 - the engine's signature
        info = PartInfo(name=name, size=len(source), sha256=source.sha256, kind=Kind.PDF)
        return Outcome(Report(path=name, verdict=Verdict.CLEAN, reason=None, input=info, output=info), source)

    job = Job(name="m.eml")
    return Context(name="m.eml", kind=Kind.EML, job=job, budget=Budget(job.limits, size), depth=0, examine=examine, scan=NO_RULES.scan)


def _convert(data: bytes) -> tuple[Source, Context]:
    given = _context(len(data))
    return message.SANITIZER.sanitize(Source(data), given).content, given


def _best(work: Callable[[], object], rounds: int) -> float:
    """Processor seconds of the fastest round: nothing here waits, and a busy machine says less about it than a clock would."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    content = os.urandom(7_300_000)
    large = _large(content)
    encoded = pybase64.encodebytes(content).replace(b"\n", b"\r\n")
    floor = _best(lambda: pybase64.encodebytes(pybase64.b64decode(encoded)).replace(b"\n", b"\r\n"), rounds)
    took = _best(lambda: _convert(large), rounds)
    output, given = _convert(large)
    checked = _best(lambda: verifier.verify(output, Source(large), given), rounds)
    slow = _best(lambda: base64.encodebytes(base64.b64decode(encoded)), rounds)
    print(f"10 MB: {took * 1000:6.1f} ms, {took / floor:4.1f} times the floor ({floor * 1000:.1f} ms);", end=" ")
    print(f"{took / slow:4.1f} times Python's own base64 ({slow * 1000:.1f} ms); verification {checked * 1000:.1f} ms")
    for name, data in (("3 KB text", _small()), ("3 KB text and HTML", _both())):
        print(f"{name}: {_best(lambda data=data: _convert(data), rounds * 20) * 1000:.2f} ms for {len(data)} bytes")  # type: ignore[misc]


if __name__ == "__main__":
    main()
