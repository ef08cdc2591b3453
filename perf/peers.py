"""Others beside us in one run: programs that rewrite files, a scanner that only looks, and servers that only pass mail on.

    python perf/peers.py [--mails N]

For files the figure is their processor time over that of our whole engine, for a large file of each kind in the reference mix (about
1 MB); a program's own start is in theirs, as each file pays it. For mail it is our rate, all states on disk and everything looked at, over
that of Postfix accepting and relaying the same text mails, and of smtp-sink and aiosmtpd accepting them and keeping nothing. What is not
installed is left out. None of these does the same work: the report says what each does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.handlers import Sink

from gateway.publishing import rulesets
from perf import floor, load_smtp, traffic
from perf.footprint import children_of
from perf.load_smtp import Load, NextHop, all_arrived, sent
from perf.traffic import File, Mail
from sanitizers.scan import compile_rules
from tests.build.ports import free_port
from tests.e2e import postfix

_ROUNDS: Final = 2
# Of larger ones some of these programs take minutes.
_LARGEST: Final = 1 << 20
_SESSIONS: Final = 10
_PATIENCE_SECONDS: Final = 180
_LOOK: Final = ("clamscan", "--no-summary", "--database=SIGNATURES", "IN")
_STRIP: Final = ("mat2", "--inplace", "IN")
_PROGRAMS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "pdf": {
        "qpdf": ("qpdf", "--object-streams=generate", "IN", "OUT.pdf"),
        "mutool clean -gggg": ("mutool", "clean", "-gggg", "IN", "OUT.pdf"),
        "Ghostscript pdfwrite": ("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=pdfwrite", "-sOutputFile=OUT.pdf", "IN"),
        "mat2": _STRIP,
        "clamscan": _LOOK,
    },
    "docx": {"LibreOffice": ("soffice", "--headless", "--convert-to", "docx", "--outdir", "OUT", "IN"), "mat2": _STRIP},
    "xlsx": {"LibreOffice": ("soffice", "--headless", "--convert-to", "xlsx", "--outdir", "OUT", "IN"), "mat2": _STRIP},
    "jpg": {"ImageMagick": ("convert", "IN", "-strip", "OUT.jpg"), "mat2": _STRIP},
    "png": {"ImageMagick": ("convert", "IN", "-strip", "OUT.png"), "mat2": _STRIP},
    "zip": {"clamscan": _LOOK},
}
DOES: Final = {
    "qpdf": "writes the file anew, removes nothing",
    "mutool clean -gggg": "drops what nothing refers to, removes nothing active",
    "Ghostscript pdfwrite": "draws every page and writes that",
    "LibreOffice": "reads and writes with its own model",
    "ImageMagick": "decodes and encodes, removes metadata",
    "mat2": "removes metadata",
    "clamscan": "looks for one signature, changes nothing",
}


class Beside(NamedTuple):
    """`ratio`: their seconds of processor time over ours."""

    kind: str
    program: str
    ratio: float


def files(given: Sequence[File]) -> Iterator[Beside]:
    scanner = compile_rules(rulesets.read(rulesets.builtin_folder()))
    for kind, programs in _PROGRAMS.items():
        of_kind = [file for file in given if file.name.endswith(kind) and file.delivers]
        if not of_kind or not any(map(shutil.which, (command[0] for command in programs.values()))):
            continue
        file = max(of_kind, key=lambda file: len(file.data) if len(file.data) < _LARGEST else -len(file.data))
        ours = floor.spent(lambda file=file: floor.whole(file, scanner), _ROUNDS)  # type: ignore[misc]
        for name, command in programs.items():
            if shutil.which(command[0]) and (theirs := _program(command, file)) is not None:
                yield Beside(kind, name, theirs / ours)


def _program(command: Sequence[str], file: File) -> float | None:
    """Seconds of processor time, the least of the rounds; None for one that does not end well."""
    least = float("inf")
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            given, signatures = folder / f"in.{file.name.rpartition('.')[2]}", folder / "one.hdb"
            given.write_bytes(file.data)
            signatures.write_text(f"{'0' * 32}:4294967295:None.Such\n", "ascii")
            filled = {"IN": str(given), "OUT": str(folder / "out"), "SIGNATURES": str(signatures)}
            words = [_filled(word, filled) for word in command]
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            try:
                done = subprocess.run(words, check=False, capture_output=True, timeout=_PATIENCE_SECONDS, env=os.environ | {"HOME": name})
            except subprocess.TimeoutExpired:
                return None
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            return None
        least = min(least, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return least


def _filled(word: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        if word.rpartition("=")[2].partition(".")[0] == name:
            return word.replace(name, value)
    return word


# --------------------------------------------------------------------------------------------------------------------- mail


class Passed(NamedTuple):
    """Mails a second, and milliseconds of processor time for each (NaN where it cannot be told apart from the load's own)."""

    rate: float
    milliseconds: float


async def _relayed(mails: Sequence[Mail], port: int, next_hop: int) -> float:
    load = Load()
    server = await asyncio.get_running_loop().create_server(lambda: NextHop(load.arrived), "127.0.0.1", next_hop)
    await sent(port, mails, load, rate=0.0, sessions=_SESSIONS)
    await all_arrived(load, mails)
    server.close()
    assert not load_smtp.faults(load, mails)[:3], load_smtp.faults(load, mails)[:3]
    return load.rate()


def by_postfix(mails: Sequence[Mail]) -> Passed:
    """Accepting and relaying, its queue on disk as installed."""
    next_hop = free_port()
    lines = (
        f"relayhost = [127.0.0.1]:{next_hop}\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
        "message_size_limit = 67108864\nmailbox_size_limit = 0\nsmtpd_client_connection_count_limit = 0\n"
        "default_destination_concurrency_limit = 20\n"
    )
    server = postfix.Postfix(lines)
    server.start()
    try:
        master = int((server.folder / "queue/pid/master.pid").read_text())
        before = _tree(master)
        rate = asyncio.run(_relayed(mails, server.port, next_hop))
        return Passed(rate, 1000 * (_tree(master) - before) / len(mails))
    finally:
        server.stop()


def _tree(master: int) -> float:
    """Seconds of processor time of a process, of its ended and of its living children."""
    ticks, seconds = os.sysconf("SC_CLK_TCK"), 0.0
    for pid in (master, *children_of(master)):
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            seconds += sum(int(field) for field in fields[11:15]) / ticks
    return seconds


async def _accepted(mails: Sequence[Mail], port: int) -> float:
    load, began = Load(), time.perf_counter()
    await sent(port, mails, load, rate=0.0, sessions=_SESSIONS)
    assert not load.refused, load.refused[:3]
    return len(mails) / (time.perf_counter() - began)


def by_smtp_sink(mails: Sequence[Mail]) -> Passed:
    port = free_port()
    process = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1000"])
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        rate = asyncio.run(_accepted(mails, port))
        return Passed(rate, 1000 * _tree(process.pid) / len(mails))
    finally:
        process.kill()
        process.wait()


async def _aiosmtpd(mails: Sequence[Mail]) -> Passed:
    """In this process: its rate holds the load's own work."""
    port = free_port()
    controller = UnthreadedController(Sink(), hostname="127.0.0.1", port=port, loop=asyncio.get_running_loop(), data_size_limit=64 << 20)
    controller.server = await controller._create_server()  # noqa: SLF001 - the one way to run it in this loop
    rate = await _accepted(mails, port)
    controller.server.close()
    return Passed(rate, float("nan"))


def mail(count: int, ours: dict[str, Any]) -> dict[str, dict[str, float]]:
    """By server: its rate, what a mail costs it, and ours over its. `ours`: figures of `load_smtp.measured` for text mails."""
    mails = load_smtp.mix(load_smtp.arguments().parse_args(["--texts", "--count", str(count)]))
    ways: dict[str, tuple[bool, Callable[[], Passed]]] = {
        "Postfix, accepts and relays": (Path(postfix.BINARY).exists() and os.geteuid() == 0, lambda: by_postfix(mails)),
        "smtp-sink, accepts": (shutil.which("smtp-sink") is not None, lambda: by_smtp_sink(mails)),
        "aiosmtpd, accepts": (True, lambda: asyncio.run(_aiosmtpd(mails))),
    }
    found = {}
    for name, (there, work) in ways.items():
        if there:
            passed = work()
            found[name] = {
                "mails_per_second": round(passed.rate, 1), "cpu_ms_per_mail": round(passed.milliseconds, 2),
                "ours_over_theirs": round(ours["mails_per_second"] / passed.rate, 3),
            }  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=1_000)
    given = parser.parse_args()
    for kind, program, ratio in files(traffic.files(1, 80)):
        print(f"{kind:6} {program:24} {ratio:8.2f} × our processor time   ({DOES[program]})", flush=True)
    ours = load_smtp.one_run(["--texts", "--count", str(given.mails)])
    print(f"{'sekisho':30} {ours['mails_per_second']:8.1f} mails/s {ours['cpu_ms_per_mail']:7.2f} ms a mail")
    for name, figures in mail(given.mails, ours).items():
        print(f"{name:30} {figures['mails_per_second']:8.1f} mails/s {figures['cpu_ms_per_mail']:7.2f} ms a mail   "
              f"we have {figures['ours_over_theirs']:.2f} of its rate")  # fmt: skip


if __name__ == "__main__":
    main()
